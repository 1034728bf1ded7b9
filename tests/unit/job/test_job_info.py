# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_job_info: what it tells, and what it makes of trouble."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._job import failures, quarantine
from job_fakes import FakeService, error, execution, log_entry, stamp


def entry(name: str, second: float, code: str = "X", advice: str | None = None) -> dict[str, Any]:
    info = {"errorCode": code, "reason": f"at {second:g}", "recommendedAction": advice}
    return log_entry(name, second, "failure", info=info)


def test_a_healthy_job(call: Any, service: FakeService) -> None:
    service.ready()
    service.ready("fabrikam.lab", running=False)
    result = call("writeback_job_info")
    assert result["changed"] is False
    assert service.writes() == []
    assert [job["domain"] for job in result["jobs"]] == ["contoso.lab", "fabrikam.lab"]
    job = result["jobs"][0]
    assert job["running"] is True
    assert job["last_execution"]["counts"]["countExported"] == 3
    assert job["scope"] == {"organizational_units": [], "groups": []}
    assert "extensionAttribute1" in job["mapped_attributes"]
    assert "mail" in job["missing_mappings"]
    assert job["quarantine"] is None
    assert result["agents"] == [{"machine_name": "sync1", "status": "active", "id": "a1"}]
    assert result["counts"]["jobs"] == 2
    assert result["counts"]["running"] == 1


def test_one_domain(call: Any, service: FakeService) -> None:
    service.ready()
    service.ready("fabrikam.lab")
    assert [job["domain"] for job in call("writeback_job_info", domain="FABRIKAM.lab")["jobs"]] == ["fabrikam.lab"]
    assert call("writeback_job_info", domain="none.lab")["jobs"] == []


def test_problems_are_told_in_plain_words(call: Any, service: FakeService) -> None:
    job = service.ready()
    job["status"].update(code="Quarantine", quarantine={"reason": "EncounteredQuarantineException"})
    objects = service.schemas[job["id"]]["synchronizationRules"][0]["objectMappings"][0]
    objects["flowTypes"] = "Add, Delete"
    objects["attributeMappings"].append(objects["attributeMappings"][0])
    service.make_principal("left.lab")
    result = call("writeback_job_info")
    problems = " ".join(result["jobs"][0]["problems"])
    for words in (
        "provisioning agent",
        "mapping for mail is missing",
        "more than once: extensionattribute1",
        "may delete",
    ):
        assert words in problems
    assert "no job" in result["jobs"][1]["problems"][0]
    assert result["counts"]["configurations_without_job"] == 1
    assert result["counts"]["quarantined"] == 1


def test_failures_are_the_newest_of_each_mailbox(call: Any, service: FakeService) -> None:
    service.ready()
    service.log = [entry("anna", 50), entry("ben", 40), entry("anna", 30), entry("carl", 20)]
    failures = call("writeback_job_info", report_limit=2)["jobs"][0]["failures"]
    assert [(failure["object"], failure["error"]) for failure in failures] == [("anna", "at 50"), ("ben", "at 40")]


def test_what_cannot_be_read_is_said_and_is_no_failure(call: Any, service: FakeService) -> None:
    service.ready()
    service.faults.append(
        lambda request: (
            (403, error("Authorization_RequestDenied", "no"))
            if "auditLogs" in request.path or "onPremisesPublishingProfiles" in request.path
            else None
        )
    )
    result = call("writeback_job_info")
    assert not result.get("failed")
    assert any("AuditLog.Read.All" in problem for problem in result["jobs"][0]["problems"])
    assert "OnPremisesPublishingProfiles" in result["agents_unreadable"]
    assert result["agents"] == []


@pytest.mark.parametrize("reason", [*quarantine.REASONS, "SomethingNew"])
def test_every_reason_has_words_and_advice(reason: str) -> None:
    words, advice = quarantine.explain({"reason": reason, "error": {"code": "c", "message": "said"}})
    assert words
    assert advice
    assert words.endswith("(said)")


def info(call: Any, **options: Any) -> tuple[dict[str, Any], str]:
    """The only job, and its problems in one text."""
    (job,) = call("writeback_job_info", **options)["jobs"]
    return job, " ".join(job["problems"])


def test_a_mailbox_that_succeeded_after_its_failure_is_no_failure(call: Any, service: FakeService) -> None:
    service.ready()
    service.log = [
        entry("anna", 50),
        log_entry("anna", 60, "success"),
        entry("ben", 50),
        log_entry("ben", 40, "success"),
    ]
    job, _problems = info(call)
    assert [failure["object"] for failure in job["failures"]] == ["ben"]


def test_failures_say_what_to_do(call: Any, service: FakeService) -> None:
    service.ready()
    service.log = [
        entry("anna", 50, "HybridSynchronizationActiveDirectoryInsufficientAccessRights", "Call us."),
        entry("ben", 40, "NeverHeardOf", "Call us."),
        entry("carl", 30, "NeverHeardOf"),
    ]
    job, _problems = info(call)
    anna, ben, carl = job["failures"]
    assert (anna["user_principal_name"], anna["id"], anna["code"]) == (
        "anna@contoso.com",
        "id-anna",
        "HybridSynchronizationActiveDirectoryInsufficientAccessRights",
    )
    assert "adminCount" in anna["what_to_do"]
    assert anna["advice"] == "Call us."
    assert (ben["what_to_do"], carl["what_to_do"]) == ("Call us.", "")


