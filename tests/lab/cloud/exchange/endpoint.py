# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two entry points of the admin API: InvokeCommand and $batch."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.lab.cloud import reference, shapes
from tests.lab.cloud.context import Services
from tests.lab.cloud.exchange import (
    domains,
    errors,
    migration,
    named,
    organization,
    paging,
    properties,
    recipients,
    trace,
    transport_rules,
    users,
)
from tests.lab.cloud.exchange.binder import bind
from tests.lab.cloud.exchange.recipients import Call, Cmdlet, Result
from tests.lab.cloud.exchange.set_mailbox import set_mailbox
from tests.lab.cloud.tokens import TokenRefused, audiences, bearer
from tests.lab.cloud.wire import Refused, Reply, Request
from tests.lab.store import Document

_PATH = re.compile(r"^/adminapi/(?P<version>beta|v1\.0)/(?P<tenant>[^/]+)/(?P<action>InvokeCommand|\$batch)$")
APP_ROLE = "Exchange.ManageAsApp"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
EXCHANGE_RECIPIENT_ADMINISTRATOR = "31392ffb-586c-42d1-9346-e59415a2cc4e"

SubProcess = Callable[[Services, Request, Callable[[Services, Request], Reply]], Reply]

expired_link = paging.expired_link

# Cmdlets that act, with the parameters that the lab honours; None: every parameter of the cloud.
CMDLETS: dict[str, tuple[Cmdlet, tuple[str, ...] | None]] = {
    **dict.fromkeys(recipients.GET_KINDS, (recipients.get_recipients, recipients.GET_PARAMETERS)),
    "Get-User": (users.get_users, recipients.GET_PARAMETERS),
    "Set-Mailbox": (set_mailbox, properties.SET_MAILBOX_PARAMETERS),
    "Get-OrganizationConfig": (organization.get_organization_config, ()),
    "Set-OrganizationConfig": (organization.set_organization_config, organization.SET_ORGANIZATION_PARAMETERS),
    **{name: (named.named, named.honoured(name)) for name in named.CMDLETS},
    **migration.CMDLETS,
    **transport_rules.CMDLETS,
    "Get-DnssecStatusForVerifiedDomain": (domains.get_status, None),
    "Enable-DnssecForVerifiedDomain": (domains.enable, None),
    "Get-MessageTraceV2": (trace.get_trace, trace.PARAMETERS),
}
# Cmdlets in the roles of an Exchange Recipient Administrator; an Exchange Administrator may run all.
RECIPIENT_CMDLETS = (
    *recipients.GET_KINDS,
    "Get-User",
    "Set-Mailbox",
    "Get-AcceptedDomain",
    "Get-OrganizationConfig",
    "Get-MoveRequest",
    "Get-MigrationBatch",
    "Get-MigrationEndpoint",
)


def handle(services: Services, request: Request, sub_process: SubProcess) -> Reply:
    """Answer one request to the Exchange address."""
    matched = _PATH.match(request.path)
    if matched is None:
        return Reply(404, text="")
    if request.method != "POST":
        return Reply(405, text="", headers={"Allow": "POST"})
    tenant, application = _caller(services, request, matched["tenant"])
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise Refused(shapes.exchange_error(415, "UnsupportedMediaType", "The body must be application/json."))
    with services.gate.running(tenant["id"]) as running:
        left, reset = services.gate.budget(tenant["id"], int(services.scenario["rate_budget"]))
        limits = {"Rate-Limit-Remaining": str(max(0, left)), "Rate-Limit-Reset": str(reset)}
        limit = int(services.scenario["concurrency_limit"])
        if limit and running > limit:
            return Reply(429, text=shapes.CONCURRENCY_TEXT, content_type="text/plain", headers=limits)
        if left < 0:
            reply = shapes.throttled(services, request, reset)
        elif matched["action"] == "$batch":
            reply = _batch(services, request, tenant, application, sub_process)
        else:
            reply = _refusal_or(lambda: _paced(services, request, tenant, application, part=False))
        reply.headers |= limits
        return reply


def _refusal_or(answer: Callable[[], Reply]) -> Reply:
    try:
        return answer()
    except Refused as refused:
        return refused.reply


def _caller(services: Services, request: Request, named: str) -> tuple[Document, Document]:
    """The tenant and the application behind a request; 401 without a good token, 403 without the roles."""
    token = bearer(request.headers)
    if token is None:
        raise Refused(shapes.unauthorized(services, request, "Access token is missing."))
    try:
        claims = services.issuer.verify(token, audiences("exchange", services.urls))
    except TokenRefused as refused:
        raise Refused(shapes.unauthorized(services, request, str(refused))) from refused
    tenant = services.tenant(named)
    if tenant is None or tenant["id"] != claims["tid"]:
        text = f"The tenant '{named}' of the address is not the tenant of the access token."
        raise Refused(shapes.exchange_error(403, "Forbidden", text, "System.UnauthorizedAccessException"))
    for application in services.store.list(tenant["id"], "application"):
        if application["appId"] == claims["appid"]:
            break
    else:
        raise Refused(shapes.unauthorized(services, request, "The application of the token does not exist."))
    roles = {EXCHANGE_ADMINISTRATOR, EXCHANGE_RECIPIENT_ADMINISTRATOR} & set(application.get("_wids", []))
    if APP_ROLE not in claims.get("roles", []) or not roles:
        raise errors.role_not_supported(claims["appid"])
    return tenant, application


