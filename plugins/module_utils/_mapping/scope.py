# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""For which mailboxes a rule of the directory writer counts. Outside its scope it leaves the attribute alone.

The service has no such thing: a mapping of a job counts for every mailbox in the scope of the job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import conditions, evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Context,
    Read,
    Value,
    empty,
    text,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint import lint
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint_calls import ERROR

UNITS, GROUPS, FILTER = KEYS = ("organizational_units", "groups", "filter")

Test: TypeAlias = Callable[[Read, Context], bool]


@dataclass(frozen=True)
class Condition:
    """Whether a mailbox fits. holds raises EvaluationError or Undetermined where that cannot be said.

    sources are the attributes that it reads.
    """

    holds: Test
    sources: frozenset[str]


@dataclass(frozen=True)
class Scope:
    """All that is stated must hold; of several units, or of several groups, one is enough.

    organizational_units are distinguished names: the user's AD object is in one or below. groups are those of Entra,
    groups in them included. filter is a condition about the mailbox in the expression language.
    """

    organizational_units: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    filter: str = ""


def create(fields: Any, place: str) -> Scope | None:
    """The scope of a rule; None where none is stated. InputError begins with the place."""
    if fields is None:
        return None
    if not isinstance(fields, Mapping):
        raise InputError(f"{place}: scope must be a mapping of {', '.join(KEYS)}.")
    unknown = [str(name) for name in fields if name not in KEYS]
    if unknown:
        raise InputError(f"{place}: scope: {unknown[0]!r} is unknown here; known are {', '.join(KEYS)}.")
    given = {name: value for name, value in fields.items() if value is not None}
    if not given:
        return None
    scope = Scope(
        _texts(given, UNITS, place), _texts(given, GROUPS, place), str(given[FILTER]).strip() if FILTER in given else ""
    )
    for name in scope.organizational_units:
        if "=" not in name:
            raise InputError(f"{place}: scope: {name!r} is no distinguished name, such as OU=Branch,DC=contoso,DC=com.")
    if FILTER in given:
        _check_filter(scope.filter, place)
    return scope


def _texts(given: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    value = given.get(name, ())
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise InputError(f"{place}: scope: {name} must be a list.")
    found = tuple(str(item).strip() for item in value)
    if name in given and not all(found or ("",)):
        raise InputError(f"{place}: scope: {name} is empty, or holds an empty name. Leave it out for everybody.")
    return found


def _check_filter(condition: str, place: str) -> None:
    try:
        node = ex.parse_condition(condition)
    except InputError as error:
        raise InputError(f"{place}: scope: filter: {error.message}", **error.facts) from error
    errors = [finding for finding in lint(ex.Call("CBool", (node,))) if finding.severity == ERROR]
    if errors:
        words = " ".join(finding.text for finding in errors)
        raise InputError(f"{place}: scope: filter: {words}", character=errors[0].character)


def attributes(scope: Scope) -> set[str]:
    """The source attributes that the filter reads."""
    return ex.attributes(ex.parse_condition(scope.filter)) if scope.filter else set()


def condition(scope: Scope) -> Condition | None:
    """The filter, ready to be tested; None where there is none.

    A comparison by = or <> goes by the text, without regard to case, and no value equals an empty text; the order of
    a missing value is never true. Within a function the reference's rules hold.
    """
    if not scope.filter:
        return None
    node = ex.parse_condition(scope.filter)
    sources = frozenset(ex.attributes(node))
    if isinstance(node, ex.Comparison):
        return Condition(_comparison(node.operator, evaluate.compile(node.left), evaluate.compile(node.right)), sources)
    compiled = evaluate.compile(node)

    def holds(read: Read, context: Context) -> bool:
        value = compiled.run(read, context)
        return not empty(value) and conditions.condition(value, FILTER, "condition")

    return Condition(holds, sources)


def _comparison(sign: str, one: evaluate.Compiled, other: evaluate.Compiled) -> Test:
    def holds(read: Read, context: Context) -> bool:
        left, right = one.run(read, context), other.run(read, context)
        if sign in ("=", "<>") and not (_is_number(left) and _is_number(right)):
            return (_folded(left) == _folded(right)) == (sign == "=")
        return not empty(left) and not empty(right) and conditions.compare(sign, left, right)

    return holds


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _folded(value: Value) -> str:
    return (text(value, FILTER, "one side of the comparison") or "").casefold()
