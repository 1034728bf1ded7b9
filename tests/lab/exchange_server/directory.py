# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real directory as Exchange's cmdlets use it: as administrator, straight at the domain controller.

Signing in to a directory takes longer than most questions, so connections are kept; one that broke (a domain
controller restarts) is thrown away, and the question is asked once more on a new one.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException

from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.forest.entries import Values, escape_rdn, split_dn

BASE, LEVEL, SUBTREE = ldap3.BASE, ldap3.LEVEL, ldap3.SUBTREE
ANY = "(objectClass=*)"
_TREE_DELETE = ("1.2.840.113556.1.4.805", True, None)
_PAGE = 500
_NO_SUCH_OBJECT = 32
Changes = Mapping[str, Iterable[bytes] | None]


class Refused(Exception):
    """The directory refuses; ``exists`` when an object of this name is there already."""

    def __init__(self, text: str, exists: bool = False) -> None:
        super().__init__(text)
        self.exists = exists


@dataclass(frozen=True)
class Found:
    """An object of the directory; attributes by their name in lower case."""

    dn: str
    attributes: Mapping[str, Values]

    def values(self, name: str) -> Values:
        """All values of an attribute."""
        return self.attributes.get(name.lower(), ())

    def texts(self, name: str) -> list[str]:
        """All values as text."""
        return [value.decode("utf-8", "replace") for value in self.values(name)]

    def text(self, name: str) -> str | None:
        """The first value as text; None where there is none."""
        values = self.values(name)
        return values[0].decode("utf-8", "replace") if values else None

    def number(self, name: str, default: int = 0) -> int:
        """The first value as a number."""
        found = self.text(name)
        return default if found is None else int(found)

    @property
    def name(self) -> str:
        """The object's name, as it reads without escapes."""
        return self.text("name") or self.text("cn") or split_dn(self.dn)[0].partition("=")[2]

    @property
    def guid(self) -> str:
        """objectGUID in the usual spelling."""
        values = self.values("objectGUID")
        return str(uuid.UUID(bytes_le=values[0])) if values else ""

    @property
    def classes(self) -> list[str]:
        """Its classes, the most special one last."""
        return self.texts("objectClass")


@dataclass
class Directory:
    """The directory of one forest. ``open`` signs in as administrator."""

    open: Callable[[], ldap3.Connection]
    _idle: list[ldap3.Connection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def _connection(self) -> Iterator[ldap3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self.open()
        try:
            yield connection
        except BaseException:
            connection.strategy.close()
            raise
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            for connection in self._idle:
                connection.unbind()
            self._idle.clear()

    def _do(self, deed: Callable[[ldap3.Connection], Any]) -> Any:
        """Something on a connection; on another one when the first turns out to be dead."""
        try:
            with self._connection() as connection:
                return deed(connection)
        except LDAPException:
            self.close()
        try:
            with self._connection() as connection:
                return deed(connection)
        except LDAPException as error:
            raise DirectoryUnavailable(f"the domain controller does not answer: {error}") from error

    def search(
        self, base: str, condition: str = ANY, scope: str = SUBTREE, names: Iterable[str] = ("*",)
    ) -> list[Found]:
        """Objects below ``base``; none where the base does not exist."""

        def ask(connection: ldap3.Connection) -> list[Found]:
            found = []
            for answer in connection.extend.standard.paged_search(
                base, condition, search_scope=scope, attributes=list(names), paged_size=_PAGE, generator=True
            ):
                if answer["type"] == "searchResEntry":
                    values = {name.lower(): tuple(one) for name, one in answer["raw_attributes"].items() if one}
                    found.append(Found(answer["dn"], values))
            if connection.result["result"] not in (0, _NO_SUCH_OBJECT):
                raise Refused(_reason(connection))
            return found

        result: list[Found] = self._do(ask)
        return result

    def get(self, dn: str, names: Iterable[str] = ("*",)) -> Found | None:
        """One object; None where there is none."""
        found = self.search(dn, scope=BASE, names=names)
        return found[0] if found else None

    def add(self, dn: str, cls: str, values: Mapping[str, Iterable[bytes]]) -> None:
        """Make an object; raises :class:`Refused`."""
        given = {name: list(value) for name, value in values.items()}

        def ask(connection: ldap3.Connection) -> None:
            if not connection.add(dn, ["top", cls], {name: value for name, value in given.items() if value}):
                raise Refused(_reason(connection), connection.result["description"] == "entryAlreadyExists")

        self._do(ask)

    def modify(self, dn: str, changes: Changes) -> None:
        """Give attributes new values; None or nothing clears them. Raises :class:`Refused`."""
        steps = {name: [(ldap3.MODIFY_REPLACE, list(values or ()))] for name, values in changes.items()}
        if steps:
            self._do(lambda connection: _checked(connection, connection.modify(dn, steps)))

    def rename(self, dn: str, name: str) -> str:
        """Give an object another common name; returns its new DN."""
        rdn = f"CN={escape_rdn(name)}"
        self._do(lambda connection: _checked(connection, connection.modify_dn(dn, rdn)))
        return f"{rdn},{split_dn(dn)[1]}"

    def delete(self, dn: str, tree: bool = False) -> None:
        """Delete an object; with ``tree`` everything below it too. One that is gone already is passed over."""
        controls = [_TREE_DELETE] if tree else None

        def ask(connection: ldap3.Connection) -> None:
            if not connection.delete(dn, controls=controls) and connection.result["result"] != _NO_SUCH_OBJECT:
                raise Refused(_reason(connection))

        self._do(ask)


def _checked(connection: ldap3.Connection, success: bool) -> None:
    if not success:
        raise Refused(_reason(connection), connection.result["description"] == "entryAlreadyExists")


def _reason(connection: ldap3.Connection) -> str:
    result = connection.result
    return f"{result['description']} {result['message']}".strip()
