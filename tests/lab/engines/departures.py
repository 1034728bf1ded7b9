# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users whom the job provisioned and who are not in its scope any more.

Where the flow types of the object mapping have no Delete, they are forgotten. Where they have it, this engine does what
the documentation says of the sister job: whoever leaves the scope is disabled, whoever was deleted from Entra ID is
deleted from AD; and where too many would be, the run stops, with a stagedDelete entry for each in the provisioning log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.lab.engines.credentials import JobFault, skips_out_of_scope_deletes
from tests.lab.engines.directory import Directory
from tests.lab.engines.events import NOT_IN_SCOPE, Outcome
from tests.lab.engines.export import Candidate, Targets, remove
from tests.lab.engines.work import Work

Document = dict[str, Any]

_KEPT = ("id", "userPrincipalName", "displayName", "onPremisesImmutableId")


@dataclass
class Departures:
    """What became of those who left. ``kept``: ids that the job has to look at again; ``staged``: held back deletes."""

    outcomes: list[Outcome] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    staged: list[str] = field(default_factory=list)
    blocked_by: JobFault | None = None


def link(user: Document) -> Document:
    """What the job keeps of a user it provisioned, so that it knows whom to remove once the user is gone."""
    return {name: user.get(name) for name in _KEPT}


def links(job: Document) -> dict[str, Document]:
    """Whose object in AD the job has found, by id. A full restart forgets what was evaluated, not what is linked."""
    return dict(job.get("_linked") or {})  # jobs of older run directories have none


def settle(
    job: Document,
    work: Work,
    directory: Directory,
    in_scope: set[str],
    secrets: dict[str, str],
    threshold: int | None,
    told: bool,
) -> Departures:
    """Deal with everyone who left.

    ``threshold``: how many deletes stop the run; None: none do. ``told``: whether the message says how many.
    """
    linked = links(job)
    left = sorted(set(linked) - in_scope)
    found = Departures()
    actions = _actions(left, work, skips_out_of_scope_deletes(secrets)) if work.settings.deletes else {}
    users = {one: work.users.get(one) or linked[one] for one in left}
    if actions:
        targets = Targets(directory, [Candidate(users[one], {}, ()) for one in actions], [])
        # What AD does not have any more needs no deleting, and is not counted.
        actions = {one: action for one, action in actions.items() if len(targets.by_anchor(users[one])) == 1}
        if threshold is not None and len(actions) >= max(1, threshold) and not job["_forceDeletes"]:
            found.staged = list(actions)
            found.kept = set(left)
            found.outcomes = [remove(directory, targets, users[one], "stagedDelete") for one in actions]
            found.blocked_by = _too_many(len(actions), threshold, told)
            return found
        for one, action in actions.items():
            outcome = remove(directory, targets, users[one], action)
            found.outcomes.append(outcome)
            if outcome.status == "failure":
                found.kept.add(one)
    for one in left:
        if one not in actions and one in work.users:
            found.outcomes.append(Outcome(work.users[one], "skipped", NOT_IN_SCOPE, work.verdict(one).reason))
    return found


def _actions(left: list[str], work: Work, skip_out_of_scope: bool) -> dict[str, str]:
    """Who is to be removed from AD, and how."""
    found = {}
    for one in left:
        if one not in work.users:
            found[one] = "delete"
        elif work.verdict(one).deprovisioned and not skip_out_of_scope:
            found[one] = "disable"
    return found


def _too_many(count: int, threshold: int, told: bool) -> JobFault:
    pending = (
        f"{count} deletes are pending and {threshold} stop the job; look at the scope"
        if told
        else "More deletes are pending than the threshold lets pass; look at the provisioning log and the scope"
    )
    text = f"{pending}, then restart with ForceDeletes to let them pass."
    return JobFault("TooManyDeletes", text, reason="TooManyDeletes")
