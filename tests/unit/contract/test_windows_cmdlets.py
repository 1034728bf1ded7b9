# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that may be sent to a Windows host must exist in Microsoft's reference."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets, windows_cmdlets

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/powershell-cmdlets.json").read_text())["cmdlets"]
# Cmdlets of Exchange Online have a test of their own.
EXCHANGE = json.loads((Path(__file__).parents[2] / "reference/exchange-cmdlets.json").read_text())["cmdlets"]
CLOUD = {name for name, cmdlet in EXCHANGE.items() if "cloud" in cmdlet["applies"]}
UTILS = Path(windows_cmdlets.__file__).parents[1]
SENDERS = sorted(path for name in ("_agent", "_decommission", "_run") for path in (UTILS / name).rglob("*.py"))
NAME = re.compile(r"(Add|Connect|Copy|Get|Import|Invoke|New|Remove|Restart|Select|Set|Start|Stop|Test)-[A-Z]\w+")
READING = ("Get-", "Test-", "Select-", "Import-")


@pytest.mark.parametrize(("name", "known"), windows_cmdlets.CMDLETS.items(), ids=str)
def test_every_cmdlet_and_parameter_exists_with_its_type(name: str, known: windows_cmdlets.Known) -> None:
    reference = REFERENCE[name]["parameters"]
    assert {parameter: reference[parameter]["type"] for parameter in known.parameters} == dict(known.parameters)
    required = {parameter for parameter, described in reference.items() if described.get("required")}
    assert required <= set(known.parameters)
    assert known.changes != name.startswith(READING)


def test_the_use_case_sends_what_is_in_the_table_and_the_table_has_no_more() -> None:
    used = set()
    for path in SENDERS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Cmdlet" and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    used.add(name.value)
                elif path.parent.name == "_agent":
                    used.add(product.DOMAINS_CMDLET)
    assert used - set(exchange_cmdlets.CMDLETS) - CLOUD == set(windows_cmdlets.CMDLETS)


def test_words_of_parameters_exist() -> None:
    assert set(product.PERMISSION_TYPES) == set(
        REFERENCE["Set-AADCloudSyncPermissions"]["parameters"]["PermissionType"]["values"]
    )
    assert "Automatic" in REFERENCE["Set-Service"]["parameters"]["StartupType"]["values"]


def test_cmdlets_named_in_texts_exist_too() -> None:
    elsewhere = {"Add-KdsRootKey", "New-ADServiceAccount"}
    for path in SENDERS:
        if path.parent.name != "_agent":
            continue  # their texts name cmdlets of Exchange
        for match in NAME.finditer(path.read_text("utf-8")):
            assert match[0] in REFERENCE or match[0] in elsewhere, (path.name, match[0])
