# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Limits on what one run may change: they stop a run before its first write."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused


@dataclass(frozen=True)
class Limits:
    """At most ``max_changes`` objects and at most ``max_change_percent`` percent of the objects looked at."""

    max_changes: int
    max_change_percent: float

    def __post_init__(self) -> None:
        if self.max_changes < 0:
            raise InputError(f"max_changes must not be negative, it is {self.max_changes}.")
        if not 0 <= self.max_change_percent <= 100:
            raise InputError(f"max_change_percent must be between 0 and 100, it is {self.max_change_percent}.")

    def check(self, planned: int, total: int, what: str = "objects") -> None:
        """Raise Refused, saying what would have happened, where a plan exceeds a limit."""
        percent = 100 * planned / total if total else 0.0
        if planned > self.max_changes:
            breach = f"that is more than max_changes allows ({self.max_changes})"
            option = "max_changes"
        elif percent > self.max_change_percent:
            breach = f"that is {percent:.1f} %, more than max_change_percent allows ({self.max_change_percent:g} %)"
            option = "max_change_percent"
        else:
            return
        raise Refused(
            f"This run would change {planned} of {total} {what}; {breach}. Nothing was changed. Look at the plan in "
            f"check mode; if it is right, raise {option} or make the selection smaller.",
            planned=planned,
            total=total,
            limit=option,
        )
