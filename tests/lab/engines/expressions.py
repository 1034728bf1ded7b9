# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluating expressions of attribute mappings for one object."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.lab.engines.expression_syntax import (
    AttributeValue,
    Call,
    Comparison,
    Context,
    ExpressionError,
    Literal,
    Node,
    Omitted,
    Setting,
    parse,
)
from tests.lab.engines.functions import as_text, function


def evaluate(source: str, context: Context) -> Any:
    """The value of an expression for one object; NotFlowed and ExpressionError may be raised."""
    return evaluate_node(parse(source), context)


def evaluate_node(node: Node, context: Context) -> Any:
    """The value of a parsed expression."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, AttributeValue):
        return context.attribute(node.name)
    if isinstance(node, Setting):
        if node.name not in context.settings:
            raise ExpressionError(f"The job has no setting {node.name}.")
        return context.settings[node.name]
    if isinstance(node, Omitted):
        return None
    if isinstance(node, Comparison):
        return _comparison(node, context)
    return _call(node, context)


def _comparison(node: Comparison, context: Context) -> bool:
    """A comparison. The reference says that the check fails when the attribute tested is null or empty."""
    left, right = evaluate_node(node.left, context), evaluate_node(node.right, context)
    if context.null_comparison == "fails":
        for operand, value in ((node.left, left), (node.right, right)):
            if isinstance(operand, AttributeValue) and (value is None or value in ("", [])):
                return False
    return compare(node.operator, left, right)


def _call(node: Call, context: Context) -> Any:
    implementation = function(node.name)
    if implementation is None:
        raise ExpressionError(f"The function {node.name} is not supported here.")
    arguments: list[Callable[[], Any]] = [_later(argument, context) for argument in node.arguments]
    try:
        return implementation(context, arguments)
    except (ValueError, TypeError, IndexError, OverflowError, re.error) as error:
        raise ExpressionError(f"{node.name} cannot be evaluated: {error}.") from error


def _later(node: Node, context: Context) -> Callable[[], Any]:
    return lambda: evaluate_node(node, context)


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison as IIF makes it: numbers as numbers, everything else as text, upper and lower case apart."""
    if not (_is_number(left) and _is_number(right)):
        left, right = as_text(left), as_text(right)
    if operator in ("=", "<>"):
        return (left == right) is (operator == "=")
    if operator in (">", ">="):
        return bool(left > right or (operator == ">=" and left == right))
    return bool(left < right or (operator == "<=" and left == right))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
