# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Where a mapping takes its value from, in Graph's shape (attributeMappingSource), and compared by meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS, Function

ATTRIBUTE, CONSTANT, FUNCTION = "Attribute", "Constant", "Function"


def from_attribute(name: str) -> dict[str, Any]:
    """A source attribute as it is."""
    return {"type": ATTRIBUTE, "name": name, "expression": f"[{name}]", "parameters": []}


def from_constant(text: str) -> dict[str, Any]:
    """The same value for every object."""
    return {"type": CONSTANT, "name": text, "expression": ex.render(ex.Text(text)), "parameters": []}


def from_expression(text: str) -> dict[str, Any]:
    """A function of source attributes; an expression that is only [name] or a string is what it says."""
    return _from_node(ex.parse(text), text)


def meaning(source: Mapping[str, Any] | None) -> tuple[str, str]:
    """What a source gives, in a form that is equal for equal meanings however it is written."""
    if not source:
        return ("none", "")
    kind, name, text = source.get("type"), str(source.get("name") or ""), str(source.get("expression") or "")
    if kind == ATTRIBUTE:
        return (ATTRIBUTE, (name or text.strip().removeprefix("[").removesuffix("]")).lower())
    if kind == CONSTANT:
        return (CONSTANT, name or _unquoted(text))
    try:
        node = ex.parse(text) if text.strip() else _to_node(source)
    except InputError:
        # Written by somebody else in a form that we cannot read: equal only to itself.
        return (FUNCTION, " ".join(text.split()))
    if isinstance(node, ex.Attribute):
        return (ATTRIBUTE, node.name.lower())
    if isinstance(node, ex.Text):
        return (CONSTANT, node.value)
    return (FUNCTION, ex.render(node))


def tree(source: Mapping[str, Any] | None) -> ex.Node | None:
    """The tree of a source, None where there is none; InputError for an expression that cannot be read."""
    if not source:
        return None
    kind, name, text = source.get("type"), str(source.get("name") or ""), str(source.get("expression") or "")
    if kind == ATTRIBUTE:
        return ex.Attribute(name or text.strip().removeprefix("[").removesuffix("]"))
    if kind == CONSTANT:
        return _constant(source, name) if name else ex.Text(_unquoted(text))
    return ex.parse(text) if text.strip() else _to_node(source)


def describe(source: Mapping[str, Any] | None) -> str:
    """A source for people."""
    kind, text = meaning(source)
    if kind == ATTRIBUTE and source:
        return f"[{source.get('name') or text}]"
    if kind == CONSTANT:
        return f'constant "{text}"'
    return text or "nothing"


def _from_node(node: ex.Node | None, text: str | None = None) -> dict[str, Any]:
    if isinstance(node, ex.Attribute):
        return from_attribute(node.name)
    if isinstance(node, ex.Text):
        return from_constant(node.value)
    rendered = text.strip() if text is not None else ex.render(node)
    if not isinstance(node, ex.Call):
        return {"type": CONSTANT, "name": rendered, "expression": rendered, "parameters": []}
    names = FUNCTIONS.get(node.name, Function()).names(len(node.arguments))
    return {
        "type": FUNCTION,
        "name": node.name,
        "expression": rendered,
        "parameters": [
            {"key": name, "value": _from_node(argument)}
            for name, argument in zip(names, node.arguments, strict=True)
            if argument is not None
        ],
    }


def _to_node(source: Mapping[str, Any]) -> ex.Node:
    """The tree of a function that is given by its parameters only: their keys tell their places."""
    kind, name = source.get("type"), str(source.get("name") or "")
    if kind == ATTRIBUTE:
        return ex.Attribute(name)
    if kind == CONSTANT:
        return _constant(source, name)
    pairs = [(str(pair.get("key") or ""), pair.get("value")) for pair in source.get("parameters") or ()]
    given = [(key, _to_node(value)) for key, value in pairs if value]
    function = FUNCTIONS.get(name, Function())
    places = {key: index for index, key in enumerate(function.names(len(function.parameters) + len(pairs)))}
    if len({key for key, _node in given} & set(places)) < len(given):
        return ex.Call(name, tuple(node for _key, node in given))
    by_place = {places[key]: node for key, node in given}
    return ex.Call(name, tuple(by_place.get(index) for index in range(max(by_place, default=-1) + 1)))


def _constant(source: Mapping[str, Any], name: str) -> ex.Node:
    """A constant is a text, but for numbers and for the job's settings, such as %DomainFQDN%."""
    try:
        node = ex.parse(str(source.get("expression") or ""))
    except InputError:
        return ex.Text(name)
    return node if isinstance(node, ex.Bare) and node.text == name else ex.Text(name)


def _unquoted(text: str) -> str:
    try:
        node = ex.parse(text)
    except InputError:
        return text
    return node.value if isinstance(node, ex.Text) else text
