# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resolvers of a lab's services: answers from the store, each query in the request log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.lab.clock import iso
from tests.lab.dns import records
from tests.lab.dns.answers import answer, asked, mode_of
from tests.lab.dns.places import RESOLVERS, Resolver
from tests.lab.dns.server import Resolvers

if TYPE_CHECKING:
    from tests.lab.cloud.context import Services


def start(services: Services, resolvers: tuple[Resolver, ...] = RESOLVERS) -> Resolvers:
    """Listen for queries; OSError when an address is taken."""
    return Resolvers(lambda resolver, data, tcp: _answer(services, resolver, data, tcp), resolvers)


def _answer(services: Services, resolver: Resolver, data: bytes, tcp: bool) -> bytes | None:
    question = asked(data)
    tenants = services.store.tenants()
    tenant = next((one for one in tenants if one["name"] == resolver.tenant), None)
    if question is None or tenant is None:
        return None
    broken = records.zone_of(services.store, tenant, resolver.view)["broken"]
    known = records.visible(services.store, tenants, resolver.tenant, resolver.view)
    reply = answer(data, known, [one["domain"] for one in tenants], broken, tcp)
    entry = {
        "lab_time": iso(services.clock.now()),
        "real_time": time.time(),
        "service": "dns",
        "tenant": resolver.tenant,
        "tenant_id": tenant["id"],
        "method": "TCP" if tcp else "UDP",
        "path": f"{question[0]} {question[1]}",
        "view": resolver.view,
        "status": "no answer" if reply is None else "answered",
        "write": False,
        "fault": mode_of(broken, question[0]) or None,
        "violation": None,
    }
    services.store.log_request(entry, is_write=False)
    return reply
