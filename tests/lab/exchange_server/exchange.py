# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange organisation of a lab's forests: the directory, and what Exchange keeps elsewhere."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ldap3

from tests.lab.exchange_server.directory import ANY, LEVEL, SUBTREE, Directory, Found
from tests.lab.forest.organization_parts import Places
from tests.lab.settings import Forest
from tests.lab.settings import forest as find_forest
from tests.lab.store import Store

Document = dict[str, Any]
KIND, ID = "exchangeOrganization", "organization"  # one a tenant in the lab's store


def initial() -> Document:
    """What an organisation has outside the directory at the beginning."""
    return {
        "moves": [],
        "batches": [],
        "publicFolders": [],
        "relayStoppedAt": None,
        "gateway": "reachable",  # the Microsoft Federation Gateway, which federation's cmdlets ask
        "removed": [],  # what was removed through the endpoint, in order
    }


@dataclass
class Exchange:
    """All organisations of a lab. ``open`` signs in to a forest's directory as administrator, by its name."""

    store: Store
    tenant_id: Callable[[str], str]
    open: Callable[[str], ldap3.Connection]
    _directories: dict[str, Directory] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def directory(self, tenant: str) -> Directory:
        """The directory of a tenant's forest."""
        with self._lock:
            if tenant not in self._directories:
                self._directories[tenant] = Directory(lambda: self.open(tenant))
            return self._directories[tenant]

    def close(self) -> None:
        """End all connections to directories."""
        with self._lock:
            for one in self._directories.values():
                one.close()

    def organization(self, tenant: str) -> Organization:
        """The organisation of a tenant's forest, as it is now."""
        return Organization(find_forest(tenant), self.directory(tenant))

    @contextmanager
    def state(self, tenant: str) -> Iterator[Document]:
        """What an organisation has outside the directory, to look at and to change."""
        with self.store.transaction():
            tenant_id = self.tenant_id(tenant)
            document = self.store.get(tenant_id, KIND, ID) or initial()
            before = copy.deepcopy(document)
            yield document
            if document != before:
                self.store.put(tenant_id, KIND, ID, document)


@dataclass(frozen=True)
class Organization:
    """One organisation in its directory. Whatever is asked for may be gone: then there is nothing to give."""

    forest: Forest
    directory: Directory

    @property
    def controller(self) -> str:
        """The domain controller that Exchange talks to."""
        return self.forest.server_name

    @property
    def configuration(self) -> str:
        """The configuration partition."""
        return f"CN=Configuration,{self.forest.base_dn}"

    @property
    def container(self) -> str:
        """CN=Microsoft Exchange, the root of all that Exchange keeps in the configuration partition."""
        return f"CN=Microsoft Exchange,CN=Services,{self.configuration}"

    def found(self) -> Found | None:
        """The organisation's object; None after everything was removed."""
        hits = self.directory.search(self.container, "(objectClass=msExchOrganizationContainer)", LEVEL)
        return hits[0] if hits else None

    @cached_property
    def places(self) -> Places:
        """Where the kinds of objects lie. By its name of the beginning when there is no organisation any more."""
        organization = self.found()
        return Places(organization.dn if organization else f"CN={self.forest.netbios.title()},{self.container}")

    def servers(self) -> list[Found]:
        """The servers, by name."""
        hits = self.directory.search(self.places.servers, "(objectClass=msExchExchangeServer)", LEVEL)
        return sorted(hits, key=lambda one: one.name)

    def server(self, name: str) -> Found | None:
        """A server by its name, full name, DN or GUID."""
        wanted = name.lower()
        for one in self.servers():
            if wanted in (one.name.lower(), fqdn(one).lower(), one.dn.lower(), one.guid):
                return one
        return None

    def databases(self) -> list[Found]:
        """The mailbox databases, by name."""
        hits = self.directory.search(self.places.databases, "(objectClass=msExchPrivateMDB)", LEVEL)
        return sorted(hits, key=lambda one: one.name)

    def copies(self) -> list[Found]:
        """Copies of all databases."""
        return self.directory.search(self.places.databases, "(objectClass=msExchMDBCopy)", SUBTREE)

    def below(self, base: str, cls: str, scope: str = LEVEL) -> list[Found]:
        """Objects of a class below a place, by name."""
        hits = self.directory.search(base, f"(objectClass={cls})" if cls else ANY, scope)
        return sorted(hits, key=lambda one: one.name.lower())


def fqdn(server: Found) -> str:
    """A server's full name."""
    for value in server.texts("networkAddress"):
        protocol, _colon, rest = value.partition(":")
        if protocol == "ncacn_ip_tcp":
            return rest
    return server.name
