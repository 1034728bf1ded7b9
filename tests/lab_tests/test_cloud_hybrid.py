# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid set-up in Exchange Online: the story's objects, their cmdlets, there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import hybrid_facts as facts
from tests.lab.cloud.exchange import endpoint
from tests.lab.cloud.exchange.kinds import ASSUMED, KINDS
from tests.lab_tests.cloud_support import CloudLab, exception, lab
from tests.lab_tests.hybrid_support import INBOUND, OUTBOUND, RELATIONSHIP, STORY, names, row, rows

__all__ = ["lab"]

_FOLDER = Path(__file__).resolve().parents[1] / "reference"
CMDLETS: dict[str, Any] = json.loads((_FOLDER / "exchange-cmdlets.json").read_text())["cmdlets"]
# Parameters that tell a cmdlet what to do, and are no properties of the object.
_NO_PROPERTIES = {"Identity", "Confirm", "WhatIf", "Force", "Partition", "SkipVerification", "Credentials"}


# -- the story -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", sorted(STORY))
def test_each_kind_has_the_wizards_object_and_one_that_looks_like_it(lab: CloudLab, noun: str) -> None:
    own, other = STORY[noun]
    found = names(lab, noun)
    assert own in found
    assert other is None or other in found


@pytest.mark.parametrize("noun", sorted(KINDS))
def test_objects_carry_the_properties_that_the_pages_name(lab: CloudLab, noun: str) -> None:
    known = {"id", "Identity", "Name", "Guid"}
    for verb in ("New", "Set"):
        cmdlet = CMDLETS.get(f"{verb}-{noun}")
        if cmdlet is None or f"{verb}-{noun}" not in endpoint.CMDLETS:
            continue
        for parameter, about in cmdlet["parameters"].items():
            if "cloud" in about.get("applies", cmdlet["applies"]):
                known.add(parameter)
    # What no page names is told in one place.
    beyond = {name for name in KINDS[noun].defaults if name not in known}
    assert not beyond or any(key.startswith(noun) for key in ASSUMED), beyond
    for one in rows(lab, f"Get-{noun}"):
        assert all(name[0].isupper() for name in one)


def test_the_modern_tenant_is_published_by_its_agent(lab: CloudLab) -> None:
    [organization] = rows(lab, "Get-OnPremisesOrganization", "fabrikam")
    [relationship] = rows(
        lab, "Get-OrganizationRelationship", "fabrikam", Identity=organization["OrganizationRelationship"]
    )
    application = facts.agent_application("fabrikam")
    assert relationship["TargetSharingEpr"].endswith(f"?appId={application}")
    [migration] = rows(
        lab, "Get-MigrationEndpoint", "fabrikam", Identity="Hybrid Migration Endpoint - EWS (Default Web Site)"
    )
    assert migration["RemoteServer"].startswith(f"{application}.resource.mailboxmigration")
    assert rows(lab, "Get-OrganizationRelationship", Identity=RELATIONSHIP)[0]["TargetSharingEpr"] is None


def test_the_on_premises_organization_names_objects_that_are_there(lab: CloudLab) -> None:
    [found] = rows(lab, "Get-OnPremisesOrganization")
    for name in ("InboundConnector", "OutboundConnector", "OrganizationRelationship"):
        assert row(lab, name, found[name])["Name"] == found[name]


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", sorted(STORY))
def test_an_object_is_found_by_name_guid_and_dn(lab: CloudLab, noun: str) -> None:
    found = row(lab, noun, STORY[noun][0].upper())
    assert row(lab, noun, found["Guid"]) == row(lab, noun, found["DistinguishedName"]) == found
    assert len(rows(lab, f"Get-{noun}", Identity=None)) == len(rows(lab, f"Get-{noun}"))  # as the pages warn
    missing = lab.exo(f"Get-{noun}", Identity="nothing")
    assert (missing.status, exception(missing)) == (404, "ManagementObjectNotFoundException")


def test_result_size_limits_and_tells(lab: CloudLab) -> None:
    reply = lab.exo("Get-RemoteDomain", ResultSize=1)
    assert len(reply.content["value"]) == 1
    assert "more results available" in reply.content["@adminapi.warnings"][0]
    assert "@adminapi.warnings" not in lab.exo("Get-RemoteDomain", ResultSize="Unlimited").content


def test_endpoints_by_type(lab: CloudLab) -> None:
    assert [one["Name"] for one in rows(lab, "Get-MigrationEndpoint", Type="IMAP")] == ["Archive import (IMAP)"]
    assert lab.exo("Get-MigrationEndpoint", Type="Pigeon").status == 400
    assert lab.exo("Get-MigrationEndpoint", Type="IMAP", Identity="x").status == 400


