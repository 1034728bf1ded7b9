# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with a writeback job, brought about by the command line alone, and as Graph shows it then.

The command line, the control address, Graph and the engines are the real ones; the directory is in memory.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.lab import __main__ as command_line
from tests.lab import job_commands
from tests.lab.client import Lab, LabError
from tests.lab.cloud import job_faults
from tests.lab.engines import EngineRefusal, Engines
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, lab
from tests.lab_tests.engine_directory import BASE, MemoryDirectory
from tests.lab_tests.graph_types import problems

__all__ = ["lab"]

PEOPLE = ("anna", "bert", "carl", "dora", "emil", "fred")
PREFIX = "HybridSynchronizationActiveDirectory"


class Direct(Lab):
    """The client without a network."""

    def __init__(self, inside: CloudLab) -> None:
        super().__init__({"control": "", "ca": False})
        self._inside = inside

    def _call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        reply = self._inside.control(method, f"{path}?{urlencode(query)}", body)
        content = json.loads(reply.body() or b"{}")
        if reply.status >= 400:
            raise LabError(content["error"])
        return content


class Bench:
    """A tenant with six mailboxes, its command line, and its Graph."""

    def __init__(self, inside: CloudLab, capsys: pytest.CaptureFixture[str]) -> None:
        self.lab, self._capsys = inside, capsys
        self.directory = MemoryDirectory()
        self.dns = {name: self.directory.mailbox(name.title(), department="Sales") for name in PEOPLE}
        services = inside.services
        services.engines = Engines(
            inside.store,
            services.clock,
            services.scenario,
            self.directory.open,
            lambda _tenant: BASE,
            obstacle=job_faults.obstacle(lambda: services.faults),
        )
        services.engine_refusal = EngineRefusal
        for kind in ("user", "mailbox"):  # what the fake engines made
            for doc in inside.store.list(CONTOSO, kind):
                inside.store.delete(CONTOSO, kind, doc.get("ExternalDirectoryObjectId") or doc["id"])
        services.engines.connect_sync(CONTOSO)

    def run(self, line: str, *more: str) -> Any:
        """One command; its answer."""
        code, out, err = self.try_to(line, *more)
        assert code == 0, err
        return json.loads(out)

    def try_to(self, line: str, *more: str) -> tuple[int, str, str]:
        """One command, which may fail: exit code, standard output and error."""
        code = command_line.main(["--json", *line.split(), *more])
        shown = self._capsys.readouterr()
        return code, shown.out, shown.err

    def started(self, *names: str) -> Any:
        """A job that has provisioned some of them, all if none are named; and the answer of its cycle."""
        self.run("mailbox contoso managed", *([f"{name}@contoso.lab" for name in names] or ["--all"]))
        self.run("job contoso make --start")
        return self.cycle()

    def cycle(self) -> Any:
        """The answer of a cycle."""
        (answer,) = self.run("cycle contoso").values()
        return answer

    @property
    def graph_path(self) -> str:
        (job,) = self.lab.store.list(CONTOSO, "job")
        return f"/v1.0/servicePrincipals/{job['_servicePrincipal']}/synchronization"

    def graph_job(self) -> Any:
        """The job as Graph tells it."""
        reply = self.lab.graph("GET", f"{self.graph_path}/jobs")
        (job,) = reply.content["value"]
        assert problems(job, "synchronizationJob") == []
        return job

    def quarantine(self) -> tuple[str, str]:
        """Reason and error code of the job's quarantine, as Graph tells them."""
        status = self.graph_job()["status"]
        assert status["code"] == "Quarantine"
        return status["quarantine"]["reason"], status["quarantine"]["error"]["code"]

    def log(self, condition: str) -> list[Any]:
        """Entries of the provisioning log."""
        reply = self.lab.graph("GET", f"/v1.0/auditLogs/provisioning?$filter={condition}")
        assert reply.status == 200, reply.content
        entries: list[Any] = reply.content["value"]
        assert [problem for entry in entries for problem in problems(entry, "provisioningObjectSummary")] == []
        return entries


@pytest.fixture
def bench(lab: CloudLab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Bench]:
    made = Bench(lab, capsys)
    monkeypatch.setattr(job_commands, "lab", lambda _config: Direct(lab))
    monkeypatch.setattr(signal, "signal", lambda *_unused: None)
    yield made


def test_an_inactive_agent(bench: Bench) -> None:
    bench.started()
    assert [agent["status"] for agent in bench.run("agent contoso")] == ["active"]
    for status, code in (("inactive", "NoActiveAgents"), ("none", "NoAgentsAssigned")):
        bench.run("agent contoso", status)
        bench.cycle()
        assert bench.quarantine() == ("EncounteredQuarantineException", f"HybridIdentityService{code}")
    reply = bench.lab.graph("GET", "/beta/onPremisesPublishingProfiles('provisioning')/agents")
    assert reply.content["value"] == []
    assert [agent["status"] for agent in bench.run("agent contoso active")] == ["active"]
    assert bench.cycle()["state"] == "Succeeded"
    assert bench.run("job contoso")["quarantine"] is None


