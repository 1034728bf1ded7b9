# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The cmdlets that may be sent to Exchange Server: their names, their parameters with types, and whether they change.

Nothing else is sent. Names and types are those of Microsoft's reference, of what applies on premises; a test compares
them. Not among them, so that nobody can send them: Remove-Mailbox, which deletes the AD user with the mailbox, and
Disable-RemoteMailbox and Remove-RemoteMailbox, which take from a user what keeps his mailbox in the cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._model.known_cmdlets import Known


def _known(changes: bool, parameters: str) -> Known:
    pairs = [pair.partition(":") for pair in parameters.split()]
    return Known(changes, MappingProxyType({name: kind for name, _colon, kind in pairs}))


def _reads(parameters: str = "") -> Known:
    return _known(False, parameters)


def _changes(parameters: str) -> Known:
    return _known(True, parameters)


CMDLETS: Mapping[str, Known] = MappingProxyType(
    {
        "Get-ADServerSettings": _reads(),
        "Get-AcceptedDomain": _reads("Identity:AcceptedDomainIdParameter"),
        "Get-AuthConfig": _reads(),
        "Get-AuthServer": _reads("Identity:AuthServerIdParameter"),
        "Get-AvailabilityAddressSpace": _reads("Identity:AvailabilityAddressSpaceIdParameter"),
        "Get-ClientAccessService": _reads("Identity:ClientAccessServerIdParameter"),
        "Get-DatabaseAvailabilityGroup": _reads("Identity:DatabaseAvailabilityGroupIdParameter Status:SwitchParameter"),
        "Get-DistributionGroup": _reads("Identity:DistributionGroupIdParameter ResultSize:Unlimited Filter:String"),
        "Get-DynamicDistributionGroup": _reads("Identity:DynamicGroupIdParameter ResultSize:Unlimited"),
        "Get-EdgeSubscription": _reads("Identity:TransportServerIdParameter"),
        "Get-EmailAddressPolicy": _reads("Identity:EmailAddressPolicyIdParameter"),
        "Get-ExchangeCertificate": _reads("Server:ServerIdParameter Thumbprint:String"),
        "Get-ExchangeServer": _reads("Identity:ServerIdParameter Status:SwitchParameter"),
        "Get-FederatedOrganizationIdentifier": _reads("IncludeExtendedDomainInfo:SwitchParameter"),
        "Get-FederationTrust": _reads("Identity:FederationTrustIdParameter"),
        "Get-FrontendTransportService": _reads("Identity:FrontendTransportServerIdParameter"),
        "Get-HybridConfiguration": _reads(),
        "Get-IntraOrganizationConnector": _reads("Identity:IntraOrganizationConnectorIdParameter"),
        "Get-MailPublicFolder": _reads("ResultSize:Unlimited"),
        "Get-Mailbox": _reads(
            "Identity:MailboxIdParameter ResultSize:Unlimited Filter:String Database:DatabaseIdParameter "
            "Server:ServerIdParameter Arbitration:SwitchParameter Archive:SwitchParameter "
            "AuditLog:SwitchParameter AuxAuditLog:SwitchParameter Migration:SwitchParameter "
            "Monitoring:SwitchParameter PublicFolder:SwitchParameter "
            "RecipientTypeDetails:RecipientTypeDetails[]"
        ),
        "Get-MailboxDatabase": _reads("Identity:DatabaseIdParameter Server:ServerIdParameter Status:SwitchParameter"),
        "Get-MailboxDatabaseCopyStatus": _reads("Identity:DatabaseCopyIdParameter Server:MailboxServerIdParameter"),
        "Get-ManagementRoleAssignment": _reads(
            "GetEffectiveUsers:SwitchParameter Role:RoleIdParameter RoleAssignee:RoleAssigneeIdParameter"
        ),
        "Get-MessageTrackingLog": _reads(
            "EventId:String Source:String Start:DateTime End:DateTime Server:ServerIdParameter ResultSize:Unlimited"
        ),
        "Get-MigrationBatch": _reads("Identity:MigrationBatchIdParameter"),
        "Get-MigrationEndpoint": _reads("Identity:MigrationEndpointIdParameter"),
        "Get-MoveRequest": _reads("Identity:MoveRequestIdParameter ResultSize:Unlimited"),
        "Get-OfflineAddressBook": _reads("Identity:OfflineAddressBookIdParameter Server:ServerIdParameter"),
        "Get-OrganizationConfig": _reads(),
        "Get-OrganizationRelationship": _reads("Identity:OrganizationRelationshipIdParameter"),
        "Get-PartnerApplication": _reads("Identity:PartnerApplicationIdParameter"),
        "Get-PublicFolder": _reads(
            "Identity:PublicFolderIdParameter Recurse:SwitchParameter ResultSize:Unlimited GetChildren:SwitchParameter"
        ),
        "Get-PublicFolderMoveRequest": _reads("ResultSize:Unlimited"),
        "Get-Queue": _reads("Server:ServerIdParameter ResultSize:Unlimited"),
        "Get-ReceiveConnector": _reads("Identity:ReceiveConnectorIdParameter Server:ServerIdParameter"),
        "Get-RemoteDomain": _reads("Identity:RemoteDomainIdParameter"),
        "Get-RemoteMailbox": _reads("Identity:RemoteMailboxIdParameter ResultSize:Unlimited Filter:String"),
        "Get-RoleGroup": _reads("Identity:RoleGroupIdParameter"),
        "Get-RoleGroupMember": _reads("Identity:RoleGroupMemberIdParameter ResultSize:Unlimited"),
        "Get-SendConnector": _reads("Identity:SendConnectorIdParameter"),
        "Get-ServerComponentState": _reads("Identity:ServerIdParameter Component:String"),
        "Get-SettingOverride": _reads("Identity:SettingOverrideIdParameter"),
        "Get-SharingPolicy": _reads("Identity:SharingPolicyIdParameter"),
        "Get-TransportService": _reads("Identity:TransportServerIdParameter"),
        "Get-User": _reads("Identity:UserIdParameter ResultSize:Unlimited Filter:String"),
        "Set-ADServerSettings": _reads("ViewEntireForest:Boolean"),  # of this runspace only
        "Add-FederatedDomain": _changes(
            "Confirm:SwitchParameter DomainName:SmtpDomain Identity:OrganizationIdParameter"
        ),
        "Disable-Mailbox": _changes(
            "Arbitration:SwitchParameter Archive:SwitchParameter Confirm:SwitchParameter "
            "DisableArbitrationMailboxWithOABsAllowed:SwitchParameter "
            "DisableLastArbitrationMailboxAllowed:SwitchParameter Identity:MailboxIdParameter "
            "IgnoreLegalHold:SwitchParameter PublicFolder:SwitchParameter RemoteArchive:SwitchParameter"
        ),
        "Enable-ExchangeCertificate": _changes(
            "Confirm:SwitchParameter DoNotRequireSsl:SwitchParameter Force:SwitchParameter "
            "Identity:ExchangeCertificateIdParameter NetworkServiceAllowed:SwitchParameter "
            "Server:ServerIdParameter Services:AllowedServices Thumbprint:String"
        ),
        "Export-ExchangeCertificate": _changes(
            "BinaryEncoded:SwitchParameter Confirm:SwitchParameter FileName:String "
            "Identity:ExchangeCertificateIdParameter Password:SecureString Server:ServerIdParameter "
            "Thumbprint:String"
        ),
        "Import-ExchangeCertificate": _changes(
            "Confirm:SwitchParameter FileData:Byte[] FileName:String FriendlyName:String Instance:String[] "
            "Password:SecureString PrivateKeyExportable:Boolean Server:ServerIdParameter"
        ),
        "New-AuthServer": _changes(
            "ApplicationIdentifier:String AuthMetadataUrl:String Confirm:SwitchParameter "
            "DomainName:MultiValuedProperty Enabled:Boolean GraphBaseUrl:String Name:String "
            "TrustAnySSLCertificate:SwitchParameter Type:AuthServerType"
        ),
        "New-FederationTrust": _changes(
            "AdministratorProvisioningId:String ApplicationIdentifier:String ApplicationUri:String "
            "Confirm:SwitchParameter MetadataUrl:Uri Name:String "
            "SkipNamespaceProviderProvisioning:SwitchParameter SuppressDnsWarning:SwitchParameter "
            "Thumbprint:String UseLegacyProvisioningService:SwitchParameter"
        ),
        "New-HybridConfiguration": _changes(
            "ClientAccessServers:MultiValuedProperty Confirm:SwitchParameter Domains:MultiValuedProperty "
            "EdgeTransportServers:MultiValuedProperty ExternalIPAddresses:MultiValuedProperty "
            "Features:MultiValuedProperty OnPremisesSmartHost:SmtpDomain "
            "ReceivingTransportServers:MultiValuedProperty SecureMailCertificateThumbprint:String "
            "SendingTransportServers:MultiValuedProperty ServiceInstance:Int32 "
            "TlsCertificateName:SmtpX509Identifier TransportServers:MultiValuedProperty"
        ),
        "New-IntraOrganizationConnector": _changes(
            "Confirm:SwitchParameter DiscoveryEndpoint:Uri Enabled:Boolean Name:String "
            "TargetAddressDomains:MultiValuedProperty"
        ),
        "New-OrganizationRelationship": _changes(
            "ArchiveAccessEnabled:Boolean Confirm:SwitchParameter DeliveryReportEnabled:Boolean "
            "DomainNames:MultiValuedProperty Enabled:Boolean FreeBusyAccessEnabled:Boolean "
            "FreeBusyAccessLevel:FreeBusyAccessLevel FreeBusyAccessScope:GroupIdParameter "
            "MailTipsAccessEnabled:Boolean MailTipsAccessLevel:MailTipsAccessLevel "
            "MailTipsAccessScope:GroupIdParameter MailboxMoveEnabled:Boolean Name:String "
            "OrganizationContact:SmtpAddress PhotosEnabled:Boolean TargetApplicationUri:Uri "
            "TargetAutodiscoverEpr:Uri TargetOwaURL:Uri TargetSharingEpr:Uri"
        ),
        "New-PartnerApplication": _changes(
            "AcceptSecurityIdentifierInformation:Boolean AccountType:SupportedAccountType "
            "ActAsPermissions:String[] AppOnlyPermissions:String[] ApplicationIdentifier:String "
            "AuthMetadataUrl:String Confirm:SwitchParameter Enabled:Boolean IssuerIdentifier:String "
            "LinkedAccount:UserIdParameter Name:String Realm:String TrustAnySSLCertificate:SwitchParameter"
        ),
        "New-ReceiveConnector": _changes(
            "AdvertiseClientSettings:Boolean AuthMechanism:AuthMechanisms AuthTarpitInterval:EnhancedTimeSpan "
            "Banner:String BinaryMimeEnabled:Boolean Bindings:MultiValuedProperty ChunkingEnabled:Boolean "
            "Client:SwitchParameter Comment:String Confirm:SwitchParameter "
            "ConnectionInactivityTimeout:EnhancedTimeSpan ConnectionTimeout:EnhancedTimeSpan "
            "Custom:SwitchParameter DefaultDomain:AcceptedDomainIdParameter "
            "DeliveryStatusNotificationEnabled:Boolean DomainSecureEnabled:Boolean "
            "EightBitMimeEnabled:Boolean EnableAuthGSSAPI:Boolean Enabled:Boolean "
            "EnhancedStatusCodesEnabled:Boolean ExtendedProtectionPolicy:ExtendedProtectionPolicySetting "
            "Fqdn:Fqdn Internal:SwitchParameter Internet:SwitchParameter LongAddressesEnabled:Boolean "
            "MaxAcknowledgementDelay:EnhancedTimeSpan MaxHeaderSize:ByteQuantifiedSize MaxHopCount:Int32 "
            "MaxInboundConnection:Unlimited MaxInboundConnectionPerSource:Unlimited "
            "MaxInboundConnectionPercentagePerSource:Int32 MaxLocalHopCount:Int32 MaxLogonFailures:Int32 "
            "MaxMessageSize:ByteQuantifiedSize MaxProtocolErrors:Unlimited MaxRecipientsPerMessage:Int32 "
            "MessageRateLimit:Unlimited MessageRateSource:MessageRateSourceFlags Name:String "
            "OrarEnabled:Boolean Partner:SwitchParameter PermissionGroups:PermissionGroups "
            "PipeliningEnabled:Boolean ProtocolLoggingLevel:ProtocolLoggingLevel "
            "RejectReservedSecondLevelRecipientDomains:Boolean RejectReservedTopLevelRecipientDomains:Boolean "
            "RejectSingleLabelRecipientDomains:Boolean RemoteIPRanges:MultiValuedProperty "
            "RequireEHLODomain:Boolean RequireTLS:Boolean Server:ServerIdParameter ServiceDiscoveryFqdn:Fqdn "
            "SizeEnabled:SizeMode SuppressXAnonymousTls:Boolean TarpitInterval:EnhancedTimeSpan "
            "TlsCertificateName:SmtpX509Identifier TlsDomainCapabilities:MultiValuedProperty "
            "TransportRole:ServerRole Usage:UsageType"
        ),
        "New-RemoteDomain": _changes("Confirm:SwitchParameter DomainName:SmtpDomainWithSubdomains Name:String"),
        "New-SendConnector": _changes(
            "AddressSpaces:MultiValuedProperty AuthenticationCredential:PSCredential "
            "CloudServicesMailEnabled:Boolean Comment:String Confirm:SwitchParameter "
            "ConnectionInactivityTimeOut:EnhancedTimeSpan ConnectorType:TenantConnectorType "
            "Custom:SwitchParameter DNSRoutingEnabled:Boolean DomainSecureEnabled:Boolean Enabled:Boolean "
            "ErrorPolicies:ErrorPolicies Force:SwitchParameter ForceHELO:Boolean Fqdn:Fqdn "
            "FrontendProxyEnabled:Boolean IgnoreSTARTTLS:Boolean Internal:SwitchParameter "
            "Internet:SwitchParameter IsCoexistenceConnector:Boolean IsScopedConnector:Boolean "
            "LinkedReceiveConnector:ReceiveConnectorIdParameter MaxMessageSize:Unlimited Name:String "
            "Partner:SwitchParameter Port:Int32 ProtocolLoggingLevel:ProtocolLoggingLevel RequireOorg:Boolean "
            "RequireTLS:Boolean SmartHostAuthMechanism:AuthMechanisms SmartHosts:MultiValuedProperty "
            "SmtpMaxMessagesPerConnection:Int32 SourceIPAddress:IPAddress "
            "SourceTransportServers:MultiValuedProperty TlsAuthLevel:TlsAuthLevel "
            "TlsCertificateName:SmtpX509Identifier TlsDomain:SmtpDomainWithSubdomains Usage:UsageType "
            "UseExternalDNSServersEnabled:Boolean"
        ),
        "New-SettingOverride": _changes(
            "Component:String Confirm:SwitchParameter Force:SwitchParameter MaxVersion:Version "
            "MinVersion:Version Name:String Parameters:MultiValuedProperty Reason:String Section:String "
            "Server:String[]"
        ),
        "Remove-AuthServer": _changes("Confirm:SwitchParameter Identity:AuthServerIdParameter"),
        "Remove-AvailabilityAddressSpace": _changes(
            "Confirm:SwitchParameter Identity:AvailabilityAddressSpaceIdParameter"
        ),
        "Remove-DatabaseAvailabilityGroup": _changes(
            "Confirm:SwitchParameter Identity:DatabaseAvailabilityGroupIdParameter"
        ),
        "Remove-DatabaseAvailabilityGroupServer": _changes(
            "ConfigurationOnly:SwitchParameter Confirm:SwitchParameter "
            "Identity:DatabaseAvailabilityGroupIdParameter MailboxServer:ServerIdParameter "
            "SkipDagValidation:SwitchParameter"
        ),
        "Remove-EdgeSubscription": _changes(
            "Confirm:SwitchParameter Force:SwitchParameter Identity:TransportServerIdParameter"
        ),
        "Remove-ExchangeCertificate": _changes(
            "Confirm:SwitchParameter Identity:ExchangeCertificateIdParameter Server:ServerIdParameter Thumbprint:String"
        ),
        "Remove-FederatedDomain": _changes(
            "Confirm:SwitchParameter DomainName:SmtpDomain Force:SwitchParameter Identity:OrganizationIdParameter"
        ),
        "Remove-FederationTrust": _changes("Confirm:SwitchParameter Identity:FederationTrustIdParameter"),
        "Remove-HybridConfiguration": _changes("Confirm:SwitchParameter"),
        "Remove-IntraOrganizationConnector": _changes(
            "Confirm:SwitchParameter Identity:IntraOrganizationConnectorIdParameter"
        ),
        "Remove-MailboxDatabase": _changes("Confirm:SwitchParameter Identity:DatabaseIdParameter"),
        "Remove-MailboxDatabaseCopy": _changes("Confirm:SwitchParameter Identity:DatabaseCopyIdParameter"),
        "Remove-OfflineAddressBook": _changes(
            "Confirm:SwitchParameter Force:SwitchParameter Identity:OfflineAddressBookIdParameter"
        ),
        "Remove-OrganizationRelationship": _changes(
            "Confirm:SwitchParameter Identity:OrganizationRelationshipIdParameter"
        ),
        "Remove-PartnerApplication": _changes("Confirm:SwitchParameter Identity:PartnerApplicationIdParameter"),
        "Remove-RemoteDomain": _changes("Confirm:SwitchParameter Identity:RemoteDomainIdParameter"),
        "Remove-SendConnector": _changes("Confirm:SwitchParameter Identity:SendConnectorIdParameter"),
        "Remove-SettingOverride": _changes("Confirm:SwitchParameter Identity:SettingOverrideIdParameter"),
        "Set-AuthServer": _changes(
            "ApplicationIdentifier:String AuthMetadataUrl:String Confirm:SwitchParameter "
            "DomainName:MultiValuedProperty Enabled:Boolean GraphBaseUrl:String "
            "Identity:AuthServerIdParameter IsDefaultAuthorizationEndpoint:Boolean Name:String "
            "RefreshAuthMetadata:SwitchParameter TrustAnySSLCertificate:SwitchParameter"
        ),
        "Set-ClientAccessService": _changes(
            "AlternateServiceAccountCredential:PSCredential[] Array:ClientAccessArrayIdParameter "
            "AutoDiscoverServiceInternalUri:Uri AutoDiscoverSiteScope:MultiValuedProperty "
            "CleanUpInvalidAlternateServiceAccountCredentials:SwitchParameter Confirm:SwitchParameter "
            "Identity:ClientAccessServerIdParameter RemoveAlternateServiceAccountCredentials:SwitchParameter"
        ),
        "Set-FederatedOrganizationIdentifier": _changes(
            "AccountNamespace:SmtpDomain Confirm:SwitchParameter DefaultDomain:SmtpDomain "
            "DelegationFederationTrust:FederationTrustIdParameter Enabled:Boolean "
            "Identity:OrganizationIdParameter OrganizationContact:SmtpAddress"
        ),
        "Set-HybridConfiguration": _changes(
            "ClientAccessServers:MultiValuedProperty Confirm:SwitchParameter Domains:MultiValuedProperty "
            "EdgeTransportServers:MultiValuedProperty ExternalIPAddresses:MultiValuedProperty "
            "Features:MultiValuedProperty Name:String OnPremisesSmartHost:SmtpDomain "
            "ReceivingTransportServers:MultiValuedProperty SecureMailCertificateThumbprint:String "
            "SendingTransportServers:MultiValuedProperty ServiceInstance:Int32 "
            "TlsCertificateName:SmtpX509Identifier TransportServers:MultiValuedProperty"
        ),
        "Set-IntraOrganizationConnector": _changes(
            "Confirm:SwitchParameter DiscoveryEndpoint:Uri Enabled:Boolean "
            "Identity:IntraOrganizationConnectorIdParameter TargetAddressDomains:MultiValuedProperty"
        ),
        "Set-OrganizationRelationship": _changes(
            "ArchiveAccessEnabled:Boolean Confirm:SwitchParameter DeliveryReportEnabled:Boolean "
            "DomainNames:MultiValuedProperty Enabled:Boolean Force:SwitchParameter "
            "FreeBusyAccessEnabled:Boolean FreeBusyAccessLevel:FreeBusyAccessLevel "
            "FreeBusyAccessScope:GroupIdParameter Identity:OrganizationRelationshipIdParameter "
            "MailTipsAccessEnabled:Boolean MailTipsAccessLevel:MailTipsAccessLevel "
            "MailTipsAccessScope:GroupIdParameter MailboxMoveEnabled:Boolean Name:String "
            "OrganizationContact:SmtpAddress PhotosEnabled:Boolean TargetApplicationUri:Uri "
            "TargetAutodiscoverEpr:Uri TargetOwaURL:Uri TargetSharingEpr:Uri"
        ),
        "Set-PartnerApplication": _changes(
            "AcceptSecurityIdentifierInformation:Boolean AccountType:SupportedAccountType "
            "ActAsPermissions:String[] AppOnlyPermissions:String[] ApplicationIdentifier:String "
            "AuthMetadataUrl:String Confirm:SwitchParameter Enabled:Boolean "
            "Identity:PartnerApplicationIdParameter IssuerIdentifier:String LinkedAccount:UserIdParameter "
            "Name:String Realm:String RefreshAuthMetadata:SwitchParameter "
            "TrustAnySSLCertificate:SwitchParameter"
        ),
        "Set-ReceiveConnector": _changes(
            "AdvertiseClientSettings:Boolean AuthMechanism:AuthMechanisms AuthTarpitInterval:EnhancedTimeSpan "
            "Banner:String BareLinefeedRejectionEnabled:Boolean BinaryMimeEnabled:Boolean "
            "Bindings:MultiValuedProperty ChunkingEnabled:Boolean Comment:String Confirm:SwitchParameter "
            "ConnectionInactivityTimeout:EnhancedTimeSpan ConnectionTimeout:EnhancedTimeSpan "
            "DefaultDomain:AcceptedDomainIdParameter DeliveryStatusNotificationEnabled:Boolean "
            "DomainSecureEnabled:Boolean EightBitMimeEnabled:Boolean EnableAuthGSSAPI:Boolean Enabled:Boolean "
            "EnhancedStatusCodesEnabled:Boolean ExtendedProtectionPolicy:ExtendedProtectionPolicySetting "
            "Fqdn:Fqdn Identity:ReceiveConnectorIdParameter LongAddressesEnabled:Boolean "
            "MaxAcknowledgementDelay:EnhancedTimeSpan MaxHeaderSize:ByteQuantifiedSize MaxHopCount:Int32 "
            "MaxInboundConnection:Unlimited MaxInboundConnectionPerSource:Unlimited "
            "MaxInboundConnectionPercentagePerSource:Int32 MaxLocalHopCount:Int32 MaxLogonFailures:Int32 "
            "MaxMessageSize:ByteQuantifiedSize MaxProtocolErrors:Unlimited MaxRecipientsPerMessage:Int32 "
            "MessageRateLimit:Unlimited MessageRateSource:MessageRateSourceFlags Name:String "
            "OrarEnabled:Boolean PermissionGroups:PermissionGroups PipeliningEnabled:Boolean "
            "ProtocolLoggingLevel:ProtocolLoggingLevel RejectReservedSecondLevelRecipientDomains:Boolean "
            "RejectReservedTopLevelRecipientDomains:Boolean RejectSingleLabelRecipientDomains:Boolean "
            "RemoteIPRanges:MultiValuedProperty RequireEHLODomain:Boolean RequireTLS:Boolean "
            "ServiceDiscoveryFqdn:Fqdn SizeEnabled:SizeMode SmtpUtf8Enabled:Boolean "
            "SuppressXAnonymousTls:Boolean TarpitInterval:EnhancedTimeSpan "
            "TlsCertificateName:SmtpX509Identifier TlsDomainCapabilities:MultiValuedProperty "
            "TransportRole:ServerRole"
        ),
        "Set-RemoteDomain": _changes(
            "AllowedOOFType:AllowedOOFType AutoForwardEnabled:Boolean AutoReplyEnabled:Boolean "
            "ByteEncoderTypeFor7BitCharsets:ByteEncoderTypeFor7BitCharsetsEnum CharacterSet:String "
            "Confirm:SwitchParameter ContentType:ContentType DeliveryReportEnabled:Boolean "
            "DisplaySenderName:Boolean Identity:RemoteDomainIdParameter IsCoexistenceDomain:Boolean "
            "IsInternal:Boolean LineWrapSize:Unlimited MeetingForwardNotificationEnabled:Boolean "
            "MessageCountThreshold:Int32 NDRDiagnosticInfoEnabled:Boolean NDREnabled:Boolean Name:String "
            "NonMimeCharacterSet:String "
            "PreferredInternetCodePageForShiftJis:PreferredInternetCodePageForShiftJisEnum "
            "RequiredCharsetCoverage:Int32 TNEFEnabled:Boolean TargetDeliveryDomain:Boolean "
            "TrustedMailInboundEnabled:Boolean TrustedMailOutboundEnabled:Boolean "
            "UseSimpleDisplayName:Boolean"
        ),
        "Set-SendConnector": _changes(
            "AddressSpaces:MultiValuedProperty AuthenticationCredential:PSCredential "
            "CloudServicesMailEnabled:Boolean Comment:String Confirm:SwitchParameter "
            "ConnectionInactivityTimeOut:EnhancedTimeSpan ConnectorType:TenantConnectorType "
            "DNSRoutingEnabled:Boolean DomainSecureEnabled:Boolean Enabled:Boolean "
            "ErrorPolicies:ErrorPolicies Force:SwitchParameter ForceHELO:Boolean Fqdn:Fqdn "
            "FrontendProxyEnabled:Boolean Identity:SendConnectorIdParameter IgnoreSTARTTLS:Boolean "
            "IsCoexistenceConnector:Boolean IsScopedConnector:Boolean "
            "LinkedReceiveConnector:ReceiveConnectorIdParameter MaxMessageSize:Unlimited Name:String "
            "Port:Int32 ProtocolLoggingLevel:ProtocolLoggingLevel RequireOorg:Boolean RequireTLS:Boolean "
            "SmartHostAuthMechanism:AuthMechanisms SmartHosts:MultiValuedProperty "
            "SmtpMaxMessagesPerConnection:Int32 SourceIPAddress:IPAddress "
            "SourceTransportServers:MultiValuedProperty TlsAuthLevel:TlsAuthLevel "
            "TlsCertificateName:SmtpX509Identifier TlsDomain:SmtpDomainWithSubdomains "
            "UseExternalDNSServersEnabled:Boolean"
        ),
        "Set-ServerComponentState": _changes(
            "Component:String Confirm:SwitchParameter Identity:ServerIdParameter LocalOnly:SwitchParameter "
            "RemoteOnly:SwitchParameter Requester:String State:ServiceState TimeoutInSeconds:Int32"
        ),
    }
)
