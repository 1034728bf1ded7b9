# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the lab's DNS, by tenant and view; what nobody changed is the lab's story, and is not kept.

A record is ``{"name", "type", "value", "ttl"}``: a full name in lower case, without a dot at its end, and the value as
a zone file writes it ("10 mail.contoso.lab" for MX, "0 0 443 host" for SRV), names without a dot at their end.
"""

from __future__ import annotations

import ipaddress
import re
import zlib
from typing import Any

from tests.lab.dns.places import EXTERNAL, INTERNAL, VIEWS
from tests.lab.hybrid_facts import public_address
from tests.lab.settings import NETWORK, Forest, forest
from tests.lab.store import Store

Record = dict[str, Any]
Zone = dict[str, Any]  # {"id": view, "records": [...], "broken": {name or "*": mode}}
KIND = "dnsView"
TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT")
TTL = 300
SERVFAIL, TIMEOUT, TRUNCATED, NXDOMAIN, REFUSED = MODES = ("servfail", "timeout", "truncated", "nxdomain", "refused")
EVERYTHING = "*"

AUTODISCOVER_TARGET = "autodiscover.outlook.com"
SPF_INCLUDE = "include:spf.protection.outlook.com"
GATEWAY = ("mx1.mailgate.example", "mx2.mailgate.example")
_NAME = re.compile(r"^(?=.{1,253}$)[a-z0-9_*]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$")


def record(name: str, kind: str, value: str, ttl: int = TTL) -> Record:
    """A record."""
    return {"name": name, "type": kind, "value": value, "ttl": ttl}


def legacy_mx(domain: str) -> str:
    """The MX name of a domain without DNSSEC, which follows from its name."""
    return f"{domain.replace('.', '-')}.mail.protection.outlook.com"


# -- the story -----------------------------------------------------------------------------------------------------


def _hosts(found: Forest) -> list[Record]:
    """What only the inside knows."""
    number = found.dc_address.split(".")[2]
    exchange = [record(f"ex0{at}.{found.domain}", "A", f"{NETWORK}.{number}.{40 + at}") for at in (1, 2)]
    return [
        record(f"dc1.{found.domain}", "A", found.dc_address),
        record(f"_ldap._tcp.{found.domain}", "SRV", f"0 100 389 dc1.{found.domain}"),
        *exchange,
        *(record(f"mail.{found.domain}", "A", one["value"]) for one in exchange),
    ]


def initial(tenant: str, view: str) -> Zone:
    """What a view shows before anybody changed it: mail and autodiscover still partly on premises."""
    found = forest(tenant)
    domain, public = found.domain, public_address(tenant)
    server = _hosts(found) if view == INTERNAL else [record(f"mail.{domain}", "A", public)]
    inside = [one["value"] for one in server if one["name"] == f"mail.{domain}"]
    proof = record(domain, "TXT", f"MS=ms{zlib.crc32(domain.encode()) % 10**8:08d}")
    if tenant == "fabrikam":
        # Its mail comes through somebody else's filter, and Outlook of the outside is at Exchange Online already.
        mail = [record(domain, "MX", f"{10 * at} {host}") for at, host in enumerate(GATEWAY, start=1)]
        spf = f"v=spf1 include:spf.mailgate.example ip4:{public} {SPF_INCLUDE} -all"
        outlook = (
            [record(f"autodiscover.{domain}", "CNAME", AUTODISCOVER_TARGET)]
            if view == EXTERNAL
            else [record(f"autodiscover.{domain}", "A", one) for one in inside]
        )
    else:
        mail = [record(domain, "MX", f"5 {legacy_mx(domain)}"), record(domain, "MX", f"10 mail.{domain}")]
        if view == INTERNAL:
            mail = mail[1:]
        spf = f"v=spf1 ip4:{public} {SPF_INCLUDE} -all"
        outlook = [record(f"autodiscover.{domain}", "A", one) for one in inside]
        outlook.append(record(f"_autodiscover._tcp.{domain}", "SRV", f"0 0 443 mail.{domain}"))
    return {"id": view, "records": [*mail, record(domain, "TXT", spf), proof, *outlook, *server], "broken": {}}


def at_exchange_online(zone: Zone, domain: str, mx: str, keep_mx: bool = False) -> Zone:
    """The view with mail, SPF and autodiscover at Exchange Online, and no autodiscover SRV.

    ``mx``: the domain's MX name there; ``keep_mx`` leaves the MX records, and what SPF includes for them.
    """
    outlook, locator = f"autodiscover.{domain}", f"_autodiscover._tcp.{domain}"
    kept = []
    spf = f"v=spf1 {SPF_INCLUDE} -all"
    for one in zone["records"]:
        sender_policy = one["name"] == domain and one["type"] == "TXT" and one["value"].startswith("v=spf1")
        if sender_policy and keep_mx:
            words = [word for word in one["value"].split() if not word.startswith(("ip4:", "ip6:", "a:", "mx:"))]
            spf = " ".join(words)
        moved = one["name"] in (outlook, locator) or sender_policy
        if not moved and not (one["name"] == domain and one["type"] == "MX" and not keep_mx):
            kept.append(one)
    mail = [] if keep_mx else [record(domain, "MX", f"10 {mx}", 60 if mx.endswith(".mx.microsoft") else TTL)]
    added = [*mail, record(domain, "TXT", spf), record(outlook, "CNAME", AUTODISCOVER_TARGET)]
    return {**zone, "records": [*added, *kept]}


# -- the world outside both tenants --------------------------------------------------------------------------------


def world(tenant: dict[str, Any]) -> list[Record]:
    """Names of the service and of others that every resolver knows."""
    found = [
        record(AUTODISCOVER_TARGET, "A", "198.51.100.10"),
        record("spf.protection.outlook.com", "TXT", "v=spf1 ip4:198.51.100.0/24 -all"),
        record("spf.mailgate.example", "TXT", "v=spf1 ip4:192.0.2.0/24 -all"),
        *(record(host, "A", f"192.0.2.{10 + at}") for at, host in enumerate(GATEWAY)),
    ]
    for domain in tenant["verified_domains"]:
        found.append(record(legacy_mx(domain), "A", "198.51.100.11"))
        if domain.endswith(".onmicrosoft.com"):
            found += [
                record(domain, "MX", f"0 {legacy_mx(domain)}"),
                record(domain, "TXT", f"v=spf1 {SPF_INCLUDE} -all"),
                record(f"autodiscover.{domain}", "CNAME", AUTODISCOVER_TARGET),
            ]
    return found


# -- state ---------------------------------------------------------------------------------------------------------


def zone_of(store: Store, tenant: dict[str, Any], view: str) -> Zone:
    """A tenant's view, as it is."""
    return store.get(tenant["id"], KIND, view) or initial(tenant["name"], view)


