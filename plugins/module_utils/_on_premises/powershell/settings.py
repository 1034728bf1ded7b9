# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How to reach a Windows host: the options of a task, checked before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

AUTHENTICATIONS = ("negotiate", "kerberos", "ntlm", "certificate", "basic")
PORT = 5986
CONFIGURATION = "Microsoft.PowerShell"
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\.?)*")


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

    @property
    def name(self) -> str:
        """The host as it is named in messages."""
        return self.host


def from_params(params: Mapping[str, Any]) -> Settings:
    """The settings from a task's windows_* options; InputError names the option that is wrong."""
    host = str(params.get("windows_host") or "").strip()
    if not host:
        raise InputError("This needs a Windows server: give windows_host.")
    if "://" in host:
        raise InputError(
            f"windows_host is {host!r}; give the name only. The session always goes over HTTPS, windows_port is its "
            "port."
        )
    if not _is_host(host):
        raise InputError(f"windows_host: {host!r} is not the name of a host, such as sync1.contoso.com.")
    authentication = params.get("windows_authentication") or "negotiate"
    if authentication not in AUTHENTICATIONS:
        raise InputError(f"windows_authentication must be one of {', '.join(AUTHENTICATIONS)}, not {authentication!r}.")
    user, password = params.get("windows_user") or None, params.get("windows_password") or None
    certificate = params.get("windows_certificate") or None
    _check_account(authentication, user, password, certificate)
    ca_path = params.get("windows_ca_path") or None
    for option, path in (("windows_ca_path", ca_path), ("windows_certificate", certificate)):
        if path is not None and not Path(path).exists():
            raise InputError(f"{option}: there is no file {path}.")
    return Settings(
        host=host,
        port=_number(params, "windows_port", PORT, 65535),
        authentication=authentication,
        user=user and str(user),
        password=password and str(password),
        certificate=certificate and str(certificate),
        ca_path=ca_path and str(ca_path),
        configuration=str(params.get("windows_configuration_name") or CONFIGURATION),
        kerberos_host=params.get("windows_kerberos_host") or None,
        delegate=bool(params.get("windows_delegate")),
        connect_timeout=_number(params, "windows_connect_timeout", 30),
        operation_timeout=_number(params, "windows_operation_timeout", 20),
        command_timeout=_number(params, "windows_command_timeout", 300),
    )


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _NAME.fullmatch(text) is not None
    return True


def _check_account(authentication: str, user: Any, password: Any, certificate: Any) -> None:
    if authentication == "certificate":
        if not certificate:
            raise InputError("windows_authentication is certificate: give windows_certificate, a PEM file.")
        return
    if authentication == "kerberos":
        if password and not user:
            raise InputError("windows_password is given without windows_user.")
        return
    if not user or not password:
        raise InputError(
            f"windows_user and windows_password are both needed with windows_authentication {authentication}. Only "
            "kerberos, with a ticket, and certificate can do without."
        )


def _number(params: Mapping[str, Any], option: str, default: int, highest: int = 86400) -> int:
    value = params.get(option)
    number = default if value is None else int(value)
    if not 1 <= number <= highest:
        raise InputError(f"{option} must be 1 to {highest}, not {value}.")
    return number
