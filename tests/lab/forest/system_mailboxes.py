# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System mailboxes: disabled users in CN=Users, and the health mailboxes among Exchange's system objects."""

from __future__ import annotations

import uuid

from tests.lab.forest.entries import Entry, attributes, child, entry_guid
from tests.lab.forest.recipients import SYSTEM_DATABASE, VERSION_2013, database_dn, home_server, legacy_dn
from tests.lab.settings import Forest, fixed_guid

# msExchRecipientTypeDetails. The last two are not among the published values: their numbers are the likeliest ones.
ARBITRATION, DISCOVERY, PUBLIC_FOLDER = 8388608, 536870912, 68719476736
MONITORING, AUDIT_LOG = 549755813888, 4398046511104
ARBITRATION_DISPLAY = 10
ORGANIZATION_MAILBOX = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"  # makes the offline address book
ARBITRATION_MAILBOXES = (
    ("SystemMailbox{1f05a927-9350-4efe-a823-5529c2acc0e5}", "Microsoft Exchange Approval Assistant"),
    (ORGANIZATION_MAILBOX, "Microsoft Exchange"),
    ("SystemMailbox{e0dc1c29-89c3-4034-b678-e6c29d823ed9}", "Microsoft Exchange"),
    ("SystemMailbox{D0E409A0-AF9B-4720-92FE-AAC869B0D201}", "E4E Encryption Store - Active"),
    ("SystemMailbox{2CE34405-31BE-455D-89D7-A7C7DA7A0DAA}", "Microsoft Exchange"),
    ("Migration.8f3e7716-2011-43e4-96b1-aba62d229136", "Microsoft Exchange Migration"),
    ("FederatedEmail.4c1f4d8b-8179-4148-93bf-00a95fa1e042", "Microsoft Exchange Federation Mailbox"),
)
DISCOVERY_MAILBOX = "DiscoverySearchMailbox {D919BA05-46A6-415f-80AD-7E09334BB852}"
AUDIT_LOG_MAILBOX = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}"
MONITORING_CONTAINER = "Monitoring Mailboxes"
_DISABLED = 514
_USER = ("top", "person", "organizationalPerson", "user")


def users_container(forest: Forest) -> str:
    """CN=Users of the domain."""
    return child(forest.base_dn, "Users")


def system_objects(forest: Forest) -> str:
    """CN=Microsoft Exchange System Objects."""
    return child(forest.base_dn, "Microsoft Exchange System Objects")


def mailbox_dn(forest: Forest, name: str) -> str:
    """A system mailbox in CN=Users."""
    return child(users_container(forest), name)


def system_mailboxes(forest: Forest) -> tuple[Entry, ...]:
    """Those that every organisation has, in CN=Users."""
    rows = [(name, display, ARBITRATION, ARBITRATION_DISPLAY) for name, display in ARBITRATION_MAILBOXES]
    rows.append((DISCOVERY_MAILBOX, "Discovery Search Mailbox", DISCOVERY, 0))
    rows.append((AUDIT_LOG_MAILBOX, "Microsoft Exchange", AUDIT_LOG, 0))
    return tuple(
        _mailbox(forest, mailbox_dn(forest, name), display, details, shown, SYSTEM_DATABASE)
        for name, display, details, shown in rows
    )


def health_mailboxes(forest: Forest) -> tuple[Entry, ...]:
    """Their container, and one for each database, by which a server watches itself."""
    container = child(system_objects(forest), MONITORING_CONTAINER)
    guid = entry_guid(forest.name, "organization", container)
    made = [Entry(container, ("top", "msExchContainer"), guid, attributes(showInAdvancedViewOnly=True))]
    for database in ("DB01", "DB02"):
        name = f"HealthMailbox{uuid.UUID(fixed_guid('health mailbox', forest.name, database)).hex}"
        display = f"HealthMailbox-{'EX01' if database == 'DB01' else 'EX02'}-{database}"
        made.append(_mailbox(forest, child(container, name), display, MONITORING, 0, database))
    return tuple(made)


def _mailbox(forest: Forest, dn: str, display: str, details: int, shown: int, database: str) -> Entry:
    name = dn.partition("=")[2].partition(",")[0]
    alias = name.replace(" ", "")
    address = f"{alias}@{forest.domain}"
    guid = uuid.UUID(fixed_guid("system mailbox", forest.name, name))
    return Entry(
        dn,
        _USER,
        entry_guid(forest.name, "system mailbox", name),
        attributes(
            sAMAccountName=f"SM_{guid.hex[:17]}",
            userPrincipalName=address,
            displayName=display,
            userAccountControl=_DISABLED,
            mail=address,
            mailNickname=alias,
            proxyAddresses=[f"SMTP:{address}"],
            legacyExchangeDN=legacy_dn(forest, alias),
            homeMDB=database_dn(forest, database),
            msExchHomeServerName=home_server(forest, "EX01" if database == "DB01" else "EX02"),
            msExchMailboxGuid=guid.bytes_le,
            msExchHideFromAddressLists=True,
            msExchRecipientTypeDetails=details,
            msExchRecipientDisplayType=shown,
            msExchVersion=VERSION_2013,
            msExchUserAccountControl=2,
        ),
    )
