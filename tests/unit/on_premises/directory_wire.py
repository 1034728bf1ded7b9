# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scripted directory server on the other end of a stream.

What is sent to it, it reads with ldap3's own LDAP messages; what it answers, ldap3 writes. So both directions are
judged by another implementation than the one under test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ber, messages
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.channel import Channel
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.directory import Directory
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings
from ldap3.operation.modify import modify_request_to_dict
from ldap3.operation.search import compile_filter, parse_filter, search_request_to_dict
from ldap3.protocol import rfc4511
from ldap3.protocol.rfc2696 import RealSearchControlValue
from ldap3.utils.asn1 import decoder, encode

PAGED = "1.2.840.113556.1.4.319"
SETTINGS = Settings((Host("dc1", 636), Host("dc2", 636)), "ldaps", "svc", "secret", timeout=5)


@dataclass
class Step:
    op: str
    attribute: str
    values: tuple[bytes, ...]


CHANGE = [Step("delete", "mail", (b"a",)), Step("add", "mail", (b"b",))]


@dataclass
class Request:
    """What was asked: the name of the operation, its fields as ldap3 names them, and the page control."""

    id: int
    kind: str
    fields: Mapping[str, Any]
    paged_size: int | None = None
    cookie: bytes | None = None
    filter: bytes = b""


class Unsent(Exception):
    """In a script: sending fails, not receiving."""


def lost() -> Exception:
    return ConnectionResetError("cut")


def entry_operation(dn: str, values: Mapping[str, Sequence[bytes]]) -> Any:
    attributes = rfc4511.PartialAttributeList()
    for position, (name, raw) in enumerate(values.items()):
        attribute = rfc4511.PartialAttribute()
        attribute["type"] = rfc4511.AttributeDescription(name)
        attribute["vals"] = rfc4511.Vals()
        for number, value in enumerate(raw):
            attribute["vals"].setComponentByPosition(number, rfc4511.AttributeValue(value))
        attributes.setComponentByPosition(position, attribute)
    entry = rfc4511.SearchResultEntry()
    entry["object"] = rfc4511.LDAPDN(dn)
    entry["attributes"] = attributes
    return entry


def entry(dn: str, **values: list[bytes]) -> tuple[str, Any]:
    """A row of a script's answer; two underscores in a name stand for a semicolon, one before a digit for nothing."""
    return "searchResEntry", entry_operation(dn, {name.replace("__", ";"): raw for name, raw in values.items()})


def referral_row() -> tuple[str, Any]:
    reference = rfc4511.SearchResultReference()
    reference.setComponentByPosition(0, rfc4511.URI("ldaps://contoso.lab/CN=Configuration,DC=contoso,DC=lab"))
    return "searchResRef", reference


def result_operation(kind: str, code: int, text: str = "") -> Any:
    operation = rfc4511.SearchResultDone() if kind == "searchResDone" else rfc4511.ModifyResponse()
    operation["resultCode"] = rfc4511.ResultCode(code)
    operation["matchedDN"] = rfc4511.LDAPDN("")
    operation["diagnosticMessage"] = rfc4511.LDAPString(text)
    return operation


def message(message_id: int, kind: str, operation: Any, cookie: bytes | None = None) -> bytes:
    """One message as ldap3 writes it."""
    whole = rfc4511.LDAPMessage()
    whole["messageID"] = rfc4511.MessageID(message_id)
    whole["protocolOp"] = rfc4511.ProtocolOp().setComponentByName(kind, operation)
    if cookie is not None:
        value = RealSearchControlValue()
        value["size"] = 0
        value["cookie"] = cookie
        control = rfc4511.Control()
        control["controlType"] = rfc4511.LDAPOID(PAGED)
        control["criticality"] = rfc4511.Criticality(False)
        control["controlValue"] = rfc4511.ControlValue(encode(value))
        whole["controls"] = rfc4511.Controls().setComponentByPosition(0, control)
    return bytes(encode(whole))


def answer(request: Request, code: int, rows: Sequence[tuple[str, Any]] = (), cookie: bytes | None = None) -> bytes:
    """The whole answer to a request."""
    text = "because"
    if request.kind == "modifyRequest":
        return message(request.id, "modifyResponse", result_operation("modifyResponse", code, text))
    parts = [message(request.id, kind, operation) for kind, operation in rows]
    return b"".join([*parts, message(request.id, "searchResDone", result_operation("searchResDone", code), cookie)])


