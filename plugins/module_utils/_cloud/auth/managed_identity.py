# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Sign in as the managed identity of the machine this runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import msal_import
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import Identity, Strategy

# client_id of the identity that belongs to the machine itself and has no name of its own in the options.
SYSTEM_ASSIGNED = "system"


class ManagedIdentity:
    """Asks the machine's own token endpoint."""

    def __init__(self, msal: Any, identity: Identity, login: LoginClient) -> None:
        self._msal = msal
        self._login = login
        self._identity = (
            msal.SystemAssignedManagedIdentity()
            if identity.client_id.lower() == SYSTEM_ASSIGNED
            else msal.UserAssignedManagedIdentity(client_id=identity.client_id)
        )
        self._client: Any = None

    def acquire(self, resource: str, audience: str, fresh: bool) -> Mapping[str, Any]:
        if self._client is None or fresh:
            self._client = self._msal.ManagedIdentityClient(self._identity, http_client=self._login)
        answer: Mapping[str, Any] = self._client.acquire_token_for_client(resource=audience)
        return answer


def create(params: Mapping[str, Any], identity: Identity, login: LoginClient) -> Strategy:
    """The strategy for authentication managed_identity."""
    return ManagedIdentity(msal_import.require(), identity, login)
