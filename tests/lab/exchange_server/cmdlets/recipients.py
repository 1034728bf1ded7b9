# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients as Get- cmdlets show them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tests.lab.exchange_server import calls, codec, errors, mailboxes
from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest import system_mailboxes as system
from tests.lab.forest.entries import canonical_dn, split_dn
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.values import Obj

_MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management"
Wanted = Callable[[Found], bool]


def canonical(organization: Organization, dn: str) -> str:
    """An object's place as Exchange writes it: ``contoso.lab/Users/Name``."""
    names, rest = [], dn
    while rest.lower() != organization.forest.base_dn.lower() and "," in rest:
        name, rest = split_dn(rest)
        names.append(codec.unescaped(name.partition("=")[2]))
    return "/".join((organization.forest.domain, *reversed(names)))


def primary(found: Found) -> str:
    """The primary SMTP address."""
    for one in found.texts("proxyAddresses"):
        if one.startswith("SMTP:"):
            return one[5:]
    return found.text("mail") or ""


def recipient(organization: Organization, found: Found) -> dict[str, Any]:
    """What all recipients show."""
    place = canonical(organization, found.dn)
    number = mailboxes.details(found)
    return {
        **calls.common(organization, found),
        "Identity": place,
        "Id": place,
        "Alias": found.text("mailNickname") or "",
        "DisplayName": found.text("displayName") or found.name,
        "EmailAddresses": found.texts("proxyAddresses"),
        "PrimarySmtpAddress": primary(found),
        "WindowsEmailAddress": found.text("mail") or "",
        "LegacyExchangeDN": found.text("legacyExchangeDN") or "",
        "OrganizationalUnit": place.rpartition("/")[0],
        "SamAccountName": found.text("sAMAccountName") or "",
        "UserPrincipalName": found.text("userPrincipalName") or "",
        "HiddenFromAddressListsEnabled": found.text("msExchHideFromAddressLists") == "TRUE",
        "RecipientTypeDetails": mailboxes.NAMES.get(number, "User" if not number else str(number)),
        "RecipientType": _recipient_type(number),
        **{f"CustomAttribute{n}": found.text(f"extensionAttribute{n}") or "" for n in range(1, 16)},
    }


def _recipient_type(number: int) -> str:
    if number in mailboxes.KINDS:
        return "UserMailbox"
    if number in mailboxes.REMOTE or number == 128:
        return "MailUser"
    return mailboxes.OTHERS.get(number, "User")


def mailbox(organization: Organization, found: Found) -> Obj:
    """A mailbox on premises."""
    database = found.text("homeMDB")
    archive, link = found.values("msExchArchiveGUID"), found.text("msExchArchiveDatabaseLink")
    number = mailboxes.details(found)
    own = {
        **recipient(organization, found),
        "Database": _leaf(database),
        "ServerName": (found.text("msExchHomeServerName") or "").rpartition("=")[2].lower(),
        "ServerLegacyDN": found.text("msExchHomeServerName") or "",
        "ExchangeGuid": _guid(found, "msExchMailboxGuid"),
        "ArchiveGuid": _guid(found, "msExchArchiveGUID"),
        "ArchiveDatabase": _leaf(link),
        "ArchiveName": found.texts("msExchArchiveName"),
        "ArchiveStatus": "Active" if archive and link else "None",
        "ArchiveState": "Local" if link else "None",
        "IsMailboxEnabled": True,
        "IsShared": number == mailboxes.SHARED,
        "IsResource": number in (mailboxes.ROOM, mailboxes.EQUIPMENT),
        "ForwardingAddress": _leaf(found.text("altRecipient")),
        "LitigationHoldEnabled": bool(found.text("msExchLitigationHoldDate")),
        "ProhibitSendQuota": "Unlimited",
        "UseDatabaseQuotaDefaults": True,
    }
    return Obj((f"{_MANAGEMENT}.Mailbox", "System.Object"), own, own["Identity"], key=found.dn)


def _leaf(dn: str | None) -> str | None:
    return None if dn is None else codec.unescaped(split_dn(dn)[0].partition("=")[2])


def _guid(found: Found, name: str) -> str:
    values = found.values(name)
    return str(uuid.UUID(bytes_le=values[0])) if values else str(uuid.UUID(int=0))


def named(organization: Organization, found: Found, identity: str) -> bool:
    """Whether a recipient goes by an identity."""
    wanted = identity.lower()
    own = (
        found.name,
        found.dn,
        found.guid,
        found.text("displayName") or "",
        found.text("mailNickname") or "",
        found.text("userPrincipalName") or "",
        found.text("sAMAccountName") or "",
        f"{organization.forest.netbios}\\{found.text('sAMAccountName')}",
        found.text("legacyExchangeDN") or "",
        canonical(organization, found.dn),
        _guid(found, "msExchMailboxGuid"),
        *(one.partition(":")[2] for one in found.texts("proxyAddresses")),
    )
    return wanted in (one.lower() for one in own if one)


def put_out(call: Call, hits: list[Found], make: Callable[[Organization, Found], Obj]) -> None:
    """Write what a Get- cmdlet found, by its identities and up to its limit."""
    work = calls.work(call)
    if call.get("Filter"):
        raise errors.not_here(call.cmdlet.name, "with -Filter")
    unit = call.get("OrganizationalUnit")
    if unit:
        place = canonical_dn(str(unit)) if "=" in str(unit) else ()
        hits = [one for one in hits if place and canonical_dn(one.dn)[-len(place) :] == place]
    kinds = [str(one).lower() for one in call.many("RecipientTypeDetails")]
    if kinds:
        hits = [one for one in hits if mailboxes.NAMES.get(mailboxes.details(one), "User").lower() in kinds]
    wanted = calls.identities(call)
    if wanted:
        chosen = []
        for identity in wanted:
            found = [one for one in hits if named(work.organization, one, identity)]
            if not found:
                call.error(errors.not_found(identity, work.organization.controller))
            chosen += found
        hits = chosen
    for found in calls.limited(call, hits):
        call.write(make(work.organization, found))


