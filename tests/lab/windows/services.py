# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of a host: starting and stopping them, and why one does not start."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.lab.clock import iso
from tests.lab.windows import paths
from tests.lab.windows.places import AGENT_SERVICE

Document = dict[str, Any]
# Windows' error numbers for a service that does not start.
DISABLED, TIMED_OUT, LOGON_FAILED = 1058, 1053, 1069
_FIRST_PROCESS = 600
_START_FAULTS = {"timeout": TIMED_OUT, "logon": LOGON_FAILED}


def name_in(document: Document, name: str) -> str | None:
    """The real spelling of a service's name."""
    return next((one for one in document["services"] if one.lower() == name.lower()), None)


def start(document: Document, name: str, now: float) -> int:
    """Start a service; 0, or Windows' error number. A start that hangs leaves it in StartPending and gives 0."""
    one = document["services"][name]
    if one["Status"] == "Running":
        return 0
    if one["StartType"] == "Disabled":
        one["ExitCode"] = DISABLED
        return DISABLED
    if name == AGENT_SERVICE:
        trouble = str(document["behaviour"].get("service", "ok"))
        if trouble in _START_FAULTS:
            one["Status"], one["ExitCode"] = "Stopped", _START_FAULTS[trouble]
            return _START_FAULTS[trouble]
        if trouble == "stuck":
            one["Status"] = "StartPending"
            return 0
        _load(document, now)
    one |= {"Status": "Running", "ExitCode": 0, "ProcessId": document["nextProcess"]}
    one["StartedAt"] = iso(datetime.fromtimestamp(now, UTC))
    document["nextProcess"] += 4
    return 0


def _load(document: Document, now: float) -> None:
    """What the agent reads when it starts: its registration, its domains, the forest's schema."""
    agent = document["agent"]
    if agent is not None:
        agent |= {"loaded": bool(agent.get("id")), "loadedDomains": list(agent["domains"]), "startedAt": now}


def process_of(document: Document, name: str) -> tuple[int, Document] | None:
    """The process of a running service; None where it does not run.

    One that nobody started since the host's beginning runs since the machine does.
    """
    one = document["services"][name]
    if one["Status"] != "Running":
        return None
    program = str(one["PathName"]).removesuffix(" -k netsvcs -p").strip('"')
    identifier = one.get("ProcessId") or _FIRST_PROCESS + 4 * sorted(document["services"]).index(name)
    started = one.get("StartedAt") or document["os"]["booted"]
    title = paths.name_of(program).rpartition(".")[0] or name
    return identifier, {"name": title, "path": program, "started": started, "service": name}


def processes(document: Document) -> dict[str, Document]:
    """All processes by id: those of services, and those that somebody started."""
    of_services = (process_of(document, name) for name in document["services"])
    return {**{str(found[0]): found[1] for found in of_services if found}, **document["processes"]}


def stop(document: Document, name: str) -> None:
    """Stop a service."""
    document["services"][name]["Status"] = "Stopped"
