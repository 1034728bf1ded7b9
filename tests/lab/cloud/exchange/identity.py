# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients: as rows, in order, and by any of the names that -Identity takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.lab.cloud.context import Services, is_guid
from tests.lab.cloud.exchange import errors
from tests.lab.store import Document

SERVER = "AM0PR01A001.EURPR01A001.PROD.OUTLOOK.COM"
MAILBOX, MAIL_USER, CONTACT, GROUP = "mailbox", "mailUser", "contact", "group"
ALL_KINDS = (MAILBOX, MAIL_USER, CONTACT, GROUP)

_NAMES = (
    "ExternalDirectoryObjectId",
    "Guid",
    "ExchangeGuid",
    "UserPrincipalName",
    "PrimarySmtpAddress",
    "Alias",
    "Name",
    "Identity",
    "DistinguishedName",
    "LegacyExchangeDN",
)


@dataclass(frozen=True)
class Recipient:
    """A recipient: the kind of its document, the document's id, and the row that Exchange Online shows of it."""

    kind: str
    id: str
    row: Document


def recipient(kind: str, doc: Document) -> Recipient | None:
    """The recipient of a document; None when the object has no mail."""
    if kind != GROUP:
        if "Identity" not in doc:
            return None
        if kind == CONTACT and "onPremisesSyncEnabled" in doc:
            # One document for both services: what Graph changes of it shows here.
            doc = {**doc, "IsDirSynced": bool(doc["onPremisesSyncEnabled"])}
        return Recipient(kind, str(doc.get("ExternalDirectoryObjectId") or doc.get("id")), doc)
    if not doc.get("mailEnabled"):
        return None
    kind_name = "MailUniversalSecurityGroup" if doc.get("securityEnabled") else "MailUniversalDistributionGroup"
    name = doc.get("displayName") or doc["id"]
    row = {
        "Identity": name,
        "Name": name,
        "DisplayName": name,
        "Alias": doc.get("mailNickname") or "",
        "PrimarySmtpAddress": doc.get("mail") or "",
        "EmailAddresses": list(doc.get("proxyAddresses") or []),
        "RecipientType": kind_name,
        "RecipientTypeDetails": kind_name,
        "ExternalDirectoryObjectId": doc["id"],
        "IsDirSynced": bool(doc.get("onPremisesSyncEnabled")),
        "Guid": doc["id"],
        "HiddenFromAddressListsEnabled": False,
    }
    return Recipient(kind, doc["id"], row)


def public(row: Document) -> Document:
    """``row`` without what the lab keeps for itself, and without the Graph half of a contact."""
    return {name: value for name, value in row.items() if name[:1].isupper()}


def in_order(
    services: Services, tenant_id: str, kinds: tuple[str, ...], after: str, chunk: int
) -> Iterator[tuple[str, Recipient]]:
    """All recipients of ``kinds`` after a key, each with its key; read ``chunk`` at a time."""
    for number, kind in enumerate(kinds):
        last = ""
        if after:
            at, _colon, object_id = after.partition(":")
            if int(at) > number:
                continue
            last = object_id if int(at) == number else ""
        while docs := services.store.page(tenant_id, kind, last, chunk):
            for stored, doc in zip(docs, services.stale.seen(tenant_id, kind, docs), strict=True):
                last = str(stored.get("ExternalDirectoryObjectId") or stored["id"])
                found = recipient(kind, doc)
                if found is not None:
                    yield f"{number}:{last}", found
            if len(docs) < chunk:
                break


def find(
    services: Services, tenant_id: str, kinds: tuple[str, ...], identity: str, fresh: bool = False
) -> list[Recipient]:
    """All recipients of ``kinds`` with this identity; ``fresh``: as they are, whatever readers are shown."""
    wanted = identity.strip()
    found: list[Recipient] = []
    for kind in kinds:
        direct = services.store.get(tenant_id, kind, wanted.lower()) if is_guid(wanted) else None
        docs = [direct] if direct else _candidates(services, tenant_id, kind, wanted)
        for doc in docs if fresh else services.stale.seen(tenant_id, kind, docs):
            one = recipient(kind, doc)
            if one is not None and _named(one.row, wanted.lower()):
                found.append(one)
    return found


def find_one(services: Services, tenant_id: str, kinds: tuple[str, ...], identity: str) -> Recipient:
    """The one recipient with this identity, as it is; refuses none and many as Exchange Online does."""
    found = find(services, tenant_id, kinds, identity, fresh=True)
    if not found:
        raise errors.not_found(identity, SERVER)
    if len(found) > 1:
        raise errors.ambiguous(identity)
    return found[0]


def _candidates(services: Services, tenant_id: str, kind: str, wanted: str) -> list[Document]:
    text = wanted.removeprefix("smtp:").removeprefix("SMTP:")
    if text.isascii():
        return services.store.search(tenant_id, kind, text)
    # The store's search ignores case for ASCII letters only.
    return services.store.list(tenant_id, kind)


def _named(row: dict[str, Any], wanted: str) -> bool:
    if any(str(row.get(name, "")).lower() == wanted for name in _NAMES):
        return True
    address = wanted.removeprefix("smtp:")
    return any(value.lower() == f"smtp:{address}" for value in row.get("EmailAddresses", []))
