# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of the Exchange extension as text, one a line. Read by :mod:`tests.lab.forest.schema`.

Columns: name, object identifier, syntax, single or multi, range, searchFlags, in the global catalogue, linkID, mAPIID,
schemaIDGUID. A dot is "none"; missing columns at the end are dots. The first letter of an identifier stands for an
arc: E for Exchange's, C and M for Microsoft's, L for the lab's own, where the real one is not published.
"""

from __future__ import annotations

RECIPIENTS = """
extensionAttribute1 C.423 Unicode S 1-1024 16 gc . 32813 bf967967-0de6-11d0-a285-00aa003049e2
extensionAttribute2 C.424 Unicode S 1-1024 16 gc . . bf967969-0de6-11d0-a285-00aa003049e2
extensionAttribute3 C.425 Unicode S 1-1024 16 gc
extensionAttribute4 C.426 Unicode S 1-1024 16 gc
extensionAttribute5 C.427 Unicode S 1-1024 16 gc
extensionAttribute6 C.428 Unicode S 1-1024 16 gc
extensionAttribute7 C.429 Unicode S 1-1024 16 gc
extensionAttribute8 C.430 Unicode S 1-1024 16 gc
extensionAttribute9 C.431 Unicode S 1-1024 16 gc
extensionAttribute10 C.432 Unicode S 1-1024 16 gc . . bf967968-0de6-11d0-a285-00aa003049e2
extensionAttribute11 C.599 Unicode S 1-2048 16 gc . . 167757f6-47f3-11d1-a9c3-0000f80367c1
extensionAttribute12 C.600 Unicode S 1-2048 16 gc . . 167757f7-47f3-11d1-a9c3-0000f80367c1
extensionAttribute13 C.601 Unicode S 1-2048 16 gc . . 167757f8-47f3-11d1-a9c3-0000f80367c1
extensionAttribute14 C.602 Unicode S 1-2048 16 gc . . 167757f9-47f3-11d1-a9c3-0000f80367c1
extensionAttribute15 C.603 Unicode S 1-2048 16 gc . . 167757fa-47f3-11d1-a9c3-0000f80367c1
msExchExtensionCustomAttribute1 E.51876 Unicode M
msExchExtensionCustomAttribute2 E.51877 Unicode M
msExchExtensionCustomAttribute3 E.51878 Unicode M
msExchExtensionCustomAttribute4 E.51879 Unicode M
msExchExtensionCustomAttribute5 E.51880 Unicode M
msExchRecipientTypeDetails E.50855 Int64 S . 1 gc . . 069ba1f8-540a-42a9-bf26-a7dd35475346
msExchRecipientDisplayType E.50730 Int32 S . 1 gc . 14597 b893abb0-767e-4f20-915f-3857bbc96afe
msExchHideFromAddressLists E.73 Bool S . 16 gc . . a21c0b96-b093-11d2-aa06-00c04f8eedd8
mailNickname C.447 Unicode S 1-64 5 gc . 14848 bf9679b3-0de6-11d0-a285-00aa003049e2
altRecipient C.126 DN S . 16 gc 12 32846 bf96791e-0de6-11d0-a285-00aa003049e2
deliverAndRedirect C.190 Bool S . 16 gc . 32877 bf96794d-0de6-11d0-a285-00aa003049e2
msExchGenericForwardingAddress E.51620 Unicode S
authOrig C.129 DN M . 16 gc 110 . a8df7397-c5ea-11d1-bbcb-0080c76670c0
unauthOrig C.221 DN M . 16 gc 114 . a8df7495-c5ea-11d1-bbcb-0080c76670c0
dLMemSubmitPerms C.144 DN M . 16 gc 112 . a8df73c4-c5ea-11d1-bbcb-0080c76670c0
dLMemRejectPerms C.47 DN M . 16 gc 116 . a8df73c2-c5ea-11d1-bbcb-0080c76670c0
publicDelegates C.238 DN M . 16 gc 14 32789 f0f8ff9a-1191-11d0-a060-00aa006c33ed
msExchRequireAuthToSendTo M.4.5062 Bool S
msExchEnableModeration E.50969 Bool S
msExchModeratedByLink E.50952 DN M
msExchModerationFlags E.50972 Int32 S
msExchBypassModerationLink E.51140 DN M
msExchSenderHintTranslations E.50899 Unicode M
msExchArchiveName E.51441 Unicode M
msExchRetentionComment E.51240 Unicode S
msExchRetentionURL E.51242 Unicode S
msExchLitigationHoldDate E.51734 Time S
msExchLitigationHoldOwner E.51735 Unicode S
msExchELCMailboxFlags E.50761 Int32 S
msExchELCExpirySuspensionStart E.50762 Time S
msExchELCExpirySuspensionEnd E.50763 Time S
msExchMailboxAuditEnable E.51671 Bool S
msExchMailboxAuditLogAgeLimit E.51672 Int32 S
msExchAuditAdmin E.51673 Int32 S
msExchAuditDelegate E.51674 Int32 S
msExchAuditDelegateAdmin E.51675 Int32 S
msExchAuditOwner E.51676 Int32 S
msExchBypassAudit E.51678 Bool S
msExchResourceCapacity E.50332 Int32 S
msExchResourceDisplay E.50334 Unicode S
msExchResourceMetaData E.50333 Unicode M
msExchResourceSearchProperties E.50331 Unicode M
msExchUserHoldPolicies E.52071 Unicode M
msExchSafeSendersHash E.50765 Octet S
msExchSafeRecipientsHash E.50766 Octet S
msExchBlockedSendersHash E.50976 Octet S
msExchUCVoiceMailSettings E.51612 Unicode M
msExchArchiveStatus E.51602 Int32 S
msExchDelegateListLink E.51530 DN M
msExchMailboxGuid E.11058 Octet S 16-16 9 gc . 35955 9333af48-b09e-11d2-aa06-00c04f8eedd8
msExchArchiveGUID E.51443 Octet S
msExchDisabledArchiveGUID E.51765 Octet S
msExchRemoteRecipientType E.51611 Int64 S
targetAddress C.352 Unicode S 1-1123 1 gc . 32785 f0f8ff9f-1191-11d0-a060-00aa006c33ed
msExchVersion E.50853 Int64 S
msExchIsMSODirsynced E.51718 Bool S
msExchExternalDirectoryObjectId E.51610 Unicode S
msExchImmutableId E.51022 Unicode S
msExchUsageLocation E.51767 Unicode S
msExchUserCulture E.50773 Unicode S
msExchUserAccountControl E.101 Int32 S . 25 gc . . 07c31f12-a3e8-4fa0-af8e-4932c75b2241
msExchMasterAccountSid E.81 SID S 0-28 9 gc . 35957 936a855e-b09e-11d2-aa06-00c04f8eedd8
msExchHomeServerName E.47 Unicode S
homeMDB C.244 DN S . . gc 32 32774 bf967987-0de6-11d0-a285-00aa003049e2
msExchPoliciesIncluded E.50050 Unicode M
msExchPoliciesExcluded E.50051 Unicode M
msExchWhenMailboxCreated E.51580 Time S
msExchPreviousRecipientTypeDetails E.52107 Int64 S
msExchCapabilityIdentifiers E.51581 Int32 M
msExchALObjectVersion E.59 Int32 S
msExchTeamMailboxExpiration E.51871 Time S
msExchTeamMailboxOwners E.51872 DN M
msExchTeamMailboxSharePointUrl E.51874 Unicode S
mDBStorageQuota C.266 Int32 S
mDBOverQuotaLimit C.272 Int32 S
mDBOverHardQuotaLimit E.11037 Int32 S
mDBUseDefaults C.309 Bool S
delivContLength C.138 Int32 S
submissionContLength C.280 Int32 S
msExchRecipLimit E.12523 Int32 S
msExchExpansionServerName L.80 Unicode S
msExchArchiveDatabaseLink L.81 DN S
"""

ORGANIZATION = """
msExchCoexistenceOnPremisesSmartHost E.51992 Unicode S
msExchCoexistenceTransportServers E.51990 DN M
msExchCoexistenceSecureMailCertificateThumbprint E.51991 Unicode S
msExchCoexistenceDomains L.1 Unicode M
msExchAcceptedDomainName L.2 Unicode S
msExchAcceptedDomainFlags L.3 Int32 S
msExchFedDomainNames L.4 Unicode M
msExchFedTargetApplicationURI L.5 Unicode S
msExchFedTargetAutodiscoverEPR L.6 Unicode S
msExchFedIsEnabled L.7 Bool S
msExchSmtpReceiveBindings L.8 Unicode M
msExchSmtpReceiveRemoteIPRanges L.9 Unicode M
msExchInternalHostName L.10 Unicode S
msExchExternalHostName L.11 Unicode S
msExchCurrentServerRoles L.12 Int32 S
msExchProductID L.13 Unicode S
msExchSmtpSmartHost L.14 Unicode S
msExchConfigurationXML L.15 Unicode S
msExchAuthApplicationIdentifier L.16 Unicode S
routingList L.17 Unicode M
msExchSourceBridgeheadServersDN L.18 DN M
domainName L.19 Unicode S
msExchDomainContentConfigFlags L.20 Int32 S
msExchSmtpSendTlsDomain L.21 Unicode S
msExchSmtpSendEnabled L.22 Bool S
msExchSmtpSendFlags L.23 Int32 S
msExchSmtpSendPort L.24 Int32 S
msExchSMTPSendConnectorFQDN L.25 Unicode S
msExchSmtpTLSCertificate L.26 Unicode S
msExchSmtpReceiveTlsDomainCapabilities L.27 Unicode M
msExchSmtpReceiveEnabled L.28 Bool S
msExchSMTPReceiveConnectorFQDN L.29 Unicode S
msExchServerSite L.30 DN S
msExchMDBAvailabilityGroupLink L.31 DN S
msExchOwningServer L.32 DN S
msExchHostServerLink L.33 DN S
msExchActivationPreference L.34 Int32 S
msExchMasterServerOrAvailabilityGroup L.35 DN S
msExchEDBFile L.36 Unicode S
msExchFileShareWitness L.37 Unicode S
msExchFileShareWitnessDirectory L.38 Unicode S
msExchIntraOrganizationDiscoveryEndpoint L.39 Unicode S
msExchFedTargetSharingEPR L.40 Unicode S
msExchFedEnabledActions L.41 Unicode M
msExchFedTokenIssuerURI L.42 Unicode S
msExchFedMetadataEPR L.43 Unicode S
msExchFedOrgPrivCertificate L.44 Unicode S
msExchFedAccountNamespace L.45 Unicode S
msExchFedDelegationTrust L.46 DN S
msExchFedTargetOWAURL L.47 Unicode S
msExchAuthAuthServerType L.50 Int32 S
msExchAuthAuthorizationUrl L.51 Unicode S
msExchAuthCertificateThumbprint L.52 Unicode S
msExchAuthFlags L.53 Int32 S
msExchAuthIssuerName L.54 Unicode S
msExchAuthIssuingUrl L.55 Unicode S
msExchAuthLinkedAccount L.56 DN S
msExchAuthMetadataUrl L.57 Unicode S
msExchAuthRealm L.58 Unicode S
msExchAvailabilityAccessMethod L.60 Int32 S
msExchAvailabilityUserName L.61 Unicode S
msExchEdgeSyncLease L.63 Octet S
offLineABServer L.64 DN S
msExchOABGeneratingMailboxLink L.65 DN S
msExchTransportRuleXml L.66 Unicode S
msExchTransportRulePriority L.67 Int32 S
msExchSharingPolicyDomains L.70 Unicode M
msExchSharingPolicyIsEnabled L.71 Bool S
"""
