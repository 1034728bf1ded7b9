# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be put in the way of taking Exchange away, and how: one function for each, by the value that is wanted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.lab.clock import iso
from tests.lab.exchange_server import machine
from tests.lab.exchange_server.exchange import Exchange, Organization
from tests.lab.forest import system_mailboxes as system
from tests.lab.forest.entries import attributes, canonical_dn, child, raw
from tests.lab.forest.organization import MANAGEMENT, UNIVERSAL_SECURITY, security_groups_unit
from tests.lab.forest.organization_parts import common, site_dn
from tests.lab.forest.people import Kind, people
from tests.lab.forest.recipients import DATABASES, REMOTE_TYPES, VERSION_2013, database_dn, home_server
from tests.lab.forest.system_mailboxes import users_container
from tests.lab.forest.tree import group_dn, service_unit
from tests.lab.settings import fixed_guid
from tests.lab.windows.directory import ADDED
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import HostAddress

Document = dict[str, Any]
EMT = "Recipient Management EMT"
EDGE = "EDGE01"
PUBLIC_FOLDER_MAILBOX = "PFMailbox01"
MOVED, ON_PREMISES = "moved", "on_premises"
_MIGRATED = 4  # msExchRemoteRecipientType


@dataclass(frozen=True)
class Place:
    """What a condition works on."""

    estate: Estate
    exchange: Exchange
    tenant: str

    @property
    def organization(self) -> Organization:
        """The organisation."""
        return self.exchange.organization(self.tenant)

    @property
    def hosts(self) -> list[HostAddress]:
        """The organisation's machines."""
        return [one for one in self.estate.hosts if one.exchange and one.tenant == self.tenant]


def mailboxes(place: Place, value: str) -> None:
    """Mailboxes of two users: in DB01, or moved to the cloud."""
    forest, directory = place.organization.forest, place.organization.directory
    kind = REMOTE_TYPES[Kind.USER]
    for person in people(forest.name):
        if person.kind is not Kind.ON_PREMISES:
            continue
        if value == ON_PREMISES:
            cleared = {"targetAddress": None, "msExchRemoteRecipientType": None}
            directory.modify(person.dn, {**cleared, **person.attributes})
            continue
        routing = f"{person.text('mailNickname')}@{forest.name}.mail.onmicrosoft.com"
        directory.modify(
            person.dn,
            {
                "homeMDB": None,
                "msExchHomeServerName": None,
                "targetAddress": [f"SMTP:{routing}".encode()],
                "msExchRecipientTypeDetails": [raw(kind.details)],
                "msExchRecipientDisplayType": [raw(kind.display)],
                "msExchRemoteRecipientType": [raw(_MIGRATED)],
            },
        )


def archive(place: Place, value: str) -> None:
    """An archive in DB01 of a user whose mailbox is in the cloud."""
    forest, directory = place.organization.forest, place.organization.directory
    person = next(one for one in people(forest.name) if one.kind is Kind.USER and not one.protected)
    names = ("msExchArchiveGUID", "msExchArchiveName", "msExchArchiveDatabaseLink", "msExchArchiveStatus")
    values: dict[str, Any] = {name: person.attributes.get(name) for name in names}
    if value == "local":
        values = {
            "msExchArchiveGUID": [uuid.UUID(fixed_guid("local archive", forest.name)).bytes_le],
            "msExchArchiveName": [b"In-Place Archive"],
            "msExchArchiveDatabaseLink": [database_dn(forest).encode()],
            "msExchArchiveStatus": [b"1"],
        }
    directory.modify(person.dn, values)


def public_folders(place: Place, value: str) -> None:
    """Public folders, with the mailbox that holds them."""
    forest, directory = place.organization.forest, place.organization.directory
    dn = child(users_container(forest), PUBLIC_FOLDER_MAILBOX)
    directory.delete(dn)
    with place.exchange.state(place.tenant) as state:
        state["publicFolders"] = ["\\Announcements", "\\Projects", "\\Projects\\Harbour"] if value == "local" else []
    if value == "local":
        address = f"{PUBLIC_FOLDER_MAILBOX}@{forest.domain}"
        values = attributes(
            sAMAccountName="SM_publicfolders01",
            userPrincipalName=address,
            displayName=PUBLIC_FOLDER_MAILBOX,
            userAccountControl=514,
            mail=address,
            mailNickname=PUBLIC_FOLDER_MAILBOX,
            proxyAddresses=[f"SMTP:{address}"],
            homeMDB=database_dn(forest, "DB02"),
            msExchHomeServerName=home_server(forest, DATABASES["DB02"][0]),
            msExchMailboxGuid=uuid.UUID(fixed_guid("public folders", forest.name)).bytes_le,
            msExchRecipientTypeDetails=system.PUBLIC_FOLDER,
            msExchVersion=VERSION_2013,
        )
        directory.add(dn, "user", values)
        _remember(place, dn)


def _remember(place: Place, dn: str) -> None:
    """Let a reset remove an object that lies where the seed owns nothing."""
    store = place.exchange.store
    with store.transaction():
        added = store.meta(ADDED) or {}
        own = [one for one in added.get(place.tenant, []) if one != dn]
        store.set_meta(ADDED, {**added, place.tenant: [*own, dn]})


