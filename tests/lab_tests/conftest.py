# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running forests for tests: those of the lab that is up already, else an own one for the length of the session.

Building forests takes longer than all tests that need none: they are started in a thread as soon as it is known that
a test wants them, and the fixture waits for the rest of it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.lab import machine, processes, supervisor
from tests.lab.settings import FORESTS, NETWORK, RUN_DIR_VARIABLE, Settings, settings

LOCK_SECONDS = 3600.0  # against hanging only
_START = pytest.StashKey["_Start"]()


class _Start:
    """The start of the forests. Only one session at a time has them: the addresses are the machine's."""

    def __init__(self) -> None:
        self._own: Path | None = None
        self._config: Settings | None = None
        self._error: Exception | None = None
        self._ending = threading.Event()
        self._lock: IO[str] = (Path(tempfile.gettempdir()) / f"rehearsal-lab-{NETWORK}.lock").open("w")
        self._thread = threading.Thread(target=self._run, name="forests")
        self._thread.start()

    def wait(self) -> Settings:
        """The settings of the running forests; fails the test with the reason where they do not run."""
        self._thread.join()
        if self._error is not None:
            pytest.fail(f"the forests did not start: {self._error}", pytrace=False)
        if self._config is None:
            pytest.fail("the session ended before the forests were started", pytrace=False)
        return self._config

    def end(self) -> None:
        """Stop and remove what this session started."""
        self._ending.set()
        while self._thread.is_alive():
            if self._own is not None:
                supervisor.stop_all(settings(self._own / "lab"))  # a start that is under way gives up then
            self._thread.join(1.0)
        if self._own is not None:
            supervisor.down(settings(self._own / "lab"))
            shutil.rmtree(self._own, ignore_errors=True)
        self._lock.close()

    def _run(self) -> None:
        try:
            machine.check_machine()
            self._wait_for_lock()
            given = settings()
            if all(processes.find(given, supervisor.dc_name(forest)) for forest in FORESTS):
                self._config = given
            elif not self._ending.is_set():
                self._own = Path(tempfile.mkdtemp(prefix="rehearsal-lab-"))
                own = settings(self._own / "lab")
                supervisor.up(own, only="forests")
                self._config = own
        except Exception as error:  # whatever it was: the tests that wait for the forests tell it
            self._error = error

    def _wait_for_lock(self) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while not self._ending.is_set():
            try:
                fcntl.flock(self._lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise machine.LabError(
                        f"another test session has held the lab's addresses {NETWORK} for {LOCK_SECONDS:.0f} s"
                    ) from None
                time.sleep(0.5)
            else:
                return


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the forests where a test will want them."""
    wanted = any("forests" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and not session.config.option.collectonly:
        session.config.stash[_START] = _Start()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing running."""
    start = session.config.stash.get(_START, None)
    if start is not None:
        start.end()


@pytest.fixture(scope="session")
def forests(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Both forests up and at their seed."""
    config = request.config.stash[_START].wait()
    before = os.environ.get(RUN_DIR_VARIABLE)
    os.environ[RUN_DIR_VARIABLE] = str(config.run_dir)
    yield config
    if before is None:
        del os.environ[RUN_DIR_VARIABLE]
    else:
        os.environ[RUN_DIR_VARIABLE] = before
