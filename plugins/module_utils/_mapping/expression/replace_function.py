# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Replace of expressions: which of its seven arguments are given decides what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import regex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import (
    Arguments,
    Builder,
    runs,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Closure,
    Context,
    EvaluationError,
    Read,
    Undetermined,
    Value,
    bounded,
    known_text,
    text,
    undocumented,
)

NAMES = ("oldValue", "regexPattern", "regexGroupName", "replacementValue", "replacementAttributeName", "template")


def given(arguments: Arguments) -> tuple[str, ...]:
    """The optional arguments that are not left out, in their order."""
    return tuple(name for name, argument in zip(NAMES, arguments[1:], strict=False) if argument is not None)


def _build(arguments: Arguments) -> Closure:
    names = given(arguments)
    how = _WAYS.get(names)
    if how is None:
        return _unknown(names)
    source, *others = runs(arguments)
    closures = [closure for closure, argument in zip(others, arguments[1:], strict=True) if argument is not None]

    def replaced(read: Read, context: Context) -> Value:
        found = text(source(read, context), "Replace", "source")
        values = [closure(read, context) for closure in closures]
        try:
            return how(found, *values)
        except regex.TooCostly as error:
            raise Undetermined(f"Replace: {error}", function="Replace") from error
        except UnicodeDecodeError as error:
            raise EvaluationError("Replace", "source", "it cuts a character in two") from error

    return replaced


def _unknown(names: tuple[str, ...]) -> Closure:
    def refuse(_read: Read, _context: Context) -> Value:
        raise undocumented("Replace", f"what it does with {' and '.join(names) or 'its source alone'}")

    return refuse


def _text_in_source(source: str | None, old: Value, new: Value) -> str | None:
    searched = _searched(old)
    return None if source is None else _replaced(source, searched, known_text(new, "Replace", "replacementValue"))


def _source_in_template(source: str | None, old: Value, template: Value) -> str | None:
    searched = _searched(old)
    return _replaced(known_text(template, "Replace", "template"), searched, known_text(source, "Replace", "source"))


def _searched(old: Value) -> str:
    found = known_text(old, "Replace", "oldValue")
    if not found:
        raise EvaluationError("Replace", "oldValue", "it is empty, and .NET replaces no empty text")
    return found


def _replaced(found: str, old: str, new: str) -> str:
    bounded(len(found) + found.count(old) * len(new), "Replace")
    return found.replace(old, new)


def _matches(source: str | None, pattern: Value, new: Value) -> str | None:
    compiled = _compiled(pattern)
    return None if source is None else compiled.replace(source, known_text(new, "Replace", "replacementValue"))


def _group_in_matches(source: str | None, pattern: Value, group: Value, new: Value) -> str | None:
    compiled, name = _compiled(pattern), known_text(group, "Replace", "regexGroupName")
    value = known_text(new, "Replace", "replacementValue")
    _require_group(compiled, name)
    if "$" in value:
        raise undocumented("Replace", "whether $ in replacementValue has a meaning beside regexGroupName")
    return None if source is None else compiled.replace_group(source, name, value)


def _group_of_other(source: str | None, pattern: Value, group: Value, other: Value) -> str | None:
    if source:
        return source
    compiled, name = _compiled(pattern), known_text(group, "Replace", "regexGroupName")
    _require_group(compiled, name)
    found = text(other, "Replace", "replacementAttributeName")
    if not found:
        return None
    part = compiled.group(found, name)
    if part is None:
        raise undocumented("Replace", "what it gives where the pattern does not match replacementAttributeName")
    return part


def _compiled(pattern: Value) -> regex.Regex:
    try:
        return regex.compile(known_text(pattern, "Replace", "regexPattern"))
    except regex.WrongPattern as error:
        raise EvaluationError("Replace", "regexPattern", f"not a regular expression of .NET: {error.reason}") from error
    except regex.UnknownPattern as error:
        raise Undetermined(f"Replace: the pattern cannot be carried out here: {error.reason}") from error


def _require_group(compiled: regex.Regex, name: str) -> None:
    if not compiled.has_group(name):
        raise EvaluationError("Replace", "regexGroupName", f"the pattern has no group named {name[:40]!r}")


_WAYS: Mapping[tuple[str, ...], Callable[..., str | None]] = {
    ("oldValue", "replacementValue"): _text_in_source,
    ("oldValue", "template"): _source_in_template,
    ("regexPattern", "replacementValue"): _matches,
    ("regexPattern", "regexGroupName", "replacementValue"): _group_in_matches,
    ("regexPattern", "regexGroupName", "replacementAttributeName"): _group_of_other,
}

WAYS = frozenset(_WAYS)
"""The combinations of optional arguments that the reference describes."""

BUILDERS: Mapping[str, Builder] = {"Replace": _build}
