# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell's errors: what a cmdlet reports, and the record that travels."""

from __future__ import annotations

from typing import Any

from psrpcore.types import ErrorCategory, ErrorCategoryInfo, ErrorRecord, NETException

from tests.lab.windows.values import Obj, remote, text

_MANAGEMENT = "Microsoft.PowerShell.Commands"
# Where the identifier of an error names the class of its cmdlet; functions are named as they are.
_CLASSES = {
    "Get-CimInstance": "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand",
    "Invoke-CimMethod": "Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand",
    "Get-ADServiceAccount": "Microsoft.ActiveDirectory.Management.Commands.GetADServiceAccount",
    "Test-ADServiceAccount": "Microsoft.ActiveDirectory.Management.Commands.TestADServiceAccount",
    "Get-KdsRootKey": "Microsoft.KeyDistributionService.Cmdlets.GetKdsRootKeyCommand",
    "Resolve-DnsName": "Microsoft.DnsClient.Commands.ResolveDnsName",
}
_FUNCTIONS = ("Get-FileHash", "Test-NetConnection")
AGENT_CLASSES = "Microsoft.Online.CloudSync.PowerShell"


class CmdletError(Exception):
    """An error that a cmdlet reports.

    ``error_id`` is the identifier without the cmdlet's class; ``exception`` the .NET type; ``terminating`` errors end
    the pipeline whatever ErrorAction says.
    """

    def __init__(
        self,
        message: str,
        error_id: str,
        category: str = "NotSpecified",
        exception: str = "System.Management.Automation.RuntimeException",
        target: Any = None,
        target_type: str = "",
        terminating: bool = False,
        activity: str | None = None,
        whole_id: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.category = category
        self.exception = exception
        self.target = target
        self.target_type = target_type
        self.terminating = terminating
        self.activity = activity
        self.whole_id = whole_id


def class_of(cmdlet: str, module: str) -> str:
    """What stands behind the comma in the identifier of a cmdlet's errors."""
    if cmdlet in _FUNCTIONS:
        return cmdlet
    if cmdlet in _CLASSES:
        return _CLASSES[cmdlet]
    name = cmdlet.replace("-", "") + "Command"
    return f"{AGENT_CLASSES}.{name}" if module == "Microsoft.CloudSync.PowerShell" else f"{_MANAGEMENT}.{name}"


def record(error: CmdletError, cmdlet: str, module: str) -> ErrorRecord:
    """The error record of an error of a cmdlet."""
    exception = NETException(Message=error.message, HResult=-2146233087)
    types = [error.exception, "System.SystemException", "System.Exception", "System.Object"]
    exception.PSObject.type_names = list(dict.fromkeys(types))
    exception.PSObject.to_string = f"{error.exception}: {error.message}"
    target = error.target
    category = ErrorCategoryInfo(
        Category=ErrorCategory[error.category],
        Activity=cmdlet if error.activity is None else error.activity,
        Reason=error.exception.rpartition(".")[2],
        TargetName=text(target),
        TargetType=error.target_type or _type_name(target),
    )
    identifier = error.error_id if error.whole_id else f"{error.error_id},{class_of(cmdlet, module)}"
    made = ErrorRecord(
        Exception=exception,
        TargetObject=remote(target, 0),
        FullyQualifiedErrorId=identifier,
        CategoryInfo=category,
    )
    made.PSObject.to_string = error.message
    return made


def _type_name(target: Any) -> str:
    if target is None:
        return ""
    if isinstance(target, Obj):
        return target.types[0].rpartition(".")[2]
    return {str: "String", int: "Int32", bool: "Boolean"}.get(type(target), "Object")


def command_not_found(name: str) -> CmdletError:
    """No such cmdlet on this host."""
    return CmdletError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        "CommandNotFoundException",
        "ObjectNotFound",
        "System.Management.Automation.CommandNotFoundException",
        name,
        terminating=True,
        activity="",
        whole_id=True,
    )


def binding(
    message: str, error_id: str, target: Any = None, exception: str = "ParameterBindingException"
) -> CmdletError:
    """The parameters do not fit the cmdlet."""
    category = "InvalidData" if exception == "ParameterBindingValidationException" else "InvalidArgument"
    return CmdletError(
        message, error_id, category, f"System.Management.Automation.{exception}", target, terminating=True
    )


def path_not_found(path: str) -> CmdletError:
    """Nothing lies there."""
    return CmdletError(
        f"Cannot find path '{path}' because it does not exist.",
        "PathNotFound",
        "ObjectNotFound",
        "System.Management.Automation.ItemNotFoundException",
        path,
    )


def access_denied(path: str, error_id: str = "ItemExistsUnauthorizedAccessError") -> CmdletError:
    """The far end does not let the session's account in."""
    return CmdletError("Access is denied", error_id, "PermissionDenied", "System.UnauthorizedAccessException", path)
