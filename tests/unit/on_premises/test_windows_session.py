# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions to a Windows host, down to the bytes of WS-Management and PSRP."""

from __future__ import annotations

import ast
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psrpcore
import psrpcore.types as clr
import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet, Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import pool as pools
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import settings
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.connect import connect_windows
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.session import (
    STREAM_LIMIT,
    Session,
)
from psrpcore.types import ErrorCategory
from pypsrp.exceptions import AuthenticationError
from pypsrp.wsman import _TransportHTTP
from windows_wire import Call, Reply, Wire, fault

PASSWORD = "hush-hush-1"
PARAMS = {"windows_host": "sync1.contoso.lab", "windows_user": "CONTOSO\\svc", "windows_password": PASSWORD}
GET = Cmdlet("Get-Service", {"Name": ["VaultSvc"]})
SET = Cmdlet("Start-Service", {"Name": ["VaultSvc"]})

Open = Callable[..., tuple[Session, Wire]]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Open:
    def make(answer: Callable[[list[Call]], Reply], **options: Any) -> tuple[Session, Wire]:
        wire = Wire(answer)
        monkeypatch.setattr(_TransportHTTP, "send", lambda _self, message, **given: wire.send(message, **given))
        return Session(settings.from_params({**PARAMS, **options}), **clock), wire

    clock: dict[str, Any] = {}
    make.clock = clock  # type: ignore[attr-defined]
    return make


def service(status: str = "Running") -> clr.PSCustomObject:
    return clr.PSCustomObject(Name="VaultSvc", Status=status)


def test_a_pipeline_goes_as_cmdlets_with_typed_parameters_and_comes_back_as_plain_data(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply([service()]))
    rows = ready.run(GET, Cmdlet("Select-Object", {"Property": ["Name"], "Last": 1}))
    assert rows == [{"Name": "VaultSvc", "Status": "Running"}]
    assert wire.pipelines == [
        [
            Call("Get-Service", {"Name": ["VaultSvc"]}, False),
            Call("Select-Object", {"Property": ["Name"], "Last": 1}, False),
        ]
    ]
    ready.run(Cmdlet("Restart-Computer", {"Force": True}))
    assert wire.pipelines[-1][0].parameters == {"Force": True}
    assert wire.opened == 1, "one pool for all"
    ready.close()
    assert wire.closed == 1


def test_rows_and_select_are_as_exchange_online_has_them(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply([service(), "a text"]))
    assert list(ready.invoke(Cmdlet("Get-Service", {}, select=("Name",)))) == [
        {"Name": "VaultSvc", "Status": "Running"},
        {"value": "a text"},
    ]
    assert wire.pipelines[0][1] == Call("Select-Object", {"Property": ["Name"]}, False)


def test_a_credential_is_encrypted_and_is_in_no_text(session: Open) -> None:
    secret = "another-secret-2"
    credential = Credential("CONTOSO\\Administrator", secret)
    said = (f"Bad password {secret} for {PASSWORD}", ErrorCategory.AuthenticationError, "Wrong")
    ready, wire = session(lambda _calls: Reply(error=said))
    with pytest.raises(errors.AuthenticationError) as caught:
        ready.run(Cmdlet("Connect-AADCloudSyncAzureAD", {"Credential": credential}))
    assert wire.pipelines[0][0].parameters == {
        "Credential": {"user": "CONTOSO\\Administrator", "password": secret},
    }, "it arrives, decrypted with the session's key"
    sent = b"".join(wire.requests)
    for text in (secret, PASSWORD):
        assert text.encode() not in sent
        assert text.encode("utf-16-le") not in sent
        assert text not in repr(credential) + str(caught.value) + str(caught.value.facts)
    assert "Bad password ******** for ********" in caught.value.message


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        (ErrorCategory.ObjectNotFound, errors.NotFound),
        (ErrorCategory.PermissionDenied, errors.PermissionDenied),
        (ErrorCategory.SecurityError, errors.PermissionDenied),
        (ErrorCategory.AuthenticationError, errors.AuthenticationError),
        (ErrorCategory.OperationTimeout, errors.Timeout),
        (ErrorCategory.ResourceUnavailable, errors.Unavailable),
        (ErrorCategory.InvalidOperation, errors.Conflict),
        (ErrorCategory.NotSpecified, errors.Conflict),
    ],
)
def test_error_records_become_errors(session: Open, category: ErrorCategory, kind: type[errors.HybridError]) -> None:
    ready, _wire = session(lambda _calls: Reply(error=("It went\n wrong.", category, "Some,Id")))
    with pytest.raises(kind) as caught:
        ready.run(GET)
    assert caught.value.message == "Get-Service on sync1.contoso.lab: It went wrong."
    assert caught.value.facts == {
        "host": "sync1.contoso.lab",
        "cmdlet": "Get-Service",
        "category": category.name,
        "error_id": "Some,Id",
        "target": "the target",
    }


