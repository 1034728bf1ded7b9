# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a running forest back to its seed, over LDAP as administrator. Only differences are written.

What comes back: deleted objects (with their objectGUID and SID, from their tombstones), moved and renamed objects,
attribute values, the security descriptors of the users that do not inherit. What goes: objects below the seeded units
and below the Exchange organisation that the seed does not have. Not touched: passwords, and security descriptors of
other objects.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3

from tests.lab.forest.access import open_directory
from tests.lab.forest.entries import Entry, Values, canonical_dn, split_dn
from tests.lab.forest.people import root_dn
from tests.lab.forest.recipients import organization_dn
from tests.lab.forest.schema import ATTRIBUTES, DN
from tests.lab.forest.tree import archive_unit, seed, service_unit
from tests.lab.settings import DESCRIPTORS, Forest
from tests.lab.settings import forest as find_forest
from tests.lab.settings import settings as settings_of

PAGE_SIZE = 500
SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)
_DACL_ONLY = ldap3.protocol.microsoft.security_descriptor_control(sdflags=0x04)
_DACL_PROTECTED = 0x1000
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
_SET_BY_SERVER = {
    "accountExpires": (b"0", b"9223372036854775807"),
    "countryCode": (b"0",),
    "adminCount": (b"0",),
}
_DN_ATTRIBUTES = {"member", "manager", *(a.name for a in ATTRIBUTES if a.syntax is DN)}


@dataclass(frozen=True)
class _Found:
    dn: str
    guid: bytes
    attributes: dict[str, Values]


_clean_at: dict[tuple[str, Path | None], int] = {}  # highestCommittedUSN right after a reset of this process


def reset(forest_name: str, run_dir: Path | None = None) -> dict[str, int]:
    """Undo every change to the seeded part of a forest. Returns how many objects were changed, by what was done.

    After the first reset of a process, only objects that the directory has written since are looked at, unless some
    of them were deleted, moved or added: then everything is compared.
    Raises :class:`tests.lab.forest.access.DirectoryUnavailable`, or ``RuntimeError`` when the directory refuses.
    """
    forest = find_forest(forest_name)
    connection = open_directory(forest.name, "administrator", run_dir)
    try:
        clean, committed = _clean_at.get((forest.name, run_dir)), _committed(connection)
        if clean == committed:
            return {}
        done: Counter[str] = Counter()
        few = _changed_since(connection, forest, clean) if clean is not None and clean < committed else None
        if few is not None:
            for entry, found in few:
                if _restore_values(connection, entry, found):
                    done["restored"] += 1
            _restore_descriptors(connection, [entry for entry, _found in few], forest, run_dir, done)
            _clean_at[(forest.name, run_dir)] = _committed(connection)
            return dict(done)
        matched, extra = _compare(connection, forest)
        _bring_back(connection, forest, matched, done)
        _move(connection, forest, matched, done)
        for found in sorted(extra, key=lambda item: len(canonical_dn(item.dn)), reverse=True):
            _check(connection, connection.delete(found.dn), "delete", found.dn)
            done["removed"] += 1
        if done:
            matched, _extra = _compare(connection, forest)
        for entry in seed(forest.name):
            if _restore_values(connection, entry, matched[entry.guid]):
                done["restored"] += 1
        _restore_descriptors(connection, seed(forest.name), forest, run_dir, done)
        _clean_at[(forest.name, run_dir)] = _committed(connection)
        return dict(done)
    finally:
        connection.unbind()


def _committed(connection: ldap3.Connection) -> int:
    """The domain controller's highestCommittedUSN, which grows with every write."""
    connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"])
    return int(connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])


def watched(forest_name: str) -> tuple[str, ...]:
    """The attributes that a reset looks at: all that the seed sets, all of the recipients', and the identity's."""
    names = {name for entry in seed(forest_name) for name in entry.attributes}
    names.update(attribute.name for attribute in ATTRIBUTES)
    return tuple(sorted(names | set(_IDENTITY)))


def _changed_since(connection: ldap3.Connection, forest: Forest, usn: int) -> list[tuple[Entry, _Found]] | None:
    """Seeded objects that were changed after ``usn`` where they lie; None where more happened than changed values."""
    by_guid = {entry.guid_bytes: entry for entry in seed(forest.name)}
    watched_below = [canonical_dn(base) for base in _bases(forest)]
    archive = canonical_dn(archive_unit(forest))
    wanted = ("objectGUID", *watched(forest.name))
    result = []
    for partition in (forest.base_dn, f"CN=Configuration,{forest.base_dn}"):
        condition = f"(uSNChanged>={usn + 1})"
        for found in _search(connection, partition, condition, ("objectGUID", "isDeleted"), deleted=True):
            place, entry = canonical_dn(found.dn), by_guid.get(found.guid)
            if entry is None:
                if any(place[-len(base) :] == base for base in watched_below):
                    return None
                continue
            if "isDeleted" in found.attributes or place != canonical_dn(entry.dn) or place[-len(archive) :] == archive:
                return None
            result += [
                (entry, now) for now in _search(connection, entry.dn, "(objectClass=*)", wanted, scope=ldap3.BASE)
            ]
    return result


def _compare(connection: ldap3.Connection, forest: Forest) -> tuple[dict[str, _Found], list[_Found]]:
    """Seeded objects by the seed's GUID, and objects that the seed does not have."""
    by_guid = {entry.guid_bytes: entry for entry in seed(forest.name)}
    by_dn = {canonical_dn(entry.dn): entry for entry in seed(forest.name)}
    matched: dict[str, _Found] = {}
    rest: list[_Found] = []
    for found in _read(connection, forest):
        entry = by_guid.get(found.guid)
        if entry is None:
            rest.append(found)
        else:
            matched[entry.guid] = found
    extra = []
    for found in rest:
        entry = by_dn.get(canonical_dn(found.dn))
        if entry is not None and entry.guid not in matched:
            matched[entry.guid] = found  # recreated by somebody: it has a GUID of its own
        else:
            extra.append(found)
    return matched, extra


