# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running forests for tests: those of the lab that is up already, else an own one for the length of the session."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import machine, processes, supervisor
from tests.lab.settings import FORESTS, NETWORK, RUN_DIR_VARIABLE, Settings, settings

LOCK_SECONDS = 600.0


@pytest.fixture(scope="session")
def forests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Both forests up and at their seed. Only one session at a time: the addresses are the machine's."""
    try:
        machine.check_machine()
    except machine.LabError as error:
        pytest.fail(str(error))
    with (Path(tempfile.gettempdir()) / f"rehearsal-lab-{NETWORK}.lock").open("w") as lock:
        _wait_for(lock.fileno())
        given = settings()
        if all(processes.find(given, supervisor.dc_name(forest)) for forest in FORESTS):
            yield given
            return
        config = settings(tmp_path_factory.mktemp("lab"))
        before = os.environ.get(RUN_DIR_VARIABLE)
        os.environ[RUN_DIR_VARIABLE] = str(config.run_dir)
        try:
            supervisor.up(config, only="forests")
            yield config
        finally:
            supervisor.down(config)
            if before is None:
                del os.environ[RUN_DIR_VARIABLE]
            else:
                os.environ[RUN_DIR_VARIABLE] = before


def _wait_for(descriptor: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                pytest.fail(f"another test session has held the lab's addresses for {LOCK_SECONDS:.0f} s")
            time.sleep(0.5)
        else:
            return
