# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The agent on a server: present, latest or absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import apply as steps
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import (
    forest,
    host_facts,
    installed,
    plan,
    prerequisites,
    registered,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import source as sources
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.plan import Plan, Read
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.prerequisite_table import Evidence
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.prerequisites import Verdict
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError


@dataclass(frozen=True)
class Outcome:
    """What a run came to. ``after`` is what was read at its end, None in check mode."""

    plan: Plan
    before: Read
    after: Read | None = None
    verdicts: Sequence[Verdict] = ()
    done: Sequence[str] = ()
    reboot_required: bool = False
    left: Sequence[str] = field(default_factory=tuple)


def ensure(ends: Ends, wanted: Wanted, check_mode: bool) -> Outcome:
    """Read, plan, and, unless in check mode, apply step by step and read back.

    Errors that come after a step was begun have the facts changed, steps_done and left.
    """
    prerequisites.check_accepted(wanted.accepted)
    read = _read(ends, wanted)
    made = plan.make_plan(wanted, read)
    plan.check(wanted, made)
    service = read.installed.service
    if wanted.restart_after and service is not None and service.running and read.installed.started is None:
        ends.warn(
            f"{read.machine.name}: when the agent's service began cannot be told, so restart_after means nothing."
        )
    verdicts: tuple[Verdict, ...] = ()
    if made.needs_prerequisites:
        ends.progress.start(f"{read.machine.name}: prerequisites")
        facts = host_facts.read(ends.host, wanted.outbound)
        read = replace(read, reboot_pending=bool(facts.pending))
        made = plan.make_plan(wanted, read)
        given = None if wanted.creates_gmsa else wanted.gmsa
        known = forest.read(ends.forest, ends.host, given)
        source = read.source if set(made.steps) & plan.SETUP_STEPS else None
        verdicts = prerequisites.evaluate(Evidence(wanted, read.machine, facts, known, source, ends.clock.now()))
        prerequisites.guard(verdicts, read.machine)
    plan.guard_last(wanted, read, made)
    if check_mode or not made.steps:
        return Outcome(made, read, None if check_mode else read, verdicts, left=_left_behind(wanted, read))
    progress = steps.Applied()
    try:
        steps.apply(ends, wanted, read, made, progress)
        after = _read_again(ends, wanted, read)
        steps.verify(wanted, after)
    except HybridError as error:
        left = steps.what_is_left(ends, wanted, read)
        if left:
            error.message = f"{error.message} {' '.join(left)}"
        error.facts.update(changed=bool(progress.done or left), steps_done=list(progress.done), left=left)
        error.facts.setdefault("prerequisites", prerequisites.as_result(verdicts))
        raise
    return Outcome(
        made, read, after, verdicts, tuple(progress.done), progress.reboot_required, _left_behind(wanted, read)
    )


def _read(ends: Ends, wanted: Wanted) -> Read:
    machine = host_facts.machine(ends.host)
    found = installed.read(ends.host, wanted.names)
    schema = None
    if ends.forest is not None and wanted.restart_after_schema and found.started and wanted.state != "absent":
        schema = forest.exchange_schema(ends.forest).changed
    source = None
    number = found.version_number
    behind = number is None or number < wanted.minimum_version
    if wanted.installer is not None and wanted.state != "absent" and (behind or wanted.state == "latest"):
        source = sources.look(ends.host, wanted.installer)
    return Read(machine, found, registered.read(ends.agents), source, schema)


def _read_again(ends: Ends, wanted: Wanted, before: Read) -> Read:
    return replace(before, installed=installed.read(ends.host, wanted.names), registered=registered.read(ends.agents))


def _left_behind(wanted: Wanted, read: Read) -> tuple[str, ...]:
    """What a removal leaves, in words."""
    if wanted.state != "absent":
        return ()
    here = read.installed
    account = here.service.account if here.service else None
    own = read.registered.on(read.machine.name)
    return (
        *((f"The service account {account} and its permissions stay in AD.",) if account else ()),
        *((f"The trace folder {wanted.names.trace_folder} stays on the server.",) if here.trace else ()),
        *(
            (f"Graph keeps the record of the agent on {own.machine}; it turns inactive and goes away by itself.",)
            if own
            else ()
        ),
    )
