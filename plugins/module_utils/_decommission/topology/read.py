# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Reads the Exchange organisation over LDAP: one paged search in each partition, with an account that may only read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import (
    Directory,
    Entry,
    Progress,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import kinds
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import (
    EMT_GROUP,
    Thing,
    Topology,
    fingerprint,
    grouped,
    role_names,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.values import (
    converted,
    domain_of,
    guid,
    integer,
    is_below,
    name_at,
    name_in,
    text,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound

# systemFlags of a crossRef: it stands for a domain.
_IS_DOMAIN = 2
_DOMAIN_FILTER = (
    f"(|(homeMDB=*)(msExchArchiveDatabaseLink=*)(msExchExpansionServerName=*)(name={EMT_GROUP})"
    "(objectClass=msExchSystemObjectsContainer))"
)
_GROUPS = "(objectClass=group)"


@dataclass(frozen=True)
class Identity:
    """What tells an organisation from others, and its servers: all that a readiness is held against."""

    forest: str
    organization: str | None
    fingerprint: str
    servers: tuple[str, ...]


def identify(directory: Directory) -> Identity:
    """The organisation of the forest in one search."""
    wanted = "(|(objectClass=msExchOrganizationContainer)(objectClass=msExchExchangeServer))"
    base = f"{kinds.SERVICES},{directory.configuration_dn}"
    organization: tuple[str, str | None] | None = None
    servers: list[str] = []
    for entry in _search(directory, base, wanted, ("objectClass", "name", "cn", "objectGUID")):
        name = text(entry.values.get("name", ())) or name_in(entry.dn)
        if "msexchexchangeserver" in _classes(entry):
            servers.append(name)
        else:
            organization = (name, guid(entry.values.get("objectGUID", ())))
    forest = domain_of(directory.root_domain_dn)
    return Identity(
        forest=forest,
        organization=organization[0] if organization else None,
        fingerprint=fingerprint(forest, directory.configuration_dn, organization[1] if organization else None),
        servers=tuple(sorted(servers, key=str.casefold)),
    )


def read(directory: Directory, progress: Progress) -> Topology:
    """Everything. Errors are those of the directory; an organisation that does not exist is none."""
    progress.start("read the configuration partition")
    found = list(_configuration(directory, progress))
    progress.start("read the domain partition")
    domains = _domains(directory)
    unread: dict[str, str] = {}
    found += _of_domains(directory, domains, unread, progress)
    return Topology(
        forest=domain_of(directory.root_domain_dn),
        configuration_dn=directory.configuration_dn,
        host=directory.host,
        domains=domains,
        schema_version=_schema_version(directory),
        things=grouped(_with_copies(found)),
        unread=unread,
    )


def _configuration(directory: Directory, progress: Progress) -> Iterator[Thing]:
    classes = "".join(
        f"(objectClass={kind.object_class})"
        for kind in kinds.CONFIGURATION_KINDS
        if kind.name != "service_connection_point"
    )
    points = f"(&(objectClass=serviceConnectionPoint)(keywords={kinds.SCP_KEYWORD}))"
    base = f"{kinds.SERVICES},{directory.configuration_dn}"
    names = kinds.attributes(kinds.CONFIGURATION_KINDS)
    for entry in _search(directory, base, f"(|{classes}{points})", names):
        progress.advance()
        known = next((kinds.BY_CLASS[name] for name in reversed(_classes(entry)) if name in kinds.BY_CLASS), None)
        if known is not None:
            yield _configured(known, entry)


def _configured(kind: kinds.Kind, entry: Entry) -> Thing:
    name = text(entry.values.get("name", ())) or text(entry.values.get("cn", ())) or name_in(entry.dn)
    properties = converted(entry.values, kind.fields)
    if kind.name == "server":
        properties["role_names"] = role_names(properties["roles"])
    elif kind.name == "accepted_domain":
        properties["type"] = kinds.domain_type(properties["flags"])
    elif kind.name == "receive_connector":
        # CN=<connector>,CN=SMTP Receive Connectors,CN=Protocols,CN=<server>,CN=Servers,...
        properties["server"] = name_at(entry.dn, 3)
    elif kind.name == "service_connection_point":
        # CN=<server>,CN=Autodiscover,CN=Protocols,CN=<server>,CN=Servers,...
        properties["server"] = name_at(entry.dn, 3) or name
    elif kind.name == "database_copy":
        properties["database"] = name_at(entry.dn, 1)
        properties["server"] = properties["server"] or name
    return Thing(kind.name, name, entry.dn, properties)


def _with_copies(things: list[Thing]) -> list[Thing]:
    """Each database with the servers that hold a copy, and each availability group with its members."""
    copies = [thing for thing in things if thing.kind == "database_copy"]
    servers = [thing for thing in things if thing.kind == "server"]
    found = []
    for thing in things:
        extra: dict[str, list[str]] = {}
        if thing.kind == "database":
            holders = {copy["server"] for copy in copies if is_below(copy.dn, thing.dn)}
            extra["copies"] = sorted(holders or ({thing["owner"]} if thing["owner"] else set()))
        elif thing.kind == "availability_group":
            extra["members"] = sorted(item.name for item in servers if item["availability_group"] == thing.name)
        found.append(Thing(thing.kind, thing.name, thing.dn, {**thing.properties, **extra}) if extra else thing)
    return found


def _domains(directory: Directory) -> tuple[str, ...]:
    """The DNS names of the forest's domains."""
    base = f"{kinds.PARTITIONS},{directory.configuration_dn}"
    names = [
        (text(entry.values.get("dnsRoot", ())) or domain_of(entry.dn)).lower()
        for entry in _search(directory, base, "(objectClass=crossRef)", ("systemFlags", "dnsRoot"))
        if (integer(entry.values.get("systemFlags", ())) or 0) & _IS_DOMAIN
    ]
    return tuple(sorted(names)) or (domain_of(directory.root_domain_dn),)


def _of_domains(
    directory: Directory, domains: tuple[str, ...], unread: dict[str, str], progress: Progress
) -> Iterator[Thing]:
    """The objects of the domain that is asked, and, through the global catalog, those of the others."""
    own = domain_of(directory.base_dn)
    names = kinds.attributes(kinds.DOMAIN_KINDS)
    yield from _things(_search(directory, _domain_dn(own), _DOMAIN_FILTER, names), progress)
    groups = f"{kinds.SECURITY_GROUPS_OU},{directory.root_domain_dn}"
    if own == domain_of(directory.root_domain_dn):
        yield from _groups(_search(directory, groups, _GROUPS, names))
    others = [name for name in domains if name != own]
    if not others:
        return
    catalog = directory.global_catalog()
    if catalog is None:
        unread |= dict.fromkeys(others, "The global catalog is turned off (directory_global_catalog_port is 0).")
        return
    try:
        everywhere = catalog.search(catalog.base_dn, _DOMAIN_FILTER, names)
        yield from _things((entry for entry in everywhere if domain_of(entry.dn) != own), progress)
        if own != domain_of(directory.root_domain_dn):
            yield from _groups(catalog.search(groups, _GROUPS, names))
    except NotFound:
        return
    except HybridError as error:
        unread |= dict.fromkeys(others, error.message)
    finally:
        catalog.close()


def _domain_dn(domain: str) -> str:
    return ",".join(f"DC={part}" for part in domain.split("."))


def _groups(entries: Iterable[Entry]) -> Iterator[Thing]:
    """The groups that Exchange's setup makes, which lie in an OU of their own."""
    fields = kinds.DOMAIN_KINDS["security_group"].fields
    for entry in entries:
        name = text(entry.values.get("name", ())) or name_in(entry.dn)
        if name.casefold() != EMT_GROUP.casefold():
            yield Thing("security_group", name, entry.dn, converted(entry.values, fields))


def _things(entries: Iterable[Entry], progress: Progress) -> Iterator[Thing]:
    for entry in entries:
        progress.advance()
        yield from _of_domain(entry)


def _of_domain(entry: Entry) -> Iterator[Thing]:
    """What one object of a domain is: a mailbox may be an archive too, and a group several things."""
    name = text(entry.values.get("name", ())) or name_in(entry.dn)

    def thing(kind: str) -> Thing:
        return Thing(kind, name, entry.dn, converted(entry.values, kinds.DOMAIN_KINDS[kind].fields))

    classes = _classes(entry)
    if "group" in classes:
        if name.casefold() == EMT_GROUP.casefold():
            yield thing("emt_group")
        if entry.values.get("msExchExpansionServerName"):
            yield thing("expansion_group")
        return
    if "msexchsystemobjectscontainer" in classes:
        yield thing("system_objects")
        return
    if entry.values.get("homeMDB"):
        yield thing("system_mailbox" if is_system(name, entry) else "mailbox")
    if entry.values.get("msExchArchiveDatabaseLink"):
        yield thing("archive")


def is_system(name: str, entry: Entry) -> bool:
    """Whether a mailbox is one of those that Exchange makes for itself."""
    details = integer(entry.values.get("msExchRecipientTypeDetails", ()))
    return details in kinds.SYSTEM_TYPES or name.casefold().startswith(tuple(map(str.casefold, kinds.SYSTEM_NAMES)))


def _schema_version(directory: Directory) -> int | None:
    entry = directory.read(f"{kinds.SCHEMA_VERSION},{directory.schema_dn}", ("rangeUpper",))
    return integer(entry.values.get("rangeUpper", ())) if entry is not None else None


def _search(directory: Directory, base: str, wanted: str, names: tuple[str, ...]) -> Iterator[Entry]:
    """A search whose base need not exist."""
    try:
        yield from directory.search(base, wanted, names)
    except NotFound:
        return


def _classes(entry: Entry) -> list[str]:
    """The classes of an object, the most general first, as the directory lists them."""
    return [value.decode("ascii", "replace").lower() for value in entry.values.get("objectClass", ())]
