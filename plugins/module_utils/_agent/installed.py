# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is there of the agent on a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product, version
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.version import Version
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Names
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, NotFound, PermissionDenied
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host as registry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment, shown


@dataclass(frozen=True)
class Service:
    """A service; ``account`` and ``process`` are None where they were not asked for or are not told."""

    name: str
    status: str
    start_type: str
    account: str | None = None
    process: int | None = field(default=None, compare=False)

    @property
    def running(self) -> bool:
        return self.status == "Running"

    @property
    def automatic(self) -> bool:
        return self.start_type == "Automatic"

    @property
    def account_name(self) -> str:
        """The account without its domain."""
        return (self.account or "").rpartition("\\")[2]


@dataclass(frozen=True)
class Installed:
    """``domains`` None means that the host does not tell; ``started`` is when the service's process began."""

    program: registry.Program | None = None
    file_version: str | None = None
    service: Service | None = None
    updater: Service | None = None
    started: datetime | None = None
    domains: tuple[str, ...] | None = None
    domains_unknown: str = ""
    trace: bool = False

    @property
    def there(self) -> bool:
        """Whether any of it is installed."""
        return self.program is not None or self.file_version is not None or self.service is not None

    @property
    def version(self) -> str | None:
        """What runs there: the version of the program's file, else the one of the programs list."""
        return self.file_version or (self.program.version if self.program else None) or None

    @property
    def version_number(self) -> Version | None:
        return version.parse(self.version)


class Module:
    """The agent's own PowerShell module, imported once for each session of the host."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path
        self._imported = 0

    def run(self, cmdlet: Cmdlet, timeout: float | None = None) -> list[Any]:
        """Run one of its cmdlets."""
        if not self.ready:
            self._host.run(Cmdlet("Import-Module", {"Name": [self._path]}))
            self._imported = self._host.generation
        return self._host.run(cmdlet, timeout=timeout)

    @property
    def ready(self) -> bool:
        """Whether the session that imported it, and may have signed in, is still the one in use."""
        return self._imported != 0 and self._imported == self._host.generation


def read(host: Host, names: Names) -> Installed:
    """What is installed, how its services are, and which domains it says it serves."""
    service = read_service(host, names.service, with_account=True)
    program = registry.find_program(host, names.program_names)
    file = registry.row(
        host,
        Cmdlet("Get-Item", {"LiteralPath": [names.program]}),
        Cmdlet("Select-Object", {"ExpandProperty": "VersionInfo"}),
    )
    file_version = str(file.get("ProductVersion") or file.get("FileVersion") or "").strip() or None
    domains, why = _domains(host, names) if file_version else (None, "")
    return Installed(
        program=program,
        file_version=file_version,
        service=service,
        updater=read_service(host, names.updater_service),
        started=started(host, service),
        domains=domains,
        domains_unknown=why,
        trace=registry.exists(host, names.trace_folder),
    )


def read_service(host: Host, name: str, with_account: bool = False) -> Service | None:
    """A service, or None where there is none of that name."""
    found = registry.row(host, Cmdlet("Get-Service", {"Name": [name]}))
    if not found:
        return None
    more: dict[str, Any] = {}
    if with_account:
        wanted = {"ClassName": "Win32_Service", "Filter": f"Name='{_literal(name)}'"}
        more = registry.row(host, Cmdlet("Get-CimInstance", wanted))
    return Service(
        name=name,
        status=str(found.get("Status") or ""),
        start_type=str(found.get("StartType") or ""),
        account=str(more["StartName"]) if more.get("StartName") else None,
        process=registry.number(more.get("ProcessId")),
    )


def started(host: Host, service: Service | None) -> datetime | None:
    """When the process of a running service began; None where that is not told."""
    if service is None or not service.running or not service.process:
        return None
    found = registry.row(host, Cmdlet("Get-Process", {"Id": [service.process]}))
    return moment(str(found.get("StartTime") or ""))


def _domains(host: Host, names: Names) -> tuple[tuple[str, ...] | None, str]:
    if not names.domains_cmdlet:
        return None, "domains_cmdlet is off."
    try:
        found = Module(host, names.module).run(Cmdlet(product.DOMAINS_CMDLET))
    except (Conflict, NotFound, PermissionDenied) as error:
        return None, error.message
    listed = (row.get("DomainName") or row.get("Name") if isinstance(row, dict) else row for row in found)
    return tuple(str(name).lower() for name in listed if name), ""


def _literal(text: str) -> str:
    """A text in a WQL literal."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def as_result(found: Installed) -> dict[str, Any]:
    """What is installed, for the result of a module."""
    return {
        "installed": found.there,
        "version": found.version,
        "service": _service(found.service),
        "updater_service": _service(found.updater),
        "account": found.service.account if found.service else None,
        "service_started": shown(found.started),
        "domains": None if found.domains is None else list(found.domains),
        "trace_folder_exists": found.trace,
    }


def _service(service: Service | None) -> dict[str, str] | None:
    return {"status": service.status, "start_type": service.start_type} if service else None
