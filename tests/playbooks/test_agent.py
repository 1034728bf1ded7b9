# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""agent.yml as users run it, against stand-ins: one server after the other, and nothing secret in sight."""

from __future__ import annotations

import pytest

from tests.playbooks.conftest import ONE_WAVE, Estate

SECRETS = ("windows-secret", "own-secret", "cloud-secret", "forest-secret")
AGENT = """\
agent:
  installer: {path: 'C:\\Install\\Setup.exe', sha256: "00"}
  registration_user: admin@contoso.onmicrosoft.com
  registration_password: "{{ 'cloud-' ~ 'secret' }}"
  domain_admin_user: CONTOSO\\Administrator
  domain_admin_password: "{{ 'forest-' ~ 'secret' }}"
  service_name: Other
  windows_user: CONTOSO\\setup
  windows_password: "{{ 'windows-' ~ 'secret' }}"
  windows_ca_path: ../ca.pem
  servers:
    - {name: sync1, windows_host: sync1.contoso.example}
    - {name: sync2, windows_host: sync2.contoso.example, windows_password: "{{ 'own-' ~ 'secret' }}"}
    - {name: sync3, windows_host: sync3.contoso.example, windows_port: 15986}
"""


@pytest.fixture
def agents(estate: Estate) -> Estate:
    """The estate, contoso with three agent servers."""
    estate.write_tenant("contoso", "canary", 2, extra=AGENT, waves=ONE_WAVE)
    return estate


def servers(estate: Estate, module: str) -> list[str]:
    return [call["args"]["windows_host"].split(".")[0] for call in estate.calls() if call["module"] == module]


def test_servers_are_taken_one_after_the_other_and_a_second_run_changes_nothing(agents: Estate) -> None:
    first = agents.play("agent", "--limit", "contoso", "-vvvv")
    assert first.code == 0, first.output
    calls = [call for call in agents.calls() if call["module"].startswith("sync_agent")]
    assert [call["args"]["windows_host"].split(".")[0] for call in calls] == [
        *("sync1", "sync1", "sync2", "sync2", "sync3", "sync3")
    ]
    one, two, three = (call["args"] for call in calls if call["module"] == "sync_agent")
    assert (one["domain"], one["state"], one["last_agent"]) == ("contoso.example", "present", "refused")
    assert one["windows_ca_path"] == str(agents.directory / "ca.pem")
    assert one["installer"]["path"] == "C:\\Install\\Setup.exe"
    assert (one["windows_password"], two["windows_password"]) == ("windows-secret", "own-secret")
    assert (one.get("windows_port"), three["windows_port"]) == (None, 15986)
    assert one["tenant_id"].endswith("2")
    assert calls[1]["args"]["service_name"] == "Other"
    assert "registration_password" not in calls[1]["args"]
    for secret in SECRETS:
        assert secret not in first.output
    second = agents.play("agent", "--limit", "contoso")
    assert (second.code, second.changed["contoso"]) == (0, 0), second.output
    # Agents that were left alone are looked at from both sides once, at the end.
    assert [call["module"] for call in agents.calls() if call["module"].startswith("sync_agent")] == [
        *("sync_agent", "sync_agent", "sync_agent", "sync_agent_info")
    ]


def test_a_server_that_fails_stops_before_the_next_one(agents: Estate) -> None:
    agents.set_state("contoso", cold=True)
    run = agents.play("agent", "--limit", "contoso")
    assert run.code != 0
    assert "the agent on sync1 is not at work. It has a cold." in " ".join(run.output.split())
    assert servers(agents, "sync_agent") == ["sync1"]


def test_only_some_servers_and_only_those_that_there_are(agents: Estate) -> None:
    run = agents.play("agent", "--limit", "contoso", "-e", '{"sync_agent_only": ["sync2"]}')
    assert run.code == 0, run.output
    assert servers(agents, "sync_agent") == ["sync2"]
    run = agents.play("agent", "--limit", "contoso", "-e", '{"sync_agent_only": ["sync9"]}')
    assert "contoso has no agent server sync9; it has sync1, sync2, sync3." in " ".join(run.output.split())


def test_the_last_one_stays_unless_that_is_accepted(agents: Estate) -> None:
    assert agents.play("agent", "--limit", "contoso").code == 0
    run = agents.play("agent", "--limit", "contoso", "-e", "sync_agent_state=absent")
    assert "sync3.contoso.example has the only active agent" in run.output
    accepted = ("-e", "sync_agent_state=absent", "-e", "sync_agent_last_agent=accepted")
    run = agents.play("agent", "--limit", "contoso", *accepted)
    assert run.code == 0, run.output
    assert agents.state("contoso")["agents"] == {}


def test_check_mode_changes_nothing_and_does_not_ask_for_what_is_not_there_yet(agents: Estate) -> None:
    run = agents.play("agent", "--check", "--diff", "--limit", "contoso")
    assert run.code == 0, run.output
    assert not list(agents.directory.glob("state-*"))


def test_a_server_that_has_to_be_restarted_is_named(agents: Estate) -> None:
    agents.set_state("contoso", reboot_required=True)
    run = agents.play("agent", "--limit", "contoso")
    assert "contoso: sync3 has to be restarted to finish the installation." in run.output


def test_the_journey_has_the_agents_before_the_job_and_tenants_without_servers_none(agents: Estate) -> None:
    run = agents.play("site", "--limit", "contoso:fabrikam")
    assert run.code == 0, run.output
    calls = agents.calls()
    order = [call["module"] for call in calls if call["host"] == "contoso"]
    assert order.index("sync_agent") < order.index("writeback_job")
    assert not [call for call in calls if call["host"] == "fabrikam" and call["module"].startswith("sync_agent")]
