# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Sign in with a client secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import msal_import
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import (
    ConfidentialClient,
    Identity,
    Strategy,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError


def create(params: Mapping[str, Any], identity: Identity, login: LoginClient) -> Strategy:
    """The strategy for client_secret."""
    secret = params.get("client_secret")
    if not secret:
        raise InputError(
            "authentication is secret, but client_secret is not given. Give it (or HYBRID_EXCHANGE_CLIENT_SECRET), or "
            "give client_certificate."
        )
    return ConfidentialClient(msal_import.require(), identity, secret, login)
