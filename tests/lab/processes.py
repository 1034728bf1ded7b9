# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of a run: start them detached, find them again whatever happened, end them, see who holds a port.

Two ways to find a process. Its pid file, written right after the start, holds the pid and the start time of
``/proc/<pid>/stat``, so that a recycled pid is never mistaken for it. And a sweep over ``/proc``: every process of a
run carries the marker variable :data:`tests.lab.settings.MARKER_VARIABLE` in its environment; Samba, which overwrites
its own environment, is known by its working directory instead.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.settings import MARKER_VARIABLE, SAMBA, Settings

TERM_SECONDS = 15.0
KILL_SECONDS = 30.0
EXEC_SECONDS = 5.0
_children: list[subprocess.Popen[bytes]] = []  # started by this process; kept to collect them when they end
_STATE, _THREADS, _STARTED = 0, 17, 19  # fields of /proc/<pid>/stat after the command name


@dataclass(frozen=True)
class Running:
    """A process, told from others by its start time (clock ticks since boot)."""

    name: str
    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return started_at(self.pid) == self.started


def started_at(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot; ``None`` when there is none, or only a zombie.

    A process whose first thread has ended looks like a zombie, but the others still hold its ports.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    ended = fields[_STATE] == "X" or (fields[_STATE] == "Z" and int(fields[_THREADS]) <= 1)
    return None if ended else int(fields[_STARTED])


def spawn(settings: Settings, name: str, argv: Sequence[str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start a process in its own session, its output appended to ``log/<name>.log``, and record it."""
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        MARKER_VARIABLE: str(settings.run_dir),
        "PYTHONUNBUFFERED": "1",
        "TDB_NO_FSYNC": "1",  # Samba's databases need to survive the end of a process, not a power cut
    }
    with (settings.log_dir / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children.append(process)
    _await_environment(process)
    started = started_at(process.pid)
    if started is not None:
        record(settings, Running(name, process.pid, started))
    return process


def _await_environment(process: subprocess.Popen[bytes]) -> None:
    """Wait until a sweep would find it: exec says that it is done a moment before the environment can be read."""
    ends = time.monotonic() + EXEC_SECONDS
    while not _environment(Path(f"/proc/{process.pid}")) and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.001)  # between two looks


def record(settings: Settings, process: Running) -> None:
    """Write a pid file."""
    settings.pid_dir.mkdir(parents=True, exist_ok=True)
    content = {"pid": process.pid, "started": process.started}
    (settings.pid_dir / f"{process.name}.json").write_text(json.dumps(content))


def forget(settings: Settings, name: str) -> None:
    """Remove a pid file."""
    (settings.pid_dir / f"{name}.json").unlink(missing_ok=True)


def recorded(settings: Settings) -> list[Running]:
    """The processes in the pid files that still run. Unreadable files are passed over: the sweep finds the process."""
    result = []
    for path in sorted(settings.pid_dir.glob("*.json")):
        try:
            content = json.loads(path.read_text())
            process = Running(path.stem, int(content["pid"]), int(content["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if process.alive:
            result.append(process)
    return result


def find(settings: Settings, name: str) -> Running | None:
    """The recorded process of that name, when it runs."""
    return next((process for process in recorded(settings) if process.name == name), None)


def swept(settings: Settings) -> list[Running]:
    """Processes of this run that ``/proc`` knows, with or without a pid file; never the caller or its ancestors."""
    mark = f"{MARKER_VARIABLE}={settings.run_dir}".encode()
    own = _lineage()
    result = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        pid = int(entry.name)
        started = started_at(pid)
        if started is not None and (_marked(entry, mark) or _samba_below(entry, settings.forests_dir)):
            result.append(Running(f"pid {pid}", pid, started))
    return result


def _marked(entry: Path, mark: bytes) -> bool:
    return mark in _environment(entry).split(b"\0")


def _environment(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


def _samba_below(entry: Path, directory: Path) -> bool:
    try:
        executable = str((entry / "exe").readlink()).removesuffix(" (deleted)")
        if Path(executable).name != SAMBA.name:
            return False
        return Path(str((entry / "cwd").readlink()).removesuffix(" (deleted)")).is_relative_to(directory)
    except OSError:
        return False


def _lineage() -> set[int]:
    """The caller and its ancestors."""
    pid, result = os.getpid(), {0}
    while pid not in result:
        result.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            break
    return result


def everything(settings: Settings) -> list[Running]:
    """Recorded and swept processes, each once, without the caller and its ancestors."""
    own = _lineage()
    by_pid = {process.pid: process for process in (*swept(settings), *recorded(settings))}
    return [process for pid, process in by_pid.items() if pid not in own]


def end(processes: Iterable[Running], term_seconds: float = TERM_SECONDS) -> list[Running]:
    """TERM, wait, KILL, wait. Returns those that still run (in an uninterruptible state)."""
    left = _signal(processes, signal.SIGTERM, term_seconds)
    return _signal(left, signal.SIGKILL, KILL_SECONDS)


def _signal(processes: Iterable[Running], number: signal.Signals, seconds: float) -> list[Running]:
    left = [process for process in processes if process.alive]
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        _reap()
        left = [process for process in left if process.alive]
        if left:
            time.sleep(0.02)
    return left


@atexit.register
def _let_go() -> None:
    """What still runs at the end was started to stay: Python need not warn of it."""
    for child in _children:
        if child.poll() is None:
            child.returncode = 0


def _reap() -> None:
    """Collect the ended children of this process."""
    _children[:] = [child for child in _children if child.poll() is None]


def port_in_use(address: str, port: int) -> bool:
    """Whether a TCP listener holds the address. Raises ``OSError`` when it cannot be tried (no right to a low port)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def holder(address: str, port: int) -> str:
    """Who listens there, in words for a person."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(address, port)}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        if wanted & _open_files(entry):
            name = (entry / "comm").read_text().strip()
            return f"{name} (pid {entry.name})"
    return "a process that cannot be seen from here"


def _open_files(entry: Path) -> set[str]:
    """Targets of a process's file descriptors; they come and go while they are read."""
    result: set[str] = set()
    try:
        descriptors = list((entry / "fd").iterdir())
    except OSError:
        return result
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            result.add(str(descriptor.readlink()))
    return result


def _listening_inodes(address: str, port: int) -> set[str]:
    packed = socket.inet_aton(address)[::-1].hex().upper()
    wanted = {f"{packed}:{port:04X}", f"00000000:{port:04X}"}
    result = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] in wanted and fields[3] == "0A":
            result.add(fields[9])
    return result
