# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every address of the lab's Graph, walked with the real engines behind it: each answer is what its type says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab import hybrid_facts
from tests.lab.cloud import hybrid_principals
from tests.lab.cloud.graph.endpoint import ROUTES, Route
from tests.lab.engines import EngineRefusal, Engines
from tests.lab.settings import fixed_guid
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, lab
from tests.lab_tests.engine_directory import BASE, MemoryDirectory
from tests.lab_tests.graph_types import GRAPH, problems, selectable

__all__ = ["lab"]

TEMPLATE = "3b99513e-0cee-4291-aea8-84356239fb82"
JOB_TEMPLATE = "Entra2ADExchangeOnlineAttributeWriteback"
ONE, MANY, TEXT, NOTHING = "one", "many", "text", "nothing"


@dataclass(frozen=True)
class Step:
    """One request, the type of its answer, and the answer's shape."""

    method: str
    path: str
    type_name: str = ""
    shape: str = NOTHING
    body: Any = None


class Walk:
    """A lab whose tenant was synchronized by the real engines, and which of the routes were gone."""

    def __init__(self, lab: CloudLab) -> None:
        self.lab = lab
        self.directory = _directory()
        services = lab.services
        self.engines = Engines(
            lab.store, services.clock, services.scenario, self.directory.open, lambda _tenant: BASE
        )  # fmt: skip
        services.engines, services.engine_refusal = self.engines, EngineRefusal
        self.engines.connect_sync(CONTOSO)
        self.gone: set[Route] = set()

    def go(self, step: Step) -> Any:
        """Send the request, judge the answer; returns its body."""
        headers = {"consistencylevel": "eventual"}
        reply = self.lab.graph(step.method, step.path, step.body, **headers)
        assert 200 <= reply.status < 300, (step, reply.content)
        version, plain = step.path.split("/")[1], _plain(step.path)
        self.gone |= {one for one in ROUTES if one.method == step.method and one.pattern.match(plain)}
        if step.shape == NOTHING:
            assert (reply.status, reply.body()) == (204, b""), step
        elif step.shape == TEXT:
            assert int(reply.text or "") > 0
        else:
            assert "/$metadata#" in reply.content["@odata.context"], step
            self._judge(step, version, reply.content)
        return reply.content

    def _judge(self, step: Step, version: str, content: Any) -> None:
        if step.shape == ONE:
            assert problems(content, step.type_name, version) == []
            return
        assert {name for name in content if not name.startswith("@odata.")} == {"value"}
        assert content["value"], f"{step.path} shows nothing, so nothing is judged"
        assert problems(content["value"], f"Collection({step.type_name})", version) == []


def _plain(path: str) -> str:
    return "/" + path.partition("?")[0].split("/", 2)[2].replace("('provisioning')", "/provisioning")


def _directory() -> MemoryDirectory:
    made = MemoryDirectory()
    first = made.mailbox("Anna", extensionAttribute1="x")
    made.denied[made.mailbox("Bert")] = 50
    made.mailbox("Carl")
    made.mailbox("Dora", proxyAddresses=["SMTP:anna@contoso.lab"])  # Anna has it: a provisioning error
    made.mailbox("Room", msExchRecipientTypeDetails=8589934592, msExchRecipientDisplayType=-2147481850)
    made.add("Plain", sAMAccountName="plain", userPrincipalName="plain@contoso.lab", userAccountControl=514)
    group: dict[str, Any] = {
        "sAMAccountName": "all",
        "mailNickname": "all",
        "groupType": -2147483640,
        "member": [first],
    }
    made.add("All", kind="group", mail="all@contoso.lab", proxyAddresses=["SMTP:all@contoso.lab"], **group)
    made.add("Guest", kind="contact", mailNickname="guest", mail="g@x.test", proxyAddresses=["SMTP:g@x.test"])
    return made


@pytest.fixture
def walk(lab: CloudLab) -> Walk:
    """The lab, ready to be walked."""
    return Walk(lab)


def _ids(walk: Walk, kind: str) -> str:
    found = [doc for doc in walk.lab.store.list(CONTOSO, kind) if doc.get("onPremisesSyncEnabled")]
    return str(found[0]["id"])


