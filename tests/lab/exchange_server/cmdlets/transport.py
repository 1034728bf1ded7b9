# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues, and the message tracking log."""

from __future__ import annotations

import re
from typing import Any

from tests.lab.exchange_server import calls, codec, errors, traffic
from tests.lab.exchange_server.calls import Work
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.values import Obj

Document = dict[str, Any]
_EVENT = ("Microsoft.Exchange.Management.TransportLogSearchTasks.MessageTrackingEvent", "System.Object")
_QUEUE = ("Microsoft.Exchange.Data.QueueViewer.ExtensibleQueueInfo", "System.Object")
_AGE = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{2})")
DEFAULT_AGE_S = 30 * 86_400


def _server(work: Work) -> str:
    given = work.call.get("Server")
    return calls.server_name(work.organization, str(given)) if given else work.call.host.computer


def get_queue(call: Call) -> None:
    """Get-Queue of one server: the session's, or the one that -Server or the identity names."""
    work = calls.work(call)
    wanted = calls.identities(call)
    server = calls.server_name(work.organization, wanted[0].partition("\\")[0]) if wanted else _server(work)
    with call.estate.change(calls.host_of(work, server)) as document:
        queues = [dict(one) for one in document["exchange"]["queues"]]
    for one in queues:
        identity = f"{server}\\{one['name']}"
        if wanted and identity.lower() not in (each.lower() for each in wanted):
            continue
        own = {
            "Identity": identity,
            "QueueIdentity": identity,
            "DeliveryType": one["kind"],
            "NextHopDomain": one["hop"],
            "NextHopConnector": one.get("connector", ""),
            "Status": "Retry" if one["error"] else "Ready",
            "MessageCount": one["count"],
            "DeferredMessageCount": 0,
            "LockedMessageCount": 0,
            "LastError": one["error"] or None,
            "IncomingRate": 0,
            "OutgoingRate": 0,
            "Velocity": 0,
            "IsValid": True,
        }
        call.write(Obj(_QUEUE, own, identity))
    missing = [one for one in wanted if one.lower() not in (f"{server}\\{each['name']}".lower() for each in queues)]
    for identity in missing:
        call.error(errors.not_found(identity, work.organization.controller))


def _age(work: Work, server: str) -> float:
    """How far back the log of a server goes, in seconds: MessageTrackingLogMaxAge."""
    found = work.organization.server(server)
    text = codec.read_rest(found).get("MessageTrackingLogMaxAge") if found is not None else None
    matched = _AGE.match(str(text)) if text else None
    if matched is None:
        return float(DEFAULT_AGE_S)
    return int(matched[1] or 0) * 86_400 + int(matched[2]) * 3600 + int(matched[3]) * 60


def get_message_tracking_log(call: Call) -> None:
    """Get-MessageTrackingLog of one server, the oldest first."""
    work = calls.work(call)
    server = _server(work)
    calls.host_of(work, server)
    now = call.estate.clock.timestamp()
    begin, end = call.get("Start"), call.get("End")
    first = max(begin.timestamp() if begin else 0.0, now - _age(work, server))
    last = min(end.timestamp() if end else now, now)
    with work.exchange.state(work.tenant) as state:
        stopped = state["relayStoppedAt"]
    forest, rows = work.organization.forest, []
    for moment, one in traffic.received(forest, server, first, last, stopped):
        rows += [row for row in traffic.events(forest, moment, one) if _fits(call, row)]
    for row in calls.limited(call, rows):
        call.write(Obj(_EVENT, {**row, "RunspaceId": "", "MessageInfo": "", "TenantId": ""}, "MessageTrackingEvent"))


def _fits(call: Call, row: Document) -> bool:
    for name, column in (
        ("EventId", "EventId"),
        ("Source", "Source"),
        ("Sender", "Sender"),
        ("MessageId", "MessageId"),
        ("InternalMessageId", "InternalMessageId"),
        ("NetworkMessageId", "NetworkMessageId"),
    ):
        wanted = call.get(name)
        if wanted is not None and str(wanted).lower() != str(row[column]).lower():
            return False
    subject = call.get("MessageSubject")
    if subject is not None and str(subject).lower() not in str(row["MessageSubject"]).lower():
        return False
    recipients = {str(one).lower() for one in call.many("Recipients")}
    return not recipients or bool(recipients & {one.lower() for one in row["Recipients"]})


CMDLETS: dict[str, Implementation] = {
    "Get-Queue": get_queue,
    "Get-MessageTrackingLog": get_message_tracking_log,
}
