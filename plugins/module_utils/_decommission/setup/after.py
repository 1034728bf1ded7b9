# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is left of a server after Setup, on its host and in AD. AD is only read: nothing is ever removed over LDAP."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Directory
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import read as setup_read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.read import Machine
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import kinds as topology_kinds
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import read as topology_read
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    Conflict,
    HybridError,
    NotFound,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import until


@dataclass(frozen=True)
class Remains:
    """What is left. ``server`` and ``wrong`` must be nothing; ``tree`` is what Setup may leave of the organization."""

    server: bool
    wrong: tuple[str, ...] = ()
    lingering: tuple[str, ...] = ()
    tree: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.server or self.wrong or self.lingering)


def check(ends: Ends, wanted: Wanted, last: bool) -> Remains:
    """Wait until AD and the host show that the server is gone; Conflict with what is left where they do not."""

    def late(found: Remains) -> HybridError:
        return Conflict(_words(wanted, found), remains=[*found.wrong, *found.lingering])

    def done(found: Remains) -> bool:
        return found.clean or (not found.server and not found.wrong and wanted.lingering_services == "accept")

    return until(ends.clock, wanted.wait_timeout, lambda: look(ends, wanted, last), done, late, wanted.poll_interval)


def look(ends: Ends, wanted: Wanted, last: bool) -> Remains:
    """What is left now."""
    here = topology_read.identify(ends.directory)
    server = any(name.casefold() == wanted.server.casefold() for name in here.servers)
    wrong = [f"the service connection point {name}" for name in _connection_points(ends.directory, wanted.server)]
    unknown: list[str] = []
    lingering: list[str] = []
    try:
        machine = setup_read.read_machine(ends.host, wanted)
    except (Unavailable, AuthenticationError) as error:
        ends.host.close()
        unknown.append(f"The host of {wanted.server} was not looked at: {error.message}")
    else:
        wrong += _on_host(machine)
        lingering = [f"{name} ({status})" for name, status in sorted(machine.services.items())]
        if machine.sites is None:
            unknown.append(f"The web sites of {wanted.server} were not looked at: its host has no Get-Website.")
    return Remains(server, tuple(wrong), tuple(lingering), tuple(_tree(ends.directory)) if last else (), tuple(unknown))


def _on_host(machine: Machine) -> list[str]:
    found = [f"the web site {name}" for name in machine.sites or ()]
    if machine.setup is not None:
        found.append(f"the installation ({setup_product.INSTALL_PATH} in {setup_product.SETUP_KEY})")
    if machine.running:
        found.append("a Setup that still runs")
    return found


def _connection_points(directory: Directory, server: str) -> list[str]:
    keyword = topology_kinds.SCP_KEYWORD
    wanted = f"(&(objectClass=serviceConnectionPoint)(keywords={keyword})(cn={server}))"
    try:
        return [entry.dn for entry in directory.search(directory.configuration_dn, wanted, ("cn",))]
    except NotFound:
        return []


def _tree(directory: Directory) -> list[str]:
    """What is left of the organization in AD. Sources disagree on what Setup leaves, so this is told, not judged."""
    places = (
        (f"{setup_product.CONFIGURATION},{directory.configuration_dn}", "the configuration tree"),
        (f"{setup_product.SECURITY_GROUPS},{directory.root_domain_dn}", "the security groups"),
        (f"{setup_product.SYSTEM_OBJECTS},{directory.base_dn}", "the container of system objects"),
    )
    found = []
    for dn, words in places:
        try:
            entry = directory.read(dn, ("objectClass",))
        except NotFound:
            entry = None
        if entry is not None:
            found.append(f"{words} ({dn})")
    return found


def _words(wanted: Wanted, found: Remains) -> str:
    left = [*(["its object in AD"] if found.server else []), *found.wrong]
    parts = []
    if left:
        parts.append(
            f"Setup ended, but after {wanted.wait_timeout:g} seconds {wanted.server} still has {', '.join(left)}. Look "
            f"into {wanted.setup_log}; run again to have Setup go on. Never remove Exchange's objects over LDAP."
        )
    if found.lingering:
        parts.append(
            f"{wanted.server} still has services of Exchange: {', '.join(found.lingering)}. Restart the server; where "
            "they are still there then, remove each with sc.exe delete, or set lingering_services to accept."
        )
    return " ".join(parts)
