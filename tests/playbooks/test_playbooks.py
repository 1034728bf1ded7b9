# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks as users run them, against stand-ins of the modules: order, gates, stops and second runs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.playbooks.conftest import ONE_WAVE, Estate

HOSTS = ("contoso", "fabrikam", "adatum")
WRITES = {"mailbox_authority", "writeback_job", "writeback_mapping", "writeback_cycle", "directory_writeback"}


def steps(calls: list[dict[str, Any]]) -> list[str]:
    """Modules with what they were to reach, in order."""
    return [
        ":".join([call["module"], *(call["args"][key] for key in ("state", "authority") if key in call["args"])])
        for call in calls
    ]


def test_the_journey_goes_ring_by_ring_and_a_second_run_changes_nothing(estate: Estate) -> None:
    first = estate.play("site")
    assert first.code == 0, first.output
    calls = estate.calls()
    order = [call["host"] for call in calls]
    assert order.index("adatum") > max(index for index, host in enumerate(order) if host in ("contoso", "fabrikam"))
    wave = [
        "mailbox_info",
        "writeback_prediction_info",
        "mailbox_authority:cloud",
        "roundtrip_info",
        "writeback_cycle:provisioned",
        "mailbox_info",
        "roundtrip_info",
        "writeback_job_info",
    ]
    assert steps([call for call in calls if call["host"] == "contoso"]) == [
        "mailbox_info",
        "writeback_job_info",
        "writeback_job_info",
        "writeback_prediction_info",
        "writeback_job:present",
        "writeback_prediction_info",
        "writeback_job:started",
        *wave,
        *wave,
    ]
    second = estate.play("site")
    assert second.code == 0, second.output
    assert {second.changed[host] for host in HOSTS} == {0}
    assert not {"writeback_cycle", "directory_writeback"} & {call["module"] for call in estate.calls()}


def test_modules_get_tenant_directory_run_and_selection_from_the_inventory(
    calls_of_the_move: list[dict[str, Any]],
) -> None:
    calls = calls_of_the_move
    assert {call["args"]["tenant_id"] for call in calls} == {"00000000-0000-0000-0000-000000000002"}
    assert {call["args"]["artifact_dir"].rsplit("/", 1)[-1] for call in calls} == {"contoso"}
    jobs = [call["args"] for call in calls if call["module"] == "writeback_job"]
    assert {(job["domain"], job["delete_threshold"]) for job in jobs} == {("contoso.example", 7)}
    flips = [call["args"] for call in calls if call["module"] == "mailbox_authority"]
    assert [(args.get("identities_file") or "").rpartition("/tenants/")[2] for args in flips] == ["pilot.csv", ""]
    assert [args.get("exclude") for args in flips] == [None, ["one"]]
    assert [args.get("filter") for args in flips] == [None, "IsDirSynced -eq 'True'"]
    compared = [call["args"] for call in calls if call["module"] == "roundtrip_info"]
    assert {args["directory_hosts"][0] for args in compared} == {"dc1.contoso.example"}
    predicted = [call["args"] for call in calls if call["module"] == "writeback_prediction_info"]
    assert [(args["cloud_managed"], args.get("all_mailboxes"), args.get("exclude")) for args in predicted] == [
        ("as_is", True, None),
        ("as_is", True, None),
        ("assumed", None, None),
        ("assumed", None, ["one"]),
    ]
    assert {(args["domain"], *args["directory_hosts"]) for args in predicted} == {
        ("contoso.example", "dc1.contoso.example")
    }


def test_check_mode_passes_before_anything_is_there_and_changes_nothing(estate: Estate) -> None:
    run = estate.play("site", "--check", "--diff", "--limit", "contoso")
    assert run.code == 0, run.output
    assert all(call["check"] for call in estate.calls())
    assert not list(estate.directory.glob("state-*"))


@pytest.mark.parametrize("module", ["mailbox_authority", "writeback_job", "mailbox_info"])
def test_a_failed_canary_stops_before_the_next_ring(estate: Estate, module: str) -> None:
    estate.break_module("fabrikam", module)
    run = estate.play("site")
    assert run.code != 0
    assert f"{module} was told to fail on fabrikam" in run.output
    calls = estate.calls()
    assert not [call for call in calls if call["host"] == "adatum"], "the next ring was touched"


