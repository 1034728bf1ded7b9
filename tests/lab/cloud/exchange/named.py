# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-, New-, Set- and Remove- of the organization's named objects."""

from __future__ import annotations

from typing import Any

from tests.lab.cloud import reference
from tests.lab.cloud.exchange import errors, paging, rules
from tests.lab.cloud.exchange.binder import Edit
from tests.lab.cloud.exchange.identity import SERVER, public
from tests.lab.cloud.exchange.kinds import KINDS, LONGEST_NAME, Kind, is_named, made, now_of
from tests.lab.cloud.exchange.organization import changed_now, unchanged_warning
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.store import Document

# Nouns and what the lab does with them in the cloud beside Get-.
_VERBS: dict[str, tuple[str, ...]] = {
    "AcceptedDomain": (),
    "InboundConnector": ("New", "Set", "Remove"),
    "IntraOrganizationConnector": ("New", "Set", "Remove"),
    "MailboxPlan": (),
    "OnPremisesOrganization": ("New", "Set", "Remove"),
    "OrganizationRelationship": ("New", "Set", "Remove"),
    "OutboundConnector": ("New", "Set", "Remove"),
    "RemoteDomain": ("New", "Set", "Remove"),
}
CMDLETS = tuple(f"{verb}-{noun}" for noun, verbs in _VERBS.items() for verb in ("Get", *verbs))
# Parameters of these Get- cmdlets that the lab honours.
GET_PARAMETERS = ("Identity", "ResultSize", "IncludeTestModeConnectors", "IsTransportRuleScoped")
NOT_PROPERTIES = ("Identity", "Confirm", "WhatIf", "Force")


def named(call: Call) -> Result:
    """One cmdlet over a kind of named objects."""
    verb, _hyphen, noun = call.cmdlet.partition("-")
    kind = KINDS[noun]
    if verb == "Get":
        return get(call, kind)
    with call.services.store.transaction():
        if verb == "New":
            return new(call, kind, properties(call))
        doc = one(call, kind)
        return remove(call, kind, doc) if verb == "Remove" else change(call, kind, doc)


def rows(call: Call, kind: Kind) -> list[Document]:
    """The kind's documents as readers see them, those of ``-Identity`` only; refuses a name that there is not.

    An identity of null gives all of them, which Microsoft's pages warn of.
    """
    docs = call.services.stale.seen_of_all(
        call.tenant_id, kind.kind, call.services.store.list(call.tenant_id, kind.kind)
    )
    identity = call.bound.get("Identity")
    if not identity:
        return docs
    found = [doc for doc in docs if is_named(kind, doc, identity)]
    if not found:
        raise errors.not_found(identity, SERVER)
    return found


def get(call: Call, kind: Kind) -> Result:
    """Get- of a kind."""
    docs = rows(call, kind)
    if kind.noun == "OutboundConnector":
        scoped = call.bound.get("IsTransportRuleScoped")
        docs = [
            doc
            for doc in docs
            if (scoped is None or doc.get("IsTransportRuleScoped") is scoped)
            and (call.bound.get("IncludeTestModeConnectors") or not doc.get("TestMode"))
        ]
    return limited(call, [public(doc) for doc in docs])


def limited(call: Call, found: list[Document]) -> Result:
    """As many rows as ``-ResultSize`` lets through, and what the service says of the rest."""
    limit = paging.result_limit(call.services, call.bound)
    if len(found) <= limit:
        return Result(found)
    told = paging.MORE_RESULTS_WARNING if "ResultSize" in call.bound else paging.DEFAULT_SIZE_WARNING
    return Result(found[:limit], warnings=[told])


def one(call: Call, kind: Kind) -> Document:
    """The object that ``-Identity`` means, as it is."""
    return found_one(call, kind, call.bound.get("Identity") or "")


def found_one(call: Call, kind: Kind, identity: str) -> Document:
    """The object of a name, as it is; refuses none and many."""
    docs = call.services.store.list(call.tenant_id, kind.kind)
    found = [doc for doc in docs if is_named(kind, doc, identity)]
    if not found:
        raise errors.not_found(identity, SERVER)
    if len(found) > 1:
        raise errors.ambiguous(identity)
    return found[0]


def properties(call: Call, before: Document | None = None) -> Document:
    """What the bound parameters make of an object's properties; changes of lists are carried out."""
    given: Document = {}
    for name, value in call.bound.items():
        if name in NOT_PROPERTIES:
            continue
        given[name] = value.applied(list((before or {}).get(name) or [])) if isinstance(value, Edit) else value
    return given


def new(call: Call, kind: Kind, given: Document) -> Result:
    """A new object, unless the rules of its kind forbid it."""
    name = str(given.get("Name") or "")
    if len(name) > LONGEST_NAME:
        raise errors.data_validation(
            f"The length of the property is too long. The maximum length is {LONGEST_NAME} and the length of the value "
            f"provided is {len(name)}. Property Name: Name"
        )
    if any(is_named(kind, doc, name) for doc in call.services.store.list(call.tenant_id, kind.kind)):
        raise errors.already_exists(name, SERVER)
    doc = made(now_of(call.services), call.tenant, kind, name, given)
    doc = rules.checked(call, kind, doc)
    if call.what_if:
        return Result()
    call.services.add(call.tenant_id, kind.kind, doc["id"], doc)
    return Result([public(doc)])


def change(call: Call, kind: Kind, before: Document) -> Result:
    """Set-: what was given, unless the rules forbid it; a warning where nothing changes."""
    after = rules.checked(call, kind, {**before, **properties(call, before)}, before)
    if "Name" in call.bound:
        after["Identity"] = after["Name"]
    if after == before:
        return Result(warnings=[unchanged_warning(str(before["Identity"]))])
    if not call.what_if:
        call.services.write(call.tenant_id, kind.kind, before["id"], before, {**after, **changed_now(call)})
    return Result()


def remove(call: Call, kind: Kind, doc: Document) -> Result:
    """Remove-: gone at once, with what hangs on it."""
    rules.may_go(call, kind, doc)
    if not call.what_if:
        call.services.remove(call.tenant_id, kind.kind, doc["id"], doc)
        rules.gone(call, kind, doc)
    return Result()


def honoured(cmdlet: str) -> tuple[str, ...] | None:
    """Parameters of a cmdlet of this file that the lab honours; None: all of the cloud's."""
    if not cmdlet.startswith("Get-"):
        return None
    known: dict[str, Any] = dict(reference.cloud_parameters(cmdlet))
    return tuple(name for name in GET_PARAMETERS if name.lower() in known)
