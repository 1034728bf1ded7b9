# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of authority through their real main(), with the far ends replaced."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._authority import carry_out, organization
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    InputError,
    PermissionDenied,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from authority_fakes import FakeExchange, FakeMailboxes, mailbox

CONNECTOR = "ansible_collections.hybrid.exchange.plugins.module_utils._cloud.connect"
TENANT = {"tenant_id": "contoso.com", "client_id": "app", "client_secret": "s3cr3t-value"}


class Tenant:
    def __init__(self, *mailboxes, **answers):
        self.mailboxes = FakeMailboxes(*mailboxes)
        self.exchange = FakeExchange(**answers)
        self.graph = self.synchronization = None

    def statistics(self):
        return {"throttled_requests": 2, "waited_seconds": 1.5}


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(carry_out, "READ_BACK_DELAYS", ())
    monkeypatch.setattr(organization, "READ_BACK_DELAYS", ())

    def run(name, tenant, *, check=False, diff=True, **arguments):
        module = importlib.import_module(f"ansible_collections.hybrid.exchange.plugins.modules.{name}")
        connector = ModuleType(CONNECTOR)
        connector.connect = lambda params: tenant
        monkeypatch.setitem(sys.modules, CONNECTOR, connector)
        args = TENANT | {"artifact_dir": str(tmp_path / "artifacts")} | arguments
        args |= {"_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args(args), pytest.raises(SystemExit) as ended:
            module.main()
        result = json.loads(capsys.readouterr().out)
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result

    return run


@pytest.fixture
def tenant():
    return Tenant(mailbox("anna"), mailbox("bert", cloud_managed=True), mailbox("cloud", dir_synced=False))


def lines(artifact):
    return [json.loads(line) for line in Path(artifact["path"]).read_text("utf-8").splitlines()]


def test_mailbox_info(call, tenant):
    result = call("mailbox_info", tenant, all_mailboxes=True, limit=1)
    assert result["changed"] is False
    assert result["counts"]["total"] == 3
    assert len(result["mailboxes"]) == 1
    assert len(lines(result["artifact"])) == result["artifact"]["lines"] == 3
    assert result["failures"] == []
    assert "diff" not in result


def test_users_without_a_mailbox_are_counted_by_mailbox_info_and_fail_mailbox_authority(call, tenant):
    tenant.mailboxes.without_mailbox = (Member("id-x", "x@contoso.com"), Member("id-y"))
    result = call("mailbox_info", tenant, group="Wave 1")
    assert result["counts"]["ineligible"] == {"cloud_only": 1, "no_mailbox": 2}
    refused = call("mailbox_authority", tenant, group="Wave 1", authority="cloud")
    assert refused["failed"]
    assert "x@contoso.com has no mailbox in Exchange Online" in refused["msg"]
    assert tenant.mailboxes.written == []
    skipped = call("mailbox_authority", tenant, group="Wave 1", authority="cloud", on_ineligible="skip")
    assert skipped["counts"]["ineligible_by_reason"] == {"cloud_only": 1, "no_mailbox": 2}
    assert skipped["changed"]


def test_warnings_of_exchange_online_reach_the_user(call, tenant):
    tenant.exchange.warnings += ["careful", "careful", "slow", "late"]
    result = call("mailbox_info", tenant, all_mailboxes=True, report_limit=2)
    expected = ["Exchange Online: careful", "Exchange Online: slow", "Exchange Online gave 1 more warnings."]
    assert len(result["warnings"]) == len(expected)
    for warning, text in zip(result["warnings"], expected, strict=True):
        assert text in str(warning)
    failed = call("mailbox_authority", tenant, all_mailboxes=True, authority="cloud")
    assert failed["failed"]
    assert any("Exchange Online: late" in str(warning) for warning in failed["warnings"])


def test_without_warnings_of_exchange_online_there_are_none(call, tenant):
    assert "warnings" not in call("mailbox_info", tenant, all_mailboxes=True)


def test_mailbox_authority_check_apply_again(call, tenant):
    arguments = {"all_mailboxes": True, "authority": "cloud", "on_ineligible": "skip"}
    checked = call("mailbox_authority", tenant, check=True, **arguments)
    assert tenant.mailboxes.written == []
    assert (checked["changed"], checked["counts"]["changed"]) == (True, 1)
    applied = call("mailbox_authority", tenant, **arguments)
    assert len(tenant.mailboxes.written) == 1
    assert applied["diff"] == checked["diff"]
    assert applied["counts"] == checked["counts"]
    assert [line["action"] for line in lines(applied["artifact"])] == ["change", "unchanged", "ineligible"]
    assert lines(applied["outcomes"])[0]["outcome"] == "changed"
    again = call("mailbox_authority", tenant, **arguments)
    assert (again["changed"], "diff" in again, len(tenant.mailboxes.written)) == (False, False, 1)


def test_mailbox_authority_without_diff_mode(call, tenant):
    result = call("mailbox_authority", tenant, diff=False, all_mailboxes=True, authority="cloud", on_ineligible="skip")
    assert "diff" not in result


def test_mailbox_authority_fails_with_facts(call, tenant):
    result = call("mailbox_authority", tenant, all_mailboxes=True, authority="cloud")
    assert result["failed"] is True
    assert result["changed"] is False
    assert result["error_kind"] == "Refused"
    assert result["ineligible"][0]["object"] == "cloud@contoso.com"
    assert result["msg"].startswith("1 of 3 selected objects cannot be moved: cloud@contoso.com is not synchronized")


def test_mailbox_authority_partial_failure_says_changed(call):
    tenant = Tenant(mailbox("anna"), mailbox("bert"))
    tenant.mailboxes.errors["id-bert"] = (PermissionDenied("no role", request_id="r1"), False)
    result = call("mailbox_authority", tenant, all_mailboxes=True, authority="cloud")
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["counts"]["failed"] == 1
    assert result["failures"][0]["request_id"] == "r1"
    assert lines(result["artifact"])


def test_mailbox_authority_quiet_hours_want_a_directory(call, tenant):
    result = call(
        "mailbox_authority", tenant, all_mailboxes=True, authority="cloud", on_ineligible="skip", quiet_hours=24
    )
    assert result["failed"]
    assert "directory_hosts" in result["msg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "one of the following is required: identities"),
        ({"all_mailboxes": True, "group": "x"}, "mutually exclusive"),
        ({"all_mailboxes": True, "max_change_percent": 101}, "max_change_percent must be between"),
        ({"all_mailboxes": True, "report_limit": -1}, "report_limit must not be negative"),
        ({"all_mailboxes": True, "identities_column": "x"}, "identities_file"),
    ],
)
def test_mailbox_authority_bad_options(call, tenant, arguments, message):
    result = call("mailbox_authority", tenant, authority="cloud", **arguments)
    assert result["failed"]
    assert message in result["msg"]
    assert tenant.mailboxes.reads == []


