# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hybrid set-up is put back from its export, as far as cmdlets can."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import clean_up
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.clean_up import PutBackAgain
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact

from tests.unit.decommission.clean_up_fakes import GUID, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def take_away(stage: Stage, **stated: Any) -> Artifact:
    done = clean_up.absent(stage.ends, stage.wanted(**stated), False)
    assert done.export is not None
    stage.server.sent.clear()
    stage.online.sent.clear()
    return done.export


def put_back(stage: Stage, export: Artifact, check: bool = False, **stated: Any) -> PutBackAgain:
    given = stated.pop("exports", (export,))
    exports = tuple((item.path, item.sha256) for item in given)
    wanted = stage.wanted(state="present", exports=exports, **stated)
    return clean_up.present(stage.ends, wanted, check)


def rows(stage: Stage, noun: str, side: str = "server") -> list[dict[str, Any]]:
    found = getattr(stage, side).objects[noun]
    volatile = ("WhenChangedUTC", "Identity")
    return sorted(
        ({key: value for key, value in row.items() if key not in volatile and value} for row in found),
        key=lambda row: str(row["Name"]),
    )


def test_what_cmdlets_can_is_put_back_in_reverse_order_and_a_second_run_changes_nothing(stage: Stage) -> None:
    nouns = ("SendConnector", "OrganizationRelationship", "SettingOverride", "IntraOrganizationConnector", "AuthServer")
    before = {noun: copy.deepcopy(rows(stage, noun)) for noun in nouns}
    export = take_away(stage)
    back = put_back(stage, export)
    made = stage.server.changes
    assert made[0] == "New-SettingOverride EnableExchangeHybrid3PAppFeature"
    assert made[-1] == "Set-ClientAccessService EX01"
    assert made[-2].startswith("New-HybridConfiguration")
    for noun in nouns:
        if noun == "SettingOverride":
            assert {row["Name"] for row in rows(stage, noun)} == {row["Name"] for row in before[noun]}
        else:
            assert rows(stage, noun) == before[noun]
    trusted = [row["TlsDomainCapabilities"] for row in stage.server.objects["ReceiveConnector"]]
    assert sum("mail.protection.outlook.com:AcceptCloudServicesMail" in values for values in trusted) == 2
    assert {item.kind for item in back.restoring.lost} == {
        "federated_domain",
        "federated_organization",
        "federation_trust",
        "federation_certificate",
    }
    assert all(item.why for item in back.restoring.lost)
    stage.server.sent.clear()
    assert put_back(stage, export).back.done == []
    assert stage.server.sent == []


def test_check_mode_announces_and_sends_nothing(stage: Stage) -> None:
    export = take_away(stage)
    shown = put_back(stage, export, check=True)
    assert stage.server.sent == []
    done = put_back(stage, export)
    assert [put.exported.identity for put in shown.restoring.puts] == [put.exported.identity for put in done.back.done]


def test_what_was_changed_meanwhile_is_set_back(stage: Stage) -> None:
    export = take_away(stage)
    put_back(stage, export)
    stage.server.sent.clear()
    stage.server.find("SendConnector", f"Outbound to Office 365 - {GUID}")["TlsDomain"] = "elsewhere.com"
    put_back(stage, export)
    (cmdlet,) = stage.server.sent
    assert cmdlet.parameters["TlsDomain"] == "mail.protection.outlook.com"
    assert set(cmdlet.parameters) == {"Identity", "TlsDomain"}


def test_one_object_that_is_refused_does_not_keep_the_others(stage: Stage) -> None:
    export = take_away(stage)
    stage.server.refuse["New-RemoteDomain"] = errors.Conflict("the name is taken")
    with pytest.raises(errors.PartialFailure, match="1 of 12 objects could not be put back") as caught:
        put_back(stage, export)
    assert len(caught.value.facts["restored"]) == 11
    assert caught.value.facts["failures"][0]["error"] == "the name is taken"
    stage.server.refuse.clear()
    assert len(put_back(stage, export).back.done) == 1


def test_killed_at_any_point_it_is_finished_by_the_next_run(stage: Stage) -> None:
    export = take_away(stage)
    for at in range(4):
        stage.server.dies_after = at
        with pytest.raises(KeyboardInterrupt):
            put_back(stage, export)
    stage.server.dies_after = None
    put_back(stage, export)
    assert put_back(stage, export, check=True).restoring.puts == ()


def test_exports_of_several_runs_are_put_back_as_the_oldest_found_it(stage: Stage) -> None:
    before = copy.deepcopy(rows(stage, "IntraOrganizationConnector"))
    first = take_away(stage, soak_minutes=60)
    stage.clock.sleep(3700)
    second = take_away(stage, soak_minutes=60)
    put_back(stage, second, exports=(second, first))
    assert rows(stage, "IntraOrganizationConnector") == before
    assert put_back(stage, second, exports=(first, second)).back.done == []


def test_in_the_cloud_connectors_come_before_what_refers_to_them(stage: Stage) -> None:
    stage.directory.servers, stage.directory.organization = [], False
    stated = {"side": "cloud", "phase": order.CLOUD_CLEAN_UP}
    export = take_away(stage, **stated)
    back = put_back(stage, export, **stated)
    made = [name.split(" ")[0] for name in stage.online.changes]
    assert made.index("New-OutboundConnector") < made.index("New-OnPremisesOrganization")
    assert {item.kind for item in back.restoring.lost} == {"migration_batch", "migration_endpoint"}


def test_a_deleted_application_is_restored_while_entra_has_it(stage: Stage) -> None:
    export = take_away(stage, side="cloud")
    back = put_back(stage, export, side="cloud")
    assert set(stage.graph.applications) == {"a1", "a2"}
    assert [item.kind for item in back.restoring.lost] == ["service_principal_keys"]
    stage.graph.applications.pop("a1")
    with pytest.raises(errors.PartialFailure, match="30 days"):
        put_back(stage, export, side="cloud")


def test_only_the_export_that_was_named_is_read(stage: Stage) -> None:
    export = take_away(stage)
    with pytest.raises(errors.Refused, match="not the export that was named"):
        put_back(stage, Artifact(export.path, "0" * 64, 1))
    with pytest.raises(errors.Refused, match="of the side on_premises, and side is cloud"):
        put_back(stage, export, side="cloud")
    with pytest.raises(errors.Refused, match="of another tenant"):
        put_back(stage, export, tenant_id="fabrikam.com")
    with pytest.raises(errors.InputError, match="cannot be read"):
        put_back(stage, Artifact("/nowhere", "0" * 64, 1))
