# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What proxyAddresses mean.

A value is ``type:address``. The type in capitals marks the primary address of its type; the type is otherwise
without regard to case, and so is the address. AD compares the whole value without regard to case, so it takes
``SMTP:a@x`` and ``smtp:a@x`` for one value: promoting an address means deleting the old value and adding the new
one, deletes first, in one request. Samba keeps both, so a change that works there proves nothing for AD.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """One proxy address; ``type`` is in capitals whatever the value's case, or empty where the value has none."""

    type: str
    address: str
    primary: bool

    @property
    def key(self) -> tuple[str, str, bool]:
        """Equal keys mean equal in every respect that matters."""
        return (self.type, self.address.casefold(), self.primary)


@dataclass(frozen=True)
class AddressChange:
    """What to delete and what to add, in this order and in one request; ``kept`` are values that only AD has."""

    delete: tuple[str, ...]
    add: tuple[str, ...]
    kept: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.delete or self.add)


def parse(value: str) -> Address:
    """Split a value; one without a colon, or with an at sign before it, has an empty type."""
    prefix, colon, address = value.partition(":")
    if not colon or "@" in prefix or not prefix:
        return Address("", value, False)
    return Address(prefix.upper(), address, prefix == prefix.upper())


def equal(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two sets of addresses mean the same: order and the case of addresses do not matter."""
    return {parse(value).key for value in one} == {parse(value).key for value in other}


def difference(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """The values of the first set that have no equal in the second."""
    known = {parse(value).key for value in other}
    return tuple(value for value in one if parse(value).key not in known)


def primary(values: Iterable[str], address_type: str = "SMTP") -> str | None:
    """The primary address of a type without its prefix, or None; the first where there are wrongly two."""
    for value in values:
        parsed = parse(value)
        if parsed.primary and parsed.type == address_type:
            return parsed.address
    return None


def problems(values: Sequence[str], mail: str | None = None) -> tuple[str, ...]:
    """What is wrong with a set of addresses, in plain words; compare with ``mail`` where it is given."""
    parsed = [parse(value) for value in values]
    found = [f"{item.address} has no address type" for item in parsed if not item.type]
    primaries = [item.address for item in parsed if item.primary and item.type == "SMTP"]
    if len(primaries) > 1:
        found.append(f"there are {len(primaries)} primary addresses: {', '.join(sorted(primaries))}")
    elif not primaries and any(item.type == "SMTP" for item in parsed):
        found.append("there is no primary address")
    seen: dict[str, str] = {}
    for value in values:
        twin = seen.setdefault(value.casefold(), value)
        if twin is not value:
            found.append(f"{twin} and {value} differ in case only, which AD takes for one value")
    if mail and len(primaries) == 1 and primaries[0].casefold() != mail.casefold():
        found.append(f"mail is {mail}, but the primary address is {primaries[0]}")
    return tuple(found)


def minimal_change(current: Sequence[str], desired: Sequence[str], *, merge: bool) -> AddressChange:
    """The smallest edit of AD's ``current`` values towards the cloud's ``desired`` ones.

    With ``merge``, addresses that only AD has are kept; a primary SMTP address that only AD has becomes a secondary one
    where the cloud has another, because there can be one only (several ``X500:`` are usual). Without, they are deleted.
    """
    wanted = {parse(value).key for value in desired}
    # AD's own comparison: what equals a wanted value but for case must go, or AD refuses the add as a duplicate.
    wanted_names = {parse(value).key[:2] for value in desired}
    one_primary = primary(desired) is not None
    present: set[tuple[str, str, bool]] = set()
    delete: list[str] = []
    demoted: list[str] = []
    kept: list[str] = []
    for value in current:
        item = parse(value)
        if item.key in wanted:
            present.add(item.key)
        elif not merge or item.key[:2] in wanted_names:
            delete.append(value)
        elif one_primary and item.primary and item.type == "SMTP":
            delete.append(value)
            demoted.append(f"smtp:{item.address}")
            kept.append(demoted[-1])
        else:
            kept.append(value)
    add = [value for value in _unique(desired) if parse(value).key not in present]
    names_kept = {value.casefold() for value in current} - {value.casefold() for value in delete}
    add += [value for value in demoted if value.casefold() not in names_kept]
    return AddressChange(tuple(delete), tuple(add), tuple(kept))


def _unique(values: Iterable[str]) -> list[str]:
    return list({parse(value).key: value for value in reversed(list(values))}.values())[::-1]
