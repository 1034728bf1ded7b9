# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A mapping rule: what an AD attribute shall get from the cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import flow, scope, source, source_values
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint import lint
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint_calls import ERROR
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.scope import Scope
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute

FLOW_TYPES = tuple(flow.FLOW_TYPES)
FLOW_BEHAVIORS = ("FlowWhenChanged", "FlowAlways")
KEYS = ("target", "source", "expression", "constant", "flow_type", "flow_behavior", "default", "matching_priority")
FILE_KEYS = (*KEYS, "owner", "scope")
SOURCES = ("source", "expression", "constant")
# Who writes an attribute. There is one writer for each: the job, or this collection over LDAP.
CLOUD_SYNC, DIRECTORY = OWNERS = ("cloud_sync", "directory")
# Attributes that Exchange Online masters once a mailbox is cloud-managed. Others stay AD's or the service's own.
EDITABLE = frozenset({"yes", "expected", "automatic", "exchange"})


@dataclass(frozen=True)
class Rule:
    """One rule. What is None is left as it is where the mapping exists, and the service's default where it is new.

    place says where the rule is written, for messages: an option or file:line:column. A rule whose owner is the
    directory is no mapping of the job: the collection writes the attribute itself, for the mailboxes in scope. Where
    such a rule states nothing but its target, source is empty, and what counts is the value that Exchange Online has.
    """

    target: str
    source: Mapping[str, Any]
    flow_type: str | None = None
    flow_behavior: str | None = None
    default: str | None = None
    matching_priority: int | None = None
    place: str = ""
    warnings: tuple[str, ...] = ()
    owner: str = CLOUD_SYNC
    scope: Scope | None = None


def create(fields: Mapping[str, Any], place: str) -> Rule:
    """Check the fields of a rule and make it; InputError begins with the place."""
    given = {name: value for name, value in fields.items() if value is not None}
    target = str(given.get("target") or "").strip()
    if not target:
        raise InputError(f"{place}: a mapping needs a target, the AD attribute that it writes.")
    row = checked_target(target, place)
    owner = _choice(given, "owner", OWNERS, place) or CLOUD_SYNC
    taken, warnings = _source(row, given, owner, place)
    rule = Rule(
        target=row,
        source=taken,
        flow_type=_choice(given, "flow_type", FLOW_TYPES, place),
        flow_behavior=_choice(given, "flow_behavior", FLOW_BEHAVIORS, place),
        default=str(given["default"]) if "default" in given else None,
        matching_priority=_priority(given.get("matching_priority"), place),
        place=place,
        warnings=warnings,
        owner=owner,
        scope=scope.create(given.get("scope"), f"{place}: {row}"),
    )
    if owner == DIRECTORY:
        return _of_directory(rule, given)
    if rule.scope is not None:
        raise InputError(
            f"{place}: {row}: the service knows no scope of a single mapping. Name who is in scope of the whole job in "
            "organizational_units and groups of writeback_job, or give the rule the owner directory.",
            target=row,
        )
    name = str(taken.get("name"))
    if taken["type"] == source.FUNCTION and name == "SelectUniqueValue" and rule.flow_type != flow.OBJECT_ADD_ONLY:
        more = f"{place}: {row}: SelectUniqueValue needs the flow type {flow.OBJECT_ADD_ONLY}."
        return replace(rule, warnings=(*warnings, more))
    return rule


