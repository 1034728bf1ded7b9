# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How to reach the directory: the options of a task, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

PORTS: Mapping[str, int] = {"ldaps": 636, "starttls": 389, "kerberos": 389}
GLOBAL_CATALOG_PORTS: Mapping[str, int] = {"ldaps": 3269, "starttls": 3268, "kerberos": 3268}
CONNECTIONS = range(1, 9)
PAGE_SIZE = 1000  # MaxPageSize of AD's default query policy
_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_HOST = re.compile(
    r"(?:(?P<scheme>[A-Za-z]+)://)?"
    rf"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>{_LABEL}(?:\.{_LABEL})*)\.?)"
    r"(?::(?P<port>\d{1,5}))?/?"
)
_BARE_V6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


@dataclass(frozen=True)
class Host:
    """One directory server."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class Settings:
    """``timeout`` is in seconds, for connecting and for each answer; ``ca_path`` is a file or a directory.

    ``connections`` is how many at most write at the same time; ``global_catalog_port`` 0 means that none is asked.
    ``user`` and ``password`` may be missing with Kerberos only.
    """

    hosts: tuple[Host, ...]
    transport: str
    user: str | None
    password: str | None = field(repr=False)
    server_name: str | None = None
    ca_path: str | None = None
    base_dn: str | None = None
    timeout: int = 30
    page_size: int = PAGE_SIZE
    global_catalog_port: int = 0
    connections: int = 1


def from_params(params: Mapping[str, Any]) -> Settings:
    """The settings from a task's directory_* options; InputError names the option that is wrong."""
    transport = params.get("directory_transport") or "ldaps"
    if transport not in PORTS:
        raise InputError(_no_plaintext(f"directory_transport is {transport!r}"))
    port = int(params.get("directory_port") or PORTS[transport])
    hosts = tuple(_host(str(text).strip(), transport, port) for text in params.get("directory_hosts") or ())
    if not hosts:
        raise InputError("directory_hosts names no domain controller; name at least one.")
    user, password = _account(params, transport)
    ca_path = params.get("directory_ca_path") or None
    if ca_path is not None and not Path(ca_path).exists():
        raise InputError(f"directory_ca_path: there is no file or directory {ca_path}.")
    timeout = params.get("directory_timeout")
    if timeout is not None and int(timeout) < 1:
        raise InputError(f"directory_timeout must be at least 1 second, not {timeout}.")
    catalog = params.get("directory_global_catalog_port")
    if catalog is not None and not 0 <= int(catalog) <= 65535:
        raise InputError(f"directory_global_catalog_port must be a port, or 0 for none, not {catalog}.")
    connections = params.get("directory_connections")
    if connections is not None and int(connections) not in CONNECTIONS:
        raise InputError(f"directory_connections must be 1 to {CONNECTIONS[-1]}, not {connections}.")
    return Settings(
        hosts=hosts,
        transport=transport,
        user=user,
        password=password,
        server_name=params.get("directory_server_name") or None,
        ca_path=ca_path,
        base_dn=params.get("directory_base_dn") or None,
        timeout=int(timeout or 30),
        global_catalog_port=GLOBAL_CATALOG_PORTS[transport] if catalog is None else int(catalog),
        connections=int(connections or 1),
    )


def _account(params: Mapping[str, Any], transport: str) -> tuple[str | None, str | None]:
    """The user and the password to sign in with."""
    user, password = params.get("directory_user") or None, params.get("directory_password") or None
    if transport == "kerberos":
        if password and not user:
            raise InputError("directory_password is given without directory_user.")
        if user and not re.fullmatch(r"[^@\\=]+(@[^@]+)?", str(user)):
            raise InputError(
                f"directory_user {user!r} is no Kerberos principal; with directory_transport kerberos write it as "
                "name@REALM."
            )
        return user and str(user), password and str(password)
    if not user or not password:
        # A simple bind with a user and no password counts as anonymous and succeeds (RFC 4513, 5.1.2).
        raise InputError(
            "directory_user and directory_password are both needed to sign in to the directory. Only "
            "directory_transport kerberos can do without, with a ticket or a keytab."
        )
    return str(user), str(password)


def _host(text: str, transport: str, port: int) -> Host:
    if _BARE_V6.fullmatch(text):
        return Host(text, port)
    match = _HOST.fullmatch(text)
    if match is None:
        raise InputError(f"directory_hosts: {text!r} is not the name of a host, such as dc1.contoso.com.")
    scheme = (match["scheme"] or "").lower()
    if scheme == "ldap" and transport == "ldaps":
        raise InputError(_no_plaintext(f"directory_hosts has {text!r}"))
    if scheme not in {"", "ldap", "ldaps"} or (scheme == "ldaps" and transport != "ldaps"):
        raise InputError(f"directory_hosts has {text!r}, which does not fit directory_transport {transport!r}.")
    return Host(match["v6"] or match["name"], int(match["port"] or port))


def _no_plaintext(what: str) -> str:
    return (
        f"{what}, but passwords and attributes are never sent in plain text. "
        "Use directory_transport ldaps (port 636), starttls (port 389) or kerberos (port 389)."
    )
