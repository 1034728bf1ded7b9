# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a module."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    MissingLibrary,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RUN,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import Outcome, run

PACKAGE = "ansible_collections.hybrid.exchange.plugins.module_utils"
SPEC = ArgumentSpec().merge(TENANT, DIRECTORY, RUN)
ARGUMENTS = {"tenant_id": "t", "client_id": "c", "client_secret": "s3cr3t-value"}


@pytest.fixture
def call(capsys):
    def run_it(use_case, **arguments):
        with patch_module_args(ARGUMENTS | arguments), pytest.raises(SystemExit):
            run(SPEC, use_case)
        return json.loads(capsys.readouterr().out)

    return run_it


@pytest.fixture
def far_ends(monkeypatch):
    """Stand-ins for the connectors, which count how often they connect."""
    calls = SimpleNamespace(cloud=0, directory=0, closed=0)

    def closed():
        calls.closed += 1

    def connect(params):
        calls.cloud += 1
        return SimpleNamespace(
            exchange=SimpleNamespace(warnings=()),
            graph="graph",
            mailboxes="mailboxes",
            synchronization="synchronization",
            statistics=lambda: {"throttled_requests": 1, "waited_seconds": 0.5},
        )

    def connect_directory(params):
        calls.directory += 1
        return SimpleNamespace(close=closed)

    for name, function in (("_cloud.connect", connect), ("_on_premises.connect", connect_directory)):
        module = ModuleType(f"{PACKAGE}.{name}")
        setattr(module, function.__name__, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


def test_every_result_has_the_common_keys(call):
    result = call(lambda context: Outcome(False))
    assert (result["changed"], result["counts"], result["failures"], result["service"]) == (False, {}, [], {})


def test_far_ends_connect_on_demand_and_once(call, far_ends):
    call(lambda context: Outcome(False), directory_hosts=["dc"])
    assert (far_ends.cloud, far_ends.directory, far_ends.closed) == (0, 0, 0)

    def use(context):
        assert (context.exchange.warnings, context.graph) == ((), "graph")
        assert (context.mailboxes, context.synchronization) == ("mailboxes", "synchronization")
        assert context.has_directory
        assert context.directory is context.directory
        return Outcome(True, {"counts": {"n": 1}})

    result = call(use, directory_hosts=["dc"])
    assert (far_ends.cloud, far_ends.directory, far_ends.closed) == (1, 1, 1)
    assert result["service"] == {"throttled_requests": 1, "waited_seconds": 0.5}


def test_a_directory_that_is_not_given_is_an_error(call):
    result = call(lambda context: context.directory)
    assert "give directory_hosts" in result["msg"]


def test_errors_become_results(call, far_ends):
    def fail(context):
        assert context.cloud
        raise Conflict("it moved", object="x", changed=True, ids={"b", "a"}, http_status=409)

    result = call(fail)
    assert result["failed"] is True
    assert result["changed"] is True
    assert (result["msg"], result["object"], result["ids"]) == ("it moved", "x", ["a", "b"])
    assert (result["http_status"], result["error_kind"]) == (409, "Conflict")
    assert result["service"]["throttled_requests"] == 1


def test_the_cause_of_an_error_is_no_traceback_for_the_user(call):
    def fail(context):
        try:
            raise ConnectionResetError("reset")
        except ConnectionResetError as error:
            raise Unavailable("the service is down") from error

    result = call(fail)
    assert result["msg"] == "the service is down"
    assert "exception" not in result


def test_a_missing_library_names_the_interpreter(call):
    def fail(context):
        raise MissingLibrary("msal", "Traceback ...")

    result = call(fail)
    assert result["failed"]
    assert "msal" in result["msg"]
    assert sys.executable in result["msg"]


def test_a_bug_stays_visible_as_one(capsys):
    with patch_module_args(ARGUMENTS), pytest.raises(ZeroDivisionError):
        run(SPEC, lambda context: 1 / 0)


@dataclass(frozen=True)
class Thing:
    a: int


def test_results_are_plain_data_and_secrets_stay_out(call):
    result = call(
        lambda context: Outcome(True, {"thing": Thing(1), "names": ("b",), "said": context.params["client_id"]})
    )
    assert result["thing"] == {"a": 1}
    assert result["names"] == ["b"]
    leaked = call(lambda context: Outcome(True, {"x": context.params["client_secret"]}))
    assert "s3cr3t-value" not in json.dumps(leaked)


def test_options_from_the_environment(capsys, monkeypatch):
    values = {"TENANT_ID": "env-tenant", "CLIENT_ID": "env-client", "CLOUD": "dod", "CLIENT_SECRET": "env-secret"}
    for name, value in values.items():
        monkeypatch.setitem(os.environ, f"HYBRID_EXCHANGE_{name}", value)
    seen = {}

    def use(context):
        seen.update(context.params)
        return Outcome(False)

    with patch_module_args({}), pytest.raises(SystemExit):
        run(SPEC, use)
    assert (seen["tenant_id"], seen["client_id"], seen["cloud"]) == ("env-tenant", "env-client", "dod")
    assert seen["client_secret"] == "env-secret"


def test_artifacts_go_to_their_directory(call, tmp_path):
    def use(context):
        with context.artifacts("things") as writer:
            writer.write({"a": 1})
        return Outcome(False, {"artifact": writer.artifact})

    result = call(use, artifact_dir=str(tmp_path / "deep" / "dir"))
    assert result["artifact"]["lines"] == 1
    assert result["artifact"]["path"].startswith(str(tmp_path / "deep" / "dir" / "things-"))
