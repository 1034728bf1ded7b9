# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that may be sent to Exchange Server must exist in Microsoft's reference, and apply on premises."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import read_cloud
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.exchange_cmdlet_table import CMDLETS, Known

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/exchange-cmdlets.json").read_text())["cmdlets"]
UTILS = Path(exchange_cmdlets.__file__).parents[1]
# What it changes is the session itself.
OF_THE_SESSION = {"Set-ADServerSettings"}


def parameters(name: str, side: str) -> dict[str, str]:
    described = REFERENCE[name]
    return {
        parameter: about["type"]
        for parameter, about in described["parameters"].items()
        if side in about.get("applies", described["applies"])
    }


@pytest.mark.parametrize(("name", "known"), CMDLETS.items(), ids=str)
def test_every_cmdlet_and_parameter_exists_with_its_type(name: str, known: Known) -> None:
    assert "on-premises" in REFERENCE[name]["applies"]
    there = parameters(name, "on-premises")
    assert {parameter: there.get(parameter) for parameter in known.parameters} == dict(known.parameters)
    assert known.changes != (name.startswith("Get-") or name in OF_THE_SESSION)
    if known.changes and "Confirm" in there:
        assert "Confirm" in known.parameters, "nobody is there to answer a question"


def test_nothing_can_be_sent_that_takes_a_user_or_his_cloud_mailbox_away() -> None:
    assert not {"Remove-Mailbox", "Disable-RemoteMailbox", "Remove-RemoteMailbox", "Remove-User"} & set(CMDLETS)
    for path in (UTILS / "_decommission").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Cmdlet" and node.args:
                assert "Remove-Mailbox" not in ast.unparse(node.args[0]) or "Database" in ast.unparse(node.args[0])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("Remove-Mailbox", {"Identity": "anna"}),
        ("Get-Mailbox", {"Server": True}),
        ("Get-Mailbox", {"Archive": "yes"}),
        ("Get-Mailbox", {"Archive": None}),
        ("Get-Mailbox", {"Nothing": "x"}),
        ("Get-Mailbox", {"RecipientTypeDetails": "UserMailbox"}),
        ("Set-ReceiveConnector", {"Identity": "x", "MaxHopCount": "3"}),
    ],
)
def test_what_is_not_in_the_table_is_refused(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=name):
        exchange_cmdlets.check([Cmdlet(name, given)])
    with pytest.raises(InputError):
        exchange_cmdlets.check([])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("Get-Mailbox", {"ResultSize": "Unlimited", "Archive": True, "RecipientTypeDetails": ["UserMailbox"]}),
        ("Get-Mailbox", {"ResultSize": 5}),
        ("Set-ReceiveConnector", {"Identity": "x", "TlsDomainCapabilities": {"Remove": ["a"]}, "MaxHopCount": 3}),
        ("Set-ClientAccessService", {"Identity": "EX01", "AutoDiscoverServiceInternalUri": None}),
    ],
)
def test_what_is_in_the_table_may_be_sent(name: str, given: dict[str, Any]) -> None:
    exchange_cmdlets.check([Cmdlet(name, given)])
    assert exchange_cmdlets.changes([Cmdlet(name)]) == name.startswith("Set-")


def test_what_the_gates_ask_exchange_online_exists_in_the_cloud() -> None:
    checked = 0
    for node in ast.walk(ast.parse(Path(read_cloud.__file__).read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Cmdlet"):
            continue
        name = ast.literal_eval(node.args[0])
        keys = node.args[1].keys if isinstance(node.args[1], ast.Dict) else []
        assert name.startswith("Get-")
        assert {ast.literal_eval(key) for key in keys if key} <= set(parameters(name, "cloud")), name
        checked += 1
    assert checked >= 10
