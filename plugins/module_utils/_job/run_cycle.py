# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The use case of cycles: wait, restart, or provision on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._job import cycle, on_demand, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job, Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.on_demand import Pace
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import (
    Artifacts,
    Clock,
    JobRunner,
    MailboxReader,
    Progress,
    Warn,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import left_out_warnings
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection


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
    if wanted.reset and wanted.state != "restarted":
        raise InputError(f"reset has a meaning for state restarted only, not for {wanted.state}.")


def _restart(ends: Ends, wanted: Wanted, job: Job, check_mode: bool) -> dict[str, Any]:
    if check_mode:
        if not job.running:
            raise cycle.not_running(job)
        return {"changed": True, "job": jobs.describe(job), "counts": {}}
    since = cycle.start_of_wait(ends.synchronization)
    cycle.restart(ends.synchronization, job, wanted.reset)
    try:
        return {"changed": True, **_wait(ends, wanted, job, since, restarted=True)}
    except HybridError as error:
        error.facts["changed"] = True
        raise


def _wait(ends: Ends, wanted: Wanted, job: Job, since: Any, restarted: bool) -> dict[str, Any]:
    ends.progress.start("wait for a cycle")
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
    if not wanted.on_demand_offered:
        raise Refused(
            "This cloud does not offer provisioning on demand. Wait for the next cycle (state waited), or restart the "
            "job so that it looks at all mailboxes again (state restarted, reset full).",
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
    on_demand.guard(selected, wanted.pace)
    if check_mode:
        counts = {"selected": len(selected), "would_request": len(selected), "without_mailbox": len(left_out)}
        return {"changed": bool(selected), "job": jobs.describe(job), "counts": counts, "failures": []}
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
    return {"job": jobs.describe(jobs.reread(ends.synchronization, job)), **done}
