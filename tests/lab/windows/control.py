# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address's part on Windows hosts: look at them, set what is wrong with them, restart them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.lab.cloud import steer
from tests.lab.cloud.wire import Reply, Request
from tests.lab.windows import conditions, places, software
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import AGENT_SERVICE, HostAddress

if TYPE_CHECKING:
    from tests.lab.cloud.context import Services

Document = dict[str, Any]


def _estate(services: Services) -> Estate:
    if services.windows is None:
        raise steer.refused(404, "This lab has no Windows hosts.")
    return services.windows


def _host(services: Services, tenant: str, name: str) -> HostAddress:
    try:
        return places.host(steer.tenant_of(services, tenant)["name"], name)
    except LookupError as error:
        raise steer.refused(404, str(error)) from error


def show_hosts(services: Services, request: Request, tenant: str) -> list[Document]:
    """GET /windows/{tenant}: the hosts in short; with exchange=true the Exchange servers as well."""
    name = steer.tenant_of(services, tenant)["name"]
    more = places.exchange_hosts_of(name) if request.query.get("exchange", "").lower() == "true" else ()
    return [_short(_estate(services), host) for host in (*places.hosts_of(name), *more)]


def _short(estate: Estate, host: HostAddress) -> Document:
    document = estate.get(host)
    agent, installation = document["agent"] or {}, document["installation"]
    service = document["services"].get(AGENT_SERVICE, {})
    kept = estate.store.get(estate.tenant_id(host.tenant), "agent", agent.get("id") or "")
    return {
        "tenant": host.tenant,
        "name": host.name,
        "address": f"{host.address}:{places.PORT}",
        "system": document["os"]["Caption"],
        "away": estate.away(host),
        "version": installation["version"] if installation else None,
        "service": service.get("Status"),
        "account": service.get("StartName"),
        "domains": [one["name"] for one in agent.get("domains", [])],
        "graph": kept["status"] if kept else None,
        "processes": [one["name"] for one in document["processes"].values()],
        "conditions": {
            name: value
            for name, value in document["conditions"].items()
            if value != conditions.CONDITIONS[name].values[0]
        },
    }


def show_host(services: Services, request: Request, tenant: str, name: str) -> Document:
    """GET /windows/{tenant}/{name}: the host, whole."""
    document = _estate(services).get(_host(services, tenant, name))
    files = {
        path: {key: value for key, value in one.items() if key != "data"} for path, one in document["files"].items()
    }
    return {**document, "files": files}


def set_host(services: Services, request: Request, tenant: str, name: str) -> Document:
    """PATCH /windows/{tenant}/{name} with conditions by name."""
    estate, host = _estate(services), _host(services, tenant, name)
    with services.engine_lock:
        conditions.set_conditions(estate, host, {key: str(value) for key, value in steer.body_of(request).items()})
    return _short(estate, host)


def steer_host(services: Services, request: Request, tenant: str, name: str, deed: str) -> Document:
    """POST /windows/{tenant}/{name}/restart, /off, /on, or /renew: as at the beginning, the seed's agent included."""
    estate, host = _estate(services), _host(services, tenant, name)
    with services.engine_lock:
        if deed in ("restart", "off", "on"):
            conditions.STEERS[deed](estate, host)
        else:
            estate.renew(host)
    return _short(estate, host)


def show_forest(services: Services, request: Request, tenant: str) -> Document:
    """GET /windows-forest/{tenant}: KDS root keys and group managed service accounts."""
    with _estate(services).forest(steer.tenant_of(services, tenant)["name"]) as document:
        return dict(document)


def extend_schema(services: Services, request: Request, tenant: str) -> Document:
    """POST /windows-forest/{tenant}/schema: the schema was just extended, which agents do not know yet."""
    estate, found = _estate(services), steer.tenant_of(services, tenant)
    with estate.forest(found["name"]) as document:
        document["schemaChangedAt"] = estate.clock.timestamp()
    for host in estate.hosts:  # the first agent's too, which nobody has touched yet
        if host.tenant == found["name"]:
            estate.registry.host_changed(found["id"], host, estate.get(host))
    return dict(document)


def download(services: Services, request: Request) -> Reply:
    """GET /software/...: the newest installer, for hosts that download it."""
    return Reply(200, data=software.content(software.NEWEST), content_type="application/octet-stream")


def apply_scenario(services: Services, changes: Document) -> None:
    """What switches do at once when they are set: ``agents``."""
    if "agents" not in changes or services.windows is None:
        return
    status = "none" if changes["agents"] == "none" else "active"
    for tenant in services.store.tenants():
        with services.engine_lock:
            steer.put_agents(services, tenant, status, only_seeded=True)
            services.windows.renew_tenant(tenant["name"])
