# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what another thread or process does, on machines of any speed."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMEOUT = 60.0  # seconds; against hanging only, so it may be long


def eventually(condition: Callable[[], object], seconds: float = TIMEOUT) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
