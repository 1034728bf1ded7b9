# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting back what journals recorded: exactly that, and nobody else's values."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, ValueChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import Header, Journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import KindLimits, Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import restore_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore import Options, restore
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, write_back
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import Options as WriteOptions
from hypothesis import given
from hypothesis import strategies as st
from writeback_fakes import BASE, FakeDirectory, World, run_in

NAME = "extensionAttribute1"
OLD, NEW = (b"old",), (b"new",)


@pytest.fixture
def world() -> World:
    return World()


def write(world: World, path: Path, wave: str = "pilot", **options: Any) -> str:
    """Write, and return the path of the journal."""
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    given = WriteOptions(Selection("all", None), journal_dir=str(path), wave=wave, tenant="t", **options)
    return str(write_back(given, ends, run_in(path)).result["journal"]["path"])


def put_back(world: World, path: Path, *, check_mode: bool = False, tenant: bool = True, **options: Any) -> Report:
    if not {"journals", "wave"} & set(options):
        options["wave"] = "pilot"
    given = Options(journal_dir=str(path), **options)
    return restore(given, world.directory, world.ownership if tenant else None, run_in(path, check_mode=check_mode))


def edit_cloud(world: World, number: int, value: str) -> None:
    world.mailboxes.mailboxes[number].properties["CustomAttribute1"] = value  # type: ignore[index]


