# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hybrid set-up of a side, taken away in order and put back."""

from __future__ import annotations

import copy
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import clean_up
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import plan as hybrid_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.clean_up import Cleaned
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Named

from tests.unit.decommission.clean_up_fakes import CLOUD_GUID, GUID, NOW, ROUTING, Stage

CLOUD_PHASE = order.CLOUD_CLEAN_UP


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def run(stage: Stage, check: bool = False, **stated: Any) -> Cleaned:
    return clean_up.absent(stage.ends, stage.wanted(**stated), check)


def names(stage: Stage, side: str) -> dict[str, set[str]]:
    end = stage.server if side == "on_premises" else stage.online
    return {noun: {row["Name"] for row in rows} for noun, rows in end.objects.items()}


def test_on_premises_goes_in_the_order_of_the_exchange_team(stage: Stage) -> None:
    done = run(stage)
    assert stage.server.changes == [
        "Set-ClientAccessService EX01",
        "Remove-HybridConfiguration",
        f"Set-IntraOrganizationConnector HybridIOC - {GUID}",
        f"Remove-IntraOrganizationConnector HybridIOC - {GUID}",
        f"Remove-SendConnector Outbound to Office 365 - {GUID}",
        r"Set-ReceiveConnector EX01\Default Frontend EX01",
        r"Set-ReceiveConnector EX02\Default Frontend EX02",
        f"Remove-RemoteDomain Hybrid Domain - {ROUTING}",
        f"Remove-OrganizationRelationship On-premises to O365 - {GUID}",
        "Remove-FederatedDomain",
        "Remove-FederatedDomain",
        "Set-FederatedOrganizationIdentifier",
        "Remove-FederationTrust Microsoft Federation Gateway",
        "Remove-ExchangeCertificate",
        "Remove-ExchangeCertificate",
        "Set-AuthServer ACS",
        "Set-AuthServer EvoSts",
        "Set-PartnerApplication Exchange Online",
        "Remove-SettingOverride EnableExchangeHybrid3PAppFeature",
    ]
    assert len(done.done) == 19
    assert stage.online.changes == []
    left = names(stage, "on_premises")
    assert left["SendConnector"] == {"To Northwind"}
    assert left["ExchangeCertificate"] == {"EX01", "EX02"}
    assert {row["Subject"] for row in stage.server.objects["ExchangeCertificate"]} == {"CN=EX01", "CN=EX02"}
    for row in stage.server.objects["ReceiveConnector"]:
        assert row["TlsDomainCapabilities"] in ([], ["partner.com:AcceptOorgProtocol"])
    assert {row["Name"]: row["Enabled"] for row in stage.server.objects["AuthServer"]} == {
        "ACS": False,
        "EvoSts": False,
        "Own": True,
    }


def test_a_second_run_changes_nothing_and_needs_no_readiness(stage: Stage) -> None:
    run(stage)
    stage.server.sent.clear()
    again = run(stage, readiness=None, readiness_sha256=None)
    assert (again.done, again.export, stage.server.sent) == ((), None, [])


def test_look_alikes_are_listed_with_the_reason(stage: Stage) -> None:
    left = {(item.kind, item.identity): item.why for item in run(stage, check=True).plan.left}
    assert {kind for kind, _name in left} == {
        "intra_organization_connector",
        "send_connector",
        "auth_server",
        "partner_application",
        "setting_override",
    }
    assert "for the tenant's routing domain only" in left["send_connector", "To Northwind"]


def test_check_mode_sends_nothing_and_says_what_is_missing(stage: Stage) -> None:
    shown = run(stage, check=True, readiness=None, readiness_sha256=None)
    assert stage.server.sent == stage.online.sent == []
    assert len(shown.plan.ready) == 19
    assert "decommission_readiness_info" in shown.refused[0]
    assert not list(stage.directory_for_artifacts.glob("hybrid-*"))


def test_check_mode_announces_what_apply_does(stage: Stage) -> None:
    announced = [action.key for action in run(stage, check=True).plan.ready]
    assert [action.key for action in run(stage).done] == announced


@pytest.mark.parametrize("order_name", list(order.ORDERS))
def test_the_named_orders_end_alike(stage: Stage, order_name: str) -> None:
    run(stage, order=order_name)
    assert f"Outbound to Office 365 - {GUID}" not in names(stage, "on_premises")["SendConnector"]
    first = {"exchange_team": 1, "hybrid_configuration_last": 18}[order_name]
    assert stage.server.changes[first] == "Remove-HybridConfiguration"


