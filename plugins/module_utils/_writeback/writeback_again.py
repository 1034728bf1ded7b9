# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Read mailboxes and their objects again, by id: for objects that moved during a run, and for saved plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    NotFound,
    Refused,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import collisions, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply import Written
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply_judge import FAILED, UNCHANGED
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.planning import ObjectPlan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory, Mailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, read_sources

BATCH = 100  # mailboxes per request once one of all of them turned out to be missing


@dataclass(frozen=True)
class Reader:
    """Reads and plans single mailboxes as the run does with all of them."""

    mailboxes: Mailboxes
    directory: Directory
    desired: Desired
    merge: bool
    anchor_names: tuple[str, ...]

    def sources(self, ids: Sequence[str]) -> dict[str, Source | HybridError]:
        """The mailboxes with these ids. One that cannot be read does not keep the others from being read."""
        try:
            selection = Selection("identities", tuple(ids), allow_empty=True)
            found = read_sources(self.mailboxes, selection, self.desired, progress=Progress(None))
        except (InputError, NotFound) as error:
            if len(ids) == 1:
                return {ids[0]: error}
            size = BATCH if len(ids) > BATCH else 1
            return {key: item for batch in join.batches(ids, size) for key, item in self.sources(batch).items()}
        return {source.id: source for source in found}

    def plans(self, changes: Sequence[ObjectChange]) -> dict[bytes, ObjectPlan | HybridError]:
        """What is right for these objects now, by objectGUID."""
        sources = self.sources([change.id for change in changes])
        names = [*self.anchor_names, *self.desired.names]
        entries = join.by_guid(self.directory, [change.guid for change in changes], names)
        return {change.guid: self._plan(change, sources.get(change.id), entries.get(change.guid)) for change in changes}

    def _plan(
        self, change: ObjectChange, source: Source | HybridError | None, entry: join.Entry | None
    ) -> ObjectPlan | HybridError:
        if isinstance(source, HybridError):
            return source
        if source is None:
            return NotFound(f"The mailbox {change.name} does not exist any more.", object=change.name)
        if settled := planning.settle(source):
            return settled
        if entry is None:
            return NotFound(f"{change.dn} does not exist any more.", object=change.dn)
        if join.anchor_of(entry, self.anchor_names) != source.anchor:
            return Conflict(f"{entry.dn} is not the object of {change.name} any more.", object=entry.dn, code="moved")
        return planning.plan_object(source, entry, self.desired, merge=self.merge)


@dataclass
class PlanAgain:
    """Plans objects again whose values moved while they were written; ``plans`` are the new plans, by mailbox id."""

    reader: Reader
    plans: dict[str, ObjectPlan] = field(default_factory=dict)

    def __call__(self, changes: Sequence[ObjectChange], /) -> dict[bytes, ObjectChange | Written]:
        """See apply.PlanAgain. The mailbox is read again too: who moved the object may have had newer values of it."""
        found = self.reader.plans(changes)
        planned, _warnings = collisions.check(
            [item for item in found.values() if isinstance(item, ObjectPlan)], self.reader.directory
        )
        by_id = {item.source.id: item for item in planned}
        return {change.guid: self._next(change, found[change.guid], by_id) for change in changes}

    def _next(
        self, change: ObjectChange, found: ObjectPlan | HybridError, by_id: dict[str, ObjectPlan]
    ) -> ObjectChange | Written:
        if isinstance(found, HybridError):
            return Written(change, FAILED, found)
        plan = by_id[change.id]
        self.plans[change.id] = plan
        if plan.outcome == planning.CHANGE:
            return plan.object_change()
        if plan.outcome == planning.UNCHANGED:
            return Written(change, UNCHANGED)
        return Written(change, FAILED, Refused(plan.reason, object=plan.dn, code=plan.outcome))


def moved_plan(changes: Sequence[ObjectChange], /) -> dict[bytes, ObjectChange | Written]:
    """For a saved plan: an object that moved is not planned again, it is refused."""
    return {
        change.guid: Written(
            change,
            FAILED,
            Conflict(
                f"{change.dn} was changed by somebody else while the plan was being applied, so it was left alone.",
                object=change.dn,
                code=planning.MOVED,
            ),
        )
        for change in changes
    }
