# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Sign in with access tokens that somebody else got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import Strategy
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import AuthenticationError, InputError

KEYS = ("graph", "exchange")


class ReadyTokens:
    """Hands out what it was given."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = tokens

    def acquire(self, resource: str, audience: str, fresh: bool) -> Mapping[str, Any]:
        token = self._tokens.get(resource)
        if not token:
            raise InputError(f"access_tokens has no token for {resource}, which this task needs.")
        if fresh:
            raise AuthenticationError(
                f"{audience} refused the token in access_tokens.{resource}: it expired, or is for another service or "
                "tenant. Get a new one; a token given ready cannot be renewed.",
                resource=resource,
            )
        return {"access_token": token}


def create(params: Mapping[str, Any]) -> Strategy:
    """The strategy for access_tokens."""
    tokens = {name: value for name, value in (params.get("access_tokens") or {}).items() if value}
    unknown = sorted(set(tokens) - set(KEYS))
    if unknown or not tokens:
        raise InputError(
            f"access_tokens must hold a token under {' or '.join(KEYS)}"
            + (f"; {', '.join(unknown)} is unknown." if unknown else ".")
        )
    return ReadyTokens(tokens)
