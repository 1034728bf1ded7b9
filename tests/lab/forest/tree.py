# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units, service accounts, contacts and groups of a forest, and the whole seed in the order in which it is added."""

from __future__ import annotations

from functools import cache

from tests.lab.forest.entries import Entry, attributes, child, entry_guid
from tests.lab.forest.names import VOCABULARIES
from tests.lab.forest.organization import organization
from tests.lab.forest.people import Person, people, unit_dn
from tests.lab.forest.recipients import Kind, legacy_dn
from tests.lab.forest.system_mailboxes import users_container
from tests.lab.settings import Forest
from tests.lab.settings import forest as find_forest

UNIVERSAL_SECURITY = -2147483640
UNIVERSAL_DISTRIBUTION = 8
CONTACTS = 8
BIG_GROUP = "Former Partners"
BIG_GROUP_FOREST = "contoso"  # in one forest only: its members take longer to add than all people together
BIG_GROUP_SIZE = 1550  # more than the 1,500 values that a domain controller returns at once (MaxValRange)
RINGS = ("Writeback Ring 0", "Writeback Ring 1", "Writeback Ring 2")
NESTED_GROUP = "All Departments"


# Memberships in groups that every domain has: who administers Exchange is a domain administrator too.
BUILT_IN_GROUPS = ("Domain Admins", "Enterprise Admins")


def built_in_members(forest: Forest) -> tuple[tuple[str, str], ...]:
    """Groups of the domain's own and the accounts that are members of them beyond those they always have."""
    member = child(service_unit(forest), forest.account("exchange_admin").name)
    return tuple((child(users_container(forest), name), member) for name in BUILT_IN_GROUPS)


def service_unit(forest: Forest) -> str:
    """The unit of the service accounts; outside the synchronised root."""
    return child(forest.base_dn, "Service Accounts", "OU")


def archive_unit(forest: Forest) -> str:
    """Contacts without mail, members of the big group; outside the synchronised root."""
    return child(forest.base_dn, "Archive", "OU")


def group_dn(forest: Forest, name: str) -> str:
    """A seeded group."""
    return child(unit_dn(forest, ("Groups",)), name)


def units(forest: Forest) -> tuple[Entry, ...]:
    """Organizational units, outer ones first."""
    words = VOCABULARIES[forest.name]
    paths: list[tuple[str, ...]] = [(), ("People",), ("Resources",), ("Groups",), ("Contacts",)]
    for unit in words.units:
        paths += [("People", *unit[:depth]) for depth in range(1, len(unit) + 1)]
    dns = [service_unit(forest), archive_unit(forest), *(unit_dn(forest, path) for path in dict.fromkeys(paths))]
    return tuple(Entry(dn, ("top", "organizationalUnit"), entry_guid(forest.name, "unit", dn)) for dn in dns)


def service_accounts(forest: Forest) -> tuple[Entry, ...]:
    """The accounts that the lab and its clients bind with; none of them is an administrator."""
    return tuple(
        Entry(
            dn=child(service_unit(forest), account.name),
            classes=("top", "person", "organizationalPerson", "user"),
            guid=entry_guid(forest.name, "service account", account.role),
            attributes=attributes(
                sAMAccountName=account.name,
                userPrincipalName=forest.user_principal_name(account.role),
                displayName=account.name,
                userAccountControl=512 + 65536,  # normal account, password never expires
            ),
            password=account.password,
        )
        for account in forest.accounts
        if account.role != "administrator"
    )


