# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_job: every state from every state, in check mode, applied, again, and under faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import ConnectionLost
from job_fakes import JOB_TEMPLATE, TEMPLATE, FakeService, Request, error, once

DOMAIN = "contoso.lab"
MAKE = ["POST instantiate", "POST jobs", "PUT secrets"]


@pytest.mark.parametrize("state", ["present", "started", "paused"])
def test_a_job_is_made_checked_applied_and_left_alone(call: Any, service: FakeService, state: str) -> None:
    checked = call("writeback_job", check=True, domain=DOMAIN, state=state)
    assert service.writes() == []
    assert checked["changed"] is True
    applied = call("writeback_job", domain=DOMAIN, state=state)
    assert applied["changed"] is True
    assert applied["steps"] == checked["steps"]
    assert applied["diff"] == checked["diff"]
    assert service.writes()[:3] == MAKE
    assert applied["job"]["running"] is (state == "started")
    assert applied["job"]["domain"] == DOMAIN
    count = len(service.writes())
    again = call("writeback_job", domain=DOMAIN, state=state)
    assert again["changed"] is False
    assert again["steps"] == []
    assert len(service.writes()) == count


def test_what_is_sent_to_make_a_job(call: Any, service: FakeService) -> None:
    call("writeback_job", domain=DOMAIN, notification_recipients=["a@x", "b@x"], delete_threshold=20)
    by_path = {request.path.rsplit("/", 1)[-1]: request for request in service.requests if request.method != "GET"}
    assert f"/applicationTemplates/{TEMPLATE}/" in by_path["instantiate"].path
    assert by_path["instantiate"].json == {"displayName": DOMAIN}
    assert by_path["jobs"].json == {"templateId": JOB_TEMPLATE}
    secrets = service.secrets["sp-1"]
    assert json.loads(secrets["Domain"]) == {"domain": DOMAIN}
    assert json.loads(secrets["SyncNotificationSettings"]) == {
        "Enabled": True,
        "Recipients": "a@x;b@x",
        "DeleteThresholdEnabled": True,
        "DeleteThresholdValue": 20,
    }
    tags = service.principals["sp-1"]["tags"]
    assert tags[0] == "HideApp"
    assert tags[1].startswith("hybrid.exchange.settings.sha256:")


def test_settings_are_written_again_only_when_they_differ(call: Any, service: FakeService) -> None:
    call("writeback_job", domain=DOMAIN, delete_threshold=20)
    count = len(service.writes())
    assert call("writeback_job", domain=DOMAIN, delete_threshold=20)["changed"] is False
    assert call("writeback_job", domain=DOMAIN)["changed"] is False
    assert len(service.writes()) == count
    changed = call("writeback_job", domain=DOMAIN, delete_threshold=30)
    assert changed["steps"] == ["write_settings"]
    assert any("cannot be read" in str(warning) for warning in changed["warnings"])
    assert json.loads(service.secrets["sp-1"]["SyncNotificationSettings"])["DeleteThresholdValue"] == 30


