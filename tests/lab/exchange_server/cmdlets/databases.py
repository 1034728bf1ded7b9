# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailbox databases, their copies, and availability groups."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import calls, errors
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.databases import NOT_EMPTY, contents, copies_of, leaf, members
from tests.lab.exchange_server.directory import Found
from tests.lab.windows import places
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Obj

_CONFIGURATION = "Microsoft.Exchange.Data.Directory.SystemConfiguration"


def _database(work: Work, identity: str) -> Found:
    for found in work.organization.databases():
        if identity.lower() in (found.name.lower(), found.dn.lower(), found.guid):
            return found
    raise errors.not_found(identity, work.organization.controller)


def _of_server(work: Work, databases: list[Found]) -> list[Found]:
    if work.call.get("Server") is None:
        return databases
    server = calls.server_name(work.organization, str(work.call.get("Server")))
    return [
        one
        for one in databases
        if server in (leaf(copy.text("msExchHostServerLink")) for copy in copies_of(work.organization, one))
    ]


def get_mailbox_database(call: Call) -> None:
    """Get-MailboxDatabase."""
    work = calls.work(call)
    wanted = calls.identities(call)
    found_ones = [_database(work, one) for one in wanted] if wanted else work.organization.databases()
    for found in _of_server(work, found_ones):
        copies = copies_of(work.organization, found)
        owner = leaf(found.text("msExchOwningServer"))
        holders = [leaf(one.text("msExchHostServerLink")) for one in copies]
        values: dict[str, Any] = {
            "Server": owner,
            "ServerName": owner,
            "Servers": holders,
            "MasterServerOrAvailabilityGroup": leaf(found.text("msExchMasterServerOrAvailabilityGroup")),
            "MasterType": "DatabaseAvailabilityGroup",
            "ReplicationType": "Remote" if len(copies) > 1 else "None",
            "DatabaseCopies": [f"{found.name}\\{one}" for one in holders],
            "ActivationPreference": [f"[{one}, {at}]" for at, one in enumerate(holders, start=1)],
            "EdbFilePath": found.text("msExchEDBFile") or "",
            "Recovery": False,
            "MountAtStartup": True,
            "Mounted": _up(work, owner) if call.get("Status") else None,
            "PublicFolderDatabase": None,
            "OfflineAddressBook": None,
            "AdminDisplayVersion": "Version 15.2 (Build 31544.4)",
        }
        properties = {**calls.common(work.organization, found), **values}
        call.write(Obj((f"{_CONFIGURATION}.MailboxDatabase", "System.Object"), properties, found.name, key=found.dn))


def _up(work: Work, server: str) -> bool:
    for host in work.call.estate.hosts:
        if host.exchange and host.tenant == work.tenant and host.computer == server.upper():
            return places.EXCHANGE_PORT in work.call.estate.open_ports(host)
    return False


def get_mailbox_database_copy_status(call: Call) -> None:
    """Get-MailboxDatabaseCopyStatus."""
    work = calls.work(call)
    wanted = [one.lower() for one in calls.identities(call)]
    server = str(call.get("Server")).upper() if call.get("Server") else None
    for database in work.organization.databases():
        for copy in copies_of(work.organization, database):
            holder = leaf(copy.text("msExchHostServerLink"))
            name = f"{database.name}\\{holder}"
            if (wanted and not {name.lower(), database.name.lower()} & set(wanted)) or (server and holder != server):
                continue
            active = holder == leaf(database.text("msExchOwningServer"))
            status = "ServiceDown" if not _up(work, holder) else "Mounted" if active else "Healthy"
            own = {
                "Identity": name,
                "Id": name,
                "Name": name,
                "DatabaseName": database.name,
                "MailboxServer": holder,
                "Status": status,
                "ActiveCopy": active,
                "ActiveDatabaseCopy": leaf(database.text("msExchOwningServer")),
                "ActivationPreference": copy.number("msExchActivationPreference", 1),
                "CopyQueueLength": 0,
                "ReplayQueueLength": 0,
                "ContentIndexState": "NotApplicable",
            }
            call.write(
                Obj(
                    ("Microsoft.Exchange.Management.SystemConfigurationTasks.DatabaseCopyStatusEntry", "System.Object"),
                    own,
                    name,
                    key=copy.dn,
                )
            )


def remove_mailbox_database(call: Call) -> None:
    """Remove-MailboxDatabase: not while anything lies in it, nor while it has another copy."""
    work = calls.work(call)
    for identity in calls.identities(call):
        try:
            found = _database(work, identity)
            if contents(work.organization, found):
                raise errors.failure(NOT_EMPTY, "AssociatedUserMailboxExistException", "InvalidOperation", found.name)
            if len(copies_of(work.organization, found)) > 1:
                raise errors.refused(
                    f"The database '{found.name}' has more than one copy. Remove the other copies with "
                    "Remove-MailboxDatabaseCopy first.",
                    found.name,
                )
            if not call.what_if:
                work.organization.directory.delete(found.dn, tree=True)
                work.done(call.cmdlet.name, found.name)
                path = found.text("msExchEDBFile")
                call.warning(
                    f"The specified database has been removed. You must remove the database file located in {path} "
                    "from your computer manually if it exists."
                )
        except CmdletError as error:
            call.error(error)


