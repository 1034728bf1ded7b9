# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows hosts' part of ``lab.json``."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.lab.settings import Settings, Tenant
from tests.lab.windows import places, software, state
from tests.lab.windows.cloud_users import USERS
from tests.lab.windows.places import PORT, HostAddress

Document = dict[str, Any]


def tenant(settings: Settings, tenant: Tenant, control: str) -> Document:
    """What a tenant gains: its hosts, who may register agents, the domain's administrator, a given gMSA."""
    forest = tenant.forest
    administrator = places.domain_administrator(forest)
    return {
        "windows": [_host(settings, host, control) for host in places.hosts_of(tenant.name)],
        "registration": _registration(tenant),
        "domain_admin": {"user": administrator.name, "password": administrator.password},
        "gmsa": places.GIVEN_GMSA,
    }


def _host(settings: Settings, host: HostAddress, control: str) -> Document:
    account, refused = places.setup_account(host.forest), places.refused_account(host.forest)
    newest = _sha256(software.content(software.NEWEST))
    return {
        "name": host.name,
        "host": host.address,
        "port": PORT,
        "server_name": host.fqdn,
        "user": account.name,
        "user_principal_name": account.upn,
        "password": account.password,
        "refused_user": refused.name,
        "refused_password": refused.password,
        "certificate": str(places.client_certificate(settings, host.forest)),
        "installers": {
            key: {"path": rf"{places.INSTALL_FOLDER}\{name}", "sha256": _expected(key)}
            for key, (name, _version, _signer) in state.INSTALLERS.items()
        },
        "newest": software.NEWEST,
        "share": {"path": rf"{places.share(host.forest)}\{places.SETUP}", "sha256": newest},
        "url": {"url": control + software.DOWNLOAD_PATH, "sha256": newest},
    }


def _expected(key: str) -> str:
    """The hash that an operator would know for an installer; the changed one has another by now."""
    return _sha256(software.content(software.NEWEST) if key == "changed" else state.installer_bytes(key))


def _registration(tenant: Tenant) -> Document:
    found: Document = {}
    for one in USERS:
        stem = one.key.removesuffix("user")
        found[f"{stem}user"] = one.upn(tenant.initial_domain)
        found[f"{stem}password"] = one.password(tenant.name)
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
