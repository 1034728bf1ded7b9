# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the lab up, says how it is, and takes it down so that nothing is left.

Order of a start: checks, certificates and ``lab.json``, both forests in parallel (built when missing), domain
controllers, then the cloud process, which reads the forests for its first synchronisation. Every process is detached
and survives the command that started it; when a start fails, everything is stopped again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import handover, processes
from tests.lab.dns.places import RESOLVERS
from tests.lab.forest import access, tls
from tests.lab.forest.smbconf import smb_conf
from tests.lab.machine import LabError, all_ports, check_machine, check_ports, claim, locked, wipe
from tests.lab.processes import Running
from tests.lab.settings import (
    CHECKOUT,
    CLOUD_ADDRESSES,
    CONTROL,
    FORESTS,
    RELAY_PORTS,
    SAMBA,
    SYSTEM_PYTHON,
    Forest,
    Settings,
)
from tests.lab.settings import forest as find_forest
from tests.lab.windows import certificates as windows_certificates
from tests.lab.windows.places import ALL_HOSTS

# Against hanging only: on a quiet machine these take 8, 2 and 6 seconds, on a busy one many times as long.
PROVISION_SECONDS = 1200.0
DC_SECONDS = 300.0
CLOUD_SECONDS = 600.0
BUILD = "3"  # of a forest; another number builds the forests of older run directories anew
LOG_TAIL_LINES = 25
_CLOUD = "cloud"
_UP = "up"
_RELEASE_SECONDS = 20.0  # the system may let go of a port a moment after its process has gone
_RESTARTING = threading.Lock()


@dataclass
class Stages:
    """How long each stage of a start took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measure one stage."""
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)


def dc_name(forest: Forest) -> str:
    """Name of the domain controller's process in pid files and logs."""
    return f"dc-{forest.name}"


def up(settings: Settings, fresh: bool = False, only: str | None = None) -> Stages:
    """Start what is not running. ``fresh``: discard the state first. ``only``: ``forests`` for the directories alone.

    Raises :class:`LabError`; nothing of the run is left running then.
    """
    stages = Stages()
    check_machine()
    claim(settings)
    with locked(settings):
        own = processes.started_at(os.getpid())
        if own is not None:
            processes.record(settings, Running(_UP, os.getpid(), own))
        try:
            if fresh:
                stop_all(settings)
                wipe(settings)
                claim(settings)
            _start(settings, only, stages)
        except BaseException:
            stop_all(settings)
            raise
        finally:
            processes.forget(settings, _UP)
    return stages


def _start(settings: Settings, only: str | None, stages: Stages) -> None:
    running = {process.name for process in processes.recorded(settings)}
    _end_strays(settings)
    expected = {forest.dc_address for forest in FORESTS if dc_name(forest) in running}
    if _CLOUD in running:
        expected |= {*CLOUD_ADDRESSES.values(), *(forest.relay_address for forest in FORESTS)}
        expected |= {host.address for host in ALL_HOSTS}
        expected |= {resolver.address for resolver in RESOLVERS}
    check_ports(expected, only)
    with stages.measure("certificates"):
        tls.ensure(settings)
        windows_certificates.ensure(settings)
        handover.write(settings)
    missing = [forest for forest in FORESTS if not _built(settings, forest)]
    moved = [forest for forest in FORESTS if forest not in missing and not _settled(settings, forest)]
    if missing or moved:
        outdated = {_CLOUD, *(dc_name(forest) for forest in (*missing, *moved))} & running
        processes.end([process for process in processes.recorded(settings) if process.name in outdated])
        running -= outdated
    if missing:
        _discard_cloud_state(settings)
        with stages.measure("forests built"):
            _build(settings, missing)
    if moved:
        with stages.measure("forests settled"):
            _provision(settings, moved, "settle")
    with stages.measure("domain controllers"):
        for forest in FORESTS:
            if dc_name(forest) not in running:
                start_dc(settings, forest)
        for forest in FORESTS:
            wait_for_dc(settings, forest)
    if only == "forests":
        return
    with stages.measure("cloud"):
        if _CLOUD not in running:
            start_cloud(settings)
        wait_for_cloud(settings)


