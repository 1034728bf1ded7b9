# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Regular expressions of .NET, carried out by Python: the same result, or an error that says why not.

A text is matched as .NET holds it, in UTF-16 units.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import letters, pattern, pattern_cost
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.character_classes import (
    PatternError,
    UnknownPattern,
    WrongPattern,
    word_boundary,
)

LONGEST_RESULT = 1_000_000
_TOKEN = re.compile(r"\$(?:([0-9]{1,9})|\{(\w+)\}|([$&`'+_]))")
_ANCHORS = {
    "^": "^",
    "$": "$",
    "\\A": r"\A",
    "\\z": r"\Z",
    "\\Z": r"(?=\n?\Z)",
}


class TooCostly(ValueError):
    """The pattern may take too long on this text, or makes it too long; str() says which."""


@dataclass(frozen=True)
class Regex:
    """A compiled pattern; a text longer than longest is refused."""

    compiled: re.Pattern[str]
    tree: pattern.Tree
    longest: int

    def found(self, text: str) -> bool:
        """Whether the pattern matches anywhere in a text."""
        return self.compiled.search(self._taken(text)) is not None

    def has_group(self, name: str) -> bool:
        """Whether the pattern has a group of this name."""
        return name in self.tree.groups

    def replace(self, text: str, replacement: str) -> str:
        """Replace every match by .NET's replacement pattern: $1, ${name}, $&, $$ and the like stand for parts of it."""
        parts = self._parts(letters.units(replacement))
        return self._substituted(text, lambda match: "".join(part(match) for part in parts))

    def replace_group(self, text: str, name: str, value: str) -> str:
        """Replace in every match only what the group of this name matched."""
        index = self.tree.groups.index(name) + 1
        inserted = letters.units(value)

        def changed(match: re.Match[str]) -> str:
            start, end = match.span(index)
            if start < 0:
                return match[0]
            return match.string[match.start() : start] + inserted + match.string[end : match.end()]

        return self._substituted(text, changed)

    def group(self, text: str, name: str) -> str | None:
        """What the group of this name matches first in the text; None for no match."""
        match = self.compiled.search(self._taken(text))
        found = match[self.tree.groups.index(name) + 1] if match else None
        return None if found is None else letters.joined(found)

    def _taken(self, text: str) -> str:
        found = letters.units(text)
        if len(found) > self.longest:
            raise TooCostly(f"the pattern could take too long on a text of {len(found)} characters")
        return found

    def _substituted(self, text: str, change: Callable[[re.Match[str]], str]) -> str:
        subject = self._taken(text)
        pieces: list[str] = []
        at = length = 0
        for match in self.compiled.finditer(subject):
            pieces += (subject[at : match.start()], change(match))
            at = match.end()
            length += len(pieces[-1])
            if length > LONGEST_RESULT:
                raise TooCostly(f"the result has more than {LONGEST_RESULT} characters")
        if not pieces:
            return text
        pieces.append(subject[at:])
        return letters.joined("".join(pieces))

    def _parts(self, replacement: str) -> list[Callable[[re.Match[str]], str]]:
        found: list[Callable[[re.Match[str]], str]] = []
        at = 0
        for token in _TOKEN.finditer(replacement):
            found += (_literal(replacement[at : token.start()]), self._part(token))
            at = token.end()
        return [*found, _literal(replacement[at:])]

    def _part(self, token: re.Match[str]) -> Callable[[re.Match[str]], str]:
        number, name, sign = token.groups()
        if sign and sign != "+":
            return _SIGNS[sign]
        wanted = str(len(self.tree.groups)) if sign else number or name
        index = self.tree.number(int(wanted) if wanted.isascii() and wanted.isdigit() else wanted)
        if index is None:
            return _literal(token[0])
        return lambda match: match[index] or ""


def _literal(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _match: text


_SIGNS: dict[str, Callable[[re.Match[str]], str]] = {
    "$": _literal("$"),
    "&": lambda match: match[0],
    "`": lambda match: match.string[: match.start()],
    "'": lambda match: match.string[match.end() :],
    "_": lambda match: match.string,
}


@lru_cache(maxsize=256)
def compile(text: str) -> Regex:
    """The pattern, ready to use; WrongPattern where .NET refuses it, UnknownPattern where it cannot be done here."""
    tree = pattern.parse(letters.units(text))
    source = _written(tree)
    try:
        compiled = re.compile(source)
    except re.error as error:
        raise UnknownPattern(f"Python cannot carry it out: {error.msg}") from error
    except (OverflowError, RecursionError) as error:
        raise UnknownPattern("it is too large for Python") from error
    return Regex(compiled, tree, pattern_cost.longest_text(tree))


def names_in(replacement: str) -> list[str]:
    """The names of groups that a replacement pattern refers to."""
    return [token[2] for token in _TOKEN.finditer(replacement) if token[2] and not token[2].isdigit()]


def _written(tree: pattern.Tree) -> str:
    options = f"(?{tree.options})" if tree.options else ""
    return options + _choice(tree, tree.body)


def _choice(tree: pattern.Tree, choice: pattern.Choice) -> str:
    return "|".join("".join(_item(tree, item) for item in branch) for branch in choice.branches)


def _item(tree: pattern.Tree, item: pattern.Item) -> str:
    if isinstance(item, pattern.One):
        return item.source
    if isinstance(item, pattern.Anchor):
        return _ANCHORS.get(item.source) or word_boundary(item.source == "\\B")
    if isinstance(item, pattern.Back):
        number = tree.number(item.group)
        if not number:
            raise WrongPattern(f"it refers to the group {item.group}, which is not there")
        return f"(?:\\{number})"
    if isinstance(item, pattern.Group):
        return f"({item.kind}{_choice(tree, item.body)})"
    lazy = "?" if item.lazy else ""
    high = "" if item.high is None else item.high
    return f"{_single(tree, item.item)}{{{item.low},{high}}}{lazy}"


def _single(tree: pattern.Tree, item: pattern.Item) -> str:
    written = _item(tree, item)
    return written if isinstance(item, (pattern.One, pattern.Group)) else f"(?:{written})"


__all__ = ["PatternError", "Regex", "TooCostly", "UnknownPattern", "WrongPattern", "compile", "names_in"]
