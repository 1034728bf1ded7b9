# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The plan of a transfer of authority: pure, so that what check mode announces is what a run does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority import eligibility
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox

AUTHORITIES = ("cloud", "on_premises")
# How many of the objects left out a message names.
_NAMED = 3


@dataclass(frozen=True)
class Left:
    """One object that is left out: its name, its id where it has one, and the key of the reason."""

    name: str
    id: str
    reason: str

    def as_result(self) -> dict[str, str]:
        """For a task's result."""
        return {
            "object": self.name,
            "id": self.id,
            "reason": self.reason,
            "message": f"{self.name} {eligibility.REASONS[self.reason]}.",
        }


@dataclass(frozen=True, slots=True)
class Target:
    """A mailbox that changes: no more of it than a run needs, as there may be hundreds of thousands."""

    id: str
    name: str


@dataclass(frozen=True)
class Plan:
    """Which mailboxes change, how many are right already, and which are left out and why.

    ``ineligible`` are the first of those left out, ``reasons`` counts them all.
    """

    authority: str
    change: tuple[Target, ...]
    unchanged: int
    ineligible: tuple[Left, ...]
    reasons: Mapping[str, int]

    @property
    def left_out(self) -> int:
        """How many objects are left out."""
        return sum(self.reasons.values())

    @property
    def total(self) -> int:
        """All objects looked at."""
        return len(self.change) + self.unchanged + self.left_out

    @property
    def cloud(self) -> bool:
        """The flag's value once the plan is carried out."""
        return self.authority == "cloud"

    def counts(self) -> dict[str, Any]:
        """Numbers for a result."""
        return {
            "total": self.total,
            "changed": len(self.change),
            "unchanged": self.unchanged,
            "ineligible": self.left_out,
            "ineligible_by_reason": dict(sorted(self.reasons.items())),
        }


class Planning:
    """A plan that grows mailbox by mailbox, so that none has to be kept whole. ``keep``: objects left out to name."""

    def __init__(self, authority: str, keep: int) -> None:
        if authority not in AUTHORITIES:
            raise InputError(f"authority must be one of {', '.join(AUTHORITIES)}, not {authority!r}.")
        self._authority = authority
        self._keep = max(keep, _NAMED)
        self._change: list[Target] = []
        self._unchanged = 0
        self._left: list[Left] = []
        self._reasons: Counter[str] = Counter()

    def add(self, mailbox: Mailbox) -> Target | Left | None:
        """What moving this mailbox means: a change, to leave it out, or nothing, as it is right already."""
        reason = eligibility.ineligible_reason(mailbox)
        if reason is not None:
            left = Left(mailbox.user_principal_name, mailbox.id, reason)
            self.leave_out(left)
            return left
        if eligibility.authority_of(mailbox.cloud_managed) == self._authority:
            self._unchanged += 1
            return None
        target = Target(mailbox.id, mailbox.user_principal_name)
        self._change.append(target)
        return target

    def leave_out(self, left: Left) -> None:
        """Count an object that is left out."""
        self._reasons[left.reason] += 1
        if len(self._left) < self._keep:
            self._left.append(left)

    def changes(self) -> Sequence[Target]:
        """The mailboxes to change so far."""
        return self._change

    def require_quiet(self, hours: float, now: datetime, changed: Mapping[str, datetime]) -> list[Left]:
        """Leave out mailboxes whose AD object changed within the last hours, or that have none to prove they are quiet;
        returns them."""
        quiet_since = now - timedelta(hours=hours)
        quiet: list[Target] = []
        restless: list[Left] = []
        for target in self._change:
            moment = changed.get(target.id)
            if moment is None:
                restless.append(Left(target.name, target.id, "no_directory_object"))
            elif moment > quiet_since:
                restless.append(Left(target.name, target.id, "changed_recently"))
            else:
                quiet.append(target)
        for left in restless:
            self.leave_out(left)
        self._change = quiet
        return restless

    def plan(self) -> Plan:
        """The plan."""
        return Plan(self._authority, tuple(self._change), self._unchanged, tuple(self._left), dict(self._reasons))


def refuse_ineligible(plan: Plan, limit: int) -> None:
    """Raise Refused where objects are left out, naming the first ones with their reasons."""
    if not plan.left_out:
        return
    shown = ", ".join(f"{left.name} {eligibility.REASONS[left.reason]}" for left in plan.ineligible[:_NAMED])
    more = f" and {plan.left_out - _NAMED} more" if plan.left_out > _NAMED else ""
    raise Refused(
        f"{plan.left_out} of {plan.total} selected objects cannot be moved: {shown}{more}. Nothing was changed. "
        "Leave them out by exclude, or say on_ineligible: skip.",
        counts=plan.counts() | {"changed": 0, "planned": len(plan.change)},
        ineligible=[left.as_result() for left in plan.ineligible[:limit]],
    )


def refuse_beyond_capacity(planned: int, cloud_managed: int, mailbox_limit: int) -> None:
    """Raise Refused where a tenant would hold more cloud-managed mailboxes than Microsoft supports."""
    if cloud_managed + planned > mailbox_limit:
        raise Refused(
            f"The tenant has {cloud_managed} cloud-managed mailboxes; {planned} more would exceed the {mailbox_limit} "
            "that Microsoft supports (mailbox_limit). Nothing was changed.",
            planned=planned,
            cloud_managed=cloud_managed,
            mailbox_limit=mailbox_limit,
        )


def diff_of(plan: Plan) -> Iterable[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, before and after of each mailbox that changes."""
    before = {"authority": eligibility.authority_of(not plan.cloud)}
    after = {"authority": plan.authority}
    return ((target.name, before, after) for target in plan.change)
