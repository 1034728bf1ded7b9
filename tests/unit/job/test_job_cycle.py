# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_cycle: waiting, restarting, provisioning on demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.mailboxes import Mailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._job import on_demand, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.on_demand import read_result
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from job_fakes import FakeService, Request, answer, error, execution, mailbox, stamp

DOMAIN = "contoso.lab"


def names(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


def with_mailboxes(service: FakeService, outcomes: dict[str, Any]) -> FakeService:
    service.ready()
    service.mailboxes = [mailbox(name) for name in outcomes]
    service.provisioned = {f"id-{name}": reply for name, reply in outcomes.items()}
    return service


@pytest.mark.parametrize("check", [True, False])
def test_a_wait_ends_with_a_cycle_that_began_after_it(call: Any, service: FakeService, check: bool) -> None:
    service.ready()
    service.clock.seconds = 10.5
    result = call("writeback_cycle", check=check, domain=DOMAIN)
    assert result["changed"] is False
    assert result["execution"]["id"] == "cycle-600"
    assert result["since"] == "2026-08-27T09:00:11.000Z"
    assert service.writes() == []
    assert 605 <= service.clock.seconds <= 612


def test_a_cycle_that_is_under_way_does_not_count(call: Any, service: FakeService) -> None:
    service.ready()
    service.clock.seconds = 601
    assert call("writeback_cycle", domain=DOMAIN)["execution"]["id"] == "cycle-1800"


def test_since_in_the_past_takes_the_last_cycle(call: Any, service: FakeService) -> None:
    service.ready()
    service.clock.seconds = 700
    result = call("writeback_cycle", domain=DOMAIN, since="2026-08-27T11:05:00+02:00")
    assert result["execution"]["id"] == "cycle-600"
    assert service.clock.slept == []


def test_a_wait_that_ends_too_early_tells_the_last_state(call: Any, service: FakeService) -> None:
    service.ready()
    result = call("writeback_cycle", domain=DOMAIN, timeout=60)
    assert result["failed"]
    assert "status Active, schedule Active, last cycle Succeeded" in result["last_state"]
    assert service.clock.seconds <= 60


def test_a_failed_cycle_is_not_the_awaited_one(call: Any, service: FakeService) -> None:
    service.ready()
    service.cycle_state = "Failed"
    assert call("writeback_cycle", domain=DOMAIN, timeout=3000)["failed"]


def test_a_later_failure_does_not_hide_an_earlier_success(call: Any, service: FakeService) -> None:
    job = service.ready()
    service.cycle_state = "Failed"
    job["status"]["lastSuccessfulExecution"] = execution(300)
    assert call("writeback_cycle", domain=DOMAIN, since=stamp(200))["execution"]["id"] == "cycle-300"


def test_failed_objects_are_a_warning(call: Any, service: FakeService) -> None:
    service.ready()
    service.cycle_state = "EntryLevelErrors"
    result = call("writeback_cycle", domain=DOMAIN)
    assert any("could not be written" in str(warning) for warning in result["warnings"])


@pytest.mark.parametrize("state", ["waited", "restarted"])
def test_a_job_that_does_not_run_is_an_error_at_once(call: Any, service: FakeService, state: str) -> None:
    service.ready(running=False)
    result = call("writeback_cycle", domain=DOMAIN, state=state)
    assert "does not run" in result["msg"]
    assert service.writes() == []
    assert service.clock.slept == []


def quarantine(service: FakeService, began: float) -> None:
    job = service.ready()
    job["status"].update(code="Quarantine", quarantine={"reason": "TooManyDeletes", "currentBegan": stamp(began)})


@pytest.mark.parametrize("state", ["waited", "provisioned"])
def test_quarantine_is_an_error_at_once_in_plain_words(call: Any, service: FakeService, state: str) -> None:
    quarantine(service, -100)
    options = {"all_mailboxes": True} if state == "provisioned" else {}
    result = call("writeback_cycle", domain=DOMAIN, state=state, **options)
    assert "about to delete more objects than the delete threshold allows" in result["msg"]
    assert "force_deletes" in result["msg"]
    assert service.clock.slept == []


def test_a_restart_waits_for_its_cycle(call: Any, service: FakeService) -> None:
    service.ready()
    assert call("writeback_cycle", check=True, domain=DOMAIN, state="restarted", reset=["full"])["changed"] is True
    assert service.writes() == []
    result = call("writeback_cycle", domain=DOMAIN, state="restarted", reset=["watermark", "quarantine_state"])
    assert result["changed"] is True
    assert result["execution"]["id"] == "cycle-2"
    (request,) = [request for request in service.requests if request.path.endswith("/restart")]
    assert request.json == {"criteria": {"resetScope": "Watermark, QuarantineState"}}


def test_a_restart_out_of_quarantine_is_possible(call: Any, service: FakeService) -> None:
    quarantine(service, -100)
    result = call("writeback_cycle", domain=DOMAIN, state="restarted", reset=["quarantine_state"])
    assert not result.get("failed"), result


def test_a_restart_that_leads_into_quarantine_is_an_error(call: Any, service: FakeService) -> None:
    job = service.ready()

    def fault(request: Request) -> Any:
        if request.path.endswith("/restart"):
            job["status"].update(code="Quarantine", quarantine={"reason": "Unknown", "currentBegan": stamp(30)})
            return 204, None
        return None

    service.faults.append(fault)
    result = call("writeback_cycle", domain=DOMAIN, state="restarted")
    assert "in quarantine" in result["msg"]
    assert result["changed"] is True


def test_provisioning_reports_each_mailbox(call: Any, service: FakeService) -> None:
    outcomes = {
        "anna": answer("exported"),
        "ben": answer("RedundantExport"),
        "carl": answer("NotInScope"),
        "dora": answer("Odd"),
    }
    with_mailboxes(service, outcomes)
    checked = call("writeback_cycle", check=True, domain=DOMAIN, state="provisioned", all_mailboxes=True)
    assert service.writes() == []
    assert checked["counts"] == {"selected": 4, "would_request": 4, "without_mailbox": 0}
    result = call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True)
    assert result["changed"] is True
    counts = {
        "selected": 4,
        "without_mailbox": 0,
        "exported": 1,
        "unchanged": 1,
        "not_in_scope": 1,
        "skipped": 1,
        "failed": 0,
        "not_requested": 0,
    }
    assert result["counts"] == counts
    lines = [json.loads(line) for line in Path(result["artifact"]["path"]).read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["exported", "unchanged", "not_in_scope", "skipped"]
    assert lines[0]["changes"] == [{"attribute": "extensionAttribute1", "before": None, "after": "x"}]


@pytest.mark.parametrize("check", [True, False])
def test_users_without_a_mailbox_are_counted_and_warned_about(
    call: Any, service: FakeService, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    with_mailboxes(service, {"anna": answer("exported")})
    monkeypatch.setattr(Mailboxes, "left_out", (Member("id-x", "x@contoso.com"),))
    result = call("writeback_cycle", check=check, domain=DOMAIN, state="provisioned", all_mailboxes=True)
    assert (result["counts"]["selected"], result["counts"]["without_mailbox"]) == (1, 1)
    assert any("x@contoso.com" in str(warning) for warning in result["warnings"])


def test_nothing_exported_is_no_change(call: Any, service: FakeService) -> None:
    with_mailboxes(service, {"anna": answer("RedundantExport")})
    assert call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True)["changed"] is False


def test_requests_keep_the_services_pace(call: Any, service: FakeService) -> None:
    with_mailboxes(service, {name: answer("exported") for name in names(12)})
    sent: list[float] = []

    def fault(request: Request) -> Any:
        if request.path.endswith("/provisionOnDemand"):
            sent.append(service.clock.seconds)
        return None

    service.faults.append(fault)
    call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True)
    assert len(sent) == 12
    assert all(later - earlier >= 10 for earlier, later in zip(sent, sent[5:], strict=False))
    assert sent[-1] == 20


