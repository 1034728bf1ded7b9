# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: servers that end with the benchmark, and runs whose time and memory are taken."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.settings import BenchError

_PR_SET_PDEATHSIG = 1
_STOP_S = 15.0
_OTHER_TRUST = frozenset({"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})


@dataclass(frozen=True)
class Ran:
    """One finished run: its wall time, the processor time of all its processes, and what it printed.

    ``peak_mb`` is None where memory was not looked at (see ``run``).
    """

    seconds: float
    cpu_seconds: float
    output: bytes
    errors: bytes
    peak_mb: float | None = None


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    keep_output: bool = True,
    memory_every_s: float | None = None,
    allowed: Sequence[int] = (0,),
    timeout_s: float = 1800.0,
) -> Ran:
    """Run a command to its end; BenchError with the end of its error output where it fails.

    The time is the wall clock from before the start to after the end. With ``memory_every_s``, the memory of the
    process and everything below it is read that often: the sum of the proportional set sizes (smaps_rollup), in which
    a page that several processes share counts once. A peak between two looks is missed, so it is read often.
    """
    used = _children_cpu()
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(environment),
        preexec_fn=_end_with_parent,
    )
    watch = _MemoryWatch(process.pid, memory_every_s) if memory_every_s else None
    try:
        output, errors = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{what} did not end within {timeout_s:.0f} s.") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        peak = watch.end() if watch else None
    seconds = time.perf_counter() - began
    if process.returncode not in allowed:
        said = (errors or b"").decode(errors="replace")[-2000:] + (output or b"").decode(errors="replace")[-2000:]
        raise BenchError(f"{what} ended with {process.returncode}: {said}")
    return Ran(seconds, _children_cpu() - used, output or b"", errors or b"", peak)


@contextlib.contextmanager
def server(command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """A server for the time of the block, by its process id; what it says goes to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(environment),
            preexec_fn=_end_with_parent,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _children_cpu() -> float:
    """Processor seconds of all processes that ended below this one; servers of a measurement outlive it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment(added: Mapping[str, str] | None) -> dict[str, str]:
    """This process's environment, without the variables by which requests would trust other authorities."""
    kept = {name: value for name, value in os.environ.items() if name not in _OTHER_TRUST}
    return {**kept, **(added or {})}


def _end_with_parent() -> None:
    """Linux ends the child when its parent dies, however it dies, so that nothing is left running."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class _MemoryWatch:
    """Looks at the memory of a tree of processes from a thread of its own."""

    def __init__(self, root: int, every_s: float) -> None:
        self._root, self._every_s = root, every_s
        self._peak_kb = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stop looking; the highest sum seen, in MB of 1,000,000 bytes."""
        self._done.set()
        self._thread.join()
        return self._peak_kb * 1024 / 1e6

    def _look(self) -> None:
        while not self._done.wait(self._every_s):
            self._peak_kb = max(self._peak_kb, sum(map(_pss_kb, _tree(self._root))))


def _tree(root: int) -> list[int]:
    """The process and all below it."""
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found.extend(map(int, (task / "children").read_text().split()))
    return found


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0  # it has just ended
    return 0
