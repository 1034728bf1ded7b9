# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A writing run killed at every single step: it converges when run again, writes nothing twice, and can be undone."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import apply, recover
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore import Options as RestoreOptions
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore import restore
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back
from writeback_fakes import World, run_in

State = dict[bytes, dict[str, tuple[bytes, ...]]]


pytestmark = pytest.mark.once


class Killed(BaseException):
    """SIGKILL, as far as a test can have it: nothing catches it."""


class Killer:
    """Counts the steps of a run and kills it at one of them."""

    def __init__(self, at: int | None) -> None:
        self.steps = 0
        self.at = at

    def step(self, *_ignored: Any) -> None:
        if self.at is None or self.steps > self.at:
            return
        self.steps += 1
        if self.steps == self.at:
            raise Killed


def world_of() -> World:
    """Users whose values are added, replaced, cleared; an address that moves; two that swap theirs; one that stays."""
    world = World()
    world.user("add", {"CustomAttribute1": "new"})
    world.user("replace", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    world.user("clear", {}, {"extensionAttribute1": "Straße", "msExchExtensionCustomAttribute1": ["b", "a"]})
    world.user("from", {}, {"proxyAddresses": ["SMTP:from@contoso.lab", "smtp:info@contoso.lab"]})
    world.user("to", {"EmailAddresses": ["SMTP:to@contoso.lab", "smtp:info@contoso.lab"]})
    for one, other in (("x", "y"), ("y", "x")):
        held = [f"SMTP:{one}@contoso.lab", f"smtp:{one}1@contoso.lab"]
        world.user(
            one,
            {"EmailAddresses": [held[0], f"smtp:{other}1@contoso.lab"], "CustomAttribute2": "moved"},
            {"proxyAddresses": held},
        )
    world.user("same")
    return world


def state(world: World) -> State:
    """Every value of every object; the order of values means nothing."""
    return {
        guid: {name: tuple(sorted(values)) for name, values in entry.values.items()}
        for guid, entry in copy.deepcopy(world.directory.objects).items()
    }


def write(world: World, path: Path) -> Report:
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    options = Options(Selection("filter", "x"), proxy_addresses="exact", journal_dir=str(path), wave="w")
    return write_back(options, ends, run_in(path))


def put_back(world: World, path: Path, **more: Any) -> Report:
    options = RestoreOptions(wave="w", journal_dir=str(path), **more)
    return restore(options, world.directory, world.ownership, run_in(path))


def killed_at(
    step: int | None, world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]
) -> tuple[bool, int]:
    """Run it until the step; whether it was killed, and how many steps there were."""
    killer = Killer(step)
    whole, fsync = journal._write, os.fsync

    def torn(handle: int, data: bytes) -> None:
        half = len(data) // 2
        whole(handle, data[:half])
        killer.step()
        whole(handle, data[half:])
        killer.step()

    def synced(handle: int) -> None:
        killer.step()
        fsync(handle)
        killer.step()

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_write", torn)
        patch.setattr(journal.os, "fsync", synced)
        directory = world.directory
        directory.before_modify = directory.after_modify = directory.before_search = killer.step  # type: ignore[assignment]
        try:
            act()
        except Killed:
            return True, killer.steps
        finally:
            directory.before_modify = directory.after_modify = directory.before_search = lambda _any: None
    return False, killer.steps


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "CHUNK", 2)


