# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners of the Windows hosts: HTTPS with one thread per connection, for sign-ins belong to connections."""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.lab.cloud.faults import Fault as LabFault
from tests.lab.exchange_server import endpoint as exchange_server
from tests.lab.windows import authentication, pipeline, smtp
from tests.lab.windows.endpoint import Endpoint
from tests.lab.windows.estate import Estate
from tests.lab.windows.handler import Cut, Handler, Machine, reset
from tests.lab.windows.places import EXCHANGE_PORT, PORT, SMTP_PORT, HostAddress, host_certificate
from tests.lab.windows.winrm import WinRM

_HANDSHAKE_SECONDS = 20.0
_IDLE_SECONDS = 900.0
_SETTLE_SECONDS = 10.0  # against hanging only: opening and closing ports takes no time
_CONNECTIONS, _PIPELINES = 256, 128
_log = logging.getLogger("tests.lab.windows")


class Listeners:
    """All hosts of the lab, listening."""

    def __init__(self, estate: Estate, tls: Path, run_dir: Path, ca: Path) -> None:
        """Listen at every host's address; OSError when one is taken."""
        self._estate = estate
        authentication.prepare(run_dir, estate.hosts)
        self._machines: list[Machine] = []
        self._settling = threading.Lock()
        self._settled = threading.Event()
        self._selector = selectors.DefaultSelector()
        # Threads are used again and again: the store keeps a connection for each of them.
        self._connections = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="windows connection")
        self._pipelines = ThreadPoolExecutor(_PIPELINES, thread_name_prefix="windows pipeline")
        self._bell, self._rings = socket.socketpair()
        self._selector.register(self._rings, selectors.EVENT_READ)
        try:
            for host in estate.hosts:
                self._machines += self._machines_at(host, tls, ca)
            self._open_and_close()
        except OSError:
            self._close()
            raise
        estate.cut, estate.ports_changed = self.cut, self.settle
        self._thread = threading.Thread(target=self._accept, name="windows hosts", daemon=True)
        self._thread.start()

    def _machines_at(self, host: HostAddress, tls: Path, ca: Path) -> list[Machine]:
        name = host_certificate(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / f"{name}.pem", tls / f"{name}.key")
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        certificate = ssl.PEM_cert_to_DER_cert((tls / f"{name}.pem").read_text())
        endpoints = {PORT: pipeline.WINDOWS, EXCHANGE_PORT: exchange_server.ENDPOINT}
        made = []
        for port in host.ports:
            machine = Machine(host, port, None, context, certificate)
            if port != SMTP_PORT:
                machine.winrm = self._winrm(machine, endpoints[port])
            made.append(machine)
        return made

    def _winrm(self, machine: Machine, endpoint: Endpoint) -> WinRM:
        def trouble(_host: HostAddress, fault: LabFault) -> None:
            """Bring about a fault of transport."""
            if fault.kind == "winrm_restart":
                machine.restart()
            else:
                machine.cut()

        return WinRM(self._estate, machine.host, endpoint, trouble, self._pipelines.submit)

    def machine(self, host: HostAddress, port: int = PORT) -> Machine:
        """One port of a host."""
        wanted = (host.tenant, host.name, port)
        return next(one for one in self._machines if (one.host.tenant, one.host.name, one.port) == wanted)

    def cut(self, host: HostAddress) -> None:
        """The machine goes down: no connection and no shell survives."""
        for machine in self._machines:
            if (machine.host.tenant, machine.host.name) == (host.tenant, host.name):
                machine.restart()

    def settle(self) -> None:
        """Open and close ports as the hosts have them by now; returns when that is done."""
        with self._settling:
            self._settled.clear()
            self._bell.send(b"!")
            self._settled.wait(_SETTLE_SECONDS)

    def _open_and_close(self) -> None:
        closed = []
        for machine in self._machines:
            wanted = machine.port in self._estate.open_ports(machine.host)
            if wanted and machine.listener is None:
                machine.listener = _listener(machine.host.address, machine.port)
                self._selector.register(machine.listener, selectors.EVENT_READ, machine)
            elif not wanted and machine.listener is not None:
                self._selector.unregister(machine.listener)
                machine.listener.close()
                machine.listener = None
                closed.append(machine)
        for machine in closed:  # only now: whoever is cut off finds every port closed
            machine.restart()

    def stop(self) -> None:
        """Close everything."""
        self._bell.close()
        self._thread.join(5.0)
        for machine in self._machines:
            machine.restart()
        for pool in (self._connections, self._pipelines):
            pool.shutdown(wait=True, cancel_futures=True)
        self._close()

    def _close(self) -> None:
        self._bell.close()
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _accept(self) -> None:
        while True:
            for key, _events in self._selector.select():
                machine: Machine | None = key.data
                if machine is None:
                    if not self._rings.recv(4096):
                        return  # the bell is gone: stop
                    try:
                        self._open_and_close()
                    except OSError:
                        _log.exception("a port of a host could not be opened")
                    self._settled.set()
                    break  # the other keys may be of ports that were closed just now
                try:
                    connection, address = key.fileobj.accept()  # type: ignore[union-attr]  # a listening socket
                except OSError:
                    continue
                served = self._connections.submit(self._serve, machine, connection, address)
                served.add_done_callback(partial(_close_unserved, connection))

    def _serve(self, machine: Machine, connection: socket.socket, address: Any) -> None:
        secured: ssl.SSLSocket | None = None
        try:
            if not self._admits(machine):
                reset(connection)
                return
            if machine.winrm is None:
                self._smtp(machine, connection)
                return
            connection.settimeout(_HANDSHAKE_SECONDS)
            # Of a client that is gone already some releases of Python (3.11.2) lose the socket without closing it.
            connection.getpeername()
            secured = machine.context.wrap_socket(connection, server_side=True)
            with machine.lock:
                machine.connections.add(secured)
            # A host that went away during the handshake cut its connections before this one was among them.
            if self._estate.away(machine.host):
                raise Cut
            secured.settimeout(_IDLE_SECONDS)
            Handler(secured, address, self._estate, machine, machine.winrm)
        except (OSError, Cut):
            reset(secured or connection)
        except Exception:  # a defect of the lab ends this connection, and is in its log
            _log.exception("a connection to %s ended", machine.host.fqdn)
        finally:
            if secured is not None:
                with machine.lock:
                    machine.connections.discard(secured)
            (secured or connection).close()

    def _smtp(self, machine: Machine, connection: socket.socket) -> None:
        with machine.lock:
            machine.connections.add(connection)
        try:
            smtp.serve(connection, machine.host.fqdn)
        finally:
            with machine.lock:
                machine.connections.discard(connection)

    def _admits(self, machine: Machine) -> bool:
        host = machine.host
        fault = self._estate.faults.take(
            "windows", host.tenant, event="connect", host=host.name, path=host.fqdn, port=machine.port
        )
        if fault is not None:
            self._estate.log(host, event="connect", fault=fault.kind, status="cut", write=False)
        return fault is None and not self._estate.away(host)


def _close_unserved(connection: socket.socket, served: Future[None]) -> None:
    """Nobody else closes one that was still waiting when the lab stopped."""
    if served.cancelled():
        connection.close()


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {address}:{port}: {error.strerror}") from error
    return listener
