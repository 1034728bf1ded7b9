# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is wrong with a job, in plain words, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job import quarantine, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._run import durations
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing


def of_state(job: Job) -> list[str]:
    """What the state of the job and its last cycle tell."""
    found = []
    if job.in_quarantine:
        found.append(f"{jobs.quarantine_message(job)} {_outlook(job)}".rstrip())
    if not job.running:
        found.append("The job does not run; nothing is written back. Start it with writeback_job (state started).")
    last = jobs.execution(job.status.get("lastExecution"))
    if last and last["state"] == "Failed":
        why = (last["error"] or "the service gives no reason").rstrip(".")
        found.append(f"The last cycle failed: {why}.")
    if last and last["state"] == "EntryLevelErrors":
        found.append("The last cycle could not write some mailboxes; see failures.")
    if last and last["counts"]["countEscrowed"]:
        found.append(
            "Mailboxes that failed and are tried again by the service, ever more seldom: "
            f"{last['counts']['countEscrowed']}; see escrows and failures. Correct the cause; to try all of them at "
            "once then, restart the job."
        )
    failed = int(job.status.get("countSuccessiveCompleteFailures") or 0)
    if failed > 1:
        found.append(f"{failed} cycles failed one after another.")
    if job.status.get("escrowsPruned") is True:
        found.append(
            "The first cycle had so many failures that the service dropped them and went on; the job pauses after it. "
            "Correct the failures, then restart the job, which looks at all mailboxes again."
        )
    return found


def seconds_since_last_cycle(job: Job, now: datetime | None) -> int | None:
    """How long ago the last cycle ended; None where there was none, or the time is not known."""
    ended = times.read((job.status.get("lastExecution") or {}).get("timeEnded"))
    return max(0, round((now - ended).total_seconds())) if now and ended else None


def late(job: Job, now: datetime | None, intervals: float) -> bool | None:
    """Whether cycles do not come as they should; None where that cannot be said.

    A job in quarantine is tried ever more seldom, and one that does not run has no cycles: neither is late.
    """
    interval = times.seconds(((job.raw or {}).get("schedule") or {}).get("interval"))
    passed = seconds_since_last_cycle(job, now)
    if not job.running or job.in_quarantine:
        return False
    if not interval or passed is None:
        return None
    return passed > interval * intervals


def late_in_words(job: Job, passed: int) -> str:
    """What to tell about a job whose cycles do not come."""
    interval = times.seconds(((job.raw or {}).get("schedule") or {}).get("interval")) or 0
    ago, every = durations.in_words(passed), durations.in_words(interval)
    return (
        f"The last cycle ended {ago} ago, and one should begin every {every}. "
        "A cycle over very many mailboxes may be under way; else check that an agent is active, and restart the job."
    )


def of_agents(agents: Sequence[Mapping[str, Any]], unreadable: str | None) -> list[str]:
    """What the agents tell; nothing where they could not be read."""
    if unreadable is not None or any(agent["status"] == "active" for agent in agents):
        return []
    if not agents:
        return ["The tenant has no provisioning agent. Install one in the domain; nothing is written back without."]
    names = listing(agent["machine_name"] or agent["id"] for agent in agents)
    return [f"No provisioning agent is active ({names}). Check the agent's service on its server."]


def of_schema(schema: Mapping[str, Any], missing: Sequence[str]) -> list[str]:
    """What the mappings tell; missing are attributes of the writeback set without one."""
    found = []
    if "mail" in missing:
        found.append(
            "The mapping for mail is missing, as in all jobs made before 3 August 2026. Add it with writeback_mapping; "
            "restoring the default mappings in the portal would drop custom mappings and the scope."
        )
    others = [name for name in missing if name != "mail"]
    if others:
        found.append(f"{len(others)} attributes of the writeback set have no mapping: {listing(others)}.")
    twice = schemas.duplicates(schema)
    if twice:
        found.append(f"Mapped more than once: {', '.join(twice)}. The service does not say which mapping counts.")
    if "Delete" in schemas.flow_types(schema):
        found.append("The job may delete: users who leave its scope could be disabled or deleted in AD.")
    return found


def _outlook(job: Job) -> str:
    """How a quarantine goes on when nobody does anything."""
    raw = job.status.get("quarantine") or {}
    following = times.read(raw.get("nextAttempt"))
    tried = f"The service tries again at {times.write(following)}, and ever more seldom" if following else ""
    limit = f"after {quarantine.DISABLED_AFTER_DAYS} days in quarantine it disables the job."
    return f"{tried}; {limit}" if tried else limit.capitalize()
