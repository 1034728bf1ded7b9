# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a run cost at the services."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Statistics:
    """Counters of one run: requests sent, how many answers were a throttle, and the seconds spent waiting for them.

    Where several requests are under way, waiting is counted once, while nothing more may be sent.
    """

    requests: int = 0
    throttled_requests: int = 0
    retried_requests: int = 0
    waited_seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, *, requests: int = 0, throttled: int = 0, retried: int = 0, waited: float = 0.0) -> None:
        """Add to the counters; any thread may."""
        with self._lock:
            self.requests += requests
            self.throttled_requests += throttled
            self.retried_requests += retried
            self.waited_seconds += waited

    def as_dict(self) -> dict[str, Any]:
        """The counters as a module returns them."""
        return {
            "requests": self.requests,
            "throttled_requests": self.throttled_requests,
            "retried_requests": self.retried_requests,
            "waited_seconds": round(self.waited_seconds, 1),
        }
