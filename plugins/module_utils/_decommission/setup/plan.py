# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What has to be done before Setup, and what only an operator can do: purely from what was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Row,
    identity_of,
    last_part,
    name_of,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import STEPS, Step
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.blockers import Blocker, blockers
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.product import SYSTEM_MAILBOXES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.read import (
    Organization,
    Read,
    holds,
    mailbox_key,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet


@dataclass(frozen=True)
class Action:
    """One thing to do on the way to Setup; ``cmdlet`` None is Setup itself. ``row`` is the object as it was."""

    step: Step
    identity: str
    row: Row
    cmdlet: Cmdlet | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """The actions in their order, what blocks Setup, and whether there is anything to do at all."""

    actions: tuple[Action, ...]
    blockers: tuple[Blocker, ...] = ()


def make_plan(wanted: Wanted, read: Read) -> Plan:
    """What has to be done; nothing where Exchange is gone from AD and from the host."""
    if not read.in_directory and read.machine.setup is None and not read.machine.running:
        return Plan(())
    before = tuple(_preparations(wanted, read, read.organization)) if read.organization is not None else ()
    found = blockers(wanted, read)
    setup = Action(
        STEPS["run_setup"], wanted.server, {}, None, {"installed": True, "in_directory": read.in_directory}, {}
    )
    return Plan((*before, setup), found)


def _preparations(wanted: Wanted, read: Read, have: Organization) -> Iterator[Action]:
    going, staying = databases(wanted, have)
    yield from _system_mailboxes(read, have, {name_of(row).lower() for row in going})
    if not read.last:
        yield from _send_connectors(wanted, have)
    yield from _copies(wanted, going, staying)
    yield from _groups(wanted, have)
    for row in going:
        yield _removal("remove_databases", name_of(row), row, {"Identity": identity_of(row)})


def databases(wanted: Wanted, have: Organization) -> tuple[list[Row], list[Row]]:
    """The databases that have a copy on the server: those that go with it, and those that live on elsewhere.

    A database that is mounted on the server goes, also where others have a copy: which copy takes over is a decision
    about data, and an empty database has none.
    """
    going: list[Row] = []
    staying: list[Row] = []
    for row in have.databases:
        if holds(row, wanted.server):
            others = [name for name in texts(row.get("Servers")) if last_part(name) != wanted.server.lower()]
            mounted_here = last_part(text(row.get("Server"))) == wanted.server.lower()
            (going if mounted_here or not others else staying).append(row)
    return going, staying


def _system_mailboxes(read: Read, have: Organization, going: set[str]) -> Iterator[Action]:
    """Those of the organization on the last server, those of a database with their database. A mailbox that several
    cmdlets show is disabled as what it is shown as first."""
    seen: set[str] = set()
    for kind in SYSTEM_MAILBOXES:
        for row in have.system.get(kind.name, ()):
            goes = read.last or (kind.of_database and last_part(text(row.get("Database"))) in going)
            if not goes or mailbox_key(row) in seen:
                continue
            seen.add(mailbox_key(row))
            yield Action(
                STEPS["disable_system_mailboxes"],
                name_of(row),
                row,
                Cmdlet("Disable-Mailbox", {"Identity": identity_of(row), **kind.disable}),
                {"mailbox": kind.name},
                {},
            )


def _send_connectors(wanted: Wanted, have: Organization) -> Iterator[Action]:
    """Hand connectors over to the servers that remain."""
    remaining = [name_of(row) for row in have.servers if name_of(row).casefold() != wanted.server.casefold()]
    for row in have.send_connectors:
        sources = [last_part(name) for name in texts(row.get("SourceTransportServers"))]
        if wanted.server.lower() not in sources:
            continue
        kept = [name for name in texts(row.get("SourceTransportServers")) if last_part(name) != wanted.server.lower()]
        new = kept or remaining
        yield Action(
            STEPS["repoint_send_connectors"],
            name_of(row),
            row,
            Cmdlet("Set-SendConnector", {"Identity": identity_of(row), "SourceTransportServers": new}),
            {"SourceTransportServers": list(texts(row.get("SourceTransportServers")))},
            {"SourceTransportServers": new},
        )


def _copies(wanted: Wanted, going: Sequence[Row], staying: Sequence[Row]) -> Iterator[Action]:
    for row in staying:
        yield _copy(row, wanted.server)
    for row in going:
        for server in texts(row.get("Servers")):
            if last_part(server) != wanted.server.lower():
                yield _copy(row, server)


def _copy(row: Row, server: str) -> Action:
    identity = rf"{name_of(row)}\{server}"
    return _removal("remove_database_copies", identity, row, {"Identity": identity})


def _groups(wanted: Wanted, have: Organization) -> Iterator[Action]:
    for row in have.groups:
        members = [last_part(name) for name in texts(row.get("Servers"))]
        if wanted.server.lower() in members:
            arguments = {"Identity": identity_of(row), "MailboxServer": wanted.server}
            yield _removal("leave_availability_group", name_of(row), row, arguments)


def _removal(step_id: str, identity: str, row: Row, arguments: Mapping[str, Any]) -> Action:
    step = STEPS[step_id]
    return Action(step, identity, row, Cmdlet(step.cmdlets[0], arguments), {"exists": True}, {})
