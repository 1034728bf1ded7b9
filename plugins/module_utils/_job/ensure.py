# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The writeback job of an AD domain: present, absent, started or paused."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
    ProtocolError,
    Refused,
    Timeout,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job import ensure_plan, first_start
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ensure_plan import Plan, Read, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ensure_steps import Ends, apply
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._run import waiting


def ensure(ends: Ends, wanted: Wanted, check_mode: bool) -> tuple[Plan, Job | None, dict[str, Any]]:
    """Read, plan, and, unless in check mode, apply and read back. Answers the plan, the job and an artifact.

    Errors that come after a step was done have the facts changed and steps_done.
    """
    ensure_plan.check(wanted)
    read = _read(ends, wanted)
    plan = ensure_plan.make_plan(wanted, read)
    _guard(ends, wanted, plan)
    for warning in ensure_plan.guard(wanted, read, plan):
        ends.warn(warning)
    if check_mode or not plan.steps:
        return plan, read.job, {}
    done: list[str] = []
    try:
        job, artifact = apply(ends, wanted, read, plan, done)
        return plan, _read_back(ends, wanted, job), artifact
    except HybridError as error:
        error.facts.update(changed=bool(done) or bool(error.facts.get("uncertain")), steps_done=list(done))
        raise


def _read(ends: Ends, wanted: Wanted) -> Read:
    job = jobs.find(ends.synchronization, wanted.templates, wanted.domain)
    if job is None or wanted.state == "absent":
        return Read(job)
    schema = None
    if job.raw is not None and (wanted.scope.stated or (wanted.state == "started" and first_start.is_first(job))):
        schema = ends.synchronization.schema(job.service_principal_id, job.id)
    if not wanted.settings.stated and not ensure_plan.settings_unfinished(job):
        return Read(job, schema)
    try:
        return Read(job, schema, ends.synchronization.secrets(job.service_principal_id))
    except (Conflict, NotFound, ProtocolError) as error:  # a service that does not tell them, or not yet
        return Read(job, schema, None, error.message)


def _guard(ends: Ends, wanted: Wanted, plan: Plan) -> None:
    if "create_configuration" in plan.steps and not ends.synchronization.organization().get("onPremisesSyncEnabled"):
        raise Refused(
            "The tenant is not synchronized from AD (onPremisesSyncEnabled is not set), so there is nothing to write "
            "back. Set up Microsoft Entra Connect Sync first.",
            domain=wanted.domain,
        )


def _read_back(ends: Ends, wanted: Wanted, job: Job | None) -> Job | None:
    """Read until the service shows the wanted state, or, without wait, once."""
    if job is None:
        return None

    def read() -> Job | None:
        try:
            if wanted.state == "absent":
                return Job(ends.synchronization.service_principal(job.service_principal_id), job.raw)
            return jobs.reread(ends.synchronization, job)
        except NotFound:
            return None

    def done(now: Job | None) -> bool:
        if wanted.state == "absent":
            return now is None
        return now is not None and (wanted.state == "present" or now.running == (wanted.state == "started"))

    def late(now: Job | None) -> HybridError:
        seen = jobs.in_words(now) if now is not None else "no job"
        if wanted.state == "absent":
            seen = "the configuration"
        return Timeout(
            f"The writeback job of {wanted.domain} was told to be {wanted.state}, but after {wanted.wait_timeout:g} "
            f"seconds the service still shows: {seen}. Run again, or raise wait_timeout.",
            last_state=seen,
        )

    if not wanted.wait:
        return read()
    return waiting.until(ends.clock, wanted.wait_timeout, read, done, late)
