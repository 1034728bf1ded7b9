# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Active Directory over LDAP: search, modify, and nothing else.

Values are bytes, as the directory has them. The first host that answers is kept for the whole run, because only on
the server that took a write can the write be read back at once (replication takes its time).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import connection as connections
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ldap_errors, ranges
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.text_forms import domain_of, parse_time

_PAGED = "1.2.840.113556.1.4.319"
_SCOPES = {"base": "BASE", "level": "LEVEL", "subtree": "SUBTREE"}
_MODIFY = {"add": "MODIFY_ADD", "delete": "MODIFY_DELETE", "replace": "MODIFY_REPLACE"}
_READ_ATTEMPTS = 3
_BUSY_WAITS = (0.5, 1.0, 2.0)  # seconds; a busy answer says that nothing was done


class Entry(NamedTuple):
    """One object; ``values`` has the attributes that exist, by the names they were asked for."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]


class Change(Protocol):
    """One step of a modify request; ``op`` is add, delete or replace. The steps run in the order given."""

    @property
    def op(self) -> str: ...
    @property
    def attribute(self) -> str: ...
    @property
    def values(self) -> Sequence[bytes]: ...


@dataclass(frozen=True)
class Root:
    """What the server says of itself (rootDSE)."""

    base_dn: str
    current_time: datetime


class _Lost(Exception):
    """The connection broke; whether the request arrived is not known."""


class Directory:
    """A connection that is opened on first use, kept to one server, and opened again when it breaks."""

    def __init__(
        self,
        settings: Settings,
        *,
        open_connection: Callable[[Settings, Host], Any] = connections.open_connection,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._open_connection = open_connection
        self._sleep = sleep
        self._clock = clock
        self._connection: Any = None
        self._host: Host | None = None
        self._base_dn = settings.base_dn

    @property
    def host(self) -> str:
        """The server in use, as host:port."""
        self._connect()
        return str(self._host)

    @property
    def base_dn(self) -> str:
        """Where searches start: directory_base_dn, or the server's own domain."""
        if self._base_dn is None:
            self._base_dn = self._root().base_dn
        return self._base_dn

    @property
    def domain(self) -> str:
        """The DNS name of the domain that base_dn is in."""
        return domain_of(self.base_dn)

    @property
    def current_time(self) -> datetime:
        """The server's clock, with a time zone."""
        return self._root().current_time

    def search(self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        """All objects that fit, page by page, with all their values.

        Referrals to other domains are left alone. A read that loses its connection begins again, without giving an
        object twice.
        """
        seen: set[str] = set()
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                for entry in self._pages(base, filter_text, attributes, scope):
                    if entry.dn not in seen:
                        seen.add(entry.dn)
                        yield entry
                return
            except _Lost as lost:
                if attempt == _READ_ATTEMPTS:
                    raise errors.Unavailable(
                        f"{self._host} broke the connection {attempt} times while searching {filter_text[:200]}: "
                        f"{lost}. Nothing was changed by this search; run again.",
                        object=str(self._host),
                    ) from lost

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One object by its name, or None where it does not exist."""
        try:
            return next(self.search(dn, "(objectClass=*)", attributes, scope="base"), None)
        except errors.NotFound:
            return None

    def modify(self, dn: str, changes: Sequence[Change]) -> None:
        """Apply the changes to one object, all or none of them.

        Where the connection breaks after sending, nobody knows whether they were applied: the Unavailable error then
        has the fact ``applied: unknown``, and the object must be read back.
        """
        for wait in (*_BUSY_WAITS, None):
            connection = self._connect()
            try:
                self._call(connection.modify, dn, _grouped(changes))
            except _Lost as lost:
                raise errors.Unavailable(
                    f"{self._host} broke the connection while changing {dn}: {lost}. Whether the change was applied "
                    "is not known until the object is read again.",
                    object=dn,
                    applied="unknown",
                ) from lost
            result = connection.result
            if result["result"] == ldap_errors.SUCCESS:
                return
            if result["result"] != ldap_errors.BUSY or wait is None:
                raise self._modify_error(dn, result)
            self._sleep(wait)

    def close(self) -> None:
        """Sign off; a later call connects again to the same server."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connections.close(connection)

    def _root(self) -> Root:
        entry = next(self.search("", "(objectClass=*)", ("defaultNamingContext", "currentTime"), scope="base"), None)
        values = entry.values if entry else {}
        try:
            return Root(
                base_dn=values["defaultNamingContext"][0].decode("utf-8"),
                current_time=parse_time(values["currentTime"][0].decode("ascii")),
            )
        except KeyError as error:
            raise errors.ProtocolError(
                f"{self._host} does not say its {error.args[0]} in rootDSE, so it is not a domain controller of "
                "Active Directory.",
                object=str(self._host),
            ) from error

    def _pages(self, base: str, filter_text: str, attributes: Sequence[str], scope: str) -> Iterator[Entry]:
        names = {name.lower(): name for name in attributes}
        # rootDSE takes no paging, and one object needs none.
        paging: dict[str, Any] = {} if scope == "base" else {"paged_size": self._settings.page_size}
        connection = self._connect()
        while True:
            if connection is not self._connection:
                raise _Lost("another request found the connection broken, and its pages went with it")
            self._call(
                connection.search,
                base,
                filter_text,
                _SCOPES[scope],
                "NEVER",
                attributes=list(attributes),
                **paging,
            )
            result, rows = connection.result, connection.response or []
            if result["result"] != ldap_errors.SUCCESS:
                raise ldap_errors.result_error(
                    "search", f"{base or 'rootDSE'} for {filter_text[:200]}", result, host=str(self._host)
                )
            for row in rows:
                if row["type"] == "searchResEntry":
                    yield Entry(row["dn"], self._whole(connection, row, names))
            paging["paged_cookie"] = (result.get("controls") or {}).get(_PAGED, {}).get("value", {}).get("cookie")
            if not paging["paged_cookie"]:
                return

    def _whole(self, connection: Any, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, tuple[bytes, ...]]:
        """The values of an entry, those included that the server holds back for a second request."""
        values: dict[str, tuple[bytes, ...]] = {}
        for description, raw in row["raw_attributes"].items():
            part = ranges.parse(description) if ";" in description else None
            name = part.name if part else description
            if part:
                raw = [*raw, *self._rest(connection, row["dn"], part)]
            if raw:
                values[names.get(name.lower(), name)] = tuple(raw)
        return values

    def _rest(self, connection: Any, dn: str, part: ranges.Part) -> Iterator[bytes]:
        next_low = part.next_low
        while next_low is not None:
            description = ranges.ask(part.name, next_low)
            self._call(connection.search, dn, "(objectClass=*)", "BASE", "NEVER", attributes=[description])
            found = [
                (answered, raw)
                for row in connection.response or []
                if row["type"] == "searchResEntry"
                for name, raw in row["raw_attributes"].items()
                if (answered := ranges.parse(name)) and answered.name.lower() == part.name.lower()
            ]
            if not found:
                raise errors.ProtocolError(
                    f"{self._host} did not give the values of {part.name} of {dn} from number {next_low} on.",
                    object=dn,
                    attribute=part.name,
                )
            answered, raw = found[0]
            yield from raw
            next_low = answered.next_low

    def _call(self, request: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """One request and its answer; _Lost where the connection broke."""
        try:
            request(*arguments, **options)
        except connections.lost_errors() as error:
            self.close()
            raise _Lost(str(error) or type(error).__name__) from error
        except connections.library_errors() as error:
            raise errors.ProtocolError(
                f"The LDAP library refused a request to {self._host}: {error}", object=str(self._host)
            ) from error

    def _connect(self) -> Any:
        if self._connection is None:
            self._connection = self._first() if self._host is None else self._again(self._host)
        return self._connection

    def _first(self) -> Any:
        """The first server that answers. A refused sign-in ends it: more tries would lock the account."""
        reasons: list[str] = []
        for host in self._settings.hosts:
            try:
                connection = self._open_connection(self._settings, host)
            except errors.Unavailable as error:
                reasons.append(error.message)
                continue
            self._host = host
            return connection
        raise errors.Unavailable(
            f"No directory server answers. {' '.join(reasons)} Check directory_hosts, directory_port and firewalls.",
            objects=[str(host) for host in self._settings.hosts],
        )

    def _again(self, host: Host) -> Any:
        """The same server again, within the timeout: another one may not have the writes of this run yet."""
        until = self._clock() + self._settings.timeout
        while True:
            try:
                return self._open_connection(self._settings, host)
            except errors.Unavailable as error:
                if self._clock() >= until:
                    raise errors.Unavailable(
                        f"{error.message} It answered before and did not come back within {self._settings.timeout} s.",
                        object=str(host),
                    ) from error
                self._sleep(1.0)

    def _modify_error(self, dn: str, result: Mapping[str, Any]) -> errors.HybridError:
        error = ldap_errors.result_error("change", dn, result, host=str(self._host))
        if isinstance(error, errors.PermissionDenied):
            entry = self.read(dn, ("adminCount",))
            protected = entry is not None and entry.values.get("adminCount") == (b"1",)
            advice = ldap_errors.ADMIN_SD_HOLDER if protected else ldap_errors.NO_ADMIN_COUNT
            facts = {**error.facts, "admin_count": 1} if protected else error.facts
            return errors.PermissionDenied(f"{error.message} {advice}", **facts)
        return error


def _grouped(changes: Sequence[Change]) -> dict[str, list[tuple[str, list[bytes]]]]:
    """ldap3's form: by attribute, each with its steps in order."""
    grouped: dict[str, list[tuple[str, list[bytes]]]] = {}
    for change in changes:
        grouped.setdefault(change.attribute, []).append((_MODIFY[change.op], list(change.values)))
    return grouped
