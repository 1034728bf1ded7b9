# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Mapping rules onto a job's schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
    PermissionDenied,
    ProtocolError,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import (
    Artifacts,
    SchemaReader,
    SchemaWriter,
    Warn,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import diff
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import Merged, merge, standard
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import Rule


@dataclass(frozen=True)
class Mapped:
    """What was changed, or would be."""

    merged: Merged
    job: jobs.Job
    artifact: dict[str, Any]

    @property
    def changed(self) -> bool:
        return bool(self.merged.changes)

    def lines(self) -> list[str]:
        """One line per change."""
        return diff.lines(self.merged.changes)


def apply_rules(
    service: SchemaWriter,
    domain: str,
    templates: Templates,
    rules: Sequence[Rule],
    purge: bool,
    add_missing: bool,
    check_mode: bool,
    artifacts: Artifacts,
    warn: Warn,
) -> Mapped:
    """Read the live schema, lay the rules over it, and write it whole if that changes anything.

    Conflict where the schema changed between reading and writing, or is not as written when read back. The schema
    before the write is kept as an artifact.
    """
    job = jobs.require(service, templates, domain)
    live = service.schema(job.service_principal_id, job.id)
    laid_over = _laid_over(service, job, rules, purge, add_missing, warn)
    merged = laid_over(live)
    for warning in merged.warnings:
        warn(warning)
    if check_mode or not merged.changes:
        return Mapped(merged, job, {})
    with artifacts("writeback-schema-before") as image:
        image.write({"domain": domain, "job_id": job.id, "schema": live})
    now = service.schema(job.service_principal_id, job.id)
    if schemas.canonical(now) != schemas.canonical(live):
        raise Conflict(
            f"Somebody changed the mappings of the job of {domain} while this run was planning. Nothing was written. "
            "Run again: the plan is made anew.",
            domain=domain,
        )
    failure: HybridError | None = None
    try:
        service.put_schema(job.service_principal_id, job.id, merged.schema)
    except HybridError as error:
        failure = error
    left = laid_over(service.schema(job.service_principal_id, job.id)).changes
    if left and failure is not None:
        failure.facts.setdefault("changed", False)
        raise failure
    if left:
        raise Conflict(
            f"The service took the mappings of the job of {domain}, but shows others when read back: "
            f"{'; '.join(diff.lines(left)[:5])}. The schema before the change is in {image.artifact.path}.",
            changed=True,
            artifact=image.artifact.as_result(),
        )
    return Mapped(merged, job, image.artifact.as_result())


def default_schema(service: SchemaReader, job: jobs.Job, warn: Warn) -> Mapping[str, Any] | None:
    """The service's default for the job: the schema of its template; None, and a warning, where that cannot be read.

    It is documented for templates in general; that the template of writeback jobs shows it is not.
    """
    template = str((job.raw or {}).get("templateId") or "")
    try:
        return service.template_schema(job.service_principal_id, template)
    except (Conflict, NotFound, PermissionDenied, ProtocolError) as error:
        warn(
            f"The service's default mappings cannot be read ({error.message}) Mappings of the attributes that it "
            "writes back are left as they are where no rule names them, and none is added."
        )
        return None


def planned(
    service: SchemaReader,
    domain: str,
    templates: Templates,
    rules: Sequence[Rule],
    purge: bool,
    add_missing: bool,
    warn: Warn,
) -> tuple[Merged, bool]:
    """The mappings that the job of a domain would have after ``apply_rules``, and whether there is such a job.

    Where there is none yet, the rules lie over what a new one is known to have.
    """
    job = jobs.find(service, templates, domain)
    if job is None or job.raw is None:
        return merge(standard(), rules, purge, default=standard(), add_missing=add_missing), False
    laid_over = _laid_over(service, job, rules, purge, add_missing, warn)
    return laid_over(service.schema(job.service_principal_id, job.id)), True


def _laid_over(
    service: SchemaReader, job: jobs.Job, rules: Sequence[Rule], purge: bool, add_missing: bool, warn: Warn
) -> Callable[[Mapping[str, Any]], Merged]:
    """Lays the rules over a schema of a job; the service's default is read once, and only where it is needed."""
    default = default_schema(service, job, warn) if purge or add_missing else None
    return lambda schema: merge(schema, rules, purge, default=default, add_missing=add_missing)


def counts(mapped: Mapped) -> dict[str, int]:
    """How many mappings are added, changed and removed."""
    changes = mapped.merged.changes
    return {
        "added": sum(change.before is None for change in changes),
        "changed": sum(change.before is not None and change.after is not None for change in changes),
        "removed": sum(change.after is None for change in changes),
    }


def shown(mapped: Mapped, domain: str) -> list[dict[str, Any]]:
    """The change for diff mode."""
    if not mapped.changed:
        return []
    before, after = diff.before_and_after(mapped.merged.changes)
    header = f"mappings of {domain}"
    return [{"before_header": header, "after_header": header, "before": before, "after": after}]
