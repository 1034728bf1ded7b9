# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect Sync: one run from AD to the cloud, honouring who is the source of authority of each mailbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ldap3

from tests.lab.clock import Clock, iso
from tests.lab.engines import mailboxes
from tests.lab.engines.backsync import back_sync
from tests.lab.engines.directory import opened
from tests.lab.engines.forest_view import read_forest
from tests.lab.engines.sync_run import SyncRun
from tests.lab.scenario import Scenario
from tests.lab.store import Store

Document = dict[str, Any]


def state_key(tenant_id: str) -> str:
    """The meta key under which a tenant's watermark is kept."""
    return f"connect_sync:{tenant_id}"


class ConnectSync:
    """The engine of one lab; holds nothing of its own, everything is in the store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        scenario: Scenario,
        open_directory: Callable[[str], ldap3.Connection],
        base_dn: Callable[[str], str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._scenario = scenario
        self._open = open_directory
        self._base_dn = base_dn

    def run(self, tenant_id: str, initial: bool = False) -> dict[str, Any]:
        """Read the forest and bring the cloud up to date; returns counts. DirectoryUnavailable changes nothing.

        A delta run consumes objects whose uSNChanged moved since the last run, objects the cloud does not know, and
        mailboxes handed back to AD since: for those everything is compared, though AD did not change.
        """
        tenant = next(one for one in self._store.tenants() if one["id"] == tenant_id)
        state = self._store.meta(state_key(tenant_id)) or {}
        users = {user["id"]: user for user in self._store.list(tenant_id, "user")}
        known = set(users)
        for kind in ("group", "contact"):
            known.update(one["id"] for one in self._store.list(tenant_id, kind))
        with opened(self._open, tenant_id, self._base_dn(tenant_id)) as directory:
            view = read_forest(
                directory,
                tenant_id,
                None if initial else state.get("usn"),
                self._handed_back(tenant_id, state, users),
                known,
                lambda identifier: (users.get(identifier) or {}).get("_objectGuid"),
            )
        with self._store.transaction():
            run = SyncRun(self._store, self._scenario, tenant, view, iso(self._clock.now()))
            counts = run.apply()
            back_sync(self._store, tenant_id)
            managed = [one["id"] for one in run.mailboxes.values() if one.get("IsExchangeCloudManaged")]
            self._store.set_meta(
                state_key(tenant_id),
                {
                    "usn": view.usn,
                    "cloud_managed": managed,
                    "last_run": iso(self._clock.now()),
                    "conflicts": [vars(conflict) for conflict in view.conflicts],
                },
            )
        return {"initial": initial or "usn" not in state, **counts}

    def _handed_back(self, tenant_id: str, state: Document, users: dict[str, Document]) -> set[str]:
        """Objects whose AD values have to be compared in full, because authority came back to AD."""
        was_managed = set(state.get("cloud_managed", ()))
        edits_are_refused = self._scenario.get("unmanaged_edit") == "refused"
        found = {
            user["id"]
            for user in users.values()
            if user.get("onPremisesImmutableId")
            and not user.get("onPremisesSyncEnabled")
            and not user.get("isCloudManaged")
        }
        for mailbox in self._store.list(tenant_id, "mailbox"):
            if mailbox.get("IsExchangeCloudManaged") or "_syncedExchange" not in mailbox:
                continue
            identifier = mailbox["ExternalDirectoryObjectId"]
            # Values that differ from what the last run gave can only come from a time in the cloud's hand that began
            # and ended between two runs.
            edited = edits_are_refused and mailboxes.fingerprint(mailbox) != mailbox["_syncedExchange"]
            if identifier in was_managed or mailbox.get("_handedBack") or edited:
                found.add(identifier)
        return found
