# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's life on a host: installed, registered, upgraded, removed; and what can go wrong on the way."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool

from tests.lab.clock import iso
from tests.lab.cloud.seed import SEEDED_AT
from tests.lab.cloud.server import windows_hosts
from tests.lab.engines.credentials import JobFault, require_ready
from tests.lab.engines.directory import DirectoryRefusal
from tests.lab.windows import installing, permissions, places, software, state
from tests.lab.windows.cloud_users import USERS
from tests.lab.windows.places import AGENT_SERVICE
from tests.lab.windows.services import process_of
from tests.lab_tests.cloud_support import CONTOSO
from tests.lab_tests.windows_support import Answer, WindowsLab, certified, credential, properties, run, windows

__all__ = ["certified", "windows"]

AGENTS = "/beta/onPremisesPublishingProfiles('provisioning')/agents"

# What a client says of a host that is not there, whatever its library makes of it.
GONE = r"(?i)connection|closed|reset|eof|pipe|timed out"


def setup(version: str = software.NEWEST) -> str:
    return rf"C:\Install\{state.INSTALLERS[version][0]}"


def install(pool: RunspacePool, version: str = software.NEWEST, *arguments: str) -> int:
    answer = run(
        pool, "Start-Process", FilePath=setup(version), ArgumentList=["/quiet", *arguments], Wait=True, PassThru=True
    )
    return int(properties(answer.one)["ExitCode"])


def connect(pool: RunspacePool, key: str = "user", password: str | None = None) -> Answer:
    run(pool, "Import-Module", Name=places.AGENT_MODULE)
    user = next(one for one in USERS if one.key == key)
    name = user.upn("contoso.onmicrosoft.com")
    return run(
        pool, "Connect-AADCloudSyncAzureAD", Credential=credential(pool, name, password or user.password("contoso"))
    )


def administrator(pool: RunspacePool, windows: WindowsLab) -> Any:
    account = places.domain_administrator(windows.host().forest)
    return credential(pool, account.name, account.password)


def register(pool: RunspacePool, windows: WindowsLab, gmsa: str | None = None) -> None:
    assert connect(pool).errors == []
    given = {"CustomGMSAName": gmsa} if gmsa else {"Credential": administrator(pool, windows)}
    assert run(pool, "Add-AADCloudSyncGMSA", **given).errors == []
    domain = {"DomainName": "contoso.lab", "Credential": administrator(pool, windows)}
    assert run(pool, "Add-AADCloudSyncADDomain", **domain, PreferredDomainControllers=["dc1.contoso.lab"]).errors == []
    assert run(pool, "Restart-Service", Name=AGENT_SERVICE).errors == []


def graph(windows: WindowsLab) -> dict[str, str]:
    """Status by machine name."""
    rows = windows.cloud.graph("GET", AGENTS).content["value"]
    return {row["machineName"]: row["status"] for row in rows}


def ready(windows: WindowsLab) -> str:
    """What a job finds: the domain, or the code of what is missing."""
    tenant = next(one for one in windows.cloud.store.tenants() if one["id"] == CONTOSO)
    try:
        return require_ready(windows.cloud.store, tenant, {"Domain": json.dumps({"domain": "contoso.lab"})})
    except JobFault as error:
        return error.code


def none_at_first(windows: WindowsLab) -> None:
    assert windows.cloud.control("PUT", "/scenario", {"agents": "none"}).status == 200


# -- there and back ------------------------------------------------------------------------------------------------


def test_the_tenants_first_agent_is_on_its_machine(windows: WindowsLab) -> None:
    short = windows.cloud.control("GET", "/windows/contoso").content[0]
    assert (short["version"], short["service"], short["graph"]) == (software.SEEDED, "Running", "active")
    assert graph(windows) == {"sync1.contoso.lab": "active"}
    with windows.pool("sync1") as pool:
        run(pool, "Stop-Service", Name=AGENT_SERVICE)
        assert (graph(windows), ready(windows)) == (
            {"sync1.contoso.lab": "inactive"},
            "HybridIdentityServiceNoActiveAgents",
        )
        run(pool, "Start-Service", Name=AGENT_SERVICE)
    assert (graph(windows), ready(windows)) == ({"sync1.contoso.lab": "active"}, "contoso.lab")


