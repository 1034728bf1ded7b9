# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A mapping rule: what an AD attribute shall get from the cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import flow, source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.lint import lint
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.lint_calls import ERROR
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue

FLOW_TYPES = tuple(flow.FLOW_TYPES)
FLOW_BEHAVIORS = ("FlowWhenChanged", "FlowAlways")
KEYS = ("target", "source", "expression", "constant", "flow_type", "flow_behavior", "default", "matching_priority")
FILE_KEYS = (*KEYS, "owner")
# Who writes an attribute. There is one writer for each: the job, or this collection over LDAP.
CLOUD_SYNC, DIRECTORY = OWNERS = ("cloud_sync", "directory")
# Attributes that Exchange Online masters once a mailbox is cloud-managed. Others stay AD's or the service's own.
EDITABLE = frozenset({"yes", "expected", "automatic", "exchange"})


@dataclass(frozen=True)
class Rule:
    """One rule. What is None is left as it is where the mapping exists, and the service's default where it is new.

    place says where the rule is written, for messages: an option or file:line:column. A rule whose owner is the
    directory has no source: the collection takes the value from Exchange Online itself, and the job gets no mapping.
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


def create(fields: Mapping[str, Any], place: str) -> Rule:
    """Check the fields of a rule and make it; InputError begins with the place."""
    given = {name: value for name, value in fields.items() if value is not None}
    target = str(given.get("target") or "").strip()
    if not target:
        raise InputError(f"{place}: a mapping needs a target, the AD attribute that it writes.")
    row = checked_target(target, place)
    if _choice(given, "owner", OWNERS, place) == DIRECTORY:
        return _of_directory(row, given, place)
    kinds = [kind for kind in ("source", "expression", "constant") if kind in given]
    if len(kinds) != 1:
        raise InputError(
            f"{place}: the mapping for {row} needs exactly one of source, expression and constant; it has "
            f"{' and '.join(kinds) or 'none'}.",
            target=row,
        )
    text = str(given[kinds[0]])
    warnings: tuple[str, ...] = ()
    try:
        if kinds[0] == "expression":
            taken = source.from_expression(text)
            warnings = _checked(text, row, place)
        else:
            taken = source.from_attribute(text.strip()) if kinds[0] == "source" else source.from_constant(text)
    except InputError as error:
        raise InputError(f"{place}: {row}: {error.message}", target=row, **error.facts) from error
    if kinds[0] == "source" and (not text.strip() or set(text) & set('[]()",')):
        raise InputError(f"{place}: source must be the name of an attribute, not {text!r}. Use expression for more.")
    flow_type = _choice(given, "flow_type", FLOW_TYPES, place)
    if kinds[0] == "expression" and taken["name"] == "SelectUniqueValue" and flow_type != flow.OBJECT_ADD_ONLY:
        warnings += (f"{place}: {row}: SelectUniqueValue needs the flow type {flow.OBJECT_ADD_ONLY}.",)
    return Rule(
        target=row,
        source=taken,
        flow_type=flow_type,
        flow_behavior=_choice(given, "flow_behavior", FLOW_BEHAVIORS, place),
        default=str(given["default"]) if "default" in given else None,
        matching_priority=_priority(given.get("matching_priority"), place),
        place=place,
        warnings=warnings,
    )


def _checked(expression: str, row: str, place: str) -> tuple[str, ...]:
    """The warnings about an expression, with their place; InputError where the service is sure to refuse it."""
    findings = lint(expression)
    errors = [finding for finding in findings if finding.severity == ERROR]
    if errors:
        raise InputError(" ".join(finding.text for finding in errors), character=errors[0].character)
    return tuple(f"{place}: {row}: {finding.text}" for finding in findings)


def _of_directory(row: str, given: Mapping[str, Any], place: str) -> Rule:
    """A rule that keeps an attribute out of the job; InputError where the collection cannot write it."""
    stated = [name for name in KEYS if name != "target" and name in given]
    if stated:
        raise InputError(
            f"{place}: the owner of {row} is the directory writer, which takes the value from Exchange Online itself; "
            f"leave out {', '.join(stated)}.",
            target=row,
        )
    if not catalogue.attribute(row).directory_writable:
        raise InputError(
            f"{place}: {row} cannot have the owner directory: its value in the cloud has no counterpart that could be "
            "written to Active Directory.",
            target=row,
        )
    return Rule(row, {}, place=place, owner=DIRECTORY)


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
