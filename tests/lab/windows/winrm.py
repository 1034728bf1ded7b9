# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What WinRM of one host does with requests: shells are made, fed, read, signalled, disconnected, deleted."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.lab.cloud.faults import Fault as LabFault
from tests.lab.windows import soap
from tests.lab.windows.call import Session
from tests.lab.windows.endpoint import Endpoint
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import HostAddress
from tests.lab.windows.shell import BadData, Gone, Shell
from tests.lab.windows.soap import RSP, SoapRequest

SHELLS_PER_USER = 30  # Windows' default MaxShellsPerUser
IDLE_SECONDS = 7200.0  # Windows' default IdleTimeOut
LEAST_IDLE_SECONDS = 60.0
_DURATION = re.compile(r"PT(\d+(?:\.\d+)?)S")
_SHELL_URI = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_DONE = f"{_SHELL_URI}/CommandState/Done"
_RUNNING = f"{_SHELL_URI}/CommandState/Running"


def _idle_seconds(text: str | None) -> float:
    """For how long a shell that nobody asks stays: as its client wishes, within Windows' limits."""
    found = _DURATION.fullmatch((text or "").strip())
    return IDLE_SECONDS if found is None else max(LEAST_IDLE_SECONDS, float(found[1]))


@dataclass
class WinRM:
    """The shells of one endpoint of a host. ``restart`` ends them all, as a restart of the service does."""

    estate: Estate
    host: HostAddress
    endpoint: Endpoint
    trouble: Callable[[HostAddress, LabFault], None]
    spawn: Callable[[Callable[[], None]], object]  # runs a pipeline beside the requests
    shells: dict[str, Shell] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Every shell is gone; ``meanwhile`` is done before anybody can notice.

        A machine that goes down cuts its connections in it. All of it under the lock that requests look for their
        shells with: otherwise one in between would still be answered, or the shell of a new session would go too.
        """
        with self._lock:
            meanwhile()
            gone, self.shells = list(self.shells.values()), {}
        for shell in gone:
            shell.close()

    def handle(self, request: SoapRequest, user: str, delegates: bool, reads_only: bool = False) -> bytes:
        """Answer a request of an account that may be here. Raises :class:`Fault`."""
        handlers: dict[str, Callable[[], str]] = {
            "Create": lambda: self._create(request, user, delegates, reads_only),
            "Command": lambda: self._command(request),
            "Send": lambda: self._send(request),
            "Receive": lambda: self._receive(request),
            "Signal": lambda: self._signal(request),
            "Delete": lambda: self._delete(request),
            "Disconnect": lambda: self._disconnect(request),
            "Reconnect": lambda: self._reconnect(request),
            "Connect": lambda: self._connect(request),
            "Get": lambda: self._get(request),
            "Enumerate": lambda: self._enumerate(request, user),
        }
        handler = handlers.get(request.verb)
        if handler is None:
            raise soap.bad_request(f"the action {request.action} is not supported.", "a:ActionNotSupported")
        known = self._find(request.shell_id)
        if known is not None and known.owner != user:
            raise soap.access_denied()
        try:
            return soap.answer(request, handler())
        except Gone as error:
            command = self._command_id(request)
            there = self._find(request.shell_id) is not None
            raise (soap.no_command(command) if there and command else soap.no_shell(request.shell_id)) from error
        except BadData as error:
            raise soap.bad_request(f"PowerShell remoting cannot read it ({error}).") from error

    @property
    def _uri(self) -> str:
        return f"{soap.PWSH}/{self.endpoint.title}"

    def _find(self, identifier: str) -> Shell | None:
        with self._lock:
            return self.shells.get(identifier.upper())

    def _shell(self, request: SoapRequest) -> Shell:
        found = self._find(request.shell_id)
        if found is None:
            raise soap.no_shell(request.shell_id)
        return found

    @staticmethod
    def _command_id(request: SoapRequest) -> str:
        if request.body is None:
            return ""
        for element in request.body.iter():
            found = element.get("CommandId")
            if found:
                return found
        return ""

    # -- shells --------------------------------------------------------------------------------------------------

    def _create(self, request: SoapRequest, user: str, delegates: bool, reads_only: bool) -> str:
        name = request.resource.rpartition("/")[2]
        known = name.lower() in self.endpoint.configurations
        if not request.resource.lower().startswith(f"{soap.PWSH}/") or not known:
            raise soap.no_configuration(name, self.host.computer)
        element = request.body
        if element is None or element.tag != f"{{{RSP}}}Shell":
            raise soap.bad_request("there is no Shell to create.")
        identifier = (element.get("ShellId") or "").upper()
        session = Session(self.host, user, self.endpoint, delegates, reads_only)
        self.endpoint.open(self.estate, session)
        shell = Shell(
            self.estate,
            session,
            identifier,
            user,
            lambda fault: self.trouble(self.host, fault),
            self.spawn,
        )
        shell.idle_s = _idle_seconds(element.findtext(f"{{{RSP}}}IdleTimeOut"))
        with self._lock:
            self._reap()
            if identifier in self.shells or not identifier:
                raise soap.bad_request("a shell needs an id of its own.", "w:AlreadyExists")
            if sum(one.owner == user for one in self.shells.values()) >= SHELLS_PER_USER:
                raise soap.too_many_shells(SHELLS_PER_USER)
            self.shells[identifier] = shell
        try:
            shell.feed(soap.decoded(element.find(f"{{{soap.PWSH}}}creationXml")))
        except BadData:
            self.shells.pop(identifier, None)
            raise
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{escape(identifier)}</w:Selector></w:SelectorSet>'
        created = (
            f"<x:ResourceCreated><a:Address>https://{self.host.fqdn}:{self.endpoint.port}{self.endpoint.path}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(request.resource)}</w:ResourceURI>{selector}</a:ReferenceParameters>"
            "</x:ResourceCreated>"
        )
        return created + self._described(shell, request.resource)

    def _reap(self) -> None:
        now = time.monotonic()
        for identifier, shell in list(self.shells.items()):
            if now - shell.used > shell.idle_s:
                del self.shells[identifier]
                shell.close()

    def _described(self, shell: Shell, resource: str) -> str:
        state = "Disconnected" if shell.disconnected else "Connected"
        alive = int(time.monotonic() - shell.created)
        return (
            f"<rsp:Shell><rsp:ShellId>{escape(shell.id)}</rsp:ShellId><rsp:Name>Runspace</rsp:Name>"
            f"<rsp:ResourceUri>{escape(resource)}</rsp:ResourceUri><rsp:Owner>{escape(shell.owner)}</rsp:Owner>"
            f"<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT{shell.idle_s:.3f}S</rsp:IdleTimeOut>"
            "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
            "<rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut><rsp:Locale>en-US</rsp:Locale>"
            "<rsp:BufferMode>Block</rsp:BufferMode>"
            f"<rsp:State>{state}</rsp:State><rsp:ShellRunTime>P0DT0H0M{alive}S</rsp:ShellRunTime>"
            "<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>"
        )

    def _delete(self, request: SoapRequest) -> str:
        shell = self._shell(request)
        with self._lock:
            self.shells.pop(shell.id, None)
        shell.close()
        return ""

    def _get(self, request: SoapRequest) -> str:
        if request.resource.endswith("/config"):
            size = soap.MAX_ENVELOPE // 1024
            return (
                f'<cfg:Config xmlns:cfg="{soap.CONFIG}"><cfg:MaxEnvelopeSizekb>{size}</cfg:MaxEnvelopeSizekb>'
                "<cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms></cfg:Config>"
            )
        return self._described(self._shell(request), self._uri)

    def _enumerate(self, request: SoapRequest, user: str) -> str:
        if request.resource.lower().endswith("/shell/command"):
            selected = [
                one.text or ""
                for one in (request.body.iter() if request.body is not None else ())
                if one.get("Name") == "ShellId"
            ]
            found = self._find((selected or [""])[0])
            commands = found.commands if found else []
            items = "".join(
                f"<rsp:Command><rsp:ShellId>{escape(selected[0])}</rsp:ShellId>"
                f"<rsp:CommandId>{escape(one)}</rsp:CommandId><rsp:State>Running</rsp:State></rsp:Command>"
                for one in commands
            )
        else:
            items = "".join(self._described(one, self._uri) for one in self.shells.values() if one.owner == user)
        return (
            f"<n:EnumerateResponse><n:EnumerationContext/><w:Items>{items}</w:Items><w:EndOfSequence/>"
            "</n:EnumerateResponse>"
        )

    # -- commands ------------------------------------------------------------------------------------------------

    def _command(self, request: SoapRequest) -> str:
        shell = self._shell(request)
        line = request.body
        if line is None or line.tag != f"{{{RSP}}}CommandLine":
            raise soap.bad_request("there is no CommandLine.")
        identifier = (line.get("CommandId") or "").upper()
        arguments = line.find(f"{{{RSP}}}Arguments")
        try:
            shell.command(identifier, soap.decoded(arguments))
        except ValueError as error:
            raise soap.bad_request(f"{identifier!r} is no CommandId.") from error
        return f"<rsp:CommandResponse><rsp:CommandId>{escape(identifier)}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, request: SoapRequest) -> str:
        shell = self._shell(request)
        for stream in request.body if request.body is not None else ():
            shell.feed(soap.decoded(stream), stream.get("CommandId"))
        return "<rsp:SendResponse/>"

    def _receive(self, request: SoapRequest) -> str:
        shell = self._shell(request)
        command = self._command_id(request)
        limit = min(request.envelope_limit, soap.MAX_ENVELOPE) * 3 // 4 - 8192
        data, done = shell.receive(command or None, request.timeout_s, limit)
        if not data and not done:
            raise soap.timed_out()
        named = f' CommandId="{escape(command)}"' if command else ""
        streams = f'<rsp:Stream Name="stdout"{named}>{base64.b64encode(data).decode()}</rsp:Stream>' if data else ""
        state = ""
        if command:
            inner = "<rsp:ExitCode>0</rsp:ExitCode>" if done else ""
            state = f'<rsp:CommandState{named} State="{_DONE if done else _RUNNING}">{inner}</rsp:CommandState>'
        return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"

    def _signal(self, request: SoapRequest) -> str:
        code = (request.body.findtext(f"{{{RSP}}}Code") if request.body is not None else "") or ""
        self._shell(request).signal(self._command_id(request), terminate=code.endswith("/terminate"))
        return "<rsp:SignalResponse/>"

    # -- disconnecting -------------------------------------------------------------------------------------------

    def _disconnect(self, request: SoapRequest) -> str:
        self._shell(request).disconnect()
        return "<rsp:DisconnectResponse/>"

    def _reconnect(self, request: SoapRequest) -> str:
        self._shell(request).reconnect()
        return "<rsp:ReconnectResponse/>"

    def _connect(self, request: SoapRequest) -> str:
        element = request.body.find(f"{{{soap.PWSH}}}connectXml") if request.body is not None else None
        data = self._shell(request).connect(soap.decoded(element))
        text = base64.b64encode(data).decode()
        inner = f'<connectResponseXml xmlns="{soap.PWSH}">{text}</connectResponseXml>'
        return f"<rsp:ConnectResponse>{inner}</rsp:ConnectResponse>"
