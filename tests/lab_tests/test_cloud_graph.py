# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: permissions, queries, directory objects, applications, jobs, schema, logs, agents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.cloud.graph.filters import BadFilter, Filter
from tests.lab.cloud.wire import Reply
from tests.lab_tests.cloud_support import CONTOSO, RULE_SCHEMA, CloudLab, lab

__all__ = ["lab"]

TEMPLATE = "3b99513e-0cee-4291-aea8-84356239fb82"
JOB_TEMPLATE = "Entra2ADExchangeOnlineAttributeWriteback"


def code(reply: Reply) -> str:
    error = reply.content["error"]
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
    return str(error["code"])


def configuration(lab: CloudLab) -> tuple[str, str]:
    """Instantiate the template and make a job; returns the addresses of the service principal and the job."""
    made = lab.graph("POST", f"/v1.0/applicationTemplates/{TEMPLATE}/instantiate", {"displayName": "contoso.lab"})
    assert made.status == 201
    principal = f"/v1.0/servicePrincipals/{made.content['servicePrincipal']['id']}"
    job = lab.graph("POST", f"{principal}/synchronization/jobs", {"templateId": JOB_TEMPLATE})
    assert job.status == 201, job.content
    return principal, f"{principal}/synchronization/jobs/{job.content['id']}"


def test_errors_without_a_good_token_or_permission(lab: CloudLab) -> None:
    reply = lab.send("graph", "GET", "/v1.0/users")
    assert (reply.status, code(reply)) == (401, "InvalidAuthenticationToken")
    wrong = lab.send("graph", "GET", "/v1.0/users", authorization=f"Bearer {lab.token('exchange')}")
    assert "audience" in wrong.content["error"]["message"]
    headers = {"client_request_id": "abc"}
    denied = lab.graph("POST", f"/v1.0/applicationTemplates/{TEMPLATE}/instantiate", {"displayName": "x"},
                       application="limited_application", **headers)  # fmt: skip
    assert (denied.status, code(denied)) == (403, "Authorization_RequestDenied")
    assert denied.content["error"]["innerError"]["client-request-id"] == "abc"
    assert lab.graph("GET", "/v1.0/users", application="limited_application").status == 200
    assert lab.graph("GET", "/v1.0/nothing").status == 400
    assert lab.graph("GET", "/v2.0/users").status == 400
    assert lab.graph("DELETE", "/v1.0/users").status == 405


def test_users_by_default_selected_filtered_and_counted(lab: CloudLab) -> None:
    rows = lab.graph("GET", "/v1.0/users").content["value"]
    assert len(rows) == 9
    assert set(rows[0]) == {"id", "displayName", "givenName", "mail", "surname", "userPrincipalName"}
    synced = lab.graph("GET", "/v1.0/users?$filter=onPremisesSyncEnabled eq true&$select=userPrincipalName").content
    assert {row["userPrincipalName"] for row in synced["value"]} == {
        f"{a}@contoso.onmicrosoft.com" for a in ("ada", "bob", "eve")
    }
    one = lab.graph("GET", "/v1.0/users?$filter=proxyAddresses/any(p:p eq 'smtp:INFO@contoso.onmicrosoft.com')").content
    assert [row["displayName"] for row in one["value"]] == ["Info"]
    eventual = {"consistencylevel": "eventual"}
    counted = lab.graph("GET", "/v1.0/users?$count=true&$filter=onPremisesSyncEnabled ne true&$top=1", **eventual)
    assert counted.content["@odata.count"] == 6
    refused = lab.graph("GET", "/v1.0/users?$filter=onPremisesSyncEnabled ne true")
    assert code(refused) == "Request_UnsupportedQuery"
    assert lab.graph("GET", "/v1.0/users/$count", **eventual).text == "9"
    assert lab.graph("GET", "/v1.0/users/$count").status == 400
    for query in ("$select=nothing", "$filter=nothing eq 1", "$top=0", "$top=1000", "$search=x", "$orderby=nothing",
                  "$expand=manager", "$filter=displayName eq"):  # fmt: skip
        assert lab.graph("GET", f"/v1.0/users?{query}").status == 400, query


