# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migration: endpoints, batches and move requests; what runs must be stopped, and an endpoint in use stays.

Stopping and removing a batch take the lab seconds of the switches ``batch_stop_s`` and ``batch_removal_s``: until then
it is Stopping or Removing, and its endpoint is in use.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.identity import SERVER, public
from tests.lab.cloud.exchange.kinds import KINDS, is_named
from tests.lab.cloud.exchange.named import change as change_named
from tests.lab.cloud.exchange.named import found_one, limited, new, one, properties, remove, rows
from tests.lab.cloud.exchange.organization import changed_now, unchanged_warning
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.store import Document

ENDPOINT, BATCH, MOVE = KINDS["MigrationEndpoint"], KINDS["MigrationBatch"], KINDS["MoveRequest"]
# States in which a batch works, or may begin to: it can be stopped, and must be before it is removed.
WORKING = ("Completing", "Created", "IncrementalSyncing", "Starting", "Synced", "SyncedWithErrors", "Syncing",
           "Waiting")  # fmt: skip
_TYPES = ("ExchangeRemoteMove", "ExchangeOutlookAnywhere", "IMAP", "Gmail", "PublicFolder", "Compliance",
          "PublicFolderToUnifiedGroup")  # fmt: skip
_LIMITS = ("MaxConcurrentMigrations", "MaxConcurrentIncrementalSyncs")
# Parameters that choose what New-MigrationEndpoint does, and are no properties of the endpoint.
_CHOICES = (*_TYPES, "Autodiscover", "SkipVerification", "Partition", "EmailAddress", "TestMailbox")


def settle(call: Call) -> None:
    """Let end what has been stopping or removing for long enough."""
    now = call.services.clock.timestamp()
    with call.services.store.transaction():
        for doc in call.services.store.list(call.tenant_id, BATCH.kind):
            if doc.get("_due") is None or doc["_due"] > now:
                continue
            if doc["Status"] == "Removing":
                call.services.remove(call.tenant_id, BATCH.kind, doc["id"], doc)
            else:
                stopped = {**doc, "Status": "Stopped", "StoppedCount": doc.get("ActiveCount", 0), "ActiveCount": 0}
                call.services.store.put(call.tenant_id, BATCH.kind, doc["id"], {**stopped, "_due": None})


# -- endpoints -----------------------------------------------------------------------------------------------------


def get_endpoint(call: Call) -> Result:
    """Get-MigrationEndpoint: all, one, or those of a -Type."""
    wanted = str(call.bound.get("Type") or "").lower()
    found = [doc for doc in rows(call, ENDPOINT) if not wanted or str(doc["EndpointType"]).lower() == wanted]
    return Result([public(doc) for doc in found])


def new_endpoint(call: Call) -> Result:
    """New-MigrationEndpoint: tries the connection first, unless told not to."""
    kind = next(name for name in _TYPES if call.bound.get(name))
    host = call.bound.get("RemoteServer") or call.bound.get("ExchangeServer")
    if call.services.scenario["endpoint_verification"] == "fails" and not call.bound.get("SkipVerification"):
        raise errors.migration_connection(str(host or call.bound.get("EmailAddress")))
    given = {name: value for name, value in properties(call).items() if name not in _CHOICES}
    given |= {"EndpointType": kind, "UseAutoDiscover": bool(call.bound.get("Autodiscover"))}
    given |= {name: str(given[name]) for name in _LIMITS if name in given}
    with call.services.store.transaction():
        return new(call, ENDPOINT, given)


def set_endpoint(call: Call) -> Result:
    """Set-MigrationEndpoint."""
    call.bound.pop("SkipVerification", None)
    call.bound.update({name: str(call.bound[name]) for name in _LIMITS if name in call.bound})
    with call.services.store.transaction():
        return change_named(call, ENDPOINT, one(call, ENDPOINT))


def remove_endpoint(call: Call) -> Result:
    """Remove-MigrationEndpoint, unless a batch uses it."""
    settle(call)
    with call.services.store.transaction():
        doc = one(call, ENDPOINT)
        users = [
            batch["Identity"] for batch in call.services.store.list(call.tenant_id, BATCH.kind) if _uses(batch, doc)
        ]
        if users:
            raise errors.endpoint_in_use(str(doc["Identity"]), users)
        return remove(call, ENDPOINT, doc)


