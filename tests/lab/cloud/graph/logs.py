# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provisioning log, and what Graph (beta) knows of agents."""

from __future__ import annotations

from typing import Any

from tests.lab.cloud.graph import query
from tests.lab.cloud.graph.call import Call
from tests.lab.cloud.graph.csdl import shown
from tests.lab.cloud.wire import Reply
from tests.lab.store import Document


def provisioning(call: Call) -> Reply:
    """GET /auditLogs/provisioning, newest first."""
    docs = call.services.store.list(call.tenant_id, "provisioningEvent")
    return query.many(
        call, docs, "provisioningObjectSummary", "auditLogs/provisioning", order=("activityDateTime", True)
    )


def profile_collection(call: Call, profile: str, collection: str) -> Reply:
    """GET /onPremisesPublishingProfiles('provisioning')/agents, agentGroups or publishedResources."""
    if profile != "provisioning":
        raise call.not_found(profile)
    store = call.services.store
    context = f"onPremisesPublishingProfiles('{profile}')/{collection}"
    if collection == "publishedResources":
        return Reply(200, {"@odata.context": call.context(context), "value": []})
    agents, groups = store.list(call.tenant_id, "agent"), store.list(call.tenant_id, "agentGroup")
    if collection == "agents":
        reply = query.many(call, agents, "onPremisesAgent", context, expandable=("agentGroups",))
        return _expanded(
            call, reply, "agentGroups", [shown(doc, "onPremisesAgentGroup", call.version) for doc in groups]
        )
    reply = query.many(call, groups, "onPremisesAgentGroup", context, expandable=("agents", "publishedResources"))
    return _expanded(call, reply, "agents", [shown(doc, "onPremisesAgent", call.version) for doc in agents])


def _expanded(call: Call, reply: Reply, name: str, members: list[Document]) -> Reply:
    """``reply`` with a navigation property filled in when it was asked for; each agent is in each group."""
    asked = call.request.query.get("$expand", "").split(",")
    rows: list[dict[str, Any]] = reply.content["value"]
    for row in rows:
        row.pop(name, None)
        if name in asked or "*" in asked:
            row[name] = members
    return reply
