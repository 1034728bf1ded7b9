# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: what is in it is on disk, exact to the byte, and damage is found."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, ValueChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal import Header, Journal, JournalError
from ansible_collections.hybrid.exchange.plugins.module_utils._run.version import VERSION
from hypothesis import given
from hypothesis import strategies as st

HEADER = Header("writeback", "contoso.lab", "dc1:636", "DC=contoso,DC=lab", tenant="t", wave="pilot")


def change(number: int, before: Sequence[bytes] = (b"old",), after: Sequence[bytes] = (b"new",)) -> ObjectChange:
    values = ValueChange("extensionAttribute1", tuple(before), tuple(after))
    return ObjectChange(
        f"id{number}", f"user{number}@x", f"CN=Jürg {number}", bytes([number]) * 16, b"anchor", (values,)
    )


def written(path: Path, numbers: int = 3) -> Path:
    """A journal with one intent and outcome after the other, not ended."""
    found = Journal.create(path, HEADER)
    for number in range(1, numbers + 1):
        (key,) = found.intend([change(number)])
        found.outcome([(key, "written", "")])
    found.abandon()
    return found.path


def test_what_went_in_comes_out(tmp_path: Path) -> None:
    found = Journal.create(tmp_path / "new", HEADER)
    assert found.intend([change(1), change(2)]) == [1, 2]
    found.outcome([(1, "written", ""), (2, "not_written", "refused")])
    assert found.intend([change(3)]) == [3]
    found.close({"counts": {"written": 1}})
    back = journal.read(found.path)
    assert back.header == HEADER
    assert dict(back.intents) == {number: change(number) for number in (1, 2, 3)}
    assert dict(back.outcomes) == {1: "written", 2: "not_written"}
    assert back.end is not None
    assert back.end["counts"] == {"written": 1}
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    assert [file.name for file in found.path.parent.iterdir()] == [found.path.name]


def test_every_line_is_json_and_says_what_it_is(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in written(tmp_path, 1).read_text("utf-8").splitlines()]
    assert [line["record"] for line in lines] == ["header", "intent", "outcome"]
    assert lines[0]["kind"] == "hybrid.exchange.directory-journal"
    assert {"schema_version", "run", "tenant", "domain", "forest", "who", "started", "wave"} <= set(lines[0])
    assert {"user", "host", "pid"} <= set(lines[0]["who"])
    assert lines[1]["distinguished_name"] == "CN=Jürg 1"


def test_the_version_is_the_collections() -> None:
    galaxy = Path(__file__).parents[3] / "galaxy.yml"
    assert yaml.safe_load(galaxy.read_text("utf-8"))["version"] == VERSION


@given(st.lists(st.binary(min_size=1), max_size=4), st.lists(st.text(min_size=1), max_size=4))
def test_values_come_back_byte_by_byte(before: list[bytes], after: list[str]) -> None:
    given = change(1, before, [value.encode() for value in after if value.isprintable()])
    back = ObjectChange.from_record(json.loads(json.dumps(given.as_record())))
    assert (back.id, back.guid, back.anchor) == (given.id, given.guid, given.anchor)
    assert sorted(back.changes[0].before) == sorted(given.changes[0].before)
    assert sorted(back.changes[0].after) == sorted(given.changes[0].after)


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_torn_last_line_does_not_count(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    back = journal.read(path)
    assert (len(back.intents), len(back.outcomes), back.end) == (3, 2, None)


def test_a_tail_of_zeros_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes() + b"\0" * 500)
    assert len(journal.read(path).outcomes) == 3


