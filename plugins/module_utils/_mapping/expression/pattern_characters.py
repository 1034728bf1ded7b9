# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Single characters, escapes and character classes in regular expressions of .NET."""

from __future__ import annotations

import re
import string

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.character_classes import (
    Charset,
    UnknownPattern,
    WrongPattern,
    category,
    literal,
    of_escape,
)

_SINGLE = {"a": "\a", "t": "\t", "r": "\r", "v": "\v", "f": "\f", "n": "\n", "e": "\x1b"}
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_OCTAL = re.compile(r"[0-7]{1,3}")


class CharacterParser:
    """A pattern and the place in it that is read next."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def escaped(self, start: int) -> tuple[Charset, str]:
        """The characters of the escape whose letter was just read, and how Python writes them in a class."""
        letter = self.pattern[start + 1]
        if letter in "dDwWsS":
            return of_escape(letter)
        if letter in "pP":
            match = _IN_BRACES.match(self.pattern, self.at)
            if match is None:
                raise WrongPattern(f"\\{letter} needs a name in braces", start)
            self.at = match.end()
            return category(match[1], letter == "P", start)
        found = self.character(letter, start)
        return literal(found), re.escape(found)

    def character(self, letter: str, start: int) -> str:
        """The one character of an escape whose letter was just read."""
        if letter in _SINGLE:
            return _SINGLE[letter]
        if letter in "xu":
            size = 2 if letter == "x" else 4
            digits = self.pattern[self.at : self.at + size]
            if len(digits) != size or not set(digits) <= set(string.hexdigits):
                raise WrongPattern(f"\\{letter} needs hexadecimal digits", start)
            self.at += len(digits)
            return chr(int(digits, 16))
        if letter == "c":
            control = self.pattern[self.at : self.at + 1].upper()
            if not control or not "@" <= control <= "_":
                raise WrongPattern("\\c needs a letter", start)
            self.at += 1
            return chr(ord(control) - 64)
        if octal := _OCTAL.match(self.pattern, start + 1):
            self.at = octal.end()
            return chr(int(octal[0], 8) & 0xFF)
        if letter.isalnum() or letter == "_":
            raise WrongPattern(f"\\{letter} is unknown", start)
        return letter

    def character_class(self) -> tuple[str, Charset]:
        """Read a class in square brackets: how Python writes it, and its characters."""
        start = self.at
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        charset = Charset(0)
        parts: list[str] = []
        first = True
        while first or not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise WrongPattern("a character class is not closed", start)
            if not first and self.pattern.startswith("-[", self.at):
                raise UnknownPattern("it subtracts one character class from another", start)
            first = False
            chars, source, single = self._class_item()
            if single is not None and self._begins_range():
                self.at += 1
                _chars, end_source, end = self._class_item()
                if end is None:
                    raise WrongPattern("a class of characters cannot end a range", start)
                if end < single:
                    raise WrongPattern(f"the range {single}-{end} runs backwards", start)
                chars, source = Charset.span(single, end), f"{source}-{end_source}"
            charset |= chars
            parts.append(source)
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(parts)}]", charset.opposite() if negated else charset

    def _begins_range(self) -> bool:
        following = self.pattern[self.at : self.at + 2]
        return len(following) == 2 and following[0] == "-" and following[1] not in "]["

    def _class_item(self) -> tuple[Charset, str, str | None]:
        """The characters of one part of a class, how Python writes it, and the character where it is one."""
        start = self.at
        letter = self.pattern[self.at : self.at + 1]
        if letter != "\\":
            self.at += 1
            return literal(letter), re.escape(letter), letter
        following = self.pattern[self.at + 1 : self.at + 2]
        if not following:
            raise WrongPattern("a character class is not closed", start)
        self.at += 2
        if following == "b":
            return literal("\b"), "\\x08", "\b"
        if following in "dDwWsSpP":
            charset, source = self.escaped(start)
            return charset, source, None
        found = self.character(following, start)
        return literal(found), re.escape(found), found
