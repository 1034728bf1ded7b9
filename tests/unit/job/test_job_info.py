# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_job_info: what it tells, and what it makes of trouble."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._job import quarantine
from job_fakes import FakeService, error, stamp


def entry(name: str, second: float) -> dict[str, Any]:
    return {
        "id": f"{name}{second}",
        "activityDateTime": stamp(second),
        "sourceIdentity": {"id": f"id-{name}", "displayName": name},
        "provisioningStatusInfo": {
            "status": "failure",
            "errorInformation": {"errorCode": "X", "reason": f"at {second:g}"},
        },
    }


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
