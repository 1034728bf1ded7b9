# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses, names, fixed identifiers and paths of the rehearsal lab.

Everything here is data that the lab's processes and its tests agree on. The module uses the standard library only:
the forests are provisioned by the system's Python, which has Samba's modules and nothing else.

The secrets are fixed on purpose: every listener of the lab is on the loopback network 127.0.0.0/8, and equal secrets
make runs comparable. They leave this file only into ``<run dir>/lab.json`` and the forests' databases (mode 0600).
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
RUN_DIR_VARIABLE = "HYBRID_LAB_DIR"
MARKER_VARIABLE = "HYBRID_LAB_RUN"  # carried by every process of a run; ``down`` sweeps for it

NETWORK_VARIABLE = "HYBRID_LAB_NET"
NETWORK = os.environ.get(NETWORK_VARIABLE, "127.77")  # first two octets: two labs on one machine need two networks

HTTPS_PORT = 8443
CONTROL = f"{NETWORK}.0.10"
LOGIN = f"{NETWORK}.0.11"
GRAPH = f"{NETWORK}.0.12"
EXCHANGE = f"{NETWORK}.0.13"
CLOUD_ADDRESSES = {"control": CONTROL, "login": LOGIN, "graph": GRAPH, "exchange": EXCHANGE}

LDAP_PORT = 389
LDAPS_PORT = 636
GC_PORT = 3268
GC_TLS_PORT = 3269
KERBEROS_PORT = 88
KPASSWD_PORT = 464
DC_PORTS = (LDAP_PORT, LDAPS_PORT, GC_PORT, GC_TLS_PORT, KERBEROS_PORT, KPASSWD_PORT)
RELAY_PORTS = (LDAPS_PORT, LDAP_PORT, GC_TLS_PORT, GC_PORT)
LDAP_OVER_TLS = (LDAPS_PORT, GC_TLS_PORT)

DESCRIPTORS = "descriptors.json"  # in a forest's directory: security descriptors of objects that do not inherit

SYSTEM_PYTHON = Path("/usr/bin/python3")  # the interpreter that Debian's python3-samba belongs to
SAMBA = Path("/usr/sbin/samba")
SAMBA_PACKAGES = "samba samba-ad-provision samba-dsdb-modules python3-samba"

_NAMESPACE = uuid.UUID("6f0c1b7e-2f5b-5d0a-9b0e-77ab00000001")


def fixed_guid(*parts: str) -> str:
    """The same GUID for the same words, in every run and on every machine."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


@dataclass(frozen=True)
class Account:
    """A directory account: ``role`` is what :func:`tests.lab.forest.access.open_directory` is asked for."""

    role: str
    name: str
    password: str


@dataclass(frozen=True)
class Application:
    """An application registration of a tenant. ``name`` is its key in ``lab.json``."""

    name: str
    client_id: str
    client_secret: str
    certificate: bool


@dataclass(frozen=True)
class Forest:
    """One Active Directory forest with one domain and one domain controller."""

    name: str
    domain: str
    netbios: str
    dc_address: str
    relay_address: str
    domain_sid: str
    accounts: tuple[Account, ...]

    @property
    def base_dn(self) -> str:
        """Root of the domain partition (and of the forest)."""
        return ",".join(f"DC={label}" for label in self.domain.split("."))

    @property
    def server_name(self) -> str:
        """Host name of the domain controller, as its certificate states it."""
        return f"dc1.{self.domain}"

    @property
    def realm(self) -> str:
        """Kerberos realm."""
        return self.domain.upper()

    @property
    def services(self) -> tuple[str, ...]:
        """Kerberos names of the directory: by its host name, and by the addresses that clients connect to."""
        return tuple(f"ldap/{host}" for host in (self.server_name, self.dc_address, self.relay_address))

    def account(self, role: str) -> Account:
        """The account for a role. Raises ``LookupError`` for a role that does not exist."""
        for account in self.accounts:
            if account.role == role:
                return account
        roles = ", ".join(account.role for account in self.accounts)
        raise LookupError(f"forest {self.name} has no account for the role {role!r}; it has: {roles}")

    def user_principal_name(self, role: str) -> str:
        """The name to bind with."""
        return f"{self.account(role).name}@{self.domain}"


@dataclass(frozen=True)
class Tenant:
    """One Entra tenant and the forest that feeds it."""

    name: str
    tenant_id: str
    forest: Forest
    applications: tuple[Application, ...]

    @property
    def domain(self) -> str:
        """The primary verified domain; also the forest's DNS name."""
        return self.forest.domain

    @property
    def initial_domain(self) -> str:
        """The service's own domain of the tenant."""
        return f"{self.name}.onmicrosoft.com"

    @property
    def verified_domains(self) -> tuple[str, ...]:
        """All domains that addresses may use."""
        return (self.domain, self.initial_domain, f"{self.name}.mail.onmicrosoft.com")


