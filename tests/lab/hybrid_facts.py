# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and identifiers of the hybrid set-up that the cloud, the forest and the Exchange servers must agree on.

The Hybrid Configuration Wizard puts one GUID (of the on-premises organisation) into most names of both sides; only
the two intra-organization connectors have one of their own each. Standard library only, as the forests are built by
the system's Python.
"""

from __future__ import annotations

import hashlib

from tests.lab.settings import FORESTS, fixed_guid

MODERN = ("fabrikam",)  # tenants with the hybrid agent and the dedicated hybrid application; the others are classic
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"  # the first-party application "Office 365 Exchange Online"
FULL_ACCESS_ROLE = "dc890d15-9560-4a4c-9b7f-a736ec74ec40"  # its app role full_access_as_app
OVERRIDE = "EnableExchangeHybrid3PAppFeature"  # the setting override that turns the dedicated application on


def hybrid_guid(name: str) -> str:
    """In the names of connectors and relationships of both sides, by the tenant's name."""
    return fixed_guid("hybrid configuration", name)


def cloud_connector_guid(name: str) -> str:
    """In the name of the cloud's own intra-organization connector."""
    return fixed_guid("hybrid configuration", "cloud", name)


def _thumbprint(*words: str) -> str:
    return hashlib.sha1("/".join(("certificate", *words)).encode(), usedforsecurity=False).hexdigest().upper()


def auth_certificate(name: str) -> str:
    """Thumbprint (SHA-1, 40 digits) of "CN=Microsoft Exchange Server Auth Certificate" on premises.

    The wizard's OAuth step uploads it to the first-party principal, or to the dedicated application.
    """
    return _thumbprint(name, "Microsoft Exchange Server Auth Certificate")


def federation_certificate(name: str) -> str:
    """Thumbprint of "CN=Federation"."""
    return _thumbprint(name, "Federation")


def smtp_certificate(name: str) -> str:
    """Thumbprint of the certificate of mail.<domain>, by which the connectors know each other."""
    return _thumbprint(name, "mail")


def foreign_certificate(name: str) -> str:
    """Thumbprint of a key on the first-party principal that somebody else put there, not the wizard."""
    return _thumbprint(name, "somebody else")


def dedicated_application(name: str) -> tuple[str, str]:
    """Display name and client id of the dedicated hybrid application, where there is one."""
    return f"ExchangeServerApp-{hybrid_guid(name)}", fixed_guid("dedicated hybrid application", name)


def agent_application(name: str) -> str:
    """Application id of the hybrid agent (Get-HybridApplication), as it stands behind ``appId=`` in the cloud."""
    return fixed_guid("hybrid agent", name)


def agent_host(name: str) -> str:
    """The host name by which the cloud reaches the on-premises servers through the hybrid agent."""
    return f"{agent_application(name)}.resource.mailboxmigration.his.msappproxy.net"


def public_address(name: str) -> str:
    """The address under which the world knows the on-premises servers of a tenant, and from which they send."""
    return f"203.0.113.{10 * (1 + [forest.name for forest in FORESTS].index(name))}"
