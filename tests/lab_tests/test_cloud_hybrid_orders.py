# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid set-up in Exchange Online: what the service refuses, wrong orders, rules, stale reads, steering."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.cloud.exchange import endpoint, named
from tests.lab.cloud.hybrid_control import BATCH
from tests.lab_tests.cloud_support import CloudLab, error_text, lab
from tests.lab_tests.hybrid_support import (
    ENDPOINT,
    GUID,
    INBOUND,
    OUTBOUND,
    RELATIONSHIP,
    STORY,
    names,
    row,
    rows,
)

__all__ = ["lab"]

# -- what is refused -----------------------------------------------------------------------------------------------

_CONNECTOR = {"Name": "x", "ConnectorType": "OnPremises"}


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "text"),
    [
        ("New-InboundConnector", {**_CONNECTOR, "SenderDomains": ["*"]}, "TlsSenderCertificateName or"),
        ("New-InboundConnector", {"Name": "x"}, "missing mandatory parameters: SenderDomains"),
        ("New-InboundConnector", {"Name": "x", "SenderDomains": ["*"], "ConnectorType": "Friend"}, "ConnectorType"),
        ("New-InboundConnector", {"Name": "x" * 65, "SenderDomains": ["*"]}, "maximum length is 64"),
        ("New-InboundConnector", {"Name": "From mail gateway", "SenderDomains": ["*"]}, "already exists"),
        ("Set-InboundConnector", {"Identity": INBOUND, "TreatMessagesAsInternal": True}, "TreatMessagesAsInternal"),
        ("New-OutboundConnector", {**_CONNECTOR, "UseMXRecord": False}, "needs SmartHosts"),
        ("New-OutboundConnector", {"Name": "x", "AllAcceptedDomains": True}, "OnPremises"),
        ("New-OutboundConnector", {"Name": "x", "TlsSettings": "DomainValidation"}, "TlsDomain"),
        ("New-OrganizationRelationship", {"Name": "x", "DomainNames": ["NORTHWIND.example"]}, "'northwind.example'"),
        ("New-IntraOrganizationConnector",
         {"Name": "x", "DiscoveryEndpoint": "https://x.example", "TargetAddressDomains": ["adatum.example"]}, "Adatum"),
        ("New-RemoteDomain", {"Name": "x", "DomainName": "northwind.example"}, "already there"),
        ("Remove-RemoteDomain", {"Identity": "Default"}, "can't be removed"),
        ("New-OnPremisesOrganization",
         {"Name": "x", "HybridDomains": ["contoso.lab"], "InboundConnector": "none", "OutboundConnector": OUTBOUND,
          "OrganizationGuid": GUID}, "'none' couldn't be found"),
        ("New-OnPremisesOrganization",
         {"Name": "x", "HybridDomains": ["other.example"], "InboundConnector": INBOUND, "OutboundConnector": OUTBOUND,
          "OrganizationGuid": GUID}, "other.example"),
        ("New-MigrationEndpoint", {"Name": "x", "ExchangeRemoteMove": True}, "mandatory parameters: RemoteServer"),
        ("New-MigrationEndpoint", {"Name": "x", "IMAP": True, "Gmail": True}, "Parameter set cannot be resolved"),
        ("New-TransportRule", {"Name": "x", "RouteMessageOutboundConnector": "none"}, "couldn't be found"),
        ("New-TransportRule", {"Name": "x", "Priority": 9}, "out of range"),
        ("Get-TransportRule", {"Filter": "Name -eq 'x'"}, "Description -like"),
        ("Get-MigrationBatch", {"Identity": "x", "Endpoint": "y"}, "Parameter set cannot be resolved"),
    ],
)  # fmt: skip
def test_what_the_service_refuses(lab: CloudLab, cmdlet: str, parameters: dict[str, Any], text: str) -> None:
    before = lab.store.counts(lab.config["tenants"]["contoso"]["tenant_id"])
    reply = lab.exo(cmdlet, **parameters)
    assert reply.status in (400, 404), reply.content
    assert text in error_text(reply)
    assert lab.store.counts(lab.config["tenants"]["contoso"]["tenant_id"]) == before


def test_credentials_are_a_limit_of_the_lab(lab: CloudLab) -> None:
    reply = lab.exo("Set-MigrationEndpoint", Identity=ENDPOINT, Credentials={"UserName": "x", "Password": "y"})
    assert reply.status == 501


@pytest.mark.parametrize("cmdlet", ["New-MigrationBatch", "New-MoveRequest"])
def test_what_the_lab_does_not_have_is_told(lab: CloudLab, cmdlet: str) -> None:
    assert lab.exo(cmdlet).status == 501


# -- orders --------------------------------------------------------------------------------------------------------


