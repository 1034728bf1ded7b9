# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Active Directory over LDAP: search, modify, and nothing else.

Values are bytes, as the directory has them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import connection as connections
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.messages import Change
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.refusals import Refusals
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.session import Entry, Opener, Session
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.text_forms import domain_of, parse_time
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.writing import Writer

__all__ = ["Change", "Directory", "Entry", "GlobalCatalog", "Replica"]

K = TypeVar("K")


@dataclass(frozen=True)
class Replica:
    """One server's copy of the directory.

    ``invocation_id`` names the copy; it changes when the server is restored from a backup, and then numbers noted
    before mean nothing. ``highest_usn`` is the number of the last change that was made to it when it was asked.
    """

    invocation_id: bytes
    highest_usn: int
    host: str

    def __str__(self) -> str:
        return f"{UUID(bytes_le=self.invocation_id)} on {self.host}"


class Directory:
    """A connection that is opened on first use and opened again when it breaks (session.py says to which server)."""

    def __init__(
        self,
        settings: Settings,
        *,
        open_connection: Opener = connections.open_connection,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        host: Host | None = None,
    ) -> None:
        """``host`` is the server to stay with, None to take the first one that answers."""
        self._settings = settings
        self._open_connection = open_connection
        self._sleep = sleep
        self._clock = clock
        self._session = Session(settings, open_connection, sleep, clock, host)
        self._refusals = Refusals(self._session)
        self._base_dn = settings.base_dn

    @property
    def host(self) -> str:
        """The server in use, as host:port."""
        return str(self._session.host)

    @property
    def base_dn(self) -> str:
        """Where searches start: directory_base_dn, or the server's own domain."""
        if self._base_dn is None:
            self._base_dn = self._session.root("defaultNamingContext")[0]
        return self._base_dn

    @property
    def domain(self) -> str:
        """The DNS name of the domain that base_dn is in."""
        return domain_of(self.base_dn)

    @property
    def schema_dn(self) -> str:
        """Where the forest's schema is."""
        return self._session.root("schemaNamingContext")[0]

    @property
    def root_domain_dn(self) -> str:
        """The first domain of the forest, which gives it its name."""
        return self._session.root("rootDomainNamingContext")[0]

    @property
    def configuration_dn(self) -> str:
        """Where the forest keeps its configuration."""
        return self._session.root("configurationNamingContext")[0]

    @property
    def current_time(self) -> datetime:
        """The server's clock, with a time zone."""
        return parse_time(self._session.root("currentTime")[0])

    def search(self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        """All objects that fit, page by page, with all their values; each once.

        The next page is requested while the one before it is read. Referrals to other domains are left alone. A read
        that loses its connection begins again.
        """
        return self._session.search(base, filter_text, attributes, scope)

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One object by its name, or None where it does not exist."""
        return self._session.read(dn, attributes)

    def modify(self, dn: str, changes: Sequence[Change]) -> None:
        """Apply the changes to one object, all or none of them.

        Where the connection breaks after sending, nobody knows whether they were applied: the Unavailable error then
        has the fact ``applied: unknown``, and the object must be read back.
        """
        for _key, error in self.modify_many([(dn, dn, changes)]):
            if error is not None:
                raise error

    def modify_many(
        self, requests: Iterable[tuple[K, str, Sequence[Change]]]
    ) -> Iterator[tuple[K, errors.HybridError | None]]:
        """Apply changes to many objects; requests are a key, the object's name and its changes.

        Gives each key once, in any order, with the error that ``modify`` would raise. Takes no more from ``requests``
        than it may send at the moment, so that what it takes can be noted first. Requests under way when the connection
        breaks are ``applied: unknown``, and the rest goes on over a new one to the same server. Where that stays
        away, or ``requests`` raises, all results known are given before the error is raised.
        """
        return Writer(self._session, requests, self._settings.connections, self._refusals.explain).results()

    def replica(self) -> Replica:
        """The copy of the directory that is in use; from now on only that server is asked."""
        self._session.pinned_channel()
        service, usn = self._session.root("dsServiceName", "highestCommittedUSN")
        entry = self._session.read(service, ("invocationId",))
        if entry is None or len(entry.values.get("invocationId", (b"",))[0]) != 16 or not usn.isdecimal():
            raise errors.ProtocolError(
                f"{self.host} does not say which copy of the directory it holds: directory_user must be allowed to "
                f"read invocationId of {service}.",
                object=self.host,
            )
        return Replica(entry.values["invocationId"][0], int(usn), self.host)

    def changed_since(
        self, usn: int, base: str, attributes: Sequence[str], filter_text: str = "(objectClass=*)"
    ) -> Iterator[Entry]:
        """The objects that fit and changed on this server after the change of this number (see ``replica``).

        Counts any change, also to other attributes. Deleted objects, and objects that were moved out of ``base``,
        are not among them.
        """
        self._session.pinned_channel()
        return self.search(base, f"(&{filter_text}(uSNChanged>={usn + 1}))", attributes)

    def global_catalog(self) -> GlobalCatalog | None:
        """The forest's global catalog on the same servers; None where directory_global_catalog_port is 0."""
        port = self._settings.global_catalog_port
        if not port:
            return None
        first = self._session.host
        hosts = (first, *(host for host in self._settings.hosts if host != first))
        moved = replace(self._settings, hosts=tuple(dict.fromkeys(Host(host.name, port) for host in hosts)))
        return GlobalCatalog(Session(moved, self._open_connection, self._sleep, self._clock))

    def clone(self) -> Directory:
        """Another Directory that is not connected yet and stays with the server in use, for a child process."""
        return Directory(
            replace(self._settings, base_dn=self._base_dn),
            open_connection=self._open_connection,
            sleep=self._sleep,
            clock=self._clock,
            host=self._session.host,
        )

    def close(self) -> None:
        """Sign off; a later call connects again."""
        self._session.close()


class GlobalCatalog:
    """A read-only copy of every object of the forest, with the attributes that the schema puts there.

    It is as old as replication between domains.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def host(self) -> str:
        """The server in use, as host:port."""
        return str(self._session.host)

    @property
    def base_dn(self) -> str:
        """Where searches of the whole forest start: at no name at all, as a forest may have several trees."""
        return ""

    def search(self, base: str, filter_text: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """All objects of the forest that fit, each once. Unavailable where no server has a global catalog."""
        try:
            yield from self._session.search(base, filter_text, attributes)
        except errors.Unavailable as error:
            raise errors.Unavailable(
                f"The global catalog cannot be searched. {error.message} Name a domain controller that is a global "
                "catalog, open its port, or set directory_global_catalog_port to 0 to do without.",
                **error.facts,
            ) from error

    def close(self) -> None:
        """Sign off; a later call connects again."""
        self._session.close()
