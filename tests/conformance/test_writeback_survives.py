# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A writing run that is disturbed converges to what an undisturbed one leaves, and a restore undoes all of it.

Both are judged on the whole directory, every attribute of every object, as ldapsearch reads it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import observe, stage
from tests.conformance.conftest import defaults_of
from tests.conformance.killing import Steps, count_steps, in_background, killed
from tests.conformance.modules import Result, run
from tests.lab.client import Lab

MODULE = "directory_writeback"
WAVE = "storm"
EDITED = 130  # more than one chunk of writes
KILLS_WHILE_READING = 4
KILLS_WHILE_WRITING = 24


@dataclass
class World:
    """A wave with edits in the cloud, what the directory held before it was written, and after."""

    lab: Lab
    initial: Mapping[str, Any]
    wanted: Mapping[str, Any]
    steps: Steps

    def arguments(self, artifacts: Path, **more: Any) -> dict[str, Any]:
        """Those of the task that writes the wave."""
        given = {"all_mailboxes": True, "wave": WAVE, **more}
        return stage.arguments(MODULE, given, defaults_of(self.lab, artifacts))

    def restore(self, artifacts: Path, **more: Any) -> Result:
        """Undo the wave."""
        given = {"wave": WAVE, **more}
        return run("directory_restore", stage.arguments("directory_restore", given, defaults_of(self.lab, artifacts)))

    def edited(self) -> str:
        """An object of which the run writes extensionAttribute3."""
        name = "extensionAttribute3"
        return next(dn for dn, held in self.initial.items() if held.get(name) != self.wanted[dn].get(name))

    def directory(self) -> Mapping[str, Any]:
        """All of it, by an independent reader."""
        return self.lab.directory(stage.TENANT)


def edit(lab: Lab) -> None:
    """Values set, replaced and cleared, addresses added and taken away: behind the service's back, as many at once."""
    rows = sorted(observe.mailboxes(lab.config, stage.TENANT).items(), key=lambda item: item[1]["UserPrincipalName"])
    changes: dict[str, dict[str, Any]] = {}
    synced = [row for row in rows if row[1]["IsDirSynced"] and row[1]["UserPrincipalName"] not in stage.UNWRITABLE]
    for number, (key, row) in enumerate(synced[:EDITED]):
        changes[key] = {"CustomAttribute3": f"round {number}", "ExtensionCustomAttribute2": [f"a{number}", "b"]}
        if number % 3 == 0:
            changes[key]["CustomAttribute1"] = ""
        if number % 5 == 0:
            changes[key]["EmailAddresses"] = [*row["EmailAddresses"], f"smtp:storm{number}@contoso.lab"]
    lab.patch_objects(stage.TENANT, "mailbox", changes)


@pytest.fixture(scope="module")
def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The stage, with an undisturbed run and its restore behind it."""
    artifacts = tmp_path_factory.mktemp("undisturbed")
    lab.reset()
    authority = {"all_mailboxes": True, "authority": "cloud", "on_ineligible": "skip"}
    stage.must(run("mailbox_authority", stage.arguments("mailbox_authority", authority, defaults_of(lab, artifacts))))
    edit(lab)
    made = World(lab, lab.directory(stage.TENANT), {}, Steps())
    answer, made.steps = count_steps(MODULE, made.arguments(artifacts))
    stage.must(answer)
    made.wanted = made.directory()
    changed = sum(made.wanted[name] != made.initial[name] for name in made.initial)
    assert changed == answer.data["counts"]["written"] >= EDITED
    assert not run(MODULE, made.arguments(artifacts)).changed
    stage.must(made.restore(artifacts))
    assert made.directory() == made.initial
    assert not made.restore(artifacts).changed
    return made


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """A journal directory of the test's own."""
    return tmp_path / "artifacts"


@pytest.fixture(autouse=True)
def calm(lab: Lab) -> Iterator[None]:
    """No fault stays."""
    yield
    lab.clear_faults()


def text(values: list[bytes] | None) -> list[str]:
    """Values as the lab takes them."""
    return [value.decode() for value in values or ()]


def converges(world: World, artifacts: Path, initial: Mapping[str, Any] | None = None) -> Result:
    """Run again, compare the directory with that of the undisturbed run, restore, compare with the beginning."""
    world.lab.clear_faults()
    stage.wait_for_directory(world.lab)
    again = run(MODULE, world.arguments(artifacts))
    assert not again.failed, again.data["msg"]
    assert world.directory() == world.wanted
    assert not run(MODULE, world.arguments(artifacts)).changed
    stage.must(world.restore(artifacts))
    assert world.directory() == (initial or world.initial)
    return again