def test_from_nothing_to_an_active_agent_and_back(windows: WindowsLab) -> None:
    none_at_first(windows)
    assert (graph(windows), ready(windows)) == ({}, "HybridIdentityServiceNoAgentsAssigned")
    before = windows.estate.get(windows.host())
    with windows.pool() as pool:
        assert install(pool) == 0
        assert graph(windows) == {}
        register(pool, windows)
        assert (graph(windows), ready(windows)) == ({"sync2.contoso.lab": "active"}, "contoso.lab")
        service = properties(
            run(pool, "Get-CimInstance", ClassName="Win32_Service", Filter=f"Name='{AGENT_SERVICE}'").one
        )
        assert (service["StartName"], service["StartMode"]) == (r"CONTOSO\provAgentgMSA$", "Auto")
        [domain] = run(pool, "Get-AADCloudSyncADDomains").output
        assert properties(domain)["DomainName"] == "contoso.lab"
        entry = rf"{places.UNINSTALL_32}\{software.bundle_id(software.NEWEST)}"
        shown = properties(run(pool, "Get-ItemProperty", LiteralPath=f"Registry::{entry}").one)
        assert shown["DisplayName"] == "Microsoft Azure AD Connect Provisioning Agent Package"
        program, _quote, arguments = shown["QuietUninstallString"].lstrip('"').partition('" ')
        answer = run(pool, "Start-Process", FilePath=program, ArgumentList=arguments, Wait=True, PassThru=True)
        assert properties(answer.one)["ExitCode"] == 0
    assert (graph(windows), ready(windows)) == (
        {"sync2.contoso.lab": "inactive"},
        "HybridIdentityServiceNoActiveAgents",
    )
    after = windows.estate.get(windows.host())
    assert after["services"] == before["services"]
    assert after["registry"] == before["registry"]
    left = set(after["files"]) - set(before["files"])
    assert left == {places.TRACE_FOLDER, *(places.TRACE_FOLDER.rsplit("\\", n)[0] for n in (1, 2))}
    assert places.CREATED_GMSA in windows.cloud.control("GET", "/windows-forest/contoso").content["gmsas"]


def test_an_upgrade_keeps_registration_account_and_domains(windows: WindowsLab) -> None:
    none_at_first(windows)
    with windows.pool() as pool:
        assert install(pool, software.MINIMUM) == 0
        register(pool, windows)
        [agent] = windows.cloud.store.list(CONTOSO, "agent")
        assert install(pool, software.NEWEST) == 0
        assert [one["id"] for one in windows.cloud.store.list(CONTOSO, "agent")] == [agent["id"]]
        assert graph(windows) == {"sync2.contoso.lab": "active"}
        assert install(pool, software.MINIMUM) == installing.NEWER_INSTALLED
        names = run(pool, "Get-ChildItem", LiteralPath=f"Registry::{places.UNINSTALL_32}", Name=True).output
        assert names == [software.bundle_id(software.NEWEST)]
    document = windows.estate.get(windows.host())
    assert document["services"][AGENT_SERVICE]["StartName"] == r"CONTOSO\provAgentgMSA$"
    assert [one["name"] for one in document["agent"]["domains"]] == ["contoso.lab"]


def test_an_agent_that_is_gone_ages_out(windows: WindowsLab) -> None:
    with windows.pool("sync1") as pool:
        run(pool, "Stop-Service", Name=AGENT_SERVICE)
    windows.cloud.control("POST", "/clock", {"advance_seconds": 863_000})
    assert graph(windows) == {"sync1.contoso.lab": "inactive"}
    windows.cloud.control("POST", "/clock", {"advance_seconds": 2000})
    assert graph(windows) == {}


