# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory against a scripted server: paging, ranges, breaks, fail-over, refusals."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings
from directory_wire import (
    CHANGE,
    SETTINGS,
    Request,
    Unsent,
    answer,
    directory,
    encoded_filter,
    entry,
    lost,
    referral_row,
)

ROOT = {"defaultNamingContext": [b"DC=contoso,DC=lab"], "currentTime": [b"20260803101500.0Z"]}
ONE = Settings((Host("dc1", 636),), "ldaps", "svc", "secret", timeout=5)
BREAKS = [lost(), TimeoutError("timed out"), OSError("cut"), Unsent(BrokenPipeError("cut")), b"", b"\x30"]


def test_all_pages_are_read_and_referrals_left_alone() -> None:
    found, servers = directory([(0, [entry("CN=a", mail=[b"a"]), referral_row()], b"next"), (0, [entry("CN=b")], b"")])
    names = [(item.dn, dict(item.values)) for item in found.search("DC=x", "(mail=*)", ["mail"])]
    assert names == [("CN=a", {"mail": (b"a",)}), ("CN=b", {})]
    first, second = servers.wires[0].sent
    assert (first.paged_size, first.cookie) == (1000, b"")
    assert (second.paged_size, second.cookie) == (1000, b"next")
    assert first.fields["dereferenceAlias"] == 0
    assert (first.fields["base"], first.fields["attributes"]) == ("DC=x", ["mail"])
    assert first.filter == encoded_filter("(mail=*)")


def test_values_come_by_the_names_they_were_asked_for() -> None:
    found, _servers = directory([(0, [entry("CN=a", msDsConsistencyGuid=[b"1"], MAIL=[b"m"], empty=[])], b"")])
    item = next(found.search("DC=x", "(a=b)", ["mail", "msDSConsistencyGuid"]))
    assert item.values == {"msDSConsistencyGuid": (b"1",), "mail": (b"m",)}


def test_values_held_back_are_fetched() -> None:
    first = entry("CN=a", proxyAddresses=[], **{"proxyAddresses__range=0-1": [b"1", b"2"]})
    found, servers = directory(
        [
            (0, [first], b""),
            (0, [entry("CN=a", **{"proxyAddresses__range=2-3": [b"3", b"4"]})], None),
            (0, [entry("CN=a", **{"proxyAddresses__range=4-*": [b"5"]})], None),
        ]
    )
    item = next(found.search("DC=x", "(a=b)", ["proxyAddresses"]))
    assert item.values["proxyAddresses"] == (b"1", b"2", b"3", b"4", b"5")
    assert [request.fields["attributes"] for request in servers.wires[0].sent[1:]] == [
        ["proxyAddresses;range=2-*"],
        ["proxyAddresses;range=4-*"],
    ]
    assert servers.wires[0].sent[1].fields["base"] == "CN=a"


def test_values_that_are_not_given_are_an_error() -> None:
    found, _servers = directory([(0, [entry("CN=a", **{"p__range=0-1": [b"1"]})], b""), (0, [], None)])
    with pytest.raises(errors.ProtocolError, match="from number 2 on"):
        next(found.search("DC=x", "(a=b)", ["p"]))


@pytest.mark.parametrize("break_", BREAKS, ids=repr)
def test_a_broken_read_begins_again_and_gives_no_object_twice(break_: Any) -> None:
    found, servers = directory(
        [(0, [entry("CN=a")], b"next"), break_],
        [(0, [entry("CN=a")], b"next"), (0, [entry("CN=b")], b"")],
    )
    assert [item.dn for item in found.search("DC=x", "(a=b)", ["mail"])] == ["CN=a", "CN=b"]
    assert servers.hosts == ["dc1", "dc1"]
    assert servers.wires[1].sent[0].cookie == b"", "a cookie dies with its connection"
    assert servers.wires[0].closed


