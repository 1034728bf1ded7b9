# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What connects the organisation with the cloud, and with other organisations."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import errors
from tests.lab.exchange_server.codec import Property
from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.exchange_server.kinds import kind
from tests.lab.exchange_server.kinds_mail_flow import server_dn
from tests.lab.forest import organization_hybrid as flags

_ACTIONS = (
    ("FreeBusyAccessEnabled", "FreeBusy"),
    ("MailTipsAccessEnabled", "MailTips"),
    ("MailboxMoveEnabled", "MailboxMove"),
    ("ArchiveAccessEnabled", "ArchiveAccess"),
    ("DeliveryReportEnabled", "DeliveryReport"),
    ("PhotosEnabled", "Photos"),
)
FEATURES = [
    "FreeBusy",
    "MoveMailbox",
    "Mailtips",
    "MessageTracking",
    "OwaRedirection",
    "OnlineArchive",
    "SecureMail",
    "Photos",
]


def trust_dn(organization: Organization, name: str) -> str:
    """A federation trust by its name or DN."""
    for found in organization.below(organization.places.federation_trusts, "msExchFedTrust"):
        if name.lower() in (found.name.lower(), found.dn.lower()):
            return found.dn
    raise errors.not_found(name, organization.controller)


def account_dn(organization: Organization, name: str) -> str:
    """A user by its DN; other names are those of the account."""
    if "=" in name:
        return name
    hits = organization.directory.search(organization.forest.base_dn, f"(sAMAccountName={name})", names=("cn",))
    if not hits:
        raise errors.not_found(name, organization.controller)
    return hits[0].dn


def _configuration_shown(organization: Organization, found: Found, shown: dict[str, Any]) -> dict[str, Any]:
    senders = shown["SendingTransportServers"]
    return {
        "ReceivingTransportServers": shown.get("ReceivingTransportServers") or senders,
        "TransportServers": senders,
        "Features": shown.get("Features") or FEATURES,
    }


