# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input against real far ends: the task fails, says what is wrong and where, and has written nothing."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import observe, stage
from tests.conformance.modules import Result, run
from tests.lab.client import Lab

EVERYBODY = {"all_mailboxes": True}
NOBODY = "11111111-2222-3333-4444-555555555555"
FLIP = {"authority": "cloud"}

# module, what is wrong, options on top of the defaults, words that the message must hold
WRONG: list[tuple[str, str, Mapping[str, Any], tuple[str, ...]]] = [
    ("mailbox_info", "unknown tenant", {**EVERYBODY, "tenant_id": NOBODY}, ("tenant",)),
    ("mailbox_info", "unknown application", {**EVERYBODY, "client_id": NOBODY}, ("AADSTS700016",)),
    ("mailbox_info", "wrong secret", {**EVERYBODY, "client_secret": "wrong"}, ("AADSTS7000215", "secret")),
    ("mailbox_info", "no such host", {**EVERYBODY, "exchange_url": "https://127.0.0.1:9"}, ("127.0.0.1",)),
    ("mailbox_info", "bad filter", {"filter": "DisplayName -eqq 'x'"}, ("filter",)),
    ("mailbox_info", "unfilterable property", {"filter": "IsExchangeCloudManaged -eq 'True'"}, ("IsExchangeCloudManaged",)),
    ("mailbox_authority", "not found", {**FLIP, "identities": ["nobody@contoso.lab"]}, ("nobody@contoso.lab",)),
    ("mailbox_authority", "cloud only", {**FLIP, "identities": ["press@contoso.onmicrosoft.com"]}, ("press@", "cloud")),
    ("mailbox_authority", "still on premises", {**FLIP, "identities": ["zoe.smith@contoso.lab"]}, ("zoe.smith@", "premises")),
    ("mailbox_authority", "no such group", {**FLIP, "group": "No such group"}, ("No such group",)),
    ("mailbox_authority", "empty selection", {**FLIP, "filter": "CustomAttribute15 -eq 'nobody has this'"}, ("allow_empty",)),
    ("mailbox_authority", "no such unit", {**FLIP, "organizational_unit": "OU=Nowhere,DC=contoso,DC=lab"}, ("OU=Nowhere",)),
    ("mailbox_authority", "above the limit of the tenant", {**FLIP, **EVERYBODY, "on_ineligible": "skip", "mailbox_limit": 10}, ("mailbox_limit", "10")),
    ("mailbox_authority", "more changes than allowed", {**FLIP, **EVERYBODY, "on_ineligible": "skip", "max_changes": 5}, ("max_changes", "5")),
    ("organization_authority", "early", {"default_authority": "cloud", "confirm_tenant": "contoso.lab", "tenant_id": "contoso.lab"}, ("not cloud-managed",)),
    ("organization_authority", "not confirmed", {"default_authority": "cloud"}, ("confirm_tenant",)),
    ("writeback_job", "unknown template", {"domain": stage.DOMAIN, "application_template_id": NOBODY}, ("template",)),
    ("writeback_mapping", "no job", {"domain": "nowhere.lab", "mappings": [{"target": "mail", "source": "Mail"}]}, ("nowhere.lab",)),
    ("writeback_mapping", "unsafe", {"domain": stage.DOMAIN, "mappings": [{"target": "userAccountControl", "constant": "512"}]}, ("userAccountControl",)),
    ("writeback_mapping", "misspelt target", {"domain": stage.DOMAIN, "mappings": [{"target": "proxyAdresses", "source": "x"}]}, ("proxyAddresses",)),
    ("directory_writeback", "plaintext", {**EVERYBODY, "directory_hosts": ["ldap://127.0.0.1"]}, ("ldap://",)),
    ("directory_writeback", "unknown attribute", {**EVERYBODY, "attributes": ["extensionAttribut1"]}, ("extensionAttribute1",)),
    ("directory_writeback", "identity attribute", {**EVERYBODY, "attributes": ["legacyExchangeDN"]}, ("legacyExchangeDN",)),
    ("directory_writeback", "wrong password", {**EVERYBODY, "directory_password": "wrong"}, ("svc-writeback",)),
    ("directory_writeback", "no directory", {**EVERYBODY, "directory_hosts": []}, ("directory_hosts",)),
    ("roundtrip_info", "directory down", {**EVERYBODY, "directory_hosts": ["127.0.0.1"], "directory_timeout": 2}, ("127.0.0.1",)),
]  # fmt: skip


def refused(result: Result, *words: str) -> None:
    """The task failed, in a sentence that holds these words."""
    assert result.failed, result.data
    message = result.data["msg"]
    for word in words:
        assert word.casefold() in message.casefold(), message
    assert "Traceback" not in result.output


@pytest.fixture(scope="module")
def untouched(lab: Lab) -> Lab:
    """A lab on its first day; nothing here may write to it."""
    lab.reset()
    return lab


