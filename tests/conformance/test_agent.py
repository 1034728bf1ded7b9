# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provisioning agent on the lab's Windows hosts: from nothing to active, upgraded, removed, and every failure."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import stage
from tests.conformance.conftest import SERVER, defaults_of
from tests.conformance.modules import Result, run
from tests.lab.client import Lab
from tests.lab.forest import access

ROOT = Path(__file__).resolve().parents[2]
NEW = ["install", "connect", "set_gmsa", "add_domain", "restart_service"]


def command(*arguments: str) -> None:
    """The lab's own command line, as its users have it."""
    subprocess.run([sys.executable, "-m", "tests.lab", *arguments], cwd=ROOT, check=True, capture_output=True)


def condition(*settings: str) -> None:
    """Bring about what is wrong with the server."""
    command("windows", f"{SERVER}@{stage.TENANT}", *(word for setting in settings for word in ("--set", setting)))


class Agent:
    """The agent of the server through the collection's modules."""

    def __init__(self, lab: Lab, defaults: stage.Defaults) -> None:
        self.lab, self._defaults = lab, defaults

    def run(self, check: bool = False, **given: Any) -> Result:
        stated = {**self._defaults["agent"], **given}
        arguments = stage.arguments("sync_agent", {"domain": stage.DOMAIN, "wait_timeout": 10}, self._defaults)
        result = run("sync_agent", {**arguments, **{k: v for k, v in stated.items() if v is not None}}, check=check)
        for secret in self.secrets():
            assert secret not in result.output
        return result

    def secrets(self) -> list[str]:
        return [value for group in self._defaults.values() for name, value in group.items() if "password" in name]

    def writes(self) -> list[str]:
        """The cmdlets that were sent to the server and may change it, since the log was cleared."""
        return [entry["cmdlet"] for entry in self.lab.log(writes=True) if entry["service"] == "windows"]

    def installer(self, which: str) -> dict[str, str]:
        servers = self.lab.config["tenants"][stage.TENANT]["windows"]
        found = next(server for server in servers if server["name"] == SERVER)["installers"][which]
        return {name: found[name] for name in ("path", "sha256")}


@pytest.fixture
def agent(fresh: Lab, defaults: stage.Defaults) -> Iterator[Agent]:
    yield Agent(fresh, defaults)
    fresh.reset()


@pytest.mark.parametrize("tenant", ["contoso", "fabrikam"])
def test_from_nothing_to_an_active_agent_in_both_tenants(fresh: Lab, tmp_path: Path, tenant: str) -> None:
    command("scenario", "agents=none")
    agent = Agent(fresh, defaults_of(fresh, tmp_path, tenant))
    domain = fresh.config["tenants"][tenant]["domain"]
    fresh.clear_log()
    planned = agent.run(domain=domain, check=True)
    assert agent.writes() == []
    done = stage.must(agent.run(domain=domain))
    assert done.data["steps"] == planned.data["steps"] == NEW
    assert done.data["agents"] == [f"{SERVER}.{domain}"]
    fresh.clear_log()
    again = stage.must(agent.run(domain=domain))
    assert not again.changed
    assert agent.writes() == []
    log = json.dumps(fresh.log())
    assert not [secret for secret in agent.secrets() if secret in log]
    fresh.reset()


def test_upgrade_and_removal(agent: Agent) -> None:
    stage.must(agent.run(installer=agent.installer("1.1.1107.0")))
    upgraded = stage.must(agent.run(state="latest"))
    assert upgraded.data["steps"] == ["upgrade"]
    assert not stage.must(agent.run(state="latest")).changed
    assert stage.must(agent.run(state="absent")).data["steps"] == ["uninstall"]
    assert not stage.must(agent.run(state="absent")).changed


