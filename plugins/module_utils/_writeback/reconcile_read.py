# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Read one side of a reconciliation into columns and records: the mailboxes, their users in Entra, or AD."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import (
    NO_CLOUD_DIGEST,
    Digests,
    picker,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_store import (
    Keys,
    Records,
    id_key,
    pack,
)

BLOCK = 1000  # objects that are worked on together
SYNCED, MANAGED = 1, 2
SEPARATOR = "\x00"
"""Between the ids and names of a block: neither can hold it."""


class BulkMailboxes(Protocol):
    """The mailboxes of a tenant and their users, for reading many."""

    def rows(self, selection: Selection, properties: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """The selected mailboxes as Exchange's own rows; InputError where none is selected that should be."""

    @property
    def left_out(self) -> Sequence[Member]:
        """The users that the last read, once it ended, selected by group or organizational unit without a mailbox."""

    def anchors(self, ids: Sequence[str] | None = None) -> Iterator[DirectoryUser]:
        """The users that have a source anchor, of these object ids or of all."""

    def sign_in(self) -> None:
        """Be signed in before copies of this object work in other processes."""

    def usage(self) -> Mapping[str, Any]:
        """What was spent at the services so far."""

    def add_usage(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Add what another process spent between two readings of ``usage``."""


@dataclass(frozen=True)
class Block:
    """Some mailboxes in columns: ids and names with separators between them, a byte of flags, a digest each."""

    ids: str
    names: str
    flags: bytes
    digests: bytes

    def __len__(self) -> int:
        return len(self.flags)


@dataclass
class MailboxSide:
    """The selected mailboxes, in the order in which they came. ``sizes`` are those of their records."""

    blocks: list[Block] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("I"))
    synced: int = 0

    def __len__(self) -> int:
        return len(self.sizes)

    def synced_ids(self) -> Iterator[str]:
        """The ids of the mailboxes that are synchronized from AD."""
        for block in self.blocks:
            ids = block.ids.split(SEPARATOR)
            yield from (object_id for object_id, flag in zip(ids, block.flags, strict=True) if flag & SYNCED)


@dataclass
class UserSide:
    """Entra's users that have a source anchor. A record holds the anchor, the domain and the distinguished name."""

    ids: Keys = field(default_factory=Keys)
    anchors: Keys = field(default_factory=Keys)
    sizes: array[int] = field(default_factory=lambda: array("I"))


@dataclass
class DirectorySide:
    """AD's objects that have a source anchor. A record holds name, objectGUID and the raw values."""

    anchors: Keys = field(default_factory=Keys)
    digests: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("I"))


def read_mailboxes(
    rows: Iterable[Mapping[str, Any]], digester: Digests, records: Records, block_done: Callable[[int], None]
) -> MailboxSide:
    """Read the mailboxes; ``block_done`` is called with the number of those that have come in addition."""
    side = MailboxSide()
    pick, digest = picker(digester.properties), digester.cloud
    for batch in join.batches(rows, BLOCK):
        ids: list[str] = []
        names: list[str] = []
        flags = bytearray()
        digests: list[bytes] = []
        packed: list[bytes] = []
        for row in batch:
            name = row.get("UserPrincipalName")
            object_id = row.get("ExternalDirectoryObjectId")
            if name.__class__ is not str or not name or not object_id:
                mailbox = Mailbox.from_exchange(row)
                name, object_id = mailbox.user_principal_name, mailbox.id
            ids.append(str(object_id).lower())
            names.append(str(name))
            flags.append(_flag(row.get("IsDirSynced"), SYNCED) | _flag(row.get("IsExchangeCloudManaged"), MANAGED))
            try:
                values = pick(row)
            except KeyError:
                digests.append(NO_CLOUD_DIGEST)
                packed.append(pack({name: row[name] for name in digester.properties if name in row}))
            else:
                digests.append(digest(values))
                packed.append(pack(values))
        records.write(packed)
        side.sizes.extend(map(len, packed))
        side.synced += sum(flag & SYNCED for flag in flags)
        side.blocks.append(Block(SEPARATOR.join(ids), SEPARATOR.join(names), bytes(flags), b"".join(digests)))
        block_done(len(batch))
    return side


def _flag(value: Any, flag: int) -> int:
    if value is True:
        return flag
    return flag if value is not False and str(value).casefold() == "true" else 0


def read_users(users: Iterable[DirectoryUser], records: Records) -> UserSide:
    """Read Entra's users."""
    side = UserSide()
    for batch in join.batches(users, BLOCK):
        packed = [pack((user.source_anchor, user.domain, user.distinguished_name)) for user in batch]
        records.write(packed)
        side.sizes.extend(map(len, packed))
        side.ids.extend([id_key(user.id) for user in batch])
        side.anchors.extend([user.source_anchor or b"" for user in batch])
    return side


def read_directory(
    directory: join.Searchable,
    anchors: Collection[bytes] | None,
    digester: Digests,
    anchor_names: Sequence[str],
    records: Records,
) -> DirectorySide:
    """Read the users of AD, or, of a few anchors, those that have one of them."""
    side = DirectorySide()
    names, digest, digests = digester.names, digester.directory, side.digests
    keys: list[bytes] = []
    packed: list[bytes] = []

    def flush() -> None:
        records.write(packed)
        side.sizes.extend(map(len, packed))
        side.anchors.extend(keys)
        keys.clear()
        packed.clear()

    # One object at a time: a thousand of them held at once do not fit into the caches of a processor.
    for anchor, entry in _entries(directory, anchors, names, anchor_names):
        values = entry.values
        found = tuple(map(values.get, names))
        keys.append(anchor)
        digests += digest(found)
        packed.append(pack((entry.dn, values[join.OBJECT_GUID][0], found)))
        if len(packed) == BLOCK:
            flush()
    flush()
    return side


def _entries(
    directory: join.Searchable, anchors: Collection[bytes] | None, names: Sequence[str], anchor_names: Sequence[str]
) -> Iterator[tuple[bytes, join.Entry]]:
    if anchors is None:
        return join.find_all(directory, names, anchor_names)
    return join.find(directory, anchors, names, anchor_names)
