# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent's service account may do, as far as the writeback job meets it.

The engines write as the forest's own sync account, whose rights are real. An agent that was installed in the lab is
held to what was granted to its account: HybridExchangePermissions, or every change is refused as a domain controller
does. An agent that was not restarted since the schema was extended does not know the new attributes either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab.engines.directory import DirectoryRefusal
from tests.lab.windows import places, state
from tests.lab.windows.estate import Estate

Obstacle = Callable[[str, str, str, str], None]
_DENIED = "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"
_UNKNOWN = "00000057: LdapErr: DSID-0C090E49, comment: Error in attribute conversion operation, data 0"


def obstacle(estate: Callable[[], Estate | None], before: Obstacle) -> Obstacle:
    """What the engines ask before each operation; ``before`` is asked first."""

    def meet(tenant_id: str, operation: str, dn: str, user: str) -> None:
        before(tenant_id, operation, dn, user)
        hosts = estate()
        if operation in ("modify", "delete") and hosts is not None:
            _check(hosts, tenant_id)

    return meet


def _check(estate: Estate, tenant_id: str) -> None:
    active = [one for one in estate.store.list(tenant_id, "agent") if one.get("status") == "active"]
    if not active or any("_host" not in one for one in active):
        return
    tenant = next(one["name"] for one in estate.store.tenants() if one["id"] == tenant_id)
    with estate.forest(tenant) as forest:
        documents = [estate.get(places.host(tenant, one["_host"])) for one in active]
        if not any(_may_write(forest, document) for document in documents):
            raise DirectoryRefusal(50, "insufficientAccessRights", _DENIED)
        changed = float(forest["schemaChangedAt"])
    if all(float((one["agent"] or {}).get("startedAt", 0.0)) < changed for one in documents):
        raise DirectoryRefusal(16, "noSuchAttribute", _UNKNOWN)


def _may_write(forest: dict[str, Any], document: dict[str, Any]) -> bool:
    start = str(document["services"].get(places.AGENT_SERVICE, {}).get("StartName", ""))
    account = start.rpartition("\\")[2].lower()
    granted: list[str] = next((one["granted"] for name, one in forest["gmsas"].items() if name.lower() == account), [])
    return state.EXCHANGE_PERMISSIONS in granted
