# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the Exchange organisation share: its containers' names, and the maker of its objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.forest.entries import Entry, Values, attributes, child, entry_guid
from tests.lab.forest.recipients import VERSION_2013, organization_dn
from tests.lab.settings import Forest

MakeEntry = Callable[..., Entry]
SERVERS = ("EX01", "EX02")
ADMIN_GROUP = "Exchange Administrative Group (FYDIBOHF23SPDLT)"
ROUTING_GROUP = "Exchange Routing Group (DWBGZMFD01QNBJR)"
DAG = "DAG01"
SITE = "Default-First-Site-Name"


@dataclass(frozen=True)
class Places:
    """Where the kinds of objects lie, by the organisation's DN. Exchange's own cmdlets put them there too."""

    root: str

    @property
    def admin_group(self) -> str:
        """The only administrative group."""
        return child(child(self.root, "Administrative Groups"), ADMIN_GROUP)

    @property
    def servers(self) -> str:
        """Servers."""
        return child(self.admin_group, "Servers")

    @property
    def databases(self) -> str:
        """Mailbox databases."""
        return child(self.admin_group, "Databases")

    @property
    def availability_groups(self) -> str:
        """Database availability groups."""
        return child(self.admin_group, "Database Availability Groups")

    @property
    def connections(self) -> str:
        """Send connectors."""
        groups = child(self.admin_group, "Routing Groups")
        return child(child(groups, ROUTING_GROUP), "Connections")

    @property
    def transport(self) -> str:
        """Transport settings."""
        return child(self.root, "Transport Settings")

    @property
    def accepted_domains(self) -> str:
        """Accepted domains."""
        return child(self.transport, "Accepted Domains")

    @property
    def transport_rules(self) -> str:
        """Transport rules."""
        return child(child(self.transport, "Rules"), "TransportVersioned")

    @property
    def global_settings(self) -> str:
        """Global settings."""
        return child(self.root, "Global Settings")

    @property
    def remote_domains(self) -> str:
        """Remote domains."""
        return child(self.global_settings, "Internet Message Formats")

    @property
    def setting_overrides(self) -> str:
        """Setting overrides."""
        return child(self.global_settings, "Setting Overrides")

    @property
    def hybrid(self) -> str:
        """The hybrid configuration."""
        return child(self.root, "Hybrid Configuration")

    @property
    def intra_organization(self) -> str:
        """Intra-organization connectors."""
        return child(self.root, "Intra Organization Connectors")

    @property
    def federation(self) -> str:
        """Organization relationships, sharing policies, and the organisation's federated identifier."""
        return child(self.root, "Federation")

    @property
    def federation_trusts(self) -> str:
        """Federation trusts."""
        return child(self.root, "Federation Trusts")

    @property
    def authentication(self) -> str:
        """The organisation's OAuth settings."""
        return child(self.root, "Auth Configuration")

    @property
    def partner_applications(self) -> str:
        """Partner applications."""
        return child(self.authentication, "Partner Applications")

    @property
    def auth_servers(self) -> str:
        """Authorization servers."""
        return child(self.authentication, "Auth Servers")

    @property
    def availability(self) -> str:
        """Availability address spaces."""
        return child(self.root, "Availability Configuration")

    @property
    def address_books(self) -> str:
        """Offline address books."""
        return child(child(self.root, "Address Lists Container"), "Offline Address Lists")

    def server(self, name: str) -> str:
        """One server."""
        return child(self.servers, name)

    def protocols(self, server: str) -> str:
        """What a server's subtree holds of protocols."""
        return child(self.server(server), "Protocols")

    def receive_connectors(self, server: str) -> str:
        """Receive connectors of a server."""
        return child(self.protocols(server), "SMTP Receive Connectors")

    def discovery(self, server: str) -> str:
        """A server's service connection point of Autodiscover."""
        return child(child(self.protocols(server), "Autodiscover"), server)


def places_of(forest: Forest) -> Places:
    """The places of a forest's organisation."""
    return Places(organization_dn(forest))


def site_dn(forest: Forest) -> str:
    """The Active Directory site of the servers."""
    return f"CN={SITE},CN=Sites,CN=Configuration,{forest.base_dn}"


def maker(forest: Forest) -> MakeEntry:
    """Makes an object of the configuration partition from DN, class and attributes.

    The classes hide their objects from simple views, which a domain controller writes into each object by itself; a
    deleted object that came back would lack it, so it is stated.
    """

    def entry(dn: str, cls: str, values: dict[str, Values] | None = None) -> Entry:
        given = {"showInAdvancedViewOnly": (b"TRUE",), **(values or {})}
        return Entry(dn, ("top", cls), entry_guid(forest.name, "organization", dn), given)

    return entry


def common() -> dict[str, Values]:
    """What every object carries that a cmdlet made."""
    return attributes(msExchVersion=VERSION_2013)
