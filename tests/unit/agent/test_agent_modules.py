# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sync_agent and sync_agent_info through their real main(), on a server in memory."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from agent_fakes import DOMAIN, HASH, SETUP, Stage, stage
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import connect as cloud
from ansible_collections.hybrid.exchange.plugins.module_utils._module import arguments
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import connect as on_premises
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import connect as remoting

PLUGINS = "ansible_collections.hybrid.exchange.plugins"
SECRETS = ("windows-secret", "cloud-secret", "forest-secret", "ldap-secret", "signature=abc")
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def here() -> Stage:
    return stage()


@pytest.fixture
def call(here: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    ends = SimpleNamespace(
        synchronization=here.graph,
        clock=here.clock,
        exchange=SimpleNamespace(warnings=()),
        statistics=lambda: {"requests": 1},
    )
    monkeypatch.setattr(cloud, "connect", lambda params: ends)
    monkeypatch.setattr(remoting, "connect_windows", lambda params: here.host)
    here.forest.close = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setattr(on_premises, "connect_directory", lambda params: here.forest)

    def run(name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        module = importlib.import_module(f"{PLUGINS}.modules.{name}")
        args = {
            "tenant_id": "contoso",
            "client_id": "app",
            "windows_host": "sync1",
            "windows_user": "CONTOSO\\svc",
            "windows_password": SECRETS[0],
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            "directory_hosts": ["dc1"],
            "directory_user": "u",
            "directory_password": SECRETS[3],
            **options,
        }
        if name == "sync_agent_info":
            args = {key: value for key, value in args.items() if not key.startswith("directory_")}
        with patch_module_args(args), pytest.raises(SystemExit):
            module.main()
        output = capsys.readouterr().out
        for secret in SECRETS:
            assert secret not in output
        return dict(json.loads(output.splitlines()[-1]))

    return run


AGENT = {
    "domain": DOMAIN,
    "installer": {"path": SETUP, "sha256": HASH},
    "registration_user": "admin@contoso.onmicrosoft.com",
    "registration_password": SECRETS[1],
    "domain_admin_user": "CONTOSO\\Administrator",
    "domain_admin_password": SECRETS[2],
}


def test_check_mode_announces_what_a_run_does_and_a_second_run_changes_nothing(here: Stage, call: Call) -> None:
    planned = call("sync_agent", check=True, **AGENT)
    assert planned["changed"]
    assert here.host.names == []
    done = call("sync_agent", **AGENT)
    assert (done["steps"], done["diff"], done["changed"]) == (planned["steps"], planned["diff"], True)
    assert done["after"]["registered"] == "active"
    assert (done["version"], done["agents"]) == ("1.1.2102.0", ["sync1.contoso.lab"])
    assert {row["verdict"] for row in done["prerequisites"]} == {"passed"}
    again = call("sync_agent", **AGENT)
    assert not again["changed"]
    assert again["steps"] == again["prerequisites"] == []
    assert "diff" not in again


def test_a_failure_says_what_was_done(here: Stage, call: Call) -> None:
    here.host.service_starts = False
    failed = call("sync_agent", **AGENT)
    assert failed["failed"]
    assert failed["changed"]
    assert failed["steps_done"] == ["install", "connect", "set_gmsa", "add_domain"]
    assert failed["left"][0] in failed["msg"]


def test_what_the_server_said_is_in_the_result_of_success_and_of_failure(here: Stage, call: Call) -> None:
    here.host.streams = {"verbose": tuple(f"step {number}" for number in range(30)), "progress": ("Copying (100 %)",)}
    told = {"verbose": [f"step {number}" for number in range(28, 30)], "progress": ["Copying (100 %)"]}
    here.host.service_starts = False
    failed = call("sync_agent", **AGENT, report_limit=2)
    assert (failed["failed"], failed["windows_streams"]) == (True, told)
    assert call("sync_agent_info", domain=DOMAIN, report_limit=2)["windows_streams"] == told
    assert "windows_streams" not in call("sync_agent_info", domain=DOMAIN, report_limit=0)
    here.host.service_starts = True
    assert call("sync_agent", **AGENT, report_limit=2)["windows_streams"] == told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"registration_user": None, "registration_password": None}, "set registration to by_hand"),
        ({"gmsa": "svc-sync"}, "with its dollar sign"),
        ({"domain": "contoso"}, "must be the DNS name"),
        ({"minimum_version": "new"}, "minimum_version must be a version"),
        ({"installer": {"path": r"\\files\x.exe"}}, "give a network path as installer.share"),
        ({"installer": {"share": r"C:\x.exe"}}, "must begin with two backslashes"),
        ({"installer": {"url": "http://x/y.exe?signature=abc"}}, "installer.url must begin with https"),
        ({"installer": {"path": SETUP, "sha256": "12"}}, "64 hexadecimal digits"),
        ({"installer": {"path": SETUP, "version": "new"}}, "installer.version must be"),
        ({"prerequisites_accepted": [{"id": "memory", "reason": " "}]}, "say why memory is accepted"),
        ({"outbound_hosts": ["*.msappproxy.net"]}, "without wildcards"),
        ({"restart_after": "soon"}, "restart_after must be a time"),
    ],
)
def test_options_that_make_no_sense_are_refused(here: Stage, call: Call, given: dict[str, Any], words: str) -> None:
    failed = call("sync_agent", **{**AGENT, **given})
    assert failed["failed"]
    assert words in failed["msg"]
    assert here.host.names == []


