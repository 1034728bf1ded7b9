# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP relays in front of the domain controllers: they count bytes and make trouble when a fault asks for it.

Clients of the lab reach a directory through its relay only, so a test can cut, slow down or refuse connections
without touching the domain controller. TLS passes through: the certificate names the relay's address, too.

Faults (target ``ldap``) are looked for when a client connects (``event`` = ``connect``) and at each piece that an open
connection sends (``event`` = ``request``); ``match`` can name ``event`` and ``port``:

``cut``
    the answer is cut in the middle: after ``after_bytes`` bytes from the directory (default: at ``connect`` 6000, well
    past the TLS handshake; at ``request`` half of the next answer, so the request itself was carried out);
``slow``
    every piece in both directions waits for ``seconds`` (default 1), for the rest of the connection;
``unavailable``
    the connection is reset at once;
``dc_restart``
    the domain controller is stopped, stays away for ``seconds`` (default 2) and starts again.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.lab import supervisor
from tests.lab.machine import LabError
from tests.lab.settings import RELAY_PORTS, TENANTS, Settings, Tenant

CONNECT_SECONDS = 5.0
CHUNK = 65536
BACKLOG = 128
CUT_AFTER_CONNECT = 6000
_log = logging.getLogger(__name__)


class Fault(Protocol):
    """What the relay needs of an armed fault."""

    @property
    def kind(self) -> str: ...

    @property
    def parameters(self) -> dict[str, Any]: ...


class Faults(Protocol):
    """Where the relay asks for faults."""

    def take(self, target: str, tenant: str | None, **facts: Any) -> Fault | None:
        """The next fault that applies; its count goes down by one."""


@dataclass
class Traffic:
    """What passed through one tenant's relay since the start; ``bytes``, both without TCP's own."""

    connections: int = 0
    open: int = 0
    to_directory: int = 0
    from_directory: int = 0


@dataclass
class _Connection:
    client: socket.socket
    directory: socket.socket
    slow_seconds: float = 0.0
    cut_after: int | None = None  # bytes from the directory that may still pass
    cut_next: bool = False  # the next piece from the directory is cut in half
    over: threading.Event = field(default_factory=threading.Event)


