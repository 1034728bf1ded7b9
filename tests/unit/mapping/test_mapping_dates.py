# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dates in expressions: .NET's formats, and what the service's own clock makes uncertain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import date_formats, dates
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import evaluate as ev
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    EvaluationError,
    Undetermined,
)
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.datetimes(datetime(1601, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


def formatted(source: str, form: str, output: str, style: str = "") -> Any:
    styled = f'"{style}"' if style else ""
    node = ex.parse(f"FormatDateTime([d], {styled}, {ex.render(ex.Text(form))}, {ex.render(ex.Text(output))})")
    return ev.evaluate(node, {"d": source})


@pytest.mark.parametrize(
    ("source", "form", "output", "expected"),
    [
        ("2015-01-23", "yyyy-MM-dd", "d.M.yy", "23.1.15"),
        ("1/2/2021 03:04:05 PM", "M/d/yyyy hh:mm:ss tt", "HH:mm:ss", "15:04:05"),
        ("1/2/2021 12:00:00 am", "M/d/yyyy hh:mm:ss tt", "H h t", "0 12 A"),
        ("  20210102 ", "yyyyMMdd", "dddd ddd MMMM MMM", "Saturday Sat January Jan"),
        ("2 Feb 2021", "d MMM yyyy", "yyyyMMdd", "20210202"),
        ("Saturday, January 2, 2021", "dddd, MMMM d, yyyy", "yyyyMMdd", "20210102"),
        ("2021-01-02 10:11:12.123", "yyyy-MM-dd HH:mm:ss.FFF", "ff|FFFF|s.FFF", "12|123|12.123"),
        ("2021-01-02 10:11:12", "yyyy-MM-dd HH:mm:ss.FFF|", "x", None),
        ("2021-01-02 10:11:12", "yyyy-MM-dd HH:mm:ss", "s.FFF", "12"),
        ("2021-01-02", "yyyy-MM-dd", "s", "2021-01-02T00:00:00"),
        ("2021-01-02", "yyyy-MM-dd", "'at' \\d \"d\" %d", "at d d 2"),
        ("2021-01-02", "yyyy-MM-dd", "yyyyK", "2021"),
        ("2021-01-02T03:04:05Z", "yyyy-MM-ddTHH:mm:ssK", "o", "2021-01-02T03:04:05.0000000Z"),
        ("2020-12-31-08:00", "yyyy-MM-ddzzz", "yyyy-MM-dd", "2020-12-31"),
        ("29 02 00", "dd MM yy", "yyyy", "2000"),
        ("01 01 99", "dd MM yy", "yyyy", "1999"),
        ("2021-02-30", "yyyy-MM-dd", "yyyy", None),
        ("Monday 2021-01-02", "dddd yyyy-MM-dd", "yyyy", None),
        ("13:00 PM 2021", "hh:mm tt yyyy", "yyyy", None),
        ("2021-1-2", "yyyy-MM-dd", "yyyy", None),
        ("", "yyyy", "yyyy", ""),
    ],
)
def test_a_date_is_read_by_one_format_and_written_by_another(
    source: str, form: str, output: str, expected: str | None
) -> None:
    if expected is None:
        with pytest.raises(EvaluationError, match="has not the form"):
            formatted(source, form, output)
    else:
        assert (formatted(source, form, output) or "") == expected


@pytest.mark.parametrize(
    ("source", "form", "output", "style", "words"),
    [
        ("2020-12-31+02:00", "yyyy-MM-ddzzz", "yyyy-MM-dd", "", "time zone"),
        ("2020-12-31-08:00", "yyyy-MM-ddzzz", "yyyy-MM-dd zzz", "", "time zone"),
        ("2020-12-31", "yyyy-MM-dd", "yyyy zzz", "", "time zone"),
        ("2020-12-31", "yyyy-MM-dd", "yyyy", "AssumeLocal", "time zone"),
        ("2020-12-31", "yyyy-MM-dd", "U", "", "time zone"),
        ("12-31", "MM-dd", "MM", "", "without a year"),
        ("31.12.35", "dd.MM.yy", "yyyy", "", "century"),
    ],
)
def test_what_depends_on_the_services_own_clock_is_undetermined(
    source: str, form: str, output: str, style: str, words: str
) -> None:
    with pytest.raises(Undetermined, match=words):
        formatted(source, form, output, style)


def test_a_style_can_make_it_certain() -> None:
    style = "AdjustToUniversal, AssumeUniversal"
    assert formatted("2020-12-31+02:00", "yyyy-MM-ddzzz", "yyyy-MM-dd HH:mm K", style) == "2020-12-30 22:00 Z"
    assert formatted("2020-12-31", "yyyy-MM-dd", "yyyy-MM-dd zzz", style) == "2020-12-31 +00:00"


@pytest.mark.parametrize("form", ["", "q", "'open", "x\\", "ffffffff"])
def test_what_is_no_format_is_told(form: str) -> None:
    with pytest.raises(date_formats.WrongFormat):
        date_formats.tokens(form)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-08-18+08:00", datetime(2021, 8, 17, 16, tzinfo=UTC)),
        ("2021/8/1", datetime(2021, 8, 1, tzinfo=UTC)),
        ("8/25/2021 5:41:18 PM", datetime(2021, 8, 25, 17, 41, 18, tzinfo=UTC)),
        ("2021-08-18T01:02:03.4567891Z", datetime(2021, 8, 18, 1, 2, 3, 456789, tzinfo=UTC)),
        ("2021-08-18 23:59:59-08:00", datetime(2021, 8, 19, 7, 59, 59, tzinfo=UTC)),
        ("yesterday", None),
        ("18.8.2021", None),
    ],
)
def test_dates_are_read(text: str, expected: datetime | None) -> None:
    assert dates.read(text) == expected