def test_some_objects_with_an_error_are_taken_where_that_is_stated(session: Open) -> None:
    said = ("Specified cast is not valid.", ErrorCategory.NotSpecified, "Cast")
    ready, wire = session(lambda _calls: Reply([service()], error=said))
    with pytest.raises(errors.Conflict):
        ready.run(GET)
    assert ready.run(GET, partial=True) == [{"Name": "VaultSvc", "Status": "Running"}]
    assert ready.warnings == ("Get-Service on sync1.contoso.lab: Specified cast is not valid.",)
    wire.answer = lambda _calls: Reply(error=said)
    with pytest.raises(errors.Conflict):
        ready.run(GET, partial=True)


def test_warnings_are_kept_once(session: Open) -> None:
    ready, _wire = session(lambda _calls: Reply(warnings=["Waiting ...", f"with {PASSWORD}"]))
    ready.run(GET)
    ready.run(GET)
    assert ready.warnings == ("Waiting ...", "with ********")


def test_every_stream_is_kept_by_its_name(session: Open) -> None:
    said = {name: [f"{name} with {PASSWORD}"] for name in ("warning", "information", "verbose", "debug", "progress")}
    ready, _wire = session(lambda _calls: Reply([service()], streams=said))
    assert ready.streams == {}
    ready.run(GET)
    ready.run(GET)
    assert ready.streams == {
        **{name: (f"{name} with ********",) for name in ("warning", "information", "verbose", "debug")},
        "progress": ("progress with ********: 40 of 100 MB (40 %)",),
    }


def test_what_is_written_to_the_host_is_its_message(session: Open) -> None:
    said = clr.PSCustomObject(Message="Registering", NoNewLine=False)
    ready, _wire = session(lambda _calls: Reply(streams={"information": [said]}))
    ready.run(GET)
    assert ready.streams == {"information": ("Registering",)}


def test_of_a_long_stream_the_newest_texts_are_kept(session: Open) -> None:
    said = [f"step {number}" for number in range(STREAM_LIMIT + 3)]
    ready, _wire = session(lambda _calls: Reply(streams={"verbose": said}))
    ready.run(GET)
    assert ready.streams == {"verbose": tuple(said[3:])}


def test_a_read_that_was_cut_is_sent_again_in_a_new_pool(session: Open) -> None:
    replies = iter([Reply(cut=True), Reply([service()])])
    ready, wire = session(lambda _calls: next(replies))
    assert ready.run(GET) == [{"Name": "VaultSvc", "Status": "Running"}]
    assert (wire.opened, len(wire.pipelines), ready.generation) == (2, 2, 2)


def test_a_write_that_was_cut_is_never_sent_again(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply(cut=True))
    with pytest.raises(errors.Unavailable) as caught:
        ready.run(SET)
    assert caught.value.facts["uncertain"] is True
    assert "Whether the command was carried out is not known" in caught.value.message
    assert len(wire.pipelines) == 1
    with pytest.raises(errors.Unavailable):
        ready.run(GET, Cmdlet("Stop-Process", {"Id": [1]}))
    assert len(wire.pipelines) == 2, "a pipeline with one that changes something counts as a change"


