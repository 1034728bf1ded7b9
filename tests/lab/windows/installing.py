# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's installer: what each run of it does to a host, by its exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.lab.clock import iso
from tests.lab.exchange_server import hybrid_agent, setup
from tests.lab.windows import paths, places, services, software, state
from tests.lab.windows.places import HostAddress

if TYPE_CHECKING:
    from tests.lab.windows.estate import Estate

Document = dict[str, Any]
FAILED, REBOOT_NEEDED, RESTARTS = 1603, 3010, 1641
UNKNOWN_ARGUMENT, NEWER_INSTALLED, UNKNOWN_PRODUCT = 1639, 1638, 1605
_OLDEST_BUILD = 14393  # Windows Server 2016
_ENVIRONMENT = re.compile(r"ENVIRONMENTNAME=\"?(\w+)\"?", re.IGNORECASE)
_PRODUCT = {"azure_ad": "Microsoft Azure AD Connect", "entra": "Microsoft Entra"}


def plan(data: bytes | None, path: str, arguments: list[str], document: Document) -> Document | None:
    """What a program will do when it is run: kind and particulars; None for a program that does nothing known."""
    words = [word for one in arguments for word in one.split()]
    lower = [word.lower() for word in words]
    if paths.name_of(path).lower() in ("msiexec.exe", "msiexec"):
        return _msi_plan(" ".join(words))
    said = software.about(data or b"")
    if said is not None and said.get("product") == setup.PRODUCT:
        return setup.plan(words)
    if said is not None and said.get("product") == hybrid_agent.PRODUCT:
        return hybrid_agent.plan(lower)
    if said is None or said.get("product") != "installer":
        return None
    if not {"/quiet", "/q", "/passive"} & set(lower):
        return {"kind": "asks"}  # a window opens that nobody will ever see
    known = ("/quiet", "/q", "/passive", "/norestart", "/uninstall", "/install", "/log", "/repair")
    if any(word.startswith("/") and word not in known for word in lower):
        return {"kind": "exit", "code": UNKNOWN_ARGUMENT}
    if "/uninstall" in lower:
        return {"kind": "uninstall", "version": said["version"]}
    found = _ENVIRONMENT.search(" ".join(words))
    return {
        "kind": "install",
        "version": said["version"],
        "path": path,
        "norestart": "/norestart" in lower,
        "environment": found[1] if found else "AzureCloud",
    }


def _msi_plan(line: str) -> Document:
    found = re.search(r"/x\s*\"?(\{[0-9a-f-]+\})", line, re.IGNORECASE)
    if found is None:
        return {"kind": "exit", "code": UNKNOWN_ARGUMENT}
    return {"kind": "msi", "product": found[1]} if re.search(r"/(q|quiet)", line, re.IGNORECASE) else {"kind": "asks"}


def finish(document: Document, process: Document, estate: Estate, host: HostAddress) -> int:
    """Carry out what a process was started for; returns its exit code."""
    deed = process["deed"]
    kind = deed.get("kind")
    if kind == "install":
        return _install(document, deed, estate)
    if kind == "uninstall":
        return _uninstall(document, estate, host)
    if kind == "msi":
        return _uninstall_package(document, deed["product"], estate, host)
    if kind == setup.KIND:
        return setup.finish(document, process, estate, host)
    if kind == hybrid_agent.KIND:
        return hybrid_agent.uninstall(document)
    return int(deed.get("code", 0))


def _install(document: Document, deed: Document, estate: Estate) -> int:
    wanted = str(document["behaviour"].get("installer", "0"))
    old = document["installation"]
    if old is not None and _number(old["version"]) > _number(deed["version"]):
        return NEWER_INSTALLED
    if wanted == str(FAILED) or int(document["os"]["BuildNumber"]) < _OLDEST_BUILD:
        stamp = estate.now().strftime("%Y%m%d%H%M%S")
        log = rf"C:\Windows\Temp\Microsoft_Azure_AD_Connect_Provisioning_Agent_{stamp}.log"
        text = b"i399: Apply complete, result: 0x80070643, restart: None, ba requested restart: No\r\n"
        document["files"][log] = state.file(text, iso(estate.now()))
        return FAILED
    data = state.bytes_of(document["files"].get(deed["path"], {})) or software.content(deed["version"])
    names = str(estate.scenario["agent_names"])
    install(document, deed["version"], data, deed["environment"], names, estate.clock.timestamp())
    document["files"][places.AGENT_FOLDER]["modified"] = iso(estate.now())
    if wanted in (str(REBOOT_NEEDED), str(RESTARTS)):
        set_reboot_pending(document, pending=True)
        return REBOOT_NEEDED if deed["norestart"] else int(wanted)
    return 0


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def install(document: Document, version: str, data: bytes, environment: str, names: str, now: float) -> None:
    """The agent's files, services and program entries; over an older version an upgrade that keeps its registration."""
    old = document["installation"]
    kept = document["services"].get(places.AGENT_SERVICE, {}).get("StartName")
    if old is not None:
        _remove_entries(document, old["version"])
    product = _PRODUCT[names]
    for folder in (places.AGENT_FOLDER, places.AGENT_FOLDER + r"\Utility", places.UPDATER_FOLDER):
        paths.with_parents(document["files"], folder, state.folder)
    program = software.content(version, product="agent")
    for path, content in (
        (places.AGENT_PROGRAM, program),
        (places.AGENT_MODULE, software.content(version, product="module")),
        (places.AGENT_CONFIGURATION, b'<?xml version="1.0" encoding="utf-8"?>\r\n<configuration />\r\n'),
        (places.UPDATER_PROGRAM, software.content(version, product="updater")),
    ):
        document["files"][path] = state.file(content)
    cache = rf"{places.PACKAGE_CACHE}\{software.bundle_id(version)}"
    paths.with_parents(document["files"], cache, state.folder)
    document["files"][rf"{cache}\{places.SETUP}"] = state.file(data)
    _add_entries(document, version, product)
    _add_services(document, product, kept)
    document["installation"] = {"version": version, "environment": environment, "product": product}
    services.start(document, places.UPDATER_SERVICE, now)
    services.start(document, places.AGENT_SERVICE, now)


