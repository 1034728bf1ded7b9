# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to an endpoint of a host: WS-Management over HTTPS, once somebody is signed in."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from tests.lab.cloud.faults import Fault as LabFault
from tests.lab.windows import soap
from tests.lab.windows.authentication import Authenticator, Challenge, Identity
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import HostAddress
from tests.lab.windows.shell import Severed
from tests.lab.windows.winrm import WinRM

_SOAP_TYPE = "application/soap+xml;charset=UTF-8"


class Cut(Exception):
    """The connection is to end without an answer."""


@dataclass
class Machine:
    """One port of a host on the network: an endpoint of PowerShell remoting, or (without ``winrm``) SMTP."""

    host: HostAddress
    port: int
    winrm: WinRM | None
    context: ssl.SSLContext
    certificate: bytes
    listener: socket.socket | None = None
    connections: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self) -> None:
        """End all connections, with a reset."""
        with self.lock:
            for connection in self.connections:
                reset(connection)

    def restart(self) -> None:
        """End all connections and shells."""
        if self.winrm is None:
            self.cut()
        else:
            self.winrm.restart(self.cut)


def reset(connection: socket.socket) -> None:
    """End a connection without another word."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        # Past TLS: its own shutdown would pull the session away under the thread that reads from it.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def __init__(self, connection: ssl.SSLSocket, address: Any, estate: Estate, machine: Machine, winrm: WinRM) -> None:
        self._estate, self._machine, self._winrm = estate, machine, winrm
        self._authenticator = Authenticator(
            machine.host,
            machine.certificate,
            lambda: connection.getpeercert() or {},
            lambda: estate.peek(machine.host)["behaviour"].get(winrm.endpoint.basic) == "on",
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
        if self.path.partition("?")[0].rstrip("/").lower() != self._winrm.endpoint.path:
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
            looks_only = not signed_in.account.administrator
            self._reply(200, self._winrm.handle(request, signed_in.account.name, delegates, looks_only))
        except Severed as error:
            raise Cut from error
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
        if refused or not self._winrm.endpoint.admits(identity.account):
            raise soap.access_denied()

    def _fault(self, request: soap.SoapRequest) -> LabFault | None:
        """What a fault does to this request; returned where it changes the answer."""
        host = self._machine.host
        fault = self._estate.faults.take(
            "windows",
            host.tenant,
            event="request",
            host=host.name,
            path=host.fqdn,
            action=request.verb,
            port=self._machine.port,
        )
        if fault is None:
            return None
        self._estate.log(host, event="request", path=request.verb, fault=fault.kind, status=fault.kind, write=False)
        if fault.kind == "throttle":
            raise soap.throttled()
        if fault.kind == "slow":
            threading.Event().wait(fault.number("seconds", 5.0))
        if fault.kind == "winrm_restart":
            self._winrm.restart()
        if fault.kind in ("cut", "winrm_restart"):
            raise Cut
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
