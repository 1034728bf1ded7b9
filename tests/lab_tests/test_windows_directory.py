# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows hosts do to the real forests, and what the command line and the hand-over say of the hosts."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest

from tests.lab import __main__ as command_line
from tests.lab.forest import edit
from tests.lab.forest.access import open_directory
from tests.lab.settings import TENANTS, Settings
from tests.lab.store import Store
from tests.lab.windows import commands, conditions, handover, places, software, state
from tests.lab.windows.directory import ADDED, Directory

ATTRIBUTE = "msDS-ExternalDirectoryObjectId"


@pytest.fixture
def directory(forests: Settings, tmp_path: Path) -> Iterator[Directory]:
    store = Store(tmp_path / "state.sqlite")
    run_dir = forests.run_dir
    made = Directory(
        store,
        add=lambda name, dn, classes, values: edit.add(name, dn, classes, values, run_dir),
        edit=lambda name, dn, changes: edit.edit(name, dn, changes, run_dir),
    )
    yield made
    made.undo()
    for name, dns in (store.meta(ADDED) or {}).items():
        edit.remove(name, dns, run_dir)
    store.close()


def found(forests: Settings, base: str, condition: str) -> list[str]:
    connection = open_directory("contoso", "administrator", forests.run_dir)
    try:
        connection.search(base, condition, ldap3.SUBTREE)
        return [one["dn"] for one in connection.response if one["type"] == "searchResEntry"]
    finally:
        connection.unbind()


def test_a_group_managed_service_account_is_a_real_object(forests: Settings, directory: Directory) -> None:
    directory.make_gmsa("contoso", places.CREATED_GMSA)
    directory.make_gmsa("contoso", places.CREATED_GMSA)  # is there already
    condition = "(&(objectClass=msDS-GroupManagedServiceAccount)(sAMAccountName=provAgentgMSA$))"
    assert found(forests, "DC=contoso,DC=lab", condition) == [
        "CN=provAgentgMSA,CN=Managed Service Accounts,DC=contoso,DC=lab"
    ]


def test_the_schema_loses_an_attribute_and_has_it_again(forests: Settings, directory: Directory) -> None:
    base, condition = "CN=Schema,CN=Configuration,DC=contoso,DC=lab", f"(lDAPDisplayName={ATTRIBUTE})"
    assert len(found(forests, base, condition)) == 1
    directory.hide_attribute("contoso", hidden=True)
    assert found(forests, base, condition) == []
    directory.undo()
    assert len(found(forests, base, condition)) == 1


def test_the_hand_over_names_hosts_accounts_and_files(tmp_path: Path) -> None:
    for tenant in TENANTS:
        given = handover.tenant(Settings(tmp_path), tenant, "https://control:8443")
        assert [one["name"] for one in given["windows"]] == list(places.HOST_NAMES)
        assert len({one["host"] for one in given["windows"]}) == 3
        for host in given["windows"]:
            assert host["server_name"].endswith(tenant.domain)
            for key, installer in host["installers"].items():
                digest = hashlib.sha256(state.installer_bytes(key)).hexdigest()
                assert (installer["sha256"] == digest) == (key != "changed")
            assert host["url"]["sha256"] == host["installers"][host["newest"]]["sha256"] == host["share"]["sha256"]
        assert given["gmsa"] == places.GIVEN_GMSA
        assert {"user", "password", "mfa_user", "mfa_password", "guest_user"} <= set(given["registration"])


def test_every_version_is_another_file() -> None:
    assert len({software.content(version) for version in software.VERSIONS}) == len(software.VERSIONS)


def test_the_command_line_reads_hosts_and_conditions() -> None:
    given = command_line.parser().parse_args(["windows", "sync1@contoso", "--set", "server_core=yes", "--restart"])
    assert (given.host, given.set, given.restart) == (("contoso", "sync1"), [("server_core", "yes")], True)
    help_text = next(
        action.choices["windows"].format_help()
        for action in command_line.parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    assert all(f"{name}=" in help_text for name in conditions.CONDITIONS)


@pytest.mark.parametrize(
    "words", [["sync1"], ["sync1@nobody"], ["sync1@contoso", "--set", "colour=red"], ["sync1@contoso", "--set", "kds"]]
)
def test_the_command_line_refuses(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.parser().parse_args(["windows", *words])
    assert "error: argument" in capsys.readouterr().err


def test_hosts_as_text() -> None:
    host = {"tenant": "contoso", "name": "sync1", "address": "127.77.1.31:5986", "system": "Windows", "away": True,
            "version": None, "service": None, "account": None, "domains": [], "graph": None,
            "processes": ["setup"], "conditions": {"server_core": "yes"}}  # fmt: skip
    assert commands.text([host]).splitlines() == [
        "sync1@contoso  127.77.1.31:5986  Windows, restarting",
        "    no agent is installed",
        "    runs: setup",
        "    server_core=yes",
    ]
    agent = {"version": "1.1.2102.0", "service": "Running", "account": r"CONTOSO\provAgentgMSA$", "graph": "active"}
    text = commands.text([{**host, **agent, "domains": ["contoso.lab"], "processes": [], "conditions": {}}])
    assert text.splitlines()[1:] == [
        r"    agent 1.1.2102.0, service Running as CONTOSO\provAgentgMSA$, contoso.lab, in Graph: active"
    ]
