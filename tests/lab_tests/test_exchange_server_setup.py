# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Setup: what blocks it, its life, what it takes away, and that a reset brings everything back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.lab import ldif
from tests.lab.exchange_server import machine
from tests.lab.exchange_server.conditions import CONDITIONS
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.forest.reset import reset
from tests.lab.forest.schema import RECIPIENT_ATTRIBUTES
from tests.lab_tests.exchange_support import (
    LICENSE,
    ExchangeLab,
    exchange,
    exchange_certified,
    pipeline,
    properties,
    run,
)
from tests.lab_tests.windows_support import credential

__all__ = ["exchange", "exchange_certified"]

ALONE = ("copies", "availability group", "send connectors")  # what blocks EX01 once nobody else's business does
BACKUP = machine.MAILBOX_ROLE_KEY.replace("HKEY_LOCAL_MACHINE", "HKLM:")


def free_first(exchange: ExchangeLab) -> None:
    """Take away what ties EX01 to EX02."""
    exchange.control("POST", "/exchange/contoso/ready")
    steps: list[tuple[str, dict[str, Any]]] = [
        ("Remove-MailboxDatabaseCopy", {"Identity": "DB01\\EX02"}),
        ("Remove-MailboxDatabase", {"Identity": "DB01"}),
        ("Remove-DatabaseAvailabilityGroupServer", {"Identity": "DAG01", "MailboxServer": "EX01"}),
    ]
    moved = {"SourceTransportServers": ["EX02"], "Confirm": False}
    with exchange.pool() as pool:
        for cmdlet, given in steps:
            answer = run(pool, cmdlet, **given, Confirm=False)
            assert not answer.errors, str(answer.errors[0])
        assert not pipeline(pool, ("Get-SendConnector", {}), ("Set-SendConnector", moved)).errors


def free_last(exchange: ExchangeLab) -> None:
    """Take away what is left on EX02."""
    everything = {
        "Arbitration": True,
        "DisableLastArbitrationMailboxAllowed": True,
        "DisableArbitrationMailboxWithOABsAllowed": True,
        "Confirm": False,
    }
    group = {"Identity": "DAG01", "MailboxServer": "EX02", "Confirm": False}
    with exchange.pool("EX02") as pool:
        pipeline(pool, ("Get-Mailbox", {"Arbitration": True}), ("Disable-Mailbox", everything))
        for given in ({"AuditLog": True}, {}):
            pipeline(pool, ("Get-Mailbox", given), ("Disable-Mailbox", {"Confirm": False}))
        pipeline(pool, ("Get-SendConnector", {}), ("Remove-SendConnector", {"Confirm": False}))
        assert not run(pool, "Remove-DatabaseAvailabilityGroupServer", **group).errors


def text_of(exchange: ExchangeLab) -> str:
    """Both partitions as text."""
    return ldif.text(exchange.ldap())


def recipients(exchange: ExchangeLab) -> dict[str, dict[str, list[bytes]]]:
    """Every Exchange attribute of everybody in the synchronised unit."""
    names = {one.name.lower() for one in RECIPIENT_ATTRIBUTES} | {"proxyaddresses", "mail", "legacyexchangedn"}
    return {
        dn: {name: values for name, values in found.items() if name.lower() in names}
        for dn, found in exchange.ldap().items()
        if ",OU=Contoso AG," in dn
    }


# -- what is in the way --------------------------------------------------------------------------------------------


def test_nothing_but_the_servers_own_ties_is_left_when_others_are_done(exchange: ExchangeLab) -> None:
    assert exchange.blockers("EX01") == {"mailboxes", *ALONE}
    exchange.control("POST", "/exchange/contoso/ready")
    assert exchange.blockers("EX01") == set(ALONE)
    assert exchange.setup("EX01") == 1
    assert "Remove-MailboxDatabaseCopy" in exchange.setup_log("EX01")
    assert set(exchange.of_class("msExchExchangeServer")) == {"EX01", "EX02"}


@pytest.mark.parametrize(
    ("condition", "value", "server", "what"),
    [
        ("mailboxes", "on_premises", "EX01", "mailboxes"),
        ("archive", "local", "EX01", "mailboxes"),
        ("public_folders", "local", "EX02", "mailboxes"),
        ("moves", "running", "EX01", "moves"),
        ("queue", "held", "EX01", "queues"),
        ("address_book", "server", "EX02", "address books"),
        ("expansion_server", "EX02", "EX02", "expansion"),
        ("rights", "no_organization_management", "EX01", "rights"),
    ],
)
def test_each_thing_in_the_way_is_told_and_can_be_taken_away(
    exchange: ExchangeLab, condition: str, value: str, server: str, what: str
) -> None:
    exchange.control("POST", "/exchange/contoso/ready")
    before = exchange.blockers(server)
    exchange.change(**{condition: value})
    assert exchange.blockers(server) >= {what}
    exchange.change(**{condition: CONDITIONS[condition].values[0]})
    assert exchange.blockers(server) == before


