# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Signing in with Kerberos, and the encryption that comes with it (SASL GSSAPI, RFC 4752; RFC 4422, 3.7).

Active Directory and Samba refuse an unprotected connection, and a Kerberos sign-in inside TLS without channel
bindings. So Kerberos protects the connection itself, on the plain LDAP port: after the sign-in every message is wrapped
("signed and sealed") with the session's key. No certificate is needed, as the ticket proves the server's name.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.channel import Stream

GSSAPI_IMPORT_ERROR: str | None = None
try:
    import gssapi  # type: ignore[import-not-found,unused-ignore]
    from gssapi.raw import acquire_cred_with_password  # type: ignore[import-not-found,unused-ignore]

    HAS_GSSAPI = True
except ImportError:
    GSSAPI_IMPORT_ERROR = traceback.format_exc()
    HAS_GSSAPI = False

_CONFIDENTIALITY = 4  # RFC 4752, 3.3: no layer 1, integrity 2, confidentiality 4
_LONGEST = 0xFFFFFF  # the longest wrapped message that three bytes can announce
_FRAME = 4  # bytes of the length before each wrapped message

# Sends a SASL token, and returns the server's; HybridError where the server refuses.
Exchange = Callable[[bytes], bytes]


class SealedStream:
    """A stream that wraps all that is sent and unwraps all that is received.

    A frame that is too long, not encrypted, or that was tampered with ends it as a broken connection (OSError).
    """

    def __init__(self, stream: Stream, context: Any, limit: int) -> None:
        """``limit`` is the longest wrapped message that the server takes."""
        self._stream = stream
        self._context = context
        self._plain = context.get_wrap_size_limit(limit, True)
        self._buffer = bytearray()
        if self._plain < 1:
            raise ConnectionError(f"the server takes no wrapped messages longer than {limit} bytes")

    def sendall(self, data: bytes) -> None:
        """Wrap and send, in as many frames as the server's limit asks for."""
        frames = bytearray()
        for start in range(0, len(data), self._plain):
            try:
                token = self._context.wrap(data[start : start + self._plain], True).message
            except gssapi_errors() as error:
                raise ConnectionError(f"Kerberos could not encrypt: {error}") from error
            frames += len(token).to_bytes(_FRAME, "big") + token
        self._stream.sendall(bytes(frames))

    def recv(self, size: int) -> bytes:
        """What the next whole frame holds, however long; empty at the end. ``size`` is for reading ahead."""
        while True:
            if len(self._buffer) >= _FRAME:
                length = int.from_bytes(self._buffer[:_FRAME], "big")
                if length > _LONGEST:
                    raise ConnectionError(f"a wrapped message of {length} bytes is longer than agreed")
                end = _FRAME + length
                if len(self._buffer) >= end:
                    token = bytes(self._buffer[_FRAME:end])
                    del self._buffer[:end]
                    plain = self._unwrap(token)
                    if plain:
                        return plain
                    continue
            data = self._stream.recv(size)
            if not data:
                if self._buffer:
                    raise ConnectionError("the connection ended in the middle of a wrapped message")
                return b""
            self._buffer += data

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()

    def _unwrap(self, token: bytes) -> bytes:
        try:
            unwrapped = self._context.unwrap(token)
        except gssapi_errors() as error:
            raise ConnectionError(f"a wrapped message was changed on its way, or is none: {error}") from error
        if not unwrapped.encrypted:
            raise ConnectionError("a message came signed but not encrypted")
        return bytes(unwrapped.message)


def gssapi_errors() -> tuple[type[BaseException], ...]:
    """What the GSSAPI library raises."""
    return (gssapi.exceptions.GSSError,) if HAS_GSSAPI else ()


def seal(stream: Stream, host: str, user: str | None, password: str | None, exchange: Exchange) -> SealedStream:
    """Sign in over ``exchange``, and protect ``stream`` from then on.

    Without a password the ticket comes from the caller's credential cache (KRB5CCNAME) or is fetched with a client
    keytab (KRB5_CLIENT_KTNAME), for ``user`` where one is named. AuthenticationError where there is no ticket.
    """
    who = user or "the account of the Kerberos credential cache"
    try:
        context = gssapi.SecurityContext(
            name=gssapi.Name(f"ldap@{host}", gssapi.NameType.hostbased_service),
            creds=_credentials(user, password),
            mech=gssapi.MechType.kerberos,
            flags=(
                gssapi.RequirementFlag.mutual_authentication,
                gssapi.RequirementFlag.confidentiality,
                gssapi.RequirementFlag.integrity,
                gssapi.RequirementFlag.replay_detection,
                gssapi.RequirementFlag.out_of_sequence_detection,
            ),
            usage="initiate",
        )
        offer = exchange(context.step() or b"")
        while not context.complete:
            offer = exchange(context.step(offer) or b"")
        return SealedStream(stream, context, _agree(context, offer, exchange))
    except gssapi_errors() as error:
        raise errors.AuthenticationError(
            f"Kerberos could not sign {who} in to {host}: {error}. The name in directory_hosts (or "
            "directory_server_name) must be the domain controller's full name, the clocks must agree to five minutes, "
            "and krb5.conf or DNS must lead to the realm's key distribution centre.",
            object=host,
            code="sign_in",
        ) from error


def _agree(context: Any, offer: bytes, exchange: Exchange) -> int:
    """Choose encryption from what the server offers (RFC 4752, 3.1); the longest message that it takes."""
    plain = bytes(context.unwrap(offer).message)
    if len(plain) != 4 or not plain[0] & _CONFIDENTIALITY:
        raise errors.AuthenticationError(
            "The directory server does not offer encryption with its Kerberos sign-in, so nothing would be protected. "
            "Use directory_transport ldaps or starttls.",
            code="sign_in",
        )
    answer = bytes((_CONFIDENTIALITY,)) + _LONGEST.to_bytes(3, "big")
    exchange(bytes(context.wrap(answer, False).message))
    return int.from_bytes(plain[1:], "big")


def _credentials(user: str | None, password: str | None) -> Any:
    """Credentials by password, or those of the environment; None for the default ones."""
    if user is None:
        return None
    name = gssapi.Name(user, gssapi.NameType.kerberos_principal)
    if password is None:
        return gssapi.Credentials(name=name, usage="initiate", mechs=[gssapi.MechType.kerberos])
    acquired = acquire_cred_with_password(
        name, password.encode("utf-8"), usage="initiate", mechs=[gssapi.MechType.kerberos]
    )
    return gssapi.Credentials(base=acquired.creds)
