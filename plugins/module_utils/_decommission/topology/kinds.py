# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The kinds of objects of an Exchange organisation: their classes and attributes, and what these are called here.

Classes and attributes are Exchange's own. Those that no public description of the schema holds are marked [inf]: a
forest that names them otherwise shows None there, and nothing else goes wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.values import (
    Convert,
    boolean,
    dn_name,
    dn_names,
    fqdn,
    guid,
    integer,
    moment,
    text,
    texts,
)

Fields = Mapping[str, tuple[str, Convert]]

SCP_KEYWORD = "77378F46-2C66-4aa9-A6A6-3E7A48B19596"
"""The keyword of Autodiscover's service connection points."""


@dataclass(frozen=True)
class Kind:
    """One kind of object, by its class; ``title`` is what several of them are called."""

    name: str
    object_class: str
    title: str
    fields: Fields


def _kind(name: str, object_class: str, title: str, **fields: tuple[str, Convert]) -> Kind:
    return Kind(name, object_class, title, MappingProxyType(fields))


CONFIGURATION_KINDS: tuple[Kind, ...] = (
    _kind(
        "organization",
        "msExchOrganizationContainer",
        "organisations",
        guid=("objectGUID", guid),
        version=("objectVersion", integer),
        created=("whenCreated", moment),
    ),
    _kind("administrative_group", "msExchAdminGroup", "administrative groups"),
    _kind(
        "server",
        "msExchExchangeServer",
        "servers",
        fqdn=("networkAddress", fqdn),
        version=("serialNumber", text),
        version_number=("versionNumber", integer),
        roles=("msExchCurrentServerRoles", integer),
        site=("msExchServerSite", dn_name),
        availability_group=("msExchMDBAvailabilityGroupLink", dn_name),
        created=("whenCreated", moment),
    ),
    _kind(
        "database",
        "msExchPrivateMDB",
        "mailbox databases",
        guid=("objectGUID", guid),
        owner=("msExchOwningServer", dn_name),
        availability_group=("msExchMasterServerOrAvailabilityGroup", dn_name),
        created=("whenCreated", moment),
    ),
    _kind("database_copy", "msExchMDBCopy", "database copies", server=("msExchHostServerLink", dn_name)),
    _kind(
        "public_folder_database", "msExchPublicMDB", "public folder databases", owner=("msExchOwningServer", dn_name)
    ),
    _kind(
        "availability_group",
        "msExchMDBAvailabilityGroup",
        "database availability groups",
        witness=("msExchFileShareWitness", text),
    ),
    _kind(
        "send_connector",
        "msExchRoutingSMTPConnector",
        "send connectors",
        address_spaces=("routingList", texts),
        smart_hosts=("msExchSmtpSmartHost", text),
        sources=("msExchSourceBridgeheadServersDN", dn_names),
        tls_domain=("msExchSmtpSendTlsDomain", text),
        tls_certificate=("msExchSmtpTLSCertificate", text),
        enabled=("msExchSmtpSendEnabled", boolean),
        flags=("msExchSmtpSendFlags", integer),
        comment=("adminDescription", text),
    ),
    _kind(
        "receive_connector",
        "msExchSmtpReceiveConnector",
        "receive connectors",
        bindings=("msExchSmtpReceiveBindings", texts),
        remote_ranges=("msExchSmtpReceiveRemoteIPRanges", texts),
        tls_domain_capabilities=("msExchSmtpReceiveTlsDomainCapabilities", texts),
        tls_certificate=("msExchSmtpReceiveTlsCertificateName", text),
        enabled=("msExchSmtpReceiveEnabled", boolean),
        flags=("msExchSmtpReceiveAuthMechanism", integer),
    ),
    _kind(
        "accepted_domain",
        "msExchAcceptedDomain",
        "accepted domains",
        domain=("msExchAcceptedDomainName", text),
        flags=("msExchAcceptedDomainFlags", integer),
    ),
    _kind(
        "remote_domain",
        "msExchDomainContentConfig",
        "remote domains",
        domain=("domainName", text),
        flags=("msExchDomainContentConfigFlags", integer),
    ),
    _kind(
        "hybrid_configuration",
        "msExchCoexistenceRelationship",
        "hybrid configurations",
        domains=("msExchCoexistenceDomains", texts),
        features=("msExchCoexistenceFeatureFlags", integer),
        smart_host=("msExchCoexistenceOnPremisesSmartHost", text),
        transport_servers=("msExchCoexistenceTransportServers", dn_names),
        certificate=("msExchCoexistenceSecureMailCertificateThumbprint", text),
        created=("whenCreated", moment),
    ),
    _kind(
        "intra_organization_connector",
        "msExchIntraOrganizationConnector",
        "intra-organisation connectors",
        enabled=("msExchFedIsEnabled", boolean),  # [inf]
        discovery=("msExchIntraOrganizationDiscoveryEndpoint", text),
        target_domains=("msExchFedDomainNames", texts),  # [inf]
    ),
    _kind(
        "organization_relationship",
        "msExchFedSharingRelationship",
        "organisation relationships",
        domains=("msExchFedDomainNames", texts),
        enabled=("msExchFedIsEnabled", boolean),
        application=("msExchFedTargetApplicationURI", text),
        autodiscover=("msExchFedTargetAutodiscoverEPR", text),
        sharing=("msExchFedTargetSharingEPR", text),
        web_mail=("msExchFedTargetOWAURL", text),
    ),
    _kind(
        "federation_trust",
        "msExchFedTrust",
        "federation trusts",
        metadata=("msExchFedMetadataEPR", text),
        certificate=("msExchFedOrgPrivCertificate", text),
        token_issuer=("msExchFedTokenIssuerURI", text),
    ),
    _kind(
        "federated_organization",
        "msExchFedOrgId",
        "federated organisation identifiers",
        enabled=("msExchFedIsEnabled", boolean),
        account_namespace=("msExchFedAccountNamespace", text),
        domains=("msExchFedNamespaces", texts),
        trust=("msExchFedDelegationTrust", dn_name),
    ),
    _kind(
        "auth_server",
        "msExchAuthAuthServer",
        "auth servers",
        realm=("msExchAuthRealm", text),
        issuer=("msExchAuthIssuerName", text),
        metadata=("msExchAuthMetadataUrl", text),
        flags=("msExchAuthFlags", integer),
    ),
    _kind(
        "partner_application",
        "msExchAuthPartnerApplication",
        "partner applications",
        application_id=("msExchAuthApplicationIdentifier", text),
        account=("msExchAuthLinkedAccount", dn_name),
        flags=("msExchAuthFlags", integer),
    ),
    _kind(
        "setting_override",
        "msExchConfigSettings",
        "setting overrides",
        settings=("msExchConfigurationXML", text),
    ),
    _kind(
        "service_connection_point",
        "serviceConnectionPoint",
        "Autodiscover service connection points",
        urls=("serviceBindingInformation", texts),
        keywords=("keywords", texts),
        dns_name=("serviceDNSName", text),
    ),
    _kind(
        "availability_address_space",
        "msExchAvailabilityAddressSpace",
        "availability address spaces",
        forest=("msExchAvailabilityForestName", text),
        access_method=("msExchAvailabilityAccessMethod", integer),
    ),
)

