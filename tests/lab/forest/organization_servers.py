# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers, databases and the availability group, with what lies below a server."""

from __future__ import annotations

from tests.lab.forest.entries import Entry, attributes, child
from tests.lab.forest.organization_parts import DAG, SERVERS, MakeEntry, common, places_of, site_dn
from tests.lab.forest.recipients import DATABASES, VERSION_2013, legacy_dn
from tests.lab.settings import Forest

SCP_KEYWORDS = ("77378F46-2C66-4aa9-A6A6-3E7A48B19596",)
SERIAL_NUMBER = "Version 15.2 (Build 31544.4)"
VERSION_NUMBER = 1942061576
ROLES = 54  # msExchCurrentServerRoles of the Mailbox role, which is everything since Exchange 2016
EVERYWHERE = ["::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0-255.255.255.255"]
PRINTERS = "10.20.30.0/24"
FROM_CLOUD = "mail.protection.outlook.com:AcceptCloudServicesMail"  # the wizard sets it on the default connectors
_PORTS = (
    ("Default Frontend", "25"),
    ("Client Frontend", "587"),
    ("Outbound Proxy Frontend", "717"),
    ("Default", "2525"),
    ("Client Proxy", "465"),
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


def servers(forest: Forest, entry: MakeEntry) -> list[Entry]:
    """Containers, the group, both servers, then the databases that name them."""
    places = places_of(forest)
    group = child(places.availability_groups, DAG)
    result = [
        entry(places.servers, "msExchServersContainer"),
        entry(places.databases, "msExchContainer"),
        entry(places.availability_groups, "msExchContainer"),
        entry(
            group,
            "msExchMDBAvailabilityGroup",
            attributes(
                msExchFileShareWitness=f"dc1.{forest.domain}",
                msExchFileShareWitnessDirectory=rf"C:\DAGFileShareWitnesses\{DAG}.{forest.domain}",
                msExchVersion=VERSION_2013,
            ),
        ),
    ]
    for server in SERVERS:
        result += _server(forest, entry, server, group)
    for name, holders in DATABASES.items():
        result += _database(forest, entry, name, holders, group)
    return result


def _server(forest: Forest, entry: MakeEntry, server: str, group: str) -> list[Entry]:
    places = places_of(forest)
    dn, host = places.server(server), f"{server.lower()}.{forest.domain}"
    http = child(places.protocols(server), "HTTP")
    return [
        entry(
            dn,
            "msExchExchangeServer",
            attributes(
                serialNumber=SERIAL_NUMBER,
                versionNumber=VERSION_NUMBER,
                networkAddress=[f"ncacn_ip_tcp:{host}", f"netbios:{server}", f"ncacn_spx:{server}"],
                msExchCurrentServerRoles=ROLES,
                msExchServerSite=site_dn(forest),
                msExchMDBAvailabilityGroupLink=group,
                msExchVersion=VERSION_2013,
                legacyExchangeDN=legacy_dn(forest, server).replace("/cn=Recipients", "/cn=Configuration/cn=Servers"),
            ),
        ),
        entry(places.protocols(server), "msExchContainer"),
        entry(places.receive_connectors(server), "msExchContainer"),
        entry(http, "msExchContainer"),
        entry(child(places.protocols(server), "Autodiscover"), "msExchContainer"),
        entry(
            places.discovery(server),
            "serviceConnectionPoint",
            attributes(
                keywords=[*SCP_KEYWORDS, "Site=Default-First-Site-Name"],
                serviceBindingInformation=[f"https://{host}/Autodiscover/Autodiscover.xml"],
                serviceClassName="ms-Exchange-AutoDiscover-Service",
                serviceDNSName=host,
            ),
        ),
        *_receive_connectors(forest, entry, server),
        *(
            entry(
                child(http, f"{name} (Default Web Site)"),
                cls,
                attributes(
                    msExchInternalHostName=f"https://{host}/{path}",
                    msExchExternalHostName=f"https://mail.{forest.domain}/{path}",
                ),
            )
            for name, cls, path in _VIRTUAL_DIRECTORIES
        ),
    ]


def _receive_connectors(forest: Forest, entry: MakeEntry, server: str) -> list[Entry]:
    below, host = places_of(forest).receive_connectors(server), f"{server.lower()}.{forest.domain}"
    made = [
        entry(
            child(below, f"{name} {server}"),
            "msExchSmtpReceiveConnector",
            common()
            | attributes(
                msExchSmtpReceiveBindings=[f"[::]:{port}", f"0.0.0.0:{port}"],
                msExchSmtpReceiveRemoteIPRanges=EVERYWHERE,
                msExchSmtpReceiveEnabled=True,
                msExchSMTPReceiveConnectorFQDN=host,
                msExchSmtpReceiveTlsDomainCapabilities=[FROM_CLOUD] if name == "Default Frontend" else None,
            ),
        )
        for name, port in _PORTS
    ]
    relay = attributes(
        msExchSmtpReceiveBindings=["0.0.0.0:25"],
        msExchSmtpReceiveRemoteIPRanges=[PRINTERS],
        msExchSmtpReceiveEnabled=True,
        msExchSMTPReceiveConnectorFQDN=host,
    )
    return [*made, entry(child(below, f"Relay Printers {server}"), "msExchSmtpReceiveConnector", common() | relay)]


def _database(forest: Forest, entry: MakeEntry, name: str, holders: tuple[str, ...], group: str) -> list[Entry]:
    places = places_of(forest)
    dn = child(places.databases, name)
    owner = attributes(
        msExchOwningServer=places.server(holders[0]),
        msExchMasterServerOrAvailabilityGroup=group,
        msExchEDBFile=rf"D:\{name}\{name}.edb",
    )
    copies = [
        entry(
            child(dn, server),
            "msExchMDBCopy",
            common() | attributes(msExchHostServerLink=places.server(server), msExchActivationPreference=number),
        )
        for number, server in enumerate(holders, start=1)
    ]
    return [entry(dn, "msExchPrivateMDB", common() | owner), *copies]
