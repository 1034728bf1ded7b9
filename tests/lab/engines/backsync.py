# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back-synchronization: Exchange Online tells Entra what it knows of its mailboxes, so that Graph shows it."""

from __future__ import annotations

from typing import Any

from tests.lab.store import Store

Document = dict[str, Any]


def user_values(mailbox: Document) -> Document:
    """The Graph properties of a user that come from the mailbox."""
    return {
        "mail": mailbox.get("WindowsEmailAddress") or mailbox.get("PrimarySmtpAddress") or None,
        "mailNickname": mailbox.get("Alias"),
        "proxyAddresses": list(mailbox.get("EmailAddresses") or []),
        "showInAddressList": not mailbox.get("HiddenFromAddressListsEnabled"),
        "onPremisesExtensionAttributes": {
            f"extensionAttribute{n}": mailbox.get(f"CustomAttribute{n}") or None for n in range(1, 16)
        },
    }


def back_sync(store: Store, tenant_id: str) -> int:
    """Bring every user with a recipient up to date; returns how many changed."""
    changed = 0
    with store.transaction():
        users = {user["id"]: user for user in store.list(tenant_id, "user")}
        for kind in ("mailbox", "mailUser"):
            for recipient in store.list(tenant_id, kind):
                user = users.get(recipient.get("ExternalDirectoryObjectId") or "")
                values = user_values(recipient)
                if user is None or all(user.get(name) == value for name, value in values.items()):
                    continue
                store.put(tenant_id, "user", user["id"], {**user, **values})
                changed += 1
    return changed
