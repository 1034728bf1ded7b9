# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory in memory for tests of the engines, on ldap3's mock: uSNs, refusals and outages as a DC has them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPSocketOpenError

from tests.lab.clock import Clock
from tests.lab.engines import Engines
from tests.lab.engines.limits import Limits
from tests.lab.engines.schema import APPLICATION_TEMPLATE_ID, TEMPLATE_ID
from tests.lab.scenario import Scenario
from tests.lab.store import Store

TENANT = "11111111-2222-3333-4444-555555555555"
BASE = "DC=contoso,DC=lab"
PRINCIPAL = "99999999-0000-0000-0000-000000000001"


class MemoryDirectory:
    """Entries by name; every change moves the entry's uSNChanged."""

    def __init__(self) -> None:
        self.server = ldap3.Server("fake", get_info=ldap3.NONE)
        self.usn = 1000
        self.denied: dict[str, int] = {}  # name -> LDAP result code of every modify
        self.down = False
        self.modifies: list[tuple[str, dict[str, list[bytes]]]] = []
        self._root = self._mock()
        self._root.strategy.add_entry(BASE, {"objectClass": ["domain"]})

    def _mock(self) -> ldap3.Connection:
        connection = ldap3.Connection(self.server, client_strategy=ldap3.MOCK_SYNC)
        connection.bind()
        return connection

    def add(self, name: str, container: str = f"OU=People,{BASE}", kind: str = "user", **attributes: Any) -> str:
        """Add an object; lists become values, numbers and text are encoded; returns its name."""
        self.usn += 1
        dn = f"CN={name},{container}"
        values: dict[str, Any] = {
            "objectClass": ["top", kind],
            "objectGUID": uuid.uuid5(uuid.NAMESPACE_DNS, dn).bytes_le,
            "cn": name,
            "uSNChanged": str(self.usn),
            **{key.replace("__", "-"): value for key, value in attributes.items()},
        }
        self._root.strategy.add_entry(dn, {key: _encoded(value) for key, value in values.items()})
        return dn

    def mailbox(self, name: str, **attributes: Any) -> str:
        """Add a user with a mailbox in the cloud."""
        given: dict[str, Any] = {
            "sAMAccountName": name.lower(),
            "userPrincipalName": f"{name.lower()}@contoso.lab",
            "displayName": name,
            "userAccountControl": 512,
            "mailNickname": name.lower(),
            "proxyAddresses": [f"SMTP:{name.lower()}@contoso.lab"],
            "mail": f"{name.lower()}@contoso.lab",
            "msExchRecipientTypeDetails": 2147483648,
            "msExchRecipientDisplayType": -2147483642,
            "msExchRemoteRecipientType": 4,
        }
        return self.add(name, **{**given, **attributes})

    def change(self, dn: str, **attributes: Any) -> None:
        """Change an object as an administrator would; None clears."""
        self.usn += 1
        changes = {key: [] if value is None else _encoded(value) for key, value in attributes.items()}
        self._replace(dn, {**changes, "uSNChanged": [str(self.usn).encode()]})

    def remove(self, dn: str) -> None:
        """Delete an object."""
        self._root.strategy.remove_entry(dn)

    def values(self, dn: str, name: str) -> list[str]:
        """An attribute's values as text."""
        found = self.server.dit[dn].get(name, [])
        return [value.decode() if isinstance(value, bytes) else str(value) for value in found]

    def _replace(self, dn: str, changes: dict[str, list[bytes]]) -> None:
        for name, values in changes.items():
            self.server.dit[dn].pop(name, None)
            if values:
                self.server.dit[dn][name] = values

    def open(self, _tenant_id: str) -> Any:
        """What the engines open."""
        if self.down:
            raise LDAPSocketOpenError("connection refused")
        return _Connection(self, self._mock())


