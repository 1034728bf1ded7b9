# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The people of the benchmarks: mailboxes and their directory objects, made from nothing but their number.

Both sides are rendered from the same Person, so they are equal unless a difference is planted. Every identifier ends
in the number, so that any of them leads back to its person without a table in memory.
"""

from __future__ import annotations

import hashlib
import re
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

GENERATION = 1
"""Raised when the same number would make another person; data made before is then thrown away."""

DOMAIN = "bench.example"
BASE_DN = "DC=bench,DC=example"
PEOPLE = f"OU=People,{BASE_DN}"
ONLINE_DOMAIN = "benchexample.mail.onmicrosoft.com"

DEPARTMENTS = ("Sales", "Support", "Operations", "Finance", "Legal", "Research", "Zürich Office", "Plant 2")
_GIVEN = ("Anna", "Béla", "Chloé", "Dmitri", "Elif", "Fatima", "George", "Hana", "Ingrid", "João", "Kofi", "Lucía")
_FAMILY = ("Adams", "Bergström", "Costa", "Dąbrowski", "Evans", "Fischer", "García", "Huang", "Ito", "Jansen", "Kaya")
_ASCII = str.maketrans("éíãöąłü", "eiaoalu")
_TYPES = ((180, "UserMailbox"), (240, "SharedMailbox"), (252, "RoomMailbox"), (256, "EquipmentMailbox"))
_NUMBER = re.compile(r"\.(\d{7})@")

# How many of 256 mailboxes have a value in CustomAttribute1 to 15, as tenants use them: ids and cost centres nearly
# everywhere, the rest for this project or that.
_FILLED = (256, 250, 240, 205, 205, 180, 205, 154, 128, 128, 77, 77, 51, 51, 205)


@dataclass(frozen=True, slots=True)
class Person:
    """One mailbox and its directory object. ``variant`` 0 is how it was made, any other one changes some values."""

    number: int
    object_id: str
    object_guid: bytes
    consistency_guid: bytes | None
    name: str
    department: str
    user_principal_name: str
    account: str
    mailbox_type: str
    addresses: tuple[str, ...]
    custom: tuple[str, ...]
    extension: tuple[tuple[str, ...], ...]
    variant: int

    @property
    def anchor(self) -> bytes:
        """The source anchor, as Connect chooses it."""
        return self.consistency_guid or self.object_guid


def person(number: int, variant: int = 0) -> Person:
    """The person of a number, from 0 on."""
    digest = hashlib.blake2b(b"%d" % number, digest_size=64).digest()
    tail = struct.pack(">I", number)
    dice = digest[36:]
    given, family = _GIVEN[dice[0] % len(_GIVEN)], _FAMILY[dice[1] % len(_FAMILY)]
    local = f"{given}.{family}.{number:07d}".lower().translate(_ASCII)
    user_principal_name = f"{local}@{DOMAIN}"
    addresses = [f"SMTP:{user_principal_name}", f"smtp:{local}@{ONLINE_DOMAIN}"]
    if dice[2] < 128:
        addresses.append(f"smtp:{given[0]}{family}.{number:07d}@{DOMAIN}".translate(_ASCII).lower())
    if dice[2] < 77:
        addresses.append(f"X500:/o=Bench/ou=Exchange Administrative Group/cn=Recipients/cn={local}")
    if dice[2] < 50:
        addresses.append(f"SIP:{user_principal_name}")
    custom = [
        value if die < share else ""
        for value, die, share in zip(_custom(number, dice), dice[3:18], _FILLED, strict=True)
    ]
    if variant:
        addresses.append(f"smtp:changed.{variant}.{number:07d}@{DOMAIN}")
        custom[6] = f"changed {variant}"
    return Person(
        number=number,
        object_id=str(uuid.UUID(bytes=digest[:12] + tail)),
        object_guid=digest[12:24] + tail,
        consistency_guid=digest[24:36] + tail if dice[23] < 128 else None,
        name=f"{given} {family} {number:07d}",
        department=DEPARTMENTS[dice[24] % len(DEPARTMENTS)],
        user_principal_name=user_principal_name,
        account=f"u{number:07d}",
        mailbox_type=next(kind for below, kind in _TYPES if dice[25] < below),
        addresses=tuple(addresses),
        custom=tuple(custom),
        extension=tuple(_extension(index, number, dice[26]) for index in range(5)),
        variant=variant,
    )


def distinguished_name(person: Person, parent: str = "") -> str:
    """Where its directory object is: below ``parent``, or in its department's unit of the benchmark's directory."""
    return f"CN={person.name},{parent or f'OU={person.department},{PEOPLE}'}"


def domain_of(dn: str) -> str:
    """The DNS name of the domain that an object is in."""
    parts = (part.partition("=") for part in dn.split(","))
    return ".".join(value for name, _equals, value in parts if name.strip().upper() == "DC").lower()


def people(count: int) -> Iterator[Person]:
    """The first ``count`` people."""
    return map(person, range(count))


def number_of(identity: str) -> int | None:
    """The number that an object id or an address ends in; None where it holds none."""
    try:
        return int(uuid.UUID(identity).bytes[12:].hex(), 16)
    except ValueError:
        found = _NUMBER.search(identity)
        return int(found.group(1)) if found else None


def _custom(number: int, dice: bytes) -> tuple[str, ...]:
    return (
        f"E{number:07d}",
        f"Cost centre {4000 + dice[1] * 3}",
        ("Zürich", "Málaga", "Kraków", "Leeds")[dice[2] % 4],
        f"Building {dice[3] % 40}, floor {dice[4] % 9}",
        f"contract:{dice[5]:02x}{dice[6]:02x};band={dice[7] % 7}",
        f"hold-{dice[8]}",
        "as it was",
        f"migrated 2025-{1 + dice[9] % 12:02d}-{1 + dice[10] % 28:02d}",
        f"profile {dice[11] % 16}",
        f"vendor {dice[12]}",
        f"https://intranet.{DOMAIN}/people/{number}",
        f"note {dice[13]}: äöü ß €",
        f"key {dice[14]}",
        f"tag {dice[15]}",
        f"wave {1 + dice[16] % 20}",
    )


def _extension(index: int, number: int, die: int) -> tuple[str, ...]:
    if die >= (77, 26, 13, 5, 5)[index]:
        return ()
    return tuple(f"list {index + 1}, entry {entry} of {number}" for entry in range(1 + die % 3))
