# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AD shall hold by rules: values, scopes and flow types, and digests that agree with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import NOT_FLOWED
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import from_option
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import desired as module
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import (
    NO_CLOUD_DIGEST,
    Digester,
    picker,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import Options as ProveOptions
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import prove_round_trip
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back
from hypothesis import given, settings
from hypothesis import strategies as st
from writeback_fakes import BASE, World, row_of, run_in

ALL = Selection("all", None)


@pytest.fixture
def world() -> World:
    return World()


def owned(target: str, **more: Any) -> dict[str, Any]:
    return {"target": target, "owner": "directory", **more}


def write(world: World, path: Path, *rules: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = Options(
        ALL, rules=from_option(rules), journal_dir=str(path / "journals"), limits=Limits(5000, 100, 10), **options
    )
    return write_back(given, FarEnds(world.mailboxes, world.ownership, world.directory), run_in(path)).result


def prove(world: World, path: Path, *rules: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = ProveOptions(selection=ALL, rules=from_option(rules), **options)
    return prove_round_trip(given, world, run_in(path)).result


def desired_of(*rules: dict[str, Any], members: Any = lambda group: ()) -> Desired:
    made = from_option(rules)
    return module.by_rules([CATALOGUE[rule.target] for rule in made], made, "remote", members)


# rule, what the mailbox has, what AD has, what AD has afterwards
RULES: list[tuple[dict[str, Any], dict[str, Any], Values, Values]] = [
    ({}, {"CustomAttribute1": "new"}, ("old",), ("new",)),
    ({"source": "extensionAttribute2"}, {"CustomAttribute2": "two"}, (), ("two",)),
    ({"source": "extensionAttribute2"}, {"CustomAttribute2": ""}, ("old",), ()),
    ({"expression": "ToLower([extensionAttribute2])"}, {"CustomAttribute2": "TWO"}, ("TWO",), ("two",)),
    ({"expression": "ToLower([displayName])"}, {}, (), ("user",)),
    ({"expression": "ToLower([userPrincipalName])"}, {}, (), ("user@contoso.lab",)),
    ({"constant": "same"}, {}, ("old",), ("same",)),
    ({"expression": "%DomainFQDN%"}, {}, (), ("contoso.lab",)),
    ({"default": "none"}, {"CustomAttribute1": ""}, (), ("none",)),
    ({"default": "none"}, {"CustomAttribute1": "x"}, (), ("x",)),
    ({"flow_type": "AttributeAddOnly"}, {"CustomAttribute1": "new"}, ("old",), ("old",)),
    ({"flow_type": "AttributeAddOnly"}, {"CustomAttribute1": "new"}, (), ("new",)),
    ({"flow_type": "ValueAddOnly"}, {"CustomAttribute1": ""}, ("old",), ("old",)),
    ({"flow_type": "ValueAddOnly"}, {"CustomAttribute1": "new"}, ("old",), ("new",)),
    ({"flow_type": "Always"}, {"CustomAttribute1": ""}, ("old",), ()),
    ({"expression": "IgnoreFlowIfNullOrEmpty([extensionAttribute2])"}, {"CustomAttribute2": ""}, ("old",), ("old",)),
    ({"scope": {"organizational_units": [f"ou=people, {BASE}"]}}, {"CustomAttribute1": "new"}, ("old",), ("new",)),
    ({"scope": {"organizational_units": [f"OU=Branch,{BASE}"]}}, {"CustomAttribute1": "new"}, ("old",), ("old",)),
    ({"scope": {"groups": ["in"]}}, {"CustomAttribute1": "new"}, ("old",), ("new",)),
    ({"scope": {"groups": ["out"]}}, {"CustomAttribute1": "new"}, ("old",), ("old",)),
    ({"scope": {"groups": ["out", "in"]}}, {"CustomAttribute1": "new"}, ("old",), ("new",)),
    (
        {"scope": {"filter": '[extensionAttribute2] = "Branch"'}},
        {"CustomAttribute1": "new", "CustomAttribute2": "branch"},
        ("old",),
        ("new",),
    ),
    ({"scope": {"filter": '[extensionAttribute2] = "branch"'}}, {"CustomAttribute1": "new"}, ("old",), ("old",)),
    ({"scope": {"filter": '[extensionAttribute2] <> "branch"'}}, {"CustomAttribute1": "new"}, ("old",), ("new",)),
    ({"scope": {"filter": "IsPresent([extensionAttribute2])"}}, {"CustomAttribute1": "new"}, ("old",), ("old",)),
    ({"scope": {"filter": "[extensionAttribute2] > 5"}}, {"CustomAttribute1": "new"}, ("old",), ("old",)),
    (
        {"scope": {"filter": '[extensionAttribute2] = ""', "groups": ["out"]}},
        {"CustomAttribute1": "new"},
        ("old",),
        ("old",),
    ),
]


@pytest.mark.parametrize(("rule", "cloud", "before", "after"), RULES)
def test_a_rule_of_the_directory_is_written_proven_and_then_done(
    world: World, tmp_path: Path, rule: dict[str, Any], cloud: dict[str, Any], before: Values, after: Values
) -> None:
    guid = world.user("user", cloud, {"extensionAttribute1": before})
    world.mailboxes.groups = {"in": {world.mailboxes.mailboxes[0].id}, "out": set()}
    made = owned("extensionAttribute1", **rule)
    assert prove(world, tmp_path, made, attributes=["extensionAttribute1"])["proven"] is (before == after)
    result = write(world, tmp_path, made)
    assert world.directory.text(guid, "extensionAttribute1") == after
    assert result["counts"]["written"] == (before != after)
    assert write(world, tmp_path, made)["counts"]["planned"] == 0
    assert prove(world, tmp_path, made, attributes=["extensionAttribute1"])["proven"] is True


@pytest.mark.parametrize(
    ("flow_type", "after"),
    [
        ("Always", ("b", "c")),
        ("MultiValueAddOnly", ("a", "b", "c")),
        ("ValueAddOnly", ("a", "b", "c")),
        ("AttributeAddOnly", ("a", "b")),
    ],
)
def test_flow_types_of_lists(world: World, tmp_path: Path, flow_type: str, after: Values) -> None:
    guid = world.user(
        "user", {"ExtensionCustomAttribute1": ["b", "c"]}, {"msExchExtensionCustomAttribute1": ("a", "b")}
    )
    write(world, tmp_path, owned("msExchExtensionCustomAttribute1", flow_type=flow_type))
    assert world.directory.text(guid, "msExchExtensionCustomAttribute1") == after


def test_what_a_rule_cannot_say_is_told_and_left_alone(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute2": "no number"}, {"extensionAttribute1": "old"})
    rule = owned("extensionAttribute1", expression="Left([extensionAttribute2], [extensionAttribute2])")
    with pytest.raises(Exception, match="is not a number"):
        write(world, tmp_path, rule)
    assert world.directory.text(guid, "extensionAttribute1") == ("old",)
    assert prove(world, tmp_path, rule)["counts"]["unreadable"] == 1


def test_rules_of_the_job_are_left_to_it_and_counted(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    result = write(world, tmp_path, owned("extensionAttribute1"), {"target": "mail", "source": "Mail"})
    assert result["left_to_job"] == ["mail"]
    assert result["attributes"] == ["extensionAttribute1"]


def test_attributes_say_which_and_rules_how(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "A", "CustomAttribute2": "B", "CustomAttribute3": "C"})
    rules = (
        owned("extensionAttribute1", expression="ToLower([extensionAttribute1])"),
        owned("extensionAttribute2", constant="no"),
    )
    write(world, tmp_path, *rules, attributes=["extensionAttribute1", "extensionAttribute3"])
    held = [world.directory.text(guid, f"extensionAttribute{number}") for number in (1, 2, 3)]
    assert held == [("a",), (), ("C",)]


def test_a_plan_is_refused_once_the_rules_are_others(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    plan = str(tmp_path / "plan.jsonl")
    sha256 = write(world, tmp_path, owned("extensionAttribute1", constant="a"), plan_file=plan)["plan"]
    other = Options(
        None,
        rules=from_option([owned("extensionAttribute1", constant="b")]),
        journal_dir=str(tmp_path / "journals"),
        apply_plan=plan,
        apply_plan_sha256=sha256["sha256"],
    )
    with pytest.raises(Exception, match="was made for rules"):
        write_back(other, FarEnds(world.mailboxes, world.ownership, world.directory), run_in(tmp_path))


def test_a_tenant_with_mappings_of_its_own_can_be_proven(world: World, tmp_path: Path) -> None:
    world.user(
        "user",
        {"CustomAttribute1": "UP", "CustomAttribute2": "x"},
        {"extensionAttribute1": "up", "extensionAttribute2": "x", "deliverAndRedirect": "TRUE"},
    )
    rules = (
        {"target": "extensionAttribute1", "expression": "ToLower([extensionAttribute1])"},
        {"target": "deliverAndRedirect", "constant": "True"},
        {"target": "mail", "source": "Mail", "flow_type": "Always"},
        {"target": "extensionAttribute2", "source": "extensionAttribute2", "default": "none"},
    )
    assert prove_round_trip(ProveOptions(selection=ALL), world, run_in(tmp_path)).result["proven"] is False
    result = prove(world, tmp_path, *rules)
    assert result["proven"] is True
    assert len(result["attributes"]) == len(WRITEBACK) + 1
    assert result["rules"] == {
        "cloud_sync": ["extensionAttribute1", "deliverAndRedirect", "mail", "extensionAttribute2"],
        "directory": [],
        "transformed_by_job": ["extensionAttribute1", "deliverAndRedirect", "extensionAttribute2"],
    }


def test_without_rules_nothing_is_computed() -> None:
    plain = Desired(tuple(CATALOGUE[name] for name in WRITEBACK))
    assert type(plain.digester()) is Digester
    own = desired_of(*(owned(name, scope={"groups": ["g"]}) for name in ("mail", "extensionAttribute1")))
    assert type(own.digester()) is Digester, "the catalogue's own value needs no computing"


def test_a_missing_property_is_a_problem_and_not_an_empty_value(world: World) -> None:
    world.user("user")
    (whole,) = world.mailboxes.mailboxes
    left = {name: value for name, value in whole.properties.items() if name != "CustomAttribute2"}
    mailbox = replace(whole, properties=left)
    found, problems = desired_of(owned("extensionAttribute1", source="extensionAttribute2")).values(mailbox)
    assert found == (None,)
    assert "was not asked for CustomAttribute2" in problems["extensionAttribute1"].reason


def test_an_unknown_group_is_an_error(world: World, tmp_path: Path) -> None:
    world.user("user")
    with pytest.raises(Exception, match="there is no group nobody"):
        write(world, tmp_path, owned("mail", scope={"groups": ["nobody"]}))


TEXTS = st.text(st.sampled_from("aAb \x1e\x1f\x1b"), max_size=3)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from([f"CustomAttribute{number}" for number in (1, 2, 3)]), TEXTS),
    st.lists(TEXTS, max_size=3),
    st.lists(TEXTS, max_size=3),
)
def test_equal_digests_mean_that_nothing_is_to_be_done(cloud: dict[str, str], many: list[str], held: list[str]) -> None:
    world = World()
    world.user("user", {**cloud, "ExtensionCustomAttribute2": many})
    mailbox = world.mailboxes.mailboxes[0]
    wanted = desired_of(
        owned("extensionAttribute1"),
        owned("extensionAttribute3", expression="Append([extensionAttribute1], [extensionAttribute2])"),
        owned("msExchExtensionCustomAttribute1", expression="RemoveDuplicates([msExchExtensionCustomAttribute2])"),
    )
    digester = wanted.digester()
    ours = digester.cloud(picker(digester.properties)(row_of(mailbox)))
    values, _problems = wanted.values(mailbox)
    sides = dict(zip(wanted.names, values, strict=True))
    held_values = tuple(dict.fromkeys(item for item in held if item))
    for differs in (False, True):
        raw = {name: tuple(item.encode() for item in found or ()) for name, found in sides.items()}
        if differs:
            raw["msExchExtensionCustomAttribute1"] = tuple(item.encode() for item in held_values)
        equal = set(sides["msExchExtensionCustomAttribute1"] or ()) == set(held_values) or not differs
        theirs = digester.directory([raw[name] or None for name in digester.names])
        assert (ours == theirs) == (equal and None not in values), (sides, raw)


def test_what_does_not_flow_has_no_digest(world: World) -> None:
    world.user("user")
    wanted = desired_of(owned("extensionAttribute1", expression="IgnoreFlowIfNullOrEmpty([extensionAttribute2])"))
    digester = wanted.digester()
    mailbox = world.mailboxes.mailboxes[0]
    assert digester.cloud(picker(digester.properties)(row_of(mailbox))) == NO_CLOUD_DIGEST
    assert wanted.values(mailbox)[0] == (NOT_FLOWED,)


def test_a_rule_that_cannot_be_used_names_its_place() -> None:
    with pytest.raises(InputError, match=r"^mappings\[0\]: "):
        desired_of(owned("msExchHideFromAddressLists", constant="x", default="maybe"))


def test_a_run_with_other_rules_does_not_go_on_from_the_last(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "A"}, {"extensionAttribute1": "A"})
    repeat = Repeat(str(tmp_path / "state.json"))
    rules = [owned("extensionAttribute1", constant=text) for text in ("A", "b")]
    reasons = [
        prove(world, tmp_path, rule, repeat=repeat)["reason"] for rule in (rules[0], rules[0], rules[1], rules[1])
    ]
    assert "the last full pass was at" in reasons[1]
    assert "another value of rules" in reasons[2]
    assert "the last full pass was at" in reasons[3]
