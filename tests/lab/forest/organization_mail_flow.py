# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail flow of the organisation: send connectors, accepted and remote domains, transport rules, address books.

Each kind has objects of the hybrid set-up, and some that only look like them.
"""

from __future__ import annotations

from typing import Any

from tests.lab import hybrid_facts
from tests.lab.forest.entries import Entry, attributes, child
from tests.lab.forest.organization_parts import SERVERS, MakeEntry, common, places_of
from tests.lab.forest.system_mailboxes import ORGANIZATION_MAILBOX, mailbox_dn
from tests.lab.settings import Forest

AUTHORITATIVE, EXTERNAL_RELAY, INTERNAL_RELAY = 0, 1, 2  # of msExchAcceptedDomainFlags
DEFAULT_DOMAIN = 4
TARGET_DELIVERY = 1  # of msExchDomainContentConfigFlags
CLOUD_SERVICES = 1  # of msExchSmtpSendFlags: the connector keeps what hybrid mail carries in its headers
REQUIRE_TLS = 2
PARTNER_DOMAIN = "northwind.example"


def mail_flow(forest: Forest, entry: MakeEntry) -> list[Entry]:
    """Containers and objects."""
    places = places_of(forest)
    routing_group = places.connections.split(",", 1)[1]
    return [
        entry(routing_group.split(",", 1)[1], "msExchRoutingGroupContainer"),
        entry(routing_group, "msExchRoutingGroup"),
        entry(places.connections, "msExchConnectors"),
        *_send_connectors(forest, entry),
        entry(places.transport, "msExchContainer"),
        *_accepted_domains(forest, entry),
        entry(places.transport_rules.split(",", 1)[1], "msExchContainer"),
        entry(places.transport_rules, "msExchContainer"),
        *_transport_rules(forest, entry),
        entry(places.global_settings, "msExchContainer"),
        entry(places.remote_domains, "msExchContainer"),
        *_remote_domains(forest, entry),
        *_address_books(forest, entry),
    ]


def _send_connectors(forest: Forest, entry: MakeEntry) -> list[Entry]:
    places = places_of(forest)
    sources = [places.server(server) for server in SERVERS]
    certificate = f"<I>CN=Lab Issuing CA<S>CN=mail.{forest.domain}"
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        (
            f"Outbound to Office 365 - {hybrid_facts.hybrid_guid(forest.name)}",
            {
                "routingList": [f"SMTP:{forest.name}.mail.onmicrosoft.com;1"],
                "msExchSmtpSendTlsDomain": "mail.protection.outlook.com",
                "msExchSmtpTLSCertificate": certificate,
                "msExchSmtpSendFlags": CLOUD_SERVICES | REQUIRE_TLS,
                "msExchSMTPSendConnectorFQDN": f"mail.{forest.domain}",
            },
        ),
        ("Internet", {"routingList": ["SMTP:*;10"], "msExchSmtpSendFlags": 0}),
        (
            "To Northwind Traders",
            {
                "routingList": [f"SMTP:{PARTNER_DOMAIN};5"],
                "msExchSmtpSmartHost": f"mx.{PARTNER_DOMAIN}",
                "msExchSmtpSendTlsDomain": f"*.{PARTNER_DOMAIN}",
                "msExchSmtpSendFlags": REQUIRE_TLS,
            },
        ),
    )
    shared: dict[str, Any] = {
        "msExchSmtpSendEnabled": True,
        "msExchSmtpSendPort": 25,
        "msExchSourceBridgeheadServersDN": sources,
    }
    return [
        entry(
            child(places.connections, name), "msExchRoutingSMTPConnector", common() | attributes(**{**shared, **values})
        )
        for name, values in rows
    ]


def _accepted_domains(forest: Forest, entry: MakeEntry) -> list[Entry]:
    below = places_of(forest).accepted_domains
    rows = (
        (forest.domain, AUTHORITATIVE | DEFAULT_DOMAIN),
        (f"{forest.name}.mail.onmicrosoft.com", AUTHORITATIVE),
        (f"partners.{forest.domain}", INTERNAL_RELAY),
    )
    return [
        entry(below, "msExchContainer"),
        *(
            entry(
                child(below, name),
                "msExchAcceptedDomain",
                common() | attributes(msExchAcceptedDomainName=name, msExchAcceptedDomainFlags=flags),
            )
            for name, flags in rows
        ),
    ]


def _remote_domains(forest: Forest, entry: MakeEntry) -> list[Entry]:
    below, routing = places_of(forest).remote_domains, f"{forest.name}.mail.onmicrosoft.com"
    rows = (
        ("Default", "*", 0),
        (f"Hybrid Domain - {routing}", routing, TARGET_DELIVERY),
        ("Northwind Traders", PARTNER_DOMAIN, 0),
    )
    return [
        entry(
            child(below, name),
            "msExchDomainContentConfig",
            common() | attributes(domainName=domain, msExchDomainContentConfigFlags=flags),
        )
        for name, domain, flags in rows
    ]


def _transport_rules(forest: Forest, entry: MakeEntry) -> list[Entry]:
    rule = (
        '<rule name="Legal disclaimer" enabled="true"><version><condition><true/></condition>'
        '<action name="ApplyHtmlDisclaimer"/></version></rule>'
    )
    dn = child(places_of(forest).transport_rules, "Legal disclaimer")
    values = attributes(msExchTransportRulePriority=0, msExchTransportRuleXml=rule)
    return [entry(dn, "msExchTransportRule", common() | values)]


def _address_books(forest: Forest, entry: MakeEntry) -> list[Entry]:
    places = places_of(forest)
    book = child(places.address_books, "Default Offline Address Book")
    values = attributes(msExchOABGeneratingMailboxLink=mailbox_dn(forest, ORGANIZATION_MAILBOX))
    return [
        entry(places.address_books.split(",", 1)[1], "msExchContainer"),
        entry(places.address_books, "msExchContainer"),
        entry(book, "msExchOAB", common() | values),
    ]
