# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses, accounts and names of the Windows hosts, and where Windows and the agent keep their things.

Kept apart from :mod:`tests.lab.settings`: forests that were built once are thrown away when that file changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.settings import FORESTS, NETWORK, Forest, Settings

PORT, EXCHANGE_PORT, SMTP_PORT = 5986, 443, 25
HOST_NAMES = ("sync1", "sync2", "sync3")
EXCHANGE_NAMES = ("ex01", "ex02")
SEEDED_HOST = "sync1"  # the machine of the agent that a tenant begins with

AGENT_SERVICE = "AADConnectProvisioningAgent"
UPDATER_SERVICE = "AADConnectProvisioningAgentUpdater"
VAULT_SERVICE = "VaultSvc"
WEB_SERVICE = "W3SVC"
SMTP_SERVICE = "MSExchangeFrontEndTransport"

AGENT_FOLDER = r"C:\Program Files\Microsoft Azure AD Connect Provisioning Agent"
AGENT_PROGRAM = AGENT_FOLDER + r"\AADConnectProvisioningAgent.exe"
AGENT_CONFIGURATION = AGENT_PROGRAM + ".config"
AGENT_MODULE = AGENT_FOLDER + r"\Microsoft.CloudSync.PowerShell.dll"
UPDATER_FOLDER = r"C:\Program Files\Microsoft Azure AD Connect Agent Updater"
UPDATER_PROGRAM = UPDATER_FOLDER + r"\AzureADConnectAgentUpdater.exe"
TRACE_FOLDER = r"C:\ProgramData\Microsoft\Azure AD Connect Provisioning Agent\Trace"
PACKAGE_CACHE = r"C:\ProgramData\Package Cache"
INSTALL_FOLDER = r"C:\Install"
SETUP = "AADConnectProvisioningAgentSetup.exe"

HKLM = "HKEY_LOCAL_MACHINE"
UNINSTALL = HKLM + r"\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
UNINSTALL_32 = HKLM + r"\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
CURRENT_VERSION = HKLM + r"\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
DOTNET_FULL = HKLM + r"\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
DOTNET = HKLM + r"\SOFTWARE\Microsoft\.NETFramework\v4.0.30319"
DOTNET_32 = HKLM + r"\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319"
TLS_12 = HKLM + r"\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2"
REBOOT_PENDING = HKLM + r"\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
REBOOT_REQUIRED = HKLM + r"\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
SESSION_MANAGER = HKLM + r"\SYSTEM\CurrentControlSet\Control\Session Manager"

CREATED_GMSA = "provAgentgMSA$"
GIVEN_GMSA = "svc-sync$"  # made by the operator beforehand; has no permissions of the agent's yet


@dataclass(frozen=True)
class HostAddress:
    """One Windows host: where it listens and what it is called."""

    name: str
    forest: Forest
    address: str
    exchange: bool = False  # an Exchange server: its management endpoint and SMTP answer here too

    @property
    def ports(self) -> tuple[int, ...]:
        """Where it listens when everything runs."""
        return (PORT, EXCHANGE_PORT, SMTP_PORT) if self.exchange else (PORT,)

    @property
    def tenant(self) -> str:
        """Name of the tenant that the host's forest feeds."""
        return self.forest.name

    @property
    def fqdn(self) -> str:
        """Full name, as its certificate and Graph's machineName state it."""
        return f"{self.name}.{self.forest.domain}"

    @property
    def computer(self) -> str:
        """NetBIOS name."""
        return self.name.upper()


@dataclass(frozen=True)
class SignIn:
    """An account that a host lets in: ``domain`` is a NetBIOS name, of the domain or of the host itself."""

    domain: str
    user: str
    password: str
    upn: str = ""
    administrator: bool = True
    remote: bool = False  # may use remoting without being an administrator: member of Remote Management Users

    @property
    def name(self) -> str:
        """As Windows writes it."""
        return f"{self.domain}\\{self.user}"


