# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a running forest for its reset: what is there of the seed, what is not, and what is there besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ldap3
from ldap3.utils.conv import escape_filter_chars

from tests.lab.forest.entries import Entry, Values, canonical_dn, split_dn
from tests.lab.forest.people import root_dn
from tests.lab.forest.recipients import organization_dn
from tests.lab.forest.schema import ATTRIBUTES
from tests.lab.forest.tree import archive_unit, seed, service_unit
from tests.lab.settings import Forest

PAGE_SIZE = 500
_MANY = 8  # from this many missing objects on, all tombstones are read at once
SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)
_IDENTITY = (
    "accountExpires",
    "adminCount",
    "adminDescription",
    "c",
    "co",
    "company",
    "countryCode",
    "department",
    "description",
    "displayName",
    "givenName",
    "info",
    "initials",
    "l",
    "mobile",
    "mS-DS-ConsistencyGuid",
    "msDS-ExternalDirectoryObjectId",
    "msDS-ObjectSoa",
    "physicalDeliveryOfficeName",
    "postalCode",
    "showInAddressBook",
    "sn",
    "st",
    "streetAddress",
    "textEncodedORAddress",
    "title",
)


@dataclass(frozen=True)
class Found:
    dn: str
    guid: bytes
    attributes: dict[str, Values]


def committed(connection: ldap3.Connection) -> int:
    """The domain controller's highestCommittedUSN, which grows with every write."""
    connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"])
    return int(connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])


def watched(forest_name: str) -> tuple[str, ...]:
    """The attributes that a reset looks at: all that the seed sets, all of the recipients', and the identity's."""
    names = {name for entry in seed(forest_name) for name in entry.attributes}
    names.update(attribute.name for attribute in ATTRIBUTES)
    return tuple(sorted(names | set(_IDENTITY)))


def compare(connection: ldap3.Connection, forest: Forest) -> tuple[dict[str, Found], list[Found]]:
    """Seeded objects by the seed's GUID, and objects that the seed does not have."""
    by_guid = {entry.guid_bytes: entry for entry in seed(forest.name)}
    by_dn = {canonical_dn(entry.dn): entry for entry in seed(forest.name)}
    matched: dict[str, Found] = {}
    rest: list[Found] = []
    for found in read(connection, forest):
        entry = by_guid.get(found.guid)
        if entry is None:
            rest.append(found)
        else:
            matched[entry.guid] = found
    extra = []
    for found in rest:
        entry = by_dn.get(canonical_dn(found.dn))
        if entry is not None and entry.guid not in matched:
            matched[entry.guid] = found  # an impostor: recreated by somebody, with a GUID of its own
        else:
            extra.append(found)
    return matched, extra


def read(connection: ldap3.Connection, forest: Forest) -> Iterator[Found]:
    names = watched(forest.name)
    for base in bases(forest):
        wanted = ("objectGUID",) if base == archive_unit(forest) else ("objectGUID", *names)
        yield from search(connection, base, "(objectClass=*)", wanted)
    for parent, condition in lone(forest).items():
        yield from search(connection, parent, condition, ("objectGUID", *names), scope=ldap3.LEVEL)


def bases(forest: Forest) -> list[str]:
    """Below these lies everything that is seeded."""
    exchange = organization_dn(forest).split(",", 1)[1]
    domain = {
        canonical_dn(e.dn)[-3:] for e in seed(forest.name) if canonical_dn(e.dn)[-2:] == canonical_dn(forest.base_dn)
    }
    own = [e.dn for e in seed(forest.name) if canonical_dn(e.dn) in domain]
    return list(dict.fromkeys((root_dn(forest), service_unit(forest), exchange, *own)))


def lone(forest: Forest) -> dict[str, str]:
    """Seeded objects in containers that the seed does not own: by container, a filter for their names."""
    owned = [canonical_dn(base) for base in bases(forest)]
    found: dict[str, list[str]] = {}
    for entry in seed(forest.name):
        place = canonical_dn(entry.dn)
        if not any(place[-len(base) :] == base for base in owned):
            name, parent = split_dn(entry.dn)
            found.setdefault(parent, []).append(f"(cn={escape_filter_chars(name.partition('=')[2])})")
    return {parent: f"(|{''.join(names)})" for parent, names in found.items()}


def search(
    connection: ldap3.Connection,
    base: str,
    condition: str,
    names: Iterable[str],
    deleted: bool = False,
    scope: str = ldap3.SUBTREE,
) -> Iterator[Found]:
    answers = connection.extend.standard.paged_search(
        base,
        condition,
        search_scope=scope,
        attributes=list(names),
        paged_size=PAGE_SIZE,
        controls=[SHOW_DELETED] if deleted else None,
        generator=True,
    )
    for answer in answers:
        if answer["type"] != "searchResEntry":
            continue
        values = {name: tuple(found) for name, found in answer["raw_attributes"].items() if found}
        guid = values.pop("objectGUID")[0]
        yield Found(answer["dn"], guid, values)
    if connection.result["result"] not in (0, 32):  # 32: the base was deleted; what it held is brought back
        check(connection, False, "search below", base)


def anywhere(connection: ldap3.Connection, forest: Forest, entries: list[Entry]) -> dict[str, Found]:
    """Missing objects that live elsewhere in their partition, or as tombstones."""
    result: dict[str, Found] = {}
    configuration = f"CN=Configuration,{forest.base_dn}"
    if len(entries) >= _MANY:
        wanted = {entry.guid_bytes: entry.guid for entry in entries}
        for base in (configuration, forest.base_dn):
            for found in search(connection, base, "(isDeleted=TRUE)", ("objectGUID", "isDeleted"), deleted=True):
                if found.guid in wanted:
                    result[wanted[found.guid]] = found
    for entry in entries:
        if entry.guid in result:
            continue
        base = configuration if entry.dn.endswith(configuration) else forest.base_dn
        escaped = "".join(f"\\{byte:02x}" for byte in entry.guid_bytes)
        for found in search(connection, base, f"(objectGUID={escaped})", ("objectGUID", "isDeleted"), deleted=True):
            result[entry.guid] = found
    return result


def check(connection: ldap3.Connection, success: bool, what: str, dn: str) -> None:
    if not success:
        result = connection.result
        raise RuntimeError(f"reset cannot {what} {dn}: {result['description']} {result['message']}")
