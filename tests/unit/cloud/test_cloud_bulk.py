# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading whole tenants, and what changed in them."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import directory_users
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.mailboxes import BULK_PROPERTIES, Mailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import Transport
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, PermissionDenied
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from cloud_fakes import GRAPH, Reply, Sent, Wire, exchange, exchange_error, graph, graph_error

ALL = Selection("all", None)
NOT_FOUND = "x|Microsoft.Exchange.ManagementObjectNotFoundException|It couldn't be found."
DATE = "Thu, 27 Aug 2026 09:00:00 GMT"


def row(name: str, **more: Any) -> dict[str, Any]:
    return {
        "ExternalDirectoryObjectId": f"id-{name}",
        "UserPrincipalName": f"{name}@contoso.com",
        "RecipientTypeDetails": "UserMailbox",
        "EmailAddresses": [f"SMTP:{name}@contoso.com"],
        **more,
    }


class Service:
    """Answers Get-Mailbox with these rows, or by identity with one of them."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.asked: list[tuple[Mapping[str, Any], list[str]]] = []

    def __call__(self, sent: Sent) -> Reply:
        if not sent.url.endswith("$batch"):
            status, body = self.one(sent.url, sent.json)
            return (status, body, {"Date": DATE})
        parts = [(part["id"], self.one(part["url"], part["body"])) for part in sent.json["requests"]]
        answers = [{"id": key, "status": status, "body": body} for key, (status, body) in parts]
        return (200, {"responses": answers}, {"Date": DATE})

    def one(self, url: str, body: dict[str, Any]) -> tuple[int, Any]:
        parameters = body["CmdletInput"]["Parameters"]
        self.asked.append((parameters, parse_qs(urlsplit(url).query)["$select"][0].split(",")))
        if "Identity" not in parameters:
            return (200, {"value": list(self.rows)})
        if parameters["Identity"] == "id-forbidden":
            return (403, exchange_error("x|AccessDenied|You may not."))
        found = [item for item in self.rows if item["ExternalDirectoryObjectId"] == parameters["Identity"]]
        return (200, {"value": found}) if found else (404, exchange_error(NOT_FOUND))


def ends(*rows: dict[str, Any], users: Wire | None = None) -> tuple[Mailboxes, Service]:
    service = Service(*rows)
    return Mailboxes(exchange(Wire(handler=service)), graph(users or Wire())), service


def test_rows_are_exchanges_own_and_ask_for_no_more_than_needed() -> None:
    system = row("discovery", RecipientTypeDetails="DiscoveryMailbox")
    mailboxes, service = ends(row("anna"), row("ben"), system)
    assert list(mailboxes.rows(ALL, ["CustomAttribute1"])) == [row("anna"), row("ben")]
    assert service.asked == [({"ResultSize": "Unlimited"}, [*BULK_PROPERTIES, "CustomAttribute1"])]


def test_rows_know_who_is_excluded_and_when_nobody_is_left() -> None:
    mailboxes, service = ends(row("anna"), row("ben"))
    only_ben = Selection("all", None, frozenset({"anna@contoso.com"}))
    assert [item["UserPrincipalName"] for item in mailboxes.rows(only_ben, [])] == ["ben@contoso.com"]
    assert "EmailAddresses" in service.asked[0][1]
    nobody = Selection("all", None, frozenset({"anna@contoso.com", "ben@contoso.com"}))
    with pytest.raises(InputError, match="No mailbox is selected by all mailboxes"):
        list(mailboxes.rows(nobody, []))


def test_changed_mailboxes_are_asked_for_in_utc() -> None:
    system = row("discovery", RecipientTypeDetails="DiscoveryMailbox")
    mailboxes, service = ends(row("anna"), row("ben"), system)
    moment = datetime(2026, 8, 27, 11, 0, 30, 999999, tzinfo=timezone(timedelta(hours=2)))
    found = mailboxes.changed_since(moment, ["CustomAttribute1"], frozenset({"anna@contoso.com"}))
    assert [item["UserPrincipalName"] for item in found] == ["ben@contoso.com"]
    assert service.asked[0][0] == {"ResultSize": "Unlimited", "Filter": "WhenChangedUTC -gt '2026-08-27T09:00:30Z'"}


def test_mailboxes_by_id_leave_out_those_that_are_gone_and_not_those_that_are_refused() -> None:
    system = row("discovery", RecipientTypeDetails="DiscoveryMailbox")
    mailboxes, _service = ends(row("anna"), row("ben"), system)
    found = mailboxes.by_ids(["id-ben", "id-gone", "id-discovery", "id-anna"], [], frozenset({"anna@contoso.com"}))
    assert [item["UserPrincipalName"] for item in found] == ["ben@contoso.com"]
    with pytest.raises(PermissionDenied):
        list(mailboxes.by_ids(["id-forbidden"], []))


def test_the_clock_of_exchange_is_that_of_its_last_answer() -> None:
    mailboxes, _service = ends(row("anna"))
    assert mailboxes.service_time() is None
    list(mailboxes.rows(ALL, []))
    assert mailboxes.service_time() == datetime(2026, 8, 27, 9, 0, tzinfo=UTC)


def user(name: str, anchor: bytes | None, **more: Any) -> dict[str, Any]:
    text = base64.b64encode(anchor).decode() if anchor else None
    return {"id": f"ID-{name}", "onPremisesImmutableId": text, "onPremisesSyncEnabled": True, **more}


def test_only_synchronized_users_with_an_anchor_are_of_use() -> None:
    wire = Wire(
        (
            200,
            {
                "value": [
                    user("anna", b"A" * 16, onPremisesDomainName="contoso.lab"),
                    user("cloud", b"C" * 16, onPremisesSyncEnabled=None),
                    user("new", None),
                ],
                "@odata.nextLink": f"{GRAPH}/v1.0/users?$skiptoken=a",
            },
        ),
        (200, {"value": [user("ben", b"B" * 3)]}),
    )
    mailboxes, _service = ends(users=wire)
    found = list(mailboxes.anchors(None))
    assert [(item.id, item.source_anchor, item.domain) for item in found] == [
        ("id-anna", b"A" * 16, "contoso.lab"),
        ("id-ben", b"B" * 3, ""),
    ]
    assert "userPrincipalName" not in wire.sent[0].url


@pytest.mark.parametrize(("few", "filtered"), [(5, True), (1, False)])
def test_anchors_of_some_users_are_asked_for_or_picked(
    few: int, filtered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_users, "FEW", few)
    wire = Wire((200, {"value": [user("anna", b"A" * 16), user("ben", b"B" * 16), user("carl", b"C" * 16)]}))
    mailboxes, _service = ends(users=wire)
    assert [item.id for item in mailboxes.anchors(["id-anna", "ID-CARL"])] == ["id-anna", "id-carl"]
    assert ("id in" in parse_qs(urlsplit(wire.sent[0].url).query).get("$filter", [""])[0]) is filtered


def test_users_are_found_by_their_anchors() -> None:
    wire = Wire(handler=lambda sent: (200, {"value": [user("x", b"X" * 16)]}))
    mailboxes, _service = ends(users=wire)
    found = list(mailboxes.by_anchors(bytes([number]) * 16 for number in range(16)))
    assert len(found) == len(wire.sent) == 2, "15 values fit into a filter"
    condition = parse_qs(urlsplit(wire.sent[1].url).query)["$filter"][0]
    assert condition == "onPremisesImmutableId in ('Dw8PDw8PDw8PDw8PDw8PDw==')"
    assert list(mailboxes.by_anchors([])) == []


def test_items_without_an_id_survive_a_restart() -> None:
    wire = Wire(
        (200, {"value": [{"id": "1"}, {"name": "a"}], "@odata.nextLink": f"{GRAPH}/v1.0/x?$skiptoken=a"}),
        (400, graph_error("Directory_ExpiredPageToken", "The page token is expired")),
        (200, {"value": [{"id": "1"}, {"name": "a"}, {"id": "2"}]}),
    )
    assert list(graph(wire).pages("/x")) == [{"id": "1"}, {"name": "a"}, {"name": "a"}, {"id": "2"}]


def test_what_another_process_spent_is_added() -> None:
    mailboxes, _service = ends(row("anna"))
    before = mailboxes.usage()
    list(mailboxes.rows(ALL, []))
    assert mailboxes.usage()["requests"] == before["requests"], "Exchange has a session of its own in this test"
    mailboxes.add_usage(before, {**before, "requests": before["requests"] + 3, "waited_seconds": 1.5})
    assert mailboxes.usage() == {**before, "requests": 3, "waited_seconds": 1.5}


def test_a_child_process_opens_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport(None, 1.0)
    first = transport._own_session()
    assert transport._own_session() is first
    monkeypatch.setattr(os, "getpid", lambda: 0)
    assert transport._own_session() is not first


def test_the_filter_names_a_property_that_can_be_filtered() -> None:
    """A typing error in it would make every incremental run blind."""
    mailboxes, service = ends()
    list(mailboxes.changed_since(datetime(2026, 1, 1, tzinfo=UTC), []))
    assert re.fullmatch(r"WhenChangedUTC -gt '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'", service.asked[0][0]["Filter"])
