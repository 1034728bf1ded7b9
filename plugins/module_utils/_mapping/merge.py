# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Lay mapping rules over a job's schema: what the rules name becomes as they say, everything else stays.

Three things meet: the live schema, the rules, and the service's own default (the schema of the job's template). For a
target, with a rule: the rule over the live mapping, or over the default, or over nothing. Without one: the live mapping
stays; with purge it becomes as the default has it, and one that the default does not have is removed; a mapping that
only the default has is added if asked for. What the directory writer owns is no mapping of the job: purge removes it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import (
    DIRECTORY,
    EDITABLE,
    Rule,
    of_job,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import WRITEBACK

# The service's own mappings: hidden in the portal, and what joins the two sides.
SERVICE_MANAGED = frozenset({"admindescription", "msds-externaldirectoryobjectid", "objectguid"})
_WRITTEN_BACK = frozenset(name.lower() for name in WRITEBACK)
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


def standard() -> dict[str, Any]:
    """A schema as a new job has it, as far as that is known: each attribute that is written back, from itself."""
    mappings = [{"targetAttributeName": name, **DEFAULTS, "source": source.from_attribute(name)} for name in WRITEBACK]
    objects = {
        "sourceObjectName": "User",
        "targetObjectName": "user",
        "enabled": True,
        "flowTypes": "Add, Update",
        "attributeMappings": mappings,
    }
    return {"synchronizationRules": [{"objectMappings": [objects]}]}


def merge(
    live: Mapping[str, Any],
    rules: Iterable[Rule],
    purge: bool = False,
    *,
    default: Mapping[str, Any] | None = None,
    add_missing: bool = False,
) -> Merged:
    """The live schema with the rules over it. live is not changed.

    Rules whose owner is the directory are left out. A rule changes only what it states. A duplicate of a mapping that a
    rule names is removed. purge concerns attributes that rules may name; the service's own mappings, and those that
    match objects, stay. ``default`` is the schema of the template, None where it cannot be read: purge then leaves the
    mappings of the attributes that the service writes back, as they may be defaults. ``add_missing`` adds the defaults
    that the job lacks, as purge does.
    """
    given = tuple(rules)
    wanted = of_job(given)
    schema: dict[str, Any] = json.loads(json.dumps(live))
    changes: list[Change] = []
    several = len(schemas.user_mappings(schema)) > 1
    for objects in schemas.user_mappings(schema):
        name = f"{objects.get('sourceObjectName')} to {objects.get('targetObjectName')}" if several else ""
        before = list(objects.get("attributeMappings") or ())
        after = _merged(before, _Wishes(given, _defaults(default, objects), purge, purge or add_missing))
        changes.extend(_changes(before, after, name))
        objects["attributeMappings"] = after  # type: ignore[index]
    return Merged(schema, tuple(changes), (*_warnings(live, wanted), *_two_writers(schema, given)))


@dataclass(frozen=True)
class _Wishes:
    """What shall become of one object mapping; ``defaults`` are the service's by target, None if not known."""

    rules: tuple[Rule, ...]
    defaults: Mapping[str, Mapping[str, Any]] | None
    purge: bool
    add_missing: bool

    def unnamed(self, mapping: Mapping[str, Any], repeated: bool) -> Mapping[str, Any] | None:
        """What a mapping becomes that no rule for the job names; None where it is removed."""
        if not self.purge or not _may_purge(mapping):
            return mapping
        target = str(mapping["targetAttributeName"]).lower()
        if repeated or target in self.of_directory():
            return None
        if self.defaults is None:
            return mapping if target in _WRITTEN_BACK else None
        return _restored(mapping, self.defaults[target]) if target in self.defaults else None

    def missing(self, there: Collection[str]) -> Iterator[Mapping[str, Any]]:
        """The mappings to add: rules for targets that are not there, then the service's defaults that are not."""
        defaults = self.defaults or {}
        for rule in of_job(self.rules):
            if rule.target.lower() not in there:
                base = defaults.get(rule.target.lower(), {"targetAttributeName": rule.target, **DEFAULTS})
                yield _applied(dict(base), rule)
        if self.add_missing:
            named = {rule.target.lower() for rule in self.rules}
            yield from (
                dict(mapping)
                for target, mapping in defaults.items()
                if target not in there and target not in named and _may_purge(mapping)
            )

    def of_directory(self) -> set[str]:
        """The targets that the directory writer owns."""
        return {rule.target.lower() for rule in self.rules if rule.owner == DIRECTORY}


def _merged(mappings: list[Mapping[str, Any]], wishes: _Wishes) -> list[Mapping[str, Any]]:
    by_target = {rule.target.lower(): rule for rule in of_job(wishes.rules)}
    seen: set[str] = set()
    kept: list[Mapping[str, Any]] = []
    for mapping in mappings:
        target = str(mapping.get("targetAttributeName") or "").lower()
        repeated = target in seen
        seen.add(target)
        if target not in by_target:
            if (left := wishes.unnamed(mapping, repeated)) is not None:
                kept.append(left)
        elif not repeated:
            kept.append(_applied(mapping, by_target[target]))
    return [*kept, *wishes.missing(seen)]


def _defaults(default: Mapping[str, Any] | None, objects: Mapping[str, Any]) -> dict[str, Mapping[str, Any]] | None:
    """The default mappings by target for the same kinds of objects; None where the default is not known."""
    if default is None:
        return None
    names = ("sourceObjectName", "targetObjectName")
    same = [
        item
        for item in schemas.user_mappings(default)
        if all(str(item.get(name)).lower() == str(objects.get(name)).lower() for name in names)
    ]
    return {
        str(mapping.get("targetAttributeName")).lower(): mapping
        for item in same
        for mapping in item.get("attributeMappings") or ()
    }


def _restored(mapping: Mapping[str, Any], default: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mapping as the default has it; the same object where it means that already."""
    changed = {name: default.get(name) for name in DEFAULTS if _value(mapping, name) != _value(default, name)}
    if source.meaning(mapping.get("source")) != source.meaning(default.get("source")):
        changed["source"] = default.get("source")
    return {**mapping, **changed} if changed else mapping


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
    sources = [(name, rule) for rule in rules for name in sorted(ex.attributes(source.tree(rule.source)))]
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
