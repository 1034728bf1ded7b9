# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The first start of a job: its first cycle makes the directory what the cloud is, so it is predicted before.

A start is the first where the service has no cycle of the job on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.scope import Scope
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.fingerprint import fingerprint
from ansible_collections.hybrid.exchange.plugins.module_utils._run.prediction import Prediction

PREDICTED, ACCEPTED = MODES = ("predicted", "accepted")


@dataclass(frozen=True)
class FirstStart:
    """What makes a first start permitted: a prediction that is good, or that the user takes what it writes.

    ``max_age`` is in hours, ``now`` when the run began, ``tenant`` what the option tenant_id says.
    """

    mode: str = PREDICTED
    prediction: Prediction | None = None
    max_age: float = 24
    tenant: str = ""
    now: datetime | None = None


def is_first(job: Job | None) -> bool:
    """Whether to start it would be its first start."""
    return job is None or job.raw is None or job.never_ran


def guard(first: FirstStart, domain: str, scope: Scope, schema: Mapping[str, Any] | None) -> None:
    """Refused where a first start is not permitted. schema is that of the job, None where it is still to be made."""
    if first.mode == ACCEPTED:
        return
    found = first.prediction
    if found is None:
        raise _refused(
            domain,
            "nobody predicted what it will write. Run hybrid.exchange.writeback_prediction_info and give the path of "
            "its artifact in prediction, or take whatever it writes with first_start: accepted",
        )
    if found.domain.casefold() != domain.casefold() or found.tenant.casefold() != first.tenant.casefold():
        raise _refused(domain, f"the prediction is of {found.domain} in tenant {found.tenant}, not of this job")
    if not found.safe:
        raise _refused(
            domain,
            f"{found.at_risk} mailboxes would lose values that only Active Directory has, or may. Add the values in "
            "the cloud, or give them up by name in give_up of hybrid.exchange.writeback_prediction_info",
        )
    age = found.age(first.now) if first.now else 0.0
    if age > first.max_age:
        raise _refused(
            domain, f"the prediction is {age:.0f} hours old, and prediction_max_age is {first.max_age:g}. Predict again"
        )
    _check_scope(found, domain, scope, schema)
    if schema is not None:
        check_mappings(found, domain, schema)


def check_mappings(found: Prediction, domain: str, schema: Mapping[str, Any]) -> None:
    """Refused where the job has other mappings than those that were predicted."""
    if fingerprint(schema) != found.mappings:
        raise _refused(
            domain,
            "its mappings are not those that were predicted. Bring them to what the rules say with "
            "hybrid.exchange.writeback_mapping, or predict again without these rules",
        )


def _check_scope(found: Prediction, domain: str, scope: Scope, schema: Mapping[str, Any] | None) -> None:
    """A scope that is narrower than the predicted one loses less; only everything is known to be wider than another."""
    for name, stated, live in (
        ("organizational_units", scope.organizational_units, schemas.containers(schema) if schema else []),
        ("groups", scope.groups, schemas.groups(schema) if schema else []),
    ):
        predicted = {item.casefold() for item in getattr(found, name)}
        wanted = {item.casefold() for item in (live if stated is None else stated)}
        if predicted and (not wanted or not wanted <= predicted):
            raise _refused(domain, f"its scope ({name}) is wider than the one that was predicted. Predict again")


def _refused(domain: str, why: str) -> Refused:
    return Refused(f"The job of {domain} has never run, and it was not started: {why}.", domain=domain)