def test_connectors_in_test_mode_show_only_when_asked_for(lab: CloudLab) -> None:
    lab.exo("Set-OutboundConnector", Identity="To Northwind (TLS)", TestMode=True)
    assert names(lab, "OutboundConnector") == [OUTBOUND]
    assert len(rows(lab, "Get-OutboundConnector", IncludeTestModeConnectors=True)) == 2


# -- there and back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", sorted(STORY))
def test_what_is_removed_is_gone_and_the_rest_stays(lab: CloudLab, noun: str) -> None:
    own, _other = STORY[noun]
    before = names(lab, noun)
    assert lab.exo(f"Remove-{noun}", Identity=own, Confirm=False, WhatIf=True).status == 200
    assert names(lab, noun) == before
    assert lab.exo(f"Remove-{noun}", Identity=own, Confirm=False).status == 200
    assert names(lab, noun) == [name for name in before if name != own]
    again = lab.exo(f"Remove-{noun}", Identity=own, Confirm=False)
    assert (again.status, exception(again)) == (404, "ManagementObjectNotFoundException")


@pytest.mark.parametrize("noun", sorted(STORY))
def test_an_export_puts_the_object_back(lab: CloudLab, noun: str) -> None:
    own, _other = STORY[noun]
    before = row(lab, noun, own)
    new, set_ = f"New-{noun}", f"Set-{noun}"
    accepted = {name for verb in (new, set_) if verb in endpoint.CMDLETS for name in _cloud_parameters(verb)}
    given = {
        name: value
        for name, value in before.items()
        if name in _cloud_parameters(new) - _NO_PROPERTIES and value not in (None, [], "")
    }
    if noun == "MigrationEndpoint":
        given |= {"ExchangeRemoteMove": True}
        given.pop("Authentication")
    assert lab.exo(f"Remove-{noun}", Identity=own, Confirm=False).status == 200
    made = lab.exo(new, **given)
    assert made.status == 200, made.content
    later = {name: value for name, value in before.items() if name in accepted - set(given) - _NO_PROPERTIES and value}
    later = {name: value for name, value in later.items() if made.content["value"][0].get(name) != value}
    if later and set_ in endpoint.CMDLETS and set(later) <= _cloud_parameters(set_):
        assert lab.exo(set_, Identity=own, **later).status == 200
    after = row(lab, noun, own)
    beside = {"Guid", "WhenCreated", "WhenCreatedUTC", "WhenChanged", "WhenChangedUTC", "IsValidated", "Username"}
    beside |= {"LastValidationTimestamp", "Description", "Authentication"}
    assert {name: value for name, value in after.items() if name not in beside} == {
        name: value for name, value in before.items() if name not in beside
    }


def _cloud_parameters(cmdlet: str) -> set[str]:
    facts_ = CMDLETS[cmdlet]
    return {name for name, one in facts_["parameters"].items() if "cloud" in one.get("applies", facts_["applies"])}


def test_lists_are_edited(lab: CloudLab) -> None:
    edit = {"@odata.type": "#Exchange.GenericHashTable", "Add": ["198.51.100.7"], "Remove": ["192.0.2.10"]}
    assert lab.exo("Set-InboundConnector", Identity="From mail gateway", SenderIPAddresses=edit).status == 200
    assert row(lab, "InboundConnector", "From mail gateway")["SenderIPAddresses"] == ["192.0.2.11", "198.51.100.7"]


def test_a_change_that_changes_nothing_is_told(lab: CloudLab) -> None:
    name = STORY["IntraOrganizationConnector"][0]
    assert "@adminapi.warnings" not in lab.exo("Set-IntraOrganizationConnector", Identity=name, Enabled=False).content
    assert row(lab, "IntraOrganizationConnector", name)["Enabled"] is False
    again = lab.exo("Set-IntraOrganizationConnector", Identity=name, Enabled=False)
    assert "no settings of" in again.content["@adminapi.warnings"][0]


def test_renaming(lab: CloudLab) -> None:
    assert lab.exo("Set-RemoteDomain", Identity="Northwind", Name="Northwind Traders").status == 200
    assert row(lab, "RemoteDomain", "Northwind Traders")["Identity"] == "Northwind Traders"


def test_a_tenant_sees_only_its_own(lab: CloudLab) -> None:
    assert lab.exo("Get-InboundConnector", tenant="fabrikam", Identity=INBOUND).status == 404


def test_writes_are_in_the_log(lab: CloudLab) -> None:
    lab.exo("Remove-InboundConnector", Identity=INBOUND, Confirm=False)
    lab.exo("Remove-OutboundConnector", Identity=OUTBOUND, WhatIf=True)
    assert [one["cmdlet"] for one in lab.store.requests(writes=True)] == ["Remove-InboundConnector"]
