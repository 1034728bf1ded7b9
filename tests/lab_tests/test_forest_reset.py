# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reset undoes whatever was done to the seeded objects."""

from __future__ import annotations

from collections.abc import Iterator

import ldap3
import pytest

from tests.lab import supervisor
from tests.lab.forest.access import open_directory
from tests.lab.forest.entries import child
from tests.lab.forest.people import Kind, people, root_dn, unit_dn
from tests.lab.forest.recipients import organization_dn
from tests.lab.forest.reset import reset
from tests.lab.forest.tree import groups
from tests.lab.settings import Settings
from tests.lab.settings import forest as find_forest

FABRIKAM = find_forest("fabrikam")
USERS = [p for p in people("fabrikam") if p.kind is Kind.USER and not p.protected]
PROTECTED = next(p for p in people("fabrikam") if p.protected)


@pytest.fixture
def administrator(forests: Settings) -> Iterator[ldap3.Connection]:
    reset("fabrikam")
    connection = open_directory("fabrikam", "administrator")
    yield connection
    connection.unbind()
    reset("fabrikam")


def done(connection: ldap3.Connection, success: bool) -> None:
    assert success, connection.result


def usn(connection: ldap3.Connection) -> int:
    done(connection, connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"]))
    return int(connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])


def guid_of(connection: ldap3.Connection, dn: str) -> bytes:
    done(connection, connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["objectGUID"]))
    return bytes(connection.response[0]["raw_attributes"]["objectGUID"][0])


def test_values(administrator: ldap3.Connection) -> None:
    person = USERS[0]
    replace = ldap3.MODIFY_REPLACE
    changes = {
        "extensionAttribute4": [(replace, ["new"])],
        "displayName": [(replace, ["Other"])],
        "title": [(replace, [])],
        "proxyAddresses": [(ldap3.MODIFY_ADD, ["smtp:extra@fabrikam.lab"])],
        "altRecipient": [(replace, [USERS[1].dn])],
    }
    done(administrator, administrator.modify(person.dn, changes))
    assert reset("fabrikam") == {"restored": 1}
    assert reset("fabrikam") == {}


def test_case_of_an_address(administrator: ldap3.Connection) -> None:
    addresses = [value.decode() for value in USERS[0].attributes["proxyAddresses"]]
    flipped = [address.swapcase() for address in addresses]
    done(administrator, administrator.modify(USERS[0].dn, {"proxyAddresses": [(ldap3.MODIFY_REPLACE, flipped)]}))
    assert reset("fabrikam") == {"restored": 1}
    assert reset("fabrikam") == {}


def test_deleted_people_come_back_with_their_anchor(administrator: ldap3.Connection) -> None:
    for person in (USERS[0], USERS[1], PROTECTED):
        done(administrator, administrator.delete(person.dn))
    result = reset("fabrikam")
    assert result["brought_back"] == 3
    for person in (USERS[0], USERS[1], PROTECTED):
        assert guid_of(administrator, person.dn) == person.entry.guid_bytes
    assert reset("fabrikam") == {}
    writer = open_directory("fabrikam", "writer")
    change = {"extensionAttribute1": [(ldap3.MODIFY_REPLACE, ["x"])]}
    done(writer, writer.modify(USERS[0].dn, change))
    assert not writer.modify(PROTECTED.dn, change)
    writer.unbind()


def test_a_protected_user_that_inherits_again_is_protected_again(administrator: ldap3.Connection) -> None:
    control = ldap3.protocol.microsoft.security_descriptor_control(sdflags=4)
    administrator.search(
        USERS[0].dn, "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"], controls=control
    )
    open_descriptor = administrator.response[0]["raw_attributes"]["nTSecurityDescriptor"][0]
    change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [open_descriptor])]}
    done(administrator, administrator.modify(PROTECTED.dn, change, controls=control))
    assert reset("fabrikam") == {"protected": 1}
    writer = open_directory("fabrikam", "writer")
    assert not writer.modify(PROTECTED.dn, {"extensionAttribute1": [(ldap3.MODIFY_REPLACE, ["x"])]})
    writer.unbind()


def test_moved_renamed_and_extra_objects(administrator: ldap3.Connection) -> None:
    done(administrator, administrator.modify_dn(USERS[0].dn, "CN=Somebody Else"))
    name = USERS[1].dn.split(",OU=")[0]
    done(administrator, administrator.modify_dn(USERS[1].dn, name, new_superior=f"CN=Users,{FABRIKAM.base_dn}"))
    unit = child(root_dn(FABRIKAM), "New unit", "OU")
    done(administrator, administrator.add(unit, "organizationalUnit"))
    done(administrator, administrator.add(child(unit, "New user"), "user"))
    result = reset("fabrikam")
    assert result["moved"] == 2
    assert result["removed"] == 2
    assert reset("fabrikam") == {}


def test_a_unit_deleted_with_everything_in_it(administrator: ldap3.Connection) -> None:
    unit = unit_dn(FABRIKAM, ("Contacts",))
    done(administrator, administrator.delete(unit, controls=[("1.2.840.113556.1.4.805", True, None)]))
    assert reset("fabrikam")["brought_back"] == 9
    assert reset("fabrikam") == {}


def test_hybrid_objects_and_members(administrator: ldap3.Connection) -> None:
    hybrid = f"CN=Hybrid Configuration,CN=Hybrid Configuration,{organization_dn(FABRIKAM)}"
    done(administrator, administrator.delete(hybrid))
    group = groups(FABRIKAM)[0]
    done(administrator, administrator.modify(group.dn, {"member": [(ldap3.MODIFY_REPLACE, [USERS[0].dn])]}))
    assert reset("fabrikam") == {"brought_back": 1, "restored": 2}
    assert reset("fabrikam") == {}


def test_a_reset_writes_differences_only(administrator: ldap3.Connection) -> None:
    for person in USERS[:40]:
        done(administrator, administrator.modify(person.dn, {"extensionAttribute9": [(ldap3.MODIFY_REPLACE, ["y"])]}))
    committed = usn(administrator)
    assert reset("fabrikam") == {"restored": 40}
    assert usn(administrator) == committed + 40


def test_values_survive_a_restart_of_the_domain_controller(administrator: ldap3.Connection, forests: Settings) -> None:
    done(administrator, administrator.modify(USERS[0].dn, {"extensionAttribute9": [(ldap3.MODIFY_REPLACE, ["kept"])]}))
    assert supervisor.restart_dc(forests, "fabrikam", down_seconds=0.1) < supervisor.DC_SECONDS
    connection = open_directory("fabrikam", "reader")
    connection.search(USERS[0].dn, "(objectClass=*)", ldap3.BASE, attributes=["extensionAttribute9"])
    assert connection.response[0]["raw_attributes"]["extensionAttribute9"] == [b"kept"]
    connection.unbind()


def test_an_object_whose_name_holds_a_hash(administrator: ldap3.Connection) -> None:
    thing = next(p for p in people("fabrikam") if p.kind is Kind.EQUIPMENT)
    assert " #" in thing.dn
    done(administrator, administrator.modify(thing.dn, {"extensionAttribute9": [(ldap3.MODIFY_REPLACE, ["y"])]}))
    done(administrator, administrator.modify_dn(thing.dn, "CN=Projector"))
    assert reset("fabrikam") == {"moved": 1, "restored": 1}
    assert reset("fabrikam") == {}
