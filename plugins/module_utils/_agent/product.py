# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What Microsoft's provisioning agent is called, where it lies and what it needs: data, with its sources.

Marks: [doc] Microsoft's documentation (entra-docs, cloud-sync: how-to-prerequisites, how-to-install,
how-to-install-pshell, how-to-gmsa-cmdlets, reference-version-history), [inf] inferred or seen with third parties only,
[unk] not found anywhere. What is [inf] or [unk] is the default of an option.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# [doc] EHW: the first version that writes Exchange attributes back, of December 2022.
MINIMUM_VERSION = "1.1.1107.0"
# [doc] plan pages: active agents for each domain, for availability.
RECOMMENDED_AGENTS = 3
# [doc] the setup is a WiX bundle; [inf] how the programs list shows it, and newer builds say Entra.
PROGRAM_NAMES = (
    "Microsoft Azure AD Connect Provisioning Agent Package",
    "Microsoft Entra Provisioning Agent Package",
)
PROGRAM_FOLDER = r"C:\Program Files\Microsoft Azure AD Connect Provisioning Agent"  # [doc]
PROGRAM = "AADConnectProvisioningAgent.exe"  # [doc]
MODULE = "Microsoft.CloudSync.PowerShell.dll"  # [doc]
TRACE_FOLDER = r"C:\ProgramData\Microsoft\Azure AD Connect Provisioning Agent\Trace"  # [doc]
SERVICE = "AADConnectProvisioningAgent"  # [doc]
UPDATER_SERVICE = "AADConnectProvisioningAgentUpdater"  # [inf]
GMSA = "provAgentgMSA$"  # [doc] what Add-AADCloudSyncGMSA -Credential makes
DOMAINS_CMDLET = "Get-AADCloudSyncADDomains"  # [unk] named by third parties only
SETUP = "AADConnectProvisioningAgentSetup.exe"  # [doc]
INSTALLER_ARGUMENTS = ("/quiet", "/norestart")  # [doc] the first, [inf] the second: the switch of all WiX bundles
UNINSTALLER_ARGUMENTS = ("/uninstall", "/quiet", "/norestart")  # [inf] those of all WiX bundles
MSIEXEC_ARGUMENTS = ("/quiet", "/norestart")  # those of Windows Installer itself
# [inf] Only administrators can write below Program Files, so nobody else can change what lies there before it runs.
STAGING_FOLDER = r"C:\Program Files\hybrid.exchange"
# [inf] the certificate that Microsoft signs its products with.
SIGNER = "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US"
LOG_PLACE = r"%LocalAppData%\Temp of the account that ran it, files that begin with the name of the package"  # [inf]
# [doc] the permissions of writeback; a gMSA that the agent did not make has none.
WRITEBACK_PERMISSION = "HybridExchangePermissions"
PERMISSION_TYPES = (
    "BasicRead",
    "PasswordHashSync",
    "PasswordWriteBack",
    "HybridExchangePermissions",
    "ExchangeMailPublicFolderPermissions",
    "UserGroupCreateDelete",
    "All",
)

# [doc] ENVIRONMENTNAME of the installer; [unk] for 21Vianet, Bleu and Delos, where it is to be given.
ENVIRONMENT_NAMES: Mapping[str, str] = MappingProxyType({"gcc_high": "AzureUSGovernment", "dod": "AzureUSGovernment"})

# Exit codes of Windows Installer, which the bundle hands on.
SUCCESS = 0
FAILED = 1603
CANCELLED = 1602
BUSY = 1618
OTHER_VERSION = 1638
RESTART_BEGUN = 1641
RESTART_NEEDED = 3010

# [doc] how-to-prerequisites.
LOWEST_BUILD = 14393  # Windows Server 2016
LOWEST_BUILD_NAME = "Windows Server 2016"
# [doc] 4 GB; machines with 4 GB show a little less, as the firmware keeps some.
MEMORY = 4_000_000_000
NET_RELEASE = 461308  # .NET Framework 4.7.1
EXECUTION_POLICIES = ("Undefined", "RemoteSigned")
VAULT_SERVICE = "VaultSvc"
SCHEMA_ATTRIBUTE = "msDS-ExternalDirectoryObjectId"
EXCHANGE_VERSION_OBJECT = "CN=ms-Exch-Schema-Version-Pt"

# Places in the registry of every Windows.
CURRENT_VERSION = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
NET_FULL = r"HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
NET_STRONG = (
    r"HKLM:\SOFTWARE\Microsoft\.NETFramework\v4.0.30319",
    r"HKLM:\SOFTWARE\Wow6432Node\Microsoft\.NETFramework\v4.0.30319",
)
NET_STRONG_VALUES = ("SystemDefaultTlsVersions", "SchUseStrongCrypto")
SCHANNEL = r"HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2"
SCHANNEL_SIDES = ("Client", "Server")


@dataclass(frozen=True, order=True)
class Endpoint:
    """A name and a port that the agent talks to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _endpoints(*texts: str) -> tuple[Endpoint, ...]:
    return tuple(endpoint(text) for text in texts)


def endpoint(text: str) -> Endpoint:
    """``host`` or ``host:port``; 443 where no port is given. ValueError for anything else."""
    host, _colon, port = text.partition(":")
    if not host or "*" in host or "/" in host:
        raise ValueError(text)
    return Endpoint(host, int(port or 443))


# [doc] the names that are no wildcards; [inf] one that lies below *.msappproxy.net and its sisters.
_REVOCATION = ("mscrl.microsoft.com:80", "crl.microsoft.com:80", "ocsp.msocsp.com:80", "www.microsoft.com:80")
OUTBOUND: Mapping[str, tuple[Endpoint, ...]] = MappingProxyType(
    {
        "worldwide": _endpoints(
            "login.microsoftonline.com", "login.windows.net", "registration.msappproxy.net", *_REVOCATION
        ),
        "gcc_high": _endpoints(
            "login.microsoftonline.us", "login.windows.us", "registration.msappproxy.us", *_REVOCATION
        ),
        "dod": _endpoints("login.microsoftonline.us", "login.windows.us", "registration.msappproxy.us", *_REVOCATION),
        "china_21vianet": _endpoints("login.partner.microsoftonline.cn", *_REVOCATION),  # [unk] the agent's own names
        "bleu": _endpoints(*_REVOCATION),  # [unk]
        "delos": _endpoints(*_REVOCATION),  # [unk]
    }
)
