# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that every service can give, in each service's own shape: for faults, limits and missing tokens."""

from __future__ import annotations

from typing import Any

from tests.lab.cloud.context import Services, new_guid
from tests.lab.cloud.tokens import EXCHANGE_APP_ID, GRAPH_APP_ID
from tests.lab.cloud.wire import Reply, Request

CONCURRENCY_TEXT = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again"


def graph_error(services: Services, request: Request, status: int, code: str, message: str) -> Reply:
    """An error as Microsoft Graph words it."""
    request_id = new_guid()
    inner = {
        "date": services.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
    }
    content = {"error": {"code": code, "message": message, "innerError": inner}}
    return Reply(status, content, headers={"request-id": request_id})


def exchange_error(status: int, code: str, message: str, exception: str = "", error_id: str = "") -> Reply:
    """An error as Exchange Online's admin API words it.

    ``error.details[].message`` is three parts joined by ``|``: an id, the exception's type and the text.
    """
    joined = "|".join((error_id, exception, message))
    inner = {
        "message": "Error executing cmdlet",
        "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
        "internalexception": {"message": message, "type": exception},
    }
    error: dict[str, Any] = {"code": code, "message": "Error executing request. " + message}
    if exception:
        error["details"] = [{"code": "Context", "target": "", "message": joined}]
        error["innererror"] = inner
    reply = Reply(status, {"error": error})
    if exception:
        reply.headers["X-ExceptionType"] = exception.rpartition(".")[2]
    return reply


def error(services: Services, request: Request, status: int, code: str, message: str) -> Reply:
    """An error in the shape of the service that ``request`` went to."""
    if request.service == "graph":
        return graph_error(services, request, status, code, message)
    if request.service == "exchange":
        return exchange_error(status, code, message)
    return Reply(status, {"error": code, "error_description": message})


def throttled(services: Services, request: Request, retry_after: float | None) -> Reply:
    """429, with Retry-After when given."""
    reply = error(services, request, 429, "TooManyRequests", "Too many requests. Please wait and try again.")
    if retry_after is not None:
        reply.headers["Retry-After"] = str(max(0, round(retry_after)))
    return reply


def unavailable(services: Services, request: Request, status: int) -> Reply:
    """503 or 504."""
    code = "GatewayTimeout" if status == 504 else "ServiceUnavailable"
    return error(services, request, status, code, "The service is temporarily unavailable. Please try again later.")


def not_json(status: int) -> Reply:
    """A page for people where a program asked."""
    page = "<html><head><title>Error</title></head><body><h1>Our services aren't available right now</h1></body></html>"
    return Reply(status, text=page, content_type="text/html; charset=utf-8")


def unauthorized(services: Services, request: Request, reason: str) -> Reply:
    """401, for a token that is missing or not good."""
    app_id = GRAPH_APP_ID if request.service == "graph" else EXCHANGE_APP_ID
    challenge = (
        f'Bearer realm="", client_id="{app_id}", authorization_uri="{services.urls["login"]}/common/oauth2/authorize"'
    )
    if request.headers.get("authorization"):
        challenge += f', error="invalid_token", error_description="{reason}"'
    if request.service == "graph":
        reply = graph_error(services, request, 401, "InvalidAuthenticationToken", reason)
    else:
        reply = Reply(401, text="")
    reply.headers["WWW-Authenticate"] = challenge
    return reply
