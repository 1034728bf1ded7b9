# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a host, to be set by name: unfit systems, and an agent or installer that misbehaves.

Setting one changes the host's state once, so that whoever mends the state has mended the host; ``behaviour`` stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.lab.clock import iso
from tests.lab.exchange_server import setup
from tests.lab.windows import happenings, installing, paths, places, state
from tests.lab.windows.places import HostAddress

if TYPE_CHECKING:
    from tests.lab.windows.estate import Estate

Document = dict[str, Any]


# A host's document, its forest's, the value, the estate, the host.
Apply = Callable[[Document, Document, str, "Estate", HostAddress], None]


@dataclass(frozen=True)
class Condition:
    """One thing to set: its values (the first is the healthy one) and what setting it does."""

    name: str
    values: tuple[str, ...]
    doc: str
    apply: Apply


def _system(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    caption, version, product = {
        "2022": ("Microsoft Windows Server 2022 Standard", "10.0.20348", "Windows Server 2022 Standard"),
        "2016": ("Microsoft Windows Server 2016 Standard", "10.0.14393", "Windows Server 2016 Standard"),
        "2012r2": ("Microsoft Windows Server 2012 R2 Standard", "6.3.9600", "Windows Server 2012 R2 Standard"),
        "windows11": ("Microsoft Windows 11 Enterprise", "10.0.22631", "Windows 10 Enterprise"),
    }[value]
    build, client = version.rpartition(".")[2], value == "windows11"
    document["os"] |= {
        "Caption": caption,
        "Version": version,
        "BuildNumber": build,
        "ProductType": 1 if client else 3,
        "OperatingSystemSKU": 4 if client else 7,
    }
    current = document["registry"][places.CURRENT_VERSION]
    current |= {
        "ProductName": state.string(product),
        "CurrentBuild": state.string(build),
        "CurrentBuildNumber": state.string(build),
        "InstallationType": state.string("Client" if client else "Server"),
    }
    if value == "2012r2":  # there TLS 1.2 has to be switched on for .NET, and .NET 4.7 is not part of the system
        document["registry"][places.DOTNET_FULL]["Release"] = state.dword(378675)


def _core(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    name, sku = ("Server Core", 13) if value == "yes" else ("Server", 7)
    document["registry"][places.CURRENT_VERSION]["InstallationType"] = state.string(name)
    document["os"]["OperatingSystemSKU"] = sku


def _workgroup(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    computer = document["computer"]
    computer.setdefault("joined", computer["Domain"])
    computer["PartOfDomain"] = value == "no"
    computer["Domain"] = computer["joined"] if value == "no" else "WORKGROUP"
    computer["DomainRole"] = 3 if value == "no" else 2


def _memory(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    document["computer"]["TotalPhysicalMemory"] = int(value) * state.GIGABYTE


def _dotnet(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    release, version = {"4.8": (528449, "4.8.04161"), "4.7": (460805, "4.7.02053"), "4.6": (393297, "4.6.00081")}[value]
    document["registry"][places.DOTNET_FULL] |= {"Release": state.dword(release), "Version": state.string(version)}


def _tls(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    registry = document["registry"]
    for key in (places.DOTNET, places.DOTNET_32):
        registry[key] = {name: state.dword(1) for name in ("SystemDefaultTlsVersions", "SchUseStrongCrypto")}
        if value == "dotnet_off":
            registry[key] = {}
    paths.remove_below(registry, places.TLS_12)
    if value == "schannel_off":
        for side in ("Client", "Server"):
            paths.with_parents(registry, rf"{places.TLS_12}\{side}", dict)
            registry[rf"{places.TLS_12}\{side}"] = {"Enabled": state.dword(0), "DisabledByDefault": state.dword(1)}


def _policy(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    document["executionPolicy"]["LocalMachine"] = value
    document["executionPolicy"]["MachinePolicy"] = "Undefined"


def _policy_by_group(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    document["executionPolicy"]["MachinePolicy"] = value


def _vault(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    document["services"][places.VAULT_SERVICE]["StartType"] = value
    if value == "Disabled":
        document["services"][places.VAULT_SERVICE]["Status"] = "Stopped"


def _blocked(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    document["blocked"] = [] if value in ("", "none") else [one.strip().lower() for one in value.split(",")]


def _pending(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    installing.set_reboot_pending(document, pending=False)
    registry = document["registry"]
    if value in ("yes", "servicing"):
        paths.with_parents(registry, places.REBOOT_PENDING, dict)
    elif value == "update":
        paths.with_parents(registry, places.REBOOT_REQUIRED, dict)
    elif value == "renames":
        installing.set_reboot_pending(document, pending=True)


def _without(module: str) -> Apply:
    def apply(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
        document["without"] = [one for one in document["without"] if one != module]
        if value == "absent":
            document["without"].append(module)

    return apply


def _behaviour(name: str) -> Apply:
    def apply(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
        document["behaviour"][name] = value

    return apply


def _inactive(document: Document, _forest: Document, value: str, _estate: Estate, _host: HostAddress) -> None:
    document["behaviour"]["inactive_in_graph"] = value == "inactive"


def _kds(_document: Document, forest: Document, value: str, estate: Estate, _host: HostAddress) -> None:
    now = estate.now()
    effective = now + timedelta(hours=10) if value == "not_yet" else now - timedelta(days=90)
    created = effective - timedelta(hours=10)
    key = {
        "KeyId": "7f1d2c3b-5a69-4c88-9b1e-2f3a4b5c6d7e",
        "CreationTime": iso(created),
        "EffectiveTime": iso(effective),
    }
    forest["kdsKeys"] = [] if value == "none" else [key]


def _schema(_document: Document, _forest: Document, value: str, estate: Estate, host: HostAddress) -> None:
    if estate.directory is not None:
        estate.directory.hide_attribute(host.tenant, hidden=value == "2012")


_ALL = (
    Condition("system", ("2022", "2016", "2012r2", "windows11"), "the Windows version", _system),
    Condition("server_core", ("no", "yes"), "Server Core, without a desktop", _core),
    Condition("workgroup", ("no", "yes"), "member of a workgroup instead of the domain", _workgroup),
    Condition("memory_gb", ("8", "4", "2"), "memory in gigabytes", _memory),
    Condition("dotnet", ("4.8", "4.7", "4.6"), "newest .NET Framework (4.7.1 is needed)", _dotnet),
    Condition("tls12", ("on", "dotnet_off", "schannel_off"), "TLS 1.2: not for .NET, or off in the system", _tls),
    Condition(
        "execution_policy",
        ("RemoteSigned", "Undefined", "Unrestricted", "AllSigned", "Restricted", "Bypass"),
        "PowerShell's execution policy of the machine",
        _policy,
    ),
    Condition(
        "execution_policy_by_group_policy",
        ("Undefined", "RemoteSigned", "Unrestricted", "AllSigned", "Restricted"),
        "the same by group policy, which Set-ExecutionPolicy cannot change",
        _policy_by_group,
    ),
    Condition("vault", ("Manual", "Automatic", "Disabled"), "start type of the Credential Manager service", _vault),
    Condition("blocked", ("none",), "names (or *.patterns) that the host cannot reach, comma-joined", _blocked),
    Condition(
        "reboot_pending", ("no", "yes", "servicing", "update", "renames"), "waits for a restart, and why", _pending
    ),
    Condition(
        "installer",
        ("0", "1603", "3010", "1641", "hangs"),
        "exit code of the agent's installer, or that it never ends",
        _behaviour("installer"),
    ),
    Condition(
        "service",
        ("ok", "stuck", "logon", "timeout"),
        "the agent's service stays in StartPending, or fails with error 1069 or 1053",
        _behaviour("service"),
    ),
    Condition("graph", ("active", "inactive"), "an agent that runs, but that Graph shows as inactive", _inactive),
    Condition("share", ("reachable", "unreachable"), "the software share", _behaviour("share")),
    Condition("url", ("reachable", "unreachable"), "the download address", _behaviour("url")),
    Condition("kds", ("effective", "not_yet", "none"), "the forest's KDS root key", _kds),
    Condition(
        "schema", ("2016", "2012"), "the forest's schema: whether it has msDS-ExternalDirectoryObjectId", _schema
    ),
    Condition("ad_module", ("present", "absent"), "PowerShell's ActiveDirectory module", _without("ActiveDirectory")),
    Condition("kds_module", ("present", "absent"), "PowerShell's Kds module", _without("KDS")),
    Condition("basic", ("off", "on"), "WinRM takes Basic authentication", _behaviour("basic")),
    Condition("exchange_basic", ("off", "on"), "Exchange's endpoint takes Basic", _behaviour("exchange_basic")),
    Condition(
        "setup", setup.BEHAVIOURS, "what Exchange's Setup does; fails, hangs and dies: once", _behaviour("setup")
    ),
    Condition("winrm", ("up", "access_denied"), "WinRM refuses every account", _behaviour("winrm")),
)
CONDITIONS = {one.name: one for one in _ALL}


def set_conditions(estate: Estate, host: HostAddress, changes: dict[str, str]) -> None:
    """Set some, all or none; ValueError for a name or value that there is not."""
    for name, value in changes.items():
        known = CONDITIONS.get(name)
        if known is None:
            raise ValueError(f"A Windows host has no condition {name!r}; it has {', '.join(CONDITIONS)}.")
        number = name == "memory_gb" and value.isdigit()
        if value not in known.values and not (name == "blocked" or number):
            raise ValueError(f"{name} is one of {', '.join(known.values)}, not {value!r}.")
    with estate.forest(host.tenant) as forest, estate.change(host) as document:
        document.setdefault("conditions", {})
        for name, value in changes.items():
            CONDITIONS[name].apply(document, forest, value, estate, host)
            document["conditions"][name] = value


def restart(estate: Estate, host: HostAddress) -> None:
    """The host restarts now, as if somebody pressed its button."""
    with estate.change(host) as document:
        happenings.go_away(document, estate)
    estate.cut(host)


def switch_off(estate: Estate, host: HostAddress) -> None:
    """The host has no power from now on."""
    with estate.change(host) as document:
        happenings.power_off(document)
    estate.cut(host)


def switch_on(estate: Estate, host: HostAddress) -> None:
    """The host has power again, and is there at once."""
    with estate.change(host) as document:
        happenings.power_on(document, estate)


STEERS = {"restart": restart, "off": switch_off, "on": switch_on}
