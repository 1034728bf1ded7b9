# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions of .NET: carried out the same way, or refused with a reason, and never without an end."""

from __future__ import annotations

import re
import time

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import regex
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("pattern", "text", "replacement", "expected"),
    [
        ("a", "banana", "o", "bonono"),
        ("[a-z]*", "abc1", "-", "--1-"),
        (r"(?<first>\w)(\w)", "ab", "$1", "b"),
        (r"(?<first>\w)(\w)", "ab", "$2${first}$9${none}$$$&", "aa$9${none}$ab"),
        (r"(?'q'x)\k'q'", "xxx", "-", "-x"),
        (r"(x)(?<q>y)\2\1", "xyyx", "-", "-"),
        ("b", "abc", "[$`|$'|$_]", "a[a|c|abc]c"),
        ("(a)(?<n>b)?", "a", "$+", ""),
        (r"\bcat\b", "cat cats", "dog", "dog cats"),
        (r"\Bat", "cat at", "-", "c- at"),
        (r"\s+", "a\x1cb\u3000c", "", "a\x1cbc"),
        (r"\w+", "x\u00b2\u0301", "-", "-\u00b2-"),
        (r"\d", "3\u0663\u00b2", "-", "--\u00b2"),
        (r"\p{Lu}", "aBÄc", "-", "a--c"),
        (r"\P{L}", "a1b", "-", "a-b"),
        (r"[\p{Lu}\d]", "aB3", "-", "a--"),
        (r"[^\W_]", "a_1", "-", "-_-"),
        ("(?i)abc", "xABCx", "-", "x-x"),
        ("(?i:a)b", "AbAB", "-", "-AB"),
        ("a{,2}", "aa{,2}", "-", "a-"),
        ("x{a}", "x{a}", "-", "-"),
        (r"^.$", "a\n", "-", "-\n"),
        (r"a\z", "a\n", "-", "a\n"),
        (r"a\Z", "a\n", "-", "-\n"),
        (r"(?#comment)a", "a", "-", "-"),
        (r"(?>a*)b", "aab", "-", "-"),
        (r"(?<!x)y(?=z)", "xyz yz", "-", "xyz -z"),
        (r"[]x]", "]x[", "-", "--["),
        (r"[[&~|a]", "[&~|a-", ".", ".....-"),
        (r"[\w-.]", "a-.+", "x", "xxx+"),
        (r"\x41\u0042\cA\e\101", "AB\x01\x1bA", "-", "-"),
        (r"a+?", "aaa", "-", "---"),
        (".", "😀", "-", "--"),
    ],
)  # fmt: skip
def test_replaces_as_dotnet_does(pattern: str, text: str, replacement: str, expected: str) -> None:
    assert regex.compile(pattern).replace(text, replacement) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "[a",
        "*a",
        "a**",
        "a++",
        "a{2}{3}",
        "a{2,1}",
        "[z-a]",
        r"[a-\d]",
        r"\y",
        r"\_",
        "\\",
        r"\p{Foo}",
        r"\pL",
        r"\xG0",
        r"\u12",
        r"\k<no>",
        r"\1",
        "(?P<x>a)",
        "(?<>a)",
        "(?<a b>x)",
        "(?",
        "(?#a",
        r"\c1",
        "|(?",
    ],
)
def test_what_dotnet_refuses_is_wrong(pattern: str) -> None:
    with pytest.raises(regex.WrongPattern):
        regex.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?<a-b>x)",
        "(?<1>a)",
        "(?<a>x)(?<a>y)",
        "(?(1)a|b)",
        "[a-z-[b]]",
        "(?x)a b",
        "(?n:a)",
        "a(?i)b",
        r"\Ga",
        r"\p{IsGreek}",
        "(?<=a+)b",
        "^*",
        "(" * 60 + ")" * 60,
    ],
)
def test_what_only_dotnet_knows_is_unknown(pattern: str) -> None:
    with pytest.raises(regex.UnknownPattern):
        regex.compile(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a*)*b", "(a|a)*b", r"(\w+\s?)*$", "(x+x+)+y", "(a{1,30}){1,30}b", "a?" * 30 + "a" * 30]
)
def test_a_pattern_that_may_never_end_is_not_begun(pattern: str) -> None:
    with pytest.raises(regex.TooCostly):
        regex.compile(pattern).replace("a" * 40 + "!", "")


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(?<name>.*)@(?<domain>.*)$",
        r"[()\s-]+",
        r"(\d+-)*x",
        r"\+(?<code>\d* )(?<rest>\d{10})",
        r"^\s*(\S.*\S)\s*$",
        r"(?:[a-z]+\.)*[a-z]+",
        "^(CN|OU)=[^,]+(,(OU|DC)=[^,]+)*$",
    ],
)
def test_usual_patterns_are_good_for_usual_texts(pattern: str) -> None:
    assert regex.compile(pattern).longest >= 256


PIECES = ["a", "b", ".", "[ab]", "[^b]", r"\w", "(a)", "(?:ab)", "(a|b)", "(?:a|ab)", "(?=a)", "^", "$", r"\b"]
COUNTS = ["", "", "*", "+", "?", "{2}", "{0,3}", "*?"]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    made = ""
    for _ in range(draw(st.integers(1, 5))):
        piece = draw(st.sampled_from(PIECES))
        made += piece + ("" if piece in ("^", "$", r"\b") else draw(st.sampled_from(COUNTS)))
        if draw(st.integers(0, 3)) == 0:
            made = f"(?:{made}){draw(st.sampled_from(COUNTS))}"
    return made


@settings(max_examples=150, deadline=None)
@given(patterns(), st.sampled_from(["a", "ab", "aab", "b"]))
def test_whatever_is_carried_out_ends_soon_on_the_longest_text_allowed(pattern: str, unit: str) -> None:
    compiled = regex.compile(pattern)
    text = (unit * 200)[: min(compiled.longest, 200)] + "!"
    if len(text) > compiled.longest:
        return
    begun = time.monotonic()
    compiled.replace(text, "")
    assert time.monotonic() - begun < 5


@settings(max_examples=200, deadline=None)
@given(patterns(), st.text("ab", max_size=8))
def test_python_and_dotnet_agree_where_their_syntax_is_the_same(pattern: str, text: str) -> None:
    try:
        found = regex.compile(pattern).replace(text, "-")
    except regex.TooCostly:
        return
    assert found == re.sub(pattern, "-", text)


@settings(max_examples=300, deadline=None)
@given(st.text("ab()[]{}|*+?^$\\.-<>=!:'#,1kpPdwi ", max_size=12), st.text(max_size=8))
def test_any_text_is_a_pattern_or_is_refused_with_a_reason(pattern: str, text: str) -> None:
    try:
        regex.compile(pattern).replace(text, "$1${k}$&")
    except regex.PatternError as error:
        assert error.reason
        assert 0 <= error.at <= len(pattern)
    except (regex.TooCostly, UnicodeDecodeError):
        return


def test_only_the_named_group_is_replaced() -> None:
    compiled = regex.compile(r"(?<key>\w)=(?<value>\d)?")
    assert compiled.replace_group("a=1 b=2 c=", "value", "x") == "a=x b=x c="
    assert compiled.group("a=1", "value") == "1"
    assert compiled.group("none", "value") is None


def test_a_long_result_is_refused() -> None:
    with pytest.raises(regex.TooCostly, match="1000000"):
        regex.compile("a").replace("a" * 2000, "b" * 1000)
