# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A judge of Graph answers that shares no code with the lab: Microsoft's types, read straight from the reference."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.lab.cloud.reference import beyond_the_part

GRAPH: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "reference" / "graph-types.json").read_text(encoding="utf-8")
)
# Types that the reference lacks. Source: the Graph pages of these resources.
_FROM_PAGES: dict[str, Any] = {
    "applicationServicePrincipal": {
        "kind": "complex",
        "properties": {"application": {"type": "application"}, "servicePrincipal": {"type": "servicePrincipal"}},
    },
    "filterOperatorSchema": {
        "kind": "complex",
        "properties": {
            "arity": {"type": "scopeOperatorType"},
            "multivaluedComparisonType": {"type": "scopeOperatorMultiValuedComparisonType"},
            "name": {"type": "Edm.String", "nullable": False},
            "supportedAttributeTypes": {"type": "Collection(attributeType)"},
        },
    },
    "appRoleAssignment": {
        "kind": "entity",
        "base": "directoryObject",
        "properties": {
            "appRoleId": {"type": "Edm.Guid", "nullable": False},
            "createdDateTime": {"type": "Edm.DateTimeOffset"},
            "principalDisplayName": {"type": "Edm.String"},
            "principalId": {"type": "Edm.Guid"},
            "principalType": {"type": "Edm.String"},
            "resourceDisplayName": {"type": "Edm.String"},
            "resourceId": {"type": "Edm.Guid"},
        },
    },
    "scopeOperatorType": {"kind": "enum", "members": ["Binary", "Unary"]},
    "scopeOperatorMultiValuedComparisonType": {"kind": "enum", "members": ["All", "Any"]},
    "attributeMappingFunctionSchema": {
        "kind": "complex",
        "properties": {
            "name": {"type": "Edm.String", "nullable": False},
            "parameters": {"type": "Collection(attributeMappingParameterSchema)"},
        },
    },
    "attributeMappingParameterSchema": {
        "kind": "complex",
        "properties": {
            "allowMultipleOccurrences": {"type": "Edm.Boolean", "nullable": False},
            "name": {"type": "Edm.String", "nullable": False},
            "required": {"type": "Edm.Boolean", "nullable": False},
            "type": {"type": "attributeType", "nullable": False},
        },
    },
}
_ROOT: dict[str, Any] = {"kind": "entity", "properties": {"id": {"type": "Edm.String", "nullable": False}}}
_DELETED = {"deletedDateTime": {"type": "Edm.DateTimeOffset"}}
_OBJECT = {"kind": "entity", "properties": {**_ROOT["properties"], **_DELETED}}
_COLLECTION = re.compile(r"^Collection\((.+)\)$")
_DURATION = re.compile(r"^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def problems(value: Any, type_name: str, version: str = "v1.0", path: str = "") -> list[str]:
    """What in a whole answer does not fit its type, one text each: unknown names, wrong JSON types, wrong nulls."""
    at = path or type_name
    collection = _COLLECTION.match(type_name)
    if collection:
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no list"]
        return [one for n, item in enumerate(value) for one in problems(item, collection[1], version, f"{at}[{n}]")]
    if type_name.startswith("Edm."):
        return [] if _primitive(value, type_name) else [f"{at}: {value!r} is no {type_name}"]
    entry = _entry(type_name, version)
    if entry["kind"] == "enum":
        members = str(value).split(",") if entry.get("flags") else [value]
        return [f"{at}: {member!r} is no {type_name}" for member in members if member not in entry["members"]]
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no object"]
    known = properties(type_name, version)
    found = []
    for name, item in value.items():
        if name.startswith("@odata."):
            continue
        if name not in known:
            if name.startswith("_") or not entry.get("open"):
                found.append(f"{at}: {type_name} has no {name}")
        elif item is None:
            if known[name].get("nullable", True) is False:
                found.append(f"{at}.{name}: null")
        else:
            found += problems(item, known[name]["type"], version, f"{at}.{name}")
    return found


def properties(type_name: str, version: str = "v1.0") -> dict[str, Any]:
    """The properties of a type, inherited ones included."""
    entry = _entry(type_name, version)
    inherited = properties(entry["base"], version) if entry.get("base") else {}
    beyond = {name: {"type": "Edm.String"} for name in beyond_the_part().get(type_name, ())}
    return {**inherited, **entry.get("properties", {}), **beyond}


def selectable(type_name: str, version: str = "v1.0") -> str:
    """A $select of every property of a type that is no link to other objects."""
    return ",".join(name for name, facts in properties(type_name, version).items() if not facts.get("navigation"))


def _entry(type_name: str, version: str) -> dict[str, Any]:
    entry: dict[str, Any] = {**_FROM_PAGES, **GRAPH[version]["types"], "entity": _ROOT, "directoryObject": _OBJECT}[
        type_name
    ]
    return entry


def _primitive(value: Any, type_name: str) -> bool:
    if type_name == "Edm.Boolean":
        return isinstance(value, bool)
    if type_name in ("Edm.Int16", "Edm.Int32", "Edm.Int64"):
        return isinstance(value, int) and not isinstance(value, bool)
    if type_name in ("Edm.Double", "Edm.Single"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if type_name == "Edm.Duration":
        return _DURATION.match(value) is not None
    if type_name == "Edm.DateTimeOffset":
        return _MOMENT.match(value) is not None
    reads: dict[str, Callable[[str], object]] = {
        "Edm.Guid": UUID,
        "Edm.Date": datetime.fromisoformat,
        "Edm.Binary": base64.b64decode,
    }
    try:
        reads.get(type_name, str)(value)
    except (ValueError, binascii.Error):
        return False
    return True
