# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The management endpoint as pypsrp sees it: sessions, rights, parameters, refusals, and the request log."""

from __future__ import annotations

import json

import pytest
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.powershell import RunspacePool
from requests.exceptions import ConnectionError as Refused

from tests.lab import supervisor
from tests.lab.exchange_server import binder, endpoint
from tests.lab.settings import CHECKOUT
from tests.lab_tests.exchange_support import (
    VIEWER,
    ExchangeLab,
    exchange,
    exchange_certified,
    pipeline,
    properties,
    run,
)

__all__ = ["exchange", "exchange_certified"]

# Named by what has to be done to take the last server away, and therefore carried out.
NEEDED = [
    "Get-Mailbox",
    "Disable-Mailbox",
    "Set-ADServerSettings",
    "Get-OrganizationConfig",
    "Get-PublicFolder",
    "Get-MoveRequest",
    "Get-MigrationBatch",
    "Get-MessageTrackingLog",
    "Get-ReceiveConnector",
    "Set-ReceiveConnector",
    "Get-SendConnector",
    "Set-SendConnector",
    "Remove-SendConnector",
    "Get-IntraOrganizationConnector",
    "Set-IntraOrganizationConnector",
    "Remove-IntraOrganizationConnector",
    "Remove-OrganizationRelationship",
    "Remove-RemoteDomain",
    "Remove-FederatedDomain",
    "Set-FederatedOrganizationIdentifier",
    "Remove-FederationTrust",
    "Get-ExchangeCertificate",
    "Remove-ExchangeCertificate",
    "Set-AuthServer",
    "Remove-AuthServer",
    "Set-PartnerApplication",
    "Remove-PartnerApplication",
    "Remove-SettingOverride",
    "Get-ClientAccessService",
    "Set-ClientAccessService",
    "Remove-HybridConfiguration",
    "Remove-AvailabilityAddressSpace",
    "Remove-EdgeSubscription",
    "Remove-SharingPolicy",
    "Remove-MailboxDatabase",
    "Remove-MailboxDatabaseCopy",
    "Remove-DatabaseAvailabilityGroupServer",
    "Remove-DatabaseAvailabilityGroup",
    "Get-Queue",
    "New-SendConnector",
    "New-RemoteDomain",
    "New-IntraOrganizationConnector",
    "New-OrganizationRelationship",
    "New-HybridConfiguration",
    "New-AuthServer",
    "New-PartnerApplication",
    "New-SettingOverride",
    "Get-ExchangeServer",
    "Get-MailboxDatabase",
    "Get-ServerComponentState",
    "Get-TransportService",
    "Get-RoleGroupMember",
    "Remove-OfflineAddressBook",
    "Remove-ReceiveConnector",
    "New-ReceiveConnector",
    "Remove-Mailbox",
]


def test_what_is_needed_is_carried_out_and_all_of_it_is_in_the_reference() -> None:
    assert set(NEEDED) <= set(endpoint.CMDLETS)
    known = json.loads(binder.REFERENCE.read_text())["cmdlets"]
    assert all("on-premises" in known[name]["applies"] for name in endpoint.CMDLETS)
    assert CHECKOUT / "tests" / "reference" / "exchange-cmdlets.json" == binder.REFERENCE


def test_a_session_lists_the_servers(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        answer = run(pool, "Get-ExchangeServer")
    first = properties(answer.output[0])
    assert [properties(one)["Name"] for one in answer.output] == ["EX01", "EX02"]
    assert first["Fqdn"] == "ex01.contoso.lab"
    assert first["AdminDisplayVersion"] == "Version 15.2 (Build 31544.4)"
    assert (first["ServerRole"], first["IsMailboxServer"]) == ("Mailbox", True)
    assert str(answer.output[0]) == "EX01"


def test_who_is_nobody_does_not_get_in(exchange: ExchangeLab) -> None:
    host = exchange.host()
    with pytest.raises(AuthenticationError), exchange.pool(password="wrong"):
        pass
    helpdesk = f"{host.forest.netbios}\\svc-helpdesk"
    with (
        pytest.raises(WSManFaultError, match="Access is denied"),
        exchange.pool(username=helpdesk, password="Lab-contoso-Helpdesk-1!"),
    ):
        pass


def test_basic_only_where_it_is_allowed(exchange: ExchangeLab) -> None:
    with pytest.raises(AuthenticationError), exchange.pool(auth="basic"):
        pass
    exchange.control("PATCH", "/windows/contoso/ex01", {"exchange_basic": "on"})
    with exchange.pool(auth="basic") as pool:
        assert len(run(pool, "Get-ExchangeServer").output) == 2


def test_without_a_role_there_is_no_session(exchange: ExchangeLab) -> None:
    exchange.change(rights="no_organization_management")
    with pytest.raises(WSManFaultError, match="isn't assigned to any management roles"), exchange.pool():
        pass


def test_who_may_look_sees_no_other_cmdlets(exchange: ExchangeLab) -> None:
    with exchange.pool(role=VIEWER) as pool:
        assert len(run(pool, "Get-SendConnector").output) == 3
        answer = run(pool, "Remove-SendConnector", Identity="Internet", Confirm=False)
        assert "is not recognized as the name of a cmdlet" in str(answer.errors[0])
        assert not run(pool, "Set-ADServerSettings", ViewEntireForest=True).errors
    with exchange.machine(role=VIEWER) as pool:
        assert run(pool, "Get-Service", Name="MSExchangeIS").output
        answer = run(pool, "Stop-Service", Name="MSExchangeIS")
        assert "Access is denied" in str(answer.errors[0])


@pytest.mark.parametrize("cmdlet", ["Select-Object", "Get-Service", "Get-InboundConnector", "Get-MailboxPlan"])
def test_only_exchange_s_own_cmdlets_exist(exchange: ExchangeLab, cmdlet: str) -> None:
    with exchange.pool() as pool:
        assert "is not recognized" in str(run(pool, cmdlet).errors[0])


def test_another_configuration_is_not_there(exchange: ExchangeLab) -> None:
    with exchange.wsman() as connection, pytest.raises(WSManFaultError, match="session configuration"):
        RunspacePool(connection).open()


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "said"),
    [
        ("Get-SendConnector", {"Nothing": 1}, "cannot be found that matches parameter name 'Nothing'"),
        ("Get-Mailbox", {"IncludeInactiveMailbox": True}, "cannot be found that matches parameter name"),
        ("Set-SendConnector", {"Confirm": False}, "missing mandatory parameters: Identity"),
        ("Set-SendConnector", {"Identity": "Internet", "Port": "x", "Confirm": False}, "Cannot convert value"),
        (
            "Set-SendConnector",
            {"Identity": "Internet", "Enabled": "yes", "Confirm": False},
            "Boolean parameters accept",
        ),
        ("New-SettingOverride", {"Name": "x", "Confirm": False}, "missing mandatory parameters"),
        ("Get-MessageTrackingLog", {"Start": "yesterday"}, "valid DateTime"),
        ("New-Mailbox", {"Name": "x", "Confirm": False}, "The rehearsal lab does not have New-Mailbox"),
        ("Get-Mailbox", {"Filter": "x"}, "The rehearsal lab does not have Get-Mailbox with -Filter"),
    ],
)
def test_what_does_not_fit_is_refused(
    exchange: ExchangeLab, cmdlet: str, parameters: dict[str, object], said: str
) -> None:
    with exchange.pool() as pool:
        answer = run(pool, cmdlet, **parameters)
    assert said in str(answer.errors[0])


