# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application templates, applications and service principals."""

from __future__ import annotations

from tests.lab.cloud import app_roles
from tests.lab.cloud.context import new_guid
from tests.lab.cloud.graph import deleted, keys, query
from tests.lab.cloud.graph.call import Call, no_content
from tests.lab.cloud.graph.csdl import Mismatch, check, shown
from tests.lab.cloud.tokens import EXCHANGE_APP_ID, GRAPH_APP_ID
from tests.lab.cloud.wire import Reply
from tests.lab.store import Document

WRITEBACK_TEMPLATE = "3b99513e-0cee-4291-aea8-84356239fb82"
# Application templates of Cloud Sync that public material names.
TEMPLATES = {
    WRITEBACK_TEMPLATE: "EXO to AD attribute sync",
    "1a4721b3-e57f-4451-ae87-ef078703ec94": "Active Directory to Microsoft Entra ID sync",
    "fb81332f-3eca-4ecf-a939-4278e501d330": "Microsoft Entra ID to Active Directory sync",
}
ALL_APPLICATIONS = "Application.ReadWrite.All"
# Principals of Microsoft's own services, of which a tenant's owner is to touch the keyCredentials at most.
FIRST_PARTY = (EXCHANGE_APP_ID, GRAPH_APP_ID)


def template(call: Call, template_id: str) -> Reply:
    """GET /applicationTemplates/{id}."""
    if template_id not in TEMPLATES:
        raise call.not_found(template_id)
    doc = {
        "id": template_id,
        "displayName": TEMPLATES[template_id],
        "publisher": "Microsoft",
        "categories": [],
        "supportedProvisioningTypes": ["sync"],
        "supportedSingleSignOnModes": [],
        "description": None,
        "homePageUrl": None,
        "logoUrl": None,
    }
    return query.one(call, doc, "applicationTemplate", "applicationTemplates")


def instantiate(call: Call, template_id: str) -> Reply:
    """POST /applicationTemplates/{id}/instantiate: an application and its service principal."""
    if template_id not in TEMPLATES:
        raise call.not_found(template_id)
    body = call.body()
    name = body.get("displayName")
    if not isinstance(name, str) or not name or set(body) - {"displayName", "serviceManagementReference"}:
        raise call.bad_request("The body must hold a displayName.")
    application, principal = made(
        template_id, name, {"_owner": call.claims.get("oid"), "_visibleAt": _visible_at(call)}
    )
    with call.services.store.transaction():
        call.services.store.put(call.tenant_id, "application", application["id"], application)
        call.services.store.put(call.tenant_id, "servicePrincipal", principal["id"], principal)
    content = {
        "@odata.context": call.context("microsoft.graph.applicationServicePrincipal"),
        "application": shown(application, "application", call.version),
        "servicePrincipal": shown(principal, "servicePrincipal", call.version),
    }
    return Reply(201, content)


def made(template_id: str, name: str, own: Document) -> tuple[Document, Document]:
    """A new application and its service principal, as a template makes them; ``own`` are private properties."""
    common: Document = {
        "appId": new_guid(),
        "applicationTemplateId": template_id,
        "displayName": name,
        "keyCredentials": [],
        **own,
    }
    principal: Document = {
        "id": new_guid(),
        **common,
        "accountEnabled": True,
        "passwordCredentials": [],
        "servicePrincipalType": "Application",
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp", "WindowsAzureActiveDirectoryOnPremApp"],
    }
    return {"id": new_guid(), **common}, principal


def _visible_at(call: Call) -> float:
    return call.services.clock.timestamp() + float(call.services.scenario["replication_delay_s"])


def visible(call: Call, doc: Document) -> bool:
    """Whether a new object has replicated to where readers see it."""
    return float(doc.get("_visibleAt", 0.0)) <= call.services.clock.timestamp()


def list_applications(call: Call) -> Reply:
    """GET /applications."""
    return query.many(call, _all(call, "application"), "application", "applications", directory=True)


def list_principals(call: Call) -> Reply:
    """GET /servicePrincipals."""
    return query.many(call, _all(call, "servicePrincipal"), "servicePrincipal", "servicePrincipals", directory=True)


def _all(call: Call, kind: str) -> list[Document]:
    docs = call.services.store.list(call.tenant_id, kind)
    return [doc for doc in call.services.stale.seen_of_all(call.tenant_id, kind, docs) if visible(call, doc)]


def found(call: Call, kind: str, object_id: str) -> Document:
    """An application or service principal by its id, or by ``appId=...``; 404 while it has not replicated."""
    if object_id.startswith("appId="):
        app_id = object_id.removeprefix("appId=").strip("'").lower()
        matching = [d for d in call.services.store.list(call.tenant_id, kind) if d["appId"].lower() == app_id]
        doc = matching[0] if matching else None
    else:
        doc = call.services.store.get(call.tenant_id, kind, object_id.lower())
    if doc is None or not visible(call, doc):
        raise call.not_found(object_id)
    return doc


