# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the decommission of Exchange Server needs from the far ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact

Json = Mapping[str, Any]


class ExchangeOnline(Protocol):
    """Runs cmdlets in Exchange Online."""

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]: ...

    def service_time(self) -> datetime | None:
        """The service's own clock when it last answered."""


class ExchangeServer(Protocol):
    """Runs cmdlets on Exchange Server, over the whole forest; a row is an object with its properties.

    NotFound for an object that is not there, PermissionDenied for a cmdlet that the account does not have, Unavailable
    with the fact ``uncertain`` where a change may have been made and nobody knows. ``-Confirm:$false`` is added.
    """

    @property
    def host(self) -> str: ...

    def invoke(self, cmdlet: Cmdlet, timeout: float | None = None) -> Iterator[dict[str, Any]]: ...

    def run(self, *pipeline: Cmdlet, timeout: float | None = None) -> list[Any]: ...

    def close(self) -> None: ...


class Host(Protocol):
    """A Windows server. ``generation`` grows with each new session, which knows nothing of the one before."""

    @property
    def host(self) -> str: ...

    @property
    def generation(self) -> int: ...

    def run(self, *pipeline: Cmdlet, timeout: float | None = None, partial: bool = False) -> list[Any]: ...

    def close(self) -> None: ...


class GraphReader(Protocol):
    """Reads from Microsoft Graph. Paths begin with "/" and leave out the version."""

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, version: str = "v1.0", needs: str = ""
    ) -> dict[str, Any]: ...

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, version: str = "v1.0", needs: str = ""
    ) -> Iterator[dict[str, Any]]: ...


class Graph(GraphReader, Protocol):
    """Changes Microsoft Graph's objects too."""

    def post(
        self, path: str, payload: Any = None, *, version: str = "v1.0", needs: str = "", repeatable: bool = True
    ) -> dict[str, Any]: ...

    def patch(self, path: str, payload: Any, *, version: str = "v1.0", needs: str = "") -> None: ...

    def delete(self, path: str, *, version: str = "v1.0", needs: str = "") -> bool: ...


class Entry(Protocol):
    """An object of the directory; values are bytes, as the directory has them."""

    @property
    def dn(self) -> str: ...

    @property
    def values(self) -> Mapping[str, tuple[bytes, ...]]: ...


class GlobalCatalog(Protocol):
    """Some attributes of all objects of the forest."""

    @property
    def base_dn(self) -> str: ...

    def search(self, base: str, filter_text: str, attributes: Sequence[str], /) -> Iterator[Entry]: ...

    def close(self) -> None: ...


class Directory(Protocol):
    """Reads Active Directory. There is nothing here that writes, and nothing of this use case ever does."""

    @property
    def host(self) -> str: ...

    @property
    def base_dn(self) -> str: ...

    @property
    def domain(self) -> str: ...

    @property
    def schema_dn(self) -> str: ...

    @property
    def configuration_dn(self) -> str: ...

    @property
    def root_domain_dn(self) -> str: ...

    def global_catalog(self) -> GlobalCatalog | None:
        """None where the options turn it off."""

    def search(
        self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree"
    ) -> Iterator[Entry]: ...

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None: ...


class Resolver(Protocol):
    """Asks the name servers of one side, inside or outside. Each answer is the texts of the records.

    An empty answer means that the name, or such a record of it, does not exist. Unavailable, Timeout or ProtocolError
    where nobody knows.
    """

    @property
    def name(self) -> str: ...

    def ask(self, name: str, kind: str) -> Sequence[str]: ...


class Door(Protocol):
    """Tells whether a TCP port of a host takes connections."""

    def __call__(self, host: str, port: int) -> bool: ...


class Clock(Protocol):
    """Seconds that only grow, a way to wait, and the wall clock."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def now(self) -> datetime: ...


class Writer(Protocol):
    """Writes an artifact."""

    def write(self, line: Json) -> None: ...

    @property
    def artifact(self) -> Artifact: ...


class Artifacts(Protocol):
    """Makes artifacts."""

    def __call__(self, name: str) -> AbstractContextManager[Writer]: ...


class Progress(Protocol):
    """Shows how far a run is."""

    def start(self, phase: str, total: int | None = None) -> None: ...

    def advance(self, count: int = 1) -> None: ...


Warn = Callable[[str], None]
