# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A forest's directory over LDAP, for the length of one run: paged reading, range retrieval, replacing modifies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import ldap3
from ldap3.core.exceptions import LDAPException

from tests.lab.engines.ldap_values import text
from tests.lab.forest.access import DirectoryUnavailable

PAGE = 1000  # MaxPageSize of Active Directory
_PAGED = "1.2.840.113556.1.4.319"
_RANGE = re.compile(r"^(?P<name>[^;]+);range=(?P<low>\d+)-(?P<high>\d+|\*)$", re.IGNORECASE)


class DirectoryRefusal(Exception):
    """The directory refused one operation. ``code`` is the LDAP result code, ``name`` its name in LDAP."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(f"{name} ({code}){': ' + message if message else ''}")
        self.code = code
        self.name = name
        self.message = message


@dataclass(frozen=True)
class Entry:
    """One object: its name and raw values by lower-case attribute name."""

    dn: str
    values: dict[str, list[bytes]] = field(default_factory=dict)

    def all(self, name: str) -> list[bytes]:
        """Every value of an attribute; empty when it has none."""
        return self.values.get(name.lower(), [])

    def first(self, name: str) -> bytes | None:
        """The first value of an attribute, or None."""
        found = self.all(name)
        return found[0] if found else None

    def text(self, name: str) -> str | None:
        """The first value as text, or None."""
        raw = self.first(name)
        return None if raw is None else text(raw)

    def texts(self, name: str) -> list[str]:
        """Every value as text."""
        return [text(raw) for raw in self.all(name)]

    def number(self, name: str) -> int | None:
        """The first value as a number, or None."""
        raw = self.first(name)
        return None if raw is None else int(raw)


# What stands in a client's way: called before each operation with its name (bind, search, modify, delete), DN and,
# where it is about one user, their userPrincipalName; raises DirectoryRefusal or DirectoryUnavailable to stop it.
Obstacle = Callable[[str, str, str], None]


def no_obstacle(_operation: str, _dn: str, _user: str) -> None:
    """Nothing is in the way."""


class Directory:
    """A bound connection and the domain it is used for. Use :func:`opened`."""

    def __init__(self, connection: ldap3.Connection, base_dn: str, obstacle: Obstacle = no_obstacle) -> None:
        self.base_dn = base_dn
        self._connection = connection
        self._obstacle = obstacle
        # Values travel raw and errors are told apart by result code. Names are not checked here, so that an unknown
        # attribute fails for the object that needs it, as the DC says it.
        connection.check_names = False
        connection.raise_exceptions = False
        connection.auto_range = False
        connection.empty_attributes = False  # with it, ldap3 stumbles over an attribute asked for with a range

    def search(self, search_filter: str, attributes: list[str], base: str | None = None) -> list[Entry]:
        """The objects below ``base`` (default: the domain) that match, every attribute with all its values."""
        found: list[Entry] = []
        cookie: bytes | None = None
        self._obstacle("search", base or self.base_dn, "")
        while True:
            self._call(
                partial(
                    self._connection.search,
                    base or self.base_dn,
                    search_filter,
                    ldap3.SUBTREE,
                    attributes=attributes,
                    paged_size=PAGE,
                    paged_cookie=cookie,
                )
            )
            found.extend(self._complete(entry) for entry in self._entries())
            control = (self._connection.result.get("controls") or {}).get(_PAGED)
            cookie = control["value"]["cookie"] if control else None
            if not cookie:
                return found

    def highest_usn(self) -> int:
        """highestCommittedUSN of this DC."""
        self._call(
            lambda: self._connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"])
        )
        number = next((entry.number("highestCommittedUSN") for entry in self._entries()), None)
        if number is None:
            raise DirectoryUnavailable("The directory does not tell its highestCommittedUSN.")
        return number

    def replace(self, dn: str, changes: dict[str, list[bytes]], user: str = "") -> None:
        """Replace whole attributes of one object in one modify (atomic); an empty list clears an attribute.

        ``user``: the userPrincipalName that the change is about.
        """
        self._obstacle("modify", dn, user)
        operations = {name: [(ldap3.MODIFY_REPLACE, values)] for name, values in changes.items()}
        self._call(lambda: self._connection.modify(dn, operations))

    def delete(self, dn: str, user: str = "") -> None:
        """Delete one object."""
        self._obstacle("delete", dn, user)
        self._call(lambda: self._connection.delete(dn))

    def close(self) -> None:
        """Unbind; a connection that is already gone is no error."""
        try:
            self._connection.unbind()
        except (LDAPException, OSError):
            return

    def _call(self, operation: Callable[[], object]) -> None:
        try:
            operation()
        except (LDAPException, OSError) as error:
            raise DirectoryUnavailable(f"The directory does not answer: {error}.") from error
        result = self._connection.result
        code = result["result"]
        if code in (51, 52, 81):  # busy, unavailable, server down
            raise DirectoryUnavailable(f"The directory answers {result['description']}: {result['message']}.")
        if code:
            raise DirectoryRefusal(code, result["description"], result["message"])

    def _entries(self) -> Iterator[Entry]:
        for item in self._connection.response or []:
            if item["type"] == "searchResEntry":
                values = {name.lower(): list(found) for name, found in item["raw_attributes"].items() if found}
                yield Entry(item["dn"], values)

    def _complete(self, entry: Entry) -> Entry:
        """``entry`` with the values that the DC holds back behind ``;range=`` (MaxValRange, 1500 by default)."""
        if not any(";range=" in name for name in entry.values):
            return entry
        values = {name: found for name, found in entry.values.items() if ";range=" not in name}
        for name, found in entry.values.items():
            match = _RANGE.match(name)
            if match:
                values[match["name"]] = [*found, *self._rest(entry.dn, match)]
        return Entry(entry.dn, values)

    def _rest(self, dn: str, match: re.Match[str]) -> list[bytes]:
        collected: list[bytes] = []
        while match["high"] != "*":
            wanted = f"{match['name']};range={int(match['high']) + 1}-*"
            self._call(partial(self._connection.search, dn, "(objectClass=*)", ldap3.BASE, attributes=[wanted]))
            answer = next(self._entries(), Entry(dn))
            following = next((m for m in map(_RANGE.match, answer.values) if m), None)
            if following is None:
                break
            collected.extend(answer.values[following.string])
            match = following
        return collected


@contextmanager
def opened(
    open_directory: Callable[[str], ldap3.Connection],
    tenant_id: str,
    base_dn: str,
    obstacle: Obstacle = no_obstacle,
) -> Iterator[Directory]:
    """A tenant's directory, bound as the sync account and closed afterwards; DirectoryUnavailable when it is not."""
    obstacle("bind", "", "")
    try:
        connection = open_directory(tenant_id)
    except (LDAPException, OSError) as error:
        raise DirectoryUnavailable(f"The directory of {base_dn} cannot be opened: {error}.") from error
    directory = Directory(connection, base_dn, obstacle)
    try:
        yield directory
    finally:
        directory.close()
