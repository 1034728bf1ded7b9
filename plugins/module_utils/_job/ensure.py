# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The writeback job of an AD domain: present, absent, started or paused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    HybridError,
    InputError,
    NotFound,
    ProtocolError,
    Refused,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job import scope as scopes
from ansible_collections.hybrid.exchange.plugins.module_utils._job import waiting
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job, Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import Artifacts, Clock, JobWriter, Warn
from ansible_collections.hybrid.exchange.plugins.module_utils._job.scope import Scope
from ansible_collections.hybrid.exchange.plugins.module_utils._job.settings import Settings, marked, with_mark
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas

STATES = ("present", "absent", "started", "paused")


@dataclass(frozen=True)
class Wanted:
    """What the options state."""

    state: str
    settings: Settings
    scope: Scope = field(default_factory=Scope)
    templates: Templates = field(default_factory=Templates)
    wait: bool = True
    wait_timeout: float = 300

    @property
    def domain(self) -> str:
        return self.settings.domain


@dataclass(frozen=True)
class Plan:
    """The steps in their order, and both states for the diff."""

    steps: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Ends:
    """What the use case works with."""

    synchronization: JobWriter
    clock: Clock
    artifacts: Artifacts
    warn: Warn


def ensure(ends: Ends, wanted: Wanted, check_mode: bool) -> tuple[Plan, Job | None, dict[str, Any]]:
    """Read, plan, and, unless in check mode, apply and read back. Answers the plan, the job and an artifact.

    Errors that come after a step was done have the facts changed and steps_done.
    """
    _check(wanted)
    current = jobs.find(ends.synchronization, wanted.templates, wanted.domain)
    schema = None
    if current is not None and current.raw is not None and wanted.scope.stated and wanted.state != "absent":
        schema = ends.synchronization.schema(current.service_principal_id, current.id)
    plan = make_plan(wanted, current, schema)
    _guard(ends, wanted, current, schema, plan)
    if check_mode or not plan.steps:
        return plan, current, {}
    done: list[str] = []
    try:
        job, artifact = _apply(ends, wanted, current, plan, done)
        return plan, _read_back(ends, wanted, job), artifact
    except HybridError as error:
        error.facts.update(changed=bool(done) or bool(error.facts.get("uncertain")), steps_done=list(done))
        raise


def make_plan(wanted: Wanted, current: Job | None, schema: Mapping[str, Any] | None) -> Plan:
    """What has to be done, purely from what was read. schema is read only where a scope is stated."""
    exists = current is not None and current.raw is not None
    steps: list[str] = []
    before: dict[str, Any] = {"exists": exists}
    after: dict[str, Any] = {"exists": wanted.state != "absent"}
    if wanted.state == "absent":
        if exists:
            steps.append("delete_job")
        if current is not None:
            steps.append("delete_configuration")
            before["configuration"], after["configuration"] = current.name, None
        return Plan(tuple(steps), before, after)
    if current is None:
        steps.append("create_configuration")
    if not exists:
        steps.append("create_job")
    if _settings_needed(wanted, current):
        steps.append("write_settings")
        before["settings"] = "unknown" if exists else None
        after["settings"] = wanted.settings.secrets()
    if wanted.scope.stated and (schema is None or wanted.scope.differs(schema)):
        steps.append("set_scope")
        before["scope"] = _shown_scope(wanted.scope, schema)
        after["scope"] = _stated_scope(wanted.scope)
    running = exists and current is not None and current.running
    if wanted.state == "started" and not running:
        steps.append("start")
        before["running"], after["running"] = False, True
    if wanted.state == "paused" and running:
        steps.append("pause")
        before["running"], after["running"] = True, False
    return Plan(tuple(steps), before, after)


def _check(wanted: Wanted) -> None:
    if wanted.state not in STATES:
        raise InputError(f"state must be one of {', '.join(STATES)}, not {wanted.state!r}.")
    if "." not in wanted.domain or " " in wanted.domain:
        raise InputError(
            f"domain must be the DNS name of an AD domain such as corp.contoso.com, not {wanted.domain!r}."
        )
    if wanted.settings.delete_threshold is not None and wanted.settings.delete_threshold < 0:
        raise InputError("delete_threshold must not be negative; 0 turns the threshold off.")


