# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run was made on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

_LIBRARIES = ("ansible-core", "ldap3", "requests", "msal", "cryptography")
_PROGRAMS = {"slapd": ("slapd", "-VV"), "ldapsearch": ("ldapsearch", "-VV"), "samba": ("samba", "--version")}


def facts() -> dict[str, Any]:
    """Processors, memory, versions, and how busy the machine was before."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "processor": _first("/proc/cpuinfo", "model name"),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "system": platform.platform(),
        "python": platform.python_version(),
        # One built without optimizations takes up to twice as long for all that is Python, so for us and the script.
        "python build": {"prefix": sys.base_prefix, "options": sysconfig.get_config_var("CONFIG_ARGS")},
        "load": os.getloadavg(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "programs": {name: _version(command) for name, command in _PROGRAMS.items()},
        "memory figures": "sum of the proportional set sizes (smaps_rollup) of all processes of the run, in MB of "
        "1,000,000 bytes, looked at every 20 ms (100k) or 200 ms (600k)",
    }


def _first(file: str, key: str) -> str:
    with open(file, encoding="utf-8") as lines:  # noqa: PTH123 -- /proc has no size to read at once
        return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _version(command: tuple[str, ...]) -> str:
    variables = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    try:
        ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return next(iter((ran.stdout + ran.stderr).strip().splitlines()), "")
