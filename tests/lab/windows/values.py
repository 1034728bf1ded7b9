# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that cmdlets give, and how they travel: PowerShell's remoting serialization with a depth of one.

A property that is an object arrives as the text of its ToString; enumerations keep their name and number. Who needs a
nested object expands it first.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from psrpcore.types import (
    PSByteArray,
    PSCustomObject,
    PSDateTime,
    PSDict,
    PSDuration,
    PSEnumBase,
    PSGuid,
    PSInt,
    PSInt64,
    PSList,
    PSNoteProperty,
    PSObject,
    PSString,
    PSType,
    PSUInt,
    PSUInt16,
    PSUInt64,
    PSVersion,
)

_OBJECT = "System.Object"
CUSTOM = ("System.Management.Automation.PSCustomObject", _OBJECT)


@dataclass
class Obj:
    """A .NET object: its type names, its own properties, and those that PowerShell adds."""

    types: tuple[str, ...]
    properties: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    key: Any = None  # what the lab itself knows it by (a service's name, a process id, a path)

    @property
    def all(self) -> dict[str, Any]:
        """Every property by name; an added one hides an own one."""
        return {**self.properties, **self.notes}

    def get(self, name: str) -> tuple[str, Any] | None:
        """A property by its name in any case: its real name and value."""
        for known, value in self.all.items():
            if known.lower() == name.lower():
                return known, value
        return None

    def __str__(self) -> str:
        if self.text is not None:
            return self.text
        if self.types[0] == CUSTOM[0]:
            shown = "; ".join(f"{name}={text(value)}" for name, value in self.all.items())
            return f"@{{{shown}}}"
        return self.types[0]


@dataclass(frozen=True)
class Enum:
    """A value of an enumeration."""

    type: str
    name: str
    value: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Number:
    """A number that is no Int32: ``kind`` is UInt16, UInt32, UInt64 or Int64."""

    kind: str
    value: int

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Version:
    """A System.Version."""

    value: str

    def __str__(self) -> str:
        return self.value


_NUMBERS: dict[str, Any] = {"UInt16": PSUInt16, "UInt32": PSUInt, "UInt64": PSUInt64, "Int64": PSInt64}


def uint32(value: int) -> Number:
    """A UInt32."""
    return Number("UInt32", value)


def uint64(value: int) -> Number:
    """A UInt64."""
    return Number("UInt64", value)


def int64(value: int) -> Number:
    """An Int64."""
    return Number("Int64", value)


def custom(properties: Mapping[str, Any]) -> Obj:
    """An object without a type of its own."""
    return Obj(CUSTOM, notes=dict(properties))


def text(value: Any) -> str:
    """A value as PowerShell turns it into text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    if isinstance(value, list | tuple):
        return " ".join(text(one) for one in value)
    return str(value)


def remote(value: Any, depth: int = 1) -> Any:
    """``value`` as psrpcore serializes it; objects below ``depth`` become texts."""
    if value is None or isinstance(value, bool):
        return value
    simple = _simple(value)
    if simple is not None:
        return simple
    if isinstance(value, Enum):
        return _enum(value)
    if isinstance(value, dict):
        return PSDict({remote(name, depth): remote(one, max(0, depth - 1)) for name, one in value.items()})
    if isinstance(value, list | tuple):
        return _array([remote(one, max(0, depth - 1)) for one in value])
    if not isinstance(value, Obj):
        raise TypeError(f"no cmdlet gives a {type(value).__name__}")
    return _object(value, depth) if depth > 0 else PSString(str(value))


def _simple(value: Any) -> Any:
    if isinstance(value, str):
        return PSString(value)
    if isinstance(value, int):
        return PSInt(value) if PSInt.MinValue <= value <= PSInt.MaxValue else PSInt64(value)
    if isinstance(value, Number):
        return _NUMBERS[value.kind](value.value)
    if isinstance(value, Version):
        return PSVersion(value.value)
    if isinstance(value, bytes):
        return PSByteArray(value)
    if isinstance(value, datetime):
        return PSDateTime(
            value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, value.tzinfo
        )
    if isinstance(value, timedelta):
        return PSDuration(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
    if isinstance(value, uuid.UUID):
        return PSGuid(int=value.int)
    return None


@cache
def _enum(value: Enum) -> Any:
    # The library types the members of an enumeration more narrowly than it takes them.
    made: Any = PSEnumBase(value.type.rpartition(".")[2], {value.name: value.value})  # type: ignore[arg-type]
    return PSType([value.type], rehydrate=False)(made)[value.name]


def _array(items: list[Any]) -> PSObject:
    made = PSList(items)
    made.PSObject.type_names = ["System.Object[]", "System.Array", _OBJECT]
    return made


def _object(value: Obj, depth: int) -> PSObject:
    made: PSObject = PSCustomObject() if value.types[0] == CUSTOM[0] else PSObject()
    made.PSObject.type_names = list(value.types)
    made.PSObject.adapted_properties = [
        PSNoteProperty(name, remote(one, depth - 1)) for name, one in value.properties.items()
    ]
    made.PSObject.extended_properties = [
        PSNoteProperty(name, remote(one, depth - 1)) for name, one in value.notes.items()
    ]
    made.PSObject.to_string = str(value)
    return made
