# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The plan of a run: for every selected mailbox what happens to its directory object, or why nothing does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import (
    filter_escape,
    to_base64,
    to_guid,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import plan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, elsewhere

CHANGE = "change"
UNCHANGED = "unchanged"
CLOUD_ONLY = "cloud_only"
NOT_CLOUD_MANAGED = "not_cloud_managed"
ELSEWHERE = "elsewhere"
NOT_FOUND = "not_found"
AMBIGUOUS = "ambiguous_anchor"
OUT_OF_RANGE = "out_of_range"
REFUSED = "refused"
FAILURES = frozenset({NOT_FOUND, AMBIGUOUS, OUT_OF_RANGE, REFUSED})
"""Outcomes that fail the run, after everything else is done."""

PLANNED_OUTCOMES = (UNCHANGED, CLOUD_ONLY, NOT_CLOUD_MANAGED, ELSEWHERE, NOT_FOUND, AMBIGUOUS, OUT_OF_RANGE, REFUSED)


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """One mailbox and what happens to its directory object. ``guid`` is the object's objectGUID."""

    source: Source
    outcome: str
    reason: str = ""
    dn: str = ""
    guid: bytes = b""
    changes: tuple[plan.AttributeChange, ...] = ()
    kept: Values = ()

    def line(self) -> dict[str, Any]:
        """For artifacts."""
        found: dict[str, Any] = {"object": self.source.name, "id": self.source.id, "outcome": self.outcome}
        if self.reason:
            found["reason"] = self.reason
        if self.dn:
            found |= {"distinguished_name": self.dn, "object_guid": to_guid(self.guid)}
        if self.source.anchor:
            found["source_anchor"] = to_base64(self.source.anchor)
        if self.changes:
            found["before"] = plan.as_text(self.changes, "before")
            found["after"] = plan.as_text(self.changes, "after")
        if self.kept:
            found["directory_only_addresses"] = sorted(self.kept)
        return found


def plan_objects(
    sources: Sequence[Source],
    directory: Directory,
    attributes: Sequence[Attribute],
    *,
    merge: bool,
    anchor_names: Sequence[str],
    progress: Progress,
) -> list[ObjectPlan]:
    """The plans of all sources, in their order."""
    settled = {source.id: found for source in sources if (found := _settle(source))}
    by_anchor: dict[bytes, Source] = {}
    for source in sources:
        if source.id in settled or source.anchor is None:
            continue
        twin = by_anchor.setdefault(source.anchor, source)
        if twin is not source:
            reason = f"{twin.name} and {source.name} have the same source anchor in Entra"
            settled[twin.id] = ObjectPlan(twin, AMBIGUOUS, reason)
            settled[source.id] = ObjectPlan(source, AMBIGUOUS, reason)
    progress.start("read directory", len(by_anchor))
    names = [attribute.ldap_name for attribute in attributes]
    planned: dict[str, ObjectPlan] = {}
    for anchor, entry in join.find(directory, by_anchor.keys(), names, anchor_names):
        source = by_anchor[anchor]
        if source.id in planned:
            planned[source.id] = _ambiguous(planned[source.id], entry)
        else:
            planned[source.id] = plan_object(source, entry, attributes, merge=merge)
            progress.advance()
    base_dn, domain = directory.base_dn, directory.domain
    return [settled.get(source.id) or planned.get(source.id) or _missing(source, base_dn, domain) for source in sources]


def plan_object(source: Source, entry: Entry, attributes: Sequence[Attribute], *, merge: bool) -> ObjectPlan:
    """What happens to one object; pure."""
    base = ObjectPlan(source, UNCHANGED, dn=entry.dn, guid=entry.values[join.OBJECT_GUID][0])
    try:
        current = plan.current_values(attributes, entry.values)
    except HybridError as error:
        return replace(base, outcome=REFUSED, reason=error.message)
    changes: list[plan.AttributeChange] = []
    kept: Values = ()
    for attribute, held, desired in zip(attributes, current, source.values, strict=True):
        if desired is None:
            return replace(base, outcome=REFUSED, reason=source.problem)
        change = plan.change_attribute(attribute, held, desired, merge=merge)
        kept += change.kept
        if not change:
            continue
        if reason := plan.problem(attribute, desired):
            return replace(base, outcome=REFUSED, reason=reason)
        if reason := values.check_range(attribute, change.add):
            return replace(base, outcome=OUT_OF_RANGE, reason=reason)
        changes.append(change)
    try:
        plan.steps(changes)
    except HybridError as error:
        return replace(base, outcome=REFUSED, reason=error.message)
    return replace(base, outcome=CHANGE if changes else UNCHANGED, changes=tuple(changes), kept=kept)


