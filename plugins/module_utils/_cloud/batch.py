# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Many cmdlets in batches, several batches under way, as fast as the service takes them and never sooner than it says.

One thread decides and keeps all state; the others only wait for answers. What was throttled, lost or left out is sent
again part by part. What is kept in memory is a window of groups, however many cmdlets there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import exchange_errors, retry
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.pace import Pace, Ticket
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import ConnectionLost
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.workers import Workers
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

SIZE = 10
"""Cmdlets in one batch: what other clients use, as no limit is published."""

# Groups in order of which the first may lack its answer, for each request that may be under way: memory against rests.
AHEAD = 4
# Seconds that requests under way get to end when the run is broken off.
PATIENCE = 2.0

Rows: TypeAlias = "list[dict[str, Any]]"
Outcome: TypeAlias = "tuple[Cmdlet, Rows | HybridError]"


class Wire(Protocol):
    """How a batch is written for Exchange Online, and what its parts mean."""

    def batch_url(self) -> str:
        """Where batches go."""

    def batch_request(self, cmdlets: Mapping[int, Cmdlet]) -> tuple[Mapping[str, str], Any]:
        """Headers and content of a batch of these cmdlets by their part ids."""

    def batch_parts(self, answer: Answer) -> Iterator[tuple[int, Answer]]:
        """The parts of an answer by their ids; ProtocolError where it is no batch."""

    def part_outcome(self, cmdlet: Cmdlet, part: Answer) -> Rows | HybridError:
        """What a final answer of one part comes to."""

    def about(self, error: HybridError, cmdlet: Cmdlet) -> HybridError:
        """The error with the cmdlet and the object that it belongs to."""


@dataclass(slots=True)
class _Group:
    """Cmdlets that go together, those of them that have no final answer yet, and when they may be sent again."""

    cmdlets: Sequence[Cmdlet]
    waiting: dict[int, HybridError | None]
    outcomes: dict[int, Rows | HybridError] = field(default_factory=dict)
    attempts: int = 0
    started: float | None = None
    ready: float = 0.0
    given_up: bool = False

    @property
    def finished(self) -> bool:
        return self.given_up or not self.waiting


@dataclass(frozen=True, slots=True)
class _Sent:
    """One request: which parts of which group."""

    group: _Group
    parts: tuple[int, ...]
    ticket: Ticket


def run(http: Http, wire: Wire, cmdlets: Iterable[Cmdlet], most: int) -> Iterator[Outcome]:
    """Run the cmdlets, at most ``most`` batches at once; each comes with its rows or its error, in the order given.

    Raises Unavailable when a whole group got no answer within retry_timeout, and what stops all (a refused token, an
    answer that makes no sense) after the outcomes that were known before it.
    """
    batches = _Batches(http, wire, iter(cmdlets), Pace(most, SIZE), ahead=AHEAD * most)
    try:
        yield from batches.outcomes()
    finally:
        batches.close()


