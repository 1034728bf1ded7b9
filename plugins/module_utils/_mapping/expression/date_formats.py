# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Dates read and written by .NET's custom format strings, in the invariant culture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import dates

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT_MONTHS, SHORT_DAYS = (tuple(name[:3] for name in names) for names in (MONTHS, DAYS))
# One letter alone is a format of .NET's own. U is F in UTC, wherever the machine is.
STANDARD: Mapping[str, str] = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
_SPECIFIERS = "dfFghHKmMstyz"
_AT_MOST = {"f": 7, "F": 7}
# .NET reads digits greedily and never gives one back.
_DIGITS = {1: r"(\d{1,2}+)", 2: r"(\d{2})"}


class WrongFormat(ValueError):
    """The text is no date format of .NET; str() says why."""


@dataclass(frozen=True)
class Moment:
    """What was read: the time on its own clock, the rest of the second in ticks of 100 ns, and the clock's zone.

    zone is None where none was read. has_year and sure_century say whether the text states the year, and all of it:
    .NET takes years of two digits for 1930 to 2029 or for 1950 to 2049, as its version goes.
    """

    clock: datetime
    ticks: int = 0
    zone: str | None = None
    has_year: bool = True
    sure_century: bool = True


@dataclass(frozen=True)
class _Token:
    """A specifier and its length, or a literal with length 0."""

    text: str
    length: int = 0


@lru_cache(maxsize=256)
def tokens(form: str) -> tuple[_Token, ...]:
    """The parts of a format string; WrongFormat for one that .NET does not take."""
    if len(form) == 1:
        if form not in STANDARD:
            raise WrongFormat(f"{form!r} alone is no format that is known here")
        form = STANDARD[form]
    found = tuple(_tokens(form))
    if not found:
        raise WrongFormat("it is empty")
    return found


def _tokens(form: str) -> Iterator[_Token]:
    at = 0
    while at < len(form):
        letter = form[at]
        if letter in "\"'":
            end = form.find(letter, at + 1)
            if end < 0:
                raise WrongFormat(f"a quotation mark is not closed in {form!r}")
            yield _Token(form[at + 1 : end])
            at = end + 1
        elif letter in "\\%":
            if at + 1 == len(form):
                raise WrongFormat(f"nothing follows {letter} in {form!r}")
            if letter == "\\":
                yield _Token(form[at + 1])
            at += 2 if letter == "\\" else 1
        elif letter in _SPECIFIERS:
            length = len(form[at:]) - len(form[at:].lstrip(letter)) if letter != "K" else 1
            if length > _AT_MOST.get(letter, length):
                raise WrongFormat(f"{form[at : at + length]} has too many letters in {form!r}")
            yield _Token(letter, length)
            at += length
        else:
            yield _Token(letter)
            at += 1


@lru_cache(maxsize=256)
def _pattern(form: str) -> tuple[re.Pattern[str], str]:
    """The regular expression of a format, and the specifier of each of its groups."""
    parts: list[str] = []
    kinds = ""
    for token in tokens(form):
        if not token.length:
            parts.append(re.escape(token.text))
            continue
        parts.append(_reading(token))
        kinds += (
            "n"
            if token.text == "M" and token.length > 2
            else "w"
            if token.text == "d" and token.length > 2
            else token.text
        )
    return re.compile("".join(parts), re.IGNORECASE | re.ASCII), kinds


def _reading(token: _Token) -> str:
    letter, length = token.text, token.length
    if letter == "y":
        return {1: r"(\d{1,2}+)", 2: r"(\d{2})", 3: r"(\d{3,5}+)"}.get(length, rf"(\d{{{length}}})")
    if letter in "Md" and length > 2:
        short, full = (SHORT_MONTHS, MONTHS) if letter == "M" else (SHORT_DAYS, DAYS)
        return f"({'|'.join(short if length == 3 else full)})"
    if letter == "f":
        return rf"(\d{{{length}}})"
    if letter == "F":
        return rf"(\d{{0,{length}}}+)"
    if letter == "t":
        return "([AP])" if length == 1 else "([AP]M)"
    if letter == "z":
        return {1: r"([+-]\d{1,2}+)", 2: r"([+-]\d{2})"}.get(length, r"([+-]\d{2}:?\d{2})")
    if letter == "K":
        return r"(Z|[+-]\d{2}:\d{2}|)"
    if letter == "g":
        return r"(A\.D\.|AD)"
    return _DIGITS[min(length, 2)]


