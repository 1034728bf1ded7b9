# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Limits on what one run may change: they stop a run before its first write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run import change
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange

FIRST = 3
"""How many objects a breach names."""

PERCENT_FLOOR = 10
"""In a wave as small as this every percentage is large, so none stops it; other than 0 %, which means what it says."""


@dataclass(frozen=True)
class Limits:
    """At most ``max_changes`` objects and at most ``max_change_percent`` percent of the objects looked at.

    The percentage does not count where at most ``percent_floor`` objects change, unless it is 0.
    """

    max_changes: int
    max_change_percent: float = 100
    percent_floor: int = 0

    def __post_init__(self) -> None:
        if self.max_changes < 0:
            raise InputError(f"max_changes must not be negative, it is {self.max_changes}.")
        if not 0 <= self.max_change_percent <= 100:
            raise InputError(f"max_change_percent must be between 0 and 100, it is {self.max_change_percent}.")

    def breach(self, planned: int, total: int) -> tuple[str, str] | None:
        """The option that a plan exceeds and by what; None where it exceeds none."""
        percent = 100 * planned / total if total else 0.0
        floor = self.percent_floor if self.max_change_percent else 0
        if planned > self.max_changes:
            return "max_changes", f"that is more than max_changes allows ({self.max_changes})"
        if percent > self.max_change_percent and planned > floor:
            return (
                "max_change_percent",
                f"that is {percent:.1f} %, more than max_change_percent allows ({self.max_change_percent:g} %)",
            )
        return None

    def check(self, planned: int, total: int, what: str = "objects") -> None:
        """Raise Refused, saying what would have happened, where a plan exceeds a limit."""
        found = self.breach(planned, total)
        if found is None:
            return
        option, text = found
        raise Refused(
            f"This run would change {planned} of {total} {what}; {text}. Nothing was changed. Look at the plan in "
            f"check mode; if it is right, raise {option} or make the selection smaller.",
            planned=planned,
            total=total,
            limit=option,
        )


@dataclass(frozen=True)
class KindLimits:
    """At most so many attributes of objects may change in each way (see change.KINDS); None is no limit."""

    max_adds: int | None = None
    max_replaces: int | None = None
    max_removes: int | None = None
    max_clears: int | None = None

    def __post_init__(self) -> None:
        for name, limit in self._by_option().items():
            if limit is not None and limit < 0:
                raise InputError(f"{name} must not be negative, it is {limit}.")

    def _by_option(self) -> dict[str, int | None]:
        return {f"max_{kind}s": getattr(self, f"max_{kind}s") for kind in change.KINDS}

    def breach(self, kinds: Mapping[str, Counter[str]]) -> tuple[str, str] | None:
        """The option that a plan exceeds and by what; None where it exceeds none."""
        for kind, (option, limit) in zip(change.KINDS, self._by_option().items(), strict=True):
            number = kinds[kind].total()
            if limit is not None and number > limit:
                return option, f"{_WORDS[kind]} {number} attributes is more than {option} allows ({limit})"
        return None


_WORDS = {
    change.ADD: "adding values to",
    change.REPLACE: "replacing values of",
    change.REMOVE: "removing values of",
    change.CLEAR: "clearing",
}


def planned_breach(
    limits: Limits, by_kind: KindLimits, planned: Sequence[ObjectChange], total: int, what: str
) -> Refused | None:
    """The refusal of a plan that exceeds a limit, with what would have happened; None where it exceeds none."""
    kinds = change.kinds(planned)
    found = limits.breach(len(planned), total) or by_kind.breach(kinds)
    if found is None:
        return None
    option, text = found
    first = [item.name for item in planned[:FIRST]]
    return Refused(
        f"This run would change {len(planned)} of {total} {what}: {_told(kinds)}; first {', '.join(first)}. But "
        f"{text}. Nothing was changed. Look at the plan in check mode; if it is right, raise {option} or make the "
        "selection smaller.",
        planned=len(planned),
        total=total,
        limit=option,
        changes=change.as_result(kinds),
        first=first,
    )


def _told(kinds: Mapping[str, Counter[str]]) -> str:
    parts = []
    for kind, counted in kinds.items():
        if counted:
            common = counted.most_common()
            names = ", ".join(f"{name} {number}" for name, number in common[:FIRST])
            more = f" and {len(common) - FIRST} more" if len(common) > FIRST else ""
            parts.append(f"{kind} {counted.total()} ({names}{more})")
    return "; ".join(parts)
