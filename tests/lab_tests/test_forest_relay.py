# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay and LDAP, in front of a small server that answers every request with success, and notes what reached it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException

from tests.lab import ldap_messages
from tests.lab.clock import Clock
from tests.lab.cloud.faults import FaultTable
from tests.lab.ldap_refusals import CLOUD_SOA, Refusal, refusal
from tests.lab.network import Relays
from tests.lab.relay_parts import Acts, Route, Traffic
from tests.lab.settings import TENANTS
from tests.lab.store import Store
from tests.lab_tests.cloud_support import tls_files
from tests.lab_tests.waiting import eventually

TENANT = TENANTS[0]
LOCALHOST = "127.0.0.1"
TIMEOUT = 60  # against hanging only; ldap3 wants a whole number
DN = "CN=Ada,OU=People,DC=contoso,DC=lab"
OTHER = "CN=Eve,OU=People,DC=contoso,DC=lab"
VALUE = {"mail": [(ldap3.MODIFY_REPLACE, ["ada@contoso.lab"])]}
SOA = "OU=Cloud"


class Directory:
    """Success for every request; StartTLS really begins TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.reached: list[tuple[str, str]] = []
        self._context = context
        self._listener = socket.create_server((LOCALHOST, 0))
        self._encrypted = socket.create_server((LOCALHOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self.tls_port = int(self._encrypted.getsockname()[1])
        self._threads = [
            threading.Thread(target=self._accept, args=(listener, at_once), daemon=True)
            for listener, at_once in ((self._listener, False), (self._encrypted, True))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for listener in (self._listener, self._encrypted):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def writes(self) -> list[tuple[str, str]]:
        return [one for one in self.reached if one[0] in ldap_messages.WRITES]

    def _accept(self, listener: socket.socket, at_once: bool) -> None:
        while True:
            try:
                peer, _unused = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer, at_once), daemon=True).start()

    def _serve(self, peer: socket.socket, at_once: bool) -> None:
        with contextlib.ExitStack() as opened, contextlib.suppress(OSError, ldap_messages.NotLdap):
            opened.callback(peer.close)
            if at_once:
                peer = self._encrypt(peer, opened)
            data = b""
            while piece := peer.recv(65536):
                data += piece
                while (length := ldap_messages.whole(data)) is not None and len(data) >= length:
                    asked, data = ldap_messages.request(data[:length]), data[length:]
                    self.reached.append((asked.operation, asked.name))
                    if asked.answer_tag is None:
                        return
                    peer.sendall(ldap_messages.refusal(asked, 0))
                    if asked.name.encode() == ldap_messages.START_TLS:
                        peer = self._encrypt(peer, opened)

    def _encrypt(self, peer: socket.socket, opened: contextlib.ExitStack) -> ssl.SSLSocket:
        encrypted = self._context.wrap_socket(peer, server_side=True)
        opened.callback(encrypted.close)
        return encrypted


@dataclass
class Setup:
    faults: FaultTable
    directory: Directory
    relays: Relays
    ports: dict[str, int]
    ca: Path
    acted: list[Any]
    opened: list[ldap3.Connection] = field(default_factory=list)

    def arm(self, kind: str, **parameters: Any) -> None:
        self.faults.add({"kind": kind, "target": "ldap", **parameters})

    def connect(self, how: str = "tls") -> ldap3.Connection:
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(self.ca),
            version=ssl.PROTOCOL_TLS_CLIENT,
            valid_names=[LOCALHOST],
        )
        server = ldap3.Server(LOCALHOST, self.ports[how], use_ssl=how == "tls", tls=tls, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, "user", "secret", receive_timeout=TIMEOUT, check_names=False)
        self.opened.append(connection)
        connection.open()
        if how == "starttls":
            assert connection.start_tls()
        assert connection.bind(), connection.result
        return connection

    def traffic(self) -> Traffic:
        return self.relays.counts()[TENANT.name]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tls_files(tmp_path_factory.mktemp("relay"), LOCALHOST)


@pytest.fixture
def setup(tmp_path: Path, tls: Path) -> Iterator[Setup]:
    inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inner.load_cert_chain(tls / "cloud.pem", tls / "cloud.key")
    outer = ssl.create_default_context(cafile=str(tls / "ca.pem"))
    store = Store(tmp_path / "state.sqlite")
    acted: list[Any] = []

    def other_writer(tenant: Any, dn: str, wanted: dict[str, Any]) -> None:
        acted.append((tenant.name, dn, wanted["changes"], len(directory.writes())))

    def policy(_tenant: object, dn: str) -> Refusal | None:
        return CLOUD_SOA["unwilling"] if SOA in dn else None

    acts = Acts(
        restart=lambda tenant, seconds: acted.append((tenant.name, seconds)),
        other_writer=other_writer,
        policy=policy,
        policed=lambda: True,
    )
    directory = Directory(inner)
    relays = Relays(FaultTable(store, Clock(store), lambda name: TENANT.tenant_id), acts)
    routes = {
        "clear": Route(TENANT, 0, (LOCALHOST, directory.port)),
        "starttls": Route(TENANT, 0, (LOCALHOST, directory.port), inner, outer, LOCALHOST),
        "tls": Route(TENANT, 0, (LOCALHOST, directory.tls_port), inner, outer, LOCALHOST, at_once=True),
    }
    ports = {name: relays.listen(route, LOCALHOST) for name, route in routes.items()}
    faults = relays._faults
    assert isinstance(faults, FaultTable)
    made = Setup(faults, directory, relays, ports, tls / "ca.pem", acted)
    yield made
    for connection in made.opened:
        if connection.socket is not None:
            connection.socket.close()
    relays.stop()
    directory.stop()
    store.close()


@pytest.mark.parametrize("how", ["clear", "starttls", "tls"])
def test_requests_pass_and_are_counted(setup: Setup, how: str) -> None:
    connection = setup.connect(how)
    for _unused in range(3):
        assert connection.modify(DN, VALUE), connection.result
    connection.search("DC=contoso,DC=lab", "(cn=*)")
    connection.delete(DN)
    connection.unbind()
    expected = {"bind": 1, "modify": 3, "search": 1, "delete": 1, "unbind": 1}
    if how == "starttls":
        expected["extended"] = 1
    assert eventually(lambda: setup.traffic().open == 0)
    assert dict(setup.traffic().operations) == expected
    assert setup.directory.writes() == [("modify", DN)] * 3 + [("delete", DN)]


def test_the_certificate_is_the_directory_s_own(setup: Setup, tls: Path) -> None:
    context = ssl.create_default_context(cafile=str(setup.ca))
    with (
        socket.create_connection((LOCALHOST, setup.ports["tls"]), timeout=TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=LOCALHOST) as client,
    ):
        shown = client.getpeercert(binary_form=True)
    assert shown == ssl.PEM_cert_to_DER_cert((tls / "cloud.pem").read_text())


@pytest.mark.parametrize("how", ["clear", "starttls", "tls"])
@pytest.mark.parametrize(("code", "number"), [("busy", 51), (52, 52), (53, 53), ("strongerAuthRequired", 8), (19, 19)])
def test_a_chosen_object_is_refused_and_the_connection_goes_on(setup: Setup, how: str, code: Any, number: int) -> None:
    connection = setup.connect(how)
    setup.arm("refuse", code=code, match={"operation": "modify", "dn": DN.upper()})
    assert connection.modify(OTHER, VALUE)
    assert not connection.modify(DN, VALUE)
    assert connection.result["result"] == number
    assert connection.result["message"].rstrip("\0") == refusal({"code": number}).text.rstrip("\0")
    assert connection.modify(DN, VALUE)
    assert setup.directory.writes() == [("modify", OTHER), ("modify", DN)]


def test_a_referral_names_where_to_go(setup: Setup) -> None:
    connection = setup.connect()
    connection.auto_referrals = False
    setup.arm("refuse", code="referral", referrals=["ldap://dc2.contoso.lab/"], match={"path_regex": "^CN=Ada"})
    assert not connection.modify(DN, VALUE)
    assert (connection.result["result"], connection.result["referrals"]) == (10, ["ldap://dc2.contoso.lab/"])


def test_a_search_a_bind_and_an_own_text_can_be_refused(setup: Setup) -> None:
    connection = setup.connect()
    setup.arm("refuse", code=11, text="mine", match={"operation": "search"})
    assert not connection.search("DC=contoso,DC=lab", "(cn=*)")
    assert (connection.result["result"], connection.result["message"]) == (11, "mine")
    setup.arm("refuse", code=51, match={"operation": "bind"})
    with pytest.raises(AssertionError, match="busy"):
        setup.connect()


def test_after_lets_requests_go_by(setup: Setup) -> None:
    connection = setup.connect()
    setup.arm("refuse", code=51, after=2, times=2, match={"operation": "modify"})
    assert [connection.modify(DN, VALUE) for _unused in range(5)] == [True, True, False, False, True]


@pytest.mark.parametrize(("point", "reached"), [("before_request", 1), ("after_request", 2)])
@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_a_cut_before_or_after_the_directory_wrote(setup: Setup, how: str, point: str, reached: int) -> None:
    connection = setup.connect(how)
    setup.arm("cut", point=point, after=1, match={"operation": "modify"})
    assert connection.modify(OTHER, VALUE)
    with pytest.raises(LDAPException):
        connection.modify(DN, VALUE)
    assert setup.directory.writes() == [("modify", OTHER), ("modify", DN)][:reached]
    assert setup.connect(how).modify(DN, VALUE)


def test_a_cut_in_the_middle_of_an_answer(setup: Setup) -> None:
    connection = setup.connect()
    before = setup.traffic().from_directory
    setup.arm("cut", after_bytes=5, match={"operation": "search"})
    with pytest.raises(LDAPException):
        connection.search("DC=contoso,DC=lab", "(cn=*)")
    assert setup.traffic().from_directory == before + 5


@pytest.mark.parametrize(("point", "reached"), [(None, 3), ("before_request", 3), ("after_request", 4)])
def test_the_domain_controller_restarts_after_some_operations(setup: Setup, point: str | None, reached: int) -> None:
    connection = setup.connect()
    extra = {} if point is None else {"point": point}
    setup.arm("dc_restart", seconds=4, after=3, match={"operation": "modify"}, **extra)
    with pytest.raises(LDAPException):
        for _unused in range(10):
            connection.modify(DN, VALUE)
    assert len(setup.directory.writes()) == reached
    assert setup.acted == [(TENANT.name, 4.0)]


def test_another_writer_comes_first(setup: Setup) -> None:
    connection = setup.connect()
    setup.arm("other_writer", changes={"mail": ["theirs"]}, after=1)
    for _unused in range(3):
        connection.search(DN, "(cn=*)")
        assert connection.modify(DN, VALUE)
    assert setup.acted == [(TENANT.name, DN, {"mail": ["theirs"]}, 1)]


def test_a_rule_of_the_directory_refuses(setup: Setup) -> None:
    connection = setup.connect()
    theirs = f"CN=Ada,{SOA},DC=contoso,DC=lab"
    assert connection.modify(DN, VALUE)
    assert not connection.modify(theirs, VALUE)
    assert connection.result["result"] == 53
    assert "cloud source of authority policy" in connection.result["message"]
    assert connection.delete(theirs)  # as Microsoft documents: deletions are not refused


def test_several_requests_in_flight_are_told_apart(setup: Setup) -> None:
    """Ten modifications in one piece: each answer belongs to its request, the refused one included."""
    setup.arm("refuse", code=53, after=4, match={"operation": "modify"})
    messages = [
        b"\x30" + bytes([5 + 2 + len(DN)]) + b"\x02\x01" + bytes([number]) + b"\x66" + bytes([2 + len(DN)])
        + b"\x04" + bytes([len(DN)]) + DN.encode()
        for number in range(1, 11)
    ]  # fmt: skip
    with socket.create_connection((LOCALHOST, setup.ports["clear"]), timeout=TIMEOUT) as client:
        client.sendall(b"".join(messages))
        data, codes = b"", {}
        while len(codes) < 10:
            data += client.recv(65536)
            while (length := ldap_messages.whole(data)) is not None and len(data) >= length:
                answer, data = ldap_messages.answer(data[:length]), data[length:]
                codes[answer.id] = answer.code
    assert codes == {number: 53 if number == 5 else 0 for number in range(1, 11)}
    assert len(setup.directory.writes()) == 9


def test_a_layer_of_sasl_is_passed_on_unseen(setup: Setup) -> None:
    sasl = b"\xa3\x08\x04\x06GSSAPI"
    content = b"\x02\x01\x03\x04\x00" + sasl
    bind = b"\x30" + bytes([5 + len(content)]) + b"\x02\x01\x01\x60" + bytes([len(content)]) + content
    with socket.create_connection((LOCALHOST, setup.ports["clear"]), timeout=TIMEOUT) as client:
        client.sendall(bind)
        assert ldap_messages.answer(client.recv(65536)).code == 0
        setup.arm("refuse", code=51)
        client.sendall(b"\x00\x00\x00\x04wrap")
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(65536) == b""  # the small server knows no SASL
    assert setup.traffic().to_directory == len(bind) + 8
    assert setup.faults.armed  # a refusal does not fit what cannot be seen


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kind": "refuse"}, "code is a result code"),
        ({"kind": "refuse", "code": "lazy"}, "code is a result code"),
        ({"kind": "refuse", "code": 0}, "code is a result code"),
        ({"kind": "refuse", "code": 10, "referrals": []}, "referrals is a list"),
        ({"kind": "cut", "point": "sometimes"}, "point is one of"),
        ({"kind": "cut", "match": {"operation": "write"}}, "operation is one of"),
        ({"kind": "cut", "after": -1}, "after is how many"),
        ({"kind": "other_writer"}, "changes is an object"),
        ({"kind": "other_writer", "changes": {"mail": "x"}}, "change of mail is a list"),
        ({"kind": "other_writer", "changes": {"mail": {"set": ["x"]}}}, "change of mail is a list"),
        ({"kind": "other_writer", "changes": {"mail": [1]}}, "value of mail is a string"),
        ({"kind": "other_writer", "changes": {"mail": [{"base64": "?"}]}}, "no base64"),
    ],
)
def test_faults_that_make_no_sense(setup: Setup, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        setup.faults.add({"target": "ldap", **wrong})


@pytest.mark.parametrize(
    ("data", "length"),
    [(b"", None), (b"0", None), (b"0\x05", 7), (b"0\x82\x01", None), (b"0\x82\x01\x00", 260), (b"0\x84\0\0\1\0x", 262)],
)
def test_the_length_of_a_message(data: bytes, length: int | None) -> None:
    assert ldap_messages.whole(data) == length


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1", b"\x16\x03\x01", b"0\x80", b"0\x85\1\1\1\1\1", b"0\x84\xff\xff\xff\xff"]
)
def test_no_message(data: bytes) -> None:
    with pytest.raises(ldap_messages.NotLdap):
        ldap_messages.whole(data)
