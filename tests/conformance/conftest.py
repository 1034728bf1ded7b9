# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab that the conformance suite runs against: a running one, put back to its first day before each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.client import Lab

TENANT = "contoso"
# A server without an agent on the first day; the one beside it has one.
SERVER = "sync2"


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The running lab."""
    with Lab.from_run_dir() as running:
        running.state()
        yield running


@pytest.fixture
def fresh(lab: Lab) -> Iterator[Lab]:
    """The lab on its first day."""
    lab.reset()
    yield lab
    lab.clear_faults()


def defaults_of(lab: Lab, artifacts: Path, name: str = TENANT) -> dict[str, dict[str, Any]]:
    """What a playbook would give as module_defaults, by action group."""
    tenant = lab.config["tenants"][name]
    directory = tenant["directory"]
    server = next(server for server in tenant["windows"] if server["name"] == SERVER)
    exchange = tenant["exchange"][0]
    return {
        "tenant": {
            "tenant_id": tenant["tenant_id"],
            "client_id": tenant["application"]["client_id"],
            "client_secret": tenant["application"]["client_secret"],
            "login_url": lab.config["login"],
            "graph_url": lab.config["graph"],
            "exchange_url": lab.config["exchange"],
            "ca_path": lab.config["ca"],
            "retry_timeout": 60,
            "request_timeout": 300,
        },
        "directory": {
            "directory_hosts": [directory["host"]],
            "directory_server_name": directory["server_name"],
            "directory_user": directory["user"],
            "directory_password": directory["password"],
            "directory_ca_path": lab.config["ca"],
            "directory_timeout": 300,
        },
        "run": {"artifact_dir": str(artifacts)},
        "windows": {
            "windows_host": server["host"],
            "windows_port": server["port"],
            "windows_user": server["user"],
            "windows_password": server["password"],
            "windows_ca_path": lab.config["ca"],
        },
        "exchange_server": {
            "exchange_server_host": exchange["host"],
            "exchange_server_port": exchange["port"],
            "exchange_server_user": exchange["user"],
            "exchange_server_password": exchange["password"],
            "exchange_server_ca_path": lab.config["ca"],
        },
        "name_servers": {
            "dns_internal": ["{host}:{port}".format(**tenant["dns"]["internal"])],
            "dns_external": ["{host}:{port}".format(**tenant["dns"]["external"])],
            "servers": [{"name": item["name"], "host": item["host"]} for item in tenant["exchange"]],
        },
        "agent": {
            "installer": {name: server["installers"][server["newest"]][name] for name in ("path", "sha256")},
            "registration_user": tenant["registration"]["user"],
            "registration_password": tenant["registration"]["password"],
            "domain_admin_user": tenant["domain_admin"]["user"],
            "domain_admin_password": tenant["domain_admin"]["password"],
        },
    }


@pytest.fixture
def defaults(lab: Lab, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The same with an artifact directory of the test's own."""
    return defaults_of(lab, tmp_path / "artifacts")
