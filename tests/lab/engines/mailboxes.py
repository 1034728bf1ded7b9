# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange Online documents of synchronized users: mailboxes, and mail users for mailboxes still on premises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from tests.lab.engines import addresses, recipient_types
from tests.lab.engines.anchors import stable_guid
from tests.lab.engines.attributes import BOOLEAN, INTEGER, LARGE_INTEGER, PLAIN, REFERENCE, TIME, Row
from tests.lab.engines.directory import Entry
from tests.lab.engines.ldap_values import ZERO_GUID, boolean, generalized_time, guid, text

Document = dict[str, Any]
Resolve = Callable[[str], str | None]  # distinguished name -> Identity in Exchange Online

_RETENTION_HOLD, _LITIGATION_HOLD = 1, 8  # bits of msExchELCMailboxFlags
_EXCHANGE_NAMES = sorted(
    {row.property for row in PLAIN}
    | {"Alias", "EmailAddresses", "PrimarySmtpAddress", "LitigationHoldEnabled", "RetentionHoldEnabled"}
)
_HOSTED_ROOT = "DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"


def shell(kind: str, user_id: str, tenant: Document, now: str) -> Document:
    """A recipient as the service makes it, before anything of AD is in it."""
    initial = tenant["initial_domain"]
    document: Document = {
        "Guid": stable_guid("recipient", user_id),
        "ExternalDirectoryObjectId": user_id,
        "OrganizationalUnit": f"eurpr01a001.prod.outlook.com/Microsoft Exchange Hosted Organizations/{initial}",
        "IsDirSynced": True,
        "HiddenFromAddressListsEnabled": False,
        "WhenCreatedUTC": now,
        "WhenCreated": now,
        "_sequence": 0,
    }
    if kind == "mailUser":
        return {**document, "RecipientType": "MailUser", "RecipientTypeDetails": "MailUser"}
    return {
        **document,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": recipient_types.USER,
        "IsExchangeCloudManaged": False,
        "DeliverToMailboxAndForward": False,
        "ForwardingAddress": None,
        "ForwardingSmtpAddress": None,
        "LitigationHoldEnabled": False,
        "RetentionHoldEnabled": False,
        "ArchiveStatus": "None",
        "IssueWarningQuota": "98 GB (105,226,698,752 bytes)",
        "ProhibitSendQuota": "99 GB (106,300,440,576 bytes)",
        "ProhibitSendReceiveQuota": "100 GB (107,374,182,400 bytes)",
        "UseDatabaseQuotaDefaults": False,
        "EmailAddressPolicyEnabled": False,
        "SendModerationNotifications": "Always",
        "ResourceCapacity": None,
        **{f"ExtensionCustomAttribute{n}": [] for n in range(1, 6)},
        "UsageLocation": None,
    }


def identity_properties(entry: Entry, user: Document, name: str, tenant: Document) -> Document:
    """What AD masters of a recipient in every case."""
    escaped = name.replace("\\", "\\\\").replace(",", "\\,")
    hosted = f"OU={tenant['initial_domain']},OU=Microsoft Exchange Hosted Organizations,{_HOSTED_ROOT}"
    return {
        "Identity": name,
        "Id": name,
        "Name": name,
        "DistinguishedName": f"CN={escaped},{hosted}",
        "DisplayName": user["displayName"],
        "UserPrincipalName": user["userPrincipalName"],
        "MicrosoftOnlineServicesID": user["userPrincipalName"],
        "WindowsLiveID": user["userPrincipalName"],
        "IsDirSynced": True,
        "ImmutableId": user["onPremisesImmutableId"],
    }


