# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: say what a cycle of a writeback job will leave in AD, for every selected mailbox, before it runs.

It only reads. The mappings that count are those that the job will have: its live schema with the rules over it. Where
Microsoft documents nothing, the reading is taken that loses more, so that nothing is lost that was not listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import diff, flow
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.fingerprint import fingerprint
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import Merged
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, prediction
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import (
    left_out_warnings,
    listing,
    without_mailbox_line,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import planning, reconcile
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict_give_up import GivenUp
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict_job import JobPlan, of_schema
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict_judge import UNCHANGED, Judge, Tally
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_read import BulkMailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run

AS_IS, ASSUMED = CLOUD_MANAGED = ("as_is", "assumed")
WITHOUT_MAILBOX = "without_mailbox"
FAIL, IGNORE = GIVE_UP_UNUSED = ("fail", "ignore")


class Mailboxes(BulkMailboxes, Protocol):
    """The mailboxes of the tenant."""

    def member_ids(self, group: str) -> Collection[str]:
        """The object ids of the users in a group of Entra and in the groups in it; NotFound where there is none."""


class Directory(reconcile.BulkDirectory, Protocol):
    """Active Directory."""

    @property
    def domain(self) -> str: ...


class FarEnds(Protocol):
    """The two sides."""

    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def directory(self) -> Directory: ...


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names. ``mappings`` are those that the job will have; ``live`` says that
    there is a job."""

    selection: Selection
    domain: str
    mappings: Merged
    tenant: str = ""
    live: bool = True
    cloud_managed: str = AS_IS
    proxy_addresses: str = flow.OVERWRITE
    type_values: str = "remote"
    source_anchor_attribute: str | None = None
    give_up: Sequence[str] = ()
    give_up_unused: str = FAIL
    fail_on_loss: bool = False
    organization: Callable[[], Mapping[str, Any]] = dict


def predict(options: Options, far_ends: FarEnds, run: Run) -> Report:
    """Read both sides in bulk and say what a cycle makes of them.

    InputError for an entry of give_up that names nothing at risk, unless such are ignored. Refused with
    ``fail_on_loss`` unless all is safe.
    """
    given = GivenUp(options.give_up)
    directory = far_ends.directory
    if directory.domain.casefold() != options.domain.casefold():
        raise InputError(
            f"The directory is that of {directory.domain}, and the job is that of {options.domain}. Give the domain "
            "controllers of the job's domain in directory_hosts."
        )
    job = of_schema(
        options.mappings.schema,
        style=options.type_values,
        proxy_addresses=options.proxy_addresses,
        domain=options.domain,
        members=far_ends.mailboxes.member_ids,
        organization=options.organization,
    )
    tally = Tally(job.desired.names, job.redacted, run.report_limit)
    left_out, artifact = _read(options, far_ends, run, job, tally, given)
    result = {
        "safe": tally.safe,
        "counts": {**tally.counts(), WITHOUT_MAILBOX: len(left_out)},
        "attributes": tally.by_attribute(),
        "lost": tally.lost,
        "undetermined": tally.undetermined,
        "problems": tally.problems,
        "not_predicted": dict(job.left_out),
        "schema": "live" if options.live else "standard",
        "mapping_changes": diff.lines(options.mappings.changes),
        "domain": directory.domain,
        "directory_host": directory.host,
        "artifact": artifact,
    }
    warnings = [*options.mappings.warnings, *job.warnings, *left_out_warnings(left_out)]
    if options.give_up_unused == FAIL:
        given.check(**result)
    if options.fail_on_loss and not tally.safe:
        raise _refused(result, tally)
    return Report(False, result, warnings=warnings)


def _read(
    options: Options, far_ends: FarEnds, run: Run, job: JobPlan, tally: Tally, given: GivenUp
) -> tuple[Sequence[Any], Any]:
    directory = far_ends.directory
    judge = Judge(job, options.cloud_managed == ASSUMED, directory.base_dn, directory.domain)
    reading = reconcile.reconcile(
        options.selection,
        far_ends,
        job.desired,
        anchor_names=join.anchor_attributes(options.source_anchor_attribute),
        progress=run.progress,
        work_dir=run.work_dir,
    )
    with reading as found, run.artifacts(f"prediction-{directory.domain}") as writer:
        run.progress.start("predict", found.different)
        for pair in found.pairs:
            forecast = judge.forecast(pair)
            forecast.give_up(given)
            tally.add(forecast)
            writer.write(forecast.line(job.redacted))
            run.progress.advance()
        _write_equal(found.same, writer, tally, judge.assumed)
        for member in found.left_out:
            writer.write({**without_mailbox_line(member), "outcome": WITHOUT_MAILBOX})
        writer.write(_summary(options, tally).line())
    return found.left_out, writer.artifact


def _summary(options: Options, tally: Tally) -> prediction.Prediction:
    schema, counts = options.mappings.schema, tally.counts()
    return prediction.Prediction(
        tenant=options.tenant,
        domain=options.domain,
        made_at=prediction.moment(),
        mappings=fingerprint(schema),
        organizational_units=tuple(schemas.containers(schema)),
        groups=tuple(schemas.groups(schema)),
        selection=options.selection.describe(),
        mailboxes=counts["total"],
        at_risk=counts["at_risk"],
        safe=tally.safe,
    )


def _write_equal(rows: reconcile.SameRows, writer: ArtifactWriter, tally: Tally, assumed: bool) -> None:
    """Mailboxes whose two sides are equal: whoever is in scope, nothing changes."""
    unchanged = 0
    for row in rows:
        touched = assumed or row.cloud_managed
        unchanged += touched
        outcome = UNCHANGED if touched else planning.NOT_CLOUD_MANAGED
        line = {"object": row.name, "id": row.id, "outcome": outcome, "cloud_managed": row.cloud_managed}
        writer.write(line)
    tally.add_equal(unchanged, len(rows) - unchanged)


def _refused(result: Mapping[str, Any], tally: Tally) -> Refused:
    counts = result["counts"]
    parts = []
    if counts["loses"]:
        names = listing((item["object"] for item in tally.lost), 3)
        parts.append(f"{counts['loses']} mailboxes lose values that only Active Directory has ({names})")
    if tally.mailboxes["unsure"]:
        names = listing((item["object"] for item in tally.undetermined), 3)
        parts.append(f"of {tally.mailboxes['unsure']} it cannot be told ({names})")
    return Refused(
        f"A cycle of the job of {result['domain']} is not safe: {', and '.join(parts)}. Add the values in the cloud, "
        f"or give them up by name in give_up. The artifact {result['artifact'].path} has all of them.",
        **result,
    )
