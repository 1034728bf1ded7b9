# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a Windows host says of itself, as far as the agent needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.product import Endpoint
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
    PermissionDenied,
    Timeout,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host as registry

# What one fact that cannot be read raises; a lost connection ends the run instead.
UNREADABLE = (Conflict, NotFound, PermissionDenied, Timeout)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Machine:
    """Who the host is. ``name`` is its full DNS name, as Graph shows it; ``boot_time`` its last start."""

    name: str
    domain: str | None
    caption: str
    build: int | None
    product_type: int | None
    memory: int | None
    boot_time: str | None


@dataclass(frozen=True)
class HostFacts:
    """What the prerequisites are judged by. ``unknown`` has the reason for each part that could not be read."""

    installation_type: str | None = None
    net_release: int | None = None
    net_strong: Mapping[str, int | None] = field(default_factory=dict)
    schannel: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=dict)
    vault: str | None = None
    pending: tuple[str, ...] = ()
    outbound: Mapping[Endpoint, bool] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)


def machine(host: Host) -> Machine:
    """Who the host is. Errors are those of the first contact with it."""
    system = registry.row(host, Cmdlet("Get-CimInstance", {"ClassName": "Win32_OperatingSystem"}))
    computer = registry.row(host, Cmdlet("Get-CimInstance", {"ClassName": "Win32_ComputerSystem"}))
    domain = str(computer.get("Domain") or "") if computer.get("PartOfDomain") else ""
    short = str(computer.get("DNSHostName") or computer.get("Name") or host.host)
    return Machine(
        name=(f"{short}.{domain}" if domain and "." not in short else short).lower(),
        domain=domain.lower() or None,
        caption=str(system.get("Caption") or "Windows"),
        build=registry.number(system.get("BuildNumber")),
        product_type=registry.number(system.get("ProductType")),
        memory=registry.number(computer.get("TotalPhysicalMemory")),
        boot_time=str(system["LastBootUpTime"]) if system.get("LastBootUpTime") else None,
    )


def read(host: Host, outbound: tuple[Endpoint, ...]) -> HostFacts:
    """All that the prerequisites need. What cannot be read is noted, and the rest is read."""
    unknown: dict[str, str] = {}

    def part(name: str, reader: Callable[[], Value], empty: Value) -> Value:
        try:
            return reader()
        except UNREADABLE as error:
            unknown[name] = error.message
            return empty

    nothing: Mapping[str, Any] = {}
    version = part("installation_type", lambda: registry.values(host, product.CURRENT_VERSION), nothing)
    return HostFacts(
        installation_type=str(version["InstallationType"]) if version.get("InstallationType") else None,
        net_release=part(
            "dotnet", lambda: registry.number(registry.values(host, product.NET_FULL).get("Release")), None
        ),
        net_strong=part("tls12_dotnet", lambda: _strong(host), {}),
        schannel=part("tls12_schannel", lambda: _schannel(host), {}),
        policies=part("execution_policy", lambda: _policies(host), {}),
        vault=part("vault_service", lambda: _start_type(host, product.VAULT_SERVICE), None),
        pending=part("reboot_pending", lambda: registry.pending(host), ()),
        outbound=part("outbound", lambda: {endpoint: _reaches(host, endpoint) for endpoint in outbound}, {}),
        unknown=unknown,
    )


def _strong(host: Host) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for key in product.NET_STRONG:
        held = registry.values(host, key)
        found |= {rf"{key}\{name}": registry.number(held.get(name)) for name in product.NET_STRONG_VALUES}
    return found


def _schannel(host: Host) -> dict[str, Mapping[str, int | None]]:
    found: dict[str, Mapping[str, int | None]] = {}
    for side in product.SCHANNEL_SIDES:
        held = registry.values(host, rf"{product.SCHANNEL}\{side}")
        found[side] = {name: registry.number(held.get(name)) for name in ("Enabled", "DisabledByDefault")}
    return found


def _policies(host: Host) -> dict[str, str]:
    listed = registry.rows(host, Cmdlet("Get-ExecutionPolicy", {"List": True}))
    return {str(entry.get("Scope")): str(entry.get("ExecutionPolicy")) for entry in listed}


def _start_type(host: Host, service: str) -> str | None:
    found = registry.row(host, Cmdlet("Get-Service", {"Name": [service]}))
    return str(found["StartType"]) if found.get("StartType") else None


def _reaches(host: Host, endpoint: Endpoint) -> bool:
    tested = registry.row(host, Cmdlet("Test-NetConnection", {"ComputerName": endpoint.host, "Port": endpoint.port}))
    return bool(tested.get("TcpTestSucceeded"))


def text(error: HybridError | Exception) -> str:
    """An error as evidence."""
    return error.message if isinstance(error, HybridError) else str(error)


def as_result(found: Machine) -> dict[str, Any]:
    """A machine for the result of a module."""
    return {"name": found.name, "domain": found.domain, "system": found.caption, "build": found.build}
