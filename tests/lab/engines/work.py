# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a writeback run works on: the tenant's documents, the job's own schema and the scenario, read once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.lab.engines.credentials import JobFault
from tests.lab.engines.export import Candidate, Settings
from tests.lab.engines.expression_syntax import ExpressionError
from tests.lab.engines.mapping import TYPE_ATTRIBUTES, Mapping, defined_attributes, mappings, user_rule
from tests.lab.engines.readings import readings
from tests.lab.engines.recipient_types import type_name
from tests.lab.engines.scope import Scope, Verdict
from tests.lab.engines.source import change_mark, source_object
from tests.lab.scenario import Scenario
from tests.lab.store import Store

Document = dict[str, Any]


class Work:
    """One run's view of a tenant."""

    def __init__(
        self, store: Store, scenario: Scenario, tenant: Document, job: Document, domain: str, now: datetime
    ) -> None:
        """Read the tenant; JobFault when the job's schema cannot be run."""
        tenant_id = tenant["id"]
        self.users: dict[str, Document] = {user["id"]: user for user in store.list(tenant_id, "user")}
        self.mailboxes: dict[str, Document] = {
            mailbox["ExternalDirectoryObjectId"]: mailbox
            for mailbox in store.list(tenant_id, "mailbox")
            if mailbox.get("ExternalDirectoryObjectId")
        }
        try:
            rule, object_mapping = user_rule(job["_schema"])
        except ExpressionError as error:
            raise JobFault("InvalidSchema", str(error)) from error
        self.rule_id: str = rule.get("id") or ""
        every = mappings(job["_schema"], rule, object_mapping)
        self.matching: list[Mapping] = [one for one in every if one.matching_priority > 0]
        self.mappings: tuple[Mapping, ...] = tuple(one for one in every if one.matching_priority <= 0)
        self.scope = Scope(rule, object_mapping, store.list(tenant_id, "group"))
        flows = {part.strip() for part in (object_mapping.get("flowTypes") or "Update").split(",")}
        self.settings = Settings(
            domain=domain,
            default_domain=tenant["domain"],
            now=now,
            readings=readings(scenario.all()),
            flow_types=frozenset(flows),
        )
        self.next_cycle_sees_flips = scenario.get("flipped_after_start") == "next_cycle"
        self.types_always = scenario.get("type_change_when_not_managed") == "written_back"
        self._type_values: str = scenario.get("type_values")
        self._offered = defined_attributes(
            job["_schema"], rule.get("sourceDirectoryName"), object_mapping.get("sourceObjectName")
        )
        self._added: list[str] | None = None  # of the offered, those that the lab itself does not know
        self._sources: dict[str, dict[str, Any]] = {}

    def source(self, identifier: str) -> dict[str, Any]:
        """The source attributes of a user with a mailbox: those the job's schema offers, and the lab's own.

        An attribute that was added to the schema has the value of the user's Graph property of that name.
        """
        if identifier not in self._sources:
            user = self.users[identifier]
            known = source_object(self.mailboxes[identifier], user, self._type_values)
            if self._added is None:
                folded = {name.casefold() for name in known}
                self._added = [name for name in self._offered if name.casefold() not in folded]
            self._sources[identifier] = {name: user.get(name) for name in self._added} | known
        return self._sources[identifier]

    def mark(self, identifier: str) -> str:
        """A mark of the user's state in the cloud."""
        return change_mark(self.mailboxes[identifier], self.users[identifier])

    def verdict(self, identifier: str) -> Verdict:
        """Whether a user is in scope, and why not."""
        user = self.users.get(identifier)
        if user is None:
            return Verdict(False, "The object does not exist any more.")
        return self.scope.verdict(user, self.mailboxes.get(identifier), lambda: self.source(identifier))

    def in_scope(self) -> set[str]:
        """Ids of all users in scope; ScopeError when a filter cannot be evaluated."""
        return {identifier for identifier in self.mailboxes if self.verdict(identifier).in_scope}

    def candidate(self, identifier: str, only: tuple[Mapping, ...] | None = None) -> Candidate:
        """A user to evaluate, with all mappings or only some."""
        return Candidate(self.users[identifier], self.source(identifier), self.mappings if only is None else only)

    def type_candidates(self) -> list[Candidate]:
        """Users whose flag is false and whose type was changed in the cloud: their type alone is written back.

        Public material contradicts itself here; the scenario's switch decides whether there are any.
        """
        only = tuple(one for one in self.mappings if one.target in TYPE_ATTRIBUTES)
        found = []
        for identifier, mailbox in self.mailboxes.items():
            user, kept = self.users.get(identifier), mailbox.get("_directoryTypes")
            if not self.types_always or not only or user is None or not kept or mailbox.get("IsExchangeCloudManaged"):
                continue
            if not user.get("onPremisesSyncEnabled") or user.get("isCloudManaged"):
                continue
            changed = type_name(kept.get("details")) != mailbox.get("RecipientTypeDetails")
            if changed and self.scope.filtered(user, self.source(identifier)).in_scope:
                found.append(self.candidate(identifier, only))
        return found
