# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: move the source of authority of mailboxes to the cloud, or back.

Select, read, plan, guard, snapshot, apply, read back, report. The snapshot is written while the mailboxes are read, and
gets its name once the guards are passed: of each mailbox that changes, only id and name are kept in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority import carry_out, give_back, losses
from ansible_collections.hybrid.exchange.plugins.module_utils._authority import plan as plans
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import (
    Artifacts,
    ChangeTimes,
    Mailboxes,
    Progress,
    Recipients,
    Sleep,
    Writer,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import CORE_PROPERTIES, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run import report
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

SNAPSHOT_PROPERTIES: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *CORE_PROPERTIES,
            *(row.exchange_property for row in CATALOGUE.values() if row.exchange_property is not None),
            *losses.PROPERTIES,
        ]
    )
)
"""What the snapshot keeps of a mailbox: every property that the catalogue knows, whoever may edit it, and what a way
back compares."""


@dataclass(frozen=True)
class Transfer:
    """What was asked. ``comparison`` guards the way back to on-premises authority."""

    selection: Selection
    authority: str
    limits: Limits
    mailbox_limit: int
    max_failures: int = 100
    quiet_hours: float = 0
    on_ineligible: str = "fail"
    report_limit: int = 20
    comparison: give_back.Comparison | None = None

    def __post_init__(self) -> None:
        if self.max_failures < 0:
            raise InputError(f"max_failures must not be negative, it is {self.max_failures}.")


@dataclass(frozen=True)
class Ends:
    """The far ends of a transfer, and what it writes beside them. ``change_times`` is needed for quiet hours only."""

    mailboxes: Mailboxes
    recipients: Recipients
    artifacts: Artifacts
    progress: Progress
    sleep: Sleep
    change_times: ChangeTimes | None = None
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Result:
    """What came of it."""

    changed: bool
    result: dict[str, Any]
    diff: list[dict[str, Any]]


@dataclass
class _Reading:
    """What is kept while mailboxes are read: the plan as it grows, and what a way back compares."""

    planning: plans.Planning
    writer: Writer
    compares: bool
    now: dict[str, give_back.Now] = field(default_factory=dict)
    states: dict[losses.State, losses.State] = field(default_factory=dict)
    selection: Selection | None = None
    seconds: float = 0.0

    def take(self, mailbox: Mailbox) -> None:
        """Plan one mailbox, and write it into the snapshot."""
        step = self.planning.add(mailbox)
        if isinstance(step, plans.Left):
            self.leave_out(step, planned=True)
            return
        self.writer.write(
            {
                "action": "unchanged" if step is None else "change",
                "id": mailbox.id,
                "user_principal_name": mailbox.user_principal_name,
                "cloud_managed": mailbox.cloud_managed,
                "properties": mailbox.properties,
            }
        )
        if step is not None and self.compares:
            state = losses.state(mailbox.properties)
            # Most mailboxes hold the same here, that is nothing: it is kept once.
            self.now[step.id] = give_back.Now(step.name, self.states.setdefault(state, state))

    def leave_out(self, left: plans.Left, *, planned: bool = False) -> None:
        """Note an object that is left out."""
        if not planned:
            self.planning.leave_out(left)
        self.writer.write({"action": "ineligible", **left.as_result()})


def transfer(request: Transfer, ends: Ends, *, check_mode: bool) -> Result:
    """Move the mailboxes' authority; PartialFailure where some could not be moved, Refused by guards and limits."""
    with ends.artifacts(f"authority-{request.authority}") as writer:
        compares = request.comparison is not None and request.authority != "cloud"
        reading = _Reading(plans.Planning(request.authority, request.report_limit), writer, compares)
        plan = _plan(request, reading, ends)
        _guard(request, plan, ends)
        compared = _compare(request, reading, ends)
    snapshot = writer.artifact
    diff = report.limited_diff(plans.diff_of(plan), request.report_limit)
    result: dict[str, Any] = {
        "authority": plan.authority,
        **compared,
        "counts": plan.counts() | {"failed": 0, "applied_despite_error": 0} | compared.get("counts", {}),
        "ineligible": [left.as_result() for left in plan.ineligible[: request.report_limit]],
        "artifact": snapshot,
        "failures": [],
    }
    if check_mode or not plan.change:
        return Result(bool(plan.change), result, diff)
    return _carry_out(request, plan, reading, ends, Result(True, result, diff))


def _plan(request: Transfer, reading: _Reading, ends: Ends) -> plans.Plan:
    ends.progress.start("read")
    _read(request, reading, ends)
    changes = reading.planning.changes()
    if request.quiet_hours > 0 and request.authority == "cloud" and changes:
        if ends.change_times is None:
            raise InputError("quiet_hours needs Active Directory: give directory_hosts, or quiet_hours: 0.")
        now, changed = ends.change_times(changes)
        for left in reading.planning.require_quiet(request.quiet_hours, now, changed):
            reading.leave_out(left, planned=True)
    return reading.planning.plan()


