# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any expression of known functions over any values has a value, or one of the two errors that are meant."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import evaluate as ev
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    Context,
    EvaluationError,
    Undetermined,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS, Function
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint import lint
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", "True", "12", "-1", "d", "ww", "2021-08-18", "yyyy-MM-dd", "tr-TR", r"(?<n>\w+)", "n", "${n}", "a,b", "😀"]
    ),
)
VALUES = st.one_of(
    st.none(),
    TEXTS,
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(TEXTS, max_size=3).map(tuple),
)
LEAVES: st.SearchStrategy[ex.Node] = st.one_of(
    st.sampled_from("abc").map(ex.Attribute),
    TEXTS.map(ex.Text),
    st.sampled_from(["1", "0", "-3", "2.5", "&HF", "vbTextCompare", "%DomainFQDN%", "99999999999999999999"]).map(
        ex.Bare
    ),
)


@st.composite
def calls(draw: st.DrawFn, inner: st.SearchStrategy[ex.Node]) -> ex.Node:
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    function: Function = FUNCTIONS[name]
    most = function.least + 2 if function.most is None else function.most
    count = draw(st.integers(function.least, most))
    if name == "Switch":
        count += count % 2
    made: list[ex.Node | None] = []
    for index in range(count):
        if not function.required(index) and draw(st.booleans()):
            made.append(None)
        elif name in ("IIF", "CBool") and index == 0 and draw(st.booleans()):
            sign = draw(st.sampled_from(ex.COMPARISONS))
            made.append(ex.Comparison(sign, draw(inner), draw(inner)))
        else:
            made.append(draw(inner))
    return ex.Call(name, tuple(made))


TREES = st.recursive(LEAVES, calls, max_leaves=8)


def outcome(compiled: ev.Compiled, values: dict[str, Any]) -> Any:
    context = Context(
        now=datetime(2026, 8, 3, tzinfo=UTC), default_domain="x", taken=["a"], random=random.Random(0), settings={}
    )
    try:
        return compiled(values, context)
    except (EvaluationError, Undetermined) as error:
        return type(error), error.message


@settings(max_examples=400, deadline=None)
@given(TREES, st.dictionaries(st.sampled_from("abc"), VALUES))
def test_evaluation_gives_a_value_or_says_why_not_and_the_same_again(node: ex.Node, values: dict[str, Any]) -> None:
    compiled = ev.compile(node)
    once = outcome(compiled, values)
    assert once is NOT_FLOWED or once is None or isinstance(once, (str, int, Decimal, datetime, tuple))
    assert outcome(compiled, values) == once
    assert outcome(ev.compile(ex.parse(ex.render(node))), values) == once


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_rendering_and_sending_keep_a_tree(node: ex.Node) -> None:
    assert ex.parse(ex.render(node)) == node
    assert source.tree(source.from_expression(ex.render(node))) == node


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_what_has_no_error_is_never_refused_for_its_form(node: ex.Node) -> None:
    if any(finding.severity == "error" for finding in lint(node)):
        return
    result = outcome(ev.compile(node), {"a": "x", "b": ("y",), "c": "2021-08-18"})
    if isinstance(result, tuple) and result[:1] == (Undetermined,):
        assert not any(words in result[1] for words in ("no function", "arguments for it", "left out", "its value."))
