# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners of the Windows hosts: HTTPS with one thread per connection, for sign-ins belong to connections."""

from __future__ import annotations

import contextlib
import http.server
import logging
import selectors
import socket
import ssl
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from tests.lab.cloud.faults import Fault as LabFault
from tests.lab.windows import authentication, soap
from tests.lab.windows.authentication import Authenticator, Challenge, Identity
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import PORT, HostAddress, host_certificate
from tests.lab.windows.shell import Severed
from tests.lab.windows.winrm import WinRM

_HANDSHAKE_SECONDS = 20.0
_IDLE_SECONDS = 900.0
_CONNECTIONS, _PIPELINES = 256, 128
_SOAP_TYPE = "application/soap+xml;charset=UTF-8"
_log = logging.getLogger("tests.lab.windows")


class _Cut(Exception):
    """The connection is to end without an answer."""


@dataclass
class Machine:
    """One host on the network."""

    host: HostAddress
    winrm: WinRM
    context: ssl.SSLContext
    certificate: bytes
    connections: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self) -> None:
        """End all connections, with a reset."""
        with self.lock:
            for connection in self.connections:
                _reset(connection)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        # Past TLS: its own shutdown would pull the session away under the thread that reads from it.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Listeners:
    """All hosts of the lab, listening."""

    def __init__(self, estate: Estate, tls: Path, run_dir: Path, ca: Path) -> None:
        """Listen at every host's address; OSError when one is taken."""
        self._estate = estate
        authentication.prepare(run_dir, estate.hosts)
        self._machines: dict[tuple[str, str], Machine] = {}
        self._selector = selectors.DefaultSelector()
        # Threads are used again and again: the store keeps a connection for each of them.
        self._connections = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="windows connection")
        self._pipelines = ThreadPoolExecutor(_PIPELINES, thread_name_prefix="windows pipeline")
        self._bell, rings = socket.socketpair()
        self._selector.register(rings, selectors.EVENT_READ)
        try:
            for host in estate.hosts:
                machine = self._machine(host, tls, ca)
                self._machines[host.tenant, host.name] = machine
                self._selector.register(_listener(host.address), selectors.EVENT_READ, machine)
        except OSError:
            self._close()
            raise
        estate.cut = self.cut
        self._thread = threading.Thread(target=self._accept, name="windows hosts", daemon=True)
        self._thread.start()

    def _machine(self, host: HostAddress, tls: Path, ca: Path) -> Machine:
        name = host_certificate(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / f"{name}.pem", tls / f"{name}.key")
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        certificate = ssl.PEM_cert_to_DER_cert((tls / f"{name}.pem").read_text())
        return Machine(host, WinRM(self._estate, host, self.trouble, self._pipelines.submit), context, certificate)

    def trouble(self, host: HostAddress, fault: LabFault) -> None:
        """Bring about a fault of transport on a host."""
        machine = self._machines[host.tenant, host.name]
        if fault.kind == "winrm_restart":
            machine.winrm.restart(machine.cut)
        else:
            machine.cut()

    def cut(self, host: HostAddress) -> None:
        """The machine goes down: no connection and no shell survives."""
        machine = self._machines[host.tenant, host.name]
        machine.winrm.restart(machine.cut)

    def stop(self) -> None:
        """Close everything."""
        self._bell.close()
        self._thread.join(5.0)
        for machine in self._machines.values():
            machine.winrm.restart(machine.cut)
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
                    return  # the bell: stop
                try:
                    connection, address = key.fileobj.accept()  # type: ignore[union-attr]  # a listening socket
                except OSError:
                    continue
                self._connections.submit(self._serve, machine, connection, address)

    def _serve(self, machine: Machine, connection: socket.socket, address: Any) -> None:
        host = machine.host
        fault = self._estate.faults.take("windows", host.tenant, event="connect", host=host.name, path=host.fqdn)
        if fault is not None:
            self._estate.log(host, event="connect", fault=fault.kind, status="cut", write=False)
        if fault is not None or self._estate.away(host):
            _reset(connection)
            connection.close()
            return
        try:
            connection.settimeout(_HANDSHAKE_SECONDS)
            secured = machine.context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        with machine.lock:
            machine.connections.add(secured)
        try:
            secured.settimeout(_IDLE_SECONDS)
            _Handler(secured, address, self._estate, machine)
        except (OSError, _Cut):
            _reset(secured)
        except Exception:  # a defect of the lab ends this connection, and is in its log
            _log.exception("a connection to %s ended", host.fqdn)
        finally:
            with machine.lock:
                machine.connections.discard(secured)
            secured.close()


