# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of a host: starting and stopping them, and why one does not start."""

from __future__ import annotations

from typing import Any

from tests.lab.windows.places import AGENT_SERVICE

Document = dict[str, Any]
# Windows' error numbers for a service that does not start.
DISABLED, TIMED_OUT, LOGON_FAILED = 1058, 1053, 1069
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
    one["Status"], one["ExitCode"] = "Running", 0
    return 0


def _load(document: Document, now: float) -> None:
    """What the agent reads when it starts: its registration, its domains, the forest's schema."""
    agent = document["agent"]
    if agent is not None:
        agent |= {"loaded": bool(agent.get("id")), "loadedDomains": list(agent["domains"]), "startedAt": now}


def stop(document: Document, name: str) -> None:
    """Stop a service."""
    document["services"][name]["Status"] = "Stopped"
