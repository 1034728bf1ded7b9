# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory against a scripted connection: paging, ranges, breaks, fail-over, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.directory import Directory
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings
from ldap3.core.exceptions import (
    LDAPInvalidFilterError,
    LDAPSessionTerminatedByServerError,
    LDAPSocketReceiveError,
    LDAPSocketSendError,
)

PAGED = "1.2.840.113556.1.4.319"
ROOT = {"defaultNamingContext": [b"DC=contoso,DC=lab"], "currentTime": [b"20260803101500.0Z"]}
SETTINGS = Settings((Host("dc1", 636), Host("dc2", 636)), "ldaps", "svc", "secret", timeout=5)


@dataclass
class Step:
    op: str
    attribute: str
    values: tuple[bytes, ...]


CHANGE = [Step("delete", "mail", (b"a",)), Step("add", "mail", (b"b",))]


def entry(dn: str, **values: list[bytes]) -> dict[str, Any]:
    return {"type": "searchResEntry", "dn": dn, "raw_attributes": {n.replace("__", ";"): v for n, v in values.items()}}


REFERRAL = {"type": "searchResRef", "uri": ["ldaps://contoso.lab/CN=Configuration,DC=contoso,DC=lab"]}


@dataclass
class Connection:
    """Answers each request with the next of its script: (result code, rows, cookie), or an exception."""

    script: list[Any]
    sent: list[tuple[Any, ...]] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    response: list[Any] = field(default_factory=list)
    closed: bool = False

    def search(self, base: str, filter_text: str, scope: str, aliases: str, **options: Any) -> None:
        self.sent.append(("search", base, filter_text, scope, options))
        self._answer()

    def modify(self, dn: str, changes: Any) -> None:
        self.sent.append(("modify", dn, changes))
        self._answer()

    def unbind(self) -> None:
        self.closed = True

    def _answer(self) -> None:
        answer = self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        code, rows, cookie = answer
        self.response = rows
        self.result = {"result": code, "description": "", "message": "", "controls": {}}
        if cookie is not None:
            self.result["controls"][PAGED] = {"value": {"size": 0, "cookie": cookie}}


@dataclass
class Servers:
    """What each attempt to connect gives: a script, or an error."""

    attempts: list[Any]
    hosts: list[str] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def open(self, settings: Settings, host: Host) -> Connection:
        self.hosts.append(host.name)
        attempt = self.attempts.pop(0)
        if isinstance(attempt, BaseException):
            raise attempt
        self.connections.append(Connection(list(attempt)))
        return self.connections[-1]


def directory(*attempts: Any, clock: Callable[[], float] = lambda: 0.0) -> tuple[Directory, Servers]:
    servers = Servers(list(attempts))
    return Directory(SETTINGS, open_connection=servers.open, sleep=servers.slept.append, clock=clock), servers


def lost() -> Exception:
    return LDAPSessionTerminatedByServerError("session terminated by server")


def test_all_pages_are_read_and_referrals_left_alone() -> None:
    found, servers = directory([(0, [entry("CN=a", mail=[b"a"]), REFERRAL], b"next"), (0, [entry("CN=b")], b"")])
    names = [(item.dn, dict(item.values)) for item in found.search("DC=x", "(mail=*)", ["mail"])]
    assert names == [("CN=a", {"mail": (b"a",)}), ("CN=b", {})]
    first, second = servers.connections[0].sent
    assert first[4]["paged_size"] == 1000
    assert second[4]["paged_cookie"] == b"next"


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
    assert [request[4]["attributes"] for request in servers.connections[0].sent[1:]] == [
        ["proxyAddresses;range=2-*"],
        ["proxyAddresses;range=4-*"],
    ]
    assert servers.connections[0].sent[1][1] == "CN=a"


def test_values_that_are_not_given_are_an_error() -> None:
    found, _servers = directory([(0, [entry("CN=a", **{"p__range=0-1": [b"1"]})], b""), (0, [], None)])
    with pytest.raises(errors.ProtocolError, match="from number 2 on"):
        next(found.search("DC=x", "(a=b)", ["p"]))


@pytest.mark.parametrize("break_", [lost(), LDAPSocketReceiveError("cut"), LDAPSocketSendError("cut"), OSError("cut")])
def test_a_broken_read_begins_again_and_gives_no_object_twice(break_: Exception) -> None:
    found, servers = directory(
        [(0, [entry("CN=a")], b"next"), break_],
        [(0, [entry("CN=a")], b"next"), (0, [entry("CN=b")], b"")],
    )
    assert [item.dn for item in found.search("DC=x", "(a=b)", ["mail"])] == ["CN=a", "CN=b"]
    assert servers.hosts == ["dc1", "dc1"]
    assert servers.connections[1].sent[0][4].get("paged_cookie") is None, "a cookie dies with its connection"


