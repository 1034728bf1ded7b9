# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows hosts do to the real directory of their forest: the account that the agent's setup makes, the schema.

A group managed service account is a real object of the forest, though Samba computes no passwords for it. A forest
whose schema is too old is made by calling the attribute something else, which a reset takes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.forest.edit import EditRefused
from tests.lab.settings import forest as find_forest
from tests.lab.store import Store

_WORKSTATION_TRUST = 4096  # userAccountControl
_AES_AND_RC4 = 28  # msDS-SupportedEncryptionTypes
_ATTRIBUTE, _HIDDEN = "msDS-ExternalDirectoryObjectId", "msDS-LabHiddenAttribute"
_ATTRIBUTE_CN = "ms-DS-External-Directory-Object-Id"
_META = "windows_schema_hidden"  # names of tenants whose forest lacks the attribute now
ADDED = "added_to_directory"  # by tenant's name: DNs of objects that a reset removes


@dataclass(frozen=True)
class Directory:
    """The forests, past the relay and as administrator. ``add`` and ``edit`` are the control address's own."""

    store: Store
    add: Callable[[str, str, list[str], dict[str, Any]], None]
    edit: Callable[[str, str, Any], Any]

    def make_gmsa(self, tenant: str, name: str) -> None:
        """Make a group managed service account; one that is there already stays."""
        forest, plain = find_forest(tenant), name.removesuffix("$")
        dn = f"CN={plain},CN=Managed Service Accounts,{forest.base_dn}"
        with self.store.transaction():
            added = self.store.meta(ADDED) or {}
            if dn in added.get(tenant, []):
                return
            values = {
                "sAMAccountName": [f"{plain}$"],
                "dNSHostName": [f"{plain}.{forest.domain}"],
                "userAccountControl": [str(_WORKSTATION_TRUST)],
                "msDS-SupportedEncryptionTypes": [str(_AES_AND_RC4)],
                "msDS-ManagedPasswordInterval": ["30"],
            }
            try:
                self.add(tenant, dn, ["msDS-GroupManagedServiceAccount"], values)
            except EditRefused as error:
                if "entryAlreadyExists" not in str(error):
                    raise
            self.store.set_meta(ADDED, {**added, tenant: [*added.get(tenant, []), dn]})

    def hide_attribute(self, tenant: str, hidden: bool) -> None:
        """Let a forest lack msDS-ExternalDirectoryObjectId, as before Windows Server 2016, or have it again."""
        names = set(self.store.meta(_META) or [])
        if (tenant in names) == hidden:
            return
        dn = f"CN={_ATTRIBUTE_CN},CN=Schema,CN=Configuration,{find_forest(tenant).base_dn}"
        self.edit(tenant, dn, {"lDAPDisplayName": [_HIDDEN if hidden else _ATTRIBUTE]})
        self.store.set_meta(_META, sorted(names | {tenant} if hidden else names - {tenant}))

    def undo(self) -> None:
        """Every forest has its schema again."""
        for tenant in self.store.meta(_META) or []:
            self.hide_attribute(tenant, hidden=False)
