# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange servers' part of ``lab.json``."""

from __future__ import annotations

from typing import Any

from tests.lab.settings import Tenant
from tests.lab.windows import places
from tests.lab.windows.cloud_users import USERS
from tests.lab.windows.places import EXCHANGE_PORT, PORT, SMTP_PORT, HostAddress

Document = dict[str, Any]


def tenant(tenant: Tenant) -> Document:
    """What a tenant gains: its servers with the accounts that administer and see them, and who removes the agent."""
    user = next(one for one in USERS if one.key == "global_user")
    return {
        "exchange": [_server(host) for host in places.exchange_hosts_of(tenant.name)],
        "hybrid": {"admin_user": user.upn(tenant.initial_domain), "admin_password": user.password(tenant.name)},
    }


def _server(host: HostAddress) -> Document:
    admin = places.exchange_account(host.forest, "exchange_admin")
    viewer = places.exchange_account(host.forest, "exchange_viewer")
    return {
        "name": host.computer,
        "host": host.address,
        "port": EXCHANGE_PORT,
        "server_name": host.fqdn,
        "user": admin.name,
        "password": admin.password,
        "certificate": None,
        "viewer_user": viewer.name,
        "viewer_password": viewer.password,
        "windows_port": PORT,
        "smtp_port": SMTP_PORT,
    }
