# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that the far ends of the cloud can send must exist in Microsoft's reference."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import directory_users, synchronization
from ansible_collections.hybrid.exchange.plugins.module_utils._job import cycle, quarantine
from ansible_collections.hybrid.exchange.plugins.module_utils._job.settings import Settings
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import merge, rule, source
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets, windows_cmdlets

REFERENCE = Path(__file__).parents[2] / "reference"
CMDLETS = json.loads((REFERENCE / "exchange-cmdlets.json").read_text())["cmdlets"]
GRAPH = json.loads((REFERENCE / "graph-types.json").read_text())
TYPES = GRAPH["v1.0"]["types"]
UTILS = Path(rule.__file__).parents[1]
# The reference names the types of these parameters, but does not hold the types; from Graph's own pages.
UNLISTED = {
    "synchronizationJobRestartCriteria": {"resetScope"},
    "synchronizationJobApplicationParameters": {"subjects", "ruleId"},
    "synchronizationJobSubject": {"objectId", "objectTypeName"},
}
RESET_SCOPES = {"None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"}
# Parts of paths that are no type's property: collections at the root, and what is documented on pages only.
ROOTS = {
    "users",
    "groups",
    "organization",
    "applications",
    "servicePrincipals",
    "applicationTemplates",
    "auditLogs",
    "provisioning",
}
PAGES_ONLY = {"transitiveMembers"}


def cmdlets_in_code() -> Iterator[tuple[str, str, set[str]]]:
    """File, cmdlet and literal parameters of every Cmdlet(...) in module_utils, and what Mailboxes.set adds.

    Not those that go to Windows hosts, which have a test of their own.
    """
    for path in sorted(UTILS.rglob("*.py")):
        if {"_agent", "powershell"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Cmdlet"
                and node.args
            ):
                name = node.args[0]
                keys = node.args[1].keys if len(node.args) > 1 and isinstance(node.args[1], ast.Dict) else []
                literal = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
                if isinstance(name, ast.Constant) and not _elsewhere(path, str(name.value)):
                    yield path.name, str(name.value), literal


def _elsewhere(path: Path, name: str) -> bool:
    """Whether a cmdlet goes to a Windows host or to Exchange Server, which have tests of their own.

    Of those that both sides have, what the decommission sends to Exchange Online is checked by its tests' fakes.
    """
    return name in windows_cmdlets.CMDLETS or ("_decommission" in path.parts and name in exchange_cmdlets.CMDLETS)


FOUND = list(cmdlets_in_code())


def test_the_search_finds_cmdlets() -> None:
    assert {"Get-Mailbox", "Set-Mailbox"} <= {name for _file, name, _parameters in FOUND}


@pytest.mark.parametrize(("file", "name", "parameters"), FOUND, ids=str)
def test_every_cmdlet_and_parameter_exists_in_the_cloud(file: str, name: str, parameters: set[str]) -> None:
    cmdlet = CMDLETS[name]
    assert "cloud" in cmdlet["applies"], file
    for parameter in parameters:
        known = cmdlet["parameters"][parameter]
        assert "cloud" in known.get("applies", cmdlet["applies"]), (file, name, parameter)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Get-Mailbox", {"Identity", "ResultSize", "Filter"}),
        ("Get-Recipient", {"Identity"}),
        ("Set-Mailbox", {"Identity", "IsExchangeCloudManaged"}),
    ],
)
def test_what_is_put_together_at_run_time_exists(name: str, parameters: set[str]) -> None:
    assert parameters <= set(CMDLETS[name]["parameters"])


def test_every_cmdlet_name_in_the_far_ends_exists() -> None:
    pattern = re.compile(r'"((?:Get|Set|New|Remove|Enable|Disable)-[A-Z][A-Za-z]+)"')
    names = {name for path in (UTILS / "_cloud").rglob("*.py") for name in pattern.findall(path.read_text())}
    assert names
    assert names <= set(CMDLETS)