HYBRID_CONFIGURATION = kind(
    "HybridConfiguration",
    "msExchCoexistenceRelationship",
    lambda places: places.hybrid,
    "HybridConfiguration",
    Property("Domains", "msExchCoexistenceDomains", "texts"),
    Property("OnPremisesSmartHost", "msExchCoexistenceOnPremisesSmartHost"),
    Property("SendingTransportServers", "msExchCoexistenceTransportServers", "links", resolve=server_dn),
    Property("TlsCertificateName", "msExchCoexistenceSecureMailCertificateThumbprint"),
    Property("ReceivingTransportServers"),
    Property("ClientAccessServers", default=[]),
    Property("EdgeTransportServers", default=[]),
    Property("ExternalIPAddresses", default=[]),
    Property("Features"),
    Property("ServiceInstance", default=0),
    shown=_configuration_shown,
)
INTRA_ORGANIZATION = kind(
    "IntraOrganizationConnector",
    "msExchIntraOrganizationConnector",
    lambda places: places.intra_organization,
    "IntraOrganizationConnector",
    Property("TargetAddressDomains", "msExchFedDomainNames", "texts"),
    Property("DiscoveryEndpoint", "msExchIntraOrganizationDiscoveryEndpoint"),
    Property("Enabled", "msExchFedIsEnabled", "bool", default=True),
    Property("TargetSharingEpr"),
)
RELATIONSHIP = kind(
    "OrganizationRelationship",
    "msExchFedSharingRelationship",
    lambda places: places.federation,
    "OrganizationRelationship",
    Property("DomainNames", "msExchFedDomainNames", "texts"),
    Property("Enabled", "msExchFedIsEnabled", "bool", default=True),
    Property("TargetApplicationUri", "msExchFedTargetApplicationURI"),
    Property("TargetAutodiscoverEpr", "msExchFedTargetAutodiscoverEPR"),
    Property("TargetSharingEpr", "msExchFedTargetSharingEPR"),
    Property("TargetOwaURL", "msExchFedTargetOWAURL"),
    *(Property(name, "msExchFedEnabledActions", "token", mark=mark) for name, mark in _ACTIONS),
    Property("FreeBusyAccessLevel", default="LimitedDetails"),
    Property("FreeBusyAccessScope"),
    Property("MailTipsAccessLevel", default="All"),
    Property("MailTipsAccessScope"),
    Property("OrganizationContact"),
)
FEDERATION_TRUST = kind(
    "FederationTrust",
    "msExchFedTrust",
    lambda places: places.federation_trusts,
    "FederationTrust",
    Property("ApplicationUri", "msExchFedTargetApplicationURI"),
    Property("TokenIssuerUri", "msExchFedTokenIssuerURI"),
    Property("TokenIssuerMetadataEpr", "msExchFedMetadataEPR"),
    Property("OrgPrivCertificate", "msExchFedOrgPrivCertificate"),
    Property("ApplicationIdentifier"),
    Property("AdministratorProvisioningId"),
    Property("NamespaceProvisioner", default="ExternalProcess"),
)
AUTH_SERVER = kind(
    "AuthServer",
    "msExchAuthAuthServer",
    lambda places: places.auth_servers,
    "AuthServer",
    Property("IssuerIdentifier", "msExchAuthIssuerName"),
    Property("AuthMetadataUrl", "msExchAuthMetadataUrl"),
    Property("AuthorizationEndpoint", "msExchAuthAuthorizationUrl"),
    Property("TokenIssuingEndpoint", "msExchAuthIssuingUrl"),
    Property("Realm", "msExchAuthRealm"),
    Property("ApplicationIdentifier", "msExchAuthApplicationIdentifier"),
    Property("DomainName", "msExchCoexistenceDomains", "texts"),
    Property("Enabled", "msExchAuthFlags", "flag", default=False, bit=flags.ENABLED),
    Property("IsDefaultAuthorizationEndpoint", "msExchAuthFlags", "flag", default=False, bit=8),
    Property(
        "Type",
        "msExchAuthAuthServerType",
        "choice",
        default="Unknown",
        names=((2, "MicrosoftACS"), (3, "AzureAD"), (4, "ADFS"), (1, "Facebook"), (5, "LinkedIn")),
    ),
    Property("GraphBaseUrl"),
    Property("TrustAnySSLCertificate", default=False),
)
PARTNER_APPLICATION = kind(
    "PartnerApplication",
    "msExchAuthPartnerApplication",
    lambda places: places.partner_applications,
    "PartnerApplication",
    Property("ApplicationIdentifier", "msExchAuthApplicationIdentifier"),
    Property("AuthMetadataUrl", "msExchAuthMetadataUrl"),
    Property("IssuerIdentifier", "msExchAuthIssuerName"),
    Property("Realm", "msExchAuthRealm"),
    Property("LinkedAccount", "msExchAuthLinkedAccount", "link", resolve=account_dn),
    Property("Enabled", "msExchAuthFlags", "flag", default=False, bit=flags.ENABLED),
    Property(
        "AcceptSecurityIdentifierInformation",
        "msExchAuthFlags",
        "flag",
        default=False,
        bit=flags.ACCEPTS_IDENTITY,
    ),
    Property("AccountType", default="OrganizationalAccount"),
    Property("ActAsPermissions", default=[]),
    Property("AppOnlyPermissions", default=[]),
    Property("TrustAnySSLCertificate", default=False),
)
AVAILABILITY = kind(
    "AvailabilityAddressSpace",
    "msExchAvailabilityAddressSpace",
    lambda places: places.availability,
    "AvailabilityAddressSpace",
    Property(
        "AccessMethod",
        "msExchAvailabilityAccessMethod",
        "choice",
        default="OrgWideFB",
        names=(
            (1, "PerUserFB"),
            (2, "OrgWideFB"),
            (3, "OrgWideFBToken"),
            (4, "OrgWideFBBasic"),
            (5, "InternalProxy"),
            (6, "PublicFolder"),
        ),
    ),
    Property("UserName", "msExchAvailabilityUserName"),
    Property("TargetAutodiscoverEpr", "msExchFedTargetAutodiscoverEPR"),
    Property("ProxyUrl"),
    Property("UseServiceAccount", default=False),
    Property("TargetServiceEpr"),
    Property("TargetTenantId"),
    shown=lambda organization, found, shown: {"ForestName": found.name},
)
SHARING_POLICY = kind(
    "SharingPolicy",
    "msExchSharingPolicy",
    lambda places: places.federation,
    "SharingPolicy",
    Property("Domains", "msExchSharingPolicyDomains", "texts"),
    Property("Enabled", "msExchSharingPolicyIsEnabled", "bool", default=True),
    Property("Default", default=False),
)
