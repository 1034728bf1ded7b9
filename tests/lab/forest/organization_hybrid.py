# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Hybrid Configuration Wizard leaves in the configuration partition, with objects that only look alike."""

from __future__ import annotations

from tests.lab import hybrid_facts
from tests.lab.forest.entries import Entry, attributes, child
from tests.lab.forest.organization_mail_flow import PARTNER_DOMAIN
from tests.lab.forest.organization_parts import SERVERS, MakeEntry, common, places_of
from tests.lab.settings import Forest
from tests.lab.settings import tenant as find_tenant

ENABLED = 1  # of msExchAuthFlags
ACCEPTS_IDENTITY = 2
ACCESS_CONTROL, AZURE_AD, ADFS = 2, 3, 4  # msExchAuthAuthServerType: MicrosoftACS, AzureAD, ADFS
ORGANIZATION_WIDE, PER_USER = 2, 1  # msExchAvailabilityAccessMethod
FEDERATION_TRUST = "Microsoft Federation Gateway"
LOGIN = "https://login.windows.net"


def hybrid(forest: Forest, entry: MakeEntry) -> list[Entry]:
    """Containers and objects, referenced ones first."""
    places = places_of(forest)
    containers = (places.hybrid, places.intra_organization, places.federation, places.federation_trusts)
    return [
        *(entry(dn, "msExchContainer") for dn in containers),
        _configuration(forest, entry),
        *_connectors(forest, entry),
        *_relationships(forest, entry),
        *_federation(forest, entry),
        *_authentication(forest, entry),
        *_overrides(forest, entry),
        *_availability(forest, entry),
    ]


def _configuration(forest: Forest, entry: MakeEntry) -> Entry:
    places = places_of(forest)
    return entry(
        child(places.hybrid, "Hybrid Configuration"),
        "msExchCoexistenceRelationship",
        common()
        | attributes(
            msExchCoexistenceDomains=[forest.domain],
            msExchCoexistenceOnPremisesSmartHost=f"mail.{forest.domain}",
            msExchCoexistenceTransportServers=[places.server(server) for server in SERVERS],
            msExchCoexistenceSecureMailCertificateThumbprint=f"<I>CN=Lab Issuing CA<S>CN=mail.{forest.domain}",
        ),
    )


def _connectors(forest: Forest, entry: MakeEntry) -> list[Entry]:
    below = places_of(forest).intra_organization
    rows = (
        (
            f"HybridIOC - {hybrid_facts.hybrid_guid(forest.name)}",
            f"{forest.name}.mail.onmicrosoft.com",
            "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc",
        ),
        (
            "Subsidiary forest",
            f"subsidiary.{forest.domain}",
            f"https://autodiscover.subsidiary.{forest.domain}/autodiscover/autodiscover.svc",
        ),
    )
    return [
        entry(
            child(below, name),
            "msExchIntraOrganizationConnector",
            common()
            | attributes(
                msExchFedDomainNames=[domain], msExchFedIsEnabled=True, msExchIntraOrganizationDiscoveryEndpoint=address
            ),
        )
        for name, domain, address in rows
    ]


def _relationships(forest: Forest, entry: MakeEntry) -> list[Entry]:
    below = places_of(forest).federation
    cloud = attributes(
        msExchFedDomainNames=[f"{forest.name}.mail.onmicrosoft.com"],
        msExchFedIsEnabled=True,
        msExchFedTargetApplicationURI="outlook.com",
        msExchFedTargetAutodiscoverEPR="https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc/WSSecurity",
        msExchFedTargetOWAURL=f"https://outlook.office.com/mail/{forest.domain}",
        msExchFedEnabledActions=["FreeBusy", "MailTips", "MailboxMove", "ArchiveAccess", "DeliveryReport", "Photos"],
    )
    partner = attributes(
        msExchFedDomainNames=[PARTNER_DOMAIN],
        msExchFedIsEnabled=True,
        msExchFedTargetApplicationURI=PARTNER_DOMAIN,
        msExchFedTargetAutodiscoverEPR=f"https://autodiscover.{PARTNER_DOMAIN}/autodiscover/autodiscover.svc/WSSecurity",
        msExchFedEnabledActions=["FreeBusy"],
    )
    policy = attributes(
        msExchSharingPolicyDomains=["*:CalendarSharingFreeBusySimple"], msExchSharingPolicyIsEnabled=True
    )
    relationship, name = (
        "msExchFedSharingRelationship",
        f"On-premises to O365 - {hybrid_facts.hybrid_guid(forest.name)}",
    )
    return [
        entry(child(below, name), relationship, common() | cloud),
        entry(child(below, "Northwind Traders"), relationship, common() | partner),
        entry(child(below, "Default Sharing Policy"), "msExchSharingPolicy", common() | policy),
    ]


