# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The cmdlets that may be sent to a Windows host: their names, their parameters with types, and whether they change.

Nothing else is sent. Names and types are those of Microsoft's reference; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._model import known_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet, Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._model.known_cmdlets import Known


def _reads(**parameters: str) -> Known:
    return Known(False, MappingProxyType(parameters))


def _changes(**parameters: str) -> Known:
    return Known(True, MappingProxyType(parameters))


_PATH = "String[]"

CMDLETS: Mapping[str, Known] = MappingProxyType(
    {
        "Get-AADCloudSyncADDomains": _reads(),
        "Get-AuthenticodeSignature": _reads(LiteralPath=_PATH),
        "Get-CimInstance": _reads(ClassName="String", Filter="String"),
        "Get-Content": _reads(LiteralPath=_PATH, Tail="Int32"),
        "Get-ExecutionPolicy": _reads(List="SwitchParameter"),
        "Get-FileHash": _reads(LiteralPath=_PATH, Algorithm="String"),
        "Get-HybridApplication": _reads(),
        "Get-Item": _reads(LiteralPath=_PATH),
        "Get-ItemProperty": _reads(LiteralPath=_PATH, Path=_PATH),
        "Get-KdsRootKey": _reads(),
        "Get-Process": _reads(Name="String[]", Id="Int32[]"),
        "Get-Service": _reads(Name="String[]"),
        "Get-Website": _reads(Name="String"),
        "Import-Module": _reads(Name="String[]"),
        "Select-Object": _reads(Property="Object[]", ExpandProperty="String", Last="Int32"),
        "Test-ADServiceAccount": _reads(Identity="ADServiceAccount"),
        "Test-NetConnection": _reads(ComputerName="String", Port="Int32"),
        "Test-Path": _reads(LiteralPath=_PATH),
        "Add-AADCloudSyncADDomain": _changes(
            DomainName="String", Credential="PSCredential", PreferredDomainControllers="String[]"
        ),
        "Add-AADCloudSyncGMSA": _changes(Credential="PSCredential", CustomGMSAName="String"),
        "Connect-AADCloudSyncAzureAD": _changes(Credential="PSCredential"),
        "Copy-Item": _changes(LiteralPath=_PATH, Destination="String", Force="SwitchParameter"),
        "Invoke-WebRequest": _changes(
            Uri="Uri", OutFile="String", UseBasicParsing="SwitchParameter", TimeoutSec="Int32"
        ),
        "New-Item": _changes(Path=_PATH, ItemType="String"),
        "Remove-HybridApplication": _changes(AppId="Guid", Credential="PSCredential"),
        "Remove-Item": _changes(LiteralPath=_PATH, Force="SwitchParameter"),
        "Restart-Computer": _changes(Force="SwitchParameter"),
        "Restart-Service": _changes(Name="String[]", Force="SwitchParameter"),
        "Set-AADCloudSyncPermissions": _changes(
            PermissionType="String",
            EACredential="PSCredential",
            TargetDomain="String",
            TargetDomainCredential="PSCredential",
        ),
        "Set-Service": _changes(Name="String", StartupType="ServiceStartMode"),
        "Start-Process": _changes(
            FilePath="String",
            ArgumentList="String[]",
            Wait="SwitchParameter",
            PassThru="SwitchParameter",
            Credential="PSCredential",
        ),
        "Start-Service": _changes(Name="String[]"),
        "Stop-Process": _changes(Id="Int32[]", Force="SwitchParameter"),
    }
)

# What a value of each type is here; anything else that a table row names is a text, which Windows converts.
_TYPES: Mapping[str, type] = {"Int32": int, "SwitchParameter": bool, "PSCredential": Credential}


def changes(pipeline: Sequence[Cmdlet]) -> bool:
    """Whether a pipeline may change anything."""
    return known_cmdlets.changes(CMDLETS, pipeline)


def check(pipeline: Sequence[Cmdlet]) -> None:
    """Refuse what is not in the table: another cmdlet, another parameter, a value of another type."""
    known_cmdlets.check(CMDLETS, "a Windows host", _fits, pipeline)


def _fits(kind: str, value: Any) -> bool:
    if kind.endswith("[]"):
        return isinstance(value, list) and all(_fits(kind.removesuffix("[]"), item) for item in value)
    expected = _TYPES.get(kind, str)
    return isinstance(value, expected) and not (expected is int and isinstance(value, bool))
