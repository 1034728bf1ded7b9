# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What has to be known of tenant and organization before anybody can say which objects belong to the hybrid set-up."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GUID = re.compile(GUID)
# The tenant's own domain for mail between the sides, in each cloud: <tenant>.mail.<suffix>.
ROUTING_SUFFIXES = ("onmicrosoft.com", "onmicrosoft.us", "partner.onmschina.cn", "onmicrosoft.fr", "onmicrosoft.de")
_ROUTING = re.compile(rf"[^.@]+\.mail\.(?:{'|'.join(map(re.escape, ROUTING_SUFFIXES))})", re.IGNORECASE)
# Where the hybrid agent publishes the servers: <application id>.resource.mailboxmigration.his.msappproxy.net.
_PUBLISHED = re.compile(rf"({GUID})\.resource\.", re.IGNORECASE)
_APP_ID = re.compile(rf"[?&]appId=({GUID})", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """What the rules judge by.

    ``routing_domains``: the tenant's domains for mail between the sides. ``organization_guids``: the ids of the
    organization on premises. ``own``: what Exchange Online's record of this organization refers to, by kind, in lower
    case, and the record itself; ``others``: what the records of other organizations refer to, whose ids are
    ``other_guids``. ``application_ids``: of the hybrid agent's registrations. ``auth_certificates``: thumbprints of
    the organization's certificates for OAuth; None where nobody could tell them. ``servers``: full names of servers.
    """

    routing_domains: tuple[str, ...] = ()
    organization_guids: frozenset[str] = frozenset()
    other_guids: frozenset[str] = frozenset()
    own: Mapping[str, frozenset[str]] = field(default_factory=dict)
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    application_ids: frozenset[str] = frozenset()
    auth_certificates: frozenset[str] | None = None
    servers: tuple[str, ...] = ()


# Which properties of Exchange Online's record of an organization refer to objects of which kind.
REFERENCES: Mapping[str, str] = {
    "InboundConnector": "inbound_connector",
    "OutboundConnector": "outbound_connector",
    "OrganizationRelationship": "organization_relationship",
}


def routing_domains(accepted: Iterable[Row]) -> tuple[str, ...]:
    """The tenant's domains for mail between the sides, among its accepted domains."""
    names = (str(row.get("DomainName") or row.get("Name") or "").lower() for row in accepted)
    return tuple(dict.fromkeys(name for name in names if _ROUTING.fullmatch(name)))


def text(value: Any) -> str:
    """A property as one text; identities in Exchange's answers may be objects with a name."""
    if isinstance(value, Mapping):
        value = value.get("Name") or value.get("DistinguishedName") or value.get("Identity") or ""
    return "" if value is None else str(value).strip()


def texts(value: Any) -> tuple[str, ...]:
    """A multi-valued property as texts; a single value is one."""
    if value is None or value == "":
        return ()
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(found for item in items if (found := text(item)))


def last_part(identity: str) -> str:
    """The name at the end of an identity such as EX01\\Default Frontend EX01 or a path with slashes, in lower case."""
    return re.split(r"[\\/]", identity)[-1].strip().lower()


def name_of(row: Row) -> str:
    """What to call an object in messages."""
    return text(row.get("Name")) or text(row.get("Identity")) or text(row.get("Guid")) or "(without a name)"


def identity_of(row: Row) -> str:
    """What names an object in a cmdlet, for good: its identity, else its name."""
    return text(row.get("Identity")) or text(row.get("Name"))


def guids_in(value: str) -> frozenset[str]:
    """The GUIDs in a text, in lower case."""
    return frozenset(found.lower() for found in _GUID.findall(value))


def application_ids(*values: str) -> frozenset[str]:
    """The ids of hybrid agent registrations that addresses and host names hold."""
    return frozenset(
        found.lower() for value in values for pattern in (_APP_ID, _PUBLISHED) for found in pattern.findall(value)
    )


def thumbprint(value: Any) -> str | None:
    """A thumbprint as 40 hexadecimal digits in upper case, whether given as such or as Graph's base64; else None."""
    given = re.sub(r"[\s:]", "", text(value))
    if re.fullmatch(r"[0-9a-fA-F]{40}", given):
        return given.upper()
    try:
        raw = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) == 20:
        return raw.hex().upper()
    decoded = raw.decode("ascii", "replace")
    return decoded.upper() if re.fullmatch(r"[0-9a-fA-F]{40}", decoded) else None


def references(organizations: Iterable[Row]) -> dict[str, frozenset[str]]:
    """What records of on-premises organizations refer to, by kind, as last parts of names."""
    rows = list(organizations)
    return {
        kind: frozenset(last_part(item) for row in rows for item in texts(row.get(name)))
        for name, kind in REFERENCES.items()
    }
