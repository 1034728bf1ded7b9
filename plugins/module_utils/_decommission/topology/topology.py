# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The Exchange organisation as Active Directory has it: plain data, its fingerprint, and which way out it shows.

A missing attribute is None. An organisation that does not exist is a topology without an organisation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import MANAGEMENT_TOOLS

EMT_GROUP = "Recipient Management EMT"
"""The group that Add-PermissionForEMT.ps1 makes: whoever has it went the way of the management tools."""

EDGE, MAILBOX = 64, 54
_ROLES: Mapping[int, str] = {2: "Mailbox", 4: "ClientAccess", 16: "UnifiedMessaging", 32: "HubTransport", 64: "Edge"}
"""Bits of msExchCurrentServerRoles; a server of 2016 or later has all of 2, 4, 16 and 32, and is shown as Mailbox."""


@dataclass(frozen=True)
class Thing:
    """One object: its kind (see topology_kinds), its name, where it is, and its properties by plain names."""

    kind: str
    name: str
    dn: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.properties.get(name)

    def line(self) -> dict[str, Any]:
        """For an artifact."""
        return {"kind": self.kind, "name": self.name, "dn": self.dn, **self.properties}


@dataclass(frozen=True)
class Topology:
    """What was read. ``domains`` are those of the forest; ``unread`` says of some of them why they were not.

    ``schema_version`` is rangeUpper of the Exchange schema, None where the schema is not extended.
    """

    forest: str
    configuration_dn: str
    host: str
    domains: tuple[str, ...]
    schema_version: int | None
    things: Mapping[str, tuple[Thing, ...]]
    unread: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[Thing, ...]:
        """The objects of one kind, in the order of their names."""
        return self.things.get(kind, ())

    @property
    def organization(self) -> Thing | None:
        """The organisation, or None where the forest has no Exchange."""
        return next(iter(self.of("organization")), None)

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all Exchange servers, Edge servers among them."""
        return tuple(thing.name for thing in self.of("server"))

    @property
    def mailbox_servers(self) -> tuple[Thing, ...]:
        """The servers that hold mailboxes and transport mail: all but Edge servers."""
        return tuple(thing for thing in self.of("server") if not is_edge(thing))

    @property
    def fingerprint(self) -> str:
        """What tells this organisation from all others, whatever is removed from it: see ``fingerprint``."""
        organization = self.organization
        return fingerprint(self.forest, self.configuration_dn, organization["guid"] if organization else None)


def fingerprint(forest: str, configuration_dn: str, guid: str | None) -> str:
    """A SHA-256 over the forest and the organisation's objectGUID (None: a forest without Exchange)."""
    about = {"forest": forest.casefold(), "configuration": configuration_dn.casefold(), "organization": guid}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def is_edge(server: Thing) -> bool:
    """Whether a server is an Edge Transport server."""
    roles = server["roles"]
    return isinstance(roles, int) and bool(roles & EDGE)


def role_names(roles: int | None) -> list[str]:
    """The roles of a server in words; all of 2, 4, 16 and 32 together are Mailbox."""
    if roles is None:
        return []
    if roles & MAILBOX == MAILBOX:
        return ["Mailbox", *(["Edge"] if roles & EDGE else [])]
    return [name for bit, name in _ROLES.items() if roles & bit]


def exit_hints(topology: Topology) -> dict[str, Any]:
    """What Active Directory shows of the way out: ``management_tools`` where its group is there, else undecided."""
    groups = [thing.dn for thing in topology.of("emt_group")]
    return {
        "exit": MANAGEMENT_TOOLS if groups else None,
        "management_tools_group": groups[0] if groups else None,
        "why": f"The group {EMT_GROUP} exists, which only the way of the management tools makes."
        if groups
        else f"There is no group {EMT_GROUP}, so nothing speaks against the source of authority in the cloud.",
    }


def grouped(things: Sequence[Thing]) -> dict[str, tuple[Thing, ...]]:
    """Objects by kind, each in the order of their names."""
    found: dict[str, list[Thing]] = {}
    for thing in things:
        found.setdefault(thing.kind, []).append(thing)
    return {
        kind: tuple(sorted(items, key=lambda item: (item.name.casefold(), item.dn))) for kind, items in found.items()
    }