def test_a_changing_cmdlet_asks_unless_it_is_told_not_to(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        answer = run(pool, "Remove-HybridConfiguration")
        assert "does not support user interaction" in str(answer.errors[0])
        assert not run(pool, "Remove-HybridConfiguration", WhatIf=True).errors
        assert run(pool, "Get-HybridConfiguration").output
        assert not run(pool, "Remove-HybridConfiguration", Confirm=False).errors
        assert not run(pool, "Get-HybridConfiguration").output


def test_an_unknown_object_is_named_with_the_domain_controller(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        answer = run(pool, "Remove-SendConnector", Identity="Nowhere", Confirm=False)
    error = answer.errors[0]
    assert str(error) == (
        "The operation couldn't be performed because object 'Nowhere' couldn't be found on 'dc1.contoso.lab'."
    )
    assert error.reason == "ManagementObjectNotFoundException"
    assert "ManagementObjectNotFoundException" in error.fq_error


def test_the_view_belongs_to_the_session(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        assert properties(run(pool, "Get-ADServerSettings").one)["ViewEntireForest"] is False
        run(pool, "Set-ADServerSettings", ViewEntireForest=True)
        assert properties(run(pool, "Get-ADServerSettings").one)["ViewEntireForest"] is True
    with exchange.pool() as pool:
        assert properties(run(pool, "Get-ADServerSettings").one)["ViewEntireForest"] is False


def test_results_end_at_a_size_with_a_warning(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        few = run(pool, "Get-MailContact", ResultSize=3)
        whole = run(pool, "Get-MailContact", ResultSize="Unlimited")
    assert (len(few.output), len(whole.output)) == (3, 8)
    assert "more results available" in few.warnings[0]
    assert not whole.warnings


def test_cmdlets_can_be_joined(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        answer = pipeline(
            pool,
            ("Get-ClientAccessService", {}),
            ("Set-ClientAccessService", {"AutoDiscoverServiceInternalUri": None, "Confirm": False}),
        )
        assert not answer.errors
        shown = [properties(one) for one in run(pool, "Get-ClientAccessService").output]
    assert [one["AutoDiscoverServiceInternalUri"] for one in shown] == [None, None]
    points = exchange.of_class("serviceConnectionPoint")
    assert all("serviceBindingInformation" not in points[name] for name in ("EX01", "EX02"))


def test_the_request_log_tells_commands_and_marks_changes(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        run(pool, "Get-SendConnector", Identity="Internet")
        run(pool, "Set-SendConnector", Identity="Internet", Comment="x", Confirm=False)
        run(pool, "Set-SendConnector", Identity="Internet", Comment="x", WhatIf=True)
        run(pool, "Export-ExchangeCertificate", Thumbprint="00", Confirm=False)
    rows = [(one["host"], one["cmdlet"], one["write"]) for one in exchange.log()]
    assert rows == [
        ("ex01", "Get-SendConnector", False),
        ("ex01", "Set-SendConnector", True),
        ("ex01", "Set-SendConnector", False),
        ("ex01", "Export-ExchangeCertificate", False),
    ]
    assert exchange.log()[1]["parameters"]["Comment"] == "x"
    assert "\\svc-exchange-admin" in exchange.log()[0]["user"]


@pytest.mark.parametrize("kind", ["cut", "winrm_restart"])
def test_faults_meet_this_endpoint_too(exchange: ExchangeLab, kind: str) -> None:
    exchange.control("POST", "/faults", {"kind": kind, "target": "windows", "match": {"port": 443}})
    with exchange.machine() as pool:
        assert not run(pool, "Get-Date").errors
    with pytest.raises((WSManFaultError, Refused)), exchange.pool() as pool:
        run(pool, "Get-SendConnector")


def test_a_domain_controller_that_restarted_is_no_trouble(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        assert run(pool, "Get-SendConnector").output
        supervisor.restart_dc(exchange.forests, "contoso")
        assert run(pool, "Get-SendConnector").output
