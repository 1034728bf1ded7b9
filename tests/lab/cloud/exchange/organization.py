# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets of the organization: its configuration, accepted domains, migration, connectors and relationships."""

from __future__ import annotations

from typing import Any

from tests.lab.clock import iso
from tests.lab.cloud.context import new_guid
from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.identity import SERVER, public
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.store import Document

CLOUD_DEFAULT = "ExchangeAttributesCloudManagedByDefault"
SERVER_DEFAULT = "ExchangeAttributesServerManagedByDefault"
# How the tenant's default shows in Get-OrganizationConfig.
DEFAULT_PROPERTY = "BlockExchangeProvisioningFromOnPremEnabled"
SET_ORGANIZATION_PARAMETERS = (CLOUD_DEFAULT, SERVER_DEFAULT, "Confirm", "WhatIf")

# Noun of the cmdlets: the kind of the documents behind them.
NOUNS: dict[str, str] = {
    "AcceptedDomain": "acceptedDomain",
    "InboundConnector": "inboundConnector",
    "IntraOrganizationConnector": "intraOrganizationConnector",
    "MigrationBatch": "migrationBatch",
    "MigrationEndpoint": "migrationEndpoint",
    "MoveRequest": "moveRequest",
    "OnPremisesOrganization": "onPremisesOrganization",
    "OrganizationRelationship": "organizationRelationship",
    "OutboundConnector": "outboundConnector",
    "RemoteDomain": "remoteDomain",
}
# Cmdlets over these documents that exist in the cloud.
NAMED_CMDLETS = (
    *(f"Get-{noun}" for noun in NOUNS),
    *(f"Remove-{noun}" for noun in NOUNS if noun != "AcceptedDomain"),
    *(f"New-{noun}" for noun in ("InboundConnector", "IntraOrganizationConnector", "OrganizationRelationship",
                                 "OutboundConnector", "RemoteDomain")),
    "Set-IntraOrganizationConnector",
    "Set-OrganizationRelationship",
)  # fmt: skip
_NOT_PROPERTIES = ("Identity", "Confirm", "WhatIf", "Force")
# Parameters of the Get- cmdlets above that the lab honours.
GET_NAMED_PARAMETERS = ("Identity", "ResultSize", "Status", "MoveStatus")


def organization(call: Call) -> Document:
    """The one organization document of the tenant."""
    found = call.services.store.list(call.tenant_id, "organization")
    if not found:
        raise errors.not_found(call.tenant["initial_domain"], SERVER)
    return found[0]


def get_organization_config(call: Call) -> Result:
    """Get-OrganizationConfig."""
    doc = organization(call)
    [seen] = call.services.stale.seen(call.tenant_id, "organization", [doc])
    return Result([public(seen)])


def set_organization_config(call: Call) -> Result:
    """Set-OrganizationConfig, as far as the default source of authority goes."""
    to_cloud, to_server = call.bound.get(CLOUD_DEFAULT) is True, call.bound.get(SERVER_DEFAULT) is True
    if to_cloud and to_server:
        raise errors.parameter_sets()
    with call.services.store.transaction():
        before = organization(call)
        if not (to_cloud or to_server) or before.get(DEFAULT_PROPERTY) is to_cloud:
            name = call.tenant["initial_domain"]
            return Result(warnings=[unchanged_warning(name)])
        if not call.what_if:
            after = {**before, DEFAULT_PROPERTY: to_cloud, **changed_now(call)}
            call.services.write(call.tenant_id, "organization", before["id"], before, after)
    return Result()


def unchanged_warning(identity: str) -> str:
    """What Exchange Online says when a Set- cmdlet changed nothing."""
    return f"The command completed successfully but no settings of '{identity}' have been modified."


def changed_now(call: Call) -> Document:
    """The properties that tell when an object was last changed."""
    now = iso(call.services.clock.now())
    return {"WhenChanged": now, "WhenChangedUTC": now}


def named(call: Call) -> Result:
    """Get-, New-, Set- and Remove- of the organization's named objects."""
    verb, _hyphen, noun = call.cmdlet.partition("-")
    kind = NOUNS[noun]
    if verb == "Get":
        return _get(call, kind)
    with call.services.store.transaction():
        if verb == "New":
            return _new(call, kind)
        doc = _one(call, kind)
        if call.what_if:
            return Result()
        if verb == "Remove":
            call.services.store.delete(call.tenant_id, kind, doc["id"])
            return Result()
        after = {**doc, **_properties(call.bound), **changed_now(call)}
        call.services.write(call.tenant_id, kind, doc["id"], doc, after)
        return Result()


def _get(call: Call, kind: str) -> Result:
    docs = call.services.stale.seen(call.tenant_id, kind, call.services.store.list(call.tenant_id, kind))
    if call.bound.get("Identity"):
        docs = [doc for doc in docs if _is(doc, call.bound["Identity"])]
        if not docs:
            raise errors.not_found(call.bound["Identity"], SERVER)
    for parameter in ("Status", "MoveStatus"):
        if parameter in call.bound:
            docs = [doc for doc in docs if str(doc.get("Status", "")).lower() == call.bound[parameter].lower()]
    return Result([public(doc) for doc in docs])


def _one(call: Call, kind: str) -> Document:
    identity = call.bound.get("Identity") or ""
    found = [doc for doc in call.services.store.list(call.tenant_id, kind) if _is(doc, identity)]
    if not found:
        raise errors.not_found(identity, SERVER)
    if len(found) > 1:
        raise errors.ambiguous(identity)
    return found[0]


def _is(doc: Document, identity: str) -> bool:
    names = (doc["id"], *(doc.get(name) for name in ("Identity", "Name", "Guid", "DomainName", "MailboxIdentity")))
    return identity.lower() in [str(name).lower() for name in names if name]


def _new(call: Call, kind: str) -> Result:
    name = call.bound.get("Name") or ""
    if any(_is(doc, name) for doc in call.services.store.list(call.tenant_id, kind)):
        raise errors.invalid_operation(f"The object '{name}' already exists.")
    guid = new_guid()
    now = iso(call.services.clock.now())
    doc = {
        "id": guid,
        "Identity": name,
        "Guid": guid,
        **_properties(call.bound),
        "WhenCreated": now,
        "WhenCreatedUTC": now,
        **changed_now(call),
    }
    if not call.what_if:
        call.services.store.put(call.tenant_id, kind, guid, doc)
    return Result([public(doc)])


def _properties(bound: dict[str, Any]) -> Document:
    return {name: value for name, value in bound.items() if name not in _NOT_PROPERTIES}
