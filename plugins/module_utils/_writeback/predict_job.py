# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a job will do, by its schema: which values its mappings give, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import job_filter
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import Context
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.mapped import Mapped, Problem, from_schema
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import SERVICE_MANAGED
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.scope import Condition
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired, Ruled
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.names import below
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_store import id_key
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source

Members = Callable[[str], Iterable[str]]
"""The object ids of the users in a group."""


@dataclass(frozen=True)
class JobPlan:
    """What the mappings give (``desired``), who is in scope of the job, and what cannot be told of it.

    ``members`` are keys of object ids, or None where the job has no groups. ``left_out`` says by target why a mapping
    is no part of the prediction.
    """

    desired: Desired
    containers: tuple[str, ...]
    members: frozenset[bytes] | None
    left_out: Mapping[str, str]
    redacted: frozenset[str]
    warnings: tuple[str, ...]

    def covers(self, source: Source) -> bool:
        """Whether a mailbox is in scope. Where a job has units and groups, either is enough here: that predicts the
        greater loss."""
        if not self.containers and self.members is None:
            return True
        if any(below(source.distinguished_name, unit) for unit in self.containers):
            return True
        return self.members is not None and id_key(source.id) in self.members


def of_schema(
    schema: Mapping[str, Any],
    *,
    style: str,
    proxy_addresses: str,
    domain: str,
    members: Members,
    organization: Callable[[], Mapping[str, Any]],
) -> JobPlan:
    """The plan of a schema. organization is asked only where a mapping needs what Graph knows of the tenant."""
    found, unreadable = from_schema(schema, proxy_addresses=proxy_addresses)
    warnings = _warnings(schema)
    if not _updates(schema):
        found, unreadable = (), {}
    by_target: dict[str, list[Mapped]] = {}
    for item in found:
        by_target.setdefault(item.target.ldap_name, []).append(item)
    rules = {name: Ruled(_one(name, items)) for name, items in by_target.items()}
    left_out = {name: "the service manages this mapping itself" for name in rules if name.lower() in SERVICE_MANAGED}
    for name, reason in unreadable.items():
        target = _target(name)
        if target is None or name.lower() in SERVICE_MANAGED:
            left_out[name] = reason
        else:
            rules[target] = Ruled(_unknown(target, reason))
    filtered = _filter(schema)
    rules = {name: replace(ruled, condition=filtered) for name, ruled in rules.items() if name not in left_out}
    needs = {need for ruled in rules.values() for need in ruled.mapped.needs}
    context = Context(
        settings={"DomainFQDN": domain},
        default_domain=_default_domain(organization()) if FUNCTIONS["DefaultDomain"].needs in needs else None,
    )
    groups = schemas.groups(schema)
    return JobPlan(
        Desired(tuple(catalogue.attribute(name) for name in rules), style, rules, context),
        tuple(schemas.containers(schema)),
        frozenset(id_key(key) for group in groups for key in members(group)) if groups else None,
        left_out,
        frozenset(name for name, ruled in rules.items() if ruled.mapped.redacted),
        warnings,
    )


def _one(name: str, items: Sequence[Mapped]) -> Mapped:
    """The mapping of a target. Several object mappings repeat it, which does not matter where they agree."""
    if len({_meaning(item) for item in items}) == 1:
        return items[0]
    return _unknown(name, f"the job maps {name} more than once, and the service does not say which mapping counts")


def _meaning(item: Mapped) -> tuple[Any, ...]:
    node = None if item.compute is None else item.compute.node
    return (node, item.flow_type, item.default, item.case_exact)


def _unknown(name: str, reason: str) -> Mapped:
    return Mapped(catalogue.attribute(name), None, constant=Problem(reason, undetermined=True))


def _target(name: str) -> str | None:
    try:
        return catalogue.attribute(name).ldap_name
    except InputError:
        return None


def _default_domain(organization: Mapping[str, Any]) -> str | None:
    domains = organization.get("verifiedDomains") or ()
    return next((str(item["name"]) for item in domains if item.get("isDefault") and item.get("name")), None)


def _updates(schema: Mapping[str, Any]) -> bool:
    flows = schemas.flow_types(schema)
    return not flows or "Update" in flows


def _warnings(schema: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    if not _updates(schema):
        flows = ", ".join(sorted(schemas.flow_types(schema)))
        found.append(f"The job may only {flows} objects, so it changes no object that exists.")
    scopes = [item.get("scope") for item in schemas.user_mappings(schema)]
    if len(scopes) > 1 and any(map(job_filter.condition, scopes)):
        found.append(
            "The job maps users more than once, with scoping filters. Those are no part of the prediction: mailboxes "
            "that they leave out are predicted as if they were in scope."
        )
    elif clauses := [words for scope in scopes for words in job_filter.untold(scope)]:
        found.append(
            f"Clauses of the job's scoping filter cannot be judged here ({', '.join(clauses)}). Mailboxes that they "
            "leave out are predicted as if they were in scope."
        )
    return tuple(found)


def _filter(schema: Mapping[str, Any]) -> Condition | None:
    """The scoping filter. Where users are mapped more than once nobody knows whose counts, so everybody is in scope."""
    items = schemas.user_mappings(schema)
    return job_filter.condition(items[0].get("scope")) if len(items) == 1 else None