def down(settings: Settings) -> list[Running]:
    """Stop everything of this run, whatever state it is in. Returns what was found running.

    Raises :class:`LabError` when a process does not end, or a port stays held by a process of the lab.
    """
    found = processes.everything(settings)
    starting = [process for process in found if process.name == _UP]
    processes.end(starting, term_seconds=60.0)
    found += [process for process in processes.everything(settings) if process not in found]
    stop_all(settings)
    processes.forget(settings, _UP)
    held = _held()
    if held and not settings.run_dir.exists():
        return found
    deadline = time.monotonic() + _RELEASE_SECONDS
    while held and time.monotonic() < deadline:
        time.sleep(0.1)  # between two looks
        held = _held()
    if held:
        address, port = held[0]
        raise LabError(
            f"everything of this run is stopped, but {address}:{port} is still held by"
            f" {processes.holder(address, port)}: it belongs to another run or another program"
        )
    return found


def _held() -> list[tuple[str, int]]:
    """The ports of the lab that something holds."""
    return [(address, port) for address, port in all_ports(None) if processes.port_in_use(address, port)]


def stop_all(settings: Settings) -> None:
    """End every process of the run except the caller; cloud first, so that it does not see the directories vanish."""
    for _attempt in range(3):  # a process may start another one between the sweep and its end
        found = [process for process in processes.everything(settings) if process.pid != os.getpid()]
        if not found:
            break
        processes.end([process for process in found if process.name == _CLOUD])
        left = processes.end(found)
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            raise LabError(f"these processes do not end, even when killed: {pids}")
    for path in settings.pid_dir.glob("*.json"):
        if path.stem != _UP:
            path.unlink(missing_ok=True)


def _end_strays(settings: Settings) -> None:
    """End processes of the run that no pid file names: leftovers of a start that was killed."""
    known = {process.pid for process in processes.recorded(settings)}
    processes.end([process for process in processes.swept(settings) if process.pid not in known])


def _complete(settings: Settings, forest: Forest) -> Path:
    return settings.forest_dir(forest.name) / "complete"


def _place(settings: Settings, forest: Forest) -> Path:
    return settings.forest_dir(forest.name) / "address"


def _built(settings: Settings, forest: Forest) -> bool:
    """Whether the forest is there, as this version of the lab builds it."""
    try:
        return _complete(settings, forest).read_text() == BUILD
    except FileNotFoundError:
        return False


def _settled(settings: Settings, forest: Forest) -> bool:
    """Whether the forest knows where it is: not so in a copied run directory that is started at other addresses."""
    try:
        return _place(settings, forest).read_text() == forest.dc_address
    except FileNotFoundError:
        return False


def _discard_cloud_state(settings: Settings) -> None:
    """The cloud's state belongs to the forests it was read from."""
    for path in settings.run_dir.glob("*.sqlite*"):
        path.unlink()


def _build(settings: Settings, forests: list[Forest]) -> None:
    """Build forests, or copy them from where they are kept."""
    for forest in forests:
        shutil.rmtree(settings.forest_dir(forest.name), ignore_errors=True)
    _provision(settings, forests, "build")
    for forest in forests:
        _complete(settings, forest).write_text(BUILD)


def _provision(settings: Settings, forests: list[Forest], what: str) -> None:
    """Run Samba's part of the work on several forests at a time, none of whose domain controllers runs."""
    started = []
    for forest in forests:
        argv = [str(SYSTEM_PYTHON), "-m", "tests.lab.forest.provision", what, forest.name, str(settings.run_dir)]
        started.append((forest, processes.spawn(settings, f"provision-{forest.name}", argv, CHECKOUT)))
    deadline = time.monotonic() + PROVISION_SECONDS
    for forest, process in started:
        name = f"provision-{forest.name}"
        try:
            code = process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise LabError(
                _failure(settings, name, f"building {forest.domain} took over {PROVISION_SECONDS:.0f} s")
            ) from None
        if code != 0:
            raise LabError(_failure(settings, name, f"building the forest {forest.domain} failed (exit code {code})"))
        _place(settings, forest).write_text(forest.dc_address)
        processes.forget(settings, name)


