# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell remoting to the Windows hosts: signing in, sessions, parameters, errors. pypsrp is the judge."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import Any

import pytest
import requests
from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.lab.windows import places
from tests.lab_tests.cloud_support import FABRIKAM
from tests.lab_tests.waiting import eventually
from tests.lab_tests.windows_support import (
    WindowsLab,
    certified,
    credential,
    pipeline,
    plain,
    properties,
    run,
    windows,
)

__all__ = ["certified", "windows"]


# -- signing in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["negotiate", "ntlm"])
def test_the_deploying_account_signs_in(windows: WindowsLab, how: str) -> None:
    with windows.pool(auth=how) as pool:
        assert pool.protocol_version == "2.3"
        assert plain(properties(run(pool, "Get-Service", Name="WinRM").one)["Status"]) == "Running"


def test_a_user_principal_name_signs_in(windows: WindowsLab) -> None:
    account = places.setup_account(windows.host().forest)
    with windows.pool(username=account.upn) as pool:
        assert run(pool, "Get-Date").one


def test_a_wrong_password_is_refused(windows: WindowsLab) -> None:
    with windows.wsman(password="wrong") as connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()


def test_an_account_of_the_other_forest_is_refused(windows: WindowsLab) -> None:
    other = places.setup_account(windows.host(tenant="fabrikam").forest)
    connection = windows.wsman(username=other.name, password=other.password)
    with connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()


def test_an_account_without_the_right_to_remoting_is_denied(windows: WindowsLab) -> None:
    account = places.refused_account(windows.host().forest)
    with (
        windows.wsman(username=account.name, password=account.password) as connection,
        pytest.raises(WSManFaultError, match="Access is denied") as caught,
    ):
        RunspacePool(connection).open()
    assert caught.value.code == 5


def test_basic_is_off_until_it_is_switched_on(windows: WindowsLab) -> None:
    with windows.wsman(auth="basic") as connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()
    windows.set(basic="on")
    with windows.pool(auth="basic") as pool:
        assert run(pool, "Get-Date").one


def test_a_client_certificate_is_mapped_to_a_local_account(windows: WindowsLab) -> None:
    path = str(places.client_certificate(windows.settings, windows.host().forest))
    options = {"auth": "certificate", "certificate_pem": path, "certificate_key_pem": path}
    with windows.pool(username=None, password=None, **options) as pool:
        run(pool, "Get-Date")
    assert windows.log()[-1]["user"] == r"SYNC2\svc-agent-cert"


def test_the_other_forests_certificate_is_refused(windows: WindowsLab) -> None:
    path = str(places.client_certificate(windows.settings, windows.host(tenant="fabrikam").forest))
    options = {"auth": "certificate", "certificate_pem": path, "certificate_key_pem": path}
    connection = windows.wsman(username=None, password=None, **options)
    with connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()


def test_a_sign_in_holds_for_its_connection_only(windows: WindowsLab) -> None:
    url = f"https://{windows.host().address}:5986/wsman"
    with windows.pool(), requests.Session() as other:
        other.trust_env = False
        answer = other.post(url, data=b"<x/>", verify=str(windows.settings.ca))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Negotiate"


@pytest.mark.parametrize("header", ["Kerberos YIIB", "Negotiate !", "Negotiate AAAA", "Bearer x", "Basic eDp5"])
def test_other_ways_to_sign_in_are_answered_with_401(windows: WindowsLab, header: str) -> None:
    url = f"https://{windows.host().address}:5986/wsman"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, data=b"", headers={"Authorization": header}, verify=str(windows.settings.ca))
    assert answer.status_code == 401


def test_the_certificate_names_host_and_address(windows: WindowsLab) -> None:
    host = windows.host("sync3")
    for name in (host.fqdn, host.address):
        context = ssl.create_default_context(cafile=str(windows.settings.ca))
        with (
            socket.create_connection((host.address, 5986)) as opened,
            context.wrap_socket(opened, server_hostname=name) as secured,
        ):
            assert secured.getpeercert()


# -- sessions ------------------------------------------------------------------------------------------------------


