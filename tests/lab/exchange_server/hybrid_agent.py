# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Microsoft Hybrid Agent on a server: service, program entry, module, and the applications it registered."""

from __future__ import annotations

from typing import Any

from tests.lab import hybrid_facts
from tests.lab.settings import fixed_guid
from tests.lab.windows import paths, places, software, state
from tests.lab.windows.places import HostAddress

Document = dict[str, Any]
PRODUCT, KIND = "hybrid_agent", "hybrid_agent_uninstall"
VERSION = "1.0.2516.0"
SERVICE, SERVICE_NAME = "HybridService", "Microsoft Hybrid Service"
FOLDER = r"C:\Program Files\Microsoft Hybrid Service"
MODULE = FOLDER + r"\HybridManagement.psm1"
PROGRAM = FOLDER + r"\Microsoft.Online.EME.Hybrid.Agent.Service.exe"
PROGRAM_NAME = "Microsoft Hybrid Agent"
_BUNDLE = software.bundle_id("hybrid agent")
SETUP = rf"{places.PACKAGE_CACHE}\{_BUNDLE}\MSHybridSvc.exe"
_KEY = rf"{places.UNINSTALL}\{_BUNDLE}"


def install(document: Document, host: HostAddress) -> None:
    """The agent, registered with one application for the servers' web services."""
    files = document["files"]
    for folder in (FOLDER, rf"{places.PACKAGE_CACHE}\{_BUNDLE}"):
        paths.with_parents(files, folder, state.folder)
    files[MODULE] = state.file(b"# stand-in of the rehearsal lab\r\n")
    files[PROGRAM] = state.file(software.content(VERSION, product="hybrid_service"))
    files[SETUP] = state.file(software.content(VERSION, product=PRODUCT))
    document["services"][SERVICE] = state.service(
        SERVICE_NAME, account=r"NT AUTHORITY\NETWORK SERVICE", path=f'"{PROGRAM}"'
    )
    document["registry"][_KEY] = {
        "DisplayName": state.string(PROGRAM_NAME),
        "DisplayVersion": state.string(VERSION),
        "Publisher": state.string("Microsoft Corporation"),
        "QuietUninstallString": state.string(f'"{SETUP}" /uninstall /quiet'),
        "UninstallString": state.string(f'"{SETUP}" /uninstall'),
    }
    document["hybridAgent"] = {
        "id": fixed_guid("hybrid agent connector", host.tenant),
        "applications": [
            {
                "appId": hybrid_facts.agent_application(host.tenant),
                "externalUrl": f"https://{hybrid_facts.agent_host(host.tenant)}/",
                "internalUrl": f"https://{host.fqdn}/",
            }
        ],
    }


def plan(arguments: list[str]) -> Document:
    """What running the agent's own setup does: only its removal is known."""
    if "/uninstall" not in arguments or "/quiet" not in arguments:
        return {"kind": "asks"}
    return {"kind": KIND}


def uninstall(document: Document) -> int:
    """Take the agent away. Applications that are still registered stay registered in the cloud."""
    paths.remove_below(document["files"], FOLDER)
    paths.remove_below(document["files"], paths.parent_of(SETUP))
    paths.remove_below(document["registry"], _KEY)
    document["services"].pop(SERVICE, None)
    return 0
