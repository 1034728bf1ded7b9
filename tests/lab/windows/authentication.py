# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to WinRM: Negotiate with NTLM, a client certificate, and Basic where the host allows it.

NTLM binds the connection, as on Windows: what was proven once holds until the connection ends. There is no Kerberos:
the hosts have no keys of their own in the forests.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from tests.lab.forest.tls import write_private
from tests.lab.windows import places
from tests.lab.windows.places import HostAddress, SignIn

_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_STORE_VARIABLE = "NTLM_USER_FILE"  # where pyspnego's server side looks for passwords


@dataclass(frozen=True)
class Identity:
    """Who is on a connection."""

    account: SignIn
    how: str  # ntlm, certificate or basic


@dataclass(frozen=True)
class Challenge:
    """The connection is not signed in yet: what the 401 offers."""

    headers: tuple[str, ...]


@dataclass
class Authenticator:
    """The sign-in of one connection. ``peer`` gives the client's certificate, as ``ssl`` describes it."""

    host: HostAddress
    certificate: bytes
    peer: Callable[[], dict[str, Any]]
    basic: Callable[[], bool]
    _context: Any = None
    _identity: Identity | None = None
    token: str | None = field(default=None)  # to send along with the answer that completes a sign-in

    def forget(self) -> None:
        """Whoever is here has to sign in again."""
        self._context = self._identity = None

    def step(self, authorization: str | None) -> Identity | Challenge:
        """Go on with what a request brings."""
        self.token = None
        scheme, _space, rest = (authorization or "").partition(" ")
        if authorization == _MUTUAL:
            self._identity = self._by_certificate()
        elif scheme.lower() == "negotiate" and rest:
            return self._negotiate(rest)
        elif scheme.lower() == "basic" and self.basic():
            self._identity = self._by_password(rest)
        elif authorization:
            self._identity = None
        return self._identity or self._offer()

    def _offer(self, token: str | None = None) -> Challenge:
        negotiate = f"Negotiate {token}" if token else "Negotiate"
        return Challenge((negotiate, 'Basic realm="WSMAN"') if self.basic() and not token else (negotiate,))

    def _negotiate(self, text: str) -> Identity | Challenge:
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            return self._offer()
        if self._context is None or self._identity is not None:
            self.forget()
            protocol = "ntlm" if data.startswith(b"NTLMSSP\x00") else "negotiate"
            self._context = spnego.server(
                hostname=self.host.fqdn, service="HTTP", channel_bindings=_bindings(self.certificate), protocol=protocol
            )
        try:
            answer = self._context.step(data)
        except Exception:
            # pyspnego refuses with several kinds of errors, ValueError and struct.error for garbage among them; each of
            # them means: not signed in.
            self.forget()
            return self._offer()
        token = base64.b64encode(answer).decode() if answer else None
        if not self._context.complete:
            return self._offer(token)
        account = _account(self.host, str(self._context.client_principal))
        self._context = None
        if account is None:
            return self._offer()
        self.token = token
        self._identity = Identity(account, "ntlm")
        return self._identity

    def _by_password(self, text: str) -> Identity | None:
        try:
            user, _colon, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = _account(self.host, user)
        return Identity(account, "basic") if account is not None and account.password == password else None

    def _by_certificate(self) -> Identity | None:
        names = {value for part in self.peer().get("subject", ()) for key, value in part if key == "commonName"}
        account = places.certificate_account(self.host)
        wanted = f"{account.user}@{self.host.forest.domain}"
        return Identity(account, "certificate") if wanted in names else None


def _account(host: HostAddress, principal: str) -> SignIn | None:
    wanted = principal.lower()
    return next((one for one in places.accounts(host) if wanted in (one.name.lower(), one.upn.lower())), None)


def _bindings(certificate: bytes) -> GssChannelBindings:
    """The channel's name in the proof, so that a proof cannot be passed on (RFC 5929, tls-server-end-point)."""
    digest = x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA256())
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)


def prepare(folder: Path, hosts: tuple[HostAddress, ...]) -> None:
    """Give pyspnego the passwords of the accounts that may sign in; it takes them from a file only."""
    lines = []
    for account in dict.fromkeys(one for host in hosts for one in places.accounts(host)):
        lines += [f"{account.domain}:{account.user}:{account.password}", f":{account.upn}:{account.password}"]
    path = folder / "windows-accounts"
    write_private(path, "".join(f"{line}\n" for line in lines).encode())
    os.environ[_STORE_VARIABLE] = str(path)
