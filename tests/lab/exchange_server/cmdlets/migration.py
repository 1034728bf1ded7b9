# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves and migrations, public folders, and what mailboxes hold: kept by the lab, outside the directory."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import calls, errors
from tests.lab.exchange_server.cmdlets.recipients import named
from tests.lab.exchange_server.mailboxes import on_premises
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.items import when
from tests.lab.windows.values import Obj, uint32

Document = dict[str, Any]
_MOVE = ("Microsoft.Exchange.Management.RecipientTasks.MoveRequest", "System.Object")
_BATCH = ("Microsoft.Exchange.Data.Storage.Management.MigrationBatch", "System.Object")
_FOLDER = ("Microsoft.Exchange.Data.Storage.Management.PublicFolder", "System.Object")
_STATISTICS = ("Microsoft.Exchange.Management.MapiTasks.Presentation.MailboxStatistics", "System.Object")
_FINAL = ("Completed", "CompletedWithErrors", "Stopped", "Failed", "Corrupted", "Created")


def move_object(one: Document) -> Obj:
    """A move request."""
    own = {
        "Identity": one["identity"],
        "DisplayName": one["name"],
        "Alias": one["name"].replace(" ", ""),
        "Status": one["status"],
        "BatchName": one["batch"],
        "SourceDatabase": one["source"],
        "TargetDatabase": one["target"],
        "Flags": "IntraOrg, Pull",
        "Direction": "Pull",
        "RequestStyle": "IntraOrg",
        "Suspend": False,
        "WhenCreated": when(one["queued"]),
        "WhenChanged": when(one["queued"]),
        "IsValid": True,
    }
    return Obj(_MOVE, own, one["identity"])


def _fits(one: Document, wanted: list[str]) -> bool:
    return not wanted or bool({one["identity"].lower(), one["name"].lower()} & {each.lower() for each in wanted})


def get_move_request(call: Call) -> None:
    """Get-MoveRequest."""
    work = calls.work(call)
    with work.exchange.state(work.tenant) as state:
        moves = [dict(one) for one in state["moves"]]
    wanted = calls.identities(call)
    status, batch = call.get("MoveStatus"), call.get("BatchName")
    hits = [
        one
        for one in moves
        if _fits(one, wanted)
        and (status is None or str(status).lower() == one["status"].lower())
        and (batch is None or str(batch).lower() == one["batch"].lower())
    ]
    if wanted and not hits:
        raise errors.not_found(wanted[0], work.organization.controller)
    for one in calls.limited(call, hits):
        call.write(move_object(one))


def remove_move_request(call: Call) -> None:
    """Remove-MoveRequest."""
    work = calls.work(call)
    wanted = calls.identities(call)
    with work.exchange.state(work.tenant) as state:
        hits = [one for one in state["moves"] if wanted and _fits(one, wanted)]
        if not hits:
            raise errors.not_found(wanted[0] if wanted else "", work.organization.controller)
        if not call.what_if:
            state["moves"] = [one for one in state["moves"] if one not in hits]
            state["removed"] += [{"cmdlet": call.cmdlet.name, "identity": one["identity"]} for one in hits]


def get_migration_batch(call: Call) -> None:
    """Get-MigrationBatch."""
    work = calls.work(call)
    wanted = [one.lower() for one in calls.identities(call)]
    with work.exchange.state(work.tenant) as state:
        batches = [dict(one) for one in state["batches"]]
    hits = [one for one in batches if not wanted or one["name"].lower() in wanted]
    if wanted and not hits:
        raise errors.not_found(wanted[0], work.organization.controller)
    for one in hits:
        own = {
            "Identity": one["name"],
            "Id": one["name"],
            "BatchGuid": one["guid"],
            "Status": one["status"],
            "State": "Completed" if one["status"] in _FINAL else "Active",
            "MigrationType": "ExchangeLocalMove",
            "BatchDirection": "Local",
            "TotalCount": one["count"],
            "ActiveCount": 0 if one["status"] in _FINAL else one["count"],
            "CreationDateTime": when(one["created"]),
            "IsValid": True,
        }
        call.write(Obj(_BATCH, own, one["name"]))


