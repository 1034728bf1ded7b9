# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the server says of its agent, what Graph says, and whether the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import host_facts, installed, product, registered
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.host_facts import Machine
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.installed import Installed
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Agents, Host
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.registered import Agent, Registered
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.version import Version
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Names


def inspect(host: Host, agents: Agents, names: Names, domain: str | None, minimum: Version) -> dict[str, Any]:
    """Both sides. ``agree`` is None where Graph does not tell; ``problems`` are in plain words."""
    machine = host_facts.machine(host)
    here = installed.read(host, names)
    known = registered.read(agents)
    own = known.on(machine.name)
    wanted = (domain or machine.domain or "").lower()
    differences = differing(machine, here, own) if known.agents is not None else []
    active = None if known.agents is None else _active(known, own, machine, wanted)
    return {
        "server": {
            **host_facts.as_result(machine),
            **installed.as_result(here),
            "trace_folder": names.trace_folder,
            "domains_unknown": here.domains_unknown,
        },
        "graph": registered.as_result(own),
        "graph_unreadable": known.unknown or None,
        "agree": None if known.agents is None else not differences,
        "problems": [*differences, *_own_problems(here, wanted, minimum), *_availability_problem(active, wanted)],
        "availability": {
            "domain": wanted,
            "active_agents": active,
            "recommended": product.RECOMMENDED_AGENTS,
            "met": None if active is None else len(active) >= product.RECOMMENDED_AGENTS,
        },
    }


def differing(machine: Machine, here: Installed, own: Agent | None) -> list[str]:
    """What the server and Graph say differently of the same agent."""
    name = machine.name
    running = here.service is not None and here.service.running
    if here.there and own is None:
        return [f"{name} has the agent {here.version}, but Graph knows no agent of that machine name: register it."]
    if own is not None and own.active and not here.there:
        return [f"Graph shows an active agent on {name}, but none is installed there: Graph may lag behind."]
    if own is not None and own.active and not running:
        return [f"Graph shows the agent on {name} active, but its service does not run there: Graph may lag behind."]
    if own is not None and not own.active and running:
        return [
            f"The agent's service runs on {name}, but Graph shows the agent {own.status}: it does not reach the "
            "service, or was registered anew. Look into its trace."
        ]
    return []


def _own_problems(here: Installed, domain: str, minimum: Version) -> list[str]:
    if not here.there:
        return []
    number, found = here.version_number, []
    if number is not None and number < minimum:
        found.append(f"Version {here.version} is older than {'.'.join(map(str, minimum))}: upgrade it.")
    if here.service is not None and not here.service.running:
        found.append(f"The service {here.service.name} is {here.service.status}.")
    if here.service is not None and not here.service.automatic:
        found.append(f"The service {here.service.name} does not start by itself ({here.service.start_type}).")
    if here.updater is None or not here.updater.running:
        found.append("The updater's service does not run, so the agent does not update itself.")
    if here.domains is not None and domain and domain not in here.domains:
        found.append(f"The agent does not serve {domain} ({', '.join(here.domains) or 'no domain'}).")
    return found


def _active(known: Registered, own: Agent | None, machine: Machine, domain: str) -> list[str]:
    others = [agent.machine for agent in known.active_beside(machine.name, domain)]
    return sorted([*others, *([own.machine] if own is not None and own.active else [])])


def _availability_problem(active: Sequence[str] | None, domain: str) -> list[str]:
    if active is None or len(active) >= product.RECOMMENDED_AGENTS:
        return []
    return [
        f"{len(active)} agent(s) of {domain} are active; Microsoft recommends {product.RECOMMENDED_AGENTS}, so that "
        "the job goes on when one is down."
    ]
