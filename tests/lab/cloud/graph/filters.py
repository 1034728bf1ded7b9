# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData: ``$filter`` of Graph requests."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.lab.cloud.exchange.binder import parse_date

Predicate = Callable[[dict[str, Any]], bool]

_TOKEN = re.compile(
    r"\s*(?:'(?P<string>(?:[^']|'')*)'|(?P<mark>[(),:])"
    r"|(?P<word>[A-Za-z_][\w./-]*)|(?P<number>-?\d[\w:.+-]*))"
)
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_FUNCTIONS = ("startswith", "endswith", "contains")
# Operators that Graph takes on directory objects only with ConsistencyLevel: eventual.
ADVANCED = ("ne", "not", "endswith")


class BadFilter(Exception):
    """A filter that Graph refuses; the text says why."""


class Filter:
    """A parsed filter: :meth:`matches` a document; ``advanced`` tells whether it needs ConsistencyLevel.

    ``alternatives`` is the greatest number of values of an ``in``, or of terms joined by ``or``.
    """

    def __init__(self, text: str, properties: set[str], type_name: str) -> None:
        """Parse ``text`` over the ``properties`` of ``type_name``; BadFilter when it cannot be."""
        self._text = text
        self._properties = properties
        self._type = type_name
        self._tokens = self._split(text)
        self._at = 0
        self._variable: str | None = None
        self.advanced = False
        self.alternatives = 1
        self.matches = self._either()
        if self._at < len(self._tokens):
            raise self._error()

    def _error(self, why: str = "syntax error") -> BadFilter:
        return BadFilter(f"Invalid filter clause: {why} in '{self._text}'.")

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            matched = _TOKEN.match(text, at)
            if matched is None:
                raise self._error(f"syntax error at position {at}")
            kind = str(matched.lastgroup)
            tokens.append((kind, matched[kind].replace("''", "'") if kind == "string" else matched[kind]))
            at = matched.end()
        return tokens

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, mark: str) -> None:
        if self._take() != ("mark", mark):
            raise self._error(f"'{mark}' expected")

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._peek() == ("word", "or"):
            self._take()
            parts.append(self._both())
        self.alternatives = max(self.alternatives, len(parts))
        return lambda doc: any(part(doc) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._single()]
        while self._peek() == ("word", "and"):
            self._take()
            parts.append(self._single())
        return lambda doc: all(part(doc) for part in parts)

    def _single(self) -> Predicate:
        kind, value = self._take()
        if (kind, value) == ("word", "not"):
            self.advanced = True
            inner = self._single()
            return lambda doc: not inner(doc)
        if (kind, value) == ("mark", "("):
            grouped = self._either()
            self._expect(")")
            return grouped
        if kind != "word":
            raise self._error()
        if value.lower() in _FUNCTIONS and self._peek() == ("mark", "("):
            return self._function(value.lower())
        if value.endswith("/any") and self._peek() == ("mark", "("):
            return self._any(value.removesuffix("/any"))
        return self._comparison(value)

    def _function(self, name: str) -> Predicate:
        self._expect("(")
        path = self._path(self._take()[1])
        self._expect(",")
        kind, value = self._take()
        if kind != "string":
            raise self._error(f"{name} takes a string")
        self._expect(")")
        self.advanced = self.advanced or name in ADVANCED
        test = {"startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__}[name]
        return lambda doc: test(str(_at(doc, path) or "").lower(), value.lower())

    def _any(self, collection: str) -> Predicate:
        path = self._path(collection)
        self._expect("(")
        kind, variable = self._take()
        if kind != "word":
            raise self._error()
        self._expect(":")
        self._variable = variable
        inner = self._either()
        self._variable = None
        self._expect(")")
        return lambda doc: any(
            inner(item if isinstance(item, dict) else {variable: item}) for item in _at(doc, path) or []
        )

    def _path(self, word: str) -> list[str]:
        parts = word.split("/")
        if self._variable is not None and parts[0] == self._variable:
            return parts[1:] or parts
        if parts[0] not in self._properties:
            raise BadFilter(
                f"Invalid filter clause: Could not find a property named '{parts[0]}' on type "
                f"'microsoft.graph.{self._type}'."
            )
        return parts

    def _comparison(self, word: str) -> Predicate:
        path = self._path(word)
        kind, operator = self._take()
        if (kind, operator) == ("word", "in"):
            wanted_values = self._values()
            self.alternatives = max(self.alternatives, len(wanted_values))
            return lambda doc: _same_as_any(_at(doc, path), wanted_values)
        if kind != "word" or operator not in _COMPARISONS:
            raise self._error("an operator is missing")
        self.advanced = self.advanced or operator in ADVANCED
        wanted = self._literal()
        if operator in ("eq", "ne"):
            return lambda doc: _same_as_any(_at(doc, path), [wanted]) == (operator == "eq")
        return lambda doc: _ordered(_at(doc, path), operator, wanted)

    def _values(self) -> list[Any]:
        self._expect("(")
        values = [self._literal()]
        while self._peek() == ("mark", ","):
            self._take()
            values.append(self._literal())
        self._expect(")")
        return values

    def _literal(self) -> Any:
        kind, value = self._take()
        if kind == "string":
            return value
        if kind == "word" and value in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[value]
        if kind in ("number", "word"):
            if re.fullmatch(r"-?\d+", value):
                return int(value)
            moment = parse_date(value)
            if moment is not None:
                return moment
            # GUIDs stand without quotes in some examples.
            if re.fullmatch(r"[0-9a-fA-F-]{36}", value):
                return value
        raise self._error("a value is missing")


def _at(doc: Any, path: list[str]) -> Any:
    for name in path:
        doc = doc.get(name) if isinstance(doc, dict) else None
    return doc


def _same_as_any(value: Any, wanted: list[Any]) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(_comparable(one, like) == _comparable(like, like) for one in values for like in wanted)


def _comparable(value: Any, like: Any) -> Any:
    if isinstance(like, datetime) and isinstance(value, str):
        return parse_date(value)
    return value.lower() if isinstance(value, str) else value


def _ordered(value: Any, operator: str, wanted: Any) -> bool:
    mine, other = _comparable(value, wanted), _comparable(wanted, wanted)
    if mine is None or type(mine) is not type(other):
        return False
    return bool({"gt": mine > other, "ge": mine >= other, "lt": mine < other, "le": mine <= other}[operator])
