# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules over a live schema: what they name changes, everything else stays."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import diff, rule, rules_file, schema
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import merge
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.source import from_attribute, from_constant
from hypothesis import given
from hypothesis import strategies as st


def mapping(target: str, source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "targetAttributeName": target,
        "source": source or from_attribute(target),
        "flowType": "Always",
        "flowBehavior": "FlowWhenChanged",
        "defaultValue": None,
        "matchingPriority": 0,
        "exportMissingReferences": False,
        **more,
    }


def live(*mappings: dict[str, Any]) -> dict[str, Any]:
    names = [{"name": f"extensionAttribute{number}"} for number in range(1, 16)]
    return {
        "@odata.context": "x",
        "id": "schema",
        "version": "v1",
        "directories": [
            {"name": "Entra", "objects": [{"name": "User", "attributes": [*names, {"name": "Mail"}]}]},
            {"name": "AD", "objects": [{"name": "user", "attributes": [*names, {"name": "mail"}]}]},
        ],
        "synchronizationRules": [
            {
                "id": "rule-1",
                "sourceDirectoryName": "Entra",
                "targetDirectoryName": "AD",
                "containerFilter": {"includedContainers": ["OU=A,DC=contoso,DC=lab"]},
                "objectMappings": [
                    {
                        "sourceObjectName": "User",
                        "targetObjectName": "user",
                        "enabled": True,
                        "flowTypes": "Add, Update",
                        "scope": {"groups": [{"name": "custom", "clauses": []}]},
                        "attributeMappings": list(mappings),
                    }
                ],
            }
        ],
    }


STANDARD = (
    mapping("extensionAttribute1"),
    mapping("extensionAttribute2", matchingPriority=2),
    mapping("adminDescription", from_constant("User_x")),
    mapping("extensionAttribute3", from_constant("kept")),
)


def rules(*items: dict[str, Any]) -> tuple[rule.Rule, ...]:
    return rule.from_option(items)


def targets(merged: Any) -> list[str]:
    return [item["targetAttributeName"] for item in schema.attribute_mappings(merged.schema)]


def test_a_missing_mapping_is_added_and_everything_else_stays() -> None:
    before = live(*STANDARD)
    kept = copy.deepcopy(before)
    merged = merge(before, rules({"target": "MAIL", "source": "Mail"}))
    assert before == kept
    assert diff.lines(merged.changes) == ["+ mail: [Mail]"]
    expected = live(*STANDARD, mapping("mail", from_attribute("Mail")))
    assert merged.schema == expected
    assert merged.warnings == ()


def test_the_second_time_nothing_changes() -> None:
    wanted = rules(
        {"target": "mail", "source": "Mail"}, {"target": "extensionAttribute3", "expression": "ToLower([a])"}
    )
    once = merge(live(*STANDARD), wanted)
    assert once.changes
    assert merge(once.schema, wanted).changes == ()
    assert merge(once.schema, wanted).schema == once.schema


def test_a_rule_changes_only_what_it_states() -> None:
    changed = mapping("extensionAttribute1", flowType="ObjectAddOnly", defaultValue="d")
    merged = merge(live(changed), rules({"target": "extensionAttribute1", "constant": "x"}))
    after = next(schema.attribute_mappings(merged.schema))
    assert after == {**changed, "source": from_constant("x")}
    assert diff.lines(merged.changes) == [
        '~ extensionAttribute1: [extensionAttribute1], flow type ObjectAddOnly, default d -> constant "x", '
        "flow type ObjectAddOnly, default d"
    ]


@pytest.mark.parametrize(
    ("stated", "graph"),
    [
        ({"flow_type": "AttributeAddOnly"}, {"flowType": "AttributeAddOnly"}),
        ({"flow_behavior": "FlowAlways"}, {"flowBehavior": "FlowAlways"}),
        ({"default": "none"}, {"defaultValue": "none"}),
        ({"matching_priority": 3}, {"matchingPriority": 3}),
    ],
)
def test_each_field_of_a_rule_is_written(stated: dict[str, Any], graph: dict[str, Any]) -> None:
    wanted = rules({"target": "mail", "source": "Mail", **stated})
    merged = merge(live(mapping("mail", from_attribute("Mail"))), wanted)
    assert next(schema.attribute_mappings(merged.schema)) == mapping("mail", from_attribute("Mail"), **graph)
    assert merge(merged.schema, wanted).changes == ()


def test_an_empty_default_removes_the_default() -> None:
    before = live(mapping("mail", defaultValue="x"))
    merged = merge(before, rules({"target": "mail", "source": "mail", "default": ""}))
    assert next(schema.attribute_mappings(merged.schema))["defaultValue"] is None
    assert merge(live(mapping("mail")), rules({"target": "mail", "source": "mail", "default": ""})).changes == ()


