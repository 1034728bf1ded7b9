# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The classes of the Exchange extension: the recipients' auxiliaries and the objects of an organisation.

Rules for unknown identifiers: see :mod:`tests.lab.forest.schema`.
"""

from __future__ import annotations

from tests.lab.forest.schema import CLASS_ARC, LAB_ARC, MICROSOFT, RECIPIENT_ATTRIBUTES, ObjectClass

STRUCTURAL, AUXILIARY = 1, 3
_CONTAINERS = (
    "container",
    "msExchContainer",
    "msExchOrganizationContainer",
    "msExchAdminGroup",
    "msExchAuthAuthConfig",
)
# What every object of the organisation can carry: its level, and what has no attribute of its own.
_COMMON = ("msExchConfigurationXML", "msExchVersion")

AUXILIARIES = (
    ObjectClass(
        "msExchBaseClass",
        f"{CLASS_ARC}.14",
        AUXILIARY,
        "top",
        "d8782c34-46ca-11d3-aa72-00c04f8eedd8",
        may_contain=(
            "msExchHideFromAddressLists",
            "msExchUserAccountControl",
            "showInAddressBook",
            "legacyExchangeDN",
            "msExchALObjectVersion",
        ),
    ),
    ObjectClass(
        "msExchCustomAttributes",
        f"{CLASS_ARC}.6",
        AUXILIARY,
        "top",
        "00e629c8-a981-11d2-a9ff-00c04f8eedd8",
        may_contain=tuple(f"extensionAttribute{number}" for number in range(1, 16)),
    ),
    ObjectClass(
        "msExchMailStorage",
        f"{CLASS_ARC}.5",
        AUXILIARY,
        "top",
        "03652000-a981-11d2-a9ff-00c04f8eedd8",
        may_contain=(
            "msExchMailboxGuid",
            "homeMDB",
            "msExchHomeServerName",
            "mDBStorageQuota",
            "mDBOverQuotaLimit",
            "mDBOverHardQuotaLimit",
            "mDBUseDefaults",
        ),
    ),
)

MAIL_RECIPIENT_ADDITIONS = tuple(attribute.name for attribute in RECIPIENT_ATTRIBUTES)
"""What the extension adds to ``mayContain`` of the base schema's mailRecipient, the auxiliary of all recipients."""


def _class(
    name: str, oid: str, superclass: str, guid: str | None = None, parents: tuple[str, ...] = (), *may_contain: str
) -> ObjectClass:
    carried = tuple(dict.fromkeys((*may_contain, *_COMMON)))
    return ObjectClass(name, oid, STRUCTURAL, superclass, guid, parents or _CONTAINERS, carried)


def _lab_class(number: int, name: str, *may_contain: str, parents: tuple[str, ...] = ()) -> ObjectClass:
    return _class(name, f"{LAB_ARC}.2.{number}", "top", None, parents, *may_contain)


