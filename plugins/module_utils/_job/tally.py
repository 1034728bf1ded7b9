# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What became of each mailbox of a wave: counts, the first failures, and a line each in the artifact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import Writer
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import failure, first

# The service's words for a mailbox that it left alone, and ours.
SKIPPED: Mapping[str, str] = {"redundantexport": "unchanged", "notinscope": "not_in_scope"}


@dataclass(frozen=True)
class Result:
    """What became of one mailbox: exported, unchanged, not_in_scope, skipped, failed, or covered by a cycle."""

    outcome: str
    reason: str = ""
    changes: tuple[Mapping[str, Any], ...] = ()


def skipped(reason: str) -> Result:
    """A mailbox that the service left alone, by the service's word for why."""
    return Result(SKIPPED.get(reason.lower(), "skipped"), reason)


def changes(raw: Any) -> tuple[Mapping[str, Any], ...]:
    """Graph's modifiedProperties as attribute, before and after."""
    return tuple(
        {"attribute": item.get("displayName"), "before": item.get("oldValue"), "after": item.get("newValue")}
        for item in raw or ()
        if isinstance(item, Mapping)
    )


class Tally:
    """Counts outcomes and writes a line for each mailbox."""

    def __init__(self, artifact: Writer, outcomes: Sequence[str]) -> None:
        self._artifact = artifact
        self.counts: Counter[str] = Counter(dict.fromkeys(outcomes, 0))
        self.failures: list[dict[str, Any]] = []

    def add(self, mailbox: Mailbox, result: Result, error: HybridError | None = None) -> None:
        """One mailbox is done."""
        self.counts[result.outcome] += 1
        if result.outcome == "failed":
            known = error or HybridError(result.reason)
            self.failures.append(failure(mailbox.user_principal_name, mailbox.id, known))
        self._artifact.write(
            {
                "user_principal_name": mailbox.user_principal_name,
                "id": mailbox.id,
                "outcome": result.outcome,
                "reason": result.reason,
                "changes": list(result.changes),
            }
        )

    def answer(self, without_mailbox: int, limit: int) -> dict[str, Any]:
        """Keys of the task's result; the artifact must be finished."""
        selected = sum(self.counts.values())
        return {
            "counts": {"selected": selected, "without_mailbox": without_mailbox, **self.counts},
            "artifact": self._artifact.artifact.as_result(),
            "failures": first(self.failures, limit),
        }