def test_a_duplicate_that_a_rule_names_is_removed_and_others_are_told() -> None:
    twice = (
        mapping("mail"),
        mapping("mail", from_constant("x")),
        mapping("extensionAttribute9"),
        mapping("extensionAttribute9"),
    )
    merged = merge(live(*twice), rules({"target": "mail", "source": "mail"}))
    assert targets(merged) == ["mail", "extensionAttribute9", "extensionAttribute9"]
    assert diff.lines(merged.changes) == ['- mail: constant "x"']
    assert any("maps extensionattribute9 more than once" in warning for warning in merged.warnings)


# What becomes of a mapping, by where it is: in the service's default, in the job, in the rules. "other" is another
# source than the default's; "rule" is the source that the rule states.
OTHER, RULE = from_constant("other"), from_constant("rule")
TABLE = [
    # default, live, rule, without anything, with add_missing, with purge
    (None, None, None, None, None, None),
    (None, None, "rule", "rule", "rule", "rule"),
    (None, "other", None, "other", "other", None),
    (None, "other", "rule", "rule", "rule", "rule"),
    (None, "other", "directory", "other", "other", None),
    ("default", None, None, None, "default", "default"),
    ("default", None, "rule", "rule", "rule", "rule"),
    ("default", None, "directory", None, None, None),
    ("default", "default", None, "default", "default", "default"),
    ("default", "default", "rule", "rule", "rule", "rule"),
    ("default", "default", "directory", "default", "default", None),
    ("default", "other", None, "other", "other", "default"),
    ("default", "other", "rule", "rule", "rule", "rule"),
    ("default", "other", "directory", "other", "other", None),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(str(cell) for cell in row[:3]))
@pytest.mark.parametrize("how", [{}, {"add_missing": True}, {"purge": True}], ids=["plain", "add_missing", "purge"])
def test_what_becomes_of_a_mapping(row: tuple[str | None, ...], how: dict[str, bool]) -> None:
    name = "extensionAttribute7"
    made = {None: (), "default": (mapping(name),), "other": (mapping(name, OTHER),), "rule": (mapping(name, RULE),)}
    standard, before, stated = (row[0], row[1], row[2])
    items = {
        None: [],
        "rule": [{"target": name, "constant": "rule"}],
        "directory": [{"target": name, "owner": "directory"}],
    }
    wanted = rules(*items[stated])
    expected = row[3 + ["plain", "add_missing", "purge"].index(next(iter(how), "plain"))]
    merged = merge(live(*made[before]), wanted, default=live(*made[standard]), **how)
    assert list(schema.attribute_mappings(merged.schema)) == list(made[expected])
    assert bool(merged.changes) == (made[expected] != made[before])
    assert merge(merged.schema, wanted, default=live(*made[standard]), **how).changes == ()


def test_purge_keeps_what_joins_and_what_is_the_services_own() -> None:
    foreign = mapping("someCustomAttribute")
    wanted = rules({"target": "extensionAttribute1", "source": "extensionAttribute1"})
    default = live(mapping("adminDescription", from_constant("other")))
    merged = merge(live(*STANDARD, foreign), wanted, True, default=default)
    assert targets(merged) == ["extensionAttribute1", "extensionAttribute2", "adminDescription", "someCustomAttribute"]
    assert diff.lines(merged.changes) == ['- extensionAttribute3: constant "kept"']


def test_purge_without_the_default_removes_no_mapping_that_may_be_one() -> None:
    hidden = mapping("msExchHideFromAddressLists", from_constant("TRUE"))
    merged = merge(live(*STANDARD, hidden), (), True)
    assert diff.lines(merged.changes) == ['- msExchHideFromAddressLists: constant "TRUE"']


def test_purge_leaves_one_of_several_and_restores_it() -> None:
    twice = (mapping("mail", OTHER, flowType="ObjectAddOnly", defaultValue="x"), mapping("mail"))
    merged = merge(live(*twice), (), True, default=live(mapping("mail")))
    assert list(schema.attribute_mappings(merged.schema)) == [mapping("mail")]
    assert diff.lines(merged.changes) == [
        '~ mail: constant "other", flow type ObjectAddOnly, default x -> [mail]',
        "- mail: [mail]",
    ]


def test_defaults_are_taken_for_the_same_kind_of_objects_only() -> None:
    default = live(mapping("mail"))
    default["synchronizationRules"][0]["objectMappings"][0]["targetObjectName"] = "inetOrgPerson"
    assert merge(live(), (), default=default, add_missing=True).changes == ()