def test_an_endpoint_in_use_stays_until_its_batch_is_stopped_and_removed(lab: CloudLab) -> None:
    assert lab.control("PATCH", "/hybrid/contoso", {"batch": "Syncing"}).status == 200
    lab.services.scenario.set({"batch_stop_s": 60, "batch_removal_s": 60})
    assert [one["Name"] for one in rows(lab, "Get-MigrationBatch", Endpoint=ENDPOINT)] == [BATCH]
    refused = lab.exo("Remove-MigrationEndpoint", Identity=ENDPOINT, Confirm=False)
    assert BATCH in error_text(refused)
    assert "'Syncing'" in error_text(lab.exo("Remove-MigrationBatch", Identity=BATCH, Confirm=False))
    assert lab.exo("Stop-MigrationBatch", Confirm=False).status == 200
    assert row(lab, "MigrationBatch", BATCH)["Status"] == "Stopping"
    assert lab.exo("Remove-MigrationBatch", Identity=BATCH, Confirm=False).status == 400
    lab.services.clock.advance(61)
    assert row(lab, "MigrationBatch", BATCH)["Status"] == "Stopped"
    assert lab.exo("Remove-MigrationBatch", Identity=BATCH, Confirm=False).status == 200
    assert row(lab, "MigrationBatch", BATCH)["Status"] == "Removing"
    assert lab.exo("Remove-MigrationEndpoint", Identity=ENDPOINT, Confirm=False).status == 400
    lab.services.clock.advance(61)
    assert rows(lab, "Get-MigrationBatch") == []
    assert lab.exo("Remove-MigrationEndpoint", Identity=ENDPOINT, Confirm=False).status == 200


def test_a_batch_that_is_done_cannot_be_stopped_but_removed(lab: CloudLab) -> None:
    lab.control("PATCH", "/hybrid/contoso", {"batch": "Completed"})
    assert "'Completed'" in error_text(lab.exo("Stop-MigrationBatch", Identity=BATCH))
    assert lab.exo("Remove-MigrationBatch", Identity=BATCH).status == 200
    assert rows(lab, "Get-MigrationBatch") == []


def test_a_working_batch_may_be_removable(lab: CloudLab) -> None:
    lab.control("PATCH", "/hybrid/contoso", {"batch": "Syncing"})
    lab.services.scenario.set({"working_batch_removal": "accepted"})
    assert lab.exo("Remove-MigrationBatch", Identity=BATCH).status == 200


def test_move_requests_are_filtered_and_removed(lab: CloudLab) -> None:
    assert rows(lab, "Get-MoveRequest") == []
    lab.control("PATCH", "/hybrid/contoso", {"move": "InProgress"})
    [found] = rows(lab, "Get-MoveRequest", Status="InProgress", RemoteHostName="mail.contoso.lab")
    assert rows(lab, "Get-MoveRequest", Status="Completed") == []
    assert lab.exo("Get-MoveRequest", Identity="x", Status="Completed").status == 400
    assert lab.exo("Remove-MoveRequest", Identity=found["Alias"], Confirm=False).status == 200
    assert rows(lab, "Get-MoveRequest") == []


@pytest.mark.parametrize(("noun", "name"), [("OrganizationRelationship", RELATIONSHIP), ("InboundConnector", INBOUND)])
def test_links_of_the_on_premises_organization(lab: CloudLab, noun: str, name: str) -> None:
    lab.services.scenario.set({"organization_links": "refused"})
    assert GUID in error_text(lab.exo(f"Remove-{noun}", Identity=name, Confirm=False))
    lab.services.scenario.set({"organization_links": "ignored"})
    assert lab.exo(f"Remove-{noun}", Identity=name, Confirm=False).status == 200
    assert row(lab, "OnPremisesOrganization", GUID)[noun] is None
    assert lab.exo("Remove-OnPremisesOrganization", Identity=GUID, Confirm=False).status == 200


def test_a_connector_that_a_rule_routes_to(lab: CloudLab) -> None:
    lab.services.scenario.set({"connector_in_rule": "refused"})
    assert "legal hold" in error_text(lab.exo("Remove-OutboundConnector", Identity=OUTBOUND, Confirm=False))
    assert lab.exo("Remove-TransportRule", Identity=STORY["TransportRule"][0], Confirm=False).status == 200
    assert lab.exo("Remove-OutboundConnector", Identity=OUTBOUND, Confirm=False).status == 200


def test_an_endpoint_is_tried_before_it_is_made(lab: CloudLab) -> None:
    lab.services.scenario.set({"endpoint_verification": "fails"})
    given: dict[str, Any] = {"Name": "x", "ExchangeRemoteMove": True, "RemoteServer": "mail.contoso.lab"}
    assert "mail.contoso.lab" in error_text(lab.exo("New-MigrationEndpoint", **given))
    assert lab.exo("New-MigrationEndpoint", **given, SkipVerification=True).status == 200


# -- rules ---------------------------------------------------------------------------------------------------------


def test_rules_keep_their_order(lab: CloudLab) -> None:
    assert lab.exo("New-TransportRule", Name="first", Priority=0, SentToScope="NotInOrganization").status == 200
    assert lab.exo("New-TransportRule", Name="last", Enabled=False, PrependSubject="[x] ").status == 200
    order = ["first", "Disclaimer", STORY["TransportRule"][0], "last"]
    assert names(lab, "TransportRule") == order
    assert [one["Priority"] for one in rows(lab, "Get-TransportRule")] == [0, 1, 2, 3]
    assert [one["Name"] for one in rows(lab, "Get-TransportRule", State="Disabled")] == ["last"]
    assert lab.exo("Remove-TransportRule", Identity="Disclaimer").status == 200
    assert [one["Priority"] for one in rows(lab, "Get-TransportRule")] == [0, 1, 2]


