# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The source side of a job's mappings: Entra's names for what Exchange Online holds, and their values for a mailbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Read,
    Undetermined,
    Value,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox

_INTEGERS = frozenset({Syntax.INT32, Syntax.INT64})
OF_USER: Mapping[str, str] = {
    "userprincipalname": "user_principal_name",
    "displayname": "display_name",
    "objectid": "id",
    "id": "id",
}
"""What belongs to the user and not to the mailbox: folded names, and the fields of Mailbox that hold them."""


def _by_name() -> dict[str, Attribute]:
    """Rows by folded name. An AD name goes before Graph's, and that before Exchange's."""
    found: dict[str, Attribute] = {}
    rows = catalogue.CATALOGUE.values()
    names = (
        [(row.ldap_name, row) for row in rows]
        + [(row.graph_property.rpartition("/")[2], row) for row in rows if row.graph_property]
        + [(row.exchange_property, row) for row in rows if row.exchange_property]
    )
    for name, row in names:
        found.setdefault(name.casefold(), row)
    return found


_ROWS: Mapping[str, Attribute] = MappingProxyType(_by_name())

# What is read as it is: texts of one value. By folded names and by AD's own, so that most need no folding.
_PLAIN: Mapping[str, str] = MappingProxyType(
    {
        name: row.exchange_property
        for key, row in _ROWS.items()
        if row.exchange_property and row.cast == "text" and row.syntax is Syntax.UNICODE and not row.multi
        for name in (key, row.ldap_name)
    }
)


def lookup(name: str) -> Attribute | None:
    """The row of a source attribute, without regard to case; None for one that is not an Exchange attribute."""
    return _ROWS.get(name.casefold())


def readable(name: str) -> bool:
    """Whether reader can tell the value of a source attribute."""
    row = lookup(name)
    return name.casefold() in OF_USER if row is None else row.cast is not None


def properties(names: Iterable[str]) -> frozenset[str]:
    """The Exchange properties to read so that these source attributes have values."""
    rows = (lookup(name) for name in names)
    return frozenset(row.exchange_property for row in rows if row is not None and row.exchange_property)


def reader(mailbox: Mailbox, style: str = "remote") -> Read:
    """Reads the source attributes of a mailbox; Undetermined for what Exchange Online did not or cannot tell.

    style is that of the recipient types. Attributes whose value in the cloud has no counterpart in AD are Undetermined:
    what Entra shows the job for them is not known.
    """

    properties = mailbox.properties

    def read(name: str) -> Value:
        raw = properties.get(_PLAIN.get(name, ""))
        if raw.__class__ is str:
            return raw or None
        row = _ROWS.get(name.casefold())
        if row is None:
            return _of_user(mailbox, name)
        if row.cast is None:
            raise Undetermined(f"[{name}]: what the service reads for it is not known here", attribute=name)
        if row.exchange_property is not None and row.exchange_property not in properties:
            raise Undetermined(f"[{name}]: Exchange Online was not asked for {row.exchange_property}", attribute=name)
        try:
            return value(row, mailbox.values(row, style))
        except InputError as error:
            raise Undetermined(f"[{name}]: {error.message.rstrip('.')}", attribute=name) from error

    return read


def value(attribute: Attribute, found: Values) -> Value:
    """Canonical values as an expression sees them: numbers, Booleans and dates as such, no value as null."""
    if not found:
        return None
    if attribute.multi:
        return found
    (single,) = found
    if attribute.syntax is Syntax.BOOLEAN:
        return single == "TRUE"
    if attribute.syntax in _INTEGERS and single.lstrip("-").isascii() and single.lstrip("-").isdigit():
        return int(single)
    if attribute.syntax is Syntax.TIME:
        try:
            return datetime.strptime(single, "%Y%m%d%H%M%S.0Z").replace(tzinfo=UTC)
        except ValueError:
            return single
    return single


def _of_user(mailbox: Mailbox, name: str) -> Value:
    field = OF_USER.get(name.casefold())
    if field is None:
        raise Undetermined(f"[{name}]: it is no attribute of the mailbox that is read here", attribute=name)
    return str(getattr(mailbox, field)) or None