def remove_mailbox_database_copy(call: Call) -> None:
    """Remove-MailboxDatabaseCopy: a passive one."""
    work = calls.work(call)
    for identity in calls.identities(call):
        try:
            name, _bar, server = identity.partition("\\")
            database = _database(work, name)
            copies = copies_of(work.organization, database)
            copy = next(
                (
                    one
                    for one in copies
                    if leaf(one.text("msExchHostServerLink")).lower() == server.partition(".")[0].lower()
                ),
                None,
            )
            if copy is None:
                raise errors.not_found(identity, work.organization.controller)
            if leaf(copy.text("msExchHostServerLink")) == leaf(database.text("msExchOwningServer")):
                raise errors.refused(
                    f"The copy of database '{database.name}' on server '{server}' is the active one, and can't be "
                    "removed: activate another copy, or remove the database.",
                    identity,
                )
            if not call.what_if:
                work.organization.directory.delete(copy.dn)
                work.done(call.cmdlet.name, identity)
        except CmdletError as error:
            call.error(error)


# -- availability groups -------------------------------------------------------------------------------------------


def _groups(work: Work) -> list[Found]:
    return work.organization.below(work.organization.places.availability_groups, "msExchMDBAvailabilityGroup")


def _group(work: Work, identity: str) -> Found:
    for found in _groups(work):
        if identity.lower() in (found.name.lower(), found.dn.lower(), found.guid):
            return found
    raise errors.not_found(identity, work.organization.controller)


def get_database_availability_group(call: Call) -> None:
    """Get-DatabaseAvailabilityGroup."""
    work = calls.work(call)
    wanted = calls.identities(call)
    for found in [_group(work, one) for one in wanted] if wanted else _groups(work):
        names = [one.name for one in members(work.organization, found)]
        values: dict[str, Any] = {
            "Servers": names,
            "WitnessServer": found.text("msExchFileShareWitness") or "",
            "WitnessDirectory": found.text("msExchFileShareWitnessDirectory") or "",
            "DatacenterActivationMode": "Off",
            "OperationalServers": names if call.get("Status") else None,
            "PrimaryActiveManager": names[0] if names and call.get("Status") else None,
        }
        properties = {**calls.common(work.organization, found), **values}
        call.write(
            Obj((f"{_CONFIGURATION}.DatabaseAvailabilityGroup", "System.Object"), properties, found.name, key=found.dn)
        )


def remove_database_availability_group_server(call: Call) -> None:
    """Remove-DatabaseAvailabilityGroupServer: not while the server holds a copy of a replicated database."""
    work = calls.work(call)
    group = _group(work, str(call.get("Identity")))
    name = calls.server_name(work.organization, str(call.get("MailboxServer")))
    server = next((one for one in members(work.organization, group) if one.name == name), None)
    if server is None:
        raise errors.refused(f"Server '{name}' isn't a member of database availability group '{group.name}'.", name)
    for database in work.organization.databases():
        holders = [leaf(one.text("msExchHostServerLink")) for one in copies_of(work.organization, database)]
        if name in holders and len(holders) > 1:
            raise errors.refused(
                f"Server '{name}' can't be removed from database availability group '{group.name}' because it has a "
                f"copy of the replicated database '{database.name}'. Remove the copy with Remove-MailboxDatabaseCopy.",
                name,
            )
    if not call.what_if:
        work.organization.directory.modify(server.dn, {"msExchMDBAvailabilityGroupLink": None})
        for database in work.organization.databases():
            if leaf(database.text("msExchOwningServer")) == name:
                change = {"msExchMasterServerOrAvailabilityGroup": [server.dn.encode()]}
                work.organization.directory.modify(database.dn, change)
        work.done(call.cmdlet.name, f"{group.name} {name}")


def remove_database_availability_group(call: Call) -> None:
    """Remove-DatabaseAvailabilityGroup: an empty one."""
    work = calls.work(call)
    for identity in calls.identities(call):
        try:
            group = _group(work, identity)
            left = members(work.organization, group)
            if left:
                raise errors.refused(
                    f"The database availability group '{group.name}' can't be removed because it has members: "
                    f"{', '.join(one.name for one in left)}.",
                    group.name,
                )
            if not call.what_if:
                work.organization.directory.delete(group.dn, tree=True)
                work.done(call.cmdlet.name, group.name)
        except CmdletError as error:
            call.error(error)


CMDLETS: dict[str, Implementation] = {
    "Get-MailboxDatabase": get_mailbox_database,
    "Get-MailboxDatabaseCopyStatus": get_mailbox_database_copy_status,
    "Remove-MailboxDatabase": remove_mailbox_database,
    "Remove-MailboxDatabaseCopy": remove_mailbox_database_copy,
    "Get-DatabaseAvailabilityGroup": get_database_availability_group,
    "Remove-DatabaseAvailabilityGroup": remove_database_availability_group,
    "Remove-DatabaseAvailabilityGroupServer": remove_database_availability_group_server,
}