def test_a_read_that_is_cut_twice_is_an_error_that_changed_nothing(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply(cut=True))
    with pytest.raises(errors.Unavailable) as caught:
        ready.run(GET)
    assert caught.value.facts["uncertain"] is False
    assert len(wire.pipelines) == 2


@pytest.mark.parametrize(("cmdlet", "uncertain"), [(GET, False), (SET, True)])
def test_a_pipeline_that_the_host_stopped_counts_as_cut(session: Open, cmdlet: Cmdlet, uncertain: bool) -> None:
    stopped = ("The pipeline has been stopped.", ErrorCategory.OperationStopped, "PipelineStopped")
    ready, wire = session(lambda _calls: Reply(error=stopped))
    with pytest.raises(errors.Unavailable) as caught:
        ready.run(cmdlet)
    assert caught.value.facts["uncertain"] is uncertain
    assert len(wire.pipelines) == (1 if uncertain else 2)


def test_a_host_with_too_many_requests_is_waited_for(session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(pools.time, "sleep", slept.append)
    ready, wire = session(lambda _calls: Reply([service()]))
    wire.busy = 3
    assert ready.run(SET) == [{"Name": "VaultSvc", "Status": "Running"}]
    assert len(wire.pipelines) == 1, "a request that was refused was not carried out"
    assert slept == [6.0] * 3
    ready.close()
    wire.busy = 99
    with pytest.raises(errors.Unavailable, match="too many at once"):
        ready.run(SET)


def test_without_the_libraries_of_kerberos_they_are_named(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply())
    wire.refuse = ImportError("No module named 'gssapi'")
    with pytest.raises(errors.MissingLibrary) as caught:
        ready.run(GET)
    assert caught.value.library == "pypsrp[kerberos]"


def test_without_pypsrp_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "HAS_PYPSRP", False)
    with pytest.raises(errors.MissingLibrary) as caught:
        connect_windows(PARAMS)
    assert caught.value.library == "pypsrp"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"windows_host": ""}, "give windows_host"),
        ({"windows_host": "http://sync1"}, "always goes over HTTPS"),
        ({"windows_host": "two words"}, "is not the name of a host"),
        ({"windows_authentication": "credssp"}, "must be one of negotiate"),
        ({"windows_password": None}, "are both needed with windows_authentication negotiate"),
        ({"windows_authentication": "certificate"}, "give windows_certificate"),
        ({"windows_authentication": "kerberos", "windows_user": None}, "given without windows_user"),
        ({"windows_ca_path": "/no/such.pem"}, "windows_ca_path: there is no file"),
        ({"windows_port": 0}, "windows_port must be 1 to 65535"),
        ({"windows_command_timeout": 0}, "windows_command_timeout must be"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.InputError, match=words):
        settings.from_params({**PARAMS, **options})


@pytest.mark.parametrize("host", ["sync1", "sync1.contoso.lab", "127.0.0.1", "::1"])
def test_hosts(host: str) -> None:
    found = settings.from_params({**PARAMS, "windows_host": host})
    assert (found.host, found.port, found.authentication) == (host, 5986, "negotiate")
    assert PASSWORD not in repr(found)