def test_what_cannot_be_done_in_time_is_refused_before_the_first_request(call: Any, service: FakeService) -> None:
    with_mailboxes(service, {name: answer("exported") for name in names(12)})
    result = call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True, timeout=19)
    assert "takes at least 20 seconds" in result["msg"]
    assert service.writes() == []


def test_one_failed_mailbox_fails_the_task_and_not_the_others(call: Any, service: FakeService) -> None:
    with_mailboxes(
        service, {"anna": answer("failed", errorCode="AccessDenied", reason="no right"), "ben": answer("exported")}
    )
    result = call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True)
    assert result["failed"]
    assert result["changed"] is True
    assert result["counts"]["exported"] == 1
    assert result["failures"][0]["object"] == "anna@contoso.com"
    assert "AccessDenied: no right: LDAP 50" in result["failures"][0]["error"]
    assert result["artifact"]["lines"] == 2


def test_a_refused_permission_stops_and_says_what_was_done(call: Any, service: FakeService) -> None:
    with_mailboxes(service, {name: answer("exported") for name in names(4)})
    seen: list[int] = []

    def fault(request: Request) -> Any:
        if request.path.endswith("/provisionOnDemand"):
            seen.append(1)
            if len(seen) == 2:
                return 403, error("Authorization_RequestDenied", "no")
        return None

    service.faults.append(fault)
    result = call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True)
    assert result["failed"]
    assert result["changed"] is True
    assert len(seen) == 2
    assert result["counts"]["not_requested"] == 2
    assert result["artifact"]["lines"] == 4


