# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running pipelines: commands one after the other, each found, bound, logged, and carried out on its host."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from psrpcore import Command

from tests.lab.cloud.faults import Fault
from tests.lab.windows import binder, places
from tests.lab.windows.call import Call, Implementation, Session, Sink, Stopped
from tests.lab.windows.cmdlets import (
    cloudsync,
    directory,
    hybrid_agent,
    items,
    language,
    network,
    processes,
    properties,
    security,
    services,
    system,
    web,
)
from tests.lab.windows.endpoint import Endpoint
from tests.lab.windows.errors import CmdletError, access_denied, command_not_found
from tests.lab.windows.estate import Estate

CMDLETS: dict[str, Implementation] = {
    **items.CMDLETS,
    **properties.CMDLETS,
    **services.CMDLETS,
    **processes.CMDLETS,
    **system.CMDLETS,
    **security.CMDLETS,
    **network.CMDLETS,
    **language.CMDLETS,
    **directory.CMDLETS,
    **cloudsync.CMDLETS,
    **web.CMDLETS,
    **hybrid_agent.CMDLETS,
}
_READING_VERBS = ("Get", "Test", "Select", "Resolve", "Wait", "Import")
DEFAULT_SLOW_S = 5.0


class Outlet(Sink, Protocol):
    """The streams of a pipeline, output too."""

    def output(self, value: Any) -> None:
        """An object for the client."""


def is_write(cmdlet: str, arguments: list[binder.Argument]) -> bool:
    """Whether a command changes something: by its verb, unless it runs with -WhatIf; downloads to a file do too."""
    shown = {str(name or "").lower().lstrip("-"): value for name, value in arguments}
    if shown.get("whatif", shown.get("wi", False)) is not False:
        return False
    if cmdlet.lower() == "invoke-webrequest":
        return "outfile" in shown
    return not cmdlet.lower().startswith(tuple(f"{verb.lower()}-" for verb in _READING_VERBS))


def run(
    estate: Estate,
    session: Session,
    commands: list[Command],
    piped: list[Any],
    outlet: Outlet,
    stopped: threading.Event,
    trouble: Callable[[Fault], None],
) -> None:
    """Run the statements of a pipeline; ``trouble`` brings about a fault of transport.

    Raises :class:`CmdletError` for what ends it, and :class:`Stopped`.
    """
    session.endpoint.check(session, [command.command_text for command in commands])
    statement: list[Command] = []
    for number, command in enumerate(commands):
        statement.append(command)
        if command.end_of_statement or number == len(commands) - 1:
            passed: list[Any] | None = [binder.plain(one) for one in piped] or None
            for one in statement:
                passed = _command(estate, session, one, passed, outlet, stopped, trouble)
            for value in passed or ():
                outlet.output(value)
            statement = []


def _command(
    estate: Estate,
    session: Session,
    command: Command,
    passed: list[Any] | None,
    outlet: Outlet,
    stopped: threading.Event,
    trouble: Callable[[Fault], None],
) -> list[Any]:
    if stopped.is_set():
        raise Stopped
    arguments = list(command.parameters)
    write = session.endpoint.is_write(command.command_text, arguments)
    entry: dict[str, Any] = {
        "service": session.endpoint.service,
        "event": "command",
        "user": session.user,
        "cmdlet": command.command_text if not command.is_script else "(script)",
        "parameters": binder.loggable(arguments),
        "write": write or command.is_script,
        "status": "failed",
    }
    fault = estate.faults.take(
        "windows",
        session.host.tenant,
        event="command",
        host=session.host.name,
        path=session.host.fqdn,
        cmdlet=command.command_text,
        write=write,
        port=session.endpoint.port,
    )
    entry["fault"] = fault.kind if fault else None
    if fault is not None and fault.kind == "slow":
        _linger(fault, stopped)
    elif fault is not None and fault.parameters.get("point") == "before_command":
        estate.log(session.host, **{**entry, "status": fault.kind})  # first, for whoever is cut off looks at the log
        trouble(fault)
        raise Stopped
    try:
        output = _carry_out(estate, session, command, arguments, passed, outlet, stopped, write)
        entry["status"] = "ok"
        return output
    except CmdletError as error:
        entry["status"] = error.error_id
        raise
    except Stopped:
        entry["status"] = "stopped"
        raise
    finally:
        estate.log(session.host, **entry)
        if fault is not None and fault.kind != "slow":
            trouble(fault)


def _linger(fault: Fault, stopped: threading.Event) -> None:
    if stopped.wait(fault.number("seconds", DEFAULT_SLOW_S)):
        raise Stopped


def _carry_out(
    estate: Estate,
    session: Session,
    command: Command,
    arguments: list[binder.Argument],
    passed: list[Any] | None,
    outlet: Outlet,
    stopped: threading.Event,
    write: bool,
) -> list[Any]:
    if command.is_script:
        raise CmdletError(
            "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
            "ScriptsNotAllowed",
            "ParserError",
            "System.Management.Automation.PSNotSupportedException",
            terminating=True,
            activity="",
            whole_id=True,
        )
    found = session.endpoint.find(estate, session, command.command_text.rpartition("\\")[2])
    if found is None:
        raise command_not_found(command.command_text)
    cmdlet, implementation = found
    try:
        bound = session.endpoint.bind(cmdlet, arguments, passed)
        if write and session.reads_only:
            raise access_denied(cmdlet.name, "UnauthorizedAccess")
        call = Call(estate, session, cmdlet, bound, outlet, stopped)
        implementation(call)
    except CmdletError as error:
        raise Failure(error, cmdlet) from error
    return call.output


class Failure(CmdletError):
    """An error together with the cmdlet that it comes from."""

    def __init__(self, error: CmdletError, cmdlet: binder.Cmdlet) -> None:
        super().__init__(
            error.message,
            error.error_id,
            error.category,
            error.exception,
            error.target,
            error.target_type,
            True,
            error.activity,
            error.whole_id,
        )
        self.cmdlet = cmdlet


def _find(estate: Estate, session: Session, name: str) -> tuple[binder.Cmdlet, Implementation] | None:
    cmdlet = binder.cmdlets().get(name.lower())
    if cmdlet is None or cmdlet.name not in CMDLETS:
        return None
    probe = Call(estate, session, cmdlet, binder.Bound({}, {}), _Nowhere(), threading.Event())
    here = language.available(probe, cmdlet, estate.peek(session.host))
    return (cmdlet, CMDLETS[cmdlet.name]) if here else None


class _Nowhere:
    """Streams that nobody reads."""

    def error(self, error: CmdletError, cmdlet: binder.Cmdlet) -> None:
        """Nothing."""

    def warning(self, message: str) -> None:
        """Nothing."""

    def verbose(self, message: str) -> None:
        """Nothing."""

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Nothing."""


WINDOWS = Endpoint(
    service="windows",
    port=places.PORT,
    path="/wsman",
    title="Microsoft.PowerShell",
    configurations=("microsoft.powershell", "microsoft.powershell32"),
    basic="basic",
    admits=lambda account: account.administrator or account.remote,
    open=lambda _estate, _session: None,
    find=_find,
    bind=binder.bind,
    is_write=is_write,
    check=lambda _session, _names: None,
)
