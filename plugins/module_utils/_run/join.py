# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Which directory object belongs to which mailbox: the join by source anchor.

The anchor of an AD object is its mS-DS-ConsistencyGuid, or its objectGUID where it has none. An object whose
objectGUID fits but whose mS-DS-ConsistencyGuid is another one belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import filter_escape

T = TypeVar("T")

ANCHOR_ATTRIBUTES = ("mS-DS-ConsistencyGuid", "objectGUID")
OBJECT_GUID = "objectGUID"
USERS = "(objectCategory=person)(objectClass=user)"
BATCH = 100  # anchors per search
SEARCH_AT_MOST = 500  # anchors; mS-DS-ConsistencyGuid is not indexed, so every search by it reads all users of a domain


class Entry(Protocol):
    """One directory object; ``values`` holds the attributes that exist, by the names asked for."""

    @property
    def dn(self) -> str:
        """Its distinguished name."""

    @property
    def values(self) -> Mapping[str, tuple[bytes, ...]]:
        """Raw values by attribute."""


class Searchable(Protocol):
    """Active Directory: one server, the same one for the whole run."""

    @property
    def base_dn(self) -> str:
        """Where searches begin."""

    def search(self, base: str, filter_text: str, attributes: Sequence[str], /) -> Iterator[Entry]:
        """All objects that fit, whole, each once."""


def anchor_attributes(name: str | None) -> tuple[str, ...]:
    """The attributes that hold the anchor, in the order in which they count."""
    return (name,) if name else ANCHOR_ATTRIBUTES


def anchor_of(entry: Entry, names: Sequence[str]) -> bytes | None:
    """The anchor of an object, or None where it has none."""
    for name in names:
        found = entry.values.get(name)
        if found:
            return found[0]
    return None


def find(
    directory: Searchable, anchors: Collection[bytes], attributes: Sequence[str], anchor_names: Sequence[str]
) -> Iterator[tuple[bytes, Entry]]:
    """The objects with these anchors. An anchor that comes twice belongs to two objects.

    Few anchors are searched for, many are picked from one read of all users.
    """
    if len(anchors) > SEARCH_AT_MOST:
        yield from (found for found in find_all(directory, attributes, anchor_names) if found[0] in anchors)
        return
    wanted = list(dict.fromkeys((*anchor_names, OBJECT_GUID, *attributes)))
    for filter_text in _searches(anchors, anchor_names):
        for entry in directory.search(directory.base_dn, filter_text, wanted):
            anchor = anchor_of(entry, anchor_names)
            if anchor is not None and anchor in anchors:
                yield anchor, entry


def find_all(
    directory: Searchable, attributes: Sequence[str], anchor_names: Sequence[str]
) -> Iterator[tuple[bytes, Entry]]:
    """All users that have an anchor, each with it."""
    wanted = list(dict.fromkeys((*anchor_names, OBJECT_GUID, *attributes)))
    for entry in directory.search(directory.base_dn, f"(&{USERS})", wanted):
        values = entry.values  # as anchor_of does it, without a call for each of hundreds of thousands
        for name in anchor_names:
            if found := values.get(name):
                yield found[0], entry
                break


def find_changed(
    directory: Searchable, first_usn: int, attributes: Sequence[str], anchor_names: Sequence[str]
) -> Iterator[tuple[bytes, Entry]]:
    """The users that have an anchor and were created or changed, on this server, from an update number on.

    Deleted objects are not among them: they keep nothing that could be compared.
    """
    wanted = list(dict.fromkeys((*anchor_names, OBJECT_GUID, *attributes)))
    for entry in directory.search(directory.base_dn, f"(&{USERS}(uSNChanged>={first_usn}))", wanted):
        anchor = anchor_of(entry, anchor_names)
        if anchor is not None:
            yield anchor, entry


def find_by_guid(
    directory: Searchable, anchors: Collection[bytes], attributes: Sequence[str], anchor_names: Sequence[str]
) -> Iterator[tuple[bytes, Entry]]:
    """Those of the objects with these anchors whose objectGUID is the anchor, as it is unless they were moved between
    forests. Unlike mS-DS-ConsistencyGuid, objectGUID is indexed, so this costs the same in any domain."""
    wanted = list(dict.fromkeys((*anchor_names, OBJECT_GUID, *attributes)))
    for batch in batches(sorted(anchors), BATCH):
        terms = "".join(f"({OBJECT_GUID}={filter_escape(anchor)})" for anchor in batch)
        for entry in directory.search(directory.base_dn, f"(&{USERS}(|{terms}))", wanted):
            anchor = anchor_of(entry, anchor_names)
            if anchor is not None and anchor in anchors:
                yield anchor, entry


def by_guid(directory: Searchable, guids: Sequence[bytes], attributes: Sequence[str]) -> dict[bytes, Entry]:
    """The objects with these objectGUIDs, which stay when an object is renamed or moved."""
    wanted = list(dict.fromkeys((OBJECT_GUID, *attributes)))
    found: dict[bytes, Entry] = {}
    for batch in batches(guids, BATCH):
        terms = "".join(f"({OBJECT_GUID}={filter_escape(guid)})" for guid in batch)
        for entry in directory.search(directory.base_dn, f"(|{terms})", wanted):
            found[entry.values[OBJECT_GUID][0]] = entry
    return found


def _searches(anchors: Collection[bytes], names: Sequence[str]) -> Iterator[str]:
    for batch in batches(sorted(anchors), BATCH):
        terms = "".join(f"({name}={filter_escape(anchor)})" for anchor in batch for name in names)
        yield f"(&{USERS}(|{terms}))"


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
