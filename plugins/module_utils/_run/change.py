# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What one modify request does to one directory object, in exact bytes, so that it can be journaled and undone.

AD has no assertion control (RFC 4528). So a change names the exact old values that go and the new ones that come, in
one request: where a value moved since it was read, AD refuses the request as a whole and nobody's edit is lost.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._model import source_anchor

Raw = tuple[bytes, ...]

ADD = "add"
REPLACE = "replace"
REMOVE = "remove"
CLEAR = "clear"
KINDS = (ADD, REPLACE, REMOVE, CLEAR)
"""Values only come; some go and others come; some go and others stay; all go and none comes."""


@dataclass(frozen=True)
class Step:
    """One step of a modify request; ``op`` is add or delete."""

    op: str
    attribute: str
    values: Raw


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One attribute before and after; the order of values means nothing."""

    attribute: str
    before: Raw
    after: Raw

    @property
    def remove(self) -> Raw:
        """The values that go."""
        stay = frozenset(self.after)
        return tuple(value for value in self.before if value not in stay)

    @property
    def add(self) -> Raw:
        """The values that come."""
        known = frozenset(self.before)
        return tuple(value for value in self.after if value not in known)

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if not self.after:
            return CLEAR
        if not self.remove:
            return ADD
        return REPLACE if self.add else REMOVE

    def steps(self) -> tuple[Step, ...]:
        """Deletes before adds, because AD takes values that differ only in case for one.

        A value that stays goes and comes again where its twin in case goes: a server that lets both stand may take
        away the wrong one of them.
        """
        remove, add = self.remove, self.add
        going = {value.lower() for value in remove}
        twins = tuple(value for value in self.before if value not in remove and value.lower() in going)
        found = (Step("delete", self.attribute, remove + twins), Step("add", self.attribute, add + twins))
        return tuple(step for step in found if step.values)

    def reached(self, values: Sequence[bytes]) -> bool:
        """Whether these are the values after the change."""
        return same(values, self.after)

    def untouched(self, values: Sequence[bytes]) -> bool:
        """Whether these are the values before the change."""
        return same(values, self.before)


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One modify request. ``id`` and ``name`` are the mailbox's, ``anchor`` is its source anchor where it is known."""

    id: str
    name: str
    dn: str
    guid: bytes
    anchor: bytes | None
    changes: tuple[ValueChange, ...]

    def steps(self) -> tuple[Step, ...]:
        """The modify request."""
        return tuple(step for change in self.changes for step in change.steps())

    def reached(self, values: Mapping[str, Raw]) -> bool:
        """Whether an object with these values is as it should be after the change."""
        return all(change.reached(values.get(change.attribute, ())) for change in self.changes)

    def untouched(self, values: Mapping[str, Raw]) -> bool:
        """Whether an object with these values is as it was before the change."""
        return all(change.untouched(values.get(change.attribute, ())) for change in self.changes)

    def as_record(self) -> dict[str, Any]:
        """For journals and saved plans: JSON from which every byte comes back."""
        return {
            "object": self.name,
            "id": self.id,
            "distinguished_name": self.dn,
            "object_guid": source_anchor.to_guid(self.guid),
            "source_anchor": source_anchor.to_base64(self.anchor) if self.anchor else None,
            "changes": {
                change.attribute: {"before": to_json(change.before), "after": to_json(change.after)}
                for change in sorted(self.changes, key=lambda change: change.attribute)
            },
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ObjectChange:
        """The change that was recorded; ValueError, KeyError or TypeError for what is no such record."""
        anchor = record["source_anchor"]
        return cls(
            id=str(record["id"]),
            name=str(record["object"]),
            dn=str(record["distinguished_name"]),
            guid=source_anchor.from_guid(record["object_guid"]),
            anchor=base64.b64decode(anchor, validate=True) if anchor else None,
            changes=tuple(
                ValueChange(str(name), from_json(values["before"]), from_json(values["after"]))
                for name, values in record["changes"].items()
            ),
        )


def same(one: Sequence[bytes], other: Sequence[bytes]) -> bool:
    """Whether two sides hold the same values, byte by byte."""
    return len(one) == len(other) and sorted(one) == sorted(other)


def kinds(changes: Iterable[ObjectChange]) -> dict[str, Counter[str]]:
    """How many attributes of objects change in which way: by kind, by attribute."""
    found = {kind: Counter[str]() for kind in KINDS}
    for item in changes:
        for change in item.changes:
            found[change.kind][change.attribute] += 1
    return found


def as_result(kinds: Mapping[str, Counter[str]]) -> dict[str, Any]:
    """By kind, how many attributes of how many objects change, and the same by attribute."""
    return {
        **{kind: counted.total() for kind, counted in kinds.items()},
        "by_attribute": {
            name: {kind: counted[name] for kind, counted in kinds.items() if counted[name]}
            for name in sorted({name for counted in kinds.values() for name in counted})
        },
    }


def to_json(values: Iterable[bytes]) -> list[str | dict[str, str]]:
    """Values in a fixed order: as text where they are text (UTF-8), else in base64."""
    return [_to_json(value) for value in sorted(values)]


def _to_json(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


def from_json(values: Any) -> Raw:
    """The bytes of to_json; ValueError or TypeError for anything else."""
    if not isinstance(values, list):
        raise TypeError("a list of values is expected")
    return tuple(_from_json(value) for value in values)


def _from_json(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, dict) and set(value) == {"base64"}:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except binascii.Error as error:
            raise ValueError("a value is not base64") from error
    raise TypeError("a value is a text or base64")
