# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services."""

from __future__ import annotations

from typing import Any

from tests.lab.windows import paths, services
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError, binding
from tests.lab.windows.values import Enum, Obj

Document = dict[str, Any]
_TYPES = (
    "System.ServiceProcess.ServiceController",
    "System.ComponentModel.Component",
    "System.MarshalByRefObject",
    "System.Object",
)
_STATUS = {"Stopped": 1, "StartPending": 2, "StopPending": 3, "Running": 4, "Paused": 7}
_START = {"Boot": 0, "System": 1, "Automatic": 2, "Manual": 3, "Disabled": 4}
_EXCEPTION = "Microsoft.PowerShell.Commands.ServiceCommandException"


def controller(name: str, one: Document) -> Obj:
    """The object for a service."""
    running = one["Status"] == "Running"
    own = {
        "CanPauseAndContinue": False,
        "CanShutdown": running,
        "CanStop": running,
        "DisplayName": one["DisplayName"],
        "DependentServices": [],
        "MachineName": ".",
        "ServiceName": name,
        "ServicesDependedOn": [],
        "ServiceHandle": None,
        "Status": Enum("System.ServiceProcess.ServiceControllerStatus", one["Status"], _STATUS[one["Status"]]),
        "ServiceType": Enum("System.ServiceProcess.ServiceType", "Win32OwnProcess", 16),
        "StartType": Enum("System.ServiceProcess.ServiceStartMode", one["StartType"], _START[one["StartType"]]),
        "Site": None,
        "Container": None,
    }
    return Obj(_TYPES, own, name, {"Name": name, "RequiredServices": []}, name)


def _chosen(call: Call, document: Document) -> list[str]:
    """Names of the services that the call is about; an error for each name that does not exist."""
    piped = [str(one.key) for one in call.many("InputObject") if isinstance(one, Obj)]
    named = [(str(one), False) for one in [*call.many("Name"), *piped]]
    named += [(str(one), True) for one in call.many("DisplayName")]
    if not named and call.cmdlet.name == "Get-Service":
        named = [("*", False)]
    if not named:
        raise binding(
            "Cannot process command because of one or more missing mandatory parameters: Name.",
            "MissingMandatoryParameter",
        )
    found: list[str] = []
    for wanted, by_display in named:
        hits = [
            name
            for name, one in sorted(document["services"].items(), key=lambda pair: pair[0].lower())
            if paths.matches(one["DisplayName"] if by_display else name, wanted)
        ]
        if not hits and not paths.has_wildcard(wanted):
            call.error(_unknown(wanted, by_display))
        found += [one for one in hits if one not in found]
    include, exclude = call.many("Include"), call.many("Exclude")
    found = [one for one in found if not include or any(paths.matches(one, str(wanted)) for wanted in include)]
    return [one for one in found if not any(paths.matches(one, str(wanted)) for wanted in exclude)]


def _unknown(name: str, by_display: bool) -> CmdletError:
    kind = "display name" if by_display else "service name"
    error = "NoServiceFoundForGivenDisplayName" if by_display else "NoServiceFoundForGivenName"
    return CmdletError(f"Cannot find any service with {kind} '{name}'.", error, "ObjectNotFound", _EXCEPTION, name)


def get_service(call: Call) -> None:
    """Get-Service."""
    with call.state() as document:
        for name in _chosen(call, document):
            call.write(controller(name, document["services"][name]))


def _start(call: Call, document: Document, name: str) -> None:
    one = document["services"][name]
    code = services.start(document, name, call.estate.clock.timestamp())
    label = f"{one['DisplayName']} ({name})"
    if code:
        call.estate.log(call.host, event="service", path=name, parameters={"error": code}, write=False, status=code)
        call.error(
            CmdletError(
                f"Service '{label}' cannot be started due to the following error: Cannot start service {name} on "
                "computer '.'.",
                "StartServiceFailed",
                "OpenError",
                _EXCEPTION,
                controller(name, one),
            )
        )
    elif one["Status"] == "StartPending":
        call.warning(f"Waiting for service '{label}' to start...")
        call.error(
            CmdletError(
                f"Failed to start service '{label}'.",
                "StartServiceFailed",
                "OpenError",
                _EXCEPTION,
                controller(name, one),
            )
        )


def _each(call: Call, deed: Any) -> None:
    with call.state() as document:
        for name in _chosen(call, document):
            if not call.what_if:
                deed(call, document, name)
            if call.get("PassThru"):
                call.write(controller(name, document["services"][name]))


def _stop(call: Call, document: Document, name: str) -> None:
    services.stop(document, name)


def _restart(call: Call, document: Document, name: str) -> None:
    services.stop(document, name)
    _start(call, document, name)


def _set(call: Call, document: Document, name: str) -> None:
    one = document["services"][name]
    wanted = call.get("StartupType")
    if wanted in ("Boot", "System"):
        raise CmdletError(
            f"Service '{one['DisplayName']} ({name})' cannot be configured due to the following error: "
            "The parameter is incorrect",
            "CouldNotSetService",
            "PermissionDenied",
            _EXCEPTION,
            name,
        )
    if wanted:
        one["StartType"] = wanted
    for key in ("DisplayName", "Description"):
        if call.get(key) is not None:
            one[key] = str(call.get(key))
    status = call.get("Status")
    if status == "Running":
        _start(call, document, name)
    elif status:
        one["Status"] = status


def set_service(call: Call) -> None:
    """Set-Service: takes one name; a display name is what to call it."""
    piped = [str(one.key) for one in call.many("InputObject") if isinstance(one, Obj)]
    name = str(call.get("Name") or (piped[0] if piped else ""))
    with call.state() as document:
        real = services.name_in(document, name)
        if real is None:
            call.error(
                CmdletError(
                    f"Service {name} was not found on computer '.'.",
                    "InvalidOperationException",
                    "ObjectNotFound",
                    "System.InvalidOperationException",
                    name,
                )
            )
            return
        if not call.what_if:
            _set(call, document, real)
        if call.get("PassThru"):
            call.write(controller(real, document["services"][real]))


CMDLETS: dict[str, Implementation] = {
    "Get-Service": get_service,
    "Start-Service": lambda call: _each(call, _start),
    "Stop-Service": lambda call: _each(call, _stop),
    "Restart-Service": lambda call: _each(call, _restart),
    "Set-Service": set_service,
}