def keep(store: Store, tenant: dict[str, Any], zone: Zone) -> None:
    """Keep a changed view."""
    store.put(tenant["id"], KIND, zone["id"], zone)


def story(store: Store, tenant: dict[str, Any]) -> dict[str, Zone]:
    """A tenant's views by their names."""
    return {view: zone_of(store, tenant, view) for view in VIEWS}


def of_name(zones: dict[str, Zone], view: str, name: str, kind: str) -> list[Record]:
    """A tenant's own records of a name and type in a view."""
    wanted = name.lower().rstrip(".")
    return [one for one in zones[view]["records"] if (one["name"], one["type"]) == (wanted, kind)]


def visible(store: Store, tenants: list[dict[str, Any]], tenant: str, view: str) -> list[Record]:
    """Everything that a resolver knows: its tenant's view, what the world sees of the others, the world."""
    found: list[Record] = []
    for one in tenants:
        own = one["name"] == tenant
        found += zone_of(store, one, view if own else EXTERNAL)["records"]
        found += world(one)
    return found


# -- what people write ---------------------------------------------------------------------------------------------


def full_name(name: str, domain: str) -> str:
    """A name as people write it below a domain: ``@`` is the domain, a dot at the end means that it is whole."""
    text = name.strip().lower()
    if text in ("@", "", domain):
        return domain
    whole = text.removesuffix(".") if text.endswith((".", f".{domain}")) else f"{text}.{domain}"
    if not _NAME.match(whole):
        raise ValueError(f"{name!r} is no DNS name.")
    return whole


def checked(name: str, kind: str, value: str, ttl: int = TTL) -> Record:
    """A record with a value that fits its type; ValueError says what is wrong."""
    kind = kind.upper()
    if kind not in TYPES:
        raise ValueError(f"The lab's DNS knows {', '.join(TYPES)}, not {kind}.")
    words = value.split()
    if kind in ("A", "AAAA"):
        address = ipaddress.ip_address(value.strip())
        if address.version != (4 if kind == "A" else 6):
            raise ValueError(f"{value} is no address of a record of type {kind}.")
        return record(name, kind, str(address), ttl)
    if kind == "TXT":
        return record(name, kind, value, ttl)
    numbers = {"MX": 1, "SRV": 3}.get(kind, 0)
    if len(words) != numbers + 1 or not all(word.isdigit() and int(word) < 65536 for word in words[:numbers]):
        form = {"MX": "10 host.name", "SRV": "0 0 443 host.name"}.get(kind, "host.name")
        raise ValueError(f"A record of type {kind} is written {form!r}, not {value!r}.")
    target = words[-1].lower().rstrip(".")
    if target and not _NAME.match(target):
        raise ValueError(f"{words[-1]!r} is no DNS name.")
    return record(name, kind, " ".join([*words[:-1], target or "."]), ttl)