def require_ownership(call: Call, doc: Document) -> None:
    """Application.ReadWrite.OwnedBy reaches only what the caller made."""
    if ALL_APPLICATIONS not in call.roles and doc.get("_owner") != call.claims.get("oid"):
        raise call.denied()


def get_application(call: Call, object_id: str) -> Reply:
    """GET /applications/{id}."""
    [doc] = call.seen("application", [found(call, "application", object_id)])
    return query.one(call, doc, "application", "applications")


def get_principal(call: Call, object_id: str) -> Reply:
    """GET /servicePrincipals/{id}."""
    [doc] = call.seen("servicePrincipal", [found(call, "servicePrincipal", object_id)])
    return query.one(call, doc, "servicePrincipal", "servicePrincipals")


def list_assignments(call: Call, object_id: str) -> Reply:
    """GET /servicePrincipals/{id}/appRoleAssignments: what it may do."""
    principal = found(call, "servicePrincipal", object_id)
    query.checked_options(call)
    rows = app_roles.assignments(call.services.store, call.tenant_id, principal["id"])
    return Reply(200, {"@odata.context": call.context("appRoleAssignments"), "value": rows})


def delete_assignment(call: Call, object_id: str, assignment_id: str) -> Reply:
    """DELETE /servicePrincipals/{id}/appRoleAssignments/{id}: its next tokens lack the role."""
    with call.services.store.transaction():
        principal = found(call, "servicePrincipal", object_id)
        kept = call.services.store.get(call.tenant_id, app_roles.ASSIGNMENT, assignment_id.lower())
        if kept is None or kept["principalId"] != principal["id"]:
            raise call.not_found(assignment_id)
        if principal["appId"] in FIRST_PARTY:
            call.services.noticed(f"an app role assignment of {principal['displayName']} was removed")
        call.services.store.delete(call.tenant_id, app_roles.ASSIGNMENT, kept["id"])
    return no_content()


def patch_principal(call: Call, object_id: str) -> Reply:
    """PATCH /servicePrincipals/{id}: keyCredentials (the whole array), displayName, accountEnabled, tags."""
    body = call.body()
    try:
        check(body, "servicePrincipal", call.version)
    except Mismatch as error:
        raise call.bad_request(str(error)) from error
    fixed = set(body) - {"keyCredentials", "displayName", "accountEnabled", "tags"}
    if fixed:
        raise call.bad_request(f"Property '{sorted(fixed)[0]}' is read-only and cannot be set.")
    with call.services.store.transaction():
        doc = found(call, "servicePrincipal", object_id)
        require_ownership(call, doc)
        if "keyCredentials" in body:
            body = {**body, "keyCredentials": keys.patched(call, doc["keyCredentials"], body["keyCredentials"] or [])}
        if doc["appId"] in FIRST_PARTY and set(body) - {"keyCredentials"}:
            named = ", ".join(sorted(set(body) - {"keyCredentials"}))
            call.services.noticed(f"{named} of {doc['displayName']}, a principal of Microsoft's own, was changed")
        call.services.write(call.tenant_id, "servicePrincipal", doc["id"], doc, {**doc, **body})
    return no_content()


def delete_application(call: Call, object_id: str) -> Reply:
    """DELETE /applications/{id}: into the bin, its service principal with it."""
    store = call.services.store
    with store.transaction():
        doc = found(call, "application", object_id)
        require_ownership(call, doc)
        call.services.remove(call.tenant_id, "application", doc["id"], doc)
        deleted.keep(call, "application", doc)
        for principal in store.list(call.tenant_id, "servicePrincipal"):
            if principal["appId"] == doc["appId"]:
                _drop_principal(call, principal, doc["id"])
    return no_content()


def delete_principal(call: Call, object_id: str) -> Reply:
    """DELETE /servicePrincipals/{id}: into the bin; its jobs and secrets go for good, its application stays."""
    with call.services.store.transaction():
        doc = found(call, "servicePrincipal", object_id)
        require_ownership(call, doc)
        if doc["appId"] in FIRST_PARTY:
            call.services.noticed(f"{doc['displayName']}, a principal of Microsoft's own, was deleted")
        _drop_principal(call, doc)
    return no_content()


def _drop_principal(call: Call, principal: Document, gone_with: str = "") -> None:
    store = call.services.store
    call.services.remove(call.tenant_id, "servicePrincipal", principal["id"], principal)
    deleted.keep(call, "servicePrincipal", principal, gone_with)
    store.delete(call.tenant_id, "secret", principal["id"])
    for job in store.list(call.tenant_id, "job"):
        if job.get("_servicePrincipal") == principal["id"]:
            store.delete(call.tenant_id, "job", job["id"])