def test_a_cloud_without_it_says_what_to_do(call: Any, service: FakeService) -> None:
    service.ready()
    options = {"cloud": "china_21vianet", "login_url": "https://login.example"}
    result = call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True, **options)
    assert "does not offer provisioning on demand" in result["msg"]
    assert "state waited" in result["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {"state": "provisioned"},
        {"state": "restarted", "since": "2026-08-27T09:00:00Z"},
        {"state": "waited", "reset": ["full"]},
        {"state": "waited", "since": "yesterday"},
        {"state": "waited", "poll_interval": 0},
    ],
)
def test_options_without_sense_are_refused(call: Any, service: FakeService, options: dict[str, Any]) -> None:
    service.ready()
    assert call("writeback_cycle", domain=DOMAIN, **options)["failed"]
    assert service.writes() == []
    assert service.clock.slept == []


@pytest.mark.parametrize(
    ("pair", "outcome"),
    [
        ({"key": None, "value": "not json"}, "failed"),
        ({"key": None, "value": None}, "failed"),
        ({"key": {"result": "Skipped", "details": {"errorCode": "RedundantExport"}}, "value": {}}, "unchanged"),
        ({"key": {"result": "Failure", "details": {"errorCode": "X"}}, "value": {}}, "failed"),
        ({"key": {"result": "Success"}, "value": [{"modifiedProperties": [{"displayName": "a"}]}]}, "exported"),
        ({"key": {"result": "Skipped"}, "value": {"provisioningSteps": []}}, "skipped"),
    ],
)
def test_answers_of_all_shapes_are_read(pair: dict[str, Any], outcome: str) -> None:
    assert read_result(pair).outcome == outcome


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-08-27T09:00:00Z", "2026-08-27T09:00:00.000Z"),
        ("2026-08-27T09:00:00.1234567Z", "2026-08-27T09:00:00.123Z"),
        ("2026-08-27t11:00:00+02:00", "2026-08-27T09:00:00.000Z"),
        ("0001-01-01T00:00:00Z", None),
        ("2026-13-27T09:00:00Z", None),
        ("2026-08-27T09:00:00", None),
        (None, None),
    ],
)
def test_times_are_read(text: Any, read: str | None) -> None:
    moment = times.read(text)
    assert (times.write(moment) if moment else None) == read


def test_the_least_time_is_counted() -> None:
    pace = on_demand.Pace(5, 10)
    assert [pace.needed(count) for count in (0, 1, 5, 6, 10, 11)] == [0, 0, 0, 10, 10, 20]
