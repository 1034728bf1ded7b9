# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a running forest back to its seed, over LDAP as administrator. Only differences are written.

What comes back: deleted objects (with their objectGUID and SID, from their tombstones), moved and renamed objects,
attribute values, the security descriptors of the users that do not inherit, memberships in the domain's own groups.
What goes: objects below the seeded units and below the Exchange organisation that the seed does not have, and objects
that somebody put in the place of deleted ones. Not touched: passwords, and security descriptors of other objects.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ldap3

from tests.lab.forest.access import open_directory
from tests.lab.forest.entries import Entry, Values, canonical_dn, split_dn
from tests.lab.forest.reset_reading import (
    SHOW_DELETED,
    Found,
    anywhere,
    bases,
    check,
    committed,
    compare,
    lone,
    search,
    watched,
)
from tests.lab.forest.schema import ATTRIBUTES, DN
from tests.lab.forest.tree import archive_unit, built_in_members, seed
from tests.lab.settings import DESCRIPTORS, Forest
from tests.lab.settings import forest as find_forest
from tests.lab.settings import settings as settings_of

_DACL_ONLY = ldap3.protocol.microsoft.security_descriptor_control(sdflags=0x04)
_DACL_PROTECTED = 0x1000
_NEVER = b"9223372036854775807"
_SET_BY_SERVER = {
    "accountExpires": (b"0", _NEVER),
    "countryCode": (b"0",),
    "adminCount": (b"0",),
}
_DN_ATTRIBUTES = {"member", "manager", *(a.name for a in ATTRIBUTES if a.syntax is DN)}
Place = tuple[tuple[str, str], ...]  # a canonical DN
_clean_at: dict[tuple[str, Path | None], int] = {}  # highestCommittedUSN right after a reset of this process


@dataclass(frozen=True)
class _Known:
    """What a reset of a few objects has to know of the seed; making it takes longer than such a reset."""

    by_guid: dict[bytes, Entry]
    places: frozenset[Place]
    shared: frozenset[Place]  # containers of others that hold seeded objects
    bases: tuple[Place, ...]
    archive: Place
    watched: tuple[str, ...]


def reset(forest_name: str, run_dir: Path | None = None) -> dict[str, int]:
    """Undo every change to the seeded part of a forest. Returns how many objects were changed, by what was done.

    After the first reset of a process, only objects that the directory has written since are looked at, unless some
    of them were deleted, moved or added: then everything is compared.
    Raises :class:`tests.lab.forest.access.DirectoryUnavailable`, or ``RuntimeError`` when the directory refuses.
    """
    forest = find_forest(forest_name)
    connection = open_directory(forest.name, "administrator", run_dir)
    try:
        clean, now = _clean_at.get((forest.name, run_dir)), committed(connection)
        if clean == now:
            return {}
        done: Counter[str] = Counter()
        few = _changed_since(connection, forest, clean) if clean is not None and clean < now else None
        if few is not None:
            for entry, found in few:
                if _restore_values(connection, entry, found):
                    done["restored"] += 1
            _restore_descriptors(connection, [entry for entry, _found in few], forest, run_dir, done)
            _restore_memberships(connection, forest, done)
            _clean_at[(forest.name, run_dir)] = committed(connection)
            return dict(done)
        matched, extra = compare(connection, forest)
        _remove_impostors(connection, matched, done)
        back = _bring_back(connection, forest, matched, done)
        moved = _move(connection, forest, matched, done)
        for found in sorted(extra, key=lambda item: len(canonical_dn(item.dn)), reverse=True):
            check(connection, connection.delete(found.dn), "delete", found.dn)
            done["removed"] += 1
        if moved:  # others refer to them by their names
            matched, _extra = compare(connection, forest)
        for entry in back:  # what a directory gives back has few of its values
            names = ("objectGUID", *watched(forest.name))
            for found in search(connection, entry.dn, "(objectClass=*)", names, scope=ldap3.BASE):
                matched[entry.guid] = found
        for entry in seed(forest.name):
            if _restore_values(connection, entry, matched[entry.guid]):
                done["restored"] += 1
        _restore_descriptors(connection, seed(forest.name), forest, run_dir, done)
        _restore_memberships(connection, forest, done)
        _clean_at[(forest.name, run_dir)] = committed(connection)
        return dict(done)
    finally:
        connection.unbind()


def _changed_since(connection: ldap3.Connection, forest: Forest, usn: int) -> list[tuple[Entry, Found]] | None:
    """Seeded objects that were changed after ``usn`` where they lie; None where more happened than changed values."""
    known = _known(forest.name)
    wanted = ("objectGUID", "isDeleted", *known.watched)
    result = []
    for partition in (forest.base_dn, f"CN=Configuration,{forest.base_dn}"):
        for found in search(connection, partition, f"(uSNChanged>={usn + 1})", wanted, deleted=True):
            place, entry = canonical_dn(found.dn), known.by_guid.get(found.guid)
            if entry is None:
                if any(place[-len(base) :] == base for base in known.bases):
                    return None
                if place[1:] in known.shared and place in known.places:
                    return None  # somebody else's object in the place of a seeded one
                continue
            if "isDeleted" in found.attributes or place != canonical_dn(entry.dn):
                return None
            if place[-len(known.archive) :] == known.archive:
                return None
            result.append((entry, found))
    return result


