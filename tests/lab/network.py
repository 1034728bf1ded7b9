# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Relays in front of the domain controllers: they count what passes, and make trouble when a fault asks for it.

Clients of the lab reach a directory through its relay only, so a test can cut, refuse or change what it likes without
touching the domain controller. What a connection does stands in ``relay.py``.

Faults (target ``ldap``) are looked for when a client connects (``event`` = ``connect``) and at each request of an open
connection (``event`` = ``request``); ``match`` can name ``event``, ``port``, ``operation`` (bind, search, modify, add,
delete, modify_dn, compare, extended, unbind, abandon) and ``dn`` (or ``path_regex``, a pattern for it); ``after`` lets
so many requests that fit go by first:

``cut``
    the connection is cut at a ``point``: ``in_answer`` (the default), in the middle of what the directory answers,
    after ``after_bytes`` bytes (default: at ``connect`` 3000; at ``request`` half of the next piece);
    ``before_request``, the request never reaches the directory; ``after_request``, it is carried out, and the answer
    does not come back;
``unavailable``
    the connection is reset at once (or at a ``point`` as above);
``dc_restart``
    so too, and the domain controller stops, stays away for ``seconds`` (default 2) and starts again;
``slow``
    every message in both directions waits for ``seconds`` (default 1), for the rest of the connection;
``refuse``
    the request does not reach the directory, and is answered with the result ``code`` (number or name: 51 ``busy``,
    52, 53, 8, 19, 50, 16, 10 with ``referrals`` ...) and ``text`` (default: of the kind that Windows sends);
``other_writer``
    right before a ``modify`` goes on to the directory, somebody else changes ``object`` (default: the object that is
    written) as ``changes`` say (see ``forest/edit.py``).

A connection that SASL signs or seals on the clear port cannot be looked into: faults fit its pieces by ``event`` and
``port`` only, and ``refuse``, ``other_writer`` and ``point`` ``after_request`` do not act on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from tests.lab.machine import LabError
from tests.lab.relay import CHUNK, Connection
from tests.lab.relay_parts import Acts, Faults, Route, Traffic
from tests.lab.settings import LDAP_OVER_TLS, RELAY_PORTS, TENANTS, Settings, Tenant

BACKLOG = 128
STOP_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Relays:
    """The running relays of all forests, in a thread of their own."""

    def __init__(self, faults: Faults, acts: Acts) -> None:
        """Nothing listens yet."""
        self._faults = faults
        self._acts = acts
        self._lock = threading.Lock()
        self._traffic: dict[str, Traffic] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="ldap-relay")
        self._thread.start()

    def listen(self, route: Route, address: str) -> int:
        """Relay ``address`` (port 0: any free one) as ``route`` says. Returns the port; OSError when it is taken."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, route.port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        with self._lock:
            self._traffic.setdefault(route.tenant.name, Traffic())
        self._servers.append(self._run(self._serve(listener, route)))
        return int(listener.getsockname()[1])

    def counts(self) -> dict[str, Traffic]:
        """A copy of the counters, by tenant name."""
        with self._lock:
            return {
                name: Traffic(**{**vars(traffic), "operations": Counter(traffic.operations)})
                for name, traffic in self._traffic.items()
            }

    def stop(self) -> None:
        """Close all listeners and connections."""
        if not self._thread.is_alive():
            return
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self, listener: socket.socket, route: Route) -> asyncio.Server:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._connection(route, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return await asyncio.start_server(connected, sock=listener, limit=CHUNK)

    async def _connection(self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count(route.tenant, connections=1, open=1)
        connection = Connection(route, self._faults, self._acts, self._counter(route.tenant), writer)
        try:
            await connection.run(reader)
        except Exception:
            # The boundary of the thread: one connection's trouble must not end the others, and must be seen.
            _log.exception("a relayed connection to %s failed", route.tenant.domain)
        finally:
            self._count(route.tenant, open=-1)
        with contextlib.suppress(TimeoutError):
            await connection.close()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), STOP_SECONDS)
        for _turn in range(5):  # aborted transports let go of their sockets in the next turns of the loop
            await asyncio.sleep(0)
        await self._loop.shutdown_default_executor()

    def _counter(self, tenant: Tenant) -> Callable[..., None]:
        def count(operation: str | None = None, **more: int) -> None:
            self._count(tenant, operation, **more)

        return count

    def _count(self, tenant: Tenant, operation: str | None = None, **more: int) -> None:
        with self._lock:
            traffic = self._traffic[tenant.name]
            for name, number in more.items():
                setattr(traffic, name, getattr(traffic, name) + number)
            if operation is not None:
                traffic.operations[operation] += 1


def start_relays(settings: Settings, faults: Faults, acts: Acts) -> Relays:
    """Start every tenant's relay. Raises ``OSError`` when an address is taken; nothing listens then."""
    relays = Relays(faults, acts)
    try:
        for tenant in TENANTS:
            inner, outer = contexts(settings, tenant)
            for port in RELAY_PORTS:
                route = Route(
                    tenant=tenant,
                    port=port,
                    target=(tenant.forest.dc_address, port),
                    inner=inner,
                    outer=outer,
                    server_name=tenant.forest.server_name,
                    at_once=port in LDAP_OVER_TLS,
                )
                relays.listen(route, tenant.forest.relay_address)
    except OSError:
        relays.stop()
        raise
    return relays


def logged(restart: Callable[[str, float], object]) -> Callable[[Tenant, float], None]:
    """``restart(forest name, seconds)`` as the relay calls it, in a thread whose errors nobody sees: so log them."""

    def restarting(tenant: Tenant, seconds: float) -> None:
        try:
            restart(tenant.forest.name, seconds)
        except LabError as error:
            _log.error("the domain controller of %s was not restarted: %s", tenant.domain, error)

    return restarting


def contexts(settings: Settings, tenant: Tenant) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS towards the clients, with the domain controller's certificate, and towards the domain controller."""
    inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = settings.tls_dir / f"dc-{tenant.forest.name}"
    inner.load_cert_chain(name.with_suffix(".pem"), name.with_suffix(".key"))
    return inner, ssl.create_default_context(cafile=str(settings.ca))
