# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The synchronization API: templates, jobs, secrets and provisioning on demand."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.lab.cloud.context import new_guid
from tests.lab.cloud.graph import query
from tests.lab.cloud.graph.applications import WRITEBACK_TEMPLATE, found
from tests.lab.cloud.graph.call import Call, no_content
from tests.lab.cloud.graph.csdl import RESTART_SCOPES, Mismatch, check, shown
from tests.lab.cloud.wire import Refused, Reply
from tests.lab.store import Document

JOB_TEMPLATE = "Entra2ADExchangeOnlineAttributeWriteback"
_ON_DEMAND_WINDOW_S = 10.0


def job(call: Call, principal_id: str, job_id: str) -> Document:
    """A job of a service principal; 404 when there is none such."""
    principal = found(call, "servicePrincipal", principal_id)
    doc = call.services.store.get(call.tenant_id, "job", job_id)
    if doc is None or doc.get("_servicePrincipal") != principal["id"]:
        raise call.not_found(job_id)
    return doc


def _context(principal_id: str, rest: str) -> str:
    return f"servicePrincipals('{principal_id}')/synchronization/{rest}"


def _principal(call: Call, principal_id: str) -> Document:
    return found(call, "servicePrincipal", principal_id)


def list_templates(call: Call, principal_id: str) -> Reply:
    """GET .../synchronization/templates."""
    principal = _principal(call, principal_id)
    docs = []
    if principal.get("applicationTemplateId") == WRITEBACK_TEMPLATE:
        docs.append(
            {
                "id": JOB_TEMPLATE,
                "applicationId": principal["appId"],
                "default": True,
                "description": "Exchange Online attribute writeback to Active Directory",
                "discoverable": True,
                "factoryTag": JOB_TEMPLATE,
                "metadata": [],
            }
        )
    return query.many(call, docs, "synchronizationTemplate", _context(principal["id"], "templates"))


def list_jobs(call: Call, principal_id: str) -> Reply:
    """GET .../synchronization/jobs."""
    principal = _principal(call, principal_id)
    docs = [
        doc
        for doc in call.services.store.list(call.tenant_id, "job")
        if doc.get("_servicePrincipal") == principal["id"]
    ]
    return query.many(call, call.seen("job", docs), "synchronizationJob", _context(principal["id"], "jobs"))


def create_job(call: Call, principal_id: str) -> Reply:
    """POST .../synchronization/jobs with a templateId; the job does not run yet."""
    principal = _principal(call, principal_id)
    body = call.body()
    template_id = body.get("templateId")
    if not isinstance(template_id, str) or set(body) - {"templateId"}:
        raise call.bad_request('The body must be {"templateId": "..."}.')
    if principal.get("applicationTemplateId") != WRITEBACK_TEMPLATE or template_id != JOB_TEMPLATE:
        raise call.bad_request(f"The template '{template_id}' does not exist for this application.")
    tenant_hex = call.tenant_id.replace("-", "")
    doc = {
        "id": f"{template_id}.{tenant_hex}.{new_guid()}",
        "templateId": template_id,
        "_servicePrincipal": principal["id"],
    }
    created = call.engine(lambda: call.services.engines.job_created(call.tenant_id, doc))
    created = _with_domain(call, created, principal["id"])
    call.services.store.put(call.tenant_id, "job", created["id"], created)
    content = {
        "@odata.context": call.context(_context(principal["id"], "jobs/$entity")),
        **shown(created, "synchronizationJob", call.version),
    }
    return Reply(201, content)


def get_job(call: Call, principal_id: str, job_id: str) -> Reply:
    """GET .../jobs/{id}."""
    [doc] = call.seen("job", [job(call, principal_id, job_id)])
    return query.one(call, doc, "synchronizationJob", _context(principal_id, "jobs"))


def delete_job(call: Call, principal_id: str, job_id: str) -> Reply:
    """DELETE .../jobs/{id}: the service principal stays, as an empty configuration."""
    with call.services.engine_lock:
        doc = job(call, principal_id, job_id)
        call.services.store.delete(call.tenant_id, "job", doc["id"])
    return no_content()


def start(call: Call, principal_id: str, job_id: str) -> Reply:
    """POST .../start."""
    doc = job(call, principal_id, job_id)
    call.engine(lambda: call.services.engines.start(call.tenant_id, doc["id"]))
    return no_content()


def pause(call: Call, principal_id: str, job_id: str) -> Reply:
    """POST .../pause."""
    doc = job(call, principal_id, job_id)
    call.engine(lambda: call.services.engines.pause(call.tenant_id, doc["id"]))
    return no_content()


def restart(call: Call, principal_id: str, job_id: str) -> Reply:
    """POST .../restart with criteria.resetScope, a comma-joined text; without it, the job starts all over."""
    doc = job(call, principal_id, job_id)
    criteria = (call.body() if call.request.body else {}).get("criteria") or {}
    scope = criteria.get("resetScope", "") if isinstance(criteria, dict) else None
    if not isinstance(scope, str) or set(criteria) - {"resetScope", "@odata.type"}:
        raise call.bad_request('The body must be {"criteria": {"resetScope": "..."}}.')
    unknown = [word for word in map(str.strip, scope.split(",")) if word and word not in RESTART_SCOPES]
    if unknown:
        raise call.bad_request(f"Cannot convert the literal '{unknown[0]}' to the expected type "
                               "'microsoft.graph.synchronizationJobRestartScope'.")  # fmt: skip
    call.engine(lambda: call.services.engines.restart(call.tenant_id, doc["id"], scope))
    return no_content()


