# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What must be true before the agent is installed, judged as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent.host_facts import Machine
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.prerequisite_table import (
    CANNOT_TELL,
    PASSED,
    TABLE,
    Evidence,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused

ACCEPTABLE = tuple(row.id for row in TABLE if row.acceptable)


@dataclass(frozen=True)
class Verdict:
    """One row, judged. ``accepted`` is the operator's reason for going on without it."""

    id: str
    asserted: str
    verdict: str
    evidence: str
    fix: str
    accepted: str | None = None

    @property
    def blocks(self) -> bool:
        return self.verdict != PASSED and self.accepted is None


def check_accepted(accepted: Mapping[str, str]) -> None:
    """Refuse to accept what does not exist or cannot be accepted, before anything is read."""
    for name in accepted:
        if name not in ACCEPTABLE:
            raise InputError(f"prerequisites_accepted: {name} cannot be accepted. What can: {', '.join(ACCEPTABLE)}.")


def evaluate(found: Evidence) -> tuple[Verdict, ...]:
    """Every row that applies, judged."""
    verdicts = []
    for row in TABLE:
        judged = row.judge(found)
        if judged is not None:
            accepted = found.wanted.accepted.get(row.id) if judged.verdict != PASSED else None
            verdicts.append(Verdict(row.id, row.asserted, judged.verdict, judged.evidence, row.fix, accepted))
    return tuple(verdicts)


def guard(verdicts: Sequence[Verdict], machine: Machine) -> None:
    """Refused, with everything that blocks, where anything does."""
    blocking = [verdict for verdict in verdicts if verdict.blocks]
    if not blocking:
        return
    told = " ".join(f"{number}. {in_words(verdict)}" for number, verdict in enumerate(blocking, 1))
    raise Refused(
        f"{machine.name}: {len(blocking)} prerequisite(s) of the agent are not met, and nothing was changed. {told} "
        "Where you know better, accept one by its id in prerequisites_accepted.",
        host=machine.name,
        prerequisites=as_result(verdicts),
    )


def in_words(verdict: Verdict) -> str:
    """One row in a sentence."""
    how = "could not be told" if verdict.verdict == CANNOT_TELL else "is not met"
    return f"{verdict.id} {how}: {verdict.asserted} Found: {verdict.evidence.rstrip('.')}. {verdict.fix}"


def as_result(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The rows for the result of a module."""
    return [
        {
            "id": verdict.id,
            "asserted": verdict.asserted,
            "verdict": verdict.verdict,
            "evidence": verdict.evidence,
            "accepted": verdict.accepted,
            **({"fix": verdict.fix} if verdict.verdict != PASSED else {}),
        }
        for verdict in verdicts
    ]
