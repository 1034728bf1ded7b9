# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What evaluating an expression deals in: values, what is known beside the source object, and why there is no value.

Three things can stand in the place of a value. NOT_FLOWED: the mapping writes nothing. Undetermined: the value depends
on something that is not known here, or that the reference does not say; it is never guessed. EvaluationError: the
service cannot evaluate the expression for this object either.

What the reference leaves open and what is taken for granted nevertheless: a function that only changes a text gives
nothing where its text is absent. Null and an empty text both leave the target without a value, so no more is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Final, TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError


class NotFlowed(Enum):
    """The type of NOT_FLOWED."""

    NOT_FLOWED = "not-flowed"


NOT_FLOWED: Final = NotFlowed.NOT_FLOWED
"""The result of a mapping that leaves its target as it is."""

Value: TypeAlias = str | int | Decimal | datetime | tuple[str, ...] | NotFlowed | None
"""None is null, the value of an absent attribute. Booleans are ints here. A tuple is a multi-valued attribute."""

Read: TypeAlias = Callable[[str], Value]
"""Gives the value of a source attribute by its name, as it stands in the brackets; the case of names does not count."""

LONGEST_TEXT = 1_000_000
_NUMBER = re.compile(r"[+-]?\d{1,28}(\.\d{1,28})?", re.ASCII)


class EvaluationError(HybridError):
    """The expression has no value for this object: the service would report an error for it too."""

    def __init__(self, function: str, argument: str, reason: str) -> None:
        where = f"{function}, {argument}" if argument else function
        super().__init__(f"{where}: {reason}.", function=function, argument=argument)
        self.reason = reason


class Undetermined(HybridError):
    """The value cannot be known here."""

    def __init__(self, reason: str, **facts: str) -> None:
        super().__init__(f"{reason}.", **facts)
        self.reason = reason


@dataclass(frozen=True)
class Context:
    """What an expression may ask for beside the source object; None where it is not known.

    now is in UTC. taken are the values of the target attribute that exist in the directory, for SelectUniqueValue.
    settings are the job's, by the name between the percent signs, for example DomainFQDN.
    """

    now: datetime | None = None
    default_domain: str | None = None
    taken: Collection[str] | None = None
    random: Random | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    taken_folded: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        # AD compares texts without regard to case; folded once, for all evaluations.
        object.__setattr__(self, "taken_folded", frozenset(value.casefold() for value in self.taken or ()))


NOTHING_KNOWN = Context()

Closure: TypeAlias = Callable[[Read, Context], Value]
"""A compiled expression or part of one."""


def undocumented(function: str, what: str) -> Undetermined:
    """The error for what the reference does not say."""
    return Undetermined(f"{function}: Microsoft's reference does not say {what}", function=function)


def text(value: Value, function: str, argument: str) -> str | None:
    """A value as a text, None where it is null; Undetermined for several values."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return shown_date(value)
    if isinstance(value, tuple):
        if len(value) > 1:
            raise undocumented(function, f"what it makes of {len(value)} values as {argument}")
        return value[0] if value else None
    raise undocumented(function, f"what it makes of IgnoreFlowIfNullOrEmpty without a value as {argument}")


def known_text(value: Value, function: str, argument: str) -> str:
    """A value as a text where null has no documented meaning; Undetermined for null."""
    found = text(value, function, argument)
    if found is None:
        raise undocumented(function, f"what it gives where {argument} is null")
    return found


def number(value: Value, function: str, argument: str) -> int | Decimal:
    """A value as a number; a text that is written as a number counts as one."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    found = text(value, function, argument)
    if found is None:
        raise EvaluationError(function, argument, "a number is needed, and there is no value")
    parsed = as_number(found)
    if parsed is None:
        raise EvaluationError(function, argument, f"{found[:40]!r} is not a number")
    return parsed


def whole(value: Value, function: str, argument: str) -> int:
    """A value as a whole number."""
    found = number(value, function, argument)
    if isinstance(found, int):
        return found
    if found != found.to_integral_value():
        raise EvaluationError(function, argument, f"{found} is not a whole number")
    return int(found)


def as_number(found: str) -> int | Decimal | None:
    """The number that a text is, or None."""
    stripped = found.strip()
    if not _NUMBER.fullmatch(stripped):
        return None
    return Decimal(stripped) if "." in stripped else int(stripped)


def values_of(value: Value, function: str, argument: str) -> tuple[str, ...]:
    """All values: of a multi-valued one each, of any other the one, of null none."""
    if isinstance(value, tuple):
        return value
    found = text(value, function, argument)
    return () if found is None else (found,)


def empty(value: Value) -> bool:
    """Whether a value is null or an empty text, which is the same for a target."""
    return value is None or value == "" or (isinstance(value, tuple) and not any(value))


def bounded(length: int, function: str) -> None:
    """EvaluationError for a result so long that no attribute could hold it; nested calls could fill any memory."""
    if length > LONGEST_TEXT:
        raise EvaluationError(function, "", f"the result has more than {LONGEST_TEXT} characters")


def shown_date(moment: datetime) -> str:
    """A date as the reference prints dates: M/d/yyyy h:mm:ss tt, in UTC."""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year:04d} {hour}:{moment.minute:02d}:{moment.second:02d} {half}"