def test_without_a_readiness_nothing_is_done(stage: Stage) -> None:
    with pytest.raises(errors.Refused, match="needs the readiness of the phase clean_up"):
        run(stage, readiness=None, readiness_sha256=None)
    path, sha256 = stage.ready(order.UNINSTALL)
    with pytest.raises(errors.Refused, match="of the phase uninstall"):
        run(stage, readiness=path, readiness_sha256=sha256)
    path, sha256 = stage.ready(fingerprint="another")
    wanted = stage.wanted()
    Path(path).write_bytes(Path(path).read_bytes().replace(b"contoso.lab", b"fabrikam.lab"))
    with pytest.raises(errors.Refused, match="SHA-256"):
        clean_up.absent(stage.ends, wanted, False)
    assert stage.server.sent == []


@pytest.mark.parametrize(
    ("chosen", "earlier", "reason"),
    [
        (("federation_trust",), "service_connection_point", "Clients inside the domain"),
        (("service_connection_point", "send_connector"), "hybrid_configuration", "can be made"),
    ],
)
def test_wrong_orders_are_refused_with_the_reason(
    stage: Stage, chosen: tuple[str, ...], earlier: str, reason: str
) -> None:
    with pytest.raises(errors.Refused) as caught:
        run(stage, kinds=chosen)
    assert reason in caught.value.message
    assert f"the kind {earlier}" in caught.value.message
    assert stage.server.sent == []


def test_federation_before_organization_relationships_is_refused(stage: Stage) -> None:
    before = ("service_connection_point", "hybrid_configuration", "intra_organization_connector", "send_connector")
    run(stage, kinds=(*before, "receive_connector", "remote_domain"))
    with pytest.raises(errors.Refused, match="stands on the federation trust, so it goes before the trust"):
        run(stage, kinds=("federated_domain", "federated_organization", "federation_trust"))
    kept = run(stage, keep={"organization_relationship": "a test says so"})
    assert not any("Federat" in name for name in stage.server.changes)
    assert {item.why for item in kept.plan.left if item.kind == "organization_relationship"} == {
        "kept, as you say: a test says so"
    }


def test_federation_stays_where_another_relationship_stands_on_it(stage: Stage) -> None:
    stage.server.add(
        "OrganizationRelationship",
        Name="With Northwind",
        DomainNames=["northwind.com"],
        TargetApplicationUri="mail.northwind.com",
        Enabled=True,
    )
    done = run(stage)
    assert not any("Federat" in name for name in stage.server.changes)
    why = next(item.why for item in done.plan.left if item.kind == "federation_trust")
    assert "With Northwind stands on the federation trust" in why
    run(stage, also=(Named("federation_trust", "Microsoft Federation Gateway"),))
    assert "Remove-FederationTrust Microsoft Federation Gateway" in stage.server.changes


def test_a_named_object_goes_too_and_a_misspelt_one_is_told(stage: Stage) -> None:
    also = (Named("send_connector", "to northwind"), Named("send_connector", "To Northwnd"))
    done = run(stage, also=also)
    assert "Remove-SendConnector To Northwind" in stage.server.changes
    assert list(done.unknown) == ["send_connector To Northwnd"]


def test_a_connector_soaks_before_it_is_removed_and_all_later_steps_with_it(stage: Stage) -> None:
    first = run(stage, soak_minutes=60)
    assert [action.step.id for action in first.done][-1] == "disable_intra_organization_connector"
    assert "it is still on" in first.plan.waiting[0].waits
    assert len(first.plan.waiting) == 16
    stage.clock.sleep(30 * 60)
    second = run(stage, soak_minutes=60)
    assert second.done == ()
    assert "until 2026-11-22T13:00:00Z" in second.plan.waiting[0].waits
    stage.clock.sleep(31 * 60)
    third = run(stage, soak_minutes=60)
    assert len(third.done) == 16
    assert not third.plan.waiting


def test_a_send_connector_that_also_serves_others_is_left(stage: Stage) -> None:
    stage.server.objects["SendConnector"][0]["AddressSpaces"].append("smtp:*;10")
    left = {item.identity for item in run(stage).plan.left}
    assert f"Outbound to Office 365 - {GUID}" in left


