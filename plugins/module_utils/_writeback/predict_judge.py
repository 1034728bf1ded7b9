# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a cycle will leave of one mailbox's object in AD, and of all of them in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluate import HIDDEN
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import NotFlowed
from ansible_collections.hybrid.exchange.plugins.module_utils._model import values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import compare, plan, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict_give_up import ANYTHING, GivenUp
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict_job import JobPlan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_join import Pair
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, elsewhere

CHANGED = "changed"
UNCHANGED = "unchanged"
NOT_IN_SCOPE = "not_in_scope"
UNREADABLE = compare.UNREADABLE
OUTCOMES = (
    CHANGED,
    UNCHANGED,
    planning.NOT_CLOUD_MANAGED,
    NOT_IN_SCOPE,
    planning.CLOUD_ONLY,
    planning.NOT_FOUND,
    planning.AMBIGUOUS,
    planning.ELSEWHERE,
    UNREADABLE,
)


@dataclass
class Forecast:
    """One mailbox: what becomes of its object, by attribute.

    ``changes`` hold the values before and after. ``lost`` are AD's values that the cycle takes away. ``undetermined``
    says why a value cannot be told; the attributes among them that hold one in AD are ``unsure``. ``problems`` says
    what the service will report as an error; AD keeps what it has there. ``given_up`` names attributes in lost or
    unsure that the user gave up.
    """

    source: Source
    outcome: str
    reason: str = ""
    dn: str = ""
    changes: dict[str, tuple[Values, Values]] = field(default_factory=dict)
    lost: dict[str, Values] = field(default_factory=dict)
    undetermined: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)

    def give_up(self, given: GivenUp) -> None:
        """Take out of the account what the user gave up."""
        risks = [*self.lost, *sorted(self.unsure)]
        self.given_up = {name for name in risks if given.covers(self.source, name)}

    @property
    def open_losses(self) -> dict[str, Values]:
        """What is lost and not given up."""
        return {name: found for name, found in self.lost.items() if name not in self.given_up}

    @property
    def open_unsure(self) -> dict[str, str]:
        """What may be lost and is not given up, and why nobody can tell."""
        open_ones = sorted(self.unsure - self.given_up)
        return {name or "(all)": self.undetermined.get(name, self.reason) for name in open_ones}

    def line(self, redacted: frozenset[str]) -> dict[str, Any]:
        """For the artifact."""
        found: dict[str, Any] = {
            "object": self.source.name,
            "id": self.source.id,
            "outcome": self.outcome,
            "cloud_managed": self.source.cloud_managed,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.dn:
            found["distinguished_name"] = self.dn
        if self.changes:
            found["attributes"] = {
                name: {"before": _shown(name, before, redacted), "after": _shown(name, after, redacted)}
                for name, (before, after) in self.changes.items()
            }
        if self.lost:
            found["lost"] = {name: _shown(name, held, redacted) for name, held in self.lost.items()}
        if self.given_up:
            found["given_up"] = sorted(name or "(all)" for name in self.given_up)
        return found | {
            name: part for name, part in (("undetermined", self.undetermined), ("problems", self.problems)) if part
        }


def _shown(name: str, held: Values, redacted: frozenset[str]) -> list[str]:
    return [HIDDEN] if name in redacted and held else sorted(held)


@dataclass(frozen=True)
class Judge:
    """How to predict. ``assumed`` takes every mailbox for cloud-managed."""

    job: JobPlan
    assumed: bool
    base_dn: str
    domain: str

    def forecast(self, pair: Pair) -> Forecast:
        """What becomes of one mailbox's object."""
        source = pair.source
        if not source.dir_synced:
            return Forecast(source, planning.CLOUD_ONLY, "the mailbox is not synchronized from Active Directory")
        if not source.cloud_managed and not self.assumed:
            return Forecast(source, planning.NOT_CLOUD_MANAGED, "the job leaves it alone until it is cloud-managed")
        if not self.job.covers(source):
            return Forecast(source, NOT_IN_SCOPE, "it is not in scope of the job")
        if source.anchor is None:
            reason = "Entra knows no source anchor (onPremisesImmutableId) of its user"
            return Forecast(source, planning.NOT_FOUND, reason)
        if not pair.entries:
            where = source.distinguished_name or source.domain
            if elsewhere(source, self.base_dn, self.domain):
                return Forecast(source, planning.ELSEWHERE, f"{where} is not below {self.base_dn}")
            return Forecast(source, planning.NOT_FOUND, f"no object below {self.base_dn} has its source anchor")
        first = pair.entries[0]
        if len(pair.entries) > 1 or pair.twins:
            names = [entry.dn for entry in pair.entries] if len(pair.entries) > 1 else pair.twins
            reason = f"{' and '.join(names)} have the same source anchor, so nobody can tell which the job will write"
            return Forecast(source, planning.AMBIGUOUS, reason, first.dn, unsure={ANYTHING})
        return self._of_object(source, first)

    def _of_object(self, source: Source, entry: Entry) -> Forecast:
        desired = self.job.desired
        try:
            current = plan.current_values(desired.attributes, entry.values)
        except HybridError as error:
            return Forecast(source, UNREADABLE, error.message, entry.dn, unsure={ANYTHING})
        found = Forecast(source, UNCHANGED, dn=entry.dn)
        targets = desired.targets(current, source.values)
        for item, held, wanted, target in zip(desired.attributes, current, source.values, targets, strict=True):
            if target is None:
                self._unknown(found, item, held)
            elif not isinstance(wanted, NotFlowed) and not plan.equivalent(item, held, target):
                _add_change(found, item, held, target)
        if found.changes:
            found.outcome = CHANGED
        return found

    def _unknown(self, found: Forecast, item: Attribute, held: Values) -> None:
        problem = found.source.problems[item.ldap_name]
        if not problem.undetermined:
            found.problems[item.ldap_name] = problem.reason
            return
        found.undetermined[item.ldap_name] = problem.reason
        if held:
            found.unsure.add(item.ldap_name)


def _add_change(found: Forecast, item: Attribute, held: Values, target: Values) -> None:
    name = item.ldap_name
    too_long = values.check_range(item, tuple(value for value in target if value not in held))
    if too_long:
        found.problems[name] = f"Active Directory refuses it: {too_long}"
        return
    found.changes[name] = (held, target)
    lost = compare.at_risk(item, target, held)
    if lost:
        found.lost[name] = lost


class Tally:
    """All forecasts in numbers, and the first of those that stand against a start."""

    def __init__(self, names: tuple[str, ...], redacted: frozenset[str], limit: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.mailboxes: Counter[str] = Counter()
        self.lost: list[dict[str, Any]] = []
        self.undetermined: list[dict[str, Any]] = []
        self.problems: list[dict[str, Any]] = []
        self._attributes = {name: Counter[str]() for name in names}
        self._redacted = redacted
        self._limit = limit

    def add(self, item: Forecast) -> None:
        """Count one mailbox."""
        self.outcomes[item.outcome] += 1
        losses, unsure = item.open_losses, item.open_unsure
        shown = {name: _shown(name, held, self._redacted) for name, held in losses.items()}
        self._count("loses", self.lost, item, shown)
        self._count("unsure", self.undetermined, item, unsure)
        self._count("problems", self.problems, item, item.problems)
        self.mailboxes["given_up"] += bool(item.given_up)
        self.mailboxes["undetermined"] += bool(item.undetermined or item.unsure)
        self.mailboxes["at_risk"] += bool(losses or unsure)
        for word, names in (
            ("changed", item.changes),
            ("loses", losses),
            ("given_up", item.given_up),
            ("undetermined", item.undetermined),
            ("problems", item.problems),
        ):
            for name in names:
                if name:
                    self._attributes[name][word] += 1

    def _count(self, word: str, first: list[dict[str, Any]], item: Forecast, found: Mapping[str, Any]) -> None:
        self.mailboxes[word] += bool(found)
        if found and len(first) < self._limit:
            first.append({"object": item.source.name, "id": item.source.id, "attributes": dict(found)})

    def add_equal(self, unchanged: int, not_cloud_managed: int) -> None:
        """Count mailboxes whose two sides are equal."""
        self.outcomes[UNCHANGED] += unchanged
        self.outcomes[planning.NOT_CLOUD_MANAGED] += not_cloud_managed

    @property
    def safe(self) -> bool:
        """Whether nothing is lost, or may be, that nobody gave up."""
        return not self.mailboxes["at_risk"]

    def counts(self) -> dict[str, int]:
        """Mailboxes by outcome, and across those by what is at stake."""
        stakes = ("loses", "given_up", "undetermined", "problems", "at_risk")
        return {
            "total": self.outcomes.total(),
            **{name: self.outcomes[name] for name in OUTCOMES},
            **{name: self.mailboxes[name] for name in stakes},
        }

    def by_attribute(self) -> dict[str, dict[str, int]]:
        """Per attribute, in how many mailboxes it changes, loses values, and so on."""
        return {name: dict(counts) for name, counts in self._attributes.items()}
