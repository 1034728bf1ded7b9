# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else's hands in a directory: changes, new objects and questions as administrator, past the relay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ldap3
from ldap3.utils.conv import escape_filter_chars

from tests.lab.forest.access import open_directory
from tests.lab.forest.changes import checked_changes, checked_values
from tests.lab.settings import forest as find_forest

_STEPS = {"replace": ldap3.MODIFY_REPLACE, "add": ldap3.MODIFY_ADD, "remove": ldap3.MODIFY_DELETE}
SOA_ATTRIBUTE = "msDS-ObjectSoa"
_NO_SUCH_OBJECT = 32


class EditRefused(Exception):
    """The directory refused, or there is no such object; the text says why."""


@contextmanager
def _administrator(forest_name: str, run_dir: Path | None) -> Iterator[ldap3.Connection]:
    connection = open_directory(forest_name, "administrator", run_dir)
    try:
        yield connection
    finally:
        connection.unbind()


def edit(forest_name: str, name: str, changes: Any, run_dir: Path | None = None) -> str:
    """Change an object (a DN, also ``<GUID=...>``, a userPrincipalName or a sAMAccountName); returns its DN.

    ``changes``: see :mod:`tests.lab.forest.changes`. Raises ValueError for changes that make no sense,
    :class:`EditRefused`, and :class:`tests.lab.forest.access.DirectoryUnavailable`.
    """
    steps = {
        attribute: [(_STEPS[step], list(values)) for step, values in wanted]
        for attribute, wanted in checked_changes(changes).items()
    }
    with _administrator(forest_name, run_dir) as connection:
        dn = _resolved(connection, forest_name, name)
        if not connection.modify(dn, steps):
            raise EditRefused(f"{dn} was not changed: {_reason(connection)}")
        return dn


def add(forest_name: str, dn: str, classes: list[str], attributes: dict[str, Any], run_dir: Path | None = None) -> None:
    """Add an object, anywhere in the forest; raises as :func:`edit`."""
    values = {name: list(checked_values(name, given)) for name, given in attributes.items()}
    with _administrator(forest_name, run_dir) as connection:
        if not connection.add(dn, classes, values):
            raise EditRefused(f"{dn} was not added: {_reason(connection)}")


def remove(forest_name: str, dns: list[str], run_dir: Path | None = None) -> None:
    """Delete objects, the last one first; those that are gone already are passed over. Raises :class:`EditRefused`."""
    with _administrator(forest_name, run_dir) as connection:
        for dn in reversed(dns):
            if not connection.delete(dn) and connection.result["result"] != _NO_SUCH_OBJECT:
                raise EditRefused(f"{dn} was not deleted: {_reason(connection)}")


def authority(forest_name: str, dn: str, run_dir: Path | None = None) -> str:
    """The object's msDS-ObjectSoa; empty when it has none, or there is no such object."""
    with _administrator(forest_name, run_dir) as connection:
        connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[SOA_ATTRIBUTE])
        for entry in connection.response or []:
            for value in entry.get("raw_attributes", {}).get(SOA_ATTRIBUTE, []):
                return str(value.decode())
        return ""


def _resolved(connection: ldap3.Connection, forest_name: str, name: str) -> str:
    if "=" in name:
        return name
    text = escape_filter_chars(name)
    condition = f"(|(userPrincipalName={text})(sAMAccountName={text}))"
    connection.search(find_forest(forest_name).base_dn, condition, attributes=["cn"])
    found = [entry["dn"] for entry in connection.response or [] if entry["type"] == "searchResEntry"]
    if len(found) != 1:
        raise EditRefused(f"{len(found)} objects of {forest_name} have the name {name}; give a DN")
    return str(found[0])


def _reason(connection: ldap3.Connection) -> str:
    result = connection.result
    return f"{result['description']} ({result['result']}) {result['message']}".strip()
