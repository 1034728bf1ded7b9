# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that directory synchronization carries, as one table: AD name, Exchange property, syntax.

The rows are those of the attribute list of Connect Sync for Exchange Online (users). ``property`` is empty where the
value reaches the cloud but shows as no single property of a mailbox; such rows are read and not consumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEXT, INTEGER, LARGE_INTEGER, BOOLEAN, TIME, OCTETS, REFERENCE = (
    "Unicode",
    "Int32",
    "Int64",
    "Bool",
    "Time",
    "Octet",
    "DN",
)


@dataclass(frozen=True)
class Row:
    """One synchronized attribute. ``absent`` is the property's value where AD has none."""

    ad_name: str
    property: str
    syntax: str = TEXT
    multi: bool = False
    absent: Any = None
    written_back: bool = False
    consumed: bool = True  # by Exchange Online, in the direction from AD to the cloud


def _custom() -> tuple[Row, ...]:
    return tuple(
        Row(f"extensionAttribute{n}", f"CustomAttribute{n}", absent="", written_back=True) for n in range(1, 16)
    )


def _extension_custom() -> tuple[Row, ...]:
    # Connect's list says of these: synchronized, but not consumed by Exchange Online.
    return tuple(
        Row(
            f"msExchExtensionCustomAttribute{n}",
            f"ExtensionCustomAttribute{n}",
            multi=True,
            absent=(),
            written_back=True,
            consumed=False,
        )
        for n in range(1, 6)
    )


EXCHANGE_ROWS: tuple[Row, ...] = (
    Row("proxyAddresses", "EmailAddresses", multi=True, absent=(), written_back=True),
    *_custom(),
    *_extension_custom(),
    Row("msExchRecipientTypeDetails", "RecipientTypeDetails", LARGE_INTEGER, written_back=True),
    Row("msExchRecipientDisplayType", "", INTEGER, written_back=True),
    Row("msExchHideFromAddressLists", "HiddenFromAddressListsEnabled", BOOLEAN, absent=False),
    Row("mailNickname", "Alias"),
    Row("altRecipient", "ForwardingAddress", REFERENCE),
    Row("authOrig", "AcceptMessagesOnlyFrom", REFERENCE, multi=True, absent=()),
    Row("unauthOrig", "RejectMessagesFrom", REFERENCE, multi=True, absent=()),
    Row("dLMemSubmitPerms", "AcceptMessagesOnlyFromDLMembers", REFERENCE, multi=True, absent=()),
    Row("dLMemRejectPerms", "RejectMessagesFromDLMembers", REFERENCE, multi=True, absent=()),
    Row("publicDelegates", "GrantSendOnBehalfTo", REFERENCE, multi=True, absent=()),
    Row("msExchRequireAuthToSendTo", "RequireSenderAuthenticationEnabled", BOOLEAN, absent=False),
    Row("msExchEnableModeration", "ModerationEnabled", BOOLEAN, absent=False),
    Row("msExchModeratedByLink", "ModeratedBy", REFERENCE, multi=True, absent=()),
    Row("msExchModerationFlags", "", INTEGER),
    Row("msExchSenderHintTranslations", "MailTipTranslations", multi=True, absent=()),
    Row("msExchArchiveName", "ArchiveName", multi=True, absent=()),
    Row("msExchRetentionComment", "RetentionComment", absent=""),
    Row("msExchRetentionURL", "RetentionUrl", absent=""),
    Row("msExchLitigationHoldDate", "LitigationHoldDate", TIME),
    Row("msExchLitigationHoldOwner", "LitigationHoldOwner", absent=""),
    Row("msExchELCMailboxFlags", "", INTEGER),
    Row("msExchELCExpirySuspensionStart", "StartDateForRetentionHold", TIME),
    Row("msExchELCExpirySuspensionEnd", "EndDateForRetentionHold", TIME),
    Row("msExchMailboxAuditEnable", "AuditEnabled", BOOLEAN, absent=True),
    Row("msExchMailboxAuditLogAgeLimit", "", INTEGER),
    Row("msExchAuditAdmin", "", INTEGER),
    Row("msExchAuditDelegate", "", INTEGER),
    Row("msExchAuditDelegateAdmin", "", INTEGER),
    Row("msExchAuditOwner", "", INTEGER),
    Row("msExchBypassAudit", "", BOOLEAN),
    Row("msExchResourceCapacity", "ResourceCapacity", INTEGER, consumed=False),
    Row("msExchResourceDisplay", ""),
    Row("msExchResourceMetaData", "", multi=True),
    Row("msExchResourceSearchProperties", "ResourceCustom", multi=True, absent=()),
    Row("msExchUserHoldPolicies", "InPlaceHolds", multi=True, absent=()),
    Row("msExchSafeSendersHash", "", OCTETS),
    Row("msExchSafeRecipientsHash", "", OCTETS),
    Row("msExchBlockedSendersHash", "", OCTETS),
    Row("msExchDelegateListLink", "", REFERENCE, multi=True),
    Row("msExchAssistantName", ""),
    Row("msExchMailboxGuid", "ExchangeGuid", OCTETS),
    Row("msExchArchiveGUID", "ArchiveGuid", OCTETS),
    Row("msExchRemoteRecipientType", "RemoteRecipientType", LARGE_INTEGER),
    Row("targetAddress", ""),
    Row("legacyExchangeDN", ""),
)

# Always mastered in AD for a synchronized user, whatever the flag says: AD name -> Graph property.
IDENTITY: dict[str, str] = {
    "displayName": "displayName",
    "givenName": "givenName",
    "sn": "surname",
    "userPrincipalName": "userPrincipalName",
    "title": "jobTitle",
    "department": "department",
    "company": "companyName",
    "physicalDeliveryOfficeName": "officeLocation",
    "l": "city",
    "st": "state",
    "co": "country",
    "postalCode": "postalCode",
    "streetAddress": "streetAddress",
    "mobile": "mobilePhone",
}

# Read for every object; the rest of what makes a user, group or contact.
BASE: tuple[str, ...] = (
    "objectClass",
    "objectGUID",
    "mS-DS-ConsistencyGuid",
    "objectSid",
    "sAMAccountName",
    "userAccountControl",
    "isCriticalSystemObject",
    "cn",
    "mail",
    "uSNChanged",
    "member",
    "groupType",
    "description",
)

BY_PROPERTY: dict[str, Row] = {row.property: row for row in EXCHANGE_ROWS if row.property}
BY_AD_NAME: dict[str, Row] = {row.ad_name: row for row in EXCHANGE_ROWS}

# Properties that a plain one-to-one copy of the row fills; the others need a rule (addresses, type, guids).
PLAIN: tuple[Row, ...] = tuple(
    row
    for row in EXCHANGE_ROWS
    if row.property
    and row.property
    not in {
        "EmailAddresses",
        "RecipientTypeDetails",
        "Alias",
        "ExchangeGuid",
        "ArchiveGuid",
        "RemoteRecipientType",
    }
)


def read_attributes() -> list[str]:
    """Every attribute that a run of Connect Sync asks the directory for."""
    return [*BASE, *IDENTITY, *(row.ad_name for row in EXCHANGE_ROWS)]
