# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a writeback job, as changes to its Graph document. Keys that begin with ``_`` are not shown to clients.

Private keys: ``_schema``, ``_servicePrincipal``, ``_known`` (user id -> mark of the state last evaluated),
``_linked`` (user id -> what is needed to find the object again: whom the job provisioned), ``_watermark`` (time of the
last complete evaluation, None before), ``_initialDone``, ``_escrows`` (user id -> error), ``_deletes`` (user ids whose
removal from AD waits), ``_forceDeletes``, ``_next`` (when the next run is due, lab time in seconds since 1970).
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from tests.lab.clock import iso
from tests.lab.engines.limits import Limits
from tests.lab.engines.refusal import EngineRefusal

Document = dict[str, Any]

NEVER = "0001-01-01T00:00:00Z"  # Graph's value for a time that is not nullable and has not come
ENTRY_TYPE = "User to user"
RESET_SCOPES = ("Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes")
_COUNTS = (
    "countEntitled",
    "countEntitledForProvisioning",
    "countEscrowed",
    "countEscrowedRaw",
    "countExported",
    "countExports",
    "countImported",
    "countImportedDeltas",
    "countImportedReferenceDeltas",
)


def duration(seconds: float) -> str:
    """``seconds`` as an ISO 8601 duration: minutes where it comes out even."""
    whole = int(seconds)
    return f"PT{whole // 60}M" if whole % 60 == 0 else f"PT{whole}S"


def new_job(tenant_id: str, job: Document, schema: Document, interval_s: float) -> Document:
    """The document of a job that was just created: not running, initial cycle not done."""
    identifier = job.get("id") or f"{job['templateId']}.{tenant_id.replace('-', '').lower()}.{uuid.uuid4()}"
    return {
        **job,
        "id": identifier,
        "schedule": {"expiration": None, "interval": duration(interval_s), "state": "Disabled"},
        "status": {
            "code": "NotRun",
            "countSuccessiveCompleteFailures": 0,
            "escrowsPruned": False,
            "lastExecution": None,
            "lastSuccessfulExecution": None,
            "lastSuccessfulExecutionWithExports": None,
            "progress": [],
            "quarantine": None,
            "steadyStateFirstAchievedTime": NEVER,
            "steadyStateLastAchievedTime": NEVER,
            "synchronizedEntryCountByType": [],
            "troubleshootingUrl": None,
        },
        "synchronizationJobSettings": [],
        "_schema": schema,
        "_known": {},
        "_linked": {},
        "_watermark": None,
        "_initialDone": False,
        "_escrows": {},
        "_deletes": [],
        "_forceDeletes": False,
        "_next": None,
    }


def started(job: Document, now: datetime) -> None:
    """Run from now on; a quarantine is lifted, progress is kept."""
    job["schedule"]["state"] = "Active"
    job["status"]["code"] = "Active"
    job["status"]["quarantine"] = None
    job["_next"] = now.timestamp()


def paused(job: Document) -> None:
    """Stop running; progress and state are kept."""
    job["schedule"]["state"] = "Paused"
    job["status"]["code"] = "Paused"
    job["_next"] = None


def reset_scopes(text: str) -> set[str]:
    """The parts of a resetScope; empty means a full restart, as the portal does it; EngineRefusal (400) otherwise."""
    parts = {part.strip() for part in (text or "").split(",") if part.strip()}
    unknown = sorted(parts - set(RESET_SCOPES))
    if unknown:
        raise EngineRefusal(
            400,
            "BadRequest",
            f"resetScope {', '.join(unknown)} cannot be used; it takes {', '.join(RESET_SCOPES)}.",
        )
    return parts or {"Full"}


def restarted(job: Document, scopes: set[str], now: datetime) -> None:
    """Forget what ``scopes`` name and run from now on."""
    full = "Full" in scopes
    if full or "Escrows" in scopes:
        job["_escrows"] = {}
    if full or "Watermark" in scopes:
        job["_watermark"] = None
    if full:
        job["_known"] = {}
        job["_initialDone"] = False
        job["_deletes"] = []
        job["status"]["progress"] = []
    if "ForceDeletes" in scopes:
        job["_forceDeletes"] = True
    keeps_quarantine = job["status"]["quarantine"] is not None and not (
        full or scopes & {"QuarantineState", "ForceDeletes"}
    )
    if keeps_quarantine:
        return
    job["status"]["countSuccessiveCompleteFailures"] = 0
    started(job, now)


def execution(state: str, began: datetime, ended: datetime, counts: Document, error: Document | None) -> Document:
    """A taskExecution. ``state``: Succeeded, Failed or EntryLevelErrors."""
    return {
        "activityIdentifier": str(uuid.uuid4()),
        **{name: int(counts.get(name, 0)) for name in _COUNTS},
        "error": error,
        "state": state,
        "timeBegan": iso_precise(began),
        "timeEnded": iso_precise(ended),
    }


def iso_precise(moment: datetime) -> str:
    """A time with fractions of a second, as the synchronization service writes its own times."""
    return f"{iso(moment)[:-1]}.{moment.microsecond:06d}0Z"


def error(code: str, message: str) -> Document:
    """A synchronizationError."""
    return {"code": code, "message": message, "tenantActionable": True}


def finished(job: Document, run: Document, interval_s: float) -> None:
    """Record a run that went through, with or without failures of single entries."""
    status = job["status"]
    status["lastExecution"] = run
    status["countSuccessiveCompleteFailures"] = 0
    if run["state"] == "Succeeded":
        status["lastSuccessfulExecution"] = run
    if run["countExported"]:
        status["lastSuccessfulExecutionWithExports"] = run
    known = len(job["_known"])
    status["synchronizedEntryCountByType"] = [
        {"key": ENTRY_TYPE, "value": known - len(set(job["_escrows"]) & set(job["_known"]))}
    ]
    status["progress"] = [
        {
            "completedUnits": known,
            "totalUnits": known,
            "units": "User",
            "progressObservationDateTime": run["timeEnded"],
        }
    ]
    if status["steadyStateFirstAchievedTime"] == NEVER:
        status["steadyStateFirstAchievedTime"] = run["timeEnded"]
    status["steadyStateLastAchievedTime"] = run["timeEnded"]
    job["schedule"]["interval"] = duration(interval_s)


def failed(job: Document, run: Document) -> None:
    """Record a run that failed as a whole; nothing that was known is lost."""
    job["status"]["lastExecution"] = run
    job["status"]["countSuccessiveCompleteFailures"] += 1


def quarantined(
    job: Document, reason: str, failure: Document, now: datetime, interval_s: float, limits: Limits
) -> None:
    """Put or keep the job in quarantine: each attempt waits twice as long as the one before, at most a day."""
    status = job["status"]
    old = status["quarantine"] or {}
    count = int(old.get("seriesCount", 0)) + 1
    wait = min(limits.longest_wait_s, interval_s * 2**count)
    status["code"] = "Quarantine"
    status["quarantine"] = {
        "currentBegan": iso_precise(now),
        "error": failure,
        "nextAttempt": iso_precise(now + timedelta(seconds=wait)),
        "reason": reason,
        "seriesBegan": old.get("seriesBegan") or iso_precise(now),
        "seriesCount": count,
    }
    job["_next"] = now.timestamp() + wait
    began = datetime.fromisoformat(status["quarantine"]["seriesBegan"])
    if (now - began).total_seconds() > limits.disabled_after_s:
        job["schedule"]["state"] = "Disabled"
        job["_next"] = None


def released(job: Document) -> None:
    """Out of quarantine, because a run went well."""
    job["status"]["code"] = "Active"
    job["status"]["quarantine"] = None
