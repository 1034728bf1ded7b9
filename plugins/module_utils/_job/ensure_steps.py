# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The steps that make, change and remove a writeback job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    HybridError,
    NotFound,
    ProtocolError,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job import first_start
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job import scope as scopes
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ensure_plan import Plan, Read, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import (
    Artifacts,
    JobWriter,
    Warn,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job.settings import readable, with_mark
from ansible_collections.hybrid.exchange.plugins.module_utils._run import waiting
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import Clock


@dataclass(frozen=True)
class Ends:
    """What the use case works with."""

    synchronization: JobWriter
    clock: Clock
    artifacts: Artifacts
    warn: Warn


def apply(ends: Ends, wanted: Wanted, read: Read, plan: Plan, done: list[str]) -> tuple[Job | None, dict[str, Any]]:
    """Do the steps of the plan, and note in done each that is; answers the job and an artifact."""
    job = read.job
    artifact: dict[str, Any] = {}
    for step in plan.steps:
        if step == "create_configuration":
            job = _create_configuration(ends, wanted)
        elif job is None:
            raise ProtocolError(f"The configuration of {wanted.domain} is gone since it was read. Run again.")
        elif step == "create_job":
            job = _create_job(ends, wanted, job)
        elif step == "write_settings":
            job = _write_settings(ends, wanted, read, job)
        elif step == "set_scope":
            write = partial(scopes.write, ends.synchronization, job, wanted.scope, ends.artifacts)
            artifact = waiting.until_found(ends.clock, wanted.wait_timeout, write)
        elif step == "delete_configuration":
            ends.synchronization.delete_configuration(
                job.service_principal_id, str(job.service_principal.get("appId") or "")
            )
        else:
            if step == "start" and not read.exists:
                _check_new(ends, wanted, job)
            _switch(ends, step, job)
        done.append(step)
    return job, artifact


def _create_configuration(ends: Ends, wanted: Wanted) -> Job:
    """Make the service principal. Where the answer was lost it is looked for, so that there are never two."""
    service = ends.synchronization
    try:
        answer = service.instantiate(wanted.templates.application, wanted.domain)
    except Unavailable as error:
        if not error.facts.get("uncertain"):
            raise
        job = _look_for(ends, wanted)
        if job is None:
            raise
        return job
    principal = answer.get("servicePrincipal")
    identifier = principal.get("id") or principal.get("objectId") if isinstance(principal, Mapping) else None
    if not identifier:
        raise ProtocolError("The service made a configuration and did not say its id. Run again: it will be found.")
    read = waiting.until_found(ends.clock, wanted.wait_timeout, lambda: service.service_principal(str(identifier)))
    return Job(read, None)


def _check_new(ends: Ends, wanted: Wanted, job: Job) -> None:
    """Before a job that was made in this run is started: what its mappings are is known only now."""
    found = wanted.first_start.prediction
    if found is not None:
        read = partial(ends.synchronization.schema, job.service_principal_id, job.id)
        first_start.check_mappings(found, wanted.domain, waiting.until_found(ends.clock, wanted.wait_timeout, read))


def _look_for(ends: Ends, wanted: Wanted) -> Job | None:
    for _attempt in range(5):
        ends.clock.sleep(waiting.PAUSE)
        job = jobs.find(ends.synchronization, wanted.templates, wanted.domain)
        if job is not None:
            return job
    return None


def _create_job(ends: Ends, wanted: Wanted, job: Job) -> Job:
    service = ends.synchronization
    try:
        raw = waiting.until_found(
            ends.clock, wanted.wait_timeout, lambda: service.create_job(job.service_principal_id, wanted.templates.job)
        )
    except Unavailable as error:
        found = service.jobs(job.service_principal_id) if error.facts.get("uncertain") else []
        if not found:
            raise
        raw = found[0]
    if not raw.get("id"):
        raise ProtocolError("The service made a job and did not say its id. Run again: it will be found.")
    return job.with_raw(raw)


def _write_settings(ends: Ends, wanted: Wanted, read: Read, job: Job) -> Job:
    """Settings first, their mark second: a run that dies between writes them again, which does no harm."""
    service = ends.synchronization
    secrets = wanted.settings.secrets(read.settings)
    waiting.until_found(ends.clock, wanted.wait_timeout, lambda: service.put_secrets(job.service_principal_id, secrets))
    if readable(read.settings):
        return job
    tags = with_mark(job.tags, wanted.settings.tag())
    waiting.until_found(ends.clock, wanted.wait_timeout, lambda: service.set_tags(job.service_principal_id, tags))
    return Job({**job.service_principal, "tags": tags}, job.raw)


def _switch(ends: Ends, step: str, job: Job) -> None:
    """Start, pause or delete; an error counts only if the job is not then as wanted."""
    service = ends.synchronization
    actions: Mapping[str, Callable[[], object]] = {
        "start": lambda: service.start(job.service_principal_id, job.id),
        "pause": lambda: service.pause(job.service_principal_id, job.id),
        "delete_job": lambda: service.delete_job(job.service_principal_id, job.id),
    }
    try:
        actions[step]()
    except HybridError as error:
        try:
            now = jobs.reread(service, job)
        except NotFound:
            if step == "delete_job":
                return
            raise error from None
        if step == "delete_job" or now.running != (step == "start"):
            raise