class _Connection:
    def __init__(self, directory: MemoryDirectory, mock: ldap3.Connection) -> None:
        self._directory = directory
        self._mock = mock
        self.result: dict[str, Any] = {}
        self.response: list[dict[str, Any]] = []

    def search(self, base: str, search_filter: str, scope: str, **options: Any) -> None:
        if base == "":
            raw = {"highestCommittedUSN": [str(self._directory.usn).encode()]}
            self.result = {"result": 0}
            self.response = [{"type": "searchResEntry", "dn": "", "raw_attributes": raw}]
            return
        self._mock.search(base, search_filter, scope, **options)
        self.result, self.response = self._mock.result, self._mock.response

    def modify(self, dn: str, operations: dict[str, list[tuple[str, list[bytes]]]]) -> None:
        code = self._directory.denied.get(dn, 0)
        names = {0: "success", 19: "constraintViolation", 50: "insufficientAccessRights"}
        self.result = {"result": code, "description": names[code], "message": ""}
        if code:
            return
        changes = {name: values for name, [(_unused, values)] in operations.items()}
        self._directory.modifies.append((dn, changes))
        self._directory.usn += 1
        self._directory._replace(dn, {**changes, "uSNChanged": [str(self._directory.usn).encode()]})

    def delete(self, dn: str) -> None:
        code = self._directory.denied.get(dn, 0)
        self.result = {"result": code, "description": "insufficientAccessRights" if code else "success", "message": ""}
        if not code:
            self._directory.remove(dn)

    def unbind(self) -> None:
        self._mock.unbind()


def _encoded(value: Any) -> list[bytes]:
    values = value if isinstance(value, list) else [value]
    return [one if isinstance(one, bytes) else str(one).encode() for one in values]


class Lab:
    """A tenant, its directory and the engines; real time stands still at ``seconds``."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.seconds = 1_800_000_000.0
        self.store = Store(folder / "state.sqlite")
        self.clock = Clock(self.store, real=lambda: self.seconds)
        self.clock.reset()
        self.scenario = Scenario(self.store)
        self.directory = MemoryDirectory()
        self.engines = Engines(
            self.store, self.clock, self.scenario, self.directory.open, lambda _tenant: BASE, limits=limits
        )
        self.store.put_tenant(
            {
                "name": "contoso",
                "id": TENANT,
                "domain": "contoso.lab",
                "initial_domain": "contoso.onmicrosoft.com",
                "verified_domains": ["contoso.lab", "contoso.onmicrosoft.com", "contoso.mail.onmicrosoft.com"],
            }
        )
        self.store.put(TENANT, "agent", "a1", {"id": "a1", "machineName": "sync1", "status": "active"})
        self.store.put(
            TENANT,
            "servicePrincipal",
            PRINCIPAL,
            {"id": PRINCIPAL, "displayName": "contoso.lab", "applicationTemplateId": APPLICATION_TEMPLATE_ID},
        )
        self.put_domain("contoso.lab")

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def put_domain(self, domain: str) -> None:
        """Put the job's secret."""
        value = [{"key": "Domain", "value": f'{{"domain":"{domain}"}}'}]
        self.store.put(TENANT, "secret", PRINCIPAL, {"value": value})

    def sync(self, initial: bool = False) -> dict[str, Any]:
        """Run Connect Sync."""
        return self.engines.connect_sync(TENANT, initial)

    def user(self, name: str) -> dict[str, Any]:
        """A user document by display name."""
        return next(one for one in self.store.list(TENANT, "user") if one["displayName"] == name)

    def mailbox(self, name: str) -> dict[str, Any]:
        """A mailbox document by display name."""
        return self.store.get(TENANT, "mailbox", self.user(name)["id"]) or {}

    def edit(self, name: str, **properties: Any) -> None:
        """Edit a mailbox as Exchange Online does."""
        self.seconds += 1
        mailbox = {**self.mailbox(name), **properties}
        self.store.put(TENANT, "mailbox", mailbox["ExternalDirectoryObjectId"], mailbox)

    def job(self, start: bool = True) -> str:
        """Make a job; returns its id."""
        made = self.engines.job_created(TENANT, {"templateId": TEMPLATE_ID, "_servicePrincipal": PRINCIPAL})
        if start:
            self.engines.start(TENANT, made["id"])
        return str(made["id"])

    def document(self, job_id: str) -> dict[str, Any]:
        """A job's document."""
        return self.store.get(TENANT, "job", job_id) or {}

    def cycle(self, job_id: str) -> dict[str, Any]:
        """Run a cycle."""
        self.seconds += 1
        return self.engines.run_cycle(TENANT, job_id)

    def events(self, status: str | None = None) -> list[dict[str, Any]]:
        """The provisioning log."""
        found = sorted(self.store.list(TENANT, "provisioningEvent"), key=lambda one: one["activityDateTime"])
        return [one for one in found if status in (None, one["provisioningStatusInfo"]["status"])]
