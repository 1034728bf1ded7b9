# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to mailboxes: disabled, enabled, removed, moved between databases."""

from __future__ import annotations

import uuid

from tests.lab.clock import iso
from tests.lab.exchange_server import calls, errors, mailboxes
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.cmdlets.migration import move_object
from tests.lab.exchange_server.cmdlets.recipients import canonical, named, recipient
from tests.lab.exchange_server.directory import Found
from tests.lab.forest import system_mailboxes as system
from tests.lab.forest.entries import raw, split_dn
from tests.lab.forest.recipients import VERSION_2013, home_server, legacy_dn
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Obj

_ARCHIVE = ("msExchArchiveGUID", "msExchArchiveName", "msExchArchiveDatabaseLink", "msExchArchiveStatus")


def _chosen(work: Work, identity: str, hits: list[Found]) -> Found:
    found = [one for one in hits if named(work.organization, one, identity)]
    if not found:
        raise errors.not_found(identity, work.organization.controller)
    if len(found) > 1:
        raise errors.ambiguous(identity)
    return found[0]


def _meant(call: Call, number: int) -> bool:
    """Whether the switches of a call mean mailboxes of this kind."""
    if call.get("Arbitration"):
        return number == system.ARBITRATION
    if call.get("PublicFolder"):
        return number == system.PUBLIC_FOLDER
    return number not in (system.ARBITRATION, system.PUBLIC_FOLDER)


def _check_arbitration(work: Work, found: Found) -> None:
    call, all_mailboxes = work.call, mailboxes.on_premises(work.organization)
    others = [one for one in all_mailboxes if mailboxes.details(one) == system.ARBITRATION and one.dn != found.dn]
    verb = (
        "RemoveLastArbitrationMailboxAllowed"
        if call.cmdlet.name == "Remove-Mailbox"
        else ("DisableLastArbitrationMailboxAllowed")
    )
    if not others and not call.get(verb):
        raise errors.refused(
            f"Can't disable or remove the arbitration mailbox '{found.name}' because it's the last arbitration mailbox "
            f"in your organization. To do it nevertheless, use the {verb} parameter.",
            found.name,
        )
    books = work.organization.below(work.organization.places.address_books, "msExchOAB")
    linked = [
        one.name for one in books if (one.text("msExchOABGeneratingMailboxLink") or "").lower() == found.dn.lower()
    ]
    allowed = call.get("DisableArbitrationMailboxWithOABsAllowed") or call.get(
        "RemoveArbitrationMailboxWithOABsAllowed"
    )
    if linked and not allowed:
        raise errors.refused(
            f"Can't disable or remove the arbitration mailbox '{found.name}' because it generates the offline address "
            f"book '{linked[0]}'. Move the generation to another mailbox, or use the "
            "DisableArbitrationMailboxWithOABsAllowed parameter.",
            found.name,
        )


def disable_mailbox(call: Call) -> None:
    """Disable-Mailbox: the user stays, without anything of Exchange's; with -Archive only the archive goes."""
    work = calls.work(call)
    for identity in calls.identities(call):
        try:
            _disable(work, identity)
        except CmdletError as error:
            call.error(error)


def _disable(work: Work, identity: str) -> None:
    call, organization = work.call, work.organization
    if call.get("Archive") or call.get("RemoteArchive"):
        found = _chosen(work, identity, mailboxes.archives(organization) + mailboxes.on_premises(organization))
        if not found.values("msExchArchiveGUID"):
            raise errors.refused(f"The user '{found.name}' doesn't have an archive.", found.name)
        if not call.what_if:
            organization.directory.modify(found.dn, {name: None for name in _ARCHIVE if found.values(name)})
            work.done(f"{call.cmdlet.name} -Archive", found.name)
        return
    hits = [one for one in mailboxes.on_premises(organization) if _meant(call, mailboxes.details(one))]
    found = _chosen(work, identity, hits)
    if call.get("Arbitration"):
        _check_arbitration(work, found)
    if not call.what_if:
        mailboxes.strip(organization, found)
        work.done(call.cmdlet.name, found.name)


def remove_mailbox(call: Call) -> None:
    """Remove-Mailbox: the user account goes with it."""
    work = calls.work(call)
    for identity in calls.identities(call):
        try:
            hits = [one for one in mailboxes.on_premises(work.organization) if _meant(call, mailboxes.details(one))]
            found = _chosen(work, identity, hits)
            if call.get("Arbitration"):
                _check_arbitration(work, found)
            if not call.what_if:
                work.organization.directory.delete(found.dn, tree=True)
                work.done(call.cmdlet.name, found.name)
        except CmdletError as error:
            call.error(error)


