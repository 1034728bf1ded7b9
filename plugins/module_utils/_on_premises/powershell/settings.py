# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How to reach a Windows host or Exchange Server: the options of a task, checked before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

AUTHENTICATIONS = ("negotiate", "kerberos", "ntlm", "certificate", "basic")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\.?)*")


@dataclass(frozen=True)
class Kind:
    """A kind of endpoint: how its options begin, their defaults, and its words in messages.

    ``needed`` is what must be set up there, ``rights`` what the account must be.
    """

    prefix: str
    what: str
    port: int
    path: str
    configuration: str
    needed: str
    rights: str


WINDOWS = Kind(
    prefix="windows",
    what="a Windows server",
    port=5986,
    path="wsman",
    configuration="Microsoft.PowerShell",
    needed="PowerShell remoting over HTTPS must be on there (a WinRM listener with a certificate), and the port open",
    rights="be an administrator of the server, and be allowed by the session configuration",
)
EXCHANGE_SERVER = Kind(
    prefix="exchange_server",
    what="an Exchange Server",
    port=443,
    path="powershell",
    configuration="Microsoft.Exchange",
    needed=(
        "The PowerShell virtual directory of Exchange must be reachable over HTTPS there, with a certificate, and the "
        "port open"
    ),
    rights="be enabled for remote PowerShell, be in a role group of Exchange, and be allowed by the configuration",
)
PORT = WINDOWS.port
CONFIGURATION = WINDOWS.configuration


@dataclass(frozen=True)
class Settings:
    """Times are in seconds.

    ``connect_timeout`` bounds connecting, ``operation_timeout`` how long the host may keep one request, and
    ``command_timeout`` a whole pipeline where its caller states nothing else. ``ca_path`` None means the system's
    certificate authorities. ``user`` and ``password`` may be missing with Kerberos and with a certificate.
    """

    host: str
    port: int = PORT
    authentication: str = "negotiate"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate: str | None = None
    ca_path: str | None = None
    configuration: str = CONFIGURATION
    kerberos_host: str | None = None
    delegate: bool = False
    connect_timeout: int = 30
    operation_timeout: int = 20
    command_timeout: int = 300
    path: str = WINDOWS.path
    kind: Kind = WINDOWS

    @property
    def name(self) -> str:
        """The host as it is named in messages."""
        return self.host


def from_params(params: Mapping[str, Any], kind: Kind = WINDOWS) -> Settings:
    """The settings from a task's options of that kind; InputError names the option that is wrong."""

    def given(name: str) -> Any:
        return params.get(f"{kind.prefix}_{name}")

    def number(name: str, default: int, highest: int = 86400) -> int:
        return _number(params, f"{kind.prefix}_{name}", default, highest)

    authentication = given("authentication") or "negotiate"
    if authentication not in AUTHENTICATIONS:
        known = ", ".join(AUTHENTICATIONS)
        raise InputError(f"{kind.prefix}_authentication must be one of {known}, not {authentication!r}.")
    host = _host(kind, given("host"))
    user, password = given("user") or None, given("password") or None
    certificate, ca_path = given("certificate") or None, given("ca_path") or None
    _check_account(kind, authentication, user, password, certificate)
    for option, path in (("ca_path", ca_path), ("certificate", certificate)):
        if path is not None and not Path(path).exists():
            raise InputError(f"{kind.prefix}_{option}: there is no file {path}.")
    return Settings(
        host=host,
        port=number("port", kind.port, 65535),
        authentication=authentication,
        user=user and str(user),
        password=password and str(password),
        certificate=certificate and str(certificate),
        ca_path=ca_path and str(ca_path),
        configuration=str(given("configuration_name") or kind.configuration),
        kerberos_host=given("kerberos_host") or None,
        delegate=bool(given("delegate")),
        connect_timeout=number("connect_timeout", 30),
        operation_timeout=number("operation_timeout", 20),
        command_timeout=number("command_timeout", 300),
        path=str(given("path") or kind.path).strip("/"),
        kind=kind,
    )


def _host(kind: Kind, given: Any) -> str:
    host = str(given or "").strip()
    if not host:
        raise InputError(f"This needs {kind.what}: give {kind.prefix}_host.")
    if "://" in host:
        raise InputError(
            f"{kind.prefix}_host is {host!r}; give the name only. The session always goes over HTTPS, "
            f"{kind.prefix}_port is its port."
        )
    if not _is_host(host):
        raise InputError(f"{kind.prefix}_host: {host!r} is not the name of a host, such as sync1.contoso.com.")
    return host


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _NAME.fullmatch(text) is not None
    return True


def _check_account(kind: Kind, authentication: str, user: Any, password: Any, certificate: Any) -> None:
    name = kind.prefix
    if authentication == "certificate":
        if not certificate:
            raise InputError(f"{name}_authentication is certificate: give {name}_certificate, a PEM file.")
        return
    if authentication == "kerberos":
        if password and not user:
            raise InputError(f"{name}_password is given without {name}_user.")
        return
    if not user or not password:
        raise InputError(
            f"{name}_user and {name}_password are both needed with {name}_authentication {authentication}. Only "
            "kerberos, with a ticket, and certificate can do without."
        )


def _number(params: Mapping[str, Any], option: str, default: int, highest: int) -> int:
    value = params.get(option)
    number = default if value is None else int(value)
    if not 1 <= number <= highest:
        raise InputError(f"{option} must be 1 to {highest}, not {value}.")
    return number
