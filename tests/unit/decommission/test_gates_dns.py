# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What records of a domain must be, the SPF record taken apart, and name servers on the wire."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import judge_dns, spf
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_dns import (
    Records,
    domains,
    read_domain,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import GATES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import read
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Timeout, Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._model.clouds import CLOUDS
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.dns import (
    Resolver,
    Server,
    Settings,
    from_params,
)
from gate_fakes import FakeResolver, World, good_records

EXO = "contoso-lab.mail.protection.outlook.com"


def judged(world: World, gate: str, **options: Any) -> Any:
    return evaluate([GATES[gate]], world.facts(**options))[0]


@pytest.mark.parametrize(
    ("hosts", "verdict"),
    [
        (["0 " + EXO], "passed"),
        (["0 contoso-lab.e-v1.mx.microsoft"], "passed"),
        (["0 mail.protection.outlook.com.evil.example"], "failed"),
        (["0 xmail.protection.outlook.com"], "failed"),
        (["0 " + EXO, "10 gateway.example"], "failed"),
        ([], "failed"),
    ],
)
def test_mx(hosts: list[str], verdict: str) -> None:
    world = World()
    world.external.records[("contoso.lab", "MX")] = hosts
    assert judged(world, "mx_external").verdict == verdict


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        ({"Record": "@ 60 IN MX 10 contoso-lab.e-v1.mx.microsoft"}, "passed"),
        ({"Record": "@ 60 IN MX 10 contoso-lab.j-v1.mx.microsoft"}, "failed"),
        ("Microsoft.Exchange.Management.ProvisioningTasks.ExpectedMxRecordInfo", "passed"),
        (None, "passed"),
    ],
)
def test_the_record_that_exchange_online_expects_counts_where_it_is_told(record: Any, verdict: str) -> None:
    world = World()
    world.external.records[("contoso.lab", "MX")] = ["10 contoso-lab.e-v1.mx.microsoft"]
    world.online.answers["Get-DnssecStatusForVerifiedDomain"] = [{"ExpectedMxRecord": record}]
    assert judged(world, "mx_external").verdict == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("v=spf1 include:spf.protection.outlook.com -all", "passed"),
        ("v=spf1 redirect=spf.protection.outlook.com", "passed"),
        ("v=spf1 ip4:198.51.100.7 include:spf.protection.outlook.com -all", "cannot_tell"),
        ("v=spf1 a:shop.contoso.lab include:spf.protection.outlook.com -all", "cannot_tell"),
        ("v=spf1 a mx include:spf.protection.outlook.com -all", "passed"),
        ("v=spf1 a:mail.contoso.lab include:spf.protection.outlook.com -all", "failed"),
        ("v=spf1 ip4:192.0.2.77 include:spf.protection.outlook.com -all", "failed"),
        ("v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com -all", "failed"),
        ("v=spf1 ip4:203.0.113.0/24 include:spf.protection.outlook.com -all", "failed"),
        ("v=spf1 a:ex01.contoso.lab include:spf.protection.outlook.com -all", "failed"),
        ("v=spf1 +ip4:203.0.113.11 ~all", "failed"),
        ("v=spf1 -all", "failed"),
    ],
)
def test_spf(text: str, verdict: str) -> None:
    world = World()
    world.external.records[("contoso.lab", "TXT")] = [text]
    world.external.records[("mail.contoso.lab", "A")] = ["192.0.2.77"]
    assert judged(world, "spf_external").verdict == verdict


def test_spf_with_other_addresses_cannot_be_told_where_none_of_ours_is_known() -> None:
    world = World()
    text = "v=spf1 ip4:198.51.100.7 include:spf.protection.outlook.com -all"
    for side in (world.external, world.internal):
        side.records = {key: value for key, value in side.records.items() if key[1] != "A"}
        side.records[("contoso.lab", "TXT")] = [text]
    found = judged(world, "spf_external")
    assert found.verdict == "cannot_tell"
    assert "on_premises_addresses" in found.detail
    assert judged(world, "spf_external", on_premises_addresses=("198.51.100.0/24",)).verdict == "failed"
    assert judged(world, "spf_external", on_premises_addresses=("192.0.2.1",)).verdict == "passed"
    world.online.answers["Get-InboundConnector"] = [{"SenderIPAddresses": ["198.51.100.7"]}]
    assert judged(world, "spf_external").verdict == "failed"


def test_two_spf_records_are_none() -> None:
    world = World()
    world.external.records[("contoso.lab", "TXT")] = ["v=spf1 include:spf.protection.outlook.com -all", "v=spf1 -all"]
    assert judged(world, "spf_external").verdict == "failed"


