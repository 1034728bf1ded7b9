# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exchange_server and hybrid_configuration through their real main(), on far ends in memory."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import connect as cloud
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import kind as hybrid_kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import kinds as hybrid_kinds
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets, exchange_online_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import connect as on_premises
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import connect as remoting

from tests.unit.decommission.cloud_reference import REFERENCE
from tests.unit.decommission.setup_fakes import ServerStage

PLUGINS = "ansible_collections.hybrid.exchange.plugins"
SECRETS = ("windows-secret", "exchange-secret", "ldap-secret", "setup-secret", "agent-secret")
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def here(tmp_path: Path) -> ServerStage:
    return ServerStage(tmp_path)


@pytest.fixture
def call(here: ServerStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    here.online.warnings = ()  # type: ignore[attr-defined]  # what the module reads at its end
    for end in (here.server, here.host):
        end.warnings = ()  # type: ignore[attr-defined]  # what the module reads at its end
        end.streams = {}  # type: ignore[attr-defined]  # what the module reads at its end
    here.directory.close = lambda: None  # type: ignore[attr-defined]  # what the module reads at its end
    ends = SimpleNamespace(exchange=here.online, graph=here.graph, clock=here.clock, statistics=lambda: {"requests": 1})
    monkeypatch.setattr(cloud, "connect", lambda params: ends)
    monkeypatch.setattr(remoting, "connect_windows", lambda params: here.host)
    monkeypatch.setattr(remoting, "connect_exchange_server", lambda params: here.server)
    monkeypatch.setattr(on_premises, "connect_directory", lambda params: here.directory)
    module = importlib.import_module(f"{PLUGINS}.modules.exchange_server")
    monkeypatch.setattr(module, "connect_windows", lambda params: here.host)

    def run(name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        module = importlib.import_module(f"{PLUGINS}.modules.{name}")
        args = {
            "tenant_id": "contoso.com",
            "client_id": "app",
            "windows_host": "ex01",
            "windows_user": "CONTOSO\\admin",
            "windows_password": SECRETS[0],
            "exchange_server_host": "ex01",
            "exchange_server_user": "CONTOSO\\admin",
            "exchange_server_password": SECRETS[1],
            "directory_hosts": ["dc1"],
            "directory_user": "u",
            "directory_password": SECRETS[2],
            "artifact_dir": str(here.directory_for_artifacts),
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            **options,
        }
        with patch_module_args(args), pytest.raises(SystemExit):
            module.main()
        output = capsys.readouterr().out
        for secret in SECRETS:
            assert secret not in output
        return dict(json.loads(output.splitlines()[-1]))

    return run


def readiness(here: ServerStage) -> dict[str, str]:
    path, sha256 = here.ready(order.UNINSTALL)
    return {"readiness": path, "readiness_sha256": sha256}


def test_check_mode_announces_what_a_run_does_and_a_second_run_changes_nothing(here: ServerStage, call: Call) -> None:
    stated = {"server": "EX01", "confirm": "uninstall EX01", "poll_interval": 1, "wait_timeout": 5}
    planned = call("exchange_server", check=True, **stated)
    assert planned["changed"]
    assert "decommission_readiness_info" in planned["refused"][0]
    assert here.host.started == []
    done = call("exchange_server", **stated, **readiness(here), setup_user="CONTOSO\\s", setup_password=SECRETS[3])
    assert not done.get("failed"), done
    assert [step["line"] for step in done["steps"]] == [step["line"] for step in planned["steps"]]
    assert len(done["diff"]) == 6
    assert not done["last_server"]
    again = call("exchange_server", **stated)
    assert not again["changed"]
    assert again["counts"] == {"steps": 0, "blockers": 0}


@pytest.mark.parametrize("word", ["", "yes", "uninstall EX02", "Uninstall EX01", "uninstall ex01"])
def test_the_explicit_word_must_be_exact(here: ServerStage, call: Call, word: str) -> None:
    refused = call("exchange_server", server="EX01", confirm=word, **readiness(here))
    assert refused["failed"]
    assert "confirm must be exactly 'uninstall EX01'" in refused["msg"]
    assert here.host.started == []


@pytest.mark.parametrize("server", ["EX01.contoso.lab", "*", ""])
def test_a_server_is_named_as_exchange_knows_it(call: Call, server: str) -> None:
    refused = call("exchange_server", server=server, confirm=f"uninstall {server}")
    assert "server must be the name of one server" in refused["msg"]


def test_setup_runs_for_nothing_else(call: Call) -> None:
    refused = call("exchange_server", server="EX01", confirm="uninstall EX01", setup_arguments=["/mode:Upgrade"])
    assert "this module runs Setup for nothing else" in refused["msg"]


def test_without_a_readiness_it_is_refused(here: ServerStage, call: Call) -> None:
    refused = call("exchange_server", server="EX01", confirm="uninstall EX01")
    assert "This needs the readiness of the phase uninstall" in refused["msg"]
    path, sha256 = here.ready(order.CLEAN_UP)
    refused = call("exchange_server", server="EX01", confirm="uninstall EX01", readiness=path, readiness_sha256=sha256)
    assert "it is of the phase clean_up, not uninstall" in refused["msg"]


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"side": "on_premises", "kinds": ["inbound_connector"]}, "not among the kinds of the side on_premises"),
        ({"side": "on_premises", "steps": ["remove_inbound_connector"]}, "is not a step of the side on_premises"),
        ({"side": "on_premises", "phase": "cloud_clean_up"}, "There is nothing to do on the side on_premises"),
        ({"side": "cloud", "also": [{"kind": "x", "identity": "y"}]}, "also: there is no kind 'x'"),
        ({"side": "cloud", "also": [{"kind": "remote_domain", "identity": "*"}]}, "the whole name of one object"),
        ({"side": "cloud", "keep": [{"kind": "remote_domain", "reason": " "}]}, "has no reason"),
        ({"side": "cloud", "auth_certificates": ["x"]}, "is not a thumbprint"),
        ({"side": "cloud", "soak_minutes": -1}, "soak_minutes must not be negative"),
    ],
)
def test_wrong_options_are_told(call: Call, stated: dict[str, Any], words: str) -> None:
    refused = call("hybrid_configuration", **stated)
    assert refused["failed"]
    assert words in refused["msg"]


