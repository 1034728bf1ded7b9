# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Live progress around a module."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._run.durations import in_words
from ansible_collections.hybrid.exchange.plugins.plugin_utils import progress
from ansible_collections.hybrid.exchange.plugins.plugin_utils.progress import Tail, describe, follow


def line(done, at, phase="flip", total=20000):
    return {"phase": phase, "done": done, "total": total, "time": at}


@pytest.mark.parametrize(
    ("now", "started", "expected"),
    [
        (line(1200, 114.0), line(0, 100.0), "contoso: flip 1200/20000, 86/s, 3m39s left"),
        (line(0, 100.0), line(0, 100.0), "contoso: flip 0/20000"),
        (line(20000, 200.0), line(0, 100.0), "contoso: flip 20000/20000, 200/s"),
        (line(5, 110.0, total=None), line(0, 100.0), "contoso: flip 5, 30/min"),
        (line(0, 100.0, total=None), line(0, 100.0), "contoso: flip"),
        ({}, {}, "contoso: working"),
        (line(30, 110.0), line(20, 100.0), "contoso: flip 30/20000, 1/s, 5h32m left"),
    ],
)
def test_describe(now, started, expected):
    assert describe("contoso", now, started) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.4, "0s"), (59.4, "59s"), (60, "1m00s"), (3599, "59m59s"), (7500, "2h05m")]
)
def test_duration(seconds, expected):
    assert in_words(seconds) == expected


def write(path, *lines, end="\n"):
    with path.open("a") as file:
        file.write("\n".join(json.dumps(item) if isinstance(item, dict) else item for item in lines) + end)


def test_tail_reads_what_is_new_and_remembers_the_phase(tmp_path):
    path = tmp_path / "p"
    tail = Tail(path)
    assert tail.latest() is None
    write(path, line(0, 1, "read"), line(5, 2, "read"))
    assert tail.latest() == (line(5, 2, "read"), line(0, 1, "read"))
    assert tail.latest() is None
    write(path, line(0, 3), "damaged {", line(7, 4))
    assert tail.latest() == (line(7, 4), line(0, 3))
    write(path, '{"phase": "fl', end="")
    assert tail.latest() is None, "half a line is left for the next time"
    write(path, 'ip", "done": 8}')
    assert tail.latest()[0]["done"] == 8


def test_follow_shows_lines_until_stopped(tmp_path):
    path, stop, shown = tmp_path / "p", threading.Event(), []
    write(path, line(0, 1), line(10, 2))

    def show(text):
        shown.append(text)
        stop.set()

    follow(path, "contoso", stop, show, interval=0.01)
    assert shown == ["contoso: flip 10/20000, 10/s, 33m19s left"]


@pytest.fixture
def action(monkeypatch):
    plugin = progress.ProgressActionBase.__new__(progress.ProgressActionBase)
    plugin._task = SimpleNamespace(args={"tenant_id": "t"}, action="hybrid.exchange.mailbox_info", async_val=0)
    monkeypatch.setattr(progress.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    return plugin


def test_the_action_gives_the_module_a_file_and_passes_its_result_on(action, monkeypatch):
    seen = {}

    def execute(module_args, task_vars):
        seen.update(module_args)
        write(progress.Path(module_args["progress_file"]), line(0, 1))
        return {"changed": True, "counts": {"n": 1}}

    monkeypatch.setattr(action, "_execute_module", execute, raising=False)
    result = action.run(task_vars={"inventory_hostname": "contoso"})
    assert result == {"changed": True, "counts": {"n": 1}}
    assert seen["tenant_id"] == "t"
    assert not progress.Path(seen["progress_file"]).parent.exists(), "nothing is left behind"
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_a_progress_file_of_the_users_own_is_left_alone(action, monkeypatch):
    action._task.args["progress_file"] = "/srv/progress"
    monkeypatch.setattr(action, "_execute_module", lambda module_args, task_vars: dict(module_args), raising=False)
    assert action.run(task_vars={})["progress_file"] == "/srv/progress"


def test_a_failing_module_stops_the_thread(action, monkeypatch):
    def execute(module_args, task_vars):
        raise RuntimeError("no interpreter")

    monkeypatch.setattr(action, "_execute_module", execute, raising=False)
    with pytest.raises(RuntimeError):
        action.run(task_vars={})
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]
