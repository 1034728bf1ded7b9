# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: is the organisation ready for the next phase, and where is the proof?

It changes nothing at any far end. What it writes are files here: the evidence, the readiness that the next steps
demand, and the looks at the shut-down on trial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import clock, readiness_file
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence import bundle
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence.files import Run
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence.pdf import Printer
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.ends import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import Verdict
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.readings import READINGS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import of_phase
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.trial_observe import observe
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import Wanted, check
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import FAILED
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import Readiness
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run.version import VERSION

MIXED = ("exit_not_mixed", "exit_not_mixed_tools")


@dataclass(frozen=True)
class How:
    """How a run reports. ``readiness_path`` None: in the artifact directory, by the phase."""

    performed_by: str
    printer: Printer
    pdf: str = "auto"
    readiness_path: str | None = None


def look(wanted: Wanted, ends: Ends, write: bool) -> dict[str, Any]:
    """One look at the shut-down on trial, as a result."""
    check(wanted.phase, wanted.exit)
    facts = _facts(wanted, ends)
    found = observe(facts, write)
    return {"ready": False, "phase": wanted.phase, "trial": found, "counts": {"observations": found["observations"]}}


def ready(wanted: Wanted, ends: Ends, how: How) -> dict[str, Any]:
    """Judge every gate of the phase, and keep all of it. Refused, with all of it, where the two ways out are mixed."""
    check(wanted.phase, wanted.exit)
    facts = _facts(wanted, ends)
    verdicts = evaluate.evaluate(of_phase(wanted.phase, wanted.exit), facts)
    topology = facts.topology()
    readiness = _readiness(wanted, verdicts, topology, facts.now())
    is_ready = topology is not None and not readiness.blocking(readiness.evaluated_at)
    saved = readiness_file.write(how.readiness_path or _default_path(wanted), readiness)
    ends.progress.start("write the evidence")
    run = Run(readiness, verdicts, topology, how.performed_by, is_ready, VERSION)
    kept = bundle.write(wanted.artifact_dir, run, how.printer, how.pdf)
    result = {
        "ready": is_ready,
        "phase": wanted.phase,
        "exit": wanted.exit,
        "organization": readiness.organization,
        "forest": readiness.forest,
        "fingerprint": readiness.fingerprint,
        "servers": list(readiness.servers),
        "evaluated_at": readiness_file.stamp(readiness.evaluated_at),
        "expires_at": readiness_file.stamp(readiness.expires_at),
        "gates": [item.as_result(wanted.report_limit) for item in verdicts],
        "failures": _failures(verdicts),
        "blocking": evaluate.blocking(verdicts),
        "counts": evaluate.counts(verdicts),
        "readiness": saved.as_result(),
        "bundle": kept.as_result(),
    }
    mixed = next((item for item in verdicts if item.gate.id in MIXED and item.verdict == FAILED), None)
    if mixed is not None:
        raise Refused(
            f"The exit {wanted.exit} does not go with what is there: {mixed.detail} {mixed.gate.fix} Mixing the two "
            "ways out is refused.",
            **result,
        )
    return result


def _facts(wanted: Wanted, ends: Ends) -> Facts:
    try:
        exchange = ends.exchange_online()
    except HybridError:
        exchange = None
    return Facts(READINGS, ends, wanted, clock.ticking(exchange, ends.clock))


def _readiness(wanted: Wanted, verdicts: Sequence[Verdict], topology: Topology | None, now: datetime) -> Readiness:
    return Readiness(
        tenant_id=wanted.tenant_id,
        forest=topology.forest if topology else "",
        organization=topology.organization.name if topology and topology.organization else None,
        fingerprint=topology.fingerprint if topology else "",
        phase=wanted.phase,
        exit=wanted.exit,
        evaluated_at=now.replace(microsecond=0),
        required=tuple(item.gate.id for item in verdicts),
        servers=topology.servers if topology else (),
        gates=readiness_file.verdicts_by_gate(item.saved() for item in verdicts),
    )


def _default_path(wanted: Wanted) -> Path:
    return Path(wanted.artifact_dir) / f"readiness-{wanted.phase}.json"


def _failures(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The gates that block, each in a sentence; they are few, and all of them matter."""
    return [
        {"object": item.gate.id, "kind": item.verdict, "error": evaluate.in_words(item)}
        for item in verdicts
        if item.blocks
    ]


def warnings(result: Mapping[str, Any], wanted: Wanted, now: datetime) -> list[str]:
    """What the operator should know beside the verdicts: deviations that ended, or that end soon.

    Those of gates of other phases are none of this one's business: a tenant has one list for all phases.
    """
    judged = {item["id"] for item in result.get("gates") or ()}
    found = []
    for gate, deviation in wanted.deviations.items():
        if gate not in judged or deviation.until is None:
            continue
        if deviation.until <= now:
            found.append(
                f"accepted_deviations: {gate} was accepted until {readiness_file.stamp(deviation.until)} only."
            )
        elif deviation.until <= now + timedelta(days=7):
            found.append(f"accepted_deviations: {gate} is accepted until {readiness_file.stamp(deviation.until)}.")
    return found
