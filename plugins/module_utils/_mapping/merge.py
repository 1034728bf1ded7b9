# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Lay mapping rules over a job's schema: what the rules name becomes as they say, everything else stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import expressions, source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import (
    DIRECTORY,
    EDITABLE,
    Rule,
    of_job,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue

# The service's own mappings: hidden in the portal, and what joins the two sides.
SERVICE_MANAGED = frozenset({"admindescription", "msds-externaldirectoryobjectid", "objectguid"})
DEFAULTS: Mapping[str, Any] = {
    "flowType": "Always",
    "flowBehavior": "FlowWhenChanged",
    "defaultValue": None,
    "matchingPriority": 0,
    "exportMissingReferences": False,
}


@dataclass(frozen=True)
class Change:
    """One mapping before and after; None where it is not there."""

    target: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    object_name: str = ""


@dataclass(frozen=True)
class Merged:
    """The whole schema to write, what changes in it, and what is worth a warning."""

    schema: dict[str, Any]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]


def merge(live: Mapping[str, Any], rules: Iterable[Rule], purge: bool = False) -> Merged:
    """The live schema with the rules over it. live is not changed.

    Rules whose owner is the directory are left out. A rule changes only what it states. A duplicate of a mapping that a
    rule names is removed. With purge, mappings of
    attributes that rules may name but do not are removed; the service's own, and those that match objects, stay.
    """
    given = tuple(rules)
    wanted = of_job(given)
    schema: dict[str, Any] = json.loads(json.dumps(live))
    changes: list[Change] = []
    several = len(schemas.user_mappings(schema)) > 1
    for objects in schemas.user_mappings(schema):
        name = f"{objects.get('sourceObjectName')} to {objects.get('targetObjectName')}" if several else ""
        before = list(objects.get("attributeMappings") or ())
        after = _merged(before, wanted, purge)
        changes.extend(_changes(before, after, name))
        objects["attributeMappings"] = after  # type: ignore[index]
    return Merged(schema, tuple(changes), (*_warnings(live, wanted), *_two_writers(schema, given)))


def _merged(mappings: list[Mapping[str, Any]], rules: tuple[Rule, ...], purge: bool) -> list[Mapping[str, Any]]:
    by_target = {rule.target.lower(): rule for rule in rules}
    done: set[str] = set()
    kept: list[Mapping[str, Any]] = []
    for mapping in mappings:
        target = str(mapping.get("targetAttributeName") or "").lower()
        rule = by_target.get(target)
        if rule is None:
            if not (purge and _may_purge(mapping)):
                kept.append(mapping)
        elif target not in done:
            done.add(target)
            kept.append(_applied(mapping, rule))
    added = [
        _applied({"targetAttributeName": rule.target, **DEFAULTS}, rule)
        for rule in rules
        if rule.target.lower() not in done
    ]
    return [*kept, *added]


def _applied(mapping: Mapping[str, Any], rule: Rule) -> Mapping[str, Any]:
    """The mapping as the rule wants it; the same object where it means that already."""
    stated: dict[str, Any] = {}
    if source.meaning(mapping.get("source")) != source.meaning(rule.source):
        stated["source"] = dict(rule.source)
    if rule.flow_type is not None:
        stated["flowType"] = rule.flow_type
    if rule.flow_behavior is not None:
        stated["flowBehavior"] = rule.flow_behavior
    if rule.default is not None:
        stated["defaultValue"] = rule.default or None
    if rule.matching_priority is not None:
        stated["matchingPriority"] = rule.matching_priority
    changed = {name: value for name, value in stated.items() if _value(mapping, name) != (value or DEFAULTS.get(name))}
    return {**mapping, **changed} if changed else mapping


def _value(mapping: Mapping[str, Any], name: str) -> Any:
    return mapping.get(name) or DEFAULTS.get(name)


def _may_purge(mapping: Mapping[str, Any]) -> bool:
    target = str(mapping.get("targetAttributeName") or "")
    if target.lower() in SERVICE_MANAGED or int(mapping.get("matchingPriority") or 0) > 0:
        return False
    try:
        return catalogue.attribute(target).cloud_editable in EDITABLE
    except InputError:
        return False


def _changes(before: list[Mapping[str, Any]], after: list[Mapping[str, Any]], name: str) -> list[Change]:
    """Compare by identity: a mapping that is unchanged is the same object in both lists."""
    same = {id(mapping) for mapping in before} & {id(mapping) for mapping in after}
    gone = [mapping for mapping in before if id(mapping) not in same]
    new = {str(item.get("targetAttributeName")).lower(): item for item in after if id(item) not in same}
    found: list[Change] = []
    for mapping in gone:
        target = str(mapping.get("targetAttributeName"))
        found.append(Change(target, mapping, new.pop(target.lower(), None), name))
    found.extend(Change(str(item.get("targetAttributeName")), None, item, name) for item in new.values())
    return found


def _warnings(live: Mapping[str, Any], rules: tuple[Rule, ...]) -> list[str]:
    found = [warning for rule in rules for warning in rule.warnings]
    rule_of_job = schemas.rule(live)
    sources = [(name, rule) for rule in rules for name in sorted(expressions.attributes(source.tree(rule.source)))]
    targets = [(rule.target, rule) for rule in rules]
    for side, names in (("sourceDirectoryName", sources), ("targetDirectoryName", targets)):
        directory = str(rule_of_job.get(side) or "")
        known = schemas.known_attributes(live, directory)
        found.extend(
            f"{rule.place}: the job's schema does not list the attribute {name} for {directory}; it may be refused."
            for name, rule in names
            if known and name.lower() not in known
        )
    named = {rule.target.lower() for rule in rules}
    found.extend(
        f"The job maps {target} more than once, and no rule names it; the service does not say which one counts."
        for target in schemas.duplicates(live)
        if target not in named
    )
    return found


def _two_writers(schema: Mapping[str, Any], rules: tuple[Rule, ...]) -> list[str]:
    """A warning for each attribute that the rules give to the directory and that the job goes on to write."""
    mapped = {target.lower() for target in schemas.targets(schema)}
    return [
        f"{rule.place}: {rule.target} is for the directory writer, but the job maps it too, so directory_writeback "
        "refuses it while the job runs. Remove the mapping with purge."
        for rule in rules
        if rule.owner == DIRECTORY and rule.target.lower() in mapped
    ]
