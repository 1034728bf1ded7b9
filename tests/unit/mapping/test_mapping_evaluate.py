# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluating expressions: all that Microsoft's reference prints with a result, what its notes say, and what it leaves
open, which must be undetermined and never guessed."""

from __future__ import annotations

import json
import random
import re
import string
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import evaluate as ev
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    Context,
    EvaluationError,
    Undetermined,
    shown_date,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "expression-functions.json").read_text())
ADDRESS = REFERENCE["source"].rpartition(" ")[2]
NOON = datetime(2026, 8, 3, 12, 30, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One printed example and where it is printed."""

    address: str
    expression: str
    expected: Any
    given: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    taken: tuple[str, ...] | None = None


def rows() -> Iterator[Row]:
    for name, function in REFERENCE["functions"].items():
        for example in function["examples"]:
            taken = example.get("state", {}).get("taken")
            yield Row(
                address=f"{ADDRESS}#{name.lower()}",
                expression=example["expression"],
                expected=example["expected"],
                given=example["input"],
                outcome=example.get("outcome", ""),
                taken=None if taken is None else tuple(taken),
            )


def run(expression: str, context: Context | None = None, **values: Any) -> Any:
    return ev.evaluate(ex.parse(expression), values, context or Context())


@pytest.mark.parametrize(
    "row", list(rows()), ids=lambda row: f"{row.address.rpartition('#')[2]}: {row.expression[:60]}"
)
def test_every_printed_example_has_its_printed_result(row: Row) -> None:
    compiled = ev.compile(ex.parse(row.expression))
    value = compiled(row.given, Context(taken=row.taken))
    if row.outcome == "not-flowed":
        assert value is NOT_FLOWED, row.address
    elif row.outcome == "log-text":
        assert compiled.shown(value) == row.expected, row.address
    else:
        shown = shown_date(value) if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value
        assert (shown, type(shown)) == (row.expected, type(row.expected)), row.address


def test_the_table_is_complete() -> None:
    assert ADDRESS.startswith("https://learn.microsoft.com/")
    assert len(list(rows())) == 56
    assert {row.outcome for row in rows()} == {"", "not-flowed", "log-text"}
    assert sum(row.taken is not None for row in rows()) == 2


def test_every_function_that_a_job_can_use_can_be_evaluated() -> None:
    assert set(ev.BUILDERS) == {name for name, function in FUNCTIONS.items() if not function.unsupported}