def read(found: str, form: str) -> Moment | None:
    """The moment that a text in this format names, or None where it is none."""
    pattern, kinds = _pattern(form)
    match = pattern.fullmatch(found)
    if match is None:
        return None
    parts: dict[str, str] = {}
    for kind, part in zip(kinds, match.groups(), strict=True):
        if parts.setdefault(kind, part).upper() != part.upper():
            return None
    try:
        return _moment(parts)
    except ValueError:
        return None


def _moment(parts: Mapping[str, str]) -> Moment:
    month = int(parts.get("M") or 1)
    if "n" in parts:
        month = 1 + [name[:3].upper() for name in MONTHS].index(parts["n"][:3].upper())
    hour = int(parts["H"]) if "H" in parts else int(parts.get("h") or 0)
    if "H" not in parts and "h" in parts:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if parts.get("t", "A")[0] in "Pp" else 0)
    year = int(parts.get("y") or 1)
    short = "y" in parts and len(parts["y"]) < 3
    if short:
        year += 2000 if year < 50 else 1900
    clock = datetime(year, month, int(parts.get("d") or 1), hour, int(parts.get("m") or 0), int(parts.get("s") or 0))
    if "w" in parts and not DAYS[clock.weekday()].upper().startswith(parts["w"][:3].upper()):
        raise ValueError(parts["w"])
    fraction = parts.get("f") or parts.get("F") or "0"
    zone = parts.get("z") or parts.get("K") or None
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        zone = f"{zone[0]}{digits[:2].zfill(2)}:{digits[2:].zfill(2)}"
        dates.offset(zone)
    sure = not short or not 2030 <= year < 2050
    return Moment(clock, int(fraction.ljust(7, "0")), zone.upper() if zone else None, "y" in parts, sure)


def in_utc(moment: Moment) -> datetime:
    """The moment's clock in UTC; OverflowError at the ends of the calendar."""
    return moment.clock - (dates.offset(moment.zone) if moment.zone else timedelta())


def write(clock: datetime, ticks: int, form: str, zone: str) -> str:
    """A moment in this format; zone is what K writes."""
    pieces: list[str] = []
    for token in tokens(form):
        if not token.length:
            pieces.append(token.text)
            continue
        part = _written(clock, ticks, token, zone)
        if token.text == "F" and not part and pieces and pieces[-1] == ".":
            pieces.pop()
        pieces.append(part)
    return "".join(pieces)


def _written(clock: datetime, ticks: int, token: _Token, zone: str) -> str:
    letter, length = token.text, token.length
    if letter == "y":
        return str(clock.year % 100).zfill(length) if length < 3 else str(clock.year).zfill(length)
    if letter in "Md" and length > 2:
        names, index = (MONTHS, clock.month - 1) if letter == "M" else (DAYS, clock.weekday())
        return names[index][:3] if length == 3 else names[index]
    if letter in "fF":
        digits = str(ticks).zfill(7)[:length]
        return digits if letter == "f" else digits.rstrip("0")
    if letter == "t":
        return ("AM" if clock.hour < 12 else "PM")[: min(length, 2)]
    if letter == "g":
        return "A.D."
    if letter == "K":
        return zone
    if letter == "z":
        return {1: "+0", 2: "+00"}.get(length, "+00:00")
    value = {"d": clock.day, "M": clock.month, "H": clock.hour, "m": clock.minute, "s": clock.second}.get(
        letter, clock.hour % 12 or 12
    )
    return str(value).zfill(min(length, 2))


def has_offset(form: str, letters: str = "z") -> bool:
    """Whether what a format writes depends on the distance of the clock from UTC; by z, or by the letters given."""
    return form == "U" or any(token.length and token.text in letters for token in tokens(form))
