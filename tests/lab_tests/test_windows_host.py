# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cmdlets do on a host: registry, files, services, system, network; and what can be wrong with a host."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from pypsrp.complex_objects import GenericComplexObject, PSInvocationState
from pypsrp.powershell import RunspacePool

from tests.lab.settings import CHECKOUT
from tests.lab.windows import conditions, places, software, state
from tests.lab.windows.pipeline import CMDLETS, is_write
from tests.lab_tests.windows_support import WindowsLab, certified, pipeline, plain, properties, run, windows

__all__ = ["certified", "windows"]

INSTALLER = r"C:\Install\AADConnectProvisioningAgentSetup-1.1.2102.0.exe"
NT = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
MANAGER = r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager"
TLS = r"HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client"


def test_every_cmdlet_of_the_reference_answers() -> None:
    known = json.loads((CHECKOUT / "tests" / "reference" / "powershell-cmdlets.json").read_text())["cmdlets"]
    assert set(CMDLETS) == set(known)


@pytest.mark.parametrize(
    ("cmdlet", "arguments", "writes"),
    [
        ("Get-Service", [], False),
        ("Test-Path", [("Path", "x")], False),
        ("Import-Module", [("Name", "x")], False),
        ("Wait-Process", [("Id", 1)], False),
        ("Set-Service", [("Name", "x")], True),
        ("Set-Service", [("Name", "x"), ("WhatIf", True)], False),
        ("Set-Service", [("Name", "x"), ("WhatIf", False)], True),
        ("Start-Process", [], True),
        ("Invoke-WebRequest", [("Uri", "x")], False),
        ("Invoke-WebRequest", [("Uri", "x"), ("OutFile", "y")], True),
        ("Connect-AADCloudSyncAzureAD", [], True),
        ("Select-Object", [], False),
    ],
)
def test_what_counts_as_a_write(cmdlet: str, arguments: list[Any], writes: bool) -> None:
    assert is_write(cmdlet, arguments) is writes


# -- registry ------------------------------------------------------------------------------------------------------


