# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The catalogue of Exchange attributes: everything else reads, compares, casts and maps from these rows.

Compiled from public material: the filterable-properties page of the Exchange cmdlet reference (property to AD name),
the attribute list of Connect Sync (what is synchronized), public schema dumps (identifiers and syntaxes) and the
announcement of Exchange attribute writeback (the 24 attributes written back). A running job's own schema is right
where it differs.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax

_PREFIXES = {"A": "1.2.840.113556.1", "E": "1.2.840.113556.1.4.7000.102"}
UNICODE, TELETEX, DN, OR_NAME = Syntax.UNICODE, Syntax.TELETEX, Syntax.DN, Syntax.OR_NAME
INT32, INT64, BOOLEAN = Syntax.INT32, Syntax.INT64, Syntax.BOOLEAN
OCTETS, TIME, SID = Syntax.OCTETS, Syntax.TIME, Syntax.SID
S, M = False, True
N, Y = False, True
PRE, GA = "preview", "ga"

_GRAPH = {"proxyAddresses": "proxyAddresses", "mail": "mail", "mailNickname": "mailNickname"} | {
    f"extensionAttribute{number}": f"onPremisesExtensionAttributes/extensionAttribute{number}"
    for number in range(1, 16)
}

_SIZES: Mapping[str, tuple[int | None, int | None]] = {
    "proxyAddresses": (1, 1123),
    "mail": (None, 256),
    "mailNickname": (1, 64),
    "targetAddress": (1, 1123),
    "msExchMailboxGuid": (16, 16),
    "msExchMasterAccountSid": (0, 28),
} | {f"extensionAttribute{number}": (1, 1024 if number <= 10 else 2048) for number in range(1, 16)}

_NOTES = {
    "proxyAddresses": "Also moved by WindowsEmailAddress.",
    "mail": "The source attribute of the default mapping is named Mail. Jobs made before August 2026 lack the mapping.",
    "msExchRecipientTypeDetails": "Changed in Exchange Online by Set-Mailbox -Type.",
    "msExchRecipientDisplayType": "Follows the type; has no property of its own in Exchange Online.",
    "msExchHideFromAddressLists": "Editable in the cloud, but Cloud Sync does not write it back.",
    "mailNickname": "Whether it can be edited once cloud-managed is not confirmed.",
    "msExchBypassModerationLink": "Connect synchronizes it for groups only.",
    "msExchELCMailboxFlags": "Bits: LitigationHoldEnabled and RetentionHoldEnabled.",
    "msExchAuditDelegateAdmin": "The administrators' part of AuditDelegate.",
    "msExchBypassAudit": "Set by Set-MailboxAuditBypassAssociation.",
    "msExchResourceCapacity": "Synchronized by Connect, but not consumed by Exchange Online.",
    "msExchResourceDisplay": "The display form of ResourceCustom.",
    "msExchResourceMetaData": "Holds ResourceType with a prefix.",
    "msExchUserHoldPolicies": "Written back by the older hybrid job only.",
    "msExchSafeSendersHash": "Junk mail rules; written back by the older hybrid job only.",
    "msExchSafeRecipientsHash": "Junk mail rules; written back by the older hybrid job only.",
    "msExchBlockedSendersHash": "Junk mail rules; written back by the older hybrid job only.",
    "msExchUCVoiceMailSettings": "Voice mail.",
    "msExchArchiveStatus": "Written back by the older hybrid job only.",
    "msExchDelegateListLink": "Automapping of shared mailboxes.",
    "msExchAssistantName": "A property of Get-User, not of Get-Mailbox.",
    "msExchMailboxGuid": "Must never be cleared.",
    "msExchArchiveGUID": "Must never be cleared.",
    "msExchRemoteRecipientType": "Not written back, so a change of type leaves it stale; must never be cleared.",
    "targetAddress": "The remote routing address; must never be cleared.",
    "legacyExchangeDN": "Replies to old messages need it; must never be cleared.",
    "msExchImmutableId": "ImmutableId is also named as a map of msExchGenericImmutableId.",
    "mDBStorageQuota": "Kilobytes in AD, a text with a unit in Exchange Online.",
    "mDBOverQuotaLimit": "Kilobytes in AD, a text with a unit in Exchange Online.",
    "mDBOverHardQuotaLimit": "Kilobytes in AD, a text with a unit in Exchange Online.",
    "delivContLength": "Kilobytes in AD, a text with a unit in Exchange Online.",
    "submissionContLength": "Kilobytes in AD, a text with a unit in Exchange Online.",
    "msDS-ExternalDirectoryObjectId": "User_<object id>; AD schema of 2016 and later.",
    "msDS-PhoneticDisplayName": "A property of Get-User, not of Get-Mailbox.",
    "msDS-HABSeniorityIndex": "A property of Get-User, not of Get-Mailbox.",
} | {
    f"msExchExtensionCustomAttribute{number}": "Synchronized by Connect, but not consumed by Exchange Online: export "
    "it before a return to AD. At most 1300 values."
    for number in range(1, 6)
}


