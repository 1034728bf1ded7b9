# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What stands in Setup's way and is not this collection's to decide: each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Row,
    last_part,
    name_of,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.product import (
    EMT_GROUP,
    SYSTEM_MAILBOXES,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.read import Organization, Read, holds
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

# Statuses of move requests that are over. All others keep their databases busy.
_MOVES_OVER = frozenset({"completed", "completedwithwarning", "failed"})
# Queues that hold copies of mail that another server delivers. [inf]
_SHADOW = "shadowredundancy"


@dataclass(frozen=True)
class Blocker:
    """What blocks: an id, what it is, the objects, and what to do."""

    id: str
    what: str
    objects: tuple[str, ...]
    fix: str

    @property
    def words(self) -> str:
        """For a message."""
        return f"{self.what}: {listing(self.objects)}. {self.fix}" if self.objects else f"{self.what}. {self.fix}"


def blockers(wanted: Wanted, read: Read) -> tuple[Blocker, ...]:
    """Everything that blocks, in one go."""
    return tuple(_host(wanted, read)) + (
        tuple(_organization(wanted, read, read.organization)) if read.organization is not None else ()
    )


def _host(wanted: Wanted, read: Read) -> Iterator[Blocker]:
    machine = read.machine
    if read.management_tools:
        yield Blocker(
            "management_tools",
            "This is the last server, and the organization is on the way of the management tools",
            (f"the group {EMT_GROUP}",),
            "On that way the last server is shut down and never uninstalled. The two ways must not be mixed.",
        )
    if machine.setup is None and not machine.running:
        yield Blocker(
            "not_installed",
            f"AD has the server {wanted.server}, but Exchange is not installed on its host",
            (),
            "Recover the server with Setup /mode:RecoverServer and uninstall it then. Its object is never removed over "
            "LDAP.",
        )
    if machine.pending and not machine.running:
        yield Blocker(
            "reboot_pending",
            "A restart of the server is pending",
            machine.pending,
            "Restart the server, and run again.",
        )


def _organization(wanted: Wanted, read: Read, have: Organization) -> Iterator[Blocker]:
    going = {
        name_of(row).lower()
        for row in have.databases
        if holds(row, wanted.server)
        and (
            last_part(text(row.get("Server"))) == wanted.server.lower()
            or all(last_part(name) == wanted.server.lower() for name in texts(row.get("Servers")))
        )
    }
    yield from _mailboxes(read, have, going)
    if wanted.databases == "refuse" and going:
        yield Blocker(
            "databases",
            "Databases are on this server only, or are mounted on it",
            tuple(sorted(going)),
            "Remove them with Remove-MailboxDatabase, or set databases to remove_empty.",
        )
    if read.last:
        sources = [name_of(row) for row in have.send_connectors if _is_source(row, wanted.server)]
        if sources:
            yield Blocker(
                "send_connectors",
                "Send connectors have this server, the last one, as a source",
                tuple(sources),
                "Those of the hybrid set-up go in its clean-up; remove the others with Remove-SendConnector once "
                "nothing is sent through them.",
            )
    queued = [row for row in have.queues if _queued(row)]
    if queued:
        yield Blocker(
            "queues",
            "Queues of this server hold messages",
            tuple(f"{text(row.get('Identity'))} ({text(row.get('MessageCount'))})" for row in queued),
            "Let them drain, or see with Get-Queue why they do not.",
        )
    if have.edges:
        yield Blocker(
            "edge_subscriptions",
            "Edge servers are subscribed",
            tuple(name_of(row) for row in have.edges),
            "Remove them with Remove-EdgeSubscription, or subscribe them to a site with another server.",
        )
    if have.expansions:
        yield Blocker(
            "expansion_server",
            "Groups are expanded on this server",
            tuple(name_of(row) for row in have.expansions),
            "Set-DistributionGroup -ExpansionServer $null, or another server.",
        )
    if have.address_books and not read.last:
        yield Blocker(
            "address_books",
            "Offline address books are made on this server",
            tuple(name_of(row) for row in have.address_books),
            "Move them to another server.",
        )


def _mailboxes(read: Read, have: Organization, going: set[str]) -> Iterator[Blocker]:
    """Mailboxes in databases that go. On the last server every database goes, and system mailboxes are disabled."""

    def here(row: Row, name: str) -> bool:
        return read.last or last_part(text(row.get(name))) in going

    kinds = (
        ("mailboxes", "Mailboxes are on this server", have.mailboxes, "Database", "Move them to Exchange Online."),
        (
            "archives",
            "Archives are on this server",
            have.archives,
            "ArchiveDatabase",
            "Move them to Exchange Online, or disable them with Disable-Mailbox -Archive.",
        ),
        (
            "public_folders",
            "Public folder mailboxes are on this server",
            have.public_folders,
            "Database",
            "Migrate the public folders to Exchange Online, then remove their mailboxes.",
        ),
    )
    for identifier, what, rows, name, fix in kinds:
        found = [row for row in rows if here(row, name)]
        if found:
            yield Blocker(identifier, what, tuple(name_of(row) for row in found), fix)
    if not read.last:
        system = [
            row
            for kind in SYSTEM_MAILBOXES
            if not kind.of_database
            for row in have.system.get(kind.name, ())
            if last_part(text(row.get("Database"))) in going
        ]
        if system:
            yield Blocker(
                "system_mailboxes",
                "Exchange's own mailboxes are in databases of this server, which is not the last one",
                tuple(dict.fromkeys(name_of(row) for row in system)),
                "Uninstall the other server first, or move them to a database that stays with New-MoveRequest.",
            )
    moves = [
        row
        for row in have.moves
        if text(row.get("Status")).replace(" ", "").lower() not in _MOVES_OVER
        and (
            read.last
            or last_part(text(row.get("SourceDatabase"))) in going
            or last_part(text(row.get("TargetDatabase"))) in going
        )
    ]
    if moves:
        yield Blocker(
            "moves",
            "Move requests are under way",
            tuple(name_of(row) for row in moves),
            "Let them end, or remove them with Remove-MoveRequest.",
        )


def _is_source(row: Row, server: str) -> bool:
    return server.lower() in [last_part(name) for name in texts(row.get("SourceTransportServers"))]


def _queued(row: Row) -> bool:
    kind = text(row.get("DeliveryType")).replace(" ", "").lower()
    return kind != _SHADOW and text(row.get("MessageCount")) not in ("", "0")
