# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps Setup from taking a server away: its prerequisite analysis, one text for each thing that is in the way.

The text on mailboxes is Setup's own, as published; so are those on rights and on a pending restart. The others say the
same in the lab's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.exchange_server import rights
from tests.lab.exchange_server.databases import NOT_EMPTY, contents, copies_of, leaf, owned
from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest.entries import canonical_dn
from tests.lab.windows import paths, places

Document = dict[str, Any]
EDGE = 64  # msExchCurrentServerRoles
NO_RIGHTS = (
    "You must be a member of the 'Organization Management' role group or a member of the 'Enterprise Admins' group to "
    "continue."
)
NO_DOMAIN = "The user isn't logged on to an Active Directory domain."
REBOOT = "A reboot from a previous installation is pending. Please restart the system and then rerun Setup."
Reason = tuple[str, str]  # what it is about, and the text
_DONE = ("Completed", "CompletedWithWarning", "Failed")


@dataclass(frozen=True)
class Blocker:
    """One thing in the way: of which kind, what it is about, and Setup's text."""

    what: str
    about: str
    text: str


@dataclass(frozen=True)
class Case:
    """What the analysis looks at. ``state`` is what the organisation has outside the directory."""

    organization: Organization
    server: str
    document: Document
    state: Document
    account: str
    signed_on: bool = True

    @property
    def found(self) -> Found | None:
        """The server's object."""
        return self.organization.server(self.server)

    @property
    def last(self) -> bool:
        """Whether it is the last server that holds mailboxes."""
        others = [one for one in self.organization.servers() if one.name.lower() != self.server.lower()]
        return not [one for one in others if one.number("msExchCurrentServerRoles") != EDGE]


def _rights(case: Case) -> list[Reason]:
    if not case.signed_on:
        return [(case.account, NO_DOMAIN)]
    allowed = rights.may_uninstall(case.organization, case.account, case.last)
    return [] if allowed else [(case.account, NO_RIGHTS)]


def _reboot(case: Case) -> list[Reason]:
    registry = case.document["registry"]
    keys = (places.REBOOT_PENDING, places.REBOOT_REQUIRED)
    renames = registry.get(places.SESSION_MANAGER, {}).get("PendingFileRenameOperations")
    pending = renames or any(paths.key_of(registry, key) is not None for key in keys)
    return [(case.server, REBOOT)] if pending else []


def _mailboxes(case: Case) -> list[Reason]:
    held = {one.name: len(contents(case.organization, one)) for one in owned(case.organization, case.server)}
    return [(f"{count} in {name}", f"{NOT_EMPTY} (database: {name})") for name, count in held.items() if count]


def _copies(case: Case) -> list[Reason]:
    found = []
    for database in case.organization.databases():
        holders = [leaf(one.text("msExchHostServerLink")) for one in copies_of(case.organization, database)]
        if case.server.upper() in (one.upper() for one in holders) and len(holders) > 1:
            found.append(
                (
                    database.name,
                    f"Server {case.server} has a copy of the replicated mailbox database '{database.name}'. Remove the "
                    "copy with Remove-MailboxDatabaseCopy, then run Setup again.",
                )
            )
    return found


def _group(case: Case) -> list[Reason]:
    group = case.found.text("msExchMDBAvailabilityGroupLink") if case.found is not None else None
    if group is None:
        return []
    return [
        (
            leaf(group),
            f"Server {case.server} is a member of the database availability group '{leaf(group)}'. Remove it with "
            "Remove-DatabaseAvailabilityGroupServer, then run Setup again.",
        )
    ]


def _connectors(case: Case) -> list[Reason]:
    if case.found is None:
        return []
    own = canonical_dn(case.found.dn)
    return [
        (
            one.name,
            f"Server {case.server} is a source transport server of the Send connector '{one.name}'. Move the "
            "connector to another server, or remove it, then run Setup again.",
        )
        for one in case.organization.below(case.organization.places.connections, "msExchRoutingSMTPConnector")
        if own in (canonical_dn(dn) for dn in one.texts("msExchSourceBridgeheadServersDN"))
    ]


def _edge(case: Case) -> list[Reason]:
    edges = [one.name for one in case.organization.servers() if one.number("msExchCurrentServerRoles") == EDGE]
    if not edges or not case.last:
        return []
    return [
        (
            edges[0],
            f"The Edge Transport server {edges[0]} is subscribed to the Active Directory site of server {case.server}. "
            "Remove the subscription with Remove-EdgeSubscription, then run Setup again.",
        )
    ]


def _queues(case: Case) -> list[Reason]:
    return [
        (
            f"{case.server}\\{one['name']}",
            f"There are {one['count']} messages in the queue {case.server}\\{one['name']}. Let them be delivered, or "
            "remove them, then run Setup again.",
        )
        for one in case.document["exchange"]["queues"]
        if one["count"]
    ]


def _moves(case: Case) -> list[Reason]:
    own = {one.name for one in owned(case.organization, case.server)}
    return [
        (
            one["name"],
            f"The mailbox '{one['name']}' is being moved, and its move request uses a database of server "
            f"{case.server}. Wait for it, or remove it with Remove-MoveRequest, then run Setup again.",
        )
        for one in case.state["moves"]
        if one["status"] not in _DONE and own & {one["source"], one["target"]}
    ]


def _address_books(case: Case) -> list[Reason]:
    if case.found is None:
        return []
    own = canonical_dn(case.found.dn)
    return [
        (
            one.name,
            f"Server {case.server} generates the offline address book '{one.name}'. Move the generation to another "
            "server, or remove the address book, then run Setup again.",
        )
        for one in case.organization.below(case.organization.places.address_books, "msExchOAB")
        if canonical_dn(one.text("offLineABServer") or "CN=") == own
    ]


def _expansion(case: Case) -> list[Reason]:
    hits = case.organization.directory.search(
        case.organization.forest.base_dn, "(&(objectClass=group)(msExchExpansionServerName=*))"
    )
    mark = f"/cn={case.server}".lower()
    return [
        (
            one.name,
            f"Server {case.server} is the expansion server of the group '{one.name}'. Choose another one, then run "
            "Setup again.",
        )
        for one in hits
        if (one.text("msExchExpansionServerName") or "").lower().endswith(mark)
    ]


_CHECKS: tuple[tuple[str, Callable[[Case], list[Reason]]], ...] = (
    ("rights", _rights),
    ("reboot", _reboot),
    ("mailboxes", _mailboxes),
    ("copies", _copies),
    ("availability group", _group),
    ("send connectors", _connectors),
    ("edge", _edge),
    ("queues", _queues),
    ("moves", _moves),
    ("address books", _address_books),
    ("expansion", _expansion),
)


def blockers(case: Case) -> list[Blocker]:
    """Everything in the way."""
    return [Blocker(name, about, text) for name, check in _CHECKS for about, text in check(case)]
