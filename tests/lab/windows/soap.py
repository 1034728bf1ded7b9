# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management in SOAP: reading requests, writing answers and faults."""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

S = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
WST = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSEN = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
PWSH = "http://schemas.microsoft.com/powershell"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_ANONYMOUS = f"{WSA}/role/anonymous"
_FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
MAX_ENVELOPE = 512_000  # bytes; Windows' default of 500 KiB
_DURATION = re.compile(r"^P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)$")
DEFAULT_TIMEOUT_S = 60.0


class Fault(Exception):
    """A refusal; ``code`` is Windows' number, None where the lab knows none."""

    def __init__(self, code: int | None, subcode: str, reason: str, sender: bool = True) -> None:
        super().__init__(reason)
        self.code, self.subcode, self.reason, self.sender = code, subcode, reason, sender


TIMED_OUT = 2150858793
NO_SHELL = 2150858843


def timed_out() -> Fault:
    """Nothing came within the time that the client allowed; it asks again."""
    return Fault(
        TIMED_OUT,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
        sender=False,
    )


def no_shell(identifier: str) -> Fault:
    """The shell does not exist (any more)."""
    return Fault(
        NO_SHELL,
        "w:InvalidSelectors",
        f"The request for the Windows Remote Shell with ShellId {identifier} failed because the shell was not "
        "found on the server. Possible causes are: the specified ShellId is incorrect or the shell no longer "
        "exists on the server. Provide the correct ShellId or create a new shell and retry the operation.",
    )


def no_command(identifier: str) -> Fault:
    """The command does not exist (any more)."""
    return Fault(
        None,
        "w:InvalidSelectors",
        f"The request for the Windows Remote Shell failed because the command {identifier} was not found.",
    )


def no_configuration(name: str, computer: str) -> Fault:
    """No session configuration of this name."""
    return Fault(
        2150859180,
        "w:InvalidSelectors",
        f"The WS-Management service cannot process the request. Cannot find the {name} session configuration "
        f"in the WSMan: drive on the {computer} computer. ",
    )


def access_denied() -> Fault:
    """The account may not use remoting."""
    return Fault(5, "w:AccessDenied", "Access is denied. ")


def too_many_shells(limit: int) -> Fault:
    """The account has as many shells as it may have."""
    return Fault(
        2150859173,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for "
        "this user. ",
        sender=False,
    )


def throttled() -> Fault:
    """The account sends too many requests."""
    return Fault(
        2150859174,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The user load quota of 1000 requests per 2 "
        "seconds has been exceeded. Send future requests at a slower rate or raise the quota for this user. "
        "The next request from this user will not be approved for at least 5000 milliseconds. ",
        sender=False,
    )


def bad_request(why: str, subcode: str = "w:SchemaValidationError") -> Fault:
    """The request cannot be understood."""
    return Fault(None, subcode, f"The WS-Management service cannot process the request: {why}")


@dataclass(frozen=True)
class SoapRequest:
    """A request, as far as the lab looks at it."""

    action: str
    message_id: str
    resource: str
    timeout_s: float
    envelope_limit: int
    selectors: dict[str, str] = field(default_factory=dict)
    body: ElementTree.Element | None = None

    @property
    def verb(self) -> str:
        """The last word of the action."""
        return self.action.rpartition("/")[2]

    @property
    def shell_id(self) -> str:
        """The shell that it is about."""
        return self.selectors.get("ShellId", "")


def _refuse_dtd(*_details: object) -> None:
    raise bad_request("a document type declaration is not allowed.")


def parse(data: bytes) -> SoapRequest:
    """Read a request; :class:`Fault` when it is none. Document types, and with them entities, are refused."""
    if len(data) > MAX_ENVELOPE:
        raise bad_request("its size exceeds MaxEnvelopeSizekb.", "w:EncodingLimit")
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_dtd
    try:
        parser.Parse(data, True)
        envelope = ElementTree.fromstring(data)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise bad_request(f"it is no XML ({error}).") from error
    header, body = envelope.find(f"{{{S}}}Header"), envelope.find(f"{{{S}}}Body")
    if envelope.tag != f"{{{S}}}Envelope" or header is None:
        raise bad_request("it is no SOAP envelope.")

    def text(name: str) -> str:
        return (header.findtext(name) or "").strip()

    limit = text(f"{{{WSMAN}}}MaxEnvelopeSize")
    content = list(body) if body is not None else []
    return SoapRequest(
        action=text(f"{{{WSA}}}Action"),
        message_id=text(f"{{{WSA}}}MessageID"),
        resource=text(f"{{{WSMAN}}}ResourceURI"),
        timeout_s=_seconds(text(f"{{{WSMAN}}}OperationTimeout")),
        envelope_limit=int(limit) if limit.isdigit() else 153_600,
        selectors={
            one.get("Name", ""): (one.text or "").strip()
            for one in header.iterfind(f"{{{WSMAN}}}SelectorSet/{{{WSMAN}}}Selector")
        },
        body=content[0] if content else None,
    )


def _seconds(text: str) -> float:
    if not text:
        return DEFAULT_TIMEOUT_S
    found = _DURATION.match(text)
    if found is None or not any(found.groups()):
        raise bad_request(f"the OperationTimeout {text!r} is not valid.", "w:InvalidParameter")
    hours, minutes, seconds = (float(one or 0) for one in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def decoded(element: ElementTree.Element | None) -> bytes:
    """Base64 content of an element."""
    try:
        return base64.b64decode((element.text or "").strip() if element is not None else "", validate=True)
    except ValueError as error:
        raise bad_request("a stream is no base64.") from error


def answer(request: SoapRequest, body: str, action: str | None = None) -> bytes:
    """A whole answer to ``request`` with ``body`` (XML) in it."""
    return _envelope(action or f"{request.action}Response", request.message_id, body)


def fault(request: SoapRequest | None, error: Fault, machine: str) -> bytes:
    """The answer that carries a refusal."""
    code = f' Code="{error.code}"' if error.code is not None else ""
    body = (
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if error.sender else 'Receiver'}</s:Value><s:Subcode><s:Value>"
        f'{error.subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{escape(error.reason)}'
        f"</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f={quoteattr(_FAULT)}{code} Machine={quoteattr(machine)}>"
        f"<f:Message>{escape(error.reason)}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope(_FAULT_ACTION, request.message_id if request else "", body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    text = (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{S}" xmlns:a="{WSA}" xmlns:w="{WSMAN}" xmlns:rsp="{RSP}" '
        f'xmlns:x="{WST}" xmlns:n="{WSEN}"><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{_ANONYMOUS}</a:To>{related}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )
    return text.encode()
