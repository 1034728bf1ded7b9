# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests: patience, renewal, errors. No test really sleeps."""

from __future__ import annotations

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import ConnectionLost
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    Conflict,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Unavailable,
)
from cloud_fakes import FakeClock, Wire, graph_error, http

URL = "https://graph.example/v1.0/thing"


def test_a_throttle_with_retry_after_is_waited_for_and_never_less() -> None:
    clock = FakeClock()
    client = http(Wire((429, None, {"Retry-After": "17"}), (200, {})), clock=clock)
    assert client.request("GET", URL, "graph").status == 200
    assert len(clock.slept) == 1
    assert 17 <= clock.slept[0] < 18
    assert client.statistics.throttled_requests == 1
    assert client.statistics.waited_seconds == clock.slept[0]


def test_retry_after_as_a_date_counts_from_the_services_clock() -> None:
    clock = FakeClock()
    headers = {"Date": "Thu, 27 Aug 2026 12:00:00 GMT", "Retry-After": "Thu, 27 Aug 2026 12:00:30 GMT"}
    http(Wire((503, None, headers), (200, {})), clock=clock).request("GET", URL, "graph")
    assert 30 <= clock.slept[0] < 31


def test_a_throttle_without_retry_after_waits_longer_each_time() -> None:
    clock = FakeClock()
    http(Wire((429, None), (429, None), (429, None), (200, {})), clock=clock).request("GET", URL, "graph")
    assert 0.8 <= clock.slept[0] <= 1.2
    assert 1.6 <= clock.slept[1] <= 2.4
    assert 3.2 <= clock.slept[2] <= 4.8


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_transient_statuses_are_repeated(status: int) -> None:
    wire = Wire((status, "<html><body>busy</body></html>"), (200, {"a": 1}))
    assert http(wire).request("GET", URL, "graph").json() == {"a": 1}
    assert len(wire.sent) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500])
def test_other_statuses_are_not_repeated(status: int) -> None:
    wire = Wire((status, graph_error("Code", "text")))
    with pytest.raises((Conflict, PermissionDenied, NotFound, Unavailable)):
        http(wire).request("GET", URL, "graph")
    assert len(wire.sent) == 1


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    clock = FakeClock()
    with pytest.raises(Unavailable, match="asks to wait 600 seconds") as caught:
        http(Wire((429, None, {"Retry-After": "600"})), retry_timeout=300, clock=clock).request("GET", URL, "graph")
    assert clock.slept == []
    assert caught.value.facts["http_status"] == 429


def test_the_budget_ends_the_repetitions() -> None:
    clock = FakeClock()
    with pytest.raises(Unavailable, match="Given up"):
        http(Wire(handler=lambda sent: (503, None)), retry_timeout=60, clock=clock).request("GET", URL, "graph")
    assert 0 < sum(clock.slept) <= 60


def test_plain_text_about_concurrency_is_a_throttle() -> None:
    text = "You have reached the maximum number of concurrent requests per tenant. Try later."
    client = http(Wire((500, text), (200, {})))
    assert client.request("GET", URL, "graph").status == 200
    assert client.statistics.throttled_requests == 1


def test_a_lost_connection_is_repeated() -> None:
    wire = Wire(ConnectionLost("cut"), (200, {}))
    assert http(wire).request("GET", URL, "graph").status == 200
    assert len(wire.sent) == 2


@pytest.mark.parametrize("reply", [ConnectionLost("cut"), (504, None), (503, None)])
def test_what_must_not_be_done_twice_is_not_sent_twice(reply: object) -> None:
    wire = Wire(reply, (200, {}))  # type: ignore[arg-type]
    with pytest.raises(Unavailable) as caught:
        http(wire).request("POST", URL, "graph", payload={}, repeatable=False)
    assert caught.value.facts["uncertain"] is True
    assert len(wire.sent) == 1


def test_a_throttle_is_repeated_even_for_what_must_not_be_done_twice() -> None:
    wire = Wire((429, None), (201, {}))
    assert http(wire).request("POST", URL, "graph", payload={}, repeatable=False).status == 201


def test_a_refused_token_is_renewed_once() -> None:
    wire = Wire((401, None), (200, {}))
    http(wire).request("GET", URL, "graph")
    assert [sent.token for sent in wire.sent] == ["graph-1", "graph-2"]


def test_a_fresh_token_that_is_refused_is_an_error() -> None:
    wire = Wire((401, graph_error("InvalidAuthenticationToken", "bad")), (401, graph_error("Invalid", "bad")))
    with pytest.raises(AuthenticationError, match="fresh token was refused"):
        http(wire).request("GET", URL, "graph")
    assert len(wire.sent) == 2


def test_a_missing_role_names_what_is_needed() -> None:
    wire = Wire((403, graph_error("Authorization_RequestDenied", "Insufficient privileges")))
    with pytest.raises(PermissionDenied, match=r"It needs Synchronization\.Read\.All") as caught:
        http(wire).request("GET", URL, "graph", needs="Synchronization.Read.All")
    assert caught.value.facts["request_id"] == "r-1"
    assert caught.value.facts["http_status"] == 403


def test_an_html_body_is_shown_as_text() -> None:
    with pytest.raises(PermissionDenied, match="Blocked by proxy") as caught:
        http(Wire((403, "<html><style>p{}</style><p>Blocked by <b>proxy</b></p></html>"))).request("GET", URL, "graph")
    assert "<" not in caught.value.message


def test_a_redirect_is_not_followed() -> None:
    with pytest.raises(ProtocolError, match="redirect to https://elsewhere"):
        http(Wire((302, None, {"Location": "https://elsewhere/"}))).request("GET", URL, "graph")


def test_the_services_clock_is_kept() -> None:
    client = http(Wire((200, {}, {"Date": "Thu, 27 Aug 2026 12:00:00 GMT"})))
    client.request("GET", URL, "graph")
    moment = client.last_date("https://graph.example")
    assert moment is not None
    assert moment.isoformat() == "2026-08-27T12:00:00+00:00"
