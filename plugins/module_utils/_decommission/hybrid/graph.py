# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The hybrid set-up's objects in Entra: keys of Exchange Online's own service principal, the dedicated application.

Of the service principal, which Microsoft owns, nothing but keyCredentials is ever sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import EXCHANGE_ONLINE
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import Known, thumbprint
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import NotFound

NEEDS = "the application permission Application.ReadWrite.All"
# [inf] What Microsoft's script calls the application: this and the id of the organization on premises.
APPLICATION_PREFIX = "ExchangeServerApp-"
_APPLICATION = "id,appId,displayName,keyCredentials"


def read_keys(ends: Ends, _wanted: Wanted, _known: Known) -> list[dict[str, Any]]:
    """The keys of Exchange Online's service principal, each with the thumbprint of its certificate where it tells."""
    principal = _principal(ends)
    return [
        {
            **key,
            "Name": str(key.get("keyId") or ""),
            "DisplayName": key.get("displayName"),
            "Thumbprint": thumbprint(key.get("customKeyIdentifier")),
            "ServicePrincipal": principal["id"],
        }
        for key in principal.get("keyCredentials") or ()
    ]


def remove_key(ends: Ends, key_id: str) -> None:
    """Take one key away: the others are sent back as they are, as Graph replaces the whole list."""
    principal = _principal(ends)
    keys = list(principal.get("keyCredentials") or ())
    kept = [_sendable(key) for key in keys if key.get("keyId") != key_id]
    if len(kept) != len(keys):
        ends.graph.patch(f"/servicePrincipals/{principal['id']}", {"keyCredentials": kept}, needs=NEEDS)


def add_key(ends: Ends, key: Mapping[str, Any]) -> None:
    """Put a key back whose certificate is known."""
    principal = _principal(ends)
    keys = list(principal.get("keyCredentials") or ())
    if any(other.get("keyId") == key.get("keyId") for other in keys):
        return
    sent = [*map(_sendable, keys), _sendable(key)]
    ends.graph.patch(f"/servicePrincipals/{principal['id']}", {"keyCredentials": sent}, needs=NEEDS)


def read_applications(ends: Ends, _wanted: Wanted, known: Known) -> list[dict[str, Any]]:
    """The dedicated hybrid applications by the ids of the organization; none where nobody knows an id."""
    found: dict[str, dict[str, Any]] = {}
    for guid in sorted(known.organization_guids):
        query = {"$filter": f"displayName eq '{APPLICATION_PREFIX}{guid}'", "$select": _APPLICATION}
        for row in ends.graph.pages("/applications", query, needs=NEEDS):
            found[str(row["id"])] = {**row, "Name": row.get("displayName")}
    return list(found.values())


def remove_application(ends: Ends, object_id: str) -> None:
    """Delete an application; Entra keeps it among the deleted items, and its service principal goes with it."""
    ends.graph.delete(f"/applications/{object_id}", needs=NEEDS)


def restore_application(ends: Ends, object_id: str) -> bool:
    """Bring a deleted application back; False where Entra no longer has it."""
    try:
        ends.graph.get(f"/directory/deletedItems/{object_id}", needs=NEEDS)
    except NotFound:
        return False
    ends.graph.post(f"/directory/deletedItems/{object_id}/restore", needs=NEEDS)
    return True


def _principal(ends: Ends) -> dict[str, Any]:
    # For one object, asked for by name, Graph tells the certificates too; in a list never.
    query = {"$filter": f"appId eq '{EXCHANGE_ONLINE}'", "$select": "id,appId"}
    for row in ends.graph.pages("/servicePrincipals", query, needs=NEEDS):
        return ends.graph.get(f"/servicePrincipals/{row['id']}", {"$select": "id,appId,keyCredentials"}, needs=NEEDS)
    raise NotFound(f"The tenant has no service principal of Exchange Online ({EXCHANGE_ONLINE}).")


def _sendable(key: Mapping[str, Any]) -> dict[str, Any]:
    """A key as Graph takes it: without what is not the key's own, and without a certificate that was not told."""
    names = ("customKeyIdentifier", "displayName", "endDateTime", "keyId", "startDateTime", "type", "usage", "key")
    return {name: key[name] for name in names if name in key and (name != "key" or key[name])}
