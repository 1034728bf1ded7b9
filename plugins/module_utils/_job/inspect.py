# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What there is to know of the writeback jobs of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._job import deletions, failures, problems
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job, Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import JobInspector
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import WRITEBACK

AGENT_KEYS: Mapping[str, str] = {"machine_name": "machineName", "status": "status", "id": "id"}


@dataclass(frozen=True)
class Question:
    """What is asked: one domain or all, how many failures at most, and after how many intervals a cycle is late."""

    domain: str | None
    templates: Templates
    limit: int
    late_after_intervals: float = 3


@dataclass(frozen=True)
class Surroundings:
    """What is the same for all jobs of the tenant; None and a reason for what cannot be read."""

    now: datetime | None
    now_unknown: str
    agents: list[dict[str, Any]]
    agents_unknown: str | None


def inspect(service: JobInspector, question: Question) -> dict[str, Any]:
    """Jobs with their state, scope, mappings and problems; and the agents, where the application may see them."""
    found = jobs.all_jobs(service, question.templates)
    if question.domain:
        wanted = question.domain.lower()
        found = [job for job in found if job.domain.lower() == wanted]
    around = _surroundings(service, found)
    described = [_described(service, job, question, around) for job in found]
    return {
        "jobs": described,
        "agents": around.agents,
        "agents_unreadable": around.agents_unknown,
        "counts": {
            "jobs": sum(job.raw is not None for job in found),
            "configurations_without_job": sum(job.raw is None for job in found),
            "running": sum(job.running for job in found),
            "quarantined": sum(job.in_quarantine for job in found),
            "late": sum(item["late"] is True for item in described),
            "escrowed": sum(item["escrows"]["count"] for item in described),
            "problems": sum(len(item["problems"]) for item in described),
        },
    }


def _described(service: JobInspector, job: Job, question: Question, around: Surroundings) -> dict[str, Any]:
    described = jobs.describe(job)
    described.update(
        scope=None, mapped_attributes=[], missing_mappings=[], flow_types=[], failures=[], deletions=None, late=None
    )
    described["seconds_since_last_cycle"] = problems.seconds_since_last_cycle(job, around.now)
    described["escrows"] = _escrows(job, [], question.limit)
    if job.raw is None:
        without = f"The configuration {job.name} has no job. Make it, or remove it, with writeback_job."
        return described | {"problems": [without]}
    found = problems.of_state(job)
    if deletions.stopped(job):
        stopped = deletions.pending(service, job)
        described["deletions"] = stopped.as_result(question.limit)
        found.append(stopped.in_words())
    if around.now_unknown and job.running:
        found.append(f"How long ago the last cycle was is not known: {around.now_unknown}")
    described["late"] = problems.late(job, around.now, question.late_after_intervals)
    if described["late"]:
        found.append(problems.late_in_words(job, described["seconds_since_last_cycle"]))
    found.extend(problems.of_agents(around.agents, around.agents_unknown))
    try:
        schema = service.schema(job.service_principal_id, job.id)
    except NotFound:
        found.append("The job has no schema yet.")
    else:
        described.update(_schema_facts(schema))
        found.extend(problems.of_schema(schema, described["missing_mappings"]))
    try:
        failing, complete = failures.unresolved(service, job)
    except HybridError as error:
        found.append(f"The provisioning log could not be read: {error.message}")
    else:
        described["failures"] = failing[: question.limit]
        described["escrows"] = _escrows(job, failing, question.limit)
        if not complete:
            found.append(
                f"There are more than {failures.LOG_ENTRIES} failures in the provisioning log; older ones are left out."
            )
    return described | {"problems": found}


def _escrows(job: Job, failing: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """Mailboxes that the job keeps to try again, as of its last cycle; the log names those it knows."""
    last = jobs.execution(job.status.get("lastExecution"))
    count = last["counts"]["countEscrowed"] if last else 0
    return {
        "count": count,
        "pruned": job.status.get("escrowsPruned") is True,
        "mailboxes": [failure["user_principal_name"] or failure["object"] for failure in failing[:limit]],
        "not_named": max(0, count - len(failing)),
    }


def _schema_facts(schema: Mapping[str, Any]) -> dict[str, Any]:
    targets = schemas.targets(schema)
    present = {target.lower() for target in targets}
    return {
        "scope": {"organizational_units": schemas.containers(schema), "groups": schemas.groups(schema)},
        "mapped_attributes": targets,
        "missing_mappings": [name for name in WRITEBACK if name.lower() not in present],
        "flow_types": sorted(schemas.flow_types(schema)),
    }


def _surroundings(service: JobInspector, found: list[Job]) -> Surroundings:
    """The service's clock and the agents, whose interface is a beta that applications may not be allowed to."""
    now, now_unknown = None, ""
    if any(job.running for job in found):
        try:
            now = service.service_time()
        except HybridError as error:
            now_unknown = error.message
    agents: list[dict[str, Any]] = []
    agents_unknown = None
    try:
        agents = [{name: str(agent.get(key) or "") for name, key in AGENT_KEYS.items()} for agent in service.agents()]
    except HybridError as error:
        agents_unknown = error.message
    return Surroundings(now, now_unknown, agents, agents_unknown)
