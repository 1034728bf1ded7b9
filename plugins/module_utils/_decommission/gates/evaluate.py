# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Judges the gates of a phase: what cannot be read is not passed, and hides no other gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import (
    Found,
    Gate,
    Row,
    cannot_tell,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import CANNOT_TELL, PASSED, VERDICTS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import (
    Deviation,
    GateVerdict,
    deviation_record,
    stamp,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, MissingLibrary


@dataclass(frozen=True)
class Verdict:
    """One gate, judged: when, by which ends, and until when it is good.

    ``unread``: it could not be told because what it needs could not be read; ``detail`` is the error then.
    """

    gate: Gate
    verdict: str
    detail: str
    objects: tuple[Row, ...]
    ends: tuple[str, ...]
    evaluated_at: datetime
    expires_at: datetime
    accepted: Deviation | None = None
    unread: bool = False

    @property
    def fix(self) -> str:
        """What to do where it is not passed."""
        return "Mend what the error names, and judge it again." if self.unread else self.gate.fix

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way."""
        return self.verdict != PASSED and self.accepted is None

    def saved(self) -> GateVerdict:
        """For the file that the next steps demand."""
        return GateVerdict(self.gate.id, self.verdict, self.detail, self.evaluated_at, self.expires_at, self.accepted)

    def as_result(self, limit: int) -> dict[str, Any]:
        """For the result of a task; objects are cut to the first."""
        accepted = self.accepted
        return {
            "id": self.gate.id,
            "title": self.gate.title,
            "asserts": self.gate.asserts,
            "verdict": self.verdict,
            "detail": self.detail,
            "ends": list(self.ends),
            "evaluated_at": stamp(self.evaluated_at),
            "expires_at": stamp(self.expires_at),
            "objects": [dict(row) for row in self.objects[:limit]],
            "object_count": len(self.objects),
            "source": self.gate.source,
            "accepted": None if accepted is None else deviation_record(accepted),
            "acceptable": self.gate.acceptable,
            **({"fix": self.fix} if self.verdict != PASSED else {}),
        }


def evaluate(gates: Iterable[Gate], facts: Facts) -> tuple[Verdict, ...]:
    """Every gate, judged in the order given. MissingLibrary where this machine lacks what an end needs."""
    return tuple(_evaluate(gate, facts) for gate in gates)


def _evaluate(gate: Gate, facts: Facts) -> Verdict:
    values: dict[str, Any] = {}
    unread: dict[str, str] = {}
    failure: HybridError | None = None
    for name in gate.needs:
        try:
            values[name] = facts.value(name)
        except MissingLibrary:
            raise
        except HybridError as error:
            failure = failure or error
    for name in gate.helps if failure is None else ():
        try:
            values[name] = facts.value(name)
        except MissingLibrary:
            raise
        except HybridError as error:
            unread[name] = error.message
    now = facts.now()
    if failure is not None:
        judged = cannot_tell(failure.message)
    else:
        judged = gate.judge(Found(values, facts.wanted, now, unread))
    at = min((moment for name in gate.needs if (moment := facts.at(name)) is not None), default=now)
    accepted = facts.wanted.deviations.get(gate.id) if judged.verdict != PASSED else None
    if accepted is not None and accepted.until is not None and accepted.until <= now:
        accepted = None
    ends = dict.fromkeys(facts.end(name) for name in (*gate.needs, *values))
    return Verdict(
        gate=gate,
        verdict=judged.verdict,
        detail=judged.detail,
        objects=judged.objects,
        ends=tuple(ends),
        evaluated_at=at,
        expires_at=at + timedelta(hours=gate.hours),
        accepted=accepted,
        unread=failure is not None,
    )


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many gates came to what; accepted ones are among the failed and those of which nobody can tell."""
    found = {verdict: sum(item.verdict == verdict for item in verdicts) for verdict in VERDICTS}
    return {
        "gates": len(verdicts),
        **found,
        "accepted": sum(item.accepted is not None for item in verdicts),
        "blocking": sum(item.blocks for item in verdicts),
    }


def in_words(verdict: Verdict) -> str:
    """A gate that blocks, in a sentence or two."""
    return f"{verdict.gate.id} {_reason(verdict)}"


def blocking(verdicts: Sequence[Verdict]) -> list[str]:
    """All gates that block, in a sentence or two each; those that one error hides are together."""
    found: dict[str, list[str]] = {}
    for item in verdicts:
        if item.blocks:
            found.setdefault(_reason(item), []).append(item.gate.id)
    return [f"{', '.join(gates)} {reason}" for reason, gates in found.items()]


def _reason(verdict: Verdict) -> str:
    detail = verdict.detail.rstrip(".")
    if verdict.unread:
        return f"could not be told: {detail}."
    how = "could not be told" if verdict.verdict == CANNOT_TELL else "failed"
    return f"{how}: {detail}. {verdict.fix}"
