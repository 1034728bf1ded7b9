# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of attribute mappings: every example of the reference, and what must be refused."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.engines.expression_syntax import Context, ExpressionError, NotFlowed, parse
from tests.lab.engines.expressions import evaluate
from tests.lab.engines.functions import FUNCTIONS, UNSUPPORTED, Redacted, as_text

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "expression-functions.json").read_text("utf-8"))
NOW = datetime(2026, 8, 3, 15, 4, 5, tzinfo=UTC)


def _examples() -> list[Any]:
    return [
        pytest.param(example, id=f"{name}-{number}")
        for name, entry in REFERENCE["functions"].items()
        if name not in UNSUPPORTED
        for number, example in enumerate(entry["examples"])
    ]


def _context(expression: str, given_values: dict[str, Any]) -> Context:
    names = re.findall(r"\[(\w+)\]", expression)
    return Context({name: given_values.get(name) for name in names}, {"DomainFQDN": "contoso.lab"}, "contoso.lab", NOW)


@pytest.mark.parametrize("example", _examples())
def test_the_reference_s_examples_come_out(example: dict[str, Any]) -> None:
    context = _context(example["expression"], example["input"])
    if example.get("outcome") == "not-flowed":
        with pytest.raises(NotFlowed):
            evaluate(example["expression"], context)
        return
    result = evaluate(example["expression"], context)
    if example.get("outcome") == "log-text":
        assert isinstance(result, Redacted)
        return
    assert (as_text(result) if isinstance(result, datetime) else result) == example["expected"]


@pytest.mark.parametrize(
    "expression",
    [
        text
        for entry in REFERENCE["functions"].values()
        for key in ("other_expressions", "unsupported_expressions")
        for text in entry.get(key, ())
    ],
)
def test_every_printed_expression_can_be_read(expression: str) -> None:
    parse(expression)


def test_every_function_of_the_reference_is_there_or_known_as_unsupported() -> None:
    assert set(REFERENCE["functions"]) == (set(FUNCTIONS) | set(UNSUPPORTED)) - {"Trim"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Trim([a])", "x y"),
        ("%DomainFQDN%", "contoso.lab"),
        ('Join("@", [b], DefaultDomain())', "one@contoso.lab"),
        ('Item(Split([c], "@"), 1)', "p"),
        ("Item([list], 3)", None),
        ("Count([list])", 2),
        ('Mid("abcdef", 3, 99)', "cdef"),
        ('Not("True")', False),
        ("Now()", NOW),
        ('NumFromDate("2012-01-01T23:00:00Z")', 129699324000000000),
        ("RemoveDuplicates([twice])", ["x", "y"]),
        ('IIF(IsPresent([missing]), "yes", "no")', "no"),
        ("Left([missing], 3)", ""),
        ('Word("a b", 5, " ")', ""),
        ('"a \\"b\\" \\, \\\\"', 'a "b" \\, \\'),
        ('InStr("ABC", "b", 1, vbTextCompare)', 2),
        ('InStr("ABC", "b", 1, vbBinaryCompare)', 0),
        ("Coalesce([missing], [b])", "one"),
        ("CBool([b] = [b])", True),
        ('IIF(10 > 9, "number", "text")', "number"),
    ],
)
def test_what_the_reference_leaves_to_prose(expression: str, expected: Any) -> None:
    attributes = {"a": " x y ", "b": "one", "c": "p@q", "list": ["x", "y"], "twice": ["x", "y", "x"], "missing": None}
    assert evaluate(expression, Context(attributes, {"DomainFQDN": "contoso.lab"}, "contoso.lab", NOW)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "Join(",
        'Join("a", [b]',
        'Join("a" [b])',
        "[b] [b]",
        "Nothing([b])",
        "SelectUniqueValue([b], [b])",
        "[unknown]",
        "%NoSetting%",
        "Left([b])",
        'CDate("yesterday")',
        'Switch([b], "x", "k")',
        'Replace([b], , "(", , "x", , )',
        "x" * 10_001,
    ],
)
def test_what_cannot_be_evaluated_says_so(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, Context({"b": "one"}))


@pytest.mark.parametrize(
    ("comparison", "fails", "as_text"),
    [
        ('[missing] = ""', "no", "yes"),
        ('[missing] <> "x"', "no", "yes"),
        ('"x" <> [missing]', "no", "yes"),
        ('[missing] = "x"', "no", "no"),
        ('[here] <> "x"', "yes", "yes"),
        ("Len([missing]) = 0", "yes", "yes"),
    ],
)
def test_comparisons_with_an_attribute_without_a_value(comparison: str, fails: str, as_text: str) -> None:
    for reading, expected in (("fails", fails), ("as_text", as_text)):
        context = Context({"missing": None, "here": "y"}, null_comparison=reading)
        assert evaluate(f'IIF({comparison}, "yes", "no")', context) == expected


def test_branches_that_are_not_chosen_are_not_evaluated() -> None:
    assert evaluate('IIF("a" = "a", "ok", CDate("no date"))', Context({})) == "ok"


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ExpressionError:
        return


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_a_string_comes_back_as_it_was(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert evaluate(f'Append("{quoted}", "")', Context({})) == text
