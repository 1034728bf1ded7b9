# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A WinRM service in memory, behind pypsrp's HTTP transport: psrpcore speaks the protocol, a test says the answers."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import psrpcore
from psrpcore.types import ErrorCategory, ErrorCategoryInfo, NETException, PSCredential
from pypsrp.exceptions import WinRMTransportError

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
R = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
PSRP = "{http://schemas.microsoft.com/powershell}"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">'
    "<s:Header><a:RelatesTo>{to}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)


@dataclass(frozen=True)
class Call:
    """One cmdlet of a pipeline, as the service received it."""

    name: str
    parameters: dict[str, Any]
    is_script: bool


@dataclass
class Reply:
    """What a pipeline answers. ``never`` lets it run for ever; ``cut`` breaks the connection once it has begun."""

    output: list[Any] = field(default_factory=list)
    error: tuple[str, ErrorCategory, str] | None = None
    warnings: list[str] = field(default_factory=list)
    streams: dict[str, list[str]] = field(default_factory=dict)
    never: bool = False
    cut: bool = False


Answer = Callable[[list[Call]], Reply]


class Wire:
    """The service; ``send`` takes the place of the transport's."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.pipelines: list[list[Call]] = []
        self.signals: list[str] = []
        self.opened = 0
        self.closed = 0
        self.refuse: Exception | None = None
        self.busy = 0
        self._pool: Any = None
        self._waiting: dict[str, list[bytes]] = {}
        self._lines: dict[str, Any] = {}

    def send(self, message: bytes, **_options: Any) -> bytes:
        self.requests.append(message)
        if self.refuse is not None:
            raise self.refuse
        if self.busy:
            self.busy -= 1
            raise fault(2150859174, "The user load quota of 1500 requests per 0 seconds has been exceeded.")
        envelope = ET.fromstring(message)
        action = (envelope.findtext(f"{S}Header/{A}Action") or "").rpartition("/")[2]
        body = envelope.find(f"{S}Body")
        answer = getattr(self, f"_{action.lower()}")(body)
        return ENVELOPE.format(to=envelope.findtext(f"{S}Header/{A}MessageID"), body=answer).encode()

    def _create(self, body: ET.Element) -> str:
        self.opened += 1
        self._pool = psrpcore.ServerRunspacePool()
        self._receive_data(body.findtext(f".//{PSRP}creationXml") or "", None)
        return "<rsp:Shell><rsp:ShellId>1</rsp:ShellId></rsp:Shell>"

    def _command(self, body: ET.Element) -> str:
        line = body.find(f"{R}CommandLine")
        identifier = line.attrib["CommandId"]
        self._lines[identifier.upper()] = psrpcore.ServerPipeline(self._pool, uuid.UUID(identifier))
        self._receive_data(line.findtext(f"{R}Arguments") or "", identifier)
        return f"<rsp:CommandResponse><rsp:CommandId>{identifier}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, body: ET.Element) -> str:
        stream = body.find(f".//{R}Stream")
        self._receive_data(stream.text or "", stream.attrib.get("CommandId"))
        return "<rsp:SendResponse/>"

    def _receive(self, body: ET.Element) -> str:
        identifier = body.find(f".//{R}DesiredStream").attrib.get("CommandId", "")
        found = self._waiting.pop(identifier.upper(), [])
        if not found:
            raise WinRMTransportError("http", 500, _fault(2150858793, "The operation timed out."))
        streams = "".join(
            f'<rsp:Stream Name="stdout" CommandId="{identifier}">{base64.b64encode(data).decode()}</rsp:Stream>'
            for data in found
        )
        return f"<rsp:ReceiveResponse>{streams}</rsp:ReceiveResponse>"

    def _signal(self, body: ET.Element) -> str:
        code = (body.findtext(f".//{R}Code") or "").rpartition("/")[2]
        self.signals.append(code)
        return "<rsp:SignalResponse/>"

    def _delete(self, body: ET.Element) -> str:
        self.closed += 1
        return ""

    def _receive_data(self, text: str, identifier: str | None) -> None:
        data = base64.b64decode(text)
        pipeline = uuid.UUID(identifier) if identifier else None
        self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline))
        while (event := self._pool.next_event()) is not None:
            if isinstance(event, psrpcore.CreatePipelineEvent):
                self._run(str(event.pipeline_id).upper(), event.pipeline)
        self._collect()

    def _run(self, identifier: str, created: Any) -> None:
        calls = [
            Call(command.command_text, {name: _value(value) for name, value in command.parameters}, command.is_script)
            for command in created.commands
        ]
        self.pipelines.append(calls)
        reply = self.answer(calls)
        if reply.cut:
            raise ConnectionResetError(104, "Connection reset by peer")
        line = self._lines[identifier]
        line.start()
        for item in reply.output:
            line.write_output(item)
        for text in reply.warnings:
            line.write_warning(text)
        for stream, texts in reply.streams.items():
            for text in texts:
                _say(line, stream, text)
        if reply.error is not None:
            message, category, error_id = reply.error
            line.write_error(
                NETException(message),
                category_info=ErrorCategoryInfo(Category=category, TargetName="the target"),
                fully_qualified_error_id=error_id,
            )
        if not reply.never:
            line.complete()

    def _collect(self) -> None:
        while (payload := self._pool.data_to_send()) is not None:
            key = str(payload.pipeline_id).upper() if payload.pipeline_id else ""
            self._waiting.setdefault(key, []).append(payload.data)


def _say(line: Any, stream: str, text: str) -> None:
    if stream == "information":
        line.write_information(text, source="Setup")
    elif stream == "progress":
        line.write_progress(text, activity_id=1, status_description="40 of 100 MB", percent_complete=40)
    else:
        getattr(line, f"write_{stream}")(text)


def _fault(code: int, reason: str) -> str:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Detail>'
        f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}">'
        f"<f:Message>{reason}</f:Message></f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>"
    )


def fault(code: int, reason: str) -> WinRMTransportError:
    """A fault of WS-Management as the transport raises it."""
    return WinRMTransportError("http", 500, _fault(code, reason))


def _value(value: Any) -> Any:
    if isinstance(value, PSCredential):
        return {"user": value.UserName, "password": value.Password.decrypt()}
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    return value