NAMES = (
    "mail",
    "extensionAttribute1",
    "extensionAttribute2",
    "msExchHideFromAddressLists",
    "adminDescription",
    "custom",
)
SOURCES = st.sampled_from([from_attribute("a"), from_attribute("b"), OTHER, from_constant("")])
MAPPINGS = st.lists(
    st.builds(
        mapping,
        st.sampled_from(NAMES),
        SOURCES,
        flowType=st.sampled_from(["Always", "ObjectAddOnly"]),
        defaultValue=st.sampled_from([None, "d"]),
        matchingPriority=st.sampled_from([0, 0, 0, 1]),
    ),
    max_size=8,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"target": st.sampled_from(NAMES[:4])},
        optional={"flow_type": st.sampled_from(["Always", "AttributeAddOnly"]), "default": st.sampled_from(["", "d"])},
    ),
    unique_by=lambda item: item["target"],
    max_size=4,
).map(lambda items: rules(*({**item, "constant": "rule"} for item in items)))


@given(MAPPINGS, RULES, st.one_of(st.none(), MAPPINGS), st.booleans(), st.booleans())
def test_merging_again_changes_nothing_and_what_is_foreign_stays(
    before: list[Any], wanted: Any, default: list[Any] | None, purge: bool, add_missing: bool
) -> None:
    standard = None if default is None else live(*default)
    was = live(*before)
    merged = merge(was, wanted, purge, default=standard, add_missing=add_missing)
    assert was == live(*before)
    after = list(schema.attribute_mappings(merged.schema))
    named = {item.target.lower() for item in wanted}
    foreign = [
        item
        for item in before
        if (item["targetAttributeName"] in NAMES[4:] or item["matchingPriority"])
        and item["targetAttributeName"].lower() not in named
    ]
    assert all(after.count(item) >= foreign.count(item) for item in foreign)
    counted = Counter(item["targetAttributeName"].lower() for item in after)
    earlier = Counter(item["targetAttributeName"].lower() for item in before)
    assert all(count <= max(1, earlier[name]) for name, count in counted.items())
    assert all(counted[name] == 1 for name in named)
    again = merge(merged.schema, wanted, purge, default=standard, add_missing=add_missing)
    assert again.changes == ()
    assert again.schema == merged.schema


def test_without_purge_nothing_is_removed() -> None:
    merged = merge(live(*STANDARD), rules({"target": "extensionAttribute1", "source": "extensionAttribute1"}))
    assert merged.changes == ()


def test_attributes_that_the_schema_does_not_list_are_warned_of() -> None:
    merged = merge(live(), rules({"target": "msExchHideFromAddressLists", "source": "hidden"}))
    assert any("attribute hidden for Entra" in warning for warning in merged.warnings)
    assert any("attribute msExchHideFromAddressLists for AD" in warning for warning in merged.warnings)


def test_every_object_mapping_of_users_gets_the_rules() -> None:
    both = live(mapping("mail"))
    objects = both["synchronizationRules"][0]["objectMappings"]
    objects.append({**copy.deepcopy(objects[0]), "targetObjectName": "inetOrgPerson"})
    objects.append({"sourceObjectName": "Contact", "targetObjectName": "contact", "attributeMappings": []})
    merged = merge(both, rules({"target": "extensionAttribute1", "source": "extensionAttribute1"}))
    assert diff.lines(merged.changes) == [
        "+ extensionAttribute1 (User to user): [extensionAttribute1]",
        "+ extensionAttribute1 (User to inetOrgPerson): [extensionAttribute1]",
    ]
    assert merged.schema["synchronizationRules"][0]["objectMappings"][2]["attributeMappings"] == []


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"target": "displayName", "source": "displayName"}, "no Exchange attribute"),
        ({"target": "extensionAtribute1", "source": "a"}, "Did you mean extensionAttribute1"),
        ({"target": "msExchMailboxGuid", "source": "a"}, "must not be written back"),
        ({"target": "msExchRemoteRecipientType", "source": "a"}, "must not be written back"),
        ({"target": "mail"}, "exactly one of source, expression and constant; it has none"),
        ({"target": "mail", "source": "a", "constant": "b"}, "it has source and constant"),
        ({"target": "mail", "source": "[a]"}, "must be the name of an attribute"),
        ({"target": "mail", "source": " "}, "must be the name of an attribute"),
        ({"target": "mail", "expression": "Append("}, "wrong at character"),
        ({"target": "mail", "source": "a", "flow_type": "Sometimes"}, "flow_type must be one of"),
        ({"target": "mail", "source": "a", "matching_priority": -1}, "whole number"),
        ({"source": "a"}, "needs a target"),
    ],
)
def test_a_wrong_rule_is_refused(item: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=r"^mappings\[1\]: ") as caught:
        rules({"target": "extensionAttribute1", "source": "a"}, item)
    assert words in caught.value.message


def test_two_rules_for_one_target_are_refused() -> None:
    with pytest.raises(InputError, match=r"mail is mapped twice, first at mappings\[0\]"):
        rules({"target": "mail", "source": "a"}, {"target": "MAIL", "source": "b"})