def steps_of(monkeypatch: pytest.MonkeyPatch, path: Path, act: Callable[[World, Path], Any], first: Any = None) -> int:
    world = world_of()
    if first:
        first(world, path)
    return killed_at(10**9, world, monkeypatch, lambda: act(world, path))[1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_killed_at_any_step_converges_and_can_be_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = world_of()
    write(undisturbed, tmp_path / "undisturbed")
    wanted, initial = state(undisturbed), state(world_of())
    assert wanted != initial
    steps = steps_of(monkeypatch, tmp_path / "count", write)
    assert steps >= 40
    unsettled = set()
    for step in range(1, steps + 1):
        path, world = tmp_path / str(step), world_of()
        assert killed_at(step, world, monkeypatch, lambda world=world, path=path: write(world, path))[0]
        report = write(world, path)
        unsettled |= {word for line in report.result["resumed"] for word in recover.SETTLED_OUTCOMES if line[word]}
        assert state(world) == wanted, f"killed at {step}"
        # A kill between the halves of a swap costs that object no second write of the same values.
        assert len(world.directory.modifications) == len(undisturbed.directory.modifications), f"killed at {step}"
        assert not write(world, path).changed
        assert put_back(world, path).changed
        assert state(world) == initial, f"killed at {step}"
        assert not put_back(world, path).changed
    assert unsettled == {"written", "not_written"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_restore_killed_at_any_step_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    initial = state(world_of())
    steps = steps_of(monkeypatch, tmp_path / "count", put_back, write)
    for step in range(1, steps + 1):
        path, world = tmp_path / str(step), world_of()
        write(world, path)
        written = state(world)
        assert killed_at(step, world, monkeypatch, lambda world=world, path=path: put_back(world, path))[0]
        put_back(world, path)
        assert state(world) == initial, f"killed at {step}"
        assert not put_back(world, path).changed
        assert write(world, path).changed
        assert state(world) == written


def test_check_mode_tells_of_a_cut_run_and_leaves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of()
    killed_at(12, world, monkeypatch, lambda: write(world, tmp_path))
    (path,) = journal.unfinished(tmp_path, "contoso.lab")
    before = path.read_bytes()
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    options = Options(Selection("filter", "x"), proxy_addresses="exact", journal_dir=str(tmp_path))
    report = write_back(options, ends, run_in(tmp_path, check_mode=True))
    assert report.result["resumed"][0]["not_settled"] > 0
    assert any("settles it" in warning for warning in report.warnings)
    assert path.read_bytes() == before
    done = write(world, tmp_path)
    assert done.result["resumed"][0]["journal"] == str(path)
    assert journal.unfinished(tmp_path, "contoso.lab") == []


def test_what_somebody_else_changed_after_a_kill_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    guid = world.user("user", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    directory = world.directory

    def kill(_entry: Any) -> None:
        raise Killed

    directory.after_modify = kill
    with pytest.raises(Killed):
        write(world, tmp_path)
    directory.after_modify = lambda _entry: None
    directory.objects[guid].values["extensionAttribute1"] = (b"mine",)
    world.mailboxes.mailboxes[0].properties["CustomAttribute1"] = "mine"  # type: ignore[index]
    assert write(world, tmp_path).result["resumed"][0]["changed_since"] == 1
    with pytest.raises(errors.Refused, match="changed by somebody else"):
        put_back(world, tmp_path)
    assert directory.text(guid, "extensionAttribute1") == ("mine",)
    put_back(world, tmp_path, on_changed="overwrite")
    assert directory.text(guid, "extensionAttribute1") == ("old",)


def test_another_domain_controller_may_not_have_the_writes_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is unknown is undone where it turns out to be there."""
    world = World()
    guid = world.user("user", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    directory = world.directory

    def kill(_entry: Any) -> None:
        raise Killed

    directory.after_modify = kill
    with pytest.raises(Killed):
        write(world, tmp_path)
    directory.after_modify = lambda _entry: None
    directory.host = "dc2.contoso.lab:636"
    directory.objects[guid].values["extensionAttribute1"] = (b"old",)
    world.mailboxes.mailboxes.clear()
    assert write(world, tmp_path).result["resumed"][0]["unknown"] == 1
    directory.objects[guid].values["extensionAttribute1"] = (b"new",)
    report = put_back(world, tmp_path)
    assert directory.text(guid, "extensionAttribute1") == ("old",)
    assert any("run again after replication" in warning for warning in report.warnings)


def test_what_is_left_of_a_journal_without_a_header_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".directory-journal-contoso.lab-1.jsonl.partial"
    other = tmp_path / ".directory-journal-other.lab-1.jsonl.partial"
    left.write_text("{")
    other.write_text("{")
    write(world_of(), tmp_path)
    assert (left.exists(), other.exists()) == (False, True)


def test_a_damaged_journal_stops_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of()
    killed_at(12, world, monkeypatch, lambda: write(world, tmp_path))
    (path,) = journal.unfinished(tmp_path, "contoso.lab")
    data = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([data[0], data[1].replace(b"contoso", b"evilcorp", 1), *data[2:]]))
    sent = len(world.directory.modifications)
    with pytest.raises(errors.InputError, match=r"jsonl:2: .*damaged"):
        write(world, tmp_path)
    assert len(world.directory.modifications) == sent


@pytest.mark.parametrize("room", range(0, 6000, 600))
def test_a_disk_that_fills_up_stops_the_run_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    world, wanted = world_of(), world_of()
    write(wanted, tmp_path / "wanted")
    whole, left = journal._write, [room]

    def limited(handle: int, data: bytes) -> None:
        whole(handle, data[: left[0]])
        left[0] -= len(data)
        if left[0] < 0:
            left[0] = 0
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_write", limited)
        try:
            write(world, tmp_path)
        except errors.HybridError as error:
            assert "No space left on device" in str(error.message) + str(error.facts.get("failures"))
            journaled = [
                change
                for path in journal.journals(tmp_path, "contoso.lab")
                for change in journal.read(path).intents.values()
            ]
            assert len(world.directory.modifications) <= len(journaled)
            assert error.facts.get("changed", False) == bool(world.directory.modifications)
            assert error.facts.get("counts", {}).get("written", 0) <= len(world.directory.modifications)
    write(world, tmp_path)
    assert state(world) == state(wanted)
    put_back(world, tmp_path)
    assert state(world) == state(world_of())
