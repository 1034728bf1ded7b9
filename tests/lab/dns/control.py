# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address's part on DNS: look at records, set and remove them, break a resolver, move all to the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.lab.cloud import steer
from tests.lab.cloud.wire import Request
from tests.lab.dns import records
from tests.lab.dns.places import VIEWS, resolver
from tests.lab.dns.records import Zone

if TYPE_CHECKING:
    from tests.lab.cloud.context import Services

Document = dict[str, Any]


def show(services: Services, request: Request, tenant: str) -> Document:
    """GET /dns/{tenant}: records and breakages by view, and where the views are asked."""
    found = steer.tenant_of(services, tenant)
    return _shown(services, found)


def _shown(services: Services, tenant: Document) -> Document:
    zones = records.story(services.store, tenant)
    return {
        view: {
            "address": f"{resolver(tenant['name'], view).address}:{resolver(tenant['name'], view).port}",
            "records": zone["records"],
            "broken": zone["broken"],
        }
        for view, zone in zones.items()
    }


def change(services: Services, request: Request, tenant: str) -> Document:
    """PATCH /dns/{tenant}.

    The body: ``view`` (both when not given), and any of ``remove`` (records by name, and type and value where given),
    ``set`` (the records of a name and type take the place of all that were there), ``break`` (mode, ``none`` to mend)
    with ``name`` (everything when not given), ``at_exchange_online`` with ``keep_mx``, ``as_at_the_beginning``.
    """
    found, body = steer.tenant_of(services, tenant), steer.body_of(request)
    known = ("view", "set", "remove", "break", "name", "at_exchange_online", "keep_mx", "as_at_the_beginning")
    unknown = set(body) - set(known)
    if unknown:
        raise ValueError(f"The body holds {', '.join(known)}, not {', '.join(sorted(unknown))}.")
    wanted = body.get("view", "both")
    if wanted not in ("both", *VIEWS):
        raise ValueError(f"view is one of both, {', '.join(VIEWS)}, not {wanted!r}.")
    with services.engine_lock, services.store.transaction():
        for view in VIEWS if wanted == "both" else (wanted,):
            records.keep(services.store, found, _changed(services, found, view, body))
    return _shown(services, found)


def _changed(services: Services, tenant: Document, view: str, body: Document) -> Zone:
    zone, domain = records.zone_of(services.store, tenant, view), str(tenant["domain"])
    if body.get("as_at_the_beginning"):
        zone = records.initial(tenant["name"], view)
    if body.get("at_exchange_online"):
        zone = records.at_exchange_online(zone, domain, _mx(services, tenant), bool(body.get("keep_mx")))
    for one in _listed(body, "remove"):
        zone = _without(zone, records.full_name(str(one.get("name", "")), domain), one)
    for name, kind, values, ttl in _asked(body, domain):
        zone = _with(zone, [records.checked(name, kind, value, ttl) for value in values])
    if "break" in body:
        zone = _broken(zone, str(body["break"]), body.get("name"), domain)
    return zone


def _listed(body: Document, name: str) -> list[Document]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f'{name} is a list of records such as {{"name": "@", "type": "MX"}}.')
    return found


def _asked(body: Document, domain: str) -> list[tuple[str, str, list[str], int]]:
    found = []
    for one in _listed(body, "set"):
        values, ttl = one.get("values"), one.get("ttl", records.TTL)
        if not isinstance(values, list) or not values or not isinstance(ttl, int):
            raise ValueError('Each record of set has name, type and values: {"values": ["10 mail.contoso.lab"]}.')
        name = records.full_name(str(one.get("name", "")), domain)
        found.append((name, str(one.get("type", "")).upper(), [str(value) for value in values], ttl))
    return found


def _mx(services: Services, tenant: Document) -> str:
    """The domain's MX name at Exchange Online: the one of DNSSEC, where that is switched on."""
    for one in services.store.list(tenant["id"], "acceptedDomain"):
        if one["DomainName"] == tenant["domain"] and one.get("_dnssec"):
            return str(one["_dnssec"])
    return records.legacy_mx(tenant["domain"])


def _with(zone: Zone, added: list[records.Record]) -> Zone:
    """The view with records instead of all that their name and type had; an alias stands alone."""
    name, kind = added[0]["name"], added[0]["type"]

    def stays(one: records.Record) -> bool:
        return one["name"] != name or (one["type"] != kind and "CNAME" not in (kind, one["type"]))

    return {**zone, "records": [*filter(stays, zone["records"]), *added]}


def _without(zone: Zone, name: str, wanted: Document) -> Zone:
    kind, value = str(wanted.get("type") or "").upper(), wanted.get("value")

    def goes(one: records.Record) -> bool:
        return one["name"] == name and (not kind or one["type"] == kind) and (value is None or one["value"] == value)

    return {**zone, "records": [one for one in zone["records"] if not goes(one)]}


def _broken(zone: Zone, mode: str, name: Any, domain: str) -> Zone:
    if mode not in ("none", *records.MODES):
        raise ValueError(f"break is one of none, {', '.join(records.MODES)}, not {mode!r}.")
    if name is None and mode == "none":
        return {**zone, "broken": {}}
    about = records.EVERYTHING if name is None else records.full_name(str(name), domain)
    kept = {key: one for key, one in zone["broken"].items() if key != about}
    return {**zone, "broken": kept if mode == "none" else {**kept, about: mode}}
