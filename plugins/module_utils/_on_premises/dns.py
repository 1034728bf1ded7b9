# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Name servers, over dnspython: what the clients of one side see of a domain."""

from __future__ import annotations

import ipaddress
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    InputError,
    MissingLibrary,
    ProtocolError,
    Timeout,
    Unavailable,
)

DNS_IMPORT_ERROR: str | None = None
try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdatatype

    HAS_DNS = True
except ImportError:
    DNS_IMPORT_ERROR = traceback.format_exc()
    HAS_DNS = False

PORT = 53
TIMEOUT = 5
ATTEMPTS = 2
# After so many questions in a row that no server answered, the side counts as gone and is not waited for again.
GONE_AFTER = 2


@dataclass(frozen=True)
class Server:
    """One name server, by its address."""

    address: str
    port: int = PORT

    def __str__(self) -> str:
        return self.address if self.port == PORT else f"{self.address}:{self.port}"


@dataclass(frozen=True)
class Settings:
    """The name servers of one side, in the order in which they are asked; ``timeout`` in seconds for each question."""

    name: str
    servers: tuple[Server, ...]
    timeout: float = TIMEOUT


def from_params(params: Mapping[str, Any], option: str, name: str) -> Settings:
    """The settings from an option that lists name servers; InputError where it names none, or one wrongly."""
    given = [str(item).strip() for item in params.get(option) or () if str(item).strip()]
    if not given:
        raise InputError(f"The {name} name servers are not known: give {option}.")
    timeout = params.get("dns_timeout")
    if timeout is not None and int(timeout) < 1:
        raise InputError(f"dns_timeout must be at least 1 second, not {timeout}.")
    return Settings(name, tuple(_server(option, item) for item in given), float(timeout or TIMEOUT))


def _server(option: str, given: str) -> Server:
    address, port = given, str(PORT)
    if given.startswith("["):
        address, _bracket, rest = given[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif given.count(":") == 1:
        address, _colon, port = given.partition(":")
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise InputError(f"{option}: {given!r} is not the address of a name server, such as 10.0.0.53.") from error
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise InputError(f"{option}: {given!r} does not end in a port.")
    return Server(address, int(port))


class Resolver:
    """Asks the name servers of one side. A server that does not answer, or fails, gives way to the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._silent: list[Timeout] = []

    @property
    def name(self) -> str:
        """The side, with its servers, for messages."""
        return f"{self._settings.name} ({', '.join(map(str, self._settings.servers))})"

    def ask(self, name: str, kind: str) -> Sequence[str]:
        """The records of a name, as texts in small letters without the last dot; none where there are none.

        MX is "10 host", SRV "0 0 443 host", TXT the whole text as it is. Only records of the name itself: an alias
        is followed by asking for CNAME. Timeout, Unavailable or ProtocolError where no server gives an answer.
        """
        key = (name.lower(), kind)
        if key not in self._known:
            self._known[key] = self._ask(name, kind)
        return self._known[key]

    def _ask(self, name: str, kind: str) -> tuple[str, ...]:
        try:
            question = dns.message.make_query(dns.name.from_text(name), dns.rdatatype.from_text(kind))
        except dns.exception.DNSException as error:
            raise InputError(f"{name!r} is not a name that DNS can be asked for: {error}.", object=name) from error
        if len(self._silent) >= GONE_AFTER:
            raise self._silent[-1]
        failures: list[Unavailable | Timeout | ProtocolError] = []
        for server in self._settings.servers * ATTEMPTS:
            try:
                found = _answered(self._exchange(question, server), name, kind, server)
            except (Unavailable, Timeout, ProtocolError) as error:
                failures.append(error)
            else:
                self._silent.clear()
                return found
        if all(isinstance(error, Timeout) for error in failures):
            self._silent += [error for error in failures[-1:] if isinstance(error, Timeout)]
        raise failures[-1]

    def _exchange(self, question: Any, server: Server) -> Any:
        """One question, over TCP where the answer does not fit into UDP."""
        try:
            answer, _tcp = dns.query.udp_with_fallback(
                question, server.address, timeout=self._settings.timeout, port=server.port
            )
        except dns.exception.Timeout as error:
            raise Timeout(
                f"The name server {server} ({self._settings.name}) did not answer within "
                f"{self._settings.timeout:g} seconds.",
                host=str(server),
            ) from error
        except (OSError, EOFError) as error:
            raise Unavailable(
                f"The name server {server} ({self._settings.name}) cannot be reached: {error}.", host=str(server)
            ) from error
        except dns.exception.DNSException as error:
            raise ProtocolError(
                f"The name server {server} ({self._settings.name}) gave an answer that makes no sense: {error}.",
                host=str(server),
            ) from error
        return answer


def _answered(answer: Any, name: str, kind: str, server: Server) -> tuple[str, ...]:
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        return ()
    if code != dns.rcode.NOERROR:
        raise Unavailable(
            f"The name server {server} answers {dns.rcode.to_text(code)} for {kind} of {name}.", host=str(server)
        )
    wanted = dns.rdatatype.from_text(kind)
    owner = dns.name.from_text(name)
    found = [
        _text(record, kind)
        for group in answer.answer
        if group.rdtype == wanted and group.name == owner
        for record in group
    ]
    return tuple(sorted(found))


def _text(record: Any, kind: str) -> str:
    if kind == "TXT":
        return b"".join(record.strings).decode("utf-8", "replace")
    return " ".join(part.rstrip(".") or "." for part in record.to_text().lower().split())


def connect_resolver(params: Mapping[str, Any], option: str, name: str) -> Resolver:
    """The name servers that an option lists."""
    if not HAS_DNS:
        raise MissingLibrary("dnspython", DNS_IMPORT_ERROR)
    return Resolver(from_params(params, option, name))