def test_a_read_whose_connection_another_request_replaced_begins_again() -> None:
    found, servers = directory(
        [(0, [entry("CN=a")], b"next"), lost(), lost()],
        [(0, [entry("CN=z")], None), (0, [entry("CN=a")], b"next"), (0, [entry("CN=b")], b"")],
    )
    reading = found.search("DC=x", "(a=b)", ["mail"])
    assert next(reading).dn == "CN=a"
    with pytest.raises(errors.Unavailable):
        found.modify("CN=a", CHANGE)
    assert found.read("CN=z", ["mail"]) is not None
    assert [item.dn for item in reading] == ["CN=b"]
    assert len(servers.wires) == 2


def test_a_read_that_keeps_breaking_is_given_up() -> None:
    found, _servers = directory([lost()], [lost()], [lost()])
    with pytest.raises(errors.Unavailable, match="3 times while searching"):
        list(found.search("DC=x", "(a=b)", ["mail"]))


def test_a_search_that_is_refused_is_an_error() -> None:
    found, _servers = directory([(32, [], None)])
    with pytest.raises(errors.NotFound, match="no such object"):
        list(found.search("OU=gone,DC=x", "(a=b)", ["mail"]))


def test_a_filter_that_cannot_be_encoded_is_an_error() -> None:
    found, servers = directory()
    with pytest.raises(errors.InputError, match="filter is wrong at character 1"):
        list(found.search("DC=x", "(a", ["mail"]))
    assert servers.hosts == [], "nothing is sent for it"


def test_reading_an_object_that_is_not_there() -> None:
    found, _servers = directory([(32, [], None)])
    assert found.read("CN=gone", ["mail"]) is None


def test_what_the_server_says_of_itself() -> None:
    found, servers = directory([(0, [entry("", **ROOT)], None)] * 1)
    assert (found.base_dn, found.domain, found.host) == ("DC=contoso,DC=lab", "contoso.lab", "dc1:636")
    assert servers.wires[0].sent[0].paged_size is None, "rootDSE takes no paging"
    assert len(servers.wires[0].sent) == 1


def test_a_server_that_is_no_domain_controller() -> None:
    found, _servers = directory([(0, [entry("", currentTime=[b"20260803101500.0Z"])], None)])
    with pytest.raises(errors.ProtocolError, match="defaultNamingContext"):
        str(found.base_dn)


def test_a_change_is_sent_with_its_steps_in_order() -> None:
    found, servers = directory([(0, [], None)])
    found.modify("CN=a", CHANGE)
    (request,) = servers.wires[0].sent
    assert request.kind == "modifyRequest"
    assert request.fields["entry"] == "CN=a"
    steps = [
        (step["operation"], step["attribute"]["type"], step["attribute"]["value"]) for step in request.fields["changes"]
    ]
    assert steps == [(1, "mail", ["a"]), (0, "mail", ["b"])]


@pytest.mark.parametrize("break_", [*BREAKS, b"HTTP/1.1 400 Bad"], ids=repr)
def test_a_broken_write_is_unknown_and_never_sent_twice(break_: Any) -> None:
    found, servers = directory([break_], [(0, [entry("CN=a")], None)])
    with pytest.raises(errors.Unavailable, match="not known until the object is read again") as failed:
        found.modify("CN=a", CHANGE)
    assert failed.value.facts["applied"] == "unknown"
    assert found.read("CN=a", ["mail"]) is not None
    sent = [request.kind for wire in servers.wires for request in wire.asked]
    assert sent == ["modifyRequest", "searchRequest"]
    assert servers.hosts == ["dc1", "dc1"], "the read must ask the server that took the write"


def test_a_busy_server_is_asked_again_a_few_times() -> None:
    found, servers = directory([(51, [], None), (51, [], None), (0, [], None)])
    found.modify("CN=a", CHANGE)
    assert servers.slept == [0.5, 1.0]
    found, servers = directory([(51, [], None)] * 4)
    with pytest.raises(errors.Unavailable, match="busy") as failed:
        found.modify("CN=a", CHANGE)
    assert len(servers.wires[0].sent) == 4
    assert "applied" not in failed.value.facts


