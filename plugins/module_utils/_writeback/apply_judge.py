# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What became of one write: what the object holds decides, not what the server answered. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, Raw, ValueChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry

WRITTEN = "written"
UNCHANGED = "unchanged"
FAILED = "failed"
UNKNOWN = "unknown"
NOT_ATTEMPTED = "not_attempted"
WRITE_OUTCOMES = (WRITTEN, FAILED, UNKNOWN, NOT_ATTEMPTED)

Reached = Callable[[ValueChange, Raw], bool]
"""Whether an attribute with these values is as it should be after a change."""

_MOVED = frozenset(
    {16, 20}
)  # noSuchAttribute, attributeOrValueExists: a value to remove is gone, or one to add is there


class Next(Enum):
    """What to do with a write that did not come to its end."""

    NOTHING = "nothing"
    SEND_AGAIN = "send again"
    PLAN_AGAIN = "plan again"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One write: the word for the report, the word for the journal, why, and what to do next."""

    outcome: str
    journal: str
    error: HybridError | None = None
    next: Next = Next.NOTHING


def exact(change: ValueChange, held: Raw) -> bool:
    """Byte by byte."""
    return change.reached(held)


def judge(change: ObjectChange, entry: Entry | None, error: HybridError | None, reached: Reached) -> Verdict:
    """The verdict on a write that the server answered with ``error``, or took, and that was read back as ``entry``."""
    unsure = error is not None and error.facts.get("applied") == UNKNOWN
    if entry is None:
        gone = error or NotFound(f"{change.dn} cannot be found any more after the write.", object=change.dn)
        return Verdict(FAILED, journal.UNKNOWN if unsure or error is None else journal.NOT_WRITTEN, gone)
    wrong = _wrong(change, entry.values, reached)
    if not wrong:
        # A refusal and yet the wanted values: somebody else has set them, and there is nothing to undo here.
        word = WRITTEN if error is None or unsure else UNCHANGED
        return Verdict(word, journal.WRITTEN if word == WRITTEN else journal.UNCHANGED)
    if error is None:
        overwritten = Conflict(
            f"The directory took the change of {change.dn}, but reading it back shows other values of "
            f"{', '.join(wrong)}: something else writes to this object.",
            object=change.dn,
            code="overwritten",
        )
        return Verdict(FAILED, journal.OVERWRITTEN, overwritten)
    if unsure:
        if change.untouched(entry.values):  # all of a modify arrives, or nothing
            return Verdict(FAILED, journal.NOT_WRITTEN, error, Next.SEND_AGAIN)
        return Verdict(FAILED, journal.UNKNOWN, error, Next.PLAN_AGAIN)
    moved = values_moved(error) or (isinstance(error, NotFound) and entry.dn != change.dn)
    return Verdict(FAILED, journal.NOT_WRITTEN, error, Next.PLAN_AGAIN if moved else Next.NOTHING)


def _wrong(change: ObjectChange, held: Mapping[str, Raw], reached: Reached) -> list[str]:
    """The attributes that are not as they should be."""
    return [item.attribute for item in change.changes if not reached(item, held.get(item.attribute, ()))]


def values_moved(error: HybridError) -> bool:
    """Whether the directory refused a change because the values it names are not the object's."""
    if not isinstance(error, Conflict):
        return False
    code = error.facts.get("code")
    return code == "conflict" if code else error.facts.get("ldap_result") in _MOVED