def test_pages_of_users(lab: CloudLab) -> None:
    seen: list[str] = []
    path = "/v1.0/users?$select=id&$top=4"
    while path:
        reply = lab.graph("GET", path)
        seen += [row["id"] for row in reply.content["value"]]
        path = reply.content.get("@odata.nextLink", "").removeprefix("https://127.77.0.12:8443")
    assert len(seen) == len(set(seen)) == 9
    assert code(lab.graph("GET", "/v1.0/users?$skiptoken=xx")) == "Directory_ExpiredPageToken"


def test_one_user_by_id_or_name(lab: CloudLab) -> None:
    user_id = lab.mailbox_id("ada")
    for name in (user_id, "ADA@contoso.onmicrosoft.com"):
        reply = lab.graph("GET", f"/v1.0/users/{name}?$select=id,onPremisesSyncEnabled,onPremisesImmutableId")
        assert {k: v for k, v in reply.content.items() if k[0] != "@"} == {
            "id": user_id, "onPremisesSyncEnabled": True, "onPremisesImmutableId": "AAAA"}  # fmt: skip
    assert lab.graph("GET", f"/v1.0/users('{user_id}')").content["id"] == user_id
    assert code(lab.graph("GET", "/v1.0/users/nobody@contoso.lab")) == "Request_ResourceNotFound"


def test_members_of_groups_direct_and_transitive(lab: CloudLab) -> None:
    ids = [f"99999999-0000-4000-8000-00000000000{n}" for n in range(3)]
    ada, bob = lab.mailbox_id("ada"), lab.mailbox_id("bob")
    for group_id, name, members in zip(
        ids, ("outer", "inner", "empty"), ([ids[1], ada], [bob, ada, ids[0]], []), strict=True
    ):
        doc = {"id": group_id, "displayName": name, "_members": members, "mailEnabled": False}
        lab.store.put(CONTOSO, "group", group_id, doc)
    [outer] = lab.graph("GET", "/v1.0/groups?$filter=displayName eq 'outer'").content["value"]
    assert "_members" not in outer
    direct = lab.graph("GET", f"/v1.0/groups/{ids[0]}/members?$select=id").content["value"]
    assert {(row["id"], row["@odata.type"]) for row in direct} == {
        (ids[1], "#microsoft.graph.group"), (ada, "#microsoft.graph.user")}  # fmt: skip
    every = lab.graph("GET", f"/v1.0/groups/{ids[0]}/transitiveMembers?$top=1")
    assert "@odata.nextLink" in every.content
    every = lab.graph("GET", f"/v1.0/groups/{ids[0]}/transitiveMembers")
    assert {row["id"] for row in every.content["value"]} == {ids[0], ids[1], ada, bob}
    assert lab.graph("GET", f"/v1.0/groups/{ids[2]}/members").content["value"] == []
    assert lab.graph("GET", "/v1.0/groups/nothing/members").status == 404


def test_object_level_source_of_authority(lab: CloudLab) -> None:
    lab.manage("ada")
    path = f"/v1.0/users/{lab.mailbox_id('ada')}/onPremisesSyncBehavior"
    assert lab.graph("GET", path).content["isCloudManaged"] is False
    assert lab.graph("GET", path, application="limited_application").status == 403
    assert lab.graph("PATCH", path, {"isCloudManaged": True}).status == 204
    user = lab.graph("GET", path.removesuffix("/onPremisesSyncBehavior") + "?$select=onPremisesSyncEnabled").content
    assert user["onPremisesSyncEnabled"] is None
    assert (lab.mailbox("ada")["IsDirSynced"], lab.mailbox("ada")["IsExchangeCloudManaged"]) == (False, False)
    assert lab.graph("PATCH", path, {"isCloudManaged": False}).status == 204
    assert lab.graph("GET", path).content["isCloudManaged"] is False
    cloud_only = f"/v1.0/users/{lab.mailbox_id('info')}/onPremisesSyncBehavior"
    assert lab.graph("PATCH", cloud_only, {"isCloudManaged": True}).status == 400
    assert lab.graph("PATCH", path, {"isCloudManaged": "yes"}).status == 400


def test_the_organization(lab: CloudLab) -> None:
    [organization] = lab.graph("GET", "/v1.0/organization").content["value"]
    assert organization["onPremisesSyncEnabled"] is True
    assert {domain["name"] for domain in organization["verifiedDomains"] if domain["isInitial"]} == {
        "contoso.onmicrosoft.com"
    }
    assert not [name for name in organization if name[0].isupper()]
    path = f"/v1.0/organization/{organization['id']}"
    assert lab.graph("PATCH", path, {"onPremisesSyncEnabled": True}).status == 204
    assert lab.graph("PATCH", path, {"displayName": "x"}).status == 400