def _forest(name: str, network: int) -> Forest:
    accounts = (
        Account("administrator", "Administrator", f"Lab-{name}-Admin-1!"),
        Account("writer", "svc-writeback", f"Lab-{name}-Writer-1!"),
        Account("reader", "svc-reader", f"Lab-{name}-Reader-1!"),
        Account("sync", "svc-sync", f"Lab-{name}-Sync-1!"),
        Account("exchange_admin", "svc-exchange-admin", f"Lab-{name}-Exchange-1!"),
        Account("exchange_viewer", "svc-exchange-viewer", f"Lab-{name}-Viewer-1!"),
    )
    return Forest(
        name=name,
        domain=f"{name}.lab",
        netbios=name.upper(),
        dc_address=f"{NETWORK}.{network}.10",
        relay_address=f"{NETWORK}.{network}.20",
        domain_sid=f"S-1-5-21-77{network}0001-1955{network}42-30{network}77001",
        accounts=accounts,
    )


def _tenant(forest: Forest) -> Tenant:
    def application(name: str, certificate: bool) -> Application:
        return Application(
            name=name,
            client_id=fixed_guid("application", forest.name, name),
            client_secret=f"lab~{forest.name}~{name.replace('_', '-')}~secret",
            certificate=certificate,
        )

    return Tenant(
        name=forest.name,
        tenant_id=fixed_guid("tenant", forest.name),
        forest=forest,
        applications=(
            application("application", certificate=True),
            application("limited_application", certificate=True),
            application("expired_application", certificate=False),
        ),
    )


FORESTS = (_forest("contoso", 1), _forest("fabrikam", 2))
TENANTS = tuple(_tenant(forest) for forest in FORESTS)


def tenant(name_or_id: str) -> Tenant:
    """A tenant by its name, tenant id or domain. Raises ``LookupError`` with the names that exist."""
    wanted = name_or_id.casefold()
    for candidate in TENANTS:
        if wanted in (candidate.name, candidate.tenant_id, candidate.domain, candidate.initial_domain):
            return candidate
    raise LookupError(f"the lab has no tenant {name_or_id!r}; it has: {', '.join(t.name for t in TENANTS)}")


def forest(name_or_id: str) -> Forest:
    """A forest by its name, its domain, or the id of the tenant it feeds. Raises ``LookupError``."""
    return tenant(name_or_id).forest


def run_dir() -> Path:
    """The run directory: ``HYBRID_LAB_DIR``, else ``<checkout>/build/lab``. It need not exist yet."""
    given = os.environ.get(RUN_DIR_VARIABLE)
    return Path(given).absolute() if given else CHECKOUT / "build" / "lab"


@dataclass(frozen=True)
class Settings:
    """Paths of one run directory."""

    run_dir: Path

    @property
    def lab_json(self) -> Path:
        """The hand-over to the clients of the lab."""
        return self.run_dir / "lab.json"

    @property
    def tls_dir(self) -> Path:
        """Certificate authority and server certificates."""
        return self.run_dir / "tls"

    @property
    def ca(self) -> Path:
        """The certificate every client of the lab trusts."""
        return self.tls_dir / "ca.pem"

    @property
    def log_dir(self) -> Path:
        """One log file per process."""
        return self.run_dir / "log"

    @property
    def pid_dir(self) -> Path:
        """One file per running process."""
        return self.run_dir / "pid"

    @property
    def forests_dir(self) -> Path:
        """Parent of the forests' directories."""
        return self.run_dir / "forest"

    def forest_dir(self, name: str) -> Path:
        """Samba's files of one forest."""
        return self.forests_dir / name

    @property
    def kerberos_dir(self) -> Path:
        """Kerberos configuration and key tables for clients."""
        return self.run_dir / "kerberos"

    @property
    def krb5_conf(self) -> Path:
        """Kerberos configuration for clients: all realms, their key distribution centres, no DNS."""
        return self.kerberos_dir / "krb5.conf"

    def keytab(self, forest: str) -> Path:
        """Keys of a forest's directory writer."""
        return self.kerberos_dir / f"{forest}-writer.keytab"


def settings(directory: Path | None = None) -> Settings:
    """The settings for a run directory (default: :func:`run_dir`)."""
    return Settings((directory or run_dir()).absolute())
