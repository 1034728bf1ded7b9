# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid set-up in the cloud as tenants begin with it: what the wizard left, and of each kind something like it.

A look-alike is an object of the same kind that has nothing to do with the on-premises organisation: a partner's
connector, another company's relationship, a rule of the business. Who cleans up must leave it.
"""

from __future__ import annotations

from tests.lab import hybrid_facts as facts
from tests.lab.clock import Clock, iso
from tests.lab.cloud.exchange.domains import dnssec_mx
from tests.lab.cloud.exchange.kinds import KINDS, made
from tests.lab.settings import fixed_guid
from tests.lab.store import Document, Store

Named = tuple[str, str, Document]  # noun, name, properties
ENDPOINT_CLASSIC = "Hybrid Migration Endpoint - {host}"
ENDPOINT_MODERN = "Hybrid Migration Endpoint - EWS (Default Web Site)"
RULE = "Centralized mail transport for legal hold"


def mail_host(tenant: Document) -> str:
    """The name under which the on-premises servers are known to the world."""
    return f"mail.{tenant['domain']}"


def relationship_name(tenant: Document) -> str:
    """The wizard's organization relationship."""
    return f"O365 to On-premises - {facts.hybrid_guid(tenant['name'])}"


def is_modern(tenant: Document) -> bool:
    """Whether the hybrid agent publishes the on-premises servers, and the dedicated application is in use."""
    return tenant["name"] in facts.MODERN


def endpoint_name(tenant: Document) -> str:
    """The wizard's migration endpoint."""
    return ENDPOINT_MODERN if is_modern(tenant) else ENDPOINT_CLASSIC.format(host=mail_host(tenant))


def hybrid_objects(tenant: Document) -> tuple[Named, ...]:
    """What the wizard made."""
    guid, host, domain = facts.hybrid_guid(tenant["name"]), mail_host(tenant), tenant["domain"]
    application = facts.agent_application(tenant["name"])
    through = facts.agent_host(tenant["name"]) if is_modern(tenant) else host
    query = f"?appId={application}" if is_modern(tenant) else ""
    server_certificate = f"*.{domain}"
    return (
        ("InboundConnector", f"Inbound from {guid}",
         {"ConnectorType": "OnPremises", "ConnectorSource": "HybridWizard", "SenderDomains": ["smtp:*;1"],
          "TlsSenderCertificateName": server_certificate, "CloudServicesMailEnabled": True, "RequireTls": True}),
        ("OutboundConnector", f"Outbound to {guid}",
         {"ConnectorType": "OnPremises", "ConnectorSource": "HybridWizard", "SmartHosts": [host], "UseMXRecord": False,
          "RecipientDomains": [domain], "CloudServicesMailEnabled": True, "TlsSettings": "DomainValidation",
          "TlsDomain": host, "IsValidated": True, "LastValidationTimestamp": "2025-03-04T09:12:00Z"}),
        ("OrganizationRelationship", relationship_name(tenant),
         {"DomainNames": [domain], "FreeBusyAccessEnabled": True, "FreeBusyAccessLevel": "LimitedDetails",
          "MailTipsAccessEnabled": True, "MailTipsAccessLevel": "All", "DeliveryReportEnabled": True,
          "PhotosEnabled": True, "ArchiveAccessEnabled": True, "MailboxMoveEnabled": True,
          "TargetApplicationUri": f"FYDIBOHF25SPDLT.{domain}",
          "TargetAutodiscoverEpr": None if is_modern(tenant)
          else f"https://autodiscover.{domain}/autodiscover/autodiscover.svc/WSSecurity",
          "TargetSharingEpr": f"https://{through}/EWS/Exchange.asmx{query}" if is_modern(tenant) else None,
          "TargetOwaURL": f"https://{host}/owa"}),
        ("IntraOrganizationConnector", f"HybridIOC - {facts.cloud_connector_guid(tenant['name'])}",
         {"DiscoveryEndpoint": f"https://{through if is_modern(tenant) else f'autodiscover.{domain}'}"
                               "/autodiscover/autodiscover.svc",
          "TargetAddressDomains": [domain],
          "TargetSharingEpr": f"https://{through}/EWS/Exchange.asmx{query}" if is_modern(tenant) else None}),
        ("MigrationEndpoint", endpoint_name(tenant),
         {"EndpointType": "ExchangeRemoteMove", "RemoteServer": through, "MaxConcurrentMigrations": "100",
          "MaxConcurrentIncrementalSyncs": "20", "Username": f"{domain.partition('.')[0].upper()}\\svc-migration"}),
        ("OnPremisesOrganization", guid,
         {"OrganizationGuid": guid, "HybridDomains": [domain], "InboundConnector": f"Inbound from {guid}",
          "OutboundConnector": f"Outbound to {guid}", "OrganizationName": tenant["name"].capitalize(),
          "OrganizationRelationship": relationship_name(tenant)}),
        ("RemoteDomain", f"Hybrid Domain - {domain}",
         {"DomainName": domain, "TargetDeliveryDomain": False, "TrustedMailInboundEnabled": True,
          "TrustedMailOutboundEnabled": True, "IsInternal": True, "AllowedOOFType": "InternalLegacy"}),
        ("TransportRule", RULE,
         {"Priority": 1, "Comments": "Journaled mail goes through the servers in our data centre.",
          "FromMemberOf": ["Legal"], "RouteMessageOutboundConnector": f"Outbound to {guid}",
          "Description": "If the message:\r\n\tIs sent from a member of group 'Legal'\r\nTake the following actions:"
                         f"\r\n\tRoute the message using the connector named 'Outbound to {guid}'.\r\n"}),
    )  # fmt: skip