def _uses(batch: Document, endpoint: Document) -> bool:
    return any(
        is_named(ENDPOINT, endpoint, str(batch.get(name) or "")) for name in ("SourceEndpoint", "TargetEndpoint")
    )


# -- batches -------------------------------------------------------------------------------------------------------


def get_batch(call: Call) -> Result:
    """Get-MigrationBatch: all, one, those of an -Endpoint, those of a -Status."""
    settle(call)
    found = rows(call, BATCH)
    if call.bound.get("Endpoint"):
        endpoint = found_one(call, ENDPOINT, call.bound["Endpoint"])
        found = [doc for doc in found if _uses(doc, endpoint)]
    if call.bound.get("Status"):
        found = [doc for doc in found if doc["Status"] == call.bound["Status"]]
    return limited(call, [public(doc) for doc in found])


def stop_batch(call: Call) -> Result:
    """Stop-MigrationBatch: the one that is named, or the only one that works."""
    settle(call)
    with call.services.store.transaction():
        doc = _batch(call)
        if doc["Status"] in ("Stopping", "Stopped"):
            return Result(warnings=[unchanged_warning(str(doc["Identity"]))])
        if doc["Status"] not in WORKING:
            raise errors.batch_state(str(doc["Identity"]), str(doc["Status"]), "stopped")
        if not call.what_if:
            _later(call, doc, "Stopping", float(call.services.scenario["batch_stop_s"]))
    settle(call)
    return Result()


def remove_batch(call: Call) -> Result:
    """Remove-MigrationBatch; one that works is refused unless the switch ``working_batch_removal`` says otherwise."""
    settle(call)
    with call.services.store.transaction():
        doc = _batch(call)
        working = doc["Status"] in (*WORKING, "Stopping")
        if working and call.services.scenario["working_batch_removal"] == "refused":
            raise errors.batch_state(str(doc["Identity"]), str(doc["Status"]), "removed")
        if not call.what_if and doc["Status"] != "Removing":
            _later(call, doc, "Removing", float(call.services.scenario["batch_removal_s"]))
    settle(call)
    return Result()


def _batch(call: Call) -> Document:
    if call.bound.get("Identity"):
        return one(call, BATCH)
    found = [doc for doc in call.services.store.list(call.tenant_id, BATCH.kind) if doc["Status"] in WORKING]
    if len(found) != 1:
        raise errors.not_found("", SERVER) if not found else errors.ambiguous("")
    return found[0]


def _later(call: Call, doc: Document, status: str, seconds: float) -> None:
    due = call.services.clock.timestamp() + seconds
    after = {**doc, "Status": status, "_due": due, **changed_now(call)}
    call.services.write(call.tenant_id, BATCH.kind, doc["id"], doc, after)


# -- move requests -------------------------------------------------------------------------------------------------

_MOVE_FILTERS = ("BatchName", "RemoteHostName", "Status", "Suspend", "SuspendWhenReadyToComplete")


def get_move(call: Call) -> Result:
    """Get-MoveRequest: all, one, or those that fit all filters."""
    wanted = {name: call.bound[name] for name in _MOVE_FILTERS if name in call.bound}

    def fits(doc: Document) -> bool:
        return all(str(doc.get(name, "")).lower() == str(value).lower() for name, value in wanted.items())

    return limited(call, [public(doc) for doc in rows(call, MOVE) if fits(doc)])


def remove_move(call: Call) -> Result:
    """Remove-MoveRequest."""
    with call.services.store.transaction():
        return remove(call, MOVE, one(call, MOVE))


CMDLETS: dict[str, tuple[Callable[[Call], Result], tuple[str, ...] | None]] = {
    "Get-MigrationEndpoint": (get_endpoint, ("Identity", "Type")),
    "New-MigrationEndpoint": (new_endpoint, None),
    "Set-MigrationEndpoint": (set_endpoint, None),
    "Remove-MigrationEndpoint": (remove_endpoint, None),
    "Get-MigrationBatch": (get_batch, ("Identity", "ResultSize", "Status", "Endpoint")),
    "Stop-MigrationBatch": (stop_batch, None),
    "Remove-MigrationBatch": (remove_batch, None),
    "Get-MoveRequest": (get_move, ("Identity", "ResultSize", *_MOVE_FILTERS)),
    "Remove-MoveRequest": (remove_move, None),
}
