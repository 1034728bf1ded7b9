# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One look at the shut-down on trial: are all servers off, does the job go on, does a round trip work?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import trial as gate_trial
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.judge_cloud import (
    job_problem,
    round_trip_problem,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.trial import Observation, longest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import stamp
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, Refused


def observe(facts: Facts, write: bool) -> dict[str, Any]:
    """Take the look, and keep it where ``write`` says so; what cannot be read counts as not well.

    Refused where there is no server to be off.
    """
    topology: Topology = facts.value("topology")
    if not topology.mailbox_servers:
        raise Refused("There is no Exchange Server in Active Directory, so there is nothing to shut down on trial.")
    found = Observation(
        at=facts.now(),
        fingerprint=topology.fingerprint,
        doors={name: {str(port): up for port, up in ports.items()} for name, ports in facts.value("doors").items()},
        job=_problem(facts, "job", job_problem),
        round_trip=_problem(facts, "round_trip", round_trip_problem),
    )
    path = gate_trial.path_of(facts.wanted.artifact_dir, facts.wanted.tenant_id)
    if write:
        gate_trial.append(path, found)
    trial = gate_trial.load(path, topology.fingerprint)
    run = longest(trial.observations, facts.wanted.trial_max_gap_hours)
    hours = (run[-1].at - run[0].at).total_seconds() / 3600 if run else 0.0
    return {
        "at": stamp(found.at),
        "well": found.well,
        "servers_off": found.off,
        "up": found.up,
        "why": found.why(),
        "doors": found.doors,
        "observations": len(trial.observations),
        "hours": round(hours, 2),
        "wanted_hours": facts.wanted.trial_hours,
        "file": str(path.absolute()),
    }


def _problem(facts: Facts, name: str, judge: Callable[[Mapping[str, Any]], str]) -> str:
    try:
        return judge(facts.value(name))
    except HybridError as error:
        return f"{facts.end(name)} could not be asked: {error.message}"