def test_a_configuration_from_template_to_deletion(lab: CloudLab) -> None:
    assert lab.graph("GET", f"/v1.0/applicationTemplates/{TEMPLATE}").content["id"] == TEMPLATE
    assert lab.graph("POST", "/v1.0/applicationTemplates/none/instantiate", {"displayName": "x"}).status == 404
    assert lab.graph("POST", f"/v1.0/applicationTemplates/{TEMPLATE}/instantiate", {}).status == 400
    principal, job = configuration(lab)
    listed = lab.graph("GET", f"/v1.0/servicePrincipals?$filter=applicationTemplateId eq '{TEMPLATE}'").content["value"]
    assert [row["displayName"] for row in listed] == ["contoso.lab"]
    assert [row["id"] for row in lab.graph("GET", f"{principal}/synchronization/templates").content["value"]] == [
        JOB_TEMPLATE
    ]
    assert lab.graph("POST", f"{principal}/synchronization/jobs", {"templateId": "other"}).status == 400
    exchange = "/v1.0/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')"
    first_party = lab.graph("GET", exchange).content
    assert len(first_party["keyCredentials"]) == 2
    assert lab.graph("PATCH", f"/v1.0/servicePrincipals/{first_party['id']}", {"keyCredentials": []}).status == 204
    assert lab.graph("GET", exchange).content["keyCredentials"] == []
    assert lab.graph("PATCH", f"/v1.0/servicePrincipals/{first_party['id']}", {"nothing": 1}).status == 400
    got = lab.graph("GET", job).content
    assert got["id"].startswith(f"{JOB_TEMPLATE}.{CONTOSO.replace('-', '')}.")
    assert not [name for name in got if name.startswith("_") or name == "schema"]
    assert lab.graph("DELETE", job).status == 204
    assert lab.graph("GET", job).status == 404
    assert lab.graph("GET", principal).status == 200  # an empty configuration stays
    application = next(row for row in lab.graph("GET", "/v1.0/applications").content["value"]
                       if row["appId"] == listed[0]["appId"])  # fmt: skip
    assert lab.graph("DELETE", f"/v1.0/applications/{application['id']}").status == 204
    assert lab.graph("GET", principal).status == 404


def test_a_new_principal_shows_after_replication(lab: CloudLab) -> None:
    lab.services.scenario.set({"replication_delay_s": 20})
    made = lab.graph("POST", f"/v1.0/applicationTemplates/{TEMPLATE}/instantiate", {"displayName": "x"}).content
    path = f"/v1.0/servicePrincipals/{made['servicePrincipal']['id']}"
    assert lab.graph("GET", path).status == 404
    assert lab.graph("POST", f"{path}/synchronization/jobs", {"templateId": JOB_TEMPLATE}).status == 404
    assert lab.graph("GET", "/v1.0/servicePrincipals?$filter=displayName eq 'x'").content["value"] == []
    lab.services.clock.advance(21)
    assert lab.graph("GET", path).status == 200


def test_owned_by_reaches_only_its_own(lab: CloudLab) -> None:
    stranger, _unused = configuration(lab)
    lab.permit_only("Application.ReadWrite.OwnedBy")
    mine, _unused = configuration(lab)
    [doc] = [d for d in lab.store.list(CONTOSO, "servicePrincipal") if stranger.endswith(d["id"])]
    lab.store.put(CONTOSO, "servicePrincipal", doc["id"], {**doc, "_owner": "someone"})
    assert lab.graph("DELETE", stranger).status == 403
    assert lab.graph("DELETE", mine).status == 204


def test_secrets_are_replaced_and_never_read(lab: CloudLab) -> None:
    principal, job = configuration(lab)
    path = f"{principal}/synchronization/secrets"
    domain = {"key": "Domain", "value": json.dumps({"domain": "contoso.lab"})}
    assert lab.graph("PUT", path, {"value": [domain, {"key": "AppKey", "value": "hush"}]}).status == 204
    assert lab.graph("GET", job).content["synchronizationJobSettings"] == [
        {"name": "DomainFQDN", "value": "contoso.lab"}
    ]
    assert lab.graph("PUT", path, {"value": [domain]}).status == 204
    assert lab.graph("GET", path).content["value"] == [{"key": "Domain", "value": None}]
    for wrong in ([{"key": "Nothing", "value": "x"}], [{"value": "x"}], "x", [{"key": "Domain", "value": 5}]):
        assert lab.graph("PUT", path, {"value": wrong}).status == 400
    assert "hush" not in str(lab.store.requests())


