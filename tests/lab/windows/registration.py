# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What agents do to their tenant: register, become active and inactive, age out.

Graph shows an agent (beta, ``onPremisesPublishingProfiles('provisioning')/agents``) with its machine's full name. It is
active only while its service runs with the registration loaded, that is, was started after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.lab.clock import Clock
from tests.lab.cloud.seed import SEEDED_AT
from tests.lab.cloud.seed import agents as seeded_agents
from tests.lab.scenario import Scenario
from tests.lab.store import Store
from tests.lab.windows.places import AGENT_SERVICE, SEEDED_HOST, HostAddress

Document = dict[str, Any]


@dataclass(frozen=True)
class Registry:
    """The agents of the tenants, in the store."""

    store: Store
    clock: Clock
    scenario: Scenario

    def seeded_agent(self, tenant_id: str, host: HostAddress) -> Document | None:
        """The agent that the tenant began with, when it is this machine's and still there."""
        if host.name != SEEDED_HOST:
            return None
        for one in seeded_agents({"id": tenant_id, "domain": host.forest.domain}):
            if one["machineName"] == host.fqdn:
                return self.store.get(tenant_id, "agent", one["id"])
        return None

    def seeded_at(self) -> float:
        """When the tenants began, in lab time; 0 in a state that an older lab made."""
        return float(self.store.meta(SEEDED_AT, 0.0))

    def host_changed(self, tenant_id: str, host: HostAddress, document: Document) -> None:
        """Make Graph's view of a host's agent fit the host."""
        agent = document["agent"]
        if agent is None or not agent.get("id"):
            return
        running = document["services"].get(AGENT_SERVICE, {}).get("Status") == "Running"
        active = running and agent.get("loaded", False) and not document["behaviour"].get("inactive_in_graph")
        self._put(tenant_id, host, agent, "active" if active else "inactive")

    def gone(self, tenant_id: str, agent_id: str) -> None:
        """The agent was removed from its machine: inactive until it ages out."""
        kept = self.store.get(tenant_id, "agent", agent_id)
        if kept is not None:
            self.store.put(tenant_id, "agent", agent_id, self._inactive(kept))

    def _inactive(self, agent: Document) -> Document:
        return {**agent, "status": "inactive", "_inactiveSince": agent.get("_inactiveSince", self.clock.timestamp())}

    def _put(self, tenant_id: str, host: HostAddress, agent: Document, status: str) -> None:
        kept = self.store.get(tenant_id, "agent", agent["id"])
        if kept is None and agent.get("seeded"):
            return  # somebody took the tenant's agents away
        wanted = {
            **(kept or {}),
            "id": agent["id"],
            "machineName": host.fqdn,
            "externalIp": (kept or {}).get("externalIp", "203.0.113.10"),
            "supportedPublishingTypes": ["provisioning"],
            "_host": host.name,
            "_domains": [one["name"].lower() for one in agent.get("loadedDomains", [])],
        }
        if status == "active":
            wanted.pop("_inactiveSince", None)
            wanted["status"] = "active"
        else:
            wanted = self._inactive(wanted)
        if wanted != kept:
            self.store.put(tenant_id, "agent", agent["id"], wanted)

    def age_out(self, tenant_id: str) -> None:
        """Agents that have been inactive for long enough vanish from Graph."""
        after = float(self.scenario["agent_ageing_s"])
        now = self.clock.timestamp()
        for agent in self.store.list(tenant_id, "agent"):
            since = agent.get("_inactiveSince")
            if since is not None and now - float(since) >= after:
                self.store.delete(tenant_id, "agent", agent["id"])
