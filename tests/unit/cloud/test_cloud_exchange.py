# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exchange Online: pages, batches and its peculiar errors."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    Conflict,
    HybridError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from cloud_fakes import EXCHANGE, TENANT, FakeClock, Reply, Sent, Wire, exchange, exchange_error

ROOT = f"{EXCHANGE}/adminapi/beta/{TENANT}"
GET = Cmdlet("Get-Mailbox", {"ResultSize": "Unlimited"}, ("Guid", "Alias"))
NOT_FOUND = "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|It couldn't be found."


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"Guid": f"g{number}", "Alias": str(number)} for number in numbers]


def link(number: int) -> str:
    return f"{ROOT}/InvokeCommand?$skiptoken={number}"


def test_a_cmdlet_is_sent_as_the_service_wants_it() -> None:
    wire = Wire((200, {"value": rows(1)}))
    assert list(exchange(wire).invoke(GET)) == rows(1)
    sent = wire.sent[0]
    assert sent.url == f"{ROOT}/InvokeCommand?$select=Guid,Alias"
    assert sent.json == {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}}
    assert sent.headers["X-CmdletName"] == "Get-Mailbox"
    assert sent.headers["X-AnchorMailbox"] == f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
    assert sent.headers["Prefer"] == "odata.maxpagesize=1000"


def test_pages_are_fetched_with_the_same_body() -> None:
    wire = Wire((200, {"value": rows(1, 2), "@odata.nextLink": link(2)}), (200, {"value": rows(3)}))
    assert list(exchange(wire).invoke(GET)) == rows(1, 2, 3)
    assert wire.sent[1].method == "POST"
    assert wire.sent[1].url == link(2)
    assert wire.sent[1].json == wire.sent[0].json
    assert wire.sent[1].headers["client-request-id"] != wire.sent[0].headers["client-request-id"]


def test_an_expired_page_link_restarts_the_read_without_repeats() -> None:
    expired = (400, exchange_error("Expired or Invalid pagination request. Default Expiry time is 00:30:00"))
    wire = Wire(
        (200, {"value": rows(1, 2), "@odata.nextLink": link(2)}),
        expired,
        (200, {"value": rows(1, 2), "@odata.nextLink": link(3)}),
        (200, {"value": rows(3, 4)}),
    )
    assert list(exchange(wire).invoke(GET)) == rows(1, 2, 3, 4)


def test_page_links_that_keep_expiring_are_an_error() -> None:
    def handler(sent: Sent) -> Reply:
        if "skiptoken" in sent.url:
            return (400, exchange_error("Expired or Invalid pagination request."))
        return (200, {"value": rows(1), "@odata.nextLink": link(2)})

    with pytest.raises(Unavailable, match="interrupted 4 times"):
        list(exchange(Wire(handler=handler)).invoke(GET))


def test_the_token_is_not_sent_to_another_host() -> None:
    wire = Wire((200, {"value": [], "@odata.nextLink": "https://evil.example/x"}))
    with pytest.raises(ProtocolError, match="another host"):
        list(exchange(wire).invoke(GET))
    assert len(wire.sent) == 1


def test_a_page_link_that_comes_twice_ends_the_read() -> None:
    page = (200, {"value": rows(1), "@odata.nextLink": link(2)})
    with pytest.raises(ProtocolError, match="same page link"):
        list(exchange(Wire(page, page, page)).invoke(GET))


@pytest.mark.parametrize("answer", [(204, None), (200, {"value": []}), (200, None)])
def test_nothing_is_no_rows(answer: Reply) -> None:
    assert list(exchange(Wire(answer)).invoke(Cmdlet("Set-Mailbox", {"Identity": "a"}))) == []


@pytest.mark.parametrize("body", ["<html>sign in</html>", '"text"', "[1]"])
def test_a_success_that_is_not_a_list_of_objects_is_an_error(body: str) -> None:
    with pytest.raises(ProtocolError):
        list(exchange(Wire((200, body))).invoke(GET))


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (404, NOT_FOUND, NotFound),
        (400, "x|Microsoft.Exchange.ManagementObjectAmbiguousException|Several.", Ambiguous),
        (400, "x|Microsoft.Exchange.ProxyAddressExistsException|The proxy address is in use.", Conflict),
        (400, "It is out of the current user's write scope. Do it in your on-premises organization.", Conflict),
        (400, "A parameter cannot be found that matches parameter name 'IsExchangeCloudManaged'.", PermissionDenied),
        (403, "x|System.UnauthorizedAccessException|The role assigned isn't supported.", PermissionDenied),
        (500, "something", Unavailable),
    ],
)
def test_errors_are_classed_by_what_they_say(status: int, text: str, kind: type[HybridError]) -> None:
    with pytest.raises(kind, match="Set-Mailbox anna") as caught:
        list(exchange(Wire((status, exchange_error(text)))).invoke(Cmdlet("Set-Mailbox", {"Identity": "anna"})))
    assert caught.type is kind
    assert caught.value.facts["object"] == "anna"


def test_a_403_names_the_role() -> None:
    with pytest.raises(PermissionDenied, match=r"Exchange\.ManageAsApp"):
        list(exchange(Wire((403, ""))).invoke(GET))


def test_an_inner_exception_is_read_where_there_are_no_details() -> None:
    body = {"error": {"message": "outer", "innererror": {"internalException": {"message": NOT_FOUND}}}}
    with pytest.raises(NotFound, match="couldn't be found"):
        list(exchange(Wire((400, body))).invoke(GET))


