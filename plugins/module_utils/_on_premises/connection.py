# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One signed-in connection to one directory server, encrypted and with the server's name verified."""

from __future__ import annotations

import contextlib
import ssl
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ldap_errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings

LDAP3_IMPORT_ERROR: str | None = None
try:
    import ldap3
    from ldap3.core import exceptions as ldap_exceptions
    from ldap3.core.exceptions import LDAPException

    HAS_LDAP3 = True
except ImportError:
    LDAP3_IMPORT_ERROR = traceback.format_exc()
    HAS_LDAP3 = False

_SEARCH_RESULT_ENTRY = 4


def open_connection(settings: Settings, host: Host) -> Any:
    """A bound ldap3 connection.

    Unavailable where the host does not answer, InputError where its certificate cannot be trusted,
    AuthenticationError where it refuses the sign-in.
    """
    server = ldap3.Server(
        host.name,
        host.port,
        use_ssl=settings.transport == "ldaps",
        tls=_verifying_tls(settings, host),
        get_info=ldap3.NONE,  # the catalogue knows the syntaxes; reading the schema costs seconds per connection
        connect_timeout=settings.timeout,
    )
    connection = ldap3.Connection(
        server,
        settings.user,
        settings.password,
        check_names=False,
        auto_referrals=False,
        auto_range=False,  # it needs the formatted values that are skipped below; ranges.py does it
        return_empty_attributes=False,
        receive_timeout=settings.timeout,
    )
    try:
        connection.open(read_server_info=False)
        if settings.transport == "starttls":
            connection.start_tls(read_server_info=False)
        bound = connection.bind(read_server_info=False)
    except (LDAPException, OSError) as error:
        if connection.socket is not None:
            connection.socket.close()  # ldap3 leaves the socket of a failed attempt open
        raise _connect_error(settings, host, error) from error
    if not bound:
        result = dict(connection.result)
        connection.unbind()
        raise ldap_errors.sign_in_error(settings.user, result, host=str(host))
    _keep_entries_raw(connection)
    return connection


def _verifying_tls(settings: Settings, host: Host) -> Any:
    """A Tls whose handshake lets OpenSSL verify the chain and the name.

    ldap3 compares names itself, after the handshake, and takes the dialled host besides the expected name; OpenSSL
    refuses during the handshake, sends the name (SNI) and knows addresses in certificates.
    """
    context = _context(settings.ca_path)
    expected = settings.server_name or host.name

    class VerifyingTls(ldap3.Tls):  # type: ignore[misc]
        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
            connection.socket = context.wrap_socket(connection.socket, server_hostname=expected)

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


def _keep_entries_raw(connection: Any) -> None:
    """Skip ldap3's second, formatted copy of every value: it costs as much as all the rest of reading an entry."""
    full = connection.strategy.decode_response_fast

    def decode(message: Mapping[str, Any]) -> dict[str, Any]:
        if message["protocolOp"] != _SEARCH_RESULT_ENTRY:
            return dict(full(message))
        (_class, _constructed, _tag, name), attributes = message["payload"]
        return {
            "type": "searchResEntry",
            "dn": name.decode("utf-8"),
            "raw_attributes": {
                pair[0][3].decode("ascii"): [value[3] for value in pair[1][3]] for *_tags, pair in attributes[3]
            },
        }

    connection.strategy.decode_response_fast = decode


def lost_errors() -> tuple[type[BaseException], ...]:
    """What ldap3 raises when a connection breaks: other errors when sending, receiving, waiting, or already closed."""
    return (
        ldap_exceptions.LDAPCommunicationError,
        ldap_exceptions.LDAPResponseTimeoutError,
        OSError,
    )


def library_errors() -> tuple[type[BaseException], ...]:
    """Everything else that ldap3 raises: a filter or a name that it cannot encode, an answer that it cannot decode."""
    return (LDAPException,)


def close(connection: Any) -> None:
    """Sign off; a connection that is broken already is simply dropped."""
    with contextlib.suppress(LDAPException, OSError):
        connection.unbind()
