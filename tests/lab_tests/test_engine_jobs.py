# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a job and the scheduler: states, restarts, quarantine, what runs when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.lab.engines import EngineRefusal
from tests.lab.engines.job_state import NEVER, duration
from tests.lab.engines.limits import Limits
from tests.lab.engines.scheduler import ERRORS, missed
from tests.lab_tests.engine_directory import TENANT, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path, Limits(escrow_minimum=2))
    yield made
    made.close()


def flagged(lab: Lab, *names: str) -> list[str]:
    found = [lab.directory.mailbox(name) for name in names]
    lab.sync()
    for name in names:
        lab.edit(name, IsExchangeCloudManaged=True, CustomAttribute1="x")
    return found


def test_a_new_job_is_disabled_and_has_not_run(lab: Lab) -> None:
    job = lab.document(lab.job(start=False))
    assert job["id"].startswith("Entra2ADExchangeOnlineAttributeWriteback.11111111222233334444555555555555.")
    assert job["schedule"] == {"expiration": None, "interval": "PT20M", "state": "Disabled"}
    assert job["status"]["code"] == "NotRun"
    assert job["status"]["lastExecution"] is None
    assert job["status"]["steadyStateFirstAchievedTime"] == NEVER
    with pytest.raises(EngineRefusal) as refused:
        lab.cycle(job["id"])
    assert refused.value.status == 409


def test_durations() -> None:
    assert [duration(seconds) for seconds in (1200, 90)] == ["PT20M", "PT90S"]


def test_start_pause_start_keeps_what_is_known(lab: Lab) -> None:
    flagged(lab, "Anna")
    job_id = lab.job()
    lab.cycle(job_id)
    lab.engines.pause(TENANT, job_id)
    job = lab.document(job_id)
    assert (job["status"]["code"], job["schedule"]["state"]) == ("Paused", "Paused")
    lab.seconds += 10_000
    lab.engines.tick()
    assert lab.document(job_id)["status"]["lastExecution"] == job["status"]["lastExecution"]
    lab.engines.start(TENANT, job_id)
    assert lab.cycle(job_id)["kind"] == "incremental"
    assert lab.document(job_id)["synchronizationJobSettings"] == [{"name": "DomainFQDN", "value": "contoso.lab"}]


def test_unknown_jobs_and_scopes_are_refused(lab: Lab) -> None:
    job_id = lab.job()
    for scope in ("None", "ConnectorDataStore", "Full,Nonsense"):
        with pytest.raises(EngineRefusal) as refused:
            lab.engines.restart(TENANT, job_id, scope)
        assert refused.value.status == 400
    for call in (lab.engines.start, lab.engines.pause, lab.engines.run_cycle):
        with pytest.raises(EngineRefusal) as refused:
            call(TENANT, "nothing")
        assert refused.value.status == 404


@pytest.mark.parametrize(
    ("scope", "known", "escrows", "kind"),
    [
        ("Full", False, False, "initial"),
        ("", False, False, "initial"),
        ("Watermark", True, True, "initial"),
        ("Escrows", True, False, "incremental"),
        ("Watermark, Escrows, QuarantineState", True, False, "initial"),
        ("QuarantineState", True, True, "incremental"),
    ],
)
def test_restarts_forget_what_they_name(lab: Lab, scope: str, known: bool, escrows: bool, kind: str) -> None:
    (dn, _unused) = flagged(lab, "Anna", "Bert")
    lab.directory.denied[dn] = 50
    job_id = lab.job()
    lab.cycle(job_id)
    lab.engines.restart(TENANT, job_id, scope)
    job = lab.document(job_id)
    assert (bool(job["_known"]), bool(job["_escrows"])) == (known, escrows)
    assert job["schedule"]["state"] == "Active"
    assert lab.cycle(job_id)["kind"] == kind


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        ("no secret", "HybridIdentityServiceInvalidResource"),
        ("other domain", "HybridIdentityServiceNoAgentsAssigned"),
        ("no agent", "HybridIdentityServiceNoAgentsAssigned"),
        ("agent inactive", "HybridIdentityServiceNoActiveAgents"),
    ],
)
def test_a_job_that_cannot_run_is_quarantined(lab: Lab, prepare: str, code: str) -> None:
    flagged(lab, "Anna")
    if prepare == "no secret":
        lab.store.delete(TENANT, "secret", "99999999-0000-0000-0000-000000000001")
    elif prepare == "other domain":
        lab.put_domain("fabrikam.lab")
    elif prepare == "no agent":
        lab.store.delete(TENANT, "agent", "a1")
    else:
        lab.store.put(TENANT, "agent", "a1", {"id": "a1", "status": "inactive"})
    job_id = lab.job()
    summary = lab.cycle(job_id)
    assert (summary["state"], summary["error"]["code"]) == ("Failed", code)
    status = lab.document(job_id)["status"]
    assert status["code"] == "Quarantine"
    assert status["quarantine"]["reason"] == "EncounteredQuarantineException"
    assert lab.directory.modifies == []


def test_quarantine_waits_longer_each_time_up_to_a_day_and_ends_with_a_good_run(lab: Lab) -> None:
    found = flagged(lab, "Anna", "Bert", "Carl")
    lab.directory.denied = dict.fromkeys(found, 50)
    job_id = lab.job()
    lab.cycle(job_id)
    quarantine = lab.document(job_id)["status"]["quarantine"]
    assert quarantine["reason"] == "EncounteredEscrowProportionThreshold"
    waits = []
    for _unused in range(9):
        began, following = (datetime.fromisoformat(quarantine[name]) for name in ("currentBegan", "nextAttempt"))
        waits.append((following - began).total_seconds())
        lab.seconds = following.timestamp() - 1
        count = quarantine["seriesCount"]
        lab.engines.tick()
        assert lab.document(job_id)["status"]["quarantine"]["seriesCount"] == count
        lab.seconds += 2
        lab.engines.tick()
        quarantine = lab.document(job_id)["status"]["quarantine"]
        assert quarantine["seriesCount"] == count + 1
    assert waits == [2400, 4800, 9600, 19200, 38400, 76800, 86400, 86400, 86400]
    lab.directory.denied = {}
    lab.engines.restart(TENANT, job_id, "QuarantineState")
    assert lab.document(job_id)["status"]["code"] == "Active"
    assert lab.cycle(job_id)["exported"] == 3


