# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Reading a Windows host: what is not there is no error. Names of keys are those of every Windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

PENDING_KEYS = (
    r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
)
SESSION_MANAGER = r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager"
PENDING_VALUE = "PendingFileRenameOperations"
UNINSTALL_KEYS = (
    r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*",
    r"HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*",
)
_LISTED = ["DisplayName", "DisplayVersion", "BundleVersion", "QuietUninstallString", "UninstallString"]


class Host(Protocol):
    """A Windows server."""

    @property
    def host(self) -> str: ...

    def run(self, *pipeline: Cmdlet, timeout: float | None = None, partial: bool = False) -> list[Any]: ...


@dataclass(frozen=True)
class Program:
    """An entry of the programs list. ``removal`` is the command that removes it."""

    name: str
    version: str
    removal: str


def rows(host: Host, *pipeline: Cmdlet, partial: bool = False) -> list[dict[str, Any]]:
    """The objects of a pipeline; none where what it asks for does not exist. partial: some may be unreadable."""
    try:
        found = host.run(*pipeline, partial=partial)
    except NotFound as error:
        if is_missing_command(error):
            raise
        return []
    return [row for row in found if isinstance(row, dict)]


def row(host: Host, *pipeline: Cmdlet) -> dict[str, Any]:
    """The first object of a pipeline, or nothing."""
    return next(iter(rows(host, *pipeline)), {})


def values(host: Host, key: str) -> Mapping[str, Any]:
    """The values of a registry key, by their names; nothing where there is no such key."""
    return row(host, Cmdlet("Get-ItemProperty", {"LiteralPath": [key]}))


def exists(host: Host, path: str) -> bool:
    """Whether a file, a folder or a registry key is there."""
    return host.run(Cmdlet("Test-Path", {"LiteralPath": [path]})) == [True]


def is_missing_command(error: NotFound) -> bool:
    """Whether the host does not have the cmdlet at all."""
    return "CommandNotFound" in str(error.facts.get("error_id") or "")


def number(value: Any) -> int | None:
    """A value of the registry or of CIM as a number; None where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def pending(host: Host) -> tuple[str, ...]:
    """What waits for a restart of the host; nothing where none is pending."""
    found = [key for key in PENDING_KEYS if exists(host, key)]
    renames = values(host, SESSION_MANAGER).get(PENDING_VALUE)
    return (*found, *((rf"{SESSION_MANAGER}\{PENDING_VALUE}",) if renames else ()))


def find_program(host: Host, wanted: Sequence[str]) -> Program | None:
    """The entry of the programs list with one of these names."""
    by_name = {name.lower() for name in wanted}
    listed = Cmdlet("Get-ItemProperty", {"Path": list(UNINSTALL_KEYS)})
    # Some programs leave values there that PowerShell cannot read; they are none of ours.
    for entry in rows(host, listed, Cmdlet("Select-Object", {"Property": _LISTED}), partial=True):
        name = str(entry.get("DisplayName") or "")
        if name.lower() in by_name:
            return Program(
                name=name,
                version=str(entry.get("DisplayVersion") or entry.get("BundleVersion") or ""),
                removal=str(entry.get("QuietUninstallString") or entry.get("UninstallString") or ""),
            )
    return None


def process_ids(host: Host, name: str) -> list[int]:
    """The processes of a program by its name without its ending."""
    found = rows(host, Cmdlet("Get-Process", {"Name": [name]}))
    return [identifier for entry in found if (identifier := number(entry.get("Id"))) is not None]