def test_an_unknown_configuration_is_refused(windows: WindowsLab) -> None:
    with windows.wsman() as connection, pytest.raises(WSManFaultError, match=r"Cannot find the Lab\.None session"):
        RunspacePool(connection, configuration_name="Lab.None").open()


def test_a_shell_that_is_gone_is_told_by_its_fault(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        winrm = windows.listeners.machine(windows.host("sync2")).winrm
        assert winrm is not None
        winrm.restart()
        with pytest.raises(WSManFaultError) as caught:
            run(pool, "Get-Date")
        assert caught.value.code == 2150858843
        pool.state = RunspacePoolState.CLOSED


@pytest.mark.parametrize(
    ("body", "what"),
    [(b"no xml", "no XML"), (b'<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>', "document type"),
     (b"<x/>", "no SOAP envelope")],
)  # fmt: skip
def test_what_is_no_request_is_a_fault(windows: WindowsLab, body: bytes, what: str) -> None:
    windows.set(basic="on")
    account = places.setup_account(windows.host().forest)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"https://{windows.host().address}:5986/wsman", data=body, auth=(account.name, account.password),
            verify=str(windows.settings.ca),
        )  # fmt: skip
    assert answer.status_code == 500
    assert what in answer.text


def test_a_bad_operation_timeout_is_a_fault(windows: WindowsLab) -> None:
    with windows.wsman(operation_timeout="x") as connection, pytest.raises(WSManFaultError, match="OperationTimeout"):
        connection.get_server_config()


def test_the_server_tells_its_envelope_size(windows: WindowsLab) -> None:
    with windows.wsman() as connection:
        connection.update_max_payload_size()
        assert connection.max_envelope_size == 512_000
        connection.max_envelope_size = connection.max_payload_size = 900_000
        with pytest.raises((WSManFaultError, WinRMTransportError), match="MaxEnvelopeSizekb"):
            connection.get("http://schemas.microsoft.com/wbem/wsman/1/" + "x" * 600_000)


def test_waiting_longer_than_the_operation_timeout_goes_on(windows: WindowsLab) -> None:
    windows.services.scenario.set({"installer_s": 2.5})
    with windows.pool(operation_timeout=1) as pool:
        answer = install(pool, windows)
    assert properties(answer.one)["ExitCode"] == 0


def test_a_running_command_can_be_stopped(windows: WindowsLab) -> None:
    windows.set(installer="hangs")
    with windows.pool() as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Start-Process").add_parameters({"FilePath": newest(), "ArgumentList": "/quiet", "Wait": True})
        shell.begin_invoke()
        assert eventually(lambda: windows.estate.get(windows.host())["processes"])
        shell.stop()
        assert shell.state == PSInvocationState.STOPPED
        names = [
            properties(one)["Name"] for one in run(pool, "Get-Process", Name="AADConnectProvisioningAgentSetup*").output
        ]
        assert names == [newest().rpartition("\\")[2].removesuffix(".exe")]  # the process itself goes on


def test_disconnected_and_reconnected(windows: WindowsLab) -> None:
    windows.services.scenario.set({"installer_s": 0.5})
    with windows.wsman() as connection, RunspacePool(connection) as pool:
        shell = PowerShell(pool)
        parameters = {"FilePath": newest(), "ArgumentList": "/quiet", "Wait": True, "PassThru": True}
        shell.add_cmdlet("Start-Process").add_parameters(parameters)
        shell.begin_invoke()
        pool.disconnect()
        pool.connect()
        shell.state = PSInvocationState.RUNNING
        shell.end_invoke()
        assert properties(shell.output[0])["ExitCode"] == 0


def test_another_client_takes_over(windows: WindowsLab) -> None:
    with windows.wsman() as first:
        pool = RunspacePool(first)
        pool.open()
        run(pool, "Import-Module", Name="KDS")
        pool.disconnect()
    with windows.wsman() as second:
        [found] = RunspacePool.get_runspace_pools(second)
        found.connect()
        assert found.state == RunspacePoolState.OPENED
        names = [properties(one)["Name"] for one in run(found, "Get-Module", Name="KDS").output]
        assert names == ["KDS"]
        found.close()


