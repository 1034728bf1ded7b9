# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Reading a server that is to go: what AD, its host and the organization say of it, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Row,
    last_part,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import ExchangeServer, Host
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import read as topology_read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import Identity
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, NotFound, Refused, Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host

Rows = tuple[Row, ...]


@dataclass(frozen=True)
class Machine:
    """The server's host. ``setup`` is Setup's path, None where Exchange is not installed there.

    ``begun``: a Setup that removes Exchange did not end there. ``running``: processes of Setup.
    """

    name: str
    setup: str | None
    begun: bool = False
    running: tuple[int, ...] = ()
    pending: tuple[str, ...] = ()
    services: Mapping[str, str] = field(default_factory=dict)
    sites: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Organization:
    """What the organization has that stands in Setup's way, as Exchange's cmdlets show it."""

    servers: Rows = ()
    mailboxes: Rows = ()
    archives: Rows = ()
    public_folders: Rows = ()
    system: Mapping[str, Rows] = field(default_factory=dict)
    databases: Rows = ()
    groups: Rows = ()
    send_connectors: Rows = ()
    receive_connectors: Rows = ()
    queues: Rows = ()
    edges: Rows = ()
    moves: Rows = ()
    expansions: Rows = ()
    address_books: Rows = ()


@dataclass(frozen=True)
class Read:
    """Everything. ``organization`` is None where there is nothing left to ask, or a begun Setup only has to go on."""

    here: Identity
    in_directory: bool
    last: bool
    machine: Machine
    organization: Organization | None
    management_tools: bool = False


def read(ends: Ends, wanted: Wanted) -> Read:
    """All that the plan needs. Refused where the host is another one than the server."""
    here = topology_read.identify(ends.directory)
    in_directory = any(name.casefold() == wanted.server.casefold() for name in here.servers)
    others = [name for name in here.servers if name.casefold() != wanted.server.casefold()]
    machine = _machine(ends, wanted, in_directory)
    if machine.name.casefold() != wanted.server.casefold():
        raise Refused(
            f"windows_host {ends.host.host} is the server {machine.name}, and server is {wanted.server}. Nothing was "
            "changed.",
            host=machine.name,
        )
    organization = None
    if in_directory and not machine.begun and not machine.running:
        organization = read_organization(exchange(ends), wanted)
        edges = {text(row.get("Name")).casefold() for row in organization.servers if _is_edge(row)}
        others = [name for name in others if name.casefold() not in edges]
    last = not others
    _check_claim(wanted, last, others)
    return Read(here, in_directory, last, machine, organization, _management_tools(ends) if last else False)


def exchange(ends: Ends) -> ExchangeServer:
    """Exchange Server's management endpoint; InputError where none is given."""
    if ends.server is None:
        raise InputError("This needs Exchange Server: give exchange_server_host and its account.")
    return ends.server


def _machine(ends: Ends, wanted: Wanted, in_directory: bool) -> Machine:
    """The host; one that is gone for good, after its server is gone from AD, has nothing installed."""
    try:
        return read_machine(ends.host, wanted)
    except Unavailable:
        if in_directory:
            raise
        ends.host.close()
        return Machine(wanted.server, None)


def read_machine(host: Host, wanted: Wanted) -> Machine:
    """The host of the server."""
    computer = windows_host.row(host, Cmdlet("Get-CimInstance", {"ClassName": "Win32_ComputerSystem"}))
    name = text(computer.get("Name")) or text(computer.get("DNSHostName")) or host.host
    installed = text(windows_host.values(host, setup_product.SETUP_KEY).get(setup_product.INSTALL_PATH))
    path = wanted.setup_path or (rf"{installed.rstrip(chr(92))}\{setup_product.SETUP_FILE}" if installed else None)
    return Machine(
        name=name.partition(".")[0],
        setup=path if installed else None,
        begun=any(
            text(windows_host.values(host, key).get("Action")).lower() == "uninstall" for key in setup_product.ROLE_KEYS
        ),
        running=running(host),
        pending=windows_host.pending(host),
        services=services(host),
        sites=sites(host),
    )


