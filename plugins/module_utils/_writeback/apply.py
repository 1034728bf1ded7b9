# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Write changes to the directory: journal first, then the requests, then every object read back where it was written.

It goes chunk by chunk. The journal of a chunk is on disk before any of it is sent, and its outcomes are known before
the next one begins; so a run that is killed leaves at most one chunk to find out about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    Refused,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, Step
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import Journal, JournalError
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply_judge import (
    FAILED,
    NOT_ATTEMPTED,
    UNCHANGED,
    UNKNOWN,
    WRITTEN,
    Next,
    Reached,
    Verdict,
    exact,
    judge,
    values_moved,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory

CHUNK = 200  # objects; each chunk costs one fsync and two searches
NOT_RELEASED = "address_not_released"
TRIES = 3  # times that one object is written before its values are left to whoever keeps changing them


@dataclass(frozen=True)
class Written:
    """What became of one change; ``error`` is set unless the object holds the planned values."""

    change: ObjectChange
    outcome: str
    error: HybridError | None = None


class PlanAgain(Protocol):
    """Reads objects again whose values moved, and plans them again."""

    def __call__(self, changes: Sequence[ObjectChange], /) -> Mapping[bytes, ObjectChange | Written]:
        """By objectGUID, the change that is right now, or what is to be reported where there is none."""


@dataclass(frozen=True)
class _Attempt:
    change: ObjectChange
    tries: int = 1


@dataclass
class Writer:
    """Writes changes and keeps account of them. ``needs`` says which objects must be written before which."""

    directory: Directory
    journal: Journal
    progress: Progress
    plan_again: PlanAgain
    max_failures: int
    reached: Reached = exact
    needs: Mapping[bytes, frozenset[bytes]] = field(default_factory=dict)
    done: list[Written] = field(default_factory=list)
    stopped: HybridError | None = None
    _failed: dict[bytes, HybridError] = field(default_factory=dict)
    _failures: int = 0

    def write(self, stages: Iterable[Iterable[ObjectChange]]) -> list[Written]:
        """Write the stages one after the other.

        One bad object does not end it. A server that stays away does, a journal that cannot be written, more than
        max_failures failures, and a whole chunk of which nothing could be written: what is wrong then is wrong for the
        rest too.
        """
        for stage in stages:
            fresh = (_Attempt(change) for change in stage)
            again: deque[_Attempt] = deque()
            while chunk := list(islice(chain(_drained(again), fresh), CHUNK)):
                if self.stopped is None:
                    again.extend(self._chunk(chunk))
                else:
                    self._report(Written(item.change, NOT_ATTEMPTED, self.stopped) for item in chunk)
        return self.done

    def _chunk(self, chunk: Sequence[_Attempt]) -> list[_Attempt]:
        """Write one chunk; returns what is to be tried again."""
        ready = [item for item in chunk if not self._blocked(item)]
        if not ready:
            return []
        try:
            numbers = self.journal.intend([item.change for item in ready])
        except JournalError as error:
            self._stop(error)
            self._report(Written(item.change, NOT_ATTEMPTED, error) for item in ready)
            return []
        sent, errors = self._send(ready)
        verdicts = self._verdicts(ready, sent, errors)
        again = self._again(ready, verdicts)
        finished = [
            Written(item.change, verdict.outcome, verdict.error)
            for item, verdict in zip(ready, verdicts, strict=True)
            if verdict.next is Next.NOTHING
        ]
        self._report(finished)
        try:
            self.journal.outcome(
                (number, verdict.journal, verdict.error.message if verdict.error else "")
                for number, verdict in zip(numbers, verdicts, strict=True)
            )
        except JournalError as error:
            self._stop(error)
        if len(ready) == CHUNK == len(finished) and all(item.outcome == FAILED for item in finished):
            self._stop(finished[-1].error)
        if self._failures > self.max_failures:
            self._stop(self._too_many())
        return again

    def _blocked(self, item: _Attempt) -> bool:
        """Report a change that needs another one which failed; false for one that may be written."""
        guid = item.change.guid
        error = self._failed.get(guid)
        if error is None and any(other in self._failed for other in self.needs.get(guid, ())):
            error = Conflict(
                f"{item.change.dn} was not written: an address that it gets is still with another object, whose own "
                "write failed.",
                object=item.change.dn,
                code=NOT_RELEASED,
            )
        if error is not None:
            self._report([Written(item.change, NOT_ATTEMPTED, error)])
        return error is not None

    def _send(self, chunk: Sequence[_Attempt]) -> tuple[set[int], dict[int, HybridError]]:
        """Send the requests; returns which went out, and the errors of those that did not go well."""
        sent: set[int] = set()
        answered: set[int] = set()
        errors: dict[int, HybridError] = {}
        refused = 0

        def requests() -> Iterator[tuple[int, str, Sequence[Step]]]:
            for number, item in enumerate(chunk):
                if self._failures + refused > self.max_failures:
                    self._stop(self._too_many())
                    return
                sent.add(number)
                yield number, item.change.dn, item.change.steps()

        try:
            for number, error in self.directory.modify_many(requests()):
                answered.add(number)
                if error is not None:
                    errors[number] = error
                    refused += error.facts.get("applied") != UNKNOWN and not values_moved(error)
        except HybridError as lost:
            self._stop(lost)
            for number in sent - answered:
                errors[number] = Unavailable(lost.message, **{**lost.facts, "applied": UNKNOWN})
        return sent, errors

    def _verdicts(self, chunk: Sequence[_Attempt], sent: set[int], errors: Mapping[int, HybridError]) -> list[Verdict]:
        try:
            entries = self._entries([chunk[number].change for number in sorted(sent)])
        except HybridError as lost:
            self._stop(lost)
            return [
                Verdict(UNKNOWN, journal.UNKNOWN, errors.get(number, lost)) if number in sent else self._not_sent()
                for number in range(len(chunk))
            ]
        return [
            judge(item.change, entries.get(item.change.guid), errors.get(number), self.reached)
            if number in sent
            else self._not_sent()
            for number, item in enumerate(chunk)
        ]

    def _not_sent(self) -> Verdict:
        return Verdict(NOT_ATTEMPTED, journal.NOT_WRITTEN, self.stopped)

    def _entries(self, changes: Sequence[ObjectChange]) -> dict[bytes, Entry]:
        names = list(dict.fromkeys(change.attribute for item in changes for change in item.changes))
        return join.by_guid(self.directory, [item.guid for item in changes], names)

    def _again(self, chunk: Sequence[_Attempt], verdicts: list[Verdict]) -> list[_Attempt]:
        """The attempts to make next. A verdict that turns out to be the last one is put into ``verdicts``."""
        again: list[_Attempt] = []
        moved: list[int] = []
        for number, (item, verdict) in enumerate(zip(chunk, verdicts, strict=True)):
            if verdict.next is Next.NOTHING:
                continue
            if verdict.next is Next.SEND_AGAIN and self.stopped is not None:
                verdicts[number] = replace(verdict, outcome=NOT_ATTEMPTED, error=self.stopped, next=Next.NOTHING)
            elif item.tries >= TRIES or self.stopped is not None:
                verdicts[number] = replace(verdict, error=_given_up(item, verdict.error), next=Next.NOTHING)
            elif verdict.next is Next.SEND_AGAIN:
                again.append(_Attempt(item.change, item.tries + 1))
            else:
                moved.append(number)
        if not moved:
            return again
        try:
            planned = self.plan_again([chunk[number].change for number in moved])
        except HybridError as error:
            if isinstance(error, Unavailable):
                self._stop(error)
            planned = {chunk[number].change.guid: Written(chunk[number].change, FAILED, error) for number in moved}
        for number in moved:
            item = chunk[number]
            found = planned[item.change.guid]
            if isinstance(found, ObjectChange):
                again.append(_Attempt(found, item.tries + 1))
            else:
                verdicts[number] = replace(
                    verdicts[number], outcome=found.outcome, error=found.error, next=Next.NOTHING
                )
        return again

    def _report(self, results: Iterable[Written]) -> None:
        for result in results:
            self.done.append(result)
            self.progress.advance()
            if result.outcome in {WRITTEN, UNCHANGED}:
                continue
            if result.error is not None:
                self._failed.setdefault(result.change.guid, result.error)
            self._failures += result.outcome != NOT_ATTEMPTED

    def _stop(self, reason: HybridError | None) -> None:
        self.stopped = self.stopped or reason

    def _too_many(self) -> Refused:
        return Refused(
            f"More than {self.max_failures} objects could not be written, which is what max_failures allows, so the "
            "rest was not tried. See to the reasons first, or raise max_failures.",
            limit="max_failures",
            code="max_failures",
        )


def _drained(items: deque[_Attempt]) -> Iterator[_Attempt]:
    while items:
        yield items.popleft()


def _given_up(item: _Attempt, error: HybridError | None) -> HybridError | None:
    if error is None or item.tries < TRIES:
        return error
    return type(error)(f"{error.message} It was tried {item.tries} times.", **error.facts)
