# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""directory_writeback and roundtrip_info through their real main()."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._module import main as module_main
from ansible_collections.hybrid.exchange.plugins.modules import directory_restore, directory_writeback, roundtrip_info
from writeback_fakes import World

Run = Callable[..., dict[str, Any]]
OMIT = object()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    cloud = SimpleNamespace(
        mailboxes=found.mailboxes, synchronization=found.ownership, statistics=lambda: {"throttled_requests": 0}
    )
    monkeypatch.setattr(module_main.ModuleContext, "cloud", cloud)
    monkeypatch.setattr(module_main.ModuleContext, "directory", found.directory)
    return found


@pytest.fixture
def run(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(module: ModuleType, *, check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {
            "tenant_id": "contoso.lab",
            "client_id": "app",
            "client_secret": "secret",
            "directory_hosts": ["dc1"],
            "directory_user": "svc",
            "directory_password": "secret",
            "all_mailboxes": True,
            "artifact_dir": str(tmp_path),
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            **options,
        }
        arguments = {name: value for name, value in arguments.items() if value is not OMIT}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def test_writing_back(world: World, run: Run) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    checked = run(directory_writeback, check=True)
    assert checked["changed"] is True
    assert world.directory.modifications == []
    done = run(directory_writeback)
    assert done["changed"] is True
    assert done["diff"] == checked["diff"]
    assert done["counts"]["written"] == 1
    assert Path(done["journal"]["path"]).exists()
    assert set(done["artifact"]) == {"path", "sha256", "lines"}
    again = run(directory_writeback)
    assert again["changed"] is False
    assert "journal" not in again


def test_a_failure_keeps_counts_failures_and_what_changed(world: World, run: Run) -> None:
    world.user("gone", in_directory=False)
    world.user("user", {"CustomAttribute1": "new"})
    failed = run(directory_writeback)
    assert failed["failed"] is True
    assert failed["changed"] is True
    assert failed["counts"]["not_found"] == 1
    assert failed["failures"][0]["object"] == "gone@contoso.lab"
    assert failed["error_kind"] == "PartialFailure"
    assert failed["artifact"]["lines"] == 2


def test_report_limit_holds_for_failures_and_diff(world: World, run: Run) -> None:
    for number in range(4):
        world.user(f"gone{number}", in_directory=False)
        world.user(f"user{number}", {"CustomAttribute1": "new"})
    failed = run(directory_writeback, report_limit=2)
    assert len(failed["failures"]) == 2
    assert [*failed["diff"][-1]] == ["prepared"]
    assert len(failed["diff"]) == 3
    assert failed["counts"]["not_found"] == 4


def test_limits_are_options(world: World, run: Run) -> None:
    for number in range(3):
        world.user(f"user{number}", {"CustomAttribute1": "new"})
    refused = run(directory_writeback, max_changes=2)
    assert refused["failed"] is True
    assert refused["planned"] == 3
    assert refused["changed"] is False


def test_mailboxes_left_alone_are_warned_about(world: World, run: Run) -> None:
    world.user("onprem", managed=False)
    result = run(directory_writeback)
    assert any("not cloud-managed" in str(warning) for warning in result["warnings"])


@pytest.mark.parametrize("module", [directory_writeback, roundtrip_info])
def test_users_without_a_mailbox_are_counted_and_warned_about_once(
    world: World, run: Run, module: ModuleType, tmp_path: Path
) -> None:
    world.user("user")
    world.mailboxes.left_out = (Member("id-1", "x@contoso.lab"), Member("id-2"))
    result = run(module)
    assert (result["counts"]["total"], result["counts"]["without_mailbox"]) == (1, 2)
    said = [str(warning) for warning in result["warnings"]]
    assert len(said) == 1
    assert "2 of the selected users have no mailbox in Exchange Online and were left out: x@contoso.lab" in said[0]
    lines = [json.loads(line) for line in Path(result["artifact"]["path"]).read_text("utf-8").splitlines()]
    assert [line["object"] for line in lines] == ["user@contoso.lab", "x@contoso.lab", "id-2"]


def test_nothing_is_proven_by_users_without_a_mailbox(world: World, run: Run) -> None:
    world.mailboxes.left_out = (Member("id-1", "x@contoso.lab"),)
    result = run(roundtrip_info)
    assert (result["proven"], result["percent"]) == (False, 0.0)


def test_proving_the_round_trip(world: World, run: Run) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    result = run(roundtrip_info)
    assert result["changed"] is False
    assert result["proven"] is False
    assert result["differing"][0]["attributes"] == ["extensionAttribute1"]
    assert "failed" not in result
    failed = run(roundtrip_info, fail_on_difference=True)
    assert failed["failed"] is True
    assert failed["proven"] is False
    assert failed["changed"] is False


def test_a_plan_is_saved_reviewed_and_applied(world: World, run: Run, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    plan = str(tmp_path / "plan.jsonl")
    saved = run(directory_writeback, check=True, plan_file=plan)
    assert saved["changed"] is True
    assert world.directory.modifications == []
    given = {"all_mailboxes": OMIT, "apply_plan": plan, "apply_plan_sha256": saved["plan"]["sha256"]}
    assert run(directory_writeback, check=True, **given)["changed"] is True
    assert run(directory_writeback, **given)["counts"]["written"] == 1
    assert run(directory_writeback, **given)["changed"] is False
    for wrong in ({"all_mailboxes": True}, {"exclude": ["x"]}, {"apply_plan_sha256": None}, {"plan_file": plan}):
        assert run(directory_writeback, **given | wrong)["failed"] is True


def test_rules_say_what_the_directory_owns(world: World, run: Run, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new", "CustomAttribute2": "new"})
    rules = tmp_path / "rules.yml"
    rules.write_text("- {target: extensionAttribute2, owner: directory}\n- {target: mail, source: Mail}\n")
    assert run(directory_writeback, rules_file=str(rules))["attributes"] == ["extensionAttribute2"]
    failed = run(directory_writeback, rules_file=str(rules), attributes=["mail"])
    assert "rules.yml:2:3: this rule gives mail to Cloud Sync" in failed["msg"]


def test_a_wave_is_restored(world: World, run: Run, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    journals = str(tmp_path / "journals")
    run(directory_writeback, wave="pilot", journal_dir=journals)
    given = {"wave": "pilot", "journal_dir": journals}
    checked = restored(run, check=True, **given)
    assert checked["changed"] is True
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)
    done = restored(run, **given)
    assert done["diff"] == checked["diff"]
    assert world.directory.text(guid, "extensionAttribute1") == ("old",)
    assert restored(run, **given)["changed"] is False
    undone = restored(run, journals=[done["journal"]["path"]], tenant_id=None, client_id=None)
    assert any("nobody looked" in str(warning) for warning in undone["warnings"])
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)
    assert restored(run, journal_dir=journals)["failed"] is True


def restored(run: Run, **options: Any) -> dict[str, Any]:
    """directory_restore has no selection."""
    return run(directory_restore, all_mailboxes=OMIT, **options)


@pytest.mark.parametrize("module", [directory_writeback, roundtrip_info])
def test_every_key_of_a_result_is_documented(world: World, run: Run, module: ModuleType) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    documented = set(yaml.safe_load(module.RETURN))
    result = run(module)
    # Ansible documents these itself; warnings of earlier modules in the same process show up, too.
    assert set(result) - {"changed", "invocation", "diff", "warnings", "failures"} <= documented
    always = {name for name, row in yaml.safe_load(module.RETURN).items() if row["returned"] == "always"}
    assert always <= set(result)


def test_every_key_of_a_restore_is_documented(world: World, run: Run) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    run(directory_writeback, wave="pilot")
    result = restored(run, wave="pilot")
    rows = yaml.safe_load(directory_restore.RETURN)
    assert set(result) - {"changed", "invocation", "diff", "warnings"} == set(rows)


@pytest.mark.parametrize("module", [directory_restore, directory_writeback, roundtrip_info])
def test_documented_options_are_the_options(module: ModuleType) -> None:
    own = yaml.safe_load(module.DOCUMENTATION)["options"]
    for name, documented in own.items():
        option = module.SPEC.options[name]
        for key in ("type", "default", "choices", "elements"):
            assert option.get(key) == documented.get(key), (name, key)
    examples = yaml.safe_load(module.EXAMPLES)
    for task in examples:
        for name, arguments in task.items():
            if name.startswith("hybrid.exchange."):
                assert set(arguments) <= set(module.SPEC.options)
