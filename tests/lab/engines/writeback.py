# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cloud Sync writeback job: one cycle from Exchange Online to AD."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import ldap3

from tests.lab.clock import Clock
from tests.lab.engines import job_state
from tests.lab.engines.backsync import back_sync
from tests.lab.engines.credentials import JobFault, delete_threshold, job_domain, require_ready, secrets_of
from tests.lab.engines.cycle import Cycle, directory_fault
from tests.lab.engines.departures import link, settle
from tests.lab.engines.directory import Directory, DirectoryRefusal, no_obstacle, opened
from tests.lab.engines.events import NOT_IN_SCOPE, Outcome, event
from tests.lab.engines.export import Candidate, Targets, export
from tests.lab.engines.limits import Limits, in_force
from tests.lab.engines.refusal import EngineRefusal
from tests.lab.engines.scope import ScopeError
from tests.lab.engines.work import Work
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.scenario import Scenario
from tests.lab.store import Store

Document = dict[str, Any]
JobObstacle = Callable[[str, str, str, str], None]  # an Obstacle, with the tenant's id first


class Writeback:
    """The engine of one lab; everything it knows is in the store."""

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
        """``obstacle`` is asked before each operation on a directory, with the tenant's id first."""
        self._store = store
        self._clock = clock
        self._scenario = scenario
        self._open = open_directory
        self._base_dn = base_dn
        self._limits = limits or Limits()
        self._obstacle = obstacle

    @property
    def limits(self) -> Limits:
        """The limits that are in force now."""
        return in_force(self._limits, self._scenario.changed())

    # -- the cycle ---------------------------------------------------------------------------------------------

    def run_cycle(self, tenant_id: str, job_id: str) -> dict[str, Any]:
        """Run one cycle now; returns a summary. EngineRefusal when the job is not started."""
        job = self.job(tenant_id, job_id)
        if job["schedule"]["state"] != "Active":
            raise EngineRefusal(409, "JobNotActive", f"The job {job_id} is {job['schedule']['state']}; start it first.")
        began = self._clock.now()
        cycle: Cycle | None = None
        fault: JobFault | None = None
        try:
            cycle = self._cycle(tenant_id, job, began)
            fault = cycle.blocked_by
        except JobFault as error:
            fault = error
        except ScopeError as error:
            fault = JobFault("InvalidScope", str(error))
        except (DirectoryUnavailable, DirectoryRefusal) as error:
            fault = directory_fault(error)
        with self._store.transaction():
            current = self._store.get(tenant_id, "job", job_id)
            if current is None:
                return {"job": job_id, "state": "Deleted"}
            run = self._record(tenant_id, current, job, cycle, fault, began)
            self._store.put(tenant_id, "job", job_id, current)
        return _summary(job_id, run, cycle)

    def job(self, tenant_id: str, job_id: str) -> Document:
        """A job's document; EngineRefusal (404) when there is none."""
        job = self._store.get(tenant_id, "job", job_id)
        if job is None:
            raise EngineRefusal(404, "Request_ResourceNotFound", f"The job {job_id} does not exist.")
        return job

    def prepare(self, tenant_id: str, job: Document, now: datetime) -> Work:
        """Check that the job can run and read what it works on; JobFault when it cannot."""
        tenant = next(one for one in self._store.tenants() if one["id"] == tenant_id)
        secrets = secrets_of(self._store, tenant_id, job.get("_servicePrincipal"))
        domain = require_ready(self._store, tenant, secrets, self._scenario.get("sync_account"))
        back_sync(self._store, tenant_id)
        return Work(self._store, self._scenario, tenant, job, domain, now)

    def directory(self, tenant_id: str) -> Any:
        """The tenant's directory for a ``with`` block."""
        obstacle = no_obstacle if self._obstacle is None else partial(self._obstacle, tenant_id)
        return opened(self._open, tenant_id, self._base_dn(tenant_id), obstacle)

    def _cycle(self, tenant_id: str, job: Document, now: datetime) -> Cycle:
        work = self.prepare(tenant_id, job, now)
        cycle = Cycle(job)
        in_scope = work.in_scope()
        with self.directory(tenant_id) as directory:
            stopped = self._leave(tenant_id, job, work, cycle, directory, in_scope)
            candidates = [] if stopped else self._candidates(work, cycle, in_scope)
            targets = Targets(directory, candidates, work.matching)
            for candidate in candidates:
                outcome = export(directory, targets, candidate, work.settings)
                cycle.outcomes.append(outcome)
                identifier = candidate.user["id"]
                self._note(cycle, identifier, outcome, now)
                if identifier in in_scope:
                    cycle.known[identifier] = work.mark(identifier)
                    if outcome.dn is not None:
                        cycle.linked[identifier] = link(candidate.user)
        failed = sum(outcome.status == "failure" for outcome in cycle.outcomes)
        exported = sum(outcome.exported for outcome in cycle.outcomes)
        cycle.counts = {
            "countEntitled": len(in_scope),
            "countEntitledForProvisioning": len(candidates),
            "countEscrowed": len(cycle.escrows),
            "countEscrowedRaw": len(cycle.escrows),
            "countExported": exported,
            "countExports": exported + failed,
            "countImported": len(work.mailboxes) if cycle.initial else len(candidates),
            "countImportedDeltas": 0 if cycle.initial else len(candidates),
        }
        if cycle.blocked_by is None:
            cycle.blocked_by = self._threshold(len(candidates), failed, cycle)
        return cycle

    def _candidates(self, work: Work, cycle: Cycle, in_scope: set[str]) -> list[Candidate]:
        """Whom the cycle evaluates: everyone in an initial one; else who changed in the cloud, and failed before."""
        if cycle.initial:
            chosen = in_scope
        else:
            seen = in_scope if work.next_cycle_sees_flips else in_scope & set(cycle.known)
            chosen = {one for one in seen if cycle.known.get(one) != work.mark(one)} | (set(cycle.escrows) & in_scope)
        found = [work.candidate(identifier) for identifier in sorted(chosen)]
        always = tuple(one for one in work.mappings if one.flow_behavior == "FlowAlways")
        if always:
            rest = sorted((in_scope & set(cycle.known)) - chosen)
            found.extend(work.candidate(identifier, always) for identifier in rest)
        return found + work.type_candidates()

    def _leave(
        self, tenant_id: str, job: Document, work: Work, cycle: Cycle, directory: Directory, in_scope: set[str]
    ) -> bool:
        """Deal with users who were provisioned before and left; whether that stops the run."""
        secrets = secrets_of(self._store, tenant_id, job.get("_servicePrincipal"))
        threshold = delete_threshold(secrets, self.limits)
        told = self._scenario.get("delete_count") == "told"
        left = settle(job, work, directory, in_scope, secrets, threshold, told)
        cycle.outcomes.extend(left.outcomes)
        cycle.deletes, cycle.blocked_by = left.staged, left.blocked_by
        if left.blocked_by is not None:
            cycle.hold(job)
            return True
        gone = {*cycle.linked, *job["_known"], *(set(cycle.escrows) - set(work.users))} - in_scope - left.kept
        for kept in (cycle.linked, cycle.escrows):
            for one in gone & set(kept):
                del kept[one]
        cycle.known = {one: mark for one, mark in cycle.known.items() if one in in_scope}
        for outcome in left.outcomes:
            if outcome.status == "failure":
                self._note(cycle, outcome.user["id"], outcome, work.settings.now)
        return False

    def _note(self, cycle: Cycle, identifier: str, outcome: Outcome, now: datetime) -> None:
        if outcome.status != "failure":
            cycle.escrows.pop(identifier, None)
            return
        old = cycle.escrows.get(identifier) or {"first": job_state.iso_precise(now), "attempts": 0}
        cycle.escrows[identifier] = {
            "first": old["first"],
            "last": job_state.iso_precise(now),
            "attempts": old["attempts"] + 1,
            "errorCode": outcome.code,
            "reason": outcome.reason,
        }

    def _threshold(self, evaluated: int, failed: int, cycle: Cycle) -> JobFault | None:
        limits = self.limits
        example = next((one.reason for one in cycle.outcomes if one.status == "failure"), "")
        if len(cycle.escrows) >= limits.escrow_total:
            text = f"{len(cycle.escrows)} objects are held back. The first reason is: {example}"
            return JobFault("EncounteredTotalEscrowThreshold", text, "EncounteredTotalEscrowThreshold")
        if failed >= limits.escrow_minimum and failed > limits.escrow_proportion * evaluated:
            text = f"{failed} of {evaluated} objects failed. The first reason is: {example}"
            return JobFault("EncounteredEscrowProportionThreshold", text, "EncounteredEscrowProportionThreshold")
        return None

    # -- recording ---------------------------------------------------------------------------------------------

    def _record(
        self,
        tenant_id: str,
        job: Document,
        before: Document,
        cycle: Cycle | None,
        fault: JobFault | None,
        began: datetime,
    ) -> Document:
        """Merge a run into the job as it is now: pauses and restarts of meanwhile are respected."""
        now = self._clock.now()
        interval = float(self._scenario.get("cycle_interval_s")) or 1.0
        if job["schedule"]["state"] == "Active":
            # A start or restart during the run asked for another run at once; its due time stays.
            job["_next"] = job["_next"] if job["_next"] != before["_next"] else began.timestamp() + interval
        if cycle is None:
            failure = job_state.error(fault.code, fault.message) if fault else None
            run = job_state.execution("Failed", began, now, {}, failure)
            job_state.failed(job, run)
        else:
            failure = job_state.error(fault.code, fault.message) if fault else None
            state = "EntryLevelErrors" if cycle.escrows else "Succeeded"
            run = job_state.execution(state if fault is None else "Failed", began, now, cycle.counts, failure)
            restarted = job["_known"] != before["_known"] or job["_watermark"] != before["_watermark"]
            if not restarted:
                job["_known"], job["_escrows"], job["_deletes"] = cycle.known, cycle.escrows, cycle.deletes
                job["_linked"], job["_forceDeletes"] = cycle.linked, False
                if not cycle.held:
                    job["_initialDone"], job["_watermark"] = True, run["timeBegan"]
            if fault is None:
                job_state.finished(job, run, interval)
            else:
                job_state.failed(job, run)
            self._log(tenant_id, job, run["activityIdentifier"], cycle.outcomes, now)
        secrets = secrets_of(self._store, tenant_id, job.get("_servicePrincipal"))
        self.show_settings(job, secrets)
        self._quarantine(job, fault, now, interval)
        return run

    def _quarantine(self, job: Document, fault: JobFault | None, now: datetime, interval: float) -> None:
        if job["schedule"]["state"] != "Active":
            return
        if fault is None:
            if job["status"]["quarantine"] is not None:
                job_state.released(job)
            return
        failure = job_state.error(fault.code, fault.message)
        repeated = job["status"]["countSuccessiveCompleteFailures"] >= self.limits.complete_failures
        if fault.reason or repeated or job["status"]["quarantine"] is not None:
            reason = fault.reason or "EncounteredQuarantineException"
            job_state.quarantined(job, reason, failure, now, interval, self.limits)

    def _log(self, tenant_id: str, job: Document, cycle_id: str, outcomes: list[Outcome], now: datetime) -> None:
        principal = self._store.get(tenant_id, "servicePrincipal", job.get("_servicePrincipal") or "") or {}
        for outcome in outcomes:
            if outcome.status == "skipped" and outcome.code != NOT_IN_SCOPE:
                continue  # cycles do not log that nothing was to be done
            self.log(tenant_id, event(tenant_id, job, principal, cycle_id, outcome, now))

    def log(self, tenant_id: str, entry: Document) -> None:
        """Append an entry to the provisioning log."""
        self._store.put(tenant_id, "provisioningEvent", entry["id"], entry)

    @staticmethod
    def show_settings(job: Document, secrets: dict[str, str]) -> None:
        """Show the domain among the job's settings, as soon as the secret names one."""
        domain = job_domain(secrets)
        job["synchronizationJobSettings"] = [{"name": "DomainFQDN", "value": domain}] if domain else []


def _summary(job_id: str, run: Document, cycle: Cycle | None) -> dict[str, Any]:
    outcomes = cycle.outcomes if cycle else []
    return {
        "job": job_id,
        "kind": None if cycle is None else "initial" if cycle.initial else "incremental",
        "state": run["state"],
        "error": run["error"],
        "exported": sum(one.exported for one in outcomes),
        "failed": sum(one.status == "failure" for one in outcomes),
        "skipped": sum(one.status == "skipped" for one in outcomes),
        "activityIdentifier": run["activityIdentifier"],
    }
