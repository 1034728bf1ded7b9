# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of the directory writer: what they may say, and where a mistake stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rule, rules_file, scope, source_values
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import NOTHING_KNOWN
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.scope import Scope
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.source import from_attribute, from_constant

OWNED = {"target": "extensionAttribute1", "owner": "directory"}


def test_a_rule_without_more_has_no_source_of_its_own() -> None:
    assert rule.create(OWNED, "here").source == {}


@pytest.mark.parametrize(
    ("stated", "source"),
    [
        ({"source": "Mail"}, from_attribute("Mail")),
        ({"constant": "x"}, from_constant("x")),
        ({"default": "d"}, from_attribute("extensionAttribute1")),
        ({"flow_type": "always"}, from_attribute("extensionAttribute1")),
        ({"scope": {"groups": ["g"]}}, from_attribute("extensionAttribute1")),
        ({"target": "altRecipient", "constant": "CN=a,DC=b"}, from_constant("CN=a,DC=b")),
    ],
)
def test_what_a_rule_of_the_directory_takes(stated: dict[str, Any], source: dict[str, Any]) -> None:
    assert rule.create(OWNED | stated, "here").source == source


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"flow_behavior": "FlowAlways"}, "has no flow_behavior; leave it out"),
        ({"matching_priority": 0}, "has no matching_priority"),
        ({"flow_type": "ObjectAddOnly"}, "creates no objects"),
        ({"expression": "Append([mail], Now())"}, "Now needs the time at which the mapping is evaluated"),
        ({"expression": "Redact([mail])"}, "Redact hides values"),
        ({"source": "department"}, "cannot read [department]"),
        ({"source": "altRecipient"}, "cannot read [altRecipient]"),
        ({"target": "altRecipient"}, "State a source, an expression or a constant"),
        ({"source": "mail", "constant": "x"}, "it has source and constant"),
        ({"scope": {"filter": '[department] = "x"'}}, "cannot read [department]"),
        ({"scope": {"filter": "[mail] ="}}, "scope: filter: The expression is wrong at character"),
        ({"scope": {"filter": "[mail] = branch"}}, "neither an attribute in square brackets nor a string"),
        ({"scope": {"filter": 'Rubbish([mail]) = "x"'}}, "no function Rubbish"),
        ({"scope": {"groups": []}}, "groups is empty"),
        ({"scope": {"groups": [" "]}}, "groups is empty"),
        ({"scope": {"groups": "pilots"}}, "groups must be a list"),
        ({"scope": {"organizational_units": ["Branch"]}}, "'Branch' is no distinguished name"),
        ({"scope": {"users": ["x"]}}, "'users' is unknown here"),
        ({"scope": ["x"]}, "scope must be a mapping"),
        ({"owner": "cloud_sync", "source": "mail", "scope": {"groups": ["g"]}}, "groups of writeback_job"),
    ],
)
def test_what_a_rule_cannot_say_is_told_with_its_place(stated: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=r"^rules\.yml:3:1: ") as caught:
        rule.create(OWNED | stated, "rules.yml:3:1")
    assert words in caught.value.message


def test_an_empty_scope_is_none() -> None:
    assert rule.create(OWNED | {"scope": {"groups": None, "filter": None}}, "here").scope is None


def test_a_scope_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(
        "mappings:\n- target: mail\n  owner: directory\n  scope:\n    organizational_units: ['OU=A,DC=b']\n"
        "    groups: [007]\n    filter: '[mail] <> \"\"'\n"
    )
    (found,) = rules_file.read(file)
    assert found.scope == Scope(("OU=A,DC=b",), ("007",), '[mail] <> ""')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{groups: pilots}", "rules.yml:3:19: groups must be a list"),
        ("{groups: [[a]]}", "rules.yml:3:20: an entry of groups must be a text"),
        ("{groups: []}", "rules.yml:3:19: scope: groups is empty"),
        ("{grups: [a]}", "rules.yml:3:11: 'grups' is unknown here; known are organizational_units, groups, filter"),
        ("{filter: '[mail] ='}", "rules.yml:3:19: scope: filter: The expression is wrong at character 9"),
        ("{organizational_units: [a]}", "rules.yml:3:33: scope: 'a' is no distinguished name"),
        ("[a]", "rules.yml:3:10: scope must be a text"),
    ],
)
def test_a_wrong_scope_in_a_file_is_told_with_line_and_column(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(f"- target: mail\n  owner: directory\n  scope: {text}\n")
    with pytest.raises(InputError) as caught:
        rules_file.read(file)
    assert words in caught.value.message


CONDITIONS = [
    ('[extensionAttribute1] = "branch"', {"extensionAttribute1": "BRANCH"}, True),
    ('[extensionAttribute1] = "branch"', {}, False),
    ('[extensionAttribute1] <> "branch"', {}, True),
    ('[extensionAttribute1] = ""', {}, True),
    ("[extensionAttribute1] = [extensionAttribute2]", {}, True),
    ("[extensionAttribute1] > 5", {"extensionAttribute1": "10"}, True),
    ("[extensionAttribute1] > 5", {"extensionAttribute1": "5"}, False),
    ("[extensionAttribute1] > 5", {}, False),
    ("Len([extensionAttribute1]) = 2", {"extensionAttribute1": "ab"}, True),
    ('InStr([extensionAttribute1], "b") > 0', {"extensionAttribute1": "ab"}, True),
    ("IsPresent([extensionAttribute1])", {"extensionAttribute1": "x"}, True),
    ("IsPresent([extensionAttribute1])", {}, False),
    ('Switch([extensionAttribute1], "False", "a", "True", "b", "True")', {"extensionAttribute1": "b"}, True),
    ("[extensionAttribute1]", {}, False),
]


@pytest.mark.parametrize(("text", "values", "holds"), CONDITIONS)
def test_conditions(text: str, values: dict[str, str], holds: bool) -> None:
    condition = scope.condition(Scope(filter=text))
    assert condition is not None
    assert condition.holds(values.get, NOTHING_KNOWN) is holds
    assert {"extensionAttribute1"} <= condition.sources


@pytest.mark.parametrize(
    ("name", "known"), [("Mail", True), ("displayName", True), ("altRecipient", False), ("x", False)]
)
def test_what_can_be_read(name: str, known: bool) -> None:
    assert source_values.readable(name) is known


def test_the_options_give_a_list_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("- {target: mail, source: Mail}\n")
    from_file = rules_file.from_params({"rules_file": str(file), "mappings": None})
    as_list = rules_file.from_params({"mappings": [{"target": "mail", "source": "Mail", "scope": None}]})
    assert [item.target for item in (*(from_file or ()), *(as_list or ()))] == ["mail", "mail"]
    assert rules_file.from_params({"mappings": [], "rules_file": None}) is None
