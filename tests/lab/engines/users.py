# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Graph user document of a synchronized AD user: what AD masters, whatever the flag of the mailbox says."""

from __future__ import annotations

from typing import Any

from tests.lab.engines import addresses
from tests.lab.engines.anchors import anchor
from tests.lab.engines.attributes import IDENTITY
from tests.lab.engines.directory import Entry
from tests.lab.engines.ldap_values import guid, sid

Document = dict[str, Any]

_ACCOUNT_DISABLED = 2  # userAccountControl


def user_document(entry: Entry, user_id: str, tenant: Document) -> Document:
    """What Connect Sync sets on a user. Exchange attributes are not among it: :mod:`backsync` brings them."""
    account_name = entry.text("sAMAccountName") or ""
    document: Document = {
        "id": user_id,
        **{graph: entry.text(ad) for ad, graph in IDENTITY.items()},
        "accountEnabled": not (entry.number("userAccountControl") or 0) & _ACCOUNT_DISABLED,
        "onPremisesSyncEnabled": True,
        "isCloudManaged": False,
        "onPremisesImmutableId": anchor(entry),
        "onPremisesDistinguishedName": entry.dn,
        "onPremisesDomainName": tenant["domain"],
        "onPremisesSamAccountName": account_name,
        "onPremisesSecurityIdentifier": security_identifier(entry),
        "_objectGuid": guid(entry.first("objectGUID") or b""),
    }
    document["displayName"] = document["displayName"] or entry.text("cn") or account_name
    document["userPrincipalName"] = sign_in_name(entry, tenant)
    return document


def security_identifier(entry: Entry) -> str | None:
    """The object's SID in text form, or None (contacts)."""
    raw = entry.first("objectSid")
    return None if raw is None else sid(raw)


def sign_in_name(entry: Entry, tenant: Document) -> str:
    """userPrincipalName in the cloud: a suffix that the tenant has not verified becomes the initial domain."""
    name = entry.text("userPrincipalName") or entry.text("sAMAccountName") or entry.text("cn") or "user"
    local, at, suffix = name.rpartition("@")
    verified = {known.lower() for known in tenant["verified_domains"]}
    if at and suffix.lower() in verified:
        return name
    return f"{addresses.local_part(local if at else name)}@{tenant['initial_domain']}"


def without_mailbox(entry: Entry, tenant: Document) -> Document:
    """The address properties of a synchronized user who has no recipient in Exchange Online."""
    verified = {known.lower() for known in tenant["verified_domains"]}
    kept = [
        value
        for value in entry.texts("proxyAddresses")
        if not addresses.is_smtp(value) or addresses.domain(value) in verified
    ]
    return {
        "mail": addresses.primary(kept) or entry.text("mail"),
        "mailNickname": entry.text("mailNickname") or sign_in_name(entry, tenant).partition("@")[0],
        "proxyAddresses": addresses.unique(kept),
        "onPremisesExtensionAttributes": {
            f"extensionAttribute{n}": entry.text(f"extensionAttribute{n}") for n in range(1, 16)
        },
    }