def _listener(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, PORT))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {address}:{PORT}: {error.strerror}") from error
    return listener


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def __init__(self, connection: ssl.SSLSocket, address: Any, estate: Estate, machine: Machine) -> None:
        self._estate, self._machine = estate, machine
        self._authenticator = Authenticator(
            machine.host,
            machine.certificate,
            lambda: connection.getpeercert() or {},
            lambda: estate.peek(machine.host)["behaviour"].get("basic") == "on",
        )
        super().__init__(connection, address, None)  # type: ignore[arg-type]  # there is no socketserver around it

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the request log has it."""

    def do_GET(self) -> None:
        """WinRM takes POST only."""
        self._reply(405, b"")

    def do_POST(self) -> None:
        """One request."""
        length = self.headers.get("Content-Length", "0")
        data = self.rfile.read(int(length)) if length.isdigit() else b""
        if self.path.partition("?")[0].rstrip("/").lower() != "/wsman":
            self._reply(404, b"")
            return
        signed_in = self._authenticator.step(self.headers.get("Authorization"))
        if isinstance(signed_in, Challenge):
            self._challenge(signed_in)
            return
        request: soap.SoapRequest | None = None
        try:
            request = soap.parse(data) if data else None
            if request is None:
                self._reply(200, b"")
                return
            fault = self._fault(request)
            if fault is not None and fault.kind == "unauthorized":
                self._authenticator.forget()
                self._challenge(Challenge(("Negotiate",)))
                return
            self._admit(signed_in)
            delegates = signed_in.how == "basic"  # its password reached the host, so the next hop is open
            self._reply(200, self._machine.winrm.handle(request, signed_in.account.name, delegates))
        except Severed as error:
            raise _Cut from error
        except soap.Fault as error:
            if error.code == 5 or error.subcode == "w:QuotaLimit":
                self._estate.log(
                    self._machine.host,
                    event="request",
                    path=request.verb if request else "",
                    status=error.subcode,
                    user=signed_in.account.name,
                    write=False,
                )
            self._reply(500, soap.fault(request, error, self._machine.host.fqdn))

    def _admit(self, identity: Identity) -> None:
        refused = self._estate.peek(self._machine.host)["behaviour"].get("winrm") == "access_denied"
        if refused or not identity.account.administrator:
            raise soap.access_denied()

    def _fault(self, request: soap.SoapRequest) -> LabFault | None:
        """What a fault does to this request; returned where it changes the answer."""
        host = self._machine.host
        fault = self._estate.faults.take(
            "windows", host.tenant, event="request", host=host.name, path=host.fqdn, action=request.verb
        )
        if fault is None:
            return None
        self._estate.log(host, event="request", path=request.verb, fault=fault.kind, status=fault.kind, write=False)
        if fault.kind == "throttle":
            raise soap.throttled()
        if fault.kind == "slow":
            threading.Event().wait(fault.number("seconds", 5.0))
        if fault.kind == "winrm_restart":
            self._machine.winrm.restart()
        if fault.kind in ("cut", "winrm_restart"):
            raise _Cut
        return fault

    def _challenge(self, challenge: Challenge) -> None:
        self._reply(401, b"", challenge.headers)

    def _reply(self, status: int, body: bytes, challenges: tuple[str, ...] = ()) -> None:
        self.send_response_only(status)
        self.send_header("Server", "Microsoft-HTTPAPI/2.0")
        self.send_header("Date", formatdate(self._estate.now().timestamp(), usegmt=True))
        for one in challenges:
            self.send_header("WWW-Authenticate", one)
        if self._authenticator.token:
            self.send_header("WWW-Authenticate", f"Negotiate {self._authenticator.token}")
        if body:
            self.send_header("Content-Type", _SOAP_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
