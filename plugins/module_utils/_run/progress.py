# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How far a run is, for the action plugin that shows it: one JSON line at most every second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path


class Progress:
    """Report ``done`` of ``total`` in a phase. Without a file nothing is written.

    A file that cannot be written ends the reports and never the run: progress is a courtesy.
    """

    def __init__(
        self, path: str | Path | None, *, interval: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = Path(path) if path else None
        self._interval = interval
        self._clock = clock
        self._phase = ""
        self._done = 0
        self._total: int | None = None
        self._last = float("-inf")

    def start(self, phase: str, total: int | None = None) -> None:
        """Begin a phase; ``total`` is None where it is not known."""
        self._phase, self._done, self._total = phase, 0, total
        self._write()

    def advance(self, count: int = 1) -> None:
        """Count objects done; writes at most once per interval, and always for the last one."""
        self._done += count
        if self._clock() - self._last >= self._interval or self._done == self._total:
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        self._last = self._clock()
        line = {"phase": self._phase, "done": self._done, "total": self._total, "time": time.time()}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError:
            self._path = None