def refuse_taken_addresses(plans: Sequence[ObjectPlan], directory: Directory) -> list[ObjectPlan]:
    """Refuse the plans that would give an object an address which another object of this domain keeps.

    AD does not keep addresses unique, Exchange Online does: the second holder is a leftover that mail would go to. An
    address that its holder gives up in the same run is free, unless that holder's plan is refused in turn.
    """
    found = list(plans)
    holders = _holders(directory, {value for item in found for value in _gained(item)})
    while True:
        released = {(item.guid, value) for item in found for value in _lost(item)}
        gained = Counter(value for item in found for value in _gained(item))
        refused = 0
        for number, item in enumerate(found):
            reason = _taken(item, holders, released, gained)
            if reason:
                found[number] = replace(item, outcome=REFUSED, reason=reason, changes=())
                refused += 1
        if not refused:
            return found


def _taken(
    item: ObjectPlan,
    holders: Mapping[str, Sequence[tuple[bytes, str]]],
    released: Collection[tuple[bytes, str]],
    gained: Mapping[str, int],
) -> str | None:
    """Why an address that a plan adds belongs to another object, or None."""
    for value in _gained(item):
        for guid, dn in holders.get(value, ()):
            if guid != item.guid and (guid, value) not in released:
                return f"{value} belongs to {dn} already; take it away there first"
        if gained[value] > 1:
            return f"{value} belongs to {gained[value]} of the selected mailboxes"
    return None


def _holders(directory: Directory, wanted: Collection[str]) -> dict[str, list[tuple[bytes, str]]]:
    """Who in the directory holds which of these addresses (in small letters), as objectGUID and name."""
    holders: dict[str, list[tuple[bytes, str]]] = {}
    for batch in join.batches(sorted(wanted), join.BATCH):
        terms = "".join(f"(proxyAddresses={filter_escape(value.encode())})" for value in batch)
        for entry in directory.search(directory.base_dn, f"(|{terms})", (join.OBJECT_GUID, "proxyAddresses")):
            holder = (entry.values[join.OBJECT_GUID][0], entry.dn)
            for raw in entry.values.get("proxyAddresses", ()):
                holders.setdefault(raw.decode("utf-8", "replace").casefold(), []).append(holder)
    return holders


def _gained(item: ObjectPlan) -> list[str]:
    """The addresses that an object gets and did not have in any rank."""
    return [
        value.casefold()
        for change in _address_changes(item)
        for value in change.add
        if value.casefold() not in {held.casefold() for held in change.before}
    ]


def _lost(item: ObjectPlan) -> list[str]:
    """The addresses that an object had and does not keep in any rank."""
    return [
        value.casefold()
        for change in _address_changes(item)
        for value in change.remove
        if value.casefold() not in {kept.casefold() for kept in change.after}
    ]


def _address_changes(item: ObjectPlan) -> Iterator[plan.AttributeChange]:
    return (change for change in item.changes if change.attribute.cast == "addresses")


def _settle(source: Source) -> ObjectPlan | None:
    """The plan of a source that the directory need not be asked for."""
    if not source.dir_synced:
        return ObjectPlan(source, CLOUD_ONLY, "the mailbox is not synchronized from Active Directory")
    if not source.cloud_managed:
        reason = "Active Directory is the source of authority for this mailbox, so its values are the right ones"
        return ObjectPlan(source, NOT_CLOUD_MANAGED, reason)
    if source.anchor is None:
        return ObjectPlan(source, NOT_FOUND, "Entra knows no source anchor (onPremisesImmutableId) of its user")
    return None


def _ambiguous(first: ObjectPlan, second: Entry) -> ObjectPlan:
    reason = f"{first.dn} and {second.dn} both have its source anchor"
    return ObjectPlan(first.source, AMBIGUOUS, reason, dn=first.dn, guid=first.guid)


def _missing(source: Source, base_dn: str, domain: str) -> ObjectPlan:
    where = source.distinguished_name or "(no distinguished name known in Entra)"
    if elsewhere(source, base_dn, domain):
        return ObjectPlan(source, ELSEWHERE, f"{where} is not below {base_dn}")
    return ObjectPlan(source, NOT_FOUND, f"no object below {base_dn} has its source anchor; Entra knows it as {where}")


def outcomes(plans: Iterable[ObjectPlan]) -> Mapping[str, int]:
    """How many plans have which outcome; outcomes that do not occur count 0."""
    counts = dict.fromkeys(PLANNED_OUTCOMES, 0)
    for item in plans:
        if item.outcome in counts:
            counts[item.outcome] += 1
    return counts
