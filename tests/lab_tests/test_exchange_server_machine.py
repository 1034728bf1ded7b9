# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange servers as machines: power, ports, what Windows shows of Exchange, the hybrid agent."""

from __future__ import annotations

import smtplib

import pytest
from pypsrp.exceptions import WinRMError
from pypsrp.powershell import RunspacePool
from requests.exceptions import RequestException

from tests.lab import handover, hybrid_facts
from tests.lab.client import Lab
from tests.lab.exchange_server import hybrid_agent, machine
from tests.lab_tests.exchange_support import ExchangeLab, exchange, exchange_certified, properties, run
from tests.lab_tests.windows_support import credential

__all__ = ["exchange", "exchange_certified"]

PORTS = (5986, 443, 25)


def listening(exchange: ExchangeLab, name: str) -> list[bool]:
    """Which ports of a server take connections."""
    return [exchange.listens(name, port) for port in PORTS]


def test_a_server_without_power_refuses_everything_and_comes_back(exchange: ExchangeLab) -> None:
    assert listening(exchange, "EX02") == [True, True, True]
    exchange.control("POST", "/exchange/contoso/EX02/off")
    assert listening(exchange, "EX02") == [False, False, False]
    assert listening(exchange, "EX01") == [True, True, True]
    with exchange.pool() as pool:
        assert len(run(pool, "Get-ExchangeServer").output) == 2
        assert "RPC server is unavailable" in str(run(pool, "Get-Queue", Server="EX02").errors[0])
        rows = {str(one): properties(one)["Status"] for one in run(pool, "Get-MailboxDatabaseCopyStatus").output}
    assert rows["DB02\\EX02"] == "ServiceDown"
    exchange.control("POST", "/exchange/contoso/all/on")
    assert listening(exchange, "EX02") == [True, True, True]


def test_a_session_does_not_survive_the_loss_of_power(exchange: ExchangeLab) -> None:
    with exchange.wsman() as connection:
        pool = RunspacePool(connection, configuration_name="Microsoft.Exchange")
        pool.open()
        assert run(pool, "Get-SendConnector").output
        exchange.control("POST", "/exchange/contoso/EX01/off")
        with pytest.raises((RequestException, WinRMError)):
            run(pool, "Get-SendConnector")


def test_stop_computer_switches_off(exchange: ExchangeLab) -> None:
    with exchange.wsman("EX02", windows=True) as connection:
        pool = RunspacePool(connection)
        pool.open()
        run(pool, "Stop-Computer", Force=True, WhatIf=True)
        assert exchange.listens("EX02", 5986)
        with pytest.raises((RequestException, WinRMError)):
            run(pool, "Stop-Computer", Force=True)
    assert listening(exchange, "EX02") == [False, False, False]
    assert exchange.control("GET", "/exchange/contoso")["servers"][1]["power"] == "off"


def test_ports_follow_their_services(exchange: ExchangeLab) -> None:
    with exchange.machine() as pool:
        run(pool, "Stop-Service", Name="MSExchangeFrontEndTransport")
        assert listening(exchange, "EX01") == [True, True, False]
        run(pool, "Stop-Service", Name="W3SVC")
        assert listening(exchange, "EX01") == [True, False, False]
        run(pool, "Start-Service", Name="W3SVC")
        assert listening(exchange, "EX01") == [True, True, False]


def test_a_server_speaks_smtp_as_far_as_a_greeting(exchange: ExchangeLab) -> None:
    with smtplib.SMTP(exchange.host().address, 25, timeout=5) as client:
        assert client.ehlo()[0] == 250
        assert client.docmd("MAIL", "FROM:<a@x.example>")[0] == 250
        assert client.docmd("RCPT", "TO:<b@x.example>")[0] == 550


