# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What an uninstallation comes to in the result of a task."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.plan import Action
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.uninstall import Outcome
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import limited_diff


def result(outcome: Outcome, check_mode: bool) -> dict[str, Any]:
    """The keys of a task's result."""
    plan, read, remains = outcome.plan, outcome.read, outcome.remains
    steps = plan.actions if check_mode else outcome.done
    return {
        "steps": [shown(action) for action in steps],
        "last_server": read.last,
        "refused": list(outcome.refused),
        "goes_on": outcome.goes_on,
        "blockers": [
            {"id": item.id, "what": item.what, "objects": list(item.objects), "fix": item.fix} for item in plan.blockers
        ],
        "export": outcome.export.as_result() if outcome.export else None,
        "reboot_required": outcome.reboot_required,
        "left": [*remains.tree, *remains.lingering] if remains else [],
        "unknown": list(remains.unknown) if remains else [],
        "counts": {"steps": len(steps), "blockers": len(plan.blockers)},
    }


def shown(action: Action) -> dict[str, Any]:
    """One action for people and for playbooks."""
    step = action.step
    cmdlet = action.cmdlet.name if action.cmdlet else "Setup.exe /mode:Uninstall"
    return {
        "line": f"{step.verb} {step.what}: {action.identity} ({cmdlet})",
        "step": step.id,
        "kind": step.kind,
        "identity": action.identity,
        "verb": step.verb,
        "what": step.what,
        "cmdlet": cmdlet,
        "reason": step.reason,
        "source": step.source,
        "reversible": step.reversible,
    }


def diff(actions: tuple[Action, ...], limit: int) -> list[dict[str, Any]]:
    """The diff."""
    return limited_diff(((f"{item.step.kind} {item.identity}", item.before, item.after) for item in actions), limit)
