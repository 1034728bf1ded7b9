# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a run of the agent's use case came to, as a result and as a diff."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import plan, prerequisites
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ensure import Outcome


def result(outcome: Outcome) -> dict[str, Any]:
    """The keys of a task's result."""
    last = outcome.after or outcome.before
    known = last.registered.agents
    return {
        "steps": list(outcome.done or outcome.plan.steps),
        "before": dict(outcome.plan.before),
        "after": plan.shown(last) if outcome.after is not None else dict(outcome.plan.after),
        "version": last.installed.version if outcome.after is not None else outcome.plan.after["version"],
        "prerequisites": prerequisites.as_result(outcome.verdicts),
        "reboot_required": outcome.reboot_required,
        "left": list(outcome.left),
        "agents": None if known is None else sorted(agent.machine for agent in known if agent.active),
        "counts": {"steps": len(outcome.plan.steps)},
    }


def diff(outcome: Outcome) -> list[dict[str, Any]]:
    """Both states of the server's agent, from the plan; nothing where nothing changes."""
    if not outcome.plan.steps:
        return []
    name = outcome.before.machine.name
    header = {"before_header": name, "after_header": name}
    return [{**header, "before": dict(outcome.plan.before), "after": dict(outcome.plan.after)}]
