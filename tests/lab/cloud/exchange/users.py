# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-User: every user of the tenant, with a recipient in Exchange Online or without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.lab.cloud.context import is_guid
from tests.lab.cloud.exchange import errors, paging
from tests.lab.cloud.exchange.identity import MAIL_USER, MAILBOX, SERVER
from tests.lab.cloud.exchange.recipients import Call, Result, predicate
from tests.lab.store import Document

USER = "user"
PROPERTIES = (
    "Identity",
    "Name",
    "DisplayName",
    "UserPrincipalName",
    "ExternalDirectoryObjectId",
    "RecipientType",
    "RecipientTypeDetails",
    "IsDirSynced",
)

# By what -Identity finds a user, and what it takes besides of a user who is a recipient.
_NAMES = ("ExternalDirectoryObjectId", "UserPrincipalName", "Identity", "Name", "DisplayName")
_RECIPIENT_NAMES = ("Alias", "Guid", "DistinguishedName")


def get_users(call: Call) -> Result:
    """Get-User: by -Identity, or all by -Filter, -Anr and -RecipientTypeDetails."""
    keep = predicate(call.bound, PROPERTIES)
    if "Identity" in call.bound:
        if "Filter" in call.bound or "Anr" in call.bound:
            raise errors.parameter_sets()
        identity = call.bound["Identity"] or ""
        rows = [row for row in _found(call, identity.strip()) if keep(row)]
        if not rows:
            raise errors.not_found(identity, SERVER)
        return Result(rows)
    began = paging.position(call.services, call.request, call.tenant_id)
    chunk = paging.page_size(call.services, call.request) + 1
    kept = ((key, row) for key, row in _in_order(call, began.after, chunk) if keep(row))
    rows, link, warnings = paging.page(call.services, call.request, call.tenant_id, call.bound, kept, began)
    return Result(rows, link, warnings)


def _in_order(call: Call, after: str, chunk: int) -> Iterator[tuple[str, Document]]:
    """Users after an id, each with its id; read ``chunk`` at a time."""
    while users := call.services.store.page(call.tenant_id, USER, after, chunk):
        for user in call.services.stale.seen(call.tenant_id, USER, users):
            yield user["id"], _row(user, _recipient(call, user["id"]))
        after = users[-1]["id"]
        if len(users) < chunk:
            return


def _found(call: Call, wanted: str) -> list[Document]:
    """Rows of the users with this id, sign-in name, alias, name or display name."""
    rows = []
    for user in call.services.stale.seen(call.tenant_id, USER, _candidates(call, wanted)):
        recipient = _recipient(call, user["id"])
        row = _row(user, recipient)
        names = [row[name] for name in _NAMES] + [user.get("mailNickname")]
        names += [recipient.get(name) for name in _RECIPIENT_NAMES] if recipient else []
        if wanted.lower() in {str(name).lower() for name in names if name}:
            rows.append(row)
    return rows


def _candidates(call: Call, wanted: str) -> Iterable[Document]:
    store = call.services.store
    direct = store.get(call.tenant_id, USER, wanted.lower()) if is_guid(wanted) else None
    if direct is not None:
        return [direct]
    if not wanted.isascii():
        # The store's search ignores case for ASCII letters only.
        return store.list(call.tenant_id, USER)
    ids = {user["id"] for user in store.search(call.tenant_id, USER, wanted)}
    for kind in (MAILBOX, MAIL_USER):
        ids |= {doc["ExternalDirectoryObjectId"] for doc in store.search(call.tenant_id, kind, wanted)}
    users = [store.get(call.tenant_id, USER, user_id) for user_id in sorted(ids)]
    return [user for user in users if user is not None]


def _recipient(call: Call, user_id: str) -> Document | None:
    """The user's mailbox or mail user, as readers see it; None for a user who has neither."""
    for kind in (MAILBOX, MAIL_USER):
        doc = call.services.store.get(call.tenant_id, kind, user_id)
        if doc is not None:
            return call.services.stale.seen(call.tenant_id, kind, [doc])[0]
    return None


def _row(user: Document, recipient: Document | None) -> Document:
    """What Get-User shows; a user without a recipient goes by the display name."""
    plain = user.get("displayName") or user["userPrincipalName"]
    known = recipient or {
        "Identity": plain,
        "Name": plain,
        "RecipientType": "User",
        "RecipientTypeDetails": "User" if user.get("accountEnabled") else "DisabledUser",
    }
    facts = {
        **known,
        "DisplayName": user.get("displayName"),
        "UserPrincipalName": user["userPrincipalName"],
        "ExternalDirectoryObjectId": user["id"],
        "IsDirSynced": bool(user.get("onPremisesSyncEnabled")),
    }
    return {name: facts.get(name) for name in PROPERTIES}
