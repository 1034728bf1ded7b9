# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Access tokens for Graph and Exchange Online."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import sign_in_errors
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import Identity, Strategy
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.clock import Clock
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.token_cache import TokenFile, key

# A token is renewed this many seconds before it expires, so that it does not expire on the way.
EARLY = 300


class TokenSource:
    """Gives a valid token for a resource ("graph" or "exchange"), and asks for a new one only when it must.

    The way to sign in is made when the first new token is needed: where a kept one is good, MSAL is not even imported.
    ``credential`` is what the application proves itself with, so that a kept token is not used with another one.
    """

    def __init__(
        self,
        identity: Identity,
        strategy: Callable[[], Strategy],
        audiences: Mapping[str, str],
        clock: Clock,
        file: TokenFile | None = None,
        credential: str = "",
        last_error: Callable[[], str] = str,
    ) -> None:
        self._identity = identity
        self._make = strategy
        self._strategy: Strategy | None = None
        self._audiences = audiences
        self._clock = clock
        self._file = file
        self._credential = credential
        self._last_error = last_error
        self._held: dict[str, tuple[str, float]] = {}

    def token(self, resource: str, fresh: bool = False) -> str:
        """A token for the resource; fresh: the one given before was refused, so it is not used again."""
        if not fresh:
            good = self._good(resource)
            if good:
                return good
        token, lifetime = self._sign_in(resource, fresh)
        self._hold(resource, token, lifetime)
        if self._file:
            now = self._clock.now().timestamp()
            self._file.put(self._name(resource), token, now + lifetime, now)
        return token

    def _good(self, resource: str) -> str | None:
        held = self._held.get(resource)
        if held and self._clock.monotonic() < held[1]:
            return held[0]
        kept = self._file.get(self._name(resource)) if self._file else None
        if kept is None:
            return None
        token, expires_at = kept
        left = expires_at - self._clock.now().timestamp()
        if left <= EARLY:
            return None
        self._hold(resource, token, left)
        return token

    def _sign_in(self, resource: str, fresh: bool) -> tuple[str, float]:
        who = (self._identity.client_id, self._identity.tenant_id)
        if self._strategy is None:
            self._strategy = self._make()
        try:
            result = self._strategy.acquire(resource, self._audiences[resource], fresh)
        except ValueError as error:
            # MSAL's word for everything that goes wrong before a token is asked for: tenant, host, key.
            raise sign_in_errors.explain(*who, self._last_error() or str(error)) from error
        token = result.get("access_token")
        if not isinstance(token, str):
            raise sign_in_errors.from_result(*who, result)
        return token, float(result.get("expires_in") or EARLY)

    def _hold(self, resource: str, token: str, lifetime: float) -> None:
        self._held[resource] = (token, self._clock.monotonic() + max(lifetime - EARLY, min(lifetime, 60.0) / 2))

    def _name(self, resource: str) -> str:
        who = self._identity
        return key(who.login_url, who.tenant_id, who.client_id, self._credential, self._audiences[resource])

    def tenant_guid(self) -> str:
        """The tenant's GUID: tenant_id, or, where that is a domain, what the Exchange token says."""
        if is_guid(self._identity.tenant_id):
            return self._identity.tenant_id
        return claims(self.token("exchange")).get("tid") or self._identity.tenant_id


def is_guid(text: str) -> bool:
    """Whether a text is a GUID in its usual form."""
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        character in "0123456789abcdefABCDEF" for part in parts for character in part
    )


def claims(token: str) -> dict[str, Any]:
    """What a token says of itself, unverified: only the service that it is for can judge it. Empty if unreadable."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        read = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
