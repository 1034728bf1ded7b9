# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of Exchange's cmdlets, by Microsoft's reference (tests/reference), on-premises side.

The reference has no positions, no pipeline input and no parameter sets; what Microsoft's pages say of those is in
:data:`REQUIRED` and the rules beside it.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from psrpcore.types import PSByteArray, PSSecureString

from tests.lab.settings import CHECKOUT
from tests.lab.windows import binder
from tests.lab.windows.binder import Argument, Bound, Cmdlet, Credential, Parameter, plain
from tests.lab.windows.errors import CmdletError, binding
from tests.lab.windows.values import text

REFERENCE = CHECKOUT / "tests" / "reference" / "exchange-cmdlets.json"
MODULE = "Exchange"
SIDE = "on-premises"
# Parameters that every parameter set of a cmdlet demands, beside Identity.
REQUIRED: dict[str, tuple[str, ...]] = {
    "Add-AvailabilityAddressSpace": ("AccessMethod", "ForestName"),
    "Add-FederatedDomain": ("DomainName",),
    "Add-RoleGroupMember": ("Member",),
    "Enable-ExchangeCertificate": ("Services",),
    "Export-ExchangeCertificate": (),
    "Import-ExchangeCertificate": (),
    "New-AuthServer": ("Name",),
    "New-FederationTrust": ("Name", "Thumbprint"),
    "New-IntraOrganizationConnector": ("DiscoveryEndpoint", "Name", "TargetAddressDomains"),
    "New-MigrationBatch": ("Name",),
    "New-MigrationEndpoint": ("Name",),
    "New-MoveRequest": (),
    "New-OrganizationRelationship": ("DomainNames", "Name"),
    "New-PartnerApplication": ("Name",),
    "New-ReceiveConnector": ("Name",),
    "New-RemoteDomain": ("DomainName", "Name"),
    "New-SendConnector": ("Name",),
    "New-SettingOverride": ("Component", "Name", "Parameters", "Reason", "Section"),
    "New-SharingPolicy": ("Domains", "Name"),
    "New-TransportRule": ("Name",),
    "Remove-DatabaseAvailabilityGroupServer": ("MailboxServer",),
    "Remove-FederatedDomain": ("DomainName",),
    "Set-ServerComponentState": ("Component", "Requester", "State"),
}
# Changing cmdlets that need no Identity, and reading ones that do.
_WITHOUT_IDENTITY = (
    "Add-AvailabilityAddressSpace",
    "Add-FederatedDomain",
    "Enable-ExchangeCertificate",
    "Export-ExchangeCertificate",
    "Import-ExchangeCertificate",
    "Remove-ExchangeCertificate",
    "Remove-FederatedDomain",
    "Remove-HybridConfiguration",
    "Remove-Mailbox",
    "Remove-MigrationBatch",
    "Remove-MoveRequest",
    "Set-ADServerSettings",
    "Set-AuthConfig",
    "Set-FederatedOrganizationIdentifier",
    "Set-HybridConfiguration",
    "Set-OrganizationConfig",
    "Stop-MigrationBatch",
)
_WITH_IDENTITY = ("Get-RoleGroupMember", "Get-ServerComponentState", "New-MoveRequest")
_NUMBERS = ("Int16", "Int32", "Int64", "UInt32")
_SPAN = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}))?$")
_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@cache
def cmdlets() -> dict[str, Cmdlet]:
    """The cmdlets of the reference that there are on premises, by lower-case name."""
    found = json.loads(REFERENCE.read_text(encoding="utf-8"))["cmdlets"]
    return {name.lower(): _cmdlet(name, entry) for name, entry in found.items() if SIDE in entry["applies"]}


def _cmdlet(name: str, entry: dict[str, Any]) -> Cmdlet:
    verb = name.partition("-")[0]
    identity = (verb not in ("Get", "New") and name not in _WITHOUT_IDENTITY) or name in _WITH_IDENTITY
    required = (*REQUIRED.get(name, ()), *(("Identity",) if identity else ()))
    made = []
    for one, row in entry["parameters"].items():
        if SIDE not in row.get("applies", (SIDE,)):
            continue
        first = one == "Identity" or (one == "Name" and verb == "New")
        made.append(
            Parameter(
                name=one,
                type=row["type"],
                aliases={"Confirm": ("cf",), "WhatIf": ("wi",)}.get(one, ()),
                position=0 if first else None,
                required=one in required,
                by_name=one == "Identity",
            )
        )
    return Cmdlet(name, MODULE, tuple(made))