@pytest.mark.parametrize(("state", "code"), [("missing", "InvalidCredential"), ("expired", "ExpiredCredentials")])
def test_the_service_s_own_account(bench: Bench, state: str, code: str) -> None:
    bench.started()
    bench.run(f"scenario sync_account={state}")
    bench.cycle()
    assert bench.quarantine() == ("EncounteredQuarantineException", f"AzureActiveDirectory{code}")
    bench.run("scenario sync_account=valid")
    bench.run("job contoso restart --reset quarantine_state")
    assert bench.cycle()["state"] == "Succeeded"


@pytest.mark.parametrize(
    ("operation", "refusal", "code"),
    [("bind", "invalidCredentials", "InvalidCredentials"), ("search", "50", "InsufficientAccessRights")],
)
def test_credentials_and_rights_refused_by_the_directory(bench: Bench, operation: str, refusal: str, code: str) -> None:
    bench.started()
    bench.run(f"fault add refuse --target job --times -1 --match operation={operation} --set code={refusal}")
    bench.run("job contoso restart")
    assert bench.cycle()["state"] == "Failed"
    assert bench.quarantine() == ("EncounteredQuarantineException", PREFIX + code)
    bench.run("fault clear")
    assert bench.cycle()["state"] == "Succeeded"


def test_a_directory_that_does_not_answer_the_agent(bench: Bench) -> None:
    bench.started()
    bench.run("scenario complete_failures=2")
    bench.run("fault add unavailable --target job --times 2")
    bench.cycle()
    assert bench.graph_job()["status"]["code"] == "Active"
    bench.cycle()
    assert bench.quarantine() == ("EncounteredQuarantineException", f"{PREFIX}InternalServerError")


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ("escrow_minimum=2 escrow_proportion=0.3", "EncounteredEscrowProportionThreshold"),
        ("escrow_total=2", "EncounteredTotalEscrowThreshold"),
    ],
)
def test_too_many_failures(bench: Bench, switches: str, reason: str) -> None:
    bench.run(f"scenario {switches}")
    for name in ("anna", "bert"):
        bench.run(
            f"fault add refuse --target job --times -1 --match user={name}@contoso.lab --set code=constraintViolation"
        )
    assert bench.started()["failed"] == 2
    assert bench.quarantine() == (reason, reason)
    assert "2" in bench.graph_job()["status"]["quarantine"]["error"]["message"]
    assert bench.run("job contoso")["escrows"] == {
        "anna@contoso.lab": f"{PREFIX}ConstraintViolation",
        "bert@contoso.lab": f"{PREFIX}ConstraintViolation",
    }


def test_writes_of_chosen_users_fail_and_are_made_up_for(bench: Bench) -> None:
    bench.run("fault add refuse --target job --times 2 --match user=anna@contoso.lab --set code=busy")
    bench.run("fault clear")
    bench.run("fault add refuse --target job --times -1 --match user=anna@contoso.lab --set code=unwillingToPerform")
    for name in PEOPLE:
        bench.directory.change(bench.dns[name], extensionAttribute1="theirs")
    assert bench.started()["state"] == "EntryLevelErrors"
    (entry,) = bench.log("provisioningStatusInfo/status eq 'failure'")
    assert entry["sourceIdentity"]["details"]["userPrincipalName"] == "anna@contoso.lab"
    error = entry["provisioningStatusInfo"]["errorInformation"]
    assert error["errorCode"] == f"{PREFIX}UnwillingToPerform"
    assert "5003 (WILL_NOT_PERFORM)" in error["reason"]
    assert bench.directory.values(bench.dns["anna"], "extensionAttribute1") == ["theirs"]
    assert bench.directory.values(bench.dns["bert"], "extensionAttribute1") == []
    fired = [entry for entry in bench.run("log") if entry.get("fault")]
    assert (fired[0]["service"], fired[0]["parameters"]["operation"]) == ("job", "modify")
    bench.run("fault clear")
    assert bench.cycle()["state"] == "Succeeded"
    assert bench.directory.values(bench.dns["anna"], "extensionAttribute1") == []


def test_writes_fail_with_a_probability_the_same_in_every_run(bench: Bench) -> None:
    found = []
    bench.run("mailbox contoso managed --all")
    for _unused in range(2):
        for name in PEOPLE:
            bench.directory.change(bench.dns[name], extensionAttribute1="theirs")
        bench.run("fault clear")
        bench.run("fault add refuse --target job --times -1 --set probability=0.5 --set seed=7 --set code=50")
        bench.run("job contoso make --start")
        bench.cycle()
        found.append(bench.run("job contoso")["escrows"])
        bench.run("job contoso remove")
    assert found[0] == found[1]
    assert 0 < len(found[0]) < len(PEOPLE)


