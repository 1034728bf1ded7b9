# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lint: what the service refuses is an error, what is doubtful a warning, and nothing that it takes is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rule, rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint import lint

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "expression-functions.json").read_text())


def printed(kind: str) -> Iterator[str]:
    for function in REFERENCE["functions"].values():
        for item in function.get(kind, ()):
            yield item["expression"] if isinstance(item, dict) else item


@pytest.mark.parametrize("expression", sorted({*printed("examples"), *printed("other_expressions")}))
def test_what_the_reference_prints_has_no_error(expression: str) -> None:
    assert [finding for finding in lint(expression) if finding.severity == "error"] == []


@pytest.mark.parametrize("expression", sorted(printed("unsupported_expressions")))
def test_what_the_reference_advises_against_is_a_warning(expression: str) -> None:
    assert {finding.severity for finding in lint(expression)} == {"warning"}


@pytest.mark.parametrize(
    "expression",
    [
        "Trim([a])",
        "Append([a], %DomainFQDN%)",
        "[a]",
        '"x"',
        'IIF([a] = "x", "y", "z")',
        'Join(",", [a], 5)',
        'IgnoreFlowIfNullOrEmpty(Switch([a], "d", "x", "y"))',
        'InStr([a], "x", 1, vbTextCompare)',
        "Left([a], 3)",
        'Replace([a], , "(?<n>x)", , "${n}", , )',
        'ToLower([a], "tr-TR")',
        "Left([a], Len([b]))",
        "Item([a], 1)",
        'FormatDateTime([a], , "U", "yyyy")',
        'CDate("15 June 2009")',
        'DateAdd("d", -1, CDate([a]))',
        "Count([a])",
    ],
)
def test_what_is_right_has_no_finding(expression: str) -> None:
    assert lint(expression, attributes=["A", "b"]) == ()


def test_what_the_services_own_mappings_do_is_no_error() -> None:
    found = lint("IIF(IsPresent([a]), [a], [b])")
    assert [(item.severity, item.character) for item in found] == [("warning", 5)]
    assert "default mappings" in found[0].message


ERRORS = [
    ("ToLowr([a])", 1, "Is ToLower meant"),
    ("Append([a], Frobnicate([a]))", 13, "no function Frobnicate"),
    ("Append([a])", 1, "lacks suffix"),
    ("Trim([a], [b])", 1, "has 2 arguments"),
    ("Guid(1)", 1, "takes no argument"),
    ('Append(, "x")', 1, "lacks source"),
    ('Switch([a], "d", "k", "v", "k2")', 1, "key without a value"),
    ('Switch([a], "d")', 1, "lacks key1"),
    ("SelectUniqueValue([a])", 1, "lacks uniqueValueRule2"),
    ("ToLower(SelectUniqueValue([a], [b]))", 9, "outermost"),
    ("SingleAppRoleAssignment([appRoleAssignments])", 1, "role assignments"),
    ('Left([a], "x")', 11, "number as NumChars"),
    ("Mid([a], 1, vbTextCompare)", 13, "number as length"),
    ("ToLower(a)", 9, "neither an attribute"),
    ('Append([a] = "b", "c")', 8, "only in the condition"),
    ('IIF([a], [b] = "x", "y")', 10, "only in the condition"),
    ('Replace([a], , "(", , "x", , )', 16, "no regular expression"),
    ('Replace([a], , "x", "n", "y", , )', 21, "no group named 'n'"),
    ('Replace([a], "", , , "y", , )', 14, "empty oldValue"),
    ('DateAdd("q", 1, Now())', 9, "no interval"),
    ('FormatDateTime([a], "Foo", "yyyy", "yyyy")', 21, "no date style 'Foo'"),
    ('FormatDateTime([a], , "q", "yyyy")', 23, "no date format"),
    ('ToLower([a], "no tag")', 14, "no language tag"),
    ('InStr([a], "x", 1, "vbTextCompare")', 20, "without quotes"),
    ("Item([a], 0)", 11, "counts values from 1"),
    ("RandomString(257,0,0,0,0)", 1, "256"),
    ('Append([a], CDate("2021-02-30"))', 13, "no such date"),
    ("Append([a]", 7, "not closed"),
    ("x" * 10_001, 1, "10001 characters"),
]


