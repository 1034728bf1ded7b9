# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Exchange server as a Windows machine: its services, sites, registry, files and certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab import hybrid_facts
from tests.lab.clock import iso
from tests.lab.exchange_server import hybrid_agent
from tests.lab.windows import paths, places, software, state
from tests.lab.windows.places import HostAddress

Document = dict[str, Any]
SETUP_PRODUCT = "exchange_setup"
VERSION = "15.2.1544.4"
INSTALL_PATH = r"C:\Program Files\Microsoft\Exchange Server\V15"
SETUP_PROGRAM = INSTALL_PATH + r"\bin\Setup.exe"
LOG_FOLDER = r"C:\ExchangeSetupLogs"
LOG = LOG_FOLDER + r"\ExchangeSetup.log"
KEY = places.HKLM + r"\SOFTWARE\Microsoft\ExchangeServer\v15"
SETUP_KEY = KEY + r"\Setup"
MAILBOX_ROLE_KEY = KEY + r"\MailboxRole"
PROGRAM_KEY = places.UNINSTALL + r"\Microsoft Exchange v15"
TRANSPORT_SERVICE = "MSExchangeTransport"
DEFAULT_SITE, BACK_END = "Default Web Site", "Exchange Back End"
APPLICATIONS = ("autodiscover", "ecp", "EWS", "mapi", "Microsoft-Server-ActiveSync", "OAB", "owa", "PowerShell", "Rpc")
SERVICES = {
    "MSExchangeADTopology": "Microsoft Exchange Active Directory Topology",
    "MSExchangeAntispamUpdate": "Microsoft Exchange Anti-spam Update",
    "MSExchangeDelivery": "Microsoft Exchange Mailbox Transport Delivery",
    "MSExchangeEdgeSync": "Microsoft Exchange EdgeSync",
    places.SMTP_SERVICE: "Microsoft Exchange Frontend Transport",
    "MSExchangeHM": "Microsoft Exchange Health Manager",
    "MSExchangeIS": "Microsoft Exchange Information Store",
    "MSExchangeMailboxAssistants": "Microsoft Exchange Mailbox Assistants",
    "MSExchangeMailboxReplication": "Microsoft Exchange Mailbox Replication",
    "MSExchangeRepl": "Microsoft Exchange Replication",
    "MSExchangeRPC": "Microsoft Exchange RPC Client Access",
    "MSExchangeServiceHost": "Microsoft Exchange Service Host",
    "MSExchangeSubmission": "Microsoft Exchange Mailbox Transport Submission",
    "MSExchangeThrottling": "Microsoft Exchange Throttling",
    TRANSPORT_SERVICE: "Microsoft Exchange Transport",
    "MSExchangeTransportLogSearch": "Microsoft Exchange Transport Log Search",
}
MANUAL = ("MSExchangeEdgeSync",)
_SINCE = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def install(document: Document, host: HostAddress) -> None:
    """Make a Windows machine an Exchange server, as both servers of a forest begin."""
    for name, display in SERVICES.items():
        manual = name in MANUAL
        document["services"][name] = state.service(
            display,
            "Stopped" if manual else "Running",
            "Manual" if manual else "Automatic",
            path=rf'"{INSTALL_PATH}\bin\{name}.exe"',
        )
    document["services"][places.WEB_SERVICE] = state.service(
        "World Wide Web Publishing Service", path=r"C:\Windows\System32\svchost.exe -k iissvcs"
    )
    document["sites"] = {
        DEFAULT_SITE: {"Id": 1, "State": "Started", "Path": r"%SystemDrive%\inetpub\wwwroot", "ports": [80, 443]},
        BACK_END: {"Id": 2, "State": "Started", "Path": rf"{INSTALL_PATH}\ClientAccess", "ports": [81, 444]},
    }
    _registry(document["registry"])
    files = document["files"]
    for folder in (INSTALL_PATH + r"\bin", LOG_FOLDER, INSTALL_PATH + r"\Logging"):
        paths.with_parents(files, folder, state.folder)
    files[SETUP_PROGRAM] = state.file(software.content(VERSION, product=SETUP_PRODUCT))
    files[LOG] = state.file(
        b"[05/04/2026 08:00:00.0000] [0] The Exchange Server setup operation completed successfully.\r\n"
    )
    document["exchange"] = {
        "installed": True,
        "certificates": certificates(host),
        "queues": [{"name": "Submission", "kind": "Undefined", "hop": "Submission", "count": 0, "error": ""}],
        "components": {},
        "stages": [],
    }
    if host.tenant in hybrid_facts.MODERN and host.name == places.EXCHANGE_NAMES[0]:
        hybrid_agent.install(document, host)