def _federation(forest: Forest, entry: MakeEntry) -> list[Entry]:
    places = places_of(forest)
    trust = child(places.federation_trusts, FEDERATION_TRUST)
    namespace = f"FYDIBOHF25SPDLT.{forest.domain}"
    return [
        entry(
            trust,
            "msExchFedTrust",
            common()
            | attributes(
                msExchFedTargetApplicationURI=namespace,
                msExchFedTokenIssuerURI="urn:federation:MicrosoftOnline",
                msExchFedMetadataEPR="https://nexus.microsoftonline-p.com/FederationMetadata/2006-12/"
                "FederationMetadata.xml",
                msExchFedOrgPrivCertificate=hybrid_facts.federation_certificate(forest.name),
            ),
        ),
        entry(
            child(places.federation, "Federation"),
            "msExchFedOrgId",
            common()
            | attributes(
                msExchFedDomainNames=[namespace, forest.domain],
                msExchFedAccountNamespace=namespace,
                msExchFedDelegationTrust=trust,
                msExchFedIsEnabled=True,
            ),
        ),
    ]


def _authentication(forest: Forest, entry: MakeEntry) -> list[Entry]:
    places, guid = places_of(forest), hybrid_facts.hybrid_guid(forest.name)
    tenant_id = find_tenant(forest.name).tenant_id
    server, application = "msExchAuthAuthServer", "msExchAuthPartnerApplication"
    acs = attributes(
        msExchAuthAuthServerType=ACCESS_CONTROL,
        msExchAuthFlags=ENABLED,
        msExchAuthIssuerName="00000001-0000-0000-c000-000000000000",
        msExchAuthMetadataUrl=f"https://accounts.accesscontrol.windows.net/{tenant_id}/metadata/json/1",
        msExchAuthRealm=tenant_id,
    )
    evo = attributes(
        msExchAuthAuthServerType=AZURE_AD,
        msExchAuthFlags=ENABLED,
        msExchAuthIssuerName=f"https://sts.windows.net/{tenant_id}/",
        msExchAuthMetadataUrl=f"{LOGIN}/{tenant_id}/federationmetadata/2007-06/federationmetadata.xml",
        msExchAuthAuthorizationUrl=f"{LOGIN}/common/oauth2/authorize",
        msExchAuthRealm=tenant_id,
        msExchCoexistenceDomains=[forest.domain, f"{forest.name}.mail.onmicrosoft.com"],
    )
    own = attributes(
        msExchAuthAuthServerType=ADFS,
        msExchAuthFlags=ENABLED,
        msExchAuthIssuerName=f"http://adfs.{forest.domain}/adfs/services/trust",
        msExchAuthMetadataUrl=f"https://adfs.{forest.domain}/federationmetadata/2007-06/federationmetadata.xml",
    )
    archive = attributes(
        msExchAuthApplicationIdentifier="b7c6a3c2-6f0e-4b5b-9c64-0c2f6a1d9e11",
        msExchAuthFlags=ENABLED,
        msExchAuthMetadataUrl=f"https://archive.{forest.domain}/metadata/json/1",
    )
    online = attributes(
        msExchAuthApplicationIdentifier=hybrid_facts.EXCHANGE_ONLINE,
        msExchAuthFlags=ENABLED | ACCEPTS_IDENTITY,
        msExchAuthRealm=tenant_id,
    )
    settings = attributes(msExchAuthCertificateThumbprint=hybrid_facts.auth_certificate(forest.name))
    return [
        entry(places.authentication, "msExchAuthAuthConfig", common() | settings),
        entry(places.partner_applications, "msExchContainer"),
        entry(child(places.partner_applications, "Exchange Online"), application, common() | online),
        entry(child(places.partner_applications, "Mail archive"), application, common() | archive),
        entry(places.auth_servers, "msExchContainer"),
        entry(child(places.auth_servers, f"ACS - {guid}"), server, common() | acs),
        entry(child(places.auth_servers, f"EvoSts - {guid}"), server, common() | evo),
        entry(child(places.auth_servers, "ADFS"), server, common() | own),
    ]


def override_xml(component: str, section: str, parameters: list[str], reason: str) -> str:
    """A setting override as Exchange writes it."""
    pairs = "".join(
        f'<P N="{name}" V="{value}"/>' for name, _equals, value in (one.partition("=") for one in parameters)
    )
    return f'<S CN="{component}" SN="{section}" R="{reason}"><Ps>{pairs}</Ps></S>'


def _overrides(forest: Forest, entry: MakeEntry) -> list[Entry]:
    below = places_of(forest).setting_overrides
    rows = [("Disable AMSI body scan", override_xml("Cafe", "HttpRequestFiltering", ["Enabled=False"], "Case 2211"))]
    if forest.name in hybrid_facts.MODERN:
        xml = override_xml(
            "Global", "ExchangeOnpremAsThirdPartyAppId", ["Enabled=true"], "Dedicated hybrid application"
        )
        rows.append((hybrid_facts.OVERRIDE, xml))
    return [
        entry(below, "msExchContainer"),
        *(
            entry(child(below, name), "msExchConfigSettings", common() | attributes(msExchConfigurationXML=xml))
            for name, xml in rows
        ),
    ]


def _availability(forest: Forest, entry: MakeEntry) -> list[Entry]:
    below = places_of(forest).availability
    space = attributes(msExchAvailabilityAccessMethod=PER_USER, msExchAvailabilityUserName=None)
    return [
        entry(below, "msExchAvailabilityConfig"),
        entry(child(below, f"subsidiary.{forest.domain}"), "msExchAvailabilityAddressSpace", common() | space),
    ]
