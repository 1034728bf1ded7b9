# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a run of directory_writeback came to: counts, failures, artifact, diff."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import Rule, of_job
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import change as changes
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import Journal, JournalError
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import (
    failure,
    first,
    left_out_warnings,
    limited_diff,
    without_mailbox_line,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.saved_plan import Saved
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import apply_judge, plan, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply import NOT_RELEASED, Written
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import Pass
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_join import Same
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run

WITHOUT_MAILBOX = "without_mailbox"


@dataclass
class Came:
    """What is known of a run, filled in as it goes along."""

    wanted: Desired
    rules: Sequence[Rule] | None
    owned: Sequence[str]
    domain: str
    directory_host: str
    resumed: Sequence[Mapping[str, Any]]
    warnings: list[str]
    plans: list[planning.ObjectPlan] = field(default_factory=list)
    read: Pass | None = None
    kinds: dict[str, Any] = field(default_factory=dict)
    saved: Saved | None = None
    journal: Journal | None = None
    written: list[Written] = field(default_factory=list)
    planned_again: Mapping[str, planning.ObjectPlan] = field(default_factory=dict)

    @property
    def same(self) -> Iterable[Same]:
        """The mailboxes that are the same on both sides, or wait for their move."""
        return self.read.same if self.read else ()

    @property
    def left_out(self) -> Sequence[Member]:
        """The selected users without a mailbox."""
        return self.read.left_out if self.read else ()

    def planned(self, todo: Iterable[ObjectChange]) -> None:
        """Count how the attributes change."""
        self.kinds = changes.as_result(changes.kinds(todo))

    def outcomes(self) -> dict[str, int]:
        """How many mailboxes have which outcome of planning."""
        found = dict(planning.outcomes(self.plans))
        for item in self.same:
            found[planning.UNCHANGED if item.cloud_managed else planning.NOT_CLOUD_MANAGED] += 1
        return found

    def finish(self) -> None:
        """End the journal. Where that fails too, the next run settles it."""
        if self.journal is None:
            return
        try:
            self.journal.close({"counts": dict(Counter(item.outcome for item in self.written))})
        except JournalError as error:
            self.warnings.append(f"{error.message} The next run finds out what became of the last writes.")

    def unsettled(self) -> dict[str, str]:
        """The mailboxes that the next run has to look at whether they change or not, and what became of them."""
        written = self.by_id()
        found: dict[str, str] = {}
        for item in self.plans:
            done = written.get(item.source.id)
            if item.outcome in planning.FAILURES:
                found[item.source.id] = item.outcome
            elif item.outcome == planning.CHANGE and (done is None or done.error is not None):
                found[item.source.id] = done.outcome if done else apply_judge.NOT_ATTEMPTED
        return found

    def by_id(self) -> dict[str, Written]:
        """What became of each mailbox's object. One that was written in two steps failed where any step did."""
        found: dict[str, Written] = {}
        for item in self.written:
            earlier = found.get(item.change.id)
            if earlier is None or earlier.error is None:
                found[item.change.id] = item
        return found

    def plan_of(self, item: planning.ObjectPlan) -> planning.ObjectPlan:
        """The plan that counts: the last one that was made for the object."""
        return self.planned_again.get(item.source.id, item)


def report(came: Came, run: Run) -> Report:
    """The report; PartialFailure where a mailbox could not be written back."""
    by_id = came.by_id()
    failures = _failures(came, by_id)
    counts = _counts(came, by_id)
    result = {
        "domain": came.domain,
        "directory_host": came.directory_host,
        "attributes": list(came.wanted.names),
        "left_to_job": [rule.target for rule in of_job(came.rules or ())],
        "owned_attributes": list(came.owned),
        "counts": counts,
        **(came.read.as_result() if came.read else {}),
        "changes": came.kinds,
        "refusals": refusals(item for item in by_id.values()),
        "resumed": list(came.resumed),
        "failures": first(failures, run.report_limit),
        "directory_only_addresses": first(
            ({"object": item.source.name, "addresses": sorted(item.kept)} for item in came.plans if item.kept),
            run.report_limit,
        ),
    }
    if came.journal is not None:
        result["journal"] = came.journal.as_result()
    if came.saved is not None:
        result["plan"] = came.saved.as_result()
    result |= artifact_of(
        f"directory-writeback-{came.domain}",
        _lines(came, by_id),
        run,
        came.warnings if came.journal is not None else None,
    )
    diff = _diff(came, by_id, run)
    changed = _changed(came)
    warnings = [*left_out_warnings(came.left_out), *came.warnings]
    if failures:
        for warning in warnings:
            run.warn(warning)
        facts = {**result, "changed": changed and not run.check_mode}
        raise _failed(failures, counts, facts, diff if run.diff_mode else [], came, check_mode=run.check_mode)
    return Report(changed, result, diff, [*warnings, *_warnings(came, counts)])


def artifact_of(name: str, lines: Iterable[Mapping[str, Any]], run: Run, warnings: list[str] | None) -> dict[str, Any]:
    """The artifact for the result.

    With ``warnings`` one that cannot be written becomes a warning: a full disk must not hide what was done.
    """
    try:
        with run.artifacts(name) as writer:
            for line in lines:
                writer.write(line)
    except (InputError, OSError) as error:
        if warnings is None:
            raise
        warnings.append(f"The artifact of this run is missing. {str(error).partition('. ')[0].rstrip('.')}.")
        return {"artifact": {}}
    return {"artifact": writer.artifact}


def refusals(written: Iterable[Written]) -> dict[str, int]:
    """How many objects were refused for which kind of reason; those that a run did not come to are none of them."""
    found = Counter(
        _code(item.error)
        for item in written
        if item.error is not None and (item.outcome != apply_judge.NOT_ATTEMPTED or _code(item.error) == NOT_RELEASED)
    )
    return dict(sorted(found.items()))


def _code(error: HybridError) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    return str(error.facts.get("code") or name)


def _changed(came: Came) -> bool:
    """A write that nobody could read back counts as a change: it may be one."""
    if came.saved is not None:
        return came.saved.changed
    if came.journal is not None:
        return any(item.outcome in {apply_judge.WRITTEN, apply_judge.UNKNOWN} for item in came.written)
    return any(item.outcome == planning.CHANGE for item in came.plans)


def _failures(came: Came, by_id: Mapping[str, Written]) -> list[dict[str, Any]]:
    found = []
    for item in came.plans:
        done = by_id.get(item.source.id)
        if item.outcome in planning.FAILURES:
            line = {"object": item.source.name, "id": item.source.id, "error": item.reason, "kind": item.outcome}
            found.append(line)
        elif done is not None and done.error is not None:
            line = failure(item.source.name, item.source.id, done.error)
            found.append({**line, "outcome": done.outcome, "code": _code(done.error)})
    return found


def _lines(came: Came, by_id: Mapping[str, Written]) -> Iterable[dict[str, Any]]:
    for item in came.plans:
        line = came.plan_of(item).line()
        done = by_id.get(item.source.id)
        if done is not None:
            line["outcome"] = done.outcome
            if done.error is not None:
                line["reason"] = done.error.message
        yield line
    for same in came.same:
        outcome = planning.UNCHANGED if same.cloud_managed else planning.NOT_CLOUD_MANAGED
        yield {"object": same.name, "id": same.id, "outcome": outcome}
    for member in came.left_out:
        yield {**without_mailbox_line(member), "outcome": WITHOUT_MAILBOX}


def _diff(came: Came, by_id: Mapping[str, Written], run: Run) -> list[dict[str, Any]]:
    """What was written or, before any write, what would be."""
    shown = (
        came.plan_of(item)
        for item in came.plans
        if item.outcome == planning.CHANGE
        and (came.journal is None or by_id[item.source.id].outcome == apply_judge.WRITTEN)
    )
    return limited_diff(
        ((item.dn, plan.as_text(item.changes, "before"), plan.as_text(item.changes, "after")) for item in shown),
        run.report_limit,
    )


def _counts(came: Came, by_id: Mapping[str, Written]) -> dict[str, int]:
    done = Counter(item.outcome for item in by_id.values())
    planned = came.outcomes()
    return {
        "total": sum(planned.values()) + sum(item.outcome == planning.CHANGE for item in came.plans),
        "planned": sum(item.outcome == planning.CHANGE for item in came.plans),
        **{outcome: done[outcome] for outcome in apply_judge.WRITE_OUTCOMES},
        **planned,
        planning.UNCHANGED: planned[planning.UNCHANGED] + done[apply_judge.UNCHANGED],
        "directory_only_addresses": sum(len(item.kept) for item in came.plans),
        WITHOUT_MAILBOX: len(came.left_out),
    }


def _warnings(came: Came, counts: Mapping[str, int]) -> list[str]:
    """What a user should know of a run that went well and yet left mailboxes alone."""
    found = []
    if number := counts[planning.NOT_CLOUD_MANAGED]:
        found.append(f"{number} of {counts['total']} mailboxes are not cloud-managed and were left alone.")
    if number := counts[planning.ELSEWHERE]:
        found.append(
            f"{number} of {counts['total']} mailboxes have their objects outside of what this run covers of "
            f"{came.domain}."
        )
    return found


def _failed(
    failures: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    result: Mapping[str, Any],
    diff: Sequence[Any],
    came: Came,
    *,
    check_mode: bool,
) -> PartialFailure:
    """The error for a run in which some mailboxes could not be written back."""
    one = failures[0]
    where = " are in the artifact." if result.get("artifact") else " are not shown."
    more = f" {len(failures) - 1} more{where}" if len(failures) > 1 else ""
    if not counts["planned"]:
        what = "no object had to change"
    elif check_mode or came.saved is not None:
        what = f"{counts['planned']} objects would be written"
    else:
        what = f"{counts['written']} of {counts['planned']} planned objects were written"
    facts = {**result, **({"diff": diff} if diff else {})}
    return PartialFailure(
        f"{len(failures)} of {counts['total']} mailboxes could not be written back; {what}. "
        f"{one['object']}: {str(one['error']).rstrip('.')}.{more}",
        **facts,
    )