def test_registry_values(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        whole = properties(run(pool, "Get-ItemProperty", LiteralPath=NT).one)
        assert (whole["InstallationType"], whole["UBR"]) == ("Server", 2700)
        assert whole["PSPath"].startswith(r"Microsoft.PowerShell.Core\Registry::HKEY_LOCAL_MACHINE\SOFTWARE")
        one = properties(run(pool, "Get-ItemProperty", Path=NT, Name="CurrentBuild").one)
        assert one["CurrentBuild"] == "20348" and "UBR" not in one
        [error] = run(pool, "Get-ItemProperty", Path=NT, Name="Nothing").errors
        assert "Property Nothing does not exist at path HKEY_LOCAL_MACHINE" in str(error)
        [error] = run(pool, "Get-ItemProperty", Path=r"HKLM:\SOFTWARE\Nothing").errors
        assert error.fq_error == "PathNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand"


def test_a_registry_key_is_made_and_filled_and_removed(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        assert run(pool, "Test-Path", LiteralPath=TLS).one is False
        assert run(pool, "New-Item", Path=TLS).errors[0].fq_error.startswith("PathNotFound,")
        assert properties(run(pool, "New-Item", Path=TLS, Force=True).one)["PSChildName"] == "Client"
        assert run(pool, "Test-Path", LiteralPath=TLS).one is True
        parameters = {"LiteralPath": TLS, "Name": "Enabled", "Value": 1}
        made = run(pool, "New-ItemProperty", **parameters, PropertyType="DWord")
        assert properties(made.one)["Enabled"] == 1
        assert run(pool, "New-ItemProperty", **parameters).errors[0].fq_error.startswith("System.IO.IOException,")
        run(pool, "Set-ItemProperty", LiteralPath=TLS, Name="Enabled", Value=0)
        assert properties(run(pool, "Get-ItemProperty", LiteralPath=TLS).one)["Enabled"] == 0
        run(pool, "Set-ItemProperty", LiteralPath=TLS, Name="Enabled", Value=1, WhatIf=True)
        assert properties(run(pool, "Get-ItemProperty", LiteralPath=TLS).one)["Enabled"] == 0
        run(pool, "Remove-ItemProperty", LiteralPath=TLS, Name="Enabled")
        assert run(pool, "Get-ItemProperty", LiteralPath=TLS).output == []
        run(pool, "Remove-Item", LiteralPath=TLS)
        assert run(pool, "Test-Path", LiteralPath=TLS).one is False


# -- files ---------------------------------------------------------------------------------------------------------


def test_wildcards_find_files_by_name(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        found = run(pool, "Get-ChildItem", Path=r"C:\Install", Filter="*1.1.*.exe", Name=True).output
        assert sorted(found) == sorted(f"AADConnectProvisioningAgentSetup-{one}.exe" for one in software.VERSIONS)
        assert run(pool, "Test-Path", Path=r"C:\*\AADConnect*unsigned.exe").one is True
        assert run(pool, "Test-Path", LiteralPath=r"C:\*\AADConnect*unsigned.exe").one is False
        assert run(pool, "Test-Path", Path=r"C:\Install", PathType="Leaf").one is False
        assert run(pool, "Get-Item", Path=r"C:\Nothing*").output == []


def test_a_file_is_copied_read_and_removed(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        run(pool, "New-Item", Path=r"C:\Work\Deep", ItemType="Directory")
        run(pool, "Copy-Item", LiteralPath=INSTALLER, Destination=r"C:\Work\Deep\setup.exe")
        digest = hashlib.sha256(software.content(software.NEWEST)).hexdigest().upper()
        assert properties(run(pool, "Get-FileHash", LiteralPath=r"c:\work\deep\SETUP.exe").one)["Hash"] == digest
        assert run(pool, "Remove-Item", LiteralPath=r"C:\Work").state == PSInvocationState.FAILED
        run(pool, "Remove-Item", LiteralPath=r"C:\Work", Recurse=True)
        assert run(pool, "Test-Path", LiteralPath=r"C:\Work\Deep\setup.exe").one is False
        missing = run(pool, "Copy-Item", LiteralPath=INSTALLER, Destination=r"C:\None\setup.exe")
        assert "Could not find a part of the path" in str(missing.errors[0])


@pytest.mark.parametrize(
    ("key", "status", "subject"),
    [
        ("1.1.2102.0", "Valid", "CN=Microsoft Corporation,"),
        ("unsigned", "NotSigned", ""),
        ("wrong_signer", "Valid", "CN=Contozo Software"),
        ("changed", "HashMismatch", "CN=Microsoft Corporation,"),
    ],
)
def test_signatures(windows: WindowsLab, key: str, status: str, subject: str) -> None:
    path = rf"C:\Install\{state.INSTALLERS[key][0]}"
    with windows.pool() as pool:
        found = properties(run(pool, "Get-AuthenticodeSignature", LiteralPath=path).one)
        assert found["Status"].to_string == status
        expanded = pipeline(
            pool,
            ("Get-AuthenticodeSignature", {"FilePath": path}),
            ("Select-Object", {"ExpandProperty": "SignerCertificate"}),
        )
    assert isinstance(found["SignerCertificate"], str if subject else type(None))  # a depth of one
    assert [properties(one)["Subject"].startswith(subject) for one in expanded.output] == [True] * bool(subject)


def test_the_version_of_a_program_needs_to_be_expanded(windows: WindowsLab) -> None:
    with windows.pool("sync1") as pool:
        assert isinstance(properties(run(pool, "Get-Item", LiteralPath=places.AGENT_PROGRAM).one)["VersionInfo"], str)
        item, select = ("Get-Item", {"LiteralPath": places.AGENT_PROGRAM}), {"ExpandProperty": "VersionInfo"}
        version = properties(pipeline(pool, item, ("Select-Object", select)).one)
    assert version["ProductVersion"] == software.SEEDED


def test_the_second_hop(windows: WindowsLab) -> None:
    share = rf"{places.share(windows.host().forest)}\{places.SETUP}"
    with windows.pool() as pool:
        [error, *_more] = run(pool, "Copy-Item", LiteralPath=share, Destination=r"C:\Install").errors
        assert (error.reason, str(error)) == ("UnauthorizedAccessException", "Access is denied")
        windows.services.scenario.set({"second_hop": "allowed"})
        assert run(pool, "Copy-Item", LiteralPath=share, Destination=r"C:\Install").errors == []
        assert run(pool, "Test-Path", LiteralPath=rf"C:\Install\{places.SETUP}").one is True
        windows.set(share="unreachable")
        assert run(pool, "Test-Path", LiteralPath=share).one is False


# -- services and system -------------------------------------------------------------------------------------------


def test_services_are_stopped_configured_and_started(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        run(pool, "Stop-Service", Name="W32Time")
        run(pool, "Set-Service", Name="W32Time", StartupType="Disabled")
        found = properties(run(pool, "Get-Service", Name="W32Time").one)
        assert (found["Status"].to_string, found["StartType"].to_string) == ("Stopped", "Disabled")
        [error] = run(pool, "Start-Service", Name="W32Time").errors
        assert error.fq_error.startswith("StartServiceFailed,")
        instance = run(pool, "Get-CimInstance", ClassName="Win32_Service", Filter="Name='W32Time'").one
        assert (properties(instance)["StartMode"], properties(instance)["ExitCode"]) == ("Disabled", 1058)
        assert isinstance(properties(instance)["ExitCode"], int)
        [error] = run(pool, "Set-Service", Name="none", StartupType="Manual").errors
        assert "Service none was not found" in str(error)


def test_a_service_that_is_restarted_has_a_process_of_its_own(windows: WindowsLab) -> None:
    def process(pool: RunspacePool) -> tuple[int, Any]:
        instance = properties(run(pool, "Get-CimInstance", ClassName="Win32_Service", Filter="Name='W32Time'").one)
        found = properties(run(pool, "Get-Process", Id=instance["ProcessId"]).one)
        assert found["Id"] == instance["ProcessId"]
        return found["Id"], found["StartTime"]

    with windows.pool() as pool:
        identifier, began = process(pool)
        run(pool, "Restart-Service", Name="W32Time")
        other, later = process(pool)
        assert other != identifier
        assert later > began
        [error] = run(pool, "Get-Process", Id=identifier).errors
        assert error.fq_error.startswith("NoProcessFoundForGivenId")
        run(pool, "Stop-Process", Id=other)
        stopped = properties(run(pool, "Get-CimInstance", ClassName="Win32_Service", Filter="Name='W32Time'").one)
        assert (stopped["State"], stopped["ProcessId"]) == ("Stopped", 0)


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ("Name='WinRM'", ["WinRM"]),
        ('name="winrm"', ["WinRM"]),
        ("Name LIKE 'W%' AND State='Running'", ["W32Time", "WinRM"]),
        ("Name='none'", []),
    ],
)
def test_filters_of_cim_instances(windows: WindowsLab, filter: str, names: list[str]) -> None:
    answer = windows.run("Get-CimInstance", ClassName="Win32_Service", Filter=filter)
    assert [properties(one)["Name"] for one in answer.output] == names


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"ClassName": "Win32_Nothing"}, "HRESULT 0x80041010,"),
        ({"ClassName": "Win32_Service", "Filter": "Name=="}, "HRESULT 0x80041017,"),
    ],
)
def test_cim_errors(windows: WindowsLab, parameters: dict[str, Any], error: str) -> None:
    assert windows.run("Get-CimInstance", **parameters).errors[0].fq_error.startswith(error)


