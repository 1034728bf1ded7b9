# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system: CIM classes, execution policy, date, restart."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from tests.lab.windows import happenings, services
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.items import when
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Enum, Number, Obj, custom, uint32, uint64

Document = dict[str, Any]
_CIM = ("Microsoft.Management.Infrastructure.CimInstance", "System.Object")
_CIM_ERROR = "Microsoft.Management.Infrastructure.CimException"
_CONDITION = re.compile(r"^\s*(\w+)\s*(=|<>|!=|LIKE)\s*(?:'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"|(\w+))\s*$", re.IGNORECASE)
_SCOPES = ("MachinePolicy", "UserPolicy", "Process", "CurrentUser", "LocalMachine")
_POLICIES = {"Unrestricted": 0, "RemoteSigned": 1, "AllSigned": 2, "Restricted": 3, "Bypass": 4, "Undefined": 5}
_START_MODES = {"Automatic": "Auto"}


def _operating_system(call: Call, document: Document) -> list[tuple[dict[str, Any], Any]]:
    system, memory = document["os"], int(document["computer"]["TotalPhysicalMemory"]) // 1024
    return [
        (
            {
                "Caption": system["Caption"],
                "Version": system["Version"],
                "BuildNumber": system["BuildNumber"],
                "ProductType": uint32(system["ProductType"]),
                "OperatingSystemSKU": uint32(system["OperatingSystemSKU"]),
                "OSArchitecture": "64-bit",
                "CSName": call.host.computer,
                "LastBootUpTime": when(system["booted"]),
                "LocalDateTime": call.estate.now(),
                "TotalVisibleMemorySize": uint64(memory),
                "Status": "OK",
                "SystemDirectory": r"C:\Windows\system32",
                "WindowsDirectory": r"C:\Windows",
                "OSLanguage": uint32(1033),
            },
            None,
        )
    ]


def _computer_system(call: Call, document: Document) -> list[tuple[dict[str, Any], Any]]:
    computer = document["computer"]
    return [
        (
            {
                "Name": call.host.computer,
                "DNSHostName": call.host.name,
                "Domain": computer["Domain"],
                "PartOfDomain": computer["PartOfDomain"],
                "Workgroup": None if computer["PartOfDomain"] else "WORKGROUP",
                "DomainRole": Number("UInt16", computer["DomainRole"]),
                "TotalPhysicalMemory": uint64(computer["TotalPhysicalMemory"]),
                "Manufacturer": "Rehearsal lab",
                "Model": "Virtual Machine",
                "SystemType": "x64-based PC",
                "NumberOfLogicalProcessors": uint32(2),
            },
            None,
        )
    ]


def _services(call: Call, document: Document) -> list[tuple[dict[str, Any], Any]]:
    found = []
    for name, one in sorted(document["services"].items()):
        process = services.process_of(document, name)
        state = {"StartPending": "Start Pending", "StopPending": "Stop Pending"}.get(one["Status"], one["Status"])
        found.append(
            (
                {
                    "Name": name,
                    "DisplayName": one["DisplayName"],
                    "Description": one["Description"],
                    "State": state,
                    "StartMode": _START_MODES.get(one["StartType"], one["StartType"]),
                    "StartName": one["StartName"],
                    "PathName": one["PathName"],
                    "ExitCode": uint32(one["ExitCode"]),
                    "Started": process is not None,
                    "ProcessId": uint32(process[0] if process else 0),
                    "ServiceType": "Own Process",
                    "Status": "OK",
                    "SystemName": call.host.computer,
                    "DelayedAutoStart": False,
                },
                name,
            )
        )
    return found


def _disks(call: Call, document: Document) -> list[tuple[dict[str, Any], Any]]:
    return [
        (
            {
                "DeviceID": "C:",
                "DriveType": uint32(3),
                "FileSystem": "NTFS",
                "Size": uint64(136_365_211_648),
                "FreeSpace": uint64(97_000_000_000),
                "SystemName": call.host.computer,
            },
            None,
        )
    ]


CLASSES = {
    "Win32_OperatingSystem": _operating_system,
    "Win32_ComputerSystem": _computer_system,
    "Win32_Service": _services,
    "Win32_LogicalDisk": _disks,
}


def _filter(text: str) -> list[tuple[str, str, str]]:
    """The conditions of a WQL filter joined by AND; CimException where it is none."""
    parts = []
    for part in re.split(r"\s+AND\s+", text, flags=re.IGNORECASE):
        hit = _CONDITION.match(part)
        if hit is None:
            raise _cim_error("Invalid query ", "HRESULT 0x80041017", "InvalidArgument")
        value = next(one for one in (hit[3], hit[4], hit[5]) if one is not None)
        parts.append((hit[1], hit[2].upper(), value.replace("\\\\", "\\").replace("\\'", "'")))
    return parts