def notification(service: FakeService, key: str = "sp-1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(service.secrets[key]["SyncNotificationSettings"])
    return found


def in_the_portal(service: FakeService, **more: str) -> None:
    """A job with settings that somebody else made."""
    service.ready()
    said = {
        "Enabled": True,
        "Recipients": "boss@x",
        "DeleteThresholdEnabled": True,
        "DeleteThresholdValue": 77,
        "New": 1,
    }
    domain = json.dumps({"domain": DOMAIN, "more": "kept"})
    service.secrets["sp-1"] = {"Domain": domain, "SyncNotificationSettings": json.dumps(said), **more}


def test_settings_that_can_be_read_are_merged(call: Any, service: FakeService) -> None:
    in_the_portal(service, AppKey="a-secret-of-somebody-else")
    service.tell = lambda value: value
    checked = call("writeback_job", check=True, domain=DOMAIN, delete_threshold=20)
    assert service.writes() == []
    result = call("writeback_job", domain=DOMAIN, delete_threshold=20)
    assert result["steps"] == checked["steps"] == ["write_settings"]
    assert result["diff"] == checked["diff"]
    assert notification(service) == {
        "Enabled": True,
        "Recipients": "boss@x",
        "DeleteThresholdEnabled": True,
        "DeleteThresholdValue": 20,
        "New": 1,
    }
    assert json.loads(service.secrets["sp-1"]["Domain"]) == {"domain": DOMAIN, "more": "kept"}
    assert service.secrets["sp-1"]["AppKey"] == "a-secret-of-somebody-else"
    assert "a-secret-of-somebody-else" not in json.dumps(result)
    assert "cannot be read" not in json.dumps(result.get("warnings", []))
    assert service.writes() == ["PUT secrets"], "what can be read needs no mark"
    assert call("writeback_job", domain=DOMAIN, delete_threshold=20)["changed"] is False


def test_settings_that_are_as_stated_already_are_not_written(call: Any, service: FakeService) -> None:
    in_the_portal(service)
    service.tell = lambda value: value
    stated = {"notification_recipients": ["boss@x"], "delete_threshold": 77, "notifications_enabled": True}
    assert call("writeback_job", domain=DOMAIN, **stated)["changed"] is False
    service.secrets["sp-1"]["SyncNotificationSettings"] = json.dumps(notification(service) | {"Recipients": "other@x"})
    assert call("writeback_job", domain=DOMAIN, **stated)["steps"] == ["write_settings"], "drift is seen"


@pytest.mark.parametrize("masked", [None, "", "****"])
def test_a_setting_that_would_be_lost_refuses_the_write(call: Any, service: FakeService, masked: str | None) -> None:
    in_the_portal(service, AppKey="x")
    service.tell = lambda value: masked if value == "x" else value
    for check in (True, False):
        result = call("writeback_job", check=check, domain=DOMAIN, delete_threshold=20)
        assert "(AppKey)" in result["msg"]
    assert service.writes() == []
    assert call("writeback_job", domain=DOMAIN)["changed"] is False


def test_a_service_that_does_not_know_how_to_tell_settings_gets_them_whole(call: Any, service: FakeService) -> None:
    in_the_portal(service)
    service.faults.append(
        lambda request: (
            (405, error("MethodNotAllowed", "no"))
            if request.method == "GET" and request.path.endswith("/secrets")
            else None
        )
    )
    result = call("writeback_job", domain=DOMAIN, delete_threshold=20)
    assert result["steps"] == ["write_settings"]
    assert any("cannot be read (" in str(warning) for warning in result["warnings"])
    assert notification(service)["Recipients"] == ""
    assert call("writeback_job", domain=DOMAIN, delete_threshold=20)["changed"] is False


def test_a_job_made_in_the_portal_keeps_its_settings_unless_some_are_stated(call: Any, service: FakeService) -> None:
    service.ready()
    assert call("writeback_job", domain=DOMAIN)["changed"] is False
    assert call("writeback_job", domain=DOMAIN, notifications_enabled=False)["steps"] == ["write_settings"]
    assert call("writeback_job", domain=DOMAIN, notifications_enabled=False)["changed"] is False


@pytest.mark.parametrize(("state", "action"), [("started", "start"), ("paused", "pause")])
def test_a_job_is_switched(call: Any, service: FakeService, state: str, action: str) -> None:
    service.ready(running=state == "paused")
    result = call("writeback_job", domain=DOMAIN.upper(), state=state)
    assert result["steps"] == [action]
    assert service.writes() == [f"POST {action}"]
    assert result["job"]["running"] is (state == "started")


def test_absent_removes_job_and_configuration(call: Any, service: FakeService) -> None:
    service.ready()
    assert call("writeback_job", check=True, domain=DOMAIN, state="absent")["changed"] is True
    assert service.writes() == []
    result = call("writeback_job", domain=DOMAIN, state="absent")
    assert result["steps"] == ["delete_job", "delete_configuration"]
    assert service.principals == {}
    assert call("writeback_job", domain=DOMAIN, state="absent")["changed"] is False


def test_a_configuration_without_a_job_is_finished_or_removed(call: Any, service: FakeService) -> None:
    service.make_principal(DOMAIN)
    assert call("writeback_job", check=True, domain=DOMAIN, state="absent")["steps"] == ["delete_configuration"]
    assert call("writeback_job", domain=DOMAIN)["steps"] == ["create_job", "write_settings"]
    assert len(service.principals) == 1


def test_a_configuration_without_a_job_is_removed(call: Any, service: FakeService) -> None:
    service.make_principal(DOMAIN)
    result = call("writeback_job", domain=DOMAIN, state="absent")
    assert result["steps"] == ["delete_configuration"]
    assert service.principals == {}
    assert service.clock.slept == []


def test_a_configuration_that_does_not_go_is_a_timeout(call: Any, service: FakeService) -> None:
    service.ready()
    service.faults.append(
        lambda request: (204, None) if request.method == "DELETE" and request.path.endswith("/sp-1") else None
    )
    result = call("writeback_job", domain=DOMAIN, state="absent", wait_timeout=20)
    assert result["last_state"] == "the configuration"
    assert result["changed"] is True


def test_a_job_without_a_domain_gets_its_settings(call: Any, service: FakeService) -> None:
    service.make_job(service.make_principal(DOMAIN)["id"])
    assert call("writeback_job", domain=DOMAIN)["steps"] == ["write_settings"]


def test_jobs_of_other_domains_are_left_alone(call: Any, service: FakeService) -> None:
    service.ready("fabrikam.lab", displayName=DOMAIN)
    assert call("writeback_job", check=True, domain=DOMAIN)["steps"][0] == "create_configuration"


def test_two_jobs_for_one_domain_are_an_error(call: Any, service: FakeService) -> None:
    service.ready()
    service.ready(displayName="left over")
    result = call("writeback_job", domain=DOMAIN, state="started")
    assert result["failed"]
    assert "2 configurations write to contoso.lab" in result["msg"]
    assert service.writes() == []


def test_a_tenant_without_sync_is_refused_before_a_write(call: Any, service: FakeService) -> None:
    service.synced = False
    result = call("writeback_job", domain=DOMAIN)
    assert "not synchronized from AD" in result["msg"]
    assert service.writes() == []


def test_replication_is_waited_for(call: Any, service: FakeService) -> None:
    service.lag = 5
    result = call("writeback_job", domain=DOMAIN)
    assert not result.get("failed"), result
    assert sum(service.clock.slept) >= 10
    assert len(service.principals) == 1


def test_replication_that_never_comes_is_an_error_that_says_what_was_done(call: Any, service: FakeService) -> None:
    service.lag = 10_000
    result = call("writeback_job", domain=DOMAIN, wait_timeout=30)
    assert result["failed"]
    assert result["changed"] is False
    service.lag = 0
    assert not call("writeback_job", domain=DOMAIN).get("failed")
    assert len(service.principals) == 1


@pytest.mark.parametrize("when", ["instantiate", "jobs", "secrets", "start"])
def test_an_error_although_applied_converges_without_doubles(call: Any, service: FakeService, when: str) -> None:
    method = "PUT" if when == "secrets" else "POST"
    service.faults.append(once(504, None, when, method, apply=service))
    result = call("writeback_job", domain=DOMAIN, state="started")
    assert not result.get("failed"), result
    assert len(service.principals) == 1
    assert [len(jobs) for jobs in service.jobs.values()] == [1]
    assert service.writes().count(f"POST {when}") <= 2


@pytest.mark.parametrize("step", ["instantiate", "jobs", "secrets", "sp-1", "start"])
def test_a_run_that_dies_anywhere_is_finished_by_the_next(call: Any, service: FakeService, step: str) -> None:
    method = {"secrets": "PUT", "sp-1": "PATCH"}.get(step, "POST")
    service.faults.append(once(403, error("Authorization_RequestDenied", "no"), step, method))
    first = call("writeback_job", domain=DOMAIN, state="started")
    assert first["failed"]
    assert first["changed"] is (step != "instantiate")
    second = call("writeback_job", domain=DOMAIN, state="started")
    assert not second.get("failed"), second
    assert call("writeback_job", domain=DOMAIN, state="started")["changed"] is False
    assert len(service.principals) == 1


def test_a_lost_answer_to_the_first_step_is_looked_up(call: Any, service: FakeService) -> None:
    def cut(request: Request) -> Any:
        if request.path.endswith("/instantiate"):
            service.faults.clear()
            service.answer(request)
            return ConnectionLost("cut")
        return None

    service.faults.append(cut)
    assert not call("writeback_job", domain=DOMAIN).get("failed")
    assert len(service.principals) == 1


def test_a_state_that_does_not_come_is_a_timeout_with_the_last_state(call: Any, service: FakeService) -> None:
    service.ready(running=False)
    service.faults.append(lambda request: (204, None) if request.path.endswith("/start") else None)
    result = call("writeback_job", domain=DOMAIN, state="started", wait_timeout=20)
    assert result["failed"]
    assert "schedule Disabled" in result["last_state"]
    assert result["changed"] is True
    assert not call("writeback_job", domain=DOMAIN, state="started", wait=False).get("failed")


def test_the_scope_is_changed_once_and_kept_as_an_artifact(call: Any, service: FakeService) -> None:
    job = service.ready()
    units = ["OU=Wave 1,DC=contoso,DC=lab"]
    checked = call("writeback_job", check=True, domain=DOMAIN, organizational_units=units)
    assert service.writes() == []
    result = call("writeback_job", domain=DOMAIN, organizational_units=units)
    assert result["steps"] == checked["steps"] == ["set_scope"]
    assert result["restart_needed"] is True
    rule = service.schemas[job["id"]]["synchronizationRules"][0]
    assert rule["containerFilter"] == {"includedContainers": units}
    assert "groupFilter" not in rule
    kept = json.loads(Path(result["artifact"]["path"]).read_text())
    assert "containerFilter" not in kept["schema"]["synchronizationRules"][0]
    other = ["ou=wave 1, dc=contoso, dc=lab"]
    assert call("writeback_job", domain=DOMAIN, organizational_units=other)["changed"] is False
    assert call("writeback_job", domain=DOMAIN, organizational_units=[])["steps"] == ["set_scope"]
    assert service.schemas[job["id"]]["synchronizationRules"][0]["containerFilter"] == {"includedContainers": []}


def allow_delete(service: FakeService, job_id: str) -> None:
    service.schemas[job_id]["synchronizationRules"][0]["objectMappings"][0]["flowTypes"] = "Add, Update, Delete"


def test_the_scope_of_a_job_that_may_delete_is_not_changed(call: Any, service: FakeService) -> None:
    allow_delete(service, service.ready()["id"])
    for check in (True, False):
        result = call("writeback_job", check=check, domain=DOMAIN, groups=["g"], state="paused")
        assert "allow Delete" in result["msg"]
    assert service.writes() == []


def test_a_job_that_never_ran_may_get_its_scope(call: Any, service: FakeService) -> None:
    allow_delete(service, service.ready(running=False)["id"])
    assert not call("writeback_job", domain=DOMAIN, groups=["g"]).get("failed")


def test_a_new_job_gets_its_scope_before_it_starts(call: Any, service: FakeService) -> None:
    call("writeback_job", domain=DOMAIN, groups=["g"], state="started")
    assert service.writes() == [*MAKE, "PATCH sp-1", "PUT schema", "POST start"]


@pytest.mark.parametrize("options", [{"domain": "contoso"}, {"domain": DOMAIN, "delete_threshold": -1}])
def test_wrong_options_are_refused(call: Any, service: FakeService, options: dict[str, Any]) -> None:
    assert call("writeback_job", **options)["failed"]
    assert service.requests == []


def test_a_missing_permission_is_named(call: Any, service: FakeService) -> None:
    service.faults.append(lambda request: (403, error("Authorization_RequestDenied", "no")))
    result = call("writeback_job", domain=DOMAIN)
    assert "Application.Read.All" in result["msg"]
    assert result["http_status"] == 403
    assert result["changed"] is False
