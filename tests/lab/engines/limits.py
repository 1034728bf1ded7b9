# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job is put into quarantine and how often it is tried then.

Microsoft publishes the reasons, not all the numbers; these are scaled to a lab of some hundred mailboxes. Published:
the attempts of a job in quarantine get rarer down to one a day, and after four weeks it is disabled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Thresholds of the writeback engine."""

    escrow_proportion: float = 0.6  # of the objects of a run, from ``escrow_minimum`` failures on
    escrow_minimum: int = 10
    escrow_total: int = 5000
    complete_failures: int = 5  # successive runs that failed as a whole
    longest_wait_s: int = 24 * 3600
    disabled_after_s: int = 28 * 24 * 3600
    delete_threshold: int = 500  # without a SyncNotificationSettings secret
    missed_runs: int = 3  # runs made up for at most, when the clock was moved over more of them


# Limits that are switches of the scenario as well, under the same name.
SWITCHED = ("escrow_proportion", "escrow_minimum", "escrow_total", "complete_failures")


def in_force(limits: Limits, switches: dict[str, Any]) -> Limits:
    """``limits`` with those in place of them that were set as switches."""
    return replace(limits, **{name: switches[name] for name in SWITCHED if name in switches})