ORGANIZATION_CLASSES = (
    _class("msExchContainer", f"{CLASS_ARC}.50010", "container", "006c91da-a981-11d2-a9ff-00c04f8eedd8"),
    _class(
        "msExchOrganizationContainer",
        f"{CLASS_ARC}.50020",
        "container",
        "366a319c-a982-11d2-a9ff-00c04f8eedd8",
        (),
        "msExchProductID",
        "msExchVersion",
        "objectVersion",
    ),
    _class("msExchAdminGroupContainer", f"{CLASS_ARC}.50019", "container", "e7a44058-a980-11d2-a9ff-00c04f8eedd8"),
    _class(
        "msExchAdminGroup",
        f"{CLASS_ARC}.50011",
        "top",
        "e768a58e-a980-11d2-a9ff-00c04f8eedd8",
        ("msExchAdminGroupContainer",),
        "legacyExchangeDN",
    ),
    _class(
        "msExchServersContainer",
        f"{CLASS_ARC}.50013",
        "container",
        "346e5cba-a982-11d2-a9ff-00c04f8eedd8",
        ("msExchAdminGroup",),
    ),
    _class(
        "msExchExchangeServer",
        f"{CLASS_ARC}.50009",
        "server",
        "01a9aa9c-a981-11d2-a9ff-00c04f8eedd8",
        ("msExchServersContainer",),
        "msExchCurrentServerRoles",
        "msExchEdgeSyncLease",
        "msExchMDBAvailabilityGroupLink",
        "msExchProductID",
        "msExchServerSite",
        "msExchVersion",
        "legacyExchangeDN",
        "networkAddress",
        "serialNumber",
        "versionNumber",
    ),
    _class(
        "msExchRoutingGroupContainer",
        f"{CLASS_ARC}.12001",
        "container",
        None,
        ("msExchAdminGroup",),
    ),
    _class(
        "msExchRoutingGroup",
        f"{CLASS_ARC}.12002",
        "container",
        "35154156-a982-11d2-a9ff-00c04f8eedd8",
        ("msExchRoutingGroupContainer",),
    ),
    _class("msExchConnectors", f"{CLASS_ARC}.12003", "container", None, ("msExchRoutingGroup",)),
    _class("msExchConnector", f"{CLASS_ARC}.12004", "top", None, ("msExchConnectors",)),
    _class("mailGateway", f"{MICROSOFT}.3.51", "msExchConnector", None, ("msExchConnectors",)),
    _class(
        "msExchRoutingSMTPConnector",
        f"{CLASS_ARC}.12008",
        "mailGateway",
        "89baf7be-b09e-11d2-aa06-00c04f8eedd8",
        ("msExchConnectors",),
        "delivContLength",
        "msExchSMTPSendConnectorFQDN",
        "msExchSmtpSendEnabled",
        "msExchSmtpSendFlags",
        "msExchSmtpSendPort",
        "msExchSmtpSendTlsDomain",
        "msExchSmtpSmartHost",
        "msExchSmtpTLSCertificate",
        "msExchSourceBridgeheadServersDN",
        "routingList",
    ),
    _class(
        "msExchDomainContentConfig",
        f"{CLASS_ARC}.50027",
        "top",
        "ab3a1ad1-1df5-11d3-aa5e-00c04f8eedd8",
        (),
        "domainName",
        "msExchDomainContentConfigFlags",
    ),
    _class(
        "msExchSystemObjectsContainer",
        f"{CLASS_ARC}.50034",
        "container",
        "0bffa04c-7d8e-44cd-968a-b2cac11d17e1",
        ("domainDNS",),
        "objectVersion",
    ),
    _lab_class(
        1,
        "msExchCoexistenceRelationship",
        "msExchCoexistenceOnPremisesSmartHost",
        "msExchCoexistenceTransportServers",
        "msExchCoexistenceSecureMailCertificateThumbprint",
        "msExchCoexistenceDomains",
        "msExchVersion",
    ),
    _lab_class(
        2,
        "msExchIntraOrganizationConnector",
        "msExchFedDomainNames",
        "msExchFedIsEnabled",
        "msExchIntraOrganizationDiscoveryEndpoint",
    ),
    _lab_class(
        3,
        "msExchFedSharingRelationship",
        "msExchFedDomainNames",
        "msExchFedEnabledActions",
        "msExchFedIsEnabled",
        "msExchFedTargetApplicationURI",
        "msExchFedTargetAutodiscoverEPR",
        "msExchFedTargetOWAURL",
        "msExchFedTargetSharingEPR",
    ),
    _lab_class(
        4,
        "msExchFedTrust",
        "msExchFedMetadataEPR",
        "msExchFedOrgPrivCertificate",
        "msExchFedTargetApplicationURI",
        "msExchFedTokenIssuerURI",
    ),
    _lab_class(
        5,
        "msExchFedOrgId",
        "msExchFedAccountNamespace",
        "msExchFedDelegationTrust",
        "msExchFedDomainNames",
        "msExchFedIsEnabled",
    ),
    _lab_class(
        6,
        "msExchSmtpReceiveConnector",
        "delivContLength",
        "msExchSMTPReceiveConnectorFQDN",
        "msExchSmtpReceiveBindings",
        "msExchSmtpReceiveEnabled",
        "msExchSmtpReceiveRemoteIPRanges",
        "msExchSmtpReceiveTlsDomainCapabilities",
    ),
    _lab_class(7, "msExchAcceptedDomain", "msExchAcceptedDomainName", "msExchAcceptedDomainFlags"),
    _lab_class(8, "msExchAuthAuthConfig", "msExchAuthCertificateThumbprint", "msExchAuthRealm"),
    _lab_class(
        9,
        "msExchAuthPartnerApplication",
        "msExchAuthApplicationIdentifier",
        "msExchAuthFlags",
        "msExchAuthIssuerName",
        "msExchAuthLinkedAccount",
        "msExchAuthMetadataUrl",
        "msExchAuthRealm",
    ),
    _lab_class(
        10,
        "msExchAuthAuthServer",
        "msExchAuthApplicationIdentifier",
        "msExchAuthAuthServerType",
        "msExchAuthAuthorizationUrl",
        "msExchAuthFlags",
        "msExchAuthIssuerName",
        "msExchAuthIssuingUrl",
        "msExchAuthMetadataUrl",
        "msExchAuthRealm",
        "msExchCoexistenceDomains",
    ),
    _lab_class(11, "msExchConfigSettings"),
    _lab_class(12, "msExchMDBAvailabilityGroup", "msExchFileShareWitness", "msExchFileShareWitnessDirectory"),
    _lab_class(
        13,
        "msExchPrivateMDB",
        "legacyExchangeDN",
        "msExchEDBFile",
        "msExchMasterServerOrAvailabilityGroup",
        "msExchOwningServer",
    ),
    _lab_class(
        14, "msExchMDBCopy", "msExchActivationPreference", "msExchHostServerLink", parents=("msExchPrivateMDB",)
    ),
    _lab_class(15, "msExchAvailabilityConfig", parents=("msExchOrganizationContainer",)),
    _lab_class(
        16,
        "msExchAvailabilityAddressSpace",
        "msExchAvailabilityAccessMethod",
        "msExchAvailabilityUserName",
        "msExchFedTargetAutodiscoverEPR",
        parents=("msExchAvailabilityConfig",),
    ),
    _lab_class(17, "msExchOAB", "msExchOABGeneratingMailboxLink", "offLineABServer"),
    _lab_class(18, "msExchTransportRule", "msExchTransportRulePriority", "msExchTransportRuleXml"),
    _lab_class(19, "msExchSharingPolicy", "msExchSharingPolicyDomains", "msExchSharingPolicyIsEnabled"),
    *(
        _lab_class(20 + index, name, "msExchInternalHostName", "msExchExternalHostName")
        for index, name in enumerate(
            (
                "msExchWebServicesVirtualDirectory",
                "msExchAutoDiscoverVirtualDirectory",
                "msExchOWAVirtualDirectory",
                "msExchECPVirtualDirectory",
                "msExchMapiVirtualDirectory",
                "msExchMobileVirtualDirectory",
                "msExchOABVirtualDirectory",
            )
        )
    ),
)

CLASSES = (*AUXILIARIES, *ORGANIZATION_CLASSES)