def bind(cmdlet: Cmdlet, arguments: list[Argument], piped: list[Any] | None = None) -> Bound:
    """The parameters of a call; raises :class:`CmdletError` as PowerShell does."""
    return binder.bind(cmdlet, arguments, piped, _converted)


def _converted(parameter: Parameter, value: Any) -> Any:
    kind = parameter.single
    if kind in (*_NUMBERS, "SwitchParameter", "PSCredential") and value is not None:
        return binder.converted(parameter, value)
    given = plain(value)
    if kind == "SwitchParameter":
        return binder.converted(parameter, value)
    if given is None:
        if parameter.required:
            raise binding(
                f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
                "ParameterArgumentValidationErrorNullNotAllowed",
                exception="ParameterBindingValidationException",
            )
        return [] if kind == "MultiValuedProperty" or parameter.many else None
    if kind == "MultiValuedProperty" and isinstance(given, dict):
        unknown = [one for one in given if str(one).lower() not in ("add", "remove")]
        if unknown:
            raise _cannot(parameter, given, f"'{unknown[0]}' is not one of Add and Remove.")
        return given
    if kind == "MultiValuedProperty" or parameter.many:
        return [_one(parameter, one) for one in (given if isinstance(given, list) else [given])]
    return _one(parameter, given)


def _one(parameter: Parameter, given: Any) -> Any:
    kind = parameter.single
    if kind == "Boolean":
        if isinstance(given, bool) or given in (0, 1):
            return bool(given)
        raise _cannot(
            parameter,
            given,
            "Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0 instead.",
        )
    if kind in ("EnhancedTimeSpan", "TimeSpan"):
        return _span(parameter, given)
    if kind == "DateTime":
        return _moment(parameter, given)
    if kind == "Guid":
        try:
            return str(uuid.UUID(str(given)))
        except ValueError:
            raise _cannot(parameter, given, "Guid should contain 32 digits with 4 dashes.") from None
    if kind == "SecureString":
        if not isinstance(given, PSSecureString):
            raise _cannot(parameter, "***", "It is no System.Security.SecureString.")
        return "***"
    if kind == "Byte" and isinstance(given, bytes | bytearray | PSByteArray | int):
        return bytes(given) if not isinstance(given, int) else given
    if isinstance(given, dict | Credential | PSSecureString):
        raise _cannot(parameter, type(given).__name__, "It is no text.")
    if kind in ("SmtpDomain", "Fqdn") and not re.fullmatch(r"[\w*.-]+", str(given)):
        raise _cannot(parameter, given, f'"{given}" is not a valid SMTP domain.')
    return text(given)


def _span(parameter: Parameter, given: Any) -> str:
    if isinstance(given, timedelta):
        days, rest = given.days, given.seconds
        shown = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
        return f"{days}.{shown}" if days else shown
    if _SPAN.match(str(given)) is None:
        raise _cannot(parameter, given, "String was not recognized as a valid TimeSpan.")
    return str(given)


def _moment(parameter: Parameter, given: Any) -> datetime:
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=UTC)
    try:
        found = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    for pattern in _FORMATS:
        try:
            return datetime.strptime(str(given), pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _cannot(parameter, given, "String was not recognized as a valid DateTime.")


def _cannot(parameter: Parameter, shown: Any, why: str) -> CmdletError:
    return binding(
        f"Cannot process argument transformation on parameter '{parameter.name}'. Cannot convert value "
        f'"{text(shown) if not isinstance(shown, dict) else "System.Collections.Hashtable"}" to type '
        f'"{parameter.single}". Error: {why}',
        "ParameterArgumentTransformationError",
        exception="ParameterBindingArgumentTransformationException",
    )
