# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the name servers of one side say of every domain that Exchange takes mail for."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import read_cloud as cloud
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Resolver
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError

# Microsoft runs the records of these domains itself: <tenant>.onmicrosoft.com and those below.
OWN_SUFFIXES = ("onmicrosoft.com", "onmicrosoft.us", "partner.onmschina.cn", "onmicrosoft.fr", "onmicrosoft.de")
_ALIASES_AT_MOST = 5


@dataclass(frozen=True)
class Records:
    """The records of one domain. ``autodiscover`` are aliases and addresses, each as "CNAME host" or "A address".

    ``unread`` has the error for each kind of record that could not be read: mx, spf, autodiscover, srv.
    """

    domain: str
    mx: tuple[str, ...] = ()
    spf: tuple[str, ...] = ()
    autodiscover: tuple[str, ...] = ()
    srv: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """One side: its name servers in words, the records of each domain, and the addresses of the Exchange servers.

    ``incomplete`` says why domains may be missing, where they may.
    """

    name: str
    domains: tuple[Records, ...]
    servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    incomplete: str = ""


def internal(facts: Facts) -> Side:
    """What clients inside see."""
    return _side(facts.ends.dns_internal(), facts)


def external(facts: Facts) -> Side:
    """What the world sees."""
    return _side(facts.ends.dns_external(), facts)


def expected_mx(facts: Facts) -> dict[str, str]:
    """What Exchange Online expects as MX record of the domains that have one for DNSSEC."""
    side: Side = facts.value("dns_external")
    names = [item.domain for item in side.domains if any(host_of(mx).endswith(".mx.microsoft") for mx in item.mx)]
    return cloud.expected_mx(facts, names)


def domains(topology: Topology, accepted: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Every authoritative domain that either side takes mail for, but for those whose records Microsoft runs."""
    here = [thing["domain"] for thing in topology.of("accepted_domain") if thing["type"] in ("authoritative", None)]
    there = [row.get("DomainName") for row in accepted if str(row.get("DomainType") or "") in ("Authoritative", "")]
    names = {str(name).lower().removeprefix("*.").rstrip(".") for name in (*here, *there) if name and name != "*"}
    return tuple(sorted(name for name in names if not _is_own(name)))


def addresses(facts: Facts) -> frozenset[str]:
    """Addresses of the organisation on premises: those given, of the servers, and those that connectors name."""
    found = {item.strip() for item in facts.wanted.on_premises_addresses}
    for side in ("dns_internal", "dns_external"):
        try:
            known: Side = facts.value(side)
        except HybridError:
            continue  # a gate of that side says so
        found |= {address for items in known.servers.values() for address in items}
    for row in facts.value("inbound_connectors"):
        given = row.get("SenderIPAddresses")
        found |= set(map(str, given)) if isinstance(given, list) else {str(given or "")}
    return frozenset(item for item in found if item)


def host_of(record: str) -> str:
    """The host in an MX or SRV record."""
    return record.split()[-1] if record.split() else ""


def _is_own(name: str) -> bool:
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in OWN_SUFFIXES)


def _side(resolver: Resolver, facts: Facts) -> Side:
    topology: Topology = facts.value("topology")
    incomplete = ""
    try:
        accepted = facts.value("accepted_domains")
    except HybridError as error:
        accepted, incomplete = [], error.message
    found = []
    for domain in domains(topology, accepted):
        found.append(read_domain(resolver, domain))
        facts.ends.progress.advance()
    return Side(resolver.name, tuple(found), _server_addresses(resolver, topology, facts), incomplete)


def read_domain(resolver: Resolver, domain: str) -> Records:
    """The records of one domain; a kind that cannot be read does not hide the others."""
    unread: dict[str, str] = {}

    def ask(part: str, name: str, kind: str) -> Sequence[str]:
        try:
            return resolver.ask(name, kind)
        except HybridError as error:
            unread.setdefault(part, error.message)
            return ()

    texts = ask("spf", domain, "TXT")
    return Records(
        domain=domain,
        mx=tuple(ask("mx", domain, "MX")),
        spf=tuple(text for text in texts if text.lower().split(" ")[0] == "v=spf1"),
        autodiscover=tuple(_autodiscover(f"autodiscover.{domain}", ask)),
        srv=tuple(ask("srv", f"_autodiscover._tcp.{domain}", "SRV")),
        unread=unread,
    )


def _autodiscover(name: str, ask: Callable[[str, str, str], Sequence[str]]) -> list[str]:
    """The aliases from a name on, and, where the last one is no alias any more, what addresses the name has."""
    found: list[str] = []
    for _step in range(_ALIASES_AT_MOST):
        aliases = ask("autodiscover", name, "CNAME")
        if not aliases:
            break
        name = aliases[0]
        found.append(f"CNAME {name}")
    if found:
        return found
    return [f"{kind} {address}" for kind in ("A", "AAAA") for address in ask("autodiscover", name, kind)]


def _server_addresses(resolver: Resolver, topology: Topology, facts: Facts) -> dict[str, tuple[str, ...]]:
    """The addresses of the Exchange servers, as this side has them, and those that the options give.

    A server that AD has no more is known by the option: what it sent is still in the logs of the others.
    """
    names = {server.name: [str(server["fqdn"] or "")] for server in topology.of("server")}
    called = {name.casefold(): name for name in names}
    for server, host in facts.wanted.hosts.items():
        names.setdefault(called.get(server, server), []).insert(0, host)
    names |= {name: [name] for name in mail_hosts(topology)}
    return {
        server: tuple(dict.fromkeys(address for host in hosts if host for address in _addresses_of(resolver, host)))
        for server, hosts in names.items()
    }


def mail_hosts(topology: Topology) -> tuple[str, ...]:
    """The names by which the servers are known outside, as far as the hybrid configuration tells."""
    names = (str(thing["smart_host"] or "").lower() for thing in topology.of("hybrid_configuration"))
    return tuple(sorted({name for name in names if name and not _is_address(name)}))


def _addresses_of(resolver: Resolver, name: str) -> list[str]:
    if _is_address(name):
        return [name]
    try:
        return [address for kind in ("A", "AAAA") for address in resolver.ask(name, kind)]
    except HybridError:
        return []  # the side's own records tell that it does not answer


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
