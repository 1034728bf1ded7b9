# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates in .NET's custom formats, as far as attribute-mapping expressions use them."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone

EPOCH_1601 = datetime(1601, 1, 1, tzinfo=UTC)

_TOKEN = re.compile(
    r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|tt|t|zzz|zz|z|K|'[^']*'|\\.|."
)
_MONTHS = list(calendar.month_name)
_DAYS = list(calendar.day_name)

_PATTERNS = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<year2>\d{2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "MMM": r"(?P<monthname>[A-Za-z]{3})",
    "MMMM": r"(?P<monthname>[A-Za-z]+)",
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "ddd": r"[A-Za-z]{3}",
    "dddd": r"[A-Za-z]+",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<hour12>\d{2})",
    "h": r"(?P<hour12>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "tt": r"(?P<half>[AaPp][Mm])",
    "t": r"(?P<half>[AaPp])",
    "zzz": r"(?P<offset>[+-]\d{2}:?\d{2})",
    "zz": r"(?P<offset>[+-]\d{2})",
    "z": r"(?P<offset>[+-]\d{1,2})",
    "K": r"(?P<offset>Z|[+-]\d{2}:\d{2})?",
}

_ISO = re.compile(
    r"^\s*(?P<date>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?P<fraction>\.\d+)?)?\s*"
    r"(?P<offset>Z|[+-]\d{2}:?\d{2})?\s*$"
)
_AMERICAN = ("M/d/yyyy h:mm:ss tt", "M/d/yyyy h:mm tt", "M/d/yyyy HH:mm:ss", "M/d/yyyy")


def _offset(value: str | None) -> timezone | None:
    if not value:
        return None
    if value == "Z":
        return UTC
    digits = value[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:4] or 0)
    return timezone(timedelta(minutes=-minutes if value[0] == "-" else minutes))


def read(text: str, form: str) -> datetime:
    """``text`` by a .NET custom format; ValueError when it does not fit. Without an offset the time is UTC."""
    pattern = "".join(_piece(token) for token in _TOKEN.findall(form))
    match = re.match(rf"^\s*{pattern}\s*$", text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form {form!r}")
    found = match.groupdict()
    hour = int(found.get("hour") or found.get("hour12") or 0)
    if found.get("hour12") and found.get("half"):
        hour = hour % 12 + (12 if found["half"].upper().startswith("P") else 0)
    year = int(found["year"]) if found.get("year") else 1
    if found.get("year2"):
        year = 2000 + int(found["year2"]) if int(found["year2"]) < 50 else 1900 + int(found["year2"])
    month = int(found.get("month") or 1)
    if found.get("monthname"):
        names = [name[:3].lower() for name in _MONTHS]
        month = names.index(found["monthname"][:3].lower())
    microsecond = int((found.get("fraction") or "0").ljust(6, "0")[:6])
    zone = _offset(found.get("offset")) or UTC
    day, minute, second = int(found.get("day") or 1), int(found.get("minute") or 0), int(found.get("second") or 0)
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)


def _piece(token: str) -> str:
    if token in _PATTERNS:
        return _PATTERNS[token]
    if token[0] in "fF" and set(token) <= {"f", "F"}:
        return rf"(?P<fraction>\d{{{1 if token[0] == 'f' else 0},{len(token)}}})"
    if token.startswith("'"):
        return re.escape(token[1:-1])
    return re.escape(token[1:] if token.startswith("\\") else token)


def write(moment: datetime, form: str) -> str:
    """``moment`` in a .NET custom format."""
    return "".join(_written(moment, token) for token in _TOKEN.findall(form))


def _written(moment: datetime, token: str) -> str:
    hour12 = moment.hour % 12 or 12
    offset = moment.strftime("%z") or "+0000"
    values = {
        "yyyy": f"{moment.year:04}",
        "yy": f"{moment.year % 100:02}",
        "MMMM": _MONTHS[moment.month],
        "MMM": _MONTHS[moment.month][:3],
        "MM": f"{moment.month:02}",
        "M": str(moment.month),
        "dddd": _DAYS[moment.weekday()],
        "ddd": _DAYS[moment.weekday()][:3],
        "dd": f"{moment.day:02}",
        "d": str(moment.day),
        "HH": f"{moment.hour:02}",
        "H": str(moment.hour),
        "hh": f"{hour12:02}",
        "h": str(hour12),
        "mm": f"{moment.minute:02}",
        "m": str(moment.minute),
        "ss": f"{moment.second:02}",
        "s": str(moment.second),
        "tt": "PM" if moment.hour >= 12 else "AM",
        "t": "P" if moment.hour >= 12 else "A",
        "zzz": f"{offset[:3]}:{offset[3:]}",
        "zz": offset[:3],
        "z": f"{offset[0]}{int(offset[1:3])}",
        "K": "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}",
    }
    if token in values:
        return values[token]
    if token[0] in "fF" and set(token) <= {"f", "F"}:
        digits = f"{moment.microsecond:06}0"[: len(token)]
        return digits if token[0] == "f" else digits.rstrip("0")
    return token[1:-1] if token.startswith("'") else token[1:] if token.startswith("\\") else token


def guess(text: str) -> datetime:
    """``text`` in one of the forms that CDate takes, in UTC; ValueError when it is in none."""
    match = _ISO.match(text)
    if match:
        clock = match["time"] or "00:00"
        clock = clock if len(clock) > 5 else f"{clock}:00"
        moment = datetime.fromisoformat(f"{match['date']}T{clock}").replace(tzinfo=_offset(match["offset"]) or UTC)
        return moment.astimezone(UTC)
    for form in _AMERICAN:
        try:
            return read(text, form).astimezone(UTC)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date")


def shown(moment: datetime) -> str:
    """A date as the service shows it: UTC, M/d/yyyy h:mm:ss tt."""
    return write(moment.astimezone(UTC), "M/d/yyyy h:mm:ss tt")


def add(interval: str, count: int, moment: datetime) -> datetime:
    """DateAdd: ``interval`` is yyyy, m, d, ww, h, n or s."""
    seconds = {"d": 86400, "ww": 7 * 86400, "h": 3600, "n": 60, "s": 1}
    if interval in seconds:
        return moment + timedelta(seconds=seconds[interval] * count)
    if interval not in ("yyyy", "m"):
        raise ValueError(f"there is no interval {interval!r}")
    months = moment.year * 12 + moment.month - 1 + (12 * count if interval == "yyyy" else count)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def difference(interval: str, first: datetime, second: datetime) -> int:
    """DateDiff, from ``first`` to ``second``: days and shorter are whole elapsed units, the others calendar units."""
    seconds = {"d": 86400, "h": 3600, "n": 60, "s": 1}
    if interval in seconds:
        return int((second - first).total_seconds() / seconds[interval])
    if interval == "ww":
        return (_sunday(second) - _sunday(first)).days // 7
    if interval == "yyyy":
        return second.year - first.year
    if interval == "m":
        return (second.year - first.year) * 12 + second.month - first.month
    raise ValueError(f"there is no interval {interval!r}")


def _sunday(moment: datetime) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=(day.weekday() + 1) % 7)