NOTES = [
    # Left, Len, Mid, Word: ends and nulls.
    ('Left([a], 0)', {"a": "John"}, ""),
    ('Left([a], -1)', {"a": "John"}, "John"),
    ('Left([a], 99)', {"a": "John"}, "John"),
    ('Left([a], 3)', {}, ""),
    ("Len([a])", {}, 0),
    ('Len("")', {}, 0),
    ("Len(42568.75)", {}, 8),
    ("Len([a])", {"a": "😀"}, 2),
    ('Mid([a], 2, 99)', {"a": "John"}, "ohn"),
    ('Mid([a], 1, 1)', {"a": "John"}, "J"),
    ('Mid([a], 2, 0)', {"a": "John"}, ""),
    ('Word([a], 0, " ")', {"a": "x"}, ""),
    ('Word([a], 1, " ")', {}, ""),
    ('Word([a], 9, " ")', {"a": "x y"}, ""),
    ('Word([a], 2, "-, ")', {"a": "one-two,three"}, "two"),
    # Join skips what is empty, takes every value of an attribute, and numbers.
    ('Join("-", [a], [b], 1000, "")', {"a": ("x", "y")}, "x-y-1000"),
    ('Join([a], "x", "y")', {}, "xy"),
    ('Join("-", [a])', {}, ""),
    # Choices.
    ('Coalesce([a], [b])', {}, None),
    ('Coalesce([a], [b], "")', {}, ""),
    ('Switch([a], , "x", "y")', {"a": "X"}, None),
    ('Switch([a], "d", "", "none")', {}, "none"),
    ('Switch([a], "d", [b], "same")', {"a": "x", "b": "x"}, "same"),
    ('Switch([a], "d", "x", "first", "x", "second")', {"a": "x"}, "first"),
    ('Switch([a], , "True", "yes")', {"a": True}, "yes"),
    ('Switch(BitAnd([a], 4), "off", "4", "on")', {"a": 6}, "on"),
    ('IIF(IsPresent([a]), [a], "d")', {"a": "x"}, "x"),
    ('IIF(IsPresent([a]), [a], "d")', {}, "d"),
    ('IIF(IsNullOrEmpty([a]), "d", [a])', {"a": ""}, "d"),
    ('IIF([a] <> "x", "no", "yes")', {"a": "y"}, "no"),
    ('IIF([a] >= 5, "big", "small")', {"a": "10"}, "big"),
    ('IIF([a] = "x", IgnoreFlowIfNullOrEmpty([b]), "n")', {"a": "x"}, NOT_FLOWED),
    ('IgnoreFlowIfNullOrEmpty([a])', {"a": ("x", "y")}, ("x", "y")),
    ('IgnoreFlowIfNullOrEmpty(Trim([a]))', {"a": "  "}, NOT_FLOWED),
    # Tests.
    ("IsNull([a])", {"a": ""}, False),
    ("IsNullOrEmpty([a])", {"a": ""}, True),
    ("IsPresent([a])", {"a": 0}, True),
    ("IsString([a])", {"a": "x"}, True),
    ('Not("True")', {}, False),
    ('Not("False")', {}, True),
    ("Not([a])", {}, True),
    ("Not(IsNull([a]))", {}, False),
    ("CBool([a] = [b])", {"a": "x", "b": "x"}, True),
    ("CBool([a] = [b])", {"a": "x", "b": "y"}, False),
    ("CBool(0)", {}, False),
    ("CBool(-2)", {}, True),
    # Conversions.
    ("CStr([a])", {"a": True}, "True"),
    ("CStr(12)", {}, "12"),
    ("BitAnd([a], &H4)", {"a": "6"}, 4),
    ('ConvertToUTF8Hex("é")', {}, "C3A9"),
    ('ToUpper("i", "tr-TR")', {}, "İ"),
    ('ToLower("I", "az")', {}, "ı"),
    ('ToLower("ΟΔΟΣ")', {}, "οδοσ"),
    ('ToUpper("straße")', {}, "STRAßE"),
    ('ToUpper("i", "en-US")', {}, "I"),
    ("ToLower([a])", {}, None),
    ('NormalizeDiacritics("Łukasz Øre æß")', {}, "Lukasz OEre aess"),
    ('NormalizeDiacritics("Иван")', {}, "Иван"),
    ('StripSpaces("a b\tc ")', {}, "ab\tc"),
    ('Trim("\u00a0 a b\n")', {}, "a b"),
    ('PCase("jean-luc O-HARA", "-")', {}, "Jean-Luc o-Hara"),
    # Lists.
    ("Count([a])", {"a": ("x", "y", "z")}, 3),
    ("Item([a], 2)", {"a": ("x", "y")}, "y"),
    ('Item(Split([a], "@"), 1)', {"a": "joe@contoso.com"}, "joe"),
    ("RemoveDuplicates([a])", {"a": ("x", "y", "x")}, ("x", "y")),
    ("Split([a], \",\")", {}, None),
    # Replace.
    ('Replace([a], "x", , , "y", , )', {"a": "xXx"}, "yXy"),
    ('Replace([a], "x", , , "", , )', {"a": "xax"}, "a"),
    ('Replace([a], , "(?<n>\\d)", "n", , [b], )', {"a": "kept", "b": "1"}, "kept"),
    ('Replace([a], , "(?<n>\\d)", "n", , [b], )', {}, None),
    ('Replace([mobile], , "[()\\\\s-]+", , "", , )', {"mobile": "+1 (999) 888-7777"}, "+19998887777"),
    ('Replace([a], , "(?<x>.)(?<y>.)", , "${y}${x}", , )', {"a": "abcd"}, "badc"),
    # Numbers of dates.
    ('NumFromDate("2012-01-01T23:00:00Z")', {}, 129699324000000000),
    ('NumFromDate(Join("", FormatDateTime([d], , "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd"), " 23:59:59-08:00"))',
     {"d": "12/31/2020 12:00:00 AM"}, 132539615990000000),
    ('DateAdd("m", 1, CDate("2024-01-31"))', {}, datetime(2024, 2, 29, tzinfo=UTC)),
    ('DateAdd("n", -1, CDate("2024-01-01"))', {}, datetime(2023, 12, 31, 23, 59, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "values", "expected"), NOTES)
def test_what_the_notes_say(expression: str, values: dict[str, Any], expected: Any) -> None:
    assert run(expression, **values) == expected


OPEN = [
    ('Append([a], "x")', {}, "source is null"),
    ("Count([a])", {}, "absent attribute"),
    ('IIF([a] = "x", "1", "2")', {}, "null or empty"),
    ('IIF([a] = "", "1", "2")', {"a": "x"}, "null or empty"),
    ('IIF([a] = "x", "1", "2")', {"a": "X"}, "case of texts"),
    ('IIF([a] > "b", "1", "2")', {"a": "c"}, "greater"),
    ('IIF([a], "1", "2")', {}, "null or empty"),
    ('IIF(IgnoreFlowIfNullOrEmpty([a]), "1", "2")', {"a": "x"}, "as a condition"),
    ('Switch(IsPresent([a]), [a], "True", "x")', {"a": "x"}, "no IsPresent as its source"),
    ('InStr([a], "X")', {"a": "yx"}, "case counts"),
    ('InStr([a], "q", , vbTextCompare)', {"a": "x"}, "nothing is found"),
    ("Mid([a], 9, 1)", {"a": "x"}, "outside the text"),
    ("Mid([a], 0, 1)", {"a": "x"}, "outside the text"),
    ('Word([a], 2, " ")', {"a": "x  y"}, "two delimiters"),
    ('NormalizeDiacritics("đ")', {}, "đ"),
    ('PCase("o\'neill")', {}, "apostrophe"),
    ("ToLower([a])", {"a": ("x", "y")}, "2 values"),
    ("RemoveDuplicates([a])", {"a": ("smtp:x", "SMTP:x")}, "case only"),
    ("IsString([a])", {"a": 1}, "beside texts"),
    ('Item(Split([a], ","), 2)', {"a": "x,,y"}, "empty piece"),
    ('Append(IgnoreFlowIfNullOrEmpty([a]), "x")', {}, "IgnoreFlowIfNullOrEmpty"),
    ('Replace([a], "x", , , , [b], )', {"a": "x", "b": "y"}, "oldValue and replacementAttributeName"),
    ('Replace([a], , "(?<=a*)b", , "", , )', {"a": "x"}, "look-behind"),
    ('Replace([a], , "(a+)+$", , "", , )', {"a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}, "too long"),
    ('CDate("15 June 2009")', {}, "not known here"),
    ("Now()", {}, "time"),
    ("Guid()", {}, "another value"),
    ("RandomString(6,3,0,0,3)", {}, "another value"),
    ("DefaultDomain()", {}, "default domain"),
    ("SelectUniqueValue([a], [b])", {"a": "x"}, "exist in the directory"),
    ("Append([a], %DomainFQDN%)", {"a": "x"}, "%DomainFQDN%"),
    ("SingleAppRoleAssignment([appRoleAssignments])", {}, "role assignments"),
    ("Frobnicate([a])", {}, "no function of this name"),
    ("Append([a])", {}, "takes no 1 arguments"),
    ("Append(, [a])", {}, "source is left out"),
    ('Switch([a], "d", "k", "v", "k2")', {}, "without its value"),
    ("ToLower(nonsense)", {}, "nonsense has no meaning"),
]


@pytest.mark.parametrize(("expression", "values", "words"), OPEN)
def test_what_cannot_be_known_is_undetermined(expression: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(Undetermined) as caught:
        run(expression, **values)
    assert words in caught.value.reason


ERRORS = [
    ("Item([a], 3)", {"a": ("x", "y")}, "Item", "index", "there is no value 3"),
    ("Item([a], 0)", {"a": ("x",)}, "Item", "index", "from 1"),
    ("CDate([a])", {"a": "nonsense"}, "CDate", "Expression", "'nonsense' is not a date"),
    ("CDate([a])", {"a": "2021-02-30"}, "CDate", "Expression", "no such date"),
    ("CDate([a])", {}, "CDate", "Expression", "no value"),
    ('DateAdd("q", 1, CDate("2021-01-01"))', {}, "DateAdd", "interval", "'q' is none of"),
    ('DateAdd("yyyy", 9999, CDate("2021-01-01"))', {}, "DateAdd", "value", "no calendar"),
    ("DateFromNum(-1)", {}, "DateFromNum", "value", "not the number of a date"),
    ("DateFromNum(9223372036854775807)", {}, "DateFromNum", "value", "not the number of a date"),
    ('NumFromDate("1600-01-01")', {}, "NumFromDate", "value", "1601"),
    ("Left([a], [b])", {"a": "x", "b": "y"}, "Left", "NumChars", "'y' is not a number"),
    ("Left([a], 1.5)", {"a": "x"}, "Left", "NumChars", "whole number"),
    ("Left([a], 1)", {"a": "😀"}, "Left", "", "in two"),
    ('Replace([a], , "(", , "x", , )', {"a": "x"}, "Replace", "regexPattern", "bracket is not closed"),
    ('Replace([a], , "x", "y", "z", , )', {"a": "x"}, "Replace", "regexGroupName", "no group named 'y'"),
    ('Replace([a], "", , , "z", , )', {"a": "x"}, "Replace", "oldValue", "empty"),
    ('ToLower([a], "no culture")', {"a": "x"}, "ToLower", "culture", "language tag"),
    ('IIF([a], "1", "2")', {"a": "maybe"}, "IIF", "condition", "neither true nor false"),
    ('FormatDateTime([a], , "yyyy", "q")', {"a": "2021"}, "FormatDateTime", "outputFormat", "'q'"),
    ('FormatDateTime([a], , "yyyy", "yyyy")', {"a": "x"}, "FormatDateTime", "source", "has not the form"),
    ('FormatDateTime([a], "Foo", "yyyy", "yyyy")', {"a": "x"}, "FormatDateTime", "dateTimeStyles", "Foo"),
]


@pytest.mark.parametrize(("expression", "values", "function", "argument", "words"), ERRORS)
def test_an_error_names_function_and_argument(
    expression: str, values: dict[str, Any], function: str, argument: str, words: str
) -> None:
    with pytest.raises(EvaluationError) as caught:
        run(expression, **values)
    assert caught.value.facts == {"function": function, "argument": argument}
    assert caught.value.message.startswith(function)
    assert words in caught.value.reason


def test_attribute_names_have_no_case_and_may_be_read_by_a_function() -> None:
    assert run("[EXTENSIONattribute1]", extensionAttribute1="x") == "x"
    asked: list[str] = []
    ev.evaluate(ex.parse("Trim([Mail])"), lambda name: asked.append(name))
    assert asked == ["Mail"]


def test_only_the_chosen_branch_is_evaluated() -> None:
    assert run('IIF(IsPresent([a]), "x", Item([b], 9))', a="1") == "x"
    assert run('Switch([a], Item([b], 9), "1", "x")', a="1") == "x"
    assert run("Coalesce([a], Item([b], 9))", a="1") == "1"


def test_the_context_gives_what_the_object_cannot() -> None:
    known = Context(now=NOON, default_domain="contoso.com", settings={"domainfqdn": "ad.contoso.com"})
    assert run("Now()", known) == "8/3/2026 12:30:05 PM"
    assert run('DateDiff("h", CDate("2026-08-03"), Now())', known) == 12
    assert run('Join("@", [a], DefaultDomain())', known, a="joe") == "joe@contoso.com"
    assert run("Append([a], %DomainFQDN%)", known, a="@") == "@ad.contoso.com"
    with pytest.raises(EvaluationError, match="no default domain"):
        run("DefaultDomain()", Context(default_domain=""))


def test_values_that_exist_are_taken_without_regard_to_case() -> None:
    assert run('SelectUniqueValue("Joe", "Ann")', Context(taken=["JOE"])) == "Ann"
    with pytest.raises(EvaluationError, match="escrow"):
        run('SelectUniqueValue("Joe", "Ann")', Context(taken=["joe", "ann"]))


@pytest.mark.parametrize("seed", range(20))
def test_random_values_have_the_properties_that_are_stated(seed: int) -> None:
    context = Context(random=random.Random(seed))
    assert str(uuid.UUID(run("Guid()", context))) == run("Guid()", Context(random=random.Random(seed)))
    assert run("Guid()", context) != run("Guid()", context)
    six = run("RandomString(6,3,0,0,3)", context)
    assert re.fullmatch(r"[a-z0-9]{6}", six)
    assert sum(letter.isdigit() for letter in six) == 3
    ten = run('RandomString(10,2,2,2,1,"?,")', context)
    kinds = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
    digits, capitals, small = (sum(letter in kind for letter in ten) for kind in kinds)
    assert (len(ten), digits >= 2, capitals >= 2, small >= 1) == (10, True, True, True)
    assert 10 - digits - capitals - small >= 2
    assert not set(ten) & set("?,")


@pytest.mark.parametrize(
    "expression", ["RandomString(257,0,0,0,0)", "RandomString(2,1,1,1,0)", 'RandomString(2,1,0,0,0,"0123456789")']
)
def test_a_random_string_that_cannot_be_is_an_error(expression: str) -> None:
    with pytest.raises(EvaluationError):
        run(expression, Context(random=random.Random(0)))


def test_what_is_redacted_is_not_shown() -> None:
    compiled = ev.compile(ex.parse("Append(Redact([a]), [b])"))
    assert compiled.redacted
    assert compiled({"a": "x", "b": "y"}) == "xy"
    assert compiled.shown("xy") == "[Redact]"
    plain = ev.compile(ex.parse("[a]"))
    assert (plain.shown(("x", "y")), plain.shown(None), plain.shown(NOON)) == ("x, y", "", "8/3/2026 12:30:05 PM")


def test_a_result_cannot_fill_the_memory() -> None:
    expression = "[a]"
    for _ in range(60):
        expression = f'Replace({expression}, "x", , , "xx", , )'
    with pytest.raises(EvaluationError, match="1000000 characters"):
        run(expression, a="x")
