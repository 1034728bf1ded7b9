# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Which users a job is for: organizational units and groups in its schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import Artifacts, SchemaWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas


@dataclass(frozen=True)
class Scope:
    """The wanted scope; None leaves that part, an empty list means everybody."""

    organizational_units: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None

    @property
    def stated(self) -> bool:
        return self.organizational_units is not None or self.groups is not None

    def differs(self, schema: Mapping[str, Any]) -> bool:
        """Whether the schema has another scope."""
        return any(
            wanted is not None and _folded(wanted) != _folded(live)
            for wanted, live in (
                (self.organizational_units, schemas.containers(schema)),
                (self.groups, schemas.groups(schema)),
            )
        )


def guard(job: Job, schema: Mapping[str, Any]) -> None:
    """Refuse to change the scope of a job that may delete: users who leave its scope could be disabled or deleted.

    A job that never ran has nobody in scope who could leave it.
    """
    if "Delete" in schemas.flow_types(schema) and not job.never_ran:
        raise Refused(
            f"The scope of the writeback job of {job.domain} is not changed: its mappings allow Delete, so users "
            "who leave the scope could be disabled or deleted in AD. Remove Delete from its object mapping first.",
            domain=job.domain,
            flow_types=sorted(schemas.flow_types(schema)),
        )


def write(writer: SchemaWriter, job: Job, scope: Scope, artifacts: Artifacts) -> dict[str, Any]:
    """Change the scope; the schema before it is kept as an artifact, which is the answer."""
    live = writer.schema(job.service_principal_id, job.id)
    if not scope.differs(live):
        return {}
    guard(job, live)
    with artifacts("writeback-schema-before") as image:
        image.write({"domain": job.domain, "job_id": job.id, "schema": live})
    units = None if scope.organizational_units is None else list(scope.organizational_units)
    groups = None if scope.groups is None else list(scope.groups)
    writer.put_schema(job.service_principal_id, job.id, schemas.with_scope(live, units, groups))
    if scope.differs(writer.schema(job.service_principal_id, job.id)):
        raise Conflict(
            f"The service took the new scope of the job of {job.domain}, but shows another one when read back. The "
            f"schema before the change is in {image.artifact.path}.",
            domain=job.domain,
        )
    return image.artifact.as_result()


def _folded(names: Sequence[str]) -> set[str]:
    return {re.sub(r"\s*([,=])\s*", r"\1", name.strip()).casefold() for name in names}