def _row(
    ldap_name: str,
    exchange_property: str | None,
    oid: str,
    syntax: Syntax,
    multi: bool,
    synced: bool,
    cloud_editable: str,
    cast: str | None = None,
    since: str | None = None,
) -> Attribute:
    lower, upper = _SIZES.get(ldap_name, (None, None))
    return Attribute(
        ldap_name=ldap_name,
        exchange_property=exchange_property,
        graph_property=_GRAPH.get(ldap_name),
        oid=_oid(oid),
        syntax=syntax,
        multi=multi,
        synced=synced,
        cloud_editable=cloud_editable,
        written_back=since is not None,
        written_back_since=since,
        range_lower=lower,
        range_upper=upper,
        note=_NOTES.get(ldap_name, ""),
        cast=cast,
    )


def _oid(text: str) -> str:
    prefix, _dot, rest = text.partition(".")
    return f"{_PREFIXES.get(prefix, prefix)}.{rest}"


# One line a row: AD name, Exchange Online property, OID (prefixes above), syntax, single or multi, synchronized
# from AD, who may edit, cast, written back since.
# fmt: off
_ROWS = (
    _row("proxyAddresses", "EmailAddresses", "A.2.210", UNICODE, M, Y, "yes", "addresses", PRE),
    _row("mail", "WindowsEmailAddress", "0.9.2342.19200300.100.1.3", UNICODE, S, N, "yes", "text", GA),
    _row("extensionAttribute1", "CustomAttribute1", "A.2.423", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute2", "CustomAttribute2", "A.2.424", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute3", "CustomAttribute3", "A.2.425", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute4", "CustomAttribute4", "A.2.426", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute5", "CustomAttribute5", "A.2.427", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute6", "CustomAttribute6", "A.2.428", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute7", "CustomAttribute7", "A.2.429", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute8", "CustomAttribute8", "A.2.430", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute9", "CustomAttribute9", "A.2.431", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute10", "CustomAttribute10", "A.2.432", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute11", "CustomAttribute11", "A.2.599", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute12", "CustomAttribute12", "A.2.600", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute13", "CustomAttribute13", "A.2.601", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute14", "CustomAttribute14", "A.2.602", UNICODE, S, Y, "yes", "text", PRE),
    _row("extensionAttribute15", "CustomAttribute15", "A.2.603", UNICODE, S, Y, "yes", "text", PRE),
    _row("msExchExtensionCustomAttribute1", "ExtensionCustomAttribute1", "E.51876", UNICODE, M, Y, "yes", "text", PRE),
    _row("msExchExtensionCustomAttribute2", "ExtensionCustomAttribute2", "E.51877", UNICODE, M, Y, "yes", "text", PRE),
    _row("msExchExtensionCustomAttribute3", "ExtensionCustomAttribute3", "E.51878", UNICODE, M, Y, "yes", "text", PRE),
    _row("msExchExtensionCustomAttribute4", "ExtensionCustomAttribute4", "E.51879", UNICODE, M, Y, "yes", "text", PRE),
    _row("msExchExtensionCustomAttribute5", "ExtensionCustomAttribute5", "E.51880", UNICODE, M, Y, "yes", "text", PRE),
    _row("msExchRecipientTypeDetails", "RecipientTypeDetails", "E.50855", INT64, S, Y, "yes", "type_details", PRE),
    _row("msExchRecipientDisplayType", None, "E.50730", INT32, S, Y, "automatic", "display_type", PRE),
    _row("msExchHideFromAddressLists", "HiddenFromAddressListsEnabled", "E.73", BOOLEAN, S, Y, "yes", "boolean"),
    _row("mailNickname", "Alias", "A.2.447", UNICODE, S, Y, "unknown", "text"),
    _row("altRecipient", "ForwardingAddress", "A.2.126", DN, S, Y, "yes"),
    _row("deliverAndRedirect", "DeliverToMailboxAndForward", "A.2.190", BOOLEAN, S, N, "exchange", "boolean"),
    _row("msExchGenericForwardingAddress", "ForwardingSmtpAddress", "E.51620", UNICODE, S, N, "exchange", "text"),
    _row("authOrig", "AcceptMessagesOnlyFrom", "A.2.129", OR_NAME, M, Y, "yes"),
    _row("unauthOrig", "RejectMessagesFrom", "A.2.221", OR_NAME, M, Y, "expected"),
    _row("dLMemSubmitPerms", "AcceptMessagesOnlyFromDLMembers", "A.2.144", OR_NAME, M, Y, "yes"),
    _row("dLMemRejectPerms", "RejectMessagesFromDLMembers", "A.2.47", OR_NAME, M, Y, "yes"),
    _row("publicDelegates", "GrantSendOnBehalfTo", "A.2.238", DN, M, Y, "expected"),
    _row("msExchRequireAuthToSendTo", "RequireSenderAuthenticationEnabled", "A.4.5062",
         BOOLEAN, S, Y, "expected", "boolean"),
    _row("msExchEnableModeration", "ModerationEnabled", "E.50969", BOOLEAN, S, Y, "yes", "boolean"),
    _row("msExchModeratedByLink", "ModeratedBy", "E.50952", DN, M, Y, "yes"),
    _row("msExchModerationFlags", "SendModerationNotifications", "E.50972", INT32, S, Y, "expected"),
    _row("msExchBypassModerationLink", "BypassModerationFromSendersOrMembers", "E.51140", DN, M, N, "expected"),
    _row("msExchSenderHintTranslations", "MailTipTranslations", "E.50899", UNICODE, M, Y, "expected", "text"),
    _row("msExchArchiveName", "ArchiveName", "E.51441", UNICODE, M, Y, "yes", "text"),
    _row("msExchRetentionComment", "RetentionComment", "E.51240", UNICODE, S, Y, "yes", "text"),
    _row("msExchRetentionURL", "RetentionUrl", "E.51242", UNICODE, S, Y, "expected", "text"),
    _row("msExchLitigationHoldDate", "LitigationHoldDate", "E.51734", TIME, S, Y, "yes", "time"),
    _row("msExchLitigationHoldOwner", "LitigationHoldOwner", "E.51735", UNICODE, S, Y, "yes", "text"),
    _row("msExchELCMailboxFlags", "RetentionHoldEnabled", "E.50761", INT32, S, Y, "expected"),
    _row("msExchELCExpirySuspensionStart", "StartDateForRetentionHold", "E.50762", TIME, S, Y, "expected", "time"),
    _row("msExchELCExpirySuspensionEnd", "EndDateForRetentionHold", "E.50763", TIME, S, Y, "expected", "time"),
    _row("msExchMailboxAuditEnable", "AuditEnabled", "E.51671", BOOLEAN, S, Y, "yes", "boolean"),
    _row("msExchMailboxAuditLogAgeLimit", "AuditLogAgeLimit", "E.51672", INT32, S, Y, "yes"),
    _row("msExchAuditAdmin", "AuditAdmin", "E.51673", INT32, S, Y, "yes"),
    _row("msExchAuditDelegate", "AuditDelegate", "E.51674", INT32, S, Y, "yes"),
    _row("msExchAuditDelegateAdmin", None, "E.51675", INT32, S, Y, "unknown"),
    _row("msExchAuditOwner", "AuditOwner", "E.51676", INT32, S, Y, "yes"),
    _row("msExchBypassAudit", None, "E.51678", BOOLEAN, S, Y, "unknown"),
    _row("msExchResourceCapacity", "ResourceCapacity", "E.50332", INT32, S, Y, "expected", "integer"),
    _row("msExchResourceDisplay", None, "E.50334", UNICODE, S, Y, "expected"),
    _row("msExchResourceMetaData", "ResourceType", "E.50333", UNICODE, M, Y, "expected"),
    _row("msExchResourceSearchProperties", "ResourceCustom", "E.50331", UNICODE, M, Y, "expected"),
    _row("msExchUserHoldPolicies", "InPlaceHolds", "E.52071", UNICODE, M, Y, "unknown"),
    _row("msExchSafeSendersHash", None, "E.50765", OCTETS, S, Y, "service"),
    _row("msExchSafeRecipientsHash", None, "E.50766", OCTETS, S, Y, "service"),
    _row("msExchBlockedSendersHash", None, "E.50976", OCTETS, S, Y, "service"),
    _row("msExchUCVoiceMailSettings", None, "E.51612", UNICODE, M, N, "service"),
    _row("msExchArchiveStatus", "ArchiveStatus", "E.51602", INT32, S, N, "service"),
    _row("msExchDelegateListLink", None, "E.51530", DN, M, Y, "unknown"),
    _row("msExchAssistantName", None, "A.2.444", UNICODE, S, Y, "identity"),
    _row("msExchMailboxGuid", "ExchangeGuid", "E.11058", OCTETS, S, Y, "service"),
    _row("msExchArchiveGUID", "ArchiveGuid", "E.51443", OCTETS, S, Y, "service"),
    _row("msExchDisabledArchiveGUID", "DisabledArchiveGuid", "E.51765", OCTETS, S, N, "service"),
    _row("msExchRemoteRecipientType", "RemoteRecipientType", "E.51611", INT64, S, Y, "on_premises"),
    _row("targetAddress", None, "A.2.352", UNICODE, S, Y, "on_premises"),
    _row("legacyExchangeDN", "LegacyExchangeDN", "A.4.655", TELETEX, S, Y, "service"),
    _row("msExchVersion", "ExchangeVersion", "E.50853", INT64, S, N, "on_premises"),
    _row("msExchIsMSODirsynced", "IsDirSynced", "E.51718", BOOLEAN, S, N, "service"),
    _row("msExchExternalDirectoryObjectId", "ExternalDirectoryObjectId", "E.51610", UNICODE, S, N, "service"),
    _row("msExchImmutableId", "ImmutableId", "E.51022", UNICODE, S, Y, "service"),
    _row("msExchUsageLocation", "UsageLocation", "E.51767", UNICODE, S, N, "identity"),
    _row("msExchUserCulture", "Languages", "E.50773", UNICODE, S, N, "unknown"),
    _row("msExchUserAccountControl", "ExchangeUserAccountControl", "E.101", INT32, S, N, "on_premises"),
    _row("msExchMasterAccountSid", "MasterAccountSid", "E.81", SID, S, N, "on_premises"),
    _row("msExchHomeServerName", "ServerLegacyDN", "E.47", UNICODE, S, N, "on_premises"),
    _row("homeMDB", "Database", "A.2.244", DN, S, N, "on_premises"),
    _row("msExchPoliciesIncluded", "PoliciesIncluded", "E.50050", UNICODE, M, N, "on_premises"),
    _row("msExchPoliciesExcluded", "PoliciesExcluded", "E.50051", UNICODE, M, N, "on_premises"),
    _row("msExchWhenMailboxCreated", "WhenMailboxCreated", "E.51580", TIME, S, N, "service"),
    _row("msExchPreviousRecipientTypeDetails", None, "E.52107", INT64, S, N, "service"),
    _row("msExchCapabilityIdentifiers", "PersistedCapabilities", "E.51581", INT32, M, N, "service"),
    _row("msExchALObjectVersion", None, "E.59", INT32, S, N, "on_premises"),
    _row("showInAddressBook", "AddressListMembership", "A.4.644", DN, M, N, "on_premises"),
    _row("textEncodedORAddress", None, "0.9.2342.19200300.100.1.2", UNICODE, S, N, "on_premises"),
    _row("msExchTeamMailboxExpiration", None, "E.51871", TIME, S, Y, "service"),
    _row("msExchTeamMailboxOwners", None, "E.51872", DN, M, Y, "service"),
    _row("msExchTeamMailboxSharePointUrl", None, "E.51874", UNICODE, S, Y, "service"),
    _row("mDBStorageQuota", "IssueWarningQuota", "A.2.266", INT32, S, N, "exchange"),
    _row("mDBOverQuotaLimit", "ProhibitSendQuota", "A.2.272", INT32, S, N, "exchange"),
    _row("mDBOverHardQuotaLimit", "ProhibitSendReceiveQuota", "E.11037", INT32, S, N, "exchange"),
    _row("mDBUseDefaults", "UseDatabaseQuotaDefaults", "A.2.309", BOOLEAN, S, N, "exchange", "boolean"),
    _row("delivContLength", "MaxReceiveSize", "A.2.138", INT32, S, N, "exchange"),
    _row("submissionContLength", "MaxSendSize", "A.2.280", INT32, S, N, "exchange"),
    _row("garbageCollPeriod", "RetainDeletedItemsFor", "A.2.301", INT32, S, N, "exchange"),
    _row("msExchRecipLimit", "RecipientLimits", "E.12523", INT32, S, N, "exchange"),
    _row("msDS-ExternalDirectoryObjectId", None, "A.4.2310", UNICODE, S, N, "service"),
    _row("msDS-PhoneticDisplayName", None, "A.4.1946", UNICODE, S, Y, "identity"),
    _row("msDS-HABSeniorityIndex", None, "A.4.1997", INT32, S, Y, "identity"),
)
# fmt: on

CATALOGUE: Mapping[str, Attribute] = MappingProxyType({row.ldap_name: row for row in _ROWS})
"""All attributes by AD name."""

WRITEBACK: tuple[str, ...] = tuple(row.ldap_name for row in _ROWS if row.written_back)
"""AD names of the attributes that Cloud Sync writes back by default (24 since general availability)."""

_BY_FOLDED_NAME = {row.ldap_name.casefold(): row for row in _ROWS}


def attribute(name: str) -> Attribute:
    """The attribute of that AD name, without regard to case; InputError with near matches for an unknown one."""
    found = _BY_FOLDED_NAME.get(name.casefold())
    if found is not None:
        return found
    folded = name.casefold()
    by_property = [row.ldap_name for row in _ROWS if (row.exchange_property or "").casefold() == folded]
    near = by_property or [
        _BY_FOLDED_NAME[match].ldap_name for match in difflib.get_close_matches(folded, _BY_FOLDED_NAME, n=3)
    ]
    hint = f" Did you mean {' or '.join(near)}?" if near else " Use the attribute's name in Active Directory."
    raise InputError(f"There is no Exchange attribute named {name!r} in the catalogue.{hint}", attribute=name)
