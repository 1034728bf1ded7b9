# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in scope of the job: the flag, object-level authority, containers, groups and scoping filters.

What the documentation says of scoping filters: the clauses of a group are joined by AND, groups by OR; texts are
compared case-sensitively; a clause on an attribute without a value is false (IS NULL excepted); numbers are whole
numbers; ISMEMBEROF is not supported. Of multi-valued attributes all values have to satisfy a clause
(``multivaluedComparisonType`` All, the default). Whoever stops to pass ``inputFilterGroups`` is not deprovisioned,
unlike those who leave the scope in any other way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.engines.functions import as_list, as_text, is_true, pattern_of
from tests.lab.engines.ldap_values import dn_key, is_below

Document = dict[str, Any]


class ScopeError(Exception):
    """A scope that cannot be evaluated; the text says which part and why."""


@dataclass(frozen=True)
class Verdict:
    """Whether a user is in scope; ``reason`` says what keeps it out.

    ``deprovisioned``: whether leaving the scope in this way disables the account, where the flow types have Delete.
    """

    in_scope: bool
    reason: str = ""
    deprovisioned: bool = True


class Scope:
    """The scope of one rule and its user mapping, prepared for many users."""

    def __init__(self, rule: Document, mapping: Document, groups: list[Document]) -> None:
        self._containers = list((rule.get("containerFilter") or {}).get("includedContainers") or [])
        wanted = list((rule.get("groupFilter") or {}).get("includedGroups") or [])
        self._members = _members(wanted, groups) if wanted else None
        filters = mapping.get("scope") or {}
        # A user has to pass each kind of filter that has groups; within a kind one group is enough.
        self._filters = [filters.get(name) or [] for name in ("groups", "categoryFilterGroups")]
        self._input: list[Document] = filters.get("inputFilterGroups") or []

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
        if self._input and not any(_passes(group, source) for group in self._input):
            return Verdict(False, "The object passes none of the input filters.", deprovisioned=False)
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
    if operator == "ISMEMBEROF":
        raise ScopeError(f"A scoping filter on {name} has the operator ISMEMBEROF, which is not supported.")
    if operator in NULL_OPERATORS:
        return (value is None or value in ("", [])) is (operator == "IS NULL")
    evaluate = OPERATORS.get(operator)
    if evaluate is None:
        raise ScopeError(f"A scoping filter has the operator {clause.get('operatorName')!r}, which does not exist.")
    values = [one for one in as_list(value) if one not in (None, "")]
    try:
        return bool(values) and all(evaluate(one, wanted) for one in values)
    except (re.error, ValueError) as error:
        raise ScopeError(f"A scoping filter on {name} cannot be evaluated: {error}.") from error


def _matches(value: Any, wanted: list[str]) -> bool:
    return any(pattern_of(pattern).search(as_text(value)) for pattern in wanted)


def _equals(value: Any, wanted: list[str]) -> bool:
    return as_text(value) in wanted


def _greater(value: Any, wanted: list[str], or_equal: bool) -> bool:
    limits = [int(one) for one in wanted]
    try:
        number = int(as_text(value))
    except ValueError:
        return False  # the attribute has to be a whole number, too
    return any(number > limit or (or_equal and number == limit) for limit in limits)


NULL_OPERATORS = ("IS NULL", "IS NOT NULL")
# Operator -> whether one value satisfies the clause; only asked for values that are there.
OPERATORS: dict[str, Callable[[Any, list[str]], bool]] = {
    "EQUALS": _equals,
    "NOT EQUALS": lambda value, wanted: not _equals(value, wanted),
    "IS TRUE": lambda value, _wanted: is_true(value),
    "IS FALSE": lambda value, _wanted: not is_true(value),
    "REGEX MATCH": _matches,
    "NOT REGEX MATCH": lambda value, wanted: not _matches(value, wanted),
    "INCLUDES": lambda value, wanted: any(one in as_text(value) for one in wanted),
    "ENDS WITH": lambda value, wanted: any(as_text(value).endswith(one) for one in wanted),
    "&": lambda value, wanted: any(as_text(value) in one for one in wanted),
    "!&": lambda value, wanted: not any(as_text(value) in one for one in wanted),
    "GREATER THAN": lambda value, wanted: _greater(value, wanted, or_equal=False),
    "GREATER THAN OR EQUALS": lambda value, wanted: _greater(value, wanted, or_equal=True),
}