@pytest.mark.parametrize(
    ("setting", "given", "words"),
    [
        ("installer=1603", {}, "exit code 1603"),
        ("installer=hangs", {"install_timeout": 3}, "was stopped (process"),
        ("workgroup=yes", {}, "member of a workgroup"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_the_host_as_it_was(
    agent: Agent, setting: str, given: dict[str, Any], words: str
) -> None:
    condition(setting)
    failed = agent.run(**given)
    assert failed.failed
    assert words in failed.data["msg"]
    assert not failed.changed
    assert failed.data.get("left", []) == []
    name, _equals, _value = setting.partition("=")
    if name == "installer":
        condition("installer=0")
        assert stage.must(agent.run()).data["steps"] == NEW


def test_all_that_is_missing_is_told_at_once_and_can_be_accepted_by_name_only(agent: Agent) -> None:
    missing = {
        "reboot_pending=yes": "reboot_pending is not met",
        "server_core=yes": "InstallationType is Server Core",
        "memory_gb=2": "memory is not met",
        "dotnet=4.7": "dotnet is not met",
        "tls12=dotnet_off": "SchUseStrongCrypto is not set",
        "execution_policy=Unrestricted": "execution_policy is not met",
        "vault=Disabled": "vault_service is not met",
        "kds=none": "kds_root_key is not met",
        "blocked=*.windows.net": "not reached: login.windows.net:443",
    }
    condition(*missing)
    agent.lab.clear_log()
    failed = agent.run()
    assert [words for words in missing.values() if words not in failed.data["msg"]] == []
    accepted = [{"id": "memory", "reason": "it is a small domain"}]
    still = agent.run(prerequisites_accepted=accepted)
    assert "memory is not met" not in still.data["msg"]
    assert "vault_service is not met" in still.data["msg"]
    condition("system=2012r2")
    assert "windows_server is not met" in agent.run().data["msg"]
    assert agent.writes() == []


@pytest.mark.parametrize("which", ["unsigned", "wrong_signer", "changed", "1.1.587.0"])
def test_what_is_not_the_agents_installer_is_not_run(agent: Agent, which: str) -> None:
    agent.lab.clear_log()
    failed = agent.run(installer=agent.installer(which))
    assert failed.failed
    assert "installer_" in failed.data["msg"]
    assert agent.writes() == []


@pytest.mark.parametrize("setting", ["service=logon", "service=stuck", "graph=inactive"])
def test_an_agent_that_does_not_get_to_work_is_left_and_said_and_the_next_run_goes_on(
    agent: Agent, setting: str
) -> None:
    condition(setting)
    failed = agent.run()
    assert failed.failed
    assert failed.changed
    assert failed.data["left"][0] in failed.data["msg"]
    name, _equals, _value = setting.partition("=")
    condition(f"{name}={'ok' if name == 'service' else 'active'}")
    stage.must(agent.run())
    assert not stage.must(agent.run()).changed


@pytest.mark.parametrize(("reboot", "required"), [("never", True), ("when_required", False)])
def test_3010_is_reported_or_answered_with_a_restart(agent: Agent, reboot: str, required: bool) -> None:
    condition("installer=3010")
    done = stage.must(agent.run(reboot=reboot))
    assert done.data["reboot_required"] is required
    assert ("restart_host" in done.data["steps"]) is not required


def test_a_host_that_restarts_by_itself_is_waited_for(agent: Agent) -> None:
    condition("installer=1641")
    assert stage.must(agent.run(installer_arguments=["/quiet"])).data["steps"] == NEW


@pytest.mark.parametrize("account", ["mfa", "guest", "unprivileged"])
def test_an_account_that_cannot_register_is_told_apart(agent: Agent, account: str) -> None:
    known = agent.lab.config["tenants"][stage.TENANT]["registration"]
    given = {f"registration_{kind}": known[f"{account}_{kind}"] for kind in ("user", "password")}
    failed = agent.run(**given)
    assert failed.failed
    words = {"mfa": "register it by hand", "guest": "is a guest", "unprivileged": "Hybrid Identity Administrator"}
    assert words[account] in failed.data["msg"]
    assert failed.data["steps_done"] == ["install"]
    assert given["registration_password"] not in failed.output


@pytest.mark.parametrize("point", ["before_command", "after_command"])
@pytest.mark.parametrize("cmdlet", ["Copy-Item", "Start-Process", "Add-AADCloudSyncGMSA", "Add-AADCloudSyncADDomain"])
def test_a_connection_that_is_cut_converges_and_nothing_is_done_twice(agent: Agent, cmdlet: str, point: str) -> None:
    match = ("--match", f"cmdlet={cmdlet}", "--match", f"host={SERVER}")
    command("fault", "add", "cut", "--target", "windows", *match, "--set", f"point={point}")
    agent.lab.clear_log()
    first = agent.run()
    if point == "after_command":
        stage.must(first)
        assert agent.writes().count(cmdlet) == 1
    stage.must(agent.run())
    assert not stage.must(agent.run()).changed


def test_a_service_that_began_before_a_moment_is_restarted_once(agent: Agent) -> None:
    stage.must(agent.run())
    agent.lab.advance(60)
    moment = agent.lab.state()["clock"]["now"]
    agent.lab.advance(60)
    assert stage.must(agent.run(restart_after=moment)).data["steps"] == ["restart_service"]
    assert not stage.must(agent.run(restart_after=moment)).changed


def test_an_extension_of_the_exchange_schema_restarts_the_service_once(agent: Agent) -> None:
    stage.must(agent.run())
    connection = access.open_directory(stage.TENANT, "administrator")
    base = agent.lab.config["tenants"][stage.TENANT]["directory"]["base_dn"]
    name = f"CN=ms-Exch-Schema-Version-Pt,CN=Schema,CN=Configuration,{base}"
    time.sleep(1.1)  # the directory counts whole seconds: the change is after the start, and the restart after it
    assert connection.modify(name, {"adminDescription": [("MODIFY_REPLACE", [f"extended at {time.time()}"])]}), (
        connection.result
    )
    connection.unbind()
    time.sleep(1.1)  # whole seconds again
    planned = stage.must(agent.run(check=True))
    assert planned.data["steps"] == ["restart_service"]
    assert stage.must(agent.run(restart_after_schema=False, check=True)).data["steps"] == []
    assert stage.must(agent.run()).data["steps"] == ["restart_service"]
    assert not stage.must(agent.run()).changed
