# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph's types: what a body may hold, and what an answer shows."""

from __future__ import annotations

import re
from typing import Any

from tests.lab.cloud import reference
from tests.lab.cloud.context import is_guid
from tests.lab.cloud.exchange.binder import parse_date

_COLLECTION = re.compile(r"^Collection\((.+)\)$")
_DURATION = re.compile(r"^-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$")
_INTEGERS = ("Edm.Int16", "Edm.Int32", "Edm.Int64")

# Parameters of actions whose types the reference does not hold. Source: the Graph pages of these resources.
RESTART_SCOPES = ("None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes")


class Mismatch(Exception):
    """A body that does not fit its type; the text says where and why, in the service's words."""


def check(value: Any, type_name: str, version: str, path: str = "") -> None:
    """Raise Mismatch unless ``value`` fits the type: no unknown property, no unknown enum member, right JSON types."""
    collection = _COLLECTION.match(type_name)
    if collection:
        if not isinstance(value, list):
            raise Mismatch(f"The property '{path}' must be a collection.")
        for number, item in enumerate(value):
            check(item, collection[1], version, f"{path}[{number}]")
        return
    if type_name.startswith("Edm."):
        _check_primitive(value, type_name, path)
        return
    entry = reference.graph_type(type_name, version)
    if entry is None:
        raise Mismatch(f"The type 'microsoft.graph.{type_name}' of '{path}' is not known.")
    if entry["kind"] == "enum":
        _check_enum(value, type_name, entry, path)
        return
    if not isinstance(value, dict):
        raise Mismatch(f"The property '{path}' must be an object of type 'microsoft.graph.{type_name}'.")
    known = reference.graph_properties(type_name, version)
    for name, item in value.items():
        if "@odata." in name:
            continue
        inner = f"{path}.{name}" if path else name
        if name not in known:
            if entry.get("open"):
                continue
            raise Mismatch(
                f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}' ({inner}). Make sure to "
                "only use property names that are defined by the type."
            )
        if item is None:
            # A collection may be left out, so its null is taken as absence; others must allow null themselves.
            if known[name].get("nullable", True) is False and not _COLLECTION.match(known[name]["type"]):
                raise Mismatch(f"A null value was found for the property '{inner}', which does not allow null values.")
            continue
        check(item, known[name]["type"], version, inner)


def _check_enum(value: Any, type_name: str, entry: dict[str, Any], path: str) -> None:
    members = value.split(",") if isinstance(value, str) and entry.get("flags") else [value]
    for member in members:
        if not isinstance(member, str) or member.strip() not in entry["members"]:
            raise Mismatch(
                f"Cannot convert the literal '{value}' of '{path}' to the expected type 'microsoft.graph.{type_name}'."
            )


def _check_primitive(value: Any, type_name: str, path: str) -> None:
    text = isinstance(value, str)
    good = {
        "Edm.String": text,
        "Edm.Boolean": isinstance(value, bool),
        "Edm.DateTimeOffset": text and parse_date(value) is not None,
        "Edm.Date": text and parse_date(value) is not None,
        "Edm.Duration": text and _DURATION.match(value) is not None if text else False,
        "Edm.Guid": is_guid(value),
        "Edm.Double": isinstance(value, (int, float)) and not isinstance(value, bool),
        "Edm.Single": isinstance(value, (int, float)) and not isinstance(value, bool),
        **dict.fromkeys(_INTEGERS, isinstance(value, int) and not isinstance(value, bool)),
    }.get(type_name, True)
    if not good:
        raise Mismatch(f"Cannot convert the value of '{path}' to the expected type '{type_name}'.")


def shown(value: Any, type_name: str, version: str) -> Any:
    """``value`` with nothing in it that its type does not have (the lab's private keys go here too)."""
    collection = _COLLECTION.match(type_name)
    if collection:
        return [shown(item, collection[1], version) for item in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or type_name.startswith("Edm."):
        return value
    entry = reference.graph_type(type_name, version)
    known = reference.graph_properties(type_name, version) if entry else {}
    result = {}
    for name, item in value.items():
        if name in known:
            result[name] = shown(item, known[name]["type"], version)
        elif entry is not None and entry.get("open") and not name.startswith("_"):
            result[name] = item
    return result
