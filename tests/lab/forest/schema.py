# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange extension of the forests' schema, as one table.

Object identifiers, syntaxes, ranges, search flags and links are those of the product's own extension as far as they
are published. Where the published material ends, three rules apply, and all three are harmless to clients that find
attributes and classes by name:

* an unknown object identifier is made up under Microsoft's arc for self-made identifiers (:data:`LAB_ARC`);
* an unknown ``schemaIDGUID`` is derived from the name, so that access control entries are equal in every run;
* an ``OR-Name`` attribute is declared as a plain DN, and a link whose number is unknown is an unlinked DN.

The extension of a real forest has some three thousand entries; this one has those that recipients and the objects of
an Exchange organisation need.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from tests.lab.settings import fixed_guid

MICROSOFT = "1.2.840.113556.1"
EXCHANGE_ARC = f"{MICROSOFT}.4.7000.102"
CLASS_ARC = f"{MICROSOFT}.5.7000.62"
LAB_ARC = f"{MICROSOFT}.8000.2554.7701"

SCHEMA_VERSION_NAME = "ms-Exch-Schema-Version-Pt"
SCHEMA_VERSION = 17003  # rangeUpper of Exchange Server 2019 CU10 and later, and of Subscription Edition
ORGANIZATION_VERSION = 16763
SYSTEM_OBJECTS_VERSION = 13243

EXCHANGE_INFORMATION = "1f298a89-de98-47b8-b5cd-572ad53d267e"
"""Property set of the recipients' attributes: one access control entry covers them all."""

DN_OBJECT_CLASS = bytes.fromhex("2b0c0287731c00854a")  # oMObjectClass of syntax DS-DN


@dataclass(frozen=True)
class Syntax:
    """``attributeSyntax`` and ``oMSyntax`` of the schema, by a short name."""

    name: str
    attribute_syntax: str
    om_syntax: int


UNICODE = Syntax("Unicode", "2.5.5.12", 64)
TELETEX = Syntax("Teletex", "2.5.5.4", 20)
INT32 = Syntax("Int32", "2.5.5.9", 2)
INT64 = Syntax("Int64", "2.5.5.16", 65)
BOOL = Syntax("Bool", "2.5.5.8", 1)
OCTET = Syntax("Octet", "2.5.5.10", 4)
SID = Syntax("SID", "2.5.5.17", 4)
TIME = Syntax("Time", "2.5.5.11", 24)
DN = Syntax("DN", "2.5.5.1", 127)
SYNTAXES = {syntax.name: syntax for syntax in (UNICODE, TELETEX, INT32, INT64, BOOL, OCTET, SID, TIME, DN)}


@dataclass(frozen=True)
class Attribute:
    """One ``attributeSchema`` object. ``guid`` is its ``schemaIDGUID`` in the usual text form."""

    name: str
    oid: str
    syntax: Syntax
    single: bool
    lower: int | None = None
    upper: int | None = None
    search_flags: int = 0
    gc: bool = False
    link_id: int | None = None
    mapi_id: int | None = None
    known_guid: str | None = None
    recipient: bool = True  # carried by recipients (through mailRecipient), else by the organisation's objects only

    @property
    def guid(self) -> str:
        return self.known_guid or fixed_guid("schema", self.name)

    @property
    def guid_bytes(self) -> bytes:
        """As stored in the directory: little-endian."""
        return uuid.UUID(self.guid).bytes_le

    @property
    def cn(self) -> str:
        return common_name(self.name)


@dataclass(frozen=True)
class ObjectClass:
    """One ``classSchema`` object. ``category``: 1 structural, 3 auxiliary."""

    name: str
    oid: str
    category: int
    superclass: str
    known_guid: str | None = None
    parents: tuple[str, ...] = ("container",)
    may_contain: tuple[str, ...] = ()

    @property
    def guid(self) -> str:
        return self.known_guid or fixed_guid("schema", self.name)

    @property
    def guid_bytes(self) -> bytes:
        """As stored in the directory: little-endian."""
        return uuid.UUID(self.guid).bytes_le

    @property
    def cn(self) -> str:
        return common_name(self.name)


def common_name(name: str) -> str:
    """The schema object's name: words joined by hyphens, the maker's prefix first (``ms-Exch-Mail-Nickname``)."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    if words[:2] == ["ms", "Exch"]:
        words = words[2:]
    return "-".join(["ms", "Exch", *(word[:1].upper() + word[1:] for word in words)])


# Columns: name, object identifier, syntax, single or multi, range, searchFlags, in the global catalogue, linkID,
# mAPIID, schemaIDGUID. A dot is "none"; missing columns at the end are dots. Prefixes of the identifiers: see _ARCS.
_RECIPIENT_TABLE = """
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
"""

_ORGANIZATION_TABLE = """
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
msExchSMTPSmartHost L.14 Unicode S
msExchConfigurationXML L.15 Unicode S
msExchAuthApplicationIdentifier L.16 Unicode S
msExchRoutingList L.17 Unicode M
msExchSourceTransportServers L.18 DN M
"""

_ARCS = {"E": EXCHANGE_ARC, "C": f"{MICROSOFT}.2", "M": MICROSOFT, "L": f"{LAB_ARC}.1"}


def _parse(row: str, recipient: bool) -> Attribute:
    name, oid, syntax, count, limits, flags, catalogue, link, mapi, guid = (row.split() + ["."] * 10)[:10]
    arc, _dot, rest = oid.partition(".")
    lower, _dash, upper = limits.strip(".").partition("-")
    return Attribute(
        name=name,
        oid=f"{_ARCS[arc]}.{rest}",
        syntax=SYNTAXES[syntax],
        single=count == "S",
        lower=int(lower) if lower else None,
        upper=int(upper) if upper else None,
        search_flags=0 if flags == "." else int(flags),
        gc=catalogue == "gc",
        link_id=None if link == "." else int(link),
        mapi_id=None if mapi == "." else int(mapi),
        known_guid=None if guid == "." else guid,
        recipient=recipient,
    )


RECIPIENT_ATTRIBUTES = tuple(_parse(row, recipient=True) for row in _RECIPIENT_TABLE.strip().splitlines())
ORGANIZATION_ATTRIBUTES = tuple(_parse(row, recipient=False) for row in _ORGANIZATION_TABLE.strip().splitlines())
VERSION_ATTRIBUTE = Attribute(
    "msExchSchemaVersionPt", f"{LAB_ARC}.1.100", UNICODE, single=True, upper=SCHEMA_VERSION, recipient=False
)
ATTRIBUTES = (*RECIPIENT_ATTRIBUTES, *ORGANIZATION_ATTRIBUTES, VERSION_ATTRIBUTE)

WRITEBACK_ATTRIBUTES = (
    *(f"extensionAttribute{number}" for number in range(1, 16)),
    *(f"msExchExtensionCustomAttribute{number}" for number in range(1, 6)),
    "msExchRecipientDisplayType",
    "msExchRecipientTypeDetails",
    "proxyAddresses",
    "mail",
)
"""The 24 attributes of the writeback job; the last two belong to the base schema."""