def test_rules_are_switched_and_searched(lab: CloudLab) -> None:
    name = STORY["TransportRule"][0]
    assert lab.exo("Disable-TransportRule", Identity=name, Confirm=False).status == 200
    assert row(lab, "TransportRule", name)["State"] == "Disabled"
    assert "no settings of" in lab.exo("Disable-TransportRule", Identity=name).content["@adminapi.warnings"][0]
    assert lab.exo("Enable-TransportRule", Identity=name, Mode="Audit").status == 200
    assert row(lab, "TransportRule", name)["Mode"] == "Audit"
    found = rows(lab, "Get-TransportRule", Filter=f"Description -like '*{OUTBOUND}*'")
    assert [one["Name"] for one in found] == [name]
    bare = rows(lab, "Get-TransportRule", ExcludeConditionActionDetails=True)[1]
    assert (bare["Name"], bare["Description"], bare["RouteMessageOutboundConnector"]) == (name, None, None)


# -- stale reads ---------------------------------------------------------------------------------------------------


def test_stale_readers_still_see_what_was_removed_and_not_yet_what_is_new(lab: CloudLab) -> None:
    lab.services.scenario.set({"stale_reads_s": 30})
    assert lab.exo("Remove-InboundConnector", Identity=INBOUND, Confirm=False).status == 200
    assert lab.exo("New-InboundConnector", Name="new", SenderDomains=["x.example"]).status == 200
    assert sorted(names(lab, "InboundConnector")) == ["From mail gateway", INBOUND]
    assert lab.exo("Remove-InboundConnector", Identity=INBOUND, Confirm=False).status == 404  # writers are not stale
    lab.services.clock.advance(31)
    assert sorted(names(lab, "InboundConnector")) == ["From mail gateway", "new"]
    assert row(lab, "InboundConnector", "new")["SenderDomains"] == ["smtp:x.example;1"]


def test_a_fault_makes_one_write_stale(lab: CloudLab) -> None:
    fault = {
        "kind": "stale_reads",
        "target": "exchange",
        "seconds": 20,
        "match": {"cmdlet": "Remove-OutboundConnector"},
    }
    assert lab.control("POST", "/faults", fault).status == 200
    lab.exo("Remove-OutboundConnector", Identity=OUTBOUND, Confirm=False)
    lab.exo("Remove-InboundConnector", Identity=INBOUND, Confirm=False)
    assert OUTBOUND in names(lab, "OutboundConnector")
    assert INBOUND not in names(lab, "InboundConnector")
    lab.services.clock.advance(21)
    assert OUTBOUND not in names(lab, "OutboundConnector")


# -- control -------------------------------------------------------------------------------------------------------


def test_the_control_address_tells_whose_an_object_is_and_brings_all_back(lab: CloudLab) -> None:
    before = lab.control("GET", "/hybrid/contoso").content
    whose = {(one["kind"], one["name"]): one["whose"] for one in before["objects"]}
    for noun, (own, other) in STORY.items():
        assert whose[noun, own] == "hybrid"
        assert other is None or whose[noun, other] == "other"
    for noun, (own, _other) in STORY.items():
        lab.exo(f"Remove-{noun}", Identity=own, Confirm=False)
    assert len(lab.control("GET", "/hybrid/contoso").content["gone"]) == len(STORY)
    changes = {"batch": "Synced", "move": "Failed", "oauth_key": "removed"}
    assert lab.control("PATCH", "/hybrid/contoso", changes).content["conditions"]["batch"] == "Synced"
    assert lab.control("POST", "/hybrid/contoso/renew").content == before


@pytest.mark.parametrize("body", [{"batch": "Lost"}, {"nothing": "none"}])
def test_conditions_that_there_are_not(lab: CloudLab, body: dict[str, str]) -> None:
    assert lab.control("PATCH", "/hybrid/contoso", body).status == 400


def test_a_reset_brings_everything_back(lab: CloudLab) -> None:
    before = lab.control("GET", "/hybrid/contoso").content
    lab.control("PATCH", "/hybrid/contoso", {"batch": "Syncing", "rule": "none"})
    lab.exo("Remove-InboundConnector", Identity=INBOUND)
    assert lab.control("POST", "/reset").status == 200
    assert lab.control("GET", "/hybrid/contoso").content == before


# -- rights --------------------------------------------------------------------------------------------------------


def test_a_recipient_administrator_has_none_of_these_cmdlets(lab: CloudLab) -> None:
    for cmdlet in (*named.CMDLETS, "Remove-TransportRule", "Get-MessageTraceV2", "Remove-MigrationBatch"):
        allowed = cmdlet in endpoint.RECIPIENT_CMDLETS
        assert allowed == (cmdlet in ("Get-AcceptedDomain",))
