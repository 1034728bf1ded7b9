# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of Set-Mailbox that the lab honours: who may edit them, and how their values are kept."""

from __future__ import annotations

import re

# Synchronized from AD (column "Synced" of the attribute table): editable in the cloud once the mailbox's Exchange
# attributes are cloud-managed, refused before.
_PERMISSIONS = (
    "AcceptMessagesOnlyFrom",
    "AcceptMessagesOnlyFromDLMembers",
    "AcceptMessagesOnlyFromSendersOrMembers",
    "BypassModerationFromSendersOrMembers",
    "GrantSendOnBehalfTo",
    "ModeratedBy",
    "RejectMessagesFrom",
    "RejectMessagesFromDLMembers",
    "RejectMessagesFromSendersOrMembers",
)
SYNCED = (
    *(f"CustomAttribute{n}" for n in range(1, 16)),
    *(f"ExtensionCustomAttribute{n}" for n in range(1, 6)),
    *_PERMISSIONS,
    "Alias",
    "ArchiveName",
    "AuditAdmin",
    "AuditDelegate",
    "AuditEnabled",
    "AuditLogAgeLimit",
    "AuditOwner",
    "EmailAddresses",
    "EndDateForRetentionHold",
    "ForwardingAddress",
    "HiddenFromAddressListsEnabled",
    "LitigationHoldDate",
    "LitigationHoldEnabled",
    "LitigationHoldOwner",
    "MailTip",
    "MailTipTranslations",
    "ModerationEnabled",
    "RequireSenderAuthenticationEnabled",
    "ResourceCapacity",
    "ResourceCustom",
    "RetentionComment",
    "RetentionHoldEnabled",
    "RetentionUrl",
    "SendModerationNotifications",
    "StartDateForRetentionHold",
    "WindowsEmailAddress",
)
# Mastered by AD for every synchronized user, whatever the flag says.
IDENTITY = ("DisplayName", "ImmutableId", "MicrosoftOnlineServicesID", "Name", "Office", "SimpleDisplayName")
# Not synchronized: of the cloud's side anyway.
CLOUD_SIDE = (
    "AddressBookPolicy",
    "CalendarRepairDisabled",
    "CalendarVersionStoreDisabled",
    "DeliverToMailboxAndForward",
    "ElcProcessingDisabled",
    "ExternalOofOptions",
    "ForwardingSmtpAddress",
    "IssueWarningQuota",
    "LitigationHoldDuration",
    "MaxReceiveSize",
    "MaxSendSize",
    "MessageCopyForSendOnBehalfEnabled",
    "MessageCopyForSentAsEnabled",
    "ProhibitSendQuota",
    "ProhibitSendReceiveQuota",
    "RecipientLimits",
    "RetainDeletedItemsFor",
    "RetentionPolicy",
    "RoleAssignmentPolicy",
    "RulesQuota",
    "SharingPolicy",
    "SingleItemRecoveryEnabled",
    "Type",
    "UseDatabaseQuotaDefaults",
    "UseDatabaseRetentionDefaults",
)
NOT_PROPERTIES = ("Identity", "Confirm", "WhatIf", "Force")
FLAG = "IsExchangeCloudManaged"
SET_MAILBOX_PARAMETERS = (*SYNCED, *IDENTITY, *CLOUD_SIDE, *NOT_PROPERTIES, FLAG)

# Values that name other recipients.
REFERENCES = (*_PERMISSIONS, "ForwardingAddress")

SIZES = (
    "IssueWarningQuota",
    "MaxReceiveSize",
    "MaxSendSize",
    "ProhibitSendQuota",
    "ProhibitSendReceiveQuota",
    "RulesQuota",
)
# Type of Set-Mailbox: RecipientTypeDetails and ResourceType of the mailbox.
TYPES: dict[str, tuple[str, str | None]] = {
    "Regular": ("UserMailbox", None),
    "Shared": ("SharedMailbox", None),
    "Room": ("RoomMailbox", "Room"),
    "Equipment": ("EquipmentMailbox", "Equipment"),
}
CUSTOM_ATTRIBUTE_LIMIT = 1024
EXTENSION_VALUES_LIMIT = 1300

_SIZE = re.compile(r"^(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>B|KB|MB|GB|TB)?(?:\s*\([\d,]+ bytes\))?$", re.IGNORECASE)
_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def size_text(value: str | int) -> str | None:
    """A size as Exchange Online shows it ("49.5 GB (53,150,220,288 bytes)", "Unlimited"); None when it is none."""
    text = str(value).strip()
    if text.lower() == "unlimited":
        return "Unlimited"
    matched = _SIZE.match(text)
    if matched is None:
        return None
    size = int(float(matched["number"]) * _UNITS[(matched["unit"] or "B").upper()])
    unit = next((name for name in ("TB", "GB", "MB", "KB") if size >= _UNITS[name]), "B")
    shown = f"{size / _UNITS[unit]:.4g}"
    return f"{shown} {unit} ({size:,} bytes)"
