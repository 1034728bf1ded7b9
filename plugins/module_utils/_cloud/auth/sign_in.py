# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The ways to sign in, by the name that O(authentication) has for them.

Each is imported when it is asked for: MSAL and cryptography take longer to import than most tasks need for their work,
and a task whose tokens are kept in a file needs neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import Identity, Strategy
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.clock import Clock
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError


def strategy(
    authentication: str, params: Mapping[str, Any], identity: Identity, login: LoginClient, clock: Clock
) -> Strategy:
    """The way to sign in. InputError, AuthenticationError or MissingLibrary where it cannot be made."""
    if authentication == "secret":
        from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import secret

        return secret.create(params, identity, login)
    if authentication == "certificate":
        from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import certificate

        return certificate.create(params, identity, login, clock.now())
    if authentication == "managed_identity":
        from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import managed_identity

        return managed_identity.create(params, identity, login)
    if authentication == "workload_identity":
        from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import workload_identity

        return workload_identity.create(params, identity, login)
    if authentication == "token":
        from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import ready_token

        return ready_token.create(params)
    raise InputError(f"authentication {authentication} is unknown.")


def credential(authentication: str, params: Mapping[str, Any]) -> str:
    """What the application proves itself with, to tell kept tokens apart; empty where that changes by itself.

    A certificate that cannot be read is no error here: signing in says what is wrong with it.
    """
    if authentication == "secret":
        return str(params.get("client_secret") or "")
    if authentication == "certificate":
        try:
            return Path(str(params.get("client_certificate"))).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""
    return ""