def start_dc(settings: Settings, forest: Forest) -> None:
    """Start a forest's domain controller; does not wait."""
    root = settings.forest_dir(forest.name)
    conf = root / "etc" / "smb.conf"
    conf.write_text(smb_conf(forest, settings))  # anew: a copied run directory lies elsewhere
    argv = [str(SAMBA), "-i", "-M", "single", "--debug-stdout", "-s", str(conf)]
    processes.spawn(settings, dc_name(forest), argv, root)


def wait_for_dc(settings: Settings, forest: Forest) -> None:
    """Wait until the lab's own account can sign in."""

    def ready() -> str | None:
        try:
            access.open_directory(forest.name, "sync", settings.run_dir).unbind()
        except access.DirectoryUnavailable as error:
            return str(error)
        return None

    _wait(settings, dc_name(forest), ready, DC_SECONDS)


def restart_dc(settings: Settings, forest_name: str, down_seconds: float = 0.0) -> float:
    """Stop a forest's domain controller, leave it down for a while, start it, wait until it answers.

    Returns how long it was away in all, in seconds.
    """
    forest = find_forest(forest_name)
    began = time.monotonic()
    with _RESTARTING:
        if not _built(settings, forest):
            raise LabError(f"the forest {forest.domain} was never built in {settings.run_dir}; start the lab first")
        running = processes.find(settings, dc_name(forest))
        if running is not None and processes.end([running]):
            raise LabError(f"the domain controller of {forest.domain} (pid {running.pid}) does not end")
        time.sleep(down_seconds)
        start_dc(settings, forest)
        wait_for_dc(settings, forest)
    return round(time.monotonic() - began, 2)


def start_cloud(settings: Settings) -> None:
    """Start the cloud process; does not wait."""
    argv = [sys.executable, "-m", "tests.lab.cloud.server", "--run-dir", str(settings.run_dir)]
    processes.spawn(settings, _CLOUD, argv, CHECKOUT)


def wait_for_cloud(settings: Settings) -> None:
    """Wait until the control address answers and every relay accepts connections."""

    def ready() -> str | None:
        try:
            control(settings, "/state")
        except (urllib.error.URLError, OSError, ValueError) as error:
            said = f"{handover.url(CONTROL)}/state: {error}"
            if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
                raise LabError(f"the cloud's certificate is wrong, which waiting does not mend: {said}") from error
            return said
        for forest in FORESTS:
            for port in RELAY_PORTS:
                if not processes.port_in_use(forest.relay_address, port):
                    return f"the relay does not listen on {forest.relay_address}:{port}"
        return None

    _wait(settings, _CLOUD, ready, CLOUD_SECONDS)


def control(settings: Settings, path: str, timeout: float = 60.0) -> Any:
    """GET from the control address."""
    context = ssl.create_default_context(cafile=str(settings.ca))
    with urllib.request.urlopen(handover.url(CONTROL) + path, timeout=timeout, context=context) as answer:
        return json.load(answer)


def _wait(settings: Settings, name: str, ready: Callable[[], str | None], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        reason = ready()
        if reason is None:
            return
        if processes.find(settings, name) is None:
            raise LabError(_failure(settings, name, f"{name} ended while starting"))
        if time.monotonic() > deadline:
            raise LabError(_failure(settings, name, f"{name} is not ready after {seconds:.0f} s: {reason}"))
        time.sleep(0.05)


def _failure(settings: Settings, name: str, what: str) -> str:
    path = settings.log_dir / f"{name}.log"
    try:
        lines = path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except OSError:
        lines = ["(no log)"]
    return "\n".join([what, f"last lines of {path}:", *(f"    {line}" for line in lines)])


def status(settings: Settings) -> dict[str, Any]:
    """What runs, where, and what the cloud says of itself (``None`` when it does not answer)."""
    running = {process.name: process.pid for process in processes.recorded(settings)}
    expected = [*(dc_name(forest) for forest in FORESTS), _CLOUD]
    state: Any = None
    if _CLOUD in running and settings.ca.is_file():
        try:
            state = control(settings, "/state")
        except (urllib.error.URLError, OSError, ValueError) as error:
            state = {"error": str(error)}
    return {
        "run_dir": str(settings.run_dir),
        "built": {forest.name: _built(settings, forest) for forest in FORESTS},
        "processes": {name: running.get(name) for name in expected},
        "running": all(name in running for name in expected),
        "state": state,
    }