def test_spf_is_taken_apart() -> None:
    found = spf.parse(
        "v=spf1 a mx:mail.example/24 ip6:2001:db8::/32 ip4:nonsense exists:%{i}.x include:a.example. ?all"
    )
    assert found.names == ("", "mail.example", "%{i}.x")
    assert found.includes == ("a.example",)
    assert spf.holding(found, ["2001:db8::5", "192.0.2.1", "mail.example"]) == ["2001:db8::5"]


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (
            {
                ("autodiscover.contoso.lab", "CNAME"): ["a.contoso.lab"],
                ("a.contoso.lab", "CNAME"): ["autodiscover.outlook.com"],
            },
            "passed",
        ),
        ({("autodiscover.contoso.lab", "CNAME"): [], ("autodiscover.contoso.lab", "A"): ["203.0.113.10"]}, "failed"),
        ({("autodiscover.contoso.lab", "CNAME"): ["autodiscover.contoso.lab"]}, "failed"),
        ({("autodiscover.contoso.lab", "CNAME"): []}, "failed"),
    ],
)
def test_autodiscover_follows_aliases(records: Any, verdict: str) -> None:
    world = World()
    world.external.records.update(records)
    assert judged(world, "autodiscover_external").verdict == verdict


@pytest.mark.parametrize(
    ("target", "verdict"), [("autodiscover.outlook.com", "passed"), (".", "passed"), ("ex01.contoso.lab", "failed")]
)
def test_srv(target: str, verdict: str) -> None:
    world = World()
    world.internal.records[("_autodiscover._tcp.contoso.lab", "SRV")] = [f"0 0 443 {target}"]
    assert judged(world, "autodiscover_srv_internal").verdict == verdict


def test_every_authoritative_domain_of_either_side_is_looked_at_and_none_that_microsoft_runs() -> None:
    world = World()
    topology = read(world.directory, world.ends().progress)
    rows = [
        {"DomainName": "fabrikam.lab", "DomainType": "Authoritative"},
        {"DomainName": "relay.lab", "DomainType": "InternalRelay"},
        {"DomainName": "contoso.mail.onmicrosoft.com", "DomainType": "Authoritative"},
    ]
    assert domains(topology, rows) == ("contoso.lab", "fabrikam.lab")


def test_a_wrong_domain_outweighs_one_of_which_nobody_can_tell() -> None:
    world = World()
    world.online.answers["Get-AcceptedDomain"] = [
        {"DomainName": name, "DomainType": "Authoritative"} for name in ("contoso.lab", "b.lab", "c.lab")
    ]
    world.external.records[("b.lab", "MX")] = Timeout("no answer")
    found = judged(world, "mx_external")
    assert found.verdict == "failed"
    assert "c.lab" in found.detail
    world.external.records[("c.lab", "MX")] = ["0 c-lab.mail.protection.outlook.com"]
    found = judged(world, "mx_external")
    assert (found.verdict, len(found.objects)) == ("cannot_tell", 3)
    assert "no answer" in found.detail


def test_domains_of_the_tenant_that_cannot_be_read_are_not_taken_for_right() -> None:
    world = World()
    world.online.answers["Get-AcceptedDomain"] = Unavailable("not today")
    found = judged(world, "mx_external")
    assert (found.verdict, "not today" in found.detail) == ("cannot_tell", True)
    world.external.records[("contoso.lab", "MX")] = ["10 mail.contoso.lab"]
    assert judged(world, "mx_external").verdict == "failed"


def test_one_kind_of_record_that_cannot_be_read_hides_no_other() -> None:
    resolver = FakeResolver(good_records() | {("contoso.lab", "TXT"): Unavailable("SERVFAIL")})
    records = read_domain(resolver, "contoso.lab")
    assert records.unread == {"spf": "SERVFAIL"}
    assert records.mx
    assert records.autodiscover


def test_a_cloud_whose_records_nobody_knows_cannot_be_told() -> None:
    world = World()
    found = judged(world, "mx_external", expected=type(world.facts().wanted.expected)())
    assert found.verdict == "cannot_tell"
    assert "mx_suffixes" in found.detail


def test_the_records_of_every_public_cloud_are_data() -> None:
    for name, row in CLOUDS.items():
        known = bool(row.mx_suffixes and row.autodiscover_hosts and row.spf_includes)
        assert known == (name not in ("bleu", "delos")), name
    assert callable(judge_dns.mx("dns_external"))
    assert Records("x").unread == {}


Reply = Callable[[Any], Any]


def _one_port_of_both() -> tuple[socket.socket, socket.socket]:
    """A socket for UDP and one for TCP with the same port: somebody else may have the one that belongs to the other."""
    while True:
        udp, stream = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        try:
            udp.bind(("127.0.0.1", 0))
            stream.bind(udp.getsockname())
        except OSError as error:
            udp.close()
            stream.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return udp, stream


