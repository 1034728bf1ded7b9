# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Expressions of attribute mappings: read into a tree, written in one form, compared by meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

LONGEST = 10_000
DEEPEST = 100
"""Calls within calls; the service knows no limit, but nobody reads more."""
COMPARISONS = ("<>", ">=", "<=", "=", ">", "<")
TOKEN = re.compile(
    r"""\s*(?:
      (?P<attribute>\[[^\[\]]+\])
    | (?P<text>"(?:\\["\\]|[^"])*")
    | (?P<comparison><>|>=|<=|=|>|<)
    | (?P<mark>[(),])
    | (?P<bare>&H[0-9A-Fa-f]+|-?\d+(?:\.\d+)?|%[A-Za-z]\w*%|[A-Za-z_]\w*)
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Attribute:
    """[name]: a value of the source object. at is where it begins, for messages, here as in the others."""

    name: str
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Text:
    """A string, without its quotes and escapes."""

    value: str
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Bare:
    """A number or a bare name, such as vbTextCompare or %DomainFQDN%."""

    text: str
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Call:
    """A function and its arguments; None stands for one that is left out."""

    name: str
    arguments: tuple[Node | None, ...]
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Comparison:
    """A condition of IIF or CBool."""

    operator: str
    left: Node
    right: Node
    at: int = field(default=0, compare=False, repr=False)


Node: TypeAlias = "Attribute | Text | Bare | Call | Comparison"


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(expression: str) -> Node:
    """Read an expression; InputError says what is wrong at which character."""
    if len(expression) > LONGEST:
        raise InputError(f"The expression has {len(expression)} characters; the service takes at most {LONGEST}.")
    parser = _Parser(expression)
    node = parser.value()
    parser.end()
    return node


def parse_condition(expression: str) -> Node:
    """Read an expression that may be a comparison, as the condition of IIF is."""
    parser = _Parser(expression)
    node = parser.condition()
    parser.end()
    return node


def render(node: Node | None) -> str:
    """The one form of an expression."""
    if node is None:
        return ""
    if isinstance(node, Attribute):
        return f"[{node.name}]"
    if isinstance(node, Text):
        return '"' + node.value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(node, Bare):
        return node.text
    if isinstance(node, Comparison):
        return f"{render(node.left)} {node.operator} {render(node.right)}"
    return f"{node.name}({', '.join(render(argument) for argument in node.arguments)})"


def calls(node: Node | None) -> Iterator[Call]:
    """All function calls in a tree, the outer ones first."""
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from calls(argument)
    elif isinstance(node, Comparison):
        yield from calls(node.left)
        yield from calls(node.right)


def attributes(node: Node | None) -> set[str]:
    """The source attributes that an expression reads."""
    if isinstance(node, Attribute):
        return {node.name}
    if isinstance(node, Comparison):
        return attributes(node.left) | attributes(node.right)
    if isinstance(node, Call):
        return set().union(*(attributes(argument) for argument in node.arguments))
    return set()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = list(_tokens(expression))
        self._next = 0
        self._depth = 0

    def value(self) -> Node:
        """One value: an attribute, a string, a bare word, or a call."""
        token = self._take()
        if token is None:
            raise self._error("something is missing at the end", len(self._expression))
        if token.kind == "attribute":
            return Attribute(token.text[1:-1].strip(), token.at)
        if token.kind == "text":
            return Text(re.sub(r'\\(["\\])', r"\1", token.text[1:-1]), token.at)
        if token.kind == "bare":
            if self._peek("("):
                return Call(token.text, self._arguments(token), token.at)
            return Bare(token.text, token.at)
        raise self._error(f"{token.text} is out of place", token.at)

    def end(self) -> None:
        """Nothing may follow."""
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            raise self._error(f"{token.text} is out of place", token.at)

    def _arguments(self, name: _Token) -> tuple[Node | None, ...]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"more than {DEEPEST} calls stand within each other", name.at)
        found = self._list()
        self._depth -= 1
        return found

    def _list(self) -> tuple[Node | None, ...]:
        opening = self._take()
        found: list[Node | None] = []
        if self._peek(")"):
            self._take()
            return ()
        while True:
            if self._peek(",") or self._peek(")"):
                found.append(None)
            else:
                found.append(self.condition())
            token = self._take()
            if token is None:
                raise self._error("a bracket is not closed", opening.at if opening else 0)
            if token.text == ")" and token.kind == "mark":
                return tuple(found)
            if token.text != "," or token.kind != "mark":
                raise self._error(f"a comma or a closing bracket is missing before {token.text}", token.at)

    def condition(self) -> Node:
        """A value, or a comparison of two."""
        left = self.value()
        if self._next < len(self._tokens) and self._tokens[self._next].kind == "comparison":
            operator = self._tokens[self._next].text
            self._next += 1
            return Comparison(operator, left, self.value(), left.at)
        return left

    def _peek(self, mark: str) -> bool:
        if self._next >= len(self._tokens):
            return False
        token = self._tokens[self._next]
        return token.kind == "mark" and token.text == mark

    def _take(self) -> _Token | None:
        if self._next >= len(self._tokens):
            return None
        self._next += 1
        return self._tokens[self._next - 1]

    def _error(self, what: str, at: int) -> InputError:
        return _wrong(self._expression, what, at)


def _tokens(expression: str) -> Iterator[_Token]:
    at = 0
    end = len(expression.rstrip())
    while at < end:
        match = TOKEN.match(expression, at)
        if match is None:
            start = at + len(expression[at:]) - len(expression[at:].lstrip())
            what = "a string is not closed" if expression[start] == '"' else f"{expression[start]} is out of place"
            raise _wrong(expression, what, start)
        kind = str(match.lastgroup)
        yield _Token(kind, match.group(kind), match.start(kind))
        at = match.end()


def _wrong(expression: str, what: str, at: int) -> InputError:
    near = expression[max(0, at - 15) : at + 15]
    return InputError(f"The expression is wrong at character {at + 1}: {what} (near {near!r}).", character=at + 1)