def _read(connection: ldap3.Connection, forest: Forest) -> Iterator[_Found]:
    names = watched(forest.name)
    for base in _bases(forest):
        wanted = ("objectGUID",) if base == archive_unit(forest) else ("objectGUID", *names)
        yield from _search(connection, base, "(objectClass=*)", wanted)


def _bases(forest: Forest) -> list[str]:
    """Below these lies everything that is seeded."""
    exchange = organization_dn(forest).split(",", 1)[1]
    domain = {
        canonical_dn(e.dn)[-3:] for e in seed(forest.name) if canonical_dn(e.dn)[-2:] == canonical_dn(forest.base_dn)
    }
    own = [e.dn for e in seed(forest.name) if canonical_dn(e.dn) in domain]
    return list(dict.fromkeys((root_dn(forest), service_unit(forest), exchange, *own)))


def _search(
    connection: ldap3.Connection,
    base: str,
    condition: str,
    names: Iterable[str],
    deleted: bool = False,
    scope: str = ldap3.SUBTREE,
) -> Iterator[_Found]:
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
        yield _Found(answer["dn"], guid, values)
    if connection.result["result"] not in (0, 32):  # 32: the base was deleted; what it held is brought back
        _check(connection, False, "search below", base)


def _bring_back(connection: ldap3.Connection, forest: Forest, matched: dict[str, _Found], done: Counter[str]) -> None:
    missing = [entry for entry in seed(forest.name) if entry.guid not in matched]
    elsewhere = _anywhere(connection, forest, missing)
    for entry in missing:
        found = elsewhere.get(entry.guid)
        if found is not None and b"TRUE" not in found.attributes.get("isDeleted", ()):
            matched[entry.guid] = found  # moved out of the seeded units
            continue
        if found is not None:
            changes = {
                "isDeleted": [(ldap3.MODIFY_DELETE, [])],
                "distinguishedName": [(ldap3.MODIFY_REPLACE, [entry.dn])],
            }
            _check(connection, connection.modify(found.dn, changes, controls=[SHOW_DELETED]), "bring back", entry.dn)
            done["brought_back"] += 1
        else:
            values = {name: list(value) for name, value in entry.attributes.items()}
            _check(connection, connection.add(entry.dn, list(entry.classes), values), "add", entry.dn)
            done["added"] += 1
        matched[entry.guid] = _Found(entry.dn, entry.guid_bytes, {})


def _anywhere(connection: ldap3.Connection, forest: Forest, entries: list[Entry]) -> dict[str, _Found]:
    """Missing objects that live elsewhere in their partition, or as tombstones."""
    result = {}
    configuration = f"CN=Configuration,{forest.base_dn}"
    for entry in entries:
        base = configuration if entry.dn.endswith(configuration) else forest.base_dn
        escaped = "".join(f"\\{byte:02x}" for byte in entry.guid_bytes)
        for found in _search(connection, base, f"(objectGUID={escaped})", ("objectGUID", "isDeleted"), deleted=True):
            result[entry.guid] = found
    return result


def _move(connection: ldap3.Connection, forest: Forest, matched: dict[str, _Found], done: Counter[str]) -> None:
    for entry in seed(forest.name):
        found = matched[entry.guid]
        if canonical_dn(found.dn) == canonical_dn(entry.dn):
            continue
        name, parent = split_dn(entry.dn)
        _check(connection, connection.modify_dn(found.dn, name, new_superior=parent), "move back", entry.dn)
        done["moved"] += 1


def _restore_values(connection: ldap3.Connection, entry: Entry, found: _Found) -> bool:
    changes: dict[str, Any] = {}
    for name in found.attributes.keys() | entry.attributes.keys():
        wanted, actual = entry.attributes.get(name, ()), found.attributes.get(name, ())
        if not wanted and actual[:1] and actual[0] in _SET_BY_SERVER.get(name, ()):
            continue
        if _comparable(name, wanted) != _comparable(name, actual):
            changes[name] = [(ldap3.MODIFY_REPLACE, list(wanted))]
    if changes:
        _check(connection, connection.modify(entry.dn, changes), "restore", entry.dn)
    return bool(changes)


def _comparable(name: str, values: Values) -> set[Any]:
    if name in _DN_ATTRIBUTES:
        return {canonical_dn(value.decode()) for value in values}
    return set(values)


def _restore_descriptors(
    connection: ldap3.Connection, entries: Iterable[Entry], forest: Forest, run_dir: Path | None, done: Counter[str]
) -> None:
    stored = json.loads((settings_of(run_dir).forest_dir(forest.name) / DESCRIPTORS).read_text())
    for entry in entries:
        if entry.sddl is None:
            continue
        connection.search(
            entry.dn, "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"], controls=_DACL_ONLY
        )
        current = connection.response[0]["raw_attributes"]["nTSecurityDescriptor"][0]
        if int.from_bytes(current[2:4], "little") & _DACL_PROTECTED:
            continue
        change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [bytes.fromhex(stored[entry.guid])])]}
        _check(connection, connection.modify(entry.dn, change, controls=_DACL_ONLY), "protect", entry.dn)
        done["protected"] += 1


def _check(connection: ldap3.Connection, success: bool, what: str, dn: str) -> None:
    if not success:
        result = connection.result
        raise RuntimeError(f"reset cannot {what} {dn}: {result['description']} {result['message']}")
