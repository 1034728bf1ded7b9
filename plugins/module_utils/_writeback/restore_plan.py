# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What puts an object back to where it was before the journaled writes. Nothing here reads or writes.

Writes are undone newest first. A write that never arrived, or that was undone already, has nothing to undo. A value
that is neither what a write left nor what it found is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import to_guid
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, Raw, ValueChange, same
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import JournalContents

FAIL, SKIP, OVERWRITE = ON_CHANGED = ("fail", "skip", "overwrite")


@dataclass
class Recorded:
    """All that the journals recorded of one object: ``writes`` by attribute, oldest first; the names are the newest."""

    last: ObjectChange
    writes: dict[str, list[ValueChange]] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """What the object may be asked for by."""
        texts = (self.last.id, self.last.name, self.last.dn, to_guid(self.last.guid))
        return frozenset(text.casefold() for text in texts if text)


@dataclass(frozen=True)
class Undoing:
    """What happens to one object: the change, and the attributes that somebody else changed since."""

    change: ObjectChange
    changed_since: tuple[str, ...] = ()


def collect(journals: Sequence[JournalContents], skip: frozenset[str]) -> dict[bytes, Recorded]:
    """What the journals, oldest first, recorded of each object, by objectGUID; the attributes to skip left out.

    InputError for an attribute that this collection never writes.
    """
    found: dict[bytes, Recorded] = {}
    for contents in journals:
        for number, change in contents.intents.items():
            if contents.outcomes.get(number) in journal.NOTHING_DONE:
                continue
            recorded = found.setdefault(change.guid, Recorded(change))
            recorded.last = change
            for item in change.changes:
                if item.attribute.casefold() not in skip:
                    recorded.writes.setdefault(_checked(contents, item.attribute), []).append(item)
    return found


def _checked(contents: JournalContents, name: str) -> str:
    row = catalogue.CATALOGUE.get(name)
    if row is None or not row.directory_writable:
        raise InputError(
            f"{contents.path}: {name} is not an attribute that this collection writes, so this journal is not used.",
            file=str(contents.path),
        )
    return name


def only(recorded: Mapping[bytes, Recorded], objects: Iterable[str]) -> dict[bytes, Recorded]:
    """The objects of these names, by distinguished name, objectGUID, user principal name or mailbox id.

    InputError for a name that the journals do not know.
    """
    wanted = {text.strip().casefold(): text for text in objects}
    found = {guid: item for guid, item in recorded.items() if item.names & wanted.keys()}
    known = {name for item in found.values() for name in item.names}
    if missing := [text for folded, text in wanted.items() if folded not in known]:
        raise InputError(
            f"The journals recorded no write to {', '.join(missing)}. Name objects by distinguished name, objectGUID, "
            "user principal name or mailbox id, as the journal has them.",
            objects=missing,
        )
    return found


def undo(recorded: Recorded, dn: str, held: Mapping[str, Raw], on_changed: str) -> Undoing:
    """What to change in an object that holds these values now."""
    changes = []
    moved = []
    for name, writes in sorted(recorded.writes.items()):
        now = held.get(name, ())
        target, others = _target(now, writes, on_changed)
        if others:
            moved.append(name)
        if not same(now, target):
            changes.append(ValueChange(name, now, target))
    last = recorded.last
    return Undoing(ObjectChange(last.id, last.name, dn, last.guid, last.anchor, tuple(changes)), tuple(moved))


def _target(now: Raw, writes: Sequence[ValueChange], on_changed: str) -> tuple[Raw, bool]:
    """The values to end with, and whether somebody else changed the attribute since."""
    if same(now, writes[0].before):
        return now, False
    state, others = now, False
    for write in reversed(writes):
        if write.reached(state):
            state = write.before
        elif not write.untouched(state):
            others = True
            if on_changed != OVERWRITE:
                return state, True
            state = write.before
    return state, others
