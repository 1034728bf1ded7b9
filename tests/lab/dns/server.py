# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resolvers on the network: UDP and TCP, one thread for all, and one for each TCP connection while it lasts."""

from __future__ import annotations

import logging
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.lab.dns.places import RESOLVERS, Resolver

Answer = Callable[[Resolver, bytes, bool], bytes | None]
_TCP_SECONDS = 10.0
_CONNECTIONS = 16
_LONGEST = 65_535
_log = logging.getLogger("tests.lab.dns")


class Resolvers:
    """All resolvers of the lab, listening until they are stopped."""

    def __init__(self, answer: Answer, resolvers: tuple[Resolver, ...] = RESOLVERS) -> None:
        """``answer`` gives the answer to a query, by TCP or not, or None. OSError: an address is taken."""
        self._answer = answer
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._connections = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="dns connection")
        self._bell, rings = socket.socketpair()
        self._selector.register(rings, selectors.EVENT_READ)
        try:
            for resolver in resolvers:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    listener = _listener(resolver, kind)
                    self._selector.register(listener, selectors.EVENT_READ, (resolver, kind))
        except OSError:
            self._close()
            raise
        self._thread = threading.Thread(target=self._serve, name="dns", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close everything."""
        self._stopping.set()
        self._bell.close()
        self._thread.join(5.0)
        self._connections.shutdown(wait=True, cancel_futures=True)
        self._close()

    def _close(self) -> None:
        self._bell.close()
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _serve(self) -> None:
        while True:
            for key, _events in self._selector.select():
                listener = key.fileobj
                if key.data is None or not isinstance(listener, socket.socket):
                    return  # the bell: stop
                resolver, kind = key.data
                try:
                    if kind == socket.SOCK_DGRAM:
                        data, sender = listener.recvfrom(_LONGEST)
                        reply = self._safely(resolver, data, tcp=False)
                        if reply is not None:
                            listener.sendto(reply, sender)
                    else:
                        connection, _address = listener.accept()
                        self._connections.submit(self._connection, resolver, connection)
                except OSError as error:
                    _log.warning("a query to %s was not answered: %s", resolver.address, error)

    def _safely(self, resolver: Resolver, data: bytes, tcp: bool) -> bytes | None:
        try:
            return self._answer(resolver, data, tcp)
        except Exception:  # the boundary of the thread: one query's trouble must not end the others, and is in the log
            _log.exception("a query to %s failed", resolver.address)
            return None

    def _connection(self, resolver: Resolver, connection: socket.socket) -> None:
        """Queries over TCP, each with its length before it, until the client goes or is silent for too long."""
        with connection:
            connection.settimeout(_TCP_SECONDS)
            try:
                while not self._stopping.is_set():
                    size = _read(connection, 2)
                    if size is None:
                        return
                    data = _read(connection, struct.unpack("!H", size)[0])
                    if data is None:
                        return
                    reply = self._safely(resolver, data, tcp=True)
                    if reply is None:
                        self._hold(connection)
                        return
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
            except OSError:
                return

    def _hold(self, connection: socket.socket) -> None:
        """No answer: keep the connection until the client gives up, as a resolver that hangs does."""
        connection.settimeout(0.2)
        deadline = time.monotonic() + _TCP_SECONDS
        while not self._stopping.is_set() and time.monotonic() < deadline:
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue


def _listener(resolver: Resolver, kind: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((resolver.address, resolver.port))
        if kind == socket.SOCK_STREAM:
            listener.listen(32)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {resolver.address}:{resolver.port}: {error.strerror}") from error
    return listener


def _read(connection: socket.socket, size: int) -> bytes | None:
    """So many bytes; None when the client is gone before."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data