@pytest.mark.parametrize(
    ("admin_count", "words"),
    [
        (b"1", ["adminCount is 1", "AdminSDHolder", "clear adminCount"]),
        (b"0", ["no permission", "two possible causes", "grant it on the organizational unit", "enable inheritance"]),
        (None, ["no permission", "two possible causes", "grant it on the organizational unit", "AdminSDHolder"]),
    ],
)
def test_a_refusal_explains_protected_accounts(admin_count: bytes | None, words: list[str]) -> None:
    values = {"adminCount": [admin_count]} if admin_count else {}
    found, _servers = directory([(50, [], None), (0, [entry("CN=a", **values)], None)])
    with pytest.raises(errors.PermissionDenied) as failed:
        found.modify("CN=a", CHANGE)
    assert [word for word in words if word not in failed.value.message] == []
    assert failed.value.facts.get("admin_count") == (1 if admin_count == b"1" else None)
    assert failed.value.facts["object"] == "CN=a"


def test_the_next_host_is_tried_and_kept() -> None:
    found, servers = directory(errors.Unavailable("dc1 is down."), [(0, [], None), lost()], [(0, [], None)])
    found.modify("CN=a", CHANGE)
    with pytest.raises(errors.Unavailable):
        found.modify("CN=a", CHANGE)
    found.modify("CN=a", CHANGE)
    assert servers.hosts == ["dc1", "dc2", "dc2"]


def test_no_host_answers() -> None:
    found, _servers = directory(errors.Unavailable("dc1 is down."), errors.Unavailable("dc2 is down."))
    with pytest.raises(errors.Unavailable, match=r"dc1 is down\. dc2 is down\."):
        str(found.host)


def test_a_refused_sign_in_is_not_repeated_at_the_next_host() -> None:
    """More tries with a wrong password would lock the account."""
    found, servers = directory(errors.AuthenticationError("wrong password"))
    with pytest.raises(errors.AuthenticationError):
        str(found.host)
    assert servers.hosts == ["dc1"]


def test_a_server_that_restarts_is_waited_for() -> None:
    down = errors.Unavailable("down.")
    found, servers = directory([lost()], down, down, [(0, [entry("CN=a")], b"")], settings=ONE)
    assert [item.dn for item in found.search("DC=x", "(a=b)", ["mail"])] == ["CN=a"]
    assert servers.slept == [1.0, 1.0]


def test_a_server_that_stays_away_is_given_up_after_the_timeout() -> None:
    times = iter([0.0, 0.0, 1.0, 6.0])
    down = errors.Unavailable("down.")
    found, servers = directory([lost()], down, down, clock=lambda: next(times), settings=ONE)
    with pytest.raises(errors.Unavailable, match="did not come back within 5 s") as failed:
        list(found.search("DC=x", "(a=b)", ["mail"]))
    assert "applied" not in failed.value.facts
    assert servers.hosts == ["dc1"] * 3


def test_closing_signs_off() -> None:
    found, servers = directory([(0, [], None)])
    found.modify("CN=a", CHANGE)
    found.close()
    found.close()
    assert servers.wires[0].closed
    assert servers.wires[0].sent[-1].kind == "unbindRequest"


def test_the_next_page_is_asked_for_before_this_one_is_given() -> None:
    found, servers = directory([(0, [entry("CN=a"), entry("CN=b")], b"next"), (0, [entry("CN=c")], b"")])
    reading = found.search("DC=x", "(a=b)", ["mail"])
    assert next(reading).dn == "CN=a"
    assert [request.cookie for request in servers.wires[0].asked] == [b"", b"next"]
    assert [item.dn for item in reading] == ["CN=b", "CN=c"]


def test_a_search_that_is_given_up_is_abandoned_and_its_answer_dropped() -> None:
    found, servers = directory(
        [(0, [entry("CN=a")], b"next"), (0, [entry("CN=b")], b"more"), (0, [entry("CN=z", mail=[b"z"])], None)]
    )
    reading = found.search("DC=x", "(a=b)", ["mail"])
    assert next(reading).dn == "CN=a"
    reading.close()  # type: ignore[attr-defined]
    other = found.read("CN=z", ["mail"])
    assert other is not None
    assert other.values == {"mail": (b"z",)}
    assert [request.kind for request in servers.wires[0].sent] == [
        "searchRequest", "searchRequest", "abandonRequest", "searchRequest",
    ]  # fmt: skip


