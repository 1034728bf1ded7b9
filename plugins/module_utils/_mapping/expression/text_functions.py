# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Functions of expressions that make one text of another.

Lengths and positions count UTF-16 units, as .NET does: a character beyond the basic plane counts twice.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Mapping

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import diacritics, letters
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import (
    Argument,
    Arguments,
    Builder,
    constant,
    runs,
    strict,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Closure,
    Context,
    EvaluationError,
    Read,
    Value,
    bounded,
    known_text,
    text,
    undocumented,
    whole,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.syntax import Bare

COMPARE_TYPES = ("vbTextCompare", "vbBinaryCompare")


def _append(source: Value, suffix: Value) -> Value:
    return known_text(source, "Append", "source") + known_text(suffix, "Append", "suffix")


def _join(arguments: Arguments) -> Closure:
    separator, *sources = runs(arguments)

    def joined(read: Read, context: Context) -> Value:
        between = text(separator(read, context), "Join", "separator") or ""
        found: list[str] = []
        for source in sources:
            value = source(read, context)
            if isinstance(value, tuple):
                found.extend(item for item in value if item)
            elif part := text(value, "Join", "source"):
                found.append(part)
        bounded(sum(map(len, found)) + len(between) * len(found), "Join")
        return between.join(found)

    return joined


def _to_base64(source: Value) -> Value:
    found = text(source, "ConvertToBase64", "source")
    return None if found is None else base64.b64encode(found.encode("utf-16-le", "surrogatepass")).decode("ascii")


def _to_utf8_hex(source: Value) -> Value:
    found = text(source, "ConvertToUTF8Hex", "source")
    if found is None:
        return None
    try:
        return found.encode("utf-8").hex().upper()
    except UnicodeEncodeError as error:
        raise EvaluationError("ConvertToUTF8Hex", "source", "it holds half a character") from error


def _left(source: Value, count: Value) -> Value:
    wanted = whole(count, "Left", "NumChars")
    found = text(source, "Left", "String") or ""
    return found if wanted < 0 else _cut(found, 0, wanted, "Left")


def _len(source: Value) -> Value:
    return len(letters.units(text(source, "Len", "String") or ""))


def _mid(source: Value, start: Value, length: Value) -> Value:
    first, count = whole(start, "Mid", "start"), whole(length, "Mid", "length")
    found = text(source, "Mid", "source")
    if not found:
        return found
    if not 1 <= first <= len(letters.units(found)):
        raise undocumented("Mid", f"what a start of {first} outside the text gives")
    if count < 0:
        raise undocumented("Mid", "what a negative length gives")
    return _cut(found, first - 1, first - 1 + count, "Mid")


def _cut(found: str, start: int, end: int, function: str) -> str:
    try:
        return letters.joined(letters.units(found)[start:end])
    except UnicodeDecodeError as error:
        raise EvaluationError(function, "", f"it cuts a character of {found[:40]!r} in two") from error


def _in_str(arguments: Arguments) -> Closure:
    examined, searched, *more = runs(arguments)
    start = more[0] if more else constant(None)
    kind = _compare_type(arguments[3]) if len(arguments) > 3 else ""

    def position(read: Read, context: Context) -> Value:
        first = start(read, context)
        begin = 1 if first is None else whole(first, "InStr", "start")
        whole_text = letters.units(known_text(examined(read, context), "InStr", "value1"))
        part = letters.units(known_text(searched(read, context), "InStr", "value2"))
        if begin < 1 or not part:
            raise undocumented("InStr", "what a start below 1 or an empty value2 gives")
        exact = whole_text.find(part, begin - 1) + 1
        folded = letters.lower(whole_text).find(letters.lower(part), begin - 1) + 1
        found = {"vbBinaryCompare": exact, "vbTextCompare": folded}.get(kind, exact)
        if kind == "" and exact != folded:
            raise undocumented("InStr", "whether case counts where no comparison is named")
        if kind not in ("", *COMPARE_TYPES):
            raise undocumented("InStr", f"a comparison named {kind}")
        if found == 0:
            raise undocumented("InStr", "what it gives where nothing is found")
        return found

    return position


def _compare_type(argument: Argument | None) -> str:
    if argument is None:
        return ""
    return argument.node.text if isinstance(argument.node, Bare) else "something other than a bare name"


def _normalize(source: Value) -> Value:
    found = text(source, "NormalizeDiacritics", "source")
    if found is None or found.isascii():
        return found
    plain, unknown = diacritics.plain(unicodedata.normalize("NFC", found))
    if unknown:
        raise undocumented("NormalizeDiacritics", f"what becomes of {unknown}")
    return plain


def _lower(source: Value, culture: Value = None) -> Value:
    found = text(source, "ToLower", "source")
    return found if found is None else letters.lower(found, _turkic(culture, "ToLower"))


def _upper(source: Value, culture: Value = None) -> Value:
    found = text(source, "ToUpper", "source")
    return found if found is None else letters.upper(found, _turkic(culture, "ToUpper"))


def _turkic(culture: Value, function: str) -> bool:
    name = text(culture, function, "culture")
    if not name:
        return False
    if not letters.CULTURE.fullmatch(name):
        raise EvaluationError(function, "culture", f"{name[:40]!r} is not a language tag such as en-US")
    return name.lower().partition("-")[0] in letters.TURKIC


def _pcase(source: Value, separators: Value = None) -> Value:
    found = text(source, "PCase", "source")
    if not found:
        return found
    between = text(separators, "PCase", "wordSeparators")
    if between:
        return letters.proper(found, between)
    if between == "":
        raise undocumented("PCase", "how empty wordSeparators divide a text")
    doubt = letters.doubt_of_title(found)
    if doubt:
        raise undocumented("PCase", f"plainly how .NET's ToTitleCase treats {doubt}")
    return letters.proper(found)


def _strip_spaces(source: Value) -> Value:
    found = text(source, "StripSpaces", "source")
    return found if found is None else found.replace(" ", "")


def _trim(source: Value) -> Value:
    # Texts first: this is the commonest function of all.
    found = source if isinstance(source, str) else text(source, "Trim", "source")
    return found if found is None else found.strip(letters.WHITE_SPACE)


def _word(source: Value, index: Value, delimiters: Value) -> Value:
    wanted = whole(index, "Word", "WordNumber")
    found = text(source, "Word", "String")
    between = text(delimiters, "Word", "delimiters")
    if wanted < 1 or not found:
        return ""
    if not between:
        raise undocumented("Word", "what it does without delimiters")
    pieces = re.split(f"[{re.escape(between)}]", found)
    words = [piece for piece in pieces if piece]
    one, other = ("".join(items[wanted - 1 : wanted]) for items in (pieces, words))
    if one != other:
        raise undocumented("Word", "whether two delimiters in a row make an empty word")
    return one


BUILDERS: Mapping[str, Builder] = {
    "Append": strict(_append),
    "ConvertToBase64": strict(_to_base64),
    "ConvertToUTF8Hex": strict(_to_utf8_hex),
    "InStr": _in_str,
    "Join": _join,
    "Left": strict(_left),
    "Len": strict(_len),
    "Mid": strict(_mid),
    "NormalizeDiacritics": strict(_normalize),
    "PCase": strict(_pcase),
    "StripSpaces": strict(_strip_spaces),
    "ToLower": strict(_lower),
    "ToUpper": strict(_upper),
    "Trim": strict(_trim),
    "Word": strict(_word),
}