def test_nobody_takes_over_the_shell_of_another_account(windows: WindowsLab) -> None:
    other = places.domain_administrator(windows.host().forest)
    with windows.pool() as pool, windows.wsman(username=other.name, password=other.password) as connection:
        assert RunspacePool.get_runspace_pools(connection) == []
        stolen = RunspacePool(connection)
        stolen.id = stolen.shell.id = pool.id
        stolen.state, stolen._new_client = RunspacePoolState.DISCONNECTED, True
        with pytest.raises(WSManFaultError, match="Access is denied"):
            stolen.connect()
        assert run(pool, "Get-Date").one


def test_a_user_has_thirty_shells_at_most(windows: WindowsLab) -> None:
    with windows.wsman() as connection:
        for _number in range(30):
            RunspacePool(connection).open()
        with pytest.raises(WSManFaultError, match="maximum number of 30 concurrent shells"):
            RunspacePool(connection).open()


def test_progress_of_a_long_command_is_told(windows: WindowsLab) -> None:
    windows.services.scenario.set({"installer_s": 1.3})
    with windows.pool() as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Start-Process").add_parameters({"FilePath": newest(), "ArgumentList": "/quiet", "Wait": True})
        shell.invoke()
        assert [str(one.activity) for one in shell.streams.progress][:1] == [
            "Waiting for AADConnectProvisioningAgentSetup-1.1.2102.0"
        ]


def test_a_large_answer_comes_in_pieces(windows: WindowsLab) -> None:
    with windows.estate.change(windows.host()) as document:
        document["files"][r"C:\Install\big.txt"] = {"data": "QUJD" * 700_000, "modified": "2026-08-01T04:00:00Z"}
    with windows.pool() as pool:
        text = run(pool, "Get-Content", LiteralPath=r"C:\Install\big.txt", Raw=True).one
    assert text == "ABC" * 700_000


def test_two_sessions_at_a_time(windows: WindowsLab) -> None:
    done: list[Any] = []

    def work(name: str) -> None:
        with windows.pool(name) as pool:
            done.extend(run(pool, "Get-Date").output for _time in range(3))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("sync1", "sync2", "sync3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 9


# -- parameters and errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "error"),
    [
        ("Get-Servce", {}, "CommandNotFoundException"),
        ("Get-Mailbox", {}, "CommandNotFoundException"),
        ("Add-AADCloudSyncGMSA", {}, "CommandNotFoundException"),
        ("Get-Service", {"Nme": "x"}, "NamedParameterNotFound,Microsoft.PowerShell.Commands.GetServiceCommand"),
        ("Get-FileHash", {"Nme": "x"}, "NamedParameterNotFound,Get-FileHash"),
        ("Get-Service", {"Name": "x", "DisplayName": "y"}, "AmbiguousParameterSet,"),
        ("Get-Item", {"Path": None}, "ParameterArgumentValidationErrorNullNotAllowed,"),
        ("Get-FileHash", {"Path": "x", "Algorithm": "CRC"}, "ParameterArgumentValidationError,"),
        ("Set-Service", {"Name": "WinRM", "StartupType": "Often"}, "CannotConvertArgumentNoMessage,"),
        ("Wait-Process", {"Id": "many"}, "CannotConvertArgument,"),
        ("Start-Process", {}, "MissingMandatoryParameter,"),
        ("Restart-Computer", {"Force": "perhaps"}, "CannotConvertArgument,"),
        ("Get-Item", {"E": "x"}, "AmbiguousParameter,"),
    ],
)
def test_what_does_not_bind(windows: WindowsLab, cmdlet: str, parameters: dict[str, Any], error: str) -> None:
    answer = windows.run(cmdlet, **parameters)
    assert answer.state == PSInvocationState.FAILED
    assert answer.errors[0].fq_error.startswith(error)


def test_a_credential_without_the_session_key_does_not_exist(windows: WindowsLab) -> None:
    answer = windows.run("Copy-Item", Path="x", Destination="y", Credential="Lab-secret")
    assert answer.errors[0].fq_error.startswith("ParameterArgumentTransformationError,")
    assert "Lab-secret" not in str(windows.log())


