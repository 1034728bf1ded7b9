# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""decommission.yml as users run it, against stand-ins: three phases, each judged anew, each with its own word."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order

from tests.playbooks.conftest import ONE_WAVE, Estate, Run

SECRETS = ("exchange-secret", "own-secret", "agent-secret", "setup-secret")
DECOMMISSION = """\
decommission:
  exchange_server_user: CONTOSO\\admin
  exchange_server_password: "{{ 'exchange-' ~ 'secret' }}"
  windows_user: CONTOSO\\admin
  windows_password: "{{ 'exchange-' ~ 'secret' }}"
  relay_quiet_days: 21
  servers:
    - {name: EX01, exchange_server_host: ex01.contoso.example, windows_host: ex01.contoso.example}
    - name: EX02
      exchange_server_host: ex02.contoso.example
      windows_host: ex02.contoso.example
      windows_password: "{{ 'own-' ~ 'secret' }}"
  hybrid_agent:
    windows_host: agent.contoso.example
    hybrid_agent_user: admin@contoso.onmicrosoft.com
    hybrid_agent_password: "{{ 'agent-' ~ 'secret' }}"
  clean_up:
    order: hybrid_configuration_last
    soak_minutes: 5
    also:
      - {kind: send_connector, identity: To Northwind}
  uninstall:
    setup_user: CONTOSO\\setup
    setup_password: "{{ 'setup-' ~ 'secret' }}"
"""
CONFIRM = '{"uninstall_confirm": ["uninstall EX01", "uninstall EX02"]}'


@pytest.fixture
def ready(estate: Estate) -> Estate:
    """The estate, contoso with two Exchange servers and everybody moved."""
    estate.write_tenant("contoso", "canary", 2, extra=DECOMMISSION, waves=ONE_WAVE)
    everybody = '{"all_mailboxes": true}'
    job = {"running": True, "quarantine": None, "problems": []}
    estate.set_state("contoso", moved=[everybody], written=[everybody], job=job)
    return estate


def play(estate: Estate, *arguments: str) -> Run:
    return estate.play("decommission", "--limit", "contoso", *arguments)


def sent(estate: Estate, module: str) -> list[dict[str, Any]]:
    return [call["args"] for call in estate.calls() if call["module"] == module]


def test_a_phase_must_be_stated_but_for_check_mode(ready: Estate) -> None:
    refused = play(ready)
    assert refused.code != 0
    assert "State one phase with -e decommission_phase=" in refused.output
    assert ready.calls() == []
    two = play(ready, "-e", '{"decommission_phase": ["clean_up", "uninstall"]}')
    assert two.code != 0
    unknown = play(ready, "-e", "decommission_phase=everything")
    assert unknown.code != 0


def test_check_mode_walks_through_all_phases_and_prints_the_steps_in_order(ready: Estate) -> None:
    walked = play(ready, "--check")
    assert walked.code == 0, walked.output
    calls = ready.calls()
    assert all(call["check"] for call in calls)
    phases = [call["args"]["phase"] for call in calls if call["module"] == "decommission_readiness_info"]
    assert phases == ["clean_up", "uninstall", "uninstall", "cloud_clean_up"]
    steps = [row.id for row in order.steps("hybrid_configuration_last", "clean_up")]
    places = [walked.output.index(f": remove {step}") for step in steps]
    assert places == sorted(places)
    assert places[-1] < walked.output.index("EX01: remove EX01") < walked.output.index("cloud: remove cloud")
    assert "would be refused now: AD still has servers" in walked.output


def test_the_hybrid_clean_up_takes_the_order_side_by_side_with_what_the_gates_said(ready: Estate) -> None:
    done = play(ready, "-e", "decommission_phase=clean_up", "-vvvv")
    assert done.code == 0, done.output
    calls = sent(ready, "hybrid_configuration")
    assert [call["side"] for call in calls] == [
        "on_premises",
        "cloud",
        "on_premises",
        "cloud",
        "on_premises",
        "cloud",
        "on_premises",
    ]
    assert [step for call in calls for step in call["steps"]] == [
        row.id for row in order.steps("hybrid_configuration_last", "clean_up")
    ]
    first = calls[0]
    assert (first["readiness"], first["readiness_sha256"]) == ("/nowhere/readiness-clean_up.json", "aa")
    assert (first["order"], first["soak_minutes"]) == ("hybrid_configuration_last", 5)
    assert first["also"] == [{"kind": "send_connector", "identity": "To Northwind"}]
    assert (first["exchange_server_host"], first["windows_host"]) == ("ex01.contoso.example", "agent.contoso.example")
    assert first["hybrid_agent_user"] == "admin@contoso.onmicrosoft.com"
    assert "send_connector To Northwind: not the wizard's" in done.output
    for secret in SECRETS:
        assert secret not in done.output
    again = play(ready, "--tags", "clean_up")
    assert again.changed == {"contoso": 0}


