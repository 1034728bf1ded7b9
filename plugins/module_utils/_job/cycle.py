# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Cycles of a job: wait for one, or begin again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, HybridError, Refused, Timeout
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job import times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import JobReader, JobRunner, Warn
from ansible_collections.hybrid.exchange.plugins.module_utils._run import waiting
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import Clock

# Our names of what a restart forgets, and Graph's.
RESETS = {
    "full": "Full",
    "watermark": "Watermark",
    "escrows": "Escrows",
    "quarantine_state": "QuarantineState",
    "force_deletes": "ForceDeletes",
}
SHOWN = ("lastExecution", "lastSuccessfulExecution")
FINISHED = frozenset({"Succeeded", "EntryLevelErrors"})


def start_of_wait(service: JobReader) -> datetime:
    """The moment from which a cycle counts: the service's clock now.

    Its clock is read to the second, so the next full second is taken: a cycle that began before this call, and may
    have read its source before the change that is waited for, never counts.
    """
    return service.service_time() + timedelta(seconds=1)


def start_of_restart(service: JobReader) -> datetime:
    """The moment from which the cycle of a restart counts: the service's clock before it, to the second.

    A restarted job may begin at once. Cycles that were shown before the restart do not count anyway.
    """
    return service.service_time()


def wait(
    service: JobReader,
    job: Job,
    since: datetime,
    timeout: float,
    pause: float,
    clock: Clock,
    warn: Warn,
    restarted: bool = False,
) -> tuple[Job, dict[str, Any]]:
    """Wait until a cycle that began at or after since is complete; answers the job and that cycle.

    Refused if the job does not run, Conflict if it is in quarantine, Timeout with last_state. After a restart a
    quarantine from before it is not held against the job: it takes the service a while to lift it. Nor do the cycles
    count then that job, as read before the restart, shows already.
    """
    before = _shown(job) if restarted else frozenset[str]()

    def read() -> Job:
        now = jobs.reread(service, job)
        if now.in_quarantine and not (restarted and _old_quarantine(now, since)):
            raise Conflict(jobs.quarantine_message(now), last_state=jobs.in_words(now), domain=now.domain)
        if not now.running and not restarted:
            raise not_running(now)
        return now

    def late(now: Job) -> HybridError:
        return Timeout(
            f"No cycle of the writeback job of {now.domain} that began at or after {times.write(since)} was complete "
            f"after {timeout:g} seconds; the service shows: {jobs.in_words(now)}. Its cycles come about every "
            "20 minutes. Run again, or raise timeout.",
            last_state=jobs.in_words(now),
            since=times.write(since),
        )

    now = waiting.until(clock, timeout, read, lambda seen: finished(seen, since, before) is not None, late, pause)
    cycle = finished(now, since, before) or {}
    if cycle.get("state") == "EntryLevelErrors":
        warn(
            f"The cycle of the job of {now.domain} is complete, but some objects could not be written. "
            "writeback_job_info lists them."
        )
    return now, cycle


def finished(job: Job, since: datetime, before: frozenset[str] = frozenset()) -> dict[str, Any] | None:
    """The complete cycle that began at or after since, if the job shows one that is not among those before."""
    for name in SHOWN:
        cycle = jobs.execution(job.status.get(name))
        if cycle is None or cycle["state"] not in FINISHED or (cycle["id"] and cycle["id"] in before):
            continue
        began = times.read(cycle["time_began"])
        if began is not None and began >= since and times.read(cycle["time_ended"]) is not None:
            return cycle
    return None


def restart(service: JobRunner, job: Job, resets: Sequence[str]) -> None:
    """Begin again. Refused for a job that is paused: a restart would start it behind its owner's back."""
    if not job.running:
        raise not_running(job)
    service.restart(job.service_principal_id, job.id, [RESETS[name] for name in resets])


def not_running(job: Job) -> Refused:
    """The error for a job without cycles."""
    return Refused(
        f"The writeback job of {job.domain} does not run ({jobs.in_words(job)}), so no cycle will come. Start it with "
        "writeback_job (state started).",
        last_state=jobs.in_words(job),
        domain=job.domain,
    )


def _shown(job: Job) -> frozenset[str]:
    """The ids of the cycles that a job shows."""
    cycles = (jobs.execution(job.status.get(name)) for name in SHOWN)
    return frozenset(cycle["id"] for cycle in cycles if cycle)


def _old_quarantine(job: Job, since: datetime) -> bool:
    began = times.read((job.status.get("quarantine") or {}).get("currentBegan"))
    return began is None or began < since