def test_the_environment_of_a_cloud_can_be_given(here: Stage, call: Call) -> None:
    call(
        "sync_agent", **AGENT, cloud="gcc_high", environment_name="Else", outbound_hosts=[], installer_arguments=["/q"]
    )
    assert here.host.environment == ("/q", "ENVIRONMENTNAME=Else")


def test_info_shows_both_sides_and_that_they_agree(here: Stage, call: Call) -> None:
    here.host.install("1.1.1370.0")
    told = call("sync_agent_info", domain=DOMAIN)
    assert not told["changed"]
    assert told["agree"] is True
    assert told["server"]["version"] == "1.1.1370.0"
    assert told["server"]["service"] == {"status": "Running", "start_type": "Automatic"}
    assert told["server"]["account"] == "CONTOSO\\provAgentgMSA$"
    assert told["server"]["domains"] == [DOMAIN]
    assert told["server"]["trace_folder_exists"] is True
    assert told["graph"] == {
        "id": "sync1",
        "machine_name": "sync1.contoso.lab",
        "status": "active",
        "groups": ["Default"],
    }
    assert told["availability"] == {
        "domain": DOMAIN,
        "active_agents": ["sync1.contoso.lab"],
        "recommended": 3,
        "met": False,
    }
    assert told["problems"] == [
        "1 agent(s) of contoso.lab are active; Microsoft recommends 3, so that the job goes on when one is down."
    ]
    assert here.host.names == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"record": False}, "Graph knows no agent of that machine name"),
        ({"running": False}, "The service AADConnectProvisioningAgent is Stopped."),
        ({"start_type": "Manual"}, "does not start by itself (Manual)"),
        ({"version": "1.1.977.0"}, "is older than 1.1.1107.0"),
        ({"domains": ["else.lab"]}, "does not serve contoso.lab (else.lab)"),
    ],
)
def test_info_says_what_is_wrong(here: Stage, call: Call, change: dict[str, Any], words: str) -> None:
    here.host.install("1.1.1370.0")
    for name, value in change.items():
        setattr(here.host, name, value)
    told = call("sync_agent_info", domain=DOMAIN)
    assert any(words in problem for problem in told["problems"])
    assert told["counts"]["problems"] == len(told["problems"])


@pytest.mark.parametrize(
    ("installed", "running", "status", "words"),
    [
        (False, False, "active", "but none is installed there"),
        (True, False, "active", "its service does not run there"),
        (True, True, "inactive", "but Graph shows the agent inactive"),
    ],
)
def test_info_says_where_the_two_differ(
    here: Stage, call: Call, installed: bool, running: bool, status: str, words: str
) -> None:
    if installed:
        here.host.install("1.1.1370.0", registered=False)
        here.host.running = running
    here.graph.others = [{"id": "x", "machineName": "SYNC1.contoso.lab", "status": status}]
    told = call("sync_agent_info")
    assert told["agree"] is False
    assert words in told["problems"][0]


def test_info_without_graph_says_so(here: Stage, call: Call) -> None:
    here.host.install("1.1.1370.0")
    here.graph.forbidden = True
    told = call("sync_agent_info")
    assert (told["agree"], told["graph"], told["availability"]["met"]) == (None, None, None)
    assert "does not let this application" in told["graph_unreadable"]


def documented(name: str) -> dict[str, Any]:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    text = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, Any] = {}
    for fragment in text["extends_documentation_fragment"]:
        source = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment.rpartition('.')[2]}")
        options |= yaml.safe_load(source.ModuleDocFragment.DOCUMENTATION).get("options") or {}
    return options | text.get("options", {})


def compare(where: str, docs: dict[str, Any], spec: dict[str, Any]) -> None:
    assert set(docs) == set(spec), where
    for name, option in spec.items():
        for key, empty in (("type", "str"), ("elements", None), ("required", False), ("choices", None)):
            assert docs[name].get(key, empty) == option.get(key, empty), (where, name, key)
        assert docs[name].get("default") == option.get("default"), (where, name)
        if "options" in option:
            compare(f"{where}.{name}", docs[name]["suboptions"], option["options"])


@pytest.mark.parametrize("name", ["sync_agent", "sync_agent_info"])
def test_documentation_and_specification_are_equal(name: str) -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    compare(name, documented(name), {key: dict(value) for key, value in module.SPEC.options.items()})


def test_passwords_are_not_logged() -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.sync_agent")
    for name in ("registration_password", "domain_admin_password", "windows_password"):
        assert module.SPEC.options[name]["no_log"] is True
    assert module.SPEC.options["installer"]["options"]["url"]["no_log"] is True
    assert arguments.WINDOWS.options["windows_password"]["no_log"] is True


def test_every_guess_of_the_product_is_the_default_of_an_option() -> None:
    options = documented("sync_agent")
    assert options["updater_service_name"]["default"] == product.UPDATER_SERVICE
    assert options["program_names"]["default"] == list(product.PROGRAM_NAMES)
    assert options["installer_arguments"]["default"] == list(product.INSTALLER_ARGUMENTS)
    assert options["staging_folder"]["default"] == product.STAGING_FOLDER
    assert options["installer"]["suboptions"]["signer"]["default"] == product.SIGNER
    assert options["domains_cmdlet"]["default"] is True
