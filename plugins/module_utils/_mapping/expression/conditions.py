# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""True or false in expressions: comparisons, and what IIF, CBool and Not take for true."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    Closure,
    EvaluationError,
    Value,
    as_number,
    text,
    undocumented,
)

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def comparison(sign: str, left: Closure, right: Closure) -> Closure:
    """A condition such as [a] = "b"."""
    return lambda read, context: compare(sign, left(read, context), right(read, context))


def compare(sign: str, left: Value, right: Value) -> bool:
    """Whether the comparison holds.

    Numbers, and texts that are numbers beside numbers, compare as numbers, dates as dates, all else as text.
    Undetermined where the reference does not say what happens: with null or an empty text, whether the case of a text
    counts, and which of two texts comes first.
    """
    compared = OPERATORS[sign]
    if isinstance(left, datetime) and isinstance(right, datetime):
        return compared(left, right)
    one, other = _number(left, right), _number(right, left)
    if one is not None and other is not None:
        return compared(one, other)
    first, second = text(left, "The comparison", "left side"), text(right, "The comparison", "right side")
    if not first or not second:
        raise undocumented("The comparison", "with which result it fails where a value is null or empty")
    if first == second:
        return sign in ("=", ">=", "<=")
    if sign in ("=", "<>"):
        if first.casefold() == second.casefold():
            raise undocumented("The comparison", "whether the case of texts counts")
        return sign == "<>"
    raise undocumented("The comparison", "which of two texts is the greater")


def _number(value: Value, other: Value) -> int | Decimal | None:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    beside_number = isinstance(other, (int, Decimal)) and not isinstance(other, bool)
    return as_number(value) if isinstance(value, str) and beside_number else None


def condition(value: Value, function: str, argument: str) -> bool:
    """What a value counts for as a condition: any number but zero is true; a text must be True or False."""
    if isinstance(value, (int, Decimal)):
        return value != 0
    if value is NOT_FLOWED:
        raise undocumented(function, "what IgnoreFlowIfNullOrEmpty is as a condition, only that it is not supported")
    found = text(value, function, argument)
    if not found:
        raise undocumented(function, "with which result a condition fails that is null or empty")
    named = _named(found)
    if named is not None:
        return named
    parsed = as_number(found)
    if parsed is None:
        raise EvaluationError(function, argument, f"{found[:40]!r} is neither true nor false")
    return parsed != 0


def negated(value: Value) -> bool:
    """Not: True becomes False, everything else True."""
    if value is True or value == "True":
        return False
    if isinstance(value, str) and _named(value):
        raise undocumented("Not", f"whether {value!r} counts as True")
    if value is NOT_FLOWED or (isinstance(value, tuple) and len(value) > 1):
        raise undocumented("Not", "what it makes of such a source")
    return True


def _named(found: str) -> bool | None:
    return {"true": True, "false": False}.get(found.strip().casefold())
