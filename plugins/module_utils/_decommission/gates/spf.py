# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What an SPF record (RFC 7208) allows, as far as a decommission needs it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]  # noqa: UP007  a value at run time


@dataclass(frozen=True)
class Spf:
    """One record: domains that it includes or goes over to, networks that it names, and names whose addresses count.

    ``names`` are the arguments of a and mx; "" stands for the domain itself.
    """

    includes: tuple[str, ...]
    networks: tuple[Network, ...]
    names: tuple[str, ...]


def parse(record: str) -> Spf:
    """A record taken apart. What is malformed is left out: nobody receiving mail would go by it."""
    includes: list[str] = []
    networks: list[Network] = []
    names: list[str] = []
    for term in record.lower().split()[1:]:
        kind, separator, value = _term(term.lstrip("+-~?"))
        if kind in ("include", "redirect") and value:
            includes.append(value.rstrip("."))
        elif kind in ("ip4", "ip6"):
            network = _network(value)
            if network is not None:
                networks.append(network)
        elif kind in ("a", "mx", "exists", "ptr"):
            names.append(value.partition("/")[0].rstrip(".") if separator == ":" else "")
    return Spf(tuple(includes), tuple(networks), tuple(names))


def _term(term: str) -> tuple[str, str, str]:
    for separator in (":", "="):
        if separator in term:
            kind, _separator, value = term.partition(separator)
            return kind, separator, value
    return term.partition("/")[0], "", ""


def holding(spf: Spf, addresses: Iterable[str]) -> list[str]:
    """Those addresses or networks that the record allows to send, of the ones given."""
    found = []
    for text in addresses:
        network = _network(text)
        if network is not None and any(_overlap(network, own) for own in spf.networks):
            found.append(text)
    return sorted(found)


def unknown(spf: Spf, addresses: Iterable[str]) -> list[str]:
    """The networks and names in the record that are none of the addresses given, and that may be anybody's."""
    known = [network for text in addresses if (network := _network(text)) is not None]
    networks = [str(own) for own in spf.networks if not any(_overlap(network, own) for network in known)]
    return [*networks, *(name for name in spf.names if name and "%" not in name)]


def names_of(spf: Spf, hosts: Collection[str]) -> list[str]:
    """Those names in the record that are hosts of the organisation on premises."""
    known = {host.lower() for host in hosts}
    return sorted(name for name in spf.names if name in known)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.overlaps(other)
    if isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
        return one.overlaps(other)
    return False