def _settings_needed(wanted: Wanted, current: Job | None) -> bool:
    if current is None or current.raw is None:
        return True
    mark = marked(current.tags)
    if not current.known_domain and mark is None:
        return True
    return wanted.settings.stated and mark != wanted.settings.tag()


def _guard(ends: Ends, wanted: Wanted, current: Job | None, schema: Mapping[str, Any] | None, plan: Plan) -> None:
    """What would go wrong is found before the first write."""
    if "create_configuration" in plan.steps and not ends.synchronization.organization().get("onPremisesSyncEnabled"):
        raise Refused(
            "The tenant is not synchronized from AD (onPremisesSyncEnabled is not set), so there is nothing to write "
            "back. Set up Microsoft Entra Connect Sync first.",
            domain=wanted.domain,
        )
    if "set_scope" in plan.steps and current is not None and schema is not None:
        scopes.guard(current, schema)
    if "write_settings" in plan.steps and current is not None and current.raw is not None:
        ends.warn(
            f"The settings of the job of {wanted.domain} cannot be read. All of them are written anew: what "
            "notification_recipients, notifications_enabled and delete_threshold do not state gets its default."
        )


def _apply(
    ends: Ends, wanted: Wanted, current: Job | None, plan: Plan, done: list[str]
) -> tuple[Job | None, dict[str, Any]]:
    job = current
    artifact: dict[str, Any] = {}
    for step in plan.steps:
        if step == "create_configuration":
            job = _create_configuration(ends, wanted)
        elif job is None:
            raise ProtocolError(f"The configuration of {wanted.domain} is gone since it was read. Run again.")
        elif step == "create_job":
            job = _create_job(ends, wanted, job)
        elif step == "write_settings":
            job = _write_settings(ends, wanted, job)
        elif step == "set_scope":
            found = job
            artifact = waiting.until_found(
                ends.clock,
                wanted.wait_timeout,
                lambda found=found: scopes.write(ends.synchronization, found, wanted.scope, ends.artifacts),  # type: ignore[misc]
            )
        elif step == "delete_configuration":
            ends.synchronization.delete_configuration(
                job.service_principal_id, str(job.service_principal.get("appId") or "")
            )
        else:
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


def _write_settings(ends: Ends, wanted: Wanted, job: Job) -> Job:
    """Settings first, their mark second: a run that dies between writes them again, which does no harm."""
    service = ends.synchronization
    secrets = wanted.settings.secrets()
    waiting.until_found(ends.clock, wanted.wait_timeout, lambda: service.put_secrets(job.service_principal_id, secrets))
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


def _read_back(ends: Ends, wanted: Wanted, job: Job | None) -> Job | None:
    """Read until the service shows the wanted state, or, without wait, once."""
    if job is None:
        return None

    def read() -> Job | None:
        try:
            return jobs.reread(ends.synchronization, job)
        except NotFound:
            return None

    def done(now: Job | None) -> bool:
        if wanted.state == "absent":
            return now is None
        return now is not None and (wanted.state == "present" or now.running == (wanted.state == "started"))

    def late(now: Job | None) -> HybridError:
        seen = jobs.in_words(now) if now is not None else "no job"
        return Timeout(
            f"The writeback job of {wanted.domain} was told to be {wanted.state}, but after {wanted.wait_timeout:g} "
            f"seconds the service still shows: {seen}. Run again, or raise wait_timeout.",
            last_state=seen,
        )

    if not wanted.wait:
        return read()
    return waiting.until(ends.clock, wanted.wait_timeout, read, done, late)


def _stated_scope(scope: Scope) -> dict[str, list[str]]:
    stated = {"organizational_units": scope.organizational_units, "groups": scope.groups}
    return {name: sorted(value) for name, value in stated.items() if value is not None}


def _shown_scope(scope: Scope, schema: Mapping[str, Any] | None) -> dict[str, list[str]] | None:
    if schema is None:
        return None
    live = {"organizational_units": schemas.containers(schema), "groups": schemas.groups(schema)}
    return {name: sorted(live[name]) for name in _stated_scope(scope)}
