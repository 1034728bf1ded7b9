# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one cycle of a job did, until it is merged into the job's document; and what stops a cycle as a whole."""

from __future__ import annotations

from typing import Any

from tests.lab.engines.credentials import JobFault
from tests.lab.engines.departures import links
from tests.lab.engines.directory import DirectoryRefusal
from tests.lab.engines.events import LDAP_ERRORS, OTHER_LDAP_ERROR, Outcome

Document = dict[str, Any]

# Result codes that say that the account may not work here: a job that meets them as a whole is quarantined at once.
_REFUSED_ACCOUNT = (8, 49, 50)


def directory_fault(error: Exception) -> JobFault:
    """The fault of a run that the directory stopped as a whole."""
    if isinstance(error, DirectoryRefusal) and error.code in _REFUSED_ACCOUNT:
        return JobFault(LDAP_ERRORS.get(error.code, OTHER_LDAP_ERROR), f"The directory refuses the agent: {error}")
    return JobFault(OTHER_LDAP_ERROR, str(error), reason="")


class Cycle:
    """The result of one cycle so far."""

    def __init__(self, job: Document) -> None:
        self.initial = not job["_initialDone"] or job["_watermark"] is None
        self.known: dict[str, str] = {} if self.initial else dict(job["_known"])
        self.linked: dict[str, Document] = links(job)
        self.escrows: dict[str, Document] = dict(job["_escrows"])
        self.deletes: list[str] = []
        self.outcomes: list[Outcome] = []
        self.counts: Document = {}
        self.blocked_by: JobFault | None = None
        self.held = False

    def hold(self, job: Document) -> None:
        """Leave what the job knows as it is: the run is stopped before anybody is evaluated."""
        self.known, self.held = dict(job["_known"]), True
