# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Writing: several modify requests under way at once, each with one result.

The server works on the next request while the answer to the one before is on its way and is being looked at. AD
applies each modify request whole or not at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ldap_errors, messages
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.channel import Channel, Lost
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.messages import Change, Result
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.session import Session, understood

K = TypeVar("K")
Explain = Callable[[str, Sequence[Change], Result], errors.HybridError]

BUSY_WAITS = (0.5, 1.0, 2.0)  # seconds; a busy answer says that nothing was done
IN_FLIGHT = 16  # requests on one connection; their answers are small, so neither side waits for the other to read


@dataclass
class _Request(Generic[K]):
    """One modify request; ``due`` is when a server that was busy is to be asked again."""

    key: K
    dn: str
    changes: Sequence[Change]
    busy: int = 0
    due: float = 0.0


class _Lane(Generic[K]):
    """A connection and the requests under way on it, by message id, the oldest first."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.requests: dict[int, _Request[K]] = {}


class Writer(Generic[K]):
    """Sends the modify requests of one iterable."""

    def __init__(
        self,
        session: Session,
        requests: Iterable[tuple[K, str, Sequence[Change]]],
        connections: int,
        explain: Explain,
    ) -> None:
        """``explain`` turns a refusal into an error; it may ask the server more."""
        self._session = session
        self._source = iter(requests)
        self._connections = connections
        self._explain = explain
        self._lanes: list[_Lane[K]] = []
        self._again: deque[_Request[K]] = deque()
        self._results: deque[tuple[K, errors.HybridError | None]] = deque()
        self._stopped: BaseException | None = None
        self._exhausted = False

    def results(self) -> Iterator[tuple[K, errors.HybridError | None]]:
        """Each key with None, or with the error of its request, as the answers come.

        Where no more can be sent, what is under way is waited for and given, then the reason is raised: Unavailable
        where the server stays away, or what the iterable itself raised.
        """
        try:
            while True:
                self._fill()
                while self._results:
                    yield self._results.popleft()
                lane = self._oldest()
                if lane is not None:
                    self._collect(lane)
                elif self._again and self._stopped is None:
                    self._session.sleep(max(0.0, self._again[0].due - self._session.clock()))
                    self._again[0].due = 0.0
                elif not self._results:
                    break
            if self._stopped is not None:
                raise self._stopped
        finally:
            for lane in self._lanes[1:]:
                lane.channel.close()

    def _fill(self) -> None:
        """Send as many requests as may be under way, taking no more from the iterable than that."""
        while self._stopped is None and (self._again or not self._exhausted):
            try:
                lane = self._free_lane()
                request = self._take() if lane is not None else None
            except BaseException as error:
                # What is under way has results, which the caller's journal needs whatever happened: raised after them.
                self._stop(error)
                return
            if lane is None or request is None:
                return
            try:
                lane.requests[lane.channel.send(messages.modify_request(request.dn, request.changes))] = request
            except Lost as lost:
                self._unknown(request, lost)

    def _free_lane(self) -> _Lane[K] | None:
        """A connection that takes one more request, the emptiest; None where all are full."""
        first = self._session.pinned_channel()
        if not self._lanes:
            self._lanes.append(_Lane(first))
        elif self._lanes[0].channel is not first:
            self._lose(self._lanes[0], Lost("another request found it broken"))
            self._lanes[0] = _Lane(first)
        lane = min(self._lanes, key=lambda lane: len(lane.requests))
        if len(lane.requests) < IN_FLIGHT:
            return lane
        if len(self._lanes) >= self._connections:
            return None
        try:
            self._lanes.append(_Lane(self._session.another_channel()))
        except errors.Unavailable:
            self._connections = len(self._lanes)  # the server takes no more; what there is will do
            return None
        return self._lanes[-1]

    def _take(self) -> _Request[K] | None:
        """The next request to send: one that is due again, or a new one."""
        if self._again and self._again[0].due <= self._session.clock():
            return self._again.popleft()
        if self._exhausted:
            return None
        try:
            return _Request(*next(self._source))
        except StopIteration:
            self._exhausted = True
            return None

    def _oldest(self) -> _Lane[K] | None:
        """The connection with the request that waits the longest, so that none starves."""
        lanes = [lane for lane in self._lanes if lane.requests]
        return min(lanes, key=lambda lane: next(iter(lane.requests))) if lanes else None

    def _collect(self, lane: _Lane[K]) -> None:
        """Wait for answers on a connection, and take those that are whole."""
        lost: Lost | None = None
        try:
            with understood(self._session.host):
                lane.channel.receive()
        except Lost as error:
            lost = error
        except errors.ProtocolError as error:
            lost = Lost(error.message)
        for message_id in list(lane.requests):
            answer = lane.channel.take(message_id)
            if answer is not None:
                self._judge(lane.requests.pop(message_id), answer.result())
        if lost is not None:
            self._lose(lane, lost)
            if lane is not self._lanes[0]:
                self._lanes.remove(lane)

    def _judge(self, request: _Request[K], result: Result) -> None:
        if result.code == ldap_errors.SUCCESS:
            self._results.append((request.key, None))
        elif result.code == ldap_errors.BUSY and request.busy < len(BUSY_WAITS) and self._stopped is None:
            request.due = self._session.clock() + BUSY_WAITS[request.busy]
            request.busy += 1
            self._again.append(request)
        else:
            self._results.append((request.key, self._explain(request.dn, request.changes, result)))

    def _lose(self, lane: _Lane[K], lost: Lost) -> None:
        requests = list(lane.requests.values())
        lane.requests.clear()
        for request in requests:
            self._unknown(request, lost)

    def _unknown(self, request: _Request[K], lost: Lost) -> None:
        error = errors.Unavailable(
            f"{self._session.host} broke the connection while changing {request.dn}: {lost}. Whether the change was "
            "applied is not known until the object is read again.",
            object=request.dn,
            applied="unknown",
            code="unavailable",
        )
        self._results.append((request.key, error))

    def _stop(self, reason: BaseException) -> None:
        """Send no more. What a busy server put off is not applied."""
        self._stopped = reason
        while self._again:
            request = self._again.popleft()
            error = errors.Unavailable(
                f"{self._session.host} was too busy to change {request.dn}, and then no more could be sent. Nothing of "
                "it was applied; run again.",
                object=request.dn,
                code="busy",
            )
            self._results.append((request.key, error))
