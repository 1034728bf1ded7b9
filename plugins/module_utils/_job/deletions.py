# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The deletions that the delete threshold stopped: how many, whom they would hit, and who may let them pass.

The documented source is the provisioning log, where each has the action stagedDelete. The message of the quarantine may
tell the number, too; its form is not documented, so it counts only where it leaves no doubt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._job import log, quarantine, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import JobLog
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

STAGED = "stageddelete"
# A setting that the sister jobs show; whether writeback jobs do is not documented.
THRESHOLD_SETTING = "QuarantineTooManyDeletesThreshold"
LOG_ENTRIES = 10_000
# The cycle that led into the quarantine began before it, and may have taken long.
LOOK_BACK = timedelta(days=1)
NUMBER = re.compile(r"(?<![\w.:-])\d{1,9}(?![\w:-]|\.\d)")


@dataclass(frozen=True)
class Deletions:
    """Deletions that wait for a decision. pending is None where their number is not known for sure."""

    pending: int | None
    threshold: int | None
    objects: tuple[str, ...]
    unknown_because: str = ""

    def as_result(self, limit: int) -> dict[str, Any]:
        return {
            "pending": self.pending,
            "threshold": self.threshold,
            "objects": list(self.objects[:limit]),
            "unknown_because": self.unknown_because or None,
        }

    def in_words(self) -> str:
        """How many and whom, in a sentence."""
        limit = f" (the delete threshold is {self.threshold})" if self.threshold else ""
        if self.pending is None:
            return f"How many objects it would delete is not known: {self.unknown_because}{limit}."
        names = f": {listing(self.objects)}" if self.objects else ""
        return f"It would delete {self.pending} object{'' if self.pending == 1 else 's'}{names}{limit}."


def stopped(job: Job) -> bool:
    """Whether the job waits for a decision about deletions."""
    return job.in_quarantine and quarantine.reason_of(job.status.get("quarantine")) == quarantine.TOO_MANY_DELETES


def pending(service: JobLog, job: Job) -> Deletions:
    """What a stopped job would delete."""
    said = _said(job)
    threshold = _shown_threshold(job) or (said[1] if said else None)
    try:
        objects, complete = _staged(service, job)
    except HybridError as error:
        objects, complete, unreadable = (), True, error.message
    else:
        unreadable = ""
    if not complete:
        why = f"the provisioning log has more than {LOG_ENTRIES} entries since the quarantine began"
        return Deletions(None, threshold, objects, why)
    numbers = {*([len(objects)] if objects else []), *([said[0]] if said else [])}
    if len(numbers) == 1:
        return Deletions(numbers.pop(), threshold, objects)
    if numbers:
        why = f"the provisioning log names {len(objects)} deletions, the job's message says {said and said[0]}"
    else:
        why = unreadable or "the provisioning log names no staged deletion, and the job's message gives no number"
    return Deletions(None, threshold, objects, why)


def guard(service: JobLog, job: Job, resets: Sequence[str], allowed: int | None) -> None:
    """Refuse a restart that could let deletions pass which nobody has confirmed by their number."""
    if "force_deletes" not in resets:
        if allowed is not None:
            raise InputError("allow_deletes has a meaning with reset force_deletes only.")
        if "full" in resets and stopped(job):
            raise Refused(
                f"The delete threshold stopped the writeback job of {job.domain}, and reset full may let the deletions "
                "pass. If they are not meant, restart without reset; if they are, with reset force_deletes and "
                "allow_deletes.",
                domain=job.domain,
            )
        return
    if list(resets) != ["force_deletes"]:
        raise InputError("The service wants reset force_deletes alone. Leave the others out.")
    if not stopped(job):
        raise Refused(
            f"The writeback job of {job.domain} is not stopped because of deletions, so there are none to allow. "
            "Restart it with another reset.",
            domain=job.domain,
        )
    found = pending(service, job)
    facts: Mapping[str, Any] = {"domain": job.domain, "deletions": found.as_result(20)}
    if found.pending is None:
        raise Refused(
            f"{found.in_words()} So nothing can be confirmed here. Look at the job in the Microsoft Entra admin center "
            "and allow the deletions there, if they are meant.",
            **facts,
        )
    if allowed is None:
        raise Refused(
            f"The writeback job of {job.domain} is to be allowed deletions. {found.in_words()} If all of that is "
            f"meant, say so with allow_deletes: {found.pending}.",
            **facts,
        )
    if allowed != found.pending:
        raise Refused(
            f"allow_deletes confirms {allowed} deletions by the writeback job of {job.domain}. {found.in_words()} "
            "Nothing was allowed.",
            **facts,
        )


def _said(job: Job) -> tuple[int, int] | None:
    """Number and threshold from a message that holds exactly two numbers: a job stops at its threshold or above it."""
    numbers = [int(text) for text in NUMBER.findall(quarantine.message(job.status.get("quarantine")))]
    return (max(numbers), min(numbers)) if len(numbers) == 2 else None


def _shown_threshold(job: Job) -> int | None:
    for item in (job.raw or {}).get("synchronizationJobSettings") or ():
        if item.get("name") == THRESHOLD_SETTING and str(item.get("value") or "").isdigit():
            return int(item["value"])
    return None


def _staged(service: JobLog, job: Job) -> tuple[tuple[str, ...], bool]:
    """Whom the newest cycle that staged deletions would delete, and whether the log was read as far as needed.

    The threshold counts per cycle, and a job that is tried again stages the same deletions again.
    """
    series = times.read((job.status.get("quarantine") or {}).get("seriesBegan"))
    since = series - LOOK_BACK if series else None
    count = 0
    newest: str | None = None
    names: dict[str, str] = {}
    for entry in service.log(job.id, since=since, limit=LOG_ENTRIES):
        count += 1
        if str(entry.get("provisioningAction") or "").lower() != STAGED:
            continue
        cycle = str(entry.get("cycleId") or "")
        newest = cycle if newest is None else newest
        if cycle == newest:
            names.setdefault(log.key(entry) or str(entry.get("id")), log.target_name(entry))
    return tuple(sorted(names.values())), count < LOG_ENTRIES
