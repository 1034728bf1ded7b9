# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control of the hybrid set-up in the cloud, past Exchange Online and Graph: what there is, and what is in the way."""

from __future__ import annotations

from typing import Any

from tests.lab import hybrid_facts as facts
from tests.lab.clock import iso
from tests.lab.cloud import hybrid_principals, hybrid_seed, steer
from tests.lab.cloud.context import Services
from tests.lab.cloud.exchange.kinds import KINDS
from tests.lab.cloud.hybrid_conditions import CONDITIONS
from tests.lab.cloud.wire import Request
from tests.lab.settings import fixed_guid
from tests.lab.store import Document

BATCH = "Wave 12 - Zürich"


def show(services: Services, request: Request, tenant: str) -> Document:
    """GET /hybrid/{tenant}: the wizard's objects and those that only look like them, and what is set."""
    return _shown(services, steer.tenant_of(services, tenant))


def _shown(services: Services, tenant: Document) -> Document:
    store, tenant_id = services.store, tenant["id"]
    wizard = {(noun, name) for noun, name, _properties in hybrid_seed.hybrid_objects(tenant)}
    objects = [
        {
            "kind": noun,
            "name": doc["Name"],
            "whose": "hybrid" if (noun, doc["Name"]) in wizard else "other",
            "state": _state(noun, doc),
        }
        for noun, kind in KINDS.items()
        if noun not in ("AcceptedDomain", "MailboxPlan")
        for doc in store.list(tenant_id, kind.kind)
    ]
    there = {(one["kind"], one["name"]) for one in objects}
    principals = {one["appId"]: one for one in store.list(tenant_id, "servicePrincipal")}
    keys = principals.get(facts.EXCHANGE_ONLINE, {}).get("keyCredentials", [])
    name, client_id = facts.dedicated_application(tenant["name"])
    return {
        "objects": sorted(objects, key=lambda one: (one["whose"], one["kind"], one["name"])),
        "gone": [f"{noun} {one}" for noun, one in sorted(wizard - there)],
        "keys": [{"subject": one["displayName"], "thumbprint": one["customKeyIdentifier"]} for one in keys],
        "dedicatedApplication": name if client_id in principals else None,
        "conditions": _conditions(services, tenant),
    }


def _state(noun: str, doc: Document) -> str:
    for name in ("Status", "State"):
        if name in doc:
            return str(doc[name])
    return "disabled" if doc.get("Enabled") is False else ""


def _conditions(services: Services, tenant: Document) -> Document:
    kept = services.store.get(tenant["id"], "hybridConditions", "conditions") or {}
    return {name: kept.get(name, values[0]) for name, (values, _doc) in CONDITIONS.items()}


def change(services: Services, request: Request, tenant: str) -> Document:
    """PATCH /hybrid/{tenant} with conditions by name."""
    found, body = steer.tenant_of(services, tenant), steer.body_of(request)
    for name, value in body.items():
        if name not in CONDITIONS:
            raise ValueError(f"The hybrid set-up has no condition {name!r}; it has {', '.join(CONDITIONS)}.")
        if value not in CONDITIONS[name][0]:
            raise ValueError(f"{name} is one of {', '.join(CONDITIONS[name][0])}, not {value!r}.")
    with services.engine_lock, services.store.transaction():
        for name, value in body.items():
            _DEEDS[name](services, found, str(value))
        kept = {"id": "conditions", **_conditions(services, found), **body}
        services.store.put(found["id"], "hybridConditions", "conditions", kept)
    return _shown(services, found)


def renew(services: Services, request: Request, tenant: str) -> Document:
    """POST /hybrid/{tenant}/renew: the wizard's objects, the look-alikes and the principals as at the beginning."""
    found, store = steer.tenant_of(services, tenant), services.store
    with services.engine_lock, store.transaction():
        for noun, kind in KINDS.items():
            if noun != "AcceptedDomain":
                for doc in store.list(found["id"], kind.kind):
                    store.delete(found["id"], kind.kind, doc["id"])
        for doc in store.list(found["id"], "hybridConditions"):
            store.delete(found["id"], "hybridConditions", doc["id"])
        hybrid_seed.seed(store, services.clock, found)
        hybrid_principals.seed(store, found)
    return _shown(services, found)


# -- what stands in the way ----------------------------------------------------------------------------------------


def _put(services: Services, tenant: Document, noun: str, name: str, properties: Document) -> None:
    hybrid_seed.put(services.store, tenant, iso(services.clock.now()), noun, name, properties)


def _drop(services: Services, tenant: Document, noun: str, name: str) -> None:
    for doc in services.store.list(tenant["id"], KINDS[noun].kind):
        if doc["Name"] == name:
            services.store.delete(tenant["id"], KINDS[noun].kind, doc["id"])


def _batch(services: Services, tenant: Document, value: str) -> None:
    _drop(services, tenant, "MigrationBatch", BATCH)
    if value == "none":
        return
    done, failed = value.startswith("Completed"), value in ("CompletedWithErrors", "Failed")
    counts: Document = {"TotalCount": 12, "FailedCount": 2 if failed else 0}
    counts["FinalizedCount"] = 12 - counts["FailedCount"] if done else 0
    counts["ActiveCount"] = 12 - counts["FailedCount"] if value in ("Syncing", "Synced") else 0
    started = {"StartDateTime": iso(services.clock.now()), "BatchGuid": fixed_guid("batch", tenant["id"])}
    endpoint = {"SourceEndpoint": hybrid_seed.endpoint_name(tenant), "Status": value}
    delivery = {"TargetDeliveryDomain": f"{tenant['name']}.mail.onmicrosoft.com"}
    _put(services, tenant, "MigrationBatch", BATCH, {**counts, **started, **endpoint, **delivery})


def _move(services: Services, tenant: Document, value: str) -> None:
    name = "last.mover"
    _drop(services, tenant, "MoveRequest", name)
    if value != "none":
        about = {"Alias": name, "DisplayName": "Last Mover", "MailboxIdentity": name, "Status": value}
        where = {"BatchName": "MigrationService:Wave 11", "RemoteHostName": hybrid_seed.mail_host(tenant)}
        identity = {"ExchangeGuid": fixed_guid("mover", tenant["id"])}
        _put(services, tenant, "MoveRequest", name, {**about, **where, **identity})


def _oauth_key(services: Services, tenant: Document, value: str) -> None:
    store = services.store
    for principal in store.list(tenant["id"], "servicePrincipal"):
        if principal["appId"] != facts.EXCHANGE_ONLINE:
            continue
        own = hybrid_principals.auth_key(tenant)
        newer = {**own, "keyId": fixed_guid("second key", tenant["id"]), "startDateTime": "2026-01-01T00:00:00Z"}
        known = (own["keyId"], newer["keyId"])
        others = [one for one in principal["keyCredentials"] if one["keyId"] not in known]
        wanted: dict[str, list[Any]] = {"uploaded": [own], "renewed": [own, newer], "removed": []}
        keys = [*wanted[value], *others]
        store.put(tenant["id"], "servicePrincipal", principal["id"], {**principal, "keyCredentials": keys})


def _rule(services: Services, tenant: Document, value: str) -> None:
    _drop(services, tenant, "TransportRule", hybrid_seed.RULE)
    for noun, name, properties in hybrid_seed.hybrid_objects(tenant):
        if name == hybrid_seed.RULE and value != "none":
            _put(services, tenant, noun, name, {**properties, "State": value.capitalize()})


_DEEDS = {"batch": _batch, "move": _move, "oauth_key": _oauth_key, "rule": _rule}
