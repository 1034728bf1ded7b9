# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the use cases of the writeback job need from the far ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

Json = Mapping[str, Any]


class JobReader(Protocol):
    """Reads configurations, jobs and schemas; everything is Graph's JSON."""

    def service_principals(self, application_template_id: str) -> list[dict[str, Any]]: ...

    def jobs(self, service_principal_id: str) -> list[dict[str, Any]]: ...

    def job(self, service_principal_id: str, job_id: str) -> dict[str, Any]: ...

    def schema(self, service_principal_id: str, job_id: str) -> dict[str, Any]: ...

    def service_time(self) -> datetime: ...


class JobLog(Protocol):
    """Reads the provisioning log of a job, newest entries first."""

    def log(
        self, job_id: str, status: str | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Iterator[dict[str, Any]]: ...


class JobInspector(JobReader, JobLog, Protocol):
    """Reads what is around a job too."""

    def agents(self) -> list[dict[str, Any]]: ...


class SchemaReader(JobReader, Protocol):
    """Reads the service's default too."""

    def template_schema(self, service_principal_id: str, template_id: str) -> dict[str, Any]: ...


class SchemaWriter(SchemaReader, Protocol):
    """Replaces a job's schema."""

    def put_schema(self, service_principal_id: str, job_id: str, schema: Json) -> None: ...


class JobWriter(SchemaWriter, Protocol):
    """Makes, changes and removes configurations and jobs."""

    def organization(self) -> dict[str, Any]: ...

    def service_principal(self, service_principal_id: str) -> dict[str, Any]: ...

    def instantiate(self, application_template_id: str, display_name: str) -> dict[str, Any]: ...

    def create_job(self, service_principal_id: str, template_id: str) -> dict[str, Any]: ...

    def secrets(self, service_principal_id: str) -> Mapping[str, str | None]: ...

    def put_secrets(self, service_principal_id: str, secrets: Mapping[str, str]) -> None: ...

    def set_tags(self, service_principal_id: str, tags: Sequence[str]) -> None: ...

    def start(self, service_principal_id: str, job_id: str) -> None: ...

    def pause(self, service_principal_id: str, job_id: str) -> None: ...

    def delete_job(self, service_principal_id: str, job_id: str) -> bool: ...

    def delete_configuration(self, service_principal_id: str, application_id: str) -> None: ...


class JobRunner(JobReader, JobLog, Protocol):
    """Makes a job work now, and tells what it did."""

    def restart(self, service_principal_id: str, job_id: str, reset_scope: Sequence[str]) -> None: ...

    def provision_on_demand(
        self, service_principal_id: str, job_id: str, rule_id: str, user_id: str
    ) -> dict[str, Any]: ...


class MailboxReader(Protocol):
    """Reads mailboxes."""

    def read(self, selection: Selection, properties: Sequence[str] = ()) -> Iterator[Mailbox]: ...

    @property
    def left_out(self) -> Sequence[Member]:
        """The users that the last read, once it ended, selected by group or organizational unit without a mailbox."""


class Writer(Protocol):
    """Writes an artifact."""

    def write(self, line: Json) -> None: ...

    @property
    def artifact(self) -> Artifact: ...


class Artifacts(Protocol):
    """Makes artifacts."""

    def __call__(self, name: str) -> AbstractContextManager[Writer]: ...


class Progress(Protocol):
    """Shows how far a run is."""

    def start(self, phase: str, total: int | None = None) -> None: ...

    def advance(self, count: int = 1) -> None: ...


Warn = Callable[[str], None]
