# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shared options, and that their documentation says the same."""

from __future__ import annotations

import importlib

import pytest
import yaml
from ansible_collections.hybrid.exchange.plugins.module_utils._model.clouds import CLOUDS
from ansible_collections.hybrid.exchange.plugins.module_utils._module import arguments
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    OPTIONAL_SELECTION,
    RUN,
    SELECTION,
    TENANT,
    ArgumentSpec,
)


def documented(fragment):
    module = importlib.import_module(f"ansible_collections.hybrid.exchange.plugins.doc_fragments.{fragment}")
    return yaml.safe_load(module.ModuleDocFragment.DOCUMENTATION)["options"]


def facts_of_docs(option):
    keys = ("type", "elements", "required", "default", "choices")
    return {key: option[key] for key in keys if key in option} | {
        "options": {name: facts_of_docs(sub) for name, sub in option.get("suboptions", {}).items()}
    }


def facts_of_spec(option):
    keys = ("type", "elements", "required", "default", "choices")
    return {key: option[key] for key in keys if key in option} | {
        "options": {name: facts_of_spec(sub) for name, sub in option.get("options", {}).items()}
    }


@pytest.mark.parametrize(
    ("fragment", "spec"),
    [("tenant", TENANT), ("directory", DIRECTORY), ("run", RUN), ("selection", SELECTION)],
)
def test_fragments_say_what_the_specification_says(fragment, spec):
    docs = documented(fragment)
    assert {name: facts_of_docs(option) for name, option in docs.items()} == {
        name: facts_of_spec(option) for name, option in spec.options.items()
    }
    for name, option in spec.options.items():
        if "fallback" in option:
            assert option["fallback"][1] == [f"HYBRID_EXCHANGE_{name.upper()}"]
            assert f"E(HYBRID_EXCHANGE_{name.upper()})" in str(docs[name]["description"])


def test_clouds_are_those_of_the_model():
    assert list(CLOUDS) == arguments.CLOUDS


def test_secrets_are_not_logged():
    for name in ("client_secret", "client_certificate_password", "access_tokens"):
        assert TENANT.options[name]["no_log"] is True
    assert DIRECTORY.options["directory_password"]["no_log"] is True


def test_merge_adds_up_and_leaves_the_parts_alone():
    one = ArgumentSpec({"a": {"type": "str"}}, mutually_exclusive=[("a", "b")], supports_check_mode=False)
    two = ArgumentSpec({"b": {"type": "int"}}, required_one_of=[("a", "b")], required_by={"b": ("a",)})
    kwargs = one.merge(two).to_kwargs()
    assert set(kwargs["argument_spec"]) == {"a", "b"}
    assert kwargs["mutually_exclusive"] == [["a", "b"]]
    assert kwargs["required_one_of"] == [["a", "b"]]
    assert kwargs["required_by"] == {"b": ["a"]}
    assert kwargs["supports_check_mode"] is False
    assert set(one.options) == {"a"}


def test_the_optional_selection_differs_in_nothing_but_being_optional():
    assert OPTIONAL_SELECTION.options == SELECTION.options
    assert OPTIONAL_SELECTION.mutually_exclusive == SELECTION.mutually_exclusive
    assert not OPTIONAL_SELECTION.required_one_of
    assert SELECTION.required_one_of
