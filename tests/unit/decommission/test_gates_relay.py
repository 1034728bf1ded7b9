# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who hands mail to the servers, and how far back their logs can tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import relay
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import GATES
from gate_fakes import NOW, World


def judged(world: World, **options: Any) -> Any:
    return evaluate([GATES["relay_quiet"]], world.facts(**options))[0]


def received(client: str, sender: str = "app@contoso.lab", **more: Any) -> dict[str, Any]:
    return {"Source": "SMTP", "ClientIp": client, "Sender": sender, "Timestamp": "2026-11-20T08:00:00Z", **more}


def log(*rows: dict[str, Any], reaches_back: bool = True) -> Any:
    """The rows on the newest day, and one from before the window where it reaches back."""

    def answer(given: dict[str, Any]) -> list[dict[str, Any]]:
        if "EventId" not in given:
            return [{"EventId": "SEND"}] if reaches_back else []
        return list(rows) if given["End"].startswith("2026-11-22") and given["Server"] == "EX01" else []

    return answer


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([received("10.1.2.3")], "failed"),
        ([received("10.0.0.1", OriginalClientIp="10.1.2.3", ServerIp="10.0.0.1")], "failed"),
        ([received("fe80::1%3")], "failed"),
        ([received("127.0.0.1")], "passed"),
        ([received("203.0.113.11")], "passed"),  # EX02, by the name servers
        ([received("10.0.0.1", ServerIp="10.0.0.1")], "passed"),
        ([received("10.1.2.3", "HealthMailbox0a1b2c@contoso.lab")], "passed"),
        ([received("10.1.2.3", "inboundproxy@inboundproxy.com")], "passed"),
        ([received("10.9.9.9")], "passed"),  # ignored
        ([{**received("10.1.2.3"), "Source": "STOREDRIVER"}], "passed"),
        ([], "passed"),
    ],
)
def test_who_counts(rows: list[dict[str, Any]], verdict: str) -> None:
    world = World()
    world.server.answers["Get-MessageTrackingLog"] = log(*rows)
    found = judged(world, relay_ignored=("10.9.0.0/16",))
    assert found.verdict == verdict, found.detail


@pytest.mark.parametrize("host", ["10.0.0.43", "ex00.contoso.lab"])
def test_a_server_that_ad_has_no_more_is_none_that_relays(host: str) -> None:
    world = World()
    world.internal.records[("ex00.contoso.lab", "A")] = ["10.0.0.43"]
    world.server.answers["Get-MessageTrackingLog"] = log(received("10.0.0.43"))
    assert judged(world).verdict == "failed"
    assert judged(world, hosts={"ex00": host}).verdict == "passed"


def test_clients_are_added_up() -> None:
    world = World()
    rows = [received("10.1.2.3", ConnectorId="EX01\\Printers")] * 3 + [
        received("10.1.2.4", f"a{n}@b") for n in range(9)
    ]
    world.server.answers["Get-MessageTrackingLog"] = log(*rows)
    found = judged(world)
    assert [row["object"] for row in found.objects] == ["10.1.2.4", "10.1.2.3"]
    assert found.objects[1]["messages"] == 3
    assert found.objects[1]["connectors"] == ["EX01\\Printers"]
    assert len(found.objects[0]["senders"]) == 5
    assert "2 addresses handed over 12 messages in 14 days" in found.detail


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"MessageTrackingLogEnabled": False, "MessageTrackingLogMaxAge": "30.00:00:00"}, "turned off"),
        ({"MessageTrackingLogEnabled": True, "MessageTrackingLogMaxAge": "7.00:00:00"}, "7 days only"),
    ],
)
def test_a_log_that_is_too_short_cannot_tell(service: dict[str, Any], words: str) -> None:
    world = World()
    world.server.answers["Get-TransportService"] = [service]
    found = judged(world)
    assert found.verdict == "cannot_tell"
    assert words in found.detail


def test_a_log_without_a_record_from_before_the_window_cannot_tell() -> None:
    world = World()
    world.server.answers["Get-MessageTrackingLog"] = log(reaches_back=False)
    found = judged(world)
    assert found.verdict == "cannot_tell"
    assert "before the window" in found.detail


def test_a_relay_that_was_seen_fails_whatever_the_log_lacks() -> None:
    world = World()
    world.server.answers["Get-MessageTrackingLog"] = log(received("10.1.2.3"), reaches_back=False)
    assert judged(world).verdict == "failed"


def test_the_window_is_read_by_days_from_the_newest_on_every_server() -> None:
    world = World()
    judged(world, relay_quiet_days=3)
    asked = [item.parameters for item in world.server.sent if "EventId" in item.parameters]
    assert [(item["Server"], item["Start"][:10]) for item in asked] == [
        (server, f"2026-11-{day}") for server in ("EX01", "EX02") for day in (21, 20, 19)
    ]
    assert all(item["ResultSize"] == "Unlimited" for item in asked)


def test_too_many_records_end_the_reading_and_that_is_said() -> None:
    world = World()
    probes = [received("10.1.2.3", "HealthMailbox01@contoso.lab")] * 5
    world.server.answers["Get-MessageTrackingLog"] = lambda given: probes
    found = judged(world, relay_record_limit=5)
    assert found.verdict == "cannot_tell"
    assert "relay_record_limit" in found.detail


@pytest.mark.parametrize(
    ("text", "span"),
    [("30.00:00:00", timedelta(days=30)), ("12:30:00", timedelta(hours=12.5)), ("00:00:00", None), ("nothing", None)],
)
def test_spans(text: str, span: timedelta | None) -> None:
    assert relay.span(text) == span


def test_addresses_in_their_usual_form() -> None:
    assert relay.normal("::ffff:10.1.2.3") == "10.1.2.3"
    assert relay.normal("[2001:DB8::1]") == "2001:db8::1"
    assert relay.normal("nobody") == ""
    assert isinstance(NOW, datetime)
