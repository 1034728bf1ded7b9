# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What AD shall hold of a mailbox: by the catalogue, or by rules where there are any.

One object goes through reading, digests, planning and comparing, so that all of them mean the same values. Where no
rule says otherwise, an attribute gets the value that the catalogue takes from Exchange Online.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import mapped as mappings
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import scope as scopes
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source as sources
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source_values
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    NOTHING_KNOWN,
    Context,
    EvaluationError,
    NotFlowed,
    Read,
    Undetermined,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.mapped import Mapped, Problem
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import Rule
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import (
    TYPE_CASTS,
    TYPE_PROPERTY,
    Digester,
    Digests,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest_rules import RuleDigester
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.names import below
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_store import id_key

Wanted: TypeAlias = "Values | NotFlowed | None"
"""What one attribute of one mailbox shall be: values, NOT_FLOWED for what AD has, None where it cannot be said."""

NO_PROBLEMS: Mapping[str, Problem] = MappingProxyType({})
# The Exchange properties behind what source_values takes from the user.
_PROPERTY_OF_FIELD = {
    "user_principal_name": "UserPrincipalName",
    "display_name": "DisplayName",
    "id": "ExternalDirectoryObjectId",
}


@dataclass(frozen=True)
class Ruled:
    """How a rule gives one attribute its value, and for whom; outside its scope the attribute stays as it is.

    members are keys of object ids (reconcile_store.id_key), or None where the scope names no group.
    """

    mapped: Mapped
    organizational_units: tuple[str, ...] = ()
    members: Collection[bytes] | None = None
    condition: scopes.Condition | None = None

    @cached_property
    def own(self) -> bool:
        """Whether the value is the one that the catalogue gives, so that nothing has to be computed."""
        node = None if self.mapped.compute is None else self.mapped.compute.node
        target = self.mapped.target
        return (
            isinstance(node, ex.Attribute)
            and target.cast is not None
            and not self.mapped.default
            and source_values.lookup(node.name) is target
        )

    @property
    def scoped(self) -> bool:
        """Whether it counts for some mailboxes only."""
        return bool(self.organizational_units) or self.members is not None or self.condition is not None

    def covers(self, mailbox: Mailbox, user: DirectoryUser | None, read: Read, context: Context) -> bool | Problem:
        """Whether a mailbox is in scope."""
        name = user.distinguished_name if user else ""
        if self.organizational_units and not any(below(name, unit) for unit in self.organizational_units):
            return False
        if self.members is not None and id_key(mailbox.id) not in self.members:
            return False
        if self.condition is None:
            return True
        try:
            return self.condition.holds(read, context)
        except (EvaluationError, Undetermined) as error:
            return Problem(f"The scope of the rule: {error.message}", isinstance(error, Undetermined))


NO_RULES: Mapping[str, Ruled] = MappingProxyType({})


@dataclass(frozen=True)
class Desired:
    """What AD shall hold of these attributes. style is how AD notes recipient types.

    rules are by the attribute's name in AD; without one the catalogue's value counts. fingerprint tells rules apart,
    for what is kept between runs; it is empty without rules.
    """

    attributes: tuple[Attribute, ...]
    style: str = "remote"
    rules: Mapping[str, Ruled] = field(default_factory=lambda: NO_RULES)
    context: Context = field(default=NOTHING_KNOWN, repr=False)
    fingerprint: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the attributes in AD."""
        return tuple(item.ldap_name for item in self.attributes)

    @cached_property
    def properties(self) -> tuple[str, ...]:
        """The properties of mailboxes to read."""
        plain = (item.exchange_property for item in self.attributes if not self._is_computed(item))
        return tuple(dict.fromkeys((*(name for name in plain if name), *self._of_rules)))

    @cached_property
    def _computed(self) -> tuple[Attribute, ...]:
        return tuple(item for item in self.attributes if self._is_computed(item))

    def _is_computed(self, attribute: Attribute) -> bool:
        ruled = self.rules.get(attribute.ldap_name)
        return ruled is not None and not ruled.own

    @cached_property
    def _user_properties(self) -> frozenset[str]:
        """The properties of the user that rules read, which the reading of rows gives under other names."""
        found = (source_values.OF_USER.get(name.casefold()) for name in self._source_names)
        return frozenset(_PROPERTY_OF_FIELD[name] for name in found if name)

    @cached_property
    def _source_names(self) -> frozenset[str]:
        return frozenset(name for item in self._computed for name in self.rules[item.ldap_name].mapped.sources)

    @cached_property
    def _of_rules(self) -> tuple[str, ...]:
        """The properties that rules and the filters of their scopes read."""
        names = set(self._source_names)
        for ruled in self.rules.values():
            names |= ruled.condition.sources if ruled.condition else frozenset()
        user = {source_values.OF_USER[name.casefold()] for name in names if name.casefold() in source_values.OF_USER}
        return tuple(
            sorted({*source_values.properties(names), *(_PROPERTY_OF_FIELD[name] for name in user)} - {TYPE_PROPERTY})
        )

    def values(
        self, mailbox: Mailbox, user: DirectoryUser | None = None
    ) -> tuple[tuple[Wanted, ...], Mapping[str, Problem]]:
        """What the attributes shall be, in their order, and by attribute why some cannot be said."""
        found: list[Wanted] = []
        problems: dict[str, Problem] = {}
        read = source_values.reader(mailbox, self.style) if self.rules else None
        for item in self.attributes:
            ruled = self.rules.get(item.ldap_name) if read else None
            value: Values | NotFlowed | Problem
            if ruled is None or read is None:
                value = self._plain(mailbox, item)
            else:
                value = self._by_rule(mailbox, user, item, ruled, read)
            if isinstance(value, Problem):
                problems[item.ldap_name] = value
                found.append(None)
            else:
                found.append(value)
        return tuple(found), problems or NO_PROBLEMS

    def _plain(self, mailbox: Mailbox, item: Attribute) -> Values | Problem:
        name = item.exchange_property
        if name is not None and item.cast not in TYPE_CASTS and name not in mailbox.properties:
            # Absent is not empty: taking it for empty would clear the value in AD.
            return Problem(f"Exchange Online did not return its property {name}", True)
        try:
            return mailbox.values(item, self.style)
        except InputError as error:
            return Problem(error.message, True)

    def _by_rule(
        self, mailbox: Mailbox, user: DirectoryUser | None, item: Attribute, ruled: Ruled, read: Read
    ) -> Values | NotFlowed | Problem:
        if ruled.scoped:
            covered = ruled.covers(mailbox, user, read, self.context)
            if covered is not True:
                return covered or NOT_FLOWED
        return self._plain(mailbox, item) if ruled.own else ruled.mapped.desired(read, self.context)

    def targets(self, held: Sequence[Values], wanted: Sequence[Wanted]) -> Sequence[Values | None]:
        """What AD shall hold in the end, by the flow types of the rules, where it holds these values now."""
        return [self._target(*each) for each in zip(self.attributes, held, wanted, strict=True)]

    def _target(self, item: Attribute, held: Values, wanted: Wanted) -> Values | None:
        if wanted is None:
            return None
        if isinstance(wanted, NotFlowed):
            return held
        ruled = self.rules.get(item.ldap_name)
        return wanted if ruled is None else ruled.mapped.after(held, wanted)

    def digester(self) -> Digests:
        """What makes the digests of both sides.

        Scopes and flow types do not count there: where both sides are equal there is nothing to do either way, and
        where they are not, the mailbox is judged whole.
        """
        plain = Digester([item for item in self.attributes if not self._is_computed(item)], self.style)
        if not self._computed and set(self._of_rules) <= set(plain.properties):
            return plain
        return RuleDigester(plain, self._computed, self._of_rules, self._computed_values)

    def _computed_values(self, row: Mapping[str, Any]) -> list[Values] | None:
        """What rules give for a raw row of Exchange Online; None where one gives nothing to compare."""
        if not all(row.get(name) for name in self._user_properties):
            return None
        read = source_values.reader(mailbox_of(row), self.style)
        found: list[Values] = []
        for item in self._computed:
            value = self.rules[item.ldap_name].mapped.desired(read, self.context)
            if isinstance(value, (NotFlowed, Problem)):
                return None
            found.append(value)
        return found


def mailbox_of(row: Mapping[str, Any]) -> Mailbox:
    """A mailbox of the properties that were read for comparing."""
    return Mailbox(
        id=str(row.get("ExternalDirectoryObjectId") or "").lower(),
        user_principal_name=str(row.get("UserPrincipalName") or ""),
        display_name=str(row.get("DisplayName") or ""),
        primary_smtp_address="",
        recipient_type="",
        recipient_type_details=str(row.get(TYPE_PROPERTY) or ""),
        dir_synced=True,
        cloud_managed=False,
        when_changed="",
        properties=row,
    )


def by_rules(
    attributes: Iterable[Attribute],
    rules: Iterable[Rule],
    style: str,
    members: Callable[[str], Iterable[str]],
    context: Context = NOTHING_KNOWN,
) -> Desired:
    """These attributes as the rules for them say, and by the catalogue where no rule says anything.

    members gives the object ids of the users in a group. InputError with the place of a rule that cannot be used.
    """
    wanted = tuple(attributes)
    names = {item.ldap_name for item in wanted}
    stated = [rule for rule in rules if rule.source and rule.target in names]
    ruled = {rule.target: _ruled(rule, members) for rule in stated}
    return Desired(wanted, style, ruled, context, _fingerprint(stated))


def _ruled(rule: Rule, members: Callable[[str], Iterable[str]]) -> Ruled:
    try:
        mapped = mappings.from_rule(rule)
    except InputError as error:
        raise InputError(f"{rule.place}: {error.message}", **error.facts) from error
    scope = rule.scope
    if scope is None:
        return Ruled(mapped)
    found = {id_key(key) for group in scope.groups for key in members(group)} if scope.groups else None
    return Ruled(mapped, scope.organizational_units, found, scopes.condition(scope))


def _fingerprint(rules: Sequence[Rule]) -> str:
    if not rules:
        return ""
    parts = sorted(
        repr((rule.target, sources.meaning(rule.source), rule.flow_type, rule.default, rule.scope)) for rule in rules
    )
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
