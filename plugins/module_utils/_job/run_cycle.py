# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The use case of cycles: wait, restart, or provision on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._job import (
    after_restart,
    cycle,
    deletions,
    on_demand,
    times,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job import estimate as estimates
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job, Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.on_demand import Pace
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import (
    Artifacts,
    JobRunner,
    MailboxReader,
    Progress,
    Warn,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import left_out_warnings
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import Clock

# A running job may not know mailboxes yet that were moved after its start: it has to look at all of them.
DEFAULT_RESET = ("full",)


@dataclass(frozen=True)
class Wanted:
    """What the options state; times in seconds."""

    domain: str
    state: str
    since: str | None = None
    reset: tuple[str, ...] = ()
    timeout: float = 1800
    poll_interval: float = 5
    pace: Pace = field(default_factory=Pace)
    selection: Selection | None = None
    templates: Templates = field(default_factory=Templates)
    on_demand_offered: bool = True
    method: str = estimates.ON_DEMAND
    wait: bool = True
    allow_deletes: int | None = None
    report_limit: int = 20


@dataclass(frozen=True)
class Ends:
    """What the use case works with."""

    synchronization: JobRunner
    mailboxes: MailboxReader
    clock: Clock
    artifacts: Artifacts
    progress: Progress
    warn: Warn


def run_cycle(ends: Ends, wanted: Wanted, check_mode: bool) -> dict[str, Any]:
    """Do what is wanted; the answer is the task's result, with changed in it."""
    _check(wanted)
    job = jobs.require(ends.synchronization, wanted.templates, wanted.domain)
    if wanted.state == "provisioned":
        return _provision(ends, wanted, job, check_mode)
    if wanted.state == "restarted":
        return _restart(ends, wanted, job, check_mode)
    since = times.required(wanted.since, "since") if wanted.since else cycle.start_of_wait(ends.synchronization)
    return {"changed": False, **_wait(ends, wanted, job, since, restarted=False)}


def _check(wanted: Wanted) -> None:
    for name, value, least in (
        ("timeout", wanted.timeout, 0),
        ("poll_interval", wanted.poll_interval, 1),
        ("on_demand_requests", wanted.pace.requests, 1),
        ("on_demand_seconds", wanted.pace.seconds, 0),
    ):
        if value < least:
            raise InputError(f"{name} must be at least {least}, it is {value:g}.")
    if wanted.since and wanted.state != "waited":
        raise InputError(f"since has a meaning for state waited only, not for {wanted.state}.")
    if wanted.reset and wanted.state == "waited":
        raise InputError("reset has a meaning where the job is restarted only, not for state waited.")
    if wanted.method != estimates.ON_DEMAND and wanted.state != "provisioned":
        raise InputError(f"method has a meaning for state provisioned only, not for {wanted.state}.")
    if wanted.state != "restarted":
        if not wanted.wait:
            raise InputError(f"wait can be false for state restarted only, not for {wanted.state}.")
        if wanted.allow_deletes is not None or "force_deletes" in wanted.reset:
            raise InputError(f"Deletions can be allowed with state restarted only, not with {wanted.state}.")


def _restart(ends: Ends, wanted: Wanted, job: Job, check_mode: bool) -> dict[str, Any]:
    deletions.guard(ends.synchronization, job, wanted.reset, wanted.allow_deletes)
    if check_mode:
        if not job.running:
            raise cycle.not_running(job)
        return {"changed": True, "job": jobs.describe(job), "counts": {}}
    since = cycle.start_of_restart(ends.synchronization)
    cycle.restart(ends.synchronization, job, wanted.reset)
    try:
        if not wanted.wait:
            now = jobs.reread(ends.synchronization, job)
            return {"changed": True, "job": jobs.describe(now), "since": times.write(since), "counts": {}}
        return {"changed": True, **_wait(ends, wanted, job, since, restarted=True)}
    except HybridError as error:
        error.facts["changed"] = True
        raise


def _wait(
    ends: Ends, wanted: Wanted, job: Job, since: datetime, restarted: bool, phase: str = "wait for a cycle"
) -> dict[str, Any]:
    ends.progress.start(phase)
    now, finished = cycle.wait(
        ends.synchronization,
        job,
        since,
        wanted.timeout,
        wanted.poll_interval,
        ends.clock,
        ends.warn,
        restarted,
    )
    return {
        "job": jobs.describe(now),
        "execution": finished,
        "since": times.write(since),
        "counts": finished["counts"],
    }


def _provision(ends: Ends, wanted: Wanted, job: Job, check_mode: bool) -> dict[str, Any]:
    if wanted.method == estimates.ON_DEMAND and not wanted.on_demand_offered:
        raise Refused(
            "This cloud does not offer provisioning on demand. Take method restart or soonest, which let a cycle do "
            "it, or wait for the next cycle (state waited).",
            domain=wanted.domain,
        )
    if wanted.selection is None:
        raise InputError("state provisioned needs a selection of mailboxes.")
    if job.in_quarantine:
        raise Refused(jobs.quarantine_message(job), last_state=jobs.in_words(job), domain=job.domain)
    selected = list(ends.mailboxes.read(wanted.selection, ()))
    left_out = ends.mailboxes.left_out
    for warning in left_out_warnings(left_out):
        ends.warn(warning)
    estimate = estimates.estimate(job, len(selected), wanted.pace, wanted.method, wanted.on_demand_offered)
    restarts = estimate.chosen == estimates.RESTART
    if restarts and selected:
        if not job.running:
            raise cycle.not_running(job)
        if estimate.restart_seconds is not None and estimate.restart_seconds > wanted.timeout:
            ends.warn(
                f"The cycle may take about {estimate.restart_seconds:.0f} seconds, longer than timeout "
                f"({wanted.timeout:g}). Where it does, the task fails and the job goes on."
            )
    else:
        on_demand.guard(selected, wanted.pace)
    shown = {"estimate": estimate.as_result()}
    if check_mode or (restarts and not selected):
        requests = 0 if restarts else len(selected)
        counts = {"selected": len(selected), "would_request": requests, "without_mailbox": len(left_out)}
        return {"changed": bool(selected), "job": jobs.describe(job), "counts": counts, "failures": [], **shown}
    try:
        if restarts:
            return {**_by_restart(ends, wanted, job, selected, left_out, estimate), **shown}
        ends.progress.start(f"provision ({estimate.in_words()})", len(selected))
        done = on_demand.provision(
            ends.synchronization,
            job,
            selected,
            left_out,
            wanted.pace,
            ends.clock,
            ends.artifacts,
            ends.progress,
            wanted.report_limit,
        )
    except HybridError as error:
        error.facts.update(shown)
        raise
    return {"job": jobs.describe(jobs.reread(ends.synchronization, job)), **done, **shown}


def _by_restart(
    ends: Ends,
    wanted: Wanted,
    job: Job,
    selected: Sequence[Mailbox],
    left_out: Sequence[Member],
    estimate: estimates.Estimate,
) -> dict[str, Any]:
    """Let one cycle over all mailboxes of the job do it, and say what it did with those selected."""
    resets = wanted.reset or DEFAULT_RESET
    deletions.guard(ends.synchronization, job, resets, None)
    since = cycle.start_of_restart(ends.synchronization)
    cycle.restart(ends.synchronization, job, resets)
    try:
        waited = _wait(ends, wanted, job, since, True, f"restart and wait for the cycle ({estimate.in_words()})")
        done = after_restart.report(
            ends.synchronization,
            job,
            selected,
            left_out,
            waited["execution"],
            since,
            ends.artifacts,
            ends.warn,
            wanted.report_limit,
        )
    except HybridError as error:
        error.facts["changed"] = True
        raise
    return {**waited, **done}
