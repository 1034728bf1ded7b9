# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""All gates, and which of them a phase is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import (
    table_cloud,
    table_directory,
    table_server,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import Gate

GATES: Mapping[str, Gate] = MappingProxyType(
    {gate.id: gate for gate in (*table_cloud.GATES, *table_server.GATES, *table_directory.GATES)}
)

ACCEPTABLE: frozenset[str] = frozenset(gate.id for gate in GATES.values() if gate.acceptable)
"""The gates that the operator may go on without, each on its condition."""


def of_phase(phase: str, exit_: str) -> tuple[Gate, ...]:
    """The gates of a phase on a way out, in the order of the table."""
    return tuple(gate for gate in GATES.values() if phase in gate.phases and exit_ in gate.exits)
