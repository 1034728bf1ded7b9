# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes of an organisation: which there are, of which kind, and what is stripped when one is disabled."""

from __future__ import annotations

from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest import system_mailboxes as system
from tests.lab.forest.entries import canonical_dn
from tests.lab.forest.schema import RECIPIENT_ATTRIBUTES

USER, SHARED, ROOM, EQUIPMENT = 1, 4, 16, 32
# msExchRecipientTypeDetails of mailboxes on premises, and the names that Exchange shows.
KINDS = {
    USER: "UserMailbox",
    2: "LinkedMailbox",
    SHARED: "SharedMailbox",
    ROOM: "RoomMailbox",
    EQUIPMENT: "EquipmentMailbox",
    system.ARBITRATION: "ArbitrationMailbox",
    system.DISCOVERY: "DiscoveryMailbox",
    system.PUBLIC_FOLDER: "PublicFolderMailbox",
    system.MONITORING: "MonitoringMailbox",
    system.AUDIT_LOG: "AuditLogMailbox",
}
REMOTE = {
    2147483648: "RemoteUserMailbox",
    8589934592: "RemoteRoomMailbox",
    17179869184: "RemoteEquipmentMailbox",
    34359738368: "RemoteSharedMailbox",
}
OTHERS = {64: "MailContact", 128: "MailUser", 256: "MailUniversalDistributionGroup", 1024: "MailUniversalSecurityGroup"}
DEFAULT = (USER, 2, SHARED, ROOM, EQUIPMENT, system.DISCOVERY)  # what Get-Mailbox gives without being asked
NAMES = {**KINDS, **REMOTE, **OTHERS}
# What a user loses with the mailbox: all that Exchange gave it.
STRIPPED = tuple(
    sorted(
        {one.name for one in RECIPIENT_ATTRIBUTES} | {"proxyAddresses", "mail", "legacyExchangeDN", "showInAddressBook"}
    )
)


def details(found: Found) -> int:
    """msExchRecipientTypeDetails."""
    return found.number("msExchRecipientTypeDetails")


def on_premises(organization: Organization) -> list[Found]:
    """Every mailbox in a database of the organisation, of every kind, by name."""
    condition = "(&(objectClass=user)(homeMDB=*)(msExchRecipientTypeDetails=*))"
    hits = organization.directory.search(organization.forest.base_dn, condition)
    return sorted((one for one in hits if details(one) in KINDS), key=lambda one: one.name.lower())


def archives(organization: Organization) -> list[Found]:
    """Users with an archive in a database of the organisation."""
    condition = "(&(objectClass=user)(msExchArchiveDatabaseLink=*))"
    return organization.directory.search(organization.forest.base_dn, condition)


def in_database(found: Found, database: Found) -> bool:
    """Whether a mailbox lies in a database."""
    return canonical_dn(found.text("homeMDB") or "CN=") == canonical_dn(database.dn)


def archived_in(found: Found, database: Found) -> bool:
    """Whether an archive lies in a database."""
    return canonical_dn(found.text("msExchArchiveDatabaseLink") or "CN=") == canonical_dn(database.dn)


def strip(organization: Organization, found: Found) -> None:
    """Take everything of Exchange's from a user; the user stays."""
    held = {name: None for name in STRIPPED if found.values(name)}
    organization.directory.modify(found.dn, held)