@contextmanager
def name_server(reply: Reply, tcp: Reply | None = None) -> Iterator[Server]:
    """A name server on loopback that answers what it is told; no answer for None."""
    udp, stream = _one_port_of_both()
    stream.listen()
    stop = threading.Event()
    for item in (udp, stream):
        item.settimeout(0.05)

    def serve_udp() -> None:
        while not stop.is_set():
            try:
                data, peer = udp.recvfrom(4096)
            except TimeoutError:
                continue
            answer = reply(dns.message.from_wire(data))
            if answer is not None:
                udp.sendto(answer if isinstance(answer, bytes) else answer.to_wire(), peer)

    def serve_tcp() -> None:
        while not stop.is_set():
            try:
                peer, _address = stream.accept()
            except TimeoutError:
                continue
            with peer:
                peer.settimeout(2)
                length = int.from_bytes(peer.recv(2), "big")
                wire = (tcp or reply)(dns.message.from_wire(peer.recv(length))).to_wire()
                peer.sendall(len(wire).to_bytes(2, "big") + wire)

    threads = [threading.Thread(target=target) for target in (serve_udp, serve_tcp)]
    for thread in threads:
        thread.start()
    try:
        yield Server("127.0.0.1", udp.getsockname()[1])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        udp.close()
        stream.close()


def answering(*records: tuple[str, str, str], code: int = dns.rcode.NOERROR, cut: bool = False) -> Reply:
    def reply(question: Any) -> Any:
        answer = dns.message.make_response(question)
        answer.set_rcode(code)
        if cut:
            answer.flags |= dns.flags.TC
        else:
            answer.answer = [dns.rrset.from_text(name, 60, "IN", kind, text) for name, kind, text in records]
        return answer

    return reply


def resolver(*servers: Server, timeout: float = 0.3) -> Resolver:
    return Resolver(Settings("external", servers, timeout))


def test_records_come_as_texts() -> None:
    reply = answering(
        ("contoso.lab.", "MX", "10 Contoso-Lab.mail.protection.outlook.com."), ("other.lab.", "MX", "0 x.")
    )
    with name_server(reply) as server:
        assert resolver(server).ask("contoso.lab", "MX") == ("10 contoso-lab.mail.protection.outlook.com",)
    with name_server(answering(("contoso.lab.", "TXT", '"v=spf1 include:" "a.example -all"'))) as server:
        assert resolver(server).ask("contoso.lab", "TXT") == ("v=spf1 include:a.example -all",)


def test_what_does_not_exist_is_no_error() -> None:
    with name_server(answering(code=dns.rcode.NXDOMAIN)) as server:
        assert resolver(server).ask("contoso.lab", "MX") == ()


def test_an_answer_that_was_cut_is_asked_for_over_tcp() -> None:
    whole = answering(("contoso.lab.", "MX", "0 a.example."))
    with name_server(answering(cut=True), whole) as server:
        assert resolver(server).ask("contoso.lab", "MX") == ("0 a.example",)


def test_failures_are_told_and_the_next_server_is_asked() -> None:
    with name_server(answering(code=dns.rcode.SERVFAIL)) as bad:
        with pytest.raises(Unavailable, match="SERVFAIL"):
            resolver(bad).ask("contoso.lab", "MX")
        with name_server(answering(("contoso.lab.", "MX", "0 a.example."))) as good:
            assert resolver(bad, good).ask("contoso.lab", "MX") == ("0 a.example",)
    with name_server(lambda _question: None) as silent, pytest.raises(Timeout, match="did not answer"):
        resolver(silent, timeout=0.1).ask("contoso.lab", "MX")


def test_a_side_that_never_answers_is_not_waited_for_again_and_again() -> None:
    asked = []
    with name_server(lambda question: asked.append(question)) as silent:
        ask = resolver(silent, timeout=0.05).ask
        for number in range(6):
            with pytest.raises(Timeout):
                ask(f"{number}.contoso.lab", "MX")
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("given", "server"),
    [
        ("10.0.0.53", Server("10.0.0.53")),
        ("10.0.0.53:5353", Server("10.0.0.53", 5353)),
        ("2001:db8::1", Server("2001:db8::1")),
        ("[2001:db8::1]:54", Server("2001:db8::1", 54)),
    ],
)
def test_name_servers_are_given_by_address(given: str, server: Server) -> None:
    assert from_params({"dns_external": [given]}, "dns_external", "external").servers == (server,)


@pytest.mark.parametrize("given", [[], ["dns.contoso.lab"], ["10.0.0.53:x"], ["10.0.0.53:70000"]])
def test_wrong_name_servers_are_told_by_their_option(given: list[str]) -> None:
    with pytest.raises(InputError, match="dns_internal"):
        from_params({"dns_internal": given}, "dns_internal", "internal")