def others(tenant: Document) -> tuple[Named, ...]:
    """What looks alike, and is none of the wizard's."""
    domain = tenant["domain"]
    return (
        ("InboundConnector", "From mail gateway",
         {"ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"], "SenderIPAddresses": ["192.0.2.10", "192.0.2.11"],
          "RestrictDomainsToIPAddresses": True, "Comment": "Filter service; keep."}),
        ("OutboundConnector", "To Northwind (TLS)",
         {"ConnectorType": "Partner", "RecipientDomains": ["northwind.example"], "TlsSettings": "DomainValidation",
          "TlsDomain": "*.northwind.example", "Comment": "Contract 4711 demands TLS."}),
        ("OrganizationRelationship", "Northwind Traders",
         {"DomainNames": ["northwind.example"], "FreeBusyAccessEnabled": True, "FreeBusyAccessLevel":
          "AvailabilityOnly", "TargetApplicationUri": "outlook.com",
          "TargetAutodiscoverEpr": "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc/WSSecurity"}),
        ("IntraOrganizationConnector", "Merger with Adatum",
         {"DiscoveryEndpoint": "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc",
          "TargetAddressDomains": ["adatum.example"]}),
        ("MigrationEndpoint", "Archive import (IMAP)",
         {"EndpointType": "IMAP", "RemoteServer": "imap.archive.example", "Authentication": "Basic"}),
        ("RemoteDomain", "Default", {"DomainName": "*"}),
        ("RemoteDomain", "Northwind", {"DomainName": "northwind.example", "AutoForwardEnabled": False}),
        ("TransportRule", "Disclaimer",
         {"Priority": 0, "FromScope": "InOrganization", "SentToScope": "NotInOrganization",
          "ApplyHtmlDisclaimerText": f"<p>{tenant['name'].capitalize()} - {domain}</p>",
          "Description": "If the message:\r\n\tIs sent to 'Outside the organization'\r\nTake the following actions:"
                         "\r\n\tAppend the message with the disclaimer.\r\n"}),
        ("MailboxPlan", f"ExchangeOnlineEnterprise-{fixed_guid('plan', tenant['name'], 'enterprise')}",
         {"DisplayName": "ExchangeOnlineEnterprise", "Alias": "ExchangeOnlineEnterprise", "IsDefault": True}),
        ("MailboxPlan", f"ExchangeOnlineDeskless-{fixed_guid('plan', tenant['name'], 'deskless')}",
         {"DisplayName": "ExchangeOnlineDeskless", "Alias": "ExchangeOnlineDeskless"}),
    )  # fmt: skip


def seed(store: Store, clock: Clock, tenant: Document) -> None:
    """Put both into the store, and the DNSSEC name that the service gave contoso's domain."""
    now = iso(clock.now())
    for noun, name, properties in (*hybrid_objects(tenant), *others(tenant)):
        put(store, tenant, now, noun, name, properties)
    if not is_modern(tenant):
        domain = store.get(tenant["id"], "acceptedDomain", tenant["domain"])
        if domain is not None:
            kept = {**domain, "_dnssec": dnssec_mx(tenant["domain"])}
            store.put(tenant["id"], "acceptedDomain", tenant["domain"], kept)


def put(store: Store, tenant: Document, now: str, noun: str, name: str, properties: Document) -> Document:
    """One object of a kind, past the rules; the same name has the same GUID in every run."""
    kind = KINDS[noun]
    guid = fixed_guid(noun, tenant["id"], name)
    doc = made(lambda: now, tenant, kind, name, properties, guid)
    store.put(tenant["id"], kind.kind, guid, doc)
    return doc
