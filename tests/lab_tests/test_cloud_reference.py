# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every cmdlet, parameter and Graph property that the lab's code names, judged by Microsoft's reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.cloud import reference
from tests.lab.cloud.exchange import binder, endpoint, named, properties
from tests.lab.cloud.exchange.parameter_sets import SETS
from tests.lab.cloud.graph import csdl, directory, query
from tests.lab.cloud.graph.endpoint import ROUTES
from tests.lab.cloud.wire import Refused
from tests.lab_tests.cloud_support import RULE_SCHEMA, CloudLab, lab

__all__ = ["lab"]

_FOLDER = Path(__file__).resolve().parents[1] / "reference"
CMDLETS: dict[str, Any] = json.loads((_FOLDER / "exchange-cmdlets.json").read_text())["cmdlets"]
GRAPH: dict[str, Any] = json.loads((_FOLDER / "graph-types.json").read_text())


def in_cloud(cmdlet: str) -> set[str]:
    facts = CMDLETS[cmdlet]
    return {
        name for name, parameter in facts["parameters"].items()
        if "cloud" in parameter.get("applies", facts["applies"])
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(endpoint.CMDLETS))
def test_each_cmdlet_and_parameter_exists_in_the_cloud(name: str) -> None:
    assert "cloud" in CMDLETS[name]["applies"]
    honoured = endpoint.CMDLETS[name][1]
    common = {*named.GET_PARAMETERS, "Identity", "Filter", "RecipientTypeDetails", "ResultSize", "Anr"}
    for parameter in honoured or ():
        # Get- cmdlets share one list of honoured parameters; what one of them lacks is refused when bound.
        assert parameter in in_cloud(name) or (name.startswith("Get-") and parameter in common)


@pytest.mark.parametrize("name", sorted(endpoint.CMDLETS))
def test_parameters_that_the_cloud_does_not_have_are_refused(name: str) -> None:
    for parameter in {*CMDLETS[name]["parameters"], "Nothing"} - in_cloud(name):
        with pytest.raises(Refused) as refused:
            binder.bind(name, {parameter: "x"})
        assert f"matches parameter name '{parameter}'" in refused.value.reply.content["error"]["message"]


def test_set_mailbox_names_only_its_own_parameters() -> None:
    assert set(properties.SET_MAILBOX_PARAMETERS) - in_cloud("Set-Mailbox") == set()
    assert len(properties.SET_MAILBOX_PARAMETERS) == len(set(properties.SET_MAILBOX_PARAMETERS))
    types = CMDLETS["Set-Mailbox"]["parameters"]
    assert set(properties.REFERENCES) <= set(properties.SYNCED)
    for name in properties.SIZES:
        assert types[name]["type"] in ("Unlimited", "ByteQuantifiedSize")


@pytest.mark.parametrize("name", sorted(endpoint.CMDLETS))
def test_required_parameters_are_asked_for_or_known_to_have_a_set_of_their_own(name: str) -> None:
    required = {p for p, facts in CMDLETS[name]["parameters"].items() if facts.get("required") and p in in_cloud(name)}
    own = set(binder.OWN_SETS.get(name, ()))
    assert own <= required
    if name in SETS:
        assert {parameter for needed, optional in SETS[name] for parameter in (*needed, *optional)} == in_cloud(name)
        assert required <= {parameter for needed, _optional in SETS[name] for parameter in needed}
        return
    # What stays is needed in every set: an identity, or what makes a new object.
    new = {"Name", "DomainNames", "DomainName", "DiscoveryEndpoint", "TargetAddressDomains", "SenderDomains",
           "HybridDomains", "InboundConnector", "OutboundConnector", "OrganizationGuid"}  # fmt: skip
    domain = {"DomainName"} if "Dnssec" in name else set()
    assert required - own <= {"Identity"} | domain | (new if name.startswith("New-") else set())


def test_roles_name_only_cmdlets_that_act() -> None:
    assert set(endpoint.RECIPIENT_CMDLETS) <= set(endpoint.CMDLETS)


def test_graph_types_of_the_collections_exist() -> None:
    for _unused, type_name in directory.COLLECTIONS.values():
        assert type_name in GRAPH["v1.0"]["types"]
    for type_name, names in query.DEFAULT_PROPERTIES.items():
        assert set(names) <= set(reference.graph_properties(type_name))


def test_what_goes_beyond_the_reference_is_really_beyond_it_and_only_for_partial_types() -> None:
    for type_name, names in reference.beyond_the_part().items():
        entry = GRAPH["v1.0"]["types"][type_name]
        assert entry["kind"] == "entity (part)"
        assert not set(names) & set(entry["properties"])


def test_actions_of_jobs_are_those_of_the_reference() -> None:
    for action in ("start", "pause", "restart", "validateCredentials", "provisionOnDemand"):
        assert f"synchronizationJob/{action}" in GRAPH["v1.0"]["actions"]
        assert any(route.pattern.match(f"/servicePrincipals/x/synchronization/jobs/y/{action}") for route in ROUTES)
    assert not any(route.pattern.match("/servicePrincipals/x/synchronization/jobs/y/stop") for route in ROUTES)


def test_the_test_schema_fits_its_type_and_a_wrong_one_does_not() -> None:
    csdl.check(RULE_SCHEMA, "synchronizationSchema", "v1.0")
    for path, value in (
        (("version",), 1),
        (("nothing",), 1),
        (("synchronizationRules", 0, "priority"), "1"),
        (("synchronizationRules", 0, "editable"), None),
        (("synchronizationRules", 0, "objectMappings", 0, "flowTypes"), "Update,Grow"),
        (("synchronizationRules", 0, "objectMappings", 0, "attributeMappings", 0, "flowType"), "Sometimes"),
        (("synchronizationRules", 0, "objectMappings", 0, "attributeMappings", 0, "source", "kind"), "x"),
        (("directories",), {}),
    ):
        broken = json.loads(json.dumps(RULE_SCHEMA))
        at = broken
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        with pytest.raises(csdl.Mismatch):
            csdl.check(broken, "synchronizationSchema", "v1.0")


def test_answers_hold_only_properties_of_their_types(lab: CloudLab) -> None:
    for path, type_name in (
        ("/v1.0/servicePrincipals", "servicePrincipal"),
        ("/v1.0/applications", "application"),
        ("/v1.0/organization", "organization"),
        ("/v1.0/users?$select=id,onPremisesImmutableId,onPremisesExtensionAttributes", "user"),
        ("/beta/onPremisesPublishingProfiles('provisioning')/agents", "onPremisesAgent"),
        ("/beta/onPremisesPublishingProfiles('provisioning')/agentGroups", "onPremisesAgentGroup"),
    ):
        version = path.split("/")[1]
        reply = lab.graph("GET", path)
        assert reply.status == 200, reply.content
        assert reply.content["value"]
        for row in reply.content["value"]:
            csdl.check({k: v for k, v in row.items() if v is not None}, type_name, version)