def test_a_run_that_failed_goes_on_when_it_is_run_again(estate: Estate) -> None:
    estate.break_module("fabrikam", "mailbox_authority")
    assert estate.play("site", "--limit", "fabrikam:adatum").code != 0
    estate.mend()
    run = estate.play("site", "--limit", "fabrikam:adatum")
    assert run.code == 0, run.output
    assert [len(estate.state(host)["moved"]) for host in ("fabrikam", "adatum")] == [1, 1]


def test_a_wave_that_cannot_be_proven_is_a_gate(estate: Estate) -> None:
    estate.set_state("contoso", differs=True)
    run = estate.play("site")
    assert run.code != 0
    assert "wave pilot is not proven: 50.0 % of the mailboxes are equal" in " ".join(run.output.split())
    assert estate.state("contoso")["moved"] == [
        json.dumps({"identities_file": str(estate.directory / "tenants/pilot.csv")})
    ]
    assert not estate.calls("adatum")


@pytest.mark.parametrize("ill", [{"running": False}, {"quarantine": {"reason": "TooManyDeletes"}}])
def test_a_job_that_is_not_well_is_a_gate(moved: Estate, ill: dict[str, Any]) -> None:
    moved.set_state("contoso", job=moved.state("contoso")["job"] | ill | {"problems": ["It has a cold."]})
    run = moved.play("verify", "--limit", "contoso")
    assert run.code != 0
    assert "the writeback job of contoso.example is not running well: It has a cold." in " ".join(run.output.split())


ASSUMED = ("-e", "job_cloud_managed=assumed")


def test_values_that_the_first_cycle_would_take_away_stop_the_first_start_until_given_up(estate: Estate) -> None:
    estate.set_state("contoso", at_risk=2)
    run = estate.play("site", "--limit", "contoso", *ASSUMED)
    assert run.code != 0
    words = " ".join(run.output.split())
    assert "2 mailbox(es) would lose values that only the directory has, the first of them somebody" in words
    assert "(proxyAddresses). Add those that are needed in the cloud." in words
    assert not WRITES & {call["module"] for call in estate.calls()}
    given = json.dumps({"job_give_up": ["attribute proxyAddresses"]})
    run = estate.play("job", "--limit", "contoso", *ASSUMED, "-e", given)
    assert run.code == 0, run.output
    calls = estate.calls()
    # Once before anything is made, and once more by the mappings that the job then has.
    asked, again = (call["args"] for call in calls if call["module"] == "writeback_prediction_info")
    assert asked == again
    assert asked["give_up"] == ["attribute proxyAddresses"]
    assert (asked["all_mailboxes"], asked["proxy_addresses"]) == (True, "overwrite")
    started = [call["args"] for call in calls if call["module"] == "writeback_job"][-1]
    assert (started["state"], started["first_start"], started["prediction"]) == ("started", "predicted", "/nowhere")


def test_a_start_that_nobody_can_judge_is_refused(estate: Estate) -> None:
    estate.set_state("contoso", unsure=1)
    run = estate.play("job", "--limit", "contoso")
    assert run.code != 0
    assert "It cannot be told what becomes of values that the directory has, first those of double (two objects" in (
        " ".join(run.output.split())
    )
    assert not WRITES & {call["module"] for call in estate.calls()}


def test_a_start_that_touches_nobody_goes_on_and_each_wave_is_looked_at_again(estate: Estate) -> None:
    estate.set_state("contoso", at_risk=2)
    run = estate.play("job", "--limit", "contoso")
    assert run.code == 0, run.output
    estate.calls()
    run = estate.play("authority", "--limit", "contoso")
    assert run.code != 0
    words = " ".join(run.output.split())
    assert "contoso: wave pilot was not moved, and nothing was changed. 2 mailbox(es) would lose values" in words
    assert "given up by name in authority_give_up" in words
    assert "mailbox_authority" not in {call["module"] for call in estate.calls()}
    run = estate.play("authority", "--limit", "contoso", "-e", '{"authority_give_up": ["somebody"]}')
    assert run.code == 0, run.output


