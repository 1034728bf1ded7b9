# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The parameters with which objects of Exchange Online are made and altered again, with their types.

Names and types are those of Microsoft's reference, of what applies in the cloud; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _takes(parameters: str) -> Mapping[str, str]:
    pairs = [pair.partition(":") for pair in parameters.split()]
    return MappingProxyType({name: kind for name, _colon, kind in pairs})


PARAMETERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "New-InboundConnector": _takes(
            "AssociatedAcceptedDomains:MultiValuedProperty ClientHostNames:MultiValuedProperty "
            "CloudServicesMailEnabled:Boolean Comment:String ConnectorSource:TenantConnectorSource "
            "ConnectorType:TenantConnectorType EFSkipIPs:MultiValuedProperty EFSkipLastIP:Boolean "
            "EFSkipMailGateway:MultiValuedProperty EFTestMode:Boolean EFUsers:MultiValuedProperty Enabled:Boolean "
            "Name:String RequireTls:Boolean RestrictDomainsToCertificate:Boolean "
            "RestrictDomainsToIPAddresses:Boolean ScanAndDropRecipients:MultiValuedProperty "
            "SenderDomains:MultiValuedProperty SenderIPAddresses:MultiValuedProperty "
            "TlsSenderCertificateName:TlsCertificate TreatMessagesAsInternal:Boolean "
            "TrustedOrganizations:MultiValuedProperty"
        ),
        "Set-InboundConnector": _takes(
            "AssociatedAcceptedDomains:MultiValuedProperty CloudServicesMailEnabled:Boolean Comment:String "
            "ConnectorSource:TenantConnectorSource ConnectorType:TenantConnectorType "
            "EFSkipIPs:MultiValuedProperty EFSkipLastIP:Boolean EFSkipMailGateway:MultiValuedProperty "
            "EFTestMode:Boolean EFUsers:MultiValuedProperty Enabled:Boolean Identity:InboundConnectorIdParameter "
            "Name:String RequireTls:Boolean RestrictDomainsToCertificate:Boolean "
            "RestrictDomainsToIPAddresses:Boolean ScanAndDropRecipients:MultiValuedProperty "
            "SenderDomains:MultiValuedProperty SenderIPAddresses:MultiValuedProperty "
            "TlsSenderCertificateName:TlsCertificate TreatMessagesAsInternal:Boolean "
            "TrustedOrganizations:MultiValuedProperty"
        ),
        "New-OutboundConnector": _takes(
            "AllAcceptedDomains:Boolean CloudServicesMailEnabled:Boolean Comment:String "
            "ConnectorSource:TenantConnectorSource ConnectorType:TenantConnectorType Enabled:Boolean "
            "IsTransportRuleScoped:Boolean LinkForModifiedConnector:Guid MtaStsMode:MtaStsMode Name:String "
            "RecipientDomains:MultiValuedProperty RouteAllMessagesViaOnPremises:Boolean "
            "SenderRewritingEnabled:Boolean SmartHosts:MultiValuedProperty SmtpDaneMode:SmtpDaneMode "
            "TestMode:Boolean TlsDomain:SmtpDomainWithSubdomains TlsSettings:TlsAuthLevel UseMXRecord:Boolean"
        ),
        "Set-OutboundConnector": _takes(
            "AllAcceptedDomains:Boolean CloudServicesMailEnabled:Boolean Comment:String "
            "ConnectorSource:TenantConnectorSource ConnectorType:TenantConnectorType Enabled:Boolean "
            "Identity:OutboundConnectorIdParameter IsTransportRuleScoped:Boolean IsValidated:Boolean "
            "LastValidationTimestamp:DateTime MtaStsMode:MtaStsMode Name:String "
            "RecipientDomains:MultiValuedProperty RouteAllMessagesViaOnPremises:Boolean "
            "SenderRewritingEnabled:Boolean SmartHosts:MultiValuedProperty SmtpDaneMode:SmtpDaneMode "
            "TestMode:Boolean TlsDomain:SmtpDomainWithSubdomains TlsSettings:TlsAuthLevel UseMXRecord:Boolean "
            "ValidationRecipients:String[]"
        ),
        "New-IntraOrganizationConnector": _takes(
            "DiscoveryEndpoint:Uri Enabled:Boolean Name:String TargetAddressDomains:MultiValuedProperty "
            "TargetSharingEpr:Uri"
        ),
        "Set-IntraOrganizationConnector": _takes(
            "DiscoveryEndpoint:Uri Enabled:Boolean Identity:IntraOrganizationConnectorIdParameter "
            "TargetAddressDomains:MultiValuedProperty TargetSharingEpr:Uri"
        ),
        "New-OrganizationRelationship": _takes(
            "ArchiveAccessEnabled:Boolean DeliveryReportEnabled:Boolean DomainNames:MultiValuedProperty "
            "Enabled:Boolean FreeBusyAccessEnabled:Boolean FreeBusyAccessLevel:FreeBusyAccessLevel "
            "FreeBusyAccessScope:GroupIdParameter MailTipsAccessEnabled:Boolean "
            "MailTipsAccessLevel:MailTipsAccessLevel MailTipsAccessScope:GroupIdParameter "
            "MailboxMoveCapability:MailboxMoveCapability MailboxMoveEnabled:Boolean "
            "MailboxMovePublishedScopes:MultiValuedProperty Name:String OAuthApplicationId:String "
            "OrganizationContact:SmtpAddress PhotosEnabled:Boolean TargetApplicationUri:Uri "
            "TargetAutodiscoverEpr:Uri TargetOwaURL:Uri TargetSharingEpr:Uri"
        ),
        "Set-OrganizationRelationship": _takes(
            "ArchiveAccessEnabled:Boolean DeliveryReportEnabled:Boolean DomainNames:MultiValuedProperty "
            "Enabled:Boolean FreeBusyAccessEnabled:Boolean FreeBusyAccessLevel:FreeBusyAccessLevel "
            "FreeBusyAccessScope:GroupIdParameter Identity:OrganizationRelationshipIdParameter "
            "MailTipsAccessEnabled:Boolean MailTipsAccessLevel:MailTipsAccessLevel "
            "MailTipsAccessScope:GroupIdParameter MailboxMoveCapability:MailboxMoveCapability "
            "MailboxMoveEnabled:Boolean MailboxMovePublishedScopes:MultiValuedProperty Name:String "
            "OAuthApplicationId:String OrganizationContact:SmtpAddress PhotosEnabled:Boolean "
            "TargetApplicationUri:Uri TargetAutodiscoverEpr:Uri TargetOwaURL:Uri TargetSharingEpr:Uri"
        ),
        "New-OnPremisesOrganization": _takes(
            "Comment:String HybridDomains:MultiValuedProperty InboundConnector:InboundConnectorIdParameter "
            "Name:String OrganizationGuid:Guid OrganizationName:String "
            "OrganizationRelationship:OrganizationRelationshipIdParameter "
            "OutboundConnector:OutboundConnectorIdParameter"
        ),
        "Set-OnPremisesOrganization": _takes(
            "Comment:String HybridDomains:MultiValuedProperty Identity:OnPremisesOrganizationIdParameter "
            "InboundConnector:InboundConnectorIdParameter OrganizationName:String "
            "OrganizationRelationship:OrganizationRelationshipIdParameter "
            "OutboundConnector:OutboundConnectorIdParameter"
        ),
        "New-RemoteDomain": _takes("DomainName:SmtpDomainWithSubdomains Name:String"),
        "Set-RemoteDomain": _takes(
            "AllowedOOFType:AllowedOOFType AutoForwardEnabled:Boolean AutoReplyEnabled:Boolean "
            "ByteEncoderTypeFor7BitCharsets:ByteEncoderTypeFor7BitCharsetsEnum CharacterSet:String "
            "ContentType:ContentType DeliveryReportEnabled:Boolean DisplaySenderName:Boolean "
            "Identity:RemoteDomainIdParameter IsInternal:Boolean LineWrapSize:Unlimited "
            "MeetingForwardNotificationEnabled:Boolean NDRDiagnosticInfoEnabled:Boolean NDREnabled:Boolean "
            "Name:String NonMimeCharacterSet:String "
            "PreferredInternetCodePageForShiftJis:PreferredInternetCodePageForShiftJisEnum "
            "RequiredCharsetCoverage:Int32 TNEFEnabled:Boolean TargetDeliveryDomain:Boolean "
            "TrustedMailInboundEnabled:Boolean TrustedMailOutboundEnabled:Boolean UseSimpleDisplayName:Boolean"
        ),
        "New-TransportRule": _takes(
            "ADComparisonAttribute:ADAttribute ADComparisonOperator:Evaluation ActivationDate:DateTime "
            "AddManagerAsRecipientType:AddedRecipientType AddToRecipients:RecipientIdParameter[] "
            "AnyOfCcHeader:RecipientIdParameter[] AnyOfCcHeaderMemberOf:RecipientIdParameter[] "
            "AnyOfRecipientAddressContainsWords:Word[] AnyOfRecipientAddressMatchesPatterns:Pattern[] "
            "AnyOfToCcHeader:RecipientIdParameter[] AnyOfToCcHeaderMemberOf:RecipientIdParameter[] "
            "AnyOfToHeader:RecipientIdParameter[] AnyOfToHeaderMemberOf:RecipientIdParameter[] "
            "ApplyClassification:String ApplyHtmlDisclaimerFallbackAction:DisclaimerFallbackAction "
            "ApplyHtmlDisclaimerLocation:DisclaimerLocation ApplyHtmlDisclaimerText:DisclaimerText "
            "ApplyOME:Boolean ApplyRightsProtectionCustomizationTemplate:OMEConfigurationIdParameter "
            "ApplyRightsProtectionTemplate:RmsTemplateIdParameter AttachmentContainsWords:Word[] "
            "AttachmentExtensionMatchesWords:Word[] AttachmentHasExecutableContent:Boolean "
            "AttachmentIsPasswordProtected:Boolean AttachmentIsUnsupported:Boolean "
            "AttachmentMatchesPatterns:Pattern[] AttachmentNameMatchesPatterns:Pattern[] "
            "AttachmentProcessingLimitExceeded:Boolean AttachmentPropertyContainsWords:Word[] "
            "AttachmentSizeOver:ByteQuantifiedSize BetweenMemberOf1:RecipientIdParameter[] "
            "BetweenMemberOf2:RecipientIdParameter[] BlindCopyTo:RecipientIdParameter[] Comments:String "
            "ContentCharacterSetContainsWords:Word[] CopyTo:RecipientIdParameter[] DeleteMessage:Boolean "
            "Disconnect:Boolean DlpPolicy:String Enabled:Boolean ExceptIfADComparisonAttribute:ADAttribute "
            "ExceptIfADComparisonOperator:Evaluation ExceptIfAnyOfCcHeader:RecipientIdParameter[] "
            "ExceptIfAnyOfCcHeaderMemberOf:RecipientIdParameter[] "
            "ExceptIfAnyOfRecipientAddressContainsWords:Word[] "
            "ExceptIfAnyOfRecipientAddressMatchesPatterns:Pattern[] "
            "ExceptIfAnyOfToCcHeader:RecipientIdParameter[] "
            "ExceptIfAnyOfToCcHeaderMemberOf:RecipientIdParameter[] ExceptIfAnyOfToHeader:RecipientIdParameter[] "
            "ExceptIfAnyOfToHeaderMemberOf:RecipientIdParameter[] ExceptIfAttachmentContainsWords:Word[] "
            "ExceptIfAttachmentExtensionMatchesWords:Word[] ExceptIfAttachmentHasExecutableContent:Boolean "
            "ExceptIfAttachmentIsPasswordProtected:Boolean ExceptIfAttachmentIsUnsupported:Boolean "
            "ExceptIfAttachmentMatchesPatterns:Pattern[] ExceptIfAttachmentNameMatchesPatterns:Pattern[] "
            "ExceptIfAttachmentProcessingLimitExceeded:Boolean ExceptIfAttachmentPropertyContainsWords:Word[] "
            "ExceptIfAttachmentSizeOver:ByteQuantifiedSize ExceptIfBetweenMemberOf1:RecipientIdParameter[] "
            "ExceptIfBetweenMemberOf2:RecipientIdParameter[] ExceptIfContentCharacterSetContainsWords:Word[] "
            "ExceptIfFrom:RecipientIdParameter[] ExceptIfFromAddressContainsWords:Word[] "
            "ExceptIfFromAddressMatchesPatterns:Pattern[] ExceptIfFromMemberOf:RecipientIdParameter[] "
            "ExceptIfFromScope:FromUserScope ExceptIfHasClassification:String ExceptIfHasNoClassification:Boolean "
            "ExceptIfHasSenderOverride:Boolean ExceptIfHeaderContainsMessageHeader:HeaderName "
            "ExceptIfHeaderContainsWords:Word[] ExceptIfHeaderMatchesMessageHeader:HeaderName "
            "ExceptIfHeaderMatchesPatterns:Pattern[] ExceptIfManagerAddresses:RecipientIdParameter[] "
            "ExceptIfManagerForEvaluatedUser:EvaluatedUser ExceptIfMessageContainsDataClassifications:Hashtable[] "
            "ExceptIfMessageSizeOver:ByteQuantifiedSize ExceptIfMessageTypeMatches:MessageType "
            "ExceptIfRecipientADAttributeContainsWords:Word[] "
            "ExceptIfRecipientADAttributeMatchesPatterns:Pattern[] ExceptIfRecipientAddressContainsWords:Word[] "
            "ExceptIfRecipientAddressMatchesPatterns:Pattern[] ExceptIfRecipientDomainIs:Word[] "
            "ExceptIfRecipientInSenderList:Word[] ExceptIfSCLOver:SclValue "
            "ExceptIfSenderADAttributeContainsWords:Word[] ExceptIfSenderADAttributeMatchesPatterns:Pattern[] "
            "ExceptIfSenderDomainIs:Word[] ExceptIfSenderInRecipientList:Word[] "
            "ExceptIfSenderIpRanges:MultiValuedProperty "
            "ExceptIfSenderManagementRelationship:ManagementRelationship ExceptIfSentTo:RecipientIdParameter[] "
            "ExceptIfSentToMemberOf:RecipientIdParameter[] ExceptIfSentToScope:ToUserScope "
            "ExceptIfSubjectContainsWords:Word[] ExceptIfSubjectMatchesPatterns:Pattern[] "
            "ExceptIfSubjectOrBodyContainsWords:Word[] ExceptIfSubjectOrBodyMatchesPatterns:Pattern[] "
            "ExceptIfWithImportance:Importance ExpiryDate:DateTime From:RecipientIdParameter[] "
            "FromAddressContainsWords:Word[] FromAddressMatchesPatterns:Pattern[] "
            "FromMemberOf:RecipientIdParameter[] FromScope:FromUserScope "
            "GenerateIncidentReport:RecipientIdParameter GenerateNotification:DisclaimerText "
            "HasClassification:String HasNoClassification:Boolean HasSenderOverride:Boolean "
            "HeaderContainsMessageHeader:HeaderName HeaderContainsWords:Word[] "
            "HeaderMatchesMessageHeader:HeaderName HeaderMatchesPatterns:Pattern[] "
            "IncidentReportContent:IncidentReportContent[] LogEventText:EventLogText "
            "ManagerAddresses:RecipientIdParameter[] ManagerForEvaluatedUser:EvaluatedUser "
            "MessageContainsDataClassifications:Hashtable[] MessageSizeOver:ByteQuantifiedSize "
            "MessageTypeMatches:MessageType Mode:RuleMode ModerateMessageByManager:Boolean "
            "ModerateMessageByUser:RecipientIdParameter[] Name:String NotifySender:NotifySenderType "
            "PrependSubject:SubjectPrefix Priority:Int32 Quarantine:Boolean "
            "RecipientADAttributeContainsWords:Word[] RecipientADAttributeMatchesPatterns:Pattern[] "
            "RecipientAddressContainsWords:Word[] RecipientAddressMatchesPatterns:Pattern[] "
            "RecipientAddressType:RecipientAddressType RecipientDomainIs:Word[] RecipientInSenderList:Word[] "
            "RedirectMessageTo:RecipientIdParameter[] RejectMessageEnhancedStatusCode:RejectEnhancedStatus "
            "RejectMessageReasonText:RejectText RemoveHeader:HeaderName RemoveOME:Boolean RemoveOMEv2:Boolean "
            "RemoveRMSAttachmentEncryption:Boolean RouteMessageOutboundConnector:OutboundConnectorIdParameter "
            "RouteMessageOutboundRequireTls:Boolean RuleErrorAction:RuleErrorAction RuleSubType:RuleSubType "
            "SCLOver:SclValue SenderADAttributeContainsWords:Word[] SenderADAttributeMatchesPatterns:Pattern[] "
            "SenderAddressLocation:SenderAddressLocation SenderDomainIs:Word[] SenderInRecipientList:Word[] "
            "SenderIpRanges:MultiValuedProperty SenderManagementRelationship:ManagementRelationship "
            "SentTo:RecipientIdParameter[] SentToMemberOf:RecipientIdParameter[] SentToScope:ToUserScope "
            "SetAuditSeverity:String SetHeaderName:HeaderName SetHeaderValue:HeaderValue SetSCL:SclValue "
            "SmtpRejectMessageRejectStatusCode:RejectStatusCode SmtpRejectMessageRejectText:RejectText "
            "StopRuleProcessing:Boolean SubjectContainsWords:Word[] SubjectMatchesPatterns:Pattern[] "
            "SubjectOrBodyContainsWords:Word[] SubjectOrBodyMatchesPatterns:Pattern[] UseLegacyRegex:Boolean "
            "WithImportance:Importance"
        ),
    }
)
