# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved plans from writing to applying, and rules that say who owns an attribute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal, lock
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back
from writeback_fakes import World, run_in

NAME = "extensionAttribute1"


@pytest.fixture
def world() -> World:
    found = World()
    found.user("a", {"CustomAttribute1": "new", "CustomAttribute2": "new"}, {NAME: "old"})
    found.user("b", {"CustomAttribute1": "new"})
    found.user("same")
    return found


def run(world: World, path: Path, *, check_mode: bool = False, **options: Any) -> Report:
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    if "apply_plan" not in options:
        options["selection"] = Selection("all", None)
    given = Options(journal_dir=str(path), tenant="t", **options)
    return write_back(given, ends, run_in(path, check_mode=check_mode))


def save(world: World, path: Path, **options: Any) -> dict[str, str]:
    """Save a plan; returns the options that apply it."""
    saved = run(world, path, plan_file=str(path / "plan.jsonl"), **options).result["plan"]
    return {"apply_plan": saved["path"], "apply_plan_sha256": saved["sha256"]}


def test_a_plan_is_saved_and_nothing_is_written(world: World, tmp_path: Path) -> None:
    file = tmp_path / "plans" / "plan.jsonl"
    checked = run(world, tmp_path, plan_file=str(file), check_mode=True)
    assert checked.changed
    assert checked.result["plan"]["objects"] == 2
    assert checked.result["counts"]["planned"] == 2
    assert world.directory.modifications == []
    again = run(world, tmp_path, plan_file=str(file))
    assert not again.changed
    assert again.result["plan"] == checked.result["plan"]
    assert world.directory.modifications == []
    assert "journal" not in again.result
    head, *rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert (head["tenant"], head["domain"], head["counts"]["planned"]) == ("t", "contoso.lab", 2)
    assert head["changes"]["by_attribute"][NAME] == {"add": 1, "replace": 1}
    assert [row["object_guid"] for row in rows] != []
    assert "time" not in head and "host" not in json.dumps(head)


def test_exactly_the_plan_is_applied_and_once_only(world: World, tmp_path: Path) -> None:
    plan = save(world, tmp_path)
    world.user("later", {"CustomAttribute1": "new"})
    checked = run(world, tmp_path, check_mode=True, **plan)
    assert (checked.changed, checked.result["counts"]["planned"]) == (True, 2)
    report = run(world, tmp_path, **plan)
    assert report.result["counts"]["written"] == 2
    assert {dn[3] for dn, _steps in world.directory.modifications} == {"a", "b"}
    assert journal.read(report.result["journal"]["path"]).header.plan_sha256 == plan["apply_plan_sha256"]
    again = run(world, tmp_path, **plan)
    assert not again.changed
    assert again.result["counts"]["unchanged"] == 2


def moved_in_directory(world: World) -> None:
    next(iter(world.directory.objects.values())).values[NAME] = (b"moved",)


def moved_in_cloud(world: World) -> None:
    world.mailboxes.mailboxes[0].properties["CustomAttribute1"] = "moved"  # type: ignore[index]


def moved_elsewhere_in_cloud(world: World) -> None:
    """Another attribute, which was equal: the plan rests on all that was read."""
    world.mailboxes.mailboxes[0].properties["CustomAttribute9"] = "moved"  # type: ignore[index]


def other_attribute_in_directory(world: World) -> None:
    next(iter(world.directory.objects.values())).values["extensionAttribute3"] = (b"moved",)


def mailbox_gone(world: World) -> None:
    del world.mailboxes.mailboxes[0]


def object_gone(world: World) -> None:
    del world.directory.objects[next(iter(world.directory.objects))]


def object_of_another(world: World) -> None:
    next(iter(world.directory.objects.values())).values["mS-DS-ConsistencyGuid"] = (b"X" * 16,)


@pytest.mark.parametrize(
    "move",
    [
        moved_in_directory,
        moved_in_cloud,
        moved_elsewhere_in_cloud,
        other_attribute_in_directory,
        mailbox_gone,
        object_gone,
        object_of_another,
    ],
)
def test_what_moved_since_is_refused_and_the_rest_applied(world: World, tmp_path: Path, move: Any) -> None:
    plan = save(world, tmp_path)
    move(world)
    with pytest.raises(errors.PartialFailure) as failed:
        run(world, tmp_path, **plan)
    facts = failed.value.facts
    assert (facts["counts"]["moved"], facts["counts"]["written"]) == (1, 1)
    assert facts["failures"][0]["object"] == "a@contoso.lab"
    assert [dn[3] for dn, _steps in world.directory.modifications] == ["b"]


