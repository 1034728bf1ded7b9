# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who left a job's scope, where the flow types have Delete: staged, allowed, refused, kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.engines import tailoring
from tests.lab.engines.limits import Limits
from tests.lab_tests.engine_directory import PRINCIPAL, TENANT, Lab
from tests.lab_tests.graph_types import problems

NAMES = ("Anna", "Bert", "Carl")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path, Limits(delete_threshold=3))
    made.scenario.set({"onmicrosoft_addresses": "dropped"})
    yield made
    made.close()


@pytest.fixture
def job_id(lab: Lab) -> str:
    """A job that may delete, and has provisioned everybody."""
    for name in NAMES:
        lab.directory.mailbox(name)
    lab.sync()
    for name in NAMES:
        lab.edit(name, IsExchangeCloudManaged=True, CustomAttribute1="x")
    lab.scenario.set({"flow_types": "update_delete"})
    made = lab.job()
    assert lab.cycle(made)["exported"] == 3
    return made


def leave(lab: Lab, *names: str) -> None:
    for name in names:
        lab.edit(name, IsExchangeCloudManaged=False)


def controls(lab: Lab) -> list[str]:
    return [lab.directory.values(f"CN={name},OU=People,DC=contoso,DC=lab", "userAccountControl")[0] for name in NAMES]


def actions(lab: Lab) -> list[str]:
    return [event["provisioningAction"] for event in lab.events() if event["provisioningAction"] != "update"]


def put_secret(lab: Lab, key: str, value: str) -> None:
    kept = (lab.store.get(TENANT, "secret", PRINCIPAL) or {})["value"]
    lab.store.put(TENANT, "secret", PRINCIPAL, {"value": [*kept, {"key": key, "value": value}]})


def test_too_many_deletes_are_staged_in_the_log_and_stop_the_run(lab: Lab, job_id: str) -> None:
    leave(lab, *NAMES)
    lab.directory.mailbox("Dora")
    lab.sync()
    lab.edit("Dora", IsExchangeCloudManaged=True, CustomAttribute1="x")
    lab.scenario.set({"flipped_after_start": "next_cycle"})
    summary = lab.cycle(job_id)
    assert (summary["state"], summary["error"]["code"], summary["exported"]) == ("Failed", "TooManyDeletes", 0)
    job = lab.document(job_id)
    assert job["status"]["quarantine"]["reason"] == "TooManyDeletes"
    assert controls(lab) == ["512"] * 3
    staged = [event for event in lab.events() if event["provisioningAction"] == "stagedDelete"]
    assert sorted(event["sourceIdentity"]["displayName"] for event in staged) == list(NAMES)
    assert {event["cycleId"] for event in staged} == {job["status"]["lastExecution"]["activityIdentifier"]}
    for event in staged:
        assert event["targetIdentity"]["details"]["distinguishedName"].startswith("CN=")
        assert list(problems(event, "provisioningObjectSummary")) == []
    # Stopped means stopped: nobody else is written either, and what the job knew it still knows.
    assert lab.directory.values("CN=Dora,OU=People,DC=contoso,DC=lab", "extensionAttribute1") == []
    assert set(job["_known"]) == set(job["_deletes"])


@pytest.mark.parametrize("told", [True, False])
def test_the_message_tells_the_number_or_not(lab: Lab, job_id: str, told: bool) -> None:
    lab.scenario.set({"delete_count": "told" if told else "untold"})
    leave(lab, *NAMES)
    message = lab.cycle(job_id)["error"]["message"]
    assert ("3 deletes" in message) is told
    assert any(letter.isdigit() for letter in message) is told
    assert "ForceDeletes" in message


def test_allowed_deletes_disable_the_accounts_once(lab: Lab, job_id: str) -> None:
    leave(lab, *NAMES)
    lab.cycle(job_id)
    lab.engines.restart(TENANT, job_id, "ForceDeletes")
    assert lab.cycle(job_id)["state"] == "Succeeded"
    assert controls(lab) == ["514"] * 3
    assert actions(lab) == ["stagedDelete"] * 3 + ["disable"] * 3
    assert lab.document(job_id)["status"]["quarantine"] is None
    lab.cycle(job_id)
    assert len(actions(lab)) == 6
    assert lab.document(job_id)["_deletes"] == []


