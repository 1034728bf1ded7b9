# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A job's synchronization schema, as far as mappings and scope go. Schemas are Graph's JSON and are never changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError

USER = "user"
# Properties that change without anybody's change.
VOLATILE = frozenset({"discoveryDateTime"})


def rule(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rule of a writeback job: its first."""
    rules = schema.get("synchronizationRules")
    if not isinstance(rules, list) or not rules or not isinstance(rules[0], Mapping):
        raise ProtocolError("The job's schema has no synchronization rule. Restore its default mappings in the portal.")
    return rules[0]


def user_mappings(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The object mappings whose source is a user; where none says so, all of the rule."""
    found = [item for item in rule(schema).get("objectMappings") or () if isinstance(item, Mapping)]
    users = [item for item in found if str(item.get("sourceObjectName", "")).lower() == USER]
    if not found:
        raise ProtocolError("The job's schema has no object mapping. Restore its default mappings in the portal.")
    return users or found


def attribute_mappings(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All attribute mappings for users."""
    for item in user_mappings(schema):
        yield from item.get("attributeMappings") or ()


def targets(schema: Mapping[str, Any]) -> list[str]:
    """The AD attributes that enabled mappings for users write, each once."""
    enabled = (item for item in user_mappings(schema) if item.get("enabled", True))
    names = (str(entry.get("targetAttributeName")) for item in enabled for entry in item.get("attributeMappings") or ())
    return list(dict.fromkeys(names))


def duplicates(schema: Mapping[str, Any]) -> list[str]:
    """Targets that one object mapping writes more than once; the service does not reject them."""
    found: list[str] = []
    for item in user_mappings(schema):
        counted = Counter(
            str(entry.get("targetAttributeName")).lower() for entry in item.get("attributeMappings") or ()
        )
        found.extend(name for name, count in counted.items() if count > 1)
    return sorted(set(found))


def flow_types(schema: Mapping[str, Any]) -> set[str]:
    """What the job may do with objects: Add, Update, Delete."""
    return {
        part.strip() for item in user_mappings(schema) for part in str(item.get("flowTypes") or "").split(",") if part
    } - {"None", ""}


def containers(schema: Mapping[str, Any]) -> list[str]:
    """The organizational units in scope; empty means all."""
    return [str(item) for item in (rule(schema).get("containerFilter") or {}).get("includedContainers") or ()]


def groups(schema: Mapping[str, Any]) -> list[str]:
    """The groups in scope; empty means all."""
    return [str(item) for item in (rule(schema).get("groupFilter") or {}).get("includedGroups") or ()]


def known_attributes(schema: Mapping[str, Any], directory: str) -> set[str]:
    """The attributes (lower case) that the schema lists for a directory; empty where it lists none."""
    return {
        str(attribute.get("name")).lower()
        for item in schema.get("directories") or ()
        if item.get("name") == directory
        for objects in item.get("objects") or ()
        for attribute in objects.get("attributes") or ()
    }


def without_case(schema: Mapping[str, Any]) -> set[str]:
    """The target attributes (lower case) of which the schema says that the case of a value does not count."""
    target = rule(schema).get("targetDirectoryName")
    return {
        str(attribute.get("name")).lower()
        for item in schema.get("directories") or ()
        if item.get("name") == target
        for objects in item.get("objects") or ()
        for attribute in objects.get("attributes") or ()
        if attribute.get("caseExact") is False
    }


def with_scope(
    schema: Mapping[str, Any], organizational_units: list[str] | None, group_names: list[str] | None
) -> dict[str, Any]:
    """The schema with another scope in its first rule; None leaves that part."""
    changed: dict[str, Any] = json.loads(json.dumps(schema))
    first = changed["synchronizationRules"][0]
    if organizational_units is not None:
        first["containerFilter"] = {"includedContainers": list(organizational_units)}
    if group_names is not None:
        first["groupFilter"] = {"includedGroups": list(group_names)}
    return changed


def canonical(schema: Mapping[str, Any]) -> str:
    """A text that is equal for two reads of the same schema, and different after any change of substance."""
    return json.dumps(_without_noise(schema), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _without_noise(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {
            name: _without_noise(item)
            for name, item in value.items()
            if not name.startswith("@odata.") and name not in VOLATILE
        }
        if isinstance(kept.get("attributeMappings"), list):
            kept["attributeMappings"].sort(key=lambda item: json.dumps(item, sort_keys=True))
        return kept
    if isinstance(value, list):
        return [_without_noise(item) for item in value]
    return value
