# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The case of letters and the length of texts as .NET knows them."""

from __future__ import annotations

import re
import unicodedata

CULTURE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
TURKIC = frozenset({"tr", "az"})
"""The languages whose i and I are not a pair."""

# Char.IsWhiteSpace of .NET; Python counts four control characters more.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
_SEPARATES = frozenset({"Z", "P", "S"})
_TURKIC_LOWER, _TURKIC_UPPER = {"I": "ı", "İ": "i"}, {"i": "İ", "ı": "I"}
# The invariant culture leaves both special letters of Turkish as they are.
_UNCHANGED = frozenset("ıİ")


def units(found: str) -> str:
    """A text with each character beyond the basic plane as two surrogates, as .NET holds it."""
    if found.isascii() or max(found) <= "\uffff":
        return found
    encoded = found.encode("utf-16-le", "surrogatepass")
    return "".join(chr(encoded[at] | encoded[at + 1] << 8) for at in range(0, len(encoded), 2))


def joined(found: str) -> str:
    """The opposite of units; UnicodeDecodeError where half of a character is left over."""
    if found.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in found):
        return found
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def lower(found: str, turkic: bool = False) -> str:
    """Lower case, letter by letter: .NET knows no letter that becomes two, and no letter that depends on others."""
    if found.isascii() and not turkic:
        return found.lower()
    return "".join(_lower(letter, turkic) for letter in found)


def upper(found: str, turkic: bool = False) -> str:
    """Upper case, letter by letter."""
    if found.isascii() and not turkic:
        return found.upper()
    return "".join(_upper(letter, turkic) for letter in found)


def _lower(letter: str, turkic: bool) -> str:
    if turkic and letter in _TURKIC_LOWER:
        return _TURKIC_LOWER[letter]
    changed = letter.lower()
    return letter if letter in _UNCHANGED or len(changed) != 1 else changed


def _upper(letter: str, turkic: bool) -> str:
    if turkic and letter in _TURKIC_UPPER:
        return _TURKIC_UPPER[letter]
    changed = letter.upper()
    return letter if letter in _UNCHANGED or len(changed) != 1 else changed


def proper(found: str, separators: str | None = None) -> str:
    """Each word's first letter in upper case, the rest in lower; words end at separators, or at .NET's own."""
    pieces: list[str] = []
    begins = True
    for letter in found:
        between = letter in separators if separators is not None else separates(letter)
        pieces.append(letter if between else _upper(letter, False) if begins else _lower(letter, False))
        begins = between
    return "".join(pieces)


def separates(letter: str) -> bool:
    """Whether a character stands between words: blanks, control and format characters, punctuation, symbols."""
    category = unicodedata.category(letter)
    return category[0] in _SEPARATES or category in ("Cc", "Cf")


def doubt_of_title(found: str) -> str:
    """What in a text the reference and .NET treat differently, in words; empty where they agree.

    The reference counts all punctuation between words. .NET goes on with the word after an apostrophe, and begins one
    at the first letter after a digit.
    """
    before, last = "", ""
    begins = True
    for letter in found:
        if letter.isalpha() and last == "'" and before.isalpha():
            return "an apostrophe within a word"
        if letter.isalpha() and begins and last and not separates(last):
            return "a word that does not begin with a letter"
        if unicodedata.category(letter) == "Lt" or letter in "ǆǉǌǳ":
            return "letters that have a title case of their own"
        begins = separates(letter) or (begins and not letter.isalpha())
        before, last = last, letter
    return ""