def moves(place: Place, value: str) -> None:
    """A move request between databases."""
    forest = place.organization.forest
    person = next(one for one in people(forest.name) if one.kind is Kind.ON_PREMISES)
    move = {
        "identity": f"{forest.domain}/{person.key}",
        "name": person.text("displayName") or person.key,
        "status": "InProgress",
        "source": "DB01",
        "target": "DB02",
        "batch": "",
        "queued": iso(place.estate.now()),
    }
    with place.exchange.state(place.tenant) as state:
        state["moves"] = [move] if value == "running" else []


def batches(place: Place, value: str) -> None:
    """A migration batch."""
    batch = {
        "name": "Wave 12",
        "guid": fixed_guid("migration batch", place.tenant),
        "status": "Syncing",
        "count": 2,
        "created": iso(place.estate.now()),
    }
    with place.exchange.state(place.tenant) as state:
        state["batches"] = [batch] if value == "running" else []


def queue(place: Place, value: str) -> None:
    """Messages that wait in a queue of the first server."""
    with place.estate.change(place.hosts[0]) as document:
        queues = [one for one in document["exchange"]["queues"] if one["name"] == "Submission"]
        if value == "held":
            text = (
                "[{LRT=};{LED=441 4.4.1 Error encountered while communicating with primary target IP address};{FQDN=}]"
            )
            queues.append(
                {
                    "name": "7",
                    "kind": "SmartHostConnectorDelivery",
                    "hop": "mx.northwind.example",
                    "count": 3,
                    "connector": fixed_guid("queue connector", place.tenant),
                    "error": text,
                }
            )
        document["exchange"]["queues"] = queues


def edge(place: Place, value: str) -> None:
    """An Edge server that is subscribed."""
    organization = place.organization
    dn = organization.places.server(EDGE)
    organization.directory.delete(dn, tree=True)
    if value == "subscribed":
        name = f"{EDGE.lower()}.{organization.forest.domain}"
        values = attributes(
            serialNumber="Version 15.2 (Build 31544.4)",
            versionNumber=1942061576,
            networkAddress=[f"ncacn_ip_tcp:{name}", f"netbios:{EDGE}"],
            msExchCurrentServerRoles=64,
            msExchServerSite=site_dn(organization.forest),
            msExchEdgeSyncLease=b"\x01\x00\x00\x00",
        )
        organization.directory.add(dn, "msExchExchangeServer", {**common(), **values})


def address_book(place: Place, value: str) -> None:
    """A server that generates the offline address book."""
    organization = place.organization
    server = organization.places.server("EX02").encode()
    for one in organization.below(organization.places.address_books, "msExchOAB"):
        organization.directory.modify(one.dn, {"offLineABServer": [server] if value == "server" else None})


def expansion(place: Place, value: str) -> None:
    """A server that expands a group."""
    forest = place.organization.forest
    server = home_server(forest, "EX02").encode()
    dn = group_dn(forest, "Project 0, news")
    place.organization.directory.modify(dn, {"msExchExpansionServerName": [server] if value == "EX02" else None})


def rights(place: Place, value: str) -> None:
    """What the administering account is a member of."""
    forest, directory = place.organization.forest, place.organization.directory
    account = child(service_unit(forest), forest.account("exchange_admin").name)
    groups = {
        child(security_groups_unit(forest), MANAGEMENT): value != "no_organization_management",
        child(users_container(forest), "Enterprise Admins"): value != "no_enterprise_admins",
    }
    for dn, wanted in groups.items():
        found = directory.get(dn)
        if found is None:
            continue
        others = [one for one in found.texts("member") if canonical_dn(one) != canonical_dn(account)]
        members = [*others, *([account] if wanted else [])]
        directory.modify(dn, {"member": [one.encode() for one in members]})


def relay(place: Place, value: str) -> None:
    """Whether others hand in mail, from now on."""
    with place.exchange.state(place.tenant) as state:
        state["relayStoppedAt"] = place.estate.clock.timestamp() if value == "stopped" else None


def exit(place: Place, value: str) -> None:
    """The group that management tools alone work with."""
    forest, directory = place.organization.forest, place.organization.directory
    dn = child(security_groups_unit(forest), EMT)
    directory.delete(dn)
    if value == "management_tools":
        values = attributes(sAMAccountName=EMT, groupType=UNIVERSAL_SECURITY, description="Management tools only")
        directory.add(dn, "group", values)


def gateway(place: Place, value: str) -> None:
    """The Microsoft Federation Gateway."""
    with place.exchange.state(place.tenant) as state:
        state["gateway"] = value


def certificates(place: Place, value: str) -> None:
    """The servers' certificates: valid, or of yesterday."""
    for host in place.hosts:
        with place.estate.change(host) as document:
            lasts = {one["thumbprint"]: one["not_after"] for one in machine.certificates(host)}
            for one in document["exchange"]["certificates"]:
                past = iso(place.estate.now() - timedelta(days=3))
                one["not_after"] = past if value == "expired" else lasts.get(one["thumbprint"], one["not_after"])
