# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both modules through their real main(), with far ends in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._module import decommission_arguments
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext
from ansible_collections.hybrid.exchange.plugins.modules import decommission_readiness_info, exchange_topology_info
from gate_fakes import NOW, ROOT, World, box, entry

TENANT = {"tenant_id": "contoso.com", "client_id": "app", "client_secret": "hush-hush"}
Play = Callable[..., dict[str, Any]]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Play:
    """Runs a module with a world in the place of its far ends."""

    def run(module: Any, world: World, check: bool = False, **given: Any) -> dict[str, Any]:
        monkeypatch.setattr(decommission_arguments, "ends", lambda _context: world.ends())
        monkeypatch.setattr(ModuleContext, "directory", world.directory)
        arguments = {"artifact_dir": str(tmp_path), **given, "_ansible_check_mode": check, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        output = capsys.readouterr().out
        assert "hush-hush" not in output
        return dict(json.loads(output))

    return run


def readiness(play: Play, world: World | None = None, **given: Any) -> dict[str, Any]:
    options = {"phase": "clean_up", "domain": "contoso.lab", "operator": "CONTOSO\\svc-admin", **TENANT, **given}
    return play(decommission_readiness_info, world or World(), **options)


def test_an_organisation_that_is_ready(play: Play, tmp_path: Path) -> None:
    result = readiness(play)
    assert (result["ready"], result["changed"]) == (True, False)
    assert result["failures"] == []
    assert result["readiness"]["path"] == str(tmp_path / "readiness-clean_up.json")
    assert {gate["verdict"] for gate in result["gates"]} == {"passed"}
    for gate in result["gates"]:
        assert {"id", "asserts", "detail", "ends", "evaluated_at", "expires_at", "objects", "source"} <= set(gate)
    assert "diff" not in result


def test_what_is_not_ready_says_everything_that_stands_in_the_way(play: Play) -> None:
    world = World(boxes=[box(f"user{number}", managed=False) for number in range(9)])
    world.external.records[("contoso.lab", "MX")] = ["10 mail.contoso.lab"]
    result = readiness(play, world, report_limit=2)
    assert not result["ready"]
    assert len(result["failures"]) == 3
    assert result["failures"][0]["object"] == "mailboxes_cloud_managed"
    gate = next(item for item in result["gates"] if item["id"] == "mailboxes_cloud_managed")
    assert (len(gate["objects"]), gate["object_count"]) == (2, 9)
    assert result["counts"]["blocking"] == 3


def test_options_reach_the_gates(play: Play) -> None:
    world = World()
    world.external.records[("contoso.lab", "MX")] = ["10 in.gateway.example"]
    assert (
        readiness(play, world, mx_suffixes=["gateway.example"])["ready"] is False
    )  # the other side is still Microsoft's
    world.internal.records[("contoso.lab", "MX")] = ["10 in.gateway.example"]
    assert readiness(play, world, mx_suffixes=[".Gateway.example."])["ready"] is True
    accepted = [{"gate": "mx_external", "reason": "x", "by": "y"}, {"gate": "mx_internal", "reason": "x", "by": "y"}]
    result = readiness(play, world, accepted_deviations=accepted)
    assert (result["ready"], result["counts"]["accepted"]) == (True, 2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"phase": "uninstall", "exit": "management_tools"}, "never uninstalled"),
        ({"accepted_deviations": [{"gate": "no_mailboxes", "reason": "x", "by": "y"}]}, "cannot be accepted"),
        ({"relay_quiet_days": 0}, "relay_quiet_days must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(given: dict[str, Any], words: str, play: Play) -> None:
    world = World()
    result = readiness(play, world, **given)
    assert result["failed"]
    assert words in result["msg"]
    assert not world.directory.asked


def test_a_task_without_a_phase_is_refused(play: Play) -> None:
    assert "phase, verify_bundle" in play(decommission_readiness_info, World(), **TENANT)["msg"]


def test_mixing_the_ways_fails_with_everything_in_the_result(play: Play) -> None:
    world = World()
    world.directory.entries.append(entry(f"CN=Recipient Management EMT,CN=Users,{ROOT}", "group"))
    result = readiness(play, world)
    assert result["failed"]
    assert result["error_kind"] == "Refused"
    assert len(result["gates"]) > 20
    assert Path(result["bundle"]["path"]).is_dir()


def test_a_deviation_that_ends_soon_is_a_warning_but_not_in_another_phase(play: Play) -> None:
    until = (NOW + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = [{"gate": gate, "reason": "x", "by": "y", "until": until} for gate in ("trial_shutdown", "mx_external")]
    told = json.dumps(readiness(play, accepted_deviations=given)["warnings"])
    assert "mx_external is accepted until" in told
    assert "trial_shutdown" not in told


def test_a_look_is_kept_unless_in_check_mode(play: Play, tmp_path: Path) -> None:
    world = World(doors={"ex01.contoso.lab": False, "ex02.contoso.lab": False})
    result = readiness(play, world, check=True, phase="uninstall", trial_shutdown="observe")
    assert (result["trial"]["well"], result["trial"]["observations"]) == (True, 0)
    result = readiness(play, world, phase="uninstall", trial_shutdown="observe")
    assert result["trial"]["observations"] == 1
    assert Path(result["trial"]["file"]).parent == tmp_path / "evidence"


def test_a_bundle_is_checked_without_asking_anybody(play: Play) -> None:
    bundle = readiness(play)["bundle"]
    world = World()
    checked = play(decommission_readiness_info, world, verify_bundle=bundle["path"], **TENANT)
    assert checked["bundle"]["manifest_sha256"] == bundle["manifest_sha256"]
    Path(bundle["checklist"]).write_text("other")
    checked = play(decommission_readiness_info, world, verify_bundle=bundle["path"], **TENANT)
    assert checked["failed"]
    assert "checklist.html was altered" in checked["msg"]
    assert not checked["bundle"]["intact"]
    assert not world.directory.asked


def test_the_topology_is_small_and_its_artifact_whole(play: Play) -> None:
    result = play(exchange_topology_info, World(), directory_hosts=["dc1"], report_limit=1)
    assert result["exchange"]
    assert [server["name"] for server in result["servers"]] == ["EX01"]
    assert result["counts"]["server"] == 2
    lines = [json.loads(line) for line in Path(result["artifact"]["path"]).read_text().splitlines()]
    assert len(lines) == result["artifact"]["lines"] == sum(result["counts"].values()) + 1
    assert lines[0]["fingerprint"] == result["fingerprint"]
    assert len(json.dumps(result)) < 4000
