# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay in front of a real domain controller: every port, other writers, cuts, Kerberos, an independent reader."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException

from tests.lab import handover, ldif, network
from tests.lab.clock import Clock
from tests.lab.cloud.faults import FaultTable
from tests.lab.forest import edit
from tests.lab.forest.people import Kind, people
from tests.lab.forest.reset import reset
from tests.lab.ldap_refusals import CLOUD_SOA, Refusal
from tests.lab.network import Relays
from tests.lab.relay_parts import Acts, Route
from tests.lab.settings import LDAP_OVER_TLS, RELAY_PORTS, Settings, tenant
from tests.lab.store import Store

TENANT = tenant("contoso")
FOREST = TENANT.forest
LOCALHOST = "127.0.0.1"
TIMEOUT = 300  # against hanging only
NO_SUCH_VALUE, INSUFFICIENT = 16, 50
USER = next(p for p in people("contoso") if p.kind is Kind.USER and not p.protected and not p.conflict)


@dataclass
class Relayed:
    faults: FaultTable
    ca: Path
    ports: dict[int, int]
    opened: list[ldap3.Connection] = field(default_factory=list)

    def connect(self, port: int = 636, role: str = "writer") -> ldap3.Connection:
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(self.ca),
            version=ssl.PROTOCOL_TLS_CLIENT,
            valid_names=[FOREST.server_name],
        )
        at_once = port in LDAP_OVER_TLS
        server = ldap3.Server(LOCALHOST, self.ports[port], use_ssl=at_once, tls=tls, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server,
            FOREST.user_principal_name(role),
            FOREST.account(role).password,
            receive_timeout=TIMEOUT,
            check_names=False,
        )
        self.opened.append(connection)
        connection.open()
        assert at_once or connection.start_tls()
        assert connection.bind(), connection.result
        return connection

    def arm(self, kind: str, **parameters: Any) -> None:
        self.faults.add({"kind": kind, "target": "ldap", **parameters})


@pytest.fixture(scope="module")
def relayed_forest(forests: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relayed]:
    """Relays of their own on free ports: those of a running lab may listen on the lab's."""

    def policy(_tenant: object, dn: str) -> Refusal | None:
        return CLOUD_SOA["access_denied"] if edit.authority(FOREST.name, dn, forests.run_dir) else None

    store = Store(tmp_path_factory.mktemp("relayed") / "state.sqlite")
    faults = FaultTable(store, Clock(store), lambda _name: TENANT.tenant_id)
    acts = Acts(
        restart=lambda *_unused: None,
        other_writer=lambda _tenant, dn, wanted: edit.edit(
            FOREST.name, wanted.get("object") or dn, wanted["changes"], forests.run_dir
        ),
        policy=policy,
        policed=lambda: True,
    )
    relays = Relays(faults, acts)
    inner, outer = network.contexts(forests, TENANT)
    ports = {
        port: relays.listen(
            Route(TENANT, 0, (FOREST.dc_address, port), inner, outer, FOREST.server_name, port in LDAP_OVER_TLS),
            LOCALHOST,
        )
        for port in RELAY_PORTS
    }
    yield Relayed(faults, forests.ca, ports)
    relays.stop()
    store.close()


@pytest.fixture
def relayed(relayed_forest: Relayed) -> Iterator[Relayed]:
    yield relayed_forest
    for connection in relayed_forest.opened:
        if connection.socket is not None:
            connection.socket.close()
    relayed_forest.opened.clear()
    relayed_forest.faults.remove()
    reset(FOREST.name)


def read(connection: ldap3.Connection, dn: str, *names: str) -> dict[str, list[bytes]]:
    assert connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=list(names)), connection.result
    return dict(connection.response[0]["raw_attributes"])


def found(connection: ldap3.Connection, base: str, condition: str) -> set[str]:
    connection.search(base, condition, attributes=["cn"])
    return {entry["dn"] for entry in connection.response if entry["type"] == "searchResEntry"}