def properties(*types: str) -> set[str]:
    return set().union(*(set(TYPES[name]["properties"]) for name in types)) | {"id"}


@pytest.mark.parametrize(
    ("select", "type_name"),
    [
        (directory_users.USER_SELECT, "user"),
        (directory_users.MEMBER_SELECT, "user"),
        (synchronization.SERVICE_PRINCIPAL_SELECT, "servicePrincipal"),
    ],
)
def test_selected_properties_exist(select: str, type_name: str) -> None:
    assert set(select.split(",")) <= properties(type_name)


def literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_part_of_a_graph_path_exists() -> None:
    known = ROOTS | PAGES_ONLY
    for version in ("v1.0", "beta"):
        known |= {name.rpartition("/")[2] for name in GRAPH[version]["actions"]}
        for described in GRAPH[version]["types"].values():
            known |= set(described.get("properties", {}))
    checked = 0
    for name in ("synchronization.py", "directory_users.py"):
        for text in literals(UTILS / "_cloud" / name):
            if text.startswith("/"):
                for part in text.split("/"):
                    if part and not part.startswith("onPremisesPublishingProfiles"):
                        assert part in known, (name, text)
                        checked += 1
    assert checked > 15


def test_bodies_of_actions_have_the_parameters_of_the_reference() -> None:
    actions = GRAPH["v1.0"]["actions"]
    assert set(actions["synchronizationJob/restart"]["parameters"]) == {"criteria"}
    assert set(actions["synchronizationJob/provisionOnDemand"]["parameters"]) == {"parameters"}
    assert "displayName" in actions["applicationTemplate/instantiate"]["parameters"]
    assert "templateId" in properties("synchronizationJob")
    for name in actions["synchronizationJob/restart"]["parameters"].values():
        assert name in UNLISTED


def test_restart_scopes_exist() -> None:
    assert set(cycle.RESETS.values()) <= RESET_SCOPES - {"None", "ConnectorDataStore"}


def test_secrets_exist() -> None:
    assert set(Settings("contoso.lab").secrets()) <= set(TYPES["synchronizationSecret"]["members"])


def test_mappings_have_the_properties_and_words_of_the_reference() -> None:
    assert {"targetAttributeName", "source", *merge.DEFAULTS} <= properties("attributeMapping")
    assert set(rule.FLOW_TYPES) == set(TYPES["attributeFlowType"]["members"])
    assert set(rule.FLOW_BEHAVIORS) == set(TYPES["attributeFlowBehavior"]["members"])
    assert {source.ATTRIBUTE, source.CONSTANT, source.FUNCTION} == set(TYPES["attributeMappingSourceType"]["members"])
    assert set(source.from_expression('Append([a], "b")')) <= properties("attributeMappingSource")
    pair: dict[str, Any] = source.from_expression('Append([a], "b")')["parameters"][0]
    assert set(pair) == set(TYPES["stringKeyAttributeMappingSourceValuePair"]["properties"])


def test_scopes_have_the_properties_of_the_reference() -> None:
    assert {"containerFilter", "groupFilter", "objectMappings"} <= properties("synchronizationRule")
    assert "includedContainers" in TYPES["containerFilter"]["properties"]
    assert "includedGroups" in TYPES["groupFilter"]["properties"]


def test_every_reason_of_quarantine_is_explained() -> None:
    assert set(quarantine.REASONS) == set(TYPES["quarantineReason"]["members"])


def test_the_module_offers_what_a_rule_knows() -> None:
    from ansible_collections.hybrid.exchange.plugins.modules import writeback_mapping

    options = writeback_mapping.SPEC.options["mappings"]["options"]
    assert set(options) == set(rule.FILE_KEYS)
    assert tuple(options["flow_type"]["choices"]) == rule.FLOW_TYPES
    assert tuple(options["flow_behavior"]["choices"]) == rule.FLOW_BEHAVIORS