def _cim_error(message: str, error_id: str, category: str) -> CmdletError:
    return CmdletError(message, error_id, category, _CIM_ERROR)


def _fits(row: dict[str, Any], conditions: list[tuple[str, str, str]]) -> bool:
    for name, operator, wanted in conditions:
        value = next((str(one) for key, one in row.items() if key.lower() == name.lower()), None)
        if value is None:
            raise _cim_error("Invalid query ", "HRESULT 0x80041017", "InvalidArgument")
        if operator == "LIKE":
            like = re.escape(wanted).replace("%", ".*").replace("_", ".")
            hit = re.fullmatch(like, value, re.IGNORECASE) is not None
        else:
            hit = value.lower() == wanted.lower()
        if hit == (operator in ("<>", "!=")):
            return False
    return True


def get_cim_instance(call: Call) -> None:
    """Get-CimInstance -ClassName [-Filter] [-Property], or -Query with one SELECT."""
    name, text, properties = str(call.get("ClassName") or ""), call.get("Filter"), call.many("Property")
    if call.get("Query"):
        found = re.match(r"^\s*SELECT\s+(.+?)\s+FROM\s+(\w+)(?:\s+WHERE\s+(.+))?$", str(call.get("Query")), re.I | re.S)
        if found is None:
            raise _cim_error("Invalid query ", "HRESULT 0x80041017", "InvalidArgument")
        name, text = found[2], found[3]
        properties = [] if found[1].strip() == "*" else [one.strip() for one in found[1].split(",")]
    known = next((one for one in CLASSES if one.lower() == name.lower()), None)
    if known is None or str(call.get("Namespace") or "root/cimv2").replace("\\", "/").lower() != "root/cimv2":
        call.error(_cim_error("Invalid class ", "HRESULT 0x80041010", "MetadataError"))
        return
    with call.state() as document:
        for row, key in CLASSES[known](call, document):
            if text and not _fits(row, _filter(str(text))):
                continue
            wanted = {one.lower() for one in map(str, properties)}
            shown = {one: value if not wanted or one.lower() in wanted else None for one, value in row.items()}
            types = (f"{_CIM[0]}#root/cimv2/{known}", f"{_CIM[0]}#{known}", *_CIM)
            label = f"{known}: {row.get('Caption') or row.get('Name')}" + (f' (Name = "{key}")' if key else "")
            call.write(Obj(types, {**shown, "PSComputerName": None}, label, key=(known, key)))


def invoke_cim_method(call: Call) -> None:
    """Invoke-CimMethod: services' StartService, StopService and Change; Win32_OperatingSystem's Reboot."""
    method = str(call.get("MethodName") or "").lower()
    arguments = {str(name).lower(): value for name, value in (call.get("Arguments") or {}).items()}
    pairs = [one.key for one in call.many("InputObject") if isinstance(one, Obj)]
    if call.get("Query"):
        found = re.match(r"^\s*SELECT\s+\*\s+FROM\s+(\w+)\s+WHERE\s+Name\s*=\s*'(.*)'$", str(call.get("Query")), re.I)
        pairs = [(found[1], found[2])] if found else []
    if not pairs and call.get("ClassName"):
        pairs = [(str(call.get("ClassName")), None)]
    for name, key in pairs:
        code = None if call.what_if else _invoke(call, name.lower(), key, method, arguments)
        if code is not None:
            call.write(
                Obj(
                    ("Microsoft.Management.Infrastructure.CimMethodResult", "System.Object"),
                    {"ReturnValue": uint32(code), "PSComputerName": None},
                )
            )


def _invoke(call: Call, name: str, key: str | None, method: str, arguments: dict[str, Any]) -> int:
    if name == "win32_operatingsystem" and method == "reboot":
        _restart(call)
        return 0
    if name != "win32_service" or key is None or method not in ("startservice", "stopservice", "change"):
        raise CmdletError(
            f"Method name {method} was not found in the Cim class.",
            "HRESULT 0x80041055",
            "ObjectNotFound",
            _CIM_ERROR,
            terminating=True,
        )
    with call.state() as document:
        real = services.name_in(document, key)
        if real is None:
            raise _cim_error("Not found ", "HRESULT 0x80041002", "ObjectNotFound")
        if method == "stopservice":
            services.stop(document, real)
            return 0
        if method == "startservice":
            return {0: 0, services.DISABLED: 14, services.LOGON_FAILED: 15, services.TIMED_OUT: 7}[
                services.start(document, real, call.estate.clock.timestamp())
            ]
        one = document["services"][real]
        if "startmode" in arguments:
            one["StartType"] = {"auto": "Automatic"}.get(
                str(arguments["startmode"]).lower(), str(arguments["startmode"])
            )
        one["StartName"] = str(arguments.get("startname", one["StartName"]))
        return 0


def _restart(call: Call) -> None:
    with call.state() as document:
        happenings.go_away(document, call.estate)
    call.estate.cut(call.host)


