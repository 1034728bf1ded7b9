# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the engine reads what the documentation of attribute mappings leaves open, or says in two ways.

The defaults are those of the scenario's switches of the same names: where nothing is said, the reading that loses more
of what AD holds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Readings:
    """The switches that rule what an export writes; :mod:`tests.lab.scenario` says what each means."""

    proxy_addresses: str = "overwrite"
    onmicrosoft_addresses: str = "kept"
    null_source: str = "clears"
    default_value: str = "when_null"
    value_add_only: str = "overwrites"
    attribute_add_only: str = "when_absent"
    null_comparison: str = "fails"


def readings(switches: dict[str, Any]) -> Readings:
    """The readings among all switches of a scenario."""
    return Readings(**{one.name: switches[one.name] for one in fields(Readings)})
