# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: move the source of authority of mailboxes to the cloud, or back.

Select, read, plan, guard, snapshot, apply, read back, report. A success answer is no proof and an error no failure:
what counts is what reading back shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority import plan as plans
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import (
    Artifacts,
    ChangeTimes,
    Mailboxes,
    Progress,
    Recipients,
    Sleep,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    NotFound,
    PartialFailure,
    PermissionDenied,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import CORE_PROPERTIES, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run import report
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

READ_BACK_DELAYS: tuple[float, ...] = (1, 2, 4, 8, 15)
"""Seconds between attempts to see a change: another server of the service may answer with the old state for a while."""

SNAPSHOT_PROPERTIES: tuple[str, ...] = tuple(
    dict.fromkeys(
        [*CORE_PROPERTIES, *(row.exchange_property for row in CATALOGUE.values() if row.exchange_property is not None)]
    )
)
"""What the snapshot keeps of a mailbox: every property that the catalogue knows, whoever may edit it."""

_DEFINITE = (InputError, PermissionDenied, NotFound, Conflict)


@dataclass(frozen=True)
class Transfer:
    """What was asked."""

    selection: Selection
    authority: str
    limits: Limits
    mailbox_limit: int
    quiet_hours: float = 0
    on_ineligible: str = "fail"
    report_limit: int = 20


@dataclass(frozen=True)
class Ends:
    """The far ends of a transfer, and what it writes beside them. ``change_times`` is needed for quiet hours only."""

    mailboxes: Mailboxes
    recipients: Recipients
    artifacts: Artifacts
    progress: Progress
    sleep: Sleep
    change_times: ChangeTimes | None = None


@dataclass(frozen=True)
class Result:
    """What came of it."""

    changed: bool
    result: dict[str, Any]
    diff: list[dict[str, Any]]


def transfer(request: Transfer, ends: Ends, *, check_mode: bool) -> Result:
    """Move the mailboxes' authority; PartialFailure where some could not be moved, Refused by guards and limits."""
    plan = _plan(request, ends)
    _guard(request, plan, ends)
    snapshot = _snapshot(plan, ends)
    diff = report.limited_diff(plans.diff_of(plan), request.report_limit)
    result: dict[str, Any] = {
        "authority": plan.authority,
        "counts": plan.counts() | {"failed": 0, "applied_despite_error": 0},
        "ineligible": [left.as_result() for left in plan.ineligible[: request.report_limit]],
        "artifact": snapshot,
        "failures": [],
    }
    if check_mode or not plan.change:
        return Result(bool(plan.change), result, diff)
    errors = _apply(plan, ends)
    failed, despite = _confirm(plan, errors, ends, snapshot)
    succeeded = len(plan.change) - len(failed)
    result["counts"] |= {"changed": succeeded, "failed": len(failed), "applied_despite_error": despite}
    result["outcomes"] = _outcomes(plan, failed, errors, ends)
    if failed:
        failures = [report.failure(mailbox.user_principal_name, mailbox.id, error) for mailbox, error in failed]
        raise PartialFailure(
            f"{len(failed)} of {len(plan.change)} mailboxes could not be moved to {plan.authority}; the first is "
            f"{failures[0]['object']}: {failures[0]['error']} {succeeded} were moved. Run it again for the rest: "
            "what is right already is left alone.",
            **result | {"failures": failures[: request.report_limit], "changed": succeeded > 0, "diff": diff},
        )
    return Result(True, result, diff)


def _plan(request: Transfer, ends: Ends) -> plans.Plan:
    ends.progress.start("read")
    mailboxes, without = _read(request, ends)
    plan = plans.make_plan(request.authority, mailboxes, without)
    if request.quiet_hours > 0 and plan.cloud and plan.change:
        if ends.change_times is None:
            raise InputError("quiet_hours needs Active Directory: give directory_hosts, or quiet_hours: 0.")
        now, changed = ends.change_times(plan.change)
        plan = plans.require_quiet(plan, request.quiet_hours, now, changed)
    return plan


def _read(request: Transfer, ends: Ends) -> tuple[list[Mailbox], list[plans.Left]]:
    """The selected mailboxes with all properties, and the identities and users that exist but have no mailbox.

    Only a few identities are looked at a second time, those that were not found; one that does not exist at all stays
    an error, because nobody can tell what was meant.
    """
    try:
        mailboxes = _collect(request.selection, ends)
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
        return mailboxes, [plans.Left(member.name, member.id, found[member.id]) for member in members]
    folded = {name.casefold() for name in missing}
    rest = tuple(name for name in request.selection.value if name.casefold() not in folded)
    without = [plans.Left(name, "", reasons[name]) for name in missing]
    selection = Selection("identities", rest, request.selection.exclude, allow_empty=True)
    return (_collect(selection, ends) if rest else []), without


def _collect(selection: Selection, ends: Ends) -> list[Mailbox]:
    found = []
    for mailbox in ends.mailboxes.read(selection, SNAPSHOT_PROPERTIES):
        found.append(mailbox)
        ends.progress.advance()
    return found


def _guard(request: Transfer, plan: plans.Plan, ends: Ends) -> None:
    if request.on_ineligible == "fail":
        plans.refuse_ineligible(plan, request.report_limit)
    request.limits.check(len(plan.change), plan.total, "mailboxes")
    if plan.cloud and plan.change and request.mailbox_limit:
        plans.refuse_beyond_capacity(len(plan.change), _cloud_managed(request, plan, ends), request.mailbox_limit)


def _cloud_managed(request: Transfer, plan: plans.Plan, ends: Ends) -> int:
    """How many mailboxes of the tenant are cloud-managed. The flag cannot be filtered by: counting reads them all."""
    if request.selection.kind == "all" and not request.selection.exclude:
        return len(plan.unchanged)  # all were read just now, and the unchanged ones are those in the cloud already
    ends.progress.start("count the tenant's mailboxes")
    return ends.mailboxes.count()


def _snapshot(plan: plans.Plan, ends: Ends) -> Artifact:
    """The plan with the properties of every mailbox as they were, on disk before the first write."""
    with ends.artifacts(f"authority-{plan.authority}") as writer:
        for action, mailboxes in (("change", plan.change), ("unchanged", plan.unchanged)):
            for mailbox in mailboxes:
                writer.write(
                    {
                        "action": action,
                        "id": mailbox.id,
                        "user_principal_name": mailbox.user_principal_name,
                        "cloud_managed": mailbox.cloud_managed,
                        "properties": mailbox.properties,
                    }
                )
        for left in plan.ineligible:
            writer.write({"action": "ineligible", **left.as_result()})
    return writer.artifact


def _apply(plan: plans.Plan, ends: Ends) -> dict[str, HybridError]:
    """Send the changes; the errors by mailbox id. An error of the whole call counts for all that had no answer yet."""
    ends.progress.start(f"move to {plan.authority}", len(plan.change))
    errors: dict[str, HybridError] = {}
    answered: set[str] = set()
    changes = ((mailbox, {"IsExchangeCloudManaged": plan.cloud}) for mailbox in plan.change)
    try:
        for mailbox, error in ends.mailboxes.set(changes):
            answered.add(mailbox.id)
            if error is not None:
                errors[mailbox.id] = error
            ends.progress.advance()
    except HybridError as error:
        errors.update({mailbox.id: error for mailbox in plan.change if mailbox.id not in answered})
    return errors


def _confirm(
    plan: plans.Plan, errors: dict[str, HybridError], ends: Ends, snapshot: Artifact
) -> tuple[list[tuple[Mailbox, HybridError]], int]:
    """Read back; the mailboxes that did not change with their errors, and how many changed despite an error."""
    pending = {mailbox.id: mailbox for mailbox in plan.change}
    ends.progress.start("read back", len(pending))
    try:
        for delay in (*READ_BACK_DELAYS, None):
            for mailbox in _read_back(list(pending.values()), ends):
                if mailbox.cloud_managed == plan.cloud and pending.pop(mailbox.id, None) is not None:
                    ends.progress.advance()
            waiting = [key for key in pending if not isinstance(errors.get(key), _DEFINITE)]
            if delay is None or not waiting:
                break
            ends.sleep(delay)
    except HybridError as error:
        raise PartialFailure(
            f"{len(plan.change)} mailboxes were told to move to {plan.authority}, but reading them back failed: "
            f"{error.message} Run it again: what is right already is left alone.",
            **error.facts | {"changed": len(errors) < len(plan.change), "counts": plan.counts(), "artifact": snapshot},
        ) from error
    failed = [
        (
            mailbox,
            errors.get(key)
            or Conflict(
                f"Exchange Online accepted the change of {mailbox.user_principal_name}, but still shows "
                f"IsExchangeCloudManaged {not plan.cloud}.",
                object=mailbox.user_principal_name,
            ),
        )
        for key, mailbox in pending.items()
    ]
    despite = sum(1 for key in errors if key not in pending)
    return failed, despite


def _read_back(mailboxes: Sequence[Mailbox], ends: Ends) -> list[Mailbox]:
    selection = Selection("identities", tuple(mailbox.id for mailbox in mailboxes), allow_empty=True)
    return list(ends.mailboxes.read(selection, CORE_PROPERTIES))


def _outcomes(
    plan: plans.Plan, failed: Sequence[tuple[Mailbox, HybridError]], errors: dict[str, HybridError], ends: Ends
) -> Artifact:
    """What became of each mailbox, as an artifact beside the snapshot."""
    failures = {mailbox.id: error for mailbox, error in failed}
    with ends.artifacts(f"authority-{plan.authority}-outcomes") as writer:
        for mailbox in plan.change:
            line: dict[str, Any] = {"id": mailbox.id, "user_principal_name": mailbox.user_principal_name}
            if mailbox.id in failures:
                failure = report.failure(mailbox.user_principal_name, mailbox.id, failures[mailbox.id])
                line |= {"outcome": "failed", **failure}
            elif mailbox.id in errors:
                line |= {"outcome": "applied_despite_error", "error": errors[mailbox.id].message}
            else:
                line |= {"outcome": "changed"}
            writer.write(line)
    return writer.artifact