@cache
def _known(forest_name: str) -> _Known:
    forest = find_forest(forest_name)
    return _Known(
        {entry.guid_bytes: entry for entry in seed(forest.name)},
        frozenset(canonical_dn(entry.dn) for entry in seed(forest.name)),
        frozenset(canonical_dn(parent) for parent in lone(forest)),
        tuple(canonical_dn(base) for base in bases(forest)),
        canonical_dn(archive_unit(forest)),
        watched(forest.name),
    )


def _remove_impostors(connection: ldap3.Connection, matched: dict[str, Found], done: Counter[str]) -> None:
    """Delete what stands in a seeded object's place, so that the real one can come back; what holds others stays."""
    impostors = [(guid, found) for guid, found in matched.items() if found.guid != uuid.UUID(guid).bytes_le]
    for guid, found in sorted(impostors, key=lambda one: len(canonical_dn(one[1].dn)), reverse=True):
        if connection.delete(found.dn):
            del matched[guid]
            done["removed"] += 1
        elif connection.result["description"] != "notAllowedOnNonLeaf":
            check(connection, False, "delete", found.dn)


def _bring_back(
    connection: ldap3.Connection, forest: Forest, matched: dict[str, Found], done: Counter[str]
) -> list[Entry]:
    """What was deleted, or lies elsewhere, is there again; returns those objects."""
    missing = [entry for entry in seed(forest.name) if entry.guid not in matched]
    elsewhere = anywhere(connection, forest, missing)
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
            check(connection, connection.modify(found.dn, changes, controls=[SHOW_DELETED]), "bring back", entry.dn)
            check(connection, connection.modify(entry.dn, _unmarked(entry)), "unmark", entry.dn)
            done["brought_back"] += 1
        else:
            values = {name: list(value) for name, value in entry.attributes.items()}
            check(connection, connection.add(entry.dn, list(entry.classes), values), "add", entry.dn)
            done["added"] += 1
        matched[entry.guid] = Found(entry.dn, entry.guid_bytes, {})
    return missing


def _unmarked(entry: Entry) -> dict[str, Any]:
    """What the server writes into an object that came back, and an object has not that was never away."""
    changes: dict[str, Any] = {"lastKnownParent": [(ldap3.MODIFY_REPLACE, [])]}
    if {"user", "group"} & set(entry.classes):
        changes |= {name: [(ldap3.MODIFY_REPLACE, [])] for name in ("adminCount", "operatorCount")}
    if "user" in entry.classes:
        changes["accountExpires"] = [(ldap3.MODIFY_REPLACE, [_NEVER])]
    return changes


def _move(connection: ldap3.Connection, forest: Forest, matched: dict[str, Found], done: Counter[str]) -> bool:
    """What was moved or renamed lies where it was; returns whether there was anything."""
    moved = False
    for entry in seed(forest.name):
        found = matched[entry.guid]
        if canonical_dn(found.dn) == canonical_dn(entry.dn):
            continue
        name, parent = split_dn(entry.dn)
        check(connection, connection.modify_dn(found.dn, name, new_superior=parent), "move back", entry.dn)
        done["moved"] += 1
        moved = True
    return moved


def _restore_values(connection: ldap3.Connection, entry: Entry, found: Found) -> bool:
    changes: dict[str, Any] = {}
    for name in found.attributes.keys() | entry.attributes.keys():
        wanted, actual = entry.attributes.get(name, ()), found.attributes.get(name, ())
        if not wanted and actual[:1] and actual[0] in _SET_BY_SERVER.get(name, ()):
            continue
        if _comparable(name, wanted) != _comparable(name, actual):
            changes[name] = [(ldap3.MODIFY_REPLACE, list(wanted))]
    if changes:
        check(connection, connection.modify(entry.dn, changes), "restore", entry.dn)
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
        check(connection, connection.modify(entry.dn, change, controls=_DACL_ONLY), "protect", entry.dn)
        done["protected"] += 1


def _restore_memberships(connection: ldap3.Connection, forest: Forest, done: Counter[str]) -> None:
    for group, member in built_in_members(forest):
        connection.search(group, "(objectClass=*)", ldap3.BASE, attributes=["member"])
        values = connection.response[0]["raw_attributes"]["member"]
        if canonical_dn(member) in {canonical_dn(value.decode()) for value in values}:
            continue
        check(connection, connection.modify(group, {"member": [(ldap3.MODIFY_ADD, [member])]}), "restore", group)
        done["restored"] += 1
