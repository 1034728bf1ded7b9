# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Dates in expressions: read from text, counted, and as AD's number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

INTERVALS: Mapping[str, str] = {
    "yyyy": "year",
    "m": "month",
    "d": "day",
    "ww": "week",
    "h": "hour",
    "n": "minute",
    "s": "second",
}
"""The interval codes of DateAdd and DateDiff. n is minute, m is month."""

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS = 10_000_000
_SECONDS = {"ww": 604_800, "d": 86_400, "h": 3_600, "n": 60, "s": 1}
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,7}))?)?"
_ZONE = r"\s*(?P<zone>Z|GMT|[+-]\d{2}:?\d{2})"
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})(?:(?:T|\s+){_CLOCK}\s*(?P<half>[AP]M)?)?(?:{_ZONE})?",
        rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}})(?:\s+{_CLOCK}\s*(?P<half>[AP]M)?)?(?:{_ZONE})?",
    )
)


def read(found: str) -> datetime | None:
    """The moment that a text names, in UTC; None for a text in no known form, ValueError for what no calendar has.

    Known are the forms of ISO 8601 and of the invariant culture, M/d/yyyy; a text without an offset is in UTC, a date
    without a time is midnight.
    """
    match = next((match for form in _FORMS if (match := form.fullmatch(found.strip()))), None)
    if match is None:
        return None
    parts = match.groupdict()
    hour, half = int(parts["hour"] or 0), (parts["half"] or "").upper()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(found)
        hour = hour % 12 + (12 if half == "PM" else 0)
    try:
        moment = datetime(
            int(parts["year"]),
            int(parts["month"]),
            int(parts["day"]),
            hour,
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            int((parts["fraction"] or "0").ljust(6, "0")[:6]),
            UTC,
        )
        return moment - offset(parts["zone"] or "Z")
    except OverflowError as error:
        raise ValueError(found) from error


def offset(zone: str) -> timedelta:
    """The distance of a zone such as +02:00 or Z from UTC; ValueError for one that cannot be."""
    if zone.upper() in ("Z", "GMT"):
        return timedelta()
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise ValueError(zone)
    distance = timedelta(hours=hours, minutes=minutes)
    return -distance if zone.startswith("-") else distance


def add(interval: str, count: int, moment: datetime) -> datetime:
    """A moment so many intervals later; OverflowError or ValueError where no calendar has it.

    A day that the month does not have becomes the month's last.
    """
    if interval in _SECONDS:
        return moment + timedelta(seconds=_SECONDS[interval] * count)
    months = moment.year * 12 + moment.month - 1 + (count * 12 if interval == "yyyy" else count)
    year, month = divmod(months, 12)
    day = min(moment.day, _days(year, month + 1))
    return moment.replace(year=year, month=month + 1, day=day)


def _days(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1) if (year, month) < (9999, 12) else None
    return 31 if following is None else (following - timedelta(days=1)).day


def difference(interval: str, one: datetime, other: datetime) -> int:
    """The intervals from one moment to the other, as Visual Basic's DateDiff counts.

    Parts of a day, an hour, a minute do not count; years, months and weeks count by the calendar, weeks from Sunday.
    """
    if interval == "yyyy":
        return other.year - one.year
    if interval == "m":
        return (other.year - one.year) * 12 + other.month - one.month
    passed = other - one
    if interval == "ww":
        passed += timedelta(days=one.isoweekday() % 7 - other.isoweekday() % 7)
        return _toward_zero(_toward_zero_seconds(passed, "d"), 7)
    return _toward_zero_seconds(passed, interval)


def _toward_zero_seconds(passed: timedelta, interval: str) -> int:
    return _toward_zero(passed // timedelta(microseconds=1), _SECONDS[interval] * 1_000_000)


def _toward_zero(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


def to_number(moment: datetime) -> int:
    """AD's number of a moment: intervals of 100 nanoseconds since 1601; ValueError for an earlier moment."""
    if moment < _EPOCH:
        raise ValueError(moment)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def from_number(value: int) -> datetime:
    """The moment of AD's number; OverflowError or ValueError where there is none."""
    if value < 0:
        raise ValueError(value)
    return _EPOCH + timedelta(seconds=value // _TICKS, microseconds=value % _TICKS // 10)
