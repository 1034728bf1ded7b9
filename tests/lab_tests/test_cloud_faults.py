# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, early retries, stale reads, the request log and the control address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.cloud.faults import Waits, checked_fault
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, lab

__all__ = ["lab"]


def arm(lab: CloudLab, kind: str, target: str = "exchange", **parameters: Any) -> int:
    reply = lab.control("POST", "/faults", {"kind": kind, "target": target, **parameters})
    assert reply.status == 200, reply.content
    return int(reply.content["id"])


@pytest.mark.parametrize(
    "body",
    [None, {}, {"kind": "storm", "target": "graph"}, {"kind": "slow", "target": "mars"},
     {"kind": "dc_restart", "target": "graph"}, {"kind": "slow", "target": "graph", "times": 0},
     {"kind": "slow", "target": "graph", "seconds": "long"}, {"kind": "slow", "target": "graph", "match": ["x"]},
     {"kind": "slow", "target": "graph", "match": {"path_regex": "("}}],
)  # fmt: skip
def test_faults_that_make_no_sense(body: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        checked_fault(body)


def test_a_throttle_fires_as_often_as_told_and_an_early_retry_is_a_violation(lab: CloudLab) -> None:
    arm(lab, "throttle", retry_after=30, times=1)
    token = f"Bearer {lab.token('exchange')}"
    path = f"/adminapi/beta/{CONTOSO}/InvokeCommand"
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    first = lab.send("exchange", "POST", path, body, authorization=token)
    assert (first.status, first.headers["Retry-After"]) == (429, "30")
    assert lab.send("exchange", "POST", path, body, authorization=token).status == 200
    [violation] = lab.control("GET", "/state").content["violations"]
    assert "before Retry-After ran out" in violation["violation"]
    assert lab.control("GET", "/faults").content == []


def test_a_wait_that_was_kept_is_no_violation() -> None:
    now = [100.0]
    waits = Waits(lambda: now[0])
    waits.told(("a",), 5)
    assert waits.early_by(("a",)) == 5
    assert waits.early_by(("b",)) == 0
    now[0] += 5
    assert waits.early_by(("a",)) == 0


def test_throttle_without_retry_after(lab: CloudLab) -> None:
    arm(lab, "throttle")
    assert "Retry-After" not in lab.exo("Get-Mailbox").headers


def test_matching_by_cmdlet_method_path_and_tenant(lab: CloudLab) -> None:
    arm(lab, "unavailable", match={"cmdlet": "set-mailbox"}, times=-1)
    assert lab.exo("Get-Mailbox").status == 200
    assert lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=True).status == 503
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is False
    assert lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=True).status == 503  # until removed
    assert lab.control("DELETE", "/faults").content == {"removed": 1}
    arm(lab, "unavailable", "graph", match={"method": "GET", "path_regex": "/users$"}, status=504, tenant="contoso.lab")
    assert lab.graph("GET", "/v1.0/groups").status == 200
    assert lab.graph("GET", "/v1.0/users").status == 504
    fault_id = arm(lab, "unavailable", tenant="fabrikam")
    assert lab.exo("Get-Mailbox").status == 200
    assert lab.exo("Get-Mailbox", tenant="fabrikam").status == 503
    assert lab.control("DELETE", f"/faults/{fault_id}").status == 404
    assert lab.control("POST", "/faults", {"kind": "slow", "target": "graph", "tenant": "none"}).status == 400


def test_an_error_although_applied_and_a_lost_body(lab: CloudLab) -> None:
    arm(lab, "error_although_applied")
    assert lab.exo("Get-Mailbox").status == 200  # only writes are hit
    assert lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=True).status == 500
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is True
    arm(lab, "no_content")
    reply = lab.exo("Get-Mailbox")
    assert (reply.status, reply.body()) == (204, b"")


def test_not_json_expired_tokens_and_links(lab: CloudLab) -> None:
    arm(lab, "not_json", status=200)
    page = lab.exo("Get-Mailbox")
    assert page.status == 200
    assert page.content_type.startswith("text/html")
    arm(lab, "token_expired", "graph")
    expired = lab.graph("GET", "/v1.0/users")
    assert expired.status == 401
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]
    arm(lab, "expired_next_link")
    arm(lab, "expired_next_link", "graph")
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}}
    first = lab.exo_raw(body, headers={"Prefer": "odata.maxpagesize=4"})
    query = "?" + first.content["@odata.nextLink"].partition("?")[2]
    assert lab.exo_raw(body, query=query).status == 400
    assert lab.exo_raw(body, query=query).status == 200
    link = lab.graph("GET", "/v1.0/users?$top=1").content["@odata.nextLink"].removeprefix("https://127.77.0.12:8443")
    assert lab.graph("GET", link).content["error"]["code"] == "Directory_ExpiredPageToken"


