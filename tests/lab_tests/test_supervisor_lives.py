# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole starts through the command line, on addresses of their own, ended in unfriendly ways."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import machine, processes
from tests.lab.forest.kept import FOLDER_VARIABLE
from tests.lab.settings import CHECKOUT, NETWORK_VARIABLE, RUN_DIR_VARIABLE, Settings, settings
from tests.lab_tests.waiting import eventually

OWN_NETWORK = "127.91"
PATIENCE = 1800.0  # against hanging only: a busy machine takes minutes to build a forest


class Place:
    """A run directory on the tests' own network, and the command line on it."""

    def __init__(self, directory: Path) -> None:
        self.config: Settings = settings(directory)
        self.environment = {**os.environ, NETWORK_VARIABLE: OWN_NETWORK, RUN_DIR_VARIABLE: str(directory)}
        self.environment.pop(FOLDER_VARIABLE, None)  # forests are built here, not copied: that is what is interrupted

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.lab", *words],
            cwd=CHECKOUT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def document(self, *words: str) -> Any:
        code, out, err = self.run("--json", *words)
        assert code == 0, err
        return json.loads(out)

    def wait_until(self, what: str, condition: Callable[[], object]) -> None:
        assert eventually(condition, PATIENCE), f"after {PATIENCE:.0f} s still not: {what}"

    def nothing_is_left(self) -> bool:
        return not processes.everything(self.config) and not any(
            processes.port_in_use(f"{OWN_NETWORK}.{network}.10", port) for network in (1, 2) for port in (389, 636)
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    try:
        machine.check_machine()
    except machine.LabError as error:
        pytest.fail(str(error))
    made = Place(tmp_path_factory.mktemp("supervised") / "lab")
    yield made
    made.run("down")
    assert made.nothing_is_left()


def building(place: Place) -> bool:
    names = {process.name for process in processes.recorded(place.config)}
    return {"provision-contoso", "provision-fabrikam"} <= names


def test_down_after_a_start_that_was_killed(place: Place) -> None:
    starting = place.start("up", "--only", "forests")
    place.wait_until("both forests are being built", lambda: building(place))
    starting.kill()
    starting.communicate()
    assert len(processes.everything(place.config)) == 2
    code, out, _unused = place.run("down")
    assert code == 0
    assert "Stopped: " in out
    assert place.nothing_is_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_start_cleans_up(place: Place, number: signal.Signals) -> None:
    starting = place.start("up", "--only", "forests")
    place.wait_until("both forests are being built", lambda: building(place))
    starting.send_signal(number)
    _unused, err = starting.communicate(timeout=PATIENCE)
    assert starting.returncode == 128 + number
    assert number.name in err
    assert place.nothing_is_left()


def test_down_ends_a_start_under_way(place: Place) -> None:
    starting = place.start("up", "--only", "forests")
    place.wait_until("both forests are being built", lambda: building(place))
    assert place.run("down")[0] == 0
    starting.communicate(timeout=PATIENCE)
    assert starting.returncode == 128 + signal.SIGTERM
    assert place.nothing_is_left()


def test_a_whole_life(place: Place, forests: Settings) -> None:
    """Up, up again, one process killed, up again, pid files lost, down: state kept, nothing left.

    On a copy of the session's forests: building them once more would take longer than all of this. They are idle, so
    their files are whole.
    """
    shutil.rmtree(place.config.forests_dir, ignore_errors=True)
    subprocess.run(["cp", "-a", str(forests.forests_dir), str(place.config.forests_dir)], check=True)
    first = place.document("up", "--only", "forests")
    assert "forests settled" in first["seconds"], "they were built for other addresses"
    pids = first["processes"]
    assert pids["dc-contoso"]
    assert pids["dc-fabrikam"]
    assert place.document("up", "--only", "forests")["processes"] == pids

    os.kill(pids["dc-fabrikam"], signal.SIGKILL)
    place.wait_until("the domain controller is gone", lambda: processes.find(place.config, "dc-fabrikam") is None)
    again = place.document("up", "--only", "forests")
    assert "forests settled" not in again["seconds"]
    second = again["processes"]
    assert second["dc-contoso"] == pids["dc-contoso"]
    assert second["dc-fabrikam"] != pids["dc-fabrikam"]
    complete = [place.config.forest_dir(name) / "complete" for name in ("contoso", "fabrikam")]
    built = [path.stat().st_mtime_ns for path in complete]

    elsewhere = Place(place.config.run_dir.parent / "other")
    code, _unused, err = elsewhere.run("up", "--only", "forests")
    assert code == 1
    assert "is in use by samba" in err

    for path in place.config.pid_dir.iterdir():
        path.unlink()
    found = {item["pid"] for item in place.document("down")["stopped"]}
    assert found == {second["dc-contoso"], second["dc-fabrikam"]}
    assert place.nothing_is_left()

    assert place.document("up", "--only", "forests")["running"] is False
    assert [path.stat().st_mtime_ns for path in complete] == built
    assert place.run("down")[0] == 0
    assert place.nothing_is_left()
    assert place.run("down")[0] == 0


def test_a_forest_that_cannot_be_built_is_told_with_its_log(place: Place) -> None:
    broken = place.config.forests_dir / "contoso"
    (broken / "complete").unlink(missing_ok=True)
    environment = place.environment
    place.environment = {**environment, "PYTHONPATH": str(CHECKOUT), "LDB_MODULES_PATH": "/nowhere"}
    try:
        code, _unused, err = place.run("up", "--only", "forests")
    finally:
        place.environment = environment
    assert code == 1
    assert "building the forest contoso.lab failed" in err
    assert "provision-contoso.log" in err
    assert place.nothing_is_left()