@pytest.mark.parametrize("line", [1, 2, 4, 7])
def test_damage_is_found_and_named(tmp_path: Path, line: int) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b"contoso" if line == 1 else b"1" if line < 4 else b"e", b"X", 1)
    path.write_bytes(b"".join(lines))
    with pytest.raises(InputError, match=f"jsonl:{line}: ") as caught:
        journal.read(path)
    assert caught.value.facts["line"] == line


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 2, 3), (0, 1, 1, 2)])
def test_lines_lost_or_moved_are_found(tmp_path: Path, order: tuple[int, ...]) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(InputError, match="is not as it was written"):
        journal.read(path)


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "directory-journal-x.jsonl"
    path.write_text("")
    with pytest.raises(InputError, match="not a journal"):
        journal.read(path)
    path.write_text('{"record":"header"}\n')
    with pytest.raises(InputError, match="is not as it was written"):
        journal.read(path)
    with pytest.raises(InputError, match="cannot be read"):
        journal.read(tmp_path / "none")


def test_a_journal_of_a_later_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SCHEMA_VERSION", 2)  # the writer's; the reader has its own
    path = written(tmp_path)
    monkeypatch.undo()
    with pytest.raises(InputError, match="has the form 2"):
        journal.read(path)


def test_going_on_after_a_torn_line(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    scan = journal.Scan(path)
    assert len(list(scan)) == 5
    again = Journal.reopen(scan)
    again.outcome([(3, "written", "")])
    assert again.intend([change(9)]) == [4]
    again.close({})
    back = journal.read(path)
    assert (set(back.outcomes), set(back.intents)) == ({1, 2, 3}, {1, 2, 3, 4})
    assert back.end is not None


def test_unfinished_journals_of_a_domain(tmp_path: Path) -> None:
    open_one = written(tmp_path)
    ended = Journal.create(tmp_path, HEADER)
    ended.close({})
    other = Journal.create(tmp_path, Header("writeback", "other.lab", "dc", "DC=other,DC=lab"))
    other.abandon()
    assert journal.unfinished(tmp_path, "CONTOSO.lab") == [open_one]
    assert journal.unfinished(tmp_path, "contoso.lab", "T") == [open_one]
    assert journal.unfinished(tmp_path, "contoso.lab", "u") == []
    assert len(journal.journals(tmp_path, "contoso.lab")) == 2
    assert journal.unfinished(tmp_path / "none", "contoso.lab") == []
    ended.path.write_bytes(ended.path.read_bytes()[:-1])
    assert len(journal.unfinished(tmp_path, "contoso.lab")) == 2


def full_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A disk with room for so many bytes more."""
    write, left = os.write, [count]

    def limited(handle: int, data: Any) -> int:
        if left[0] <= 0:
            raise OSError(28, "No space left on device")
        done = write(handle, bytes(data)[: left[0]])
        left[0] -= done
        return done

    monkeypatch.setattr(journal.os, "write", limited)


@pytest.mark.parametrize("room", [0, 1, 200])
def test_a_full_disk_is_told_and_leaves_a_whole_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    found = Journal.create(tmp_path, HEADER)
    found.intend([change(1)])
    with monkeypatch.context() as patch:
        full_after(patch, room)
        with pytest.raises(JournalError, match="No space left on device"):
            found.intend([change(2)])
    with pytest.raises(JournalError):
        found.outcome([(1, "written", "")])  # it stays closed, whatever the disk says now
    with pytest.raises(JournalError):
        found.close({})
    back = journal.read(found.path)
    assert (list(back.intents), dict(back.outcomes), back.end) == ([1], {}, None)
    assert found.path.read_bytes().endswith(b"\n")


def test_no_journal_is_left_where_its_header_finds_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full_after(monkeypatch, 10)
    with pytest.raises(JournalError, match=str(tmp_path)):
        Journal.create(tmp_path, HEADER)
    assert list(tmp_path.iterdir()) == []


def test_intents_are_on_disk_before_intend_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Journal.create(tmp_path, HEADER)
    calls: list[str] = []
    write, fsync = os.write, os.fsync
    monkeypatch.setattr(journal.os, "write", lambda *given: (calls.append("write"), write(*given))[1])
    monkeypatch.setattr(journal.os, "fsync", lambda *given: (calls.append("fsync"), fsync(*given))[1])
    found.intend([change(number) for number in range(100)])
    assert calls == ["write", "fsync"]
    found.abandon()
