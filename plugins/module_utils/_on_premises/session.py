# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The connection of a run to one directory server: opened on first use, and again when it breaks.

While a run only reads, another server may take over. Once it has written, or taken note of a server's update sequence
numbers, it stays: only the server that took a write can be asked at once what arrived, and the numbers of one server
mean nothing to another.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import (
    filters,
    ldap_errors,
    messages,
    ranges,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.channel import Channel, Lost
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.entries import EntryReader, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings

Opener = Callable[[Settings, Host], Channel]

_READ_ATTEMPTS = 3
_PRESENT = filters.encode("(objectClass=*)")


class Entry(NamedTuple):
    """One object; ``values`` has the attributes that exist, by the names they were asked for."""

    dn: str
    values: dict[str, Values]


class Session:
    """Reads, and hands out the channel that writes go over."""

    def __init__(
        self,
        settings: Settings,
        open_connection: Opener,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        host: Host | None = None,
    ) -> None:
        """``host`` is the server to stay with from the start; None to take the first one that answers."""
        self.settings = settings
        self.sleep = sleep
        self.clock = clock
        self._open_connection = open_connection
        self._channel: Channel | None = None
        self._host = host
        self._pinned = host is not None

    @property
    def host(self) -> Host:
        """The server in use."""
        while self._host is None:
            self.channel()
        return self._host

    def channel(self) -> Channel:
        """The connection. Unavailable where no server answers that may."""
        if self._channel is not None and self._channel.lost:
            self._channel = None
        if self._channel is None:
            self._channel = self._connect()
        return self._channel

    def pinned_channel(self) -> Channel:
        """The connection, to the server that this run stays with from now on."""
        channel = self.channel()
        self._pinned = True
        return channel

    def another_channel(self) -> Channel:
        """One more connection to the server in use, which the caller closes."""
        return self._open_connection(self.settings, self.host)

    def close(self) -> None:
        """Sign off; a later call connects again, to the same server if it may be another one no more."""
        if self._channel is not None:
            channel, self._channel = self._channel, None
            channel.close()

    def search(self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        """All objects that fit, page by page, with all their values.

        Referrals to other domains are left alone. A read that loses its connection begins again, without giving an
        object twice.
        """
        encoded = filters.encode(filter_text)
        # Names of objects given already, in eight bytes each: two of 600,000 are alike once in a hundred million runs.
        given = array("q")
        for attempt in range(1, _READ_ATTEMPTS + 1):
            before = frozenset(given)
            try:
                for entry in self._pages(base, encoded, attributes, scope, filter_text):
                    mark = hash(entry.dn)
                    if mark not in before:
                        given.append(mark)
                        yield entry
                return
            except Lost as lost:
                if attempt == _READ_ATTEMPTS:
                    raise errors.Unavailable(
                        f"{self._host} broke the connection {attempt} times while searching {filter_text[:200]}: "
                        f"{lost}. Nothing was changed by this search; run again.",
                        object=str(self._host),
                        code="unavailable",
                    ) from lost

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One object by its name, or None where it does not exist."""
        try:
            return next(self.search(dn, "(objectClass=*)", attributes, scope="base"), None)
        except errors.NotFound:
            return None

    def root(self, *names: str) -> list[str]:
        """What the server says of itself (rootDSE) under these names."""
        entry = self.read("", names)
        values = entry.values if entry else {}
        for name in names:
            if name not in values:
                raise errors.ProtocolError(
                    f"{self._host} does not say its {name} in rootDSE, so it is not a domain controller of Active "
                    "Directory.",
                    object=str(self._host),
                )
        return [values[name][0].decode("utf-8") for name in names]

    def _pages(
        self, base: str, encoded: bytes, attributes: Sequence[str], scope: str, filter_text: str
    ) -> Iterator[Entry]:
        """One reading from beginning to end. The next page is asked for before the one before it is taken apart."""
        reader = EntryReader(tuple(attributes))
        request = messages.search_request(base, scope, encoded, attributes)
        # rootDSE takes no paging, and one object needs none.
        size = 0 if scope == "base" else self.settings.page_size
        channel = self.channel()
        request_id: int | None = channel.send(request, messages.paged_control(size, b"") if size else b"")
        try:
            while request_id is not None:
                with understood(self._host):
                    answer = channel.wait(request_id)
                    request_id = None
                    result = answer.result()
                if result.code != ldap_errors.SUCCESS:
                    raise ldap_errors.result_error(
                        "search", f"{base or 'rootDSE'} for {filter_text[:200]}", result, host=str(self._host)
                    )
                if result.cookie:
                    request_id = channel.send(request, messages.paged_control(size, result.cookie))
                for body in answer.entries:
                    with understood(self._host):
                        dn, values, others = reader.read(body)
                    if others:
                        self._complete(channel, dn, attributes, values, others)
                    yield Entry(dn, values)
        finally:
            if request_id is not None:
                channel.abandon(request_id)

    def _complete(
        self,
        channel: Channel,
        dn: str,
        attributes: Sequence[str],
        values: dict[str, Values],
        others: dict[str, Values],
    ) -> None:
        """Add the values that came with options, and those that the server holds back for a second request."""
        asked = {name.lower(): name for name in attributes}
        for description, first in others.items():
            part = ranges.parse(description)
            if part is None:
                values[asked.get(description.lower(), description)] = first
            else:
                rest = self._rest(channel, dn, part)
                values[asked.get(part.name.lower(), part.name)] = (*first, *rest)

    def _rest(self, channel: Channel, dn: str, part: ranges.Part) -> Iterator[bytes]:
        next_low = part.next_low
        while next_low is not None:
            description = ranges.ask(part.name, next_low)
            request = messages.search_request(dn, "base", _PRESENT, (description,))
            with understood(self._host):
                answer = channel.wait(channel.send(request))
                rows = [EntryReader(()).read(body) for body in answer.entries]
            found = [
                (answered, raw)
                for _dn, _values, others in rows
                for name, raw in others.items()
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

    def _connect(self) -> Channel:
        """The first server that answers. A refused sign-in ends it: more tries would lock the account.

        A server that answered before is waited for within the timeout, as it may be restarting.
        """
        until = self.clock() + self.settings.timeout
        while True:
            reasons: list[str] = []
            for host in self._candidates():
                try:
                    channel = self._open_connection(self.settings, host)
                except errors.Unavailable as error:
                    reasons.append(error.message)
                    continue
                self._host = host
                return channel
            if self._host is None:
                raise errors.Unavailable(
                    f"No directory server answers. {' '.join(reasons)} Check directory_hosts, directory_port and "
                    "firewalls.",
                    objects=[str(host) for host in self.settings.hosts],
                    code="unavailable",
                )
            if self.clock() >= until:
                raise self._stayed_away(self._host, reasons)
            self.sleep(1.0)

    def _candidates(self) -> Sequence[Host]:
        """The servers to try, the one in use first."""
        if self._host is None:
            return self.settings.hosts
        if self._pinned:
            return (self._host,)
        return (self._host, *(host for host in self.settings.hosts if host != self._host))

    def _stayed_away(self, host: Host, reasons: Sequence[str]) -> errors.Unavailable:
        message = f"{' '.join(reasons)} It answered before and did not come back within {self.settings.timeout} s."
        if self._pinned and len(self.settings.hosts) > 1:
            message += (
                " No other server takes its place, because this run has written to it, or counts on its update "
                "numbers: another server may not have the writes yet. Run again; it goes on with any server."
            )
        return errors.Unavailable(message, object=str(host), code="unavailable")


@contextmanager
def understood(host: Host | None) -> Iterator[None]:
    """An answer that cannot be read becomes a ProtocolError."""
    try:
        yield
    except ValueError as error:
        raise errors.ProtocolError(
            f"{host} answered with something that is not LDAP: {error}. Is there something else between here and the "
            "domain controller?",
            object=str(host),
            code="protocol",
        ) from error