def test_actions_reach_the_engines(lab: CloudLab) -> None:
    _unused, job = configuration(lab)
    job_id = job.rpartition("/")[2]
    lab.engines.calls.clear()
    assert lab.graph("POST", f"{job}/start").status == 204
    assert lab.graph("POST", f"{job}/restart", {"criteria": {"resetScope": "Watermark, Escrows"}}).status == 204
    assert lab.graph("POST", f"{job}/restart").status == 204
    assert lab.engines.calls == [
        ("start", CONTOSO, job_id),
        ("restart", CONTOSO, job_id, "Watermark, Escrows"),
        ("restart", CONTOSO, job_id, ""),
    ]
    refused = lab.graph("POST", f"{job}/pause")  # the fake engines refuse this one
    assert (refused.status, code(refused)) == (409, "Conflict")
    assert lab.graph("POST", f"{job}/restart", {"criteria": {"resetScope": "Everything"}}).status == 400
    assert lab.graph("POST", f"{job}/stop").status == 400
    assert lab.graph("POST", f"{job}/validateCredentials", {"useSavedCredentials": True}).status == 204
    assert lab.graph("POST", f"{job}/validateCredentials", {}).status == 400
    reads = [entry for entry in lab.store.requests() if entry["path"].endswith("validateCredentials")]
    assert not any(entry["write"] for entry in reads)


def test_provision_on_demand_is_limited(lab: CloudLab) -> None:
    _unused, job = configuration(lab)
    subject = {"objectId": f"User_{lab.mailbox_id('ada')}", "objectTypeName": "User"}
    body = {"parameters": [{"subjects": [subject], "ruleId": "r1"}]}
    for wrong in ({}, {"parameters": []}, {"parameters": [{"subjects": [subject]}]},
                  {"parameters": [{"subjects": [{"objectId": "x"}], "ruleId": "r1"}]}):  # fmt: skip
        assert lab.graph("POST", f"{job}/provisionOnDemand", wrong).status == 400
    statuses = [lab.graph("POST", f"{job}/provisionOnDemand", body).status for _unused in range(6)]
    assert statuses == [200] * 5 + [429]
    reply = lab.graph("POST", f"{job}/provisionOnDemand", body)
    assert 1 <= int(reply.headers["Retry-After"]) <= 11
    assert lab.engines.calls[-1] == ("provision_on_demand", CONTOSO, job.rpartition("/")[2], body["parameters"])


