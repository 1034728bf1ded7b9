# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One relayed LDAP connection: messages pass between a client and a domain controller, and faults meet them.

TLS ends here, with the domain controller's own certificate (so that channel bindings stay right), and begins anew
towards the domain controller: the relay can answer in its stead, and knows where a message begins. A connection that
SASL signs or seals cannot be looked into; from its bind on, bytes pass as they come, and only faults that need no
message fit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

from tests.lab import ldap_messages as ldap
from tests.lab.ldap_refusals import Refusal, refusal
from tests.lab.relay_parts import AFTER_REQUEST, AT_CONNECT, AT_REQUEST, BEFORE_REQUEST, Acts, Fault, Faults, Route

CHUNK = 262144
CONNECT_SECONDS = 60.0  # a domain controller that is down refuses at once, a busy one takes its time
FLUSH_SECONDS = 5.0
CLOSE_SECONDS = 5.0
CUT_AFTER_CONNECT = 3000  # bytes of answers: past the bind, in the middle of what is read first
_log = logging.getLogger(__name__)


class _Over(Exception):
    """The connection was ended by a fault."""


class Connection:
    """One client's connection; :meth:`run` returns when it is over."""

    def __init__(
        self, route: Route, faults: Faults, acts: Acts, count: Callable[..., None], client: asyncio.StreamWriter
    ) -> None:
        """Nothing happens yet. ``count`` takes what is to be added to the fields of :class:`Traffic`."""
        self._route = route
        self._faults = faults
        self._acts = acts
        self._count = count
        self._client = client
        self._socket: socket.socket | None = client.get_extra_info("socket")
        self._directory: asyncio.StreamWriter | None = None
        self._encrypted = route.at_once and route.inner is not None
        self._opaque = False
        self._slow_seconds = 0.0
        self._cut_after: int | None = None  # bytes from the directory that may still pass
        self._cut_next = False  # the next piece from the directory is cut in half
        self._swallowed: dict[int, Fault] = {}  # by request: its answer is awaited, then the connection ends
        self._starting_tls: int | None = None
        self._binding: int | None = None

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Relay until one side ends, or a fault does."""
        if self._encrypted:
            # Not in the listener's callback: Python before 3.11.4 begins to read after that one, whatever it said.
            self._pause()
        fault = await self._take(event=AT_CONNECT)
        try:
            if fault is not None and fault.kind in ("unavailable", "dc_restart"):
                await self._end(fault)
            answers, self._directory = await self._connect()
            if self._encrypted and self._route.inner is not None:
                await self._client.start_tls(self._route.inner)
            if fault is not None:
                await self._apply(fault, at_connect=True)
            await self._both(reader, answers)
        except _Over:
            self.abort()
        except (OSError, ssl.SSLError, TimeoutError) as error:
            _log.info("a connection to %s ended: %s", self._route.tenant.domain, error)
            self.abort()
        except asyncio.CancelledError:
            self.abort()
            raise

    async def close(self) -> None:
        """End both sides in good order; with a reset where that takes long."""
        sides = [side for side in (self._client, self._directory) if side is not None]
        for side in sides:
            side.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(side.wait_closed() for side in sides), return_exceptions=True)
        finally:
            self.abort()

    def abort(self) -> None:
        """End both sides at once; the client sees a reset."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it may be closed
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._client.transport.abort()
        if self._directory is not None:
            self._directory.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        encrypted = self._route.outer if self._route.at_once else None
        return await asyncio.wait_for(
            asyncio.open_connection(
                *self._route.target,
                ssl=encrypted,
                server_hostname=self._route.server_name if encrypted else None,
                limit=CHUNK,
            ),
            CONNECT_SECONDS,
        )

    async def _both(self, reader: asyncio.StreamReader, answers: asyncio.StreamReader) -> None:
        tasks = [asyncio.create_task(self._requests(reader)), asyncio.create_task(self._answers(answers))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done() and tasks[0].exception() is None:
                await tasks[1]  # the client has said all: what the directory still answers is passed on
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    # From the client to the directory

    async def _requests(self, reader: asyncio.StreamReader) -> None:
        buffer = bytearray()
        while data := await reader.read(CHUNK):
            buffer += data
            while (message := self._next(buffer)) is not None:
                await self._request(message)
        if self._directory is not None and self._directory.can_write_eof():
            self._directory.write_eof()
        elif self._directory is not None:
            self._directory.close()

    def _pause(self) -> None:
        """Leave what the client says next to TLS, which takes its side over only later."""
        cast(asyncio.Transport, self._client.transport).pause_reading()  # asyncio declares the half that writes

    def _next(self, buffer: bytearray) -> bytes | None:
        """Take the next whole message from the buffer, or all of it where messages cannot be told."""
        if not self._opaque:
            try:
                length = ldap.whole(buffer)
            except ldap.NotLdap:
                self._opaque = True
            else:
                if length is None or len(buffer) < length:
                    return None
                message = bytes(buffer[:length])
                del buffer[:length]
                return message
        message = bytes(buffer)
        buffer.clear()
        return message or None

    async def _request(self, message: bytes) -> None:
        asked = None if self._opaque else _understood(message)
        facts = {"event": AT_REQUEST}
        if asked is not None:
            facts |= {"operation": asked.operation, "dn": asked.name, "path": asked.name}
        fault = await self._take(**facts)
        if fault is not None and not await self._meet(fault, asked):
            return
        if asked is not None and asked.operation in ("modify", "modify_dn") and self._acts.policed():
            forbidden = await asyncio.to_thread(self._acts.policy, self._route.tenant, asked.name)
            if forbidden is not None:
                await self._refuse(asked, forbidden)
                return
        if self._slow_seconds:
            await asyncio.sleep(self._slow_seconds)
        if asked is not None:
            self._note(asked)
        self._count(to_directory=len(message), operation=asked.operation if asked else None)
        await _send(self._directory, message)

    def _note(self, asked: ldap.Request) -> None:
        if asked.operation == "extended" and asked.name.encode() == ldap.START_TLS:
            self._starting_tls = asked.id
        elif asked.operation == "bind" and asked.sasl and not self._encrypted:
            self._binding = asked.id

    async def _meet(self, fault: Fault, asked: ldap.Request | None) -> bool:
        """Let a fault act on a request; whether the request goes on to the directory."""
        if fault.kind == "refuse" and asked is not None:
            await self._refuse(asked, refusal(fault.parameters))
            return False
        if fault.kind == "other_writer" and asked is not None:
            await asyncio.to_thread(self._acts.other_writer, self._route.tenant, asked.name, fault.parameters)
            return True
        point = fault.parameters.get("point")
        if point == AFTER_REQUEST and asked is not None and asked.answer_tag is not None:
            self._swallowed[asked.id] = fault
        elif point == BEFORE_REQUEST:
            await self._end(fault)
        else:
            await self._apply(fault, at_connect=False)
        return True

    async def _refuse(self, asked: ldap.Request, how: Refusal) -> None:
        if asked.answer_tag is not None:
            await _send(self._client, ldap.refusal(asked, how.code, how.text, how.referrals))

    # From the directory to the client

    async def _answers(self, reader: asyncio.StreamReader) -> None:
        buffer = bytearray()
        while data := await reader.read(CHUNK):
            buffer += data
            ready = []
            while (message := self._next(buffer)) is not None:
                answer = self._expected(message)
                if answer is None:
                    ready.append(message)
                    continue
                await self._pass_on(ready)
                ready = []
                await self._expected_answer(answer, message)
            await self._pass_on(ready)
        if self._client.can_write_eof():
            self._client.write_eof()

    def _expected(self, message: bytes) -> ldap.Answer | None:
        """What a message says, when it is the end of a request that is waited for."""
        if self._opaque or not (self._swallowed or self._starting_tls or self._binding):
            return None
        try:
            answer = ldap.answer(message)
        except ldap.NotLdap:
            return None
        expected = {*self._swallowed, self._starting_tls, self._binding}
        return answer if answer.final and answer.id in expected else None

    async def _expected_answer(self, answer: ldap.Answer, message: bytes) -> None:
        fault = self._swallowed.pop(answer.id, None)
        if fault is not None:
            await self._end(fault)
        elif answer.id == self._starting_tls:
            self._starting_tls = None
            if answer.code == ldap.SUCCESS and self._route.inner is not None:
                await self._start_tls(message)
            else:
                await self._pass_on([message])
        else:
            self._binding = None
            self._opaque = answer.code == ldap.SUCCESS
            await self._pass_on([message])

    async def _start_tls(self, message: bytes) -> None:
        """Encrypt both sides; the client is told before, and must not be heard until its side is ready."""
        if self._directory is None or self._route.outer is None or self._route.inner is None:
            raise _Over
        self._pause()
        await self._directory.start_tls(self._route.outer, server_hostname=self._route.server_name)
        await self._pass_on([message])
        await self._client.start_tls(self._route.inner)
        self._encrypted = True

    async def _pass_on(self, messages: Iterable[bytes]) -> None:
        data = b"".join(messages)
        if not data:
            return
        if self._slow_seconds:
            await asyncio.sleep(self._slow_seconds)
        allowed = self._allowed(len(data))
        self._count(from_directory=allowed)
        await _send(self._client, data[:allowed])
        if allowed < len(data):
            await self._drop()

    def _allowed(self, size: int) -> int:
        """How many bytes of an answer of ``size`` bytes may pass."""
        if self._cut_next:
            return size // 2
        if self._cut_after is None:
            return size
        allowed = min(size, self._cut_after)
        self._cut_after -= allowed
        return allowed

    # Faults

    async def _take(self, **facts: Any) -> Fault | None:
        if not self._faults.armed:
            return None
        route = self._route
        return await asyncio.to_thread(self._faults.take, "ldap", route.tenant.tenant_id, port=route.port, **facts)

    async def _apply(self, fault: Fault, at_connect: bool) -> None:
        if fault.kind == "slow":
            self._slow_seconds = float(fault.parameters.get("seconds", 1.0))
        elif fault.kind == "cut":
            after = fault.parameters.get("after_bytes", CUT_AFTER_CONNECT if at_connect else None)
            if after is None:
                self._cut_next = True
            else:
                self._cut_after = int(after)
        elif fault.kind in ("unavailable", "dc_restart"):
            await self._end(fault)

    async def _end(self, fault: Fault) -> None:
        """End the connection; restart the domain controller first where the fault says so."""
        if fault.kind == "dc_restart":
            seconds = float(fault.parameters.get("seconds", 2.0))
            threading.Thread(target=self._acts.restart, args=(self._route.tenant, seconds), daemon=True).start()
        await self._drop()

    async def _drop(self) -> None:
        await _flushed(self._client)
        raise _Over


def _understood(message: bytes) -> ldap.Request | None:
    try:
        return ldap.request(message)
    except (ldap.NotLdap, ValueError):
        return None


async def _send(writer: asyncio.StreamWriter | None, data: bytes) -> None:
    if writer is not None:
        writer.write(data)
        await writer.drain()


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """Wait until the operating system has what was written, within reason."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FLUSH_SECONDS):
            while writer.transport.get_write_buffer_size():
                await asyncio.sleep(0.001)