def _registry(registry: Document) -> None:
    for key in (KEY, SETUP_KEY, MAILBOX_ROLE_KEY, PROGRAM_KEY):
        paths.with_parents(registry, key, dict)
    build = [int(part) for part in VERSION.split(".")]
    registry[SETUP_KEY] |= {
        "MsiInstallPath": state.string(INSTALL_PATH + "\\"),
        "MsiProductMajor": state.dword(build[0]),
        "MsiProductMinor": state.dword(build[1]),
        "MsiBuildMajor": state.dword(build[2]),
        "MsiBuildMinor": state.dword(build[3]),
        "OwaVersion": state.string(VERSION),
    }
    registry[MAILBOX_ROLE_KEY] |= {
        "ConfiguredVersion": state.string(VERSION),
        "UnpackedVersion": state.string(VERSION),
    }
    registry[PROGRAM_KEY] |= {
        "DisplayName": state.string("Microsoft Exchange Server Subscription Edition"),
        "DisplayVersion": state.string(VERSION),
        "Publisher": state.string("Microsoft Corporation"),
        "UninstallString": state.string(rf'"{SETUP_PROGRAM}" /uninstall'),
    }


def certificates(host: HostAddress) -> list[Document]:
    """Certificates of a server: two for all servers, one of its own, and the federation's."""
    tenant, domain = host.tenant, host.forest.domain
    rows = (
        ("CN=mail." + domain, "CN=Lab Issuing CA", hybrid_facts.smtp_certificate(tenant), "IIS, SMTP", 2, False),
        (
            "CN=Microsoft Exchange Server Auth Certificate",
            "CN=Microsoft Exchange Server Auth Certificate",
            hybrid_facts.auth_certificate(tenant),
            "SMTP",
            5,
            True,
        ),
        ("CN=Federation", "CN=Federation", hybrid_facts.federation_certificate(tenant), "SMTP, Federation", 5, True),
        (f"CN={host.computer}", f"CN={host.computer}", _own(host), "IIS, SMTP", 5, True),
    )
    return [
        {
            "subject": subject,
            "issuer": issuer,
            "thumbprint": thumbprint,
            "services": services,
            "self_signed": own,
            "domains": [subject.partition("=")[2]] if "." in subject else [],
            "not_before": iso(_SINCE),
            "not_after": iso(_SINCE + timedelta(days=365 * years)),
            "exportable": True,
        }
        for subject, issuer, thumbprint, services, years, own in rows
    ]


def _own(host: HostAddress) -> str:
    return software.fingerprint("server certificate", host.fqdn)


def is_exchange(document: Document) -> bool:
    """Whether Exchange is installed on the machine."""
    return bool((document.get("exchange") or {}).get("installed"))


def remove_services(document: Document, keep: tuple[str, ...] = ()) -> None:
    """Take Exchange's services away; those of ``keep`` linger, stopped and marked for deletion."""
    for name in SERVICES:
        if name in keep:
            document["services"][name] |= {"Status": "Stopped", "StartType": "Disabled"}
        else:
            document["services"].pop(name, None)
    web = document["services"].get(places.WEB_SERVICE)
    if web is not None:
        web["Status"] = "Stopped"


def remove_sites(document: Document, keep: tuple[str, ...]) -> None:
    """Take the web sites away, and the applications of those that stay."""
    document["sites"] = {name: one for name, one in document["sites"].items() if name in keep}
    for one in document["sites"].values():
        one["bare"] = True


def remove_programs(document: Document) -> None:
    """Take files, registry and the program's entry away; the logs of Setup stay."""
    paths.remove_below(document["files"], INSTALL_PATH)
    for key in (KEY, PROGRAM_KEY):
        paths.remove_below(document["registry"], key)
    document["exchange"]["installed"] = False
