# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What has to be done to bring a writeback job into the wanted state: purely from what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._job import first_start
from ansible_collections.hybrid.exchange.plugins.module_utils._job import scope as scopes
from ansible_collections.hybrid.exchange.plugins.module_utils._job import settings as secrets
from ansible_collections.hybrid.exchange.plugins.module_utils._job.first_start import FirstStart
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job, Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.scope import Scope
from ansible_collections.hybrid.exchange.plugins.module_utils._job.settings import Secrets, Settings
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas

STATES = ("present", "absent", "started", "paused")


@dataclass(frozen=True)
class Wanted:
    """What the options state."""

    state: str
    settings: Settings
    scope: Scope = field(default_factory=Scope)
    templates: Templates = field(default_factory=Templates)
    first_start: FirstStart = field(default_factory=FirstStart)
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
class Read:
    """What was read before the plan: the configuration and its job, and, where the plan needs them, more.

    schema is read where a scope is stated and before a first start; settings where they are stated or may be missing.
    settings is None where they were not read or cannot be, and unreadable_because says why not.
    """

    job: Job | None
    schema: Mapping[str, Any] | None = None
    settings: Secrets | None = None
    unreadable_because: str = ""

    @property
    def exists(self) -> bool:
        """Whether there is a job, and not only a configuration."""
        return self.job is not None and self.job.raw is not None


def make_plan(wanted: Wanted, read: Read) -> Plan:
    """The steps in their order; none where all is as wanted."""
    current, schema, exists = read.job, read.schema, read.exists
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
    if settings_needed(wanted, read):
        steps.append("write_settings")
        known = secrets.readable(read.settings)
        before["settings"] = secrets.shown(read.settings or {}) if known else "unknown" if exists else None
        after["settings"] = secrets.shown(wanted.settings.secrets(read.settings))
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


def check(wanted: Wanted) -> None:
    """Refuse options that make no sense, before anything is read."""
    if wanted.state not in STATES:
        raise InputError(f"state must be one of {', '.join(STATES)}, not {wanted.state!r}.")
    if "." not in wanted.domain or " " in wanted.domain:
        raise InputError(
            f"domain must be the DNS name of an AD domain such as corp.contoso.com, not {wanted.domain!r}."
        )
    if wanted.settings.delete_threshold is not None and wanted.settings.delete_threshold < 0:
        raise InputError("delete_threshold must not be negative; 0 turns the threshold off.")


def settings_unfinished(job: Job) -> bool:
    """Whether a run may have died before the settings of this configuration were written."""
    return job.raw is None or (not job.known_domain and secrets.marked(job.tags) is None)


def settings_needed(wanted: Wanted, read: Read) -> bool:
    """Whether the settings have to be written."""
    if read.job is None or settings_unfinished(read.job):
        return True
    if not wanted.settings.stated:
        return False
    if secrets.readable(read.settings):
        return wanted.settings.differ(read.settings or {})
    return secrets.marked(read.job.tags) != wanted.settings.tag()


def guard(wanted: Wanted, read: Read, plan: Plan) -> list[str]:
    """Refuse what would go wrong, before the first write; the answer are warnings."""
    if "start" in plan.steps and first_start.is_first(read.job):
        first_start.guard(wanted.first_start, wanted.domain, wanted.scope, read.schema)
    if "set_scope" in plan.steps and read.job is not None and read.schema is not None:
        scopes.guard(read.job, read.schema)
    if "write_settings" not in plan.steps or read.job is None or settings_unfinished(read.job):
        return []
    lost = secrets.kept_secret(read.settings)
    if lost:
        raise Refused(
            f"The configuration of {wanted.domain} has settings whose values the service does not tell "
            f"({', '.join(lost)}). It takes all settings at once, so writing the stated ones would remove those. "
            "Change them in the Microsoft Entra admin center, and leave notification_recipients, notifications_enabled "
            "and delete_threshold out here.",
            domain=wanted.domain,
            settings=lost,
        )
    if secrets.readable(read.settings):
        return []
    why = f" ({read.unreadable_because})" if read.unreadable_because else ""
    return [
        f"The settings of the job of {wanted.domain} cannot be read{why}. All of them are written anew: what "
        "notification_recipients, notifications_enabled and delete_threshold do not state gets its default."
    ]


def _stated_scope(scope: Scope) -> dict[str, list[str]]:
    stated = {"organizational_units": scope.organizational_units, "groups": scope.groups}
    return {name: sorted(value) for name, value in stated.items() if value is not None}


def _shown_scope(scope: Scope, schema: Mapping[str, Any] | None) -> dict[str, list[str]] | None:
    if schema is None:
        return None
    live = {"organizational_units": schemas.containers(schema), "groups": schemas.groups(schema)}
    return {name: sorted(live[name]) for name in _stated_scope(scope)}
