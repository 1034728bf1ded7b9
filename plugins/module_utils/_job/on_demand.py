# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Provision mailboxes now, one request each, no faster than the service allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    HybridError,
    PartialFailure,
    PermissionDenied,
    Refused,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import Artifacts, JobRunner, Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._job.tally import Result, Tally, changes, skipped
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import Clock

# After one of these the next mailbox would fare no better.
STOPPING = (AuthenticationError, PermissionDenied, Unavailable)
OUTCOMES = ("exported", "unchanged", "not_in_scope", "skipped", "failed", "not_requested")


@dataclass(frozen=True)
class Pace:
    """At most so many requests in so many seconds; and how long all of it may take."""

    requests: int = 5
    seconds: float = 10
    timeout: float = 1800

    def needed(self, count: int) -> float:
        """The least number of seconds for so many requests."""
        return max(0, (count - 1) // self.requests) * self.seconds


def guard(mailboxes: Sequence[Mailbox], pace: Pace) -> None:
    """Refuse what cannot be done in time, before the first request."""
    needed = pace.needed(len(mailboxes))
    if needed > pace.timeout:
        raise Refused(
            f"Provisioning {len(mailboxes)} mailboxes on demand takes at least {needed:.0f} seconds, as the service "
            f"allows {pace.requests} requests in {pace.seconds:g} seconds; timeout is {pace.timeout:g}. Raise timeout, "
            "or take method restart.",
            needed_seconds=needed,
            planned=len(mailboxes),
        )


def provision(
    service: JobRunner,
    job: Job,
    mailboxes: Sequence[Mailbox],
    left_out: Sequence[Member],
    pace: Pace,
    clock: Clock,
    artifacts: Artifacts,
    progress: Progress,
    limit: int,
) -> dict[str, Any]:
    """Request each mailbox. Answers counts, artifact and failures; raises PartialFailure if one failed.

    The artifact has one line per mailbox with its outcome and what was written. The users left out, which have no
    mailbox, are counted only.
    """
    rule_id = str(schemas.rule(service.schema(job.service_principal_id, job.id)).get("id") or "")
    stopped: HybridError | None = None
    started = clock.monotonic()
    sent: deque[float] = deque(maxlen=pace.requests)
    with artifacts("provisioned") as artifact:
        tally = Tally(artifact, OUTCOMES)
        for mailbox in mailboxes:
            if stopped is None:
                result, error = _one(service, job, rule_id, mailbox, pace, clock, sent)
                if isinstance(error, STOPPING):
                    stopped = error
                elif clock.monotonic() - started > pace.timeout:
                    stopped = _late(pace)
            else:
                result, error = Result("not_requested", stopped.message), None
            tally.add(mailbox, result, error)
            progress.advance()
    answer = {"changed": tally.counts["exported"] > 0, **tally.answer(len(left_out), limit)}
    if stopped is not None and tally.counts["not_requested"]:
        stopped.facts.update(answer)
        raise stopped
    if tally.failures:
        raise PartialFailure(
            f"{len(tally.failures)} of {len(mailboxes)} mailboxes could not be provisioned, first "
            f"{tally.failures[0]['object']}: {tally.failures[0]['error']} The artifact has all of them.",
            **answer,
        )
    return answer


def read_result(pair: Mapping[str, Any]) -> Result:
    """What an answer of provision on demand says. Its value holds the steps, its key a short result."""
    value = pair.get("value")
    value = value[0] if isinstance(value, list) and value else value
    if not isinstance(value, Mapping):
        return Result("failed", f"The service's answer cannot be understood: {str(value)[:200]}")
    key: Mapping[str, Any] = pair["key"] if isinstance(pair.get("key"), Mapping) else {}
    steps = [step for step in value.get("provisioningSteps") or () if isinstance(step, Mapping)]
    info: Mapping[str, Any] = value["statusInfo"] if isinstance(value.get("statusInfo"), Mapping) else {}
    status = str(info.get("status") or key.get("result") or "").lower()
    written = changes(value.get("modifiedProperties"))
    failed = next((step for step in steps if str(step.get("status")).lower() in ("failure", "failed")), None)
    if failed is not None or status in ("failure", "failed"):
        return Result("failed", _reason(failed, info, key), written)
    skip = _skip_reason(steps, key)
    if skip:
        return skipped(skip)
    if any(_is_export(step) and str(step.get("status")).lower() == "success" for step in steps):
        return Result("exported", "", written)
    return Result("skipped" if status == "skipped" or not written else "exported", status, written)


def _one(
    service: JobRunner, job: Job, rule_id: str, mailbox: Mailbox, pace: Pace, clock: Clock, sent: deque[float]
) -> tuple[Result, HybridError | None]:
    if len(sent) == pace.requests:
        clock.sleep(max(0.0, sent[0] + pace.seconds - clock.monotonic()))
    sent.append(clock.monotonic())
    try:
        pair = service.provision_on_demand(job.service_principal_id, job.id, rule_id, mailbox.id)
    except HybridError as error:
        return Result("failed", error.message), error
    return read_result(pair), None


def _late(pace: Pace) -> Timeout:
    return Timeout(
        f"Provisioning on demand took longer than timeout ({pace.timeout:g} seconds) and was stopped. Run again for "
        "the rest: what was provisioned already is left unchanged.",
        last_state="stopped",
    )


def _is_export(step: Mapping[str, Any]) -> bool:
    return str(step.get("type") or "").lower() == "export" or "export" in str(step.get("name") or "").lower()


def _skip_reason(steps: Sequence[Mapping[str, Any]], key: Mapping[str, Any]) -> str:
    for step in steps:
        details = step.get("details")
        if isinstance(details, Mapping) and details.get("SkipReason"):
            return str(details["SkipReason"])
    details = key.get("details")
    if str(key.get("result") or "").lower() == "skipped" and isinstance(details, Mapping):
        return str(details.get("errorCode") or "")
    return ""


def _reason(step: Mapping[str, Any] | None, info: Mapping[str, Any], key: Mapping[str, Any]) -> str:
    details: Mapping[str, Any] = key["details"] if isinstance(key.get("details"), Mapping) else {}
    texts = [
        info.get("errorCode") or details.get("errorCode"),
        info.get("reason") or details.get("errorMessage"),
        (step or {}).get("description"),
        info.get("recommendedAction"),
    ]
    return ": ".join(dict.fromkeys(str(text).strip() for text in texts if text)) or "the service gives no reason"
