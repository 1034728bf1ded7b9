# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What there is to know of the writeback jobs of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job, Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import JobInspector
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import WRITEBACK
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

LOG_ENTRIES = 1000
AGENT_KEYS: Mapping[str, str] = {"machine_name": "machineName", "status": "status", "id": "id"}


@dataclass(frozen=True)
class Question:
    """What is asked: one domain or all, and how many failures at most."""

    domain: str | None
    templates: Templates
    limit: int


def inspect(service: JobInspector, question: Question) -> dict[str, Any]:
    """Jobs with their state, scope, mappings and problems; and the agents, where the application may see them."""
    found = jobs.all_jobs(service, question.templates)
    if question.domain:
        wanted = question.domain.lower()
        found = [job for job in found if job.domain.lower() == wanted]
    described = [_described(service, job, question.limit) for job in found]
    agents, unreadable = _agents(service)
    return {
        "jobs": described,
        "agents": agents,
        "agents_unreadable": unreadable,
        "counts": {
            "jobs": sum(job.raw is not None for job in found),
            "configurations_without_job": sum(job.raw is None for job in found),
            "running": sum(job.running for job in found),
            "quarantined": sum(job.in_quarantine for job in found),
            "problems": sum(len(item["problems"]) for item in described),
        },
    }


def _described(service: JobInspector, job: Job, limit: int) -> dict[str, Any]:
    described = jobs.describe(job)
    described.update(scope=None, mapped_attributes=[], missing_mappings=[], flow_types=[], failures=[])
    problems: list[str] = []
    if job.raw is None:
        problems.append(f"The configuration {job.name} has no job. Make it, or remove it, with writeback_job.")
    else:
        problems.extend(_state_problems(job))
        try:
            schema = service.schema(job.service_principal_id, job.id)
        except NotFound:
            problems.append("The job has no schema yet.")
        else:
            described.update(_schema_facts(schema))
            problems.extend(_schema_problems(schema))
        try:
            described["failures"] = _failures(service, job, limit)
        except HybridError as error:
            problems.append(f"The provisioning log could not be read: {error.message}")
    described["problems"] = problems
    return described


def _state_problems(job: Job) -> list[str]:
    found = []
    if job.in_quarantine:
        found.append(jobs.quarantine_message(job))
    if not job.running:
        found.append("The job does not run; nothing is written back. Start it with writeback_job (state started).")
    last = jobs.execution(job.status.get("lastExecution"))
    if last and last["state"] == "Failed":
        found.append(f"The last cycle failed: {last['error'] or 'the service gives no reason'}.")
    if last and last["state"] == "EntryLevelErrors":
        found.append("The last cycle could not write some objects; see failures.")
    return found


def _schema_facts(schema: Mapping[str, Any]) -> dict[str, Any]:
    targets = schemas.targets(schema)
    present = {target.lower() for target in targets}
    return {
        "scope": {"organizational_units": schemas.containers(schema), "groups": schemas.groups(schema)},
        "mapped_attributes": targets,
        "missing_mappings": [name for name in WRITEBACK if name.lower() not in present],
        "flow_types": sorted(schemas.flow_types(schema)),
    }


def _schema_problems(schema: Mapping[str, Any]) -> list[str]:
    found = []
    missing = _schema_facts(schema)["missing_mappings"]
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


def _failures(service: JobInspector, job: Job, limit: int) -> list[dict[str, Any]]:
    """The newest failure of each mailbox, the newest mailboxes first."""
    found: dict[str, dict[str, Any]] = {}
    for entry in service.log(job.id, status="failure", limit=LOG_ENTRIES):
        identity = entry.get("sourceIdentity") or {}
        info = (entry.get("provisioningStatusInfo") or {}).get("errorInformation") or {}
        name = str(identity.get("displayName") or identity.get("id") or "")
        if name in found:
            continue
        if len(found) >= limit:
            break
        found[name] = {
            "object": name,
            "id": str(identity.get("id") or ""),
            "time": str(entry.get("activityDateTime") or ""),
            "code": str(info.get("errorCode") or ""),
            "error": str(info.get("reason") or ""),
            "advice": str(info.get("recommendedAction") or ""),
        }
    return list(found.values())


def _agents(service: JobInspector) -> tuple[list[dict[str, Any]], str | None]:
    """The agents, or why they cannot be seen: the interface is a beta, and applications may not be allowed to it."""
    try:
        agents = service.agents()
    except HybridError as error:
        return [], error.message
    return [{name: str(agent.get(key) or "") for name, key in AGENT_KEYS.items()} for agent in agents], None
