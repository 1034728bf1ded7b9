# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""readiness.yml as users run it, against stand-ins: what is asked, at which server, and what stops a run."""

from __future__ import annotations

import pytest

from tests.playbooks.conftest import ONE_WAVE, Estate

SECRETS = ("exchange-secret", "windows-secret", "agent-secret")
DECOMMISSION = """\
decommission:
  exchange_server_user: CONTOSO\\admin
  exchange_server_password: "{{ 'exchange-' ~ 'secret' }}"
  exchange_server_ca_path: ../ca.pem
  windows_user: CONTOSO\\admin
  windows_password: "{{ 'windows-' ~ 'secret' }}"
  servers:
    - {name: EX01, exchange_server_host: ex01.contoso.example, windows_host: w1.contoso.example}
    - {name: EX02, exchange_server_host: ex02.contoso.example, exchange_server_port: 8443}
  hybrid_agent:
    windows_host: agent.contoso.example
    hybrid_agent_user: x
    hybrid_agent_password: "{{ 'agent-' ~ 'secret' }}"
  dns_external: [192.0.2.53]
  relay_quiet_days: 30
  accepted_deviations:
    - {gate: mx_external, reason: a gateway, by: anna}
comparison: {proxy_addresses: exact}
mappings:
  - {target: mail, source: Mail}
"""


@pytest.fixture
def ready(estate: Estate) -> Estate:
    estate.write_tenant("contoso", "canary", 2, extra=DECOMMISSION, waves=ONE_WAVE)
    return estate


def judged(estate: Estate) -> dict[str, object]:
    found = [call["args"] for call in estate.calls("contoso") if call["module"] == "decommission_readiness_info"]
    assert len(found) == 1
    return found[0]


def test_the_gates_are_judged_with_what_the_tenant_file_says(ready: Estate) -> None:
    run = ready.play("readiness", "--limit", "contoso", "-vvvv")
    assert run.code == 0, run.output
    asked = judged(ready)
    expected = {
        "phase": "clean_up",
        "domain": "contoso.example",
        "exchange_server_host": "ex01.contoso.example",
        "exchange_server_password": "exchange-secret",
        "exchange_server_ca_path": str(ready.directory / "ca.pem"),
        "windows_host": "agent.contoso.example",
        "windows_password": "windows-secret",
        "dns_external": ["192.0.2.53"],
        "relay_quiet_days": 30,
        "proxy_addresses": "exact",
        "mappings": [{"source": "Mail", "target": "mail"}],
        "servers": [
            {"name": "EX01", "host": "ex01.contoso.example"},
            {"name": "EX02", "host": "ex02.contoso.example"},
        ],
        "trial_shutdown": "judge",
    }
    assert {name: asked.get(name) for name in expected} == expected
    assert not {"hybrid_agent_user", "hybrid_agent_password", "rules_file", "soak_minutes"} & set(asked)
    assert "ready for clean_up" in run.output
    assert not run.changed.get("contoso")
    for secret in SECRETS:
        assert secret not in run.output


def test_a_server_that_is_gone_is_not_asked(ready: Estate) -> None:
    ready.set_state("contoso", exchange_servers=["EX02"])
    assert ready.play("readiness", "--limit", "contoso", "-e", "phase=uninstall").code == 0
    asked = judged(ready)
    assert (asked["exchange_server_host"], asked["exchange_server_port"]) == ("ex02.contoso.example", 8443)
    ready.set_state("contoso", exchange_servers=[])
    assert ready.play("readiness", "--limit", "contoso", "-e", "phase=cloud_clean_up").code == 0
    assert judged(ready)["phase"] == "cloud_clean_up"


def test_what_stands_in_the_way_stops_a_run_but_not_its_rehearsal(ready: Estate) -> None:
    ready.set_state("contoso", blocking=["relay_quiet", "mx_external"])
    run = ready.play("readiness", "--limit", "contoso")
    assert run.code != 0
    assert '"contoso: relay_quiet failed: mend it."' in run.output
    assert "contoso is not ready for clean_up: relay_quiet. Why, and what to do, is told above and in" in run.output
    assert "mx_external failed" not in run.output
    rehearsed = ready.play("readiness", "--limit", "contoso", "--check")
    assert rehearsed.code == 0, rehearsed.output
    assert "relay_quiet failed: mend it." in rehearsed.output


def test_a_look_at_the_trial(ready: Estate) -> None:
    run = ready.play("readiness", "--limit", "contoso", "-e", "phase=uninstall", "-e", "look=true")
    assert run.code == 0, run.output
    assert judged(ready)["trial_shutdown"] == "observe"
    assert "all is well without the servers; they were seen off for 2 of 24 hours" in run.output
    ready.set_state("contoso", up=["EX01"])
    run = ready.play("readiness", "--limit", "contoso", "-e", "phase=uninstall", "-e", "look=true")
    assert run.code != 0
    assert "EX01 took connections" in run.output