def _paced(services: Services, request: Request, tenant: Document, application: Document, part: bool) -> Reply:
    """Run one cmdlet within the limit of cmdlets at a time, for as long as every cmdlet takes."""
    seconds, limit = float(services.scenario["cmdlet_seconds"]), int(services.scenario["concurrent_cmdlets"])
    with services.cmdlets.running(tenant["id"]) as running:
        if limit and running > limit:
            headers = {"Retry-After": str(max(1, math.ceil(seconds)))}
            if part:
                reply = shapes.exchange_error(429, "TooManyRequests", shapes.CONCURRENCY_TEXT)
                return replace(reply, headers=headers)
            return Reply(429, text=shapes.CONCURRENCY_TEXT, content_type="text/plain", headers=headers)
        time.sleep(seconds)
        return _invoke(services, request, tenant, application)


def _invoke(services: Services, request: Request, tenant: Document, application: Document) -> Reply:
    body = request.json_object()
    given = body.get("CmdletInput") if body is not None else None
    if not isinstance(given, dict) or not isinstance(given.get("CmdletName"), str):
        raise errors.malformed('The body must be {"CmdletInput": {"CmdletName": "...", "Parameters": {...}}}.')
    announced = request.headers.get("x-cmdletname")
    if announced is not None and announced.lower() != given["CmdletName"].lower():
        raise errors.malformed(f"X-CmdletName says {announced}, the body says {given['CmdletName']}.")
    call, run = _call(services, request, tenant, application, given)
    return Reply(200, _content(request, call, run(call)))


def _call(
    services: Services, request: Request, tenant: Document, application: Document, given: dict[str, Any]
) -> tuple[Call, Cmdlet]:
    found = reference.cmdlet(given["CmdletName"])
    if found is None or reference.CLOUD not in found[1]["applies"]:
        raise errors.no_such_cmdlet(given["CmdletName"])
    name = found[0]
    if name not in CMDLETS:
        raise errors.lab_limit(f"{name} is not implemented.")
    bound = bind(name, given.get("Parameters"))
    if EXCHANGE_ADMINISTRATOR not in application.get("_wids", []) and name not in RECIPIENT_CMDLETS:
        raise errors.no_such_cmdlet(name)
    run, honoured = CMDLETS[name]
    # A switch or Boolean that is off asks for nothing.
    asked = [parameter for parameter, value in bound.items() if value is not False or name.startswith("Set-")]
    unhonoured = [] if honoured is None else [parameter for parameter in asked if parameter not in honoured]
    if unhonoured:
        raise errors.lab_limit(f"the parameter {unhonoured[0]} of {name} is not implemented.")
    return Call(services, request, tenant, name, bound), run


def _content(request: Request, call: Call, result: Result) -> dict[str, Any]:
    metadata = f"{request.base}{request.path.rpartition('/')[0]}/$metadata#Collection(Exchange.GenericHashTable)"
    rows = result.rows
    selected = [name.strip().lower() for name in request.query.get("$select", "").split(",") if name.strip()]
    if selected:
        rows = [{name: value for name, value in row.items() if name.lower() in selected} for row in rows]
    content: dict[str, Any] = {"@odata.context": metadata, "value": rows}
    if result.warnings:
        content |= {"adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": result.warnings}
    if result.next_link:
        content["@odata.nextLink"] = result.next_link
    return content


def _batch(
    services: Services, request: Request, tenant: Document, application: Document, sub_process: SubProcess
) -> Reply:
    body = request.json_object()
    parts = body.get("requests") if body is not None else None
    if not isinstance(parts, list) or not parts:
        return shapes.exchange_error(400, "BadRequest", 'The body must be {"requests": [...]}, with a part at least.')
    limit = int(services.scenario["batch_limit"])
    if len(parts) > limit:
        return shapes.exchange_error(400, "BadRequest", f"A batch takes {limit} requests at most, not {len(parts)}.")
    if not all(isinstance(part, dict) and isinstance(part.get("id"), str) for part in parts):
        return shapes.exchange_error(400, "BadRequest", "Each request of a batch is an object with an id.")
    if len({part["id"] for part in parts}) != len(parts):
        return shapes.exchange_error(400, "BadRequest", "The ids of the requests of a batch must differ.")
    go_on = "odata.continue-on-error" in request.headers.get("prefer", "").lower()
    responses: list[dict[str, Any]] = []
    for part in parts:
        reply = sub_process(
            services, _part(request, part), lambda s, r: _part_answer(s, r, request, tenant, application)
        )
        responses.append(
            {"id": part["id"], "status": reply.status, "headers": reply.headers, "body": reply.content or {}}
        )
        # OData 4.01: without this preference, processing ends with the first error.
        if reply.status >= 400 and not go_on:
            break
    return Reply(200, {"responses": responses})


def _part(request: Request, part: dict[str, Any]) -> Request:
    headers = part.get("headers") if isinstance(part.get("headers"), dict) else {}
    own = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
    url = urlsplit(str(part.get("url", "")))
    path = url.path if url.path.startswith("/") else f"{request.path.rpartition('/')[0]}/{url.path}"
    return Request(
        service=request.service,
        method=str(part.get("method", "")).upper(),
        path=path,
        query_string=url.query,
        headers={"authorization": request.headers.get("authorization", ""), **own},
        body=json.dumps(part.get("body"), sort_keys=True).encode(),
        base=request.base,
    )


def _part_answer(services: Services, part: Request, request: Request, tenant: Document, application: Document) -> Reply:
    matched = _PATH.match(part.path)
    if part.method != "POST" or matched is None or matched["action"] != "InvokeCommand":
        raise errors.malformed("Each request of a batch must POST to InvokeCommand.")
    if matched["tenant"] not in (tenant["id"], tenant["domain"], tenant["initial_domain"]):
        raise errors.malformed("Each request of a batch must go to the tenant of the batch.")
    return _paced(services, part, tenant, application, part=True)