def test_another_search_in_the_middle_of_a_search() -> None:
    found, _servers = directory(
        [(0, [entry("CN=a"), entry("CN=b")], b"next"), (0, [entry("CN=c")], b""), (0, [entry("CN=z")], None)]
    )
    reading = found.search("DC=x", "(a=b)", ["mail"])
    names = [next(reading).dn]
    other = found.read("CN=z", ["mail"])
    assert other is not None
    assert other.dn == "CN=z"
    assert [*names, *(item.dn for item in reading)] == ["CN=a", "CN=b", "CN=c"]


def test_what_is_no_ldap_is_an_error_at_once() -> None:
    found, servers = directory([b"HTTP/1.1 400 Bad Request"])
    with pytest.raises(errors.ProtocolError, match="not LDAP"):
        list(found.search("DC=x", "(a=b)", ["mail"]))
    assert servers.hosts == ["dc1"]


def test_a_read_goes_on_at_the_next_server_by_beginning_again() -> None:
    found, servers = directory(
        [(0, [entry("CN=a")], b"next"), lost()],
        errors.Unavailable("dc1 is down."),
        [(0, [entry("CN=a"), entry("CN=b")], b""), (0, [entry("CN=c")], b"")],
    )
    assert [item.dn for item in found.search("DC=x", "(a=b)", ["mail"])] == ["CN=a", "CN=b"]
    assert servers.hosts == ["dc1", "dc1", "dc2"]
    assert servers.slept == []
    assert [item.dn for item in found.search("DC=x", "(a=b)", ["mail"])] == ["CN=c"]
    assert found.host == "dc2:636"


def test_after_a_write_no_other_server_takes_over() -> None:
    times = iter([0.0, 0.0, 1.0, 9.0])
    down = errors.Unavailable("dc1 is down.")
    found, servers = directory([(0, [], None), lost()], down, down, clock=lambda: next(times))
    found.modify("CN=a", CHANGE)
    with pytest.raises(errors.Unavailable, match="No other server takes its place, because this run has written to it"):
        list(found.search("DC=x", "(a=b)", ["mail"]))
    assert set(servers.hosts) == {"dc1"}


@pytest.mark.parametrize("error", [errors.InputError("certificate not trusted"), errors.AuthenticationError("refused")])
def test_only_a_server_that_does_not_answer_is_passed_over(error: errors.HybridError) -> None:
    found, servers = directory([lost()], error)
    with pytest.raises(type(error)):
        list(found.search("DC=x", "(a=b)", ["mail"]))
    assert servers.hosts == ["dc1", "dc1"]


REPLICA = {"dsServiceName": [b"CN=NTDS Settings,CN=DC1"], "highestCommittedUSN": [b"4711"]}
INVOCATION = [bytes(range(16))]


def test_the_copy_in_use_and_what_changed_in_it() -> None:
    found, servers = directory(
        [
            (0, [entry("", **REPLICA)], None),
            (0, [entry("CN=NTDS Settings,CN=DC1", invocationId=INVOCATION)], None),
            (0, [entry("CN=a")], b""),
        ]
    )
    replica = found.replica()
    assert (replica.invocation_id, replica.highest_usn, replica.host) == (bytes(range(16)), 4711, "dc1:636")
    assert str(replica) == "03020100-0504-0706-0809-0a0b0c0d0e0f on dc1:636"
    changed = found.changed_since(replica.highest_usn, "DC=x", ["mail"], "(objectClass=user)")
    assert [item.dn for item in changed] == ["CN=a"]
    last = servers.wires[0].sent[-1]
    assert last.filter == encoded_filter("(&(objectClass=user)(uSNChanged>=4712))")


def test_update_numbers_belong_to_one_server() -> None:
    times = iter([0.0, 0.0, 9.0])
    found, servers = directory(
        [
            (0, [entry("", **REPLICA)], None),
            (0, [entry("CN=NTDS Settings,CN=DC1", invocationId=INVOCATION)], None),
            lost(),
        ],
        errors.Unavailable("down."),
        clock=lambda: next(times),
    )
    replica = found.replica()
    with pytest.raises(errors.Unavailable, match="counts on its update"):
        list(found.changed_since(replica.highest_usn, "DC=x", ["mail"]))
    assert set(servers.hosts) == {"dc1"}


