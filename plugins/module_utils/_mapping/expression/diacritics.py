# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Letters with diacritics and the plain letters that NormalizeDiacritics makes of them: the reference's own list."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_LISTED = {
    "a": "ä à â ã å á ą ă ā ā́ ā̀ ā̂ ā̃ ǟ ā̈ ǡ a̱ å̄",
    "ae": "æ ǣ",
    "c": "ç č ć c̄ c̱",
    "d": "ď d̄ ḏ",
    "e": "ë è é ê ę ě ė ē ḗ ḕ ē̂ ē̃ ê̄ e̱ ë̄ e̊̄",
    "g": "ğ ḡ g̱",
    "i": "ï î ì í ı ī ī́ ī̀ ī̂ ī̃ i̱",
    "l": "ľ ł l̄ ḹ ḻ",
    "n": "ñ ń ň n̄ ṉ",
    "o": "ö ò ő õ ô ó ō ṓ ṑ ō̂ ō̃ ȫ ō̈ ǭ ȭ ȱ o̱",
    "oe": "ø ø̄ œ̄",
    "r": "ř r̄ ṟ ṝ",
    "ss": "ß",
    "s": "š ś ș ş s̄ s̱",
    "t": "ť ț t̄ ṯ",
    "u": "ü ù û ú ů ű ū ū́ ū̀ ū̂ ū̃ u̇̄ ǖ ṻ ṳ̄ u̱",
    "y": "ÿ ý ȳ ȳ́ ȳ̀ ȳ̃ y̱",
    "z": "ź ž ż z̄ ẕ",
    "A": "Ä À Â Ã Å Á Ą Ă Ā Ā́ Ā̀ Ā̂ Ā̃ Ǟ Ā̈ Ǡ A̱ Å̄",
    "AE": "Æ Ǣ",
    "C": "Ç Č Ć C̄ C̱",
    "D": "Ď D̄ Ḏ",
    "E": "Ë È É Ê Ę Ě Ė Ē Ḗ Ḕ Ē̂ Ē̃ Ê̄ E̱ Ë̄ E̊̄",
    "G": "Ğ Ḡ G̱",
    "I": "Ï Î Ì Í İ Ī Ī́ Ī̀ Ī̂ Ī̃ I̱",
    "L": "Ł Ľ L̄ Ḹ Ḻ",
    "N": "Ñ Ń Ň N̄ Ṉ",
    "O": "Ö Ò Ő Õ Ô Ó Ō Ṓ Ṑ Ō̂ Ō̃ Ȫ Ō̈ Ǭ Ȭ Ȱ O̱",
    "OE": "Ø Ø̄ Œ̄",
    "R": "Ř R̄ Ṟ Ṝ",
    "S": "Š Ś Ș Ş S̄ S̱",
    "T": "Ť Ț T̄ Ṯ",
    "U": "Ü Ù Û Ú Ů Ű Ū Ū́ Ū̀ Ū̂ Ū̃ U̇̄ Ǖ Ṻ Ṳ̄ U̱",
    "Y": "Ÿ Ý Ȳ Ȳ́ Ȳ̀ Ȳ̃ Y̱",
    "Z": "Ź Ž Ż Z̄ Ẕ",
}
PLAIN: Mapping[str, str] = {letter: plain for plain, letters in _LISTED.items() for letter in letters.split()}
"""Plain letters by what they stand for, in Unicode's composed form; some are a letter with combining marks."""

# The longest first: a letter with marks may begin with one that is listed by itself. A mark left over is open.
_PIECE = re.compile("|".join(sorted(map(re.escape, PLAIN), key=len, reverse=True)))


def plain(composed: str) -> tuple[str, str]:
    """A text in composed form without its diacritics, and the first character that the list leaves open, or nothing.

    The list has Latin letters only; letters of other scripts are taken to stay as they are.
    """
    result = _PIECE.sub(lambda match: PLAIN[match.group()], composed)
    return result, next((letter for letter in result if not letter.isascii() and _is_open(letter)), "")


def _is_open(letter: str) -> bool:
    return unicodedata.category(letter) == "Mn" or unicodedata.name(letter, "").startswith("LATIN ")
