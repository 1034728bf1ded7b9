# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas as administrators leave them: shapes of Graph, and what cannot be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.engines import tailoring
from tests.lab.engines.schema import TEMPLATE_ID, default_schema
from tests.lab_tests.graph_types import problems


@pytest.fixture
def schema() -> dict[str, Any]:
    return default_schema("t", TEMPLATE_ID, "ga", "overwrite")


def mapping_of(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["synchronizationRules"][0]["objectMappings"][0]
    return found


def test_everything_at_once_is_of_graph_s_type_and_leaves_the_original_alone(schema: dict[str, Any]) -> None:
    before = default_schema("t", TEMPLATE_ID, "ga", "overwrite")
    made = tailoring.customized(tailoring.without(schema, "mail"))
    made = tailoring.duplicated(made, "extensionAttribute1")
    made = tailoring.scoped(made, ["OU=A,DC=x"], ["CN=G,DC=x"])
    made = tailoring.filtered(made, ["department EQUALS Sales AND city IS NOT NULL", "jobTitle REGEX MATCH ^Head of"])
    made = tailoring.with_flow_types(made, "update, delete")
    assert schema == before
    assert list(problems(made, "synchronizationSchema")) == []
    mapping, rule = mapping_of(made), made["synchronizationRules"][0]
    targets = [one["targetAttributeName"] for one in mapping["attributeMappings"]]
    assert (len(targets), len(set(targets)), targets.count("extensionAttribute1")) == (29, 28, 2)
    assert "mail" not in targets
    assert rule["containerFilter"] == {"includedContainers": ["OU=A,DC=x"]}
    assert rule["groupFilter"] == {"includedGroups": ["CN=G,DC=x"]}
    assert mapping["flowTypes"] == "Update,Delete"
    first, second = mapping["scope"]["groups"]
    assert first["clauses"] == [
        {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": {"values": ["Sales"]}},
        {"sourceOperandName": "city", "operatorName": "IS NOT NULL", "targetOperand": {"values": []}},
    ]
    assert second["clauses"][0]["targetOperand"] == {"values": ["^Head of"]}


def test_the_custom_mappings_have_one_of_each_kind() -> None:
    kinds = [(one["source"]["type"], one["source"].get("name")) for one in tailoring.CUSTOM]
    assert kinds[:3] == [
        ("Function", "ToLower"),
        ("Constant", "Exchange attributes come from the cloud"),
        ("Function", "Append"),
    ]
    assert [one["defaultValue"] for one in tailoring.CUSTOM if one["defaultValue"]] == ["no office"]
    assert [one["flowType"] for one in tailoring.CUSTOM if one["flowType"] != "Always"] == ["ValueAddOnly"]


@pytest.mark.parametrize(
    "text",
    ["", "department", "department LIKE x", "department EQUALS", "city IS NULL x", "nothing EQUALS x", "city IS"],
)
def test_filters_that_cannot_be_read(schema: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"clause|attribute"):
        tailoring.filtered(schema, [text])


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("jobTitle ENDS_WITH er", "ENDS_WITH"),
        ("extensionAttribute1 GREATER THAN 5", "GREATER_THAN"),
        ("extensionAttribute1 GREATER_THAN_OR_EQUALS 5", "GREATER_THAN_OR_EQUALS"),
        ("accountEnabled IS TRUE", "IS TRUE"),
        ("department NOT REGEX MATCH ^S", "NOT REGEX MATCH"),
        ("department !& Sales, IT", "!&"),
    ],
)
def test_operators_are_spelled_as_graph_does(schema: dict[str, Any], text: str, operator: str) -> None:
    made = tailoring.filtered(schema, [text])
    assert mapping_of(made)["scope"]["groups"][0]["clauses"][0]["operatorName"] == operator


def test_what_makes_no_sense(schema: dict[str, Any]) -> None:
    for text in ("", "Update,Remove"):
        with pytest.raises(ValueError, match="Flow types"):
            tailoring.with_flow_types(schema, text)
    with pytest.raises(ValueError, match="info"):
        tailoring.duplicated(schema, "info")
