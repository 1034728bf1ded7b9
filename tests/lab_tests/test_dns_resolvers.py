# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's DNS asked by a real client (dnspython): views, types, what is not there, what is broken, changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from tests.lab.dns import commands, serving
from tests.lab.dns.places import EXTERNAL, INTERNAL, VIEWS, Resolver
from tests.lab.dns.server import Resolvers
from tests.lab_tests.cloud_support import SERVICES, CloudLab

# Addresses of a test session's own, besides those of a lab that may be up.
_SESSION = f"127.{150 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
PORT = 5353
TARGET = "autodiscover.outlook.com."


@dataclass
class Dns:
    """A lab's cloud without forests, with its resolvers listening."""

    cloud: CloudLab
    listening: tuple[Resolver, ...]

    def client(self, view: str, tenant: str = "contoso", tcp: bool = False) -> dns.resolver.Resolver:
        found = dns.resolver.Resolver(configure=False)
        found.nameservers = [next(one.address for one in self.listening if (one.tenant, one.view) == (tenant, view))]
        found.port, found.timeout, found.lifetime = PORT, 0.4, 0.8
        return found

    def ask(self, name: str, kind: str, view: str = EXTERNAL, tenant: str = "contoso", tcp: bool = False) -> list[str]:
        answer = self.client(view, tenant).resolve(f"{name}.", kind, tcp=tcp)
        return sorted(one.to_text() for one in answer)

    def raw(self, name: str, kind: str, view: str = EXTERNAL, tcp: bool = False, **options: Any) -> dns.message.Message:
        query = dns.message.make_query(f"{name}.", kind, **options)
        where = next(one.address for one in self.listening if (one.tenant, one.view) == ("contoso", view))
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, where, timeout=2.0, port=PORT)

    def change(self, tenant: str = "contoso", **body: Any) -> Any:
        reply = self.cloud.control("PATCH", f"/dns/{tenant}", body)
        assert reply.status == 200, reply.content
        return reply.content


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Dns]:
    """Resolvers of a fresh lab."""
    cloud = CloudLab(tmp_path, {name: f"https://127.77.0.{10 + at}:8443" for at, name in enumerate(SERVICES)})
    pairs = [(tenant, view) for tenant in ("contoso", "fabrikam") for view in VIEWS]
    listening = tuple(Resolver(*pair, f"{_SESSION}.{1 + at}", PORT) for at, pair in enumerate(pairs))
    resolvers = serving.start(cloud.services, listening)
    yield Dns(cloud, listening)
    resolvers.stop()
    cloud.store.close()


# -- the story -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tcp", [False, True])
def test_contoso_is_still_partly_on_premises(lab: Dns, tcp: bool) -> None:
    assert lab.ask("contoso.lab", "MX", tcp=tcp) == [
        "10 mail.contoso.lab.",
        "5 contoso-lab.mail.protection.outlook.com.",
    ]
    assert lab.ask("contoso.lab", "MX", INTERNAL, tcp=tcp) == ["10 mail.contoso.lab."]
    assert any("ip4:203.0.113.10" in one for one in lab.ask("contoso.lab", "TXT", tcp=tcp))
    assert lab.ask("autodiscover.contoso.lab", "A", tcp=tcp) == ["203.0.113.10"]
    assert len(lab.ask("autodiscover.contoso.lab", "A", INTERNAL, tcp=tcp)) == 2
    for view in VIEWS:
        assert lab.ask("_autodiscover._tcp.contoso.lab", "SRV", view, tcp=tcp) == ["0 0 443 mail.contoso.lab."]


def test_fabrikam_is_behind_somebody_elses_gateway(lab: Dns) -> None:
    found = lab.ask("fabrikam.lab", "MX", tenant="fabrikam")
    assert found == ["10 mx1.mailgate.example.", "20 mx2.mailgate.example."]
    assert lab.ask("mx1.mailgate.example", "A", tenant="fabrikam")
    assert lab.ask("autodiscover.fabrikam.lab", "CNAME", tenant="fabrikam") == [TARGET]
    assert len(lab.ask("autodiscover.fabrikam.lab", "A", INTERNAL, "fabrikam")) == 2


def test_aliases_are_followed_to_their_addresses(lab: Dns) -> None:
    answer = lab.client(EXTERNAL, "fabrikam").resolve("autodiscover.fabrikam.lab.", "A")
    assert answer.canonical_name.to_text() == TARGET
    assert len(answer) == 1


