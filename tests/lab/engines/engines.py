# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sync engines as the lab's services use them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ldap3

from tests.lab.clock import Clock
from tests.lab.engines import job_state, on_demand, schema
from tests.lab.engines.connect_sync import ConnectSync
from tests.lab.engines.credentials import secrets_of
from tests.lab.engines.directory import DirectoryRefusal
from tests.lab.engines.limits import Limits
from tests.lab.engines.refusal import EngineRefusal
from tests.lab.engines.scheduler import Scheduler, record_error
from tests.lab.engines.writeback import JobObstacle, Writeback
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.scenario import Scenario
from tests.lab.store import Store

Document = dict[str, Any]


class Engines:
    """Connect Sync, the writeback jobs and their scheduler. Safe to call from any thread: one run at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        scenario: Scenario,
        open_directory: Callable[[str], ldap3.Connection],
        base_dn: Callable[[str], str],
        limits: Limits | None = None,
        obstacle: JobObstacle | None = None,
    ) -> None:
        """``open_directory(tenant_id)`` binds as the forest's sync account; ``base_dn(tenant_id)`` names its domain.

        ``obstacle`` is what stands in the way of the writeback jobs' LDAP, and of theirs alone.
        """
        self._store = store
        self._clock = clock
        self._scenario = scenario
        self._lock = threading.RLock()
        self._limits = limits or Limits()
        self._sync = ConnectSync(store, clock, scenario, open_directory, base_dn)
        self._writeback = Writeback(store, clock, scenario, open_directory, base_dn, self._limits, obstacle)
        self._scheduler = Scheduler(store, clock, scenario, self._limits, self._scheduled_sync, self.run_cycle)

    # -- runs --------------------------------------------------------------------------------------------------

    def connect_sync(self, tenant_id: str, initial: bool = False) -> dict[str, Any]:
        """Run Connect Sync now; returns counts. EngineRefusal (503) when the DC cannot be used; nothing is changed."""
        with self._lock:
            try:
                return self._sync.run(tenant_id, initial)
            except (DirectoryUnavailable, DirectoryRefusal) as error:
                raise EngineRefusal(503, "DirectoryUnavailable", f"Connect Sync changed nothing: {error}") from error

    def run_cycle(self, tenant_id: str, job_id: str) -> dict[str, Any]:
        """Run one cycle of a job now; returns a summary. A failed run is recorded in the job, not raised."""
        with self._lock:
            summary = self._writeback.run_cycle(tenant_id, job_id)
        if summary["state"] == "Failed" and summary["error"]:
            failure = EngineRefusal(500, summary["error"]["code"], summary["error"]["message"])
            record_error(self._store, self._clock, tenant_id, "writeback", failure)
        return summary

    def tick(self) -> None:
        """Run all that is due by the clock; never raises."""
        with self._lock:
            self._scheduler.tick()

    def _scheduled_sync(self, tenant_id: str) -> None:
        with self._lock:
            self._sync.run(tenant_id)

    # -- jobs --------------------------------------------------------------------------------------------------

    def default_schema(self, tenant_id: str, template_id: str) -> Document:
        """The schema that a new job of this template has; EngineRefusal for other templates."""
        return schema.default_schema(
            tenant_id,
            template_id,
            self._scenario.get("mail_mapping"),
            self._scenario.get("proxy_addresses"),
            self._scenario.get("flow_types"),
        )

    def standard_schema(self, tenant_id: str, template_id: str) -> Document:
        """The template's own schema, as of today: a job may have been made from an earlier one."""
        return schema.default_schema(tenant_id, template_id, "ga", self._scenario.get("proxy_addresses"))

    def job_created(self, tenant_id: str, job: Document) -> Document:
        """Complete and store the document of a new job; EngineRefusal for other templates than the writeback job's."""
        schema.template(str(job.get("templateId")))
        principal = self._store.get(tenant_id, "servicePrincipal", job.get("_servicePrincipal") or "") or {}
        application = principal.get("applicationTemplateId")
        if application and application.lower() != schema.APPLICATION_TEMPLATE_ID:
            raise EngineRefusal(
                400,
                "BadRequest",
                f"The application template {application} does not offer the job template {job.get('templateId')}.",
            )
        interval = float(self._scenario.get("cycle_interval_s"))
        made = job_state.new_job(tenant_id, job, self.default_schema(tenant_id, job["templateId"]), interval)
        secrets = secrets_of(self._store, tenant_id, made.get("_servicePrincipal"))
        self._writeback.show_settings(made, secrets)
        self._store.put(tenant_id, "job", made["id"], made)
        return made

    def start(self, tenant_id: str, job_id: str) -> None:
        """Start or resume a job; lifts a quarantine. Its next cycle is due at once."""
        self._change(tenant_id, job_id, lambda job: job_state.started(job, self._clock.now()))

    def pause(self, tenant_id: str, job_id: str) -> None:
        """Stop a job; nothing it knows is lost."""
        self._change(tenant_id, job_id, job_state.paused)

    def restart(self, tenant_id: str, job_id: str, reset_scope: str) -> None:
        """Forget what ``reset_scope`` names (comma-joined; empty: everything) and run; EngineRefusal when unknown."""
        scopes = job_state.reset_scopes(reset_scope)
        self._change(tenant_id, job_id, lambda job: job_state.restarted(job, scopes, self._clock.now()))

    def provision_on_demand(self, tenant_id: str, job_id: str, parameters: list[Document]) -> Document:
        """Write one user now; Graph's {"key", "value"} with JSON strings. EngineRefusal for a malformed request."""
        with self._lock:
            return on_demand.provision(self._writeback, self._store, self._clock, tenant_id, job_id, parameters)

    def _change(self, tenant_id: str, job_id: str, change: Callable[[Document], None]) -> None:
        with self._store.transaction():
            job = self._writeback.job(tenant_id, job_id)
            change(job)
            secrets = secrets_of(self._store, tenant_id, job.get("_servicePrincipal"))
            self._writeback.show_settings(job, secrets)
            self._store.put(tenant_id, "job", job_id, job)