def test_a_throttled_part_of_a_good_batch(lab: CloudLab) -> None:
    lab.manage("ada")
    arm(lab, "throttle_in_batch", retry_after=7, match={"cmdlet": "Set-Mailbox"})
    parts = (("Get-Mailbox", {"Identity": "ada"}), ("Set-Mailbox", {"Identity": "ada", "CustomAttribute1": "x"}))
    reply = lab.batch(*parts)
    assert reply.status == 200
    get, refused = reply.content["responses"]
    assert (get["status"], refused["status"], refused["headers"]["Retry-After"]) == (200, 429, "7")
    assert lab.mailbox("ada")["CustomAttribute1"] == ""
    fired = [entry["fault"] for entry in lab.store.requests() if entry["fault"]]
    assert fired == ["throttle_in_batch"]
    assert [part["status"] for part in lab.batch(*parts).content["responses"]] == [200, 200]
    assert len(lab.control("GET", "/state").content["violations"]) == 1  # the part came again at once


def test_a_throttle_in_batch_hits_parts_and_nothing_else(lab: CloudLab) -> None:
    arm(lab, "throttle_in_batch", retry_after=9, times=2)
    assert lab.exo("Get-Mailbox").status == 200  # no part of a batch: the fault stays armed
    assert lab.graph("GET", "/v1.0/users").status == 200
    [armed] = lab.control("GET", "/faults").content
    assert armed["times"] == 2
    get = ("Get-Mailbox", {"Identity": "ada"})
    reply = lab.batch(get, ("Get-User", {"Identity": "bob"}), get)
    assert (reply.status, "Retry-After" in reply.headers) == (200, False)
    first, second, third = reply.content["responses"]
    for part in (first, second):
        assert (part["status"], part["headers"]["Retry-After"]) == (429, "9")
        assert part["body"]["error"]["code"] == "TooManyRequests"
    assert (third["status"], "Retry-After" in third["headers"]) == (200, False)
    assert lab.control("GET", "/faults").content == []
    arm(lab, "throttle_in_batch", match={"cmdlet": "Get-User"})
    untimed = lab.batch(get, ("Get-User", {"Identity": "eve"})).content["responses"][1]
    assert (untimed["status"], "Retry-After" in untimed["headers"]) == (429, False)
    arm(lab, "throttle_in_batch", "graph", retry_after=3)
    requests = [{"id": "1", "method": "GET", "url": "/users?$select=id"}]
    graph = lab.graph("POST", "/v1.0/$batch", {"requests": requests})
    assert (graph.status, "Retry-After" in graph.headers) == (200, False)
    [part] = graph.content["responses"]
    assert (part["status"], part["headers"]["Retry-After"]) == (429, "3")


def test_a_throttled_part_that_comes_again_alone_too_early_is_a_violation(lab: CloudLab) -> None:
    arm(lab, "throttle_in_batch", retry_after=30)
    lab.batch(("Get-Mailbox", {"ResultSize": 5, "Filter": "Alias -eq 'ada'"}))
    assert lab.exo("Get-Mailbox", ResultSize=5, Filter="Alias -eq 'ada'").status == 200
    assert len(lab.control("GET", "/state").content["violations"]) == 1


def test_cut_is_told_to_the_server(lab: CloudLab) -> None:
    arm(lab, "cut", match={"cmdlet": "Get-Mailbox"})
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    path = f"/adminapi/beta/{CONTOSO}/InvokeCommand"
    token = f"Bearer {lab.token('exchange')}"
    assert lab.outcome("exchange", "POST", path, body, authorization=token).cut is True
    assert lab.outcome("exchange", "POST", path, body, authorization=token).cut is False


def test_stale_reads_by_switch_and_by_fault(lab: CloudLab) -> None:
    def flag() -> bool:
        return bool(lab.exo("Get-Mailbox", Identity="ada").content["value"][0]["IsExchangeCloudManaged"])

    arm(lab, "stale_reads", seconds=60)
    lab.manage("ada")
    assert flag() is False
    lab.services.clock.advance(61)
    assert flag() is True
    lab.services.scenario.set({"stale_reads_s": 30})
    assert lab.exo("Set-Mailbox", Identity="ada", CustomAttribute1="one").status == 200
    assert lab.exo("Set-Mailbox", Identity="ada", CustomAttribute2="two").status == 200
    rows = lab.exo("Get-Mailbox", ResultSize="Unlimited").content["value"]
    ada = next(row for row in rows if row["Alias"] == "ada")
    assert (ada["CustomAttribute1"], ada["CustomAttribute2"]) == ("", "")
    stored = lab.mailbox("ada")
    assert (stored["CustomAttribute1"], stored["CustomAttribute2"]) == ("one", "two")  # writes are never stale