def exchange_properties(
    entry: Entry, kind: str, user: Document, tenant: Document, resolve: Resolve, extension_flow: bool
) -> Document:
    """What AD gives a recipient while AD is the source of authority of its Exchange attributes.

    ``extension_flow``: whether ExtensionCustomAttribute1-5 are consumed (the scenario's switch).
    """
    alias = entry.text("mailNickname") or addresses.local_part(user["userPrincipalName"].partition("@")[0])
    details, remote_type = entry.number("msExchRecipientTypeDetails"), entry.number("msExchRemoteRecipientType")
    document: Document = {
        row.property: _plain(entry, row, resolve)
        for row in PLAIN
        if row.consumed or (extension_flow and row.property.startswith("ExtensionCustom"))
    }
    document["Alias"] = alias
    document.update(
        address_properties(
            addresses.in_cloud(
                entry.texts("proxyAddresses"),
                alias,
                entry.text("mail"),
                tenant["initial_domain"],
                tenant["verified_domains"],
            )
        )
    )
    document["ExchangeGuid"] = _guid(entry, "msExchMailboxGuid") or (
        stable_guid("mailbox", user["id"]) if kind == "mailbox" else ZERO_GUID
    )
    document["ArchiveGuid"] = _guid(entry, "msExchArchiveGUID") or ZERO_GUID
    document["LegacyExchangeDN"] = _legacy_name(user["id"], alias)
    if kind == "mailUser":
        target = entry.text("targetAddress")
        document["ExternalEmailAddress"] = target or f"SMTP:{document['PrimarySmtpAddress']}"
        return document
    flags = entry.number("msExchELCMailboxFlags") or 0
    document.update(
        RecipientTypeDetails=recipient_types.type_name(details),
        RemoteRecipientType=recipient_types.remote_type_text(remote_type),
        RetentionHoldEnabled=bool(flags & _RETENTION_HOLD),
        LitigationHoldEnabled=bool(flags & _LITIGATION_HOLD),
        ArchiveStatus="Active" if document["ArchiveGuid"] != ZERO_GUID else "None",
    )
    return document


def type_properties(document: Document) -> Document:
    """The properties that follow from a mailbox's type."""
    kind = document["RecipientTypeDetails"]
    return {
        "IsShared": kind == recipient_types.SHARED,
        "IsResource": kind in (recipient_types.ROOM, recipient_types.EQUIPMENT),
        "ResourceType": {"RoomMailbox": "Room", "EquipmentMailbox": "Equipment"}.get(kind),
    }


def directory_types(entry: Entry) -> dict[str, int | None]:
    """The two type numbers as AD has them, kept beside the mailbox for writeback."""
    return {
        "details": entry.number("msExchRecipientTypeDetails"),
        "display": entry.number("msExchRecipientDisplayType"),
    }


def address_properties(values: list[str]) -> Document:
    """EmailAddresses and what follows from them; Exchange Online derives WindowsEmailAddress from the primary."""
    first = addresses.primary(values) or ""
    return {"EmailAddresses": values, "PrimarySmtpAddress": first, "WindowsEmailAddress": first}


def fingerprint(document: Document) -> str:
    """A short mark of the Exchange values that AD fills, the type excepted (it may be changed at any time)."""
    values = [document.get(name) for name in _EXCHANGE_NAMES]
    return hashlib.sha1(json.dumps(values, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _plain(entry: Entry, row: Row, resolve: Resolve) -> Any:
    raw = entry.all(row.ad_name)
    if not raw:
        return list(row.absent) if isinstance(row.absent, tuple) else row.absent
    values = [value for value in (_convert(one, row.syntax, resolve) for one in raw) if value is not None]
    if row.multi:
        return values
    return values[0] if values else row.absent


def _convert(raw: bytes, syntax: str, resolve: Resolve) -> Any:
    if syntax == BOOLEAN:
        return boolean(raw)
    if syntax in (INTEGER, LARGE_INTEGER):
        return int(raw)
    if syntax == TIME:
        return generalized_time(raw)
    return resolve(text(raw)) if syntax == REFERENCE else text(raw)


def _guid(entry: Entry, name: str) -> str | None:
    raw = entry.first(name)
    found = guid(raw) if raw else ZERO_GUID
    return None if found == ZERO_GUID else found


def _legacy_name(user_id: str, alias: str) -> str:
    group = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients"
    return f"{group}/cn={user_id.replace('-', '')}-{alias}"