def test_rules_of_the_directory_are_written_beside_the_job(estate: Estate) -> None:
    rules = "[{target: mail, source: Mail}, {target: extensionAttribute1, owner: directory}]"
    read = "applications: [{name: phones, attributes: [mail]}]\n"
    estate.write_tenant("fabrikam", "canary", 3, f"mappings: {rules}\n{read}", waves=ONE_WAVE)
    for playbook in ("job", "authority", "writeback", "verify"):
        run = estate.play(playbook, "--limit", "fabrikam")
        assert run.code == 0, run.output
    assert "phones reads a, which nobody keeps in step" in " ".join(run.output.split())
    calls = estate.calls()
    steps_of_wave = [name for name in steps(calls) if name in ("writeback_cycle:provisioned", "directory_writeback")]
    assert steps_of_wave == ["writeback_cycle:provisioned", "directory_writeback"]
    (written,) = [call["args"] for call in calls if call["module"] == "directory_writeback"]
    assert [rule["target"] for rule in written["mappings"]] == ["mail", "extensionAttribute1"]
    assert "attributes" not in written
    compared = [call["args"] for call in calls if call["module"] == "roundtrip_info"]
    assert compared[-1]["mappings"] == written["mappings"]
    assert compared[-1]["applications"] == [{"name": "phones", "attributes": ["mail"]}]
    moved = [call["args"] for call in calls if call["module"] == "writeback_prediction_info"]
    assert [args["mappings"] for args in moved] == [written["mappings"]] * 3


def test_a_rule_that_nobody_would_carry_out_is_refused(estate: Estate) -> None:
    rules = (
        "[{target: mail, source: Mail}, {target: extensionAttribute1, expression: 'ToLower([extensionAttribute1])'}]"
    )
    estate.write_tenant("fabrikam", "canary", 3, f"mappings: {rules}\n", waves=ONE_WAVE)
    estate.set_state("fabrikam", differs=True)
    run = estate.play("writeback", "--limit", "fabrikam", "-e", "writeback_method=directory")
    assert run.code != 0
    assert "no job carries out the rules for extensionAttribute1, and" in " ".join(run.output.split())
    assert not WRITES & {call["module"] for call in estate.calls()}


def test_one_bad_tenant_file_stops_everything(estate: Estate) -> None:
    (estate.directory / "tenants/bad.yml").write_text("name: bad\nring: canary\n")
    run = estate.play("site")
    assert run.code != 0
    assert "bad.yml:1:1: the file lacks 'tenant'" in run.output
    assert not estate.calls()


def test_one_bad_tenant_file_stops_everything_where_ansible_only_warns(estate: Estate) -> None:
    (estate.directory / "tenants/bad.yml").write_text("name: bad\nring: canary\n")
    for arguments in ((), ("--limit", "contoso")):
        run = estate.play("site", *arguments, bad_inventory_fails=False)
        assert run.code != 0
        assert not estate.calls()
    run = estate.play("assess", bad_inventory_fails=False)
    assert run.code != 0
    assert "No tenant was loaded" in run.output


def test_the_estate_can_stand_beside_another_inventory(estate: Estate) -> None:
    """ansible-core then takes the trust in templates from the plugin that read the other one."""
    other = estate.directory / "other.yml"
    other.write_text("all: {hosts: {elsewhere: {}}}\n")
    (estate.directory / "interpreter.yml").write_text(
        "- {hosts: contoso, gather_facts: false, tasks: [{ansible.builtin.ping: }]}\n"
    )
    run = estate.play(str(estate.directory / "interpreter.yml"), first=other)
    assert run.code == 0, run.output
    assert "contoso" in run.changed


def test_an_estate_of_another_size_is_refused(estate: Estate) -> None:
    run = estate.play("site", "-e", "expected_tenants=4")
    assert run.code != 0
    assert "3 tenants were loaded, 4 are expected" in run.output
    assert not estate.calls()


