# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's schema as administrators leave it: custom mappings, scopes, duplicates. Every function returns a new schema.

The forms are Graph's. An organizational unit and a group stand in the rule's filters as distinguished names; a filter
on attributes in the object mapping's ``scope``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from tests.lab.engines.mapping import defined_attributes
from tests.lab.engines.scope import NULL_OPERATORS, OPERATORS

Document = dict[str, Any]

_UNARY = (*NULL_OPERATORS, "IS TRUE", "IS FALSE")
_SPELLED = {
    "GREATER THAN": "GREATER_THAN",
    "GREATER THAN OR EQUALS": "GREATER_THAN_OR_EQUALS",
    "ENDS WITH": "ENDS_WITH",
}
_FLOW_TYPES = ("Add", "Update", "Delete")


def _mapping(target: str, source: Document, **more: Any) -> Document:
    return {
        "targetAttributeName": target,
        "flowType": "Always",
        "flowBehavior": "FlowWhenChanged",
        "matchingPriority": 0,
        "defaultValue": None,
        "exportMissingReferences": False,
        "source": source,
        **more,
    }


def _attribute(name: str) -> Document:
    return {"type": "Attribute", "name": name, "expression": f"[{name}]", "parameters": []}


def _parameter(key: str, source: Document) -> Document:
    return {"key": key, "value": source}


def _constant(value: str) -> Document:
    return {"type": "Constant", "name": value, "expression": f'"{value}"', "parameters": []}


def _function(name: str, expression: str, **parameters: Document) -> Document:
    given = [_parameter(key, source) for key, source in parameters.items()]
    return {"type": "Function", "name": name, "expression": expression, "parameters": given}


# What somebody added to the job by hand: an expression, a constant, another expression, a default, and a flow type.
CUSTOM: tuple[Document, ...] = (
    _mapping("description", _function("ToLower", "ToLower([Mail])", source=_attribute("Mail"))),
    _mapping("adminDescription", _constant("Exchange attributes come from the cloud")),
    _mapping(
        "info",
        _function(
            "Append",
            'Append([department], " (cloud)")',
            source=_attribute("department"),
            suffix=_constant(" (cloud)"),
        ),
    ),
    _mapping("msExchRetentionComment", _attribute("physicalDeliveryOfficeName"), defaultValue="no office"),
    _mapping("msExchArchiveName", _attribute("displayName"), flowType="ValueAddOnly"),
)


def without(schema: Document, target: str) -> Document:
    """``schema`` without the mappings of one target attribute."""
    changed, _rule, mapping = _copied(schema)
    mapping["attributeMappings"] = [
        one for one in mapping["attributeMappings"] if one["targetAttributeName"].lower() != target.lower()
    ]
    return changed


def customized(schema: Document) -> Document:
    """``schema`` with the custom mappings added."""
    changed, _rule, mapping = _copied(schema)
    mapping["attributeMappings"] += copy.deepcopy(list(CUSTOM))
    return changed


def duplicated(schema: Document, target: str) -> Document:
    """``schema`` with the mapping of a target twice; ValueError when it has none."""
    changed, _rule, mapping = _copied(schema)
    found = [one for one in mapping["attributeMappings"] if one["targetAttributeName"].lower() == target.lower()]
    if not found:
        raise ValueError(f"The job has no mapping of {target} that could be there twice.")
    mapping["attributeMappings"].append(copy.deepcopy(found[-1]))
    return changed


def scoped(schema: Document, units: Iterable[str] | None, groups: Iterable[str] | None) -> Document:
    """``schema`` limited to organizational units and groups (distinguished names); None leaves what there is."""
    changed, rule, _mapping = _copied(schema)
    if units is not None:
        rule["containerFilter"] = {"includedContainers": list(units)}
    if groups is not None:
        rule["groupFilter"] = {"includedGroups": list(groups)}
    return changed


def filtered(schema: Document, filters: Iterable[str]) -> Document:
    """``schema`` with scoping filters, one group for each text; ValueError when one cannot be read."""
    changed, rule, mapping = _copied(schema)
    known = defined_attributes(schema, rule.get("sourceDirectoryName"), mapping.get("sourceObjectName"))
    found = [filter_group(text, number, known) for number, text in enumerate(filters, 1)]
    mapping["scope"] = {"inputFilterGroups": [], "categoryFilterGroups": [], **(mapping.get("scope") or {})}
    mapping["scope"]["groups"] = found
    return changed


def with_flow_types(schema: Document, text: str) -> Document:
    """``schema`` whose object mapping may do what ``text`` says: Add, Update, Delete, comma-joined."""
    parts = [part.strip().capitalize() for part in text.split(",") if part.strip()]
    if not parts or not set(parts) <= set(_FLOW_TYPES):
        raise ValueError(f"Flow types are {', '.join(_FLOW_TYPES)}, comma-joined, not {text!r}.")
    changed, _rule, mapping = _copied(schema)
    mapping["flowTypes"] = ",".join(parts)
    return changed


def filter_group(text: str, number: int, attributes: Iterable[str]) -> Document:
    """A filterGroup of ``department EQUALS Sales AND city IS NOT NULL``; ValueError when it cannot be read."""
    clauses = [_clause(part.strip(), list(attributes)) for part in re.split(r"\sAND\s", text)]
    return {"name": f"Scoping filter {number}", "clauses": clauses}


def _clause(text: str, attributes: list[str]) -> Document:
    names = sorted([*OPERATORS, *NULL_OPERATORS], key=len, reverse=True)
    operators = "|".join(re.escape(name).replace("\\ ", "[ _]") for name in names)
    match = re.match(rf"^(\S+)\s+({operators})(?:\s+(.+))?$", text)
    if match is None:
        raise ValueError(f"{text!r} is no clause: write attribute, operator ({', '.join(names)}) and value.")
    name, operator, value = match[1], match[2].replace("_", " "), match[3]
    if name.lower() not in (one.lower() for one in attributes):
        raise ValueError(f"The job's schema has no source attribute {name}; it has {', '.join(attributes)}.")
    if (operator in _UNARY) is (value is not None):
        raise ValueError(f"{text!r} is no clause: {operator} takes {'no' if operator in _UNARY else 'a'} value.")
    values = [] if value is None else [value]
    return {
        "sourceOperandName": name,
        "operatorName": _SPELLED.get(operator, operator),
        "targetOperand": {"values": values},
    }


def _copied(schema: Document) -> tuple[Document, Document, Document]:
    """A copy of the schema, its first rule and that rule's first object mapping."""
    changed = copy.deepcopy(schema)
    rule = changed["synchronizationRules"][0]
    return changed, rule, rule["objectMappings"][0]