def test_the_world_and_the_other_tenant(lab: Dns) -> None:
    assert lab.ask("contoso.mail.onmicrosoft.com", "MX") == [
        "0 contoso-mail-onmicrosoft-com.mail.protection.outlook.com."
    ]
    assert lab.ask("mail.fabrikam.lab", "A", INTERNAL) == ["203.0.113.20"]  # as the world sees it
    assert lab.ask("ex01.contoso.lab", "A", INTERNAL)
    with pytest.raises(dns.resolver.NXDOMAIN):
        lab.ask("ex01.contoso.lab", "A", EXTERNAL)


def test_nothing_of_a_type_and_nothing_at_all(lab: Dns) -> None:
    with pytest.raises(dns.resolver.NoAnswer):
        lab.ask("mail.contoso.lab", "MX")
    with pytest.raises(dns.resolver.NoAnswer):
        lab.ask("_tcp.contoso.lab", "SRV")  # there is something below it
    with pytest.raises(dns.resolver.NXDOMAIN):
        lab.ask("nothing.contoso.lab", "A")
    answer = lab.raw("nothing.contoso.lab", "A")
    assert [one.rdtype.name for one in answer.authority] == ["SOA"]
    assert answer.flags & dns.flags.AA


def test_names_are_the_same_whatever_their_case(lab: Dns) -> None:
    assert lab.ask("CONTOSO.Lab", "MX") == lab.ask("contoso.lab", "MX")


# -- changes -------------------------------------------------------------------------------------------------------


def test_one_command_moves_everything_to_exchange_online(lab: Dns) -> None:
    lab.change(at_exchange_online=True)
    for view in VIEWS:
        [mx] = lab.ask("contoso.lab", "MX", view)
        assert mx.endswith("-v1.mx.microsoft.")
        assert '"v=spf1 include:spf.protection.outlook.com -all"' in lab.ask("contoso.lab", "TXT", view)
        assert not [one for one in lab.ask("contoso.lab", "TXT", view) if "ip4:" in one]
        assert lab.ask("autodiscover.contoso.lab", "CNAME", view) == [TARGET]
        with pytest.raises(dns.resolver.NXDOMAIN):
            lab.ask("_autodiscover._tcp.contoso.lab", "SRV", view)
    assert lab.ask("ex01.contoso.lab", "A", INTERNAL)


def test_a_gateway_may_stay(lab: Dns) -> None:
    before = lab.ask("fabrikam.lab", "MX", tenant="fabrikam")
    lab.change("fabrikam", at_exchange_online=True, keep_mx=True)
    assert lab.ask("fabrikam.lab", "MX", tenant="fabrikam") == before
    [spf] = [one for one in lab.ask("fabrikam.lab", "TXT", tenant="fabrikam") if "spf1" in one]
    assert "include:spf.mailgate.example" in spf
    assert "ip4:" not in spf


def test_records_are_set_and_removed_in_a_view(lab: Dns) -> None:
    wanted = {"name": "@", "type": "MX", "values": ["10 a.example", "20 b.example"], "ttl": 17}
    lab.change(view=EXTERNAL, set=[wanted])
    assert lab.ask("contoso.lab", "MX") == ["10 a.example.", "20 b.example."]
    assert lab.raw("contoso.lab", "MX").answer[0].ttl == 17
    assert lab.ask("contoso.lab", "MX", INTERNAL) == ["10 mail.contoso.lab."]
    lab.change(set=[{"name": "autodiscover", "type": "CNAME", "values": ["Other.Example."]}])
    assert lab.ask("autodiscover.contoso.lab", "CNAME") == ["other.example."]
    with pytest.raises(dns.resolver.NXDOMAIN):
        lab.ask("autodiscover.contoso.lab", "A")
    lab.change(remove=[{"name": "@", "type": "MX", "value": "10 a.example"}, {"name": "_autodiscover._tcp"}])
    assert lab.ask("contoso.lab", "MX") == ["20 b.example."]
    lab.change(as_at_the_beginning=True)
    assert lab.ask("contoso.lab", "MX")[0] == "10 mail.contoso.lab."


def test_long_texts_travel_in_pieces(lab: Dns) -> None:
    long = "v=spf1 " + " ".join(f"ip4:198.51.100.{at}" for at in range(40)) + " -all"
    lab.change(set=[{"name": "@", "type": "TXT", "values": [long]}])
    answer = lab.client(EXTERNAL).resolve("contoso.lab.", "TXT")
    assert b"".join(answer[0].strings).decode() == long
    assert len(answer[0].strings) > 1