def test_an_agent_that_is_installed_again_is_another_one(windows: WindowsLab) -> None:
    none_at_first(windows)
    with windows.pool() as pool:
        install(pool)
        register(pool, windows)
        [first] = windows.cloud.store.list(CONTOSO, "agent")
        path = rf"{places.PACKAGE_CACHE}\{software.bundle_id(software.NEWEST)}\{places.SETUP}"
        run(pool, "Start-Process", FilePath=path, ArgumentList=["/uninstall", "/quiet"], Wait=True)
        install(pool)
        register(pool, windows)
    found = {one["id"]: one["status"] for one in windows.cloud.store.list(CONTOSO, "agent")}
    assert sorted(found.values()) == ["active", "inactive"]
    assert found[first["id"]] == "inactive"


def test_the_scenario_takes_the_first_agent_away_and_brings_it_back(windows: WindowsLab) -> None:
    none_at_first(windows)
    assert windows.cloud.control("GET", "/windows/contoso").content[0]["version"] is None
    assert places.CREATED_GMSA not in windows.cloud.control("GET", "/windows-forest/contoso").content["gmsas"]
    windows.cloud.control("PUT", "/scenario", {"agents": "seeded"})
    assert graph(windows) == {"sync1.contoso.lab": "active"}
    assert windows.cloud.control("GET", "/windows/contoso").content[0]["version"] == software.SEEDED


# -- the installer -------------------------------------------------------------------------------------------------


def test_1603_leaves_nothing_but_a_log(windows: WindowsLab) -> None:
    windows.set(installer="1603")
    before = windows.estate.get(windows.host())
    with windows.pool() as pool:
        assert install(pool) == 1603
    after = windows.estate.get(windows.host())
    [log] = set(after["files"]) - set(before["files"])
    assert log.startswith(r"C:\Windows\Temp\Microsoft_Azure_AD_Connect_Provisioning_Agent_")
    for part in ("registry", "services", "installation", "agent"):
        assert after[part] == before[part]


def test_3010_waits_for_a_restart(windows: WindowsLab) -> None:
    windows.set(installer="3010")
    with windows.pool() as pool:
        assert install(pool) == 3010
    manager = windows.estate.get(windows.host())["registry"][places.SESSION_MANAGER]
    assert "PendingFileRenameOperations" in manager


def test_1641_restarts_the_host_under_the_session(windows: WindowsLab) -> None:
    windows.set(installer="1641")
    windows.services.scenario.set({"windows_restart_s": 60})
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(Exception, match=GONE):
            install(pool)
    with windows.wsman() as connection, pytest.raises(Exception, match=GONE):
        RunspacePool(connection).open()
    assert windows.cloud.control("GET", "/windows/contoso").content[1]["away"] is True
    windows.cloud.control("POST", "/clock", {"advance_seconds": 61})
    with windows.pool() as pool:
        assert properties(run(pool, "Get-Service", Name=AGENT_SERVICE).one)["Status"].to_string == "Running"
        booted = properties(run(pool, "Get-CimInstance", ClassName="Win32_OperatingSystem").one)["LastBootUpTime"]
    assert booted > "2026-08-02"
    assert "PendingFileRenameOperations" not in windows.estate.get(windows.host())["registry"][places.SESSION_MANAGER]


def test_norestart_makes_it_3010(windows: WindowsLab) -> None:
    windows.set(installer="1641")
    with windows.pool() as pool:
        assert install(pool, software.NEWEST, "/norestart") == 3010


