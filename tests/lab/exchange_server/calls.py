# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the endpoint's cmdlets share: the organisation that they work on, identities, and what they put out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.lab.exchange_server import codec, errors
from tests.lab.exchange_server.directory import Found, Refused
from tests.lab.exchange_server.exchange import Exchange, Organization
from tests.lab.exchange_server.kinds import Kind
from tests.lab.forest.entries import split_dn
from tests.lab.windows import paths, places
from tests.lab.windows.call import Call
from tests.lab.windows.values import Obj

DEFAULT_SIZE = 1000
# Parameters that say how a cmdlet works, not what an object is to be.
CONTROL = frozenset(
    (
        "client",
        "confirm",
        "custom",
        "domaincontroller",
        "force",
        "identity",
        "internal",
        "internet",
        "name",
        "partner",
        "publishfederationcertificate",
        "refreshauthmetadata",
        "refreshmetadata",
        "server",
        "skipnamespaceproviderprovisioning",
        "suppressdnswarning",
        "usage",
        "uselegacyprovisioningservice",
        "whatif",
    )
)


@dataclass(frozen=True)
class Work:
    """One call of a cmdlet, with the organisation."""

    call: Call
    exchange: Exchange
    organization: Organization

    @property
    def tenant(self) -> str:
        """Name of the tenant whose forest it is."""
        return self.call.host.tenant

    def done(self, cmdlet: str, identity: str) -> None:
        """Note that something was removed or disabled."""
        with self.exchange.state(self.tenant) as state:
            state["removed"].append({"cmdlet": cmdlet, "identity": identity})


def work(call: Call) -> Work:
    """The organisation of a call; an error where the lab has none."""
    exchange = call.estate.exchange
    if exchange is None:
        raise errors.refused("This lab has no directories.")
    return Work(call, exchange, exchange.organization(call.host.tenant))


def when(found: Found, name: str) -> datetime | None:
    """A moment that an attribute holds as generalized time."""
    value = found.text(name)
    return None if value is None else datetime.strptime(value.partition(".")[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def common(organization: Organization, found: Found) -> dict[str, Any]:
    """What every object of the directory shows."""
    classes = found.classes
    category = found.text("objectCategory") or ""
    return {
        "AdminDisplayName": found.text("adminDisplayName") or "",
        "ExchangeVersion": "0.20 (15.0.0.0)",
        "Name": found.name,
        "DistinguishedName": found.dn,
        "Identity": found.name,
        "Id": found.name,
        "Guid": found.guid,
        "ObjectCategory": f"{organization.forest.domain}/Configuration/Schema/{split_dn(category)[0][3:]}"
        if category
        else "",
        "ObjectClass": classes,
        "WhenChanged": when(found, "whenChanged"),
        "WhenCreated": when(found, "whenCreated"),
        "WhenChangedUTC": when(found, "whenChanged"),
        "WhenCreatedUTC": when(found, "whenCreated"),
        "OrganizationId": "",
        "OriginatingServer": organization.controller,
        "IsValid": True,
        "ObjectState": "Unchanged",
    }


def shown(organization: Organization, kind: Kind, found: Found) -> Obj:
    """An object as its Get- cmdlet gives it."""
    rest = codec.read_rest(found)
    values: dict[str, Any] = {}
    for one in kind.properties:
        values[one.name] = codec.decoded(found, one) if one.attribute else rest.pop(one.name, one.default)
    values |= rest
    if kind.shown is not None:
        values |= kind.shown(organization, found, values)
    properties = {**common(organization, found), **values}
    types = (kind.type_name, "Microsoft.Exchange.Data.Directory.ADConfigurationObject", "System.Object")
    return Obj(types, properties, str(properties["Identity"]), key=found.dn)


def objects(organization: Organization, kind: Kind) -> list[Found]:
    """All objects of a kind."""
    return organization.below(kind.base(organization.places), kind.cls, kind.scope)


def identities(call: Call, name: str = "Identity") -> list[str]:
    """The identities that a call was given, directly or through the pipeline."""
    return [str(one) for one in call.many(name)]


def find(organization: Organization, kind: Kind, identity: str) -> list[Found]:
    """Objects that go by an identity: name, DN, GUID, or ``server\\name``. Wildcards count at the end or beginning."""
    wanted, hits = identity.lower().strip('"'), []
    for found in objects(organization, kind):
        names = [found.name, found.dn, found.guid]
        if kind.shown is not None:
            names.append(str(shown(organization, kind, found).properties["Identity"]))
        if wanted in (one.lower() for one in names) or ("*" in wanted and paths.matches(found.name, identity)):
            hits.append(found)
    return hits


def find_one(organization: Organization, kind: Kind, identity: str) -> Found:
    """The object of an identity; an error where there is none, or several."""
    hits = find(organization, kind, identity)
    if not hits:
        raise errors.not_found(identity, organization.controller)
    if len(hits) > 1:
        raise errors.ambiguous(identity)
    return hits[0]


def limited(call: Call, found: Sequence[Any]) -> Iterable[Any]:
    """As many results as the call wants; a warning when there are more."""
    size = call.get("ResultSize")
    if size is not None and str(size).lower() == "unlimited":
        return found
    limit = DEFAULT_SIZE if size is None else int(str(size))
    if len(found) > limit:
        call.warning(
            "There are more results available than are currently displayed. To view them, increase the value for the "
            "ResultSize parameter."
            if size is not None
            else "By default, only the first 1000 items are returned. Use the ResultSize parameter to specify the "
            'number of items returned. To return all items, specify "-ResultSize Unlimited".'
        )
    return found[:limit]


def server_name(organization: Organization, identity: str) -> str:
    """The name of a server; an error where there is none."""
    found = organization.server(identity)
    if found is None:
        raise errors.not_found(identity, organization.controller)
    return found.name


def host_of(work: Work, server: str) -> Any:
    """The machine of a server; an error when it does not answer."""
    call = work.call
    for host in call.estate.hosts:
        if host.exchange and host.tenant == work.tenant and host.computer == server.upper():
            if host.name != call.host.name and places.EXCHANGE_PORT not in call.estate.open_ports(host):
                raise errors.unreachable(server)
            return host
    raise errors.unreachable(server)


def directory_error(error: Refused) -> Exception:
    """A refusal of the directory as a cmdlet's error."""
    return errors.refused(f"Active Directory operation failed: {error}")