@pytest.mark.parametrize("rows", [[], [entry("CN=x", invocationId=[b"short"])]])
def test_a_copy_that_cannot_be_told(rows: list[Any]) -> None:
    found, _servers = directory([(0, [entry("", **REPLICA)], None), (0, rows, None)])
    with pytest.raises(errors.ProtocolError, match="invocationId of CN=NTDS Settings,CN=DC1"):
        found.replica()


def test_the_global_catalog_is_on_the_same_servers() -> None:
    settings = Settings(SETTINGS.hosts, "ldaps", "svc", "secret", global_catalog_port=3269)
    found, servers = directory(
        errors.Unavailable("dc1 is down."), [], [(0, [entry("CN=a"), entry("CN=b,DC=child")], b"")], settings=settings
    )
    catalog = found.global_catalog()
    assert catalog is not None
    assert [item.dn for item in catalog.search(catalog.base_dn, "(mail=a)", ["mail"])] == ["CN=a", "CN=b,DC=child"]
    assert catalog.host == "dc2:3269"
    assert servers.hosts == ["dc1", "dc2", "dc2:3269"]
    assert servers.wires[1].sent[0].fields["base"] == ""
    catalog.close()
    assert servers.wires[1].closed
    assert not servers.wires[0].closed


def test_no_server_has_a_global_catalog() -> None:
    settings = Settings(SETTINGS.hosts, "ldaps", "svc", "secret", global_catalog_port=3269)
    down = errors.Unavailable("no connection.")
    found, _servers = directory([], down, down, settings=settings)
    catalog = found.global_catalog()
    assert catalog is not None
    with pytest.raises(errors.Unavailable, match="set directory_global_catalog_port to 0"):
        list(catalog.search("", "(mail=a)", ["mail"]))


def test_the_global_catalog_can_be_turned_off() -> None:
    found, servers = directory()
    assert found.global_catalog() is None
    assert servers.hosts == []


def test_a_clone_goes_to_the_same_server_over_a_connection_of_its_own() -> None:
    times = iter([0.0, 0.0, 0.0, 9.0])
    found, servers = directory(
        errors.Unavailable("dc1 is down."),
        [(0, [entry("", **ROOT)], None)],
        [(0, [entry("CN=a")], b""), lost()],
        errors.Unavailable("dc2 is down."),
        clock=lambda: next(times),
    )
    assert found.base_dn == "DC=contoso,DC=lab"
    clone = found.clone()
    assert len(servers.wires) == 1
    assert clone.base_dn == "DC=contoso,DC=lab"
    assert [item.dn for item in clone.search("DC=x", "(a=b)", ["mail"])] == ["CN=a"]
    with pytest.raises(errors.Unavailable, match="No other server takes its place"):
        list(clone.search("DC=x", "(a=b)", ["mail"]))
    assert servers.hosts == ["dc1", "dc2", "dc2", "dc2"]


def test_a_clone_can_be_sent_to_another_process() -> None:
    from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.directory import Directory

    sent = pickle.loads(pickle.dumps(Directory(SETTINGS, host=Host("dc2", 636))))
    assert sent.host == "dc2:636"


def test_requests_of_a_server_that_answers_out_of_order() -> None:
    """LDAP lets a server answer in any order (RFC 4511, 3.1)."""
    held: list[bytes] = []

    def handle(request: Request) -> bytes:
        if request.kind == "searchRequest" and request.cookie == b"":
            return answer(request, 0, [entry("CN=a")], b"next")
        if request.kind == "searchRequest" and request.cookie == b"next":
            held.append(answer(request, 0, [entry("CN=b")], b""))
            return b""
        return answer(request, 0, [entry("CN=z")], None) + held.pop()

    found, _servers = directory(handle)
    reading = found.search("DC=x", "(a=b)", ["mail"])
    assert next(reading).dn == "CN=a"
    assert found.read("CN=z", ["mail"]) is not None
    assert [item.dn for item in reading] == ["CN=b"]