@pytest.mark.parametrize(
    "body",
    [
        {"view": "both sides"},
        {"nothing": 1},
        {"set": [{"name": "@", "type": "MX", "values": ["mail.contoso.lab"]}]},
        {"set": [{"name": "@", "type": "A", "values": ["::1"]}]},
        {"set": [{"name": "@", "type": "HINFO", "values": ["x"]}]},
        {"set": [{"name": "a b", "type": "A", "values": ["192.0.2.1"]}]},
        {"set": [{"name": "@", "type": "MX"}]},
        {"break": "sometimes"},
    ],
)
def test_changes_that_make_no_sense(lab: Dns, body: dict[str, Any]) -> None:
    before = lab.cloud.control("GET", "/dns/contoso").content
    assert lab.cloud.control("PATCH", "/dns/contoso", body).status == 400
    assert lab.cloud.control("GET", "/dns/contoso").content == before


def test_a_reset_brings_records_back(lab: Dns) -> None:
    before = lab.cloud.control("GET", "/dns/contoso").content
    lab.change(at_exchange_online=True, **{"break": "servfail"})
    assert lab.cloud.control("POST", "/reset").status == 200
    assert lab.cloud.control("GET", "/dns/contoso").content == before


# -- breakages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["servfail", "nxdomain", "refused"])
@pytest.mark.parametrize("tcp", [False, True])
def test_wrong_answers(lab: Dns, mode: str, tcp: bool) -> None:
    lab.change(view=EXTERNAL, **{"break": mode})
    answer = lab.raw("contoso.lab", "MX", tcp=tcp)
    assert (answer.rcode(), answer.answer) == (dns.rcode.from_text(mode), [])
    assert lab.ask("contoso.lab", "MX", INTERNAL)
    lab.change(**{"break": "none"})
    assert lab.ask("contoso.lab", "MX")


def test_one_name_may_be_broken_with_what_is_below_it(lab: Dns) -> None:
    lab.change(name="_tcp", **{"break": "servfail"})
    assert lab.raw("_autodiscover._tcp.contoso.lab", "SRV").rcode() == dns.rcode.SERVFAIL
    assert lab.ask("contoso.lab", "MX")
    lab.change(name="_tcp", **{"break": "none"})
    assert lab.ask("_autodiscover._tcp.contoso.lab", "SRV")


@pytest.mark.parametrize("tcp", [False, True])
def test_no_answer(lab: Dns, tcp: bool) -> None:
    lab.change(**{"break": "timeout"})
    with pytest.raises(dns.exception.Timeout):
        lab.ask("contoso.lab", "MX", tcp=tcp)


def test_a_cut_answer_is_asked_again_by_tcp(lab: Dns) -> None:
    lab.change(**{"break": "truncated"})
    assert lab.raw("contoso.lab", "MX").flags & dns.flags.TC
    assert len(lab.ask("contoso.lab", "MX")) == 2  # the client did it by itself
    methods = [one["method"] for one in lab.cloud.store.requests() if one["service"] == "dns"]
    assert methods == ["UDP", "UDP", "TCP"]


def test_what_does_not_fit_is_cut_without_being_told(lab: Dns) -> None:
    values = [f"{at} host-with-a-long-name-{at}.somewhere.example" for at in range(20)]
    lab.change(set=[{"name": "@", "type": "MX", "values": values}])
    assert lab.raw("contoso.lab", "MX", use_edns=False).flags & dns.flags.TC
    assert not lab.raw("contoso.lab", "MX", use_edns=0, payload=4096).flags & dns.flags.TC
    assert len(lab.ask("contoso.lab", "MX")) == 20


def test_garbage_is_not_answered_and_does_no_harm(lab: Dns) -> None:
    import socket

    where = (lab.listening[1].address, PORT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        for junk in (b"", b"\x00", b"x" * 40, b"\xff" * 600):
            plain.sendto(junk, where)
    with socket.create_connection(where, timeout=2) as stream:
        stream.sendall(b"\x00\x05hello")
    assert lab.ask("contoso.lab", "MX")


# -- the command line ----------------------------------------------------------------------------------------------


def test_the_text_has_each_record_and_what_is_broken(lab: Dns) -> None:
    shown = commands.text(lab.change(name="autodiscover", **{"break": "servfail"}))
    assert "BROKEN: autodiscover.contoso.lab answers servfail" in shown
    assert "10 mail.contoso.lab" in shown
    assert shown.index("external") < shown.index("internal")


def test_an_address_that_is_taken_is_told(lab: Dns) -> None:
    with pytest.raises(OSError, match=f"{lab.listening[0].address}:{PORT}"):
        Resolvers(lambda *query: None, lab.listening[:1])