def test_edge_subscription_and_enterprise_rights_matter_for_the_last_server(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.change(edge="subscribed", rights="no_enterprise_admins")
    assert not exchange.blockers("EX01")
    with exchange.pool() as pool:
        assert [str(one) for one in run(pool, "Get-EdgeSubscription").output] == ["EDGE01"]
        roles = {str(one): properties(one)["ServerRole"] for one in run(pool, "Get-ExchangeServer").output}
    assert roles == {"EDGE01": "Edge", "EX01": "Mailbox", "EX02": "Mailbox"}
    assert exchange.setup("EX01") == 0
    assert exchange.blockers("EX02") >= {"edge", "rights"}
    with exchange.pool("EX02") as pool:
        assert not run(pool, "Remove-EdgeSubscription", Identity="EDGE01", Confirm=False).errors
    assert "edge" not in exchange.blockers("EX02")


def test_a_pending_restart_blocks_until_the_machine_restarted(exchange: ExchangeLab) -> None:
    exchange.control("PATCH", "/windows/contoso/ex01", {"reboot_pending": "yes"})
    assert "reboot" in exchange.blockers("EX01")
    exchange.control("POST", "/exchange/contoso/EX01/restart")
    exchange.control("POST", "/clock", {"advance_seconds": 60})
    assert "reboot" not in exchange.blockers("EX01")
    assert [exchange.listens("EX01", port) for port in (5986, 443, 25)] == [True, True, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/mode:Uninstall",), "accept the license terms"),
        ((LICENSE,), "knows the mode Uninstall, not none"),
        (("/m:Upgrade", LICENSE), "not upgrade"),
    ],
)
def test_setup_wants_the_mode_and_the_licence(exchange: ExchangeLab, arguments: tuple[str, ...], said: str) -> None:
    assert exchange.setup("EX01", *arguments) == 1
    assert said in exchange.setup_log("EX01")


