# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the provisioning log (Graph provisioningObjectSummary)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.lab.engines.job_state import iso_precise
from tests.lab.engines.mapping import Change
from tests.lab.engines.schema import SOURCE_DIRECTORY, TARGET_DIRECTORY

Document = dict[str, Any]

# LDAP result code -> error code of the log. Only the prefix is published; the endings follow LDAP's names.
_PREFIX = "HybridSynchronizationActiveDirectory"
LDAP_ERRORS = {
    16: f"{_PREFIX}NoSuchAttribute",
    17: f"{_PREFIX}UndefinedAttributeType",
    19: f"{_PREFIX}ConstraintViolation",
    20: f"{_PREFIX}AttributeOrValueExists",
    21: f"{_PREFIX}InvalidAttributeSyntax",
    32: f"{_PREFIX}ObjectNotFound",
    49: f"{_PREFIX}InvalidCredentials",
    50: f"{_PREFIX}InsufficientAccessRights",
    53: f"{_PREFIX}UnwillingToPerform",
    65: f"{_PREFIX}ObjectClassViolation",
    68: f"{_PREFIX}EntryAlreadyExists",
}
OTHER_LDAP_ERROR = f"{_PREFIX}InternalServerError"
NOT_IN_SCOPE, REDUNDANT = "NotInScope", "RedundantExport"
# Action on an object whose user left -> name of its step, and what it says.
_LEAVING = {
    "stagedDelete": ("EntryStagedDelete", "would be deleted"),
    "disable": ("EntryExportUpdate", "was disabled"),
    "delete": ("EntryExportDelete", "was deleted"),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one user in a run. ``status``: success, failure or skipped."""

    user: Document
    status: str
    code: str = ""  # error code, or reason of a skip
    reason: str = ""
    dn: str | None = None
    changes: tuple[Change, ...] = field(default_factory=tuple)
    action: str = "update"

    @property
    def exported(self) -> bool:
        """Whether something was written to the directory."""
        return self.status == "success" and self.action != "stagedDelete"


def event(
    tenant_id: str, job: Document, service_principal: Document, cycle_id: str, outcome: Outcome, now: datetime
) -> Document:
    """The log entry for one outcome."""
    user = outcome.user
    failed = outcome.status == "failure"
    return {
        "id": str(uuid.uuid4()),
        "activityDateTime": iso_precise(now),
        "tenantId": tenant_id,
        "jobId": job["id"],
        "cycleId": cycle_id,
        "changeId": str(uuid.uuid4()),
        "provisioningAction": "other" if outcome.status == "skipped" else outcome.action,
        "durationInMilliseconds": 120,
        "initiatedBy": {"id": "", "displayName": "Azure AD Provisioning Service", "initiatorType": "system"},
        "servicePrincipal": {
            "id": service_principal.get("id") or job.get("_servicePrincipal"),
            "displayName": service_principal.get("displayName"),
        },
        "sourceSystem": {"id": "", "displayName": SOURCE_DIRECTORY, "details": {}},
        "targetSystem": {"id": "", "displayName": TARGET_DIRECTORY, "details": {}},
        "sourceIdentity": {
            "id": user["id"],
            "displayName": user.get("displayName"),
            "identityType": "User",
            "details": {"id": user["id"], "userPrincipalName": user.get("userPrincipalName")},
        },
        "targetIdentity": {
            "id": "",
            "displayName": outcome.dn,
            "identityType": "user",
            "details": {"distinguishedName": outcome.dn} if outcome.dn else {},
        },
        "provisioningStatusInfo": {
            "status": outcome.status,
            "errorInformation": {
                "errorCode": outcome.code,
                "reason": outcome.reason,
                "errorCategory": "nonServiceFailure",
                "recommendedAction": None,
                "additionalDetails": None,
            }
            if failed
            else None,
        },
        "provisioningSteps": [
            {
                "name": step["name"],
                "provisioningStepType": step["type"].lower(),
                "status": step["status"].lower(),
                "description": step["description"],
                "details": step["details"],
            }
            for step in steps(outcome)
        ],
        "modifiedProperties": [change.as_modified_property() for change in outcome.changes],
    }


def steps(outcome: Outcome) -> list[Document]:
    """The steps of a run for one user: name, type, status, description, details."""
    user = outcome.user
    name = user.get("userPrincipalName") or user["id"]
    done = [
        _step("EntryImport", "Import", "Success", f"Retrieved User '{name}' from {SOURCE_DIRECTORY}", _details(user))
    ]
    leaves = outcome.action in _LEAVING
    in_scope = outcome.code != NOT_IN_SCOPE and not leaves
    scoping = _step(
        "EntrySynchronizationScoping",
        "Scoping",
        "Success" if in_scope else "Skipped",
        "Determine if User in scope by evaluating against each scoping filter",
        {"IsEffectivelyEntitledForProvisioning": str(in_scope), "ScopeEvaluationResult": outcome.reason or "{}"},
    )
    if leaves:
        return [*done, scoping, *_leaving(outcome, name)]
    if not in_scope:
        skip = _step("EntrySynchronizationSkip", "Export", "Skipped", outcome.reason, {"SkipReason": NOT_IN_SCOPE})
        return [*done, scoping, skip]
    done.append(scoping)
    done.extend(_matched(outcome))
    if outcome.status == "skipped":
        text = f"Source and target already match; no change to '{name}' is needed."
        return [*done, _step("EntrySynchronizationSkip", "Export", "Skipped", text, {"SkipReason": outcome.code})]
    if outcome.status == "failure":
        details = {"ErrorCode": outcome.code}
        kind = ("EntryImport", "Matching") if outcome.dn is None else ("EntryExportUpdate", "Export")
        return [*done, _step(*kind, "Failure", outcome.reason, details)]
    exported = {change.attribute: "; ".join(change.new) for change in outcome.changes if not change.redacted}
    return [
        *done,
        _step("EntryExportUpdate", "Export", "Success", f"User '{name}' was updated in {TARGET_DIRECTORY}", exported),
    ]


def _matched(outcome: Outcome) -> list[Document]:
    if outcome.dn is None:
        return []
    text = f"Retrieved '{outcome.dn}' from {TARGET_DIRECTORY}"
    return [_step("EntryImport", "Matching", "Success", text, {"distinguishedName": outcome.dn})]


def _leaving(outcome: Outcome, name: str) -> list[Document]:
    """The steps for a user who is no longer provisioned. How the service names them is not published."""
    step, done = _LEAVING[outcome.action]
    if outcome.status == "failure":
        last = _step(step, "Export", "Failure", outcome.reason, {"ErrorCode": outcome.code})
    else:
        last = _step(step, "Export", "Success", f"User '{name}' {done} in {TARGET_DIRECTORY}", {})
    return [*_matched(outcome), last]


def _details(user: Document) -> Document:
    return {
        "objectId": user["id"],
        "userPrincipalName": user.get("userPrincipalName"),
        "onPremisesImmutableId": user.get("onPremisesImmutableId"),
    }


def _step(name: str, kind: str, status: str, description: str, details: Document) -> Document:
    return {"name": name, "type": kind, "status": status, "description": description, "details": details}
