# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing users' Exchange attributes to AD: finding each one's object, comparing, changing what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.lab.engines.anchors import anchor, anchor_bytes
from tests.lab.engines.directory import Directory, DirectoryRefusal, Entry
from tests.lab.engines.events import LDAP_ERRORS, OTHER_LDAP_ERROR, REDUNDANT, Outcome
from tests.lab.engines.expression_syntax import Context, ExpressionError
from tests.lab.engines.functions import as_text
from tests.lab.engines.ldap_values import any_of
from tests.lab.engines.mapping import Mapping, changes, value_of
from tests.lab.engines.readings import Readings

Document = dict[str, Any]

_USERS = "(&(objectClass=user)(!(objectClass=computer)))"
_BY_FILTER = 40
_ALWAYS_READ = ["objectGUID", "mS-DS-ConsistencyGuid", "userAccountControl"]
_DISABLED = 2


@dataclass(frozen=True)
class Candidate:
    """One user to evaluate: its source attributes and the mappings that apply to it."""

    user: Document
    source: dict[str, Any]
    mappings: tuple[Mapping, ...]


@dataclass(frozen=True)
class Settings:
    """What an export needs to know of the job, tenant and scenario."""

    domain: str
    default_domain: str | None
    now: datetime
    readings: Readings
    flow_types: frozenset[str]

    @property
    def deletes(self) -> bool:
        """Whether the job may remove objects from AD."""
        return "Delete" in self.flow_types

    def context(self, source: dict[str, Any]) -> Context:
        """What expressions see for one user."""
        settings = {"DomainFQDN": self.domain}
        return Context(source, settings, self.default_domain, self.now, self.readings.null_comparison)


class Targets:
    """The AD objects of a run, read with as few searches as it takes."""

    def __init__(self, directory: Directory, candidates: Iterable[Candidate], matching: list[Mapping]) -> None:
        wanted = list(candidates)
        attributes = list(
            dict.fromkeys(
                [
                    *_ALWAYS_READ,
                    *(one.target for one in matching),
                    *(one.target for candidate in wanted for one in candidate.mappings),
                ]
            )
        )
        raw = [anchor_bytes(candidate.user.get("onPremisesImmutableId") or "") for candidate in wanted]
        known = [one for one in raw if one]
        if len(wanted) <= _BY_FILTER and not matching:
            search_filter = f"(|{any_of('objectGUID', known)}{any_of('mS-DS-ConsistencyGuid', known)})" if known else ""
        else:
            search_filter = _USERS
        self._entries = directory.search(search_filter, attributes) if search_filter and wanted else []
        self._matching = sorted(matching, key=lambda one: one.matching_priority)
        self._by_anchor: dict[str, list[Entry]] = {}
        for entry in self._entries:
            self._by_anchor.setdefault(anchor(entry), []).append(entry)

    def by_anchor(self, user: Document) -> list[Entry]:
        """The objects that have a user's source anchor."""
        return self._by_anchor.get(user.get("onPremisesImmutableId") or "", [])

    def find(self, candidate: Candidate, settings: Settings) -> list[Entry]:
        """The objects that match a user: by the schema's matching attributes if it has any, else by source anchor."""
        if not self._matching:
            return self.by_anchor(candidate.user)
        context = settings.context(candidate.source)
        for mapping in self._matching:
            value = as_text(value_of(mapping, context)).casefold()
            found = [
                entry
                for entry in self._entries
                if value and value in (text.casefold() for text in entry.texts(mapping.target))
            ]
            if found:
                return found
        return []


def export(directory: Directory, targets: Targets, candidate: Candidate, settings: Settings) -> Outcome:
    """Bring one user's AD object up to date; every failure of this one object becomes an outcome."""
    user = candidate.user
    try:
        found = targets.find(candidate, settings)
    except ExpressionError as error:
        return Outcome(user, "failure", "AttributeMappingError", str(error))
    if not found:
        return Outcome(
            user,
            "failure",
            LDAP_ERRORS[32],
            f"No object in the directory has the source anchor {user.get('onPremisesImmutableId')}.",
        )
    if len(found) > 1:
        names = "; ".join(sorted(entry.dn for entry in found))
        return Outcome(user, "failure", "DuplicateTargetEntries", f"{len(found)} objects match the user: {names}.")
    entry = found[0]
    try:
        needed = changes(list(candidate.mappings), settings.context(candidate.source), entry, settings.readings)
    except ExpressionError as error:
        return Outcome(user, "failure", "AttributeMappingError", str(error), entry.dn)
    if not needed or "Update" not in settings.flow_types:
        return Outcome(user, "skipped", REDUNDANT, dn=entry.dn)
    try:
        directory.replace(entry.dn, {change.attribute: list(change.raw) for change in needed}, _name(user))
    except DirectoryRefusal as error:
        return _refused(user, entry, error)
    return Outcome(user, "success", dn=entry.dn, changes=tuple(needed))


def remove(directory: Directory, targets: Targets, user: Document, action: str) -> Outcome:
    """What the sister job does to a user who left, when its flow types have Delete: ``disable`` or ``delete``.

    ``stagedDelete`` only names the object. The user has exactly one object among ``targets``.
    """
    (entry,) = targets.by_anchor(user)
    control = entry.number("userAccountControl") or 512
    try:
        if action == "delete":
            directory.delete(entry.dn, _name(user))
        elif action == "disable" and not control & _DISABLED:
            directory.replace(entry.dn, {"userAccountControl": [str(control | _DISABLED).encode()]}, _name(user))
    except DirectoryRefusal as error:
        return _refused(user, entry, error, action)
    return Outcome(user, "success", dn=entry.dn, action=action)


def _name(user: Document) -> str:
    return user.get("userPrincipalName") or ""


def _refused(user: Document, entry: Entry, error: DirectoryRefusal, action: str = "update") -> Outcome:
    code = LDAP_ERRORS.get(error.code, OTHER_LDAP_ERROR)
    text = f"The directory refused the change of {entry.dn}: {error}"
    return Outcome(user, "failure", code, text, entry.dn, action=action)
