# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in scope of the job: the flag, object-level authority, containers, groups and scoping filters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.engines.functions import as_list, as_text, is_true
from tests.lab.engines.ldap_values import dn_key, is_below

Document = dict[str, Any]


class ScopeError(Exception):
    """A scope that cannot be evaluated; the text says which part and why."""


@dataclass(frozen=True)
class Verdict:
    """Whether a user is in scope; ``reason`` says what keeps it out."""

    in_scope: bool
    reason: str = ""


class Scope:
    """The scope of one rule and its user mapping, prepared for many users."""

    def __init__(self, rule: Document, mapping: Document, groups: list[Document]) -> None:
        self._containers = list((rule.get("containerFilter") or {}).get("includedContainers") or [])
        wanted = list((rule.get("groupFilter") or {}).get("includedGroups") or [])
        self._members = _members(wanted, groups) if wanted else None
        filters = mapping.get("scope") or {}
        # A user has to pass each kind of filter that has groups; within a kind one group is enough.
        self._filters = [filters.get(name) or [] for name in ("groups", "inputFilterGroups", "categoryFilterGroups")]

    def filtered(self, user: Document, source: dict[str, Any]) -> Verdict:
        """The verdict of containers, groups and scoping filters alone."""
        name = user.get("onPremisesDistinguishedName") or ""
        if self._containers and not any(is_below(name, container) for container in self._containers):
            return Verdict(False, "The object is in none of the included containers.")
        if self._members is not None and user["id"] not in self._members:
            return Verdict(False, "The object is a member of none of the included groups.")
        for groups in self._filters:
            if groups and not any(_passes(group, source) for group in groups):
                return Verdict(False, "The object passes none of the scoping filters.")
        return Verdict(True)

    def verdict(self, user: Document, mailbox: Document | None, source: Callable[[], dict[str, Any]]) -> Verdict:
        """Whether the job writes this user's Exchange attributes back."""
        if mailbox is None:
            return Verdict(False, "The object has no mailbox in Exchange Online.")
        if not user.get("onPremisesSyncEnabled") or user.get("isCloudManaged"):
            return Verdict(False, "The object is not synchronized from Active Directory.")
        if not mailbox.get("IsExchangeCloudManaged"):
            return Verdict(False, "IsExchangeCloudManaged of the mailbox is False.")
        return self.filtered(user, source())


def _members(wanted: list[str], groups: list[Document]) -> set[str]:
    """Ids of all direct and nested members of the groups, which are named by id or distinguished name."""
    by_id = {group["id"]: group for group in groups}
    by_dn = {dn_key(group["_distinguishedName"]): group["id"] for group in groups if group.get("_distinguishedName")}
    pending = [name if name in by_id else by_dn.get(dn_key(name), "") for name in wanted]
    seen: set[str] = set()
    while pending:
        current = pending.pop()
        if current not in seen:
            seen.add(current)
            pending.extend((by_id.get(current) or {}).get("_members") or ())
    return seen


def _passes(group: Document, source: dict[str, Any]) -> bool:
    return all(_clause(clause, source) for clause in group.get("clauses") or ())


def _clause(clause: Document, source: dict[str, Any]) -> bool:
    name = clause.get("sourceOperandName") or ""
    folded = {known.casefold(): known for known in source}
    if name.casefold() not in folded:
        raise ScopeError(f"A scoping filter names the source attribute {name!r}, which does not exist.")
    value = source[folded[name.casefold()]]
    wanted = [as_text(one) for one in (clause.get("targetOperand") or {}).get("values") or ()]
    operator = (clause.get("operatorName") or "").upper().replace("_", " ").strip()
    evaluate = OPERATORS.get(operator)
    if evaluate is None:
        raise ScopeError(f"A scoping filter has the operator {clause.get('operatorName')!r}, which does not exist.")
    try:
        return evaluate(value, wanted)
    except (re.error, ValueError) as error:
        raise ScopeError(f"A scoping filter on {name} cannot be evaluated: {error}.") from error


def _matches(value: Any, wanted: list[str]) -> bool:
    return any(re.search(pattern, as_text(one)) for one in as_list(value) for pattern in wanted)


def _equals(value: Any, wanted: list[str]) -> bool:
    return any(as_text(one) == other for one in as_list(value) for other in wanted)


def _includes(value: Any, wanted: list[str]) -> bool:
    return any(other.casefold() in as_text(one).casefold() for one in as_list(value) for other in wanted)


def _greater(value: Any, wanted: list[str], or_equal: bool) -> bool:
    return any(
        float(as_text(one)) > float(other) or (or_equal and float(as_text(one)) == float(other))
        for one in as_list(value)
        for other in wanted
    )


OPERATORS: dict[str, Callable[[Any, list[str]], bool]] = {
    "EQUALS": _equals,
    "NOT EQUALS": lambda value, wanted: not _equals(value, wanted),
    "IS NULL": lambda value, _wanted: value is None or value in ("", []),
    "IS NOT NULL": lambda value, _wanted: not (value is None or value in ("", [])),
    "IS TRUE": lambda value, _wanted: value is not None and is_true(value),
    "IS FALSE": lambda value, _wanted: value is not None and not is_true(value),
    "REGEX MATCH": _matches,
    "NOT REGEX MATCH": lambda value, wanted: not _matches(value, wanted),
    "INCLUDES": _includes,
    "NOT INCLUDES": lambda value, wanted: not _includes(value, wanted),
    "GREATER THAN": lambda value, wanted: _greater(value, wanted, or_equal=False),
    "GREATER THAN OR EQUALS": lambda value, wanted: _greater(value, wanted, or_equal=True),
}
