# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run as Ansible runs them: their real main(), with real arguments, in this process.

One process for all saves the second that a playbook takes for each task; what Ansible itself adds (module_defaults,
action plugins, live progress) is tested with playbooks.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
import yaml
from ansible.module_utils.testing import patch_module_args

PACKAGE = "ansible_collections.hybrid.exchange.plugins.modules"
MODULES = (
    "decommission_readiness_info",
    "directory_restore",
    "directory_writeback",
    "exchange_topology_info",
    "mailbox_authority",
    "mailbox_info",
    "organization_authority",
    "roundtrip_info",
    "sync_agent",
    "sync_agent_info",
    "writeback_cycle",
    "writeback_job",
    "writeback_job_info",
    "writeback_mapping",
    "writeback_prediction_info",
)


@dataclass(frozen=True)
class Example:
    """One task of a module's EXAMPLES."""

    module: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What a module answered; ``output`` is all that it printed, to look for what must not be there."""

    data: Mapping[str, Any]
    output: str

    @property
    def failed(self) -> bool:
        """Whether the task failed."""
        return bool(self.data.get("failed"))

    @property
    def changed(self) -> bool:
        """Whether the task says that it changed something (or would)."""
        return bool(self.data.get("changed"))


def examples(module: str) -> list[Example]:
    """The documented examples of a module, templates rendered as in a play that set no variable."""
    source = importlib.import_module(f"{PACKAGE}.{module}").EXAMPLES
    found = []
    for task in yaml.safe_load(source):
        name = f"hybrid.exchange.{module}"
        if name in task:
            found.append(Example(module, task["name"], _rendered(task[name] or {})))
    return found


def _rendered(value: Any) -> Any:
    if isinstance(value, str):
        return jinja2.Environment(autoescape=False).from_string(value).render(playbook_dir="playbooks")
    if isinstance(value, list):
        return [_rendered(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _rendered(item) for name, item in value.items()}
    return value


def run(module: str, arguments: Mapping[str, Any], *, check: bool = False) -> Result:
    """Runs a module's main() and returns its answer; an answer that is not one JSON object is an error."""
    entry = importlib.import_module(f"{PACKAGE}.{module}")
    output = io.StringIO()
    given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
    with contextlib.redirect_stdout(output), patch_module_args(given):
        try:
            entry.main()
        except SystemExit:
            pass
        else:
            raise RuntimeError(f"{module} returned without an answer.")
    return Result(json.loads(output.getvalue()), output.getvalue())