def test_aliases_beginnings_positions_and_switches(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        for name in ("Name", "ServiceName", "nam"):
            assert properties(run(pool, "get-service", **{name: "WinRM"}).one)["Name"] == "WinRM"
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-Service").add_argument("WinRM")
        assert properties(shell.invoke()[0])["Name"] == "WinRM"
        assert run(pool, "Get-Content", LiteralPath=r"C:\none", ea="SilentlyContinue").errors == []


def test_script_text_is_refused(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        shell = PowerShell(pool)
        shell.add_script("Get-Service")
        assert shell.invoke() == []
        assert shell.streams.error[0].fq_error == "ScriptsNotAllowed"
    assert windows.log()[-1]["cmdlet"] == "(script)"


def test_errors_have_category_identifier_and_target(windows: WindowsLab) -> None:
    [error] = windows.run("Get-Service", Name="none").errors
    assert error.fq_error == "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand"
    assert (error.activity, error.reason, error.target_name) == ("Get-Service", "ServiceCommandException", "none")
    assert error.category == 13  # ObjectNotFound
    assert str(error) == "Cannot find any service with service name 'none'."


@pytest.mark.parametrize(
    ("action", "state", "errors"),
    [("Continue", PSInvocationState.COMPLETED, 1), ("SilentlyContinue", PSInvocationState.COMPLETED, 0),
     ("Ignore", PSInvocationState.COMPLETED, 0), ("Stop", PSInvocationState.FAILED, 1)],
)  # fmt: skip
def test_error_action(windows: WindowsLab, action: str, state: int, errors: int) -> None:
    answer = windows.run("Get-Service", Name=["none", "WinRM"], ErrorAction=action)
    assert (answer.state, len(answer.errors)) == (state, errors)
    assert len(answer.output) == (0 if action == "Stop" else 1)


def test_warnings_come_in_their_stream(windows: WindowsLab) -> None:
    windows.set(blocked="login.windows.net")
    answer = windows.run("Test-NetConnection", ComputerName="login.windows.net", Port=443)
    assert answer.warnings[0].startswith("TCP connect to (")
    assert properties(answer.one)["TcpTestSucceeded"] is False


def test_pipelines_of_cmdlets(windows: WindowsLab) -> None:
    with windows.pool() as pool:
        chain = pipeline(pool, ("Get-Service", {"Name": "W*"}), ("Select-Object", {"Property": ["Name", "Status"]}))
        assert sorted(properties(one)["Name"] for one in chain.output) == ["W32Time", "WinRM"]
        stopped = pipeline(pool, ("Get-Service", {"Name": "W32Time"}), ("Stop-Service", {"PassThru": True}))
        assert plain(properties(stopped.one)["Status"]) == "Stopped"
        wrong = pipeline(pool, ("Get-Service", {"Name": "WinRM"}), ("Get-Date", {}))
        assert wrong.errors[0].fq_error.startswith("InputObjectNotBound,")


# -- helpers -------------------------------------------------------------------------------------------------------


def newest() -> str:
    return r"C:\Install\AADConnectProvisioningAgentSetup-1.1.2102.0.exe"


def install(pool: RunspacePool, lab: WindowsLab) -> Any:
    return run(pool, "Start-Process", FilePath=newest(), ArgumentList=["/quiet"], Wait=True, PassThru=True)


def test_the_tenants_are_told_apart(windows: WindowsLab) -> None:
    account = places.setup_account(windows.host(tenant="fabrikam").forest)
    host = windows.host("sync2", "fabrikam")
    connection = WSMan(host.address, port=5986, username=account.name, password=account.password,
                       cert_validation=str(windows.settings.ca), no_proxy=True)  # type: ignore[arg-type]  # fmt: skip
    with connection, RunspacePool(connection) as pool:
        assert credential(pool, "a", "b") is not None
        system = properties(run(pool, "Get-CimInstance", ClassName="Win32_ComputerSystem").one)
    assert system["Domain"] == "fabrikam.lab"
    assert windows.log()[-1]["tenant_id"] == FABRIKAM
