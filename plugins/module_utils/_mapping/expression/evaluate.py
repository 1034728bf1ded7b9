# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Evaluate expressions of attribute mappings as the service does: compile a tree once, run it for every mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import (
    date_functions,
    list_functions,
    logic_functions,
    replace_function,
    service_functions,
    text_functions,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import (
    Argument,
    Builder,
    constant,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.conditions import comparison
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOTHING_KNOWN,
    Closure,
    Context,
    Read,
    Undetermined,
    Value,
    as_number,
    text,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS

BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        **date_functions.BUILDERS,
        **list_functions.BUILDERS,
        **logic_functions.BUILDERS,
        **replace_function.BUILDERS,
        **service_functions.BUILDERS,
        **text_functions.BUILDERS,
    }
)
"""How each function is compiled; those that no writeback job can use are not here."""

HIDDEN = "[Redact]"


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that is ready to run. redacted says that its result must not be shown: it calls Redact."""

    node: ex.Node
    run: Closure
    redacted: bool

    def __call__(self, values: Read | Mapping[str, Value], context: Context = NOTHING_KNOWN) -> Value:
        """The value for one source object; EvaluationError, or Undetermined where it cannot be known here."""
        return self.run(values if callable(values) else reader(values), context)

    def shown(self, value: Value) -> str:
        """A result as the provisioning log shows it."""
        if self.redacted:
            return HIDDEN
        return ", ".join(value) if isinstance(value, tuple) else text(value, "The result", "it") or ""


def compile(node: ex.Node) -> Compiled:
    """Prepare a tree; what is wrong in it shows when it is evaluated."""
    return Compiled(node, _closure(node), any(call.name == "Redact" for call in ex.calls(node)))


def evaluate(node: ex.Node, values: Read | Mapping[str, Value], context: Context = NOTHING_KNOWN) -> Value:
    """The value of a tree for one source object; for many objects compile it once."""
    return compile(node)(values, context)


def reader(values: Mapping[str, Value]) -> Read:
    """Reads attributes from a mapping of their names, without regard to case; what is not in it is null."""
    folded = {name.casefold(): value for name, value in values.items()}
    return lambda name: folded.get(name.casefold())


def _closure(node: ex.Node) -> Closure:
    if isinstance(node, ex.Attribute):
        name = node.name
        return lambda read, _context: read(name)
    if isinstance(node, ex.Text):
        return constant(node.value)
    if isinstance(node, ex.Bare):
        return _bare(node.text)
    if isinstance(node, ex.Comparison):
        return comparison(node.operator, _closure(node.left), _closure(node.right))
    return _call(node)


def _call(node: ex.Call) -> Closure:
    function, builder = FUNCTIONS.get(node.name), BUILDERS.get(node.name)
    if function is None:
        return _unknown(f"{node.name}: Microsoft's reference has no function of this name")
    if builder is None:
        return _unknown(f"{node.name}: {function.unsupported}")
    count = len(node.arguments)
    if count < function.least or (function.most is not None and count > function.most):
        return _unknown(f"{node.name}: the service takes no {count} arguments for it")
    if node.name == "Switch" and count % 2:
        return _unknown("Switch: a key is without its value")
    missing = [index for index, argument in enumerate(node.arguments) if argument is None and function.required(index)]
    if missing:
        return _unknown(f"{node.name}: {function.names(count)[missing[0]]} is left out")
    return builder(
        tuple(None if argument is None else Argument(argument, _closure(argument)) for argument in node.arguments)
    )


def _bare(word: str) -> Closure:
    value = bare_value(word)
    if value is not None:
        return constant(value)
    if not word.startswith("%"):
        return _unknown(f"{word} has no meaning that is known here")
    name = word.strip("%").casefold()

    def setting(_read: Read, context: Context) -> Value:
        found = next((value for key, value in context.settings.items() if key.casefold() == name), None)
        if found is None:
            raise Undetermined(f"The job's setting {word} is not known here")
        return found

    return setting


def bare_value(word: str) -> int | Decimal | str | None:
    """The number that a bare word is, or the word itself for those of InStr; None for others."""
    if word in text_functions.COMPARE_TYPES:
        return word
    if word.startswith("&H"):
        return int(word[2:], 16) if len(word) <= 18 else None
    return as_number(word)


def _unknown(reason: str) -> Closure:
    def refuse(_read: Read, _context: Context) -> Value:
        raise Undetermined(reason)

    return refuse
