# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running directory against the data: schema, objects, transport, rights."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException

from tests.lab.forest import classes, schema
from tests.lab.forest.access import DirectoryUnavailable, base_dn, open_directory
from tests.lab.forest.people import Kind, Person, people
from tests.lab.forest.recipients import organization_dn
from tests.lab.forest.reset import reset
from tests.lab.forest.tree import BIG_GROUP, BIG_GROUP_SIZE, contacts, groups
from tests.lab.settings import FORESTS, GC_TLS_PORT, LDAP_PORT, Forest, Settings
from tests.lab.settings import forest as find_forest

CONTOSO = find_forest("contoso")
BASE_ATTRIBUTES = (
    "garbageCollPeriod",
    "legacyExchangeDN",
    "mS-DS-ConsistencyGuid",
    "msDS-ExternalDirectoryObjectId",
    "msDS-HABSeniorityIndex",
    "msDS-PhoneticDisplayName",
    "msExchAssistantName",
    "showInAddressBook",
    "textEncodedORAddress",
)
"""What recipients have without the extension."""
SCHEMA_PROPERTIES = (
    "attributeID",
    "attributeSyntax",
    "cn",
    "isMemberOfPartialAttributeSet",
    "isSingleValued",
    "lDAPDisplayName",
    "linkID",
    "oMSyntax",
    "rangeLower",
    "rangeUpper",
    "schemaIDGUID",
    "searchFlags",
)
CONFIGURATION = f"CN=Configuration,{CONTOSO.base_dn}"
SCHEMA = f"CN=Schema,{CONFIGURATION}"
INSUFFICIENT, STRONGER_AUTH, EXISTS, NO_SUCH_VALUE = 50, 8, 20, 16
PERMISSIVE = [("1.2.840.113556.1.4.1413", True, None)]


@pytest.fixture
def administrator(forests: Settings) -> Iterator[ldap3.Connection]:
    connection = open_directory("contoso", "administrator")
    yield connection
    connection.unbind()


@pytest.fixture
def seeded(forests: Settings) -> Iterator[None]:
    yield
    reset("contoso")


def user() -> Person:
    return next(p for p in people("contoso") if p.kind is Kind.USER and not p.protected and not p.conflict)


def raw(connection: ldap3.Connection, dn: str, *names: str) -> dict[str, list[bytes]]:
    assert connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=list(names)), connection.result
    return {name: values for name, values in connection.response[0]["raw_attributes"].items() if values}


def test_every_schema_attribute_is_as_the_table_says(administrator: ldap3.Connection) -> None:
    found = {
        entry["raw_attributes"]["lDAPDisplayName"][0].decode(): {
            name: values for name, values in entry["raw_attributes"].items() if values
        }
        for entry in administrator.extend.standard.paged_search(
            SCHEMA, "(objectClass=attributeSchema)", attributes=SCHEMA_PROPERTIES, paged_size=500, generator=True
        )
    }
    for row in schema.ATTRIBUTES:
        entry = found[row.name]
        told = {
            name: values[0].decode()
            for name, values in entry.items()
            if name not in ("schemaIDGUID", "objectGUID") and not name.endswith(("GUID", "Class", "Descriptor"))
        }
        assert told["attributeID"] == row.oid
        assert told["attributeSyntax"] == row.syntax.attribute_syntax
        assert told["oMSyntax"] == str(row.syntax.om_syntax)
        assert told["isSingleValued"] == ("TRUE" if row.single else "FALSE")
        assert told["cn"] == row.cn
        assert told.get("rangeLower") == (None if row.lower is None else str(row.lower)), row.name
        assert told.get("rangeUpper") == (None if row.upper is None else str(row.upper)), row.name
        assert told.get("searchFlags", "0") == str(row.search_flags)
        assert told.get("isMemberOfPartialAttributeSet") == ("TRUE" if row.gc else None)
        assert told.get("linkID") == (None if row.link_id is None else str(row.link_id))
        assert entry["schemaIDGUID"] == [row.guid_bytes]
    for name in schema.WRITEBACK_ATTRIBUTES:
        assert name in found
    assert set(BASE_ATTRIBUTES) <= set(found)


@pytest.mark.parametrize("kind", ["user", "group", "contact"])
def test_recipients_can_carry_every_attribute(administrator: ldap3.Connection, kind: str) -> None:
    dn = {"user": user().dn, "group": groups(CONTOSO)[0].dn, "contact": contacts(CONTOSO)[0].dn}[kind]
    allowed = {value.decode() for value in raw(administrator, dn, "allowedAttributes")["allowedAttributes"]}
    missing = {row.name for row in schema.RECIPIENT_ATTRIBUTES} | {"proxyAddresses", "mail"}
    assert missing - allowed == set()


