# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a cycle after a restart did with each mailbox of a wave, as far as the provisioning log tells.

A cycle looks at all mailboxes of the job, and the log names those that it wrote, skipped or could not write. One that
it does not name was covered all the same: its values were in AD already, or the job's scope leaves it out, or the log
is behind. That is no proof for the mailbox; a comparison of both sides is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._job import failures, log, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import Artifacts, JobLog, Warn
from ansible_collections.hybrid.exchange.plugins.module_utils._job.tally import Result, Tally, changes, skipped
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox, Member

LOG_ENTRIES = 100_000
OUTCOMES = ("exported", "unchanged", "not_in_scope", "skipped", "failed", "covered")


def report(
    service: JobLog,
    job: Job,
    mailboxes: Sequence[Mailbox],
    left_out: Sequence[Member],
    cycle: Mapping[str, Any],
    since: datetime,
    artifacts: Artifacts,
    warn: Warn,
    limit: int,
) -> dict[str, Any]:
    """Counts, artifact and failures; raises PartialFailure if a mailbox of the wave failed."""
    told, silence = _told(service, job, mailboxes, cycle, since)
    with artifacts("provisioned") as artifact:
        tally = Tally(artifact, OUTCOMES)
        for mailbox in mailboxes:
            tally.add(mailbox, told.get(mailbox.id.lower()) or Result("covered", silence))
    answer = {"changed": True, **tally.answer(len(left_out), limit)}
    if tally.counts["covered"]:
        warn(f"{tally.counts['covered']} of {len(mailboxes)} mailboxes: {silence}. Prove them with roundtrip_info.")
    if tally.failures:
        raise PartialFailure(
            f"{len(tally.failures)} of {len(mailboxes)} mailboxes could not be provisioned, first "
            f"{tally.failures[0]['object']}: {tally.failures[0]['error']} The artifact has all of them.",
            **answer,
        )
    return answer


def _told(
    service: JobLog, job: Job, mailboxes: Sequence[Mailbox], cycle: Mapping[str, Any], since: datetime
) -> tuple[dict[str, Result], str]:
    """The newest word of the log on each mailbox, and what it means where there is none."""
    began = f"the cycle that began at {cycle['time_began']}, after the restart, is complete"
    wanted = {mailbox.id.lower() for mailbox in mailboxes}
    found: dict[str, Result] = {}
    read = 0
    try:
        # The log's filter takes what is later than a moment, to the second.
        for entry in service.log(job.id, since=since - timedelta(seconds=1), limit=LOG_ENTRIES):
            read += 1
            moment, key = times.read(entry.get("activityDateTime")), log.key(entry)
            if key not in wanted or key in found or moment is None or moment < since:
                continue
            found[key] = _result(entry)
            if len(found) == len(wanted):
                break
    except HybridError as error:
        return (
            found,
            f"{began}; what it did with them is not known, as the provisioning log was not read: {error.message}",
        )
    if read >= LOG_ENTRIES:
        return found, f"{began}; the last {LOG_ENTRIES} entries of the provisioning log do not name them"
    return found, (
        f"{began}, and the provisioning log does not name them: AD had their values already, or they are not in the "
        "job's scope, or the log is behind"
    )


def _result(entry: Mapping[str, Any]) -> Result:
    status, info = log.status(entry), log.error(entry)
    code, reason = str(info.get("errorCode") or ""), " ".join(str(info.get("reason") or "").split())
    if status == "failure":
        said = ": ".join(text for text in (code, reason) if text) or "the service gives no reason"
        advice = failures.what_to_do(code, str(info.get("recommendedAction") or ""))
        return Result("failed", f"{said}. {advice}".rstrip())
    if status == "skipped":
        return skipped(_skip_reason(entry) or code or reason)
    return Result("exported", reason, changes(entry.get("modifiedProperties")))


def _skip_reason(entry: Mapping[str, Any]) -> str:
    for step in entry.get("provisioningSteps") or ():
        details = step.get("details") if isinstance(step, Mapping) else None
        if isinstance(details, Mapping) and details.get("SkipReason"):
            return str(details["SkipReason"])
    return ""