def test_types_on_the_wire(windows: WindowsLab) -> None:
    found = windows.run("Get-CimInstance", ClassName="Win32_ComputerSystem").one
    assert found.types[0] == "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_ComputerSystem"
    [service] = windows.run("Get-Service", Name="WinRM").output
    assert service.types[0] == "System.ServiceProcess.ServiceController"
    status = properties(service)["Status"]
    assert isinstance(status, GenericComplexObject)
    assert status.types[:2] == ["System.ServiceProcess.ServiceControllerStatus", "System.Enum"]


def test_execution_policies(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        listed = {
            properties(one)["Scope"].to_string: properties(one)["ExecutionPolicy"].to_string
            for one in run(pool, "Get-ExecutionPolicy", List=True).output
        }
        assert list(listed) == ["MachinePolicy", "UserPolicy", "Process", "CurrentUser", "LocalMachine"]
        assert listed["LocalMachine"] == "RemoteSigned"
        run(pool, "Set-ExecutionPolicy", ExecutionPolicy="Unrestricted", Scope="LocalMachine", Force=True)
        assert plain(run(pool, "Get-ExecutionPolicy").one) == "Unrestricted"
        windows.set(execution_policy_by_group_policy="AllSigned")
        assert plain(run(pool, "Get-ExecutionPolicy").one) == "AllSigned"
        [error] = run(pool, "Set-ExecutionPolicy", ExecutionPolicy="RemoteSigned").errors
        assert error.fq_error.startswith("ExecutionPolicyOverride,")


# -- network -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "resolved", "reached"),
    [
        ("login.microsoftonline.com", True, True),
        ("bus.servicebus.windows.net", True, False),
        ("nothing.invalid", False, False),
    ],
)
def test_connections(windows: WindowsLab, name: str, resolved: bool, reached: bool) -> None:
    windows.set(blocked="*.servicebus.windows.net, other.example.com")
    found = properties(windows.run("Test-NetConnection", ComputerName=name, Port=443).one)
    assert (found["NameResolutionSucceeded"], found["TcpTestSucceeded"]) == (resolved, reached)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tls12": "dotnet_off"}, "Could not create SSL/TLS secure channel"),
        ({"url": "unreachable"}, "Unable to connect"),
        ({"blocked": "127.*"}, "Unable to connect"),
        ({}, "Unable to connect"),
    ],
)
def test_downloads_that_fail(windows: WindowsLab, changes: dict[str, str], text: str) -> None:
    windows.set(**changes)
    answer = windows.run("Invoke-WebRequest", Uri="https://127.0.0.1:9/setup.exe", OutFile=r"C:\Install\new.exe")
    assert answer.state == PSInvocationState.FAILED
    assert answer.errors[0].fq_error.startswith("WebCmdletWebResponseException,")
    assert text in str(answer.errors[0])
    assert r"C:\Install\new.exe" not in windows.estate.get(windows.host())["files"]


