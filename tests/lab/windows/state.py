# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows host as a document: system, registry, files, services, processes, the agent.

The document is kept in the lab's store once something about the host differs from its beginning; until then every
host is what :func:`initial` says, so that a lab with hosts starts no slower than one without.
"""

from __future__ import annotations

import base64
from typing import Any

from tests.lab.windows import places, software
from tests.lab.windows.places import HostAddress

Document = dict[str, Any]
KIND = "windowsHost"
FOREST_KIND = "windowsForest"  # one a tenant: what the hosts of a forest share
FOREST_ID = "forest"
BOOTED = "2026-08-01T04:00:00Z"
GIGABYTE = 1024**3
EXCHANGE_PERMISSIONS = "HybridExchangePermissions"
PERMISSIONS = (
    "BasicRead",
    "PasswordHashSync",
    "PasswordWriteBack",
    EXCHANGE_PERMISSIONS,
    "ExchangeMailPublicFolderPermissions",
    "UserGroupCreateDelete",
)

# Installer files on every host, by their keys in lab.json: name of the file, version, signer.
INSTALLERS: dict[str, tuple[str, str, str]] = {
    **{
        version: (f"AADConnectProvisioningAgentSetup-{version}.exe", version, "microsoft")
        for version in software.VERSIONS
    },
    "unsigned": ("AADConnectProvisioningAgentSetup-unsigned.exe", software.NEWEST, ""),
    "wrong_signer": ("AADConnectProvisioningAgentSetup-wrong-signer.exe", software.NEWEST, "stranger"),
    "changed": ("AADConnectProvisioningAgentSetup-changed.exe", software.NEWEST, "microsoft"),
}


def installer_bytes(key: str) -> bytes:
    """Content of an installer file by its key in lab.json."""
    _name, version, signer = INSTALLERS[key]
    made = software.content(version, signer)
    return software.changed(made) if key == "changed" else made


def file(data: bytes, modified: str = BOOTED) -> Document:
    """A file's document."""
    return {"data": base64.b64encode(data).decode(), "modified": modified}


def folder(modified: str = BOOTED) -> Document:
    """A folder's document."""
    return {"folder": True, "modified": modified}


def bytes_of(document: Document) -> bytes:
    """What is in a file."""
    return base64.b64decode(document.get("data", ""))


def dword(value: int) -> list[Any]:
    """A registry value of type DWord."""
    return ["DWord", value]


def string(value: str) -> list[Any]:
    """A registry value of type String."""
    return ["String", value]


def initial(host: HostAddress) -> Document:
    """A healthy Windows Server 2022, member of the domain, ready for the agent; the seed's machine has one."""
    made: Document = {
        "id": host.name,
        "name": host.name,
        "os": {
            "Caption": "Microsoft Windows Server 2022 Standard",
            "Version": "10.0.20348",
            "BuildNumber": "20348",
            "ProductType": 3,
            "OperatingSystemSKU": 7,
            "booted": BOOTED,
        },
        "computer": {
            "Domain": host.forest.domain,
            "PartOfDomain": True,
            "DomainRole": 3,
            "TotalPhysicalMemory": 8 * GIGABYTE,
        },
        "registry": _registry(),
        "files": _files(),
        "services": _services(),
        "processes": {},
        "ended": {},
        "nextProcess": 4000,
        "executionPolicy": {
            "MachinePolicy": "Undefined",
            "UserPolicy": "Undefined",
            "CurrentUser": "Undefined",
            "LocalMachine": "RemoteSigned",
        },
        "installation": None,
        "agent": None,
        "behaviour": {},
        "blocked": [],
        "without": [],
        "conditions": {},
        "awayUntil": 0.0,
        "power": "on",
    }
    return made


def ports(document: Document, host: HostAddress) -> tuple[int, ...]:
    """Where a host listens: nowhere without power, and for Exchange only what its services are there for."""
    if document.get("power", "on") == "off":
        return ()
    running = {name for name, one in document["services"].items() if one["Status"] == "Running"}
    needed = {places.EXCHANGE_PORT: places.WEB_SERVICE, places.SMTP_PORT: places.SMTP_SERVICE}
    return tuple(port for port in host.ports if port not in needed or needed[port] in running)


