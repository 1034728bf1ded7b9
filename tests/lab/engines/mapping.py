# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluating a job's attribute mappings for one user, and what has to change in AD for it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.lab.engines import addresses
from tests.lab.engines.directory import Entry
from tests.lab.engines.expression_syntax import Context, ExpressionError, NotFlowed
from tests.lab.engines.expressions import evaluate
from tests.lab.engines.functions import Redacted, as_list, as_text, function
from tests.lab.engines.ldap_values import text
from tests.lab.engines.readings import Readings

Document = dict[str, Any]

TYPE_ATTRIBUTES = ("msExchRecipientTypeDetails", "msExchRecipientDisplayType")
_LDAP_NAMES = {"Boolean": {"true": "TRUE", "false": "FALSE"}}


@dataclass(frozen=True)
class Mapping:
    """One attribute mapping of a job, with the definition of its target attribute."""

    target: str
    source: Document
    flow_type: str
    flow_behavior: str
    matching_priority: int
    default: str | None
    multivalued: bool | None  # None: the schema does not define the target attribute
    type: str
    case_exact: bool
    flow_null: bool
    writable: bool


@dataclass(frozen=True)
class Change:
    """What one export changes of one attribute; texts for the log, raw values for the directory."""

    attribute: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    raw: tuple[bytes, ...]
    redacted: bool = False

    def as_modified_property(self) -> Document:
        """The change as Graph's modifiedProperty."""
        shown = "[Redact]" if self.redacted else "; ".join(self.new) if self.new else None
        return {
            "displayName": self.attribute,
            "oldValue": "; ".join(self.old) if self.old else None,
            "newValue": shown,
        }


def user_rule(schema: Document) -> tuple[Document, Document]:
    """(rule, object mapping) that the job runs; ExpressionError when the schema has none that is enabled."""
    rules = sorted(schema.get("synchronizationRules") or [], key=lambda rule: rule.get("priority") or 0)
    for rule in rules:
        for mapping in rule.get("objectMappings") or []:
            if mapping.get("enabled", True) and (mapping.get("sourceObjectName") or "").lower() == "user":
                return rule, mapping
    raise ExpressionError("The schema has no enabled mapping of User to user.")


def mappings(schema: Document, rule: Document, object_mapping: Document) -> list[Mapping]:
    """The attribute mappings, each target once: of several for one target the last one wins."""
    definitions = _definitions(schema, rule.get("targetDirectoryName"), object_mapping.get("targetObjectName"))
    found: dict[str, Mapping] = {}
    for one in object_mapping.get("attributeMappings") or []:
        name = one.get("targetAttributeName") or ""
        definition = definitions.get(name.lower())
        found.pop(name.lower(), None)
        found[name.lower()] = Mapping(
            target=name,
            source=one.get("source") or {},
            flow_type=one.get("flowType") or "Always",
            flow_behavior=one.get("flowBehavior") or "FlowWhenChanged",
            matching_priority=int(one.get("matchingPriority") or 0),
            default=one.get("defaultValue"),
            multivalued=None if definition is None else bool(definition.get("multivalued")),
            type=(definition or {}).get("type") or "String",
            case_exact=definition is None or bool(definition.get("caseExact")),
            flow_null=definition is None or bool(definition.get("flowNullValues")),
            writable=(definition or {}).get("mutability", "ReadWrite") in ("ReadWrite", "WriteOnly"),
        )
    return list(found.values())


def defined_attributes(schema: Document, directory_name: str | None, object_name: str | None) -> list[str]:
    """Names of the attributes that a schema defines for an object of one of its directories."""
    return [one.get("name") or "" for one in _definitions(schema, directory_name, object_name).values()]


def _definitions(schema: Document, directory_name: str | None, object_name: str | None) -> dict[str, Document]:
    for directory in schema.get("directories") or []:
        if directory.get("name") == directory_name:
            for one in directory.get("objects") or []:
                if (one.get("name") or "").lower() == (object_name or "").lower():
                    return {(found.get("name") or "").lower(): found for found in one.get("attributes") or []}
    return {}


def value_of(mapping: Mapping, context: Context, default_value: str = "when_null") -> Any:
    """The mapping's value for one object; NotFlowed and ExpressionError may be raised.

    ``default_value`` is the scenario's switch: with ``at_creation`` an existing object never gets the default.
    """
    value = _source_value(mapping.source, context)
    if value is None or value == "" or value == []:
        value = (mapping.default or None) if default_value == "when_null" else None
    return value


