# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes and the files of a reconciliation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import parallel
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.parallel import Child
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_store import (
    Keys,
    Records,
    id_key,
    pack,
)


def test_a_child_gives_its_answer_however_long_it_is() -> None:
    answer = b"x" * 3_000_000
    child = Child("answers", lambda: (os.getpid(), answer))
    process, given = child.result()
    assert process != os.getpid()
    assert given == answer
    assert child.result()[1] == answer, "the answer can be had again"
    child.stop()


def test_a_child_is_asked_without_waiting() -> None:
    read, write = os.pipe()
    child = Child("waits", lambda: os.read(read, 1))
    assert not child.done()
    os.write(write, b"!")
    until = time.monotonic() + 20
    while not child.done():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert child.result() == b"!"
    os.close(read)
    os.close(write)


def test_the_error_of_a_child_comes_with_its_facts_and_comes_early() -> None:
    def fail() -> None:
        raise errors.PermissionDenied("Not you.", object="dc1", http_status=403)

    child = Child("fails", fail)
    with pytest.raises(errors.PermissionDenied, match="Not you") as caught:
        while not child.done():
            time.sleep(0.01)
    assert caught.value.facts == {"object": "dc1", "http_status": 403}
    with pytest.raises(errors.PermissionDenied):
        child.result()


def test_a_missing_library_is_one_in_the_parent_too() -> None:
    def fail() -> None:
        raise errors.MissingLibrary("ldap3", "traceback")

    with pytest.raises(errors.MissingLibrary) as caught:
        Child("fails", fail).result()
    assert (caught.value.library, caught.value.traceback, caught.value.message) == (
        "ldap3",
        "traceback",
        "The Python library ldap3 is missing.",
    )


def test_a_defect_in_a_child_shows_where_it_is() -> None:
    def fail() -> None:
        raise ZeroDivisionError("in the child")

    with pytest.raises(RuntimeError, match=r"that fails failed:[\s\S]*ZeroDivisionError: in the child"):
        Child("fails", fail).result()


def test_an_interrupted_child_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(errors.Unavailable, match="that waits ended with status 1 before it was done"):
        Child("waits", interrupted).result()
    assert capfd.readouterr() == ("", "")


def test_a_stopped_child_is_gone_at_once() -> None:
    child = Child("sleeps", lambda: time.sleep(60))
    process = child._process
    child.stop()
    child.stop()
    with pytest.raises(ChildProcessError):
        os.waitpid(process, 0)


@pytest.mark.skipif(not parallel.possible(), reason="no processes here")
def test_a_child_ends_with_its_parent_even_if_that_is_killed() -> None:
    program = (
        "import os, time\n"
        f"from {parallel.__name__} import Child\n"
        "child = Child('sleeps', lambda: time.sleep(60))\n"
        "print(child._process, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        time.sleep(0.3)  # until the child has told the kernel
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        until = time.monotonic() + 10
        while _runs(process):
            assert time.monotonic() < until, "the child outlives its parent"
            time.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_records_come_back_by_number(tmp_path: Path) -> None:
    records = Records(tmp_path)
    kept = [("a", None, [b"\x00", "é"]), {"x": True}, (), (1.5, 2**40)]
    packed = [pack(item) for item in kept]
    records.write(packed[:1])
    records.write(packed[1:])
    records.index(array("I", map(len, packed)))
    assert [records.read(number) for number in (3, 1, 0, 2)] == [kept[3], kept[1], kept[0], kept[2]]
    assert list(tmp_path.iterdir()) == []
    records.close()


def test_a_disk_that_fills_up_is_told_in_plain_words(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.close()
    with Path("/dev/full").open("wb", buffering=0) as full:
        records._file = full
        with pytest.raises(errors.InputError, match=r"No space left on device.*another artifact_dir"):
            records.write([b"x"])


def test_keys_keep_their_order_and_their_lengths() -> None:
    keys = Keys()
    keys.extend([b"a" * 16, b"", b"bc"])
    keys.extend([b"d" * 300])
    assert list(keys) == [b"a" * 16, b"", b"bc", b"d" * 300]
    assert len(keys) == 4
    with pytest.raises(errors.InputError, match="source_anchor_attribute"):
        keys.extend([b"x" * 70_000])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("6AED6D69-5603-5b35-9433-93ddfd49c3a7", "6aed6d69-5603-5b35-9433-93ddfd49c3a7", True),
        ("6aed6d69-5603-5b35-9433-93ddfd49c3a8", "6aed6d69-5603-5b35-9433-93ddfd49c3a7", False),
        ("id-Anna", "id-anna", True),
        ("x" * 36, "x" * 36, True),
    ],
)
def test_ids_are_told_apart(one: str, other: str, same: bool) -> None:
    assert (id_key(one) == id_key(other)) is same
