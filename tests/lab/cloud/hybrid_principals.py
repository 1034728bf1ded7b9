# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service principals and applications of the hybrid set-up, as tenants begin with them.

Everywhere: the first-party principal of Exchange Online, with the certificate that the wizard's OAuth step uploaded,
another that somebody else did, and what it may do (appRoleAssignments), which nobody may touch. In the modern tenants
also the dedicated hybrid application with its principal; and in all of them one whose name only looks like it.
"""

from __future__ import annotations

from tests.lab import hybrid_facts as facts
from tests.lab.cloud import app_roles
from tests.lab.settings import fixed_guid
from tests.lab.store import Document, Store

LOOK_ALIKE = "ExchangeServerApp reporting"
AUTH_SUBJECT = "CN=Microsoft Exchange Server Auth Certificate"


def principal_of(object_id: str, app_id: str, name: str) -> Document:
    """A service principal."""
    return {
        "id": object_id,
        "appId": app_id,
        "displayName": name,
        "applicationTemplateId": None,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "tags": [],
        "keyCredentials": [],
        "passwordCredentials": [],
    }


def key(tenant: Document, thumbprint: str, subject: str, start: str, end: str) -> Document:
    """A certificate on an application or principal, as Graph shows it: without its key."""
    return {
        "customKeyIdentifier": thumbprint,
        "displayName": subject,
        "endDateTime": end,
        "key": None,
        "keyId": fixed_guid("key", tenant["id"], thumbprint),
        "startDateTime": start,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def auth_key(tenant: Document) -> Document:
    """The on-premises servers' own certificate."""
    thumbprint = facts.auth_certificate(tenant["name"])
    return key(tenant, thumbprint, AUTH_SUBJECT, "2024-01-01T00:00:00Z", "2029-01-01T00:00:00Z")


def foreign_key(tenant: Document) -> Document:
    """A certificate that is none of the wizard's."""
    thumbprint = facts.foreign_certificate(tenant["name"])
    return key(tenant, thumbprint, "CN=archive.northwind.example", "2025-02-01T00:00:00Z", "2027-02-01T00:00:00Z")


def seed(store: Store, tenant: Document) -> None:
    """Put them into the store."""
    tenant_id = tenant["id"]
    exchange = app_roles.RESOURCES["exchange"]
    first = principal_of(app_roles.resource_id(tenant_id, "exchange"), exchange.app_id, exchange.name)
    first["keyCredentials"] = [auth_key(tenant), foreign_key(tenant)]
    store.put(tenant_id, "servicePrincipal", first["id"], first)
    for role in ("Calendars.Read", "User.Read.All"):
        app_roles.grant(store, tenant_id, first, "graph", role)
    look_alike, principal = _application(tenant, LOOK_ALIKE, fixed_guid("application", tenant_id, LOOK_ALIKE), [])
    _put(store, tenant, look_alike, principal)
    if tenant["name"] in facts.MODERN:
        name, client_id = facts.dedicated_application(tenant["name"])
        application, principal = _application(tenant, name, client_id, [auth_key(tenant)])
        _put(store, tenant, application, principal)
        app_roles.grant(store, tenant_id, principal, "exchange", "full_access_as_app")


def _application(tenant: Document, name: str, client_id: str, keys: list[Document]) -> tuple[Document, Document]:
    principal = principal_of(fixed_guid("principal", tenant["id"], client_id), client_id, name)
    application = {
        "id": fixed_guid("application object", tenant["id"], client_id),
        "appId": client_id,
        "displayName": name,
        "applicationTemplateId": None,
        "keyCredentials": keys,
        "_servicePrincipal": principal["id"],
        "_wids": [],
        "_secrets": [],
        "_certificates": [],
    }
    return application, principal


def _put(store: Store, tenant: Document, application: Document, principal: Document) -> None:
    store.put(tenant["id"], "application", application["id"], application)
    store.put(tenant["id"], "servicePrincipal", principal["id"], principal)