def _registry() -> Document:
    return {
        places.CURRENT_VERSION: {
            "ProductName": string("Windows Server 2022 Standard"),
            "CurrentBuild": string("20348"),
            "CurrentBuildNumber": string("20348"),
            "InstallationType": string("Server"),
            "EditionID": string("ServerStandard"),
            "CurrentMajorVersionNumber": dword(10),
            "CurrentMinorVersionNumber": dword(0),
            "UBR": dword(2700),
        },
        places.DOTNET_FULL: {"Release": dword(528449), "Version": string("4.8.04161"), "Install": dword(1)},
        places.DOTNET: {"SystemDefaultTlsVersions": dword(1), "SchUseStrongCrypto": dword(1)},
        places.DOTNET_32: {"SystemDefaultTlsVersions": dword(1), "SchUseStrongCrypto": dword(1)},
        places.SESSION_MANAGER: {"BootExecute": ["MultiString", ["autocheck autochk *"]]},
        places.UNINSTALL: {},
        places.UNINSTALL + r"\{0A1B2C3D-1111-4A4A-8B8B-000000000001}": {
            "DisplayName": string("Microsoft Update Health Tools"),
            "DisplayVersion": string("5.72.0.0"),
            "Publisher": string("Microsoft Corporation"),
            "UninstallString": string("MsiExec.exe /X{0A1B2C3D-1111-4A4A-8B8B-000000000001}"),
        },
        places.UNINSTALL_32: {},
        places.REBOOT_PENDING.rpartition("\\")[0]: {},
        places.REBOOT_REQUIRED.rpartition("\\")[0]: {},
        places.TLS_12.rpartition("\\")[0]: {},
    }


def _files() -> Document:
    found: Document = {
        "C:": folder(),
        r"C:\Windows": folder(),
        r"C:\Windows\Temp": folder(),
        r"C:\Windows\System32": folder(),
        r"C:\Windows\System32\msiexec.exe": file(b"MZ"),
        r"C:\Program Files": folder(),
        r"C:\Program Files (x86)": folder(),
        r"C:\ProgramData": folder(),
        places.PACKAGE_CACHE: folder(),
        places.INSTALL_FOLDER: folder(),
    }
    for key, (name, _version, _signer) in INSTALLERS.items():
        found[rf"{places.INSTALL_FOLDER}\{name}"] = file(installer_bytes(key))
    return found


def service(
    display: str, status: str = "Running", start: str = "Automatic", account: str = "LocalSystem", path: str = ""
) -> Document:
    """A service's document."""
    return {
        "DisplayName": display,
        "Status": status,
        "StartType": start,
        "StartName": account,
        "PathName": path,
        "ExitCode": 0,
        "Description": display,
    }


def _services() -> Document:
    svchost = r"C:\Windows\System32\svchost.exe -k netsvcs -p"
    return {
        places.VAULT_SERVICE: service("Credential Manager", "Stopped", "Manual", path=r"C:\Windows\System32\lsass.exe"),
        "WinRM": service(
            "Windows Remote Management (WS-Management)", account=r"NT AUTHORITY\NetworkService", path=svchost
        ),
        "W32Time": service("Windows Time", account=r"NT AUTHORITY\LocalService", path=svchost),
        "Netlogon": service("Netlogon", path=r"C:\Windows\System32\lsass.exe"),
        "Spooler": service("Print Spooler", "Stopped", "Disabled", path=r"C:\Windows\System32\spoolsv.exe"),
    }


def initial_forest(seeded: bool) -> Document:
    """What hosts of a forest share at the beginning: an effective KDS root key and a given gMSA without rights.

    ``seeded``: there is an agent already, and with it the account that its setup made, with all permissions.
    """
    made = {"granted": sorted(PERMISSIONS), "created": BOOTED, "hosts": [places.SEEDED_HOST]}
    return {
        "id": FOREST_ID,
        "kdsKeys": [
            {
                "KeyId": "7f1d2c3b-5a69-4c88-9b1e-2f3a4b5c6d7e",
                "CreationTime": "2026-05-04T08:00:00Z",
                "EffectiveTime": "2026-05-04T18:00:00Z",
            }
        ],
        "gmsas": {
            places.GIVEN_GMSA: {"granted": [], "created": "2026-05-05T09:00:00Z", "hosts": list(places.HOST_NAMES)},
            **({places.CREATED_GMSA: made} if seeded else {}),
        },
        "schemaChangedAt": 0.0,
    }
