# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: put back what the journals of writing runs recorded. A restore is journaled too, and can be restored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run import change as changes
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, journal, limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import Journal, JournalContents
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import KindLimits, Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import recover, restore_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply import Writer, Written
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply_judge import FAILED, UNCHANGED
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory, Ownership
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore_plan import FAIL, Recorded, Undoing
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore_report import Restored, report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import forest_of, prepared


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names: ``journals`` or ``wave``, and ``objects`` None for all of them."""

    journals: Sequence[str] | None = None
    wave: str | None = None
    journal_dir: str = "artifacts"
    objects: Sequence[str] | None = None
    on_changed: str = FAIL
    on_owned: str = "fail"
    limits: Limits = field(default_factory=lambda: Limits(5000, 100, limits.PERCENT_FLOOR))
    kind_limits: KindLimits = field(default_factory=KindLimits)
    max_failures: int = 100


def restore(options: Options, directory: Directory, ownership: Ownership | None, run: Run) -> Report:
    """Read the journals and the objects, plan, guard, journal, apply, read back, report.

    PartialFailure where an object could not be put back; everything else is done first. ``ownership`` is None where no
    tenant is given: then nobody knows whether a job runs, and a warning says so.
    """
    if options.max_failures < 0:
        raise InputError(f"max_failures must not be negative, it is {options.max_failures}.")
    with prepared(options.journal_dir, directory, writes=not run.check_mode) as (name, resumed):
        restored = Restored(
            domain=directory.domain,
            directory_host=directory.host,
            resumed=resumed,
            warnings=recover.warning(resumed, check_mode=run.check_mode),
        )
        contents = _contents(options, directory.domain)
        restored.journals = [str(item.path) for item in contents]
        restored.warnings += _other_hosts(contents, directory.host)
        recorded = _recorded(options, contents, directory, ownership, restored)
        _do(options, recorded, directory, run, restored, name, contents)
        return report(restored, run)


def _contents(options: Options, domain: str) -> list[JournalContents]:
    """The journals, oldest first; InputError for one of another domain."""
    if options.journals:
        paths = list(dict.fromkeys(Path(path).absolute() for path in options.journals))
    else:
        paths = [
            path
            for path in journal.journals(options.journal_dir, domain)
            if journal.Scan(path).header.wave == options.wave
        ]
        if not paths:
            raise InputError(
                f"{options.journal_dir} has no journal of the wave {options.wave} in {domain}. Give the journal_dir of "
                "the runs that wrote it, or name their journals.",
                wave=options.wave,
            )
    found = [journal.read(path) for path in paths]
    for item in found:
        if item.header.domain.casefold() != domain.casefold():
            raise InputError(
                f"{item.path} is about {item.header.domain}, and the directory is {domain}.", file=str(item.path)
            )
    return sorted(found, key=lambda item: (item.header.started, item.path.name))


def _other_hosts(contents: Sequence[JournalContents], host: str) -> list[str]:
    """A warning where another domain controller was written to than the one that is read now."""
    others = sorted({item.header.directory_host for item in contents if item.header.directory_host != host})
    if not others:
        return []
    return [
        f"The journals are about writes at {listing(others)}, and this run talks to {host}. Values that were not "
        "replicated to it yet look as if they had never been written; run again after replication."
    ]


def _recorded(
    options: Options,
    contents: Sequence[JournalContents],
    directory: Directory,
    ownership: Ownership | None,
    restored: Restored,
) -> dict[bytes, Recorded]:
    """What to undo, less what a running job owns."""
    recorded = restore_plan.collect(contents, frozenset())
    if options.objects is not None:
        recorded = restore_plan.only(recorded, options.objects)
    if ownership is None:
        restored.warnings.append(
            "No tenant is given, so nobody looked whether a Cloud Sync job runs. A running one writes the cloud's "
            "values again."
        )
        return recorded
    targets = {name.casefold() for name in ownership.owned_targets(directory.domain)}
    names = {name for item in recorded.values() for name in item.writes}
    restored.owned = sorted(name for name in names if name.casefold() in targets)
    if restored.owned and options.on_owned != "skip":
        raise Refused(
            f"A running Cloud Sync job writes {listing(restored.owned)} in {directory.domain}: its next cycles would "
            "bring the cloud's values back. Pause the job, or say on_owned: skip to restore the other attributes.",
            owned_attributes=restored.owned,
            domain=directory.domain,
        )
    for item in recorded.values():
        item.writes = {name: writes for name, writes in item.writes.items() if name not in restored.owned}
    return recorded


def _read(recorded: Mapping[bytes, Recorded], directory: Directory) -> dict[bytes, join.Entry]:
    names = sorted({name for item in recorded.values() for name in item.writes})
    return join.by_guid(directory, list(recorded), names)


def _do(
    options: Options,
    recorded: Mapping[bytes, Recorded],
    directory: Directory,
    run: Run,
    restored: Restored,
    name: str,
    contents: Sequence[JournalContents],
) -> None:
    run.progress.start("read directory", len(recorded))
    entries = _read(recorded, directory)
    for guid, item in recorded.items():
        entry = entries.get(guid)
        found = restore_plan.undo(item, entry.dn, entry.values, options.on_changed) if entry else None
        restored.plans.append((item, found))
        run.progress.advance()
    moved = [found for _item, found in restored.plans if found and found.changed_since]
    if moved and options.on_changed == FAIL:
        raise _changed_since(moved)
    todo = [found.change for _item, found in restored.plans if found and found.change.changes]
    restored.kinds = changes.as_result(changes.kinds(todo))
    breach = limits.planned_breach(options.limits, options.kind_limits, todo, len(recorded), "recorded objects")
    if breach is not None:
        raise breach
    if not todo or run.check_mode:
        return
    header = journal.Header(
        operation=journal.RESTORE,
        domain=directory.domain,
        directory_host=directory.host,
        base_dn=directory.base_dn,
        forest=forest_of(directory),
        tenant=contents[-1].header.tenant,
        wave=options.wave or _common_wave(contents),
        options={"journals": restored.journals, "on_changed": options.on_changed},
        run=name,
    )
    restored.journal = Journal.create(options.journal_dir, header)
    again = _PlanAgain(recorded, directory, options.on_changed)
    writer = Writer(directory, restored.journal, run.progress, again, options.max_failures)
    run.progress.start("restore directory", len(todo))
    restored.written = writer.done
    writer.write([todo])
    restored.journal_end({"counts": dict(Counter(item.outcome for item in writer.done))})


def _common_wave(contents: Sequence[JournalContents]) -> str:
    """The wave of the journals where they are all of one: then restoring the wave sees this run as well."""
    waves = {item.header.wave for item in contents}
    return waves.pop() if len(waves) == 1 else ""


def _changed_since(moved: Sequence[Undoing]) -> Refused:
    first = [f"{item.change.dn} ({', '.join(item.changed_since)})" for item in moved]
    return Refused(
        f"{len(moved)} objects were changed by somebody else since: {listing(first, 3)}. Nothing was restored. Say "
        "on_changed: skip to leave these values alone, or on_changed: overwrite to lose them.",
        changed_since=len(moved),
        first=first[:20],
    )


@dataclass(frozen=True)
class _PlanAgain:
    """Plans objects again whose values moved while they were written back."""

    recorded: Mapping[bytes, Recorded]
    directory: Directory
    on_changed: str

    def __call__(self, moved: Sequence[ObjectChange], /) -> dict[bytes, ObjectChange | Written]:
        """See apply.PlanAgain."""
        recorded = {change.guid: self.recorded[change.guid] for change in moved}
        entries = _read(recorded, self.directory)
        return {change.guid: self._next(change, entries.get(change.guid)) for change in moved}

    def _next(self, change: ObjectChange, entry: join.Entry | None) -> ObjectChange | Written:
        if entry is None:
            gone: dict[str, Any] = {"object": change.dn, "code": "gone"}
            return Written(change, FAILED, Conflict(f"{change.dn} does not exist any more.", **gone))
        found = restore_plan.undo(self.recorded[change.guid], entry.dn, entry.values, self.on_changed)
        if found.changed_since and self.on_changed == FAIL:
            names = ", ".join(found.changed_since)
            return Written(
                change,
                FAILED,
                Conflict(
                    f"{names} of {entry.dn} was changed by somebody else during this run; the object was left alone.",
                    object=entry.dn,
                    code="changed_since",
                ),
            )
        return found.change if found.change.changes else Written(change, UNCHANGED)