def test_a_higher_threshold_lets_them_pass_at_the_next_attempt(lab: Lab, job_id: str) -> None:
    leave(lab, *NAMES)
    lab.cycle(job_id)
    put_secret(lab, "SyncNotificationSettings", json.dumps({"DeleteThresholdEnabled": True, "DeleteThresholdValue": 4}))
    assert lab.cycle(job_id)["state"] == "Succeeded"
    assert controls(lab) == ["514"] * 3


def test_a_restart_after_the_scope_was_mended_deletes_nobody(lab: Lab, job_id: str) -> None:
    leave(lab, *NAMES)
    lab.cycle(job_id)
    for name in NAMES:
        lab.edit(name, IsExchangeCloudManaged=True)
    lab.engines.restart(TENANT, job_id, "")
    assert lab.cycle(job_id)["state"] == "Succeeded"
    assert (controls(lab), actions(lab)) == (["512"] * 3, ["stagedDelete"] * 3)


def test_a_restart_with_nothing_mended_stages_them_again(lab: Lab, job_id: str) -> None:
    leave(lab, *NAMES)
    lab.cycle(job_id)
    lab.engines.restart(TENANT, job_id, "Full")
    assert lab.cycle(job_id)["error"]["code"] == "TooManyDeletes"
    assert controls(lab) == ["512"] * 3


def test_whoever_was_deleted_from_the_cloud_is_deleted_from_ad(lab: Lab, job_id: str) -> None:
    anna = lab.user("Anna")["id"]
    for kind in ("user", "mailbox"):
        lab.store.delete(TENANT, kind, anna)
    lab.cycle(job_id)
    (event,) = [one for one in lab.events() if one["provisioningAction"] == "delete"]
    assert (event["sourceIdentity"]["id"], event["provisioningStatusInfo"]["status"]) == (anna, "success")
    assert "CN=Anna,OU=People,DC=contoso,DC=lab" not in lab.directory.server.dit


def test_a_refused_delete_is_an_escrow_and_tried_again(lab: Lab, job_id: str) -> None:
    dn = "CN=Anna,OU=People,DC=contoso,DC=lab"
    lab.directory.denied[dn] = 50
    leave(lab, "Anna")
    assert lab.cycle(job_id)["failed"] == 1
    (event,) = lab.events("failure")
    assert event["provisioningAction"] == "disable"
    assert lab.document(job_id)["status"]["lastExecution"]["countEscrowed"] == 1
    lab.directory.denied.clear()
    assert lab.cycle(job_id)["state"] == "Succeeded"
    assert controls(lab)[0] == "514"


def test_who_never_had_an_object_is_no_delete_and_no_escrow_any_more(lab: Lab, job_id: str) -> None:
    dn = lab.directory.mailbox("Gone")
    lab.sync()
    lab.directory.remove(dn)
    lab.edit("Gone", IsExchangeCloudManaged=True)
    lab.engines.restart(TENANT, job_id, "Watermark")
    assert lab.cycle(job_id)["failed"] == 1
    job = lab.document(job_id)
    assert (len(job["_escrows"]), len(job["_linked"])) == (1, 3)
    leave(lab, "Gone", "Anna", "Bert")
    assert lab.cycle(job_id)["state"] == "Succeeded"
    job = lab.document(job_id)
    assert (job["_escrows"], len(job["_linked"]), actions(lab)) == ({}, 1, ["disable"] * 2)


def test_deletions_of_who_leaves_the_scope_can_be_skipped(lab: Lab, job_id: str) -> None:
    put_secret(lab, "SkipOutOfScopeDeletions", "True")
    leave(lab, *NAMES)
    assert lab.cycle(job_id)["state"] == "Succeeded"
    assert (controls(lab), actions(lab)) == (["512"] * 3, ["other"] * 3)


@pytest.mark.parametrize(("kind", "control"), [("groups", "514"), ("inputFilterGroups", "512")])
def test_only_input_filters_do_not_deprovision(lab: Lab, job_id: str, kind: str, control: str) -> None:
    job = lab.document(job_id)
    known = ["displayName"]
    mapping: dict[str, Any] = job["_schema"]["synchronizationRules"][0]["objectMappings"][0]
    mapping["scope"][kind] = [tailoring.filter_group("displayName NOT EQUALS Anna", 1, known)]
    lab.store.put(TENANT, "job", job_id, job)
    lab.cycle(job_id)
    assert controls(lab) == [control, "512", "512"]
