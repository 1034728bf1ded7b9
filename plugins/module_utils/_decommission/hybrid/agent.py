# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The hybrid agent of a modern hybrid: its registrations, then the program on its server.

A registration is known by its id, which Exchange Online's organization relationship or migration endpoint holds.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import Known, text
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, InputError, Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import command_line, windows_host
from ansible_collections.hybrid.exchange.plugins.module_utils._run.settle import settle

REGISTRATION, PROGRAM = "registration", "program"
# Switches for a removal that asks nobody, for a setup of Windows Installer and for others. [inf]
_QUIET = {"msiexec.exe": ("/quiet", "/norestart")}
_DONE = (0, 3010)
NO_HOST = (
    "Exchange Online knows a hybrid agent of this organization. Give windows_host, the server that it runs on, with "
    "its account; or name hybrid_agent in keep, and remove it by hand."
)
NO_ACCOUNT = (
    "Taking back the registration of the hybrid agent takes an administrator of the tenant: give hybrid_agent_user and "
    "hybrid_agent_password."
)


def read(ends: Ends, wanted: Wanted, known: Known) -> list[dict[str, Any]]:
    """The registrations that the agent's module shows, and the program; without a server only what the cloud knows."""
    if ends.host is None:
        return [
            {"Name": guid, "Part": REGISTRATION, "AppId": guid, "Server": None}
            for guid in sorted(known.application_ids)
        ]
    host = ends.host
    found: list[dict[str, Any]] = []
    if windows_host.exists(host, wanted.agent_module):
        for row in _in_module(host, wanted, Cmdlet("Get-HybridApplication")):
            guid = text(row.get("AppId") or row.get("Id")).lower()
            found.append({**row, "Name": guid, "Part": REGISTRATION, "AppId": guid, "Server": host.host})
    program = windows_host.find_program(host, wanted.agent_programs)
    if program is not None:
        found.append(
            {
                "Name": program.name,
                "Part": PROGRAM,
                "Version": program.version,
                "Removal": program.removal,
                "Server": host.host,
            }
        )
    return found


def remove_registration(ends: Ends, wanted: Wanted, guid: str) -> None:
    """Take a registration back, as an administrator of the tenant."""
    if wanted.agent_credential is None:
        raise InputError(NO_ACCOUNT)
    remove = Cmdlet("Remove-HybridApplication", {"AppId": guid, "Credential": wanted.agent_credential})
    host = given(ends)
    settle(
        lambda: _in_module(host, wanted, remove),
        lambda: all(
            text(row.get("AppId") or row.get("Id")).lower() != guid
            for row in _in_module(host, wanted, Cmdlet("Get-HybridApplication"))
        ),
    )


def remove_program(ends: Ends, wanted: Wanted, removal: str) -> None:
    """Remove the program by the command that the programs list keeps for it, taken apart."""
    host = given(ends)
    command = command_line.parse(removal)
    file = command.program.lower().rpartition("\\")[2]
    missing = [word for word in _QUIET.get(file, ("/quiet", "/norestart")) if word not in command.arguments]
    start = Cmdlet(
        "Start-Process",
        {
            "FilePath": command.program,
            "ArgumentList": [*command.arguments, *missing],
            "Wait": True,
            "PassThru": True,
        },
    )
    last = Cmdlet("Select-Object", {"Last": 1, "Property": ["Id", "ExitCode"]})
    try:
        rows = host.run(start, last, timeout=wanted.uninstall_timeout)
    except Unavailable as error:
        if not error.facts.get("uncertain"):
            raise
        return  # what became of it is read back
    code = next((windows_host.number(row.get("ExitCode")) for row in rows if isinstance(row, dict)), None)
    if code not in _DONE:
        raise Conflict(
            f"The uninstaller of the hybrid agent ended on {host.host} with exit code {code}. Its log lies in "
            r"%LocalAppData%\Temp of the account that ran it.",
            host=host.host,
            exit_code=code,
        )


def given(ends: Ends) -> Host:
    """The agent's server; InputError where none is given."""
    if ends.host is None:
        raise InputError(NO_HOST)
    return ends.host


def _in_module(host: Host, wanted: Wanted, cmdlet: Cmdlet) -> list[dict[str, Any]]:
    """Run a cmdlet of the agent's module, which each session has to import."""
    windows_host.rows(host, Cmdlet("Import-Module", {"Name": [wanted.agent_module]}))
    return windows_host.rows(host, cmdlet)
