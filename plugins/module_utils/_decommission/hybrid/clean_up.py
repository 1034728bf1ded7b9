# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The hybrid set-up of one side: absent, or present again as an export has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import clock, order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import readiness_file as readiness_files
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import apply, belongs, guard, restore
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import export as hybrid_export
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import memory as hybrid_memory
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import plan as hybrid_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import read as hybrid_read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.belongs import Judged
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kinds import kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import Known
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.plan import Plan
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.restore import PutBack, Restoring
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import (
    Ends,
    TimedDirectory,
    Wanted,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import read as topology_read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import Identity
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    PartialFailure,
    PermissionDenied,
    Refused,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import failure, first, listing


@dataclass(frozen=True)
class Cleaned:
    """What a removal came to; in check mode what it would come to, with ``refused``: why it would not be begun."""

    plan: Plan
    done: tuple[hybrid_plan.Action, ...] = ()
    export: Artifact | None = None
    refused: Sequence[str] = ()
    unknown: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class PutBackAgain:
    """What putting back came to."""

    restoring: Restoring
    back: PutBack
    export: str


def absent(ends: Ends, wanted: Wanted, check_mode: bool) -> Cleaned:
    """Take the hybrid set-up of one side away, step by step in the stated order.

    Before the first change its export is on disk. Errors after it have the facts changed, steps_done and export.
    """
    here = topology_read.identify(directory(ends))
    now = clock.now(ends.online, ends.clock)
    ends.progress.start("read the hybrid set-up")
    known = read_known(ends, wanted, here)
    found = read_all(ends, wanted, known)
    plan = hybrid_plan.make_plan(wanted, found, _clock_of(ends, wanted, now))
    unknown = _not_there(wanted, found)
    if not plan.ready:
        return Cleaned(plan, unknown=unknown)
    reasons = guard.problems(ends, wanted, plan, found, here.servers, now, check_mode)
    ready = _readiness(wanted, here, now)
    if check_mode:
        return Cleaned(plan, refused=[*ready, *reasons], unknown=unknown)
    if ready:
        raise Refused(ready[0])
    guard.refuse(reasons)
    about = {
        "forest": here.forest,
        "organization": here.organization,
        "fingerprint": here.fingerprint,
        "exported_at": readiness_files.stamp(now),
    }
    export = hybrid_export.write(ends.artifacts, wanted, about, plan.actions)
    hybrid_memory.remember(
        ends.artifact_dir, wanted.tenant_id, here.forest, known.organization_guids, known.auth_certificates or ()
    )
    applied = apply.Applied()
    try:
        apply.apply(ends, wanted, plan.ready, known, applied)
    except HybridError as error:
        error.facts.update(
            changed=bool(applied.done) or not isinstance(error, (InputError, PermissionDenied)),
            steps_done=[{"step": action.step.id, "identity": action.identity} for action in applied.done],
            export=export.as_result(),
        )
        error.message = (
            f"{error.message} {len(applied.done)} of {len(plan.ready)} changes were made before; what was there is in "
            f"{export.path}. Run again to go on."
        )
        raise
    return Cleaned(plan, tuple(applied.done), export, unknown=unknown)


def present(ends: Ends, wanted: Wanted, check_mode: bool) -> PutBackAgain:
    """Put the hybrid set-up of one side back as its export has it, as far as cmdlets can."""
    export = hybrid_export.read_all(wanted)
    current = _current(ends, wanted, export)
    restoring = restore.plan(export, wanted, current)
    back = PutBack()
    if check_mode or not restoring.puts:
        return PutBackAgain(restoring, back, export.path)
    try:
        restore.apply(ends, restoring.puts, back)
    except HybridError as error:
        error.facts.update(changed=True, restored=[put.exported.identity for put in back.done])
        raise
    differs = restore.still_missing(restore.plan(export, wanted, _current(ends, wanted, export)), back)
    if differs:
        raise Conflict(
            f"Some objects were put back and are not as they were: {listing(differs)}. Compare them with "
            f"{export.path}.",
            changed=True,
            differs=differs,
        )
    if back.failed:
        raise PartialFailure(
            f"{len(back.failed)} of {len(restoring.puts)} objects could not be put back: "
            f"{back.failed[0][0].exported.identity}: {back.failed[0][1].message}",
            changed=bool(back.done),
            restored=[put.exported.identity for put in back.done],
            failures=[
                failure(put.exported.identity, put.step.kind, error)
                for put, error in first(back.failed, ends.report_limit)
            ],
        )
    return PutBackAgain(restoring, back, export.path)


def read_known(ends: Ends, wanted: Wanted, here: Identity) -> Known:
    """What the rules judge by, with what earlier phases left."""
    memory = hybrid_memory.recall(ends.artifact_dir, wanted.tenant_id, here.forest)
    return hybrid_read.read_known(ends, wanted, here.servers, memory)


def read_all(ends: Ends, wanted: Wanted, known: Known) -> dict[str, list[Judged]]:
    """All objects of the kinds of the side and phase, judged."""
    names = order.kinds(wanted.phase, wanted.side)
    kinds = {name: kind(wanted.side, name) for name in names}
    rows = {name: hybrid_read.read_kind(ends, wanted, what, known) for name, what in kinds.items()}
    return belongs.judge_all(wanted, kinds, rows, known)


def directory(ends: Ends) -> TimedDirectory:
    """Active Directory; InputError where none is given."""
    if ends.directory is None:
        raise InputError(
            "This needs Active Directory, to be sure of the organization and of its servers: give directory_hosts and "
            "an account that reads."
        )
    return ends.directory


def _clock_of(ends: Ends, wanted: Wanted, now: datetime) -> datetime:
    """The time by the clock that the side's objects were changed by: AD's, or the service's."""
    return directory(ends).current_time if wanted.side == order.ON_PREMISES else now


def _readiness(wanted: Wanted, here: Identity, now: datetime) -> list[str]:
    """Why the readiness does not allow it; nothing where it does."""
    try:
        readiness_files.require(
            wanted.readiness,
            wanted.readiness_sha256,
            phase=wanted.phase,
            now=now,
            fingerprint=here.fingerprint,
            tenant_id=wanted.tenant_id,
            servers=here.servers,
        )
    except (Refused, InputError) as error:
        return [error.message]
    return []


def _not_there(wanted: Wanted, found: Mapping[str, Sequence[Judged]]) -> list[str]:
    """What the operator names and nobody finds: gone already, or misspelt."""
    there = {
        (kind_name, called.casefold())
        for kind_name, items in found.items()
        for item in items
        for called in belongs.called(item.row)
    }
    return [
        f"{item.kind} {item.identity}"
        for item in wanted.also
        if item.kind in found and (item.kind, item.identity.casefold()) not in there
    ]


def _current(ends: Ends, wanted: Wanted, export: hybrid_export.Export) -> dict[str, list[dict[str, object]]]:
    """The objects that there are now of the kinds of an export."""
    known = read_known(ends, wanted, topology_read.identify(directory(ends)))
    kinds = {order.STEPS[item.step].kind for item in export.objects} & set(wanted.kinds)
    if "federated_organization" in kinds:
        kinds.add("federation_trust")
    return {name: hybrid_read.read_kind(ends, wanted, kind(wanted.side, name), known) for name in sorted(kinds)}
