# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Sign in with a token of another issuer (a pipeline, a cluster) that the application trusts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import msal_import
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import (
    ConfidentialClient,
    Identity,
    Strategy,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import AuthenticationError, InputError


def create(params: Mapping[str, Any], identity: Identity, login: LoginClient) -> Strategy:
    """The strategy for federated_token_file. The file is read each time: its issuer replaces it as it expires."""
    path = params.get("federated_token_file")
    if not path:
        raise InputError("authentication is workload_identity, but federated_token_file is not given.")

    def assertion() -> str:
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"federated_token_file {path} cannot be read: {error}.", path=str(path)) from error
        if not text:
            raise AuthenticationError(f"federated_token_file {path} is empty.", path=str(path))
        return text

    return ConfidentialClient(msal_import.require(), identity, {"client_assertion": assertion}, login)
