# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address's part on Exchange servers: look at them, put things in their way, switch them off and on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.lab.cloud import steer
from tests.lab.cloud.wire import Request
from tests.lab.exchange_server import conditions, hybrid_agent, machine
from tests.lab.exchange_server.exchange import Organization
from tests.lab.exchange_server.obstacles import Place
from tests.lab.exchange_server.prerequisites import Case, blockers
from tests.lab.windows.conditions import STEERS
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import HostAddress

if TYPE_CHECKING:
    from tests.lab.cloud.context import Services

Document = dict[str, Any]
# Kinds of objects that the hybrid set-up is made of, by class, for a look at what is left.
HYBRID = {
    "msExchCoexistenceRelationship": "hybrid configuration",
    "msExchIntraOrganizationConnector": "intra-organization connector",
    "msExchRoutingSMTPConnector": "send connector",
    "msExchFedSharingRelationship": "organization relationship",
    "msExchFedTrust": "federation trust",
    "msExchDomainContentConfig": "remote domain",
    "msExchAuthAuthServer": "auth server",
    "msExchAuthPartnerApplication": "partner application",
    "msExchConfigSettings": "setting override",
    "msExchAvailabilityAddressSpace": "availability address space",
}


def _place(services: Services, tenant: str) -> Place:
    estate = services.windows
    if estate is None or estate.exchange is None:
        raise steer.refused(404, "This lab has no Exchange servers.")
    return Place(estate, estate.exchange, str(steer.tenant_of(services, tenant)["name"]))


def show(services: Services, request: Request, tenant: str) -> Document:
    """GET /exchange/{tenant}: servers, what blocks Setup, what is there, and what was removed."""
    return _shown(_place(services, tenant))


def _shown(place: Place) -> Document:
    organization = place.organization
    with place.exchange.state(place.tenant) as state:
        kept = dict(state)
    found = organization.found()
    return {
        "tenant": place.tenant,
        "organization": found.name if found else None,
        "servers": [_server(place.estate, organization, host, kept) for host in place.hosts],
        "objects": _objects(organization),
        "conditions": conditions.values(place.exchange, place.tenant),
        "relay_stopped_at": kept["relayStoppedAt"],
        "moves": [one["name"] for one in kept["moves"]],
        "batches": [one["name"] for one in kept["batches"]],
        "removed": kept["removed"],
    }


def _server(estate: Estate, organization: Organization, host: HostAddress, kept: Document) -> Document:
    document = estate.get(host)
    installed = machine.is_exchange(document)
    account = host.forest.account("exchange_admin").name
    case = Case(organization, host.computer, document, kept, account)
    agent = document.get("hybridAgent")
    return {
        "name": host.computer,
        "address": host.address,
        "power": document.get("power", "on"),
        "away": estate.away(host),
        "ports": list(estate.open_ports(host)),
        "installed": installed,
        "version": machine.VERSION if installed else None,
        "in_directory": organization.server(host.computer) is not None,
        "setup": document["behaviour"].get("setup", "ok"),
        "setup_stages": document["exchange"]["stages"],
        "lingering": [name for name in machine.SERVICES if not installed and name in document["services"]],
        "hybrid_agent": bool(agent) and hybrid_agent.SERVICE in document["services"],
        "hybrid_applications": [one["appId"] for one in (agent or {}).get("applications", [])],
        "processes": [one["name"] for one in document["processes"].values()],
        "blockers": [asdict(one) for one in blockers(case)] if installed else [],
    }


def _objects(organization: Organization) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for one in organization.directory.search(organization.container, names=("objectClass", "name")):
        kind = HYBRID.get(one.classes[-1] if one.classes else "")
        if kind is not None:
            names.setdefault(kind, []).append(one.name)
    return {kind: sorted(names.get(kind, [])) for kind in HYBRID.values()}


def change(services: Services, request: Request, tenant: str) -> Document:
    """PATCH /exchange/{tenant} with conditions by name."""
    place = _place(services, tenant)
    changes = {name: str(value) for name, value in steer.body_of(request).items()}
    with services.engine_lock:
        conditions.set_conditions(place, changes)
        if "mailboxes" in changes or "archive" in changes:
            services.engines.connect_sync(place.estate.tenant_id(place.tenant))
    return _shown(place)


def ready(services: Services, request: Request, tenant: str) -> Document:
    """POST /exchange/{tenant}/ready: nothing is in the way that others have to move first."""
    place = _place(services, tenant)
    with services.engine_lock:
        conditions.set_conditions(place, conditions.ready())
        services.engines.connect_sync(place.estate.tenant_id(place.tenant))
    return _shown(place)


def steer_server(services: Services, request: Request, tenant: str, server: str, deed: str) -> Document:
    """POST /exchange/{tenant}/{server}/off, /on or /restart; ``all`` is every server."""
    place = _place(services, tenant)
    hosts = [one for one in place.hosts if server.lower() in ("all", one.name, one.fqdn)]
    if not hosts:
        raise steer.refused(404, f"Tenant {tenant} has no Exchange server {server!r}; it has EX01 and EX02.")
    with services.engine_lock:
        for host in hosts:
            STEERS[deed](place.estate, host)
    return _shown(place)