class Relays:
    """The running relays of all forests. ``restart`` restarts a forest's domain controller."""

    def __init__(self, faults: Faults, restart: Callable[[str, float], object]) -> None:
        self._faults = faults
        self._restart = restart
        self._lock = threading.Lock()
        self._listeners: list[socket.socket] = []
        self._connections: set[socket.socket] = set()
        self._traffic: dict[str, Traffic] = {}
        self._stopped = threading.Event()

    def listen(self, tenant: Tenant, address: str, port: int, target: tuple[str, int]) -> int:
        """Relay ``address:port`` (port 0: any free one) to ``target``. Returns the port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        with self._lock:
            self._listeners.append(listener)
            self._traffic.setdefault(tenant.name, Traffic())
        self._thread(self._accept, listener, tenant, target)
        return int(listener.getsockname()[1])

    def counts(self) -> dict[str, Traffic]:
        """A copy of the counters, by tenant name."""
        with self._lock:
            return {name: Traffic(**vars(traffic)) for name, traffic in self._traffic.items()}

    def stop(self) -> None:
        """Close all listeners and connections."""
        self._stopped.set()
        with self._lock:
            sockets = [*self._listeners, *self._connections]
            self._listeners.clear()
        for item in sockets:
            _close(item)

    def _thread(self, target: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, daemon=True, name="ldap-relay").start()

    def _accept(self, listener: socket.socket, tenant: Tenant, target: tuple[str, int]) -> None:
        port = int(listener.getsockname()[1])
        while not self._stopped.is_set():
            try:
                client, _address = listener.accept()
            except OSError:
                return
            self._thread(self._serve, client, tenant, target, port)

    def _serve(self, client: socket.socket, tenant: Tenant, target: tuple[str, int], port: int) -> None:
        self._count(tenant, connections=1, open=1)
        directory: socket.socket | None = None
        try:
            fault = self._faults.take("ldap", tenant.tenant_id, event="connect", port=port)
            if fault is not None and fault.kind == "dc_restart":
                self._restart_dc(tenant, fault)
            if fault is not None and fault.kind in ("unavailable", "dc_restart"):
                _reset(client)
                return
            try:
                directory = socket.create_connection(target, timeout=CONNECT_SECONDS)
            except OSError as error:
                _log.warning("the domain controller of %s does not answer: %s", tenant.domain, error)
                _reset(client)
                return
            self._run(_Connection(client, directory), tenant, port, fault)
        finally:
            _close(client)
            if directory is not None:
                _close(directory)
            with self._lock:
                self._connections.discard(client)
            self._count(tenant, open=-1)

    def _run(self, connection: _Connection, tenant: Tenant, port: int, fault: Fault | None) -> None:
        for item in (connection.client, connection.directory):
            item.settimeout(None)
            item.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._connections.add(connection.client)
        if fault is not None:
            self._apply(connection, tenant, fault, at_connect=True)
        answers = threading.Thread(target=self._answers, args=(connection, tenant), daemon=True, name="ldap-relay")
        answers.start()
        self._requests(connection, tenant, port)
        answers.join()

    def _requests(self, connection: _Connection, tenant: Tenant, port: int) -> None:
        with contextlib.suppress(OSError):
            while data := connection.client.recv(CHUNK):
                fault = self._faults.take("ldap", tenant.tenant_id, event="request", port=port)
                if fault is not None and not self._apply(connection, tenant, fault, at_connect=False):
                    break
                time.sleep(connection.slow_seconds)
                connection.directory.sendall(data)
                self._count(tenant, to_directory=len(data))
        if not connection.over.is_set():
            with contextlib.suppress(OSError):
                connection.directory.shutdown(socket.SHUT_WR)

    def _answers(self, connection: _Connection, tenant: Tenant) -> None:
        with contextlib.suppress(OSError):
            while data := connection.directory.recv(CHUNK):
                time.sleep(connection.slow_seconds)
                allowed = _allowed(connection, len(data))
                connection.client.sendall(data[:allowed])
                self._count(tenant, from_directory=allowed)
                if allowed < len(data):
                    connection.over.set()
                    break
        if connection.over.is_set():
            _reset(connection.client)
            _close(connection.directory)
        else:
            with contextlib.suppress(OSError):
                connection.client.shutdown(socket.SHUT_RDWR)

    def _apply(self, connection: _Connection, tenant: Tenant, fault: Fault, at_connect: bool) -> bool:
        """Make the fault so; whether the connection goes on."""
        if fault.kind == "slow":
            connection.slow_seconds = float(fault.parameters.get("seconds", 1.0))
        elif fault.kind == "cut":
            after = fault.parameters.get("after_bytes", CUT_AFTER_CONNECT if at_connect else None)
            if after is None:
                connection.cut_next = True
            else:
                connection.cut_after = int(after)
        else:
            if fault.kind == "dc_restart":
                self._restart_dc(tenant, fault)
            connection.over.set()
            _reset(connection.client)
            _close(connection.directory)
            return False
        return True

    def _restart_dc(self, tenant: Tenant, fault: Fault) -> None:
        self._thread(self._restarting, tenant, float(fault.parameters.get("seconds", 2.0)))

    def _restarting(self, tenant: Tenant, seconds: float) -> None:
        try:
            self._restart(tenant.forest.name, seconds)
        except LabError as error:
            _log.error("the domain controller of %s was not restarted: %s", tenant.domain, error)

    def _count(self, tenant: Tenant, **more: int) -> None:
        with self._lock:
            traffic = self._traffic[tenant.name]
            for name, number in more.items():
                setattr(traffic, name, getattr(traffic, name) + number)


def start_relays(settings: Settings, faults: Faults, restart: Callable[[str, float], object] | None = None) -> Relays:
    """Start every tenant's relay. Raises ``OSError`` when an address is taken; nothing listens then.

    ``restart(forest name, seconds)`` serves the fault ``dc_restart``; default: the supervisor's.
    """

    def restart_dc(forest_name: str, seconds: float) -> object:
        return supervisor.restart_dc(settings, forest_name, seconds)

    relays = Relays(faults, restart or restart_dc)
    try:
        for tenant in TENANTS:
            for port in RELAY_PORTS:
                relays.listen(tenant, tenant.forest.relay_address, port, (tenant.forest.dc_address, port))
    except OSError:
        relays.stop()
        raise
    return relays


def _allowed(connection: _Connection, size: int) -> int:
    """How many bytes of an answer of ``size`` bytes may pass."""
    if connection.cut_next:
        return size // 2
    if connection.cut_after is None:
        return size
    allowed = min(size, connection.cut_after)
    connection.cut_after -= allowed
    return allowed


def _reset(item: socket.socket) -> None:
    """Close so that the peer sees a reset, not an orderly end."""
    with contextlib.suppress(OSError):
        item.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        item.shutdown(socket.SHUT_RD)  # wakes up a thread that waits for data, and sends nothing
    item.close()


def _close(item: socket.socket) -> None:
    """Close, and wake up a thread that waits for data."""
    with contextlib.suppress(OSError):
        item.shutdown(socket.SHUT_RDWR)
    item.close()
