# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange organisation of a forest: what Setup, the Hybrid Configuration Wizard and two servers leave in AD."""

from __future__ import annotations

from collections.abc import Callable

from tests.lab.forest.entries import Entry, Values, attributes, child, entry_guid
from tests.lab.forest.recipients import VERSION_2013, database_dn, legacy_dn, organization_dn
from tests.lab.forest.schema import ORGANIZATION_VERSION, SYSTEM_OBJECTS_VERSION
from tests.lab.settings import Forest, fixed_guid

_Entry = Callable[..., Entry]

SERVERS = ("EX01", "EX02")
SCP_KEYWORDS = ("77378F46-2C66-4aa9-A6A6-3E7A48B19596",)
ADMIN_GROUP = "Exchange Administrative Group (FYDIBOHF23SPDLT)"
ROUTING_GROUP = "Exchange Routing Group (DWBGZMFD01QNBJR)"
SECURITY_GROUPS = (
    "Organization Management",
    "Recipient Management",
    "Exchange Servers",
    "Exchange Trusted Subsystem",
    "Exchange Windows Permissions",
    "ExchangeLegacyInterop",
    "Managed Availability Servers",
    "Delegated Setup",
    "Discovery Management",
    "Help Desk",
    "Hygiene Management",
    "Compliance Management",
    "Public Folder Management",
    "Records Management",
    "Server Management",
    "UM Management",
    "View-Only Organization Management",
    "Security Administrator",
    "Security Reader",
)
_VIRTUAL_DIRECTORIES = (
    ("EWS", "msExchWebServicesVirtualDirectory", "EWS/Exchange.asmx"),
    ("Autodiscover", "msExchAutoDiscoverVirtualDirectory", "Autodiscover/Autodiscover.xml"),
    ("owa", "msExchOWAVirtualDirectory", "owa"),
    ("ecp", "msExchECPVirtualDirectory", "ecp"),
    ("mapi", "msExchMapiVirtualDirectory", "mapi"),
    ("Microsoft-Server-ActiveSync", "msExchMobileVirtualDirectory", "Microsoft-Server-ActiveSync"),
    ("OAB", "msExchOABVirtualDirectory", "OAB"),
)


def hybrid_guid(forest: Forest) -> str:
    """The GUID that the wizard puts into the names of the connectors and relationships it makes."""
    return fixed_guid("hybrid configuration", forest.name)


def organization(forest: Forest) -> tuple[Entry, ...]:
    """Every object, parents first: configuration partition, then domain partition."""
    root = organization_dn(forest)
    admin_groups = child(root, "Administrative Groups")
    admin_group = child(admin_groups, ADMIN_GROUP)
    exchange = root.split(",", 1)[1]

    def entry(dn: str, cls: str, values: dict[str, Values] | None = None) -> Entry:
        return Entry(dn, ("top", cls), entry_guid(forest.name, "organization", dn), values or {})

    return (
        entry(exchange, "msExchContainer"),
        entry(
            root,
            "msExchOrganizationContainer",
            attributes(
                objectVersion=ORGANIZATION_VERSION, msExchProductID="15.02.1544.004", msExchVersion=VERSION_2013
            ),
        ),
        entry(admin_groups, "msExchAdminGroupContainer"),
        entry(admin_group, "msExchAdminGroup"),
        *_mail_flow(forest, entry, root, admin_group),
        *_servers(forest, entry, admin_group),
        *_hybrid(forest, entry, root, admin_group),
        *_domain_partition(forest),
    )


