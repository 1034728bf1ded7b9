# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One writeback configuration and its job, seen through Graph's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Ambiguous, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._job import quarantine, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import JobReader, Json
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.templates import (
    APPLICATION_TEMPLATE,
    DOMAIN_SETTING,
    JOB_TEMPLATE,
)

COUNTS = (
    "countEntitled",
    "countEntitledForProvisioning",
    "countEscrowed",
    "countEscrowedRaw",
    "countExported",
    "countExports",
    "countImported",
    "countImportedDeltas",
    "countImportedReferenceDeltas",
)


@dataclass(frozen=True)
class Templates:
    """What tells this feature's configurations and jobs from others."""

    application: str = APPLICATION_TEMPLATE
    job: str = JOB_TEMPLATE


@dataclass(frozen=True)
class Job:
    """A configuration (service principal) and its job; raw is None where the configuration has no job."""

    service_principal: Json
    raw: Json | None

    @property
    def service_principal_id(self) -> str:
        return str(self.service_principal["id"])

    @property
    def id(self) -> str:
        return str((self.raw or {}).get("id") or "")

    @property
    def name(self) -> str:
        return str(self.service_principal.get("displayName") or "")

    @property
    def tags(self) -> list[str]:
        return [str(tag) for tag in self.service_principal.get("tags") or ()]

    @property
    def known_domain(self) -> str:
        """The AD domain that the job says it writes to; empty until the service knows it."""
        settings = (self.raw or {}).get("synchronizationJobSettings") or ()
        for item in settings:
            if item.get("name") == DOMAIN_SETTING and item.get("value"):
                return str(item["value"])
        return ""

    @property
    def domain(self) -> str:
        """The AD domain; of an unfinished configuration the one it is named after, as the portal names them."""
        return self.known_domain or self.name

    @property
    def status(self) -> Json:
        status = (self.raw or {}).get("status")
        return status if isinstance(status, Mapping) else {}

    @property
    def code(self) -> str:
        return str(self.status.get("code") or "NotConfigured")

    @property
    def schedule_state(self) -> str:
        return str(((self.raw or {}).get("schedule") or {}).get("state") or "Disabled")

    @property
    def running(self) -> bool:
        """Whether the service runs its cycles; a job in quarantine still counts, as it is tried again now and then."""
        return self.schedule_state == "Active" and self.code != "Paused"

    @property
    def in_quarantine(self) -> bool:
        return self.code == "Quarantine"

    @property
    def never_ran(self) -> bool:
        return not self.status.get("lastExecution") and not self.status.get("lastSuccessfulExecution")

    def with_raw(self, raw: Json) -> Job:
        """The same configuration with a newer reading of its job."""
        return replace(self, raw=raw)


def all_jobs(reader: JobReader, templates: Templates) -> list[Job]:
    """All writeback configurations of the tenant, one entry per job."""
    found: list[Job] = []
    for principal in reader.service_principals(templates.application):
        jobs = reader.jobs(str(principal["id"]))
        # The template id that a job shows need not be the one it was made from; its id begins with that one.
        ours = [job for job in jobs if _is_of(job, templates.job)] or jobs
        found.extend(Job(principal, job) for job in ours)
        if not ours:
            found.append(Job(principal, None))
    return found


def find(reader: JobReader, templates: Templates, domain: str) -> Job | None:
    """The configuration of an AD domain, or None. Ambiguous where several claim it.

    What counts is the domain that a job shows; only configurations that show none yet are known by their name.
    """
    jobs = all_jobs(reader, templates)
    wanted = domain.lower()
    hits = [job for job in jobs if job.known_domain.lower() == wanted]
    if not hits:
        hits = [job for job in jobs if not job.known_domain and job.name.lower() == wanted]
    if len(hits) > 1:
        names = ", ".join(f"{job.name} (service principal {job.service_principal_id})" for job in hits)
        raise Ambiguous(
            f"{len(hits)} configurations write to {domain}: {names}. Delete those that are left over, and run again.",
            domain=domain,
        )
    return hits[0] if hits else None