def _objects(walk: Walk) -> list[Step]:
    steps = []
    for name, kind, type_name in (
        ("users", "user", "user"), ("groups", "group", "group"), ("contacts", "contact", "orgContact"),
    ):  # fmt: skip
        one = f"/v1.0/{name}/{_ids(walk, kind)}"
        steps += [
            Step("GET", f"/v1.0/{name}", type_name, MANY),
            Step("GET", f"/v1.0/{name}?$count=true&$select={selectable(type_name)}", type_name, MANY),
            Step("GET", f"/v1.0/{name}/$count", shape=TEXT),
            Step("GET", one, type_name, ONE),
            Step("GET", f"{one}?$select={selectable(type_name)}", type_name, ONE),
            Step("GET", f"{one}/onPremisesSyncBehavior", "onPremisesSyncBehavior", ONE),
            Step("PATCH", f"{one}/onPremisesSyncBehavior", body={"isCloudManaged": True}),
            Step("GET", f"{one}/onPremisesSyncBehavior", "onPremisesSyncBehavior", ONE),
            Step("GET", f"{one}?$select={selectable(type_name)}", type_name, ONE),
        ]
    group = f"/v1.0/groups/{_ids(walk, 'group')}"
    profile = "/beta/onPremisesPublishingProfiles('provisioning')"
    return [
        Step("GET", f"{group}/members?$select={selectable('user')}", "user", MANY),
        Step("GET", f"{group}/transitiveMembers", "user", MANY),
        *steps,
        Step("GET", "/v1.0/organization", "organization", MANY),
        Step("PATCH", f"/v1.0/organization/{CONTOSO}", body={"onPremisesSyncEnabled": True}),
        Step("GET", f"/v1.0/applicationTemplates/{TEMPLATE}", "applicationTemplate", ONE),
        Step("GET", "/v1.0/applications", "application", MANY),
        Step("GET", "/v1.0/servicePrincipals", "servicePrincipal", MANY),
        *_bin(walk),
        Step("GET", f"{profile}/agents?$expand=agentGroups", "onPremisesAgent", MANY),
        Step("GET", f"{profile}/agentGroups?$expand=agents", "onPremisesAgentGroup", MANY),
    ]


def _bin(walk: Walk) -> list[Step]:
    """An application into the bin and back, and away; what its tenant's first-party principal may do."""
    [application] = [
        one for one in walk.lab.store.list(CONTOSO, "application") if one["displayName"] == hybrid_principals.LOOK_ALIKE
    ]
    first_party = fixed_guid("principal", CONTOSO, hybrid_facts.EXCHANGE_ONLINE)
    walk.lab.permit("AppRoleAssignment.ReadWrite.All")  # which the lab's application does not have
    [one, *_others] = [
        one for one in walk.lab.store.list(CONTOSO, "appRoleAssignment") if one["principalId"] == first_party
    ]
    assignments, items = f"/v1.0/servicePrincipals/{first_party}/appRoleAssignments", "/v1.0/directory/deletedItems"
    path, item = f"/v1.0/applications/{application['id']}", f"{items}/{application['id']}"
    return [
        Step("GET", assignments, "appRoleAssignment", MANY),
        Step("DELETE", f"{assignments}/{one['id']}"),
        Step("DELETE", path),
        Step("GET", f"{items}/microsoft.graph.application", "application", MANY),
        Step("GET", item, "application", ONE),
        Step("POST", f"{item}/restore", "application", ONE),
        Step("DELETE", path),
        Step("DELETE", item),
    ]


def _jobs(walk: Walk, principal: str, job: str, application: str) -> list[Step]:
    job_steps = [
        Step("GET", job, "synchronizationJob", ONE),
        Step("GET", f"{principal}/synchronization/jobs", "synchronizationJob", MANY),
    ]
    subject = {"objectId": f"User_{_named(walk, 'Carl')}", "objectTypeName": "User"}
    schema = walk.go(Step("GET", f"{job}/schema", "synchronizationSchema", ONE))
    demand = {"parameters": [{"subjects": [subject], "ruleId": schema["synchronizationRules"][0]["id"]}]}
    source = schema["directories"][0]["id"]
    secret = {"key": "Domain", "value": json.dumps({"domain": "contoso.lab"})}
    return [
        *job_steps,
        Step("GET", principal, "servicePrincipal", ONE),
        Step("GET", application, "application", ONE),
        Step("PATCH", principal, body={"tags": ["x"]}),
        Step("GET", principal, "servicePrincipal", ONE),
        Step("GET", f"{principal}/synchronization/templates", "synchronizationTemplate", MANY),
        Step(
            "GET",
            f"{principal}/synchronization/templates/Entra2ADExchangeOnlineAttributeWriteback/schema",
            "synchronizationSchema",
            ONE,
        ),
        Step("PUT", f"{principal}/synchronization/secrets", body={"value": [secret]}),
        Step("GET", f"{principal}/synchronization/secrets", "synchronizationSecretKeyStringValuePair", MANY),
        Step("POST", f"{job}/validateCredentials", body={"useSavedCredentials": True}),
        Step("PUT", f"{job}/schema", body=schema),
        Step("GET", f"{job}/schema", "synchronizationSchema", ONE),
        Step("DELETE", f"{job}/schema"),
        Step("GET", f"{job}/schema/filterOperators()", "filterOperatorSchema", MANY),
        Step("GET", f"{job}/schema/functions()", "attributeMappingFunctionSchema", MANY),
        Step("POST", f"{job}/schema/directories/{source}/discover", "directoryDefinition", ONE),
        Step("POST", f"{job}/start"),
        *job_steps,
        Step("POST", f"{job}/provisionOnDemand", "stringKeyStringValuePair", ONE, demand),
        Step("POST", f"{job}/pause"),
        *job_steps,
        Step("POST", f"{job}/restart", body={"criteria": {"resetScope": "Full"}}),
        *job_steps,
    ]