def _add_services(document: Document, product: str, account: str | None) -> None:
    document["services"][places.AGENT_SERVICE] = state.service(
        f"{product} Provisioning Agent",
        "Stopped",
        account=account or rf"NT SERVICE\{places.AGENT_SERVICE}",
        path=f'"{places.AGENT_PROGRAM}"',
    )
    document["services"][places.UPDATER_SERVICE] = state.service(
        f"{product} Agent Updater",
        "Stopped",
        account=rf"NT SERVICE\{places.UPDATER_SERVICE}",
        path=f'"{places.UPDATER_PROGRAM}"',
    )


def _add_entries(document: Document, version: str, product: str) -> None:
    bundle, package = software.bundle_id(version), software.package_id(version)
    setup = rf'"{places.PACKAGE_CACHE}\{bundle}\{places.SETUP}"'
    common = {"DisplayVersion": state.string(version), "Publisher": state.string("Microsoft Corporation")}
    document["registry"][rf"{places.UNINSTALL_32}\{bundle}"] = {
        "DisplayName": state.string(f"{product} Provisioning Agent Package"),
        **common,
        "BundleVersion": state.string(version),
        "BundleCachePath": state.string(setup.strip('"')),
        "QuietUninstallString": state.string(f"{setup} /uninstall /quiet"),
        "UninstallString": state.string(f"{setup}  /uninstall"),
        "Installed": state.dword(1),
    }
    document["registry"][rf"{places.UNINSTALL}\{package}"] = {
        "DisplayName": state.string(f"{product} Provisioning Agent"),
        **common,
        "UninstallString": state.string(f"MsiExec.exe /X{package}"),
        "WindowsInstaller": state.dword(1),
        "SystemComponent": state.dword(1),
    }


def _remove_entries(document: Document, version: str, package_only: bool = False) -> None:
    bundle, package = software.bundle_id(version), software.package_id(version)
    paths.remove_below(document["registry"], rf"{places.UNINSTALL}\{package}")
    if not package_only:
        paths.remove_below(document["registry"], rf"{places.UNINSTALL_32}\{bundle}")
        paths.remove_below(document["files"], rf"{places.PACKAGE_CACHE}\{bundle}")


def _uninstall(document: Document, estate: Estate, host: HostAddress) -> int:
    installed = document["installation"]
    if installed is None:
        return 0
    if str(document["behaviour"].get("installer", "0")) == str(FAILED):
        return FAILED
    _remove_entries(document, installed["version"])
    for folder in (places.AGENT_FOLDER, places.UPDATER_FOLDER):
        paths.remove_below(document["files"], folder)
    for name in (places.AGENT_SERVICE, places.UPDATER_SERVICE):
        document["services"].pop(name, None)
    _forget_agent(document, estate, host)
    document["installation"] = None
    return 0


def _uninstall_package(document: Document, product: str, estate: Estate, host: HostAddress) -> int:
    """The agent's MSI alone: the bundle's entry and the updater stay behind."""
    installed = document["installation"]
    if installed is None or product.lower() != software.package_id(installed["version"]).lower():
        return UNKNOWN_PRODUCT
    _remove_entries(document, installed["version"], package_only=True)
    paths.remove_below(document["files"], places.AGENT_FOLDER)
    document["services"].pop(places.AGENT_SERVICE, None)
    _forget_agent(document, estate, host)
    return 0


def _forget_agent(document: Document, estate: Estate, host: HostAddress) -> None:
    agent, document["agent"] = document["agent"], None
    if agent is not None and agent.get("id"):
        estate.registry.gone(estate.tenant_id(host.tenant), agent["id"])


def set_reboot_pending(document: Document, pending: bool) -> None:
    """Leave, or take away, the marks that Windows has when it waits for a restart."""
    manager = document["registry"].setdefault(places.SESSION_MANAGER, {})
    if pending:
        manager["PendingFileRenameOperations"] = ["MultiString", [r"\??\C:\Windows\Temp\agent-setup.tmp", ""]]
        return
    manager.pop("PendingFileRenameOperations", None)
    for key in (places.REBOOT_PENDING, places.REBOOT_REQUIRED):
        paths.remove_below(document["registry"], key)
