# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person as LDIF, for OpenLDAP and for a Samba domain controller."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from tests.benchmarks.people import BASE_DN, DEPARTMENTS, DOMAIN, PEOPLE, Person, distinguished_name

COMPARED = (
    "proxyAddresses",
    "mail",
    *(f"extensionAttribute{number}" for number in range(1, 16)),
    *(f"msExchExtensionCustomAttribute{number}" for number in range(1, 6)),
    "msExchRecipientTypeDetails",
    "msExchRecipientDisplayType",
)
"""The 24 attributes that a Cloud Sync writeback job writes."""

ANCHORS = ("mS-DS-ConsistencyGuid", "objectGUID")
USERS = "(&(objectCategory=person)(objectClass=user))"
INVOCATION_ID = bytes(range(16))
SETTINGS_DN = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Site,CN=Sites,CN=Configuration,{BASE_DN}"

_TYPE_NUMBERS = {
    "UserMailbox": ("2147483648", "-2147483642"),
    "SharedMailbox": ("34359738368", "-2147483642"),
    "RoomMailbox": ("8589934592", "-2147481850"),
    "EquipmentMailbox": ("17179869184", "-2147481594"),
}


def compared_values(person: Person) -> Iterator[tuple[str, str]]:
    """The values of the 24 attributes, in one pair per value."""
    for address in person.addresses:
        yield "proxyAddresses", address
    yield "mail", person.user_principal_name
    for index, value in enumerate(person.custom, 1):
        if value:
            yield f"extensionAttribute{index}", value
    for index, values in enumerate(person.extension, 1):
        for value in values:
            yield f"msExchExtensionCustomAttribute{index}", value
    details, display = _TYPE_NUMBERS[person.mailbox_type]
    yield "msExchRecipientTypeDetails", details
    yield "msExchRecipientDisplayType", display


def openldap_user(person: Person) -> bytes:
    """A whole entry; the update sequence number is the position in the tree."""
    lines = [
        _line("dn", distinguished_name(person)),
        b"objectClass: top\nobjectClass: person\nobjectClass: organizationalPerson\nobjectClass: user",
        _line("objectCategory", "person"),
        _line("cn", person.name),
        _line("sn", person.name.split(" ")[1]),
        _line("sAMAccountName", person.account),
        _line("userPrincipalName", person.user_principal_name),
        _octets("objectGUID", person.object_guid),
        _line("uSNChanged", str(first_usn(person.number))),
        _line("whenChanged", "20260901000000.0Z"),
        *(_line(name, value) for name, value in compared_values(person)),
    ]
    if person.consistency_guid:
        lines.append(_octets("mS-DS-ConsistencyGuid", person.consistency_guid))
    return b"\n".join(lines) + b"\n\n"


def samba_user(person: Person, parent: str) -> bytes:
    """An entry for a domain controller, which makes objectGUID and the rest itself; so all have the other anchor."""
    lines = [
        _line("dn", distinguished_name(person, parent)),
        b"objectClass: user",
        _line("sAMAccountName", person.account),
        _line("userPrincipalName", person.user_principal_name),
        b"userAccountControl: 514",
        _octets("mS-DS-ConsistencyGuid", person.anchor),
        *(_line(name, value) for name, value in compared_values(person)),
    ]
    return b"\n".join(lines) + b"\n\n"


def first_usn(number: int) -> int:
    """The update sequence number of an entry as it was made."""
    return 10_000 + number


def tree() -> bytes:
    """The entries above the people, and the object that says which database this is."""
    above = [
        f"dn: {BASE_DN}\nobjectClass: top\nobjectClass: organization\nobjectClass: dcObject\no: bench\ndc: bench\n",
        _container(f"CN=Configuration,{BASE_DN}"),
        _container(f"CN=Sites,CN=Configuration,{BASE_DN}"),
        _container(f"CN=Site,CN=Sites,CN=Configuration,{BASE_DN}"),
        _container(f"CN=Servers,CN=Site,CN=Sites,CN=Configuration,{BASE_DN}"),
        _container(f"CN=DC1,CN=Servers,CN=Site,CN=Sites,CN=Configuration,{BASE_DN}"),
        f"dn: {SETTINGS_DN}\nobjectClass: top\nobjectClass: nTDSDSA\ncn: NTDS Settings\n"
        + _octets("objectGUID", INVOCATION_ID[::-1]).decode()
        + "\n"
        + _octets("invocationId", INVOCATION_ID).decode()
        + "\n",
        _unit(PEOPLE, "People"),
        *(_unit(f"OU={name},{PEOPLE}", name) for name in DEPARTMENTS),
    ]
    return "\n".join(above).encode() + b"\n"


def root_dse(highest_usn: int) -> bytes:
    """What a domain controller says of itself."""
    return "\n".join(
        (
            "dn:",
            f"defaultNamingContext: {BASE_DN}",
            f"rootDomainNamingContext: {BASE_DN}",
            f"configurationNamingContext: CN=Configuration,{BASE_DN}",
            f"dnsHostName: dc1.{DOMAIN}",
            f"dsServiceName: {SETTINGS_DN}",
            f"serverName: CN=DC1,CN=Servers,CN=Site,CN=Sites,CN=Configuration,{BASE_DN}",
            f"highestCommittedUSN: {highest_usn}",
            "currentTime: 20261101120000.0Z",
            "isGlobalCatalogReady: TRUE",
            "isSynchronized: TRUE",
            "",
        )
    ).encode()


def difference(before: Person, after: Person, parent: str = "", extra: Iterable[tuple[str, str]] = ()) -> bytes:
    """The LDIF change record that makes the one person the other: exact values, deletes before adds.

    ``extra`` are attributes to set besides.
    """
    dn = distinguished_name(before, parent)
    had, has = list(compared_values(before)), list(compared_values(after))
    steps = [_step("delete", name, value) for name, value in had if (name, value) not in has]
    steps += [_step("add", name, value) for name, value in has if (name, value) not in had]
    steps += [_step("replace", name, value) for name, value in extra]
    return b"\n".join([_line("dn", dn), b"changetype: modify", *steps]) + b"\n\n"


def _step(operation: str, name: str, value: str) -> bytes:
    return b"%s: %s\n%s\n-" % (operation.encode(), name.encode(), _line(name, value))


def _line(name: str, value: str) -> bytes:
    if value.isascii() and value[0] not in " :<" and value[-1] != " ":
        return f"{name}: {value}".encode()
    return _octets(name, value.encode())


def _octets(name: str, value: bytes) -> bytes:
    return name.encode() + b":: " + base64.b64encode(value)


def _container(dn: str) -> str:
    name = dn.partition(",")[0].partition("=")[2]
    return f"dn: {dn}\nobjectClass: top\nobjectClass: container\ncn: {name}\n"


def _unit(dn: str, name: str) -> str:
    lines = (_line("dn", dn), b"objectClass: top\nobjectClass: organizationalUnit", _line("ou", name))
    return b"\n".join(lines).decode() + "\n"