def spread(world: World) -> list[int]:
    """Steps over the whole of a run, most of them while it writes; those before its first write are negative."""
    # Answers arrive in more or fewer pieces from run to run, so the very last steps are not always reached.
    reading, writing = world.steps.reading * 9 // 10, world.steps.writing * 9 // 10
    early = [-(1 + number * (reading - 1) // KILLS_WHILE_READING) for number in range(KILLS_WHILE_READING)]
    return early + [1 + number * (writing - 1) // KILLS_WHILE_WRITING for number in range(KILLS_WHILE_WRITING)]


@pytest.mark.parametrize("number", range(KILLS_WHILE_READING + KILLS_WHILE_WRITING))
def test_a_killed_run_is_resumed_and_can_be_restored(world: World, artifacts: Path, number: int) -> None:
    step = spread(world)[number]
    assert killed(MODULE, world.arguments(artifacts), step), f"the run never came to step {step}"
    converges(world, artifacts)


def test_a_run_that_is_killed_again_and_again_is_resumed(world: World, artifacts: Path) -> None:
    for step in (2, 5, 12, 40):
        assert killed(MODULE, world.arguments(artifacts), step), f"the run never came to step {step}"
    converges(world, artifacts)


def test_a_restore_that_is_killed_is_resumed(world: World, artifacts: Path) -> None:
    stage.must(run(MODULE, world.arguments(artifacts)))
    restore = stage.arguments("directory_restore", {"wave": WAVE}, defaults_of(world.lab, artifacts))
    for step in (3, 30, 60):
        assert killed("directory_restore", restore, step), f"the restore never came to step {step}"
    stage.must(world.restore(artifacts))
    assert world.directory() == world.initial


FAULTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("cut", "ldap", {"point": "in_answer", "match": {"operation": "search"}, "after": 2}),
    ("cut", "ldap", {"point": "before_request", "match": {"operation": "modify"}, "after": 40}),
    ("cut", "ldap", {"point": "after_request", "match": {"operation": "modify"}, "after": 60}),
    ("dc_restart", "ldap", {"point": "before_request", "match": {"operation": "modify"}, "after": 50}),
    ("dc_restart", "ldap", {"point": "after_request", "match": {"operation": "modify"}, "after": 90}),
    ("refuse", "ldap", {"code": "busy", "match": {"operation": "modify"}, "after": 20, "times": 3}),
    ("refuse", "ldap", {"code": "unavailable", "match": {"operation": "modify"}, "after": 20, "times": 3}),
    ("refuse", "ldap", {"code": "unwillingToPerform", "match": {"operation": "modify"}, "after": 20, "times": 2}),
    ("refuse", "ldap", {"code": "constraintViolation", "match": {"operation": "modify"}, "after": 20}),
    ("throttle", "exchange", {"retry_after": 1, "times": 4}),
    ("throttle", "graph", {"retry_after": 1, "times": 4}),
    ("throttle", "login", {"retry_after": 1, "times": 2}),
    ("token_expired", "exchange", {}),
    ("token_expired", "graph", {}),
)


@pytest.mark.parametrize(("kind", "target", "parameters"), FAULTS, ids=str)
def test_a_disturbed_run_converges(
    world: World, artifacts: Path, kind: str, target: str, parameters: dict[str, Any]
) -> None:
    world.lab.clear_log()
    world.lab.add_fault(kind, target, **parameters)
    struck = run(MODULE, world.arguments(artifacts))
    assert world.lab.faults() == [], "the fault never fired, so this shows nothing"
    assert "Traceback" not in struck.output
    if struck.failed:
        assert len(struck.data["msg"]) > 20
    converges(world, artifacts)
    assert world.lab.state()["violations"] == []


def test_a_full_disk_ends_the_run_before_anything_is_written_unjournaled(world: World, artifacts: Path) -> None:
    artifacts.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(artifacts)], check=True)
    try:
        struck = run(MODULE, world.arguments(artifacts))
        assert struck.failed
        assert "No space left" in struck.data["msg"]
        kept = [(path.name, path.read_bytes()) for path in artifacts.iterdir() if path.is_file()]
    finally:
        subprocess.run(["umount", str(artifacts)], check=True)
    for name, content in kept:
        (artifacts / name).write_bytes(content)
        (artifacts / name).chmod(0o600)
    converges(world, artifacts)