def encoded_filter(text: str) -> bytes:
    """A filter as ldap3 encodes it."""
    return bytes(encode(compile_filter(parse_filter(text, None, True, True, None, False).elements[0])))


def _without_filter(data: bytes) -> tuple[bytes, bytes]:
    """A search with its filter put aside: ldap3 writes nested filters, but cannot read them."""
    start, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    _number, operation = ber.expect(data, start, end, ber.INTEGER)
    tag, position, stop = ber.header(data, operation, end)
    if tag != messages.SEARCH_REQUEST:
        return data, b""
    for _field in range(6):
        _tag, _start, position_after = ber.header(data, position, stop)
        position = position_after
    _tag, _start, after = ber.header(data, position, stop)
    first, _end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    body = data[ber.header(data, operation, end)[1] : position] + encoded_filter("(objectClass=*)") + data[after:stop]
    whole = data[first:operation] + ber.tlv(messages.SEARCH_REQUEST, body) + data[stop:end]
    return ber.tlv(ber.SEQUENCE, whole), data[position:after]


def read_request(data: bytes) -> Request:
    data, filter_ = _without_filter(data)
    whole, rest = decoder.decode(data, asn1Spec=rfc4511.LDAPMessage())
    assert not rest
    kind = whole["protocolOp"].getName()
    operation = whole["protocolOp"].getComponent()
    fields: Mapping[str, Any] = {}
    if kind == "searchRequest":
        fields = search_request_to_dict(operation)
    elif kind == "modifyRequest":
        fields = modify_request_to_dict(operation)
    request = Request(int(whole["messageID"]), kind, fields, filter=filter_)
    for control in whole["controls"] if whole["controls"].hasValue() else ():
        assert str(control["controlType"]) == PAGED
        assert bool(control["criticality"])
        value, _rest = decoder.decode(bytes(control["controlValue"]), asn1Spec=RealSearchControlValue())
        request.paged_size, request.cookie = int(value["size"]), bytes(value["cookie"])
    return request


@dataclass
class Wire:
    """A stream whose other end answers each request with the next of its script: (code, rows, cookie) or an error.

    An error comes when the answer is awaited, or at once where it is in an Unsent. A function as script is called with
    each request instead, and gives bytes, or an error.
    """

    script: Any
    sent: list[Request] = field(default_factory=list)
    coming: list[Any] = field(default_factory=list)
    closed: bool = False

    @property
    def asked(self) -> list[Request]:
        """The requests that have answers."""
        return [request for request in self.sent if request.kind in ("searchRequest", "modifyRequest")]

    def sendall(self, data: bytes) -> None:
        request = read_request(data)
        self.sent.append(request)
        if request.kind not in ("searchRequest", "modifyRequest"):
            return
        if callable(self.script):
            self.coming.append(self.script(request))
            return
        step = self.script.pop(0)
        if isinstance(step, Unsent):
            raise step.args[0]
        self.coming.append(step if isinstance(step, (BaseException, bytes)) else answer(request, *step))

    def recv(self, size: int) -> bytes:
        while self.coming and self.coming[0] == b"":
            self.coming.pop(0)
        if not self.coming:
            return b""
        if isinstance(self.coming[0], BaseException):
            raise self.coming[0]
        data = self.coming[0][:size]
        self.coming[0] = self.coming[0][size:]
        return bytes(data)

    def close(self) -> None:
        self.closed = True


@dataclass
class Servers:
    """What each attempt to connect gives: a script, or an error."""

    attempts: list[Any]
    hosts: list[str] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def open(self, settings: Settings, host: Host) -> Channel:
        self.hosts.append(host.name if host.port == 636 else str(host))
        attempt = self.attempts.pop(0)
        if isinstance(attempt, BaseException):
            raise attempt
        self.wires.append(Wire(attempt if callable(attempt) else list(attempt)))
        return Channel(self.wires[-1])


def directory(
    *attempts: Any, clock: Callable[[], float] = lambda: 0.0, settings: Settings = SETTINGS
) -> tuple[Directory, Servers]:
    servers = Servers(list(attempts))
    return Directory(settings, open_connection=servers.open, sleep=servers.slept.append, clock=clock), servers