def test_slow_is_slow(lab: CloudLab) -> None:
    arm(lab, "slow", seconds=0.2)
    assert lab.exo("Get-Mailbox").status == 200
    assert next(entry for entry in lab.store.requests() if entry["fault"] == "slow")["duration"] >= 0.2


def test_ldap_faults_are_for_the_relay_and_logged(lab: CloudLab) -> None:
    arm(lab, "cut", "ldap", tenant="contoso")
    assert lab.services.faults.take("ldap", "fabrikam", port=636) is None
    fault = lab.services.faults.take("ldap", "contoso", port=636)
    assert fault is not None
    assert fault.kind == "cut"
    assert lab.services.faults.take("ldap", "contoso", port=636) is None
    [entry] = [entry for entry in lab.store.requests() if entry["service"] == "ldap"]
    assert (entry["fault"], entry["tenant"], entry["parameters"]) == ("cut", CONTOSO, {"port": "636"})


def test_the_log_says_who_did_what(lab: CloudLab) -> None:
    lab.exo("Get-Mailbox")
    lab.manage("ada")
    lab.exo("Set-Mailbox", Identity="ada", CustomAttribute1="x", WhatIf=True)
    [write] = lab.control("GET", "/log?writes=true").content
    assert write["cmdlet"] == "Set-Mailbox"
    assert write["parameters"] == {"Identity": lab.mailbox_id("ada"), "IsExchangeCloudManaged": True}
    assert (write["tenant"], write["tenant_id"], write["status"]) == ("contoso", CONTOSO, 200)
    assert write["client_id"] == lab.config["tenants"]["contoso"]["application"]["client_id"]
    assert lab.control("GET", f"/log?after={write['seq']}").content[0]["seq"] > write["seq"]
    assert lab.control("GET", "/log?after=x").status == 400
    assert lab.control("DELETE", "/log").status == 200
    assert lab.control("GET", "/log").content == []


def test_control_moves_the_clock_and_runs_what_is_due(lab: CloudLab) -> None:
    lab.engines.calls.clear()
    assert lab.control("POST", "/clock", {"advance_seconds": 3600}).content["offset_seconds"] == pytest.approx(
        3600, abs=2
    )
    assert lab.engines.calls == [("tick",)]
    assert lab.control("POST", "/clock", {"rate": 60}).content["rate"] == 60
    for wrong in ({}, {"advance_seconds": -1}, {"advance_seconds": "1"}, {"speed": 1}):
        assert lab.control("POST", "/clock", wrong).status == 400
    assert lab.exo("Get-Mailbox").headers["Date"].endswith("GMT")


def test_control_is_another_writer_and_a_reset_takes_back_what_it_added(lab: CloudLab) -> None:
    lab.directory_calls.clear()
    changes = {"mail": ["new@contoso.lab"], "proxyAddresses": {"add": ["smtp:new@contoso.lab"]}}
    body = {"object": "ada", "changes": changes}
    assert lab.control("POST", "/directory/contoso/edit", body).content == {"dn": "CN=ada"}
    for wrong in ({}, {"object": "ada"}, {"object": None, "changes": changes}, {"object": "ada", "changes": {}}):
        assert lab.control("POST", "/directory/contoso/edit", wrong).status == 400
    twin = {"dn": "CN=Twin,DC=contoso,DC=lab", "classes": ["contact"], "attributes": {"mail": ["ada@contoso.lab"]}}
    assert lab.control("POST", "/directory/contoso/add", twin).content == {"dn": twin["dn"]}
    assert lab.control("POST", "/directory/contoso/add", {"dn": "CN=Twin"}).status == 400
    assert lab.control("POST", "/reset").status == 200
    assert lab.control("POST", "/reset").status == 200
    assert lab.directory_calls[:2] == [("edit", "contoso", "ada"), ("add", "contoso", twin["dn"])]
    assert [call for call in lab.directory_calls if call[0] == "remove"] == [("remove", "contoso", twin["dn"])]


def test_a_fault_waits_for_the_requests_that_go_by_first(lab: CloudLab) -> None:
    arm(lab, "unavailable", after=2, match={"cmdlet": "Get-Mailbox"})
    statuses = [lab.exo("Get-Mailbox").status for _unused in range(4)]
    assert statuses == [200, 200, 503, 200]


