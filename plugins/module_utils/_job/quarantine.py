# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Why the service put a job into quarantine, in plain words, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Reasons from Graph's quarantineReason; the words are ours.
REASONS: Mapping[str, tuple[str, str]] = {
    "EncounteredBaseEscrowThreshold": (
        "too many objects failed in the first cycle",
        "Look at the failures (writeback_job_info), correct their cause, then restart with reset escrows and "
        "quarantine_state.",
    ),
    "EncounteredTotalEscrowThreshold": (
        "too many objects are failing",
        "Look at the failures (writeback_job_info), correct their cause, then restart with reset escrows and "
        "quarantine_state.",
    ),
    "EncounteredEscrowProportionThreshold": (
        "too large a part of the objects is failing",
        "Look at the failures (writeback_job_info), correct their cause, then restart with reset escrows and "
        "quarantine_state.",
    ),
    "EncounteredQuarantineException": (
        "the service could not reach or sign in to the directory",
        "Check that a provisioning agent of this domain is active, that its account may read and write the "
        "directory, and that the AD schema is extended for Exchange. Then restart with reset quarantine_state.",
    ),
    "QuarantinedOnDemand": (
        "somebody, or Microsoft's support, put it there",
        "Find out who and why before you restart with reset quarantine_state.",
    ),
    "TooManyDeletes": (
        "it was about to delete more objects than the delete threshold allows",
        "Check whether these deletions are meant. If so, restart with reset force_deletes; if not, correct the scope.",
    ),
    "IngestionInterrupted": (
        "reading the source was interrupted",
        "Restart with reset watermark and quarantine_state; if it comes back, ask Microsoft's support.",
    ),
    "Unknown": (
        "the service does not say why",
        "Look at the failures (writeback_job_info) and the provisioning log.",
    ),
}


def explain(quarantine: Mapping[str, Any] | None) -> tuple[str, str]:
    """The reason and the advice for a quarantine object."""
    name = str((quarantine or {}).get("reason") or "Unknown")
    reason, advice = REASONS.get(name, (f"of {name}", REASONS["Unknown"][1]))
    error = (quarantine or {}).get("error") or {}
    said = error.get("message") if isinstance(error, Mapping) else None
    return f"{reason}{f' ({said.strip()})' if isinstance(said, str) and said.strip() else ''}", advice