def test_a_hanging_installer_runs_until_it_is_stopped(windows: WindowsLab) -> None:
    windows.set(installer="hangs")
    before = windows.estate.get(windows.host())
    with windows.pool() as pool, windows.pool() as other:
        started = run(pool, "Start-Process", FilePath=setup(), ArgumentList="/quiet", PassThru=True).one
        identifier = properties(started)["Id"]
        assert properties(started)["HasExited"] is False
        [error] = run(pool, "Wait-Process", Id=identifier, Timeout=1).errors
        assert error.fq_error.startswith("ProcessNotTerminated,")
        assert run(other, "Stop-Process", Id=identifier, Force=True).errors == []
        assert run(pool, "Wait-Process", Id=identifier).errors[0].fq_error.startswith("NoProcessFoundForGivenId,")
    after = windows.estate.get(windows.host())
    for part in ("registry", "services", "files", "installation"):
        assert after[part] == before[part]


def test_without_quiet_the_installer_waits_for_somebody(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        run(pool, "Start-Process", FilePath=setup())
        time.sleep(0.4)  # twice as long as an installation takes: it would be over
        assert len(run(pool, "Get-Process", Name="AADConnectProvisioningAgentSetup*").output) == 1


@pytest.mark.parametrize(
    ("arguments", "code"), [(["/quiet", "/nothing"], 1639), (["/quiet"], 0), (["/uninstall", "/quiet"], 0)]
)
def test_exit_codes_of_other_arguments(windows: WindowsLab, arguments: list[str], code: int) -> None:
    answer = windows.run("Start-Process", FilePath=setup(), ArgumentList=arguments, Wait=True, PassThru=True)
    assert properties(answer.one)["ExitCode"] == code


def test_too_old_a_system_is_refused_by_the_installer(windows: WindowsLab) -> None:
    windows.set(system="2012r2")
    with windows.pool() as pool:
        assert install(pool) == 1603


def test_a_program_that_is_not_there(windows: WindowsLab) -> None:
    answer = windows.run("Start-Process", FilePath=r"C:\Install\none.exe", Wait=True)
    assert answer.state == PSInvocationState.FAILED
    assert "The system cannot find the file specified" in str(answer.errors[0])


def test_newer_builds_call_it_entra(windows: WindowsLab) -> None:
    windows.services.scenario.set({"agent_names": "entra"})
    with windows.pool() as pool:
        install(pool)
        assert (
            properties(run(pool, "Get-Service", Name=AGENT_SERVICE).one)["DisplayName"]
            == "Microsoft Entra Provisioning Agent"
        )


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [("stuck", "Start Pending", 0), ("logon", "Stopped", 1069), ("timeout", "Stopped", 1053)],
)
def test_a_service_that_does_not_start(windows: WindowsLab, trouble: str, status: str, code: int) -> None:
    windows.set(service=trouble)
    with windows.pool() as pool:
        assert install(pool) == 0
        [error] = run(pool, "Restart-Service", Name=AGENT_SERVICE).errors
        assert error.fq_error == "StartServiceFailed,Microsoft.PowerShell.Commands.RestartServiceCommand"
        found = properties(
            run(pool, "Get-CimInstance", ClassName="Win32_Service", Filter=f"Name='{AGENT_SERVICE}'").one
        )
        assert (found["State"], found["ExitCode"]) == (status, code)
        windows.set(service="ok")
        run(pool, "Start-Service", Name=AGENT_SERVICE)
        assert properties(run(pool, "Get-Service", Name=AGENT_SERVICE).one)["Status"].to_string == "Running"


# -- registration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "password", "text"),
    [
        ("user", "wrong", "AADSTS50126"),
        ("mfa_user", None, "AADSTS50076"),
        ("guest_user", None, "is a guest"),
        ("unprivileged_user", None, "has neither the role"),
    ],
)
def test_who_cannot_register(windows: WindowsLab, key: str, password: str | None, text: str) -> None:
    with windows.pool() as pool:
        install(pool)
        answer = connect(pool, key, password)
        assert answer.state == PSInvocationState.FAILED
        assert text in str(answer.errors[0])
        refused = run(pool, "Add-AADCloudSyncGMSA", CustomGMSAName="svc-sync$")
        assert refused.errors[0].fq_error.startswith("NotConnected,")
    assert graph(windows) == {"sync1.contoso.lab": "active"}


