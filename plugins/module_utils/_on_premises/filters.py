# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Search filters (RFC 4515) as LDAP sends them (RFC 4511, 4.5.1.7).

A filter that looks for a hundred objects at once is the rule here, and ldap3 takes tens of milliseconds for one.
"""

from __future__ import annotations

import re

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ber

_SETS = {"&": 0xA0, "|": 0xA1}
_NOT = 0xA2
_EQUAL = 0xA3
_SUBSTRINGS = 0xA4
_COMPARISONS = {">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_PRESENT = 0x87
_EXTENSIBLE = 0xA9
_RULE, _TYPE, _VALUE, _DN_ATTRIBUTES = 0x81, 0x82, 0x83, 0x84
_INITIAL, _ANY, _FINAL = 0x80, 0x81, 0x82
_DEPTH = 50

_ITEM = re.compile(r"\((?P<name>[A-Za-z0-9.;-]*)(?P<rule>(?::[A-Za-z0-9.-]+)*:)?(?P<op>[><~]?=)(?P<value>[^()]*)\)")
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})?")
_ALL_ESCAPED = re.compile(r"(?:\\[0-9A-Fa-f]{2})+")


def encode(text: str) -> bytes:
    """The filter as bytes; InputError says where it is wrong."""
    encoded, position = _filter(text, 0, 0)
    if position != len(text):
        raise _wrong(text, position, "something follows the filter")
    return encoded


def _filter(text: str, position: int, depth: int) -> tuple[bytes, int]:
    if depth > _DEPTH:
        raise _wrong(text, position, f"it is nested more than {_DEPTH} deep")
    if text[position : position + 1] != "(":
        raise _wrong(text, position, "a parenthesis should open here")
    kind = text[position + 1 : position + 2]
    if kind in _SETS or kind == "!":
        parts = []
        position += 2
        while text[position : position + 1] == "(":
            part, position = _filter(text, position, depth + 1)
            parts.append(part)
        if text[position : position + 1] != ")":
            raise _wrong(text, position, "a parenthesis should open or close here")
        if kind == "!" and len(parts) != 1:
            raise _wrong(text, position, "a negation takes exactly one filter")
        return ber.tlv(_NOT if kind == "!" else _SETS[kind], b"".join(parts)), position + 1
    match = _ITEM.match(text, position)
    if match is None:
        raise _wrong(text, position, "this is not a comparison")
    return _item(text, match), match.end()


def _item(text: str, match: re.Match[str]) -> bytes:
    name, rule, operator, value = match["name"], match["rule"], match["op"], match["value"]
    if rule is not None:
        if operator != "=":
            raise _wrong(text, match.start(), "a matching rule takes an equals sign")
        return _extensible(text, match, name, rule)
    if not name:
        raise _wrong(text, match.start(), "the name of an attribute is missing")
    attribute = ber.octets(name.encode("ascii"))
    if operator != "=":
        return ber.tlv(_COMPARISONS[operator], attribute + ber.octets(_bytes(text, match, value)))
    if value == "*":
        return ber.tlv(_PRESENT, name.encode("ascii"))
    if "*" not in value:
        return ber.tlv(_EQUAL, attribute + ber.octets(_bytes(text, match, value)))
    first, *middle, last = value.split("*")
    parts = [(_INITIAL, first), *((_ANY, part) for part in middle), (_FINAL, last)]
    substrings = b"".join(ber.tlv(tag, _bytes(text, match, part)) for tag, part in parts if part)
    if not substrings:
        raise _wrong(text, match.start(), "nothing but asterisks to look for")
    return ber.tlv(_SUBSTRINGS, attribute + ber.tlv(ber.SEQUENCE, substrings))


def _extensible(text: str, match: re.Match[str], name: str, rule: str) -> bytes:
    """``name:dn:rule:=value``, in which all but the value may be missing, but not both name and rule."""
    words = rule.strip(":").split(":") if rule != ":" else []
    with_dn = bool(words) and words[0].lower() == "dn"
    rules = words[1:] if with_dn else words
    if len(rules) > 1 or not (rules or name):
        raise _wrong(text, match.start(), "this is not a comparison with a matching rule")
    content = b"".join(ber.tlv(_RULE, word.encode("ascii")) for word in rules)
    if name:
        content += ber.tlv(_TYPE, name.encode("ascii"))
    content += ber.tlv(_VALUE, _bytes(text, match, match["value"]))
    return ber.tlv(_EXTENSIBLE, content + (ber.boolean(True, _DN_ATTRIBUTES) if with_dn else b""))


def _bytes(text: str, match: re.Match[str], value: str) -> bytes:
    """A value without its escapes (a backslash and two hexadecimal digits stand for a byte)."""
    if "*" in value:
        raise _wrong(text, match.start(), "an asterisk cannot stand here; write \\2a for the character itself")
    if _ALL_ESCAPED.fullmatch(value):
        return bytes.fromhex(value.replace("\\", ""))
    raw = value.encode("utf-8")
    if b"\\" not in raw:
        return raw
    if any(not found for found in _ESCAPED.findall(raw)):
        raise _wrong(text, match.start(), "a backslash must be followed by two hexadecimal digits")
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode("ascii")), raw)


def _wrong(text: str, position: int, why: str) -> InputError:
    near = text[position : position + 40]
    return InputError(
        f"The search filter is wrong at character {position + 1}, near {near!r}: {why}.", filter=text[:200]
    )
