# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors, domains and the like."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import errors
from tests.lab.exchange_server.codec import Property
from tests.lab.exchange_server.directory import SUBTREE, Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.exchange_server.kinds import kind
from tests.lab.forest import organization_mail_flow as flags
from tests.lab.forest.entries import split_dn

DEFAULT_SIZE = "35 MB (36,700,160 bytes)"


def server_dn(organization: Organization, name: str) -> str:
    """A server by any of its names."""
    found = organization.server(name)
    if found is None:
        raise errors.not_found(name, organization.controller)
    return found.dn


def server_of(dn: str) -> str:
    """The server in whose subtree an object lies."""
    rest = dn
    while not rest.upper().startswith("CN=PROTOCOLS,"):
        rest = split_dn(rest)[1]
    return split_dn(split_dn(rest)[1])[0].partition("=")[2]


def _receive_shown(organization: Organization, found: Found, shown: dict[str, Any]) -> dict[str, Any]:
    server = server_of(found.dn)
    role = "HubTransport" if found.name.startswith(("Default ", "Client Proxy")) else "FrontendTransport"
    if "Frontend" in found.name or "TransportRole" in shown:
        role = shown.get("TransportRole") or "FrontendTransport"
    return {
        "Identity": f"{server}\\{found.name}",
        "Id": f"{server}\\{found.name}",
        "Server": server,
        "TransportRole": role,
    }


def _accepted_shown(organization: Organization, found: Found, shown: dict[str, Any]) -> dict[str, Any]:
    number = found.number("msExchAcceptedDomainFlags")
    return {
        "DomainType": {1: "ExternalRelay", 2: "InternalRelay"}.get(number & 3, "Authoritative"),
        "Default": bool(number & flags.DEFAULT_DOMAIN),
        "InitialDomain": False,
        "AddressBookEnabled": True,
    }


SEND = kind(
    "SendConnector",
    "msExchRoutingSMTPConnector",
    lambda places: places.connections,
    "SmtpSendConnectorConfig",
    Property("AddressSpaces", "routingList", "texts"),
    Property("SmartHosts", "msExchSmtpSmartHost", "joined"),
    Property("SourceTransportServers", "msExchSourceBridgeheadServersDN", "links", resolve=server_dn),
    Property("TlsDomain", "msExchSmtpSendTlsDomain"),
    Property("TlsCertificateName", "msExchSmtpTLSCertificate"),
    Property("Fqdn", "msExchSMTPSendConnectorFQDN"),
    Property("Enabled", "msExchSmtpSendEnabled", "bool", default=True),
    Property("Port", "msExchSmtpSendPort", "int", default=25),
    Property("CloudServicesMailEnabled", "msExchSmtpSendFlags", "flag", default=False, bit=flags.CLOUD_SERVICES),
    Property("RequireTLS", "msExchSmtpSendFlags", "flag", default=False, bit=flags.REQUIRE_TLS),
    Property("Comment"),
    Property("ConnectionInactivityTimeOut", default="00:10:00"),
    Property("DNSRoutingEnabled", default=True),
    Property("DomainSecureEnabled", default=False),
    Property("ErrorPolicies", default="Default"),
    Property("ForceHELO", default=False),
    Property("FrontendProxyEnabled", default=False),
    Property("IgnoreSTARTTLS", default=False),
    Property("IsScopedConnector", default=False),
    Property("LinkedReceiveConnector"),
    Property("MaxMessageSize", default=DEFAULT_SIZE),
    Property("ProtocolLoggingLevel", default="None"),
    Property("RequireOorg", default=False),
    Property("SmartHostAuthMechanism", default="None"),
    Property("SmtpMaxMessagesPerConnection", default=20),
    Property("SourceIPAddress", default="0.0.0.0"),
    Property("TlsAuthLevel"),
    Property("UseExternalDNSServersEnabled", default=False),
    shown=lambda organization, found, shown: {
        "HomeMtaServerId": next(iter(shown["SourceTransportServers"]), None),
        "SourceRoutingGroup": "Exchange Routing Group (DWBGZMFD01QNBJR)",
        "ConnectedDomains": [],
        "IsSmtpConnector": True,
        "DNSRoutingEnabled": shown["DNSRoutingEnabled"] and not shown["SmartHosts"],
    },
)
RECEIVE = kind(
    "ReceiveConnector",
    "msExchSmtpReceiveConnector",
    lambda places: places.servers,
    "ReceiveConnector",
    Property("Bindings", "msExchSmtpReceiveBindings", "texts"),
    Property("RemoteIPRanges", "msExchSmtpReceiveRemoteIPRanges", "texts"),
    Property("TlsDomainCapabilities", "msExchSmtpReceiveTlsDomainCapabilities", "texts"),
    Property("Enabled", "msExchSmtpReceiveEnabled", "bool", default=True),
    Property("Fqdn", "msExchSMTPReceiveConnectorFQDN"),
    Property("AuthMechanism", default="Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer"),
    Property("Banner"),
    Property("ChunkingEnabled", default=True),
    Property("Comment"),
    Property("ConnectionInactivityTimeout", default="00:05:00"),
    Property("ConnectionTimeout", default="00:10:00"),
    Property("DefaultDomain"),
    Property("DomainSecureEnabled", default=False),
    Property("MaxMessageSize", default="36 MB (37,748,736 bytes)"),
    Property("MaxRecipientsPerMessage", default=200),
    Property("PermissionGroups", default="AnonymousUsers, ExchangeServers, ExchangeLegacyServers"),
    Property("ProtocolLoggingLevel", default="None"),
    Property("RequireTLS", default=False),
    Property("SizeEnabled", default="Enabled"),
    Property("TlsCertificateName"),
    Property("TransportRole"),
    scope=SUBTREE,
    shown=_receive_shown,
)
ACCEPTED_DOMAIN = kind(
    "AcceptedDomain",
    "msExchAcceptedDomain",
    lambda places: places.accepted_domains,
    "AcceptedDomain",
    Property("DomainName", "msExchAcceptedDomainName"),
    shown=_accepted_shown,
)
REMOTE_DOMAIN = kind(
    "RemoteDomain",
    "msExchDomainContentConfig",
    lambda places: places.remote_domains,
    "DomainContentConfig",
    Property("DomainName", "domainName"),
    Property(
        "TargetDeliveryDomain",
        "msExchDomainContentConfigFlags",
        "flag",
        default=False,
        bit=flags.TARGET_DELIVERY,
    ),
    Property("AllowedOOFType", default="External"),
    Property("AutoForwardEnabled", default=True),
    Property("AutoReplyEnabled", default=True),
    Property("CharacterSet", default="iso-8859-1"),
    Property("ContentType", default="MimeHtmlText"),
    Property("DeliveryReportEnabled", default=True),
    Property("DisplaySenderName", default=True),
    Property("IsInternal", default=False),
    Property("LineWrapSize", default="Unlimited"),
    Property("MeetingForwardNotificationEnabled", default=False),
    Property("NDREnabled", default=True),
    Property("NonMimeCharacterSet", default="iso-8859-1"),
    Property("TNEFEnabled"),
    Property("TrustedMailInboundEnabled", default=False),
    Property("TrustedMailOutboundEnabled", default=False),
    Property("UseSimpleDisplayName", default=False),
)
OFFLINE_ADDRESS_BOOK = kind(
    "OfflineAddressBook",
    "msExchOAB",
    lambda places: places.address_books,
    "OfflineAddressBook",
    Property("Server", "offLineABServer", "link", resolve=server_dn),
    Property("GeneratingMailbox", "msExchOABGeneratingMailboxLink", "link"),
    Property("IsDefault", default=True),
)
