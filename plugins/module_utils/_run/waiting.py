# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Waiting for a far end: for replication, and for a state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound, Timeout

PAUSE = 2.0
Result = TypeVar("Result")


class Clock(Protocol):
    """Seconds that only grow, and a way to wait."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


def until_found(clock: Clock, timeout: float, action: Callable[[], Result]) -> Result:
    """Do something with a new object, again while other servers of the service do not know the object yet."""
    started = clock.monotonic()
    while True:
        try:
            return action()
        except NotFound:
            if clock.monotonic() - started + PAUSE > timeout:
                raise
        clock.sleep(PAUSE)


def until(
    clock: Clock,
    timeout: float,
    read: Callable[[], Result],
    done: Callable[[Result], bool],
    late: Callable[[Result], HybridError],
    pause: float = PAUSE,
) -> Result:
    """Read until it is done; late makes the error from the last state seen."""
    started = clock.monotonic()
    while True:
        state = read()
        if done(state):
            return state
        if clock.monotonic() - started + pause > timeout:
            raise late(state)
        clock.sleep(pause)


def timeout_error(message: str, last_state: str) -> Timeout:
    """The error for something that did not happen in time."""
    return Timeout(message, last_state=last_state)
