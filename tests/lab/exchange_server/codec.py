# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of Exchange's objects and the attributes of the directory that hold them.

What has no attribute that is known by name goes into ``msExchConfigurationXML``, which Exchange itself uses in this
way: nothing that a cmdlet sets is lost, and everything lies in the directory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from tests.lab.clock import iso
from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest.entries import raw, split_dn
from tests.lab.windows.binder import Credential

XML = "msExchConfigurationXML"
Resolve = Callable[[Organization, str], str]  # a name as an administrator gives it, to a DN


@dataclass(frozen=True)
class Property:
    """One property. ``form`` says how its attribute holds it; without an attribute it lies in the XML.

    Forms: text, texts, bool, int; flag (``bit`` of a number), choice (a number by ``names``), token (``mark`` is among
    the values), link and links (DNs, shown as names), joined (a list in one text, by commas).
    """

    name: str
    attribute: str = ""
    form: str = "text"
    default: Any = None
    bit: int = 0
    mark: str = ""
    names: tuple[tuple[int, str], ...] = ()
    resolve: Resolve | None = None


def decoded(found: Found, one: Property) -> Any:
    """The value of a property that an attribute holds."""
    values = found.texts(one.attribute)
    if one.form == "texts":
        return values
    if one.form == "links":
        return [_name(value) for value in values]
    if one.form == "token":
        return one.mark in values
    if one.form == "flag":
        return bool(int(values[0]) & one.bit) if values else one.default
    if not values:
        return [] if one.form == "joined" else one.default
    if one.form == "bool":
        return values[0] == "TRUE"
    if one.form == "int":
        return int(values[0])
    if one.form == "choice":
        return dict(one.names).get(int(values[0]), values[0])
    if one.form == "link":
        return _name(values[0])
    if one.form == "joined":
        return [part for part in values[0].split(",") if part]
    return values[0]


def _name(dn: str) -> str:
    return unescaped(split_dn(dn)[0].partition("=")[2])


def unescaped(text: str) -> str:
    """A naming value without the escapes of a DN."""
    result, index = "", 0
    while index < len(text):
        if text[index] == "\\" and index + 1 < len(text):
            index += 1
        result += text[index]
        index += 1
    return result


def encoded(
    organization: Organization, one: Property, value: Any, current: Mapping[str, list[bytes]]
) -> list[bytes] | None:
    """The values of a property's attribute; ``current`` are those that it shares with other properties."""
    if one.form == "flag":
        number = int(current.get(one.attribute.lower(), [b"0"])[0])
        return [raw(number | one.bit if value else number & ~one.bit)]
    if one.form == "token":
        others = [kept for kept in current.get(one.attribute.lower(), []) if kept != one.mark.encode()]
        return [*others, one.mark.encode()] if value else others
    if value is None or value == []:
        return None
    if one.form == "choice":
        numbers = {name.lower(): number for number, name in one.names}
        return [raw(numbers[str(value).lower()])]
    if one.form in ("link", "links"):
        resolve = one.resolve or (lambda _organization, text: text)
        return [resolve(organization, str(part)).encode() for part in _listed(value)]
    if one.form == "joined":
        return [",".join(map(str, _listed(value))).encode()]
    if one.form == "texts":
        return [str(part).encode() for part in _listed(value)]
    return [raw(value if isinstance(value, bool | int) else str(value))]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


# -- the rest, as XML ----------------------------------------------------------------------------------------------


def read_rest(found: Found) -> dict[str, Any]:
    """What lies in the XML of an object, by property; nothing where the XML is of another kind."""
    text = found.text(XML)
    if not text or not text.startswith("<Properties"):
        return {}
    return {str(one.get("Name")): json.loads(one.text or "null") for one in ElementTree.fromstring(text)}


def write_rest(values: Mapping[str, Any]) -> list[bytes] | None:
    """The XML for properties; nothing for none. Of a credential only the user's name is kept."""
    kept = {name: _plain(value) for name, value in values.items() if value is not None}
    if not kept:
        return None
    rows = "".join(
        f"<Property Name={quoteattr(name)}>{escape(json.dumps(value))}</Property>" for name, value in kept.items()
    )
    return [f"<Properties>{rows}</Properties>".encode()]


def _plain(value: Any) -> Any:
    if isinstance(value, Credential):
        return value.user
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int | str) else str(value)


def merged(value: Any, current: Any) -> Any:
    """A multi-valued property's new values: all of them, or some added and removed by a hash table."""
    if not isinstance(value, dict):
        return value
    steps = {str(name).lower(): _listed(values) for name, values in value.items()}
    gone = {str(one).lower() for one in steps.get("remove", [])}
    kept = [one for one in (current or []) if str(one).lower() not in gone]
    known = {str(one).lower() for one in kept}
    return kept + [str(one) for one in steps.get("add", []) if str(one).lower() not in known]