def _source(row: str, given: Mapping[str, Any], owner: str, place: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Where the value comes from, and warnings; nothing where a rule of the directory does not say."""
    kinds = [kind for kind in SOURCES if kind in given]
    if not kinds and owner == DIRECTORY:
        return {}, ()
    if len(kinds) != 1:
        raise InputError(
            f"{place}: the mapping for {row} needs exactly one of source, expression and constant; it has "
            f"{' and '.join(kinds) or 'none'}.",
            target=row,
        )
    text = str(given[kinds[0]])
    if kinds[0] == "constant":
        return source.from_constant(text), ()
    if kinds[0] == "source":
        if not text.strip() or set(text) & set('[]()",'):
            raise InputError(
                f"{place}: source must be the name of an attribute, not {text!r}. Use expression for more."
            )
        return source.from_attribute(text.strip()), ()
    try:
        return source.from_expression(text), _checked(text, row, place)
    except InputError as error:
        raise InputError(f"{place}: {row}: {error.message}", target=row, **error.facts) from error


def _checked(expression: str, row: str, place: str) -> tuple[str, ...]:
    """The warnings about an expression, with their place; InputError where the service is sure to refuse it."""
    findings = lint(expression)
    errors = [finding for finding in findings if finding.severity == ERROR]
    if errors:
        raise InputError(" ".join(finding.text for finding in errors), character=errors[0].character)
    return tuple(f"{place}: {row}: {finding.text}" for finding in findings)


def _of_directory(rule: Rule, given: Mapping[str, Any]) -> Rule:
    """A rule that the collection carries out; InputError where it cannot."""
    row = catalogue.attribute(rule.target)
    reason = _not_for_directory(rule, row, given)
    if reason:
        raise InputError(f"{rule.place}: {rule.target}: {reason}", target=rule.target)
    if not rule.source and (rule.flow_type or rule.default or rule.scope):
        return replace(rule, source=source.from_attribute(rule.target))
    return rule


def _not_for_directory(rule: Rule, row: Attribute, given: Mapping[str, Any]) -> str:
    """Why the collection cannot carry out a rule, or an empty text."""
    stated = [name for name in ("flow_behavior", "matching_priority") if name in given]
    if stated:
        return f"the directory writer has no {' and no '.join(stated)}; leave it out."
    if rule.flow_type == flow.OBJECT_ADD_ONLY:
        return f"the directory writer creates no objects, so nothing would ever be written with {flow.OBJECT_ADD_ONLY}."
    if not rule.source and not row.directory_writable:
        return (
            "it cannot have the owner directory: its value in the cloud has no counterpart that could be written to "
            "Active Directory. State a source, an expression or a constant that has."
        )
    node = source.tree(rule.source)
    for call in ex.calls(node):
        if call.name == "Redact":
            return "Redact hides values, and the journal of the directory writer has to hold them; leave it out."
        if needs := FUNCTIONS[call.name].needs if call.name in FUNCTIONS else "":
            return f"{call.name} needs {needs}, which the directory writer does not have. Only the service can do it."
    read = ex.attributes(node) | (scope.attributes(rule.scope) if rule.scope else set())
    unknown = sorted(name for name in read if not source_values.readable(name))
    if unknown:
        return f"the directory writer cannot read [{unknown[0]}] from Exchange Online in a form that AD has too."
    return ""


def of_directory(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that the collection carries out itself."""
    return tuple(rule for rule in rules if rule.owner == DIRECTORY)


def transforms(rule: Rule) -> bool:
    """Whether the rule gives anything but the value that the attribute has in the cloud."""
    own = source.meaning(source.from_attribute(rule.target))
    plain = not rule.source or source.meaning(rule.source) == own
    return not plain or bool(rule.default) or rule.flow_type not in (None, "Always") or rule.scope is not None


def of_job(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that are for the job."""
    return tuple(rule for rule in rules if rule.owner == CLOUD_SYNC)


def checked_target(target: str, place: str) -> str:
    """The catalogue's spelling of a target that may be written back; InputError for any other."""
    try:
        row = catalogue.attribute(target)
    except InputError as error:
        raise InputError(f"{place}: {error.message}", target=target) from error
    if row.cloud_editable not in EDITABLE:
        raise InputError(
            f"{place}: {row.ldap_name} must not be written back: it stays mastered in AD or is the service's own "
            f"({row.cloud_editable}).",
            target=row.ldap_name,
        )
    return row.ldap_name


def unique(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules, or InputError naming both places where two have the same target: the service would take both."""
    found: dict[str, Rule] = {}
    for rule in rules:
        other = found.setdefault(rule.target.lower(), rule)
        if other is not rule and other.owner != rule.owner:
            raise InputError(
                f"{rule.place}: {rule.target} has two owners, {rule.owner} here and {other.owner} at {other.place}. An "
                "attribute has one writer; keep one of these rules.",
                target=rule.target,
            )
        if other is not rule:
            raise InputError(
                f"{rule.place}: {rule.target} is mapped twice, first at {other.place}. Keep one.", target=rule.target
            )
    return tuple(found.values())


def from_option(items: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of the option mappings."""
    return unique(create(item, f"mappings[{index}]") for index, item in enumerate(items))


def _choice(given: Mapping[str, Any], name: str, choices: tuple[str, ...], place: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    for choice in choices:
        if choice.replace("_", "").lower() == str(value).replace("_", "").lower():
            return choice
    raise InputError(f"{place}: {name} must be one of {', '.join(choices)}, not {value!r}.")


def _priority(value: Any, place: str) -> int | None:
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if number < 0:
        raise InputError(f"{place}: matching_priority must be a whole number from 0 on, not {value!r}.")
    return number
