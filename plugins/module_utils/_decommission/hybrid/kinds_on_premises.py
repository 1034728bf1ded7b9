# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The kinds of objects of a hybrid set-up on premises, as data.

Names of the wizard's objects: Microsoft, pages on the Hybrid Configuration wizard and on decommissioning; third-party
module DecomExch. A name that a source does not give is inferred, and then only one of several signs.
"""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import (
    EXCHANGE_ONLINE,
    FEDERATION_SUBJECT,
    NOT_DEFAULT,
    SIGN_IN_HOSTS,
    TRUSTS_EXCHANGE_ONLINE,
    Kind,
    named,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import GUID
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.rules import Rule, Sign
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import ON_PREMISES

ROWS = (
    Kind("service_connection_point", ON_PREMISES, "Autodiscover address in AD", "Get-ClientAccessService"),
    Kind(
        "hybrid_configuration",
        ON_PREMISES,
        "hybrid configuration",
        "Get-HybridConfiguration",
        rules=(Rule("there is only one", ()),),
        make="New-HybridConfiguration",
        lost="The Hybrid Configuration wizard has to be run again to set up what the object describes.",
    ),
    Kind(
        "intra_organization_connector",
        ON_PREMISES,
        "intra-organization connector",
        "Get-IntraOrganizationConnector",
        rules=(
            named(rf"HybridIOC - {GUID}", "named HybridIOC - <id>"),
            named("ExchangeHybridOnPremisesToOnline", "named ExchangeHybridOnPremisesToOnline"),
        ),
        make="New-IntraOrganizationConnector",
        alter="Set-IntraOrganizationConnector",
    ),
    Kind(
        "send_connector",
        ON_PREMISES,
        "send connector",
        "Get-SendConnector",
        rules=(
            named(
                rf"Outbound to Office 365(?: - {GUID})?",
                "named Outbound to Office 365, for the tenant's routing domain only",
                Sign("AddressSpaces", "domains"),
            ),
            Rule(
                "for the tenant's routing domain only, with CloudServicesMailEnabled",
                (Sign("AddressSpaces", "domains"), Sign("CloudServicesMailEnabled", "true")),
            ),
        ),
        make="New-SendConnector",
        alter="Set-SendConnector",
        lost="A password for the smart host is not exported.",
    ),
    Kind(
        "receive_connector",
        ON_PREMISES,
        "receive connector",
        "Get-ReceiveConnector",
        rules=tuple(Rule("trusts Exchange Online by its certificate", (sign,)) for sign in TRUSTS_EXCHANGE_ONLINE),
        similar=(Sign("TlsDomainCapabilities", "matches", ".+"),),
        alter="Set-ReceiveConnector",
    ),
    Kind(
        "remote_domain",
        ON_PREMISES,
        "remote domain",
        "Get-RemoteDomain",
        rules=(
            named("Hybrid Domain - .+", "named Hybrid Domain - <routing domain>", Sign("DomainName", "domains")),
            Rule(
                "the tenant's routing domain as target delivery domain",
                (Sign("DomainName", "domains"), Sign("TargetDeliveryDomain", "true")),
            ),
        ),
        similar=NOT_DEFAULT,
        make="New-RemoteDomain",
        alter="Set-RemoteDomain",
    ),
    Kind(
        "organization_relationship",
        ON_PREMISES,
        "organization relationship",
        "Get-OrganizationRelationship",
        rules=(
            named(rf"On-premises to O365 - {GUID}", "named On-premises to O365 - <id>"),
            Rule(
                "with the tenant's routing domain and the application outlook.com",
                (Sign("DomainNames", "some_domain"), Sign("TargetApplicationUri", "host", "outlook.com")),
            ),
        ),
        make="New-OrganizationRelationship",
        alter="Set-OrganizationRelationship",
    ),
    Kind(
        "federated_domain",
        ON_PREMISES,
        "federated domain",
        lost="A domain is federated again only with a new proof of ownership, a TXT record that "
        "Get-FederatedDomainProof tells: Add-FederatedDomain.",
    ),
    Kind(
        "federated_organization",
        ON_PREMISES,
        "federated organization identifier",
        "Get-FederatedOrganizationIdentifier",
        alter="Set-FederatedOrganizationIdentifier",
    ),
    Kind(
        "federation_trust",
        ON_PREMISES,
        "federation trust",
        "Get-FederationTrust",
        rules=(
            named("Microsoft Federation Gateway", "named Microsoft Federation Gateway"),
            Rule("of Microsoft's gateway", (Sign("TokenIssuerUri", "begins", "urn:federation:MicrosoftOnline"),)),
        ),
        lost="A federation trust takes a certificate with its private key and a proof of ownership for each domain: "
        "New-FederationTrust, or the Hybrid Configuration wizard.",
    ),
    Kind(
        "federation_certificate",
        ON_PREMISES,
        "certificate of the federation trust",
        rules=(Rule(f"with the subject {FEDERATION_SUBJECT}", (Sign("Subject", "equals", FEDERATION_SUBJECT),)),),
        similar=(Sign("Subject", "begins", FEDERATION_SUBJECT),),
        lost="The certificate is known by its thumbprint only; its private key is not exported. Whoever wants to keep "
        "it exports it with Export-ExchangeCertificate before.",
    ),
    Kind(
        "auth_server",
        ON_PREMISES,
        "auth server",
        "Get-AuthServer",
        rules=(
            Rule("of the type MicrosoftACS", (Sign("Type", "equals", "MicrosoftACS"),)),
            Rule("of the type AzureAD", (Sign("Type", "equals", "AzureAD"),)),
            Rule("with metadata of Microsoft's sign-in service", (Sign("AuthMetadataUrl", "host", SIGN_IN_HOSTS),)),
        ),
        alter="Set-AuthServer",
    ),
    Kind(
        "partner_application",
        ON_PREMISES,
        "partner application",
        "Get-PartnerApplication",
        rules=(
            Rule("with Exchange Online's application id", (Sign("ApplicationIdentifier", "equals", EXCHANGE_ONLINE),)),
        ),
        alter="Set-PartnerApplication",
    ),
    Kind(
        "setting_override",
        ON_PREMISES,
        "setting override",
        "Get-SettingOverride",
        rules=(
            named("EnableExchangeHybrid3PAppFeature", "named EnableExchangeHybrid3PAppFeature"),
            Rule(
                "of the section ExchangeOnpremAsThirdPartyAppId",
                (Sign("SectionName", "equals", "ExchangeOnpremAsThirdPartyAppId"),),
            ),
        ),
        make="New-SettingOverride",
        properties={"Component": "ComponentName", "Section": "SectionName"},
    ),
    Kind(
        "hybrid_agent",
        ON_PREMISES,
        "hybrid agent",
        lost="The hybrid agent is installed and registered by the Hybrid Configuration wizard only.",
    ),
)
