# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Threads that wait for answers, so that one thread can think for all: nothing but the calls handed in runs in them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")


class Workers(Generic[Key]):
    """Runs calls beside each other, each in a thread, as many threads as were ever needed at once.

    The threads never hold up the end of the process: one that still waits for an answer ends with it.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Key, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Key, Any, BaseException | None]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """Calls whose results were not taken yet."""
        return self._under_way

    def start(self, key: Key, call: Callable[[], Any]) -> None:
        """Run a call in a thread."""
        self._under_way += 1
        if self._under_way > len(self._threads):
            thread = threading.Thread(target=self._work, name=f"request-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._calls.put((key, call))

    def next(self, seconds: float | None) -> tuple[Key, Any, BaseException | None] | None:
        """The next result that is there, with what was returned or raised; None after so many seconds without one."""
        try:
            found = self._results.get(timeout=seconds)
        except queue.Empty:
            return None
        self._under_way -= 1
        return found

    def close(self, patience: float) -> None:
        """End the threads that wait for calls; those that wait for answers get so many seconds."""
        for _thread in self._threads:
            self._calls.put(None)
        ends = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def _work(self) -> None:
        while (given := self._calls.get()) is not None:
            key, call = given
            try:
                result, error = call(), None
            except BaseException as raised:  # raised again by the thread that asked for it
                result, error = None, raised
            self._results.put((key, result, error))