def test_a_bad_selection_file_names_the_place(call, tenant, tmp_path):
    path = tmp_path / "wave.yml"
    path.write_text("- anna@contoso.com\n- [bert]\n")
    result = call("mailbox_info", tenant, identities_file=str(path))
    assert result["msg"].startswith(f"{path}:2:3: ")
    assert (result["file"], result["line"], result["column"]) == (str(path), 2, 3)
    assert result["error_kind"] == "InputError"


def test_organization_authority(call):
    tenant = Tenant(mailbox("anna", cloud_managed=True))
    arguments = {"default_authority": "cloud", "confirm_tenant": "contoso.com"}
    checked = call("organization_authority", tenant, check=True, **arguments)
    assert tenant.exchange.writes == []
    applied = call("organization_authority", tenant, **arguments)
    assert checked["changed"] is applied["changed"] is True
    assert checked["diff"] == applied["diff"]
    assert applied["service"] == {"throttled_requests": 2, "waited_seconds": 1.5}
    again = call("organization_authority", tenant, **arguments)
    assert (again["changed"], len(tenant.exchange.writes)) == (False, 1)


def test_organization_authority_refusals(call):
    tenant = Tenant(mailbox("anna"))
    result = call("organization_authority", tenant, default_authority="cloud")
    assert "confirm_tenant must repeat" in result["msg"]
    result = call("organization_authority", tenant, default_authority="cloud", confirm_tenant="contoso.com")
    assert result["evidence"] == {"unmanaged_mailboxes": ["anna@contoso.com"]}
    result = call(
        "organization_authority",
        tenant,
        default_authority="cloud",
        confirm_tenant="contoso.com",
        accepted_mail_users=["A@x"],
    )
    assert result["evidence"]
    assert tenant.exchange.writes == []


@pytest.mark.parametrize("error", [Unavailable("down", request_id="r"), InputError("wrong")])
def test_errors_of_far_ends_become_results_without_a_traceback(call, error):
    def read(*_arguments):
        raise error

    tenant = Tenant()
    tenant.mailboxes = SimpleNamespace(read=read)
    result = call("mailbox_info", tenant, all_mailboxes=True)
    assert result["msg"] == error.message
    assert "exception" not in result
    assert "s3cr3t-value" not in json.dumps(result)
