# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's modules as their users run them: options in, result out, and what that took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.benchmarks import processes, slapd
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.cloud.process import BASE
from tests.benchmarks.settings import (
    BUILD,
    CLIENT_ID,
    CLIENT_SECRET,
    COLLECTIONS,
    DIRECTORY_ADDRESS,
    DIRECTORY_PASSWORD,
    LDAPS_PORT,
    PYTHON,
    ROOT,
    TENANT_ID,
    BenchError,
)

_REQUEST_TIMEOUT_S = 300


@dataclass(frozen=True)
class Result:
    """The result of a task, and what it took (see processes.Ran)."""

    result: Mapping[str, Any]
    ran: processes.Ran


def tenant(certificates: Certificates) -> dict[str, Any]:
    """The options that lead to the benchmark's cloud."""
    return {
        "tenant_id": TENANT_ID,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "login_url": BASE,
        "graph_url": BASE,
        "exchange_url": BASE,
        "ca_path": str(certificates.authority),
        "request_timeout": _REQUEST_TIMEOUT_S,
        "artifact_dir": str(BUILD / "artifacts"),
    }


def openldap(certificates: Certificates) -> dict[str, Any]:
    """The options that lead to the benchmark's OpenLDAP."""
    return {
        "directory_hosts": [DIRECTORY_ADDRESS],
        "directory_port": LDAPS_PORT,
        "directory_user": slapd.USER,
        "directory_password": DIRECTORY_PASSWORD,
        "directory_ca_path": str(certificates.authority),
        "directory_timeout": 120,
    }


def run(
    name: str,
    options: Mapping[str, Any],
    *,
    check_mode: bool = False,
    memory_every_s: float | None = None,
    may_fail: bool = False,
) -> Result:
    """Run a module; BenchError where it fails, unless it may."""
    arguments = {**options, "_ansible_check_mode": check_mode}
    ran = processes.run(
        [PYTHON, "-P", ROOT / "tests" / "benchmarks" / "module_process.py", name],
        what=f"The module {name}",
        stdin=json.dumps(arguments).encode(),
        environment={"PYTHONPATH": str(COLLECTIONS), "PYTHONWARNINGS": "ignore::DeprecationWarning"},
        memory_every_s=memory_every_s,
        allowed=(0, 1),
    )
    try:
        result = json.loads(ran.output)
    except ValueError as error:
        said = (ran.output + ran.errors)[-2000:].decode(errors="replace")
        raise BenchError(f"The module {name} gave no result: {said}") from error
    if result.get("failed") and not may_fail:
        raise BenchError(f"The module {name} failed: {result.get('msg')}")
    return Result(result, ran)


@cache
def options_of(name: str) -> frozenset[str]:
    """The options that a module documents, without those of its fragments."""
    file = COLLECTIONS / "ansible_collections" / "hybrid" / "exchange" / "plugins" / "modules" / f"{name}.py"
    text = file.read_text(encoding="utf-8").split('DOCUMENTATION = r"""', 1)[1].split('"""', 1)[0]
    return frozenset(yaml.safe_load(text)["options"])


def generous(name: str) -> dict[str, Any]:
    """The limits of a module, those that it has, set so that they do not end a benchmark."""
    wide = {
        "max_changes": 1_000_000,
        "max_change_percent": 100.0,
        "max_failures": 0,
        "max_adds": 1_000_000,
        "max_replaces": 1_000_000,
        "max_removes": 1_000_000,
        "max_clears": 1_000_000,
    }
    return {option: value for option, value in wide.items() if option in options_of(name)}
