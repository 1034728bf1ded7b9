# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles, playbooks, inventory and modules say of each other is true."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate import decommission, tenants

from tests.playbooks.conftest import ROOT

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")
GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def options(module: str) -> dict[str, Any]:
    """The options that a module documents, fragments included."""
    source = (ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(source.split('DOCUMENTATION = r"""')[1].split('"""')[0])
    found = dict(documentation["options"])
    for fragment in documentation.get("extends_documentation_fragment", []):
        text = (ROOT / f"plugins/doc_fragments/{fragment.rsplit('.', 1)[-1]}.py").read_text(encoding="utf-8")
        found |= yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0]).get("options", {})
    return found


def tasks(node: Any) -> list[dict[str, Any]]:
    """All tasks of a parsed file, those of blocks too."""
    if isinstance(node, list):
        return [task for entry in node for task in tasks(entry)]
    inner = [task for key in ("block", "rescue", "always", "tasks") for task in tasks(node.get(key, []))]
    return [*inner, node] if isinstance(node, dict) else []


LISTS = {"rollback_attributes", "writeback_attributes"}
FILES = [*PLAYBOOKS, *(ROOT / "playbooks/tasks").glob("*.yml"), *(ROOT / "roles").glob("*/tasks/*.yml")]


def test_every_module_is_in_the_groups_of_the_options_that_it_has() -> None:
    leading = {
        "tenant": "tenant_id",
        "directory": "directory_hosts",
        "run": "artifact_dir",
        "selection": "identities",
        "job": "job_template_id",
        "windows": "windows_host",
        "exchange_server": "exchange_server_host",
    }
    assert set(leading) == set(GROUPS)
    for group, option in leading.items():
        assert GROUPS[group] == sorted(module for module in MODULES if option in options(module)), group


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tasks_use_options_that_their_modules_have(path: Path) -> None:
    for task in tasks(load(path)):
        for name, arguments in task.items():
            if name.startswith("hybrid.exchange."):
                unknown = set(arguments or ()) - set(options(name.rsplit(".", 1)[-1]))
                assert not unknown, f"{task['name']}: {unknown}"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_what_galaxy_and_users_want(role: str) -> None:
    home = ROOT / "roles" / role
    assert (home / "README.md").read_text().startswith(f"# hybrid.exchange.{role}\n")
    specs = load(home / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = load(home / "defaults/main.yml")
    assert all(name.startswith(f"{role}_") for name in specs)
    optional = {name: spec for name, spec in specs.items() if not spec.get("required")}
    assert set(optional) == set(defaults)
    for name, spec in optional.items():
        if "default" in spec:
            assert spec["default"] == defaults[name], name
        else:  # what the inventory says, and a list that stands once, in the defaults
            assert "{{" in str(defaults[name]) or name in LISTS, name


def test_a_rollback_writes_everything_that_the_next_sync_would_overwrite() -> None:
    found = load(ROOT / "roles/rollback/defaults/main.yml")["rollback_attributes"]
    wanted = {
        name
        for name, attribute in CATALOGUE.items()
        if attribute.synced and attribute.directory_writable and not attribute.written_back
    }
    assert {name.lower() for name in found} == {name.lower() for name in wanted}


def test_the_method_directory_writes_what_a_job_would() -> None:
    assert load(ROOT / "roles/writeback/defaults/main.yml")["writeback_attributes"] == list(WRITEBACK)


def test_a_tenant_file_takes_the_options_of_the_modules() -> None:
    decided_by_a_run = {"state", "wait", "first_start", "prediction", "prediction_max_age"}
    shared = set(options("writeback_job_info")) - {"domain", *tenants.JOB_TEMPLATES}
    job = set(options("writeback_job")) - shared - decided_by_a_run
    assert set(tenants.JOB_SECTION.options) == job
    assert set(tenants.MAPPING_SECTION.options) == set(options("writeback_mapping")["mappings"]["suboptions"])
    for name in tenants.COMPARISON_SECTION.options:
        for module in ("directory_writeback", "roundtrip_info"):
            assert options(module)[name].get("choices") == tenants.COMPARISON_SECTION.options[name].get("choices")
    in_the_role = load(ROOT / "roles/job/meta/argument_specs.yml")["argument_specs"]["main"]["options"]["job_options"]
    assert set(in_the_role["options"]) == job - set(tenants.JOB_TEMPLATES)


def test_a_tenant_file_takes_the_options_of_a_decommission() -> None:
    judged = set(options("decommission_readiness_info"))
    assert set(decommission.SECTION.options) - {"hybrid_agent", "clean_up", "uninstall"} <= judged
    in_a_run = {"phase", "trial_shutdown", "readiness_file", "verify_bundle", "performed_by", "domain", "progress_file"}
    shared = set(options("sync_agent_info")) | set(options("roundtrip_info")) | set(options("writeback_job_info"))
    assert judged - in_a_run - shared - {"servers"} <= set(decommission.SECTION.options)
    assert set(decommission.CLEAN_UP_SECTION.options) <= set(options("hybrid_configuration"))


def test_playbooks_share_their_first_lines() -> None:
    """Each play over tenants goes by rings, stops at a failure, and gets its options from the inventory."""
    shared = ("hosts", "gather_facts", "serial", "max_fail_percentage", "module_defaults")
    plays = {}
    for path in PLAYBOOKS:
        if path.name != "estate.yml":
            first, play = load(path)
            assert first["ansible.builtin.import_playbook"] == "estate.yml", path.name
            plays[path.name] = {key: play[key] for key in shared}
    assert len(plays) >= 7
    assert all(play == plays["site.yml"] for play in plays.values())
    assert plays["site.yml"]["max_fail_percentage"] == 0
