# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Who hands mail to the servers over SMTP: records of the message tracking log, added up by client."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# Senders by which Exchange talks to itself: health probes, journaling of its own, system mailboxes. [inf: the list]
SYSTEM_SENDERS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"HealthMailbox[0-9a-f]+@.*",
        r"(inboundproxy|outboundproxy|maildeliveryprobe|monitoring)@.*",
        r"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@.*",
        r"SystemMailbox\{.*\}@.*",
        r"(FederatedEmail|Migration|DiscoverySearchMailbox)[.{].*@.*",
    )
)
_SENDERS_SHOWN = 5
_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})(?:\.\d+)?")


@dataclass
class Client:
    """One address that handed over mail. ``first`` and ``last`` are times as the server tells them."""

    address: str
    messages: int = 0
    servers: set[str] = field(default_factory=set)
    connectors: set[str] = field(default_factory=set)
    senders: dict[str, None] = field(default_factory=dict)
    first: str = ""
    last: str = ""

    def row(self) -> dict[str, Any]:
        """As evidence."""
        return {
            "object": self.address,
            "messages": self.messages,
            "servers": sorted(self.servers),
            "connectors": sorted(self.connectors),
            "senders": list(self.senders),
            "first": self.first,
            "last": self.last,
        }


@dataclass(frozen=True)
class ServerLog:
    """What the log of one server can tell.

    ``oldest_allowed`` is how long it is kept (None: for ever), ``reaches_back`` whether it holds a record from before
    the window, ``records`` how many it holds of mail that came in within, ``whole`` whether all of them were read.
    """

    server: str
    enabled: bool
    oldest_allowed: timedelta | None
    reaches_back: bool
    records: int = 0
    whole: bool = True


@dataclass(frozen=True)
class Log:
    """All servers, and the clients that are none of them."""

    since: datetime
    until: datetime
    servers: tuple[ServerLog, ...]
    clients: tuple[Client, ...]
    left_out: Mapping[str, int]


class Tally:
    """Adds records up, whatever their number."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._own: set[str] = set()
        self.system = 0

    def add(self, row: Mapping[str, Any], server: str) -> None:
        """One record of mail that came in. Behind the front end the client is the original one, where it is told."""
        if str(row.get("Source") or "SMTP").upper() != "SMTP":
            return
        own = normal(row.get("ServerIp"))
        if own:
            self._own.add(own)
        sender = str(row.get("Sender") or "").strip()
        if is_system(sender):
            self.system += 1
            return
        address = normal(row.get("OriginalClientIp")) or normal(row.get("ClientIp")) or "(no address)"
        client = self._clients.setdefault(address, Client(address))
        client.messages += 1
        client.servers.add(server)
        connector = str(row.get("ConnectorId") or "")
        if connector:
            client.connectors.add(connector)
        if len(client.senders) < _SENDERS_SHOWN:
            client.senders[sender or "<>"] = None
        stamp = str(row.get("Timestamp") or "")
        client.first = min(filter(None, (client.first, stamp)), default="")
        client.last = max(client.last, stamp)

    def clients(self, servers: Collection[str], ignored: Collection[str]) -> tuple[list[Client], dict[str, int]]:
        """The clients that are no Exchange servers and are not ignored, the busiest first, and how many were left out.

        servers: addresses of the Exchange servers; those that the records themselves name are known besides.
        """
        own = {*map(normal, servers), *self._own}
        kept: list[Client] = []
        left = {"exchange_servers": 0, "system_senders": self.system, "ignored": 0}
        for client in self._clients.values():
            if client.address in own or _is_loopback(client.address):
                left["exchange_servers"] += client.messages
            elif _ignored(client.address, ignored):
                left["ignored"] += client.messages
            else:
                kept.append(client)
        return sorted(kept, key=lambda item: (-item.messages, item.address)), left


def is_system(sender: str) -> bool:
    """Whether Exchange itself is the sender."""
    return any(pattern.fullmatch(sender) for pattern in SYSTEM_SENDERS)


def span(value: Any) -> timedelta | None:
    """A time span as Exchange writes it, such as 30.00:00:00; None for one of length zero, which means for ever."""
    match = _SPAN.fullmatch(str(value or "").strip())
    if match is None:
        return None
    parts = {name: int(number or 0) for name, number in match.groupdict().items()}
    return timedelta(**parts) or None


def short_servers(log: Log) -> Iterable[tuple[str, str]]:
    """The servers whose log cannot tell of the whole window, each with the reason."""
    window = log.until - log.since
    for item in log.servers:
        if not item.enabled:
            yield item.server, "message tracking is turned off"
        elif item.oldest_allowed is not None and item.oldest_allowed < window:
            yield item.server, f"its log is kept for {item.oldest_allowed.days} days only (MessageTrackingLogMaxAge)"
        elif not item.reaches_back:
            yield item.server, "its log holds no record from before the window, so it may have been cut short"
        elif not item.whole:
            yield item.server, "it holds more records than were read (relay_record_limit)"


def normal(value: Any) -> str:
    """An address in its usual form, without a port or a zone; empty where it is none."""
    text = str(value or "").strip().strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _is_loopback(address: str) -> bool:
    return address in ("127.0.0.1", "::1")


def _ignored(address: str, ignored: Collection[str]) -> bool:
    try:
        own = ipaddress.ip_address(address)
        return any(own in ipaddress.ip_network(item, strict=False) for item in ignored)
    except ValueError:
        return address in ignored
