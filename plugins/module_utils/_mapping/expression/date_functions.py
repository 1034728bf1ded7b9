# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Functions of expressions that deal with dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import date_formats, dates
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import Builder, strict
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    EvaluationError,
    Undetermined,
    Value,
    known_text,
    text,
    undocumented,
    whole,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.letters import WHITE_SPACE

STYLES = (
    *("None", "AllowLeadingWhite", "AllowTrailingWhite", "AllowInnerWhite", "AllowWhiteSpaces"),
    *("NoCurrentDateDefault", "AdjustToUniversal", "AssumeLocal", "AssumeUniversal", "RoundtripKind"),
)
DEFAULT_STYLE = "RoundtripKind, AllowLeadingWhite, AllowTrailingWhite"
_BY_NAME = {name.lower(): name for name in STYLES}


def moment(value: Value, function: str, argument: str) -> datetime:
    """A value as a moment in UTC; EvaluationError where it is none, Undetermined for a form that is not known here."""
    if isinstance(value, datetime):
        return value
    found = text(value, function, argument)
    if not found:
        raise EvaluationError(function, argument, "a date is needed, and there is no value")
    try:
        parsed = dates.read(found)
    except ValueError as error:
        raise EvaluationError(function, argument, f"there is no such date as {found[:40]!r}") from error
    if parsed is not None:
        return parsed
    if not any(letter.isdigit() for letter in found):
        raise EvaluationError(function, argument, f"{found[:40]!r} is not a date")
    raise Undetermined(f"{function}: {found[:40]!r} has a form that is not known here, and .NET may read it as a date")


def _cdate(value: Value) -> Value:
    return moment(value, "CDate", "Expression")


def _date_add(interval: Value, value: Value, start: Value) -> Value:
    code = _interval(interval, "DateAdd")
    count = whole(value, "DateAdd", "value")
    begun = moment(start, "DateAdd", "dateTime")
    try:
        return dates.add(code, count, begun)
    except (ValueError, OverflowError) as error:
        raise EvaluationError("DateAdd", "value", f"no calendar reaches {count} {dates.INTERVALS[code]}s on") from error


def _date_diff(interval: Value, one: Value, other: Value) -> Value:
    code = _interval(interval, "DateDiff")
    return dates.difference(code, moment(one, "DateDiff", "date1"), moment(other, "DateDiff", "date2"))


def _interval(value: Value, function: str) -> str:
    code = known_text(value, function, "interval")
    if code not in dates.INTERVALS:
        raise EvaluationError(function, "interval", f"{code[:40]!r} is none of {', '.join(dates.INTERVALS)}")
    return code


def _date_from_num(value: Value) -> Value:
    count = whole(value, "DateFromNum", "value")
    try:
        return dates.from_number(count)
    except (ValueError, OverflowError) as error:
        raise EvaluationError("DateFromNum", "value", f"{count} is not the number of a date") from error


def _num_from_date(value: Value) -> Value:
    found = moment(value, "NumFromDate", "value")
    try:
        return dates.to_number(found)
    except ValueError as error:
        raise EvaluationError("NumFromDate", "value", "AD's dates begin in 1601") from error


def _format_date_time(source: Value, style: Value, input_format: Value, output_format: Value) -> Value:
    found = text(source, "FormatDateTime", "source")
    if not found:
        return None
    styles = _styles(text(style, "FormatDateTime", "dateTimeStyles") or DEFAULT_STYLE)
    form, output = (
        known_text(value, "FormatDateTime", name)
        for value, name in ((input_format, "inputFormat"), (output_format, "outputFormat"))
    )
    try:
        read = date_formats.read(_stripped(found, styles), form)
    except date_formats.WrongFormat as error:
        raise EvaluationError("FormatDateTime", "inputFormat", str(error)) from error
    if read is None:
        raise EvaluationError("FormatDateTime", "source", f"{found[:40]!r} has not the form {form[:40]!r}")
    try:
        return _rewritten(read, styles, output)
    except date_formats.WrongFormat as error:
        raise EvaluationError("FormatDateTime", "outputFormat", str(error)) from error


def _rewritten(read: date_formats.Moment, styles: frozenset[str], output: str) -> str:
    if not read.has_year:
        raise Undetermined("FormatDateTime: without a year in inputFormat it depends on the day it is evaluated")
    if not read.sure_century:
        raise undocumented("FormatDateTime", f"to which century the year {read.clock.year % 100} belongs")
    if "AllowInnerWhite" in styles or "AllowWhiteSpaces" in styles:
        raise Undetermined("FormatDateTime: blanks within a date are not understood here")
    if read.zone is None:
        if "AssumeLocal" in styles or ("AssumeUniversal" in styles and "AdjustToUniversal" not in styles):
            raise _own_zone()
        universal = "AssumeUniversal" in styles
        if date_formats.has_offset(output) and not universal:
            raise _own_zone()
        return date_formats.write(read.clock, read.ticks, output, "Z" if universal else "")
    try:
        in_utc = date_formats.in_utc(read)
    except OverflowError as error:
        raise EvaluationError("FormatDateTime", "source", "no calendar holds it in UTC") from error
    if "AdjustToUniversal" in styles or ("RoundtripKind" in styles and read.zone == "Z"):
        return date_formats.write(in_utc, read.ticks, output, "Z")
    as_read, universal_text = (date_formats.write(clock, read.ticks, output, "") for clock in (read.clock, in_utc))
    if date_formats.has_offset(output, "zK") or as_read != universal_text:
        raise _own_zone()
    return as_read


def _own_zone() -> Undetermined:
    return undocumented("FormatDateTime", "which time zone the service converts to")


def _styles(names: str) -> frozenset[str]:
    unknown = unknown_styles(names)
    if unknown:
        raise EvaluationError("FormatDateTime", "dateTimeStyles", f"{unknown[0][:40]!r} is none of .NET's styles")
    return frozenset(_BY_NAME[name.strip().lower()] for name in names.split(","))


def unknown_styles(names: str) -> list[str]:
    """The names in a list of styles that .NET does not have."""
    found = [name.strip() for name in names.split(",")]
    return [name for name in found if name.lower() not in _BY_NAME]


def _stripped(found: str, styles: frozenset[str]) -> str:
    if "AllowLeadingWhite" in styles or "AllowWhiteSpaces" in styles:
        found = found.lstrip(WHITE_SPACE)
    if "AllowTrailingWhite" in styles or "AllowWhiteSpaces" in styles:
        found = found.rstrip(WHITE_SPACE)
    return found


BUILDERS: Mapping[str, Builder] = {
    "CDate": strict(_cdate),
    "DateAdd": strict(_date_add),
    "DateDiff": strict(_date_diff),
    "DateFromNum": strict(_date_from_num),
    "FormatDateTime": strict(_format_date_time),
    "NumFromDate": strict(_num_from_date),
}
