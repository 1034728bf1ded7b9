# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A function that runs in a process of its own, so that the two sides are read at the same time on two cores.

The process is forked: an Ansible module runs from an archive, which a new interpreter could not import again. Its
answer comes back over a pipe, an error as the same error. It ends with its parent, whatever ends that.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, Unavailable

_LENGTH = 8
_PR_SET_PDEATHSIG = 1  # prctl(2)
_CHUNK = 1 << 20


def possible() -> bool:
    """Whether a process can be forked here: not beside threads, and not where it could outlive its parent."""
    return sys.platform == "linux" and threading.active_count() == 1


class Child:
    """A started function; ``what`` says in a message what it does, as in "reads Active Directory"."""

    def __init__(self, what: str, work: Callable[[], Any]) -> None:
        self._what = what
        self._data = bytearray()
        self._ended = False
        self._answer: tuple[str, Any] | None = None
        self._read, write = os.pipe()
        parent = os.getpid()
        self._process = os.fork()
        if self._process == 0:
            _run(work, parent, self._read, write)
        os.close(write)

    def done(self) -> bool:
        """Whether the child is done, without waiting for it; raises the error that ended it, so that nobody goes on in
        vain."""
        while not self._ended and select.select([self._read], [], [], 0)[0]:
            self._receive()
        if self._ended:
            self.result()
        return self._ended

    def result(self) -> Any:
        """Wait for the answer; raises the error that ended the child."""
        while not self._ended:
            self._receive()
        if self._answer is None:
            status = self._reap()
            whole = int.from_bytes(self._data[:_LENGTH], "big")
            if len(self._data) < _LENGTH or len(self._data) != _LENGTH + whole:
                raise _killed(self._what, status)
            with memoryview(self._data) as data:
                self._answer = pickle.loads(data[_LENGTH:])
            self._data = bytearray()
        kind, answer = self._answer
        if kind == "error":
            raise answer
        if kind == "defect":
            raise RuntimeError(f"The process that {self._what} failed:\n{answer}")
        return answer

    def stop(self) -> None:
        """End the child if it still runs, and wait until it is gone."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            self._reap()

    def _receive(self) -> None:
        data = os.read(self._read, _CHUNK)
        self._data += data
        self._ended = not data

    def _reap(self) -> int:
        if not self._process:
            return 0
        process, self._process = self._process, 0
        os.close(self._read)
        self._ended = True
        return os.waitpid(process, 0)[1]


def _run(work: Callable[[], Any], parent: int, read: int, write: int) -> None:
    """The life of the child. It never returns: what the parent opened and will tidy up is not the child's."""
    status = 1
    try:
        os.close(read)
        _end_with(parent)
        gc.freeze()  # what was there before stays shared with the parent
        answer = _answer(work)
        with os.fdopen(write, "wb") as pipe:
            pipe.write(len(answer).to_bytes(_LENGTH, "big"))
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)


def _answer(work: Callable[[], Any]) -> bytes:
    try:
        return pickle.dumps(("answer", work()), pickle.HIGHEST_PROTOCOL)
    except HybridError as error:
        return pickle.dumps(("error", error), pickle.HIGHEST_PROTOCOL)
    except Exception:  # a defect, shown by the parent as if it had happened there
        return pickle.dumps(("defect", traceback.format_exc()), pickle.HIGHEST_PROTOCOL)


def _end_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _killed(what: str, status: int) -> Unavailable:
    number = os.waitstatus_to_exitcode(status)
    how = f"was ended by signal {-number}" if number < 0 else f"ended with status {number}"
    memory = " The system does this when memory runs out." if -number == signal.SIGKILL else ""
    return Unavailable(
        f"The process that {what} {how} before it was done.{memory} Nothing was changed by it; run again.",
        exit_status=number,
    )
