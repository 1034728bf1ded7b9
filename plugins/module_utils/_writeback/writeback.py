# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: write what cloud-managed mailboxes hold in the cloud into their objects in Active Directory.

Cloud Sync does this for 24 attributes. This is for what it does not carry, and for where no agent can run; what a
running job owns is left to the job, so that two writers never fight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import PartialFailure, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import (
    failure,
    first,
    left_out_warnings,
    limited_diff,
    listing,
    without_mailbox_line,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import apply, plan, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory, Mailboxes, Ownership
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import attributes_named, read_sources

WITHOUT_MAILBOX = "without_mailbox"


@dataclass(frozen=True)
class FarEnds:
    """What the use case talks to."""

    mailboxes: Mailboxes
    ownership: Ownership
    directory: Directory


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names; ``attributes`` is None for the written-back ones."""

    selection: Selection
    attributes: Sequence[str] | None = None
    on_owned: str = "fail"
    type_values: str = "remote"
    proxy_addresses: str = "merge"
    source_anchor_attribute: str | None = None
    limits: Limits = field(default_factory=lambda: Limits(5000, 100))


def write_back(options: Options, far_ends: FarEnds, run: Run) -> Report:
    """Select, read, plan, guard, keep the before-images, apply, read back, report.

    PartialFailure where an object could not be written, or could not even be planned; everything else is done first.
    In check mode it ends after the plan, with the same verdict on what cannot be planned.
    """
    wanted = attributes_named(options.attributes)
    directory = far_ends.directory
    attributes, owned = _owned(wanted, far_ends.ownership.owned_targets(directory.domain), options, directory.domain)
    sources = read_sources(
        far_ends.mailboxes, options.selection, attributes, style=options.type_values, progress=run.progress
    )
    left_out = far_ends.mailboxes.left_out
    plans = planning.plan_objects(
        sources,
        directory,
        attributes,
        merge=options.proxy_addresses == "merge",
        anchor_names=join.anchor_attributes(options.source_anchor_attribute),
        progress=run.progress,
    )
    plans = planning.refuse_taken_addresses(plans, directory)
    todo = [item for item in plans if item.outcome == planning.CHANGE]
    options.limits.check(len(todo), len(sources), "mailboxes")
    facts: dict[str, Any] = {
        "domain": directory.domain,
        "directory_host": directory.host,
        "attributes": [attribute.ldap_name for attribute in attributes],
        "owned_attributes": owned,
    }
    written: list[apply.Written] = []
    if todo and not run.check_mode:
        facts["before_image"] = _before_image(todo, directory, run)
        written = apply.apply(todo, directory, run.progress)
    return _report(plans, left_out, written, facts, run)


def _owned(
    wanted: Sequence[Attribute], targets: frozenset[str], options: Options, domain: str
) -> tuple[list[Attribute], list[str]]:
    """The attributes that are this collection's to write, and the names of those that a running job owns."""
    owned_names = {name.casefold() for name in targets}
    owned = [attribute.ldap_name for attribute in wanted if attribute.ldap_name.casefold() in owned_names]
    if owned and options.on_owned != "skip":
        raise Refused(
            f"A running Cloud Sync job writes {listing(owned)} in {domain}, and an attribute has one writer. Leave "
            "these out of attributes, say on_owned: skip, or pause the job.",
            owned_attributes=owned,
            domain=domain,
        )
    left = [attribute for attribute in wanted if attribute.ldap_name not in owned]
    return left, owned


def _before_image(todo: Sequence[planning.ObjectPlan], directory: Directory, run: Run) -> Artifact:
    """What the objects hold before the first write, on disk: enough to put every value back."""
    with run.artifacts(f"directory-before-{directory.domain}") as writer:
        for item in todo:
            writer.write({**item.line(), "domain": directory.domain, "directory_host": directory.host})
    return writer.artifact


def _report(
    plans: Sequence[planning.ObjectPlan],
    left_out: Sequence[Member],
    written: Sequence[apply.Written],
    facts: dict[str, Any],
    run: Run,
) -> Report:
    by_id = {item.plan.source.id: item for item in written}
    failures: list[dict[str, Any]] = []
    with run.artifacts(f"directory-writeback-{facts['domain']}") as writer:
        for item in plans:
            done = by_id.get(item.source.id)
            line = _line(item, done)
            writer.write(line)
            if item.outcome in planning.FAILURES:
                failures.append({"object": item.source.name, "id": item.source.id, "error": item.reason})
                failures[-1]["kind"] = item.outcome
            elif done is not None and done.error is not None:
                failures.append({**failure(item.source.name, item.source.id, done.error), "outcome": done.outcome})
        for member in left_out:
            writer.write({**without_mailbox_line(member), "outcome": WITHOUT_MAILBOX})
    counts = {**_counts(plans, written), WITHOUT_MAILBOX: len(left_out)}
    # A write that nobody could read back counts as a change: it may be one.
    changed = bool(counts["written"] or counts["unknown"]) if written else bool(counts["planned"])
    result = {
        **facts,
        "counts": counts,
        "artifact": writer.artifact,
        "failures": first(failures, run.report_limit),
        "directory_only_addresses": first(
            ({"object": item.source.name, "addresses": sorted(item.kept)} for item in plans if item.kept),
            run.report_limit,
        ),
    }
    diff = limited_diff(
        (
            (item.dn, plan.as_text(item.changes, "before"), plan.as_text(item.changes, "after"))
            for item in plans
            if item.outcome == planning.CHANGE and _shown(by_id.get(item.source.id))
        ),
        run.report_limit,
    )
    if failures:
        facts = {**result, "changed": changed and not run.check_mode}
        raise _failed(failures, counts, facts, diff if run.diff_mode else [], check_mode=run.check_mode)
    return Report(changed, result, diff, [*left_out_warnings(left_out), *_warnings(counts, facts["domain"])])


def _warnings(counts: Mapping[str, int], domain: str) -> list[str]:
    """What a user should know of a run that went well and yet left mailboxes alone."""
    found = []
    if number := counts[planning.NOT_CLOUD_MANAGED]:
        found.append(f"{number} of {counts['total']} mailboxes are not cloud-managed and were left alone.")
    if number := counts[planning.ELSEWHERE]:
        found.append(
            f"{number} of {counts['total']} mailboxes have their objects outside of what this run covers of {domain}."
        )
    return found


def _shown(done: apply.Written | None) -> bool:
    """A diff shows what was written or, before any write, what would be."""
    return done is None or done.outcome == apply.WRITTEN


def _line(item: planning.ObjectPlan, done: apply.Written | None) -> dict[str, Any]:
    line = item.line()
    if done is not None:
        line["outcome"] = done.outcome
        if done.error is not None:
            line["reason"] = done.error.message
    return line


def _counts(plans: Sequence[planning.ObjectPlan], written: Sequence[apply.Written]) -> dict[str, int]:
    done = Counter(item.outcome for item in written)
    return {
        "total": len(plans),
        "planned": sum(item.outcome == planning.CHANGE for item in plans),
        **{outcome: done[outcome] for outcome in apply.WRITE_OUTCOMES},
        **planning.outcomes(plans),
        "directory_only_addresses": sum(len(item.kept) for item in plans),
    }


def _failed(
    failures: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    result: Mapping[str, Any],
    diff: Sequence[Any],
    *,
    check_mode: bool,
) -> PartialFailure:
    """The error for a run in which some mailboxes could not be written back."""
    one = failures[0]
    more = f" {len(failures) - 1} more are in the artifact." if len(failures) > 1 else ""
    if not counts["planned"]:
        what = "no object had to change"
    elif check_mode:
        what = f"{counts['planned']} objects would be written"
    else:
        what = f"{counts['written']} of {counts['planned']} planned objects were written"
    facts = {**result, **({"diff": diff} if diff else {})}
    return PartialFailure(
        f"{len(failures)} of {counts['total']} mailboxes could not be written back; {what}. "
        f"{one['object']}: {str(one['error']).rstrip('.')}.{more}",
        **facts,
    )
