# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock, the limits by kind of change, and saved plans as files."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run import change, limits, lock, saved_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, Step, ValueChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import KindLimits, Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.saved_plan import Planned

HOLDER = """
    import sys, time
    from ansible_collections.hybrid.exchange.plugins.module_utils._run import lock
    with lock.hold(sys.argv[1], "contoso.lab", "run-1"):
        print("held", flush=True)
        time.sleep(60)
"""


def test_a_second_run_is_refused_at_once_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    with lock.hold(tmp_path, "contoso.lab", "run-1"):
        with pytest.raises(Refused, match=rf"process {os.getpid()}") as caught, lock.hold(tmp_path, "Contoso.lab", "2"):
            pass
        assert caught.value.facts["holder"]["run"] == "run-1"
        with lock.hold(tmp_path, "other.lab", "run-2"):
            pass
    with lock.hold(tmp_path, "contoso.lab", "run-3"):
        pass


def test_the_lock_of_a_dead_run_is_free(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Refused, match=f"process {child.pid}"), lock.hold(tmp_path, "contoso.lab", "mine"):
            pass
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    with lock.hold(tmp_path, "contoso.lab", "mine"):
        pass


def test_a_child_does_not_keep_the_lock_of_its_parent(tmp_path: Path) -> None:
    read, write = os.pipe()
    started, start = os.pipe()
    with lock.hold(tmp_path, "contoso.lab", "parent"):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.write(start, b"x")
            os.read(read, 1)  # until the parent is done
            os._exit(0)
        os.read(started, 1)
    for handle in (read, started, start):
        os.close(handle)
    try:
        with lock.hold(tmp_path, "contoso.lab", "next"):
            pass
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_a_lock_file_without_a_readable_name_still_locks(tmp_path: Path) -> None:
    with lock.hold(tmp_path, "contoso.lab", "x"):
        lock.lock_path(tmp_path, "contoso.lab").write_text("[]")
        with pytest.raises(Refused, match="left no name"), lock.hold(tmp_path, "contoso.lab", "y"):
            pass


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"), lock.hold(tmp_path / "file", "contoso.lab", "x"):
        pass


def of(before: str, after: str, name: str = "mail", number: int = 1) -> ObjectChange:
    values = ValueChange(name, tuple(before.encode().split()), tuple(after.encode().split()))
    return ObjectChange(f"id{number}", f"user{number}@x", f"CN=user{number}", bytes([number]) * 16, None, (values,))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("", "a", "add"),
        ("a", "a b", "add"),
        ("a", "b", "replace"),
        ("a b", "a c", "replace"),
        ("a b", "a", "remove"),
        ("a", "", "clear"),
        ("a b", "", "clear"),
    ],
)
def test_kinds_of_changes(before: str, after: str, kind: str) -> None:
    assert of(before, after).changes[0].kind == kind
    assert {name: count.total() for name, count in change.kinds([of(before, after)]).items() if count} == {kind: 1}


def test_a_value_beside_its_twin_goes_with_it_and_comes_again() -> None:
    """Samba keeps both; which one of them it would delete is its own choice."""
    steps = of("SMTP:a smtp:a b", "SMTP:a b", "proxyAddresses").steps()
    assert steps == (
        Step("delete", "proxyAddresses", (b"smtp:a", b"SMTP:a")),
        Step("add", "proxyAddresses", (b"SMTP:a",)),
    )


CLEARS = [of("a", "", number=number) for number in range(3)]
ADDS = [of("", "a", "extensionAttribute1", number=number) for number in range(3, 5)]


@pytest.mark.parametrize(
    ("wide", "by_kind", "option"),
    [
        (Limits(5), KindLimits(), None),
        (Limits(4), KindLimits(), "max_changes"),
        (Limits(5), KindLimits(max_clears=3, max_adds=2, max_replaces=0, max_removes=0), None),
        (Limits(5), KindLimits(max_clears=2), "max_clears"),
        (Limits(5), KindLimits(max_adds=1), "max_adds"),
        (Limits(5, 49), KindLimits(), "max_change_percent"),
        (Limits(5, 49, 5), KindLimits(), None),
        (Limits(5, 49, 4), KindLimits(), "max_change_percent"),
        (Limits(5, 0, 10), KindLimits(), "max_change_percent"),
    ],
)
def test_limits_by_kind(wide: Limits, by_kind: KindLimits, option: str | None) -> None:
    found = limits.planned_breach(wide, by_kind, [*CLEARS, *ADDS], 10, "mailboxes")
    assert (found.facts["limit"] if found else None) == option
    if found:
        assert "would change 5 of 10 mailboxes: add 2 (extensionAttribute1 2); clear 3 (mail 3)" in found.message
        assert "first user0@x, user1@x, user2@x" in found.message
        assert "Nothing was changed" in found.message
        assert found.facts["changes"]["by_attribute"] == {"extensionAttribute1": {"add": 2}, "mail": {"clear": 3}}


def test_a_negative_limit_makes_no_sense() -> None:
    with pytest.raises(InputError, match="max_clears"):
        KindLimits(max_clears=-1)


ABOUT: dict[str, Any] = {"tenant": "t", "domain": "contoso.lab", "attributes": ["mail"]}


def test_the_same_plan_is_the_same_file(tmp_path: Path) -> None:
    rows = [Planned(item, "digest") for item in CLEARS]
    one = saved_plan.write(tmp_path / "a", ABOUT, rows)
    other = saved_plan.write(tmp_path / "b", dict(reversed(ABOUT.items())), reversed(rows))
    assert one.sha256 == other.sha256
    assert (one.objects, one.changed) == (3, True)
    assert not saved_plan.write(tmp_path / "a", ABOUT, rows).changed
    assert saved_plan.write(tmp_path / "a", ABOUT, rows[:1]).changed
    assert oct((tmp_path / "a").stat().st_mode)[-3:] == "600"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b"]


def test_a_plan_is_read_back_only_with_its_hash(tmp_path: Path) -> None:
    saved = saved_plan.write(tmp_path / "plan", ABOUT, [Planned(item, "digest") for item in CLEARS])
    back = saved_plan.read(saved.path, saved.sha256.upper())
    assert back.about == ABOUT
    assert [item.change for item in back.objects] == CLEARS
    with pytest.raises(Refused, match="not the plan that was approved"):
        saved_plan.read(saved.path, "0" * 64)


@pytest.mark.parametrize(("text", "line"), [("", 1), ("{}", 1), ("nonsense", 1), ("PLAN\n{}", 2), ("PLAN\n[1]", 2)])
def test_what_is_no_plan_is_told(tmp_path: Path, text: str, line: int) -> None:
    head = json.dumps({"kind": saved_plan.KIND, "schema_version": 1})
    data = text.replace("PLAN", head).encode()
    (tmp_path / "plan").write_bytes(data)
    with pytest.raises(InputError, match=f"plan:{line}: this is not a saved plan"):
        saved_plan.read(tmp_path / "plan", hashlib.sha256(data).hexdigest())
    with pytest.raises(InputError, match="cannot be read"):
        saved_plan.read(tmp_path / "none", "x")