def _named(walk: Walk, name: str) -> str:
    return next(str(doc["id"]) for doc in walk.lab.store.list(CONTOSO, "user") if doc["displayName"] == name)


def _made(walk: Walk) -> tuple[str, str, str]:
    """Addresses of a new service principal, its job and its application."""
    instantiate = f"/v1.0/applicationTemplates/{TEMPLATE}/instantiate"
    made = walk.go(Step("POST", instantiate, "applicationServicePrincipal", ONE, {"displayName": "contoso.lab"}))
    principal = f"/v1.0/servicePrincipals/{made['servicePrincipal']['id']}"
    job = Step("POST", f"{principal}/synchronization/jobs", "synchronizationJob", ONE, {"templateId": JOB_TEMPLATE})
    return principal, f"{job.path}/{walk.go(job)['id']}", f"/v1.0/applications/{made['application']['id']}"


def test_every_answer_of_every_route_is_what_its_type_says(walk: Walk) -> None:
    principal, job, application = _made(walk)
    for name in ("Anna", "Bert", "Carl"):
        identity = _named(walk, name)
        assert walk.lab.exo("Set-Mailbox", Identity=identity, IsExchangeCloudManaged=True).status == 200
    for step in _jobs(walk, principal, job, application):
        walk.go(step)
    job_id = job.rpartition("/")[2]
    seen = {"Active"}
    walk.engines.run_cycle(CONTOSO, job_id)
    walk.directory.down = True
    for _attempt in range(8):
        shown = walk.go(Step("GET", job, "synchronizationJob", ONE))
        seen.add(shown["status"]["code"])
        walk.lab.services.clock.advance(100_000)
        walk.engines.run_cycle(CONTOSO, job_id)
    assert "Quarantine" in seen, "the quarantine of a job was never shown"
    statuses = walk.go(Step("GET", "/v1.0/auditLogs/provisioning", "provisioningObjectSummary", MANY))["value"]
    assert {"success", "failure"} <= {one["provisioningStatusInfo"]["status"] for one in statuses}
    shown = [walk.go(step) for step in _objects(walk)]
    assert '"propertyCausingError": "ProxyAddresses"' in json.dumps(shown), "no provisioning error was shown"
    stored = _stored_problems(walk)
    for path in (job, principal, application):
        walk.go(Step("DELETE", path))
    not_gone = {(route.method, route.pattern.pattern) for route in set(ROUTES) - walk.gone}
    assert not_gone == set(), "every route must be walked"
    assert stored == []


def _stored_problems(walk: Walk) -> list[str]:
    """What documents hold beyond their types: it would vanish from answers unseen. Keys with ``_`` are the lab's."""
    found = []
    for kind, type_name, version in (
        ("job", "synchronizationJob", "v1.0"),
        ("provisioningEvent", "provisioningObjectSummary", "v1.0"),
        ("servicePrincipal", "servicePrincipal", "v1.0"),
        ("application", "application", "v1.0"),
        ("agent", "onPremisesAgent", "beta"),
        ("agentGroup", "onPremisesAgentGroup", "beta"),
    ):
        for doc in walk.lab.store.list(CONTOSO, kind):
            own = {name: value for name, value in doc.items() if not name.startswith("_")}
            found += problems(own, type_name, version)
    return found


def test_provision_on_demand_answers_two_texts_of_json(walk: Walk) -> None:
    _principal, job, _application = _made(walk)
    steps = _jobs(walk, _principal, job, _application)
    demand = next(step for step in steps if step.path.endswith("/provisionOnDemand"))
    assert set(demand.body) == set(GRAPH["v1.0"]["actions"]["synchronizationJob/provisionOnDemand"]["parameters"])
    answer = walk.go(demand)
    assert isinstance(json.loads(answer["key"]), dict)
    assert isinstance(json.loads(answer["value"]), dict)


@pytest.mark.parametrize(
    ("value", "type_name", "found"),
    [
        ({"id": "x", "nothing": 1}, "user", "user has no nothing"),
        ({"id": 1}, "user", "1 is no Edm.String"),
        ({"accountEnabled": "true"}, "user", "is no Edm.Boolean"),
        ({"proxyAddresses": None}, "user", "null"),
        ({"schedule": {"interval": "20"}}, "synchronizationJob", "is no Edm.Duration"),
        ({"status": {"code": "Fine"}}, "synchronizationJob", "is no synchronizationStatusCode"),
        ({"activityDateTime": "2026-08-01"}, "provisioningObjectSummary", "is no Edm.DateTimeOffset"),
        ({"servicePrincipal": {"id": "x", "_private": 1}}, "provisioningObjectSummary", "has no _private"),
        ({"keyCredentials": [{"keyId": "x"}]}, "servicePrincipal", "is no Edm.Guid"),
    ],
)
def test_the_judge_finds_what_is_wrong(value: Any, type_name: str, found: str) -> None:
    [problem] = problems(value, type_name)
    assert found in problem