def test_every_class_is_as_the_table_says(administrator: ldap3.Connection) -> None:
    for row in classes.CLASSES:
        entry = raw(administrator, f"CN={row.cn},{SCHEMA}", "*")
        assert entry["lDAPDisplayName"] == [row.name.encode()]
        assert entry["governsID"] == [row.oid.encode()]
        assert entry["objectClassCategory"] == [str(row.category).encode()]
        assert entry["subClassOf"] == [row.superclass.encode()]
        assert {value.decode() for value in entry.get("mayContain", [])} == set(row.may_contain)
        assert entry["schemaIDGUID"] == [row.guid_bytes]


def test_identifiers_of_the_table_are_unique() -> None:
    rows = [*schema.ATTRIBUTES, *classes.CLASSES]
    for key in ("name", "oid", "guid", "cn"):
        values = [getattr(row, key).lower() for row in rows]
        assert len(values) == len(set(values)), key
    links = [row.link_id for row in schema.ATTRIBUTES if row.link_id is not None]
    assert len(links) == len(set(links))


def test_version_markers(administrator: ldap3.Connection) -> None:
    assert raw(administrator, f"CN=ms-Exch-Schema-Version-Pt,{SCHEMA}", "rangeUpper")["rangeUpper"] == [b"17003"]
    assert raw(administrator, organization_dn(CONTOSO), "objectVersion")["objectVersion"] == [b"16763"]
    system = f"CN=Microsoft Exchange System Objects,{CONTOSO.base_dn}"
    assert raw(administrator, system, "objectVersion")["objectVersion"] == [b"13243"]


@pytest.mark.parametrize("forest", FORESTS, ids=lambda forest: forest.name)
def test_the_directory_holds_exactly_the_seed(forests: Settings, forest: Forest) -> None:
    def usn() -> int:
        connection = open_directory(forest.name, "reader")
        connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"])
        value = int(connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])
        connection.unbind()
        return value

    reset(forest.name)
    before = usn()
    assert reset(forest.name) == {}
    assert usn() == before


@pytest.mark.parametrize(
    ("cls", "count"),
    [
        ("msExchExchangeServer", 2),
        ("msExchCoexistenceRelationship", 1),
        ("msExchIntraOrganizationConnector", 2),
        ("msExchFedSharingRelationship", 2),
        ("msExchFedTrust", 1),
        ("msExchAuthAuthConfig", 1),
        ("msExchAuthPartnerApplication", 2),
        ("msExchConfigSettings", 1),
        ("msExchAcceptedDomain", 3),
        ("msExchRoutingSMTPConnector", 3),
        ("msExchSmtpReceiveConnector", 12),
        ("msExchWebServicesVirtualDirectory", 2),
        ("msExchMDBAvailabilityGroup", 1),
        ("msExchPrivateMDB", 2),
        ("msExchMDBCopy", 3),
        ("msExchAuthAuthServer", 3),
        ("msExchDomainContentConfig", 3),
        ("msExchTransportRule", 1),
    ],
)
def test_any_account_can_read_the_organisation(forests: Settings, cls: str, count: int) -> None:
    connection = open_directory("contoso", "reader")
    connection.search(CONFIGURATION, f"(objectClass={cls})", attributes=["cn"])
    found = [entry for entry in connection.response if entry["type"] == "searchResEntry"]
    connection.unbind()
    assert len(found) == count


def test_the_autodiscover_record_is_found_as_clients_look_for_it(forests: Settings) -> None:
    connection = open_directory("contoso", "reader")
    wanted = "(&(objectClass=serviceConnectionPoint)(keywords=77378F46-2C66-4aa9-A6A6-3E7A48B19596))"
    connection.search(CONFIGURATION, wanted, attributes=["serviceBindingInformation"])
    found = [entry for entry in connection.response if entry["type"] == "searchResEntry"]
    connection.unbind()
    assert len(found) == 2
    assert found[0]["raw_attributes"]["serviceBindingInformation"][0].endswith(b"/Autodiscover/Autodiscover.xml")


MATRIX = {
    "administrator": {"exchange": True, "identity": True, "protected": True},
    "sync": {"exchange": True, "identity": True, "protected": False},
    "writer": {"exchange": True, "identity": False, "protected": False},
    "reader": {"exchange": False, "identity": False, "protected": False},
}


