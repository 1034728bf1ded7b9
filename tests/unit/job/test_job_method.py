# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_cycle, state provisioned: on demand or by a restart, which ends sooner, and what a restart shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._job import estimate as estimates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.estimate import estimate
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.on_demand import Pace
from job_fakes import FakeService, answer, error, execution, log_entry, mailbox

DOMAIN = "contoso.lab"
CHINA = {"cloud": "china_21vianet", "login_url": "https://login.example"}


def job(running: bool = True, **status: Any) -> Job:
    raw = {"schedule": {"state": "Active" if running else "Disabled"}, "status": {"code": "Active", **status}}
    return Job({"id": "sp"}, raw)


def full(seconds: float, size: int) -> dict[str, Any]:
    return execution(0, seconds=seconds, countImported=size, countEntitled=size)


PACE = Pace(5, 10)


@pytest.mark.parametrize(
    ("count", "cycle_seconds", "chosen", "on_demand", "restart"),
    [
        (1, 30, "on_demand", 2, 90),
        (40, 30, "on_demand", 72, 90),
        (46, 30, "restart", 92, 90),
        (46, 32, "on_demand", 92, 92),  # a draw: the way that concerns fewer mailboxes
        (5000, 30, "restart", 9992, 90),
        (5000, 20_000, "on_demand", 9992, 20_060),
    ],
)
def test_the_way_that_ends_sooner_is_taken(
    count: int, cycle_seconds: float, chosen: str, on_demand: float, restart: float
) -> None:
    made = estimate(job(lastExecution=full(cycle_seconds, 5000)), count, PACE, "soonest", True)
    assert (made.chosen, made.on_demand_seconds, made.restart_seconds) == (chosen, on_demand, restart)
    assert str(count) in made.reason
    assert "read 5000 objects" in made.reason


def test_a_cycle_over_a_few_changes_says_nothing_of_a_whole_one() -> None:
    few = execution(0, seconds=3, countImported=2, countEntitled=1000)
    made = estimate(job(lastExecution=few), 100, PACE, "soonest", True)
    assert made.restart_seconds == 60 + 1000 * estimates.FIRST_CYCLE_PER_OBJECT
    assert made.chosen == "on_demand"
    assert any("none of the job's last cycles looked at all" in text for text in made.assumptions)


def test_the_newest_whole_cycle_counts() -> None:
    old = full(500, 10) | {"timeBegan": "2026-08-20T00:00:00Z", "timeEnded": "2026-08-20T00:10:00Z"}
    made = estimate(job(lastExecution=full(7, 10), lastSuccessfulExecution=old), 1, PACE, "soonest", True)
    assert made.restart_seconds == 67


def test_a_job_whose_cycles_are_not_known_says_what_it_assumes() -> None:
    made = estimate(job(), 10, PACE, "soonest", True)
    assert made.restart_seconds == 66
    assert any("no cycle of the job has ended yet" in text for text in made.assumptions)
    assert any("Microsoft's least" in text for text in made.assumptions)


@pytest.mark.parametrize(
    ("running", "count", "method", "offered", "chosen", "reason"),
    [
        (True, 5000, "on_demand", True, "on_demand", "asks for it"),
        (True, 1, "restart", True, "restart", "asks for it"),
        (True, 1, "soonest", False, "restart", "does not offer"),
        (True, 0, "soonest", True, "on_demand", "no mailbox"),
        (False, 5000, "soonest", True, "on_demand", "does not run"),
    ],
)
def test_where_there_is_no_choice(
    running: bool, count: int, method: str, offered: bool, chosen: str, reason: str
) -> None:
    made = estimate(job(running, lastExecution=full(30, 5000)), count, PACE, method, offered)
    assert made.chosen == chosen
    assert reason in made.reason
    assert (made.on_demand_seconds is None) is not offered
    assert (made.restart_seconds is None) is not running


def wave(service: FakeService, *names: str, size: int = 0, seconds: float = 5) -> None:
    service.ready()
    service.mailboxes = [mailbox(name) for name in names]
    service.provisioned = {f"id-{name}": answer("exported") for name in names}
    service.cycle_counts = {"countImported": size or len(names), "countEntitled": size or len(names)}
    service.clock.seconds = 700


