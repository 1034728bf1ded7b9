# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions of attribute-mapping expressions.

Every function gets the context and its arguments unevaluated, so that IIF and Switch evaluate only what they choose.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import string
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.lab.engines import dotnet_dates
from tests.lab.engines.expression_syntax import Context, ExpressionError, NotFlowed

Arguments = Sequence[Callable[[], Any]]
Function = Callable[[Context, Arguments], Any]

_REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "expression-functions.json"
_SPECIALS = "!@#$%^&*()-_=+[]{};:,.?/"


class Redacted(str):
    """A value that the provisioning log shows as ``[Redact]``."""


def as_text(value: Any) -> str:
    """A value as text: nothing is the empty string, Booleans are True and False, dates are shown in UTC."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return dotnet_dates.shown(value)
    if isinstance(value, list):
        return ",".join(as_text(one) for one in value)
    return str(value)


def as_list(value: Any) -> list[Any]:
    """The values of a multi-valued argument."""
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def as_date(value: Any) -> datetime:
    """A date argument; text is read as CDate reads it."""
    return value if isinstance(value, datetime) else dotnet_dates.guess(as_text(value))


def is_true(value: Any) -> bool:
    """Whether a condition holds: True, a number that is not 0, or the text True."""
    if isinstance(value, str):
        return value.lower() == "true" or (value.strip("-").isdigit() and int(value) != 0)
    return bool(value)


def _values(arguments: Arguments) -> list[Any]:
    return [argument() for argument in arguments]


def _plain(implementation: Callable[..., Any], least: int, most: int | None = None) -> Function:
    """A function of its evaluated arguments, ``least`` to ``most`` of them (None: any number)."""

    def call(_context: Context, arguments: Arguments) -> Any:
        if len(arguments) < least or (most is not None and len(arguments) > most):
            raise TypeError(f"it takes {least} to {most or 'any number of'} arguments, not {len(arguments)}")
        return implementation(*_values(arguments))

    return call


def _iif(_context: Context, arguments: Arguments) -> Any:
    condition, if_true, if_false = arguments
    return if_true() if is_true(condition()) else if_false()


def _switch(_context: Context, arguments: Arguments) -> Any:
    source, default, *pairs = arguments
    if len(pairs) % 2 or not pairs:
        raise TypeError("keys and values have to come in pairs")
    wanted = as_text(source())
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if as_text(key()) == wanted:
            return value()
    return default()


def _ignore_flow(_context: Context, arguments: Arguments) -> Any:
    (expression,) = arguments
    value = expression()
    if value is None or value == "" or value == []:
        raise NotFlowed
    return value


def _coalesce(_context: Context, arguments: Arguments) -> Any:
    return next((value for value in (argument() for argument in arguments) if value is not None), None)


def _join(separator: Any, *sources: Any) -> str:
    pieces = [as_text(value) for source in sources for value in as_list(source)]
    return as_text(separator).join(piece for piece in pieces if piece)


def _in_str(text: Any, wanted: Any, start: Any = None, compare_type: Any = None) -> int:
    where, what = as_text(text), as_text(wanted)
    if compare_type == "vbTextCompare":
        where, what = where.lower(), what.lower()
    return where.find(what, int(start or 1) - 1) + 1


def _left(text: Any, count: Any) -> str:
    whole = as_text(text)
    return whole if int(count) < 0 else whole[: int(count)]


def _mid(text: Any, start: Any, length: Any) -> str:
    return as_text(text)[max(int(start) - 1, 0) :][: max(int(length), 0)]


def _item(values: Any, index: Any) -> Any:
    found, position = as_list(values), int(index)
    return found[position - 1] if 1 <= position <= len(found) else None


def _p_case(source: Any, separators: Any = None) -> str:
    def separates(character: str) -> bool:
        if separators:
            return character in as_text(separators)
        # .NET's title case goes on after an apostrophe; all other marks begin a new word.
        return character != "'" and unicodedata.category(character)[0] in "ZCPS"

    result, first = [], True
    for character in as_text(source):
        result.append(character.upper() if first else character.lower())
        first = separates(character)
    return "".join(result)


def _word(text: Any, number: Any, delimiters: Any) -> str:
    words = [word for word in re.split(f"[{re.escape(as_text(delimiters))}]", as_text(text)) if word]
    position = int(number)
    return words[position - 1] if 1 <= position <= len(words) else ""


def pattern_of(dotnet: str) -> re.Pattern[str]:
    """A .NET regular expression in Python's; re.error when it is none."""
    return re.compile(re.sub(r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>", dotnet))


def _replace(
    source: Any,
    old: Any = None,
    pattern: Any = None,
    group: Any = None,
    new: Any = None,
    other: Any = None,
    template: Any = None,
) -> str:
    text = as_text(source)
    if old is not None:
        if template is not None:
            return as_text(template).replace(as_text(old), text)
        return text.replace(as_text(old), as_text(new))
    if pattern is None:
        return text
    expression = pattern_of(as_text(pattern))
    if group and new is None:
        match = expression.search(as_text(other))
        return text or (match[as_text(group)] if match else "")
    if group:
        return expression.sub(lambda match: _inside(match, as_text(group), as_text(new)), text)
    replacement = re.sub(r"\$\{(\w+)\}", r"\\g<\1>", as_text(new).replace("\\", "\\\\"))
    return expression.sub(replacement, text)


def _inside(match: re.Match[str], group: str, new: str) -> str:
    start, end = match.span(group)
    if start < 0:
        return match[0]
    begin = match.start()
    return match[0][: start - begin] + new + match[0][end - begin :]


@lru_cache(maxsize=1)
def _diacritics() -> list[tuple[str, str]]:
    """(characters, plain letters), the longest characters first."""
    table = json.loads(_REFERENCE.read_text(encoding="utf-8"))["functions"]["NormalizeDiacritics"]["character_map"]
    pairs = [(characters, plain) for plain, group in table.items() for characters in group]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def _normalize(source: Any) -> str:
    text = unicodedata.normalize("NFC", as_text(source))
    for characters, plain in _diacritics():
        text = text.replace(characters, plain)
    return text


def _random_string(length: Any, digits: Any, specials: Any, capitals: Any, lowers: Any, avoid: Any = None) -> str:
    banned = set(as_text(avoid))
    pools = [string.digits, _SPECIALS, string.ascii_uppercase, string.ascii_lowercase]
    pools = ["".join(one for one in pool if one not in banned) for pool in pools]
    counts = [int(digits), int(specials), int(capitals), int(lowers)]
    if int(length) > 256 or int(length) < sum(counts[:3]):
        raise ValueError("the length has to be at most 256 and not less than the minimums")
    picked = [secrets.choice(pool) for pool, count in zip(pools, counts, strict=True) for _unused in range(count)]
    picked += [secrets.choice("".join(pools)) for _unused in range(int(length) - len(picked))]
    secrets.SystemRandom().shuffle(picked)
    return "".join(picked[: int(length)])


def _case(lower: bool) -> Function:
    def change(source: Any, _culture: Any = None) -> Any:
        changed = [as_text(one).lower() if lower else as_text(one).upper() for one in as_list(source)]
        return changed if isinstance(source, list) else changed[0] if changed else None

    return _plain(change, 1, 2)


def _default_domain(context: Context, _arguments: Arguments) -> str:
    if not context.default_domain:
        raise ExpressionError("The tenant has no default verified domain.")
    return context.default_domain


def _format_date(source: Any, _styles: Any, read_as: Any, write_as: Any) -> str:
    return dotnet_dates.write(dotnet_dates.read(as_text(source), as_text(read_as)), as_text(write_as))


def _from_number(value: Any) -> datetime:
    return dotnet_dates.add("s", int(value) // 10_000_000, dotnet_dates.EPOCH_1601)


def _to_number(value: Any) -> int:
    return int((as_date(value).astimezone(UTC) - dotnet_dates.EPOCH_1601).total_seconds()) * 10_000_000


FUNCTIONS: dict[str, Function] = {
    "Append": _plain(lambda source, suffix: as_text(source) + as_text(suffix), 2, 2),
    "BitAnd": _plain(lambda first, second: int(first) & int(second), 2, 2),
    "CBool": _plain(is_true, 1, 1),
    "CDate": _plain(as_date, 1, 1),
    "Coalesce": _coalesce,
    "ConvertToBase64": _plain(lambda text: base64.b64encode(as_text(text).encode("utf-16-le")).decode(), 1, 1),
    "ConvertToUTF8Hex": _plain(lambda text: as_text(text).encode().hex().upper(), 1, 1),
    "Count": _plain(lambda values: len(as_list(values)), 1, 1),
    "CStr": _plain(as_text, 1, 1),
    "DateAdd": _plain(lambda interval, count, date: dotnet_dates.add(interval, int(count), as_date(date)), 3, 3),
    "DateDiff": _plain(lambda unit, first, last: dotnet_dates.difference(unit, as_date(first), as_date(last)), 3, 3),
    "DateFromNum": _plain(_from_number, 1, 1),
    "DefaultDomain": _default_domain,
    "FormatDateTime": _plain(_format_date, 4, 4),
    "Guid": _plain(lambda: str(uuid.uuid4()), 0, 0),
    "IgnoreFlowIfNullOrEmpty": _ignore_flow,
    "IIF": _iif,
    "InStr": _plain(_in_str, 2, 4),
    "IsNull": _plain(lambda value: value is None, 1, 1),
    "IsNullOrEmpty": _plain(lambda value: value is None or value == "" or value == [], 1, 1),
    "IsPresent": _plain(lambda value: not (value is None or value == "" or value == []), 1, 1),
    "IsString": _plain(lambda value: isinstance(value, str), 1, 1),
    "Item": _plain(_item, 2, 2),
    "Join": _plain(_join, 2, None),
    "Left": _plain(_left, 2, 2),
    "Len": _plain(lambda text: len(as_text(text)), 1, 1),
    "Mid": _plain(_mid, 3, 3),
    "NormalizeDiacritics": _plain(_normalize, 1, 1),
    "Not": _plain(lambda value: as_text(value) != "True", 1, 1),
    "Now": lambda context, _arguments: context.now,
    "NumFromDate": _plain(_to_number, 1, 1),
    "PCase": _plain(_p_case, 1, 2),
    "RandomString": _plain(_random_string, 5, 6),
    "Redact": _plain(lambda value: Redacted(as_text(value)), 1, 1),
    "RemoveDuplicates": _plain(lambda values: list(dict.fromkeys(as_list(values))), 1, 1),
    "Replace": _plain(_replace, 1, 7),
    "Split": _plain(lambda text, mark: [one.strip() for one in as_text(text).split(as_text(mark))], 2, 2),
    "StripSpaces": _plain(lambda text: as_text(text).replace(" ", ""), 1, 1),
    "Switch": _switch,
    "ToLower": _case(lower=True),
    "ToUpper": _case(lower=False),
    # Used in the service's own default mappings, though the reference has no entry for it.
    "Trim": _plain(lambda text: None if text is None else as_text(text).strip(), 1, 1),
    "Word": _plain(_word, 3, 3),
}

# Known to the service, but of no use in this job: SelectUniqueValue is for provisioning from HR systems, the other two
# work on role assignments of an application.
UNSUPPORTED = ("AppRoleAssignmentsComplex", "SelectUniqueValue", "SingleAppRoleAssignment")

_FOLDED = {name.casefold(): implementation for name, implementation in FUNCTIONS.items()}


def function(name: str) -> Function | None:
    """A function by name; the reference itself writes some names in lower case, so case does not count."""
    return FUNCTIONS.get(name) or _FOLDED.get(name.casefold())
