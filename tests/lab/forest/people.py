# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The people of a forest: 300 users, the same in every run, different in each forest.

What the data holds on purpose:

* names with accents, apostrophes and hyphens; units and common names with characters that a DN must escape;
* half of the users with mS-DS-ConsistencyGuid as source anchor, the others with objectGUID;
* remote user, shared, room and equipment mailboxes; two mailboxes that are still on premises; users without mail;
* three users whose security descriptor does not inherit (as AdminSDHolder leaves them): no service account may write;
* in contoso only, one pair of users with the same mS-DS-ConsistencyGuid (``conflict``): a synchronisation exports the
  first (by account name) and must report the second.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from functools import cache

from tests.lab.forest.entries import Entry, Values, ascii_name, attributes, child, entry_guid, pick
from tests.lab.forest.names import VOCABULARIES, Vocabulary
from tests.lab.forest.recipients import Draft, Kind, custom, on_premises, remote
from tests.lab.settings import Forest, fixed_guid
from tests.lab.settings import forest as find_forest

__all__ = ["COUNT", "Kind", "Person", "people", "person", "root_dn", "unit_dn"]

COUNT = 300
EXPLICIT_SDDL = (
    "O:DAG:DAD:PAI(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;AU)"
)
NORMAL_ACCOUNT, DISABLED_ACCOUNT = 512, 514


_KINDS = (
    (Kind.ON_PREMISES, 2),
    (Kind.USER, 3),
    (Kind.SHARED, 20),
    (Kind.ROOM, 10),
    (Kind.EQUIPMENT, 7),
    (Kind.PLAIN, 30),
)
_PROTECTED = range(2, 5)
_CONFLICT = (COUNT - 2, COUNT - 1)
_CONFLICT_FOREST = "contoso"


@dataclass(frozen=True)
class Person:
    """One user of the seed. ``key`` is the account name; ``entry`` is the directory object."""

    key: str
    kind: Kind
    department: str
    entry: Entry
    protected: bool = False
    conflict: bool = False

    @property
    def dn(self) -> str:
        """Distinguished name."""
        return self.entry.dn

    @property
    def attributes(self) -> dict[str, Values]:
        """Seeded raw values by attribute name."""
        return dict(self.entry.attributes)

    @property
    def anchor(self) -> bytes:
        """The 16 bytes of the source anchor: mS-DS-ConsistencyGuid, else objectGUID."""
        return self.entry.attributes.get("mS-DS-ConsistencyGuid", (self.entry.guid_bytes,))[0]

    @property
    def immutable_id(self) -> str:
        """The anchor as Entra shows it (onPremisesImmutableId)."""
        return base64.b64encode(self.anchor).decode()

    def text(self, name: str) -> str | None:
        """The first value of an attribute as text; ``None`` when it is not set."""
        values = self.entry.attributes.get(name)
        return values[0].decode() if values else None


def root_dn(forest: Forest) -> str:
    """The unit that holds everything that is synchronised: people, resources, groups, contacts."""
    return child(forest.base_dn, VOCABULARIES[forest.name].company, "OU")


def unit_dn(forest: Forest, path: tuple[str, ...]) -> str:
    """A unit below the root unit."""
    dn = root_dn(forest)
    for name in path:
        dn = child(dn, name, "OU")
    return dn


@cache
def people(forest_name: str) -> tuple[Person, ...]:
    """The people of a forest, in the order in which they are added (managers before those they manage)."""
    forest = find_forest(forest_name)
    words = VOCABULARIES[forest.name]
    seen: set[str] = set()
    drafts = [_draft(forest, words, number, seen) for number in range(COUNT)]
    result: list[Person] = []
    for draft in drafts:
        result.append(_person(forest, words, draft, result))
    return tuple(result)


def person(forest_name: str, key: str) -> Person:
    """One person by account name. Raises ``LookupError``."""
    for candidate in people(forest_name):
        if candidate.key == key:
            return candidate
    raise LookupError(f"forest {forest_name} has no seeded person {key!r}")


