# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be in the way of taking Exchange away, to be set by name for a whole organisation.

Setting one changes the directory, a machine or the organisation's own state once: whoever mends it has mended it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.exchange_server import obstacles
from tests.lab.exchange_server.exchange import Exchange
from tests.lab.exchange_server.obstacles import EMT, MOVED, ON_PREMISES, Place

Apply = Callable[[Place, str], None]


@dataclass(frozen=True)
class Condition:
    """One thing to set: its values (the first is what is not in the way), and what it is at the beginning."""

    name: str
    values: tuple[str, ...]
    initial: str
    doc: str
    apply: Apply


_ALL = (
    Condition("mailboxes", (MOVED, ON_PREMISES), ON_PREMISES, "two users' mailboxes in DB01", obstacles.mailboxes),
    Condition("archive", ("none", "local"), "none", "an archive in DB01 of a mailbox in the cloud", obstacles.archive),
    Condition(
        "public_folders",
        ("none", "local"),
        "none",
        "public folders, and their mailbox in DB02",
        obstacles.public_folders,
    ),
    Condition("moves", ("none", "running"), "none", "a move request between databases", obstacles.moves),
    Condition("batches", ("none", "running"), "none", "a migration batch on premises", obstacles.batches),
    Condition("queue", ("empty", "held"), "empty", "messages that wait in a queue of EX01", obstacles.queue),
    Condition("edge", ("none", "subscribed"), "none", "an Edge subscription", obstacles.edge),
    Condition(
        "address_book",
        ("mailbox", "server"),
        "mailbox",
        "EX02 generates the offline address book",
        obstacles.address_book,
    ),
    Condition("expansion_server", ("none", "EX02"), "none", "EX02 expands a distribution group", obstacles.expansion),
    Condition(
        "relay", ("stopped", "running"), "running", "printers, an application and others hand in mail", obstacles.relay
    ),
    Condition("certificates", ("valid", "expired"), "valid", "the servers' certificates", obstacles.certificates),
    Condition(
        "rights",
        ("all", "no_organization_management", "no_enterprise_admins"),
        "all",
        "what svc-exchange-admin is a member of",
        obstacles.rights,
    ),
    Condition(
        "exit",
        ("source_of_authority", "management_tools"),
        "source_of_authority",
        f"whether the group {EMT} says that the last server must never be uninstalled",
        obstacles.exit,
    ),
    Condition(
        "gateway",
        ("reachable", "unreachable"),
        "reachable",
        "the Microsoft Federation Gateway for the servers",
        obstacles.gateway,
    ),
)
CONDITIONS = {one.name: one for one in _ALL}


def values(exchange: Exchange, tenant: str) -> dict[str, str]:
    """What the conditions were set to last; whoever mended one since has mended it all the same."""
    with exchange.state(tenant) as state:
        kept = dict(state.get("conditions", {}))
    return {name: kept.get(name, one.initial) for name, one in CONDITIONS.items()}


def set_conditions(place: Place, changes: dict[str, str]) -> None:
    """Set some, all or none; ValueError for a name or value that there is not."""
    for name, value in changes.items():
        known = CONDITIONS.get(name)
        if known is None:
            raise ValueError(f"An Exchange organization has no condition {name!r}; it has {', '.join(CONDITIONS)}.")
        if value not in known.values:
            raise ValueError(f"{name} is one of {', '.join(known.values)}, not {value!r}.")
    for name, value in changes.items():
        CONDITIONS[name].apply(place, value)
        with place.exchange.state(place.tenant) as state:
            state["conditions"] = {**state.get("conditions", {}), name: value}


def ready() -> dict[str, str]:
    """Everything out of the way that is the business of those who move mail, not of those who remove servers."""
    return {one.name: one.values[0] for one in _ALL if one.name not in ("rights", "exit", "gateway", "certificates")}