def enable_mailbox(call: Call) -> None:
    """Enable-Mailbox -Arbitration, -AuditLog or -Discovery: a system mailbox for a user that lost it."""
    work, number = calls.work(call), 0
    for switch, kind in (
        ("Arbitration", system.ARBITRATION),
        ("AuditLog", system.AUDIT_LOG),
        ("Discovery", system.DISCOVERY),
    ):
        number = kind if call.get(switch) else number
    if not number:
        raise errors.not_here("Enable-Mailbox", "without -Arbitration, -AuditLog or -Discovery")
    organization = work.organization
    databases = organization.databases()
    if not databases:
        raise errors.refused("There is no mailbox database.")
    wanted = str(call.get("Database") or databases[0].name).lower()
    database = next((one for one in databases if wanted in (one.name.lower(), one.dn.lower(), one.guid)), None)
    if database is None:
        raise errors.not_found(call.get("Database"), organization.controller)
    users = organization.directory.search(organization.forest.base_dn, "(&(objectClass=user)(!(homeMDB=*)))")
    for identity in calls.identities(call):
        found = _chosen(work, identity, users)
        alias = found.name.replace(" ", "")
        address = f"{alias}@{organization.forest.domain}"
        server = split_dn(database.text("msExchOwningServer") or "CN=,")[0].partition("=")[2]
        values = {
            "homeMDB": [database.dn.encode()],
            "msExchHomeServerName": [home_server(organization.forest, server).encode()],
            "msExchMailboxGuid": [uuid.uuid4().bytes_le],
            "msExchRecipientTypeDetails": [raw(number)],
            "msExchVersion": [raw(VERSION_2013)],
            "mailNickname": [alias.encode()],
            "mail": [address.encode()],
            "proxyAddresses": [f"SMTP:{address}".encode()],
            "legacyExchangeDN": [legacy_dn(organization.forest, alias).encode()],
        }
        if not call.what_if:
            organization.directory.modify(found.dn, values)
        made = organization.directory.get(found.dn)
        if made is not None:
            own = recipient(organization, made)
            call.write(
                Obj(("Microsoft.Exchange.Data.Directory.Management.Mailbox", "System.Object"), own, own["Identity"])
            )


def _remote(call: Call, deed: str) -> None:
    work = calls.work(call)
    condition = "".join(f"(msExchRecipientTypeDetails={one})" for one in mailboxes.REMOTE)
    hits = work.organization.directory.search(work.organization.forest.base_dn, f"(|{condition})")
    for identity in calls.identities(call):
        try:
            found = _chosen(work, identity, hits)
        except CmdletError as error:
            call.error(error)
            continue
        if call.what_if:
            continue
        if deed == "remove":
            work.organization.directory.delete(found.dn, tree=True)
        else:
            mailboxes.strip(work.organization, found)
        work.done(call.cmdlet.name, found.name)


def disable_remote_mailbox(call: Call) -> None:
    """Disable-RemoteMailbox: takes from the user what keeps the mailbox in the cloud."""
    _remote(call, "strip")


def remove_remote_mailbox(call: Call) -> None:
    """Remove-RemoteMailbox: the user account goes."""
    _remote(call, "remove")


def new_move_request(call: Call) -> None:
    """New-MoveRequest to another database of the organisation; it is through at once."""
    work = calls.work(call)
    if call.get("Remote") or call.get("Outbound") or call.get("RemoteLegacy"):
        raise errors.not_here(
            "New-MoveRequest", "to another organization: python -m tests.lab exchange --ready moves them"
        )
    organization = work.organization
    wanted = str(call.get("TargetDatabase") or "").lower()
    target = next(
        (one for one in organization.databases() if wanted in (one.name.lower(), one.dn.lower(), one.guid)), None
    )
    if target is None:
        raise errors.not_found(call.get("TargetDatabase"), organization.controller)
    server = split_dn(target.text("msExchOwningServer") or "CN=,")[0].partition("=")[2]
    for identity in calls.identities(call):
        found = _chosen(work, identity, mailboxes.on_premises(organization))
        if mailboxes.in_database(found, target):
            raise errors.refused(f"Mailbox '{found.name}' is already in database '{target.name}'.", found.name)
        if call.what_if:
            continue
        source = split_dn(found.text("homeMDB") or "CN=,")[0].partition("=")[2]
        organization.directory.modify(
            found.dn,
            {
                "homeMDB": [target.dn.encode()],
                "msExchHomeServerName": [home_server(organization.forest, server).encode()],
            },
        )
        move = {
            "identity": canonical(organization, found.dn),
            "name": found.text("displayName") or found.name,
            "status": "Completed",
            "source": source,
            "target": target.name,
            "batch": str(call.get("BatchName") or ""),
            "queued": iso(call.estate.now()),
        }
        with work.exchange.state(work.tenant) as state:
            state["moves"].append(move)
        call.write(move_object(move))


CMDLETS: dict[str, Implementation] = {
    "Disable-Mailbox": disable_mailbox,
    "Remove-Mailbox": remove_mailbox,
    "Enable-Mailbox": enable_mailbox,
    "Disable-RemoteMailbox": disable_remote_mailbox,
    "Remove-RemoteMailbox": remove_remote_mailbox,
    "New-MoveRequest": new_move_request,
}
