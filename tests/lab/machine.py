# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a start needs of the machine: rights, packages, a run directory of its own, and free addresses."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.lab import processes
from tests.lab.dns.places import RESOLVERS
from tests.lab.settings import (
    CLOUD_ADDRESSES,
    DC_PORTS,
    FORESTS,
    HTTPS_PORT,
    NETWORK,
    RELAY_PORTS,
    SAMBA,
    SAMBA_PACKAGES,
    SYSTEM_PYTHON,
    Settings,
)
from tests.lab.windows.places import ALL_HOSTS

_MARK_FILE = ".rehearsal-lab"


class LabError(Exception):
    """The lab cannot do what was asked; the text says why and what to do."""


def check_machine() -> None:
    """Raise :class:`LabError` when this machine cannot run the lab."""
    if os.geteuid() != 0:
        raise LabError(
            "the lab needs root: its domain controllers listen on ports below 1024. Run the command with sudo"
        )
    missing = [str(path) for path in (SAMBA, SYSTEM_PYTHON) if not path.exists()]
    if not missing:
        probe = "import samba.provision, samba.samdb"
        if subprocess.run([str(SYSTEM_PYTHON), "-c", probe], capture_output=True, check=False).returncode != 0:
            missing.append("Samba's Python modules")
        if not Path("/usr/share/samba/setup/provision.ldif").exists():
            missing.append("Samba's provisioning templates")
    if missing:
        raise LabError(f"{' and '.join(missing)} missing. Run: apt-get install --yes {SAMBA_PACKAGES}")
    if not NETWORK.startswith("127."):
        raise LabError(f"the lab's network {NETWORK}.0.0/16 is not on the loopback interface; use one below 127")


def claim(settings: Settings) -> None:
    """Make the run directory; refuse one that holds something else."""
    mark = settings.run_dir / _MARK_FILE
    if not mark.exists():
        known = settings.lab_json.exists()
        if settings.run_dir.exists() and any(settings.run_dir.iterdir()) and not known:
            raise LabError(f"{settings.run_dir} is not empty and no run directory of the lab; choose another one")
        settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.write_text("Run directory of the rehearsal lab. `python -m tests.lab up --fresh` empties it.\n")
    settings.pid_dir.mkdir(exist_ok=True)
    settings.log_dir.mkdir(exist_ok=True)


@contextlib.contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Only one start at a time per run directory. The lock goes with the process that holds it."""
    with (settings.run_dir / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"another start of {settings.run_dir} is under way; wait for it, or run down") from None
        os.set_inheritable(stream.fileno(), False)
        yield


def wipe(settings: Settings) -> None:
    """Empty a claimed run directory, apart from the lock and the pid file of this start."""
    for path in settings.run_dir.iterdir():
        if path.name in ("lock", _MARK_FILE, settings.pid_dir.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def all_ports(only: str | None) -> list[tuple[str, int]]:
    """Every TCP address the lab listens on."""
    result = [(forest.dc_address, port) for forest in FORESTS for port in DC_PORTS]
    if only != "forests":
        result += [(address, HTTPS_PORT) for address in CLOUD_ADDRESSES.values()]
        result += [(forest.relay_address, port) for forest in FORESTS for port in RELAY_PORTS]
        result += [(host.address, port) for host in ALL_HOSTS for port in host.ports]
        result += [(resolver.address, resolver.port) for resolver in RESOLVERS]
    return result


def check_ports(expected: set[str], only: str | None) -> None:
    """Raise :class:`LabError` when somebody else holds an address of the lab; ``expected`` are the lab's own."""
    for address, port in all_ports(only):
        if address not in expected and processes.port_in_use(address, port):
            raise LabError(
                f"{address}:{port} is in use by {processes.holder(address, port)}: stop it (for another run of the lab:"
                " python -m tests.lab down with its HYBRID_LAB_DIR)"
            )
