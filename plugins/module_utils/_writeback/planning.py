# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The plan of a run: for every selected mailbox what happens to its directory object, or why nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import to_base64, to_guid
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, Raw
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import plan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.collisions_values import (
    CASE_TWINS,
    MAIL_NOT_PRIMARY,
    NO_PRIMARY,
    OUT_OF_RANGE,
    REFUSED,
    TWO_PRIMARIES,
    Problem,
    mail_problem,
    out_of_range,
    problem,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, elsewhere

CHANGE = "change"
UNCHANGED = "unchanged"
CLOUD_ONLY = "cloud_only"
NOT_CLOUD_MANAGED = "not_cloud_managed"
ELSEWHERE = "elsewhere"
NOT_FOUND = "not_found"
AMBIGUOUS = "ambiguous_anchor"
ADDRESS_TAKEN = "address_taken"
MOVED = "moved"

FAILURES = (
    NOT_FOUND,
    AMBIGUOUS,
    OUT_OF_RANGE,
    ADDRESS_TAKEN,
    CASE_TWINS,
    TWO_PRIMARIES,
    NO_PRIMARY,
    MAIL_NOT_PRIMARY,
    MOVED,
    REFUSED,
)
"""Outcomes that fail the run, after everything else is done."""

PLANNED_OUTCOMES = (UNCHANGED, CLOUD_ONLY, NOT_CLOUD_MANAGED, ELSEWHERE, *FAILURES)


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """One mailbox and what happens to its directory object.

    ``guid`` is the object's objectGUID; ``raw`` are the bytes it holds of each attribute that changes.
    """

    source: Source
    outcome: str
    reason: str = ""
    dn: str = ""
    guid: bytes = b""
    changes: tuple[plan.AttributeChange, ...] = ()
    kept: Values = ()
    raw: tuple[Raw, ...] = ()

    def object_change(self) -> ObjectChange:
        """The modify request in bytes."""
        return ObjectChange(
            self.source.id,
            self.source.name,
            self.dn,
            self.guid,
            self.source.anchor,
            tuple(plan.value_change(change, held) for change, held in zip(self.changes, self.raw, strict=True)),
        )

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


class Pair(Protocol):
    """A mailbox and its directory objects, read whole: none was found, one, or wrongly more.

    ``twins`` are the names of all mailboxes with its source anchor, where there are several.
    """

    @property
    def source(self) -> Source: ...
    @property
    def entries(self) -> Sequence[Entry]: ...
    @property
    def twins(self) -> Sequence[str]: ...


def plan_pair(pair: Pair, desired: Desired, *, merge: bool, base_dn: str, domain: str) -> ObjectPlan:
    """What happens to the object of one mailbox, of which both sides are read; pure."""
    if settled := settle(pair.source):
        return settled
    if not pair.entries:
        return _missing(pair.source, base_dn, domain)
    first = plan_object(pair.source, pair.entries[0], desired, merge=merge)
    if len(pair.twins) > 1:
        reason = f"{' and '.join(pair.twins)} have the same source anchor in Entra"
        return ObjectPlan(pair.source, AMBIGUOUS, reason, dn=first.dn, guid=first.guid)
    return first if len(pair.entries) == 1 else _ambiguous(first, pair.entries[1])


def plan_object(source: Source, entry: Entry, desired: Desired, *, merge: bool) -> ObjectPlan:
    """What happens to one object; pure."""
    base = ObjectPlan(source, UNCHANGED, dn=entry.dn, guid=entry.values[join.OBJECT_GUID][0])
    try:
        current = plan.current_values(desired.attributes, entry.values)
    except HybridError as error:
        return replace(base, outcome=REFUSED, reason=error.message)
    changes: list[plan.AttributeChange] = []
    after: dict[str, Values] = {}
    kept: Values = ()
    targets = desired.targets(current, source.values)
    for attribute, held, target in zip(desired.attributes, current, targets, strict=True):
        if target is None:
            return replace(base, outcome=REFUSED, reason=source.problem)
        change = plan.change_attribute(attribute, held, target, merge=merge)
        after[attribute.ldap_name] = change.after
        kept += change.kept
        if not change:
            continue
        if found := problem(attribute, target) or out_of_range(attribute, change.add):
            return _refused(base, found)
        changes.append(change)
    if found := mail_problem(after, [change.attribute.ldap_name for change in changes]):
        return _refused(base, found)
    planned = replace(
        base,
        outcome=CHANGE if changes else UNCHANGED,
        changes=tuple(changes),
        kept=kept,
        raw=tuple(entry.values.get(change.attribute.ldap_name, ()) for change in changes),
    )
    try:
        planned.object_change()
    except HybridError as error:
        return replace(base, outcome=REFUSED, reason=error.message)
    return planned


def _refused(base: ObjectPlan, found: Problem) -> ObjectPlan:
    return replace(base, outcome=found.outcome, reason=found.reason)


def settle(source: Source) -> ObjectPlan | None:
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
