# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Values of Active Directory as plain data. What is missing, or is not what it should be, is None."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Values = tuple[bytes, ...]
Convert = Callable[[Values], Any]

_PART = re.compile(r"(?:[^,\\]|\\.)+")
_DOMAIN_PART = re.compile(r"(?:^|,)\s*dc\s*=\s*([^,]+)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([0-9A-Fa-f]{2}|.)")


def text(values: Values) -> str | None:
    """The first value as a text."""
    return values[0].decode("utf-8", "replace") if values else None


def texts(values: Values) -> list[str]:
    """All values as texts, in order."""
    return sorted((value.decode("utf-8", "replace") for value in values), key=str.casefold)


def integer(values: Values) -> int | None:
    """The first value as a number."""
    found = text(values)
    return int(found) if found is not None and re.fullmatch(r"-?\d+", found) else None


def boolean(values: Values) -> bool | None:
    """The first value as a truth value."""
    return {"TRUE": True, "FALSE": False}.get((text(values) or "").upper())


def guid(values: Values) -> str | None:
    """The first value as a GUID; AD stores it in little-endian order."""
    return str(UUID(bytes_le=values[0])) if values and len(values[0]) == 16 else None


def moment(values: Values) -> str | None:
    """A generalized time as RFC 3339."""
    found = text(values) or ""
    try:
        return datetime.strptime(found[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None


def dn_name(values: Values) -> str | None:
    """The name of the object that a distinguished name leads to."""
    found = text(values)
    return name_in(found) if found else None


def dn_names(values: Values) -> list[str]:
    """The names of the objects that distinguished names lead to."""
    return sorted((name_in(item) for item in texts(values)), key=str.casefold)


def fqdn(values: Values) -> str | None:
    """The full name of a server in its networkAddress."""
    for value in texts(values):
        if value.lower().startswith("ncacn_ip_tcp:"):
            return value.split(":", 1)[1].lower()
    return None


def name_in(dn: str) -> str:
    """The first part of a distinguished name, without its attribute and its escapes."""
    return name_at(dn, 0)


def name_at(dn: str, position: int) -> str:
    """One part of a distinguished name, counted from its left end; empty where it has no such part."""
    parts = _PART.findall(dn)
    if position >= len(parts):
        return ""
    value = parts[position].partition("=")[2].strip()
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if len(match[1]) == 2 else match[1], value)


def domain_of(dn: str) -> str:
    """The DNS name that the DC parts of a distinguished name spell."""
    return ".".join(part.strip() for part in _DOMAIN_PART.findall(dn)).lower()


def is_below(dn: str, base: str) -> bool:
    """Whether a name lies at or below another."""
    return dn.casefold() == base.casefold() or dn.casefold().endswith(f",{base.casefold()}")


def converted(values: Mapping[str, Values], fields: Mapping[str, tuple[str, Convert]]) -> dict[str, Any]:
    """The properties that fields (name, attribute, converter) make of an object's values."""
    return {name: convert(values.get(attribute, ())) for name, (attribute, convert) in fields.items()}
