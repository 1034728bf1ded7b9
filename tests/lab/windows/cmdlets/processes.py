# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: the installer runs as one, for as long as the lab says, or until somebody stops it."""

from __future__ import annotations

import time
from typing import Any

from tests.lab.exchange_server import setup
from tests.lab.windows import happenings, installing, paths, services, state
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.items import when
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Obj, int64

Document = dict[str, Any]
_TYPES = (
    "System.Diagnostics.Process",
    "System.ComponentModel.Component",
    "System.MarshalByRefObject",
    "System.Object",
)
_EXCEPTION = "Microsoft.PowerShell.Commands.ProcessCommandException"
_POLL_S, _SLOWEST_POLL_S = 0.05, 0.5
_PROGRESS_S = 1.0


def process_object(identifier: int, one: Document, code: int | None = None, waited: bool = False) -> Obj:
    """The object for a process; its exit code is only known to who waited for it."""
    name = one["name"]
    own: dict[str, Any] = {
        "Id": identifier,
        "ProcessName": name,
        "HasExited": code is not None,
        "ExitCode": code if waited else None,
        "StartTime": when(one["started"]),
        "MachineName": ".",
        "SessionId": 0,
        "Responding": True,
        "WorkingSet64": int64(25_165_824),
        "HandleCount": 212,
        "MainModule": f"System.Diagnostics.ProcessModule ({paths.name_of(one['path'])})",
    }
    notes = {"Name": name, "Path": one["path"], "Handles": 212, "SI": 0}
    return Obj(_TYPES, own, f"System.Diagnostics.Process ({name})", notes, identifier)


def start_process(call: Call) -> None:
    """Start-Process."""
    path = str(call.get("FilePath"))
    arguments = [str(one) for one in call.many("ArgumentList")]
    if call.get("Credential") is not None and call.get("Verb"):
        raise CmdletError(
            "Parameter set cannot be resolved using the specified named parameters.",
            "AmbiguousParameterSet",
            "InvalidArgument",
            terminating=True,
        )
    with call.state() as document:
        real, data = _program(document, path)
        deed = installing.plan(data, real, arguments, document) or {"kind": "exit", "code": 0}
        hangs = deed["kind"] == "asks" or (
            deed["kind"] in ("install", "uninstall") and document["behaviour"].get("installer") == "hangs"
        )
        seconds = None if hangs else float(call.estate.scenario["installer_s"])
        if deed["kind"] == setup.KIND:
            credential = call.get("Credential")
            account = credential.user.rpartition("\\")[2] if credential is not None else call.account
            deed |= {"account": account, "delegates": credential is not None or call.session.delegates}
            seconds = setup.begin(document, deed, call.estate)
        name = paths.name_of(real).rpartition(".")[0]
        identifier, process = happenings.start(document, call.estate, real, name, deed, seconds)
    if not call.get("Wait"):
        if call.get("PassThru"):
            call.write(process_object(identifier, process))
        return
    code = _await(call, identifier, f"Waiting for {name}")
    if call.get("PassThru"):
        call.write(process_object(identifier, process, code, waited=True))


def _program(document: Document, path: str) -> tuple[str, bytes]:
    """A program's real path and content; an error where there is none."""
    area, whole = paths.located(path)
    if "\\" not in whole:
        whole = rf"C:\Windows\System32\{whole}" + ("" if whole.lower().endswith(".exe") else ".exe")
    real = paths.key_of(document["files"], whole) if area == paths.FILES else None
    if real is None or document["files"][real].get("folder"):
        raise CmdletError(
            "This command cannot be run due to the error: The system cannot find the file specified.",
            "InvalidOperationException",
            "InvalidOperation",
            "System.InvalidOperationException",
            terminating=True,
        )
    return real, state.bytes_of(document["files"][real])


def _await(call: Call, identifier: int, activity: str, deadline: float | None = None) -> int | None:
    """Wait until a process is over; its exit code, or None when ``deadline`` (of the machine's clock) came first."""
    told, pause = time.monotonic(), _POLL_S
    while True:
        with call.state() as document:
            if str(identifier) not in services.processes(document):
                return int(document["ended"].get(str(identifier), happenings.KILLED))
        if deadline is not None and time.monotonic() > deadline:
            return None
        if time.monotonic() - told >= _PROGRESS_S:
            told = time.monotonic()
            call.sink.progress(activity, "running", -1)
        left = pause if deadline is None else max(_POLL_S, deadline - time.monotonic())
        call.wait(min(pause, left))
        # Many wait for what never ends, their clients long gone: together they must not keep the lab busy.
        pause = min(1.5 * pause, _SLOWEST_POLL_S)


def _chosen(call: Call, document: Document) -> list[int]:
    """Ids of the processes that the call is about; an error for each that does not exist."""
    running = services.processes(document)
    found: list[int] = []
    for one in [*call.many("Id"), *(piped.key for piped in call.many("InputObject") if isinstance(piped, Obj))]:
        if str(one) in running:
            found.append(int(one))
        else:
            call.error(
                CmdletError(
                    f"Cannot find a process with the process identifier {one}.",
                    "NoProcessFoundForGivenId",
                    "ObjectNotFound",
                    _EXCEPTION,
                    int(one),
                )
            )
    for wanted in map(str, call.many("Name")):
        hits = [int(key) for key, one in running.items() if paths.matches(one["name"], wanted)]
        if not hits and not paths.has_wildcard(wanted):
            call.error(
                CmdletError(
                    f'Cannot find a process with the name "{wanted}". Verify the process name and call the cmdlet '
                    "again.",
                    "NoProcessFoundForGivenName",
                    "ObjectNotFound",
                    _EXCEPTION,
                    wanted,
                )
            )
        found += hits
    return found


def get_process(call: Call) -> None:
    """Get-Process."""
    with call.state() as document:
        asked = call.many("Id") or call.many("Name") or call.many("InputObject")
        running = services.processes(document)
        chosen = _chosen(call, document) if asked else [int(one) for one in running]
        for identifier in sorted(chosen):
            call.write(process_object(identifier, running[str(identifier)]))


def stop_process(call: Call) -> None:
    """Stop-Process."""
    with call.state() as document:
        for identifier in _chosen(call, document):
            if call.what_if:
                continue
            one = services.processes(document)[str(identifier)]
            if "service" in one:
                services.stop(document, one["service"])
            happenings.end(document, str(identifier), happenings.KILLED)
            if call.get("PassThru"):
                call.write(process_object(identifier, one, happenings.KILLED))


def wait_process(call: Call) -> None:
    """Wait-Process; -Timeout in seconds."""
    seconds = call.get("Timeout")
    deadline = None if seconds is None else time.monotonic() + int(seconds)
    with call.state() as document:
        running = services.processes(document)
        chosen = [(one, running[str(one)]["name"]) for one in _chosen(call, document)]
    for identifier, name in chosen:
        if _await(call, identifier, f"Waiting for {name}", deadline) is None:
            call.error(
                CmdletError(
                    f'This command stopped operation because process "{name} ({identifier})" is not '
                    "stopped in the specified time-out.",
                    "ProcessNotTerminated",
                    "CloseError",
                    "System.TimeoutException",
                    name,
                )
            )


CMDLETS: dict[str, Implementation] = {
    "Get-Process": get_process,
    "Start-Process": start_process,
    "Stop-Process": stop_process,
    "Wait-Process": wait_process,
}