def validate_credentials(call: Call, principal_id: str, job_id: str) -> Reply:
    """POST .../validateCredentials: 204 when there is something to validate."""
    job(call, principal_id, job_id)
    body = call.body()
    if body.get("useSavedCredentials") is not True and not body.get("credentials"):
        raise call.bad_request("Either useSavedCredentials must be true, or credentials must be given.")
    if body.get("credentials"):
        _checked_secrets(call, body["credentials"])
    return no_content()


def provision_on_demand(call: Call, principal_id: str, job_id: str) -> Reply:
    """POST .../provisionOnDemand: 5 calls within 10 seconds, more get 429."""
    doc = job(call, principal_id, job_id)
    parameters = call.body().get("parameters")
    if not isinstance(parameters, list) or not parameters or not all(map(_good_parameter, parameters)):
        raise call.bad_request(
            'The body must be {"parameters": [{"subjects": [{"objectId": "...", "objectTypeName": "..."}], '
            '"ruleId": "..."}]}.'
        )
    _spend_on_demand_call(call)
    pair = call.engine(lambda: call.services.engines.provision_on_demand(call.tenant_id, doc["id"], parameters))
    return Reply(200, {"@odata.context": call.context("microsoft.graph.stringKeyStringValuePair"), **pair})


def _good_parameter(parameter: Any) -> bool:
    if not isinstance(parameter, dict) or not isinstance(parameter.get("ruleId"), str):
        return False
    subjects = parameter.get("subjects")
    return (
        isinstance(subjects, list)
        and bool(subjects)
        and all(
            isinstance(subject, dict)
            and isinstance(subject.get("objectId"), str)
            and isinstance(subject.get("objectTypeName"), str)
            for subject in subjects
        )
    )


def _spend_on_demand_call(call: Call) -> None:
    limit = int(call.services.scenario["on_demand_calls"])
    now = time.monotonic()
    with call.services.engine_lock:
        calls = call.services.on_demand_calls.setdefault(call.tenant_id, [])
        calls[:] = [moment for moment in calls if now - moment < _ON_DEMAND_WINDOW_S]
        if len(calls) < limit:
            calls.append(now)
            return
        left = _ON_DEMAND_WINDOW_S - (now - calls[0])
    refused = call.refuse(429, "TooManyRequests", "Too many provisionOnDemand requests. Please try again later.")
    refused.reply.headers["Retry-After"] = str(max(1, int(left) + 1))
    raise Refused(refused.reply)


def get_secrets(call: Call, principal_id: str) -> Reply:
    """GET .../synchronization/secrets: the keys, and of the values what the switch ``secrets_readable`` lets see."""
    principal = _principal(call, principal_id)
    doc = call.services.store.get(call.tenant_id, "secret", principal["id"]) or {}
    content = {
        "@odata.context": call.context(_context(principal["id"], "secrets")),
        "value": [{"key": pair["key"], "value": _readable(call, pair["value"])} for pair in doc.get("value", [])],
    }
    return Reply(200, content)


def _readable(call: Call, value: str | None) -> str | None:
    """A secret's value as reading shows it. Microsoft's pages contradict each other: so a switch."""
    how = call.services.scenario["secrets_readable"]
    return value if how == "values" else "*****" if how == "masked" and value is not None else None


def put_secrets(call: Call, principal_id: str) -> Reply:
    """PUT .../synchronization/secrets: replaces the whole set."""
    principal = _principal(call, principal_id)
    body = call.body()
    pairs = _checked_secrets(call, body.get("value"))
    store = call.services.store
    # The engines write job documents too: one at a time.
    with call.services.engine_lock, store.transaction():
        store.put(call.tenant_id, "secret", principal["id"], {"id": principal["id"], "value": pairs})
        for doc in store.list(call.tenant_id, "job"):
            if doc.get("_servicePrincipal") == principal["id"]:
                store.put(call.tenant_id, "job", doc["id"], _with_domain(call, doc, principal["id"]))
    return no_content()


def _checked_secrets(call: Call, pairs: Any) -> list[Document]:
    try:
        check(pairs, "Collection(synchronizationSecretKeyStringValuePair)", call.version, "value")
    except Mismatch as error:
        raise call.bad_request(str(error)) from error
    if not all("key" in pair for pair in pairs):
        raise call.bad_request("Each secret must have a key.")
    return [{"key": pair["key"], "value": pair.get("value")} for pair in pairs]


def _with_domain(call: Call, doc: Document, principal_id: str) -> Document:
    """``doc`` with the setting DomainFQDN, as a healthy job shows it, from the secret Domain."""
    secrets = (call.services.store.get(call.tenant_id, "secret", principal_id) or {}).get("value", [])
    text = next((pair["value"] for pair in secrets if pair["key"] == "Domain"), None)
    try:
        value = json.loads(text or "")
    except ValueError:
        value = None
    others = [one for one in doc.get("synchronizationJobSettings") or [] if one.get("name") != "DomainFQDN"]
    if isinstance(value, dict) and isinstance(value.get("domain"), str):
        others.append({"name": "DomainFQDN", "value": value["domain"]})
    return {**doc, "synchronizationJobSettings": others}