def require(reader: JobReader, templates: Templates, domain: str) -> Job:
    """The job of an AD domain; NotFound says what there is instead."""
    job = find(reader, templates, domain)
    if job is None or job.raw is None:
        others = sorted({found.domain for found in all_jobs(reader, templates) if found.raw is not None})
        there = f"There are jobs for {', '.join(others)}." if others else "The tenant has no such job at all."
        raise NotFound(
            f"No writeback job writes to the domain {domain}. {there} Make it with writeback_job.", domain=domain
        )
    return job


def reread(reader: JobReader, job: Job) -> Job:
    """The job as it is now."""
    return job.with_raw(reader.job(job.service_principal_id, job.id))


def describe(job: Job) -> dict[str, Any]:
    """A job for a result: small, with the names of this collection."""
    status = job.status
    return {
        "domain": job.domain,
        "display_name": job.name,
        "service_principal_id": job.service_principal_id,
        "job_id": job.id,
        "exists": job.raw is not None,
        "running": job.running,
        "status": job.code,
        "schedule_state": job.schedule_state,
        "interval": str(((job.raw or {}).get("schedule") or {}).get("interval") or ""),
        "last_execution": execution(status.get("lastExecution")),
        "last_successful_execution": execution(status.get("lastSuccessfulExecution")),
        "successive_failures": int(status.get("countSuccessiveCompleteFailures") or 0),
        "synchronized": {
            str(pair.get("key")): int(pair.get("value") or 0)
            for pair in status.get("synchronizedEntryCountByType") or ()
        },
        "troubleshooting_url": str(status.get("troubleshootingUrl") or ""),
        "quarantine": _quarantine(status.get("quarantine")) if job.in_quarantine else None,
    }


def execution(raw: Any) -> dict[str, Any] | None:
    """One cycle for a result."""
    if not isinstance(raw, Mapping):
        return None
    error = raw.get("error")
    return {
        "id": str(raw.get("activityIdentifier") or ""),
        "state": str(raw.get("state") or ""),
        "time_began": str(raw.get("timeBegan") or ""),
        "time_ended": str(raw.get("timeEnded") or ""),
        "counts": {name: int(raw.get(name) or 0) for name in COUNTS},
        "error": f"{error.get('code')}: {error.get('message')}" if isinstance(error, Mapping) else None,
    }


def in_words(job: Job) -> str:
    """The state of a job in half a sentence, for messages."""
    last = execution(job.status.get("lastExecution"))
    cycle = f"last cycle {last['state']}, began {last['time_began']}" if last else "no cycle yet"
    return f"status {job.code}, schedule {job.schedule_state}, {cycle}"


def quarantine_message(job: Job) -> str:
    """What to tell about a job in quarantine."""
    reason, advice = quarantine.explain(job.status.get("quarantine"))
    return f"The writeback job of {job.domain} is in quarantine because {reason}. {advice}"


def _quarantine(raw: Any) -> dict[str, Any]:
    shown = raw if isinstance(raw, Mapping) else {}
    reason, advice = quarantine.explain(shown)
    first = times.read(shown.get("seriesBegan")) or times.read(shown.get("currentBegan"))
    limit = first + timedelta(days=quarantine.DISABLED_AFTER_DAYS) if first else None
    return {
        "reason": quarantine.reason_of(shown),
        "explanation": reason,
        "advice": advice,
        "reset": quarantine.reset(shown),
        "since": str(shown.get("currentBegan") or ""),
        "first_since": times.write(first) if first else "",
        "times": int(shown.get("seriesCount") or 0),
        "next_attempt": str(shown.get("nextAttempt") or ""),
        "disabled_after": times.write(limit) if limit else "",
    }


def _is_of(job: Json, template: str) -> bool:
    names = (str(job.get("id") or "").lower(), str(job.get("templateId") or "").lower())
    return names[0].startswith(template.lower() + ".") or names[1] == template.lower()
