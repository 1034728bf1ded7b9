# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of gates in docs/decommission.md is the table that the module judges by."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import Gate
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.readings import READINGS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import GATES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import EXITS, PHASES

ROOT = Path(__file__).parents[3]


def row(gate: Gate) -> str:
    """One line of the table."""
    ends = dict.fromkeys(READINGS[name].end for name in (*gate.needs, *gate.helps))
    phases = ", ".join("✓" if phase in gate.phases else "" for phase in PHASES).split(", ")
    only = "" if gate.exits == EXITS else f" (`{gate.exits[0]}` only)"
    cells = (
        f"`{gate.id}`",
        f"{gate.asserts}{only}",
        *phases,
        ", ".join(ends),
        f"{gate.hours} h",
        gate.acceptable or "no",
    )
    return f"| {' | '.join(cells)} |"


def test_the_table_of_gates_is_in_the_documentation() -> None:
    """Where it is not, copy what this prints."""
    text = (ROOT / "docs/decommission.md").read_text(encoding="utf-8")
    wanted = "\n".join(row(gate) for gate in GATES.values())
    print(wanted)
    assert wanted in text
    assert text.count("| `") >= len(GATES)


def test_every_page_that_a_gate_rests_on_is_named() -> None:
    text = (ROOT / "docs/decommission.md").read_text(encoding="utf-8")
    for source in {gate.source for gate in GATES.values()}:
        assert source.removeprefix("Microsoft, ") in text, source