def provision(call: Any, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = call("writeback_cycle", domain=DOMAIN, state="provisioned", all_mailboxes=True, **options)
    return result


NAMES = [f"m{number}" for number in range(60)]


@pytest.mark.parametrize(("names", "chosen"), [(NAMES[:3], "on_demand"), (NAMES, "restart")])
def test_check_mode_tells_the_choice_that_a_run_makes(
    call: Any, service: FakeService, names: list[str], chosen: str
) -> None:
    wave(service, *names)
    checked = provision(call, check=True, method="soonest")
    assert service.writes() == []
    assert checked["estimate"]["chosen"] == chosen
    assert checked["counts"]["would_request"] == (len(names) if chosen == "on_demand" else 0)
    assert checked["changed"] is True
    done = provision(call, method="soonest")
    assert done["estimate"] == checked["estimate"]
    sent = {write.split()[-1] for write in service.writes()}
    assert sent == {"provisionOnDemand" if chosen == "on_demand" else "restart"}


def test_both_estimates_are_in_the_progress(call: Any, service: FakeService, tmp_path: Path) -> None:
    for names, phase in ((NAMES[:3], "provision"), (NAMES, "restart and wait for the cycle")):
        wave(service, *names)
        service.principals = dict(list(service.principals.items())[-1:])
        progress = tmp_path / f"{len(names)}.jsonl"
        provision(call, method="soonest", progress_file=str(progress))
        phases = {json.loads(line)["phase"] for line in progress.read_text().splitlines()}
        assert any(text.startswith(f"{phase} (on demand ") and ", restart 1m05s)" in text for text in phases), phases


def test_a_restart_tells_each_mailbox_by_the_log(call: Any, service: FakeService) -> None:
    wave(service, "anna", "ben", "carl", "dora", "emil")
    service.log = [
        log_entry("anna", 699.5, "success"),  # before the restart: says nothing
        log_entry("ben", 705, "success", changes=["mail"]),
        log_entry("carl", 705, "skipped", skip="RedundantExport"),
        log_entry("dora", 705, "skipped", skip="NotInScope"),
    ]
    result = provision(call, method="restart")
    assert not result.get("failed"), result
    lines = [json.loads(line) for line in Path(result["artifact"]["path"]).read_text().splitlines()]
    outcomes = {line["user_principal_name"].split("@")[0]: line["outcome"] for line in lines}
    assert outcomes == {
        "anna": "covered",
        "ben": "exported",
        "carl": "unchanged",
        "dora": "not_in_scope",
        "emil": "covered",
    }
    assert lines[1]["changes"] == [{"attribute": "mail", "before": "a", "after": "b"}]
    assert "does not name them" in lines[0]["reason"]
    assert result["counts"]["covered"] == 2
    assert result["execution"]["id"] == "cycle-702"
    assert any("roundtrip_info" in str(warning) for warning in result["warnings"])
    (request,) = [request for request in service.requests if request.path.endswith("/restart")]
    assert request.json == {"criteria": {"resetScope": "Full"}}


def test_a_restart_that_fails_for_a_mailbox_of_the_wave_fails_and_for_others_not(
    call: Any, service: FakeService
) -> None:
    wave(service, "anna", "ben")
    failed = {"errorCode": "HybridInsufficientAccessRights", "reason": "no right"}
    service.log = [log_entry("zoe", 705, "failure", info=failed)]
    assert not provision(call, method="restart", reset=["watermark"]).get("failed")
    service.log.append(log_entry("ben", service.clock.seconds + 5, "failure", info=failed))
    result = provision(call, method="restart")
    assert result["failed"]
    assert result["changed"] is True
    assert result["failures"][0]["object"] == "ben@contoso.com"
    assert "adminCount" in result["failures"][0]["error"]
    assert result["estimate"]["chosen"] == "restart"


def test_a_log_that_cannot_be_read_is_said_and_the_cycle_still_counts(call: Any, service: FakeService) -> None:
    wave(service, "anna")
    service.faults.append(
        lambda request: (403, error("Authorization_RequestDenied", "no")) if "auditLogs" in request.path else None
    )
    result = provision(call, method="restart")
    assert not result.get("failed"), result
    assert result["counts"]["covered"] == 1
    assert any("AuditLog.Read.All" in str(warning) for warning in result["warnings"])


def test_21vianet_takes_the_cycle_where_the_choice_is_left_open(call: Any, service: FakeService) -> None:
    wave(service, "anna")
    result = provision(call, method="soonest", **CHINA)
    assert not result.get("failed"), result
    assert result["estimate"]["on_demand_seconds"] is None
    assert service.writes() == ["POST restart"]
    forced = provision(call, method="on_demand", **CHINA)
    assert "does not offer provisioning on demand" in forced["msg"]


def test_nobody_selected_restarts_nothing(call: Any, service: FakeService) -> None:
    wave(service)
    for options in ({"method": "restart"}, {"method": "soonest"}, {"method": "soonest", **CHINA}):
        result = provision(call, allow_empty=True, **options)
        assert result["changed"] is False
    assert service.writes() == []


def test_a_restart_of_a_paused_job_is_refused(call: Any, service: FakeService) -> None:
    wave(service, "anna")
    for job_row in service.jobs["sp-1"].values():
        job_row["schedule"]["state"] = "Paused"
    assert "does not run" in provision(call, method="restart")["msg"]
    assert "does not run" in provision(call, method="soonest", **CHINA)["msg"]
    assert service.writes() == []


def test_a_cycle_that_may_last_longer_than_the_timeout_is_warned_about(call: Any, service: FakeService) -> None:
    wave(service, *NAMES)
    result = provision(call, method="soonest", timeout=30)
    assert any("longer than timeout" in str(warning) for warning in result["warnings"])


@pytest.mark.parametrize(
    "options",
    [
        {"state": "waited", "method": "soonest"},
        {"state": "waited", "wait": False},
        {"state": "provisioned", "all_mailboxes": True, "wait": False},
        {"state": "provisioned", "all_mailboxes": True, "method": "restart", "reset": ["force_deletes"]},
        {"state": "provisioned", "all_mailboxes": True, "allow_deletes": 1},
    ],
)
def test_options_without_sense_are_refused(call: Any, service: FakeService, options: dict[str, Any]) -> None:
    service.ready()
    assert call("writeback_cycle", domain=DOMAIN, **options)["failed"]
    assert service.writes() == []
