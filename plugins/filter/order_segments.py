# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a phase of the hybrid clean-up in their order, cut where the side changes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order as orders
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError


def order_segments(order: str, phase: str) -> list[dict[str, Any]]:
    """The steps of a phase as a list of C(side) and C(steps), for one task after the other.

    Raises AnsibleFilterError for an order or a phase that does not exist.
    """
    if phase not in orders.PHASES:
        raise AnsibleFilterError(f"there is no phase {phase!r}; there are {', '.join(orders.PHASES)}")
    try:
        steps = orders.steps(str(order), str(phase))
    except InputError as error:
        raise AnsibleFilterError(error.message) from error
    return [
        {"side": side, "steps": [step.id for step in run]} for side, run in groupby(steps, key=lambda step: step.side)
    ]


class FilterModule:
    """Filters for the roles of the decommission."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"order_segments": order_segments}
