# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a restore came to: counts, failures, artifact, diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, to_json
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import Journal, JournalError
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import failure, first, limited_diff
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import apply_judge
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply import Written
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore_plan import Recorded, Undoing
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback_report import artifact_of, refusals

RESTORED = "restored"
CHANGE = "change"
NOT_FOUND = "not_found"
UNCHANGED = "unchanged"
CHANGED_SINCE = "changed_since"
_GONE = "The object does not exist any more, so its values cannot be put back."


@dataclass
class Restored:
    """What is known of a restore, filled in as it goes along. A plan is None for an object that is gone."""

    domain: str
    directory_host: str
    resumed: Sequence[Mapping[str, Any]]
    warnings: list[str]
    journals: list[str] = field(default_factory=list)
    owned: list[str] = field(default_factory=list)
    plans: list[tuple[Recorded, Undoing | None]] = field(default_factory=list)
    kinds: dict[str, Any] = field(default_factory=dict)
    journal: Journal | None = None
    written: list[Written] = field(default_factory=list)

    def journal_end(self, summary: Mapping[str, Any]) -> None:
        """End the journal. Where that fails, the next run settles it."""
        if self.journal is None:
            return
        try:
            self.journal.close(summary)
        except JournalError as error:
            self.warnings.append(f"{error.message} The next run finds out what became of the last writes.")


def report(restored: Restored, run: Run) -> Report:
    """The report; PartialFailure where an object could not be put back."""
    done = {item.change.guid: item for item in restored.written}
    counts = _counts(restored, done)
    failures = _failures(restored, done)
    result: dict[str, Any] = {
        "domain": restored.domain,
        "directory_host": restored.directory_host,
        "journals": restored.journals,
        "owned_attributes": restored.owned,
        "counts": counts,
        "changes": restored.kinds,
        "refusals": refusals(done.values()),
        "resumed": list(restored.resumed),
        "failures": first(failures, run.report_limit),
        "changed_since": first(
            (
                {"object": found.change.name, "attributes": list(found.changed_since)}
                for _item, found in restored.plans
                if found and found.changed_since
            ),
            run.report_limit,
        ),
    }
    if restored.journal is not None:
        result["journal"] = restored.journal.as_result()
    wrote = restored.journal is not None
    lines = _lines(restored, done)
    result |= artifact_of(f"directory-restore-{restored.domain}", lines, run, restored.warnings if wrote else None)
    if wrote:
        changed = any(item.outcome in {apply_judge.WRITTEN, apply_judge.UNKNOWN} for item in restored.written)
    else:
        changed = bool(counts["planned"])
    diff = _diff(restored, done, run)
    if failures:
        for warning in restored.warnings:
            run.warn(warning)
        raise _failed(failures, counts, {**result, "changed": changed and not run.check_mode}, diff, run)
    return Report(changed, result, diff, restored.warnings)


def _counts(restored: Restored, done: Mapping[bytes, Written]) -> dict[str, int]:
    outcomes = Counter(item.outcome for item in done.values())
    planned = [found for _item, found in restored.plans if found and found.change.changes]
    return {
        "total": len(restored.plans),
        "planned": len(planned),
        RESTORED: outcomes[apply_judge.WRITTEN],
        **{name: outcomes[name] for name in apply_judge.WRITE_OUTCOMES if name != apply_judge.WRITTEN},
        UNCHANGED: sum(found is not None and not found.change.changes for _item, found in restored.plans)
        + outcomes[apply_judge.UNCHANGED],
        NOT_FOUND: sum(found is None for _item, found in restored.plans),
        CHANGED_SINCE: sum(found is not None and bool(found.changed_since) for _item, found in restored.plans),
    }


def _failures(restored: Restored, done: Mapping[bytes, Written]) -> list[dict[str, Any]]:
    found = []
    for item, plan in restored.plans:
        last = item.last
        if plan is None:
            found.append({"object": last.name, "id": last.id, "error": f"{last.dn}: {_GONE}", "kind": NOT_FOUND})
            continue
        result = done.get(last.guid)
        if result is not None and result.error is not None:
            found.append({**failure(last.name, last.id, result.error), "outcome": result.outcome})
    return found


def _current(plan: Undoing, done: Mapping[bytes, Written]) -> ObjectChange:
    """The change that counts: the last one that was made for the object."""
    result = done.get(plan.change.guid)
    return result.change if result is not None else plan.change


def _side(change: ObjectChange, side: str) -> dict[str, Any]:
    return {item.attribute: to_json(getattr(item, side)) for item in change.changes}


def _lines(restored: Restored, done: Mapping[bytes, Written]) -> Iterator[dict[str, Any]]:
    for item, plan in restored.plans:
        last = item.last
        line: dict[str, Any] = {"object": last.name, "id": last.id, "distinguished_name": last.dn}
        if plan is None:
            yield {**line, "outcome": NOT_FOUND, "reason": _GONE}
            continue
        change, result = _current(plan, done), done.get(last.guid)
        line["distinguished_name"] = change.dn
        outcome = CHANGE if change.changes else UNCHANGED
        if result is not None:
            outcome = RESTORED if result.outcome == apply_judge.WRITTEN else result.outcome
            if result.error is not None:
                line["reason"] = result.error.message
        line["outcome"] = outcome
        if plan.changed_since:
            line[CHANGED_SINCE] = list(plan.changed_since)
        if change.changes:
            line |= {"before": _side(change, "before"), "after": _side(change, "after")}
        yield line


def _diff(restored: Restored, done: Mapping[bytes, Written], run: Run) -> list[dict[str, Any]]:
    """What was put back or, before any write, what would be."""
    shown = (
        _current(plan, done)
        for item, plan in restored.plans
        if plan is not None
        and plan.change.changes
        and (restored.journal is None or done[item.last.guid].outcome == apply_judge.WRITTEN)
    )
    return limited_diff(
        ((change.dn, _side(change, "before"), _side(change, "after")) for change in shown), run.report_limit
    )


def _failed(
    failures: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    result: Mapping[str, Any],
    diff: Sequence[Any],
    run: Run,
) -> PartialFailure:
    one = failures[0]
    more = f" {len(failures) - 1} more are in the artifact." if len(failures) > 1 else ""
    done = "would be put back" if run.check_mode else "were put back"
    number = counts["planned"] if run.check_mode else counts[RESTORED]
    facts = {**result, **({"diff": diff} if diff and run.diff_mode else {})}
    return PartialFailure(
        f"{len(failures)} of {counts['total']} objects could not be put back; {number} of {counts['planned']} planned "
        f"{done}. {one['object']}: {str(one['error']).rstrip('.')}.{more}",
        **facts,
    )
