# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Wrong orders and other reasons not to begin, told before anything is changed, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order, relay
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import agent
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.belongs import Judged
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import ENDED_BATCHES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    last_part,
    name_of,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.plan import (
    IOC,
    Action,
    Plan,
    is_enabled,
    next_step,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.read import server
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing


def problems(
    ends: Ends,
    wanted: Wanted,
    plan: Plan,
    found: Mapping[str, Sequence[Judged]],
    servers: Sequence[str],
    now: datetime,
    rehearsal: bool = False,
) -> list[str]:
    """Why this plan must not be carried out, in words; empty where nothing speaks against it.

    servers: those in AD. rehearsal: whoever names single steps in check mode goes through all of them in turn, without
    having done those before.
    """
    return [
        *_servers(wanted, plan, servers),
        *(() if rehearsal and wanted.step_ids else _skipped(wanted, plan)),
        *_connectors_on(wanted, plan),
        *_batches(plan),
        *_rules(plan, found),
        *_agent(ends, wanted, plan),
        *_mail(ends, wanted, plan, now),
    ]


def refuse(reasons: Sequence[str]) -> None:
    """Refused with all reasons, where there are any."""
    if reasons:
        raise Refused(f"{' '.join(reasons)} Nothing was changed.", reasons=list(reasons))


def _servers(wanted: Wanted, plan: Plan, servers: Sequence[str]) -> Iterator[str]:
    if wanted.phase == order.CLOUD_CLEAN_UP and plan.actions and servers:
        yield (
            f"The clean-up in the cloud comes after the last server: AD still has {listing(servers)}. Uninstall it "
            "first; until then mail and free/busy may still need these objects."
        )


def _skipped(wanted: Wanted, plan: Plan) -> Iterator[str]:
    skipped = next_step(plan, wanted.steps)
    if skipped is not None:
        later, earlier = skipped
        yield (
            f"{later.what[0].upper()}{later.what[1:]} would be dealt with before {earlier.what}, which the order "
            f"{wanted.order} has first. {earlier.reason} ({earlier.source}.) Choose the kind {earlier.kind} too, or "
            f"name it in keep with a reason."
        )


def _connectors_on(wanted: Wanted, plan: Plan) -> Iterator[str]:
    """A connector that is to be removed in the cloud has to be off already; there is no step for it in that phase."""
    if wanted.phase != order.CLOUD_CLEAN_UP or not wanted.soak_minutes:
        return
    for action in plan.actions:
        if action.step.kind == IOC and is_enabled(action.row):
            yield (
                f"The intra-organization connector {action.identity} in Exchange Online is still on. Turn it off "
                "first (side cloud, phase clean_up) and let it stay off for soak_minutes, so that whoever needs it is "
                "noticed while it can be turned on again."
            )


def _batches(plan: Plan) -> Iterator[str]:
    for action in plan.actions:
        status = text(action.row.get("Status"))
        if action.step.kind == "migration_batch" and status.replace(" ", "").lower() not in ENDED_BATCHES:
            yield (
                f"The migration batch {action.identity} has not ended: it is {status or 'of an unknown status'}. "
                "Complete it, or stop it with Stop-MigrationBatch."
            )


def _rules(plan: Plan, found: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    """A rule that is on and routes through a connector that goes: its mail would have nowhere to go."""
    going = {last_part(action.identity) for action in plan.actions if action.step.kind == "outbound_connector"}
    for item in found.get("transport_rule", ()):
        through = [name for name in texts(item.row.get("RouteMessageOutboundConnector")) if last_part(name) in going]
        if through and not item.belongs and text(item.row.get("State")).lower() != "disabled":
            yield (
                f"The transport rule {name_of(item.row)} is on and routes through the connector {through[0]}, which "
                "is to be removed. Disable or change the rule, or name it in also to have it removed first."
            )


def _agent(ends: Ends, wanted: Wanted, plan: Plan) -> Iterator[str]:
    """What the removal of the hybrid agent needs, asked for before anything is begun."""
    actions = [action for action in plan.actions if action.step.kind == "hybrid_agent"]
    if not actions:
        return
    if ends.host is None:
        yield agent.NO_HOST
    elif wanted.agent_credential is None and any(action.row.get("AppId") for action in actions):
        yield agent.NO_ACCOUNT


def _mail(ends: Ends, wanted: Wanted, plan: Plan, now: datetime) -> Iterator[str]:
    """Mail from Exchange Online that still comes through the receive connectors whose trust is to be taken away."""
    changing = {last_part(action.identity): action for action in plan.ready if action.step.kind == "receive_connector"}
    if not changing or not wanted.mail_quiet_hours:
        return
    for name, action in changing.items():
        clients = _received(ends, wanted, action, now)
        if clients:
            count, last = sum(client.messages for client in clients), max(client.last for client in clients)
            yield (
                f"The receive connector {action.identity} took {count} messages from "
                f"{listing(client.address for client in clients)} in the last {wanted.mail_quiet_hours:g} hours, the "
                f"last at {last or 'an unknown time'}. While mail still comes through {name}, it must not lose its "
                "trust in Exchange Online. Move the senders, or lower mail_quiet_hours."
            )


def _received(ends: Ends, wanted: Wanted, action: Action, now: datetime) -> list[relay.Client]:
    """Who handed mail to a connector over SMTP, but for the servers themselves and Exchange's own probes."""
    owner = text(action.row.get("Server")) or action.identity.partition("\\")[0]
    asked = Cmdlet(
        "Get-MessageTrackingLog",
        {
            "EventId": "RECEIVE",
            "Source": "SMTP",
            "Server": owner,
            "Start": (now - timedelta(hours=wanted.mail_quiet_hours)).isoformat(),
            "End": now.isoformat(),
            "ResultSize": "Unlimited",
        },
    )
    named = last_part(action.identity)
    tally = relay.Tally()
    for row in server(ends).invoke(asked):
        if last_part(text(row.get("ConnectorId"))) == named:
            tally.add(row, owner)
    return tally.clients((), ())[0]