# Classes of which others are made, in the order in which an object is taken for one: the first that fits.
BY_CLASS: Mapping[str, Kind] = MappingProxyType({kind.object_class.casefold(): kind for kind in CONFIGURATION_KINDS})

_USER: Fields = MappingProxyType(
    {
        "user_principal_name": ("userPrincipalName", text),
        "address": ("mail", text),
        "type_details": ("msExchRecipientTypeDetails", integer),
        "database": ("homeMDB", dn_name),
        "server": ("msExchHomeServerName", text),
        "archive_database": ("msExchArchiveDatabaseLink", dn_name),
    }
)
_GROUP: Fields = MappingProxyType(
    {"created": ("whenCreated", moment), "expansion_server": ("msExchExpansionServerName", text)}
)
_CONTAINER: Fields = MappingProxyType({"version": ("objectVersion", integer), "created": ("whenCreated", moment)})

DOMAIN_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("mailbox", "user", "mailboxes on premises", _USER),
            Kind("archive", "user", "archives on premises", _USER),
            Kind("system_mailbox", "user", "system mailboxes", _USER),
            Kind("security_group", "group", "Exchange security groups", _GROUP),
            Kind("emt_group", "group", "groups of the management tools", _GROUP),
            Kind("expansion_group", "group", "groups with an expansion server", _GROUP),
            Kind("system_objects", "msExchSystemObjectsContainer", "containers of Exchange system objects", _CONTAINER),
        )
    }
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in CONFIGURATION_KINDS} | dict(DOMAIN_KINDS))

# Mailboxes that Exchange makes for itself, by msExchRecipientTypeDetails. The last three numbers are [inf].
SYSTEM_TYPES: Mapping[int, str] = MappingProxyType(
    {
        8388608: "arbitration",
        536870912: "discovery",
        4294967296: "audit_log",
        549755813888: "monitoring",
        4398046511104: "aux_audit_log",
    }
)
# By name where the number is another one, so that a wrong guess above hides nobody's mailbox.
SYSTEM_NAMES: tuple[str, ...] = (
    "SystemMailbox{",
    "Migration.8f3e7716-2011-43e4-96b1-aba62d229136",
    "FederatedEmail.4c1f4d8b-8179-4148-93bf-00a95fa1e042",
    "DiscoverySearchMailbox {D919BA05-46A6-415f-80AD-7E09334BB852}",
    "HealthMailbox",
)

SECURITY_GROUPS_OU = "OU=Microsoft Exchange Security Groups"
SYSTEM_OBJECTS = "CN=Microsoft Exchange System Objects"
SCHEMA_VERSION = "CN=ms-Exch-Schema-Version-Pt"
SERVICES = "CN=Services"
PARTITIONS = "CN=Partitions"

# msExchAcceptedDomainFlags: the lowest bits are the kind of domain, 4 marks the default one. [inf]
_DOMAIN_TYPES = {0: "authoritative", 1: "external_relay", 2: "internal_relay"}


def domain_type(flags: int | None) -> str | None:
    """Whether an accepted domain is authoritative or relayed; None where that is not known."""
    return None if flags is None else _DOMAIN_TYPES.get(flags & 3)


def attributes(kinds: Mapping[str, Kind] | tuple[Kind, ...]) -> tuple[str, ...]:
    """All attributes of some kinds, each once, with the class and the name."""
    rows = kinds.values() if isinstance(kinds, Mapping) else kinds
    names = [attribute for kind in rows for attribute, _convert in kind.fields.values()]
    return tuple(dict.fromkeys(("objectClass", "name", "cn", *names)))