@pytest.mark.parametrize(("expression", "character", "words"), ERRORS)
def test_what_the_service_refuses_is_an_error_at_its_place(expression: str, character: int, words: str) -> None:
    found = [finding for finding in lint(expression) if finding.severity == "error"]
    assert [(finding.character, words in finding.message) for finding in found] == [(character, True)]
    assert f"character {character}" in found[0].text or len(expression) > ex.LONGEST


WARNINGS = [
    ("tolower([a])", 1, "Is ToLower meant? Names are case-sensitive"),
    ('IIF([a] = "", "x", "y")', 5, "empty string"),
    ("IIF(IsNullOrEmpty([a]), [b], [a])", 5, "IsNullOrEmpty as the condition"),
    ('Switch(IsPresent([a]), , "x", "y")', 8, "no IsPresent as the source"),
    ('Switch([a], "d", "x", "y")', 1, "write null"),
    ("Append([a], IgnoreFlowIfNullOrEmpty([b]))", 13, "wrapper"),
    ("SelectUniqueValue([a], [b])", 1, "HR system"),
    ('Left([a], "3")', 11, "without quotes"),
    ("Left([a], IsNull([b]))", 11, "gives a boolean"),
    ('Count("x")', 7, "constant"),
    ('Replace([a], "x", , , , [b], )', 1, "does not say"),
    ('Replace([a], , "(a+)+$", , "", , )', 16, "very long on any text"),
    ('Replace([a], , "(.*)-(.*)-(.*)", , "", , )', 16, "very long on a text of more than"),
    ('Replace([a], , "(?<=a+)b", , "", , )', 16, "cannot be predicted"),
    ('Replace([a], , "x", , "${n}", , )', 23, "no group named 'n'"),
    ('DateDiff("d", [a], Now())', 15, "wrap a text in CDate"),
    ("Append([a], %Other%)", 13, "no setting"),
    ("Append([a], vbTextCompare)", 13, "fourth argument of InStr"),
    ("Trim([ab])", 6, "no attribute [ab]"),
    ("Trim([extensionAtribute1])", 6, "Is [extensionAttribute1] meant"),
]


@pytest.mark.parametrize(("expression", "character", "words"), WARNINGS)
def test_what_is_doubtful_is_a_warning_at_its_place(expression: str, character: int, words: str) -> None:
    found = lint(expression, attributes=["a", "b", "extensionAttribute1"])
    assert [(item.severity, item.character, words in item.message) for item in found] == [("warning", character, True)]


def test_a_tree_is_checked_like_its_text() -> None:
    assert lint(ex.parse("Append([a])")) == lint("Append([a])")
    long = ex.Call("Append", (ex.Text("x" * 10_000), ex.Text("y")))
    assert ["takes at most 10000" in finding.message for finding in lint(long)] == [True]


def test_findings_come_in_the_order_of_the_text() -> None:
    found = lint('Append(tolower([a]), Left([b], "x"))')
    assert [finding.character for finding in found] == [8, 32]


def test_a_rule_is_refused_with_the_place_in_the_file_and_in_the_expression(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(
        "- {target: extensionAttribute1, constant: x}\n- {target: mail, expression: 'Append(ToLowr([a]))'}\n"
    )
    with pytest.raises(InputError) as caught:
        rules_file.read(path)
    assert caught.value.message.startswith(f"{path}:2:3: mail: Append lacks suffix")
    assert "Is ToLower meant? (character 8 of the expression)" in caught.value.message
    assert (caught.value.facts["target"], caught.value.facts["character"]) == ("mail", 1)


def test_a_rule_keeps_its_warnings_with_their_places() -> None:
    (made,) = rule.from_option([{"target": "mail", "expression": "trim([a])"}])
    assert made.warnings == (
        "mappings[0]: mail: The reference has no function trim. Is Trim meant? Names are case-sensitive. "
        "(character 1 of the expression)",
    )


@pytest.mark.parametrize(("flow_type", "told"), [(None, True), ("Always", True), ("ObjectAddOnly", False)])
def test_unique_values_are_for_new_objects(flow_type: str | None, told: bool) -> None:
    item = {"target": "extensionAttribute1", "expression": "SelectUniqueValue([a], [b])", "flow_type": flow_type}
    (made,) = rule.from_option([item])
    assert any("needs the flow type ObjectAddOnly" in warning for warning in made.warnings) is told
