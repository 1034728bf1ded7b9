# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in databases, and who holds them."""

from __future__ import annotations

from tests.lab.exchange_server import codec, mailboxes
from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest import system_mailboxes as system
from tests.lab.forest.entries import canonical_dn, split_dn

_LOST = (system.MONITORING,)  # what a database holds and does not protect: it is made anew elsewhere
NOT_EMPTY = (
    "This mailbox database contains one or more mailboxes, mailbox plans, archive mailboxes, public folder mailboxes "
    "or arbitration mailboxes. To get a list of all mailboxes in this database, run the command Get-Mailbox -Database "
    "<Database ID>. To get a list of all mailbox plans in this database, run the command Get-MailboxPlan. To get a "
    "list of archive mailboxes in this database, run the command Get-Mailbox -Database <Database ID> -Archive. To get "
    "a list of all public folder mailboxes in this database, run the command Get-Mailbox -Database <Database ID> "
    "-PublicFolder. To get a list of all arbitration mailboxes in this database, run the command Get-Mailbox -Database "
    "<Database ID> -Arbitration. To disable a non-arbitration mailbox so that you can delete the mailbox database, run "
    "the command Disable-Mailbox <Mailbox ID>. To disable an archive mailbox so you can delete the mailbox database, "
    "run the command Disable-Mailbox <Mailbox ID> -Archive. To disable a public folder mailbox so that you can delete "
    "the mailbox database, run the command Disable-Mailbox <Mailbox ID> -PublicFolder. Arbitration mailboxes should be "
    "moved to another server; to do this, run the command New-MoveRequest <parameters>. If this is the last server in "
    "the organization, run the command Disable-Mailbox <Mailbox ID> -Arbitration -DisableLastArbitrationMailboxAllowed "
    "to disable the arbitration mailbox."
)


def leaf(dn: str | None) -> str:
    """The name that a DN begins with."""
    return codec.unescaped(split_dn(dn)[0].partition("=")[2]) if dn else ""


def contents(organization: Organization, database: Found) -> list[Found]:
    """What keeps a database from being removed: mailboxes of every kind but health mailboxes, and archives."""
    held = [
        one
        for one in mailboxes.on_premises(organization)
        if mailboxes.in_database(one, database) and mailboxes.details(one) not in _LOST
    ]
    return held + [one for one in mailboxes.archives(organization) if mailboxes.archived_in(one, database)]


def copies_of(organization: Organization, database: Found) -> list[Found]:
    """The copies of a database, the preferred one first."""
    own = canonical_dn(database.dn)
    hits = [one for one in organization.copies() if canonical_dn(split_dn(one.dn)[1]) == own]
    return sorted(hits, key=lambda one: one.number("msExchActivationPreference"))


def members(organization: Organization, group: Found) -> list[Found]:
    """The servers of an availability group."""
    own = canonical_dn(group.dn)
    servers = organization.servers()
    return [one for one in servers if canonical_dn(one.text("msExchMDBAvailabilityGroupLink") or "CN=") == own]


def owned(organization: Organization, server: str) -> list[Found]:
    """The databases that a server has mounted."""
    return [one for one in organization.databases() if leaf(one.text("msExchOwningServer")).lower() == server.lower()]
