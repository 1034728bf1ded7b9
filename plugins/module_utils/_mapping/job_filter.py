# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The scoping filter of a job's object mapping: which mailboxes the job leaves out.

An object is in scope if every set of groups that is there lets it pass; a set does if one of its groups does, and a
group if all of its clauses do (Graph: resource types synchronization filter, filterGroup, filterClause). Texts are
compared with regard to case; of several values all have to fit. What Microsoft documents nothing about, such as an
attribute without a value under NOT EQUALS, counts as in scope: that predicts the greater loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source_values
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import regex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Context,
    EvaluationError,
    Read,
    Undetermined,
    Value,
    as_number,
    empty,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.scope import Condition

SETS = ("groups", "inputFilterGroups", "categoryFilterGroups")
# The source of authority is no matter of the filter here: who is cloud-managed, or counts so, is known otherwise.
AUTHORITY = frozenset({"isexchangecloudmanaged", "exchangecloudmanaged"})


def condition(scope: Any) -> Condition | None:
    """The filter, ready to be tested; None where it names nothing but the source of authority."""
    sets = _sets(scope)
    if not sets:
        return None

    def holds(read: Read, _context: Context) -> bool:
        return all(any(all(_may_hold(clause, read) for clause in group) for group in groups) for groups in sets)

    return Condition(
        holds, frozenset(_name(clause) for clause in _clauses(sets) if source_values.readable(_name(clause)))
    )


def untold(scope: Any) -> list[str]:
    """The clauses that nobody can judge, which count as fulfilled: by attribute and operator."""
    return sorted(
        {
            f"{_name(clause)} {clause.get('operatorName')}"
            for clause in _clauses(_sets(scope))
            if not source_values.readable(_name(clause)) or _operator(clause) not in {*_UNARY, *_TESTS}
        }
    )


def _sets(scope: Any) -> list[list[list[Mapping[str, Any]]]]:
    found = []
    for name in SETS:
        groups = (scope.get(name) if isinstance(scope, Mapping) else None) or ()
        clauses = [
            [clause for clause in group.get("clauses") or () if _name(clause).casefold() not in AUTHORITY]
            for group in groups
        ]
        # A group without further clauses lets everybody pass, and so does its set.
        if clauses and all(clauses):
            found.append(clauses)
    return found


def _clauses(sets: Iterable[Iterable[Iterable[Mapping[str, Any]]]]) -> Iterable[Mapping[str, Any]]:
    return (clause for groups in sets for group in groups for clause in group)


def _name(clause: Mapping[str, Any]) -> str:
    return str(clause.get("sourceOperandName") or "")


def _operator(clause: Mapping[str, Any]) -> str:
    return str(clause.get("operatorName") or "").upper().replace("_", " ").strip()


def _may_hold(clause: Mapping[str, Any], read: Read) -> bool:
    """Whether a clause is fulfilled, or nobody can tell."""
    try:
        value = read(_name(clause))
    except (EvaluationError, Undetermined):
        return True
    operator = _operator(clause)
    if operator in _UNARY:
        return _UNARY[operator](value)
    test = _TESTS.get(operator)
    if test is None:
        return True
    if empty(value):
        return operator.startswith("NOT ")
    wanted = [str(item) for item in (clause.get("targetOperand") or {}).get("values") or ()]
    try:
        return all(test(item, wanted) for item in _texts(value))
    except ValueError:  # a pattern that .NET refuses, or that may take too long here
        return True


def _texts(value: Value) -> Sequence[str]:
    if isinstance(value, tuple):
        return value
    return (str(value),)


def _is(value: Value, wanted: bool) -> bool:
    return not empty(value) and str(value).casefold() == str(wanted).casefold()


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(regex.compile(pattern).found(text) for pattern in patterns)


def _greater(text: str, limits: Sequence[str], or_equal: bool) -> bool:
    number = as_number(text)
    if number is None:
        return False
    known = [limit for limit in map(as_number, limits) if limit is not None]
    return any(number > limit or (or_equal and number == limit) for limit in known)


_UNARY: Mapping[str, Callable[[Value], bool]] = {
    "IS NULL": empty,
    "IS NOT NULL": lambda value: not empty(value),
    "IS TRUE": lambda value: _is(value, True),
    "IS FALSE": lambda value: _is(value, False),
}
_TESTS: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "EQUALS": lambda text, wanted: text in wanted,
    "NOT EQUALS": lambda text, wanted: text not in wanted,
    "REGEX MATCH": _matches,
    "NOT REGEX MATCH": lambda text, wanted: not _matches(text, wanted),
    "INCLUDES": lambda text, wanted: any(item in text for item in wanted),
    "GREATER THAN": lambda text, wanted: _greater(text, wanted, or_equal=False),
    "GREATER THAN OR EQUALS": lambda text, wanted: _greater(text, wanted, or_equal=True),
}