def _batch(call: Call, deed: str) -> None:
    work = calls.work(call)
    wanted = [one.lower() for one in calls.identities(call)]
    with work.exchange.state(work.tenant) as state:
        hits = [one for one in state["batches"] if one["name"].lower() in wanted]
        if not hits:
            raise errors.not_found(wanted[0] if wanted else "", work.organization.controller)
        for one in hits:
            if deed == "remove" and one["status"] not in _FINAL and not call.get("Force"):
                raise errors.refused(
                    f"The migration batch '{one['name']}' can't be removed while its status is {one['status']}. Stop "
                    "it with Stop-MigrationBatch first.",
                    one["name"],
                )
            if call.what_if:
                continue
            if deed == "stop":
                one["status"] = "Stopped"
            else:
                state["batches"] = [each for each in state["batches"] if each is not one]
                state["removed"].append({"cmdlet": call.cmdlet.name, "identity": one["name"]})


def stop_migration_batch(call: Call) -> None:
    """Stop-MigrationBatch."""
    _batch(call, "stop")


def remove_migration_batch(call: Call) -> None:
    """Remove-MigrationBatch: one that does not run."""
    _batch(call, "remove")


def none(call: Call) -> None:
    """There are none on premises."""
    wanted = calls.identities(call)
    if wanted:
        raise errors.not_found(wanted[0], calls.work(call).organization.controller)


def get_public_folder(call: Call) -> None:
    """Get-PublicFolder: the root and what lies in it; without any the scenario says what happens."""
    work = calls.work(call)
    with work.exchange.state(work.tenant) as state:
        folders = list(state["publicFolders"])
    if not folders:
        if call.estate.scenario["no_public_folders"] == "error":
            raise errors.failure(
                "No active public folder mailboxes were found. This happens when no public folder mailboxes are "
                "provisioned or they are provisioned in 'HoldForMigration' mode. If you're not currently performing a "
                "migration, create a public folder mailbox.",
                "ObjectNotFoundException",
                "ResourceUnavailable",
            )
        return
    whole = call.get("Recurse") or call.get("GetChildren")
    identity = str(call.get("Identity") or "\\")
    rows = (
        ["\\", *folders] if whole or identity == "\\" else [one for one in folders if one.lower() == identity.lower()]
    )
    for path in rows if whole else rows[:1]:
        name = path.rpartition("\\")[2] or "IPM_SUBTREE"
        own = {
            "Identity": path,
            "Name": name,
            "ParentPath": "\\" if name in path else "",
            "MailEnabled": False,
            "HasSubfolders": path == "\\",
            "ContentMailboxName": "PFMailbox",
            "IsValid": True,
        }
        call.write(Obj(_FOLDER, own, path))


def get_mailbox_statistics(call: Call) -> None:
    """Get-MailboxStatistics: every mailbox holds a little."""
    work = calls.work(call)
    hits = on_premises(work.organization)
    wanted = calls.identities(call)
    if wanted:
        hits = [one for one in hits if any(named(work.organization, one, each) for each in wanted)]
        if not hits:
            raise errors.not_found(wanted[0], work.organization.controller)
    database = str(call.get("Database") or "").lower()
    for found in hits:
        held_in = (found.text("homeMDB") or "").partition(",")[0].partition("=")[2]
        if database and held_in.lower() != database:
            continue
        own: dict[str, Any] = {
            "DisplayName": found.text("displayName") or found.name,
            "MailboxGuid": found.guid,
            "ItemCount": uint32(412),
            "TotalItemSize": "38.2 MB (40,055,603 bytes)",
            "Database": held_in,
            "DatabaseName": held_in,
            "LastLogonTime": call.estate.now(),
            "IsArchiveMailbox": False,
        }
        call.write(Obj(_STATISTICS, own, own["DisplayName"]))


CMDLETS: dict[str, Implementation] = {
    "Get-MoveRequest": get_move_request,
    "Remove-MoveRequest": remove_move_request,
    "Get-MigrationBatch": get_migration_batch,
    "Stop-MigrationBatch": stop_migration_batch,
    "Remove-MigrationBatch": remove_migration_batch,
    "Get-MigrationUser": none,
    "Get-MigrationEndpoint": none,
    "Get-PublicFolderMoveRequest": none,
    "Get-PublicFolder": get_public_folder,
    "Get-MailboxStatistics": get_mailbox_statistics,
}
