# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Why the service put a job into quarantine, in plain words, what to do, and which reset is right then.

What the resets do: Graph's synchronizationJobRestartCriteria. Retries and the four weeks: Microsoft's page on
quarantine in application provisioning, which is the same service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOO_MANY_DELETES = "TooManyDeletes"
# A job that stays in quarantine for longer is disabled by the service.
DISABLED_AFTER_DAYS = 28


@dataclass(frozen=True)
class Reason:
    """A reason of Graph's quarantineReason in our words.

    reset is what a restart should forget once the cause is gone: () restarts as the portal does, and None means that
    nobody should restart before somebody has decided something.
    """

    words: str
    advice: str
    reset: tuple[str, ...] | None


_FAILING = (
    "See in failures and escrows (writeback_job_info) which mailboxes fail and why, and correct that. Then restart "
    "without reset: the count of failures begins anew, and all mailboxes are tried again."
)

REASONS: Mapping[str, Reason] = {
    "EncounteredBaseEscrowThreshold": Reason("too many mailboxes failed in the first cycle", _FAILING, ()),
    "EncounteredTotalEscrowThreshold": Reason("too many mailboxes are failing", _FAILING, ()),
    "EncounteredEscrowProportionThreshold": Reason("too large a part of the mailboxes is failing", _FAILING, ()),
    "EncounteredQuarantineException": Reason(
        "the service could not reach or sign in to the directory",
        "Check that a provisioning agent of this domain is active, that its account may read and write the "
        "directory, and that the AD schema is extended for Exchange. Then restart with reset quarantine_state: the job "
        "goes on where it was.",
        ("quarantine_state",),
    ),
    "QuarantinedOnDemand": Reason(
        "somebody, or Microsoft's support, put it there",
        "Find out who did it and why, before you restart with reset quarantine_state.",
        None,
    ),
    TOO_MANY_DELETES: Reason(
        "it was about to delete more objects than the delete threshold allows",
        "Nothing was deleted yet. If the deletions are not meant, undo what caused them, such as a change of scope, "
        "and restart without reset. If they are meant, restart with reset force_deletes, and nothing else, giving "
        "their number as allow_deletes. Until you know, leave the job as it is, or pause it. Raising delete_threshold "
        "(writeback_job) above their number lets them pass, too, and as many in every later cycle.",
        None,
    ),
    "IngestionInterrupted": Reason(
        "reading the source was interrupted",
        "Restart with reset watermark and quarantine_state: all mailboxes are read again. If it comes back, ask "
        "Microsoft's support.",
        ("watermark", "quarantine_state"),
    ),
    "Unknown": Reason(
        "the service does not say why",
        "See in failures (writeback_job_info) and in the provisioning log what went wrong, and correct it. Then "
        "restart without reset.",
        (),
    ),
}


def explain(quarantine: Mapping[str, Any] | None) -> tuple[str, str]:
    """The reason in plain words, with what the service says of it, and the advice."""
    name = reason_of(quarantine)
    known = REASONS.get(name)
    words, advice = (known.words, known.advice) if known else (f"of {name}", REASONS["Unknown"].advice)
    said = message(quarantine)
    return f"{words}{f' ({said})' if said else ''}", advice


def reset(quarantine: Mapping[str, Any] | None) -> list[str] | None:
    """What a restart should reset once the cause is gone; None where somebody has to decide first."""
    known = REASONS.get(reason_of(quarantine))
    return None if known is None or known.reset is None else list(known.reset)


def reason_of(quarantine: Mapping[str, Any] | None) -> str:
    """The service's own name of the reason."""
    return str((quarantine or {}).get("reason") or "Unknown")


def message(quarantine: Mapping[str, Any] | None) -> str:
    """What the service itself says of the quarantine; often nothing."""
    error = (quarantine or {}).get("error")
    said = error.get("message") if isinstance(error, Mapping) else None
    return said.strip().rstrip(".") if isinstance(said, str) else ""