def test_many_documents_change_at_once_with_or_without_a_new_stamp(lab: CloudLab) -> None:
    ada, bob = lab.mailbox_id("ada"), lab.mailbox_id("bob")
    before = lab.mailbox("ada")
    lab.services.clock.advance(100)
    body = {ada: {"CustomAttribute1": "x"}, bob: {"CustomAttribute1": ""}}
    assert lab.control("PATCH", "/object/contoso/mailbox?touch=false", body).content == {"changed": 2}
    assert lab.mailbox("ada") == {**before, "CustomAttribute1": "x"}
    body[ada] = {"CustomAttribute1": "y"}
    assert lab.control("PATCH", "/object/contoso/mailbox?touch=true", body).status == 200
    assert lab.mailbox("ada")["WhenChangedUTC"] > before["WhenChangedUTC"]
    assert lab.mailbox("bob")["WhenChangedUTC"] == before["WhenChangedUTC"]  # nothing changed: no new stamp
    assert lab.control("PATCH", "/object/contoso/mailbox", {"nobody": {}}).status == 404
    assert lab.control("PATCH", "/object/contoso/mailbox", {ada: 1}).status == 400


def test_control_runs_syncs_cycles_and_looks_at_objects(lab: CloudLab) -> None:
    assert lab.control("POST", "/sync/contoso").content == {"created": 3}
    assert lab.control("POST", "/sync/nowhere").status == 404
    assert lab.control("POST", "/cycle/contoso").status == 404  # no job yet
    job = {"id": "j1", "status": {"code": "Active"}, "schedule": {"state": "Active"}}
    assert lab.control("PUT", "/object/contoso/job/j1", job).status == 200
    assert lab.control("POST", "/cycle/contoso").content == {"j1": {"state": "Succeeded"}}
    state = lab.control("GET", "/state").content
    contoso = next(tenant for tenant in state["tenants"] if tenant["name"] == "contoso")
    assert contoso["jobs"][0]["code"] == "Active"
    assert (contoso["counts"]["mailbox"], contoso["counts"]["synchronizedMailboxes"]) == (9, 3)
    path = f"/object/contoso/mailbox/{lab.mailbox_id('ada')}"
    assert lab.control("PATCH", path, {"CustomAttribute1": "drift"}).status == 200
    assert lab.control("GET", path).content["CustomAttribute1"] == "drift"
    assert lab.control("DELETE", path).status == 200
    assert lab.control("GET", path).status == 404
    assert len(lab.control("GET", "/object/contoso/mailbox").content) == 8
    assert lab.control("GET", "/directory/contoso").content == {
        "highestCommittedUSN": 4711,
        "traffic": {"operations": {"modify": 3}},
    }
    assert lab.control("POST", "/dc/contoso/restart").content == {"restarted": "contoso"}
    assert lab.control("PUT", "/scenario", {"type_values": "both"}).status == 400
    assert lab.control("PUT", "/scenario", {"type_values": "local"}).content["type_values"] == "local"
    assert lab.control("GET", "/nothing").status == 404


def test_a_reset_goes_back_to_a_checkpoint_where_one_was_set(lab: CloudLab) -> None:
    assert lab.control("POST", "/reset?to=checkpoint").status == 404
    lab.manage("ada")
    assert lab.control("POST", "/checkpoint").status == 200
    lab.manage("bob")
    arm(lab, "throttle", times=-1)
    assert lab.control("POST", "/reset?to=checkpoint").status == 200
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is True
    assert lab.mailbox("bob")["IsExchangeCloudManaged"] is False
    assert lab.control("GET", "/state").content["faults"] == []
    assert lab.control("POST", "/reset").status == 200
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is False


def test_reset_puts_everything_back(lab: CloudLab) -> None:
    token = lab.token("exchange")
    lab.manage("ada")
    lab.control("POST", "/clock", {"advance_seconds": 99999})
    lab.control("PUT", "/scenario", {"proxy_addresses": "merge"})
    arm(lab, "throttle", times=-1)
    lab.directory_calls.clear()
    assert lab.control("POST", "/reset").status == 200
    assert sorted(lab.directory_calls) == [("reset", "contoso"), ("reset", "fabrikam")]
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is False
    state = lab.control("GET", "/state").content
    assert state["clock"]["offset_seconds"] == pytest.approx(0, abs=2)
    assert state["scenario"]["proxy_addresses"] == "overwrite"
    assert (state["faults"], lab.store.requests()) == ([], [])
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    path = f"/adminapi/beta/{CONTOSO}/InvokeCommand"
    assert lab.send("exchange", "POST", path, body, authorization=f"Bearer {token}").status == 200  # the key is kept