def contacts(forest: Forest) -> tuple[Entry, ...]:
    """Mail contacts: recipients outside the organisation."""
    result = []
    for number in range(CONTACTS):
        display, address = f"Partner {number}, extern", f"partner{number}@partner{number % 3}.example"
        result.append(
            Entry(
                dn=child(unit_dn(forest, ("Contacts",)), display),
                classes=("top", "person", "organizationalPerson", "contact"),
                guid=entry_guid(forest.name, "contact", str(number)),
                attributes=attributes(
                    displayName=display,
                    sn="Partner",
                    mail=address,
                    mailNickname=f"partner{number}",
                    proxyAddresses=[f"SMTP:{address}"],
                    targetAddress=f"SMTP:{address}",
                    legacyExchangeDN=legacy_dn(forest, f"partner{number}"),
                    msExchRecipientTypeDetails=64,
                    msExchRecipientDisplayType=6,
                ),
            )
        )
    return tuple(result)


def _archive(forest: Forest) -> tuple[Entry, ...]:
    """Members of the big group."""
    if forest.name != BIG_GROUP_FOREST:
        return ()
    return tuple(
        Entry(
            dn=child(archive_unit(forest), f"former-partner-{number:04d}"),
            classes=("top", "person", "organizationalPerson", "contact"),
            guid=entry_guid(forest.name, "former partner", str(number)),
        )
        for number in range(BIG_GROUP_SIZE)
    )


def _group(forest: Forest, name: str, members: list[str], mail: bool, kind: int = UNIVERSAL_SECURITY) -> Entry:
    alias = "".join(char for char in name.lower() if char.isalnum())
    values = attributes(sAMAccountName=f"grp-{alias}"[:64], displayName=name, groupType=kind, member=members)
    if mail:
        address = f"grp-{alias}@{forest.domain}"
        values |= attributes(
            mail=address,
            mailNickname=f"grp-{alias}",
            proxyAddresses=[f"SMTP:{address}", f"smtp:grp-{alias}@{forest.name}.mail.onmicrosoft.com"],
            legacyExchangeDN=legacy_dn(forest, f"grp-{alias}"),
            msExchRecipientTypeDetails=1024 if kind == UNIVERSAL_SECURITY else 256,
            msExchRecipientDisplayType=1073741833 if kind == UNIVERSAL_SECURITY else 1,
        )
    guid = entry_guid(forest.name, "group", name)
    return Entry(group_dn(forest, name), ("top", "group"), guid, values)


def groups(forest: Forest) -> tuple[Entry, ...]:
    """A group per department, one that nests them, distribution groups, rings for scoping, and the big one."""
    persons = people(forest.name)
    words = VOCABULARIES[forest.name]
    result = [
        _group(forest, department, [p.dn for p in persons if _member(p, department)], mail=True)
        for department in words.departments
    ]
    result.append(_group(forest, NESTED_GROUP, [group_dn(forest, name) for name in words.departments], mail=True))
    for number in range(3):
        members = [p.dn for index, p in enumerate(persons) if index % 3 == number and p.kind is Kind.USER][:25]
        result.append(_group(forest, f"Project {number}, news", members, mail=True, kind=UNIVERSAL_DISTRIBUTION))
    mailboxes = [p.dn for p in persons if p.kind in (Kind.USER, Kind.SHARED, Kind.ROOM, Kind.EQUIPMENT)]
    for name, part in zip(RINGS, (slice(3, 13), slice(13, 63), slice(63, None)), strict=True):
        result.append(_group(forest, name, mailboxes[part], mail=False))
    if forest.name == BIG_GROUP_FOREST:
        result.append(_group(forest, BIG_GROUP, [entry.dn for entry in _archive(forest)], mail=False))
    return tuple(result)


def _member(person: Person, department: str) -> bool:
    return person.department == department and person.kind in (Kind.USER, Kind.ON_PREMISES, Kind.PLAIN)


@cache
def seed(forest_name: str) -> tuple[Entry, ...]:
    """Everything the lab adds to a forest's domain and configuration partitions, parents and link targets first.

    Service accounts come first after their unit: access rights name them.
    """
    forest = find_forest(forest_name)
    return (
        *units(forest),
        *service_accounts(forest),
        *organization(forest, service_unit(forest)),
        *(person.entry for person in people(forest.name)),
        *contacts(forest),
        *_archive(forest),
        *groups(forest),
    )