def test_hybrid_configuration_says_what_it_would_do(here: ServerStage, call: Call) -> None:
    shown = call(
        "hybrid_configuration",
        check=True,
        side="cloud",
        phase="clean_up",
        soak_minutes=0,
        organization_guid="11111111-2222-3333-4444-555555555555",
        auth_certificates=["AA" * 20],
        hybrid_agent_user="u",
        hybrid_agent_password=SECRETS[4],
    )
    assert [step["step"] for step in shown["steps"]] == [
        "disable_cloud_intra_organization_connector",
        "remove_service_principal_keys",
        "remove_hybrid_application",
    ]
    assert all({"line", "reason", "source", "reversible"} <= set(step) for step in shown["steps"])
    assert here.graph.patches == []


@pytest.mark.parametrize("name", ["exchange_server", "hybrid_configuration"])
def test_the_documentation_has_the_options_of_the_specification(name: str) -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    docs = yaml.safe_load(module.DOCUMENTATION)
    options = dict(docs["options"])
    for fragment in docs["extends_documentation_fragment"]:
        part = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment.rpartition('.')[2]}")
        options |= yaml.safe_load(part.ModuleDocFragment.DOCUMENTATION)["options"]
    assert set(options) == set(module.SPEC.options)
    keys = ("type", "elements", "required", "default", "choices")
    for option, stated in module.SPEC.options.items():
        told = {key: options[option][key] for key in keys if key in options[option]}
        assert told == {key: stated[key] for key in keys if key in stated}, option


def test_kinds_in_the_documentation_are_those_of_the_order() -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.hybrid_configuration")
    text = " ".join(yaml.safe_load(module.DOCUMENTATION)["options"]["kinds"]["description"])
    for phase, side in (
        (order.CLEAN_UP, order.ON_PREMISES),
        (order.CLEAN_UP, order.CLOUD),
        (order.CLOUD_CLEAN_UP, order.CLOUD),
    ):
        for kind in order.kinds(phase, side):
            assert f"V({kind})" in text
            assert (side, kind) in hybrid_kinds.KINDS


@pytest.mark.parametrize(("name", "parameters"), exchange_online_cmdlets.PARAMETERS.items())
def test_parameters_of_the_cloud_are_those_of_the_reference(name: str, parameters: dict[str, str]) -> None:
    reference = REFERENCE[name]
    for parameter, kind in parameters.items():
        known = reference["parameters"][parameter]
        assert known["type"] == kind
        assert "cloud" in known.get("applies", reference["applies"])


@pytest.mark.parametrize("kind", hybrid_kinds.KINDS.values(), ids=lambda kind: f"{kind.side}-{kind.name}")
def test_what_makes_an_object_again_may_be_sent(kind: hybrid_kind.Kind) -> None:
    for name in filter(None, (kind.get, kind.make, kind.alter)):
        applies = REFERENCE[name]["applies"]
        assert ("cloud" if kind.side == order.CLOUD else "on-premises") in applies
        if kind.side != order.CLOUD:
            assert name in exchange_cmdlets.CMDLETS
        elif name != kind.get:
            assert name in exchange_online_cmdlets.PARAMETERS