def test_a_read_whose_connection_another_request_replaced_begins_again() -> None:
    found, servers = directory(
        [(0, [entry("CN=a")], b"next"), lost()],
        [(0, [entry("CN=z")], None), (0, [entry("CN=a")], b"next"), (0, [entry("CN=b")], b"")],
    )
    reading = found.search("DC=x", "(a=b)", ["mail"])
    assert next(reading).dn == "CN=a"
    with pytest.raises(errors.Unavailable):
        found.modify("CN=a", CHANGE)
    assert found.read("CN=z", ["mail"]) is not None
    assert [item.dn for item in reading] == ["CN=b"]
    assert len(servers.connections) == 2


def test_a_read_that_keeps_breaking_is_given_up() -> None:
    found, _servers = directory([lost()], [lost()], [lost()])
    with pytest.raises(errors.Unavailable, match="3 times while searching"):
        list(found.search("DC=x", "(a=b)", ["mail"]))


def test_a_search_that_is_refused_is_an_error() -> None:
    found, _servers = directory([(32, [], None)])
    with pytest.raises(errors.NotFound, match="no such object"):
        list(found.search("OU=gone,DC=x", "(a=b)", ["mail"]))


def test_a_filter_that_cannot_be_encoded_is_an_error() -> None:
    found, _servers = directory([LDAPInvalidFilterError("malformed filter")])
    with pytest.raises(errors.ProtocolError, match="malformed filter"):
        list(found.search("DC=x", "(a", ["mail"]))


def test_reading_an_object_that_is_not_there() -> None:
    found, _servers = directory([(32, [], None)])
    assert found.read("CN=gone", ["mail"]) is None


def test_what_the_server_says_of_itself() -> None:
    found, servers = directory([(0, [entry("", **ROOT)], None)] * 1)
    assert (found.base_dn, found.domain, found.host) == ("DC=contoso,DC=lab", "contoso.lab", "dc1:636")
    assert "paged_size" not in servers.connections[0].sent[0][4], "rootDSE takes no paging"
    assert len(servers.connections[0].sent) == 1


def test_a_server_that_is_no_domain_controller() -> None:
    found, _servers = directory([(0, [entry("", currentTime=[b"20260803101500.0Z"])], None)])
    with pytest.raises(errors.ProtocolError, match="defaultNamingContext"):
        str(found.base_dn)


def test_a_change_is_sent_with_its_steps_in_order() -> None:
    found, servers = directory([(0, [], None)])
    found.modify("CN=a", CHANGE)
    expected = {"mail": [("MODIFY_DELETE", [b"a"]), ("MODIFY_ADD", [b"b"])]}
    assert servers.connections[0].sent == [("modify", "CN=a", expected)]


@pytest.mark.parametrize("break_", [lost(), LDAPSocketReceiveError("cut"), LDAPSocketSendError("cut"), OSError("cut")])
def test_a_broken_write_is_unknown_and_never_sent_twice(break_: Exception) -> None:
    found, servers = directory([break_], [(0, [entry("CN=a")], None)])
    with pytest.raises(errors.Unavailable, match="not known until the object is read again") as failed:
        found.modify("CN=a", CHANGE)
    assert failed.value.facts["applied"] == "unknown"
    assert found.read("CN=a", ["mail"]) is not None
    assert [request[0] for connection in servers.connections for request in connection.sent] == ["modify", "search"]
    assert servers.hosts == ["dc1", "dc1"], "the read must ask the server that took the write"


def test_a_busy_server_is_asked_again_a_few_times() -> None:
    found, servers = directory([(51, [], None), (51, [], None), (0, [], None)])
    found.modify("CN=a", CHANGE)
    assert servers.slept == [0.5, 1.0]
    found, servers = directory([(51, [], None)] * 4)
    with pytest.raises(errors.Unavailable, match="busy") as failed:
        found.modify("CN=a", CHANGE)
    assert len(servers.connections[0].sent) == 4
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
    found, servers = directory([lost()], down, down, [(0, [entry("CN=a")], b"")])
    assert [item.dn for item in found.search("DC=x", "(a=b)", ["mail"])] == ["CN=a"]
    assert servers.slept == [1.0, 1.0]


def test_a_server_that_stays_away_is_given_up_after_the_timeout() -> None:
    times = iter([0.0, 1.0, 6.0])
    down = errors.Unavailable("down.")
    found, servers = directory([lost()], down, down, clock=lambda: next(times))
    with pytest.raises(errors.Unavailable, match="did not come back within 5 s") as failed:
        list(found.search("DC=x", "(a=b)", ["mail"]))
    assert "applied" not in failed.value.facts
    assert servers.hosts == ["dc1"] * 3


def test_closing_signs_off() -> None:
    found, servers = directory([(0, [], None)])
    found.modify("CN=a", CHANGE)
    found.close()
    found.close()
    assert servers.connections[0].closed
