# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What Exchange Server and its Setup are called, where they lie and what they leave: data, with its marks.

Marks: [doc] Microsoft's pages (unattended mode of Setup, readiness checks, cmdlets), [inf] inferred or seen with
third parties, [unk] not found. What is [inf] or [unk] is the default of an option, or only named in a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

SETUP_KEY = r"HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\Setup"  # [doc]
INSTALL_PATH = "MsiInstallPath"  # [doc]
SETUP_FILE = r"bin\Setup.exe"  # [doc]
SETUP = r"C:\Program Files\Microsoft\Exchange Server\V15\bin\Setup.exe"
# [doc] the page on unattended mode has the first two. [inf] newer setups may want the licence switch with an ending.
ARGUMENTS = ("/mode:Uninstall", "/IAcceptExchangeServerLicenseTerms")
LOG = r"C:\ExchangeSetupLogs\ExchangeSetup.log"  # [doc]
# Setup starts a second program and ends with it. [inf]
PROCESSES = ("Setup", "ExSetup")
# Where a Setup that did not end keeps how far it came: a value Action in the key of each role. [inf]
ROLE_KEYS = tuple(
    rf"HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\{role}"
    for role in (
        "MailboxRole",
        "ClientAccessRole",
        "CafeRole",
        "HubTransportRole",
        "FrontendTransportRole",
        "UnifiedMessagingRole",
        "BridgeheadRole",
        "AdminTools",
    )
)
SERVICE_PREFIX = "MSExchange"
SERVICES = (
    "MSExchangeADTopology",
    "MSExchangeIS",
    "MSExchangeTransport",
    "MSExchangeFrontEndTransport",
    "MSExchangeDelivery",
    "MSExchangeSubmission",
    "MSExchangeMailboxReplication",
    "MSExchangeServiceHost",
    "MSExchangeHM",
)
SITES = ("Exchange Back End",)  # the default web site stays with IIS
EMT_GROUP = "Recipient Management EMT"
SECURITY_GROUPS = "OU=Microsoft Exchange Security Groups"
SYSTEM_OBJECTS = "CN=Microsoft Exchange System Objects"
CONFIGURATION = "CN=Microsoft Exchange,CN=Services"

# Exit codes. 0 [doc]; 1 and 3010 [inf].
SUCCESS, RESTART_NEEDED = 0, 3010
EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        -1: "it was stopped from outside",
        1: "Setup failed or refused; it says why in its log",
        RESTART_NEEDED: "done, and the server has to be restarted",
        1602: "it was cancelled",
        1603: "Windows Installer met a fatal error",
        1618: "another installation is under way",
    }
)


@dataclass(frozen=True)
class SystemMailboxes:
    """A kind of mailbox that Exchange makes for itself: how it is found and disabled.

    ``of_database``: it belongs to its database, and goes with it on any server. The others are the organization's, and
    go with the last server only.
    """

    name: str
    find: Mapping[str, object]
    disable: Mapping[str, bool] = field(default_factory=dict)
    of_database: bool = False


# [doc] the switches of Get-Mailbox and, for arbitration mailboxes, of Disable-Mailbox. [inf] that others are disabled
# without a switch, as the private preview guide does it; the reference has none for them.
SYSTEM_MAILBOXES = (
    SystemMailboxes(
        "arbitration",
        {"Arbitration": True},
        {
            "Arbitration": True,
            "DisableLastArbitrationMailboxAllowed": True,
            "DisableArbitrationMailboxWithOABsAllowed": True,
        },
    ),
    SystemMailboxes("audit log", {"AuditLog": True}),
    SystemMailboxes("auxiliary audit log", {"AuxAuditLog": True}),
    SystemMailboxes("discovery", {"RecipientTypeDetails": ["DiscoveryMailbox"]}),
    SystemMailboxes("monitoring", {"Monitoring": True}, of_database=True),
)
