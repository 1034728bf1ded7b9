# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The part of BER (ITU-T X.690) that LDAP uses (RFC 4511, 5.1): definite lengths, tags of one byte.

Active Directory writes the lengths of sequences and sets in five bytes, others in as few as they need: both are read.
"""

from __future__ import annotations

INTEGER = 0x02
OCTETS = 0x04
ENUMERATED = 0x0A
BOOLEAN = 0x01
SEQUENCE = 0x30
SET = 0x31


class Malformed(ValueError):
    """Bytes that are no BER, or not what LDAP puts there."""


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length and content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def octets(content: bytes) -> bytes:
    """An octet string."""
    return tlv(OCTETS, content)


def integer(number: int, tag: int = INTEGER) -> bytes:
    """An integer, or an enumerated value; not negative."""
    return tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:
    """A boolean, true as 0xFF (RFC 4511, 5.1)."""
    return tlv(tag, b"\xff" if value else b"\x00")


def header(data: bytes, start: int, end: int) -> tuple[int, int, int]:
    """The tag at ``start``, and where its content starts and ends; all of it lies before ``end``."""
    if start + 2 > end:
        raise Malformed("it ends in the middle of an element")
    size = data[start + 1]
    content = start + 2
    if size >= 0x80:
        count = size & 0x7F
        content += count
        if not 0 < count <= 8 or content > end:
            raise Malformed("an element has a length that cannot be read")
        size = int.from_bytes(data[start + 2 : content], "big")
    if content + size > end:
        raise Malformed("an element reaches beyond the one that holds it")
    return data[start], content, content + size


def expect(data: bytes, start: int, end: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at ``start``, which has this tag, starts and ends."""
    found, content, stop = header(data, start, end)
    if found != tag:
        raise Malformed(f"an element has the tag 0x{found:02x} where 0x{tag:02x} belongs")
    return content, stop


def number(data: bytes, start: int, stop: int) -> int:
    """The integer whose content lies between ``start`` and ``stop``."""
    if not 0 < stop - start <= 8:
        raise Malformed("an integer has no bytes, or too many")
    return int.from_bytes(data[start:stop], "big", signed=True)
