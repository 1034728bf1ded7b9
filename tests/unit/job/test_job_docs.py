# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules document is what they accept."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import yaml
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import JOB

MODULES = ("writeback_job", "writeback_job_info", "writeback_mapping", "writeback_cycle")
PLUGINS = "ansible_collections.hybrid.exchange.plugins"


def documented(name: str) -> tuple[Any, dict[str, Any]]:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    text = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, Any] = {}
    for fragment in text["extends_documentation_fragment"]:
        source = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment.rpartition('.')[2]}")
        options |= yaml.safe_load(source.ModuleDocFragment.DOCUMENTATION).get("options") or {}
    # As Ansible does it: what a module says itself counts, and the rest of the same option comes from the fragment.
    own = text.get("options", {})
    return module, options | {name: options.get(name, {}) | described for name, described in own.items()}


def compare(where: str, documented: dict[str, Any], accepted: dict[str, Any]) -> None:
    assert set(documented) == set(accepted), where
    for name, option in accepted.items():
        described = documented[name]
        for key, empty in (("type", "str"), ("elements", None), ("required", False), ("choices", None)):
            assert described.get(key, empty) == option.get(key, empty), (where, name, key)
        assert described.get("default") == option.get("default"), (where, name)
        if "options" in option:
            compare(f"{where}.{name}", described["suboptions"], option["options"])


@pytest.mark.parametrize("name", MODULES)
def test_documentation_and_specification_are_equal(name: str) -> None:
    module, options = documented(name)
    compare(name, options, {key: dict(value) for key, value in module.SPEC.options.items()})


def test_the_fragment_of_the_job_says_what_its_specification_says() -> None:
    fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.writeback_job")
    options = yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
    compare("fragment", options, {key: dict(value) for key, value in JOB.options.items()})


@pytest.mark.parametrize("name", MODULES)
def test_no_module_documents_the_job_options_by_itself(name: str) -> None:
    own = set(yaml.safe_load(documented(name)[0].DOCUMENTATION)["options"])
    assert own & set(JOB.options) == ({"domain"} if name == "writeback_job_info" else set())


@pytest.mark.parametrize("name", MODULES)
def test_examples_use_only_documented_options(name: str) -> None:
    module, options = documented(name)
    tasks = [task for task in yaml.safe_load(module.EXAMPLES) if f"hybrid.exchange.{name}" in task]
    assert tasks
    for task in tasks:
        assert set(task[f"hybrid.exchange.{name}"] or {}) <= set(options)


@pytest.mark.parametrize("name", MODULES)
def test_markup_names_what_exists(name: str) -> None:
    module, options = documented(name)
    returned = yaml.safe_load(module.RETURN)
    for option in re.findall(r"\bO\((\w+)", module.DOCUMENTATION + module.RETURN):
        assert option in options or option == "hybrid", option  # hybrid.exchange.<another module>#module:<its option>
    for value in re.findall(r"\bRV\((\w+)", module.DOCUMENTATION + module.RETURN):
        assert value in returned or value == "hybrid", value
    for other, kind, named in re.findall(r"\b(R?)(?:V|O)\(hybrid\.exchange\.(\w+)#module:(\w+)", module.DOCUMENTATION):
        target, accepted = documented(kind)
        assert named in (yaml.safe_load(target.RETURN) if other else accepted), named