def test_a_receive_connector_keeps_its_trust_while_mail_comes(stage: Stage) -> None:
    event = {
        "ConnectorId": r"EX01\Default Frontend EX01",
        "Source": "SMTP",
        "ClientIp": "10.0.0.9",
        "Sender": "printer@contoso.com",
        "Timestamp": "2026-11-22T11:00:00Z",
    }
    probe = {**event, "Sender": "HealthMailbox0123456789abcdef0123456789abcdef@contoso.com"}
    stage.server.objects["MessageTrackingLog"] = [probe]
    assert run(stage, check=True).refused == []
    stage.server.objects["MessageTrackingLog"] = [probe, event]
    with pytest.raises(errors.Refused, match=r"took 1 messages from 10\.0\.0\.9"):
        run(stage)
    assert run(stage, check=True, mail_quiet_hours=0).refused == []


def test_the_export_is_whole_private_and_before_the_first_change(stage: Stage) -> None:
    def read_exports() -> list[dict[str, Any]]:
        (path,) = stage.directory_for_artifacts.glob("hybrid-on_premises-*")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return [json.loads(line) for line in path.read_text().splitlines()]

    seen: list[int] = []
    change = stage.server.change

    def spy(*arguments: Any) -> None:
        seen.append(len(read_exports()))
        change(*arguments)

    stage.server.change = spy  # type: ignore[method-assign]  # looks on, and hands on
    stage.server.objects["SendConnector"][0]["AuthenticationCredential"] = "secret"
    before = copy.deepcopy(stage.server.objects["SendConnector"][0])
    done = run(stage)
    assert seen[0] == 20
    header, *lines = read_exports()
    assert header["side"] == "on_premises"
    assert done.export is not None
    connector = next(line for line in lines if line["kind"] == "send_connector")
    before.pop("AuthenticationCredential")
    assert connector["properties"] == before
    assert "private key is not exported" in next(
        line["cannot_be_put_back"] for line in lines if line["kind"] == "federation_certificate"
    )


@pytest.mark.parametrize("at", range(19))
def test_killed_at_any_point_it_is_finished_by_the_next_run(stage: Stage, at: int) -> None:
    stage.server.dies_after = at
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    stage.server.dies_after = None
    run(stage)
    assert len(stage.server.sent) == 19
    assert run(stage).done == ()


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_is_settled_by_reading(stage: Stage, carried_out: bool) -> None:
    stage.server.lose["Remove-SendConnector"] = carried_out
    if carried_out:
        assert len(run(stage).done) == 19
        assert stage.server.changes.count(f"Remove-SendConnector Outbound to Office 365 - {GUID}") == 1
        return
    with pytest.raises(errors.Timeout, match="still shows the object as before") as caught:
        run(stage)
    assert caught.value.facts["changed"]
    assert len(caught.value.facts["steps_done"]) == 4
    run(stage)
    assert run(stage).done == ()


def test_an_error_names_step_and_object_and_what_was_done(stage: Stage) -> None:
    stage.server.refuse["Remove-RemoteDomain"] = errors.PermissionDenied("not you")
    with pytest.raises(errors.PermissionDenied) as caught:
        run(stage)
    assert caught.value.message.startswith("remove_remote_domain, Hybrid Domain")
    assert caught.value.facts["step"] == "remove_remote_domain"
    assert Path(caught.value.facts["export"]["path"]).exists()


def test_in_the_cloud_keys_of_others_and_other_applications_stay(stage: Stage) -> None:
    done = run(stage, side="cloud")
    assert [action.step.id for action in done.done] == [
        "disable_cloud_intra_organization_connector",
        "remove_service_principal_keys",
        "remove_hybrid_application",
    ]
    ((path, body),) = stage.graph.patches
    assert path == "/servicePrincipals/sp"
    assert set(body) == {"keyCredentials"}
    assert [key["keyId"] for key in body["keyCredentials"]] == ["k2"]
    assert "key" not in body["keyCredentials"][0]
    assert set(stage.graph.applications) == {"a2"}
    assert {(item.kind, item.identity) for item in done.plan.left} == {("service_principal_keys", "k2")}


def test_without_known_certificates_no_key_goes(stage: Stage) -> None:
    stage.server.objects["AuthConfig"] = [{"Name": "x"}]
    done = run(stage, side="cloud")
    assert stage.graph.patches == []
    assert {item.identity for item in done.plan.left} == {"k1", "k2"}


def cloud(stage: Stage, **stated: Any) -> Cleaned:
    stage.directory.servers = []
    stage.directory.organization = False
    return run(stage, side="cloud", phase=CLOUD_PHASE, **stated)