def test_the_schema_is_read_replaced_whole_and_reset(lab: CloudLab) -> None:
    _unused, job = configuration(lab)
    schema = lab.graph("GET", f"{job}/schema").content
    assert schema["synchronizationRules"] == RULE_SCHEMA["synchronizationRules"]
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["flowType"] = "ObjectAddOnly"
    assert lab.graph("PUT", f"{job}/schema", schema).status == 204
    again = lab.graph("GET", f"{job}/schema").content
    assert again["synchronizationRules"] == schema["synchronizationRules"]
    wrong = json.loads(json.dumps(schema))
    wrong["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["flowtype"] = "Always"
    refused = lab.graph("PUT", f"{job}/schema", wrong)
    assert (refused.status, code(refused)) == (400, "BadRequest")
    assert "flowtype" in refused.content["error"]["message"]
    part = {"synchronizationRules": schema["synchronizationRules"]}
    assert lab.graph("PUT", f"{job}/schema", part).status == 400
    assert lab.graph("DELETE", f"{job}/schema").status == 204
    assert lab.graph("GET", f"{job}/schema").content["synchronizationRules"] == RULE_SCHEMA["synchronizationRules"]
    functions = lab.graph("GET", f"{job}/schema/functions()").content["value"]
    append = next(function for function in functions if function["name"] == "Append")
    assert [parameter["name"] for parameter in append["parameters"]] == ["source", "suffix"]
    operators = lab.graph("GET", f"{job}/schema/filterOperators()").content["value"]
    assert "EQUALS" in [operator["name"] for operator in operators]
    assert lab.graph("POST", f"{job}/schema/directories/d1/discover").content["name"] == "Azure Active Directory"
    assert lab.graph("POST", f"{job}/schema/directories/none/discover").status == 404


def test_the_provisioning_log(lab: CloudLab) -> None:
    for number, status in enumerate(("success", "failure", "success")):
        doc = {
            "id": f"e{number}", "jobId": "j1", "activityDateTime": f"2026-08-0{number + 1}T00:00:00Z", "_secret": 1,
            "provisioningStatusInfo": {"status": status, "errorInformation": None}, "servicePrincipal": {"id": "sp1"},
        }  # fmt: skip
        lab.store.put(CONTOSO, "provisioningEvent", doc["id"], doc)

    def ids(query: str = "") -> list[str]:
        reply = lab.graph("GET", f"/v1.0/auditLogs/provisioning{query}")
        assert reply.status == 200, reply.content
        assert not any("_secret" in row for row in reply.content["value"])
        return [row["id"] for row in reply.content["value"]]

    assert ids() == ["e2", "e1", "e0"]
    assert ids("?$orderby=activityDateTime asc&$top=2") == ["e0", "e1"]
    assert ids("?$filter=provisioningStatusInfo/status eq 'failure'") == ["e1"]
    assert ids("?$filter=activityDateTime gt 2026-08-01T12:00:00Z and jobId eq 'j1'") == ["e2", "e1"]
    assert ids("?$filter=servicePrincipal/id eq 'sp2'") == []


def test_agents_are_beta_only(lab: CloudLab) -> None:
    path = "onPremisesPublishingProfiles('provisioning')/agents"
    assert lab.graph("GET", f"/v1.0/{path}").status == 400
    [agent] = lab.graph("GET", f"/beta/{path}?$expand=agentGroups").content["value"]
    assert (agent["status"], agent["machineName"]) == ("active", "sync1.contoso.lab")
    assert "version" not in agent
    assert agent["agentGroups"][0]["isDefault"] is True
    [group] = lab.graph("GET", "/beta/onPremisesPublishingProfiles/provisioning/agentGroups?$expand=agents").content[
        "value"
    ]
    assert group["agents"][0]["id"] == agent["id"]
    assert lab.graph("GET", "/beta/onPremisesPublishingProfiles('other')/agents").status == 404
    assert lab.graph("GET", f"/beta/{path}", application="limited_application").status == 403


def test_a_batch(lab: CloudLab) -> None:
    requests = [
        {"id": "1", "method": "GET", "url": f"/users/{lab.mailbox_id('ada')}?$select=id"},
        {"id": "2", "method": "GET", "url": "/users/nobody"},
    ]
    reply = lab.graph("POST", "/v1.0/$batch", {"requests": requests})
    assert [(part["id"], part["status"]) for part in reply.content["responses"]] == [("1", 200), ("2", 404)]
    assert reply.content["responses"][0]["body"]["id"] == lab.mailbox_id("ada")
    assert not any(entry["write"] for entry in lab.store.requests())
    assert lab.graph("POST", "/v1.0/$batch", {"requests": requests * 11}).status == 400
    assert lab.graph("POST", "/v1.0/$batch", b"{").status == 400


@pytest.mark.parametrize(
    ("text", "doc", "matches"),
    [
        ("a eq 'X' and not (b eq 1)", {"a": "x", "b": 2}, True),
        ("a in ('x','y') or b gt 5", {"a": "z", "b": 6}, True),
        ("startswith(a,'AB')", {"a": "abc"}, True),
        ("contains(a,'zz')", {"a": "abc"}, False),
        ("a eq null", {}, True),
        ("a/any(x:startswith(x,'smtp:'))", {"a": ["SMTP:q"]}, True),
        ("a/any(x:x/b eq 'q')", {"a": [{"b": "q"}]}, True),
        ("a eq 'it''s'", {"a": "it's"}, True),
    ],
)
def test_filter_expressions(text: str, doc: dict[str, Any], matches: bool) -> None:
    assert Filter(text, {"a", "b"}, "t").matches(doc) is matches


@pytest.mark.parametrize("text", ["a", "a eq", "a eq 'x' b", "c eq 1", "(a eq 1", "a like 'x'", "startswith(a,1)", "§"])
def test_filters_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadFilter):
        Filter(text, {"a", "b"}, "t")
