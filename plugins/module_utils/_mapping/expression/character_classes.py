# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Sets of characters in regular expressions of .NET, and how Python writes them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_OTHER = 1 << 128
_EVERYTHING = (1 << 129) - 1
_CATEGORY = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?")
_ESCAPES = {"d": (("Nd",), ""), "w": (("L", "Mn", "Nd", "Pc"), ""), "s": (("Z",), "\f\n\r\t\v\x85")}


class PatternError(ValueError):
    """A pattern that cannot be used; at is where in it, from 0."""

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class WrongPattern(PatternError):
    """A pattern that .NET refuses."""


class UnknownPattern(PatternError):
    """A pattern that .NET takes and that is not understood here."""


@dataclass(frozen=True)
class Charset:
    """A set of characters, coarsely: one bit for each of ASCII, and one for all others, set where any may be in it.

    named says that it is a class such as \\w, which is written in square brackets.
    """

    bits: int
    named: bool = False

    def __or__(self, other: Charset) -> Charset:
        return Charset(self.bits | other.bits)

    def opposite(self) -> Charset:
        """All other characters."""
        return Charset(_EVERYTHING & ~self.bits | _OTHER)

    @classmethod
    def span(cls, first: str, last: str) -> Charset:
        """All characters from one to another."""
        low, high = ord(first), ord(last)
        bits = sum(1 << code for code in range(low, min(high, 127) + 1))
        return cls(bits | (_OTHER if high > 127 else 0))

    def folded(self) -> Charset:
        """The set without regard to case."""
        bits = self.bits
        for upper in range(65, 91):
            if bits & (1 << upper | 1 << upper + 32):
                bits |= 1 << upper | 1 << upper + 32
        # Two letters beyond ASCII are the same as k and s but for case.
        return Charset(bits | _OTHER if bits & (1 << ord("k") | 1 << ord("s")) else bits, self.named)


ALL = Charset(_EVERYTHING)


def literal(letter: str) -> Charset:
    """The set of one character."""
    return Charset(1 << ord(letter) if letter < "\x80" else _OTHER)


def of_escape(letter: str) -> tuple[Charset, str]:
    """The set of \\d, \\w, \\s or their opposites, and how Python writes it within square brackets.

    Python's own \\w and \\s differ from .NET's, so all are written out.
    """
    names, more = _ESCAPES[letter.lower()]
    return _class(names, more, letter.isupper())


def category(name: str, negated: bool, at: int) -> tuple[Charset, str]:
    """The set of \\p{name} or \\P{name}, and how Python writes it within square brackets."""
    if not _CATEGORY.fullmatch(name):
        if re.fullmatch(r"Is[A-Za-z-]+\d?", name):
            raise UnknownPattern(f"it names the Unicode block {name}", at)
        raise WrongPattern(f"there is no Unicode category {name!r}", at)
    return _class((name,), "", negated)


@lru_cache(maxsize=64)
def _class(names: tuple[str, ...], more: str, negated: bool) -> tuple[Charset, str]:
    inside = [
        (unicodedata.category(chr(code)).startswith(names) or chr(code) in more) is not negated
        for code in range(0x10000)
    ]
    bits = sum(1 << code for code in range(128) if inside[code]) | _OTHER
    return Charset(bits, named=True), "".join(_ranges(inside))


def _ranges(inside: list[bool]) -> list[str]:
    found: list[str] = []
    start: int | None = None
    for code, member in enumerate([*inside, False]):
        if member and start is None:
            start = code
        elif not member and start is not None:
            found.append(f"\\u{start:04x}" if code - start == 1 else f"\\u{start:04x}-\\u{code - 1:04x}")
            start = None
    return found


def word_boundary(negated: bool) -> str:
    """\\b or \\B of .NET, whose words have the two zero-width joiners too."""
    word = f"[{of_escape('w')[1]}\\u200c\\u200d]"
    if negated:
        return f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"
    return f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