def _read(request: Transfer, reading: _Reading, ends: Ends) -> None:
    """Take the selected mailboxes with all properties, and the identities and users that exist but have no mailbox.

    Only a few identities are looked at a second time, those that were not found; one that does not exist at all stays
    an error, because nobody can tell what was meant.
    """
    try:
        _collect(request.selection, reading, ends)
    except InputError as error:
        missing = [str(name) for name in error.facts.get("not_found", ())]
        if not missing or error.facts.get("ambiguous") or request.selection.kind != "identities":
            raise
        reasons = ends.recipients(missing)
        if any(name not in reasons for name in missing):
            raise
    else:
        members = ends.mailboxes.left_out
        found = ends.recipients.of_users([member.id for member in members]) if members else {}
        for member in members:
            reading.leave_out(plans.Left(member.name, member.id, found[member.id]))
        return
    for name in missing:
        reading.leave_out(plans.Left(name, "", reasons[name]))
    folded = {name.casefold() for name in missing}
    rest = tuple(name for name in request.selection.value if name.casefold() not in folded)
    if rest:
        _collect(Selection("identities", rest, request.selection.exclude, allow_empty=True), reading, ends)


def _collect(selection: Selection, reading: _Reading, ends: Ends) -> None:
    """Read and plan. Names without a mailbox are an error before the first mailbox comes, so none is taken twice."""
    began = ends.clock()
    for mailbox in ends.mailboxes.read(selection, SNAPSHOT_PROPERTIES):
        reading.take(mailbox)
        ends.progress.advance()
    reading.selection, reading.seconds = selection, ends.clock() - began


def _guard(request: Transfer, plan: plans.Plan, ends: Ends) -> None:
    if request.on_ineligible == "fail":
        plans.refuse_ineligible(plan, request.report_limit)
    request.limits.check(len(plan.change), plan.total, "mailboxes")
    if plan.cloud and plan.change and request.mailbox_limit:
        plans.refuse_beyond_capacity(len(plan.change), _cloud_managed(request, plan, ends), request.mailbox_limit)


def _cloud_managed(request: Transfer, plan: plans.Plan, ends: Ends) -> int:
    """How many mailboxes of the tenant are cloud-managed. The flag cannot be filtered by: counting reads them all."""
    if request.selection.kind == "all" and not request.selection.exclude:
        return plan.unchanged  # all were read just now, and the unchanged ones are those in the cloud already
    ends.progress.start("count the tenant's mailboxes")
    return ends.mailboxes.count()


def _compare(request: Transfer, reading: _Reading, ends: Ends) -> dict[str, Any]:
    """On the way back: refuse to lose what was edited in the cloud and what nobody can write to AD."""
    if request.comparison is None or not reading.compares:
        return {}
    return give_back.guard(
        request.comparison,
        reading.now,
        recipients=ends.recipients,
        artifacts=ends.artifacts,
        progress=ends.progress,
    )


def _carry_out(request: Transfer, plan: plans.Plan, reading: _Reading, ends: Ends, planned: Result) -> Result:
    result = planned.result
    reading.now.clear()
    sent = carry_out.send(plan, ends, request.max_failures)
    first = carry_out.FirstRead(reading.selection or request.selection, reading.seconds)
    try:
        pending = carry_out.confirm(plan, sent, first, ends)
    except HybridError as error:
        raise PartialFailure(
            f"{sent.tried} mailboxes were told to move to {plan.authority}, but reading them back failed: "
            f"{error.message} Run it again: what is right already is left alone.",
            **error.facts
            | {
                "changed": len(sent.errors) < len(plan.change),
                "counts": plan.counts(),
                "artifact": result["artifact"],
            },
        ) from error
    moved = len(plan.change) - len(pending)
    untried = len(plan.change) - sent.tried
    result["counts"] |= {
        "changed": moved,
        "failed": len(pending),
        "applied_despite_error": sum(1 for key in sent.errors if key not in pending),
        **({"not_tried": untried} if untried else {}),
    }
    result["outcomes"] = carry_out.outcomes(plan, sent, pending, ends.artifacts)
    if pending:
        failures = list(_first_failures(plan, sent, pending, max(1, request.report_limit)))
        why = ", because more failed than max_failures allows" if sent.stopped else ""
        stopped = f" {untried} of them were not tried{why}." if untried else ""
        raise PartialFailure(
            f"{len(pending)} of {len(plan.change)} mailboxes could not be moved to {plan.authority}; the first is "
            f"{failures[0]['object']}: {failures[0]['error']}{stopped} {moved} were moved. Run it again for the rest: "
            "what is right already is left alone.",
            **result | {"failures": failures[: request.report_limit], "changed": moved > 0, "diff": planned.diff},
        )
    return planned


def _first_failures(
    plan: plans.Plan, sent: carry_out.Sent, pending: dict[str, plans.Target], limit: int
) -> Iterator[dict[str, Any]]:
    failed = carry_out.failures(plan, sent, pending)
    for target, error in report.first(failed, limit):
        yield report.failure(target.name, target.id, error)
