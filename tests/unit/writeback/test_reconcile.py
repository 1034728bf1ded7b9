# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both sides read once and joined: what is equal, what is not, in one process and in several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import reconcile as module
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile import Pair, Same, reconcile
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import attributes_named, read_sources
from writeback_fakes import World

ALL = Selection("all", None)
DESIRED = Desired(attributes_named(None))
ATTRIBUTES = DESIRED.attributes
MANY = join.SEARCH_AT_MOST + 1


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=[False, True], ids=["one process", "processes"])
def processes(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def read(
    world: World, *, processes: bool = False, selection: Selection = ALL, work_dir: Path | None = None
) -> tuple[list[Same], list[Pair], int]:
    with reconcile(
        selection,
        world,
        DESIRED,
        anchor_names=join.ANCHOR_ATTRIBUTES,
        progress=Progress(None),
        work_dir=work_dir,
        processes=processes,
    ) as found:
        same, pairs = list(found.same), list(found.pairs)
        assert len(found.same) == len(same)
        assert found.different == len(pairs)
        assert list(found.same) == same, "they can be gone through again"
        return same, pairs, found.total


def names(items: Any) -> set[str]:
    return {(item.source if isinstance(item, Pair) else item).name.partition("@")[0] for item in items}


def crowd(world: World) -> None:
    """Enough of all kinds that the whole directory is read."""
    for number in range(MANY):
        world.user(f"user{number}", {"CustomAttribute1": "x"} if number % 100 == 7 else None)
    world.user("gone", in_directory=False)
    world.user("far", domain="emea.contoso.lab", in_directory=False)
    world.user("cloud", synced=False)
    world.user("onprem", managed=False)
    guid = world.user("double")
    world.directory.add("copy", b"D" * 16, consistency_guid=guid)
    world.user("strange", kind="TeamMailbox")
    world.user("bytes", directory={"extensionAttribute1": b"\xff"})


def test_the_light_rows_and_the_pairs_are_all_of_the_selection(world: World, processes: bool) -> None:
    crowd(world)
    same, pairs, total = read(world, processes=processes)
    changed = {f"user{number}" for number in range(7, MANY, 100)}
    assert names(pairs) == changed | {"gone", "far", "cloud", "double", "strange", "bytes"}
    assert len(same) + len(pairs) == total == MANY + 7
    assert {row.name for row in same if not row.cloud_managed} == {"onprem@contoso.lab"}


def test_pairs_are_what_reading_both_sides_whole_gives(world: World, processes: bool) -> None:
    crowd(world)
    sources = {source.id: source for source in read_sources(world.mailboxes, ALL, DESIRED, progress=Progress(None))}
    wanted = [*join.ANCHOR_ATTRIBUTES, *(item.ldap_name for item in ATTRIBUTES)]
    entries = {entry.dn: entry.values for entry in world.directory.search("", "", wanted)}
    _same, pairs, _total = read(world, processes=processes)
    for pair in pairs:
        expected = sources[pair.source.id]
        if pair.source.dir_synced:
            assert pair.source == expected
        for entry in pair.entries:
            compared = {name: raw for name, raw in entries[entry.dn].items() if name != "mS-DS-ConsistencyGuid"}
            assert dict(entry.values) == compared
    by_name = {pair.source.name.partition("@")[0]: pair for pair in pairs}
    assert [len(by_name[name].entries) for name in ("user7", "double", "gone", "far", "cloud")] == [1, 2, 0, 0, 0]
    assert by_name["far"].source.domain == "emea.contoso.lab"
    assert by_name["strange"].source.problem


def test_few_mailboxes_are_searched_for_and_many_are_read_with_the_whole_directory(world: World) -> None:
    world.user("one")
    read(world)
    assert "objectGUID=" in world.directory.searches[-1]
    for number in range(MANY):
        world.user(f"user{number}")
    read(world)
    assert world.directory.searches[-1] == f"(&{join.USERS})"


def test_few_mailboxes_do_not_wait_for_a_whole_directory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything was selected, so a child began to read all of AD; then everything turned out to be little."""
    world.user("one")
    main = os.getpid()

    def forever(text: str) -> None:
        if os.getpid() != main:
            os.read(os.pipe()[0], 1)

    world.directory.before_search = forever
    assert names(read(world, processes=True)[0]) == {"one"}


def test_a_selection_of_some_asks_for_their_users_only(world: World) -> None:
    world.user("one")
    world.user("cloud", synced=False)
    read(world, selection=Selection("group", "pilots"))
    synced = world.mailboxes.mailboxes[0].id
    assert world.mailboxes.asked_for == [(synced,)]
    world.mailboxes.mailboxes.pop(0)
    world.mailboxes.asked_for.clear()
    read(world, selection=Selection("group", "pilots"))
    assert world.mailboxes.asked_for == [], "nobody is not everybody"


def test_a_large_selection_of_some_reads_the_directory_beside(world: World) -> None:
    crowd(world)
    one = read(world, processes=False, selection=Selection("group", "all"))
    other = read(world, processes=True, selection=Selection("group", "all"))
    assert (one[0], names(one[1])) == (other[0], names(other[1]))


def test_a_mailbox_that_comes_twice_counts_once(world: World, processes: bool) -> None:
    world.user("one")
    world.user("cloud", synced=False)
    world.mailboxes.mailboxes *= 2
    same, pairs, total = read(world, processes=processes)
    assert (names(same), names(pairs), total) == ({"one"}, {"cloud"}, 2)


def test_mailboxes_that_share_an_anchor_know_of_each_other(world: World) -> None:
    guid = world.user("one")
    world.user("two", anchor=guid)
    world.user("three")
    same, pairs, _total = read(world)
    assert names(same) == {"three"}
    assert [pair.twins for pair in pairs] == [("one@contoso.lab", "two@contoso.lab")] * 2


def test_an_anchor_shared_with_a_user_without_a_mailbox_is_no_matter(world: World) -> None:
    guid = world.user("one")
    world.mailboxes.directory_users["left"] = DirectoryUser("left", guid, "CN=left", "contoso.lab", True)
    same, pairs, _total = read(world)
    assert (names(same), [pair.twins for pair in pairs]) == (set(), [()])


def test_an_error_of_a_child_is_the_same_error(world: World) -> None:
    crowd(world)

    def down(text: str) -> None:
        raise errors.Unavailable("The domain controller is away.", object="dc1")

    world.directory.before_search = down
    with pytest.raises(errors.Unavailable, match="The domain controller is away") as caught:
        read(world, processes=True)
    assert caught.value.facts == {"object": "dc1"}


def test_a_child_that_is_killed_is_told_in_plain_words(world: World) -> None:
    crowd(world)
    main = os.getpid()

    def killed(text: str) -> None:
        if os.getpid() != main:
            os.kill(os.getpid(), 9)

    world.directory.before_search = killed
    with pytest.raises(errors.Unavailable, match="reads Active Directory was ended by signal 9"):
        read(world, processes=True)


def test_no_child_is_left_behind_whatever_happens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world)
    started: list[int] = []
    fork = os.fork

    def noted() -> int:
        process = fork()
        if process:
            started.append(process)
        return process

    monkeypatch.setattr(os, "fork", noted)

    def interrupted(*_arguments: Any) -> Iterator[dict[str, Any]]:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.mailboxes, "rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(world, processes=True)
    assert len(started) == 2
    for process in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, 0)


def test_what_children_spend_at_the_services_is_added_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world)
    world.mailboxes.requests = 5
    real = world.mailboxes.anchors

    def counted(ids: Any = None) -> Iterator[DirectoryUser]:
        world.mailboxes.requests += 7
        return real(ids)

    monkeypatch.setattr(world.mailboxes, "anchors", counted)
    read(world, processes=True)
    assert world.mailboxes.requests == 12


def test_beside_threads_nothing_is_forked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.user("one")
    monkeypatch.setattr(module.parallel.threading, "active_count", lambda: 2)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    assert names(read(world, processes=True)[0]) == {"one"}


def test_nothing_is_left_in_the_work_directory(world: World, tmp_path: Path, processes: bool) -> None:
    crowd(world)
    read(world, processes=processes, work_dir=tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_full_disk_is_told_in_plain_words(world: World) -> None:
    world.user("one")
    with pytest.raises(errors.InputError, match=r"cannot be kept in /dev/null.*artifact_dir"):
        read(world, work_dir=Path("/dev/null"))


def test_an_empty_selection_is_nothing(world: World, processes: bool) -> None:
    assert read(world, processes=processes) == ([], [], 0)