@pytest.mark.parametrize("text", ["2021-13-01", "13/1/2021 13:00 PM", "2021-01-01+15:00", "0001-01-01+01:00"])
def test_a_day_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        dates.read(text)


@given(MOMENTS)
def test_ads_number_of_a_date_is_reversible(moment: datetime) -> None:
    assert dates.from_number(dates.to_number(moment)) == moment


@given(MOMENTS, st.integers(-5000, 5000), st.sampled_from(["yyyy", "m", "ww", "d", "h", "n", "s"]))
def test_what_is_added_is_the_difference(moment: datetime, count: int, interval: str) -> None:
    try:
        later = dates.add(interval, count, moment)
    except (ValueError, OverflowError):
        return
    assert dates.difference(interval, moment, later) == count
    assert dates.difference(interval, later, moment) == -count


@pytest.mark.parametrize(
    ("interval", "one", "other", "expected"),
    [
        ("ww", "2026-08-01", "2026-08-02", 1),
        ("ww", "2026-08-02", "2026-08-08", 0),
        ("ww", "2026-08-08", "2026-08-02", 0),
        ("m", "2026-07-31", "2026-08-01", 1),
        ("yyyy", "2025-12-31", "2026-01-01", 1),
        ("d", "2026-08-01 23:00", "2026-08-02 22:00", 0),
        ("d", "2026-08-02 22:00", "2026-08-01 23:00", 0),
    ],
)
def test_years_months_and_weeks_count_by_the_calendar(interval: str, one: str, other: str, expected: int) -> None:
    first, second = dates.read(one), dates.read(other)
    assert first is not None
    assert second is not None
    assert dates.difference(interval, first, second) == expected


@given(MOMENTS, st.sampled_from(["yyyy-MM-dd HH:mm:ss", "d.M.yyyy H:m:s", "MMMM dd, yyyy hh:mm:ss tt", "s", "G"]))
def test_what_is_written_can_be_read(moment: datetime, form: str) -> None:
    clock = moment.replace(tzinfo=None, microsecond=0)
    read = date_formats.read(date_formats.write(clock, 0, form, ""), form)
    assert read is not None
    assert read.clock == clock
