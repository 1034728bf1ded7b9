# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that a server's tracking log tells of, computed from the clock: a month is there at once, and kept nowhere.

Printers and an application hand in mail without a rest until a command says that they stopped. What goes on is what a
server does by itself: it hands mail to the other server, and its health mailboxes watch it.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.lab import hybrid_facts
from tests.lab.settings import NETWORK, Forest, fixed_guid

Document = dict[str, Any]
RELAY, INTERNET, SERVERS, HEALTH = "relay", "internet", "servers", "health"
STOPPED = (RELAY, INTERNET)  # what ends when somebody moved it away


@dataclass(frozen=True)
class Sender:
    """Somebody who hands in a message every ``seconds``, counted from 1970, ``phase`` seconds later."""

    kind: str
    server: str
    client: str
    connector: str
    sender: str
    recipient: str
    subject: str
    seconds: int
    phase: int


def senders(forest: Forest) -> tuple[Sender, ...]:
    """Who hands in mail at a forest's servers."""
    domain, number = forest.domain, forest.dc_address.split(".")[2]
    return (
        Sender(
            RELAY,
            "EX01",
            "10.20.30.41",
            r"EX01\Relay Printers EX01",
            f"scanner-2@{domain}",
            f"finance@{domain}",
            "Scan from MFP-2",
            28_800,
            300,
        ),
        Sender(
            RELAY,
            "EX02",
            "10.20.30.42",
            r"EX02\Relay Printers EX02",
            f"scanner-5@{domain}",
            f"sales@{domain}",
            "Scan from MFP-5",
            21_600,
            5_400,
        ),
        Sender(
            RELAY,
            "EX01",
            "10.20.40.80",
            r"EX01\Relay Printers EX01",
            f"erp@{domain}",
            "orders@partner1.example",
            "Order confirmation",
            14_400,
            1_200,
        ),
        Sender(
            INTERNET,
            "EX01",
            "203.0.113.77",
            r"EX01\Default Frontend EX01",
            "news@partner2.example",
            f"info@{domain}",
            "Monthly report",
            43_200,
            9_000,
        ),
        Sender(
            SERVERS,
            "EX01",
            f"{NETWORK}.{number}.42",
            r"EX01\Default EX01",
            f"postmaster@{domain}",
            f"postmaster@{domain}",
            "Shadow redundancy",
            28_800,
            600,
        ),
        Sender(
            SERVERS,
            "EX02",
            f"{NETWORK}.{number}.41",
            r"EX02\Default EX02",
            f"postmaster@{domain}",
            f"postmaster@{domain}",
            "Shadow redundancy",
            28_800,
            900,
        ),
        Sender(
            HEALTH,
            "EX01",
            f"{NETWORK}.{number}.41",
            r"EX01\Default Frontend EX01",
            health(forest, "DB01"),
            health(forest, "DB01"),
            "Client submission probe",
            21_600,
            60,
        ),
        Sender(
            HEALTH,
            "EX02",
            f"{NETWORK}.{number}.42",
            r"EX02\Default Frontend EX02",
            health(forest, "DB02"),
            health(forest, "DB02"),
            "Client submission probe",
            21_600,
            120,
        ),
    )


def health(forest: Forest, database: str) -> str:
    """Address of a database's health mailbox."""
    return f"HealthMailbox{uuid.UUID(fixed_guid('health mailbox', forest.name, database)).hex}@{forest.domain}"


def received(
    forest: Forest, server: str, begin: float, end: float, stopped: float | None
) -> list[tuple[float, Sender]]:
    """What a server received between two moments (seconds since 1970), by time; ``stopped``: when relaying ended."""
    found = []
    for one in senders(forest):
        if one.server != server:
            continue
        last = min(end, stopped) if stopped is not None and one.kind in STOPPED else end
        number = math.ceil((begin - one.phase) / one.seconds)
        while (moment := number * one.seconds + one.phase) < last:
            found.append((float(moment), one))
            number += 1
    return sorted(found, key=lambda pair: pair[0])


def events(forest: Forest, moment: float, one: Sender) -> list[Document]:
    """The entries of the tracking log for a message: it came in, and it went on."""
    identifier = fixed_guid("message", forest.name, one.server, one.sender, str(int(moment)))
    host = f"{one.server.lower()}.{forest.domain}"
    common = {
        "Timestamp": datetime.fromtimestamp(moment, UTC),
        "ServerHostname": one.server,
        "MessageId": f"<{identifier}@{one.sender.partition('@')[2]}>",
        "InternalMessageId": str(int(moment)),
        "NetworkMessageId": identifier,
        "Sender": one.sender,
        "ReturnPath": one.sender,
        "Recipients": [one.recipient],
        "RecipientCount": 1,
        "TotalBytes": 18_000 + int(moment) % 9_000,
        "MessageSubject": one.subject,
        "Directionality": "Incoming" if one.kind == INTERNET else "Originating",
        "Reference": [],
        "EventData": [],
    }
    came = {
        **common,
        "EventId": "RECEIVE",
        "Source": "SMTP",
        "ClientIp": one.client,
        "ClientHostname": f"host-{one.client.replace('.', '-')}",
        "ServerIp": host,
        "ConnectorId": one.connector,
        "SourceContext": "08DC;" + identifier[:8],
        "RecipientStatus": [],
    }
    cloud = one.kind in (RELAY, INTERNET) and one.recipient.endswith(forest.domain)
    outbound = f"Outbound to Office 365 - {hybrid_facts.hybrid_guid(forest.name)}" if cloud else "Internet"
    went = {
        **common,
        "EventId": "SEND",
        "Source": "SMTP",
        "ClientIp": "",
        "ClientHostname": one.server,
        "ServerIp": "",
        "ConnectorId": outbound if one.kind in (RELAY, INTERNET) else "Intra-Organization SMTP Send Connector",
        "SourceContext": "08DC;" + identifier[:8],
        "RecipientStatus": ["250 2.1.5 Recipient OK"],
    }
    return [came, went]
