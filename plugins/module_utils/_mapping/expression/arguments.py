# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How a function of an expression is compiled from its compiled arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Closure,
    Context,
    Read,
    Value,
)


@dataclass(frozen=True, slots=True)
class Argument:
    """One compiled argument and the tree that it comes from."""

    node: ex.Node
    run: Closure

    @property
    def constant(self) -> str | None:
        """The text of a string in quotes; None for anything that has to be evaluated."""
        return self.node.value if isinstance(self.node, ex.Text) else None

    @property
    def call(self) -> str:
        """The name of the function that this argument calls, or an empty text."""
        return self.node.name if isinstance(self.node, ex.Call) else ""


Arguments: TypeAlias = tuple[Argument | None, ...]
"""The arguments of a call; None stands for one that is left out. Their number is right."""

Builder: TypeAlias = Callable[[Arguments], Closure]


def null(_read: Read, _context: Context) -> Value:
    """The value of an argument that is left out."""
    return None


def constant(value: Value) -> Closure:
    """A closure that always gives the same value."""
    return lambda _read, _context: value


def runs(arguments: Arguments) -> tuple[Closure, ...]:
    """The closures of all arguments; those left out are null."""
    return tuple(null if argument is None else argument.run for argument in arguments)


def strict(function: Callable[..., Value]) -> Builder:
    """A builder for a function of the values of all its arguments; one that is left out is null."""

    def build(arguments: Arguments) -> Closure:
        closures = runs(arguments)
        if len(closures) == 1:
            (one,) = closures
            return lambda read, context: function(one(read, context))
        if len(closures) == 2:
            first, second = closures
            return lambda read, context: function(first(read, context), second(read, context))
        return lambda read, context: function(*[closure(read, context) for closure in closures])

    return build