HOSTS = tuple(
    HostAddress(name, forest, f"{NETWORK}.{number}.{31 + at}")
    for number, forest in enumerate(FORESTS, start=1)
    for at, name in enumerate(HOST_NAMES)
)

EXCHANGE_HOSTS = tuple(
    HostAddress(name, forest, f"{NETWORK}.{number}.{41 + at}", exchange=True)
    for number, forest in enumerate(FORESTS, start=1)
    for at, name in enumerate(EXCHANGE_NAMES)
)
ALL_HOSTS = HOSTS + EXCHANGE_HOSTS


def host(tenant: str, name: str) -> HostAddress:
    """A host of a tenant, by its short or full name. Raises ``LookupError`` with the names that exist."""
    for candidate in ALL_HOSTS:
        if candidate.tenant == tenant and name.lower() in (candidate.name, candidate.fqdn):
            return candidate
    known = ", ".join((*HOST_NAMES, *EXCHANGE_NAMES))
    raise LookupError(f"tenant {tenant} has no Windows host {name!r}; it has: {known}")


def hosts_of(tenant: str) -> tuple[HostAddress, ...]:
    """The hosts of a tenant that agents are deployed to."""
    return tuple(one for one in HOSTS if one.tenant == tenant)


def exchange_hosts_of(tenant: str) -> tuple[HostAddress, ...]:
    """The Exchange servers of a tenant's forest."""
    return tuple(one for one in EXCHANGE_HOSTS if one.tenant == tenant)


def _domain_account(forest: Forest, user: str, password: str, administrator: bool = True) -> SignIn:
    return SignIn(forest.netbios, user, password, f"{user}@{forest.domain}", administrator)


def setup_account(forest: Forest) -> SignIn:
    """Who deploys the agent: member of Administrators on every host of the domain."""
    return _domain_account(forest, "svc-agent-setup", f"Lab-{forest.name}-Setup-1!")


def refused_account(forest: Forest) -> SignIn:
    """Signs in, but may not use remoting: neither in Administrators nor in Remote Management Users."""
    return _domain_account(forest, "svc-helpdesk", f"Lab-{forest.name}-Helpdesk-1!", administrator=False)


def domain_administrator(forest: Forest) -> SignIn:
    """The domain's administrator, who may do everything on its hosts too."""
    account = forest.account("administrator")
    return _domain_account(forest, account.name, account.password)


def certificate_account(host: HostAddress) -> SignIn:
    """The local account that the client certificate is mapped to; nobody signs in with its password."""
    return SignIn(host.computer, "svc-agent-cert", "")


def exchange_account(forest: Forest, role: str) -> SignIn:
    """Who administers Exchange (``exchange_admin``), or may only look at it (``exchange_viewer``)."""
    account, full = forest.account(role), role == "exchange_admin"
    upn = forest.user_principal_name(role)
    return SignIn(forest.netbios, account.name, account.password, upn, administrator=full, remote=True)


def accounts(host: HostAddress) -> tuple[SignIn, ...]:
    """Who can sign in to a host with a password."""
    if host.exchange:
        own = (exchange_account(host.forest, role) for role in ("exchange_admin", "exchange_viewer"))
        return *own, refused_account(host.forest), domain_administrator(host.forest)
    return setup_account(host.forest), refused_account(host.forest), domain_administrator(host.forest)


def client_certificate(settings: Settings, forest: Forest) -> Path:
    """Certificate and key of whoever deploys the agent, in one PEM file."""
    return settings.tls_dir / "windows" / f"{forest.name}-client.pem"


def host_certificate(host: HostAddress) -> str:
    """Base name of a host's certificate and key among the lab's."""
    return f"windows-{host.tenant}-{host.name}"


def share(forest: Forest) -> str:
    """The share that holds the newest installer."""
    return rf"\\files.{forest.domain}\software"
