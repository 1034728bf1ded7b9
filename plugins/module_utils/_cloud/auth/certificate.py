# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Sign in with a certificate and its private key, both in one PEM file."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import msal_import
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import (
    ConfidentialClient,
    Identity,
    Strategy,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    InputError,
    MissingLibrary,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
except ImportError:
    HAS_CRYPTOGRAPHY = False
    CRYPTOGRAPHY_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    HAS_CRYPTOGRAPHY = True
    CRYPTOGRAPHY_IMPORT_ERROR = None


def create(params: Mapping[str, Any], identity: Identity, login: LoginClient, now: datetime) -> Strategy:
    """The strategy for client_certificate; InputError or AuthenticationError say what is wrong with the file."""
    msal = msal_import.require()
    path = params.get("client_certificate")
    if not path:
        raise InputError("authentication is certificate, but client_certificate is not given.")
    password = params.get("client_certificate_password")
    pem = _read(str(path))
    _check(str(path), pem, password, now)
    credential = {"private_key": pem, "public_certificate": pem}
    if password:
        credential["passphrase"] = password
    return ConfidentialClient(msal, identity, credential, login)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise InputError(
            f"client_certificate {path} is not a PEM file. Convert it, for example: "
            "openssl pkcs12 -in file.pfx -out file.pem -nodes",
            path=path,
        ) from error
    except OSError as error:
        raise InputError(f"client_certificate {path} cannot be read: {error.strerror}.", path=path) from error


def _check(path: str, pem: str, password: str | None, now: datetime) -> None:
    """Find what the token endpoint would refuse, and say it before anything is sent."""
    if not HAS_CRYPTOGRAPHY:
        raise MissingLibrary("cryptography", CRYPTOGRAPHY_IMPORT_ERROR)
    if "-----BEGIN CERTIFICATE-----" not in pem or "PRIVATE KEY-----" not in pem:
        raise InputError(
            f"client_certificate {path} must hold the certificate and its private key, both in PEM.", path=path
        )
    try:
        certificate = x509.load_pem_x509_certificate(pem[pem.index("-----BEGIN CERTIFICATE-----") :].encode())
        load_pem_private_key(pem.encode(), password.encode() if password else None)
    except TypeError as error:
        raise InputError(
            f"The private key in {path} cannot be used: {error}. Set or leave out client_certificate_password.",
            path=path,
        ) from error
    except ValueError as error:
        raise InputError(
            f"client_certificate {path} cannot be read: {error}. Is client_certificate_password right?", path=path
        ) from error
    if certificate.not_valid_after_utc < now:
        raise AuthenticationError(
            f"The certificate in {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}. Make a new one and add "
            "it to the application.",
            path=path,
        )
    if certificate.not_valid_before_utc > now:
        raise AuthenticationError(
            f"The certificate in {path} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on. "
            "Check this machine's clock.",
            path=path,
        )
