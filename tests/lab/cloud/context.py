# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services share while the process runs."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.lab.clock import Clock
from tests.lab.cloud.faults import FaultTable, Waits
from tests.lab.cloud.stale import StaleReads
from tests.lab.cloud.tokens import TokenIssuer
from tests.lab.scenario import Scenario
from tests.lab.store import Document, Store

if TYPE_CHECKING:
    from tests.lab.windows.estate import Estate

RATE_WINDOW_S = 300
_NOMINAL_BUDGET = 100_000


class EngineRefusal(Protocol):
    """What the engines raise when they refuse: an exception with these three."""

    status: int
    code: str
    message: str


class Engines(Protocol):
    """The sync engines, as far as the services call them."""

    def connect_sync(self, tenant_id: str, initial: bool = False) -> Document:
        """Run Connect Sync (AD to cloud); returns counts."""

    def tick(self) -> None:
        """Run all that is due by the clock."""

    def job_created(self, tenant_id: str, job: Document) -> Document:
        """Fill in a new job: default schema, status; returns it."""

    def default_schema(self, tenant_id: str, template_id: str) -> Document:
        """The schema that a new job of a template has."""

    def standard_schema(self, tenant_id: str, template_id: str) -> Document:
        """The schema that a template shows."""

    def start(self, tenant_id: str, job_id: str) -> None:
        """Start a job."""

    def pause(self, tenant_id: str, job_id: str) -> None:
        """Pause a job."""

    def restart(self, tenant_id: str, job_id: str, reset_scope: str) -> None:
        """Restart a job."""

    def run_cycle(self, tenant_id: str, job_id: str) -> Document:
        """Run one cycle of a job now."""

    def provision_on_demand(self, tenant_id: str, job_id: str, parameters: list[Document]) -> Document:
        """Provision single objects now."""


@dataclass(frozen=True)
class ForestControl:
    """What the services may do to a tenant's forest; each takes the tenant's name.

    ``edit`` (object, changes) and ``add`` (DN, classes, attributes) write as somebody else; ``remove`` deletes what
    was added; ``traffic`` tells what passed through the relay.
    """

    reset: Callable[[str], Any]
    restart_dc: Callable[[str], Any]
    highest_committed_usn: Callable[[str], int]
    edit: Callable[[str, str, Any], str]
    add: Callable[[str, str, list[str], Document], None]
    remove: Callable[[str, list[str]], None]
    traffic: Callable[[str], Document]


class Gate:
    """Counts requests of a tenant: how many run now, and how many ran in the current window."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing counted."""
        self._now = now
        self._lock = threading.Lock()
        self._running: dict[str, int] = {}
        self._windows: dict[str, tuple[float, int]] = {}

    @contextmanager
    def running(self, tenant_id: str) -> Iterator[int]:
        """While inside, the request counts; gives how many run, this one included."""
        with self._lock:
            self._running[tenant_id] = self._running.get(tenant_id, 0) + 1
            count = self._running[tenant_id]
        try:
            yield count
        finally:
            with self._lock:
                self._running[tenant_id] -= 1

    def budget(self, tenant_id: str, limit: int) -> tuple[int, int]:
        """Use up one request of the window: how many are left (-1: over the limit), and seconds until it renews."""
        with self._lock:
            now = self._now()
            began, used = self._windows.get(tenant_id, (now, 0))
            if now - began >= RATE_WINDOW_S:
                began, used = now, 0
            used += 1
            self._windows[tenant_id] = (began, used)
        reset = max(1, int(began + RATE_WINDOW_S - now))
        if limit:
            return (limit - used if used <= limit else -1), reset
        return max(1, _NOMINAL_BUDGET - used), reset


@dataclass
class Services:
    """State and collaborators of all services of one lab."""

    store: Store
    clock: Clock
    scenario: Scenario
    engines: Engines
    engine_refusal: type[Exception]
    forests: ForestControl
    faults: FaultTable
    stale: StaleReads
    issuer: TokenIssuer
    urls: dict[str, str]
    snapshot: Path
    windows: Estate | None = None
    waits: Waits = field(default_factory=Waits)
    gate: Gate = field(default_factory=Gate)
    cmdlets: Gate = field(default_factory=Gate)
    engine_lock: threading.RLock = field(default_factory=threading.RLock)
    local: threading.local = field(default_factory=threading.local)
    on_demand_calls: dict[str, list[float]] = field(default_factory=dict)

    def noticed(self, text: str) -> None:
        """The request that is being answered does what nobody should do; its entry in the log will say so."""
        self.local.noticed = text

    def tenant(self, name: str | None) -> Document | None:
        """A tenant by its id, name or one of its verified domains."""
        return find_tenant(self.store, name)

    def write_mailbox(self, tenant_id: str, before: Document, after: Document) -> None:
        """Store a changed mailbox, leaving the before-image to stale readers."""
        self.write(tenant_id, "mailbox", before["ExternalDirectoryObjectId"], before, after)

    def write(self, tenant_id: str, kind: str, object_id: str, before: Document, after: Document) -> None:
        """Store a changed document, leaving the before-image to stale readers."""
        self.store.put(tenant_id, kind, object_id, after)
        self._written(tenant_id, kind, object_id, before)

    def add(self, tenant_id: str, kind: str, object_id: str, doc: Document) -> None:
        """Store a new document; stale readers do not see it."""
        self.store.put(tenant_id, kind, object_id, doc)
        self._written(tenant_id, kind, object_id, None)

    def remove(self, tenant_id: str, kind: str, object_id: str, before: Document) -> None:
        """Remove a document; stale readers still see it."""
        self.store.delete(tenant_id, kind, object_id)
        self._written(tenant_id, kind, object_id, before)

    def _written(self, tenant_id: str, kind: str, object_id: str, before: Document | None) -> None:
        self.stale.written((tenant_id, kind, object_id), before, getattr(self.local, "stale_seconds", 0.0))


def find_tenant(store: Store, name: str | None) -> Document | None:
    """A tenant by its id, name or one of its verified domains; None when there is none such."""
    wanted = (name or "").lower()
    for tenant in store.tenants():
        if wanted in (tenant["id"].lower(), tenant["name"].lower(), *map(str.lower, tenant["verified_domains"])):
            return tenant
    return None


def is_guid(text: Any) -> bool:
    """Whether ``text`` is a GUID in its usual spelling."""
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def new_guid() -> str:
    """A fresh GUID."""
    return str(uuid.uuid4())