def test_what_has_to_soak_ends_the_run_without_an_error_and_the_next_one_goes_on(ready: Estate) -> None:
    ready.set_state("contoso", soaks="remove_send_connector")
    first = play(ready, "-e", "decommission_phase=clean_up")
    assert first.code == 0, first.output
    assert "is not complete. it is still on Run this phase again then." in first.output
    assert len(sent(ready, "hybrid_configuration")) == 3
    second = play(ready, "-e", "decommission_phase=clean_up")
    assert second.code == 0
    assert len(ready.state("contoso")["hybrid_done"]) == len(order.steps("exchange_team", "clean_up"))


def test_a_gate_that_is_not_passed_stops_each_phase_before_its_first_change(ready: Estate) -> None:
    ready.set_state("contoso", blocking=["relay_quiet"])
    for phase in ("clean_up", "uninstall", "cloud_clean_up"):
        stopped = play(ready, "-e", f"decommission_phase={phase}", "-e", CONFIRM)
        assert stopped.code != 0
        assert "relay_quiet failed: mend it." in stopped.output
    only_looked = {"exchange_topology_info", "decommission_readiness_info"}
    assert {call["module"] for call in ready.calls() if not call["check"]} == only_looked


def test_servers_go_one_after_the_other_only_with_their_words(ready: Estate) -> None:
    refused = play(ready, "-e", "decommission_phase=uninstall", "-e", '{"uninstall_confirm": ["uninstall EX01"]}')
    assert refused.code != 0
    assert "must have these words: uninstall EX01; uninstall EX02" in refused.output
    assert ready.calls() == []
    one = play(
        ready,
        *("-e", "decommission_phase=uninstall", "-e", '{"uninstall_confirm": ["uninstall EX01"]}'),
        *("-e", '{"uninstall_only": ["EX01"]}', "-vvvv"),
    )
    assert one.code == 0, one.output
    look, call = sent(ready, "exchange_server")
    assert look == {name: value for name, value in call.items() if not name.startswith("readiness")}
    assert (call["server"], call["confirm"], call["windows_host"]) == ("EX01", "uninstall EX01", "ex01.contoso.example")
    assert (call["setup_user"], call["readiness"]) == ("CONTOSO\\setup", "/nowhere/readiness-uninstall.json")
    for secret in SECRETS:
        assert secret not in one.output
    both = play(ready, "-e", "decommission_phase=uninstall", "-e", CONFIRM)
    assert both.code == 0, both.output
    calls = [call["args"] for call in ready.calls() if call["module"] == "exchange_server" and not call["check"]]
    assert [(call["server"], "readiness" in call) for call in calls] == [("EX01", False), ("EX02", True)]
    assert both.changed == {"contoso": 1}


def test_a_server_that_is_gone_and_one_that_setup_has_begun_with_need_no_gates(ready: Estate) -> None:
    ready.set_state("contoso", exchange_servers=["EX02"], begun=["EX02"], blocking=["servers_agree"])
    done = play(ready, "-e", "decommission_phase=uninstall", "-e", CONFIRM)
    assert done.code == 0, done.output
    assert done.changed == {"contoso": 1}
    assert "decommission_readiness_info" not in {call["module"] for call in ready.calls()}
    again = play(ready, "-e", "decommission_phase=uninstall", "-e", CONFIRM)
    assert again.code == 0, again.output
    assert again.changed == {"contoso": 0}


def test_the_phase_ends_with_a_proof_also_where_the_servers_were_gone_before(ready: Estate) -> None:
    ready.set_state("contoso", exchange_servers=[], differs=True)
    unproven = play(ready, "-e", "decommission_phase=uninstall", "-e", CONFIRM)
    assert unproven.code != 0
    assert "contoso: wave all is not proven" in unproven.output
    left_out = play(ready, "-e", "decommission_phase=uninstall", "-e", CONFIRM, "-e", '{"uninstall_sample": {}}')
    assert left_out.code == 0, left_out.output


def test_the_cloud_comes_after_the_servers(ready: Estate) -> None:
    early = play(ready, "-e", "decommission_phase=cloud_clean_up")
    assert early.code != 0
    assert "AD still has servers" in early.output
    ready.set_state("contoso", exchange_servers=[])
    done = play(ready, "-e", "decommission_phase=cloud_clean_up")
    assert done.code == 0, done.output
    call = sent(ready, "hybrid_configuration")[-1]
    assert (call["side"], call["phase"]) == ("cloud", "cloud_clean_up")
    assert "steps" not in call