def running(host: Host) -> tuple[int, ...]:
    """The processes of Setup."""
    return tuple(found for name in setup_product.PROCESSES for found in windows_host.process_ids(host, name))


def services(host: Host) -> dict[str, str]:
    """Exchange's services that the host has, with their status."""
    found = {}
    for row in windows_host.rows(host, Cmdlet("Get-Service", {"Name": [f"{setup_product.SERVICE_PREFIX}*"]})):
        found[text(row.get("Name"))] = text(row.get("Status"))
    return found


def sites(host: Host) -> tuple[str, ...] | None:
    """Exchange's own web sites that the host has; None where it does not tell, as without the tools of IIS."""
    try:
        rows = windows_host.rows(host, Cmdlet("Get-Website"))
    except NotFound:
        return None
    names = {text(row.get("Name") or row.get("name")) for row in rows}
    return tuple(name for name in setup_product.SITES if name in names)


def read_organization(end: ExchangeServer, wanted: Wanted) -> Organization:
    """What the organization has; one cmdlet for each kind."""
    name = wanted.server

    def rows(cmdlet: str, **parameters: Any) -> Rows:
        try:
            return tuple(end.invoke(Cmdlet(cmdlet, parameters)))
        except NotFound:
            return ()

    system = {
        kind.name: rows("Get-Mailbox", ResultSize="Unlimited", **kind.find) for kind in setup_product.SYSTEM_MAILBOXES
    }
    of_exchange = {key for items in system.values() for row in items if (key := mailbox_key(row))}
    plain = rows("Get-Mailbox", ResultSize="Unlimited")
    return Organization(
        servers=rows("Get-ExchangeServer"),
        mailboxes=tuple(row for row in plain if mailbox_key(row) not in of_exchange),
        archives=rows("Get-Mailbox", ResultSize="Unlimited", Archive=True),
        public_folders=rows("Get-Mailbox", ResultSize="Unlimited", PublicFolder=True),
        system=system,
        databases=rows("Get-MailboxDatabase"),
        groups=rows("Get-DatabaseAvailabilityGroup"),
        send_connectors=rows("Get-SendConnector"),
        receive_connectors=rows("Get-ReceiveConnector", Server=name),
        queues=rows("Get-Queue", Server=name, ResultSize="Unlimited"),
        edges=rows("Get-EdgeSubscription"),
        moves=rows("Get-MoveRequest", ResultSize="Unlimited"),
        expansions=tuple(
            row
            for row in (
                *rows("Get-DistributionGroup", ResultSize="Unlimited"),
                *rows("Get-DynamicDistributionGroup", ResultSize="Unlimited"),
            )
            if last_part(text(row.get("ExpansionServer"))) == name.lower()
            or text(row.get("ExpansionServer")).lower().endswith(f"/cn={name.lower()}")
        ),
        address_books=tuple(
            row for row in rows("Get-OfflineAddressBook") if last_part(text(row.get("Server"))) == name.lower()
        ),
    )


def mailbox_key(row: Row) -> str:
    """What tells a mailbox from others."""
    return (text(row.get("Guid")) or text(row.get("ExchangeGuid")) or text(row.get("Identity"))).lower()


def holds(row: Row, server: str) -> bool:
    """Whether a server has a copy of a database, or is a member of a group."""
    members = [last_part(name) for name in texts(row.get("Servers"))]
    return server.lower() in members or last_part(text(row.get("Server"))) == server.lower()


def _is_edge(row: Row) -> bool:
    return "edge" in " ".join(texts(row.get("ServerRole"))).lower()


def _check_claim(wanted: Wanted, last: bool, others: Iterable[str]) -> None:
    if wanted.last_server == "auto" or (wanted.last_server == "yes") == last:
        return
    found = f"AD has others: {', '.join(others)}" if not last else "AD has no other"
    raise Refused(f"last_server is {wanted.last_server} for {wanted.server}, but {found}. Nothing was changed.")


def _management_tools(ends: Ends) -> bool:
    """Whether somebody took the way of the management tools: then the last server is never uninstalled."""
    wanted = f"(&(objectClass=group)(name={setup_product.EMT_GROUP}))"
    return any(True for _entry in ends.directory.search(ends.directory.root_domain_dn, wanted, ("name",)))
