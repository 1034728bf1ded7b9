# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A seeded directory object, and the small helpers that name one."""

from __future__ import annotations

import unicodedata
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tests.lab.settings import fixed_guid

Values = tuple[bytes, ...]
_SPECIAL = ',+"\\<>;='
_HEX = "0123456789abcdefABCDEF"
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "Ae", "đ": "d", "ı": "i"})


@dataclass(frozen=True)
class Entry:
    """One object as the lab seeds it. ``attributes`` are raw values, without objectClass and the naming attribute."""

    dn: str
    classes: tuple[str, ...]
    guid: str
    attributes: Mapping[str, Values] = field(default_factory=dict)
    sddl: str | None = None  # an own security descriptor instead of the inherited one
    password: str | None = None

    @property
    def guid_bytes(self) -> bytes:
        """objectGUID as stored: little-endian."""
        return uuid.UUID(self.guid).bytes_le


def escape_rdn(value: str) -> str:
    """A naming value as it is written inside a DN (RFC 4514)."""
    escaped = "".join(f"\\{char}" if char in _SPECIAL else char for char in value)
    if escaped.startswith(("#", " ")):
        escaped = f"\\{escaped}"
    if escaped.endswith(" ") and not escaped.endswith("\\ "):
        escaped = f"{escaped[:-1]}\\ "
    return escaped


def child(parent: str, value: str, naming: str = "CN") -> str:
    """The DN of an object below ``parent``."""
    return f"{naming}={escape_rdn(value)},{parent}"


@lru_cache(maxsize=16384)
def canonical_dn(dn: str) -> tuple[tuple[str, str], ...]:
    """A DN for comparison: names in lower case, values unescaped and in lower case, innermost first."""
    parts: list[tuple[str, str]] = []
    current = bytearray()
    name: str | None = None
    index = 0
    while index <= len(dn):
        char = dn[index] if index < len(dn) else ","
        if char == "\\":
            pair = dn[index + 1 : index + 3]
            if len(pair) == 2 and all(digit in _HEX for digit in pair):
                current += bytes.fromhex(pair)
                index += 3
            else:
                current += dn[index + 1].encode()
                index += 2
            continue
        if char == "=" and name is None:
            name = current.decode().strip().casefold()
            current.clear()
        elif char == ",":
            parts.append((name or "", current.decode().casefold()))
            current.clear()
            name = None
        else:
            current += char.encode()
        index += 1
    return tuple(parts)


def split_dn(dn: str) -> tuple[str, str]:
    """The naming part and the parent of a DN."""
    index = 0
    while dn[index] != ",":
        index += 2 if dn[index] == "\\" else 1
    return dn[:index], dn[index + 1 :]


def raw(value: str | int | bool | bytes) -> bytes:
    """A value as it travels over LDAP."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"TRUE" if value else b"FALSE"
    return str(value).encode()


def attributes(**values: str | int | bool | bytes | Sequence[str] | None) -> dict[str, Values]:
    """Raw attributes of plain values; ``None`` and empty lists are left out, ``_`` in a name is a hyphen."""
    result: dict[str, Values] = {}
    for name, value in values.items():
        if value is None:
            continue
        items = [value] if isinstance(value, str | int | bytes) else list(value)
        if items:
            result[name.replace("_", "-")] = tuple(raw(item) for item in items)
    return result


def entry_guid(forest: str, kind: str, key: str) -> str:
    """The fixed objectGUID of a seeded object."""
    return fixed_guid("object", forest, kind, key)


def pick(limit: int, *words: str | int) -> int:
    """A number from 0 to ``limit`` - 1 that depends on the words alone: no order, no generator state."""
    return zlib.crc32("/".join(str(word) for word in words).encode()) % limit


def ascii_name(text: str) -> str:
    """A name without accents, for account names and addresses; apostrophes stay."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(char for char in decomposed if char.isascii() and (char.isalnum() or char in "'-"))
