# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's clock: real time plus an offset, at a rate that can be changed.

Everything the services stamp (WhenChanged, cycles, the HTTP ``Date`` header) is lab time; only the ``exp`` of access
tokens is real time, because clients judge it by their own clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tests.lab.store import Store

_META = "clock"


class Clock:
    """Lab time; kept in the store, so that a restart goes on where it was."""

    def __init__(self, store: Store, real: Callable[[], float] = time.time) -> None:
        """Take up the clock kept in ``store``; ``real`` gives seconds since 1970 (tests hand in their own)."""
        self._store = store
        self._real = real
        self._lock = threading.Lock()
        self._rate = 1.0
        self._real_anchor = 0.0
        self._lab_anchor = 0.0
        self.reload()

    def reload(self) -> None:
        """Read the clock from the store again (after a restore of the store)."""
        kept = self._store.meta(_META) or {}
        with self._lock:
            self._rate = float(kept.get("rate", 1.0))
            self._real_anchor = float(kept.get("real_anchor", 0.0))
            self._lab_anchor = float(kept.get("lab_anchor", 0.0))

    @property
    def rate(self) -> float:
        """Lab seconds per real second."""
        return self._rate

    def timestamp(self) -> float:
        """Lab time in seconds since 1970."""
        with self._lock:
            return self._lab_anchor + (self._real() - self._real_anchor) * self._rate

    def now(self) -> datetime:
        """Lab time, UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def offset(self) -> float:
        """How many seconds lab time is ahead of real time."""
        return self.timestamp() - self._real()

    def advance(self, seconds: float) -> None:
        """Move lab time forward by ``seconds``; ValueError when negative, for cycles never run backwards."""
        if seconds < 0:
            raise ValueError(f"The clock can only go forward, not by {seconds} seconds.")
        self._anchor(self.timestamp() + seconds, self._rate)

    def set_rate(self, rate: float) -> None:
        """Let ``rate`` lab seconds pass per real second; 0 stops the clock; ValueError when negative."""
        if rate < 0:
            raise ValueError(f"The clock can only go forward, not at rate {rate}.")
        self._anchor(self.timestamp(), rate)

    def reset(self) -> None:
        """Back to real time at rate 1."""
        self._anchor(self._real(), 1.0)

    def _anchor(self, lab: float, rate: float) -> None:
        with self._lock:
            self._real_anchor, self._lab_anchor, self._rate = self._real(), lab, float(rate)
            kept = {"rate": self._rate, "real_anchor": self._real_anchor, "lab_anchor": self._lab_anchor}
        self._store.set_meta(_META, kept)


def iso(moment: datetime) -> str:
    """``moment`` as the services write it in JSON: UTC, whole seconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
