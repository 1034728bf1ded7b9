# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's resolvers listen: two of each forest, one a view.

Kept apart from :mod:`tests.lab.settings`: forests that were built once are thrown away when that file changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.settings import FORESTS, NETWORK

PORT = 53
INTERNAL, EXTERNAL = "internal", "external"
VIEWS = (INTERNAL, EXTERNAL)


@dataclass(frozen=True)
class Resolver:
    """One resolver: of which tenant, with which view, and where."""

    tenant: str
    view: str
    address: str
    port: int = PORT


RESOLVERS = tuple(
    Resolver(forest.name, view, f"{NETWORK}.{number}.{51 + at}")
    for number, forest in enumerate(FORESTS, start=1)
    for at, view in enumerate(VIEWS)
)


def resolver(tenant: str, view: str) -> Resolver:
    """A tenant's resolver of a view."""
    return next(one for one in RESOLVERS if (one.tenant, one.view) == (tenant, view))


def handover(tenant: str) -> dict[str, dict[str, str | int]]:
    """The tenant's part of ``lab.json``."""
    return {one.view: {"host": one.address, "port": one.port} for one in RESOLVERS if one.tenant == tenant}
