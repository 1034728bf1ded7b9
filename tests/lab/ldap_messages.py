# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of LDAP's encoding (RFC 4511 over BER) as the relay needs: frames, what a request asks, refusing answers.

The relay passes messages on as it got them; nothing here encodes a request or decodes an entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MESSAGE = 0x30
START_TLS = b"1.3.6.1.4.1.1466.20037"
SUCCESS = 0
SASL_IN_PROGRESS = 14

# Tag of a request: its name, and the tag of the answer that ends it (None: there is none).
_REQUESTS: dict[int, tuple[str, int | None]] = {
    0x60: ("bind", 0x61),
    0x42: ("unbind", None),
    0x63: ("search", 0x65),
    0x66: ("modify", 0x67),
    0x68: ("add", 0x69),
    0x4A: ("delete", 0x6B),
    0x6C: ("modify_dn", 0x6D),
    0x6E: ("compare", 0x6F),
    0x50: ("abandon", None),
    0x77: ("extended", 0x78),
}
_FINAL = {answer for _name, answer in _REQUESTS.values() if answer is not None}
OPERATIONS = tuple(name for name, _answer in _REQUESTS.values())
WRITES = ("modify", "add", "delete", "modify_dn")
_SASL = 0xA3
_REFERRAL = 0xA3
_MAX_LENGTH = 64 * 1024 * 1024


class NotLdap(Exception):
    """The bytes are no LDAP message: another protocol, or a layer of SASL."""


@dataclass(frozen=True)
class Request:
    """What a request asks. ``name`` is the DN that it is about, the base of a search, the OID of an extended one."""

    id: int
    operation: str
    name: str = ""
    sasl: bool = False
    answer_tag: int | None = None


@dataclass(frozen=True)
class Answer:
    """What an answer says. ``final``: it ends its request; ``code`` is known of final answers only."""

    id: int
    final: bool
    code: int = SUCCESS


def whole(data: bytes | bytearray, at: int = 0) -> int | None:
    """Length of the message that begins at ``at``; None while its header has not come whole; :class:`NotLdap`."""
    if len(data) <= at:
        return None
    if data[at] != MESSAGE:
        raise NotLdap(f"a message of LDAP begins with 0x30, not with 0x{data[at]:02x}")
    if len(data) < at + 2:
        return None
    first = data[at + 1]
    if first < 0x80:
        return 2 + first
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise NotLdap(f"the length of a message takes 1 to 4 bytes, not {count}")
    if len(data) < at + 2 + count:
        return None
    length = int.from_bytes(data[at + 2 : at + 2 + count], "big")
    if length > _MAX_LENGTH:
        raise NotLdap(f"a message of {length} bytes is none")
    return 2 + count + length


def request(message: bytes) -> Request:
    """What a whole request asks; :class:`NotLdap` when it makes no sense."""
    identifier, tag, content = _operation(message)
    if tag not in _REQUESTS:
        raise NotLdap(f"0x{tag:02x} is no request of LDAP")
    operation, answer_tag = _REQUESTS[tag]
    name, sasl = b"", False
    if operation == "delete":
        name = content
    elif operation == "bind":
        (_tag, _version), (_name_tag, name), (choice, _value), *_more = _elements(content)
        sasl = choice == _SASL
    elif operation not in ("unbind", "abandon"):
        name = _first(content)
    return Request(identifier, operation, name.decode("utf-8", "replace"), sasl, answer_tag)


def answer(message: bytes) -> Answer:
    """What a whole answer says; :class:`NotLdap` when it makes no sense."""
    identifier, tag, content = _operation(message)
    if tag not in _FINAL:
        return Answer(identifier, False)
    return Answer(identifier, True, int.from_bytes(_first(content), "big"))


def refusal(asked: Request, code: int, text: str = "", referrals: Sequence[str] = ()) -> bytes:
    """The answer that ends ``asked`` with a result code; ValueError for a request that is never answered."""
    if asked.answer_tag is None:
        raise ValueError(f"{asked.operation} has no answer")
    content = _encoded(0x0A, bytes([code])) + _encoded(0x04, b"") + _encoded(0x04, text.encode())
    if referrals:
        content += _encoded(_REFERRAL, b"".join(_encoded(0x04, one.encode()) for one in referrals))
    identifier = asked.id.to_bytes(asked.id.bit_length() // 8 + 1, "big")
    return _encoded(MESSAGE, _encoded(0x02, identifier) + _encoded(asked.answer_tag, content))


def _operation(message: bytes) -> tuple[int, int, bytes]:
    _tag, content, _end = _element(message, 0)
    id_tag, identifier, end = _element(content, 0)
    if id_tag != 0x02:
        raise NotLdap("a message begins with its number")
    tag, operation, _rest = _element(content, end)
    return int.from_bytes(identifier, "big"), tag, operation


def _first(content: bytes) -> bytes:
    return _element(content, 0)[1]


def _elements(content: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(content):
        tag, value, at = _element(content, at)
        found.append((tag, value))
    return found


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, value and end of the element at ``at``."""
    if len(data) < at + 2:
        raise NotLdap("a message ends in the middle of an element")
    length, begin = data[at + 1], at + 2
    if length >= 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[at + 2 : begin], "big")
    if len(data) < begin + length:
        raise NotLdap("a message ends in the middle of an element")
    return data[at], data[begin : begin + length], begin + length


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
