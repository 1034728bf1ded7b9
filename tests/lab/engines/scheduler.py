# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler: runs what is due by the lab's clock, in order, each failure on its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.lab.clock import Clock, iso
from tests.lab.engines.limits import Limits
from tests.lab.engines.refusal import EngineRefusal
from tests.lab.scenario import Scenario
from tests.lab.store import Store

LOG = logging.getLogger(__name__)
ERRORS = "engine_errors"  # meta key: the last failures of engines, oldest first
_NEXT_SYNC = "connect_sync_next"  # meta key: tenant id -> when Connect Sync is due
_KEPT_ERRORS = 50


@dataclass(frozen=True, order=True)
class Due:
    """One run that is due: at what lab time, of which engine."""

    at: float
    engine: str
    tenant_id: str
    run: Callable[[], Any] = field(compare=False)


def missed(next_due: float, now: float, interval: float, at_most: int) -> list[float]:
    """Due times up to ``now``, the last ``at_most`` of them; empty when nothing is due."""
    if next_due > now:
        return []
    count = int((now - next_due) // interval) + 1
    return [next_due + interval * index for index in range(max(0, count - at_most), count)]


def record_error(store: Store, clock: Clock, tenant_id: str, engine: str, error: BaseException) -> None:
    """Keep a failure where the lab's status shows it."""
    entry = {
        "time": iso(clock.now()),
        "tenant": tenant_id,
        "engine": engine,
        "error": f"{type(error).__name__}: {error}",
    }
    with store.transaction():
        store.set_meta(ERRORS, [*(store.meta(ERRORS) or []), entry][-_KEPT_ERRORS:])


class Scheduler:
    """Decides what is due; the engines themselves are handed in."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        scenario: Scenario,
        limits: Limits,
        connect_sync: Callable[[str], Any],
        run_cycle: Callable[[str, str], Any],
    ) -> None:
        self._store = store
        self._clock = clock
        self._scenario = scenario
        self._limits = limits
        self._connect_sync = connect_sync
        self._run_cycle = run_cycle

    def tick(self) -> None:
        """Run everything that is due, earliest first; never raises."""
        for due in sorted(self._due()):
            try:
                due.run()
            except EngineRefusal as refusal:  # paused or deleted since it fell due
                LOG.info("%s of %s was not run: %s", due.engine, due.tenant_id, refusal)
            except Exception as error:  # the other engines have to go on; the failure is kept and shown
                LOG.exception("%s of %s failed", due.engine, due.tenant_id)
                record_error(self._store, self._clock, due.tenant_id, due.engine, error)

    def _due(self) -> list[Due]:
        now = self._clock.now().timestamp()
        found: list[Due] = []
        for tenant in self._store.tenants():
            found.extend(self._due_syncs(tenant["id"], now))
            found.extend(self._due_cycles(tenant["id"], now))
        return found

    def _due_syncs(self, tenant_id: str, now: float) -> list[Due]:
        interval = max(1.0, float(self._scenario.get("connect_sync_interval_s")))
        plan = self._store.meta(_NEXT_SYNC) or {}
        at = plan.get(tenant_id)
        # No plan yet, or one from a clock that was set back since: begin one interval from now.
        if at is None or at > now + interval:
            self._plan(tenant_id, now + interval)
            return []
        times = missed(at, now, interval, self._limits.missed_runs)
        if times:
            self._plan(tenant_id, times[-1] + interval)
        return [Due(time, "connect_sync", tenant_id, partial(self._connect_sync, tenant_id)) for time in times]

    def _plan(self, tenant_id: str, at: float) -> None:
        with self._store.transaction():
            self._store.set_meta(_NEXT_SYNC, {**(self._store.meta(_NEXT_SYNC) or {}), tenant_id: at})

    def _due_cycles(self, tenant_id: str, now: float) -> list[Due]:
        interval = max(1.0, float(self._scenario.get("cycle_interval_s")))
        found: list[Due] = []
        for job in self._store.list(tenant_id, "job"):
            at = job.get("_next")
            if job["schedule"]["state"] != "Active" or at is None:
                continue
            # In quarantine the next attempt is one attempt, however long ago it was due.
            at_most = 1 if job["status"]["quarantine"] else self._limits.missed_runs
            run = partial(self._run_cycle, tenant_id, job["id"])
            found.extend(Due(time, "writeback", tenant_id, run) for time in missed(at, now, interval, at_most))
        return found
