# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One signed-in connection to one directory server, encrypted and with the server's name verified."""

from __future__ import annotations

import ssl
import traceback
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import kerberos, ldap_errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.channel import Channel
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.messages import Result
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings

LDAP3_IMPORT_ERROR: str | None = None
try:
    import ldap3
    from ldap3.core.exceptions import LDAPException
    from ldap3.protocol.sasl.sasl import send_sasl_negotiation

    HAS_LDAP3 = True
except ImportError:
    LDAP3_IMPORT_ERROR = traceback.format_exc()
    HAS_LDAP3 = False

_SUCCESS = 0
_SASL_BIND_IN_PROGRESS = 14


def open_connection(settings: Settings, host: Host) -> Channel:
    """A connection, protected and signed in. ldap3 opens it and signs in; from then on it has no part in it.

    Unavailable where the host does not answer, InputError where its certificate cannot be trusted,
    AuthenticationError where it refuses the sign-in.
    """
    with_kerberos = settings.transport == "kerberos"
    server = ldap3.Server(
        host.name,
        host.port,
        use_ssl=settings.transport == "ldaps",
        tls=None if with_kerberos else _verifying_tls(settings, host),
        get_info=ldap3.NONE,  # the catalogue knows the syntaxes; reading the schema costs seconds per connection
        connect_timeout=settings.timeout,
    )
    simple = {"user": settings.user, "password": settings.password}
    sasl = {"authentication": ldap3.SASL, "sasl_mechanism": "GSSAPI"}
    connection = ldap3.Connection(
        server,
        **(sasl if with_kerberos else simple),
        auto_referrals=False,
        receive_timeout=settings.timeout,
    )
    try:
        connection.open(read_server_info=False)
        if with_kerberos:
            return Channel(_sealed(settings, host, connection))
        if settings.transport == "starttls":
            connection.start_tls(read_server_info=False)
        bound = connection.bind(read_server_info=False)
        if not bound:
            raise ldap_errors.sign_in_error(str(settings.user), _result(connection.result), host=str(host))
    except (LDAPException, OSError) as error:
        _abort(connection)
        raise _connect_error(settings, host, error) from error
    except errors.HybridError:
        _abort(connection)
        raise
    return Channel(connection.socket)


def _sealed(settings: Settings, host: Host, connection: Any) -> kerberos.SealedStream:
    """The connection signed in and encrypted with Kerberos."""

    def exchange(token: bytes) -> bytes:
        result = send_sasl_negotiation(connection, None, token)
        if result["result"] not in (_SUCCESS, _SASL_BIND_IN_PROGRESS):
            who = settings.user or "the account of the Kerberos credential cache"
            raise ldap_errors.sign_in_error(who, _result(result), host=str(host))
        return bytes(result.get("saslCreds") or b"")

    name = settings.server_name or host.name
    return kerberos.seal(connection.socket, name, settings.user, settings.password, exchange)


def _result(result: Any) -> Result:
    return Result(int(result["result"]), message=str(result.get("message") or ""))


def _abort(connection: Any) -> None:
    """ldap3 leaves the socket of a failed attempt open."""
    if connection.socket is not None:
        connection.socket.close()


def _verifying_tls(settings: Settings, host: Host) -> Any:
    """A Tls whose handshake lets OpenSSL verify the chain and the name.

    ldap3 compares names itself, after the handshake, and takes the dialled host besides the expected name; OpenSSL
    refuses during the handshake, sends the name (SNI) and knows addresses in certificates.
    """
    context = _context(settings.ca_path)
    expected = settings.server_name or host.name
    made: list[ssl.SSLSocket] = []

    class KnownSocket(ssl.SSLSocket):
        """Known from its first step on, which is to ask for its peer."""

        def getpeername(self) -> Any:
            made.append(self)
            return super().getpeername()

    context.sslsocket_class = KnownSocket

    class VerifyingTls(ldap3.Tls):  # type: ignore[misc]
        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
            try:
                connection.socket = context.wrap_socket(connection.socket, server_hostname=expected)
            except BaseException:
                # Where the server goes before the handshake, some releases of Python (3.11.2) raise without closing
                # the socket, when nobody else has it any more.
                for socket in made:
                    socket.close()
                raise
            finally:
                made.clear()

    return VerifyingTls(validate=ssl.CERT_REQUIRED)


def _context(ca_path: str | None) -> ssl.SSLContext:
    """Verification against the given certificate authorities only, or against the system's where none are given."""
    try:
        if ca_path is None:
            return ssl.create_default_context()
        if Path(ca_path).is_dir():
            return ssl.create_default_context(capath=ca_path)
        return ssl.create_default_context(cafile=ca_path)
    except (ssl.SSLError, OSError) as error:
        raise errors.InputError(f"directory_ca_path: {ca_path} holds no certificates in PEM form: {error}") from error


def _connect_error(settings: Settings, host: Host, error: BaseException) -> errors.HybridError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0].replace("\\'", "'").rstrip(".")
        return errors.InputError(
            f"The certificate of {host} is not trusted: {why or text}. Name the certificate authority in "
            f"directory_ca_path; if the certificate is for another name than {settings.server_name or host.name}, put "
            "that name into directory_hosts or directory_server_name.",
            object=str(host),
        )
    # This is how ldap3 says that a name does not resolve.
    why = "its name has no address in DNS" if text == "invalid server address" else text.rstrip(".")
    return errors.Unavailable(f"No connection to the directory server {host}: {why}.", object=str(host))