def of_switch(call: Call) -> Wanted:
    """Which mailboxes the switches of a call mean; without any, those that people use."""
    for switch, number in (
        ("Arbitration", system.ARBITRATION),
        ("AuditLog", system.AUDIT_LOG),
        ("Monitoring", system.MONITORING),
        ("PublicFolder", system.PUBLIC_FOLDER),
    ):
        if call.get(switch):
            return lambda found, number=number: mailboxes.details(found) == number  # type: ignore[misc]  # a type of a lambda with a default cannot be stated
    if call.get("AuxAuditLog") or call.get("SupervisoryReviewPolicy") or call.get("GroupMailbox"):
        return lambda found: False
    if call.get("Migration"):
        return lambda found: found.name.startswith("Migration.")
    if call.get("Archive"):
        return lambda found: bool(found.text("msExchArchiveDatabaseLink"))
    return lambda found: mailboxes.details(found) in mailboxes.DEFAULT


def get_mailbox(call: Call) -> None:
    """Get-Mailbox: on premises; each kind of system mailbox only with its switch."""
    work = calls.work(call)
    wanted = of_switch(call)
    hits = [one for one in mailboxes.on_premises(work.organization) if wanted(one)]
    if call.get("Archive"):
        known = {one.dn for one in hits}
        hits += [one for one in mailboxes.archives(work.organization) if one.dn not in known]
    if call.get("Database") is not None:
        database = _database(call, str(call.get("Database")))
        link = mailboxes.archived_in if call.get("Archive") else mailboxes.in_database
        hits = [one for one in hits if link(one, database)]
    if call.get("Server") is not None:
        server = calls.server_name(work.organization, str(call.get("Server")))
        own = {
            canonical_dn(one.dn)
            for one in work.organization.databases()
            if _leaf(one.text("msExchOwningServer")) == server
        }
        hits = [one for one in hits if canonical_dn(one.text("homeMDB") or "CN=") in own]
    put_out(call, hits, mailbox)


def _database(call: Call, identity: str) -> Found:
    work = calls.work(call)
    for found in work.organization.databases():
        if identity.lower() in (found.name.lower(), found.dn.lower(), found.guid):
            return found
    raise errors.not_found(identity, work.organization.controller)


def _listing(condition: str, type_name: str, extra: Callable[[Organization, Found], dict[str, Any]]) -> Implementation:
    def make(organization: Organization, found: Found) -> Obj:
        own = {**recipient(organization, found), **extra(organization, found)}
        return Obj((f"{_MANAGEMENT}.{type_name}", "System.Object"), own, str(own["Identity"]), key=found.dn)

    def run(call: Call) -> None:
        work = calls.work(call)
        hits = work.organization.directory.search(work.organization.forest.base_dn, condition)
        put_out(call, sorted(hits, key=lambda one: one.name.lower()), make)

    return run


def _remote(_organization: Organization, found: Found) -> dict[str, Any]:
    number = found.number("msExchRemoteRecipientType")
    return {
        "RemoteRoutingAddress": found.text("targetAddress") or "",
        "RemoteRecipientType": str(number),
        "ExchangeGuid": _guid(found, "msExchMailboxGuid"),
        "ArchiveGuid": _guid(found, "msExchArchiveGUID"),
        "OnPremisesOrganizationalUnit": "",
        "IsDirSynced": False,
    }


def _external(_organization: Organization, found: Found) -> dict[str, Any]:
    return {"ExternalEmailAddress": found.text("targetAddress") or "", "IsDirSynced": False}


def _group(_organization: Organization, found: Found) -> dict[str, Any]:
    return {
        "ExpansionServer": found.text("msExchExpansionServerName") or "",
        "IsDirSynced": False,
        "GroupType": "Universal",
    }


def _plain(_organization: Organization, found: Found) -> dict[str, Any]:
    return {"FirstName": found.text("givenName") or "", "LastName": found.text("sn") or "", "IsDirSynced": False}


_REMOTE_TYPES = "".join(f"(msExchRecipientTypeDetails={one})" for one in mailboxes.REMOTE)
CMDLETS: dict[str, Implementation] = {
    "Get-Mailbox": get_mailbox,
    "Get-RemoteMailbox": _listing(f"(&(objectClass=user)(|{_REMOTE_TYPES}))", "RemoteMailbox", _remote),
    "Get-MailUser": _listing("(&(objectClass=user)(msExchRecipientTypeDetails=128))", "MailUser", _external),
    "Get-MailContact": _listing("(&(objectClass=contact)(msExchRecipientTypeDetails=64))", "MailContact", _external),
    "Get-DistributionGroup": _listing(
        "(&(objectClass=group)(|(msExchRecipientTypeDetails=256)(msExchRecipientTypeDetails=1024)))",
        "DistributionGroup",
        _group,
    ),
    "Get-User": _listing("(&(objectClass=user)(objectCategory=person))", "User", _plain),
    "Get-Recipient": _listing("(&(msExchRecipientTypeDetails=*)(mailNickname=*))", "ReducedRecipient", _plain),
}