def _servers(forest: Forest, entry: _Entry, admin_group: str) -> list[Entry]:
    servers, databases = child(admin_group, "Servers"), child(admin_group, "Databases")
    group = child(admin_group, "Database Availability Groups")
    result = [
        entry(servers, "msExchServersContainer"),
        entry(databases, "msExchContainer"),
        entry(database_dn(forest), "msExchPrivateMDB"),
        entry(group, "msExchContainer"),
        entry(child(group, "DAG01"), "msExchMDBAvailabilityGroup"),
    ]
    for server in SERVERS:
        dn, host = child(servers, server), f"{server.lower()}.{forest.domain}"
        protocols = child(dn, "Protocols")
        receive, http = child(protocols, "SMTP Receive Connectors"), child(protocols, "HTTP")
        autodiscover = child(protocols, "Autodiscover")
        result += [
            entry(
                dn,
                "msExchExchangeServer",
                attributes(
                    serialNumber="Version 15.2 (Build 31544.4)",
                    versionNumber=1942061576,
                    networkAddress=[f"ncacn_ip_tcp:{host}", f"netbios:{server}", f"ncacn_spx:{server}"],
                    msExchCurrentServerRoles=54,
                    msExchVersion=VERSION_2013,
                    legacyExchangeDN=legacy_dn(forest, server).replace(
                        "/cn=Recipients", "/cn=Configuration/cn=Servers"
                    ),
                ),
            ),
            entry(protocols, "msExchContainer"),
            entry(receive, "msExchContainer"),
            entry(http, "msExchContainer"),
            entry(autodiscover, "msExchContainer"),
            entry(
                child(autodiscover, server),
                "serviceConnectionPoint",
                attributes(
                    keywords=[*SCP_KEYWORDS, "Site=Default-First-Site-Name"],
                    serviceBindingInformation=[f"https://{host}/Autodiscover/Autodiscover.xml"],
                    serviceClassName="ms-Exchange-AutoDiscover-Service",
                    serviceDNSName=host,
                ),
            ),
        ]
        result += [
            entry(
                child(receive, f"{name} {server}"),
                "msExchSmtpReceiveConnector",
                attributes(
                    msExchSmtpReceiveBindings=[binding], msExchSmtpReceiveRemoteIPRanges=["0.0.0.0-255.255.255.255"]
                ),
            )
            for name, binding in (("Default Frontend", "0.0.0.0:25"), ("Relay Printers", "0.0.0.0:2525"))
        ]
        result += [
            entry(
                child(http, f"{name} (Default Web Site)"),
                cls,
                attributes(
                    msExchInternalHostName=f"https://{host}/{path}",
                    msExchExternalHostName=f"https://mail.{forest.domain}/{path}",
                ),
            )
            for name, cls, path in _VIRTUAL_DIRECTORIES
        ]
    return result


def _mail_flow(forest: Forest, entry: _Entry, root: str, admin_group: str) -> list[Entry]:
    routing_groups = child(admin_group, "Routing Groups")
    routing_group = child(routing_groups, ROUTING_GROUP)
    connections = child(routing_group, "Connections")
    transport, global_settings = child(root, "Transport Settings"), child(root, "Global Settings")
    accepted, formats = child(transport, "Accepted Domains"), child(global_settings, "Internet Message Formats")
    domains = (forest.domain, f"{forest.name}.mail.onmicrosoft.com")
    return [
        entry(routing_groups, "msExchRoutingGroupContainer"),
        entry(routing_group, "msExchRoutingGroup"),
        entry(connections, "msExchConnectors"),
        entry(
            child(connections, "Outbound to Office 365 - " + hybrid_guid(forest)),
            "msExchRoutingSMTPConnector",
            attributes(
                msExchRoutingList=[f"SMTP:{domains[1]};1"],
                msExchSMTPSmartHost=f"{forest.name}-lab.mail.protection.outlook.com",
                msExchVersion=VERSION_2013,
            ),
        ),
        entry(
            child(connections, "Internet"), "msExchRoutingSMTPConnector", attributes(msExchRoutingList=["SMTP:*;10"])
        ),
        entry(transport, "msExchContainer"),
        entry(accepted, "msExchContainer"),
        *(
            entry(
                child(accepted, name),
                "msExchAcceptedDomain",
                attributes(msExchAcceptedDomainName=name, msExchAcceptedDomainFlags=0),
            )
            for name in domains
        ),
        entry(global_settings, "msExchContainer"),
        entry(formats, "msExchContainer"),
        entry(child(formats, "Default"), "msExchDomainContentConfig"),
    ]