def test_the_second_of_two_runs_at_once_refuses(world: World, artifacts: Path) -> None:
    world.lab.add_fault("slow", "ldap", seconds=0.03, match={"operation": "modify"})
    writing = in_background(MODULE, world.arguments(artifacts))
    try:
        until = time.monotonic() + 600
        while not list(artifacts.glob("directory-journal-*")):
            assert time.monotonic() < until, "the first run never began to write"
            time.sleep(0.02)
        second = run(MODULE, world.arguments(artifacts))
    finally:
        _pid, status = os.waitpid(writing, 0)
    assert second.failed
    assert str(writing) in second.data["msg"], "it says who writes"
    assert second.data["changed"] is False
    assert os.waitstatus_to_exitcode(status) == 0
    converges(world, artifacts)


def test_what_somebody_else_writes_in_between_is_not_lost(world: World, artifacts: Path) -> None:
    theirs = {"description": ["kept"]}
    world.lab.edit_directory(stage.TENANT, None, theirs, before_write=4)
    first = run(MODULE, world.arguments(artifacts))
    assert not first.failed, first.data["msg"]
    held = world.directory()
    (touched,) = (name for name in held if held[name].get("description") == [b"kept"])
    assert {name: entry for name, entry in held.items() if name != touched} == {
        name: entry for name, entry in world.wanted.items() if name != touched
    }
    stage.must(world.restore(artifacts))
    left = dict(world.directory()[touched])
    assert left.pop("description") == [b"kept"]
    before = dict(world.initial[touched])
    mine = before.pop("description", None)
    assert left == before
    world.lab.edit_directory(stage.TENANT, touched, {"description": text(mine)})
    assert world.directory() == world.initial


def test_a_value_that_changed_since_the_plan_is_planned_again_and_restored_only_on_demand(
    world: World, artifacts: Path
) -> None:
    world.lab.edit_directory(stage.TENANT, world.edited(), {"extensionAttribute3": ["theirs"]}, before_write=1)
    first = run(MODULE, world.arguments(artifacts))
    assert not first.failed, first.data["msg"]
    assert world.directory() == world.wanted, "the cloud is the source of authority, so its value won, after a new plan"
    stage.must(world.restore(artifacts))
    held = world.directory()
    differing = [name for name in held if held[name] != world.initial[name]]
    assert len(differing) == 1, "their value comes back, as this run found it"
    assert held[differing[0]]["extensionAttribute3"] == [b"theirs"]
    value = text(world.initial[differing[0]].get("extensionAttribute3"))
    world.lab.edit_directory(stage.TENANT, differing[0], {"extensionAttribute3": value})
    assert world.directory() == world.initial


def test_a_restore_does_not_overwrite_what_came_later_unless_told(world: World, artifacts: Path) -> None:
    stage.must(run(MODULE, world.arguments(artifacts)))
    name = world.edited()
    world.lab.edit_directory(stage.TENANT, name, {"extensionAttribute3": ["later"]})
    before = world.directory()
    refused = world.restore(artifacts)
    assert refused.failed
    assert world.directory() == before, "nothing at all was restored"
    skipped = world.restore(artifacts, on_changed="skip")
    assert not skipped.failed, skipped.data["msg"]
    assert world.directory()[name]["extensionAttribute3"] == [b"later"]
    stage.must(world.restore(artifacts, on_changed="overwrite"))
    assert world.directory() == world.initial


def test_a_saved_plan_is_applied_as_it_is_and_refuses_what_moved(world: World, artifacts: Path) -> None:
    plan = artifacts / "wave.plan"
    artifacts.mkdir()
    made = stage.must(run(MODULE, world.arguments(artifacts, plan_file=str(plan))))
    assert world.directory() == world.initial
    first = plan.read_bytes()
    plan.unlink()
    stage.must(run(MODULE, world.arguments(artifacts, plan_file=str(plan))))
    assert plan.read_bytes() == first, "one plan, one file, byte by byte"
    arguments = world.arguments(artifacts, apply_plan=str(plan), apply_plan_sha256=made.data["plan"]["sha256"])
    for selecting in ("all_mailboxes", "exclude"):
        arguments.pop(selecting, None)
    wrong = run(MODULE, {**arguments, "apply_plan_sha256": "0" * 64})
    assert wrong.failed
    assert world.directory() == world.initial
    name = world.edited()
    value = text(world.initial[name].get("extensionAttribute3"))
    world.lab.edit_directory(stage.TENANT, name, {"extensionAttribute3": ["moved"]})
    moved = run(MODULE, arguments)
    assert moved.failed, "an object that moved is refused"
    assert moved.data["counts"]["moved"] == 1
    held = world.directory()
    assert [other for other in held if held[other] != world.wanted[other]] == [name]
    world.lab.edit_directory(stage.TENANT, name, {"extensionAttribute3": value})
    stage.must(run(MODULE, arguments))
    assert world.directory() == world.wanted
    stage.must(world.restore(artifacts))
    assert world.directory() == world.initial
