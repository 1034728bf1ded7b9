# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a service that refuses: a time for every cmdlet, a limit of requests at once, and who came too early."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

CONCURRENCY_TEXT = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again."
RETRY_AFTER_S = 1
_ON_THE_WIRE_S = 0.05  # what was sent before the refusal could be read is no retry


@dataclass
class Refused(Exception):
    """Too many requests; ``retry_after`` in whole seconds."""

    retry_after: int


@dataclass
class Counts:
    """What a client did, for its judge."""

    throttled: int = 0
    early: int = 0
    most_at_once: int = 0
    writes: int = 0
    first_write: float = 0.0
    last_write: float = 0.0


@dataclass
class Throttle:
    """At most ``limit`` requests at once (0: any number); a cmdlet takes ``cmdlet_s``.

    A refusal names a Retry-After, which is for the whole application. A request that comes before it is over is
    refused as well, and counted as early.
    """

    limit: int = 0
    cmdlet_s: float = 0.0
    counts: Counts = field(default_factory=Counts)
    _inside: int = 0
    _refused_at: float = 0.0
    _closed_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def request(self) -> Iterator[dict[str, str]]:
        """One request with work in it; gives the headers of its answer, raises Refused."""
        with self._lock:
            now = time.monotonic()
            if self.limit and now < self._closed_until:
                if now > self._refused_at + _ON_THE_WIRE_S:
                    self.counts.early += 1
                self.counts.throttled += 1
                raise Refused(max(1, round(self._closed_until - now + 0.5)))
            if self.limit and self._inside >= self.limit:
                self.counts.throttled += 1
                self._refused_at, self._closed_until = now, now + RETRY_AFTER_S
                raise Refused(RETRY_AFTER_S)
            self._inside += 1
            self.counts.most_at_once = max(self.counts.most_at_once, self._inside)
            headers = self._headers()
        try:
            yield headers
        finally:
            with self._lock:
                self._inside -= 1

    def cmdlet(self, writes: bool) -> None:
        """The time that one cmdlet takes."""
        if writes:
            with self._lock:
                self.counts.first_write = self.counts.first_write or time.monotonic()
        if self.cmdlet_s:
            time.sleep(self.cmdlet_s)
        if writes:
            with self._lock:
                self.counts.writes += 1
                self.counts.last_write = time.monotonic()

    def _headers(self) -> dict[str, str]:
        """What the service says of its limit: the requests that it would take besides, and when it will take more."""
        if not self.limit:
            return {}
        reset = datetime.now(UTC) + timedelta(seconds=self.cmdlet_s)
        return {
            "Rate-Limit-Remaining": str(self.limit - self._inside),
            "Rate-Limit-Reset": reset.isoformat(timespec="milliseconds"),
        }
