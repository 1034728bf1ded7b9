# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A server absent: what blocks Setup is told, what can be is prepared, Setup runs, and nothing must be left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import clock, order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import readiness_file as readiness_files
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import export as hybrid_export
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import after as setup_after
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import begun as setup_begun
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import plan as setup_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import read as setup_read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import run as setup_run
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.after import Remains
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.plan import Action, Plan
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.read import Read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    NotFound,
    Refused,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import until


@dataclass(frozen=True)
class Outcome:
    """What a run came to. ``refused``: in check mode, why it would not be begun. ``remains`` is None in check mode.

    ``goes_on``: Setup was begun by a run that the gates allowed, so that it needs no readiness.
    """

    plan: Plan
    read: Read
    done: tuple[Action, ...] = ()
    refused: Sequence[str] = ()
    export: Artifact | None = None
    remains: Remains | None = None
    reboot_required: bool = False
    goes_on: bool = False


@dataclass
class Applied:
    """How far a run is."""

    done: list[Action] = field(default_factory=list)
    reboot_required: bool = False


def uninstall(ends: Ends, wanted: Wanted, check_mode: bool) -> Outcome:
    """Uninstall one server. Errors after the first change have the facts changed, steps_done and export."""
    ends.progress.start(f"{wanted.server}: read")
    read = setup_read.read(ends, wanted)
    plan = setup_plan.make_plan(wanted, read)
    if not plan.actions:
        return Outcome(plan, read, remains=None if check_mode else setup_after.check(ends, wanted, read.last))
    # By the mark that Setup leaves, not by its process: something else may be called Setup.
    goes_on = read.machine.begun and setup_begun.allowed_before(
        wanted.artifact_dir, wanted.tenant_id, wanted.server, read.here.forest
    )
    reasons = [*([] if goes_on else _readiness(ends, wanted, read)), *(blocker.words for blocker in plan.blockers)]
    if check_mode:
        return Outcome(plan, read, refused=reasons, goes_on=goes_on)
    if reasons:
        raise Refused(
            f"{wanted.server} is not uninstalled. {' '.join(reasons)}",
            blockers=[blocker.id for blocker in plan.blockers],
            reasons=reasons,
        )
    export = _export(ends, wanted, read, plan)
    applied = Applied()
    try:
        for step, group in groupby(plan.actions, key=lambda action: action.step):
            actions = list(group)
            ends.progress.start(f"{wanted.server}: {step.what}", len(actions))
            if step.id == "run_setup":
                _set_up(ends, wanted, read, applied)
            else:
                _prepare(ends, wanted, actions)
            applied.done += actions
        remains = setup_after.check(ends, wanted, read.last)
    except HybridError as error:
        error.facts.update(
            changed=True,
            steps_done=[{"step": item.step.id, "identity": item.identity} for item in applied.done],
            export=export.as_result(),
        )
        raise
    return Outcome(plan, read, tuple(applied.done), (), export, remains, applied.reboot_required, goes_on)


def _set_up(ends: Ends, wanted: Wanted, read: Read, applied: Applied) -> None:
    path = read.machine.setup
    if path is None and not read.machine.running:
        raise InputError(f"Exchange is not installed on the host of {wanted.server}, so Setup cannot be run there.")
    if ends.server is not None:
        ends.server.close()  # the server that is asked may be the one that goes
    ran = setup_run.run_setup(ends, wanted, path or "", read.machine.running)
    applied.reboot_required = ran.reboot_required
    if ran.code is None and setup_read.read_machine(ends.host, wanted).setup is not None:
        raise Conflict(
            f"Setup ended on {wanted.server} unseen, and Exchange is still installed there. Look into "
            f"{wanted.setup_log}, and run again: Setup goes on from where it stopped.",
            log=wanted.setup_log,
        )


def _prepare(ends: Ends, wanted: Wanted, actions: Sequence[Action]) -> None:
    """Do the preparations of one step, and wait until they show. One whose answer was lost is never sent again."""
    for action in actions:
        if action.cmdlet is None:
            continue
        try:
            setup_read.exchange(ends).run(action.cmdlet)
        except NotFound:
            pass  # the run before was quicker; reading back tells
        except HybridError as error:
            if not (isinstance(error, Unavailable) and error.facts.get("uncertain")):
                error.message = f"{action.step.id}, {action.identity}: {error.message}"
                raise
        ends.progress.advance()
    wanted_gone = {(action.step.id, action.identity) for action in actions}

    def still_open() -> list[str]:
        made = setup_plan.make_plan(wanted, setup_read.read(ends, wanted))
        return [item.identity for item in made.actions if (item.step.id, item.identity) in wanted_gone]

    def late(left: list[str]) -> HybridError:
        return Timeout(
            f"{actions[0].step.id}: it was sent, but after {wanted.wait_timeout:g} seconds Exchange still shows "
            f"{listing(left)} as before. Run again later.",
            last_state="as before",
        )

    until(ends.clock, wanted.wait_timeout, still_open, lambda left: not left, late)


def _readiness(ends: Ends, wanted: Wanted, read: Read) -> list[str]:
    """Why the readiness does not allow it; nothing where it does.

    Where Setup has taken the organization out of AD already and has to go on, the readiness of before still counts.
    """
    now = clock.now(ends.online, ends.clock)
    fingerprint = read.here.fingerprint
    try:
        if read.here.organization is None and wanted.readiness and wanted.readiness_sha256:
            before = readiness_files.read(wanted.readiness, wanted.readiness_sha256)
            if before.forest == read.here.forest:
                fingerprint = before.fingerprint
        readiness_files.require(
            wanted.readiness,
            wanted.readiness_sha256,
            phase=order.UNINSTALL,
            now=now,
            fingerprint=fingerprint,
            tenant_id=wanted.tenant_id,
            servers=read.here.servers,
        )
    except (Refused, InputError) as error:
        return [error.message]
    return []


def _export(ends: Ends, wanted: Wanted, read: Read, plan: Plan) -> Artifact:
    """All that goes with the server, on disk before the first change."""
    with ends.artifacts(setup_begun.name_of(wanted.server)) as writer:
        writer.write(
            {
                "kind": setup_begun.KIND,
                "schema_version": hybrid_export.SCHEMA_VERSION,
                "tenant_id": wanted.tenant_id,
                "server": wanted.server,
                "forest": read.here.forest,
                "organization": read.here.organization,
                "last": read.last,
                "readiness_sha256": wanted.readiness_sha256,
            }
        )
        for line in _lines(read, plan):
            writer.write(line)
    return writer.artifact


def _lines(read: Read, plan: Plan) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [
        {
            "step": action.step.id,
            "kind": action.step.kind,
            "identity": action.identity,
            "properties": hybrid_export.public(action.row),
        }
        for action in plan.actions
        if action.cmdlet is not None
    ]
    have = read.organization
    for kind, rows in (("server", have.servers), ("receive_connector", have.receive_connectors)) if have else ():
        lines += [
            {"step": "run_setup", "kind": kind, "identity": row.get("Name"), "properties": hybrid_export.public(row)}
            for row in rows
        ]
    return lines
