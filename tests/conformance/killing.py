# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module in a process that is killed (SIGKILL) in the middle of its work, at a step that a test chooses.

Steps are what the process does to the world outside: requests, answers, and making files durable. They are counted
from outside of the collection, on the standard library's own calls.
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tests.conformance.modules import run

CALLS = (
    (ssl.SSLSocket, "send"),
    (ssl.SSLSocket, "sendall"),
    (ssl.SSLSocket, "recv"),
    (ssl.SSLSocket, "recv_into"),
    (socket.socket, "send"),
    (socket.socket, "sendall"),
    (os, "fsync"),
    (os, "rename"),
    (os, "replace"),
)


@dataclass
class Steps:
    """Steps of this process, before and after its first fsync, which comes right before the first write."""

    reading: int = 0
    writing: int = 0

    def count(self, name: str) -> int:
        """One more step; its number, negative while nothing was made durable yet."""
        if self.writing or name == "fsync":
            self.writing += 1
            return self.writing
        self.reading += 1
        return -self.reading


@contextmanager
def counted(steps: Steps, at: Callable[[int], None]) -> Iterator[None]:
    """Count the steps of this process (not of its children), and call ``at`` after each with its number."""
    own = os.getpid()

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def step(*arguments: Any, **options: Any) -> Any:
            result = original(*arguments, **options)
            if os.getpid() == own:
                at(steps.count(name))
            return result

        return step

    patches = [mock.patch.object(owner, name, wrapped(name, getattr(owner, name))) for owner, name in CALLS]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def count_steps(module: str, arguments: Mapping[str, Any]) -> tuple[Any, Steps]:
    """The answer of an undisturbed run, and how many steps it took."""
    steps = Steps()
    with counted(steps, lambda number: None):
        return run(module, arguments), steps


def killed(module: str, arguments: Mapping[str, Any], number: int) -> bool:
    """Run a module in a process of its own that kills itself after a step; whether it came to that step at all."""
    pid = os.fork()
    if pid == 0:

        def end(reached: int) -> None:
            if reached == number:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with counted(Steps(), end):
                run(module, arguments)
        finally:
            os._exit(0)  # nothing of the test session may run twice
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def in_background(module: str, arguments: Mapping[str, Any]) -> int:
    """Start a module in a process of its own; its id. It ends with 0 when the task succeeded."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = int(run(module, arguments).failed)
        finally:
            os._exit(code)
    return pid
