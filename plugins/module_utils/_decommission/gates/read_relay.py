# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Reads who hands mail to the servers, day by day from the newest, and how far back the servers can tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import stamp
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.relay import (
    Log,
    ServerLog,
    Tally,
    normal,
    span,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

DAY = timedelta(days=1)


def read(facts: Facts) -> Log:
    """The log of every server over the window that is asked for."""
    now = facts.now()
    since = now - timedelta(days=facts.wanted.relay_quiet_days)
    tally = Tally()
    known: Topology = facts.value("topology")
    servers = [_server(facts, thing.name, since, now, tally) for thing in known.mailbox_servers]
    clients, left = tally.clients(_addresses(facts), facts.wanted.relay_ignored)
    return Log(since, now, tuple(servers), tuple(clients), left)


def _server(facts: Facts, name: str, since: datetime, until: datetime, tally: Tally) -> ServerLog:
    service = next(_invoke(facts, Cmdlet("Get-TransportService", {"Identity": name})), None)
    if service is None:
        raise NotFound(f"Exchange Server tells nothing of the transport service of {name}.", object=name)
    enabled = service.get("MessageTrackingLogEnabled") is not False
    records, whole = _records(facts, name, since, until, tally) if enabled else (0, True)
    return ServerLog(
        server=name,
        enabled=enabled,
        oldest_allowed=span(service.get("MessageTrackingLogMaxAge")),
        reaches_back=enabled and _reaches_back(facts, name, since),
        records=records,
        whole=whole,
    )


def _records(facts: Facts, name: str, since: datetime, until: datetime, tally: Tally) -> tuple[int, bool]:
    """The records of mail that came in over SMTP. Where there are too many, the older days are left, and that is said.

    A day with relays answers the question; the days before it only make the evidence longer.
    """
    records, end = 0, until
    while end > since:
        start = max(since, end - DAY)
        wanted = {
            "Server": name,
            "EventId": "RECEIVE",
            "Source": "SMTP",
            "Start": stamp(start),
            "End": stamp(end),
            "ResultSize": "Unlimited",
        }
        for row in _invoke(facts, Cmdlet("Get-MessageTrackingLog", wanted)):
            records += 1
            tally.add(row, name)
        facts.ends.progress.advance()
        end = start
        if records >= facts.wanted.relay_record_limit and end > since:
            return records, False
    return records, True


def _reaches_back(facts: Facts, name: str, since: datetime) -> bool:
    """Whether there is a record from before the window, or from its first day, of anything at all."""
    wanted = {"Server": name, "End": stamp(since + DAY), "ResultSize": "1"}
    return next(_invoke(facts, Cmdlet("Get-MessageTrackingLog", wanted)), None) is not None


def _addresses(facts: Facts) -> frozenset[str]:
    """The addresses of the Exchange servers, as far as name servers tell, and those that the options state."""
    found = {address for host in facts.wanted.hosts.values() if (address := normal(host))}
    for side in ("dns_internal", "dns_external"):
        try:
            found |= {address for items in facts.value(side).servers.values() for address in items}
        except HybridError:
            continue  # a gate of that side says so
    return frozenset(found)


def _invoke(facts: Facts, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
    return facts.ends.exchange_server().invoke(cmdlet)
