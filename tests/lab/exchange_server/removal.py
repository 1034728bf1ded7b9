# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Setup takes out of the directory: a server, and with the last one the organisation.

Users' attributes and the schema are never touched. What the last removal leaves behind, Microsoft does not say; one
text says nothing is left, and ``setup_leaves`` says otherwise.
"""

from __future__ import annotations

from tests.lab.exchange_server.databases import contents, copies_of, leaf, owned
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest.entries import child
from tests.lab.forest.organization import security_groups_unit
from tests.lab.forest.system_mailboxes import system_mailboxes, system_objects

NONE, GROUPS, ORGANIZATION, ALL = "none", "groups", "organization", "all"
LEAVES = (NONE, GROUPS, ORGANIZATION, ALL)  # each leaves what the one before leaves, too


def remove_server(organization: Organization, server: str, keep_discovery: bool = False) -> None:
    """Everything of one server: its subtree, its empty databases, its copies."""
    directory = organization.directory
    found = organization.server(server)
    for database in organization.databases():
        copies = copies_of(organization, database)
        own = [one for one in copies if leaf(one.text("msExchHostServerLink")).lower() == server.lower()]
        if database in owned(organization, server) and not contents(organization, database):
            directory.delete(database.dn, tree=True)
        else:
            for one in own:
                directory.delete(one.dn)
    if found is None:
        return
    if not keep_discovery:
        directory.delete(found.dn, tree=True)
        return
    protocols = organization.places.protocols(found.name)
    for name in ("SMTP Receive Connectors", "HTTP"):
        directory.delete(child(protocols, name), tree=True)


def remove_organization(organization: Organization, leaves: str) -> None:
    """What goes with the last server."""
    directory, forest = organization.directory, organization.forest
    if leaves in (NONE, GROUPS):
        directory.delete(organization.container, tree=True)
    if leaves == NONE:
        directory.delete(security_groups_unit(forest), tree=True)
    if leaves != ALL:
        directory.delete(system_objects(forest), tree=True)
        for entry in system_mailboxes(forest):
            directory.delete(entry.dn)
