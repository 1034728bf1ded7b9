# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on a host with time: processes run and end, the machine goes away and comes back.

Processes last real seconds, for somebody waits for them; a restart lasts lab seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.lab.clock import iso
from tests.lab.exchange_server import setup
from tests.lab.windows import installing, paths, places, services, software
from tests.lab.windows.places import HostAddress

if TYPE_CHECKING:
    from tests.lab.windows.estate import Estate

Document = dict[str, Any]
Deed = Callable[[], None]
KILLED = -1  # exit code of a process that Stop-Process ended
_ENDED_KEPT = 50


def expected(document: Document) -> bool:
    """Whether something will happen on the host without anybody's doing."""
    return bool(document["awayUntil"]) or any(one["due"] is not None for one in document["processes"].values())


def is_away(document: Document, estate: Estate) -> bool:
    """Whether the machine is restarting now.

    A return that lies further ahead than a whole restart is of another time: the clock was put back, to a checkpoint
    or to the beginning, or the switch was set to less. Waiting for it could take days.
    """
    left = float(document["awayUntil"]) - estate.clock.timestamp()
    return 0 < left <= float(estate.scenario["windows_restart_s"])


def settle(document: Document, estate: Estate, host: HostAddress) -> list[Deed]:
    """Let happen what is due; returns what is to be done once the document is kept."""
    deeds: list[Deed] = []
    if document["awayUntil"] and not is_away(document, estate):
        _come_back(document, estate)
    for identifier, process in sorted(document["processes"].items()):
        if process["deed"].get("kind") == setup.KIND:
            setup.progress(document, process, estate, host)
        if process["due"] is not None and process["due"] <= time.time():
            code = installing.finish(document, process, estate, host)
            end(document, identifier, code)
            if code == installing.RESTARTS:
                go_away(document, estate)
                deeds.append(lambda: estate.cut(host))
                break
    return deeds


def start(
    document: Document, estate: Estate, path: str, name: str, deed: Document, seconds: float | None
) -> tuple[int, Document]:
    """A new process: its id and document; it ends after ``seconds``, or never by itself."""
    identifier = int(document["nextProcess"])
    document["nextProcess"] = identifier + 4
    process = {
        "name": name,
        "path": path,
        "started": iso(estate.now()),
        "due": None if seconds is None else time.time() + seconds,
        "deed": deed,
    }
    document["processes"][str(identifier)] = process
    return identifier, process


def end(document: Document, identifier: str, code: int) -> None:
    """A process is over; its exit code is kept for whoever waits for it."""
    document["processes"].pop(identifier, None)
    document["ended"][identifier] = code
    for old in list(document["ended"])[:-_ENDED_KEPT]:
        del document["ended"][old]


def go_away(document: Document, estate: Estate) -> None:
    """The machine restarts: everything stops, and it is away for a few lab seconds."""
    document["awayUntil"] = estate.clock.timestamp() + float(estate.scenario["windows_restart_s"])
    _stop(document)


def power_off(document: Document) -> None:
    """The machine is switched off: nothing of it answers until somebody switches it on."""
    document["power"], document["awayUntil"] = "off", 0.0
    _stop(document)


def power_on(document: Document, estate: Estate) -> None:
    """The machine is switched on, and there at once; one that is on already stays as it is."""
    if document.get("power", "on") == "off":
        document["power"], document["awayUntil"] = "on", estate.clock.timestamp()
        _come_back(document, estate)


def _stop(document: Document) -> None:
    for identifier in list(document["processes"]):
        end(document, identifier, KILLED)
    for one in document["services"].values():
        one["Status"] = "Stopped"


def _come_back(document: Document, estate: Estate) -> None:
    document["os"]["booted"] = iso(datetime.fromtimestamp(min(document["awayUntil"], estate.clock.timestamp()), UTC))
    document["awayUntil"] = 0.0
    installing.set_reboot_pending(document, pending=False)
    for name, one in document["services"].items():
        if one["StartType"] == "Automatic":
            services.start(document, name, estate.clock.timestamp())


def seed_agent(document: Document, host: HostAddress, agent: Document, started: float) -> None:
    """The machine of the agent that the tenant began with: installed, registered, running under its gMSA.

    ``started``: lab time, seconds since 1970, at which its services started; after the forest's schema was extended.
    """
    installing.install(document, software.SEEDED, software.content(software.SEEDED), "AzureCloud", "azure_ad", started)
    domain = {"name": host.forest.domain, "controllers": []}
    document["agent"] = {
        "id": agent["id"],
        "seeded": True,
        "domains": [domain],
        "loadedDomains": [domain],
        "loaded": True,
        "startedAt": started,
    }
    account = f"{host.forest.netbios}\\{places.CREATED_GMSA}"
    document["services"][places.AGENT_SERVICE]["StartName"] = account
    paths.with_parents(document["files"], places.TRACE_FOLDER, lambda: {"folder": True, "modified": agent_time()})


def agent_time() -> str:
    """When the seed's agent was installed."""
    return "2026-06-01T09:00:00Z"