def test_two_hosts_for_one_tenant_are_refused(estate: Estate) -> None:
    for path in (estate.directory / "tenants").iterdir():
        path.write_text(re.sub("tenant_id: [^,]+", "tenant_id: '{{ one_id }}'", path.read_text()))
    run = estate.play("site", "-e", "one_id=00000000-0000-0000-0000-000000000001")
    assert run.code != 0
    assert "Two hosts have the same tenant_id" in run.output
    assert not estate.calls()


def test_a_limit_never_mixes_rings(estate: Estate) -> None:
    estate.break_module("fabrikam", "mailbox_info")
    assert estate.play("assess", "--limit", "fabrikam:adatum").code != 0
    assert {call["host"] for call in estate.calls()} == {"fabrikam"}


def test_mapping_rules_come_from_the_tenant_file(estate: Estate) -> None:
    estate.write_tenant("contoso", "canary", 2, "mappings: [{target: mail, source: Mail}]\n")
    estate.write_tenant("fabrikam", "canary", 3, "rules_file: rules.yml\n")
    run = estate.play("job")
    assert run.code == 0, run.output
    rules = {call["host"]: call["args"] for call in estate.calls() if call["module"] == "writeback_mapping"}
    assert rules["contoso"]["mappings"] == [{"target": "mail", "source": "Mail"}]
    assert "rules_file" not in rules["contoso"]
    assert rules["fabrikam"]["rules_file"] == str(estate.directory / "tenants/rules.yml")
    assert "mappings" not in rules["fabrikam"]
    assert "adatum" not in rules


@pytest.mark.parametrize(
    ("arguments", "method"), [((), "soonest"), (("-e", "writeback_method=cycle", "-e", "wave=rest"), "restart")]
)
def test_a_wave_is_written_the_way_that_ends_sooner_unless_stated(
    moved: Estate, arguments: tuple[str, ...], method: str
) -> None:
    moved.set_state("contoso", written=[])
    assert moved.play("writeback", "--limit", "contoso", *arguments).code == 0
    cycles = [call["args"] for call in moved.calls() if call["module"] == "writeback_cycle"]
    assert {(args["state"], args["method"], *args["reset"]) for args in cycles} == {("provisioned", method, "full")}
    assert len(cycles) == (1 if arguments else 2)


def test_a_moved_wave_soaks_once(estate: Estate) -> None:
    text = (estate.directory / "tenants/contoso.yml").read_text()
    (estate.directory / "tenants/contoso.yml").write_text(
        text.replace("name: pilot", "soak_minutes: 0.01, name: pilot")
    )
    assert estate.play("site", "--limit", "contoso").code == 0
    proof = ["mailbox_info", "roundtrip_info", "writeback_job_info"]
    pilot = steps(estate.calls())[7:18]
    assert pilot[5:] == [*proof, *proof]
    assert estate.play("site", "--limit", "contoso").code == 0
    again = steps(estate.calls())[5:]
    assert again == ["mailbox_info", "mailbox_authority:cloud", "roundtrip_info", *proof] * 2


def test_one_wave_by_its_name(estate: Estate) -> None:
    for playbook in ("job", "authority", "writeback", "verify"):
        arguments = () if playbook == "job" else ("-e", "wave=rest")
        run = estate.play(playbook, "--limit", "contoso", *arguments)
        assert run.code == 0, run.output
    assert estate.state("contoso")["moved"] == [json.dumps({"filter": "IsDirSynced -eq 'True'"})]
    run = estate.play("verify", "--limit", "contoso", "-e", "wave=pliot")
    assert run.code != 0
    assert "contoso has no wave pliot; it has pilot, rest" in run.output


def test_a_rollback_writes_and_proves_before_it_moves(moved: Estate) -> None:
    run = moved.play("rollback", "--limit", "contoso", "-e", "wave=rest")
    assert run.code == 0, run.output
    calls = moved.calls()
    assert steps(calls) == [
        "mailbox_info",
        "mailbox_authority:on_premises",
        "writeback_job_info",
        "roundtrip_info",
        "directory_writeback",
        "roundtrip_info",
        "roundtrip_info",
        "mailbox_authority:on_premises",
    ]
    asked, given = (call for call in calls if call["module"] == "mailbox_authority")
    assert (asked["check"], given["check"]) == (True, False)
    assert {name: asked["args"][name] for name in ("compare_with", "give_up", "on_unknown")} == {
        "compare_with": ["/"],  # where the stand-in says that the snapshot of this run lies
        "give_up": [],
        "on_unknown": "fail",
    }
    assert asked["args"] == given["args"]
    assert len(moved.state("contoso")["moved"]) == 1
    run = moved.play("rollback", "--limit", "contoso", "-e", "wave=rest")
    assert run.changed["contoso"] == 0
    assert steps(moved.calls()) == ["mailbox_info"], "mailboxes that AD masters are not written from the cloud"