@pytest.mark.parametrize("port", RELAY_PORTS)
def test_every_port_leads_to_the_domain_controller(relayed: Relayed, port: int) -> None:
    assert found(relayed.connect(port), FOREST.base_dn, f"(sAMAccountName={USER.key})") == {USER.dn}


@pytest.mark.parametrize("port", [3268, 3269])
def test_the_global_catalogue_finds_an_address_on_another_object_elsewhere(relayed: Relayed, port: int) -> None:
    address = USER.attributes["proxyAddresses"][0].decode()
    twin = f"CN=Twin of {port},CN=Users,{FOREST.base_dn}"
    edit.add(FOREST.name, twin, ["contact"], {"proxyAddresses": [address.lower()], "mail": [address[5:]]})
    try:
        assert found(relayed.connect(port), "", f"(proxyAddresses={address})") == {USER.dn, twin}
    finally:
        edit.remove(FOREST.name, [twin])
    assert found(relayed.connect(port), "", f"(proxyAddresses={address})") == {USER.dn}


def test_a_value_that_another_writer_changed_makes_the_write_fail(relayed: Relayed) -> None:
    connection = relayed.connect()
    edit.edit(FOREST.name, USER.dn, {"extensionAttribute5": ["old"]})
    relayed.arm("other_writer", changes={"extensionAttribute5": ["theirs"]})
    exact = [(ldap3.MODIFY_DELETE, ["old"]), (ldap3.MODIFY_ADD, ["ours"])]
    assert not connection.modify(USER.dn, {"extensionAttribute5": exact})
    assert connection.result["result"] == NO_SUCH_VALUE
    assert read(connection, USER.dn, "extensionAttribute5")["extensionAttribute5"] == [b"theirs"]
    exact[0] = (ldap3.MODIFY_DELETE, ["theirs"])
    assert connection.modify(USER.dn, {"extensionAttribute5": exact})


def test_another_writer_adds_removes_and_clears(relayed: Relayed) -> None:
    connection = relayed.connect()
    before = read(connection, USER.dn, "proxyAddresses")["proxyAddresses"]
    gone = before[0].decode()
    name = USER.attributes["userPrincipalName"][0].decode()
    relayed.arm(
        "other_writer",
        object=name,
        changes={"proxyAddresses": {"remove": [gone], "add": ["smtp:theirs@contoso.lab"]}, "mail": []},
    )
    other = next(p for p in people("contoso") if p.kind is Kind.SHARED and not p.protected and not p.conflict)
    assert connection.modify(other.dn, {"extensionAttribute6": [(ldap3.MODIFY_REPLACE, ["x"])]})
    values = read(connection, USER.dn, "proxyAddresses", "mail")
    assert set(values["proxyAddresses"]) == {*before, b"smtp:theirs@contoso.lab"} - {gone.encode()}
    assert not values["mail"]
    with pytest.raises(edit.EditRefused, match="0 objects"):
        edit.edit(FOREST.name, "nobody@contoso.lab", {"mail": []})
    with pytest.raises(edit.EditRefused, match="noSuchObject"):
        edit.edit(FOREST.name, f"CN=Nobody,{FOREST.base_dn}", {"mail": []})


def test_an_object_whose_authority_is_in_the_cloud_is_refused(relayed: Relayed) -> None:
    change = {"extensionAttribute7": [(ldap3.MODIFY_REPLACE, ["x"])]}
    connection = relayed.connect()
    assert connection.modify(USER.dn, change)
    edit.edit(FOREST.name, USER.dn, {"msDS-ObjectSoa": ["Cloud"]})
    assert not connection.modify(USER.dn, change)
    assert connection.result["result"] == INSUFFICIENT
    assert "cloud source of authority policy" in connection.result["message"]
    reset(FOREST.name)
    assert connection.modify(USER.dn, change)