@pytest.mark.parametrize(
    "words",
    [
        "cut --target job",
        "refuse --target job",
        "refuse --target job --set code=50 --match operation=unbind",
        "refuse --target job --set code=50 --set probability=2",
    ],
)
def test_faults_on_the_job_that_make_no_sense(bench: Bench, words: str) -> None:
    code, _out, err = bench.try_to(f"fault add {words}")
    assert (code, err[:6]) == (1, "error:")


@pytest.mark.parametrize("told", ["told", "untold"])
def test_too_many_deletes(bench: Bench, told: str) -> None:
    bench.started()
    bench.run(f"scenario delete_count={told}")
    answer = bench.run("deletes contoso --count 2")
    assert answer["left"] == ["anna@contoso.lab", "bert@contoso.lab"]
    assert bench.quarantine() == ("TooManyDeletes", "TooManyDeletes")
    job = bench.graph_job()
    assert ("2 deletes" in job["status"]["quarantine"]["error"]["message"]) is (told == "told")
    cycle = job["status"]["lastExecution"]["activityIdentifier"]
    staged = bench.log(f"cycleId eq '{cycle}'")
    assert {entry["provisioningAction"] for entry in staged} == {"stagedDelete"}
    assert sorted(entry["targetIdentity"]["displayName"] for entry in staged) == sorted(
        bench.dns[name] for name in ("anna", "bert")
    )
    assert bench.run("job contoso")["pendingDeletes"] == ["anna@contoso.lab", "bert@contoso.lab"]
    bench.run("job contoso restart --reset force_deletes")
    assert bench.cycle()["state"] == "Succeeded"
    assert [bench.directory.values(bench.dns[name], "userAccountControl") for name in ("anna", "carl")] == [
        ["514"],
        ["512"],
    ]
    cycle = bench.graph_job()["status"]["lastExecution"]["activityIdentifier"]
    assert [entry["provisioningAction"] for entry in bench.log(f"cycleId eq '{cycle}'")] == ["disable", "disable"]


def test_deletes_need_a_job_that_has_provisioned_enough(bench: Bench) -> None:
    assert "no writeback job" in bench.try_to("deletes contoso")[2]
    bench.started("anna")
    assert "provisioned 1 mailboxes" in bench.try_to("deletes contoso --count 2")[2]
    assert bench.graph_job()["status"]["code"] == "Active"


@pytest.mark.parametrize(
    ("switch", "shown"), [("keys", None), ("masked", "*****"), ("values", '{"domain":"contoso.lab"}')]
)
def test_what_can_be_read_of_secrets(bench: Bench, switch: str, shown: str | None) -> None:
    bench.run("job contoso make")
    bench.run(f"scenario secrets_readable={switch}")
    pairs = bench.lab.graph("GET", f"{bench.graph_path}/secrets").content["value"]
    assert [pair["key"] for pair in pairs] == ["Domain", "SyncNotificationSettings"]
    assert pairs[0]["value"] == shown


def test_secrets_put_back_as_they_were_read_stop_the_job_unless_they_are_readable(bench: Bench) -> None:
    bench.started()
    for switch, state in (("values", "Succeeded"), ("masked", "Failed"), ("keys", "Failed")):
        bench.run(f"scenario secrets_readable={switch}")
        path = f"{bench.graph_path}/secrets"
        pairs = bench.lab.graph("GET", path).content["value"]
        assert bench.lab.graph("PUT", path, {"value": pairs}).status == 204
        assert bench.cycle()["state"] == state
    assert bench.quarantine()[1] == "HybridIdentityServiceInvalidResource"


def test_the_template_shows_what_a_job_of_the_preview_lacks(bench: Bench) -> None:
    bench.run("job contoso make --preview")
    path = f"{bench.graph_path}/templates/Entra2ADExchangeOnlineAttributeWriteback/schema"

    def targets(schema: Any) -> set[str]:
        (rule,) = schema["synchronizationRules"]
        return {row["targetAttributeName"] for item in rule["objectMappings"] for row in item["attributeMappings"]}

    shown = bench.lab.graph("GET", path)
    job = bench.graph_job()
    live = bench.lab.graph("GET", f"{bench.graph_path}/jobs/{job['id']}/schema")
    assert targets(shown.content) - targets(live.content) == {"mail"}
    assert bench.lab.graph("GET", path.replace("Entra2AD", "Other")).status == 404
    bench.run("scenario template_schema=hidden")
    assert bench.lab.graph("GET", path).status == 404