def test_a_rollback_without_a_job_writes_by_the_directory(moved: Estate) -> None:
    moved.set_state("contoso", job=None, written=[])
    assert moved.play("rollback", "--limit", "contoso", "-e", "wave=rest").code == 0
    assert steps(moved.calls())[3:6] == ["roundtrip_info", "directory_writeback", "directory_writeback"]


def test_a_rollback_that_would_lose_a_value_is_refused(moved: Estate) -> None:
    moved.set_state("contoso", differs=True)
    run = moved.play("rollback", "--limit", "contoso", "-e", "wave=rest")
    assert run.code != 0
    assert "wave rest was not given back" in " ".join(run.output.split())
    assert "mailbox_authority" not in {call["module"] for call in moved.calls() if not call["check"]}


def test_a_rollback_that_would_lose_what_nobody_can_write_is_refused_before_anything_is_written(moved: Estate) -> None:
    moved.set_state("contoso", edited=["ForwardingAddress", "AuditOwner"])
    arguments = ("rollback", "--limit", "contoso", "-e", "wave=rest")
    run = moved.play(*arguments, "-e", '{"rollback_give_up": ["AuditOwner"]}')
    assert run.code != 0
    assert "edited in the cloud since the move: ['ForwardingAddress']" in " ".join(run.output.split())
    assert steps(moved.calls()) == ["mailbox_info", "mailbox_authority:on_premises"]
    assert len(moved.state("contoso")["moved"]) == 2
    run = moved.play(*arguments, "--check", "-e", '{"rollback_give_up": ["AuditOwner"]}')
    assert run.code != 0, "check mode refuses what a real run would refuse"
    run = moved.play(*arguments, "-e", '{"rollback_give_up": ["AuditOwner", "ForwardingAddress"]}')
    assert run.code == 0, run.output
    assert len(moved.state("contoso")["moved"]) == 1


def test_a_rollback_takes_other_snapshots_or_none(moved: Estate) -> None:
    moved.set_state("contoso", edited=["ForwardingAddress"])
    arguments = ("rollback", "--limit", "contoso", "-e", "wave=rest")
    variables = json.dumps({"rollback_compare_with": ["/srv/old.jsonl"], "rollback_on_unknown": "accept"})
    assert moved.play(*arguments, "-e", variables).code != 0
    asked = moved.calls()[-1]["args"]
    assert (asked["compare_with"], asked["on_unknown"]) == (["/srv/old.jsonl"], "accept")
    run = moved.play(*arguments, "-e", "rollback_compare=false")
    assert run.code == 0, run.output
    given = [call for call in moved.calls() if call["module"] == "mailbox_authority"]
    assert [(call["check"], call["args"]["compare_with"]) for call in given] == [(False, [])]


def test_a_wave_is_restored_by_its_name(estate: Estate) -> None:
    run = estate.play("restore", "--limit", "contoso")
    assert run.code != 0
    assert "Say which wave to restore" in run.output
    run = estate.play("restore", "--limit", "contoso", "-e", "wave=rest", "-e", "restore_on_changed=skip")
    assert run.code == 0, run.output
    (call,) = estate.calls()
    given = {name: call["args"][name] for name in ("wave", "on_changed", "on_owned", "directory_hosts")}
    assert given == {
        "wave": "rest",
        "on_changed": "skip",
        "on_owned": "fail",
        "directory_hosts": ["dc1.contoso.example"],
    }


def test_a_rollback_wants_a_wave(estate: Estate) -> None:
    run = estate.play("rollback")
    assert run.code != 0
    assert "Say which wave to roll back" in run.output
    assert not estate.calls()
