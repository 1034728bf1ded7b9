# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writeback job: who is written, what is written, what fails, and what the job tells of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.engines import EngineRefusal
from tests.lab_tests.engine_directory import BASE, TENANT, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    made.scenario.set({"onmicrosoft_addresses": "dropped"})
    yield made
    made.close()


def schema_of(lab: Lab, job_id: str) -> dict[str, Any]:
    schema: dict[str, Any] = lab.document(job_id)["_schema"]
    return schema


def put_schema(lab: Lab, job_id: str, schema: dict[str, Any]) -> None:
    lab.store.put(TENANT, "job", job_id, {**lab.document(job_id), "_schema": schema})


def mapping_of(schema: dict[str, Any]) -> dict[str, Any]:
    mapping: dict[str, Any] = schema["synchronizationRules"][0]["objectMappings"][0]
    return mapping


def flagged(lab: Lab, *names: str, **properties: Any) -> list[str]:
    found = [lab.directory.mailbox(name) for name in names]
    lab.sync()
    for name in names:
        lab.edit(name, IsExchangeCloudManaged=True, **properties)
    return found


def demand(lab: Lab, job_id: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    subject = {"objectId": f"User_{lab.user(name)['id']}", "objectTypeName": "User"}
    parameters = [{"ruleId": schema_of(lab, job_id)["synchronizationRules"][0]["id"], "subjects": [subject]}]
    pair = lab.engines.provision_on_demand(TENANT, job_id, parameters)
    assert set(pair) == {"key", "value"}
    return json.loads(pair["key"]), json.loads(pair["value"])


def test_the_first_cycle_writes_whoever_is_flagged(lab: Lab) -> None:
    (dn, other) = flagged(lab, "Anna", "Bert", CustomAttribute1="one", ExtensionCustomAttribute2=["x", "y"])
    lab.edit("Bert", IsExchangeCloudManaged=False)
    lab.edit(
        "Anna",
        EmailAddresses=["SMTP:new@contoso.lab", "smtp:anna@contoso.lab"],
        WindowsEmailAddress="new@contoso.lab",
        RecipientTypeDetails="RoomMailbox",
    )
    job_id = lab.job()
    summary = lab.cycle(job_id)
    assert (summary["kind"], summary["state"], summary["exported"]) == ("initial", "Succeeded", 1)
    values = lab.directory.values
    assert values(dn, "extensionAttribute1") == ["one"]
    assert values(dn, "msExchExtensionCustomAttribute2") == ["x", "y"]
    assert values(dn, "proxyAddresses") == ["SMTP:new@contoso.lab", "smtp:anna@contoso.lab"]
    assert values(dn, "mail") == ["new@contoso.lab"]
    assert values(dn, "msExchRecipientTypeDetails") == ["8589934592"]
    assert values(dn, "msExchRecipientDisplayType") == ["-2147481850"]
    assert values(dn, "msExchRemoteRecipientType") == ["4"]
    assert values(other, "extensionAttribute1") == []
    status = lab.document(job_id)["status"]
    assert status["synchronizedEntryCountByType"] == [{"key": "User to user", "value": 1}]
    assert status["lastExecution"]["countExported"] == 1
    assert status["lastSuccessfulExecutionWithExports"] == status["lastSuccessfulExecution"] == status["lastExecution"]
    (event,) = lab.events("success")
    assert event["sourceIdentity"]["id"] == lab.user("Anna")["id"]
    assert {one["displayName"] for one in event["modifiedProperties"]} == set(lab.directory.modifies[0][1])


def test_hide_from_address_lists_is_not_written_back(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna", HiddenFromAddressListsEnabled=True, CustomAttribute1="x")
    lab.cycle(lab.job())
    assert lab.directory.values(dn, "msExchHideFromAddressLists") == []


def test_a_cleared_value_is_cleared_in_ad(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna", extensionAttribute1="old")
    lab.sync()
    lab.edit("Anna", IsExchangeCloudManaged=True, CustomAttribute1="")
    lab.cycle(lab.job())
    assert lab.directory.values(dn, "extensionAttribute1") == []


def test_an_incremental_cycle_sees_cloud_changes_only(lab: Lab) -> None:
    (a, b) = flagged(lab, "Anna", "Bert", CustomAttribute1="one")
    job_id = lab.job()
    lab.cycle(job_id)
    lab.directory.change(a, extensionAttribute1="drift")
    lab.directory.change(b, extensionAttribute1="drift")
    assert lab.cycle(job_id)["exported"] == 0
    lab.edit("Anna", CustomAttribute2="two")
    assert lab.cycle(job_id)["exported"] == 1
    assert lab.directory.values(a, "extensionAttribute1") == ["one"]
    assert lab.directory.values(b, "extensionAttribute1") == ["drift"]
    lab.engines.restart(TENANT, job_id, "Full")
    lab.cycle(job_id)
    assert lab.directory.values(b, "extensionAttribute1") == ["one"]


def test_a_mapping_that_flows_always_repairs_drift(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna", CustomAttribute1="one", CustomAttribute2="two")
    job_id = lab.job()
    schema = schema_of(lab, job_id)
    mapping_of(schema)["attributeMappings"][0]["flowBehavior"] = "FlowAlways"
    put_schema(lab, job_id, schema)
    lab.cycle(job_id)
    lab.directory.change(dn, extensionAttribute1="drift", extensionAttribute2="drift")
    lab.cycle(job_id)
    assert lab.directory.values(dn, "extensionAttribute1") == ["one"]
    assert lab.directory.values(dn, "extensionAttribute2") == ["drift"]


@pytest.mark.parametrize(("switch", "exported"), [("on_demand_or_initial", 0), ("next_cycle", 1)])
def test_mailboxes_flagged_after_the_start(lab: Lab, switch: str, exported: int) -> None:
    lab.scenario.set({"flipped_after_start": switch})
    flagged(lab, "Anna")
    job_id = lab.job()
    lab.cycle(job_id)
    (dn,) = flagged(lab, "Bert", CustomAttribute1="x")
    assert lab.cycle(job_id)["exported"] == exported
    if not exported:
        lab.engines.restart(TENANT, job_id, "Watermark")
        lab.cycle(job_id)
    assert lab.directory.values(dn, "extensionAttribute1") == ["x"]


@pytest.mark.parametrize(("switch", "expected"), [("written_back", "34359738368"), ("not_written_back", "2147483648")])
def test_a_type_changed_without_authority(lab: Lab, switch: str, expected: str) -> None:
    lab.scenario.set({"type_change_when_not_managed": switch})
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    job_id = lab.job()
    lab.cycle(job_id)
    lab.edit("Anna", RecipientTypeDetails="SharedMailbox", CustomAttribute1="x")
    lab.cycle(job_id)
    assert lab.directory.values(dn, "msExchRecipientTypeDetails") == [expected]
    assert lab.directory.values(dn, "extensionAttribute1") == []


@pytest.mark.parametrize(("switch", "expected"), [("remote", ["34359738368", "-2147483642"]), ("local", ["4", "0"])])
def test_the_numbers_of_a_shared_mailbox(lab: Lab, switch: str, expected: list[str]) -> None:
    lab.scenario.set({"type_values": switch})
    (dn,) = flagged(lab, "Anna", RecipientTypeDetails="SharedMailbox")
    lab.cycle(lab.job())
    found = [lab.directory.values(dn, name)[0] for name in ("msExchRecipientTypeDetails", "msExchRecipientDisplayType")]
    assert found == expected
    lab.sync()
    assert lab.mailbox("Anna")["RecipientTypeDetails"] == "SharedMailbox"


@pytest.mark.parametrize(
    ("switch", "expected"),
    [("overwrite", {"SMTP:anna@contoso.lab"}), ("merge", {"SMTP:anna@contoso.lab", "smtp:ad-only@contoso.lab"})],
)
def test_addresses_that_only_ad_has(lab: Lab, switch: str, expected: set[str]) -> None:
    lab.scenario.set({"proxy_addresses": switch})
    (dn,) = flagged(lab, "Anna")
    lab.directory.change(dn, proxyAddresses=["SMTP:anna@contoso.lab", "smtp:ad-only@contoso.lab"])
    lab.cycle(lab.job())
    assert set(lab.directory.values(dn, "proxyAddresses")) == expected


def test_service_addresses_kept(lab: Lab) -> None:
    lab.scenario.set({"onmicrosoft_addresses": "kept"})
    (dn,) = flagged(lab, "Anna")
    lab.cycle(lab.job())
    assert "smtp:anna@contoso.onmicrosoft.com" in lab.directory.values(dn, "proxyAddresses")


def test_failures_of_single_objects_do_not_stop_the_run_and_are_tried_again(lab: Lab) -> None:
    (a, b, c) = flagged(lab, "Anna", "Bert", "Carl", CustomAttribute1="x")
    lab.directory.denied = {a: 50, b: 19}
    job_id = lab.job()
    summary = lab.cycle(job_id)
    assert (summary["state"], summary["exported"], summary["failed"]) == ("EntryLevelErrors", 1, 2)
    job = lab.document(job_id)
    assert job["status"]["code"] == "Active"
    assert job["status"]["lastSuccessfulExecution"] is None
    assert job["status"]["lastExecution"]["countEscrowed"] == 2
    codes = {event["provisioningStatusInfo"]["errorInformation"]["errorCode"] for event in lab.events("failure")}
    assert codes == {
        "HybridSynchronizationActiveDirectoryInsufficientAccessRights",
        "HybridSynchronizationActiveDirectoryConstraintViolation",
    }
    lab.directory.denied = {}
    assert lab.cycle(job_id)["exported"] == 2
    assert lab.document(job_id)["_escrows"] == {}
    assert [lab.directory.values(dn, "extensionAttribute1") for dn in (a, b, c)] == [["x"]] * 3


def test_missing_and_ambiguous_objects_are_failures(lab: Lab) -> None:
    raw = b"0123456789abcdef"
    gone = lab.directory.mailbox("Gone")
    lab.directory.mailbox("Twice", mS__DS__ConsistencyGuid=raw)
    lab.sync()
    lab.directory.remove(gone)
    lab.directory.mailbox("Second", container=f"OU=Two,{BASE}", mS__DS__ConsistencyGuid=raw)
    for name in ("Gone", "Twice"):
        lab.edit(name, IsExchangeCloudManaged=True)
    lab.cycle(lab.job())
    found = {
        event["sourceIdentity"]["displayName"]: event["provisioningStatusInfo"]["errorInformation"]["errorCode"]
        for event in lab.events("failure")
    }
    assert found == {"Gone": "HybridSynchronizationActiveDirectoryObjectNotFound", "Twice": "DuplicateTargetEntries"}


def test_the_job_s_own_schema_rules(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna", CustomAttribute1="one")
    job_id = lab.job()
    schema = schema_of(lab, job_id)
    kept = [
        one for one in mapping_of(schema)["attributeMappings"] if one["targetAttributeName"] != "extensionAttribute1"
    ]
    expression = 'Join("-", [userPrincipalName], %DomainFQDN%)'
    new = {
        "targetAttributeName": "info",
        "flowType": "Always",
        "flowBehavior": "FlowWhenChanged",
        "matchingPriority": 0,
    }
    mapping_of(schema)["attributeMappings"] = [*kept, {**new, "source": {"type": "Function", "expression": expression}}]
    put_schema(lab, job_id, schema)
    lab.cycle(job_id)
    assert lab.directory.values(dn, "info") == ["anna@contoso.lab-contoso.lab"]
    assert lab.directory.values(dn, "extensionAttribute1") == []


def test_a_mapping_that_cannot_be_evaluated_fails_per_object(lab: Lab) -> None:
    flagged(lab, "Anna")
    job_id = lab.job()
    schema = schema_of(lab, job_id)
    bad = {"type": "Function", "expression": "SelectUniqueValue([a], [b])"}
    mapping_of(schema)["attributeMappings"][0]["source"] = bad
    put_schema(lab, job_id, schema)
    assert lab.cycle(job_id)["state"] == "EntryLevelErrors"
    (event,) = lab.events("failure")
    assert "extensionAttribute1" in event["provisioningStatusInfo"]["errorInformation"]["reason"]


def test_every_attribute_that_the_schema_offers_can_be_used_in_expressions(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna")
    job_id = lab.job()
    schema = schema_of(lab, job_id)
    source = schema["directories"][0]["objects"][0]["attributes"]
    source.append({**source[1], "name": "onPremisesDomainNameX"})  # added by hand, and no property of anybody
    source.append({**source[1], "name": "isCloudManaged"})  # added by hand, and a property of the Graph user
    names = [one["name"] for one in source]
    parts = ", ".join(f'IIF(IsPresent([{name}]), "{name}", "")' for name in names)
    mapping = {"targetAttributeName": "info", "flowType": "Always", "matchingPriority": 0}
    mapping["source"] = {"type": "Function", "expression": f'Join(",", {parts})'}
    mapping_of(schema)["attributeMappings"] = [mapping]
    put_schema(lab, job_id, schema)
    assert lab.cycle(job_id)["exported"] == 1
    (found,) = lab.directory.values(dn, "info")
    filled = set(found.split(","))
    assert filled <= set(names)
    assert {"objectId", "userPrincipalName", "Mail", "proxyAddresses", "msExchRecipientTypeDetails"} <= filled
    assert {"isCloudManaged", "showInAddressList"} <= filled
    assert not filled & {"onPremisesDomainNameX", "extensionAttribute15", "city"}


def test_scope_of_containers_groups_and_filters(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna", CustomAttribute1="x")
    job_id = lab.job()
    schema = schema_of(lab, job_id)
    schema["synchronizationRules"][0]["containerFilter"]["includedContainers"] = [f"OU=Elsewhere,{BASE}"]
    put_schema(lab, job_id, schema)
    assert lab.cycle(job_id)["exported"] == 0
    schema["synchronizationRules"][0]["containerFilter"]["includedContainers"] = [f"OU=People,{BASE}"]
    put_schema(lab, job_id, schema)
    lab.engines.restart(TENANT, job_id, "")
    assert lab.cycle(job_id)["exported"] == 1
    assert lab.directory.values(dn, "extensionAttribute1") == ["x"]


def test_a_matching_attribute_replaces_the_anchor(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna", CustomAttribute1="x")
    job_id = lab.job()
    schema = schema_of(lab, job_id)
    matching = {"targetAttributeName": "userPrincipalName", "matchingPriority": 1, "flowType": "Always"}
    source = {"type": "Attribute", "name": "userPrincipalName"}
    mapping_of(schema)["attributeMappings"].append({**matching, "source": source})
    put_schema(lab, job_id, schema)
    lab.cycle(job_id)
    assert lab.directory.values(dn, "extensionAttribute1") == ["x"]
    lab.directory.change(dn, userPrincipalName="other@contoso.lab")
    lab.edit("Anna", CustomAttribute1="y")
    assert lab.cycle(job_id)["failed"] == 1


def test_whoever_leaves_the_scope_is_forgotten_and_logged_once(lab: Lab) -> None:
    flagged(lab, "Anna")
    job_id = lab.job()
    lab.cycle(job_id)
    lab.edit("Anna", IsExchangeCloudManaged=False)
    assert lab.cycle(job_id)["skipped"] == 1
    assert lab.cycle(job_id)["skipped"] == 0
    (event,) = lab.events("skipped")
    assert event["provisioningSteps"][-1]["details"] == {"SkipReason": "NotInScope"}
    assert lab.document(job_id)["status"]["synchronizedEntryCountByType"][0]["value"] == 0


def test_provision_on_demand_writes_and_makes_known(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    job_id = lab.job()
    lab.cycle(job_id)
    lab.edit("Anna", IsExchangeCloudManaged=True, CustomAttribute1="x")
    key, value = demand(lab, job_id, "Anna")
    assert key == {"result": "Success", "details": {}}
    assert value["statusInfo"]["status"] == "Success"
    assert [(step["name"], step["type"]) for step in value["provisioningSteps"]] == [
        ("EntryImport", "Import"),
        ("EntrySynchronizationScoping", "Scoping"),
        ("EntryImport", "Matching"),
        ("EntryExportUpdate", "Export"),
    ]
    change = {"displayName": "extensionAttribute1", "oldValue": None, "newValue": "x"}
    assert value["modifiedProperties"] == [change]
    assert lab.directory.values(dn, "extensionAttribute1") == ["x"]
    key, value = demand(lab, job_id, "Anna")
    assert (key["result"], key["details"]["errorCode"]) == ("Skipped", "RedundantExport")
    assert value["provisioningSteps"][-1]["details"] == {"SkipReason": "RedundantExport"}
    lab.edit("Anna", CustomAttribute1="y")
    assert lab.cycle(job_id)["exported"] == 1


def test_provision_on_demand_of_a_mailbox_without_the_flag_is_skipped(lab: Lab) -> None:
    lab.directory.mailbox("Anna")
    lab.sync()
    key, value = demand(lab, lab.job(start=False), "Anna")
    assert (key["result"], key["details"]["errorCode"]) == ("Skipped", "NotInScope")
    assert value["statusInfo"]["status"] == "Skipped"
    assert lab.directory.modifies == []


def test_provision_on_demand_tells_failures(lab: Lab) -> None:
    (dn,) = flagged(lab, "Anna", CustomAttribute1="x")
    lab.directory.denied[dn] = 50
    job_id = lab.job()
    key, value = demand(lab, job_id, "Anna")
    assert key["result"] == value["statusInfo"]["status"] == "Failure"
    assert value["statusInfo"]["errorCode"].endswith("InsufficientAccessRights")
    lab.directory.down = True
    assert demand(lab, job_id, "Anna")[0]["result"] == "Failure"
    lab.put_domain("")
    assert demand(lab, job_id, "Anna")[0]["details"]["errorCode"] == "HybridIdentityServiceInvalidResource"


@pytest.mark.parametrize(
    "change",
    [
        {"objectId": "11111111-2222-3333-4444-555555555555"},
        {"objectId": "User_nobody"},
        {"objectTypeName": "user"},
        {"ruleId": "other"},
        {"subjects": []},
        {"subjects": 2},
        {"parameters": 2},
    ],
)
def test_malformed_requests_on_demand_are_refused(lab: Lab, change: dict[str, Any]) -> None:
    flagged(lab, "Anna")
    job_id = lab.job()
    subject = {"objectId": f"User_{lab.user('Anna')['id']}", "objectTypeName": "User"}
    subject |= {name: value for name, value in change.items() if name in subject}
    count = change.get("subjects", 1)
    one = {
        "ruleId": change.get("ruleId") or schema_of(lab, job_id)["synchronizationRules"][0]["id"],
        "subjects": [subject] * count if isinstance(count, int) else count,
    }
    with pytest.raises(EngineRefusal) as refused:
        lab.engines.provision_on_demand(TENANT, job_id, [one] * change.get("parameters", 1))
    assert refused.value.status == 400
    assert lab.directory.modifies == []


def test_deletes_only_where_the_schema_says_so_and_never_too_many(lab: Lab) -> None:
    names = ["Anna", "Bert", "Carl"]
    found = flagged(lab, *names)
    secret = {"key": "SyncNotificationSettings", "value": '{"DeleteThresholdEnabled":true,"DeleteThresholdValue":3}'}
    pairs = (lab.store.get(TENANT, "secret", lab.document(lab.job(start=False))["_servicePrincipal"]) or {})["value"]
    job_id = lab.job()
    lab.store.put(TENANT, "secret", lab.document(job_id)["_servicePrincipal"], {"value": [*pairs, secret]})
    schema = schema_of(lab, job_id)
    mapping_of(schema)["flowTypes"] = "Update, Delete"
    put_schema(lab, job_id, schema)
    lab.cycle(job_id)
    for name in names:
        lab.edit(name, IsExchangeCloudManaged=False)
    assert lab.cycle(job_id)["state"] == "Failed"
    quarantine = lab.document(job_id)["status"]["quarantine"]
    assert quarantine["reason"] == "TooManyDeletes"
    assert [lab.directory.values(dn, "userAccountControl") for dn in found] == [["512"]] * 3
    lab.engines.restart(TENANT, job_id, "ForceDeletes")
    assert lab.cycle(job_id)["state"] == "Succeeded"
    assert [lab.directory.values(dn, "userAccountControl") for dn in found] == [["514"]] * 3
    assert lab.document(job_id)["status"]["quarantine"] is None
