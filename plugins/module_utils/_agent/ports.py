# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the use cases of the provisioning agent need from the far ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

Json = Mapping[str, Any]


class Host(Protocol):
    """A Windows server. ``generation`` grows with each new session, which knows nothing of the one before."""

    @property
    def host(self) -> str: ...

    @property
    def generation(self) -> int: ...

    def run(self, *pipeline: Cmdlet, timeout: float | None = None, partial: bool = False) -> list[Any]: ...

    def close(self) -> None: ...


class Agents(Protocol):
    """What Graph knows of agents; everything is Graph's JSON."""

    def agents(self) -> list[dict[str, Any]]: ...

    def agent_groups(self) -> list[dict[str, Any]]: ...


class Entry(Protocol):
    """An object of the directory."""

    @property
    def dn(self) -> str: ...

    @property
    def values(self) -> Mapping[str, tuple[bytes, ...]]: ...


class Forest(Protocol):
    """Reads Active Directory."""

    @property
    def base_dn(self) -> str: ...

    @property
    def schema_dn(self) -> str: ...

    @property
    def configuration_dn(self) -> str: ...

    def search(
        self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree"
    ) -> Iterator[Entry]: ...

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None: ...


class Clock(Protocol):
    """Seconds that only grow, a way to wait, and the wall clock."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def now(self) -> datetime: ...


class Progress(Protocol):
    """Shows how far a run is."""

    def start(self, phase: str, total: int | None = None) -> None: ...

    def advance(self, count: int = 1) -> None: ...


Warn = Callable[[str], None]


@dataclass(frozen=True)
class Ends:
    """What a use case works with; ``forest`` is None where no directory is given."""

    host: Host
    agents: Agents
    forest: Forest | None
    clock: Clock
    progress: Progress
    warn: Warn