def test_a_doubtful_function_is_a_warning_with_its_place() -> None:
    merged = merge(live(), rules({"target": "mail", "expression": "tolower([Mail])"}))
    assert merged.warnings[0].startswith("mappings[0]: mail: ")


def test_canonical_ignores_annotations_and_order_only() -> None:
    one = live(*STANDARD)
    other = copy.deepcopy(live(*reversed(STANDARD)))
    other["@odata.context"] = "y"
    assert schema.canonical(one) == schema.canonical(other)
    other["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["flowType"] = "ObjectAddOnly"
    assert schema.canonical(one) != schema.canonical(other)
    assert schema.canonical(one) != schema.canonical({**one, "version": "v2"})


def test_the_diff_has_both_sides() -> None:
    merged = merge(
        live(mapping("mail")),
        rules({"target": "mail", "source": "Other"}, {"target": "extensionAttribute1", "source": "a"}),
    )
    assert diff.before_and_after(merged.changes) == (
        {"mail": "[mail]"},
        {"extensionAttribute1": "[a]", "mail": "[Other]"},
    )


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "rules.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("head", ["", "mappings:\n"])
def test_a_rules_file_is_read(tmp_path: Path, head: str) -> None:
    text = head + "- target: mail\n  source: Mail\n- {target: extensionAttribute1, constant: 007, default: TRUE}\n"
    read = rules_file.read(write(tmp_path, "\ufeff" + text))
    assert [item.target for item in read] == ["mail", "extensionAttribute1"]
    assert read[1].source == from_constant("007")
    assert read[1].default == "TRUE"
    assert read[0].place.endswith("rules.yml:2:3" if head else "rules.yml:1:3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- target: mail\n  sorce: Mail\n", r"rules.yml:2:3: 'sorce' is unknown"),
        ("- target: mail\n  source: [a]\n", r"rules.yml:2:11: source must be a text"),
        ("- target: mail\n  target: mail\n", r"rules.yml:2:3: target is stated twice"),
        ("- target: mail\n source: a\n", r"rules.yml:2:\d+: this is not well-formed YAML"),
        ("hello", r"rules.yml:1:1: a list of mappings"),
        ("- hello\n", r"rules.yml:1:3: a mapping with a target"),
        ("rules: []\n", r"rules.yml:1:1: 'rules' is unknown"),
        ("# nothing\n", r"rules.yml: there is no mapping"),
        ("mappings: []\n", r"there is no mapping"),
        (
            "- {target: mail, source: a}\n- {target: Mail, source: b}\n",
            r"rules.yml:2:3: mail is mapped twice, first at .*rules.yml:1:3",
        ),
        ("- target: nope\n  source: a\n", r"rules.yml:1:3: There is no Exchange attribute"),
        (b"- target: \xff\n", "not UTF-8"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_place(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        rules_file.read(write(tmp_path, text))


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        rules_file.read(tmp_path / "none.yml")


def test_what_is_the_directorys_is_left_out_of_the_job(tmp_path: Path) -> None:
    text = "- {target: mail, source: Mail}\n- {target: extensionAttribute1, owner: directory}\n"
    rules = rules_file.read(write(tmp_path, text))
    assert [item.owner for item in rules] == ["cloud_sync", "directory"]
    merged = merge(live(mapping("extensionAttribute2")), rules)
    assert [change.target for change in merged.changes] == ["mail"]
    assert merged.warnings == ()


def test_a_job_that_writes_what_is_the_directorys_is_warned_about_and_purged(tmp_path: Path) -> None:
    rules = rules_file.read(write(tmp_path, "- {target: extensionAttribute1, owner: directory}\n"))
    before = live(mapping("extensionAttribute1"), mapping("mail"))
    merged = merge(before, rules)
    assert merged.changes == ()
    assert any("extensionAttribute1 is for the directory writer" in warning for warning in merged.warnings)
    purged = merge(before, rules, purge=True)
    assert ("extensionAttribute1", None) in [(change.target, change.after) for change in purged.changes]
    assert purged.warnings == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{target: mail, owner: nobody}", "owner must be one of cloud_sync, directory"),
        ("{target: mail, owner: directory, flow_behavior: FlowAlways}", "has no flow_behavior; leave it out"),
        ("{target: altRecipient, owner: directory}", "cannot have the owner directory"),
        ("{target: legacyExchangeDN, owner: directory}", "must not be written back"),
        ("{target: mail, owner: cloud_sync}", "needs exactly one of"),
    ],
)
def test_wrong_owners_are_told_with_their_place(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(InputError, match=r"rules\.\w+:1:3: ") as caught:
        rules_file.read(write(tmp_path, f"- {line}\n"))
    assert words in caught.value.message
