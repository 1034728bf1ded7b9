# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Settle the journals of runs that were cut off: find out what became of each write that was about to be made.

A settled journal can be restored from like any other. What such a run had still to do is done by planning anew from
what the directory holds: nothing twice, and nothing forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory

SETTLED_OUTCOMES = (journal.WRITTEN, journal.NOT_WRITTEN, journal.CHANGED_SINCE, journal.UNKNOWN)
NOT_SETTLED = "not_settled"


def settle(journal_dir: str | Path, directory: Directory, run: str) -> list[dict[str, Any]]:
    """Settle all unfinished journals of the directory's domain; returns one line about each of them.

    To be called with the lock held: no other run is writing a journal of this domain then.
    """
    journal.remove_partial(journal_dir, directory.domain)
    return [_settle(path, directory, run) for path in journal.unfinished(journal_dir, directory.domain)]


def look(journal_dir: str | Path, directory: Directory) -> list[dict[str, Any]]:
    """What settle would settle; writes nothing."""
    found = []
    for path in journal.unfinished(journal_dir, directory.domain):
        scan = journal.Scan(path)
        open_intents = _open_intents(scan)
        found.append({**_about(scan.header, path), NOT_SETTLED: len(open_intents)})
    return found


def _about(header: journal.Header, path: Path) -> dict[str, Any]:
    return {
        "journal": str(path),
        "operation": header.operation,
        "run": header.run,
        "started": header.started,
        "who": dict(header.who),
        "wave": header.wave,
    }


def _open_intents(scan: journal.Scan) -> dict[int, ObjectChange]:
    """The intents without an outcome, by number."""
    found: dict[int, ObjectChange] = {}
    for line, record in scan:
        if record["record"] == "intent":
            found[int(record["number"])] = journal.intent(scan.path, line, record)
        elif record["record"] == "outcome":
            found.pop(int(record["number"]), None)
    return found


def _settle(path: Path, directory: Directory, run: str) -> dict[str, Any]:
    scan = journal.Scan(path)
    open_intents = _open_intents(scan)
    counts: Counter[str] = Counter()
    here = scan.header.directory_host.casefold() == directory.host.casefold()
    reopened = journal.Journal.reopen(scan)
    try:
        for batch in join.batches(open_intents.items(), join.BATCH):
            entries = _entries([change for _number, change in batch], directory)
            outcomes = [(number, _outcome(change, entries.get(change.guid), here)) for number, change in batch]
            reopened.outcome((number, outcome, f"settled by run {run}") for number, outcome in outcomes)
            counts.update(outcome for _number, outcome in outcomes)
        reopened.close({"settled_by": run, "counts": dict(counts)})
    finally:
        reopened.abandon()
    return {**_about(scan.header, path), **{outcome: counts[outcome] for outcome in SETTLED_OUTCOMES}}


def _entries(changes: Sequence[ObjectChange], directory: Directory) -> Mapping[bytes, Entry]:
    names = list(dict.fromkeys(change.attribute for item in changes for change in item.changes))
    return join.by_guid(directory, [item.guid for item in changes], names)


def _outcome(change: ObjectChange, entry: Entry | None, here: bool) -> str:
    """Whether a write arrived: all of a modify arrives, or nothing.

    Another domain controller than the one that was written to may not have it yet: what it does not have is unknown.
    """
    if entry is None:
        return journal.CHANGED_SINCE
    if change.reached(entry.values):
        return journal.WRITTEN
    if not change.untouched(entry.values):
        return journal.CHANGED_SINCE
    return journal.NOT_WRITTEN if here else journal.UNKNOWN


def warning(found: Sequence[Mapping[str, Any]], *, check_mode: bool) -> list[str]:
    """At most one warning about runs that were cut off."""
    if not found:
        return []
    first = found[0]
    what = f"Runs of this domain that did not end in good order, or are still under way: {len(found)}"
    told = f"the first by {first['who'].get('user')} on {first['who'].get('host')} from {first['started']}"
    done = "A run that is not in check mode settles it." if check_mode else "What became of its writes was found out."
    return [f"{what}, {told} ({first['journal']}). {done}"]
