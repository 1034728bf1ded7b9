# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Write planned changes to the directory, and read every object back from the server that took the write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import plan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.planning import ObjectPlan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory

CHUNK = 100  # objects written before they are read back together

WRITTEN = "written"
FAILED = "failed"
UNKNOWN = "unknown"
NOT_ATTEMPTED = "not_attempted"
WRITE_OUTCOMES = (WRITTEN, FAILED, UNKNOWN, NOT_ATTEMPTED)


@dataclass(frozen=True)
class Written:
    """What became of one planned object; ``error`` is set unless it holds the planned values."""

    plan: ObjectPlan
    outcome: str
    error: HybridError | None = None


@dataclass
class _Chunk:
    """What is known of one chunk between writing and reading back."""

    written: list[ObjectPlan] = field(default_factory=list)
    errors: dict[bytes, HybridError] = field(default_factory=dict)
    lost: HybridError | None = None


def apply(plans: Sequence[ObjectPlan], directory: Directory, progress: Progress) -> list[Written]:
    """Write the plans, which all have changes.

    One bad object does not end it. A server that stays away does, and so does a whole chunk of which nothing could be
    written: what is wrong then is wrong for the rest too.
    """
    done: list[Written] = []
    progress.start("write directory", len(plans))
    chunks = join.batches(plans, CHUNK)
    for chunk in chunks:
        state = _write(chunk, directory, progress)
        results, lost = _read_back(state, directory)
        done += results
        reason = lost or state.lost
        if reason is None and len(chunk) == CHUNK and not any(result.outcome == WRITTEN for result in results):
            reason = results[-1].error
        if reason is not None:
            tried = {item.guid for item in state.written}
            left = [item for item in chunk if item.guid not in tried] + [item for rest in chunks for item in rest]
            return done + [Written(item, NOT_ATTEMPTED, reason) for item in left]
    return done


def _write(chunk: Iterable[ObjectPlan], directory: Directory, progress: Progress) -> _Chunk:
    state = _Chunk()
    for item in chunk:
        try:
            directory.modify(item.dn, plan.steps(item.changes))
        except Unavailable as error:
            if error.facts.get("applied") != UNKNOWN:
                state.lost = error
                return state
            state.errors[item.guid] = error
        except HybridError as error:
            state.errors[item.guid] = error
        state.written.append(item)
        progress.advance()
    return state


def _read_back(state: _Chunk, directory: Directory) -> tuple[list[Written], HybridError | None]:
    """The outcomes of a chunk. What the object holds decides, not what the server answered to the write."""
    try:
        entries = _entries(state.written, directory)
        results = [_judge(item, entries.get(item.guid), state.errors.get(item.guid)) for item in state.written]
        return [_again(result, directory) if _worth_another_try(result) else result for result in results], None
    except Unavailable as lost:
        return [Written(item, UNKNOWN, state.errors.get(item.guid, lost)) for item in state.written], lost


def _entries(items: Sequence[ObjectPlan], directory: Directory) -> dict[bytes, Entry]:
    names = list(dict.fromkeys(change.attribute.ldap_name for item in items for change in item.changes))
    return join.by_guid(directory, [item.guid for item in items], names)


def _judge(item: ObjectPlan, entry: Entry | None, error: HybridError | None) -> Written:
    if entry is None:
        gone = NotFound(f"{item.dn} cannot be found any more after the write.", object=item.dn)
        return Written(item, FAILED, error or gone)
    held = plan.current_values([change.attribute for change in item.changes], entry.values)
    wrong = [
        change.attribute.ldap_name
        for change, now in zip(item.changes, held, strict=True)
        if not plan.equivalent(change.attribute, now, change.after)
    ]
    if not wrong:
        return Written(item, WRITTEN)
    overwritten = Conflict(
        f"The directory took the change of {item.dn}, but reading it back shows other values of {', '.join(wrong)}: "
        "something else writes to this object.",
        object=item.dn,
    )
    return Written(item, FAILED, error or overwritten)


def _worth_another_try(result: Written) -> bool:
    """A write whose connection broke, and which turns out not to have arrived (all of a modify arrives, or nothing)."""
    return result.outcome == FAILED and result.error is not None and result.error.facts.get("applied") == UNKNOWN


def _again(result: Written, directory: Directory) -> Written:
    item = result.plan
    try:
        directory.modify(item.dn, plan.steps(item.changes))
        error = None
    except HybridError as failure:
        error = failure
    return _judge(item, _entries([item], directory).get(item.guid), error)
