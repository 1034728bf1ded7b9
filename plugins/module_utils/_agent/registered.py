# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What Graph knows of the tenant's agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Agents
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, NotFound, PermissionDenied

ACTIVE = "active"


@dataclass(frozen=True)
class Agent:
    """One agent as Graph shows it; ``groups`` are the names of its groups, empty where they are not known."""

    id: str
    machine: str
    status: str
    groups: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        return self.status.lower() == ACTIVE


@dataclass(frozen=True)
class Registered:
    """All agents of the tenant; None and the reason where Graph does not tell."""

    agents: tuple[Agent, ...] | None
    unknown: str = ""

    def on(self, machine: str) -> Agent | None:
        """The agent of a server, by its full name: the active one where Graph keeps older records too."""
        own = [agent for agent in self.agents or () if agent.machine.lower() == machine.lower()]
        return next((agent for agent in own if agent.active), own[-1] if own else None)

    def active_beside(self, machine: str, domain: str) -> tuple[Agent, ...]:
        """The active agents that can do the work of the one on this server.

        They are those of its groups; where its groups are not known, those on servers of the domain.
        """
        own = self.on(machine)
        groups = set(own.groups) if own else set()
        others = [agent for agent in self.agents or () if agent.active and agent.machine.lower() != machine.lower()]
        if groups:
            return tuple(agent for agent in others if groups & set(agent.groups))
        return tuple(agent for agent in others if _is_in(agent.machine, domain))


def read(service: Agents) -> Registered:
    """What Graph tells. Its interface is a beta that an application may not be allowed to."""
    try:
        found = service.agents()
    except (Conflict, NotFound, PermissionDenied) as error:
        return Registered(None, error.message)
    try:
        groups = _groups(service.agent_groups())
    except (Conflict, NotFound, PermissionDenied):
        groups = {}
    return Registered(tuple(_agent(item, groups) for item in found))


def _agent(item: Mapping[str, Any], groups: Mapping[str, list[str]]) -> Agent:
    identifier = str(item.get("id") or "")
    return Agent(
        id=identifier,
        machine=str(item.get("machineName") or ""),
        status=str(item.get("status") or "unknown"),
        groups=tuple(groups.get(identifier, ())),
    )


def _groups(found: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The names of the groups of each agent, by the agents' ids."""
    names: dict[str, list[str]] = {}
    for group in found:
        for agent in group.get("agents") or ():
            names.setdefault(str(agent.get("id")), []).append(str(group.get("displayName") or group.get("id") or ""))
    return names


def _is_in(machine: str, domain: str) -> bool:
    """Whether a server is of a domain, or of one below it."""
    return f".{machine.lower()}".endswith(f".{domain.lower()}")


def as_result(agent: Agent | None) -> dict[str, Any] | None:
    """An agent for the result of a module."""
    if agent is None:
        return None
    return {"id": agent.id, "machine_name": agent.machine, "status": agent.status, "groups": list(agent.groups)}