def test_a_job_made_by_the_preview(bench: Bench) -> None:
    shown = bench.run("job contoso make --preview")
    assert (shown["mappings"], shown["code"], shown["state"]) == (23, "NotRun", "Disabled")
    schema = bench.lab.graph("GET", f"{bench.graph_path}/jobs/{shown['id']}/schema").content
    assert bench.run("job contoso show --schema")["schema"]["synchronizationRules"] == schema["synchronizationRules"]
    mappings = schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    assert "mail" not in {one["targetAttributeName"] for one in mappings}
    (principal,) = [one for one in bench.lab.store.list(CONTOSO, "servicePrincipal") if one["id"] in bench.graph_path]
    assert (principal["displayName"], principal["_owner"]) == ("contoso.lab", None)
    assert "mail" in [
        one["name"] for one in schema["directories"][1]["objects"][0]["attributes"]
    ]  # it can be mapped by whoever repairs the job
    assert "remove it first" in bench.try_to("job contoso make")[2]
    bench.run("job contoso remove")
    assert bench.lab.store.list(CONTOSO, "job") == []
    assert bench.run("job contoso make")["mappings"] == 24


def test_a_preview_job_with_everything_somebody_may_have_added(bench: Bench) -> None:
    bench.directory.add(
        "Pilots", kind="group", sAMAccountName="pilots", displayName="Pilots", groupType=-2147483646,
        member=[bench.dns["anna"], bench.dns["bert"], bench.dns["carl"]],
    )  # fmt: skip
    bench.run("sync contoso")
    bench.run("mailbox contoso managed --all")
    bench.directory.change(bench.dns["anna"], physicalDeliveryOfficeName="B 12")
    bench.directory.change(bench.dns["bert"], department="IT")
    bench.directory.change(bench.dns["anna"], msExchArchiveName=["Kept"], adminDescription="theirs")
    bench.run("sync contoso")
    shown = bench.run(
        "job contoso make --preview --custom --duplicate extensionAttribute1 --group Pilots --start",
        "--ou", f"OU=People,{BASE}", "--filter", "department EQUALS Sales AND mailNickname NOT EQUALS carl",
    )  # fmt: skip
    assert (shown["mappings"], shown["organizationalUnits"], len(shown["filters"])) == (29, [f"OU=People,{BASE}"], 1)
    assert shown["groups"] == [f"CN=Pilots,OU=People,{BASE}"]
    assert bench.cycle()["exported"] == 1  # Anna alone is in the group and passes the filter
    values = bench.directory.values
    expected = {
        "description": ["anna@contoso.lab"],
        "adminDescription": ["Exchange attributes come from the cloud"],
        "info": ["Sales (cloud)"],
        "msExchRetentionComment": ["B 12"],
        "msExchArchiveName": ["Kept", "Anna"],
    }
    assert {name: values(bench.dns["anna"], name) for name in expected} == expected
    for name in ("bert", "carl", "dora"):
        assert [values(bench.dns[name], one) for one in expected] == [[]] * 5


def test_a_running_job_can_be_changed(bench: Bench) -> None:
    bench.started()
    shown = bench.run("job contoso change --without-mail --flow-types Update,Delete --delete-threshold 4")
    assert (shown["mappings"], shown["flowTypes"], shown["deleteThreshold"]) == (23, "Update,Delete", 4)
    assert bench.run("job contoso change --delete-threshold 0")["deleteThreshold"] is None
    assert bench.run("job contoso pause")["code"] == "Paused"
    assert bench.run("job contoso start")["code"] == "Active"
    for words in ("change --duplicate info", "change --group Nobody", "restart --reset all"):
        code, _out, err = bench.try_to(f"job contoso {words}")
        assert (code, err[:6]) == (1, "error:")


def test_a_new_job_has_the_flow_types_of_the_switch(bench: Bench) -> None:
    bench.run("scenario flow_types=update_delete")
    assert bench.run("job contoso make")["flowTypes"] == "Update,Delete"


def test_which_mailboxes_are_flagged(bench: Bench) -> None:
    assert bench.run("mailbox contoso managed bert@contoso.lab")["mailboxes"] == ["bert@contoso.lab"]
    assert bench.run("mailbox contoso managed --first 2")["mailboxes"] == ["anna@contoso.lab", "carl@contoso.lab"]
    assert len(bench.run("mailbox contoso managed --all")["mailboxes"]) == 3
    assert bench.run("mailbox contoso unmanaged --first 1")["mailboxes"] == ["anna@contoso.lab"]
    flags = {one["Alias"]: one["IsExchangeCloudManaged"] for one in bench.lab.store.list(CONTOSO, "mailbox")}
    assert flags == {name: name != "anna" for name in PEOPLE}
    for words in ("managed nobody", "managed", "managed bert --all", "managed --first 9"):
        assert bench.try_to(f"mailbox contoso {words}")[0] == 1
