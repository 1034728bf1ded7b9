# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: issued by the login service, verified by the two resource services."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab.store import Store

LIFETIME_S = 3600
_META = "signing_key"

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


class TokenRefused(Exception):
    """A token that a service does not accept; the text says why, in the service's words."""


@lru_cache(maxsize=4)
def _loaded(pem: str) -> rsa.RSAPrivateKey:
    """The key in a PEM text; kept, for loading checks it, and a process that makes many labs waits for that."""
    loaded = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise TypeError("The signing key kept in the store is no RSA key.")
    return loaded


class TokenIssuer:
    """The signing key of the login service and what is done with it."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        """Take up the key kept in ``store``, or make one; ``now`` is real time, for clients judge ``exp`` by theirs."""
        self._now = now
        pem = store.meta(_META)
        if pem is None:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
            store.set_meta(_META, pem)
        self._private = _loaded(pem)
        self._public = self._private.public_key()
        der = self._public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self._key_id = base64.urlsafe_b64encode(hashlib.sha256(der).digest()[:20]).rstrip(b"=").decode()

    def issue(self, claims: dict[str, Any], lifetime_s: int = LIFETIME_S) -> str:
        """A signed access token (RS256) with ``claims`` and iat, nbf, exp."""
        now = int(self._now())
        timed = {**claims, "iat": now, "nbf": now, "exp": now + lifetime_s}
        return jwt.encode(timed, self._private, algorithm="RS256", headers={"kid": self._key_id})

    def key_set(self) -> dict[str, Any]:
        """The public key as a JSON web key set."""
        numbers = self._public.public_numbers()
        key = {"kty": "RSA", "use": "sig", "kid": self._key_id, "n": _number(numbers.n), "e": _number(numbers.e)}
        return {"keys": [key]}

    def verify(self, token: str, audiences: tuple[str, ...]) -> dict[str, Any]:
        """The claims of a good token; TokenRefused otherwise."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "require": ["exp", "aud", "tid", "appid"]},
            )
        except jwt.InvalidSignatureError as error:
            raise TokenRefused("Access token validation failure. Invalid signature.") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused("CompactToken parsing failed with error code: 80049217") from error
        if str(claims["aud"]).rstrip("/").lower() not in audiences:
            raise TokenRefused("Access token validation failure. Invalid audience.")
        if claims["exp"] <= self._now():
            raise TokenRefused("Lifetime validation failed, the token is expired.")
        return claims


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def audiences(service: str, urls: dict[str, str]) -> tuple[str, ...]:
    """Resource identifiers of a service (graph, exchange): the lab's address, Microsoft's, and the application id."""
    real = {
        "graph": ("https://graph.microsoft.com", GRAPH_APP_ID),
        "exchange": ("https://outlook.office365.com", "https://outlook.office.com", EXCHANGE_APP_ID),
    }
    return (urls[service].rstrip("/").lower(), *real[service])


def bearer(headers: Any) -> str | None:
    """The bearer token of a request, or None."""
    scheme, _space, token = str(headers.get("authorization", "")).partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def unverified(headers: Any) -> dict[str, Any]:
    """The claims a request's token states, unverified: for the log and for choosing faults only."""
    token = bearer(headers)
    if token is None:
        return {}
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims
