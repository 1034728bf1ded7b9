# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Functions of expressions that choose, test and convert values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import (
    Arguments,
    Builder,
    null,
    runs,
    strict,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.conditions import (
    condition,
    negated,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    Closure,
    Context,
    EvaluationError,
    Read,
    Undetermined,
    Value,
    empty,
    text,
    undocumented,
    whole,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import TESTS


def _iif(arguments: Arguments) -> Closure:
    tested, when_true, when_false = runs(arguments)
    if arguments[0] is not None and arguments[0].call == "IgnoreFlowIfNullOrEmpty":
        return _refused("IIF: the reference does not support IgnoreFlowIfNullOrEmpty as a condition")

    def choose(read: Read, context: Context) -> Value:
        holds = condition(tested(read, context), "IIF", "condition")
        return when_true(read, context) if holds else when_false(read, context)

    return choose


def _switch(arguments: Arguments) -> Closure:
    if arguments[0] is not None and arguments[0].call in TESTS:
        return _refused(f"Switch: the reference allows no {arguments[0].call} as its source")
    source, default, *rest = runs(arguments)
    keys = [argument.constant if argument else None for argument in arguments[2::2]]
    results = rest[1::2]
    if all(key is not None for key in keys):
        # The first of equal keys counts. Nearly all keys are constants, and this is one look-up for all of them.
        chosen: dict[str, Closure] = dict(reversed([(str(key), run) for key, run in zip(keys, results, strict=True)]))

        def look_up(read: Read, context: Context) -> Value:
            found = text(source(read, context), "Switch", "source") or ""
            return chosen.get(found, default)(read, context)

        return look_up
    pairs = list(zip(rest[::2], results, strict=True))

    def walk(read: Read, context: Context) -> Value:
        found = text(source(read, context), "Switch", "source") or ""
        for key, result in pairs:
            if found == (text(key(read, context), "Switch", "key") or ""):
                return result(read, context)
        return default(read, context)

    return walk


def _coalesce(arguments: Arguments) -> Closure:
    sources = [closure for closure in runs(arguments) if closure is not null]

    def first(read: Read, context: Context) -> Value:
        for source in sources:
            value = _given(source(read, context), "Coalesce")
            if value is not None and value != ():
                return value
        return None

    return first


def _ignore_flow(value: Value) -> Value:
    return NOT_FLOWED if empty(value) else value


def _is_null(value: Value) -> Value:
    return _given(value, "IsNull") is None or value == ()


def _is_null_or_empty(value: Value) -> Value:
    return empty(_given(value, "IsNullOrEmpty"))


def _is_present(value: Value) -> Value:
    return not empty(_given(value, "IsPresent"))


def _is_string(value: Value) -> Value:
    if isinstance(_given(value, "IsString"), str):
        return True
    raise undocumented("IsString", "which values beside texts can be evaluated as a string")


def _given(value: Value, function: str) -> Value:
    if value is NOT_FLOWED:
        raise undocumented(function, "what it makes of IgnoreFlowIfNullOrEmpty without a value")
    return value


def _cbool(value: Value) -> Value:
    if isinstance(value, datetime):
        raise EvaluationError("CBool", "Expression", "a date is neither true nor false")
    return condition(value, "CBool", "Expression")


def _cstr(value: Value) -> Value:
    return text(value, "CStr", "value")


def _bit_and(one: Value, other: Value) -> Value:
    return whole(one, "BitAnd", "value1") & whole(other, "BitAnd", "value2")


def _redact(value: Value) -> Value:
    return value


def _refused(reason: str) -> Closure:
    def refuse(_read: Read, _context: Context) -> Value:
        raise Undetermined(reason)

    return refuse


BUILDERS: Mapping[str, Builder] = {
    "BitAnd": strict(_bit_and),
    "CBool": strict(_cbool),
    "CStr": strict(_cstr),
    "Coalesce": _coalesce,
    "IIF": _iif,
    "IgnoreFlowIfNullOrEmpty": strict(_ignore_flow),
    "IsNull": strict(_is_null),
    "IsNullOrEmpty": strict(_is_null_or_empty),
    "IsPresent": strict(_is_present),
    "IsString": strict(_is_string),
    "Not": strict(negated),
    "Redact": strict(_redact),
    "Switch": _switch,
}
