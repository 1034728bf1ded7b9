# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The plan of a transfer of authority: pure, so that what check mode announces is what a run does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority import eligibility
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

AUTHORITIES = ("cloud", "on_premises")


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


@dataclass(frozen=True)
class Plan:
    """Which mailboxes change, which are right already, and which are left out and why."""

    authority: str
    change: tuple[Mailbox, ...]
    unchanged: tuple[Mailbox, ...]
    ineligible: tuple[Left, ...]

    @property
    def total(self) -> int:
        """All objects looked at."""
        return len(self.change) + len(self.unchanged) + len(self.ineligible)

    @property
    def cloud(self) -> bool:
        """The flag's value once the plan is carried out."""
        return self.authority == "cloud"

    def counts(self) -> dict[str, Any]:
        """Numbers for a result."""
        reasons = Counter(left.reason for left in self.ineligible)
        return {
            "total": self.total,
            "changed": len(self.change),
            "unchanged": len(self.unchanged),
            "ineligible": len(self.ineligible),
            "ineligible_by_reason": dict(sorted(reasons.items())),
        }


def make_plan(authority: str, mailboxes: Iterable[Mailbox], without_mailbox: Sequence[Left] = ()) -> Plan:
    """What moving these mailboxes to an authority means."""
    if authority not in AUTHORITIES:
        raise InputError(f"authority must be one of {', '.join(AUTHORITIES)}, not {authority!r}.")
    change: list[Mailbox] = []
    unchanged: list[Mailbox] = []
    ineligible = list(without_mailbox)
    for mailbox in mailboxes:
        reason = eligibility.ineligible_reason(mailbox)
        if reason is not None:
            ineligible.append(Left(mailbox.user_principal_name, mailbox.id, reason))
        elif eligibility.authority_of(mailbox.cloud_managed) == authority:
            unchanged.append(mailbox)
        else:
            change.append(mailbox)
    return Plan(authority, tuple(change), tuple(unchanged), tuple(ineligible))


def require_quiet(plan: Plan, hours: float, now: datetime, changed: Mapping[str, datetime]) -> Plan:
    """Leave out mailboxes whose AD object changed within the last hours, or that have none to prove they are quiet."""
    quiet_since = now - timedelta(hours=hours)
    change: list[Mailbox] = []
    left = list(plan.ineligible)
    for mailbox in plan.change:
        moment = changed.get(mailbox.id)
        if moment is None:
            left.append(Left(mailbox.user_principal_name, mailbox.id, "no_directory_object"))
        elif moment > quiet_since:
            left.append(Left(mailbox.user_principal_name, mailbox.id, "changed_recently"))
        else:
            change.append(mailbox)
    return replace(plan, change=tuple(change), ineligible=tuple(left))


def refuse_ineligible(plan: Plan, limit: int) -> None:
    """Raise Refused where objects are left out, naming the first ones with their reasons."""
    if not plan.ineligible:
        return
    count = len(plan.ineligible)
    shown = listing((f"{left.name} {eligibility.REASONS[left.reason]}" for left in plan.ineligible), 3)
    raise Refused(
        f"{count} of {plan.total} selected objects cannot be moved: {shown}. Nothing was changed. "
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
    return ((mailbox.user_principal_name, before, after) for mailbox in plan.change)