def _hybrid(forest: Forest, entry: _Entry, root: str, admin_group: str) -> list[Entry]:
    guid = hybrid_guid(forest)
    names = ("Hybrid Configuration", "Intra Organization Connectors", "Federation", "Federation Trusts")
    hybrid, connectors, federation, trusts = (child(root, name) for name in names)
    authentication = child(root, "Auth Configuration")
    partners, servers = child(authentication, "Partner Applications"), child(authentication, "Auth Servers")
    overrides = child(child(root, "Global Settings"), "Setting Overrides")
    routing = f"{forest.name}.mail.onmicrosoft.com"
    return [
        *(entry(dn, "msExchContainer") for dn in (hybrid, connectors, federation, trusts)),
        entry(
            child(hybrid, "Hybrid Configuration"),
            "msExchCoexistenceRelationship",
            attributes(
                msExchCoexistenceDomains=[forest.domain],
                msExchCoexistenceOnPremisesSmartHost=f"mail.{forest.domain}",
                msExchCoexistenceTransportServers=[child(child(admin_group, "Servers"), "EX01")],
                msExchCoexistenceSecureMailCertificateThumbprint="<I>CN=Lab Issuing CA<S>CN=mail." + forest.domain,
                msExchVersion=VERSION_2013,
            ),
        ),
        entry(
            child(connectors, f"HybridIOC - {guid}"),
            "msExchIntraOrganizationConnector",
            attributes(msExchFedDomainNames=[routing], msExchFedIsEnabled=True),
        ),
        entry(
            child(federation, f"On-premises to O365 - {guid}"),
            "msExchFedSharingRelationship",
            attributes(
                msExchFedDomainNames=[routing],
                msExchFedIsEnabled=True,
                msExchFedTargetApplicationURI="outlook.com",
                msExchFedTargetAutodiscoverEPR="https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc/WSSecurity",
            ),
        ),
        entry(
            child(federation, "Federation"),
            "msExchFedOrgId",
            attributes(msExchFedDomainNames=[f"FYDIBOHF25SPDLT.{forest.domain}"], msExchFedIsEnabled=True),
        ),
        entry(
            child(trusts, "Microsoft Federation Gateway"),
            "msExchFedTrust",
            attributes(msExchFedTargetApplicationURI=f"FYDIBOHF25SPDLT.{forest.domain}"),
        ),
        entry(authentication, "msExchAuthAuthConfig"),
        entry(partners, "msExchContainer"),
        entry(
            child(partners, "Exchange Online"),
            "msExchAuthPartnerApplication",
            attributes(msExchAuthApplicationIdentifier="00000002-0000-0ff1-ce00-000000000000"),
        ),
        entry(servers, "msExchContainer"),
        entry(child(servers, f"EvoSts - {guid}"), "msExchAuthAuthServer"),
        entry(overrides, "msExchContainer"),
        entry(
            child(overrides, "EnableExchangeHybrid3PAppFeature"),
            "msExchConfigSettings",
            attributes(msExchConfigurationXML='<S CN="Global" SN="ExchangeOnpremAsThirdPartyAppId"><Ps/></S>'),
        ),
    ]


def _domain_partition(forest: Forest) -> list[Entry]:
    unit = child(forest.base_dn, "Microsoft Exchange Security Groups", "OU")
    container = child(forest.base_dn, "Microsoft Exchange System Objects")

    def guid(dn: str) -> str:
        return entry_guid(forest.name, "organization", dn)

    return [
        Entry(
            container,
            ("top", "msExchSystemObjectsContainer"),
            guid(container),
            attributes(objectVersion=SYSTEM_OBJECTS_VERSION),
        ),
        Entry(unit, ("top", "organizationalUnit"), guid(unit)),
        *(
            Entry(
                child(unit, name),
                ("top", "group"),
                guid(child(unit, name)),
                attributes(sAMAccountName=name, groupType=-2147483640),
            )
            for name in SECURITY_GROUPS
        ),
    ]