def test_the_machine_shows_exchange_where_exchange_keeps_it(exchange: ExchangeLab) -> None:
    with exchange.machine() as pool:
        key = machine.SETUP_KEY.replace("HKEY_LOCAL_MACHINE", "HKLM:")
        setup = properties(run(pool, "Get-ItemProperty", Path=key).one)
        sites = [properties(one)["name"] for one in run(pool, "Get-Website").output]
        same = [properties(one)["Name"] for one in run(pool, "Get-IISSite").output]
        applications = [properties(one)["path"] for one in run(pool, "Get-WebApplication", Site=sites[0]).output]
        service = properties(run(pool, "Get-Service", Name="MSExchangeTransport").one)
    assert setup["MsiInstallPath"] == machine.INSTALL_PATH + "\\"
    assert (setup["MsiProductMajor"], setup["MsiProductMinor"]) == (15, 2)
    assert sites == same == ["Default Web Site", "Exchange Back End"]
    assert "/EWS" in applications
    assert str(service["Status"]) == "Running"


def test_lines_are_written_into_files(exchange: ExchangeLab) -> None:
    path = r"C:\Windows\Temp\note.txt"
    with exchange.machine() as pool:
        run(pool, "Set-Content", Path=path, Value=["one", "two"])
        run(pool, "Add-Content", Path=path, Value="three")
        assert run(pool, "Get-Content", Path=path).output == ["one", "two", "three"]
        assert run(pool, "Set-Content", Path=r"C:\Nowhere\x.txt", Value="x").errors


def test_a_component_is_taken_out_of_service(exchange: ExchangeLab) -> None:
    given = {"Identity": "EX02", "Component": "ServerWideOffline"}
    with exchange.pool() as pool:
        assert properties(run(pool, "Get-ServerComponentState", **given).one)["State"] == "Active"
        answer = run(
            pool, "Set-ServerComponentState", **given, State="Inactive", Requester="Maintenance", Confirm=False
        )
        assert not answer.errors, str(answer.errors[0])
        assert properties(run(pool, "Get-ServerComponentState", **given).one)["State"] == "Inactive"


def test_the_hybrid_agent_gives_up_its_application_and_goes(exchange: ExchangeLab) -> None:
    application = hybrid_facts.agent_application("fabrikam")
    hybrid = handover.lab_json(exchange.forests)["tenants"]["fabrikam"]["hybrid"]
    with exchange.machine("EX01", tenant="fabrikam") as pool:
        assert "is not recognized" in str(run(pool, "Get-HybridApplication").errors[0])
        assert not run(pool, "Import-Module", Name=hybrid_agent.MODULE).errors
        assert properties(run(pool, "Get-HybridApplication").one)["AppId"] == application
        wrong = credential(pool, hybrid["admin_user"], "wrong")
        refused = run(pool, "Remove-HybridApplication", AppId=application, Credential=wrong)
        assert "AADSTS50126" in str(refused.errors[0])
        right = credential(pool, hybrid["admin_user"], hybrid["admin_password"])
        assert not run(pool, "Remove-HybridApplication", AppId=application, Credential=right).errors
        assert not run(pool, "Get-HybridApplication").output
        given = {"FilePath": hybrid_agent.SETUP, "ArgumentList": ["/uninstall", "/quiet"], "Wait": True}
        assert properties(run(pool, "Start-Process", **given, PassThru=True).one)["ExitCode"] == 0
        assert run(pool, "Get-Service", Name="HybridService").errors
    with exchange.machine("EX02", tenant="fabrikam") as pool:
        assert run(pool, "Import-Module", Name=hybrid_agent.MODULE).errors


def test_client_and_hand_over_know_the_servers(exchange: ExchangeLab) -> None:
    tenant = handover.lab_json(exchange.forests)["tenants"]["contoso"]
    assert [(one["name"], one["port"], one["windows_port"]) for one in tenant["exchange"]] == [
        ("EX01", 443, 5986),
        ("EX02", 443, 5986),
    ]
    assert tenant["exchange"][0]["user"] == "CONTOSO\\svc-exchange-admin"
    assert {"exchange", "set_exchange", "exchange_ready", "steer_exchange"} <= set(dir(Lab))
