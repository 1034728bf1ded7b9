# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions to Exchange Server's management endpoint, down to the bytes of WS-Management and PSRP."""

from __future__ import annotations

from collections.abc import Callable

import psrpcore.types as clr
import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    Conflict,
    HybridError,
    InputError,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import errors as failures
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import settings
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.connect import (
    connect_exchange_server,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.errors import ErrorRecord
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.exchange_server import (
    ExchangeServer,
)
from psrpcore.types import ErrorCategory
from pypsrp.wsman import _TransportHTTP
from windows_wire import Call, Reply, Wire

PARAMS = {
    "exchange_server_host": "ex01.contoso.lab",
    "exchange_server_user": "CONTOSO\\svc-exchange-admin",
    "exchange_server_password": "hush-hush-2",
}
READ = Cmdlet("Get-Mailbox", {"ResultSize": "Unlimited"})
CHANGE = Cmdlet("Remove-SendConnector", {"Identity": "Outbound to Office 365"})
Open = Callable[[Callable[[list[Call]], Reply]], tuple[ExchangeServer, Wire]]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Open:
    def make(answer: Callable[[list[Call]], Reply]) -> tuple[ExchangeServer, Wire]:
        wire = Wire(answer)
        monkeypatch.setattr(_TransportHTTP, "send", lambda _self, message, **given: wire.send(message, **given))
        return ExchangeServer(settings.from_params(PARAMS, settings.EXCHANGE_SERVER)), wire

    return make


def names(wire: Wire) -> list[list[str]]:
    return [[call.name for call in pipeline] for pipeline in wire.pipelines]


def test_every_session_begins_by_looking_at_the_whole_forest(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply([clr.PSCustomObject(Name="Anna", Database="DB01")]))
    rows = list(ready.invoke(Cmdlet("Get-Mailbox", {"ResultSize": "Unlimited"}, ("Name", "Nothing"))))
    assert rows == [{"Name": "Anna", "Nothing": None}]
    assert names(wire) == [["Set-ADServerSettings"], ["Get-Mailbox"]]
    assert wire.pipelines[0][0].parameters == {"ViewEntireForest": True}
    list(ready.invoke(READ))
    assert names(wire)[2:] == [["Get-Mailbox"]]
    ready.close()
    list(ready.invoke(READ))
    assert names(wire)[3:] == [["Set-ADServerSettings"], ["Get-Mailbox"]]


def test_a_change_is_confirmed_and_never_a_read(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply())
    ready.run(CHANGE)
    assert wire.pipelines[-1][0].parameters == {"Identity": "Outbound to Office 365", "Confirm": False}
    ready.run(READ)
    assert "Confirm" not in wire.pipelines[-1][0].parameters


def test_a_change_whose_connection_is_cut_is_not_sent_twice(session: Open) -> None:
    ready, wire = session(lambda calls: Reply(cut=calls[0].name == "Remove-SendConnector"))
    with pytest.raises(Unavailable) as raised:
        ready.run(CHANGE)
    assert raised.value.facts["uncertain"] is True
    assert names(wire).count(["Remove-SendConnector"]) == 1


def test_a_read_is_sent_again_over_a_new_session_that_sees_the_whole_forest_too(session: Open) -> None:
    cut: list[bool] = []

    def answer(calls: list[Call]) -> Reply:
        if calls[0].name == "Get-Mailbox" and not cut:
            cut.append(True)
            return Reply(cut=True)
        return Reply([clr.PSCustomObject(Name="Anna")] if calls[0].name == "Get-Mailbox" else [])

    ready, wire = session(answer)
    assert [row["Name"] for row in ready.invoke(READ)] == ["Anna"]
    assert names(wire) == [["Set-ADServerSettings"], ["Get-Mailbox"], ["Set-ADServerSettings"], ["Get-Mailbox"]]
    assert ready.generation == 2


def test_a_session_that_cannot_look_at_the_whole_forest_is_not_used(session: Open) -> None:
    ready, wire = session(
        lambda _calls: Reply(error=("The domain controller is away.", ErrorCategory.InvalidOperation, "X,Y"))
    )
    with pytest.raises(Conflict, match="Set-ADServerSettings"):
        ready.run(READ)
    assert names(wire) == [["Set-ADServerSettings"]]


def test_a_cmdlet_that_the_account_does_not_have_is_a_missing_right(session: Open) -> None:
    def answer(calls: list[Call]) -> Reply:
        if calls[0].name == "Set-ADServerSettings":
            return Reply()
        text = f"The term '{calls[0].name}' is not recognized."
        return Reply(error=(text, ErrorCategory.ObjectNotFound, "CommandNotFoundException"))

    ready, _wire = session(answer)
    with pytest.raises(PermissionDenied, match="does not offer Get-Mailbox to CONTOSO") as raised:
        ready.run(READ)
    assert raised.value.facts["cmdlet"] == "Get-Mailbox"


def test_nothing_but_the_table_is_sent(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply())
    for cmdlet in (Cmdlet("Get-Service"), Cmdlet("Select-Object"), Cmdlet("Remove-Mailbox", {"Identity": "anna"})):
        with pytest.raises(InputError, match="not among the cmdlets"):
            ready.run(cmdlet)
    assert wire.pipelines == []


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("ManagementObjectNotFoundException", NotFound),
        ("ManagementObjectAmbiguousException", Ambiguous),
        ("ADOperationException", Conflict),
    ],
)
def test_exchange_says_what_went_wrong_by_its_exception(reason: str, error: type[HybridError]) -> None:
    record = ErrorRecord("The operation couldn't be performed.", "InvalidData", "X,Y", "anna", reason)
    found = failures.of_record(record, "Get-Mailbox", "ex01")
    assert type(found) is error
    assert found.facts["reason"] == reason


def test_options_and_messages_are_those_of_exchange_server() -> None:
    found = settings.from_params(PARAMS, settings.EXCHANGE_SERVER)
    assert (found.port, found.path, found.configuration) == (443, "powershell", "Microsoft.Exchange")
    assert "hush-hush-2" not in repr(found)
    with pytest.raises(InputError, match="give exchange_server_host"):
        settings.from_params({}, settings.EXCHANGE_SERVER)
    with pytest.raises(InputError, match="exchange_server_user and exchange_server_password"):
        settings.from_params({"exchange_server_host": "ex01"}, settings.EXCHANGE_SERVER)
    with pytest.raises(InputError, match="exchange_server_ca_path: there is no file"):
        settings.from_params({**PARAMS, "exchange_server_ca_path": "/nowhere"}, settings.EXCHANGE_SERVER)
    told = failures.of_connecting(found, ConnectionRefusedError(111, "Connection refused"))
    assert "PowerShell virtual directory" in told.message
    assert connect_exchange_server(PARAMS).host == "ex01.contoso.lab"