def test_without_delegation_setup_needs_a_credential_where_the_scenario_says_so(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.services.scenario.set({"setup_second_hop": "refused"})
    assert exchange.setup("EX01") == 1
    assert "isn't logged on to an Active Directory domain" in exchange.setup_log("EX01")
    account = exchange.account(exchange.host(), "exchange_admin")
    with exchange.machine() as pool:
        given = {"FilePath": machine.SETUP_PROGRAM, "ArgumentList": ["/m:Uninstall", LICENSE], "Wait": True}
        secret = credential(pool, account.name, account.password)
        answer = run(pool, "Start-Process", **given, PassThru=True, Credential=secret)
        assert properties(answer.one)["ExitCode"] == 0


# -- its life ------------------------------------------------------------------------------------------------------


def test_a_server_goes_with_all_that_is_its_own_and_the_other_stays(exchange: ExchangeLab) -> None:
    free_first(exchange)
    before = recipients(exchange)
    assert exchange.setup("EX01") == 0
    assert "The Exchange Server setup operation completed successfully." in exchange.setup_log("EX01")
    assert set(exchange.of_class("msExchExchangeServer")) == {"EX02"}
    assert set(exchange.of_class("serviceConnectionPoint")) & {"EX01", "EX02"} == {"EX02"}
    assert all("EX01" not in name for name in exchange.of_class("msExchSmtpReceiveConnector"))
    assert recipients(exchange) == before
    with exchange.machine() as pool:
        assert not run(pool, "Get-Service", Name="MSExchange*").output
        assert not run(pool, "Get-Website").output
        assert run(pool, "Test-Path", Path=machine.SETUP_PROGRAM).output == [False]
    assert [exchange.listens("EX01", port) for port in (5986, 443, 25)] == [True, False, False]
    with exchange.pool("EX02") as pool:
        assert len(run(pool, "Get-ExchangeServer").output) == 1


def test_the_log_grows_while_setup_works(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.services.scenario.set({"exchange_setup_s": 4})
    with exchange.machine() as pool:
        given = {"FilePath": machine.SETUP_PROGRAM, "ArgumentList": ["/mode:Uninstall", LICENSE], "PassThru": True}
        process = properties(run(pool, "Start-Process", **given).one)["Id"]
        sizes = []
        for _turn in range(3):
            sizes.append(properties(run(pool, "Get-Item", Path=machine.LOG).one)["Length"])
            time.sleep(1.0)  # long enough for Setup to write another line
        assert sizes[0] < sizes[1] < sizes[2]
        assert not run(pool, "Wait-Process", Id=process, Timeout=60).errors
        tail = run(pool, "Get-Content", Path=machine.LOG, Tail=3).output
    assert any("completed successfully" in line for line in tail)


@pytest.mark.parametrize("how", ["fails", "dies", "hangs"])
def test_an_interrupted_setup_goes_on_where_it_was(exchange: ExchangeLab, how: str) -> None:
    free_first(exchange)
    exchange.control("PATCH", "/windows/contoso/ex01", {"setup": how})
    if how == "hangs":
        exchange.setup("EX01", wait=False)
        with exchange.machine() as pool:
            [process] = [properties(one) for one in run(pool, "Get-Process", Name="Setup").output]
            run(pool, "Stop-Process", Id=process["Id"], Force=True)
    else:
        assert exchange.setup("EX01") == (1 if how == "fails" else -1)
    with exchange.machine() as pool:
        backup = properties(run(pool, "Get-ItemProperty", Path=BACKUP).one)
        assert backup["Action"] == "Uninstall"
        assert backup["Watermark"]
    first = exchange.setup_log("EX01")
    assert set(exchange.of_class("msExchExchangeServer")) == {"EX01", "EX02"}
    assert exchange.setup("EX01") == 0
    second = exchange.setup_log("EX01")[len(first) :]
    assert "it goes on at the watermark" in second
    assert "Stopping Services" not in second
    assert set(exchange.of_class("msExchExchangeServer")) == {"EX02"}


def test_a_service_can_be_left_behind(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.control("PATCH", "/windows/contoso/ex01", {"setup": "lingers"})
    assert exchange.setup("EX01") == 0
    with exchange.machine() as pool:
        names = [properties(one)["Name"] for one in run(pool, "Get-Service", Name="MSExchange*").output]
    assert names == [machine.TRANSPORT_SERVICE]
    assert exchange.control("GET", "/exchange/contoso")["servers"][0]["lingering"] == names


def test_a_service_connection_point_can_be_left_behind(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.control("PATCH", "/windows/contoso/ex01", {"setup": "leaves_scp"})
    assert exchange.setup("EX01") == 0
    assert "EX01" in exchange.of_class("serviceConnectionPoint")
    assert exchange.control("GET", "/exchange/contoso")["servers"][0]["in_directory"]


def test_web_sites_can_be_left_behind(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.services.scenario.set({"setup_leaves_web_site": "yes"})
    exchange.control("PATCH", "/windows/contoso/ex01", {"setup": "leaves_site"})
    assert exchange.setup("EX01") == 0
    with exchange.machine() as pool:
        sites = [properties(one)["name"] for one in run(pool, "Get-Website").output]
        assert not run(pool, "Get-WebApplication").output
    assert sites == [machine.DEFAULT_SITE, machine.BACK_END]


def test_setup_can_want_a_restart(exchange: ExchangeLab) -> None:
    free_first(exchange)
    exchange.control("PATCH", "/windows/contoso/ex01", {"setup": "reboot"})
    assert exchange.setup("EX01") == 3010


def test_a_directory_that_is_away_ends_setup_and_the_next_run_goes_on(
    exchange: ExchangeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_first(exchange)
    exchange.control("PATCH", "/windows/contoso/ex01", {"setup": "dies"})
    assert exchange.setup("EX01") == -1
    assert exchange.estate.exchange is not None
    with monkeypatch.context() as patched:

        def refuse(_name: str) -> Any:
            raise DirectoryUnavailable("no domain controller answers")

        exchange.estate.exchange.close()
        patched.setattr(exchange.estate.exchange, "open", refuse)
        assert exchange.setup("EX01") == 1
    assert "no domain controller answers" in exchange.setup_log("EX01")
    assert exchange.setup("EX01") == 0
    assert set(exchange.of_class("msExchExchangeServer")) == {"EX02"}


# -- the last one --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", ["none", "groups", "organization", "all"])
def test_the_last_server_takes_the_organisation_with_it_and_a_reset_brings_it_back(
    exchange: ExchangeLab, leaves: str
) -> None:
    whole = text_of(exchange)
    exchange.services.scenario.set({"setup_leaves": leaves})
    free_first(exchange)
    before = recipients(exchange)
    assert exchange.setup("EX01") == 0
    free_last(exchange)
    assert exchange.blockers("EX02") == set()
    assert exchange.setup("EX02") == 0
    left, base = exchange.ldap("cn"), "DC=contoso,DC=lab"
    there = {
        "organization": f"CN=Microsoft Exchange,CN=Services,CN=Configuration,{base}" in left,
        "groups": f"OU=Microsoft Exchange Security Groups,{base}" in left,
        "objects": f"CN=Microsoft Exchange System Objects,{base}" in left,
        "mailboxes": any(dn.startswith("CN=SystemMailbox{") for dn in left),
        "schema": f"CN=ms-Exch-Schema-Version-Pt,CN=Schema,CN=Configuration,{base}" in exchange.schema(),
    }
    assert there == {
        "organization": leaves in ("organization", "all"),
        "groups": leaves != "none",
        "objects": leaves == "all",
        "mailboxes": leaves == "all",
        "schema": True,
    }
    assert not exchange.of_class("msExchExchangeServer")
    assert recipients(exchange) == before
    shown = exchange.control("GET", "/exchange/contoso")
    assert (shown["organization"] is None) == (leaves in ("none", "groups"))
    reset("contoso", exchange.forests.run_dir)
    assert text_of(exchange) == whole
