# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a user a recipient: the values of the Exchange attributes by kind of mailbox."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from tests.lab.forest.entries import Values, attributes
from tests.lab.settings import Forest, fixed_guid

DATABASES = {"DB01": ("EX01", "EX02"), "DB02": ("EX02",)}  # each with the servers of its copies, its own first
SYSTEM_DATABASE = "DB02"  # of the system mailboxes
VERSION_2010 = 44220983382016
VERSION_2013 = 88218628259840


class Kind(StrEnum):
    """What a user is to Exchange."""

    USER = "user"
    SHARED = "shared"
    ROOM = "room"
    EQUIPMENT = "equipment"
    ON_PREMISES = "on_premises"
    PLAIN = "plain"


@dataclass(frozen=True)
class MailboxType:
    """Values of the type attributes. ``provisioned`` / ``migrated``: msExchRemoteRecipientType by how it got there."""

    details: int
    display: int
    provisioned: int
    migrated: int


REMOTE_TYPES = {
    Kind.USER: MailboxType(2147483648, -2147483642, 1, 4),
    Kind.SHARED: MailboxType(34359738368, -2147483642, 97, 100),
    Kind.ROOM: MailboxType(8589934592, -2147481850, 33, 36),
    Kind.EQUIPMENT: MailboxType(17179869184, -2147481594, 65, 68),
}
ON_PREMISES_DETAILS, ON_PREMISES_DISPLAY = 1, 1073741824


@dataclass(frozen=True)
class Draft:
    """The words a person is made of, before attributes."""

    number: int
    kind: Kind
    given: str
    surname: str
    display: str
    account: str
    alias: str


def _guid_bytes(*words: str) -> bytes:
    return uuid.UUID(fixed_guid(*words)).bytes_le


def legacy_dn(forest: Forest, key: str) -> str:
    """The address-book name that Exchange gave a recipient."""
    return f"/o={forest.netbios.title()}/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={key}"


def remote(forest: Forest, draft: Draft) -> dict[str, Values]:
    number, kind, alias = draft.number, REMOTE_TYPES[draft.kind], draft.alias
    primary = f"{alias}@{forest.domain}"
    routing = f"{alias}@{forest.name}.mail.onmicrosoft.com"
    migrated = number % 3 != 0
    addresses = [f"SMTP:{primary}", f"smtp:{routing}"]
    if number % 4 == 0:
        addresses.append(f"smtp:{draft.account}@{forest.domain}")
    if migrated:
        addresses.append(f"X500:{legacy_dn(forest, f'{draft.account}-old')}")
    if number % 5 == 0 and draft.kind is Kind.USER:
        addresses.append(f"SIP:{primary}")
    if number % 50 == 1:
        addresses.append(f"smtp:Mixed.Case.{number}@{forest.domain.title()}")
    archive = number % 10 == 0 and draft.kind is Kind.USER
    return attributes(
        mail=primary,
        mailNickname=alias,
        proxyAddresses=_unique(addresses),
        targetAddress=f"SMTP:{routing}",
        legacyExchangeDN=legacy_dn(forest, draft.account),
        msExchRecipientTypeDetails=kind.details,
        msExchRecipientDisplayType=kind.display,
        msExchRemoteRecipientType=(kind.migrated if migrated else kind.provisioned) + (2 if archive else 0),
        msExchVersion=VERSION_2013 if migrated else VERSION_2010,
        msExchMailboxGuid=_guid_bytes("mailbox", forest.name, str(number)) if migrated else None,
        msExchArchiveGUID=_guid_bytes("archive", forest.name, str(number)) if archive else None,
        msExchArchiveName=[f"In-Place Archive - {draft.display}"] if archive else None,
        msExchHideFromAddressLists=True if number % 9 == 0 else None,
        msExchRequireAuthToSendTo=False if draft.kind is Kind.SHARED else None,
        msExchResourceCapacity=4 + number if draft.kind is Kind.ROOM else None,
        msExchUserAccountControl=0,
    )


def on_premises(forest: Forest, draft: Draft) -> dict[str, Values]:
    primary = f"{draft.alias}@{forest.domain}"
    return attributes(
        mail=primary,
        mailNickname=draft.alias,
        proxyAddresses=[f"SMTP:{primary}", f"smtp:{draft.alias}@{forest.name}.mail.onmicrosoft.com"],
        legacyExchangeDN=legacy_dn(forest, draft.account),
        homeMDB=database_dn(forest),
        msExchHomeServerName=home_server(forest, "EX01"),
        msExchRecipientTypeDetails=ON_PREMISES_DETAILS,
        msExchRecipientDisplayType=ON_PREMISES_DISPLAY,
        msExchVersion=VERSION_2013,
        msExchMailboxGuid=_guid_bytes("mailbox", forest.name, str(draft.number)),
        msExchUserAccountControl=0,
    )


LONG_VALUES = 290
"""The number of the person with values as long, and as many, as the attributes take."""


def custom(forest: Forest, draft: Draft, department: str) -> dict[str, Values]:
    number = draft.number
    values: dict[str, str | list[str] | None] = {}
    if number % 3 == 0:
        values["extensionAttribute1"] = f"KST-{1000 + number}"
        values["extensionAttribute2"] = department
    if number % 7 == 0:
        values["extensionAttribute7"] = f"Überprüft – \u201c{draft.display}\u201d (日本語)"
    if number % 11 == 0:
        values["extensionAttribute15"] = f"badge:{number:08d};site={forest.netbios}"
    if number % 13 == 0:
        values["msExchExtensionCustomAttribute1"] = [
            f"project-{number % 5}",
            f"project-{number % 7 + 10}",
            "Zürich, HB",
        ]
    if number % 17 == 0:
        values["msExchExtensionCustomAttribute5"] = [f"{letter}{number}" for letter in "abc"]
    if number == LONG_VALUES:
        values["extensionAttribute10"] = "x" * 1024
        values["extensionAttribute11"] = "ä" * 1024
        values["msExchExtensionCustomAttribute2"] = [f"value {index:04d}" for index in range(1300)]
    return attributes(**values)


def database_dn(forest: Forest, name: str = "DB01") -> str:
    """A mailbox database; without a name the one of the on-premises mailboxes."""
    return (
        f"CN={name},CN=Databases,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),"
        f"CN=Administrative Groups,{organization_dn(forest)}"
    )


def home_server(forest: Forest, server: str) -> str:
    """A server as msExchHomeServerName names it."""
    return (
        f"/o={forest.netbios.title()}/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
        f"/cn=Configuration/cn=Servers/cn={server}"
    )


def organization_dn(forest: Forest) -> str:
    """The Exchange organisation in the configuration partition."""
    return f"CN={forest.netbios.title()},CN=Microsoft Exchange,CN=Services,CN=Configuration,{forest.base_dn}"


def _unique(addresses: list[str]) -> list[str]:
    """Without repetitions that differ in case alone: a Windows domain controller refuses them, Samba does not."""
    kept: dict[str, str] = {}
    for address in addresses:
        kept.setdefault(address.casefold(), address)
    return list(kept.values())