class _Batches:
    def __init__(self, http: Http, wire: Wire, cmdlets: Iterator[Cmdlet], pace: Pace, ahead: int) -> None:
        self._http = http
        self._wire = wire
        self._url = wire.batch_url()
        self._cmdlets = cmdlets
        self._pace = pace
        self._ahead = ahead
        self._workers: Workers[_Sent] = Workers()
        self._order: deque[_Group] = deque()
        self._repeats: list[_Group] = []
        self._upcoming: list[Cmdlet] = []
        self._failure: BaseException | None = None

    # A failure that stops all is raised only after what is under way has come back, and after the outcomes before it.
    def outcomes(self) -> Iterator[Outcome]:
        while True:
            while self._order and self._order[0].finished:
                yield from self._given(self._order.popleft())
            if self._failure is not None and not self._workers.under_way:
                raise self._failure
            self._send()
            if not self._order and not self._more():
                return
            if not self._order or not self._order[0].finished:
                self._wait()

    def close(self) -> None:
        """End the threads; where the run was broken off, some still wait for their answers."""
        self._workers.close(PATIENCE)

    def _given(self, group: _Group) -> Iterator[Outcome]:
        for index, cmdlet in enumerate(group.cmdlets):
            if index in group.outcomes:
                yield cmdlet, group.outcomes[index]
            else:
                yield cmdlet, self._wire.about(_given_up(group.waiting[index], group.attempts), cmdlet)
        if group.given_up and not group.outcomes:
            error = self._wire.about(_given_up(group.waiting[0], group.attempts), group.cmdlets[0])
            self._failure = self._failure or error

    def _send(self) -> None:
        """Send what may be sent now: what has to be repeated first, then the next of what was given."""
        while self._failure is None and not self._http.held(self._url) and (room := self._pace.room()):
            group = self._next(room)
            if group is None:
                return
            now = self._http.clock.monotonic()
            group.started = now if group.started is None else group.started
            group.attempts += 1
            parts = tuple(islice(group.waiting, room))
            sent = _Sent(group, parts, self._pace.sent(len(parts)))
            if self._workers.under_way or (self._pace.room() and (self._repeats or self._more())):
                self._workers.start(sent, self._call(sent))
            else:
                self._take(sent, self._call(sent)())  # there is nothing to do beside it

    def _more(self) -> bool:
        """Whether there are cmdlets that were not sent yet, as far as may be looked ahead."""
        if not self._upcoming and len(self._order) < self._ahead:
            self._upcoming = list(islice(self._cmdlets, 1))
        return bool(self._upcoming)

    def _next(self, room: int) -> _Group | None:
        """A group that may be sent now; None where there is none."""
        now = self._http.clock.monotonic()
        for group in self._repeats:
            if group.ready <= now:
                self._repeats.remove(group)
                return group
        if len(self._order) >= self._ahead or not self._more():
            return None
        cmdlets = [*self._upcoming, *islice(self._cmdlets, room - len(self._upcoming))]
        self._upcoming = []
        group = _Group(cmdlets, dict.fromkeys(range(len(cmdlets))))
        self._order.append(group)
        return group

    def _call(self, sent: _Sent) -> Callable[[], Answer | ConnectionLost | None]:
        headers, payload = self._wire.batch_request({index: sent.group.cmdlets[index] for index in sent.parts})
        return lambda: self._http.send("POST", self._url, "exchange", headers=headers, payload=payload)

    def _wait(self) -> None:
        """Until an answer comes, or something may be sent again."""
        held, began = self._http.held(self._url), self._http.clock.monotonic()
        pauses = [max(held, group.ready - began, 0.0) for group in self._repeats]
        if held and self._more():
            pauses.append(held)
        if self._failure is not None or not self._pace.room():
            pauses = []
        if not self._workers.under_way:
            if pauses and min(pauses) > self._http.retry_timeout:
                self._failure = _held_too_long(min(pauses))
            elif pauses and min(pauses) > 0:
                self._http.wait(min(pauses))
            return
        found = self._workers.next(min(pauses, default=None))
        if held:
            self._http.statistics.count(waited=min(held, self._http.clock.monotonic() - began))
        if found is None:
            return
        sent, result, error = found
        if error is not None:
            self._pace.dropped(sent.ticket)
            self._failure = self._failure or error
        else:
            self._take(sent, result)

    def _take(self, sent: _Sent, result: Answer | ConnectionLost | None) -> None:
        try:
            self._judge(sent, result)
        except HybridError as error:
            self._failure = self._failure or error

    def _judge(self, sent: _Sent, result: Answer | ConnectionLost | None) -> None:
        """What an answer means for the pace, and for the group: finished, given up, or to be repeated and when."""
        group, ticket = sent.group, sent.ticket
        if result is None:
            self._pace.held_back(ticket)
            group.attempts -= 1
            self._repeats.append(group)
            return
        asked = None
        if isinstance(result, ConnectionLost):
            self._pace.dropped(ticket)
            group.waiting.update(dict.fromkeys(sent.parts, result))
        elif exchange_errors.is_transient(result):
            asked = self._refused(ticket, result)
            group.waiting.update(dict.fromkeys(sent.parts, exchange_errors.from_answer(result)))
        elif result.status >= 300:
            self._pace.dropped(ticket)
            raise exchange_errors.from_answer(result)
        else:
            asked = self._parts(sent, result)
        if any(index in group.waiting for index in sent.parts):
            self._repeat(group, retry.delay(group.attempts, asked))
        elif group.waiting:
            self._repeats.append(group)  # there was no room for these

    def _refused(self, ticket: Ticket, answer: Answer) -> float | None:
        if retry.is_throttle(answer):
            self._http.statistics.count(throttled=1)
            self._pace.refused(ticket, self._http.clock.monotonic())
        else:
            self._pace.dropped(ticket)
        return self._http.asked(answer)

    def _parts(self, sent: _Sent, answer: Answer) -> float | None:
        """Sort the parts of a batch into final and transient ones; the seconds that the service asks to wait."""
        group = sent.group
        asked: float | None = None
        throttled = 0
        try:
            for index, part in self._wire.batch_parts(answer):
                if index not in sent.parts or index not in group.waiting:
                    continue
                if exchange_errors.is_transient(part):
                    throttled += retry.is_throttle(part)
                    group.waiting[index] = exchange_errors.from_answer(part)
                    after = retry.retry_after(part.headers.get("retry-after"), answer.date or self._http.clock.now())
                    asked = asked if after is None else max(asked or 0.0, after)
                else:
                    group.outcomes[index] = self._wire.part_outcome(group.cmdlets[index], part)
                    del group.waiting[index]
        finally:
            now = self._http.clock.monotonic()
            if throttled:
                self._http.statistics.count(throttled=throttled)
                self._pace.refused(sent.ticket, now, throttled)
            else:
                self._pace.answered(sent.ticket, now, retry.remaining(answer.headers))
        if asked:
            self._http.hold(self._url, asked)
        return asked

    def _repeat(self, group: _Group, wait: float) -> None:
        now = self._http.clock.monotonic()
        if now - (group.started or now) + max(wait, self._http.held(self._url)) > self._http.retry_timeout:
            group.given_up = True
            return
        self._http.statistics.count(retried=1)
        group.ready = now + wait
        self._repeats.append(group)


def _held_too_long(seconds: float) -> Unavailable:
    return Unavailable(
        f"Exchange Online asked this application to send nothing for another {seconds:.0f} seconds, which is longer "
        "than retry_timeout. Run again later."
    )


def _given_up(last: HybridError | None, attempts: int) -> Unavailable:
    said = last.message if last is not None else "The service left this part of the batch out of its answer."
    facts = dict(last.facts) if last is not None else {}
    return Unavailable(
        f"{said} Given up after {attempts} attempts. Run again later, or raise retry_timeout.", **facts, uncertain=True
    )
