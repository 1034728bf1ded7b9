# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a way to sign in is given, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient


@dataclass(frozen=True)
class Identity:
    """Who signs in where. login_overridden: the login host is not Microsoft's, so its discovery cannot vouch for it."""

    tenant_id: str
    client_id: str
    login_url: str
    login_overridden: bool = False


class Strategy(Protocol):
    """One way to get a token. The answer is in MSAL's shape: access_token and expires_in, or error."""

    def acquire(self, resource: str, audience: str, fresh: bool) -> Mapping[str, Any]: ...


class ConfidentialClient:
    """An application that proves itself to the tenant's token endpoint; made on first use."""

    def __init__(self, msal: Any, identity: Identity, credential: Any, login: LoginClient) -> None:
        self._msal = msal
        self._identity = identity
        self._credential = credential
        self._login = login
        self._application: Any = None

    def acquire(self, resource: str, audience: str, fresh: bool) -> Mapping[str, Any]:
        if self._application is None:
            self._application = self._msal.ConfidentialClientApplication(
                self._identity.client_id,
                client_credential=self._credential,
                authority=f"{self._identity.login_url}/{self._identity.tenant_id}",
                instance_discovery=False if self._identity.login_overridden else None,
                http_client=self._login,
            )
        if fresh:
            self._application.remove_tokens_for_client()
        answer: Mapping[str, Any] = self._application.acquire_token_for_client([f"{audience}/.default"])
        return answer
