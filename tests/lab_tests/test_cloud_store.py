# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's store, clock and scenario."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.clock import Clock, iso
from tests.lab.scenario import SWITCHES, Scenario
from tests.lab.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "state.sqlite")
    yield made
    made.close()


def test_documents_come_back_in_order_of_id_and_as_copies(store: Store) -> None:
    for key in ("b", "a", "c"):
        store.put("t", "user", key, {"id": key, "values": []})
    listed = store.list("t", "user")
    assert [doc["id"] for doc in listed] == ["a", "b", "c"]
    listed[0]["values"].append(1)
    assert store.get("t", "user", "a") == {"id": "a", "values": []}
    assert store.get("other", "user", "a") is None
    assert [doc["id"] for doc in store.page("t", "user", after="a", limit=1)] == ["b"]


def test_search_finds_text_as_it_is_not_as_a_pattern(store: Store) -> None:
    store.put("t", "user", "1", {"id": "1", "name": 'O"Brien 50%_a\\b'})
    store.put("t", "user", "2", {"id": "2", "name": "plain"})
    assert [doc["id"] for doc in store.search("t", "user", 'o"BRIEN 50%_a\\B')] == ["1"]
    assert [doc["id"] for doc in store.search("t", "user", "%")] == ["1"]


def test_a_failed_transaction_leaves_nothing_even_when_nested(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.put("t", "user", "1", {})
        with store.transaction():
            store.put("t", "user", "2", {})
        raise RuntimeError
    assert store.list("t", "user") == []
    store.put("t", "user", "3", {})
    assert store.count("t", "user") == 1


def test_concurrent_read_and_write_loses_no_update(store: Store) -> None:
    store.put("t", "counter", "1", {"n": 0})

    def add() -> None:
        for _unused in range(25):
            with store.transaction():
                doc = store.get("t", "counter", "1") or {}
                store.put("t", "counter", "1", {"n": doc["n"] + 1})

    threads = [threading.Thread(target=add) for _unused in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("t", "counter", "1") == {"n": 100}


def test_state_survives_a_restart(tmp_path: Path) -> None:
    first = Store(tmp_path / "s.sqlite")
    first.put("t", "user", "1", {"a": "é"})
    first.set_meta("m", [1])
    Clock(first).advance(3600)
    Scenario(first).set({"proxy_addresses": "merge"})
    first.close()
    second = Store(tmp_path / "s.sqlite")
    assert second.get("t", "user", "1") == {"a": "é"}
    assert second.meta("m") == [1]
    assert Clock(second).offset() == pytest.approx(3600, abs=2)
    assert Scenario(second)["proxy_addresses"] == "merge"
    second.close()


def test_restore_brings_documents_back_and_leaves_the_log(store: Store, tmp_path: Path) -> None:
    store.put("t", "user", "1", {"v": 1})
    store.snapshot(tmp_path / "snap")
    store.put("t", "user", "1", {"v": 2})
    store.put("t", "user", "2", {})
    store.log_request({"a": 1}, is_write=True)
    store.restore(tmp_path / "snap")
    assert store.list("t", "user") == [{"v": 1}]
    assert [entry["a"] for entry in store.requests(writes=True)] == [1]
    with pytest.raises(FileNotFoundError):
        store.restore(tmp_path / "none")


def test_restore_undoes_every_kind_of_change_and_writes_no_more_than_that(store: Store, tmp_path: Path) -> None:
    def rows() -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(store.path)) as connection:
            query = "SELECT tenant, kind, id, doc, changed FROM object UNION ALL SELECT key, value, 0, 0, 0 FROM meta"
            return sorted(connection.execute(query).fetchall(), key=str)

    for key in ("1", "2", "3"):
        store.put("t", "user", key, {"v": key})
    store.set_meta("kept", 1)
    store.set_meta("changed", 1)
    store.set_meta("gone", 1)
    store.snapshot(tmp_path / "snap")
    before = rows()
    store.put("t", "user", "1", {"v": "1", "more": True})
    store.put("t", "user", "2", {"v": "2"})  # the same text at another time
    store.delete("t", "user", "3")
    store.put("other", "user", "1", {})
    store.set_meta("changed", 2)
    store.set_meta("new", 1)
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DELETE FROM meta WHERE key='gone'")
        connection.commit()
    store.restore(tmp_path / "snap")
    assert rows() == before
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        version = connection.execute("PRAGMA data_version").fetchone()
        store.restore(tmp_path / "snap")
        assert connection.execute("PRAGMA data_version").fetchone() == version  # nothing was written


def test_members_that_are_true_are_counted(store: Store) -> None:
    for key, value in enumerate((True, False, None, True)):
        store.put("t", "mailbox", str(key), {"a": value, "b": value is None})
    store.put("t", "mailbox", "without", {})
    store.put("other", "mailbox", "1", {"a": True})
    assert store.count_true("t", "mailbox", "a", "b") == (2, 1)
    assert store.count_true("t", "none", "a") == (0,)


def test_the_log_tells_writes_and_goes_on_counting(store: Store) -> None:
    first = store.log_request({"n": 1}, is_write=False)
    second = store.log_request({"n": 2}, is_write=True)
    assert [entry["seq"] for entry in store.requests(writes=True)] == [second]
    assert [entry["seq"] for entry in store.requests(after=first)] == [second]
    store.clear_requests()
    assert store.requests() == []
    assert store.log_request({}, is_write=False) > second


def test_the_clock_moves_by_rate_and_advance_and_never_back(store: Store) -> None:
    real = [1000.0]
    clock = Clock(store, lambda: real[0])
    clock.reset()
    real[0] += 10
    assert clock.timestamp() == 1010
    clock.set_rate(60)
    real[0] += 2
    assert clock.timestamp() == 1130
    clock.advance(70)
    assert clock.timestamp() == 1200
    assert iso(clock.now()) == "1970-01-01T00:20:00Z"
    for wrong in (lambda: clock.advance(-1), lambda: clock.set_rate(-1)):
        with pytest.raises(ValueError, match="only go forward"):
            wrong()


def test_switches_take_only_what_they_allow(store: Store) -> None:
    scenario = Scenario(store)
    assert scenario.set({"stale_reads_s": "2.5", "type_values": "local"})["stale_reads_s"] == 2.5
    for wrong in ({"type_values": "both"}, {"stale_reads_s": -1}, {"stale_reads_s": True}, {"nothing": 1},
                  {"top_page_size": 0}, {"graph_page_size": 0.5}, {"default_page_size": "0"}):  # fmt: skip
        with pytest.raises(ValueError, match=r"Switch|switch"):
            scenario.set({"proxy_addresses": "merge", **wrong})
    assert scenario["proxy_addresses"] == "overwrite"  # all or none
    with pytest.raises(KeyError):
        scenario.get("nothing")
    scenario.reset()
    assert scenario.all() == {name: switch.default for name, switch in SWITCHES.items()}
    for switch in SWITCHES.values():
        assert switch.doc.endswith(".")
        assert switch.checked(switch.default) == switch.default