def test_the_cloud_is_cleaned_after_the_last_server_only(stage: Stage) -> None:
    with pytest.raises(errors.Refused, match="comes after the last server: AD still has EX01, EX02"):
        run(stage, side="cloud", phase=CLOUD_PHASE)
    assert stage.online.sent == []


def test_the_cloud_goes_in_its_order(stage: Stage) -> None:
    cloud(stage)
    assert [name.split(" ")[0] for name in stage.online.changes] == [
        "Remove-MigrationBatch",
        "Remove-MigrationEndpoint",
        "Remove-OnPremisesOrganization",
        "Remove-InboundConnector",
        "Remove-OutboundConnector",
        "Remove-OrganizationRelationship",
        "Remove-IntraOrganizationConnector",
        "Remove-RemoteDomain",
    ]
    left = names(stage, "cloud")
    assert left["MigrationBatch"] == {"google"}
    assert left["InboundConnector"] == {"From the gateway"}
    assert left["TransportRule"] == {"Disclaimer", "Payroll over the servers"}
    assert all(cmdlet.parameters["Confirm"] is False for cmdlet in stage.online.sent)


def test_a_connector_in_the_cloud_must_be_off_before_it_is_removed(stage: Stage) -> None:
    with pytest.raises(errors.Refused, match="is still on"):
        cloud(stage, soak_minutes=10)
    assert stage.online.sent == []
    stage.online.objects["IntraOrganizationConnector"][0].update(Enabled=False, WhenChangedUTC="2026-11-20T00:00:00Z")
    cloud(stage, soak_minutes=10)
    assert f"Remove-IntraOrganizationConnector HybridIOC - {CLOUD_GUID}" in stage.online.changes


def test_an_endpoint_with_a_running_batch_is_refused(stage: Stage) -> None:
    stage.online.objects["MigrationBatch"][0]["Status"] = "Syncing"
    with pytest.raises(errors.Refused, match="wave1 has not ended: it is Syncing"):
        cloud(stage)
    stage.online.objects["MigrationBatch"][0]["Status"] = "Stopped"
    with pytest.raises(errors.Refused, match="An endpoint that a batch uses cannot be removed"):
        cloud(stage, kinds=("migration_endpoint",))


def test_transport_rules_go_only_by_name(stage: Stage) -> None:
    rule = stage.online.objects["TransportRule"][1]
    stale = [item for item in cloud(stage, check=True).plan.left if item.kind == "transport_rule"]
    assert [item.identity for item in stale] == ["Payroll over the servers"]
    rule["State"] = "Enabled"
    with pytest.raises(errors.Refused, match="is on and routes through the connector"):
        cloud(stage)
    cloud(stage, also=(Named("transport_rule", "Payroll over the servers"),))
    assert stage.online.changes[2] == "Remove-TransportRule Payroll over the servers"


def test_objects_of_another_organization_stay(stage: Stage) -> None:
    other = "aaaaaaaa-0000-0000-0000-000000000001"
    stage.online.add(
        "OnPremisesOrganization",
        Name=other,
        OrganizationGuid=other,
        InboundConnector=f"Inbound from {other}",
        OutboundConnector=f"Outbound to {other}",
        OrganizationRelationship=f"O365 to On-premises - {other}",
    )
    stage.online.add("InboundConnector", Name=f"Inbound from {other}", ConnectorType="OnPremises")
    cloud(stage)
    assert f"Inbound from {other}" in names(stage, "cloud")["InboundConnector"]


def test_a_record_of_the_cloud_is_nobodys_until_an_earlier_run_or_the_operator_says_so(stage: Stage) -> None:
    stage.with_server = False
    with pytest.raises(errors.Ambiguous, match="organization_guid"):
        cloud(stage)
    cloud(stage, check=True, organization_guid=GUID)
    stage.with_server, stage.directory.servers, stage.directory.organization = True, ["EX01"], True
    run(stage)
    stage.with_server = False
    assert len(cloud(stage).done) == 8


def test_stale_answers_are_waited_for(stage: Stage) -> None:
    stage.online.stale = 3
    assert len(cloud(stage).done) == 8
    assert stage.clock.seconds > 0


def test_a_time_without_a_zone_is_utc() -> None:
    assert hybrid_plan.changed_at({"WhenChangedUTC": "2026-11-22T12:00:00"}) == NOW
    assert hybrid_plan.changed_at({}) is None
