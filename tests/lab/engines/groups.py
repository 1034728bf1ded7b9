# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud documents of synchronized groups and contacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab.engines import addresses
from tests.lab.engines.anchors import anchor
from tests.lab.engines.directory import Entry
from tests.lab.engines.users import security_identifier

Document = dict[str, Any]

_SECURITY_ENABLED = 0x80000000  # groupType


def group_document(entry: Entry, group_id: str, tenant: Document, member_id: Callable[[str], str | None]) -> Document:
    """A Graph group. ``_members`` holds the ids of its direct members that are synchronized themselves."""
    values = _verified(entry, tenant)
    mail = addresses.primary(values) or entry.text("mail")
    members = (member_id(dn) for dn in entry.texts("member"))
    return {
        "id": group_id,
        "displayName": entry.text("displayName") or entry.text("cn"),
        "description": entry.text("description"),
        "mail": mail,
        "mailEnabled": bool(mail and entry.text("mailNickname")),
        "mailNickname": entry.text("mailNickname") or addresses.local_part(entry.text("sAMAccountName") or ""),
        "securityEnabled": bool((entry.number("groupType") or 0) & _SECURITY_ENABLED),
        "groupTypes": [],
        "proxyAddresses": values,
        "onPremisesSyncEnabled": True,
        "isCloudManaged": False,
        "onPremisesDomainName": tenant["domain"],
        "onPremisesSamAccountName": entry.text("sAMAccountName"),
        "onPremisesSecurityIdentifier": security_identifier(entry),
        "_anchor": anchor(entry),
        "_distinguishedName": entry.dn,
        "_members": sorted({found for found in members if found}),
    }


def contact_document(entry: Entry, contact_id: str, tenant: Document) -> Document:
    """A Graph orgContact, with its mail contact's Exchange properties beside it."""
    name = entry.text("cn") or contact_id
    values = addresses.unique(entry.texts("proxyAddresses"))
    target = entry.text("targetAddress")
    mail = addresses.primary(values) or entry.text("mail")
    return {
        "id": contact_id,
        "displayName": entry.text("displayName") or name,
        "givenName": entry.text("givenName"),
        "surname": entry.text("sn"),
        "mail": mail,
        "mailNickname": entry.text("mailNickname"),
        "proxyAddresses": values,
        "onPremisesSyncEnabled": True,
        "isCloudManaged": False,
        "_anchor": anchor(entry),
        "_distinguishedName": entry.dn,
        "Identity": name,
        "Name": name,
        "DisplayName": entry.text("displayName") or name,
        "Alias": entry.text("mailNickname") or addresses.local_part(name),
        "EmailAddresses": values,
        "PrimarySmtpAddress": mail or "",
        "ExternalEmailAddress": target or (f"SMTP:{mail}" if mail else None),
        "RecipientType": "MailContact",
        "RecipientTypeDetails": "MailContact",
        "IsDirSynced": True,
        "ExternalDirectoryObjectId": contact_id,
    }


def _verified(entry: Entry, tenant: Document) -> list[str]:
    verified = {name.lower() for name in tenant["verified_domains"]}
    values = entry.texts("proxyAddresses")
    return addresses.unique(v for v in values if not addresses.is_smtp(v) or addresses.domain(v) in verified)