def _kind(number: int) -> Kind:
    for kind, count in _KINDS:
        if number < count:
            return kind
        number -= count
    return Kind.USER


def _draft(forest: Forest, words: Vocabulary, number: int, seen: set[str]) -> Draft:
    kind = _kind(number)
    given = words.given_names[number % len(words.given_names)]
    surname = words.surnames[(number * 7 + number // len(words.given_names)) % len(words.surnames)]
    if kind is Kind.SHARED:
        given, surname, display = "", "", f"Team {words.departments[number % len(words.departments)]} {number}"
    elif kind is Kind.ROOM:
        given, surname, display = "", "", f"Room {number}, {words.units[number % len(words.units)][0]}"
    elif kind is Kind.EQUIPMENT:
        given, surname, display = "", "", f"Beamer #{number}"
    else:
        display = f"{surname}, {given}" if words.surname_first else f"{given} {surname}"
    local = f"{ascii_name(given)}.{ascii_name(surname)}" if surname else ascii_name(display)
    alias, account = local.lower(), local.replace("'", "").lower()[:16].strip(".")
    if alias in seen:
        alias = f"{alias}{number}"
    while account in seen or not account:
        account = f"{account[:13]}{number}"
    seen.update((alias, account))
    return Draft(number, kind, given, surname, display, account, alias)


def _person(forest: Forest, words: Vocabulary, draft: Draft, earlier: list[Person]) -> Person:
    number = draft.number
    department = words.departments[pick(len(words.departments), forest.name, "department", number)]
    mailbox_of_a_thing = draft.kind in (Kind.SHARED, Kind.ROOM, Kind.EQUIPMENT)
    path = ("Resources",) if mailbox_of_a_thing else ("People", *words.units[number % len(words.units)])
    common_name = draft.display
    taken = {person.dn.casefold() for person in earlier}
    if child(unit_dn(forest, path), common_name).casefold() in taken:
        common_name = f"{common_name} {number}"
    values = attributes(
        sAMAccountName=draft.account,
        userPrincipalName=f"{draft.alias}@{forest.domain}",
        displayName=draft.display,
        givenName=draft.given or None,
        sn=draft.surname or None,
        userAccountControl=DISABLED_ACCOUNT if mailbox_of_a_thing else NORMAL_ACCOUNT,
        company=words.company,
        department=department,
        title=None if mailbox_of_a_thing else words.titles[pick(len(words.titles), forest.name, "title", number)],
        telephoneNumber=f"+41 44 555 {number:04d}" if number % 3 == 0 else None,
        employeeID=f"{number:06d}",
        manager=_manager(earlier, number),
        adminCount=1 if number in _PROTECTED else None,
        mS_DS_ConsistencyGuid=_consistency_guid(forest, number),
    )
    if draft.kind is Kind.ON_PREMISES:
        values |= on_premises(forest, draft)
    elif draft.kind is not Kind.PLAIN:
        values |= remote(forest, draft) | custom(forest, draft, department)
    return Person(
        key=draft.account,
        kind=draft.kind,
        department=department,
        entry=Entry(
            dn=child(unit_dn(forest, path), common_name),
            classes=("top", "person", "organizationalPerson", "user"),
            guid=entry_guid(forest.name, "user", str(number)),
            attributes=values,
            sddl=EXPLICIT_SDDL if number in _PROTECTED else None,
        ),
        protected=number in _PROTECTED,
        conflict=forest.name == _CONFLICT_FOREST and number in _CONFLICT,
    )


def _manager(earlier: list[Person], number: int) -> str | None:
    if number < 80 or number % 4 == 0:
        return None
    return earlier[72 + number % 8].dn


def _consistency_guid(forest: Forest, number: int) -> bytes | None:
    """Every second user has one. The conflict case shares one; it differs from both users' objectGUID."""
    if forest.name == _CONFLICT_FOREST and number in _CONFLICT:
        number = _CONFLICT[0]
    if number % 2:
        return None
    return uuid.UUID(fixed_guid("consistency", forest.name, str(number))).bytes_le