def test_a_passing_failure_of_the_directory_is_repeated() -> None:
    headers = {"X-ExceptionType": "UnableToWriteToAadException"}
    wire = Wire((400, exchange_error("Unable to write"), headers), (200, {"value": []}))
    assert list(exchange(wire).invoke(Cmdlet("Set-Mailbox", {"Identity": "a"}))) == []


def batch_of(count: int) -> list[Cmdlet]:
    return [Cmdlet("Set-Mailbox", {"Identity": f"m{number}"}) for number in range(count)]


def answers(sent: Sent, statuses: dict[str, Reply]) -> Reply:
    """Answer each part by the identity of its cmdlet; in reverse order, since the service promises none."""
    parts = []
    for part in sent.json["requests"]:
        identity = part["body"]["CmdletInput"]["Parameters"]["Identity"]
        reply = statuses.get(identity, (200, {"value": []}))
        assert not isinstance(reply, Exception)
        headers = reply[2] if len(reply) > 2 else {}
        parts.append({"id": part["id"], "status": reply[0], "headers": headers, "body": reply[1]})
    return (200, {"responses": parts[::-1]})


def test_a_batch_goes_in_groups_of_ten_and_keeps_the_order() -> None:
    wire = Wire(handler=lambda sent: answers(sent, {}))
    done = list(exchange(wire).batch(batch_of(23)))
    assert [cmdlet.parameters["Identity"] for cmdlet, _rows in done] == [f"m{number}" for number in range(23)]
    # Groups travel side by side, so nobody can say which one arrives first.
    assert sorted(len(sent.json["requests"]) for sent in wire.sent) == [3, 10, 10]
    first = wire.sent[0]
    assert first.url == f"{ROOT}/$batch"
    assert first.json["requests"][0]["url"] == f"{ROOT}/InvokeCommand"
    assert first.json["requests"][0]["method"] == "POST"
    assert "odata.continue-on-error" in first.headers["Prefer"]


def test_a_throttled_part_is_sent_again_alone_after_its_retry_after() -> None:
    clock = FakeClock()
    calls: list[int] = []

    def handler(sent: Sent) -> Reply:
        calls.append(len(sent.json["requests"]))
        throttled: dict[str, Reply] = {"m1": (429, "slow down", {"Retry-After": "9"})} if len(calls) == 1 else {}
        return answers(sent, throttled)

    client = exchange(Wire(handler=handler), clock=clock)
    assert [outcome for _cmdlet, outcome in client.batch(batch_of(3))] == [[], [], []]
    assert calls == [3, 1]
    assert 9 <= clock.slept[0] < 10
    assert client._http.statistics.throttled_requests == 1


def test_a_failed_part_is_its_own_error() -> None:
    wire = Wire(handler=lambda sent: answers(sent, {"m1": (404, exchange_error(NOT_FOUND))}))
    outcomes = [outcome for _cmdlet, outcome in exchange(wire).batch(batch_of(3))]
    assert outcomes[0] == []
    assert isinstance(outcomes[1], NotFound)
    assert outcomes[1].facts["object"] == "m1"
    assert outcomes[2] == []


def test_a_part_throttled_until_the_end_is_unavailable_and_the_rest_is_kept() -> None:
    wire = Wire(handler=lambda sent: answers(sent, {"m1": (429, "slow down")}))
    outcomes = [outcome for _cmdlet, outcome in exchange(wire, retry_timeout=20).batch(batch_of(2))]
    assert outcomes[0] == []
    assert isinstance(outcomes[1], Unavailable)
    assert outcomes[1].facts["uncertain"] is True


def test_a_group_without_any_answer_stops_the_batch() -> None:
    wire = Wire(handler=lambda sent: answers(sent, {f"m{number}": (429, "slow down") for number in range(20)}))
    with pytest.raises(Unavailable):
        list(exchange(wire, retry_timeout=5).batch(batch_of(20)))
    assert {part["id"] for sent in wire.sent for part in sent.json["requests"]} == {str(number) for number in range(10)}


def test_a_part_left_out_of_the_answer_is_asked_again() -> None:
    seen: list[list[str]] = []

    def handler(sent: Sent) -> Reply:
        seen.append([part["id"] for part in sent.json["requests"]])
        parts = sent.json["requests"][: 1 if len(seen) == 1 else None]
        return (200, {"responses": [{"id": part["id"], "status": 200, "body": {"value": []}} for part in parts]})

    assert len(list(exchange(Wire(handler=handler)).batch(batch_of(2)))) == 2
    assert seen == [["0", "1"], ["1"]]


def test_a_part_with_more_pages_is_read_on_its_own() -> None:
    def handler(sent: Sent) -> Reply:
        if sent.url.endswith("$batch"):
            return answers(sent, {"m0": (200, {"value": rows(1), "@odata.nextLink": link(2)})})
        if "skiptoken" in sent.url:
            return (200, {"value": rows(2)})
        return (200, {"value": rows(1), "@odata.nextLink": link(2)})

    ((_cmdlet, outcome),) = exchange(Wire(handler=handler)).batch(batch_of(1))
    assert outcome == rows(1, 2)


def test_a_batch_answer_that_is_no_batch_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="not a batch"):
        list(exchange(Wire((200, "<html>hello</html>"))).batch(batch_of(1)))


def test_warnings_are_kept_once() -> None:
    page = {"value": [], "@adminapi.warnings": ["careful"]}
    client = exchange(Wire((200, page), (200, page)))
    list(client.invoke(GET))
    list(client.invoke(GET))
    assert client.warnings == ("careful",)
