# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Carrying out a plan of the hybrid clean-up: step by step, each one read back before the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import agent, graph
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.belongs import Judged
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kinds import kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import Known, text
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.plan import Action, action_for
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.read import read_kind, server
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import CLOUD, Step
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    HybridError,
    NotFound,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import until


@dataclass
class Applied:
    """How far a run is: the actions that were done and read back, by step and object."""

    done: list[Action] = field(default_factory=list)


def apply(ends: Ends, wanted: Wanted, actions: tuple[Action, ...], known: Known, applied: Applied) -> None:
    """Do the actions in their order. An error says which step it was and leaves the rest undone."""
    for action in actions:
        ends.progress.start(f"{action.step.what}: {action.identity}")
        try:
            _act(ends, wanted, action)
            _read_back(ends, wanted, action, known)
        except HybridError as error:
            error.message = f"{action.step.id}, {action.identity}: {error.message}"
            error.facts.setdefault("step", action.step.id)
            error.facts.setdefault("object", action.identity)
            raise
        applied.done.append(action)


def invoke(ends: Ends, side: str, cmdlet: Cmdlet) -> None:
    """Run a changing cmdlet on a side. What nobody knows of is left to reading back."""
    try:
        if side == CLOUD:
            arguments = {**cmdlet.parameters, "Confirm": False}
            for _row in ends.online.invoke(Cmdlet(cmdlet.name, arguments)):
                pass
        else:
            server(ends).run(cmdlet)
    except Unavailable as error:
        # Over REST a lost answer has no fact about it; on both sides the state tells.
        if side != CLOUD and not error.facts.get("uncertain"):
            raise


def _act(ends: Ends, wanted: Wanted, action: Action) -> None:
    step, row = action.step, action.row
    try:
        if action.cmdlet is not None:
            invoke(ends, step.side, action.cmdlet)
        elif step.kind == "service_principal_keys":
            graph.remove_key(ends, text(row.get("keyId")))
        elif step.kind == "hybrid_application":
            graph.remove_application(ends, text(row.get("id")))
        elif row.get("Part") == agent.PROGRAM:
            agent.remove_program(ends, wanted, text(row.get("Removal")))
        else:
            agent.remove_registration(ends, wanted, text(row.get("AppId")))
    except NotFound:
        return  # somebody else was quicker, or the run before; reading back tells


def _read_back(ends: Ends, wanted: Wanted, action: Action, known: Known) -> None:
    """Wait until the far end shows what was done: Exchange Online answers from copies that lag behind."""

    def late(_open: bool) -> HybridError:
        return Timeout(
            f"it was sent, but after {wanted.wait_timeout:g} seconds the far end still shows the object as before. "
            "Run again later, or raise wait_timeout.",
            last_state="as before",
        )

    until(
        ends.clock,
        wanted.wait_timeout,
        lambda: is_open(ends, wanted, action.step, action.identity, known),
        lambda still_open: not still_open,
        late,
    )


def is_open(ends: Ends, wanted: Wanted, step: Step, identity: str, known: Known) -> bool:
    """Whether a step still has something to do to an object, by what is read now."""
    anytime = datetime.max.replace(tzinfo=ends.clock.now().tzinfo)
    for row in read_kind(ends, wanted, kind(step.side, step.kind), known):
        action = action_for(step, Judged(row, True, ""), wanted, anytime)
        if action is not None and action.identity.casefold() == identity.casefold():
            return True
    return False
