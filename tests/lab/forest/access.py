# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bound LDAP connections to the forests' domain controllers, for the lab's own engines and tests."""

from __future__ import annotations

import ssl
from pathlib import Path

import ldap3
from ldap3.core.exceptions import LDAPException

from tests.lab.settings import LDAPS_PORT, Settings
from tests.lab.settings import forest as find_forest
from tests.lab.settings import settings as settings_of

CONNECT_TIMEOUT = 30.0  # seconds; a domain controller that is down refuses at once, a busy one takes its time
RECEIVE_TIMEOUT = 300  # seconds; ldap3 wants a whole number


class DirectoryUnavailable(Exception):
    """The domain controller cannot be reached, or refuses the account."""


def open_directory(forest_name: str, account: str = "sync", run_dir: Path | None = None) -> ldap3.Connection:
    """A bound connection over LDAPS, straight to the domain controller; its certificate is verified.

    ``forest_name``: the forest's name or domain, or the id of the tenant that it feeds. ``account``: ``sync``,
    ``writer``, ``reader`` or ``administrator``. The caller closes it with ``unbind()``. Raises
    :class:`DirectoryUnavailable`, and ``LookupError`` for unknown names.
    """
    forest = find_forest(forest_name)
    user, password = forest.user_principal_name(account), forest.account(account).password
    config: Settings = settings_of(run_dir)
    if not config.ca.is_file():
        raise DirectoryUnavailable(f"the lab at {config.run_dir} was never started: {config.ca} does not exist")
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        ca_certs_file=str(config.ca),
        version=ssl.PROTOCOL_TLS_CLIENT,
        valid_names=[forest.server_name, forest.dc_address],
    )
    server = ldap3.Server(
        forest.dc_address,
        port=LDAPS_PORT,
        use_ssl=True,
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=CONNECT_TIMEOUT,
    )
    connection = ldap3.Connection(
        server,
        user=user,
        password=password,
        raise_exceptions=False,
        receive_timeout=RECEIVE_TIMEOUT,
        auto_referrals=False,
        check_names=False,  # ldap3 refuses DNs that Windows and Samba write, such as CN=Projector #7
    )
    try:
        bound = connection.bind()
    except LDAPException as error:
        if connection.socket is not None:
            connection.socket.close()  # ldap3 leaves it open when connecting fails
        raise DirectoryUnavailable(
            f"the domain controller of {forest.domain} at {forest.dc_address}:{LDAPS_PORT} does not answer: {error}"
        ) from error
    if not bound:
        reason = connection.result.get("message") or connection.result.get("description")
        connection.unbind()
        raise DirectoryUnavailable(f"{forest.server_name} refuses {user}: {reason}")
    return connection


def base_dn(forest_name: str) -> str:
    """The root of a forest's domain partition."""
    return find_forest(forest_name).base_dn