@pytest.mark.parametrize(
    ("module", "given", "words"),
    [pytest.param(module, given, words, id=f"{module}: {what}") for module, what, given, words in WRONG],
)
def test_wrong_input_is_refused_and_nothing_is_written(
    module: str, given: Mapping[str, Any], words: tuple[str, ...], untouched: Lab, defaults: stage.Defaults
) -> None:
    untouched.clear_log()
    usn = untouched.highest_committed_usn(stage.TENANT)
    refused(run(module, stage.arguments(module, given, defaults)), *words)
    assert [entry for entry in untouched.log(writes=True) if entry["status"] < 400] == []
    assert untouched.highest_committed_usn(stage.TENANT) == usn


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("wave.csv", 'UserPrincipalName\n"half a line\n', ("wave.csv:2", "CSV")),
        ("wave.csv", "Shoe size\n44\n", ("wave.csv", "UserPrincipalName")),
        ("wave.yml", "- a@contoso.lab\n- [b\n", ("wave.yml:3:1", "YAML")),
        ("wave.txt", "# nobody yet\n", ("wave.txt", "allow_empty")),
    ],
)
def test_a_malformed_selection_file_is_named_with_its_line(
    name: str, content: str, words: tuple[str, ...], untouched: Lab, defaults: stage.Defaults, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    given = stage.arguments("mailbox_authority", {**FLIP, "identities_file": str(file)}, defaults)
    refused(run("mailbox_authority", given), *words)


def test_an_ambiguous_name_is_refused(fresh: Lab, defaults: stage.Defaults) -> None:
    rows = observe.mailboxes(fresh.config, stage.TENANT)
    names = [row["DisplayName"] for row in rows.values()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None:
        tenant = fresh.config["tenants"][stage.TENANT]["tenant_id"]
        twice, (one, other) = "Kim Double", list(rows)[:2]
        for key in (one, other):
            fresh.patch_object(tenant, "mailbox", key, DisplayName=twice)
    given = stage.arguments("mailbox_authority", {**FLIP, "identities": [twice]}, defaults)
    refused(run("mailbox_authority", given), twice)


def test_an_expired_secret_is_said_to_be_expired(untouched: Lab, defaults: stage.Defaults) -> None:
    application = untouched.config["tenants"][stage.TENANT]["expired_application"]
    given = {**EVERYBODY, "client_id": application["client_id"], "client_secret": application["client_secret"]}
    refused(run("mailbox_info", stage.arguments("mailbox_info", given, defaults)), "expired")


@pytest.mark.parametrize(
    ("module", "given"),
    [("mailbox_info", EVERYBODY), ("writeback_job", {"domain": stage.DOMAIN})],
)
def test_a_missing_permission_is_named(
    module: str, given: Mapping[str, Any], untouched: Lab, defaults: stage.Defaults
) -> None:
    application = untouched.config["tenants"][stage.TENANT]["limited_application"]
    signed = {"client_id": application["client_id"], "client_secret": application["client_secret"]}
    refused(run(module, stage.arguments(module, {**given, **signed}, defaults)), "permission")


@pytest.mark.parametrize(("module", "option"), [("mailbox_info", "ca_path"), ("roundtrip_info", "directory_ca_path")])
def test_an_untrusted_certificate_is_refused(
    module: str, option: str, untouched: Lab, defaults: stage.Defaults
) -> None:
    others = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    given = stage.arguments(module, {**EVERYBODY, option: others}, defaults)
    refused(run(module, given), "certificate", option)


def test_a_certificate_for_another_host_is_refused(untouched: Lab, defaults: stage.Defaults) -> None:
    given = stage.arguments("roundtrip_info", {**EVERYBODY, "directory_server_name": "dc9.contoso.lab"}, defaults)
    refused(run("roundtrip_info", given), "dc9.contoso.lab")


def test_a_value_over_the_range_is_refused_for_its_mailbox_alone(fresh: Lab, defaults: stage.Defaults) -> None:
    stage.prepare("directory_writeback", {}, fresh, defaults)
    rows = observe.mailboxes(fresh.config, stage.TENANT).values()
    managed = sorted(
        (row["UserPrincipalName"], row["ExternalDirectoryObjectId"]) for row in rows if row["IsExchangeCloudManaged"]
    )
    (long, long_id), (short, short_id) = managed[20:22]
    tenant = fresh.config["tenants"][stage.TENANT]["tenant_id"]
    fresh.patch_object(tenant, "mailbox", long_id, CustomAttribute3="x" * 1025)
    fresh.patch_object(tenant, "mailbox", short_id, CustomAttribute3="fits")
    given = {"identities": [long, short], "attributes": ["extensionAttribute3"]}
    result = run("directory_writeback", stage.arguments("directory_writeback", given, defaults))
    refused(result, long, "1024")
    assert result.data["counts"]["written"] == 1
    values = [entry.get("extensionAttribute3") for entry in observe.directory(fresh.config, stage.TENANT).values()]
    assert frozenset({"fits"}) in values


def test_a_missing_library_is_named_with_the_interpreter_that_lacks_it(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['msal'] = None\n"
        "from tests.conformance.modules import run\n"
        "print(run('mailbox_info', {'tenant_id': 'contoso.lab', 'client_id': 'app', 'client_secret': 'hush',"
        f" 'all_mailboxes': True, 'artifact_dir': {str(tmp_path)!r}}}).data['msg'])\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "msal" in answer
    assert sys.executable in answer