def test_a_run_is_put_back_announced_first_and_once_only(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"}, {NAME: "old"})
    path = write(world, tmp_path)
    checked = put_back(world, tmp_path, journals=[path], check_mode=True)
    assert checked.changed
    assert world.directory.text(guid, NAME) == ("new",)
    done = put_back(world, tmp_path, journals=[path])
    assert world.directory.text(guid, NAME) == ("old",)
    assert done.diff == checked.diff
    assert done.diff[0]["after"] == {NAME: ["old"]}
    assert (done.result["counts"]["planned"], done.result["counts"]["restored"]) == (1, 1)
    again = put_back(world, tmp_path, journals=[path])
    assert not again.changed
    assert again.result["counts"]["unchanged"] == 1
    assert "journal" not in again.result


def test_a_restore_is_journaled_and_can_be_restored(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"}, {NAME: "old"})
    write(world, tmp_path)
    report = put_back(world, tmp_path)
    header = journal.read(report.result["journal"]["path"]).header
    assert (header.operation, header.wave, header.tenant) == ("restore", "pilot", "t")
    put_back(world, tmp_path, journals=[report.result["journal"]["path"]])
    assert world.directory.text(guid, NAME) == ("new",)


def test_several_runs_of_a_wave_end_with_the_values_before_the_oldest(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "one"}, {NAME: "old"})
    other = world.user("other", {}, {NAME: "gone"})
    write(world, tmp_path)
    edit_cloud(world, 0, "two")
    write(world, tmp_path)
    edit_cloud(world, 0, "")
    write(world, tmp_path)
    elsewhere = world.user("elsewhere", {"CustomAttribute1": "new"})
    write(world, tmp_path, wave="second")
    report = put_back(world, tmp_path)
    assert len(report.result["journals"]) == 3
    assert world.directory.text(guid, NAME) == ("old",)
    assert world.directory.text(other, NAME) == ("gone",)
    assert world.directory.text(elsewhere, NAME) == ("new",)


@pytest.mark.parametrize("by", ["dn", "guid", "upn", "id"])
def test_one_object_by_any_of_its_names(world: World, tmp_path: Path, by: str) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"})
    other = world.user("other", {"CustomAttribute1": "new"})
    write(world, tmp_path)
    names = {
        "dn": f"cn=USER,OU=People,{BASE}",
        "guid": str(uuid.UUID(bytes_le=guid)),
        "upn": "User@contoso.lab",
        "id": world.mailboxes.mailboxes[0].id,
    }
    put_back(world, tmp_path, objects=[names[by]])
    assert (world.directory.text(guid, NAME), world.directory.text(other, NAME)) == ((), ("new",))
    with pytest.raises(errors.InputError, match="recorded no write to nobody@x"):
        put_back(world, tmp_path, objects=[names[by], "nobody@x"])


def changed_since(world: World, path: Path) -> tuple[bytes, bytes]:
    """Two users written, one of whom somebody else changed since in one of two attributes."""
    cloud = {"CustomAttribute1": "new", "CustomAttribute2": "new"}
    guid = world.user("user", cloud, {NAME: "old"})
    other = world.user("other", cloud)
    write(world, path)
    world.directory.objects[guid].values[NAME] = (b"somebody else's",)
    return guid, other


def test_values_changed_since_are_not_overwritten(world: World, tmp_path: Path) -> None:
    guid, other = changed_since(world, tmp_path)
    sent = len(world.directory.modifications)
    for check_mode in (True, False):
        with pytest.raises(errors.Refused, match=rf"1 objects .*CN=user.*\({NAME}\).*Nothing was restored"):
            put_back(world, tmp_path, check_mode=check_mode)
    assert len(world.directory.modifications) == sent
    report = put_back(world, tmp_path, on_changed="skip")
    assert report.result["changed_since"] == [{"object": "user@contoso.lab", "attributes": [NAME]}]
    assert world.directory.text(guid, NAME) == ("somebody else's",)
    assert world.directory.text(guid, "extensionAttribute2") == ()
    assert world.directory.text(other, NAME) == ()
    assert not put_back(world, tmp_path, on_changed="skip").changed
    put_back(world, tmp_path, on_changed="overwrite")
    assert world.directory.text(guid, NAME) == ("old",)


def test_a_value_that_is_as_it_should_be_raises_no_alarm(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"}, {NAME: "old"})
    write(world, tmp_path)
    world.directory.objects[guid].values[NAME] = OLD
    report = put_back(world, tmp_path)
    assert not report.changed
    assert report.result["counts"]["changed_since"] == 0


def test_objects_are_found_where_they_were_moved_and_told_where_they_were_deleted(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"})
    gone = world.user("gone", {"CustomAttribute1": "new"})
    write(world, tmp_path)
    world.directory.objects[guid].dn = f"CN=renamed,OU=Elsewhere,{BASE}"
    del world.directory.objects[gone]
    with pytest.raises(errors.PartialFailure, match="does not exist any more") as failed:
        put_back(world, tmp_path)
    assert failed.value.facts["counts"]["not_found"] == 1
    assert failed.value.facts["counts"]["restored"] == 1
    assert world.directory.text(guid, NAME) == ()


def test_a_change_during_the_restore_is_planned_again_or_left(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"}, {NAME: "old"})
    write(world, tmp_path)

    def edit(entry: Any) -> None:
        entry.values[NAME] = (b"theirs",)

    world.directory.before_modify = edit
    with pytest.raises(errors.PartialFailure, match="during this run"):
        put_back(world, tmp_path)
    assert world.directory.text(guid, NAME) == ("theirs",)


def test_what_a_running_job_owns(world: World, tmp_path: Path) -> None:
    cloud = {"CustomAttribute1": "new", "CustomAttribute2": "new"}
    guid = world.user("user", cloud)
    write(world, tmp_path)
    world.ownership.targets = frozenset({"EXTENSIONATTRIBUTE1", "mail"})
    with pytest.raises(errors.Refused, match="next cycles would bring the cloud's values back"):
        put_back(world, tmp_path)
    report = put_back(world, tmp_path, on_owned="skip")
    assert report.result["owned_attributes"] == [NAME]
    assert (world.directory.text(guid, NAME), world.directory.text(guid, "extensionAttribute2")) == (("new",), ())
    report = put_back(world, tmp_path, tenant=False)
    assert world.directory.text(guid, NAME) == ()
    assert any("nobody looked whether a Cloud Sync job runs" in warning for warning in report.warnings)


@pytest.mark.parametrize(
    "limits", [{"limits": Limits(1)}, {"limits": Limits(5, 0)}, {"kind_limits": KindLimits(max_clears=1)}]
)
def test_limits_hold_for_a_restore(world: World, tmp_path: Path, limits: dict[str, Any]) -> None:
    for name in ("a", "b"):
        world.user(name, {"CustomAttribute1": "new"})
    write(world, tmp_path)
    sent = len(world.directory.modifications)
    with pytest.raises(errors.Refused, match="would change 2 of 2 recorded objects"):
        put_back(world, tmp_path, **limits)
    assert len(world.directory.modifications) == sent


def test_journals_that_do_not_fit(world: World, tmp_path: Path) -> None:
    with pytest.raises(errors.InputError, match="no journal of the wave pilot in contoso"):
        put_back(world, tmp_path)
    other = Journal.create(tmp_path / "other", Header("writeback", "other.lab", "dc", "DC=other"))
    other.close({})
    with pytest.raises(errors.InputError, match=r"is about other.lab"):
        put_back(world, tmp_path, journals=[str(other.path)])
    forged = Journal.create(tmp_path / "forged", Header("writeback", "contoso.lab", "dc", BASE))
    values = ValueChange("userAccountControl", (b"512",), (b"514",))
    forged.intend([ObjectChange("i", "n", f"CN=n,{BASE}", b"1" * 16, None, (values,))])
    forged.close({})
    with pytest.raises(errors.InputError, match="userAccountControl is not an attribute that this collection writes"):
        put_back(world, tmp_path, journals=[str(forged.path)])


# Any journaled history of one attribute, undone over what the directory then holds.

TEXTS = sorted(name for name, row in CATALOGUE.items() if row.directory_writable and row.multi and row.cast == "text")
raw = st.lists(st.sampled_from([b"a", b"B", b"b", b"\xc3\x9f", b"c", b"\xff\x00"]), max_size=4).map(
    lambda values: tuple({value.lower(): value for value in values}.values())
)


def history(states: list[tuple[bytes, ...]], outcomes: list[bool]) -> tuple[list[ValueChange], tuple[bytes, ...]]:
    """Writes from state to state, of which some never arrived; and the state they leave."""
    writes, now = [], states[0]
    for wanted, arrived in zip(states[1:], outcomes, strict=False):
        writes.append(ValueChange(TEXTS[0], now, wanted))
        now = wanted if arrived else now
    return writes, now


@given(st.lists(raw, min_size=2, max_size=5), st.lists(st.booleans(), min_size=4, max_size=4))
def test_undoing_any_history_gives_the_values_before_it(states: list[tuple[bytes, ...]], outcomes: list[bool]) -> None:
    """Over a directory with AD's rules, and twice the same."""
    writes, now = history(states, outcomes)
    directory = FakeDirectory()
    entry = directory.add("user", b"g" * 16)
    entry.values[TEXTS[0]] = now
    last = ObjectChange("i", "n", entry.dn, b"g" * 16, None, tuple(writes[-1:]))
    found = restore_plan.undo(restore_plan.Recorded(last, {TEXTS[0]: writes}), entry.dn, entry.values, "fail")
    assert found.changed_since == ()
    directory.modify(entry.dn, found.change.steps())
    held = directory.objects[b"g" * 16].values.get(TEXTS[0], ())
    assert sorted(held) == sorted(states[0])
    again = restore_plan.undo(restore_plan.Recorded(last, {TEXTS[0]: writes}), entry.dn, {TEXTS[0]: held}, "fail")
    assert not again.change.changes


@given(st.lists(raw, min_size=2, max_size=4), raw)
def test_a_foreign_value_is_never_lost_unless_told(states: list[tuple[bytes, ...]], foreign: tuple[bytes, ...]) -> None:
    writes, _now = history(states, [True] * 4)
    last = ObjectChange("i", "n", "CN=n", b"g" * 16, None, tuple(writes[-1:]))
    recorded = restore_plan.Recorded(last, {TEXTS[0]: writes})
    known = [sorted(state) for state in states]
    found = restore_plan.undo(recorded, "CN=n", {TEXTS[0]: foreign}, "skip")
    if sorted(foreign) not in known:
        assert found.changed_since == (TEXTS[0],)
        assert not found.change.changes
    told = restore_plan.undo(recorded, "CN=n", {TEXTS[0]: foreign}, "overwrite")
    after = told.change.changes[0].after if told.change.changes else foreign
    assert sorted(after) == sorted(states[0])
