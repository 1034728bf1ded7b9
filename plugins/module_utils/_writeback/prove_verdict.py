# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is said of the mailboxes of a round trip: each by itself, and all of them together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.state import PENDING_AT_MOST
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import compare, plan, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.kept import Application
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_join import Pair, Same
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, elsewhere

EQUAL = compare.EQUAL
DIFFERS = compare.DIFFERS
MISSING = "missing"
UNREADABLE = compare.UNREADABLE
STATUSES = (EQUAL, DIFFERS, MISSING, planning.AMBIGUOUS, UNREADABLE, planning.ELSEWHERE, planning.CLOUD_ONLY)
_DIFFERENT = (DIFFERS, compare.NOT_WRITTEN_BACK)
_LINES = 1000  # that are encoded together

_text = json.JSONEncoder(ensure_ascii=False).encode


@dataclass
class Verdict:
    """One mailbox: how it compares, and where it does not.

    ``compared`` says whether its attributes could be compared. Those that ``comparisons`` leaves out are equal.
    """

    source: Source
    status: str
    reason: str = ""
    dn: str = ""
    comparisons: list[compare.Comparison] = field(default_factory=list)
    compared: bool = False

    def line(self) -> dict[str, Any]:
        """For the artifact; attributes that are equal on both sides are left out."""
        found: dict[str, Any] = {
            "object": self.source.name,
            "id": self.source.id,
            "status": self.status,
            "cloud_managed": self.source.cloud_managed,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.dn:
            found["distinguished_name"] = self.dn
        unequal = [item for item in self.comparisons if item.status != EQUAL or item.directory_only]
        if unequal:
            found["attributes"] = {item.attribute.ldap_name: item.as_result() for item in unequal}
        at_risk = {item.attribute.ldap_name: sorted(item.at_risk) for item in self.comparisons if item.at_risk}
        if at_risk:
            found["directory_only_values"] = at_risk
        return found

    @property
    def unproven(self) -> bool:
        """Whether it stands against a proof."""
        return self.status not in {EQUAL, planning.CLOUD_ONLY}

    def differing(self) -> dict[str, Any]:
        """For the result: the names of the attributes that differ."""
        found: dict[str, Any] = {"object": self.source.name, "id": self.source.id, "status": self.status}
        if self.reason:
            found["reason"] = self.reason
        names = [item.attribute.ldap_name for item in self.comparisons if item.status == DIFFERS]
        return {**found, "attributes": names}


@dataclass(frozen=True)
class Judge:
    """How to judge: ``unproven`` names the attributes that nobody writes back, which do not count."""

    desired: Desired
    unproven: frozenset[str]
    merge: bool
    base_dn: str
    domain: str

    def verdict(self, pair: Pair) -> Verdict:
        """What is said of one mailbox."""
        source = pair.source
        if not source.dir_synced:
            return Verdict(source, planning.CLOUD_ONLY, "the mailbox is not synchronized from Active Directory")
        if source.anchor is None:
            return Verdict(source, MISSING, "Entra knows no source anchor (onPremisesImmutableId) of its user")
        if not pair.entries:
            return self._without_object(source)
        first = pair.entries[0]
        if len(pair.entries) > 1:
            reason = f"{first.dn} and {pair.entries[1].dn} both have its source anchor"
            return Verdict(source, planning.AMBIGUOUS, reason, first.dn)
        if pair.twins:
            reason = f"{' and '.join(pair.twins)} have the same source anchor"
            return Verdict(source, planning.AMBIGUOUS, reason, first.dn)
        return self._compared(source, first)

    def _without_object(self, source: Source) -> Verdict:
        if elsewhere(source, self.base_dn, self.domain):
            where = source.distinguished_name or source.domain
            return Verdict(source, planning.ELSEWHERE, f"{where} is not below {self.base_dn}")
        return Verdict(source, MISSING, f"no object below {self.base_dn} has its source anchor")

    def _compared(self, source: Source, entry: Entry) -> Verdict:
        try:
            held = plan.current_values(self.desired.attributes, entry.values)
        except HybridError as error:
            return Verdict(source, UNREADABLE, error.message, entry.dn)
        cloud = self.desired.targets(held, source.values)
        found = compare.compare_all(self.desired.attributes, self.unproven, cloud, held, merge=self.merge)
        statuses = {item.status for item in found if item.attribute.ldap_name not in self.unproven}
        if UNREADABLE in statuses:
            return Verdict(source, UNREADABLE, source.problem, entry.dn, found, compared=True)
        status = DIFFERS if DIFFERS in statuses else EQUAL
        return Verdict(source, status, dn=entry.dn, comparisons=found, compared=True)


class Tally:
    """All verdicts in numbers, and the first of those that stand against a proof.

    ``open`` counts those that another run may settle, ``pending`` says how they are, as far as a state keeps that.
    """

    def __init__(self, attributes: Sequence[Attribute], limit: int, applications: Sequence[Application] = ()) -> None:
        self.statuses: Counter[str] = Counter()
        self.not_cloud_managed = 0
        self.at_risk = 0
        self.differing: list[dict[str, Any]] = []
        self.open = 0
        self.pending: dict[str, str] = {}
        self._limit = limit
        self._compared = 0
        self._applications = [(item.name, frozenset(item.attributes)) for item in applications]
        self._of_applications = Counter[str]()
        self._attributes = {item.ldap_name: Counter[str]() for item in attributes}

    def add(self, verdict: Verdict) -> None:
        """Count one mailbox that was judged."""
        self.statuses[verdict.status] += 1
        self.not_cloud_managed += verdict.source.dir_synced and not verdict.source.cloud_managed
        self._compared += verdict.compared
        at_risk = False
        if self._applications and verdict.comparisons:
            self._add_to_applications(verdict)
        for item in verdict.comparisons:
            counts = self._attributes[item.attribute.ldap_name]
            if item.status != EQUAL:
                counts[item.status] += 1
                counts["unequal"] += 1
            if item.at_risk:
                at_risk = True
                counts["at_risk"] += 1
        self.at_risk += at_risk
        if verdict.unproven:
            if len(self.differing) < self._limit:
                self.differing.append(verdict.differing())
            if verdict.status != planning.ELSEWHERE:
                self.open += 1
                if len(self.pending) <= PENDING_AT_MOST:  # one more says that they are too many
                    self.pending[verdict.source.id] = verdict.status

    def _add_to_applications(self, verdict: Verdict) -> None:
        names = {item.attribute.ldap_name for item in verdict.comparisons if item.status in _DIFFERENT}
        self._of_applications.update(name for name, read in self._applications if read & names)

    def of_application(self, name: str) -> int:
        """In how many mailboxes anything differs that an application reads."""
        return self._of_applications[name]

    def differences(self) -> dict[str, int]:
        """Per compared attribute, in how many mailboxes the two sides differ."""
        return {name: sum(counts[status] for status in _DIFFERENT) for name, counts in self._attributes.items()}

    def add_equal(self, count: int, not_cloud_managed: int) -> None:
        """Count mailboxes that are equal in all attributes."""
        self.statuses[EQUAL] += count
        self.not_cloud_managed += not_cloud_managed
        self._compared += count

    @property
    def total(self) -> int:
        """How many mailboxes."""
        return self.statuses.total()

    @property
    def expected(self) -> int:
        """How many of them AD should have."""
        return self.total - self.statuses[planning.CLOUD_ONLY]

    def by_attribute(self) -> dict[str, dict[str, int]]:
        """Per attribute, how many mailboxes have which status, and how many have values that only AD has."""
        found = {}
        for name, counts in self._attributes.items():
            equal = self._compared - counts["unequal"]
            told = {EQUAL: equal, **{status: number for status, number in counts.items() if status != "unequal"}}
            found[name] = {status: number for status, number in told.items() if number}
        return found


def write_equal(rows: Iterable[Same], writer: ArtifactWriter, tally: Tally) -> None:
    """Write the lines of equal mailboxes, and count them. Hundreds of thousands of them are the usual case."""
    for count, not_managed, data in _encoded(rows):
        writer.write_lines(data, count)
        tally.add_equal(count, not_managed)


def _encoded(rows: Iterable[Same]) -> Iterator[tuple[int, int, bytes]]:
    managed = {flag: f',"status":"{EQUAL}","cloud_managed":{"true" if flag else "false"}}}\n' for flag in (True, False)}
    for batch in join.batches(rows, _LINES):
        lines = [f'{{"object":{_text(name)},"id":{_text(key)}{managed[flag]}' for key, name, flag in batch]
        yield len(batch), sum(not row.cloud_managed for row in batch), "".join(lines).encode()