@pytest.mark.parametrize("part", failures.WHAT_TO_DO)
def test_every_code_is_found_by_its_part_and_no_other_hides_it(part: str) -> None:
    code = f"HybridSynchronizationActiveDirectory{part.title()}"
    assert failures.what_to_do(code, "of the service") == failures.WHAT_TO_DO[part]


def test_escrows_are_counted_and_named_as_far_as_the_log_goes(call: Any, service: FakeService) -> None:
    service.ready()
    service.clock.seconds = 10
    service.cycle_state, service.cycle_counts = "EntryLevelErrors", {"countEscrowed": 3}
    service.log = [entry("anna", 5), entry("ben", 4)]
    job, problems = info(call, report_limit=1)
    assert job["escrows"] == {"count": 3, "pruned": False, "mailboxes": ["anna@contoso.com"], "not_named": 1}
    assert "tried again by the service, ever more seldom: 3" in problems
    assert call("writeback_job_info")["counts"]["escrowed"] == 3


def test_pruned_escrows_and_successive_failures_are_problems(call: Any, service: FakeService) -> None:
    service.ready()["status"].update(escrowsPruned=True, countSuccessiveCompleteFailures=4)
    job, problems = info(call)
    assert job["escrows"]["pruned"] is True
    assert "4 cycles failed one after another" in problems
    assert "the service dropped them" in problems


@pytest.mark.parametrize(
    ("ended", "intervals", "late"),
    [(0, 3, False), (3599, 3, False), (3605, 3, True), (1300, 1, True), (3605, 4, False)],
)
def test_a_job_is_late_after_so_many_intervals(
    call: Any, service: FakeService, ended: float, intervals: float, late: bool
) -> None:
    row = service.ready()
    del row["began"]
    row["status"]["lastExecution"] = execution(-ended, seconds=0)
    job, problems = info(call, late_after_intervals=intervals)
    assert job["late"] is late
    assert job["seconds_since_last_cycle"] == ended
    assert ("one should begin every 20m00s" in problems) is late


@pytest.mark.parametrize("state", [{"code": "Paused"}, {"code": "Quarantine", "quarantine": {"reason": "Unknown"}}])
def test_a_job_that_rests_is_not_late(call: Any, service: FakeService, state: dict[str, Any]) -> None:
    row = service.ready()
    del row["began"]
    row["status"].update(lastExecution=execution(-90_000), **state)
    assert info(call)[0]["late"] is False


def test_without_a_cycle_or_the_clock_nobody_says_late(call: Any, service: FakeService) -> None:
    row = service.ready()
    del row["began"]
    assert info(call)[0]["late"] is None
    row["status"]["lastExecution"] = execution(-90_000)
    service.faults.append(
        lambda request: (403, error("Authorization_RequestDenied", "no")) if "organization" in request.path else None
    )
    job, problems = info(call)
    assert job["late"] is None
    assert "How long ago the last cycle was is not known" in problems


@pytest.mark.parametrize(
    ("agents", "words"),
    [
        ([], "has no provisioning agent"),
        ([{"id": "a", "machineName": "sync1", "status": "inactive"}], "No provisioning agent is active (sync1)"),
        ([{"status": "inactive"}, {"status": "active"}], None),
    ],
)
def test_a_tenant_without_an_active_agent_is_a_problem(
    call: Any, service: FakeService, agents: list[dict[str, Any]], words: str | None
) -> None:
    service.ready()
    service.agents = agents
    assert ("provisioning agent" in info(call)[1]) is (words is not None)
    assert (words or "") in info(call)[1]


def test_a_quarantine_tells_its_reset_and_how_it_goes_on(call: Any, service: FakeService) -> None:
    service.ready()["status"].update(
        code="Quarantine",
        quarantine={
            "reason": "EncounteredQuarantineException",
            "seriesBegan": "2026-08-01T00:00:00Z",
            "currentBegan": "2026-08-02T00:00:00Z",
            "nextAttempt": "2026-08-03T00:00:00Z",
            "seriesCount": 5,
        },
    )
    job, problems = info(call)
    told = job["quarantine"]
    assert told["reset"] == ["quarantine_state"]
    assert (told["times"], told["first_since"]) == (5, "2026-08-01T00:00:00.000Z")
    assert told["disabled_after"] == "2026-08-29T00:00:00.000Z"
    assert "tries again at 2026-08-03T00:00:00.000Z" in problems
    assert "after 28 days" in problems


def test_stopped_deletions_are_counted_and_named(call: Any, service: FakeService) -> None:
    row = service.ready()
    row["status"].update(code="Quarantine", quarantine={"reason": "TooManyDeletes", "seriesBegan": stamp(0)})
    row["synchronizationJobSettings"].append({"name": "QuarantineTooManyDeletesThreshold", "value": "2"})
    service.log = [log_entry(name, -1, "success", action="stagedDelete") for name in ("anna", "ben", "carl")]
    job, problems = info(call, report_limit=2)
    assert job["deletions"] == {
        "pending": 3,
        "threshold": 2,
        "objects": ["CN=anna", "CN=ben"],
        "unknown_because": None,
    }
    assert "It would delete 3 objects: CN=anna, CN=ben, CN=carl (the delete threshold is 2)." in problems
    assert "allow_deletes" in problems
    assert job["quarantine"]["reset"] is None