def test_the_control_address_serves_the_installer(windows: WindowsLab) -> None:
    reply = windows.cloud.control("GET", software.DOWNLOAD_PATH)
    assert (reply.status, reply.body()) == (200, software.content(software.NEWEST))


# -- the forest ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kds", "keys", "effective"), [("effective", 1, True), ("not_yet", 1, False), ("none", 0, False)]
)
def test_kds_root_keys(windows: WindowsLab, kds: str, keys: int, effective: bool) -> None:
    windows.set(kds=kds)
    found = windows.run("Get-KdsRootKey").output
    now = windows.estate.now().isoformat()[:19]
    assert (len(found), any(properties(one)["EffectiveTime"][:19] <= now for one in found)) == (keys, effective)


def test_service_accounts(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        found = properties(run(pool, "Get-ADServiceAccount", Identity="svc-sync$").one)
        assert found["SamAccountName"] == "svc-sync$"
        assert run(pool, "Test-ADServiceAccount", Identity="svc-sync").one is True
        assert run(pool, "Test-ADServiceAccount", Identity="provAgentgMSA$").one is False  # sync1's
        answer = run(pool, "Get-ADServiceAccount", Identity="nobody$")
        assert answer.state == PSInvocationState.FAILED
        assert answer.errors[0].reason == "ADIdentityNotFoundException"
        filtered = run(pool, "Get-ADServiceAccount", Filter="SamAccountName -eq 'svc-sync$'").output
        assert len(filtered) == 1
        windows.set(ad_module="absent", kds_module="absent")
        for cmdlet in ("Get-ADServiceAccount", "Get-KdsRootKey"):
            assert run(pool, cmdlet).errors[0].fq_error == "CommandNotFoundException"


# -- conditions ----------------------------------------------------------------------------------------------------


def _registry(pool: RunspacePool, path: str, name: str) -> Any:
    found = run(pool, "Get-ItemProperty", LiteralPath=path).output
    return properties(found[0]).get(name) if found else None


def _cim(pool: RunspacePool, cls: str, name: str) -> Any:
    return properties(run(pool, "Get-CimInstance", ClassName=cls).one)[name]


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"server_core": "yes"}, lambda pool: _registry(pool, NT, "InstallationType") == "Server Core"),
        ({"system": "2012r2"}, lambda pool: _cim(pool, "Win32_OperatingSystem", "BuildNumber") == "9600"),
        ({"system": "windows11"}, lambda pool: _cim(pool, "Win32_OperatingSystem", "ProductType") == 1),
        ({"workgroup": "yes"}, lambda pool: _cim(pool, "Win32_ComputerSystem", "PartOfDomain") is False),
        ({"memory_gb": "2"}, lambda pool: _cim(pool, "Win32_ComputerSystem", "TotalPhysicalMemory") == 2 * 1024**3),
        (
            {"dotnet": "4.7"},
            lambda pool: (
                _registry(pool, r"HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release") < 461308
            ),
        ),
        (
            {"tls12": "dotnet_off"},
            lambda pool: (
                _registry(pool, r"HKLM:\SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto") is None
            ),
        ),
        ({"tls12": "schannel_off"}, lambda pool: _registry(pool, TLS, "Enabled") == 0),
        (
            {"execution_policy": "Unrestricted"},
            lambda pool: plain(run(pool, "Get-ExecutionPolicy").one) == "Unrestricted",
        ),
        (
            {"vault": "Disabled"},
            lambda pool: plain(properties(run(pool, "Get-Service", Name="VaultSvc").one)["StartType"]) == "Disabled",
        ),
        (
            {"reboot_pending": "servicing"},
            lambda pool: (
                run(
                    pool,
                    "Test-Path",
                    LiteralPath=(
                        r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
                    ),
                ).one
            ),
        ),
        (
            {"reboot_pending": "update"},
            lambda pool: (
                run(
                    pool,
                    "Test-Path",
                    LiteralPath=(
                        r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
                    ),
                ).one
            ),
        ),
        (
            {"reboot_pending": "renames"},
            lambda pool: _registry(pool, MANAGER, "PendingFileRenameOperations") is not None,
        ),
    ],
)
def test_conditions_show(windows: WindowsLab, changes: dict[str, str], seen: Any) -> None:
    with windows.pool() as pool:
        assert not seen(pool)
        windows.set(**changes)
        assert seen(pool)
        windows.set(**{name: conditions.CONDITIONS[name].values[0] for name in changes})
        assert not seen(pool)


@pytest.mark.parametrize("body", [{"colour": "red"}, {"server_core": "maybe"}, {"memory_gb": "much"}, []])
def test_conditions_that_there_are_not(windows: WindowsLab, body: Any) -> None:
    assert windows.cloud.control("PATCH", "/windows/contoso/sync2", body).status == 400
    assert windows.cloud.control("PATCH", "/windows/contoso/sync9", {"server_core": "yes"}).status == 404
    assert windows.estate.get(windows.host())["conditions"] == {}


def test_a_fresh_lab_keeps_no_document_of_a_host_and_a_reset_removes_them(windows: WindowsLab) -> None:
    tenant = windows.estate.tenant_id("contoso")
    assert [one["name"] for one in windows.cloud.control("GET", "/windows/contoso").content] == list(places.HOST_NAMES)
    assert windows.cloud.store.list(tenant, state.KIND) == []
    windows.set(server_core="yes")
    assert [one["id"] for one in windows.cloud.store.list(tenant, state.KIND)] == ["sync2"]
    assert windows.cloud.control("POST", "/reset").status == 200
    assert windows.cloud.store.list(tenant, state.KIND) == []
    with windows.pool() as pool:
        assert _registry(pool, NT, "InstallationType") == "Server"
