# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provision on demand: one user, now, through the same rules as a cycle."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime
from typing import Any

from tests.lab.clock import Clock
from tests.lab.engines import job_state
from tests.lab.engines.credentials import JobFault
from tests.lab.engines.cycle import directory_fault
from tests.lab.engines.departures import link, links
from tests.lab.engines.directory import DirectoryRefusal
from tests.lab.engines.events import LDAP_ERRORS, NOT_IN_SCOPE, REDUNDANT, Outcome, event, steps
from tests.lab.engines.export import Targets, export
from tests.lab.engines.refusal import EngineRefusal
from tests.lab.engines.schema import SOURCE_DIRECTORY, TARGET_DIRECTORY
from tests.lab.engines.scope import ScopeError
from tests.lab.engines.work import Work
from tests.lab.engines.writeback import Writeback
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.store import Store

Document = dict[str, Any]

_SUBJECT = re.compile(r"^User_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$", re.IGNORECASE)
_MESSAGES = {
    REDUNDANT: "The state of the user in both the source and target systems already match.",
    NOT_IN_SCOPE: "The user is not in scope of the job.",
}


def subject(parameters: list[Document], rule_id: str) -> str:
    """The user id that the parameters name; EngineRefusal (400) when they are not one user of this job's rule."""
    if not isinstance(parameters, list) or len(parameters) != 1 or not isinstance(parameters[0], dict):
        raise _bad("parameters has to be a list of one element.")
    subjects = parameters[0].get("subjects")
    if parameters[0].get("ruleId") != rule_id:
        raise _bad(f"ruleId {parameters[0].get('ruleId')!r} is not a rule of the job's schema.")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise _bad("subjects has to be a list of one user; call again for the next one.")
    if subjects[0].get("objectTypeName") != "User":
        raise _bad(f"objectTypeName {subjects[0].get('objectTypeName')!r} is not User.")
    match = _SUBJECT.match(str(subjects[0].get("objectId") or ""))
    if match is None:
        raise _bad(f"objectId {subjects[0].get('objectId')!r} is not of the form User_<object id>.")
    return match[1].lower()


def _bad(text: str) -> EngineRefusal:
    return EngineRefusal(400, "BadRequest", f"Invalid provisionOnDemand request: {text}")


def provision(engine: Writeback, store: Store, clock: Clock, tenant_id: str, job_id: str, parameters: Any) -> Document:
    """Evaluate and write one user; returns Graph's stringKeyStringValuePair, whose two strings are JSON."""
    job = engine.job(tenant_id, job_id)
    rules = (job["_schema"].get("synchronizationRules") or [{}])[0]
    identifier = subject(parameters, rules.get("id") or "")
    began = clock.now()
    known_user = store.get(tenant_id, "user", identifier) or {"id": identifier}
    mark: str | None = None
    try:
        work = engine.prepare(tenant_id, job, began)
        outcome = _evaluate(engine, tenant_id, work, identifier, known_user)
        if outcome.code != NOT_IN_SCOPE and identifier in work.mailboxes and identifier in work.users:
            mark = work.mark(identifier)
    except JobFault as error:
        outcome = Outcome(known_user, "failure", error.code, error.message)
    except ScopeError as error:
        outcome = Outcome(known_user, "failure", "InvalidScope", str(error))
    except (DirectoryUnavailable, DirectoryRefusal) as error:
        fault = directory_fault(error)
        outcome = Outcome(known_user, "failure", fault.code, fault.message)
    ended = clock.now()
    principal = store.get(tenant_id, "servicePrincipal", job.get("_servicePrincipal") or "") or {}
    with store.transaction():
        _remember(store, tenant_id, job_id, identifier, mark, outcome, ended)
        entry = event(tenant_id, job, principal, str(uuid.uuid4()), outcome, ended)
        engine.log(tenant_id, entry)
    return answer(outcome, entry["changeId"], began, ended)


def _evaluate(engine: Writeback, tenant_id: str, work: Work, identifier: str, user: Document) -> Outcome:
    if identifier not in work.users:
        return Outcome(user, "failure", LDAP_ERRORS[32], f"There is no user {identifier} in {SOURCE_DIRECTORY}.")
    verdict = work.verdict(identifier)
    if not verdict.in_scope:
        return Outcome(work.users[identifier], "skipped", NOT_IN_SCOPE, verdict.reason)
    candidate = work.candidate(identifier)
    with engine.directory(tenant_id) as directory:
        return export(directory, Targets(directory, [candidate], work.matching), candidate, work.settings)


def _remember(
    store: Store, tenant_id: str, job_id: str, identifier: str, mark: str | None, outcome: Outcome, now: datetime
) -> None:
    """A user provisioned on demand is known to the job from then on; a success also clears its escrow."""
    job = store.get(tenant_id, "job", job_id)
    if job is None or mark is None:
        return
    job["_known"][identifier] = mark
    if outcome.dn is not None:
        job["_linked"] = {**links(job), identifier: link(outcome.user)}
    if outcome.status == "failure":
        job["_escrows"][identifier] = {
            "first": job_state.iso_precise(now),
            "last": job_state.iso_precise(now),
            "attempts": 1,
            "errorCode": outcome.code,
            "reason": outcome.reason,
        }
    else:
        job["_escrows"].pop(identifier, None)
    store.put(tenant_id, "job", job_id, job)


def answer(outcome: Outcome, change_id: str, began: datetime, ended: datetime) -> Document:
    """Graph's answer: ``key`` has the result in short, ``value`` the steps and changes."""
    failed = outcome.status == "failure"
    skipped = outcome.status == "skipped"
    result = {"success": "Success", "failure": "Failure", "skipped": "Skipped"}[outcome.status]
    message = outcome.reason or _MESSAGES.get(outcome.code, "")
    details = {} if outcome.status == "success" else {"errorCode": outcome.code, "errorMessage": message}
    times = job_state.iso_precise
    user = outcome.user
    value = {
        "action": "Other" if skipped else "Update",
        "changeId": change_id,
        "startTime": times(began),
        "endTime": times(ended),
        "reportableIdentifier": user.get("userPrincipalName") or user["id"],
        "statusInfo": {
            "status": result,
            "errorCode": outcome.code if failed else None,
            "reason": message if failed else None,
            "additionalDetails": None,
            "errorCategory": "NonServiceFailure" if failed else None,
            "recommendedAction": None,
        },
        "provisioningSteps": [{**step, "timestamp": times(ended)} for step in steps(outcome)],
        "modifiedProperties": [change.as_modified_property() for change in outcome.changes],
        "sourceIdentity": {"id": user["id"], "type": "User", "displayName": None, "details": None},
        "sourceSystem": {"id": None, "name": SOURCE_DIRECTORY, "details": None},
        "targetIdentity": {"id": outcome.dn, "type": "user", "displayName": None, "details": None},
        "targetSystem": {"id": None, "name": TARGET_DIRECTORY, "details": None},
    }
    return {"key": json.dumps({"result": result, "details": details}), "value": json.dumps(value)}