def test_an_object_that_moves_while_it_is_written_is_not_planned_again(world: World, tmp_path: Path) -> None:
    plan = save(world, tmp_path)

    def edit(entry: Any) -> None:
        if entry.dn.startswith("CN=a"):
            entry.values[NAME] = (b"theirs",)

    world.directory.before_modify = edit
    with pytest.raises(errors.PartialFailure, match="while the plan was being applied") as failed:
        run(world, tmp_path, **plan)
    assert failed.value.facts["refusals"] == {"moved": 1}
    assert next(iter(world.directory.objects.values())).values[NAME] == (b"theirs",)


def test_a_mailbox_that_went_back_to_ad_is_left_alone(world: World, tmp_path: Path) -> None:
    plan = save(world, tmp_path)
    first = world.mailboxes.mailboxes[0]
    world.mailboxes.mailboxes[0] = type(first)(
        **{name: getattr(first, name) for name in first.__slots__ if name != "cloud_managed"}, cloud_managed=False
    )
    report = run(world, tmp_path, **plan)
    assert (report.result["counts"]["not_cloud_managed"], report.result["counts"]["written"]) == (1, 1)


def test_guards_hold_for_a_saved_plan(world: World, tmp_path: Path) -> None:
    plan = save(world, tmp_path)
    with pytest.raises(errors.Refused, match="max_changes"):
        run(world, tmp_path, limits=Limits(1), **plan)
    world.ownership.targets = frozenset({NAME})
    with pytest.raises(errors.Refused, match="A running Cloud Sync job writes"):
        run(world, tmp_path, **plan)
    with pytest.raises(errors.Refused, match="was made for attributes"):
        run(world, tmp_path, on_owned="skip", **plan)
    world.ownership.targets = frozenset()
    with pytest.raises(errors.Refused, match="was made for proxy_addresses merge"):
        run(world, tmp_path, proxy_addresses="exact", **plan)
    world.directory.domain = "other.lab"
    with pytest.raises(errors.Refused, match=r"was made for domain contoso.lab"):
        run(world, tmp_path, **plan)
    with pytest.raises(errors.Refused, match="not the plan that was approved"):
        run(world, tmp_path, apply_plan=plan["apply_plan"], apply_plan_sha256="0" * 64)
    assert world.directory.modifications == []


def test_a_plan_beyond_the_limits_is_saved_with_a_warning(world: World, tmp_path: Path) -> None:
    report = run(world, tmp_path, plan_file=str(tmp_path / "plan"), limits=Limits(1))
    assert any("will not be applied as the limits are now" in warning for warning in report.warnings)
    assert report.result["plan"]["objects"] == 2


def test_a_second_run_is_refused_and_check_mode_is_not(world: World, tmp_path: Path) -> None:
    with lock.hold(tmp_path, "contoso.lab", "other"):
        with pytest.raises(errors.Refused, match="Another run writes to contoso"):
            run(world, tmp_path)
        assert run(world, tmp_path, check_mode=True).changed
    assert world.directory.modifications == []
    assert run(world, tmp_path).changed


RULES = f"""
mappings:
  - target: mail
    source: Mail
  - target: {NAME}
    owner: directory
  - target: msExchHideFromAddressLists
    owner: directory
"""


def rules(path: Path, text: str = RULES) -> Any:
    file = path / "rules.yml"
    file.write_text(text, "utf-8")
    return rules_file.read(file)


def test_the_directorys_rules_say_what_is_written(world: World, tmp_path: Path) -> None:
    report = run(world, tmp_path, rules=rules(tmp_path))
    assert report.result["attributes"] == [NAME, "msExchHideFromAddressLists"]
    held = next(iter(world.directory.objects.values())).values
    assert held[NAME] == (b"new",)
    assert "extensionAttribute2" not in held


def test_an_attribute_has_one_owner(world: World, tmp_path: Path) -> None:
    given = rules(tmp_path)
    with pytest.raises(errors.InputError, match=r"rules.yml:3:5: this rule gives mail to Cloud Sync"):
        run(world, tmp_path, rules=given, attributes=["MAIL"])
    assert run(world, tmp_path, rules=given, attributes=["extensionAttribute2"]).changed
    with pytest.raises(errors.InputError, match=r"rules.yml:2:3: mail has two owners, .*rules.yml:1:3"):
        rules(tmp_path, "- {target: mail, source: Mail}\n- {target: mail, owner: directory}\n")


def test_rules_without_one_for_the_directory(world: World, tmp_path: Path) -> None:
    with pytest.raises(errors.InputError, match="No rule has the owner directory"):
        run(world, tmp_path, rules=rules(tmp_path, "- {target: mail, source: Mail}\n"))