def test_a_page_is_cut_in_the_middle_and_read_again(relayed: Relayed) -> None:
    def count(connection: ldap3.Connection) -> int:
        pages = connection.extend.standard.paged_search(
            FOREST.base_dn, "(&(objectClass=user)(mail=*))", attributes=["*"], paged_size=100, generator=True
        )
        return sum(entry["type"] == "searchResEntry" for entry in pages)

    whole = count(relayed.connect())
    assert whole > 200
    relayed.arm("cut", after_bytes=5000, after=1, match={"operation": "search"})
    with pytest.raises(LDAPException):
        count(relayed.connect())
    assert count(relayed.connect()) == whole


def test_the_writer_can_tell_the_replica_and_what_changed(relayed: Relayed) -> None:
    connection = relayed.connect()
    root = read(connection, "", "dsServiceName", "highestCommittedUSN")
    service, usn = root["dsServiceName"][0].decode(), int(root["highestCommittedUSN"][0])
    assert len(read(connection, service, "invocationId")["invocationId"][0]) == 16
    edit.edit(FOREST.name, USER.dn, {"extensionAttribute8": ["changed"]})
    assert found(connection, FOREST.base_dn, f"(&(mail=*)(uSNChanged>={usn + 1}))") == {USER.dn}


def test_an_independent_reader_sees_every_difference_and_no_other(relayed: Relayed, forests: Settings) -> None:
    directory = handover.lab_json(forests)["tenants"]["contoso"]["directory"]

    def seen() -> ldif.Objects:
        return ldif.read(directory, str(forests.ca), [FOREST.base_dn])

    reset(FOREST.name)
    before = seen()
    mine = before[USER.dn]
    assert mine["objectGUID"] == [USER.entry.guid_bytes]
    edit.edit(FOREST.name, USER.dn, {"extensionAttribute9": ["Grüße "], "mail": {"remove": [str(USER.text("mail"))]}})
    after = seen()
    assert {dn for dn in before if before[dn] != after[dn]} == {USER.dn}
    assert after[USER.dn]["extensionAttribute9"] == ["Grüße ".encode()]
    different = ("mail", "extensionAttribute9")
    assert "mail" not in after[USER.dn]
    assert {k: v for k, v in mine.items() if k not in different} == {
        k: v for k, v in after[USER.dn].items() if k not in different
    }
    assert ldif.parse(ldif.text(after).encode()) == after
    reset(FOREST.name)
    assert ldif.text(seen()) == ldif.text(before)
    with pytest.raises(ldif.ReaderFailed, match="ended with"):
        ldif.read(directory, str(forests.ca), ["DC=nowhere"])


def test_kerberos(forests: Settings, tmp_path: Path) -> None:
    told = handover.lab_json(forests)["tenants"]["contoso"]["directory"]["kerberos"]
    keytab = Path(told["keytab"])
    assert keytab.stat().st_mode & 0o777 == 0o600
    content = keytab.read_bytes()
    assert content[:2] == b"\x05\x02"
    assert b"svc-writeback" in content
    assert told["principal"] == "svc-writeback@CONTOSO.LAB"
    for service in told["services"]:
        spn = ldap3.utils.conv.escape_filter_chars(service)
        connection = edit.open_directory(FOREST.name, "reader", forests.run_dir)
        assert len(found(connection, FOREST.base_dn, f"(servicePrincipalName={spn})")) == 1
        connection.unbind()
    if shutil.which("kinit") is None or shutil.which("kvno") is None:
        return  # the lab does not need Kerberos's own tools; where they are, they are the judge
    environment = {**os.environ, "KRB5_CONFIG": told["config"], "KRB5CCNAME": f"FILE:{tmp_path / 'tickets'}"}
    for command in (["kinit", "-k", "-t", told["keytab"], told["principal"]], ["kvno", "-q", *told["services"]]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT)
        assert done.returncode == 0, done.stderr
