# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw LDAP values to Python values and back, and names of objects in comparable form."""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_HEX_PAIR = re.compile(rb"\\([0-9a-fA-F]{2})")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_SEPARATOR = re.compile(r"(?<!\\)(?:\\\\)*,")


def text(raw: bytes) -> str:
    """A directory string; bytes that are no UTF-8 are shown as replacement characters rather than stop a run."""
    return raw.decode("utf-8", "replace")


def boolean(raw: bytes) -> bool:
    """An LDAP Boolean."""
    return raw.upper() == b"TRUE"


def guid(raw: bytes) -> str:
    """A GUID attribute (16 bytes in AD's mixed byte order) in text form; the zero GUID where it is no GUID."""
    return str(uuid.UUID(bytes_le=raw)) if len(raw) == 16 else ZERO_GUID


def sid(raw: bytes) -> str:
    """An objectSid in text form (S-1-5-21-...)."""
    count = raw[1]
    authority = int.from_bytes(raw[2:8], "big")
    parts = struct.unpack(f"<{count}I", raw[8 : 8 + 4 * count])
    return "-".join(["S", str(raw[0]), str(authority), *map(str, parts)])


def generalized_time(raw: bytes) -> str:
    """A time attribute (UTC or generalized form) as the services write it in JSON."""
    digits = re.sub(r"[.Z].*$", "", text(raw))
    form = "%y%m%d%H%M%S" if len(digits) == 12 else "%Y%m%d%H%M%S"
    return datetime.strptime(digits, form).replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def escape(raw: bytes) -> str:
    """``raw`` for use in an LDAP filter, every byte escaped."""
    return "".join(f"\\{byte:02x}" for byte in raw)


def any_of(attribute: str, values: Iterable[bytes]) -> str:
    """A filter for objects whose ``attribute`` has one of ``values``."""
    return "(|" + "".join(f"({attribute}={escape(value)})" for value in values) + ")"


@lru_cache(maxsize=4096)
def dn_key(dn: str) -> tuple[str, ...]:
    """A distinguished name in comparable form: its parts from the root down, unescaped, without regard to case."""
    parts, start = [], 0
    for match in _SEPARATOR.finditer(dn):
        parts.append(dn[start : match.end() - 1])
        start = match.end()
    parts.append(dn[start:])
    return tuple(_part_key(part) for part in reversed(parts) if part.strip())


def _part_key(part: str) -> str:
    name, _equals, value = part.strip().partition("=")
    plain = _ESCAPED.sub(rb"\1", _HEX_PAIR.sub(lambda pair: bytes([int(pair[1], 16)]), value.strip().encode()))
    return f"{name.strip().lower()}={plain.decode('utf-8', 'replace').casefold()}"


def is_below(dn: str, container: str) -> bool:
    """Whether the object at ``dn`` is ``container`` or lies below it."""
    above = dn_key(container)
    return bool(above) and dn_key(dn)[: len(above)] == above
