# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All Windows hosts of a lab: their documents, what happens to them with time, and who is to be told of it."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.lab.clock import Clock, iso
from tests.lab.cloud.faults import FaultTable
from tests.lab.exchange_server import machine
from tests.lab.scenario import Scenario
from tests.lab.store import Store
from tests.lab.windows import happenings, places, state
from tests.lab.windows.directory import Directory
from tests.lab.windows.places import HostAddress
from tests.lab.windows.registration import Registry

if TYPE_CHECKING:
    from tests.lab.exchange_server.exchange import Exchange

Document = dict[str, Any]


@dataclass
class Estate:
    """The hosts of one lab."""

    store: Store
    clock: Clock
    scenario: Scenario
    faults: FaultTable
    tenant_id: Callable[[str], str]
    ca: str  # path of the certificate authority that the hosts trust
    cut: Callable[[HostAddress], None] = lambda host: None  # ends a host's connections and shells
    ports_changed: Callable[[], None] = lambda: None  # hosts listen at other ports by now
    directory: Directory | None = None  # the real forests; None where there are none
    exchange: Exchange | None = None  # what the Exchange servers of the forests share
    hosts: tuple[HostAddress, ...] = places.ALL_HOSTS
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _busy: set[tuple[str, str]] = field(default_factory=set)  # hosts with something to come
    _looked: bool = False
    _ports: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)

    @property
    def registry(self) -> Registry:
        """The part of the tenants that agents change."""
        return Registry(self.store, self.clock, self.scenario)

    def now(self) -> datetime:
        """Lab time."""
        return self.clock.now()

    def peek(self, host: HostAddress) -> Document:
        """A host as it was kept last, without waiting for anybody; what is due may not have happened yet."""
        return self.store.get(self.tenant_id(host.tenant), state.KIND, host.name) or self._initial(host)

    def get(self, host: HostAddress) -> Document:
        """A host as it is now; a copy."""
        with self.change(host) as document:
            return document

    @contextmanager
    def change(self, host: HostAddress) -> Iterator[Document]:
        """A host's document to look at and to change; kept when it was changed and nothing went wrong."""
        with self._lock, self.store.transaction():
            tenant = self.tenant_id(host.tenant)
            document = self.store.get(tenant, state.KIND, host.name) or self._initial(host)
            before = copy.deepcopy(document)
            after = happenings.settle(document, self, host)
            yield document
            self._effects(host, document, before, tenant)
        for deed in after:
            deed()

    def _effects(self, host: HostAddress, document: Document, before: Document, tenant: str) -> None:
        if document != before:
            if _agent_part(document) != _agent_part(before):
                self.registry.host_changed(tenant, host, document)
            self.store.put(tenant, state.KIND, host.name, document)
            key = (host.tenant, host.name)
            (self._busy.add if happenings.expected(document) else self._busy.discard)(key)
            ports = state.ports(document, host)
            if ports != self.open_ports(host):
                self._ports[key] = ports
                self.ports_changed()

    def open_ports(self, host: HostAddress) -> tuple[int, ...]:
        """Where a host listens now."""
        key = (host.tenant, host.name)
        if key not in self._ports:
            self._ports[key] = state.ports(self.peek(host), host)
        return self._ports[key]

    def _initial(self, host: HostAddress) -> Document:
        document = state.initial(host)
        if host.exchange:
            machine.install(document, host)
        seeded = self.registry.seeded_agent(self.tenant_id(host.tenant), host)
        if seeded is not None:
            happenings.seed_agent(document, host, seeded, self.registry.seeded_at())
        return document

    def _initial_forest(self, tenant: str) -> Document:
        seeded = places.host(tenant, places.SEEDED_HOST)
        return state.initial_forest(self.registry.seeded_agent(self.tenant_id(tenant), seeded) is not None)

    @contextmanager
    def forest(self, tenant: str) -> Iterator[Document]:
        """What the hosts of a tenant's forest share, to look at and to change."""
        with self._lock, self.store.transaction():
            tenant_id = self.tenant_id(tenant)
            document = self.store.get(tenant_id, state.FOREST_KIND, state.FOREST_ID) or self._initial_forest(tenant)
            before = copy.deepcopy(document)
            yield document
            if document != before:
                self.store.put(tenant_id, state.FOREST_KIND, state.FOREST_ID, document)

    def renew(self, host: HostAddress) -> None:
        """A host as it was at the beginning; its sessions end."""
        with self._lock, self.store.transaction():
            tenant = self.tenant_id(host.tenant)
            kept = self.store.get(tenant, state.KIND, host.name) or {}
            self.store.delete(tenant, state.KIND, host.name)
            agent = kept.get("agent") or {}
            if agent.get("id") and not agent.get("seeded"):
                self.store.delete(tenant, "agent", agent["id"])
            self._busy.discard((host.tenant, host.name))
            self._ports.pop((host.tenant, host.name), None)
        self.cut(host)
        self.ports_changed()

    def renew_tenant(self, tenant: str) -> None:
        """All hosts of a tenant that agents are deployed to, and what they share, as they were at the beginning."""
        for host in self.hosts:
            if host.tenant == tenant and not host.exchange:
                self.renew(host)
        self.store.delete(self.tenant_id(tenant), state.FOREST_KIND, state.FOREST_ID)

    def tick(self) -> None:
        """Let happen what is due: processes end, machines come back, agents age out."""
        if not self._looked:
            self._looked = True  # what a lab that was stopped had under way
            self._busy = {
                (host.tenant, host.name)
                for host in self.hosts
                if (kept := self.store.get(self.tenant_id(host.tenant), state.KIND, host.name)) is not None
                and happenings.expected(kept)
            }
        for host in self.hosts:
            if (host.tenant, host.name) in self._busy:
                self.get(host)
        for tenant in self.store.tenants():
            self.registry.age_out(tenant["id"])

    def forget(self) -> None:
        """The store was put back: look again at what is under way, and end all sessions."""
        with self._lock:
            self._looked = False
            self._ports.clear()
        for host in self.hosts:
            self.cut(host)
        self.ports_changed()

    def away(self, host: HostAddress) -> bool:
        """Whether a host is restarting now."""
        if (host.tenant, host.name) not in self._busy and self._looked:
            return False
        return happenings.is_away(self.peek(host), self)

    def log(self, host: HostAddress, **entry: Any) -> None:
        """An entry of the request log."""
        document = {
            "lab_time": iso(self.now()),
            "real_time": time.time(),
            "service": "windows",
            "tenant": host.tenant,
            "tenant_id": self.tenant_id(host.tenant),
            "host": host.name,
            "method": "",
            "path": "",
            "fault": None,
            "violation": None,
            **entry,
        }
        self.store.log_request(document, bool(document.get("write")))


def _agent_part(document: Document) -> tuple[Any, ...]:
    """What Graph's view of a host's agent depends on."""
    service = document["services"].get(places.AGENT_SERVICE, {})
    return document["agent"], service.get("Status"), document["behaviour"].get("inactive_in_graph")
