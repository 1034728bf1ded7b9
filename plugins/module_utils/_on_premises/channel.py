# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""LDAP messages over a connected and signed-in stream: several requests may be under way at once.

Not for use by more than one thread.
"""

from __future__ import annotations

import contextlib
from typing import Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ber, messages
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.ber import Malformed

_RECEIVE = 1 << 18
# No answer is that long; a length beyond it is a stream out of step. AD's own limit for requests is 10 MB.
_LONGEST = 1 << 28
_NO_ANSWER_NEEDED = 0  # the message id of what the server says unasked


class Stream(Protocol):
    """A socket, or what looks like one."""

    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Lost(Exception):
    """The connection broke; whether requests without an answer arrived is not known."""


class Answer:
    """What has come in for one request: the contents of its entries, and of the message that ends it."""

    __slots__ = ("controls", "done", "entries")

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.done: bytes | None = None
        self.controls = b""

    def result(self) -> messages.Result:
        """How the request ended; Malformed where it has not, or not in a way that can be read."""
        if self.done is None:
            raise Malformed("the end of an answer is missing")
        return messages.read_result(self.done, self.controls)


class Channel:
    """Sends requests and sorts what comes back by request. Every broken connection is Lost, and stays so."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._last_id = 1000  # above the ids that were used while signing in
        self._waiting: dict[int, Answer] = {}
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 2
        self._lost: str | None = None

    @property
    def lost(self) -> bool:
        """Whether it is broken or closed."""
        return self._lost is not None

    def send(self, operation: bytes, controls: bytes = b"") -> int:
        """Send a request; its number, which its answer goes by."""
        self._last_id += 1
        self._send(messages.message(self._last_id, operation, controls))
        self._waiting[self._last_id] = Answer()
        return self._last_id

    def wait(self, message_id: int) -> Answer:
        """The whole answer to a request, once it is there."""
        while self._waiting[message_id].done is None:
            self.receive()
        return self._waiting.pop(message_id)

    def take(self, message_id: int) -> Answer | None:
        """The whole answer to a request if it is there."""
        answer = self._waiting[message_id]
        return None if answer.done is None else self._waiting.pop(message_id)

    def abandon(self, message_id: int) -> None:
        """Give up a search: what still comes for it is dropped."""
        answer = self._waiting.pop(message_id, None)
        if answer is not None and answer.done is None and self._lost is None:
            self._last_id += 1
            with contextlib.suppress(Lost):  # then there is nothing left to give up
                self._send(messages.message(self._last_id, messages.abandon_request(message_id)))

    def receive(self) -> None:
        """Read once what has arrived, or wait for something to arrive, and sort the messages that are whole."""
        self._check()
        try:
            data = self._stream.recv(_RECEIVE)
        except OSError as error:
            raise self._break(f"{error or type(error).__name__}") from error
        if not data:
            raise self._break("the server closed it")
        self._parts.append(data)
        self._have += len(data)
        if self._have < self._need:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        try:
            rest = data[self._messages(data) :]
            limits = _limits(rest, 0)
        except Malformed as error:
            self._break(f"what the server sends is no LDAP: {error}")
            raise
        self._parts = [rest] if rest else []
        self._have = len(rest)
        # A long message comes in many pieces, which are put together once.
        self._need = limits[1] if limits else len(rest) + 1

    def close(self) -> None:
        """Say good-bye where anybody listens, and close."""
        if self._lost is None:
            self._lost = "it was closed"
            with contextlib.suppress(OSError):  # it is closed in any case
                self._stream.sendall(messages.message(self._last_id + 1, messages.unbind_request()))
        self._stream.close()

    def _send(self, data: bytes) -> None:
        self._check()
        try:
            self._stream.sendall(data)
        except OSError as error:
            raise self._break(f"{error or type(error).__name__}") from error

    def _check(self) -> None:
        if self._lost is not None:
            raise Lost(self._lost)

    def _break(self, why: str) -> Lost:
        self._lost = why
        self._stream.close()
        return Lost(why)

    def _messages(self, data: bytes) -> int:
        """Sort the messages that are whole; where the first one starts that is not."""
        position, end = 0, len(data)
        waiting = self._waiting
        while (limits := _limits(data, position)) is not None and limits[1] <= end:
            # LDAPMessage ::= SEQUENCE { messageID, protocolOp, [0] controls }
            start, stop = limits
            start, at = ber.expect(data, start, stop, ber.INTEGER)
            message_id = ber.number(data, start, at)
            tag, at, after = ber.header(data, at, stop)
            position = stop
            answer = waiting.get(message_id)
            if answer is None:
                self._unasked(message_id, tag, data[at:after])
            elif tag == messages.SEARCH_ENTRY:
                answer.entries.append(data[at:after])
            elif tag not in (messages.SEARCH_REFERENCE, messages.INTERMEDIATE_RESPONSE):
                answer.done = data[at:after]
                answer.controls = data[after:stop]
        return position

    def _unasked(self, message_id: int, tag: int, operation: bytes) -> None:
        if message_id == _NO_ANSWER_NEEDED and tag == messages.EXTENDED_RESPONSE:
            result = messages.read_result(operation)
            raise self._break(f"the server ended it with result {result.code} {result.message}".rstrip())
        if not 1000 < message_id <= self._last_id:
            raise Malformed(f"an answer to request {message_id}, which was never sent")


def _limits(data: bytes, position: int) -> tuple[int, int] | None:
    """Where the content of the message at ``position`` starts and ends; None where too little of it has arrived."""
    have = len(data) - position
    if have and data[position] != ber.SEQUENCE:
        raise Malformed("a message does not start as one")
    if have < 2:
        return None
    size, start = data[position + 1], position + 2
    if size >= 0x80:
        start += size & 0x7F
        if not start > position + 2 or start > position + 10:
            raise Malformed("a message has a length that cannot be read")
        if start > len(data):
            return None
        size = int.from_bytes(data[position + 2 : start], "big")
        if size > _LONGEST:
            raise Malformed(f"a message would be {size} bytes long")
    return start, start + size