def test_four_weeks_of_quarantine_disable_the_job(lab: Lab) -> None:
    lab.put_domain("fabrikam.lab")
    job_id = lab.job()
    lab.cycle(job_id)
    lab.seconds += 29 * 86400
    lab.engines.tick()
    job = lab.document(job_id)
    assert (job["schedule"]["state"], job["status"]["code"]) == ("Disabled", "Quarantine")


def test_a_directory_that_is_down_fails_the_run_and_is_tried_again(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna")
    job_id = lab.job()
    lab.directory.down = True
    assert lab.cycle(job_id)["state"] == "Failed"
    status = lab.document(job_id)["status"]
    assert (status["code"], status["countSuccessiveCompleteFailures"]) == ("Active", 1)
    assert status["lastExecution"]["error"]["code"] == "HybridSynchronizationActiveDirectoryInternalServerError"
    for _unused in range(4):
        lab.cycle(job_id)
    assert lab.document(job_id)["status"]["code"] == "Quarantine"
    lab.directory.down = False
    assert lab.cycle(job_id)["state"] == "Succeeded"
    status = lab.document(job_id)["status"]
    assert (status["code"], status["countSuccessiveCompleteFailures"], status["quarantine"]) == ("Active", 0, None)
    assert lab.directory.values(dn, "extensionAttribute1") == ["x"]


def test_a_scope_that_cannot_be_evaluated_fails_the_run(lab: Lab) -> None:
    flagged(lab, "Anna")
    job_id = lab.job()
    job = lab.document(job_id)
    clause = {"operatorName": "NEAR", "sourceOperandName": "department", "targetOperand": {"values": ["x"]}}
    job["_schema"]["synchronizationRules"][0]["objectMappings"][0]["scope"]["groups"] = [{"clauses": [clause]}]
    lab.store.put(TENANT, "job", job_id, job)
    summary = lab.cycle(job_id)
    assert (summary["state"], summary["error"]["code"]) == ("Failed", "InvalidScope")
    assert lab.directory.modifies == []


def test_a_job_deleted_or_paused_during_a_run_is_not_brought_back(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    flagged(lab, "Anna")
    job_id = lab.job()
    original = lab.directory.open

    def pausing(tenant: str) -> object:
        lab.engines.pause(TENANT, job_id)
        return original(tenant)

    monkeypatch.setattr(lab.engines._writeback, "_open", pausing)
    lab.cycle(job_id)
    job = lab.document(job_id)
    assert (job["schedule"]["state"], job["status"]["code"], job["_next"]) == ("Paused", "Paused", None)
    assert job["status"]["lastExecution"]["countExported"] == 1

    def deleting(tenant: str) -> object:
        lab.store.delete(TENANT, "job", job_id)
        return original(tenant)

    monkeypatch.setattr(lab.engines._writeback, "_open", deleting)
    lab.engines.start(TENANT, job_id)
    assert lab.cycle(job_id)["state"] == "Deleted"
    assert lab.document(job_id) == {}


def test_missed_runs_are_made_up_for_a_few_times() -> None:
    assert missed(100, 99, 10, 3) == []
    assert missed(100, 100, 10, 3) == [100]
    assert missed(100, 125, 10, 3) == [100, 110, 120]
    assert missed(100, 1005, 10, 3) == [980, 990, 1000]


def test_ticks_run_what_is_due_by_the_clock(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna")
    lab.engines.tick()
    job_id = lab.job()
    assert lab.document(job_id)["status"]["lastExecution"] is None
    lab.engines.tick()
    first = lab.document(job_id)["status"]["lastExecution"]
    assert first["state"] == "Succeeded"
    lab.edit("Anna", CustomAttribute1="y")
    lab.seconds += 1100
    lab.engines.tick()
    assert lab.directory.values(dn, "extensionAttribute1") == ["x"]
    lab.clock.advance(200)
    lab.engines.tick()
    assert lab.directory.values(dn, "extensionAttribute1") == ["y"]


def test_ticks_run_connect_sync(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    lab.engines.tick()
    lab.directory.change(dn, displayName="Anna B")
    lab.seconds += 1801
    lab.engines.tick()
    assert lab.user("Anna B")


def test_a_failure_is_recorded_and_stops_no_other_engine(lab: Lab) -> None:
    flagged(lab, "Anna")
    lab.engines.tick()
    job_id = lab.job()
    lab.directory.down = True
    lab.seconds += 1801
    lab.engines.tick()
    errors = lab.store.meta(ERRORS)
    assert {error["engine"] for error in errors} == {"connect_sync", "writeback"}
    assert all(error["tenant"] == TENANT and "connection refused" in error["error"] for error in errors)
    assert lab.document(job_id)["status"]["lastExecution"]["state"] == "Failed"


def test_a_clock_set_back_does_not_stop_the_schedule(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    lab.clock.advance(1_000_000)
    lab.engines.tick()
    lab.clock.reset()
    lab.engines.tick()
    lab.directory.change(dn, displayName="Anna B")
    lab.seconds += 1801
    lab.engines.tick()
    assert lab.user("Anna B")
