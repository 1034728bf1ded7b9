# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Objects of PowerShell remoting (CLIXML) as plain data: dict, list, str, int, float, bool and None.

An enumeration becomes its name, a time RFC 3339, a secure string nothing at all. pypsrp gives back an object that it
does not know, and a text or a time that carries note properties, as XML; so all objects are read from their XML here.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError

_ESCAPE = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
_INTEGERS = frozenset({"By", "SB", "U16", "I16", "U32", "I32", "U64", "I64"})
_LISTS = ("LST", "IE", "QUE", "STK")
_ENUM = "System.Enum"
_SECRET = object()


def from_client(value: Any) -> Any:
    """What pypsrp gives back, as plain data."""
    xml = value if isinstance(value, str) and value.startswith("<Obj ") else getattr(value, "_xml", None)
    if isinstance(xml, str):
        try:
            return from_xml(ET.fromstring(xml))
        except ET.ParseError:
            return str(value)
    if isinstance(value, Mapping):
        return {str(from_client(key)): from_client(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [from_client(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, uuid.UUID):
        return str(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def from_xml(element: ET.Element) -> Any:
    """One serialized object as plain data; ProtocolError where it cannot be read."""
    try:
        value = _value(element, {}, {})
    except (KeyError, ValueError) as error:
        raise ProtocolError(f"The host sent an object that cannot be read: {error}.") from error
    return None if value is _SECRET else value


def _value(element: ET.Element, objects: dict[str, Any], types: dict[str, tuple[str, ...]]) -> Any:
    tag = element.tag
    text = element.text or ""
    if tag == "Obj":
        return _object(element, objects, types)
    if tag == "Ref":
        return objects.get(element.attrib["RefId"])
    if tag == "Nil":
        return None
    if tag == "B":
        return text.lower() == "true"
    if tag in _INTEGERS:
        return int(text)
    if tag in {"Sg", "Db"}:
        return float(text)
    if tag == "C":
        return chr(int(text))
    if tag == "SS":
        return _SECRET
    return unescaped(text)


def _object(element: ET.Element, objects: dict[str, Any], types: dict[str, tuple[str, ...]]) -> Any:
    identifier = element.attrib.get("RefId", "")
    names = _types(element, types)
    shown = element.find("ToString")
    if _ENUM in {name.removeprefix("Deserialized.") for name in names} or _is_bare_enum(element):
        return unescaped(shown.text or "") if shown is not None else _primitive(element, objects, types)
    for tag in _LISTS:
        items = element.find(tag)
        if items is not None:
            found: list[Any] = []
            objects[identifier] = found
            found += [item for item in (_value(child, objects, types) for child in items) if item is not _SECRET]
            return found
    table = element.find("DCT")
    properties: dict[str, Any] = {}
    objects[identifier] = properties
    if table is not None:
        for entry in table.findall("En"):
            pair = {child.attrib.get("N"): _value(child, objects, types) for child in entry}
            _keep(properties, str(pair.get("Key")), pair.get("Value"))
        return properties
    if any(child.tag not in {"TN", "TNRef", "ToString", "Props", "MS"} for child in element):
        value = _primitive(element, objects, types)
        objects[identifier] = value
        return value
    for holder in ("Props", "MS"):
        for child in element.findall(f"{holder}/*"):
            _keep(properties, unescaped(child.attrib.get("N", "")), _value(child, objects, types))
    if not properties and shown is not None:
        objects[identifier] = unescaped(shown.text or "")
    return objects[identifier]


def _keep(properties: dict[str, Any], name: str, value: Any) -> None:
    if value is not _SECRET:
        properties[name] = value


def _types(element: ET.Element, types: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    stated = element.find("TN")
    if stated is not None:
        names = tuple(item.text or "" for item in stated.findall("T"))
        types[stated.attrib.get("RefId", "")] = names
        return names
    reference = element.find("TNRef")
    return types.get(reference.attrib.get("RefId", ""), ()) if reference is not None else ()


def _is_bare_enum(element: ET.Element) -> bool:
    """An object without type names that is a number and its name: part of a larger one whose names are elsewhere."""
    return element.find("ToString") is not None and element.find("I32") is not None and element.find("Props") is None


def _primitive(element: ET.Element, objects: dict[str, Any], types: dict[str, tuple[str, ...]]) -> Any:
    for child in element:
        if child.tag not in {"TN", "TNRef", "ToString", "Props", "MS"}:
            return _value(child, objects, types)
    return None


def unescaped(text: str) -> str:
    """Characters that XML cannot hold are written ``_x000A_``, those beyond 16 bits as two of these."""

    def characters(match: re.Match[str]) -> str:
        units = bytes.fromhex(match[0].replace("_x", "").replace("_", ""))
        return units.decode("utf-16-be", "replace")

    return _ESCAPE.sub(characters, text)
