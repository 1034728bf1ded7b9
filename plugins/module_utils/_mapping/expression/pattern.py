# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Regular expressions of .NET: read into a tree that says what Python can do the same way.

Read by .NET's rules (RegexOptions.None), so that what .NET refuses is refused here. What .NET knows and this
collection does not is UnknownPattern: balancing groups, conditionals, \\G, named Unicode blocks, subtraction of
character classes, the options n and x, options in the middle of a pattern, and groups with numbers or one name twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.character_classes import (
    ALL,
    Charset,
    UnknownPattern,
    WrongPattern,
    literal,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.pattern_characters import (
    CharacterParser,
)

_OPTIONS = re.compile(r"\?([imnsx]*(?:-[imnsx]*)?)([:)])")
_GROUP_NAME = re.compile(r"\?(?:<(?P<angle>[^<>']*)>|'(?P<quote>[^<>']*)')")
_BACK_NAME = re.compile(r"(?:<([^<>']*)>|'([^<>']*)')")
_COUNT = re.compile(r"\{(\d{1,9})(?:(,)(\d{1,9})?)?\}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class One:
    """One character of a set."""

    source: str
    chars: Charset


@dataclass(frozen=True)
class Anchor:
    """A place, without a character. seals: nothing can follow it."""

    source: str
    seals: bool = False


@dataclass(frozen=True)
class Back:
    """What a group matched, by .NET's number or by name."""

    group: int | str


@dataclass(frozen=True)
class Group:
    """A group: kind is what follows the opening bracket; capture is its number in Python's order, or 0."""

    kind: str
    body: Choice
    capture: int = 0


@dataclass(frozen=True)
class Repeat:
    """Something over and over; high is None for no limit."""

    item: Item
    low: int
    high: int | None
    lazy: bool


Item: TypeAlias = "One | Anchor | Back | Group | Repeat"


@dataclass(frozen=True)
class Choice:
    """Alternatives, each a sequence."""

    branches: tuple[tuple[Item, ...], ...]


@dataclass
class Tree:
    """A pattern: options in force for all of it, and the groups in Python's order, their names or None."""

    body: Choice
    options: str
    groups: list[str | None] = field(default_factory=list)

    def number(self, group: int | str) -> int | None:
        """Python's number of a group; .NET counts those without a name first."""
        if isinstance(group, str):
            return self.groups.index(group) + 1 if group in self.groups else None
        plain = [index for index, name in enumerate(self.groups, 1) if name is None]
        named = [index for index, name in enumerate(self.groups, 1) if name is not None]
        order = [0, *plain, *named]
        return order[group] if group < len(order) else None


def parse(pattern: str) -> Tree:
    """Read a pattern; WrongPattern where .NET refuses it, UnknownPattern where it is not understood here."""
    parser = _Parser(pattern)
    options = parser.options_in_front()
    tree = Tree(parser.choice(0), options)
    if parser.at < len(pattern):
        raise WrongPattern("there is one closing bracket too many", parser.at)
    tree.groups = parser.groups
    return tree


class _Parser(CharacterParser):
    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.groups: list[str | None] = []

    def options_in_front(self) -> str:
        match = _OPTIONS.match(self.pattern, 1) if self.pattern.startswith("(") else None
        if match is None or match[2] != ")":
            return ""
        self.at = match.end()
        return self._supported(match[1], 0).partition("-")[0]

    def choice(self, depth: int) -> Choice:
        if depth > 50:
            raise UnknownPattern("its groups nest too deep", self.at)
        branches: list[tuple[Item, ...]] = []
        items: list[Item] = []
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self.pattern[self.at] == "|":
                self.at += 1
                branches.append(tuple(items))
                items = []
                continue
            start = self.at
            item = self._item(depth)
            if item is not None:
                items.append(self._repeated(item, start))
        return Choice((*branches, tuple(items)))

    def _item(self, depth: int) -> Item | None:
        letter = self.pattern[self.at]
        if letter == "(":
            return self._group(depth)
        if letter == "[":
            source, charset = self.character_class()
            return One(source, charset)
        if letter == "\\":
            return self._escape()
        if letter in "*+?" or (letter == "{" and _COUNT.match(self.pattern, self.at)):
            raise WrongPattern(f"{letter} repeats nothing", self.at)
        self.at += 1
        if letter == ".":
            return One(".", ALL)
        if letter == "^":
            return Anchor("^")
        if letter == "$":
            return Anchor("$", seals=True)
        return One(re.escape(letter), literal(letter))

    def _repeated(self, item: Item, start: int) -> Item:
        count = _COUNT.match(self.pattern, self.at)
        sign = self.pattern[self.at : self.at + 1]
        if count:
            low = int(count[1])
            high = low if count[2] is None else int(count[3]) if count[3] else None
            self.at = count.end()
        elif sign and sign in "*+?":
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
            self.at += 1
        else:
            return item
        if high is not None and high < low:
            raise WrongPattern(f"a repetition goes from {low} down to {high}", start)
        lazy = self.pattern.startswith("?", self.at)
        self.at += lazy
        following = self.pattern[self.at : self.at + 1]
        if (following and following in "*+?") or _COUNT.match(self.pattern, self.at):
            raise WrongPattern("one repetition follows another", self.at)
        if isinstance(item, Anchor):
            raise UnknownPattern("it repeats a place", start)
        return Repeat(item, low, high, lazy)

    def _group(self, depth: int) -> Item | None:
        start = self.at
        self.at += 1
        rest = self.pattern[self.at : self.at + 3]
        kind, capture = "?:", 0
        if not rest.startswith("?"):
            self.groups.append(None)
            kind, capture = "", len(self.groups)
        elif rest.startswith("?#"):
            end = self.pattern.find(")", self.at)
            if end < 0:
                raise WrongPattern("a comment is not closed", start)
            self.at = end + 1
            return None
        elif rest.startswith(("?:", "?>", "?=", "?!")):
            kind = rest[:2]
            self.at += 2
        elif rest in ("?<=", "?<!"):
            kind = rest
            self.at += 3
        elif name := _GROUP_NAME.match(self.pattern, self.at):
            self.groups.append(self._name(name["angle"] or name["quote"] or "", start))
            kind, capture = "", len(self.groups)
            self.at = name.end()
        elif rest.startswith("?("):
            raise UnknownPattern("it has a conditional", start)
        elif options := _OPTIONS.match(self.pattern, self.at):
            self._supported(options[1], start)
            if options[2] == ")":
                raise UnknownPattern("it sets options in the middle", start)
            kind = f"?{options[1]}:" if options[1] not in ("", "-") else "?:"
            self.at = options.end()
        else:
            raise WrongPattern("a group begins in an unknown way", start)
        body = self.choice(depth + 1)
        if self.at >= len(self.pattern):
            raise WrongPattern("a bracket is not closed", start)
        self.at += 1
        return Group(kind, body, capture)

    def _name(self, name: str, start: int) -> str:
        if "-" in name or (name.isascii() and name.isdigit()):
            raise UnknownPattern("it has a balancing group or a group with a number", start)
        if not re.fullmatch(r"\w+", name) or name[0].isdigit():
            raise WrongPattern(f"{name!r} is no name of a group", start)
        if name in self.groups:
            raise UnknownPattern(f"two groups are named {name}", start)
        return name

    def _supported(self, options: str, start: int) -> str:
        if set(options) & set("nx"):
            raise UnknownPattern("it has the options n or x", start)
        return options.removesuffix("-")

    def _escape(self) -> Item:
        start = self.at
        letter = self.pattern[self.at + 1 : self.at + 2]
        if not letter:
            raise WrongPattern("it ends with a lone backslash", start)
        self.at += 2
        if letter in "bBAZzG":
            if letter == "G":
                raise UnknownPattern("it has \\G", start)
            return Anchor(f"\\{letter}", seals=letter in "Zz")
        if letter == "k":
            return self._named_back(start)
        if letter in "123456789":
            digits = _NUMBER.match(self.pattern, self.at - 1)
            if digits and (len(digits[0]) == 1 or int(digits[0]) <= self._count_groups()):
                self.at = digits.end()
                return Back(int(digits[0]))
        charset, source = self.escaped(start)
        return One(f"[{source}]" if charset.named else source, charset)

    def _named_back(self, start: int) -> Item:
        match = _BACK_NAME.match(self.pattern, self.at)
        if match is None:
            raise WrongPattern("\\k has no name", start)
        self.at = match.end()
        name = match[1] or match[2] or ""
        return Back(int(name) if name.isascii() and name.isdigit() else name)

    def _count_groups(self) -> int:
        """The groups of the whole pattern, near enough: a reference of two digits is rare."""
        return len(re.findall(r"(?<!\\)\((?!\?[^<'])", self.pattern))
