# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Mailboxes that a job fails to write, from its provisioning log, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._job import log, times
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Job
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ports import JobLog

LOG_ENTRIES = 1000

_RIGHTS = (
    "The agent's account may not write this object. Give it the rights of the documentation on the object's "
    "organizational unit. Accounts of protected groups (adminCount is 1) do not inherit rights: see AdminSDHolder in "
    "the collection's documentation."
)
_AGENT = "Check on the agent's server that the service of the provisioning agent runs and reaches the internet."
_NO_VALUE = "A mapping finds no value where it needs one. Give the mailbox the value, or the mapping a default."
_LATER = "The service tries again by itself. If it lasts for more than a day, ask Microsoft's support."

# Parts of error codes (lower case), the first that fits counts: codes that are documented for Cloud Sync and for the
# provisioning service, and the names of LDAP results, which codes of this service end in.
WHAT_TO_DO: Mapping[str, str] = {
    "insufficientaccess": _RIGHTS,
    "insufficientrights": _RIGHTS,
    "accessdenied": _RIGHTS,
    "noagentsassigned": "No provisioning agent serves this domain. Install one, or register it again.",
    "noactiveagents": _AGENT,
    "agentsignaling": _AGENT,
    "invalidresource": "Register the provisioning agent of this domain again, and restart the job.",
    "timeout": f"The agent did not answer in time. {_AGENT}",
    "invalidcredential": "The service's own account is missing or wrong; Repair-AADCloudSyncToolsAccount mends it.",
    "expiredcredential": "The service's own account has expired; Repair-AADCloudSyncToolsAccount mends it.",
    "serverbusy": _LATER,
    "toomanyrequests": _LATER,
    "internalservererror": _LATER,
    "duplicatetarget": "Two objects in AD fit this mailbox. Correct the source anchor of the one that should not.",
    "duplicatesource": "Two users in the cloud fit one object in AD. Correct the source anchor of the wrong one.",
    "conflict": "Another object in AD holds one of the values, mostly an address. Take it away there.",
    "alreadyexists": "Another object in AD holds one of the values, mostly an address. Take it away there.",
    "nosuchobject": "AD has no object with the mailbox's source anchor. Look for it with roundtrip_info.",
    "notfound": "AD has no object with the mailbox's source anchor. Look for it with roundtrip_info.",
    "constraintviolation": "AD refuses the value: too long, or a wrong form. Correct it in the cloud, or its mapping.",
    "invalidattributesyntax": "AD refuses the form of the value. Correct it in the cloud, or its mapping.",
    "undefinedattribute": "The AD schema lacks the attribute. Extend it for Exchange, or remove the mapping.",
    "nosuchattribute": "The AD schema lacks the attribute. Extend it for Exchange, or remove the mapping.",
    "schemaattribute": "The AD schema lacks the attribute. Extend it for Exchange, or remove the mapping.",
    "objectclassviolation": "The object's class does not take the attribute. Is it a user with the Exchange schema?",
    "unwillingtoperform": "The domain controller refuses this change. Its reason says more.",
    "mandatory": _NO_VALUE,
    "missingvalue": _NO_VALUE,
    "expression": "The mapping's expression cannot be computed for this mailbox. Correct it with writeback_mapping.",
}


def what_to_do(code: str, recommended: str = "") -> str:
    """Advice for an error code: ours where the code is known, else what the service recommends; may be empty."""
    folded = code.lower()
    return next((words for part, words in WHAT_TO_DO.items() if part in folded), recommended.strip())


def unresolved(service: JobLog, job: Job) -> tuple[list[dict[str, Any]], bool]:
    """Mailboxes whose last try failed, newest first, and whether the log was read to its end.

    A mailbox that succeeded after its failure is left out.
    """
    found: dict[str, dict[str, Any]] = {}
    read = 0
    for entry in service.log(job.id, status="failure", limit=LOG_ENTRIES):
        read += 1
        found.setdefault(log.key(entry) or log.name(entry), _described(entry))
    if not found:
        return [], True
    moments = {key: times.read(failure["time"]) for key, failure in found.items()}
    oldest = min((moment for moment in moments.values() if moment is not None), default=None)
    since = oldest - timedelta(seconds=1) if oldest else None
    for entry in service.log(job.id, status="success", since=since, limit=LOG_ENTRIES):
        key = log.key(entry) or log.name(entry)
        failed, later = moments.get(key), times.read(entry.get("activityDateTime"))
        if failed is not None and later is not None and later > failed:
            found.pop(key, None)
    return list(found.values()), read < LOG_ENTRIES


def _described(entry: Mapping[str, Any]) -> dict[str, Any]:
    info = log.error(entry)
    code, recommended = str(info.get("errorCode") or ""), str(info.get("recommendedAction") or "")
    return {
        "object": log.name(entry),
        "id": log.key(entry),
        "user_principal_name": log.user_principal_name(entry),
        "time": str(entry.get("activityDateTime") or ""),
        "code": code,
        "error": " ".join(str(info.get("reason") or "").split()),
        "advice": recommended,
        "what_to_do": what_to_do(code, recommended),
    }
