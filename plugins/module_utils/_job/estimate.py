# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How long provisioning a wave takes on demand and with a restart, from what is known of the job; and which is sooner.

An estimate names what it rests on. What is not known is an assumption, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job import times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.on_demand import Pace
from ansible_collections.hybrid.exchange.plugins.module_utils._run import durations

ON_DEMAND = "on_demand"
RESTART = "restart"
SOONEST = "soonest"
METHODS = (ON_DEMAND, RESTART, SOONEST)
# Not documented: how long a restarted job takes to begin.
RESTART_BEGINS_AFTER = 60.0
# Microsoft's least for a first cycle of application provisioning, the same service: 0.01 minutes an object.
FIRST_CYCLE_PER_OBJECT = 0.6
CYCLES = ("lastExecution", "lastSuccessfulExecution", "lastSuccessfulExecutionWithExports")


@dataclass(frozen=True)
class Estimate:
    """Both ways in seconds, None for a way that is not open; the way taken, and why."""

    on_demand_seconds: float | None
    restart_seconds: float | None
    chosen: str
    reason: str
    assumptions: tuple[str, ...] = ()

    def as_result(self) -> dict[str, Any]:
        return {
            "on_demand_seconds": self.on_demand_seconds,
            "restart_seconds": self.restart_seconds,
            "chosen": self.chosen,
            "reason": self.reason,
            "assumptions": list(self.assumptions),
        }

    def in_words(self) -> str:
        """Both estimates in half a line, for the progress."""
        return f"on demand {_words(self.on_demand_seconds)}, restart {_words(self.restart_seconds)}"


@dataclass(frozen=True)
class _Known:
    seconds: float
    basis: str
    assumptions: tuple[str, ...]


def estimate(job: Job, count: int, pace: Pace, method: str, offered: bool) -> Estimate:
    """Both ways for so many mailboxes, and the one to take: the method where it is not left open."""
    on_demand = round(_on_demand(count, pace), 1) if offered else None
    cycle = _full_cycle(job, count) if job.running else None
    restart = None
    if cycle is not None:
        restart = round(RESTART_BEGINS_AFTER + cycle.seconds, 1) if count else 0.0
    chosen, reason = _choose(count, on_demand, restart, cycle, method, offered)
    assumptions: tuple[str, ...] = ()
    if count and on_demand is not None:
        share = pace.seconds / pace.requests
        assumptions += (f"the service answers a request on demand within {share:g} seconds on average",)
    if count and cycle is not None:
        assumptions += (f"a restarted job begins within {RESTART_BEGINS_AFTER:g} seconds", *cycle.assumptions)
    return Estimate(on_demand, restart, chosen, reason, assumptions)


def _choose(
    count: int, on_demand: float | None, restart: float | None, cycle: _Known | None, method: str, offered: bool
) -> tuple[str, str]:
    if method != SOONEST:
        return method, "the task asks for it"
    if not offered:
        return RESTART, "this cloud does not offer provisioning on demand"
    if not count:
        return ON_DEMAND, "no mailbox is selected"
    if cycle is None or on_demand is None or restart is None:
        return ON_DEMAND, "the job does not run, and a restart would start it"
    compared = (
        f"on demand takes about {_words(on_demand)} for {count} mailboxes, a restart about {_words(restart)} "
        f"({cycle.basis})"
    )
    # In a draw the way that concerns the selected mailboxes only.
    return (ON_DEMAND if on_demand <= restart else RESTART), compared


def _on_demand(count: int, pace: Pace) -> float:
    """The last request ends about a request's share of the pace after it was sent."""
    return pace.needed(count) + pace.seconds / pace.requests if count else 0.0


def _full_cycle(job: Job, count: int) -> _Known:
    """How long a cycle over all mailboxes of the job takes."""
    cycles = [
        cycle for name in CYCLES if (cycle := jobs.execution(job.status.get(name))) and _seconds(cycle) is not None
    ]
    size = max([count, *_sizes(job, cycles)])
    complete = [cycle for cycle in cycles if cycle["counts"]["countImported"] >= size]
    if complete:
        newest = max(complete, key=lambda cycle: cycle["time_began"])
        read = newest["counts"]["countImported"]
        return _Known(
            _seconds(newest) or 0.0, f"the cycle of {newest['time_began']} read {read} objects in that time", ()
        )
    longest = max((_seconds(cycle) or 0.0 for cycle in cycles), default=0.0)
    seconds = max(longest, size * FIRST_CYCLE_PER_OBJECT)
    per_object = f"a first cycle takes {FIRST_CYCLE_PER_OBJECT:g} seconds a mailbox, Microsoft's least"
    if not cycles:
        known = f"no cycle of the job has ended yet, so its size is not known: at least the {count} selected mailboxes"
        return _Known(seconds, f"for at least {size} mailboxes of the job", (known, per_object))
    known = "none of the job's last cycles looked at all of its mailboxes"
    return _Known(seconds, f"for {size} mailboxes of the job", (known, per_object))


def _sizes(job: Job, cycles: list[dict[str, Any]]) -> list[int]:
    written = sum(int(pair.get("value") or 0) for pair in job.status.get("synchronizedEntryCountByType") or ())
    return [written, *(cycle["counts"]["countEntitled"] for cycle in cycles)]


def _seconds(cycle: dict[str, Any]) -> float | None:
    began, ended = times.read(cycle["time_began"]), times.read(cycle["time_ended"])
    return max(0.0, (ended - began).total_seconds()) if began and ended else None


def _words(seconds: float | None) -> str:
    return "not possible" if seconds is None else durations.in_words(seconds)
