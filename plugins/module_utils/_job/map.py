# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Mapping rules onto a job's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._job import job as jobs
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import Artifacts, SchemaWriter, Warn
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import diff
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import Merged, merge
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
    merged = merge(live, rules, purge)
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
    left = merge(service.schema(job.service_principal_id, job.id), rules, purge).changes
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