@pytest.mark.parametrize("account", MATRIX)
def test_rights(forests: Settings, seeded: None, account: str) -> None:
    connection = open_directory("contoso", account)
    protected = next(p for p in people("contoso") if p.protected)
    group = groups(CONTOSO)[0]

    def allowed(dn: str, name: str, values: list[str]) -> bool:
        connection.modify(dn, {name: [(ldap3.MODIFY_REPLACE, values)]})
        assert connection.result["result"] in (0, INSUFFICIENT), connection.result
        return bool(connection.result["result"] == 0)

    single = {row.name for row in schema.ATTRIBUTES if row.single}
    samples = {
        name: ["4"] if name.endswith(("Type", "Details")) else ["smtp:x@contoso.lab"]
        for name in (*schema.WRITEBACK_ATTRIBUTES, "msExchHideFromAddressLists", "msExchModeratedByLink")
    }
    samples["msExchHideFromAddressLists"] = ["TRUE"]
    samples["msExchModeratedByLink"] = [protected.dn]
    assert "extensionAttribute1" in single
    for name, values in samples.items():
        assert allowed(user().dn, name, values) is MATRIX[account]["exchange"], name
        assert allowed(protected.dn, name, values) is MATRIX[account]["protected"], name
    assert allowed(group.dn, "extensionAttribute1", ["x"]) is MATRIX[account]["exchange"]
    for name in ("displayName", "title", "userPrincipalName", "mS-DS-ConsistencyGuid"):
        assert allowed(user().dn, name, ["0123456789abcdef"]) is MATRIX[account]["identity"], name
    outside = allowed(f"CN=Users,{CONTOSO.base_dn}", "description", ["x"])
    assert outside is (account == "administrator")
    if outside:
        before = {"description": [(ldap3.MODIFY_REPLACE, ["Default container for upgraded user accounts"])]}
        connection.modify(f"CN=Users,{CONTOSO.base_dn}", before)
    connection.delete(user().dn)
    assert (connection.result["result"] == 0) is (account == "administrator")
    connection.unbind()


def test_simple_bind_needs_tls(forests: Settings) -> None:
    server = ldap3.Server(CONTOSO.dc_address, LDAP_PORT, get_info=ldap3.NONE)
    account = CONTOSO.account("writer")
    connection = ldap3.Connection(server, CONTOSO.user_principal_name("writer"), account.password)
    assert not connection.bind()
    assert connection.result["result"] == STRONGER_AUTH
    connection.unbind()


@pytest.mark.parametrize("port", [LDAP_PORT, GC_TLS_PORT])
def test_starttls_and_global_catalogue(forests: Settings, port: int) -> None:
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        ca_certs_file=str(forests.ca),
        valid_names=[CONTOSO.server_name],
        version=ssl.PROTOCOL_TLS_CLIENT,
    )
    server = ldap3.Server(CONTOSO.dc_address, port, use_ssl=port != LDAP_PORT, tls=tls, get_info=ldap3.NONE)
    account = CONTOSO.account("writer")
    connection = ldap3.Connection(server, CONTOSO.user_principal_name("writer"), account.password)
    connection.open()
    assert port != LDAP_PORT or connection.start_tls()
    assert connection.bind(), connection.result
    address = user().attributes["proxyAddresses"][0].decode()
    connection.search("", f"(proxyAddresses={address})", attributes=["cn"]) if port == GC_TLS_PORT else (
        connection.search(CONTOSO.base_dn, f"(proxyAddresses={address})", attributes=["cn"])
    )
    assert [e["dn"] for e in connection.response if e["type"] == "searchResEntry"] == [user().dn]
    connection.unbind()


def test_another_authority_is_not_trusted(forests: Settings) -> None:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT)
    server = ldap3.Server(CONTOSO.dc_address, 636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    with pytest.raises(LDAPException, match="certificate"):
        ldap3.Connection(server).open()


def test_a_wrong_password_and_a_wrong_role_are_told_apart(forests: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="it has: administrator, writer, reader, sync"):
        open_directory("contoso", "root")
    account = CONTOSO.account("reader")
    object.__setattr__(account, "password", account.password + "x")
    try:
        with pytest.raises(DirectoryUnavailable, match="refuses svc-reader@contoso"):
            open_directory("contoso", "reader")
    finally:
        object.__setattr__(account, "password", account.password[:-1])


def test_a_forest_goes_by_its_tenant_too(forests: Settings) -> None:
    assert base_dn("98dd3829-1389-523c-a0bd-364aae3e0caf") == "DC=contoso,DC=lab" == base_dn("contoso.lab")
    with pytest.raises(LookupError, match="contoso, fabrikam"):
        base_dn("nowhere")


def test_ranges_of_a_large_group(administrator: ldap3.Connection) -> None:
    group = next(entry for entry in groups(CONTOSO) if entry.dn.startswith(f"CN={BIG_GROUP},"))
    connection = open_directory("contoso", "reader")
    connection.auto_range = connection.empty_attributes = False
    found = raw(connection, group.dn, "member;range=0-999")
    assert len(found["member;range=0-999"]) == 1000
    rest = raw(connection, group.dn, "member;range=1000-*")
    assert len(rest["member;range=1000-*"]) == BIG_GROUP_SIZE - 1000
    connection.unbind()


def test_modify_is_strict_unless_permissive(forests: Settings, seeded: None) -> None:
    connection = open_directory("contoso", "writer")
    present = user().attributes["proxyAddresses"][0].decode()
    again = {"proxyAddresses": [(ldap3.MODIFY_ADD, [present])]}
    gone = {"proxyAddresses": [(ldap3.MODIFY_DELETE, ["smtp:never@contoso.lab"])]}
    connection.modify(user().dn, again)
    assert connection.result["result"] == EXISTS
    connection.modify(user().dn, gone)
    assert connection.result["result"] == NO_SUCH_VALUE
    for change in (again, gone):
        assert connection.modify(user().dn, change, controls=PERMISSIVE), connection.result
    connection.unbind()
