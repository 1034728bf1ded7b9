# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the LDAP relay is given, and what it tells: faults, acts, routes, traffic."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.lab.ldap_refusals import Refusal
from tests.lab.settings import Tenant

AT_CONNECT = "connect"
AT_REQUEST = "request"
BEFORE_REQUEST, AFTER_REQUEST, IN_ANSWER = POINTS = ("before_request", "after_request", "in_answer")


class Fault(Protocol):
    """What the relay needs of an armed fault."""

    @property
    def kind(self) -> str: ...

    @property
    def parameters(self) -> dict[str, Any]: ...


class Faults(Protocol):
    """Where the relay asks for faults; both from any thread."""

    @property
    def armed(self) -> bool:
        """Whether there is any fault: the relay asks for no more where there is none."""

    def take(self, target: str, tenant: str | None, **facts: Any) -> Fault | None:
        """The next fault that applies; its count goes down by one."""


@dataclass
class Traffic:
    """What passed through one tenant's relay since the start; sizes in bytes, as LDAP counts them, without TLS."""

    connections: int = 0
    open: int = 0
    to_directory: int = 0
    from_directory: int = 0
    operations: Counter[str] = field(default_factory=Counter)  # requests that reached the directory, by name

    def document(self) -> dict[str, Any]:
        """The counters for JSON."""
        return {**vars(self), "operations": dict(self.operations)}


@dataclass(frozen=True)
class Acts:
    """What the relay can do besides passing bytes; each blocks, and gets the tenant first.

    ``restart``: the domain controller, away for some seconds. ``other_writer``: change an object as a fault's
    parameters say (the DN is that of the request). ``policy``: the refusal that a rule of the directory demands for a
    modification, None mostly; asked only while ``policed`` (which does not block) says so.
    """

    restart: Callable[[Tenant, float], object]
    other_writer: Callable[[Tenant, str, dict[str, Any]], object]
    policy: Callable[[Tenant, str], Refusal | None] = lambda _tenant, _dn: None
    policed: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Route:
    """One relayed port. ``inner`` and ``outer`` are TLS towards the client and the directory; None: clear text.

    ``at_once``: TLS begins with the connection (LDAPS); else with StartTLS.
    """

    tenant: Tenant
    port: int
    target: tuple[str, int]
    inner: ssl.SSLContext | None = None
    outer: ssl.SSLContext | None = None
    server_name: str | None = None
    at_once: bool = False