def _source_value(source: Document, context: Context) -> Any:
    kind = source.get("type") or "Attribute"
    if kind == "Constant" and source.get("name") is not None:
        return source["name"]
    if kind == "Attribute" and source.get("name"):
        return context.attribute(source["name"])
    if source.get("expression"):
        return evaluate(source["expression"], context)
    if kind != "Function":
        raise ExpressionError(f"A source of type {kind} has neither a name nor an expression.")
    implementation = function(source.get("name") or "")
    if implementation is None:
        raise ExpressionError(f"The function {source.get('name')} is not supported here.")
    parameters = [parameter.get("value") or {} for parameter in source.get("parameters") or []]
    try:
        return implementation(context, [partial(_source_value, one, context) for one in parameters])
    except (ValueError, TypeError, IndexError) as error:
        raise ExpressionError(f"{source.get('name')} cannot be evaluated: {error}.") from error


def changes(chosen: list[Mapping], context: Context, entry: Entry, readings: Readings) -> list[Change]:
    """What has to be written to ``entry``."""
    found = []
    for mapping in chosen:
        if mapping.matching_priority > 0 or mapping.flow_type == "ObjectAddOnly":
            continue  # a matching attribute identifies the object; ObjectAddOnly is for objects this job never makes
        try:
            value = value_of(mapping, context, readings.default_value)
        except NotFlowed:
            continue
        except ExpressionError as error:
            raise ExpressionError(f"Mapping of {mapping.target}: {error}") from error
        change = _change(mapping, value, entry, readings)
        if change is not None:
            found.append(change)
    return found


def _change(mapping: Mapping, value: Any, entry: Entry, readings: Readings) -> Change | None:
    old = [_shown(raw, mapping) for raw in entry.all(mapping.target)]
    new = [_directory_text(one, mapping) for one in as_list(value)]
    new = list(dict.fromkeys(one for one in new if one != ""))
    if mapping.target.lower() == "proxyaddresses" and readings.onmicrosoft_addresses == "dropped":
        new = addresses.without_new_service_addresses(new, old)
    if not new and not (mapping.flow_null and readings.null_source == "clears"):
        return None
    new = left_by(mapping, old, new, readings)
    if _same(old, new, mapping.case_exact):
        return None
    if not mapping.writable:
        raise ExpressionError(f"Mapping of {mapping.target}: the attribute is read-only in the target directory.")
    if mapping.multivalued is False and len(new) > 1:
        raise ExpressionError(f"Mapping of {mapping.target}: {len(new)} values for a single-valued attribute.")
    redacted = isinstance(value, Redacted)
    return Change(mapping.target, tuple(old), tuple(new), tuple(_raw(one, mapping) for one in new), redacted)


def left_by(mapping: Mapping, old: list[str], new: list[str], readings: Readings) -> list[str]:
    """The values that an export leaves where AD has ``old`` and the source gives ``new``, by the mapping's flow type.

    Graph's reference: MultiValueAddOnly flows only the adding of values to a multi-valued attribute; ValueAddOnly,
    where there is a value, flows additions and no removals; AttributeAddOnly flows only where there is no value.
    """
    are_addresses = mapping.target.lower() == "proxyaddresses"
    flow = mapping.flow_type
    if flow == "AttributeAddOnly":
        return old if old and readings.attribute_add_only == "when_absent" else new or old
    if flow in ("ValueAddOnly", "MultiValueAddOnly"):
        if are_addresses:
            return addresses.merged(new, old)
        if mapping.multivalued or (mapping.multivalued is None and max(len(old), len(new)) > 1):
            # AD does not tell values apart by case: what it has is not added again.
            known = {one.casefold() for one in old}
            return [*old, *(one for one in new if one.casefold() not in known)]
        return old if old and readings.value_add_only == "keeps" else new or old
    if are_addresses and readings.proxy_addresses == "merge":
        return addresses.merged(new, old)
    return new


def _same(old: list[str], new: list[str], case_exact: bool) -> bool:
    if case_exact:
        return sorted(old) == sorted(new)
    return sorted(one.casefold() for one in old) == sorted(one.casefold() for one in new)


def _directory_text(value: Any, mapping: Mapping) -> str:
    shown = as_text(value)
    if mapping.type == "Boolean" or isinstance(value, bool):
        return _LDAP_NAMES["Boolean"].get(shown.lower(), shown)
    return shown


def _shown(raw: bytes, mapping: Mapping) -> str:
    return base64.b64encode(raw).decode() if mapping.type == "Binary" else text(raw)


def _raw(shown: str, mapping: Mapping) -> bytes:
    if mapping.type != "Binary":
        return shown.encode()
    try:
        return base64.b64decode(shown, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ExpressionError(f"Mapping of {mapping.target}: {shown!r} is no base64 text.") from error