def test_the_environment_must_be_the_tenants_cloud(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        install(pool, software.NEWEST, "ENVIRONMENTNAME=AzureUSGovernment")
        assert "AADSTS900439" in str(connect(pool).errors[0])
        windows.services.scenario.set({"tenant_cloud": "AzureUSGovernment"})
        assert connect(pool, "global_user").errors == []


def test_the_module_exists_only_where_the_agent_is_and_in_its_runspace(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        [error] = run(pool, "Import-Module", Name=places.AGENT_MODULE).errors
        assert error.fq_error.startswith("Modules_ModuleNotFound,")
        install(pool)
        run(pool, "Import-Module", Name=places.AGENT_MODULE)
        assert len(run(pool, "Get-Command", Module="Microsoft.CloudSync.PowerShell").output) == 6
    with windows.pool() as pool:
        assert run(pool, "Get-AADCloudSyncADDomains").errors[0].fq_error == "CommandNotFoundException"
        windows.services.scenario.set({"domains_cmdlet": "absent"})
        run(pool, "Import-Module", Name=places.AGENT_MODULE)
        assert run(pool, "Get-AADCloudSyncADDomains").errors[0].fq_error == "CommandNotFoundException"


@pytest.mark.parametrize("kds", ["none", "not_yet"])
def test_a_gmsa_needs_an_effective_kds_root_key(windows: WindowsLab, kds: str) -> None:
    windows.set(kds=kds)
    with windows.pool() as pool:
        install(pool)
        connect(pool)
        answer = run(pool, "Add-AADCloudSyncGMSA", Credential=administrator(pool, windows))
        assert answer.errors[0].fq_error.startswith("KdsKeyMissing,")
        assert run(pool, "Add-AADCloudSyncGMSA", CustomGMSAName="svc-sync$").errors == []


def test_only_a_domain_administrator_adds_domains(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        install(pool)
        connect(pool)
        account = places.setup_account(windows.host().forest)
        for user, password, error in (
            (account.name, account.password, "AccessDenied,"),
            (account.name, "wrong", "LogonFailure,"),
            ("svc-writeback@contoso.lab", "Lab-contoso-Writer-1!", "AccessDenied,"),
        ):
            answer = run(
                pool, "Add-AADCloudSyncADDomain", DomainName="contoso.lab", Credential=credential(pool, user, password)
            )
            assert answer.errors[0].fq_error.startswith(error)
        given = {"DomainName": "fabrikam.lab", "Credential": administrator(pool, windows)}
        assert run(pool, "Add-AADCloudSyncADDomain", **given).errors[0].fq_error.startswith("DomainNotFound,")
    assert "sync2.contoso.lab" not in graph(windows)


def test_an_agent_is_active_only_after_its_service_was_restarted(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        install(pool)
        connect(pool)
        run(pool, "Add-AADCloudSyncADDomain", DomainName="contoso.lab", Credential=administrator(pool, windows))
        assert graph(windows)["sync2.contoso.lab"] == "inactive"
        run(pool, "Restart-Service", Name=AGENT_SERVICE)
        assert graph(windows)["sync2.contoso.lab"] == "active"
        windows.set(graph="inactive")
        assert graph(windows)["sync2.contoso.lab"] == "inactive"


# -- what the job may do -------------------------------------------------------------------------------------------


def write(windows: WindowsLab) -> str:
    """What the directory says to a write of the job: the name of its refusal, or nothing."""
    meet = permissions.obstacle(lambda: windows.estate, lambda *details: None)
    try:
        meet(CONTOSO, "modify", "CN=x", "")
    except DirectoryRefusal as error:
        return error.name
    return ""


def test_a_given_gmsa_may_write_only_after_permissions_were_set(windows: WindowsLab) -> None:
    assert write(windows) == ""  # the seed's agent
    none_at_first(windows)
    with windows.pool() as pool:
        install(pool)
        register(pool, windows, "svc-sync$")
        assert (ready(windows), write(windows)) == ("contoso.lab", "insufficientAccessRights")
        wanted = {"TargetDomain": "contoso.lab", "TargetDomainCredential": administrator(pool, windows)}
        assert run(pool, "Set-AADCloudSyncPermissions", PermissionType="BasicRead", **wanted).errors == []
        assert write(windows) == "insufficientAccessRights"
        assert (
            run(pool, "Set-AADCloudSyncPermissions", PermissionType="HybridExchangePermissions", **wanted).errors == []
        )
        assert write(windows) == ""


def test_an_agent_knows_a_new_schema_after_its_restart(windows: WindowsLab) -> None:
    with windows.pool("sync1") as pool:
        run(pool, "Restart-Service", Name=AGENT_SERVICE)
        assert write(windows) == ""
        windows.cloud.control("POST", "/clock", {"advance_seconds": 60})
        assert windows.cloud.control("POST", "/windows-forest/contoso/schema").status == 200
        assert write(windows) == "noSuchAttribute"
        windows.cloud.control("POST", "/clock", {"advance_seconds": 60})
        run(pool, "Restart-Service", Name=AGENT_SERVICE)
    assert write(windows) == ""


def test_the_first_agent_runs_since_the_tenants_began_whatever_becomes_of_the_lab(windows: WindowsLab) -> None:
    def started() -> Any:
        instance = run(pool, "Get-CimInstance", ClassName="Win32_Service", Filter=f"Name='{AGENT_SERVICE}'").one
        return properties(run(pool, "Get-Process", Id=properties(instance)["ProcessId"]).one)["StartTime"]

    began = iso(datetime.fromtimestamp(windows.cloud.store.meta(SEEDED_AT), UTC))
    host = windows.host("sync1")

    def kept() -> str:
        found = process_of(windows.estate.get(host), AGENT_SERVICE)
        assert found is not None
        return str(found[1]["started"])

    assert kept() == began > state.BOOTED
    with windows.pool("sync1") as pool:
        at_first = started()
        windows.cloud.control("POST", "/clock", {"advance_seconds": 60})
        assert windows.cloud.control("POST", "/windows-forest/contoso/schema").status == 200
        assert write(windows) == "noSuchAttribute"  # it runs since before that
        run(pool, "Restart-Service", Name=AGENT_SERVICE)
        assert started() > at_first
    assert kept() > began
    assert windows.cloud.control("POST", "/reset").status == 200
    assert (kept(), write(windows)) == (began, "")
    again = windows_hosts(windows.services, windows.estate.ca)  # as a restarted lab makes them of the same store
    assert process_of(again.get(host), AGENT_SERVICE) == process_of(windows.estate.get(host), AGENT_SERVICE)


# -- the log -------------------------------------------------------------------------------------------------------


def test_the_log_has_user_names_and_no_secret(windows: WindowsLab) -> None:
    none_at_first(windows)
    with windows.pool() as pool:
        install(pool)
        register(pool, windows)
        connect(pool, "mfa_user")
    entries = windows.log()
    secrets = [one.password("contoso") for one in USERS]
    secrets += [one.password for one in places.accounts(windows.host())]
    text = json.dumps(entries)
    assert not [one for one in secrets if one in text]
    connected = next(one for one in entries if one.get("cmdlet") == "Connect-AADCloudSyncAzureAD")
    assert connected["parameters"] == {"Credential": "hybridadmin@contoso.onmicrosoft.com"}
    assert (connected["write"], connected["host"], connected["user"]) == (True, "sync2", r"CONTOSO\svc-agent-setup")
    changing = {one["cmdlet"] for one in windows.cloud.store.requests(writes=True) if one["service"] == "windows"}
    assert changing == {
        "Start-Process",
        "Connect-AADCloudSyncAzureAD",
        "Add-AADCloudSyncGMSA",
        "Add-AADCloudSyncADDomain",
        "Restart-Service",
    }


def test_nothing_secret_is_in_the_store(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        install(pool)
        register(pool, windows)
    kept = json.dumps(
        windows.cloud.store.list(CONTOSO, state.KIND) + windows.cloud.store.list(CONTOSO, state.FOREST_KIND)
    )
    assert "Lab-contoso" not in kept


# -- faults --------------------------------------------------------------------------------------------------------


def arm(windows: WindowsLab, kind: str, **parameters: Any) -> None:
    reply = windows.cloud.control("POST", "/faults", {"kind": kind, "target": "windows", **parameters})
    assert reply.status == 200, reply.content


@pytest.mark.parametrize(("point", "stopped"), [("before_command", False), ("after_command", True)])
def test_a_connection_is_cut_at_a_command(windows: WindowsLab, point: str, stopped: bool) -> None:
    arm(windows, "cut", match={"cmdlet": "Stop-Service"}, point=point)
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        run(pool, "Get-Date")
        with pytest.raises(Exception, match=GONE):
            run(pool, "Stop-Service", Name="W32Time")
    assert (windows.estate.get(windows.host())["services"]["W32Time"]["Status"] == "Stopped") is stopped
    assert [one["fault"] for one in windows.log() if one.get("cmdlet") == "Stop-Service"] == ["cut"]


def test_a_restart_of_winrm_takes_the_shell_along(windows: WindowsLab) -> None:
    arm(windows, "winrm_restart", match={"cmdlet": "Get-Date", "host": "sync2"})
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(Exception, match=r"(?i)connection|closed|reset|eof|was not found on the server"):
            run(pool, "Get-Date")
        with pytest.raises(Exception, match="was not found on the server"):
            run(pool, "Get-Date")


def test_a_401_in_the_middle_is_answered_by_signing_in_again(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        arm(windows, "unauthorized", match={"action": "Command"})
        assert run(pool, "Get-Date").one
    assert "unauthorized" in [one["fault"] for one in windows.log()]


def test_a_quota_is_told_by_its_fault(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        arm(windows, "throttle", match={"action": "Command"})
        with pytest.raises(Exception, match="user load quota") as caught:
            run(pool, "Get-Date")
        assert caught.value.code == 2150859174  # type: ignore[attr-defined]
        assert run(pool, "Get-Date").one


def test_a_slow_command(windows: WindowsLab) -> None:
    arm(windows, "slow", seconds=0.5, match={"cmdlet": "Get-Date"})
    with windows.pool() as pool:
        began = time.monotonic()
        run(pool, "Get-Date")
        assert time.monotonic() - began >= 0.5


def test_a_host_that_does_not_answer(windows: WindowsLab) -> None:
    arm(windows, "unavailable", match={"host": "sync2"})
    with windows.wsman() as connection, pytest.raises(Exception, match=GONE):
        RunspacePool(connection).open()
    with windows.pool() as pool:
        assert run(pool, "Get-Date").one


@pytest.mark.parametrize(
    "body", [{"kind": "refuse"}, {"kind": "cut", "point": "in_answer"}, {"kind": "slow", "match": {"event": "bind"}}]
)
def test_faults_that_make_no_sense(windows: WindowsLab, body: dict[str, Any]) -> None:
    assert windows.cloud.control("POST", "/faults", {"target": "windows", **body}).status == 400


def test_a_restart_ends_sessions_and_comes_back(windows: WindowsLab) -> None:
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Restart-Computer").add_parameter("Force", True)
        with pytest.raises(Exception, match=GONE):
            shell.invoke()
    windows.cloud.control("POST", "/clock", {"advance_seconds": 10})
    with windows.pool() as pool:
        assert run(pool, "Get-Date").one
