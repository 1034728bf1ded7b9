# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the clean-up of a side comes to in the result of a task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import agent
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.clean_up import Cleaned, PutBackAgain
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.plan import Action
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.restore import Put
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import first, limited_diff


def cleaned(outcome: Cleaned, check_mode: bool, limit: int) -> dict[str, Any]:
    """The result of a removal."""
    plan = outcome.plan
    steps = plan.ready if check_mode else outcome.done
    waiting = plan.waiting
    return {
        "steps": [shown(action) for action in steps],
        "waiting": [{**shown(action), "until": _until(action), "reason": action.waits or None} for action in waiting],
        "complete": not waiting and not plan.outside and (check_mode or len(steps) == len(plan.actions)),
        "left": [
            {
                "line": f"{item.kind} {item.identity}: {item.why}",
                "kind": item.kind,
                "identity": item.identity,
                "why": item.why,
            }
            for item in first(plan.left, limit)
        ],
        "not_found": list(outcome.unknown),
        "refused": list(outcome.refused),
        "export": outcome.export.as_result() if outcome.export else None,
        "counts": {"steps": len(steps), "waiting": len(waiting), "left": len(plan.left)},
    }


def put_back(outcome: PutBackAgain, check_mode: bool, limit: int) -> dict[str, Any]:
    """The result of putting back."""
    puts = outcome.restoring.puts if check_mode else outcome.back.done
    lost = outcome.restoring.lost
    return {
        "restored": [{"kind": put.step.kind, "identity": put.exported.identity} for put in puts],
        "lost": [{"kind": item.kind, "identity": item.identity, "why": item.why} for item in first(lost, limit)],
        "counts": {"restored": len(puts), "there": outcome.restoring.there, "lost": len(lost)},
    }


def shown(action: Action) -> dict[str, Any]:
    """One action for people and for playbooks."""
    step = action.step
    # The program of the hybrid agent is removed by the second of its step's cmdlets.
    cmdlet = action.cmdlet.name if action.cmdlet else step.cmdlets[action.row.get("Part") == agent.PROGRAM]
    return {
        "line": f"{step.verb} {step.what}: {action.identity} ({cmdlet})",
        "step": step.id,
        "kind": step.kind,
        "identity": action.identity,
        "verb": step.verb,
        "what": step.what,
        "cmdlet": cmdlet,
        "why": action.why,
        "reason": step.reason,
        "source": step.source,
        "reversible": step.reversible,
    }


def diff_of_actions(actions: Sequence[Action], limit: int) -> list[dict[str, Any]]:
    """The diff of a removal."""
    return limited_diff(
        ((f"{action.step.kind} {action.identity}", action.before or {}, action.after or {}) for action in actions),
        limit,
    )


def diff_of_puts(puts: Iterable[Put], limit: int) -> list[dict[str, Any]]:
    """The diff of putting back."""
    return limited_diff(
        ((f"{put.step.kind} {put.exported.identity}", put.before or {}, put.after) for put in puts), limit
    )


def _until(action: Action) -> str | None:
    return action.waits_until.isoformat() if action.waits_until else None
