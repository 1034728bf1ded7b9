# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of every request: early-retry watch, faults, the service itself, headers, and the log."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from tests.lab.clock import iso
from tests.lab.cloud import control, login, shapes
from tests.lab.cloud.context import Services
from tests.lab.cloud.describe import Trace, describe
from tests.lab.cloud.exchange import endpoint as exchange
from tests.lab.cloud.faults import Fault
from tests.lab.cloud.graph import endpoint as graph
from tests.lab.cloud.wire import Refused, Reply, Request

Handler = Callable[[Services, Request], Reply]

DEFAULT_SLOW_S = 5.0
DEFAULT_STALE_S = 30.0


@dataclass
class Outcome:
    """What goes back: the reply, and whether the connection is cut in the middle of it."""

    reply: Reply
    cut: bool = False


def process(services: Services, request: Request) -> Outcome:
    """Answer a request to any of the lab's addresses."""
    if request.service == "control":
        return Outcome(_refusals(control.handle)(services, request))
    handlers: dict[str, Handler] = {
        "login": login.handle,
        "graph": lambda s, r: graph.handle(s, r, sub_process),
        "exchange": lambda s, r: exchange.handle(s, r, sub_process),
    }
    outcome = _watched(services, request, describe(request), handlers[request.service])
    outcome.reply.headers["Date"] = format_datetime(services.clock.now(), usegmt=True)
    if "client-request-id" in request.headers and request.service != "login":
        outcome.reply.headers.setdefault("client-request-id", request.headers["client-request-id"])
    return outcome


def sub_process(services: Services, request: Request, handler: Handler) -> Reply:
    """Answer one part of a batch: logged on its own, open to the faults that fit parts."""
    trace = describe(request)
    trace.part = True
    return _watched(services, request, trace, handler).reply


def _refusals(handler: Handler) -> Handler:
    def answered(services: Services, request: Request) -> Reply:
        try:
            return handler(services, request)
        except Refused as refused:
            return refused.reply

    return answered


def _watched(services: Services, request: Request, trace: Trace, handler: Handler) -> Outcome:
    began = time.time()
    key = _wait_key(request, trace)
    early = services.waits.early_by(key)
    fault = services.faults.take(
        request.service,
        trace.tenant,
        method=request.method,
        path=request.path,
        cmdlet=trace.cmdlet,
        write=trace.write,
        paged=trace.paged,
        part=trace.part,
    )
    entry: dict[str, Any] = {"status": 500}
    services.local.noticed = None
    try:
        outcome = _answer(services, request, fault, _refusals(handler))
        entry["status"] = outcome.reply.status
        retry_after = outcome.reply.headers.get("Retry-After")
        if retry_after is not None:
            services.waits.told(key, float(retry_after))
        return outcome
    finally:
        tenant = services.tenant(trace.tenant)
        entry |= {
            "lab_time": iso(services.clock.now()),
            "real_time": began,
            "duration": round(time.time() - began, 4),
            "service": request.service,
            "tenant": tenant["name"] if tenant else trace.tenant,
            "tenant_id": tenant["id"] if tenant else None,
            "client_id": trace.client_id,
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "cmdlet": trace.cmdlet,
            "parameters": trace.parameters,
            "part": trace.part,
            "write": trace.write,
            "fault": fault.kind if fault else None,
            "violation": f"retried {early:.2f} s before Retry-After ran out" if early else services.local.noticed,
        }
        services.store.log_request(entry, trace.write)


def _wait_key(request: Request, trace: Trace) -> tuple[str, ...]:
    digest = hashlib.sha256(request.canonical_body()).hexdigest()
    return (
        request.service,
        trace.tenant or "",
        trace.client_id or "",
        request.method,
        f"{request.path}?{request.query_string}",
        digest,
    )


def _answer(services: Services, request: Request, fault: Fault | None, handler: Handler) -> Outcome:
    kind = fault.kind if fault else ""
    if fault is None:
        return Outcome(handler(services, request))
    if kind in ("throttle", "throttle_in_batch"):
        return Outcome(shapes.throttled(services, request, fault.parameters.get("retry_after")))
    if kind == "unavailable":
        reply = shapes.unavailable(services, request, int(fault.number("status", 503)))
        if "retry_after" in fault.parameters:
            reply.headers["Retry-After"] = str(round(fault.number("retry_after", 0)))
        return Outcome(reply)
    if kind == "not_json":
        return Outcome(shapes.not_json(int(fault.number("status", 502))))
    if kind == "token_expired":
        reason = "Lifetime validation failed, the token is expired."
        return Outcome(shapes.unauthorized(services, request, reason))
    if kind == "expired_next_link":
        return Outcome(_expired_link(services, request))
    if kind == "slow":
        time.sleep(fault.number("seconds", DEFAULT_SLOW_S))
    if kind == "stale_reads":
        services.local.stale_seconds = fault.number("seconds", DEFAULT_STALE_S)
    try:
        reply = handler(services, request)
    finally:
        services.local.stale_seconds = 0.0
    if kind == "error_although_applied":
        status = int(fault.number("status", 500))
        return Outcome(shapes.error(services, request, status, "InternalServerError", "An internal error occurred."))
    if kind == "no_content":
        return Outcome(Reply(204, headers=reply.headers))
    return Outcome(reply, cut=kind == "cut")


def _expired_link(services: Services, request: Request) -> Reply:
    if request.service == "exchange":
        return exchange.expired_link()
    return shapes.graph_error(services, request, 400, "Directory_ExpiredPageToken", "The page token has expired.")
