# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expressions: all that Microsoft's reference prints must be read, and keep their meaning when written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS, Function
from hypothesis import given
from hypothesis import strategies as st

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "expression-functions.json").read_text())


def printed() -> Iterator[str]:
    for function in REFERENCE["functions"].values():
        for example in function.get("examples", ()):
            yield example["expression"]
        yield from function.get("other_expressions", ())


@pytest.mark.parametrize("expression", sorted(set(printed())))
def test_every_printed_expression_is_read_and_keeps_its_meaning(expression: str) -> None:
    node = ex.parse(expression)
    assert ex.parse(ex.render(node)) == node


def test_the_functions_are_those_of_the_reference() -> None:
    assert set(FUNCTIONS) - {"Trim"} == set(REFERENCE["functions"])


@pytest.mark.parametrize("name", sorted(REFERENCE["functions"]))
def test_parameters_have_the_names_of_the_reference(name: str) -> None:
    text = " ".join(parameter["name"] for parameter in REFERENCE["functions"][name]["parameters"])
    for parameter in FUNCTIONS[name].parameters + FUNCTIONS[name].repeated:
        assert parameter in text


def test_repeated_parameters_are_told_apart() -> None:
    assert FUNCTIONS["Switch"].names(6) == ["source", "defaultValue", "key1", "value1", "key2", "value2"]
    assert FUNCTIONS["Join"].names(3) == ["separator", "source1", "source2"]
    assert Function().names(2) == ["parameter1", "parameter2"]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "missing at the end"),
        ("Append([a], ", "missing at the end|not closed"),
        ("Append([a]", "not closed"),
        ("Append([a] [b])", "comma or a closing bracket"),
        ('Append([a], "b)', "string is not closed"),
        ("[a] [b]", "out of place"),
        ("Append([a], 'b')", "out of place"),
        ("(", "out of place"),
        ("[a]]", "out of place"),
        ("x" * 10_001, "10001 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(expression: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ex.parse(expression)


def test_an_optional_argument_keeps_its_place() -> None:
    node = ex.parse('Replace([a], , "x", , "y",)')
    assert isinstance(node, ex.Call)
    assert node.arguments[1] is None
    assert node.arguments[3] is None
    assert len(node.arguments) == 6


@given(st.text(max_size=50))
def test_any_text_survives_as_a_constant(text: str) -> None:
    assert ex.parse(ex.render(ex.Text(text))) == ex.Text(text)
    assert source.meaning(source.from_constant(text)) == ("Constant", text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('Append([a],"x")', 'Append( [a] , "x" )'),
        ("[mail]", "[ Mail ]"),
    ],
)
def test_equal_meanings_are_equal(one: str, other: str) -> None:
    assert source.meaning(source.from_expression(one)) == source.meaning(source.from_expression(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [('Append([a],"x")', 'Append([a],"X")'), ("ToLower([a])", "ToUpper([a])"), ("[a]", "[b]"), ('"a"', "[a]")],
)
def test_different_meanings_differ(one: str, other: str) -> None:
    assert source.meaning(source.from_expression(one)) != source.meaning(source.from_expression(other))


def test_a_function_is_sent_as_a_tree() -> None:
    assert source.from_expression('Append(ToLower([mail]), "x")') == {
        "type": "Function",
        "name": "Append",
        "expression": 'Append(ToLower([mail]), "x")',
        "parameters": [
            {
                "key": "source",
                "value": {
                    "type": "Function",
                    "name": "ToLower",
                    "expression": "ToLower([mail])",
                    "parameters": [
                        {
                            "key": "source",
                            "value": {"type": "Attribute", "name": "mail", "expression": "[mail]", "parameters": []},
                        }
                    ],
                },
            },
            {"key": "suffix", "value": {"type": "Constant", "name": "x", "expression": '"x"', "parameters": []}},
        ],
    }


def test_a_live_function_without_its_text_is_understood_by_its_parameters() -> None:
    sent = source.from_expression('Append(ToLower([mail]), "x")')
    assert source.meaning({**sent, "expression": None}) == source.meaning(sent)


def test_a_live_expression_that_cannot_be_read_equals_itself_only() -> None:
    odd = {"type": "Function", "name": "Odd", "expression": "Odd(§)", "parameters": []}
    assert source.meaning(odd) == source.meaning(dict(odd))
    assert source.meaning(odd) != source.meaning(source.from_expression("Odd()"))


def test_the_attributes_of_an_expression_are_known() -> None:
    assert ex.attributes(ex.parse('IIF([a]="x", [b], Append([c], "[d]"))')) == {"a", "b", "c"}


def test_nodes_know_their_place_and_are_equal_without_it() -> None:
    node = ex.parse('Append( [a], ToLower("b"))')
    assert isinstance(node, ex.Call)
    places = [argument.at for argument in node.arguments if argument is not None]
    assert (node.at, places) == (0, [8, 13])
    assert node == ex.parse('Append([a],ToLower("b"))')
    assert hash(node) == hash(ex.parse('Append([a],ToLower("b"))'))


def test_calls_may_nest_deep_but_not_endlessly() -> None:
    deep = "Not(" * ex.DEEPEST + "[a]" + ")" * ex.DEEPEST
    assert ex.parse(ex.render(ex.parse(deep))) == ex.parse(deep)
    with pytest.raises(InputError, match="100 calls stand within each other"):
        ex.parse(f"Not({deep})")


def test_a_live_function_without_its_text_keeps_its_empty_places() -> None:
    sent = source.from_expression('Replace([a], , "x", , "y")')
    assert source.meaning({**sent, "expression": None}) == source.meaning(sent)


def arity(name: str) -> tuple[int, int | None]:
    """What the reference says: the places that must be there, and how many there can be."""
    given = REFERENCE["functions"][name]
    kinds = [(item["repeat"], item["required"]) for item in given["parameters"]]
    repeated = [required for repeat, required in kinds if repeat]
    if repeated:
        before = next(index for index, (repeat, _required) in enumerate(kinds) if repeat)
        times = 2 if any("at least two" in item["notes"] for item in given["parameters"]) else 1
        return before + len(repeated) * times, None
    last = max((index for index, (_repeat, required) in enumerate(kinds) if required), default=-1)
    return last + 1, len(kinds)


@pytest.mark.parametrize("name", sorted(REFERENCE["functions"]))
def test_functions_take_as_many_arguments_as_the_reference_says(name: str) -> None:
    function = FUNCTIONS[name]
    assert (function.least, function.most) == arity(name)


@pytest.mark.parametrize("name", sorted(REFERENCE["functions"]))
def test_functions_require_what_the_reference_requires(name: str) -> None:
    required = [item["required"] for item in REFERENCE["functions"][name]["parameters"] if not item["repeat"]]
    function = FUNCTIONS[name]
    assert [function.required(index) for index in range(len(function.parameters))] == required[
        : len(function.parameters)
    ]


RETURNS = {
    "String": {"text"},
    "String or null": {"as its source"},
    "Num": {"number"},
    "Number": {"number"},
    "Integer": {"number"},
    "Boolean": {"boolean"},
    "DateTime": {"date"},
    "multi-valued String": {"list"},
    "the value": {"as its source"},
    "the chosen value": {"as its source"},
}


@pytest.mark.parametrize("name", sorted(REFERENCE["functions"]))
def test_functions_give_what_the_reference_says(name: str) -> None:
    stated = re.split("[,;]", REFERENCE["functions"][name]["returns"])[0]
    # Switch gives one of its arguments; the reference calls that a text.
    expected = {"as its source"} if name == "Switch" else RETURNS.get(stated, {"list"})
    assert FUNCTIONS[name].returns in expected


def test_what_needs_more_than_the_object_is_marked() -> None:
    needing = {name for name, function in FUNCTIONS.items() if function.needs}
    assert needing == {"DefaultDomain", "Guid", "Now", "RandomString", "SelectUniqueValue"}
    useless = {name for name, function in FUNCTIONS.items() if function.unsupported}
    assert useless == {"AppRoleAssignmentsComplex", "SingleAppRoleAssignment"}
