# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_cycle, state restarted: its cycle, and deletions that only their number allows."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._job import cycle, quarantine, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from job_fakes import FakeService, Request, error, execution, log_entry, stamp

DOMAIN = "contoso.lab"


def stopped(service: FakeService, said: str = "", staged: int = 0) -> None:
    """A job that the delete threshold stopped at second 590."""
    job = service.ready()
    job["status"].update(
        code="Quarantine",
        quarantine={
            "reason": "TooManyDeletes",
            "error": {"code": "TooManyDeletes", "message": said},
            "currentBegan": stamp(590),
            "seriesBegan": stamp(590),
        },
    )
    service.clock.seconds = 600
    service.log += [log_entry(f"u{number}", 589, "success", action="stagedDelete") for number in range(staged)]


def restart(call: Any, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = call("writeback_cycle", domain=DOMAIN, state="restarted", **options)
    return result


def allow(call: Any, number: int | None, **options: Any) -> dict[str, Any]:
    return restart(call, reset=["force_deletes"], **({} if number is None else {"allow_deletes": number}), **options)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("said", "staged"), [("", 4), ("4 objects against 3", 0), ("4 objects against 3", 4)], ids=str)
def test_deletions_pass_only_by_their_number(
    call: Any, service: FakeService, said: str, staged: int, check: bool
) -> None:
    stopped(service, said, staged)
    for wrong in (None, 0, 3, 5):
        refused = allow(call, wrong, check=check)
        assert refused["failed"]
        assert "would delete 4 objects" in refused["msg"]
        assert refused["deletions"]["pending"] == 4
    assert service.writes() == []
    allowed = allow(call, 4, check=check)
    assert not allowed.get("failed"), allowed
    assert service.writes() == ([] if check else ["POST restart"])
    if not check:
        assert service.requests[-1].method == "GET"
        (sent,) = [request for request in service.requests if request.path.endswith("/restart")]
        assert sent.json == {"criteria": {"resetScope": "ForceDeletes"}}


@pytest.mark.parametrize(
    ("said", "staged", "why"),
    [
        ("", 0, "names no staged deletion"),
        ("the threshold of 500 was exceeded", 0, "gives no number"),
        ("job 1f2e-4 of tenant 12: 4 of 500, 3", 0, "gives no number"),
        ("4 objects against 3", 6, "names 6 deletions, the job's message says 4"),
    ],
)
def test_deletions_of_unknown_number_cannot_be_allowed_here(
    call: Any, service: FakeService, said: str, staged: int, why: str
) -> None:
    stopped(service, said, staged)
    for number in (None, 0, 3, 4, 6, 500):
        refused = allow(call, number)
        assert why in refused["msg"]
        assert "admin center" in refused["msg"]
    assert service.writes() == []


def test_staged_deletions_count_once_and_for_the_newest_cycle_only(call: Any, service: FakeService) -> None:
    stopped(service)
    service.log += [
        log_entry("u0", 589, "success", action="stagedDelete", cycle="new"),
        log_entry("u1", 588, "success", action="StagedDelete", cycle="new"),
        log_entry("u0", 588, "success", action="stagedDelete", cycle="new"),
        log_entry("u2", 100, "success", action="stagedDelete", cycle="old"),
        log_entry("u3", 588, "success", action="delete", cycle="new"),
    ]
    assert allow(call, None)["deletions"]["pending"] == 2
    assert set(allow(call, None)["deletions"]["objects"]) == {"CN=u0", "CN=u1"}


def test_a_log_that_cannot_be_read_leaves_what_the_message_says(call: Any, service: FakeService) -> None:
    stopped(service, "7 objects against 3")
    service.faults.append(
        lambda request: (403, error("Authorization_RequestDenied", "no")) if "auditLogs" in request.path else None
    )
    assert allow(call, None)["deletions"]["pending"] == 7


def test_deletions_of_a_job_that_is_not_stopped_cannot_be_allowed(call: Any, service: FakeService) -> None:
    service.ready()
    assert "not stopped because of deletions" in allow(call, 4)["msg"]
    assert service.writes() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reset": ["force_deletes", "escrows"], "allow_deletes": 4}, "alone"),
        ({"reset": ["full", "force_deletes"], "allow_deletes": 4}, "alone"),
        ({"reset": ["quarantine_state"], "allow_deletes": 4}, "reset force_deletes only"),
        ({"reset": ["full"]}, "may let the deletions pass"),
    ],
)
def test_what_could_let_deletions_pass_unseen_is_refused(
    call: Any, service: FakeService, options: dict[str, Any], words: str
) -> None:
    stopped(service, staged=4)
    for check in (True, False):
        assert words in restart(call, check=check, **options)["msg"]
    assert service.writes() == []


def test_deletions_that_are_not_meant_are_dropped_by_a_restart_without_reset(call: Any, service: FakeService) -> None:
    stopped(service, staged=4)
    assert not restart(call).get("failed")
    (sent,) = [request for request in service.requests if request.path.endswith("/restart")]
    assert sent.json == {"criteria": {}}


def test_a_restart_need_not_wait(call: Any, service: FakeService) -> None:
    service.ready()
    result = restart(call, reset=["watermark"], wait=False)
    assert result["changed"] is True
    assert "execution" not in result
    assert service.clock.slept == []
    assert service.writes() == ["POST restart"]


def test_a_cycle_that_begins_in_the_very_second_of_the_restart_counts(call: Any, service: FakeService) -> None:
    job = service.ready()
    service.clock.seconds = 700.9

    def begins_at_once(request: Request) -> Any:
        if request.path.endswith("/restart"):
            job["began"] = 700.95
            return 204, None
        return None

    service.faults.append(begins_at_once)
    result = restart(call, timeout=60)
    assert not result.get("failed"), result
    assert result["execution"]["id"] == "cycle-700.95"


def test_a_cycle_that_was_shown_before_the_restart_does_not_count() -> None:
    shown = Job({"id": "sp"}, {"status": {"lastExecution": execution(100, seconds=0.2)}})
    since = times.required(stamp(100), "since")
    assert cycle.finished(shown, since) is not None
    assert cycle.finished(shown, since, frozenset({"cycle-100"})) is None


def test_the_reset_for_a_quarantine_is_one_that_the_module_takes() -> None:
    for name, reason in quarantine.REASONS.items():
        assert set(reason.reset or ()) <= set(cycle.RESETS), name
        for reset in reason.reset or ():
            assert reset in reason.advice, name
        assert "force_deletes" not in (reason.reset or ()), "nobody lets deletions pass by following advice blindly"
