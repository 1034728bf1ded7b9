# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Join what was read of both sides: which mailboxes are equal by digest, and what is left to judge."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import digest
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import Digests
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_read import (
    MANAGED,
    SEPARATOR,
    SYNCED,
    DirectorySide,
    MailboxSide,
    UserSide,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_store import Records, id_key
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, source_of

_SAME, _PAIR, _REPEATED = 0, 1, 2
_NONE = -1


class Same(NamedTuple):
    """A mailbox that is synchronized from AD and equal in all compared attributes."""

    id: str
    name: str
    cloud_managed: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One object of AD, with the attributes that it has and objectGUID."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One mailbox whose two sides may differ, whole.

    No entry: AD has no object with its source anchor. Several: they share the anchor. ``twins`` are the names of all
    selected mailboxes that share it, this one among them, where there are several.
    """

    source: Source
    entries: tuple[join.Entry, ...]
    twins: tuple[str, ...] = ()


class SameRows:
    """The rows of equal mailboxes, made anew each time they are gone through."""

    def __init__(self, side: MailboxSide, statuses: bytearray) -> None:
        self._side = side
        self._statuses = statuses
        self._count = statuses.count(_SAME)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Same]:
        start = 0
        for block in self._side.blocks:
            statuses = self._statuses[start : start + len(block)]
            start += len(block)
            if _SAME not in statuses:
                continue
            ids, names = block.ids.split(SEPARATOR), block.names.split(SEPARATOR)
            for status, object_id, name, flag in zip(statuses, ids, names, block.flags, strict=True):
                if status == _SAME:
                    yield Same(object_id, name, bool(flag & MANAGED))


def anchors_of(mailboxes: MailboxSide, users: UserSide) -> set[bytes]:
    """The source anchors of the selected mailboxes that are synchronized; for few of them."""
    wanted = {id_key(object_id) for object_id in mailboxes.synced_ids()}
    return {anchor for key, anchor in zip(users.ids, users.anchors, strict=True) if key in wanted}


class Joined:
    """Both sides, joined. Numbers count mailboxes, users and objects in the order in which they were read."""

    def __init__(
        self,
        digester: Digests,
        mailboxes: MailboxSide,
        mailbox_records: Records,
        users: UserSide,
        user_records: Records,
        objects: DirectorySide,
        object_records: Records,
    ) -> None:
        self._digester = digester
        self._mailboxes = mailboxes
        self._mailbox_records = mailbox_records
        self._user_records = user_records
        self._object_records = object_records
        self._statuses = bytearray(len(mailboxes))
        self._user_of = array("q")  # of each pair, in order; _NONE for no user
        self._others: dict[int, list[int]] = {}  # further objects with the anchor of an object
        self._sharers: dict[int, list[str]] = {}  # mailboxes whose users have the anchor of an object, where several
        self._object_of = self._objects_of_users(users, objects)
        self._judge(users, objects)
        self.same = SameRows(mailboxes, self._statuses)
        self.total = len(mailboxes) - self._statuses.count(_REPEATED)

    def _objects_of_users(self, users: UserSide, objects: DirectorySide) -> array[int]:
        numbers: dict[bytes, int] = {}
        for number, anchor in enumerate(objects.anchors):
            first = numbers.setdefault(anchor, number)
            if first != number:
                self._others.setdefault(first, []).append(number)
        found = array("q", (numbers.get(anchor, _NONE) for anchor in users.anchors))
        used = bytearray(len(objects.sizes))
        for number in found:
            if number != _NONE:
                if used[number]:
                    self._sharers[number] = []
                used[number] = 1
        return found

    def _judge(self, users: UserSide, objects: DirectorySide) -> None:
        """Say of every mailbox whether it is equal by digest."""
        numbers = {key: number for number, key in enumerate(users.ids)}
        object_of, theirs = self._object_of, bytes(objects.digests)
        seen, strangers = bytearray(len(users.sizes)), set[bytes]()
        size = digest.SIZE
        at = 0
        for block in self._mailboxes.blocks:
            ours, flags = block.digests, block.flags
            for position, object_id in enumerate(block.ids.split(SEPARATOR)):
                key = id_key(object_id)
                user = numbers.get(key, _NONE)
                number = _NONE
                if user == _NONE:
                    repeated = key in strangers
                    strangers.add(key)
                else:
                    repeated = bool(seen[user])
                    seen[user] = 1
                    number = object_of[user]
                if repeated:
                    self._statuses[at] = _REPEATED
                elif (
                    number == _NONE
                    or not flags[position] & SYNCED
                    or ours[position * size : position * size + size] != theirs[number * size : number * size + size]
                    or number in self._others
                    or number in self._sharers
                ):
                    self._statuses[at] = _PAIR
                    self._user_of.append(user)
                    if number in self._sharers and flags[position] & SYNCED:
                        self._sharers[number].append(block.names.split(SEPARATOR)[position])
                at += 1

    def pairs(self, desired: Desired) -> Iterator[Pair]:
        """Everything that is not equal by digest, whole, with the values that ``desired`` gives."""
        start = given = 0
        for block in self._mailboxes.blocks:
            statuses = self._statuses[start : start + len(block)]
            if _PAIR in statuses:
                ids, names = block.ids.split(SEPARATOR), block.names.split(SEPARATOR)
                for position, status in enumerate(statuses):
                    if status != _PAIR:
                        continue
                    user = self._user_of[given]
                    given += 1
                    if not block.flags[position] & SYNCED:
                        managed = bool(block.flags[position] & MANAGED)
                        yield _cloud_only(ids[position], names[position], managed, len(desired.attributes))
                        continue
                    managed = bool(block.flags[position] & MANAGED)
                    mailbox = self._mailbox(start + position, ids[position], names[position], managed)
                    yield self._pair(mailbox, user, desired)
            start += len(block)

    def _mailbox(self, number: int, object_id: str, name: str, managed: bool) -> Mailbox:
        """A synchronized mailbox with the properties that were read of it for comparing."""
        record = self._mailbox_records.read(number)
        row = record if isinstance(record, dict) else dict(zip(self._digester.properties, record, strict=True))
        return Mailbox(
            id=object_id,
            user_principal_name=name,
            display_name=str(row.get("DisplayName") or ""),
            primary_smtp_address="",
            recipient_type="",
            recipient_type_details=str(row.get(digest.TYPE_PROPERTY) or ""),
            dir_synced=True,
            cloud_managed=managed,
            when_changed="",
            properties=row,
        )

    def _pair(self, mailbox: Mailbox, user: int, desired: Desired) -> Pair:
        if user == _NONE:
            return Pair(source_of(mailbox, None, desired), ())
        anchor, domain, dn = self._user_records.read(user)
        known = DirectoryUser(mailbox.id, anchor, dn, domain, True)
        source = source_of(mailbox, known, desired)
        number = self._object_of[user]
        if number == _NONE:
            return Pair(source, ())
        sharers = self._sharers.get(number, [])
        numbers = (number, *self._others.get(number, ()))
        return Pair(source, tuple(map(self._entry, numbers)), tuple(sharers) if len(sharers) > 1 else ())

    def _entry(self, number: int) -> Found:
        dn, guid, found = self._object_records.read(number)
        values: dict[str, Any] = {
            name: raw for name, raw in zip(self._digester.names, found, strict=True) if raw is not None
        }
        return Found(dn, {**values, join.OBJECT_GUID: (guid,)})


def _cloud_only(object_id: str, name: str, managed: bool, count: int) -> Pair:
    """A mailbox that AD knows nothing of: there is nothing to compare its values with."""
    return Pair(Source(object_id, name, False, managed, None, "", "", (None,) * count), ())