def test_tls_is_verified_and_no_proxy_is_used(session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    real = pools.WSMan
    monkeypatch.setattr(pools, "WSMan", lambda server, **options: given.update(options) or real(server, **options))
    ready, _wire = session(lambda _calls: Reply(), windows_ca_path=__file__)
    ready.run(GET)
    assert (given["ssl"], given["cert_validation"], given["no_proxy"]) == (True, __file__, True)


def test_a_pipeline_that_takes_too_long_is_stopped(session: Open) -> None:
    times = iter([0.0, 0.0, 3.0, 6.0, 9.0, 12.0])
    session.clock["monotonic"] = lambda: next(times)  # type: ignore[attr-defined]
    ready, wire = session(lambda _calls: Reply(never=True))
    with pytest.raises(errors.Timeout) as caught:
        ready.run(SET, timeout=5)
    assert caught.value.facts["uncertain"] is True
    assert wire.signals == ["ctrl_c"]


def test_an_error_of_the_sign_in_names_the_account_and_no_secret(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply())
    wire.refuse = AuthenticationError("Failed to authenticate the user CONTOSO\\svc with negotiate")
    with pytest.raises(
        errors.AuthenticationError, match=r"refused the sign-in of CONTOSO\\svc \(negotiate\)"
    ) as caught:
        ready.run(GET)
    assert PASSWORD not in caught.value.message


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), errors.Unavailable, "cannot be reached"),
        (fault(5, "Access is denied."), errors.PermissionDenied, "must be an administrator of the server"),
        (
            fault(2150858811, "Cannot find the Microsoft.Nothing session configuration in the WSMan: drive"),
            errors.NotFound,
            "has no session configuration",
        ),
        (fault(2150858999, "Something else"), errors.ProtocolError, "opened no PowerShell session"),
    ],
)
def test_a_session_that_cannot_be_opened_says_why(
    session: Open, raised: Exception, kind: type[errors.HybridError], words: str
) -> None:
    ready, wire = session(lambda _calls: Reply())
    wire.refuse = raised
    with pytest.raises(kind, match=words):
        ready.run(GET)
    assert wire.pipelines == []


def test_a_certificate_that_cannot_be_trusted_is_said_in_words(session: Open) -> None:
    ready, wire = session(lambda _calls: Reply())
    inner = ssl.SSLCertVerificationError(1, "certificate verify failed")
    inner.verify_message = "Hostname mismatch"
    wire.refuse = OSError(inner)
    with pytest.raises(errors.InputError, match=r"cannot be trusted: Hostname mismatch. Give windows_ca_path"):
        ready.run(GET)


@pytest.mark.parametrize(
    ("cmdlet", "words"),
    [
        (Cmdlet("Invoke-Expression", {"Command": "evil"}), "not among the cmdlets"),
        (Cmdlet("Get-Service", {"ComputerName": ["other"]}), "not sent with the parameter"),
        (Cmdlet("Get-Service", {"Name": "VaultSvc"}), r"must be of the type String\[\]"),
        (Cmdlet("Select-Object", {"Last": True}), "must be of the type Int32"),
        (Cmdlet("Restart-Computer", {"Force": "yes"}), "must be of the type SwitchParameter"),
        (Cmdlet("Connect-AADCloudSyncAzureAD", {"Credential": "user"}), "must be of the type PSCredential"),
    ],
)
def test_what_is_not_in_the_table_is_not_sent(session: Open, cmdlet: Cmdlet, words: str) -> None:
    ready, wire = session(lambda _calls: Reply())
    with pytest.raises(errors.InputError, match=words):
        ready.run(cmdlet)
    assert wire.requests == []


def test_nothing_in_the_collection_sends_a_script() -> None:
    plugins = Path(pools.__file__).parents[3]
    for path in plugins.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = {getattr(node, "attr", None), getattr(node, "arg", None), getattr(node, "id", None)}
            assert not names & {"add_script", "is_script", "execute_ps", "execute_cmd", "ScriptBlock"}, path
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "IsScript" not in node.value, path


def test_psrpcore_is_the_judge_of_what_is_sent(session: Open) -> None:
    """The other side of the wire is a library of its own; here it says that no command is a script."""
    ready, wire = session(lambda _calls: Reply())
    ready.run(GET)
    assert [call.is_script for line in wire.pipelines for call in line] == [False]
    assert psrpcore.__name__ == "psrpcore"