def restart_computer(call: Call) -> None:
    """Restart-Computer of the host itself; the session does not survive it."""
    names = [str(one).lower() for one in call.many("ComputerName")]
    own = (".", "localhost", call.host.name, call.host.fqdn)
    other = next((one for one in names if one not in own), None)
    if other is not None or call.get("Wait"):
        reason = "Access is denied" if other else "The local computer cannot be waited for"
        raise CmdletError(
            f"Failed to restart the computer {other or 'localhost'} with the following error message: {reason}.",
            "RestartcomputerFailed",
            "OperationStopped",
            "System.InvalidOperationException",
            other or "localhost",
        )
    if not call.what_if:
        _restart(call)


def stop_computer(call: Call) -> None:
    """Stop-Computer of the host itself: it is off until somebody switches it on."""
    names = [str(one).lower() for one in call.many("ComputerName")]
    other = next((one for one in names if one not in (".", "localhost", call.host.name, call.host.fqdn)), None)
    if other is not None:
        raise CmdletError(
            f"Failed to stop the computer {other} with the following error message: Access is denied.",
            "StopComputerException",
            "OperationStopped",
            "System.InvalidOperationException",
            other,
        )
    if not call.what_if:
        with call.state() as document:
            happenings.power_off(document)
        call.estate.cut(call.host)


def _policy(name: str) -> Enum:
    return Enum("Microsoft.PowerShell.ExecutionPolicy", name, _POLICIES[name])


def get_execution_policy(call: Call) -> None:
    """Get-ExecutionPolicy [-List] [-Scope]."""
    with call.state() as document:
        policies = {**document["executionPolicy"], "Process": "Undefined"}
    if call.get("List"):
        for number, scope in enumerate(_SCOPES):
            at = Enum(
                "Microsoft.PowerShell.ExecutionPolicyScope",
                scope,
                {"Process": 0, "CurrentUser": 1, "LocalMachine": 2, "UserPolicy": 3, "MachinePolicy": 4}.get(
                    scope, number
                ),
            )
            call.write(custom({"Scope": at, "ExecutionPolicy": _policy(policies[scope])}))
        return
    wanted = call.get("Scope")
    if wanted:
        call.write(_policy(policies[wanted]))
        return
    set_ones = [policies[scope] for scope in _SCOPES if policies[scope] != "Undefined"]
    call.write(_policy(set_ones[0] if set_ones else "Restricted"))


def set_execution_policy(call: Call) -> None:
    """Set-ExecutionPolicy; group policy overrules what is set here."""
    scope, wanted = call.get("Scope") or "LocalMachine", str(call.get("ExecutionPolicy"))
    if scope in ("MachinePolicy", "UserPolicy"):
        raise CmdletError(
            "Cannot set execution policy. Execution policies at the MachinePolicy or UserPolicy scopes "
            "must be set through Group Policy.",
            "CantSetGroupPolicy",
            "InvalidOperation",
            "System.InvalidOperationException",
            terminating=True,
        )
    if call.what_if or scope == "Process":
        return
    with call.state() as document:
        policies = document["executionPolicy"]
        policies[scope] = "Restricted" if wanted == "Default" else wanted
        over = next((policies[one] for one in ("MachinePolicy", "UserPolicy") if policies[one] != "Undefined"), None)
        if over is not None and over != wanted:
            call.error(
                CmdletError(
                    "Windows PowerShell updated your execution policy successfully, but the setting is overridden by a "
                    "policy defined at a more specific scope.",
                    "ExecutionPolicyOverride",
                    "PermissionDenied",
                    "System.Security.SecurityException",
                )
            )


def get_date(call: Call) -> None:
    """Get-Date of now, in lab time."""
    call.write(call.estate.now() + timedelta(0))


def get_hotfix(call: Call) -> None:
    """Get-HotFix."""
    wanted = [str(one).lower() for one in call.many("Id")]
    for identifier in ("KB5031364", "KB5032198"):
        if not wanted or identifier.lower() in wanted:
            call.write(
                Obj(
                    (
                        "System.Management.ManagementObject#root\\cimv2\\Win32_QuickFixEngineering",
                        "System.Management.ManagementObject",
                        "System.Object",
                    ),
                    {"HotFixID": identifier, "Description": "Security Update", "InstalledBy": r"NT AUTHORITY\SYSTEM"},
                )
            )


CMDLETS: dict[str, Implementation] = {
    "Get-CimInstance": get_cim_instance,
    "Invoke-CimMethod": invoke_cim_method,
    "Restart-Computer": restart_computer,
    "Stop-Computer": stop_computer,
    "Get-ExecutionPolicy": get_execution_policy,
    "Set-ExecutionPolicy": set_execution_policy,
    "Get-Date": get_date,
    "Get-HotFix": get_hotfix,
}
