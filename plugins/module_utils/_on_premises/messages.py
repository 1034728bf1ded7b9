# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The messages of LDAP that are used here (RFC 4511), other than search result entries: as bytes, and from bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ber
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.ber import Malformed

# Tags of the operations (RFC 4511, appendix B): [APPLICATION n].
UNBIND_REQUEST = 0x42
SEARCH_REQUEST = 0x63
SEARCH_ENTRY = 0x64
SEARCH_DONE = 0x65
MODIFY_REQUEST = 0x66
MODIFY_RESPONSE = 0x67
ABANDON_REQUEST = 0x50
SEARCH_REFERENCE = 0x73
EXTENDED_RESPONSE = 0x78
INTERMEDIATE_RESPONSE = 0x79

PAGED = "1.2.840.113556.1.4.319"
SCOPES = {"base": 0, "level": 1, "subtree": 2}
_MODIFICATIONS = {"add": 0, "delete": 1, "replace": 2}
_CONTROLS = 0xA0
_REFERRAL = 0xA3
_RESPONSE_NAME = 0x8A


class Change(Protocol):
    """One step of a modify request; ``op`` is add, delete or replace. The steps run in the order given."""

    @property
    def op(self) -> str: ...
    @property
    def attribute(self) -> str: ...
    @property
    def values(self) -> Sequence[bytes]: ...


@dataclass(frozen=True)
class Result:
    """How an operation ended. ``referrals`` are LDAP URLs; ``cookie`` leads to the next page, empty after the last."""

    code: int
    matched_dn: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()
    cookie: bytes = b""


def message(message_id: int, operation: bytes, controls: bytes = b"") -> bytes:
    """A whole message; ``controls`` are encoded controls one after the other."""
    return ber.tlv(
        ber.SEQUENCE, ber.integer(message_id) + operation + (ber.tlv(_CONTROLS, controls) if controls else b"")
    )


def search_request(base: str, scope: str, filter_: bytes, attributes: Iterable[str]) -> bytes:
    """A search that follows no aliases and has no limits of its own; ``filter_`` is an encoded filter."""
    return ber.tlv(
        SEARCH_REQUEST,
        ber.octets(base.encode("utf-8"))
        + ber.integer(SCOPES[scope], ber.ENUMERATED)
        + ber.integer(0, ber.ENUMERATED)
        + ber.integer(0)
        + ber.integer(0)
        + ber.boolean(False)
        + filter_
        + ber.tlv(ber.SEQUENCE, b"".join(ber.octets(name.encode("ascii")) for name in attributes)),
    )


def paged_control(size: int, cookie: bytes) -> bytes:
    """The request for a page of results (RFC 2696), critical: without pages AD would stop at its limit."""
    value = ber.tlv(ber.SEQUENCE, ber.integer(size) + ber.octets(cookie))
    return ber.tlv(ber.SEQUENCE, ber.octets(PAGED.encode("ascii")) + ber.boolean(True) + ber.octets(value))


def modify_request(dn: str, changes: Iterable[Change]) -> bytes:
    """A modify request with its changes in order."""
    steps = b"".join(
        ber.tlv(
            ber.SEQUENCE,
            ber.integer(_MODIFICATIONS[change.op], ber.ENUMERATED)
            + ber.tlv(
                ber.SEQUENCE,
                ber.octets(change.attribute.encode("ascii"))
                + ber.tlv(ber.SET, b"".join(ber.octets(value) for value in change.values)),
            ),
        )
        for change in changes
    )
    return ber.tlv(MODIFY_REQUEST, ber.octets(dn.encode("utf-8")) + ber.tlv(ber.SEQUENCE, steps))


def abandon_request(message_id: int) -> bytes:
    """Tells the server that nobody waits for the answer to a search any more; it has no answer itself."""
    return ber.integer(message_id, ABANDON_REQUEST)


def unbind_request() -> bytes:
    """The farewell, which has no answer."""
    return ber.tlv(UNBIND_REQUEST, b"")


def read_result(operation: bytes, controls: bytes = b"") -> Result:
    """The LDAPResult in the content of a response, with the cookie that its controls hold."""
    end = len(operation)
    start, position = ber.expect(operation, 0, end, ber.ENUMERATED)
    code = ber.number(operation, start, position)
    start, position = ber.expect(operation, position, end, ber.OCTETS)
    matched = operation[start:position]
    start, position = ber.expect(operation, position, end, ber.OCTETS)
    text = operation[start:position]
    referrals: tuple[str, ...] = ()
    while position < end:
        tag, start, position = ber.header(operation, position, end)
        if tag == _REFERRAL:
            referrals = _strings(operation[start:position])
    # Servers cut long texts anywhere, so they need not be good UTF-8; nothing depends on them.
    return Result(
        code, matched.decode("utf-8", "replace"), text.decode("utf-8", "replace"), referrals, _cookie(controls)
    )


def response_name(operation: bytes) -> str:
    """The object identifier in an extended response; empty where it has none."""
    position, end = 0, len(operation)
    while position < end:
        tag, start, position = ber.header(operation, position, end)
        if tag == _RESPONSE_NAME:
            return operation[start:position].decode("ascii")
    return ""


def _strings(data: bytes) -> tuple[str, ...]:
    found, position = [], 0
    while position < len(data):
        start, position = ber.expect(data, position, len(data), ber.OCTETS)
        found.append(data[start:position].decode("utf-8", "replace"))
    return tuple(found)


def _cookie(controls: bytes) -> bytes:
    """The cookie of the paged results control among the controls of a response."""
    if not controls:
        return b""
    position, end = ber.expect(controls, 0, len(controls), _CONTROLS)
    while position < end:
        start, stop = ber.expect(controls, position, end, ber.SEQUENCE)
        position = stop
        name_start, at = ber.expect(controls, start, stop, ber.OCTETS)
        if controls[name_start:at] != PAGED.encode("ascii"):
            continue
        while at < stop:
            tag, value, at = ber.header(controls, at, stop)
            if tag == ber.OCTETS:
                value, last = ber.expect(controls, value, at, ber.SEQUENCE)
                _size, value = ber.expect(controls, value, last, ber.INTEGER)
                value, last = ber.expect(controls, value, last, ber.OCTETS)
                return controls[value:last]
        raise Malformed("the paged results control has no value")
    return b""
