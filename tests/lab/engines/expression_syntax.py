# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expression language of attribute mappings: what an expression consists of, and how it is read.

Source of the language: Microsoft's reference for attribute-mapping expressions (kept as data in
``tests/reference/expression-functions.json``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MAXIMUM_LENGTH = 10_000


class ExpressionError(Exception):
    """An expression that cannot be read, or cannot be evaluated for one object; the text says why."""


class NotFlowed(Exception):
    """Raised by IgnoreFlowIfNullOrEmpty: the mapping leaves the target attribute alone."""


@dataclass(frozen=True)
class Literal:
    """A string, number or bare name."""

    value: Any


@dataclass(frozen=True)
class AttributeValue:
    """``[name]``: an attribute of the source object."""

    name: str


@dataclass(frozen=True)
class Setting:
    """``%name%``: a setting of the job."""

    name: str


@dataclass(frozen=True)
class Omitted:
    """An argument left out between two commas."""


@dataclass(frozen=True)
class Comparison:
    """Two operands and one of ``= <> > >= < <=``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


Node = Literal | AttributeValue | Setting | Omitted | Comparison | Call


@dataclass(frozen=True)
class Context:
    """What an evaluation knows: attributes of the source object, settings of the job, the tenant and the time.

    ``null_comparison`` is the scenario's switch: what a comparison with an attribute without a value gives.
    """

    attributes: Mapping[str, Any]
    settings: Mapping[str, str] = field(default_factory=dict)
    default_domain: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    null_comparison: str = "fails"

    def attribute(self, name: str) -> Any:
        """The value of an attribute, None when the object has none; ExpressionError for an unknown name."""
        if name in self.attributes:
            return self.attributes[name]
        folded = {known.casefold(): known for known in self.attributes}
        if name.casefold() in folded:
            return self.attributes[folded[name.casefold()]]
        raise ExpressionError(f"The source object has no attribute {name}.")


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:\\.|[^"\\])*")
      | \[(?P<attribute>[^\]]+)\]
      | %(?P<setting>[A-Za-z0-9_]+)%
      | &[Hh](?P<hex>[0-9A-Fa-f]+)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator><>|>=|<=|=|>|<)
      | (?P<mark>[(),])
    )""",
    re.VERBOSE | re.DOTALL,
)


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while source[position:].strip():
            match = _TOKEN.match(source, position)
            if match is None or match.lastgroup is None:
                raise ExpressionError(
                    f"Unexpected text at position {position + 1}: {source[position : position + 20]!r}."
                )
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self.position = 0

    def parse(self) -> Node:
        node = self.expression()
        if self.position < len(self.tokens):
            raise self.failure(f"unexpected {self.tokens[self.position][1]!r} after the end of the expression")
        return node

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")

    def expression(self) -> Node:
        left = self.operand()
        kind, value = self.peek()
        if kind != "operator":
            return left
        self.position += 1
        return Comparison(value, left, self.operand())

    def operand(self) -> Node:
        kind, value = self.peek()
        self.position += 1
        if kind == "string":
            # A backslash before anything but a backslash or a double quote stands for itself.
            return Literal(re.sub(r'\\(["\\])', r"\1", value[1:-1]))
        if kind == "attribute":
            return AttributeValue(value.strip())
        if kind == "setting":
            return Setting(value)
        if kind == "hex":
            return Literal(int(value, 16))
        if kind == "number":
            return Literal(float(value) if "." in value else int(value))
        if kind == "name":
            if self.peek() == ("mark", "("):
                self.position += 1
                return Call(value, self.arguments())
            return Literal(value)
        raise self.failure(f"a value or function is missing{' before ' + repr(value) if value else ' at the end'}")

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.peek() == ("mark", ")"):
            self.position += 1
            return ()
        while True:
            found.append(Omitted() if self.peek() in (("mark", ","), ("mark", ")")) else self.expression())
            kind, value = self.peek()
            self.position += 1
            if (kind, value) == ("mark", ")"):
                return tuple(found)
            if (kind, value) != ("mark", ","):
                raise self.failure("a comma or closing bracket is missing")

    def failure(self, why: str) -> ExpressionError:
        return ExpressionError(f"The expression cannot be read: {why}: {self.source[:200]}")


def parse(source: str) -> Node:
    """Read an expression; ExpressionError when it is none."""
    if len(source) > MAXIMUM_LENGTH:
        raise ExpressionError(f"The expression has {len(source)} characters; {MAXIMUM_LENGTH} are allowed.")
    if not source.strip():
        raise ExpressionError("The expression is empty.")
    return _Parser(source).parse()
