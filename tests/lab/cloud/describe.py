# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request is about, found out before it is handled: for the log and for choosing faults."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.lab.cloud.tokens import unverified
from tests.lab.cloud.wire import Request

_EXCHANGE_PATH = re.compile(r"^/adminapi/(?P<version>[^/]+)/(?P<tenant>[^/]+)/(?P<action>InvokeCommand|\$batch)$")
_LOGIN_PATH = re.compile(r"^/(?P<tenant>[^/]+)/")
# POSTs of Graph that change nothing.
_GRAPH_READS = re.compile(r"/(validateCredentials|parseExpression|discover|\$batch)$")
_SECRET_WORD = re.compile(r"secret|password|assertion|^key$|^value$", re.IGNORECASE)
_LOGGED_BODY_LIMIT = 8192


@dataclass
class Trace:
    """What is known of a request."""

    tenant: str | None = None
    client_id: str | None = None
    cmdlet: str = ""
    parameters: Any = None
    write: bool = False
    paged: bool = False
    part: bool = False


def describe(request: Request) -> Trace:
    """Find out what ``request`` is about; never fails, whatever was sent."""
    if request.service == "exchange":
        return _exchange(request)
    if request.service == "graph":
        return _graph(request)
    matched = _LOGIN_PATH.match(request.path)
    form = request.form if request.method == "POST" else {}
    parameters = {name: form[name] for name in ("grant_type", "scope") if name in form} or None
    return Trace(matched["tenant"] if matched else None, form.get("client_id"), parameters=parameters)


def is_write(cmdlet: str, parameters: Any) -> bool:
    """Whether a cmdlet changes state: all do but Get- and Test-, and those run with WhatIf."""
    if not cmdlet or cmdlet.lower().startswith(("get-", "test-")):
        return False
    names = {name.lower(): value for name, value in parameters.items()} if isinstance(parameters, dict) else {}
    return names.get("whatif") is not True


def _exchange(request: Request) -> Trace:
    claims = unverified(request.headers)
    matched = _EXCHANGE_PATH.match(request.path)
    trace = Trace(matched["tenant"] if matched else claims.get("tid"), claims.get("appid"))
    trace.paged = "$skiptoken" in request.query
    body = request.json_object() or {}
    if matched and matched["action"] == "$batch":
        trace.cmdlet = ""
        parts = body.get("requests")
        cmdlets = [_cmdlet_input(part.get("body")) for part in parts or [] if isinstance(part, dict)]
        trace.write = any(is_write(*cmdlet) for cmdlet in cmdlets)
        trace.parameters = {"parts": len(parts) if isinstance(parts, list) else 0}
        return trace
    trace.cmdlet, parameters = _cmdlet_input(body)
    trace.parameters = redacted(parameters)
    trace.write = is_write(trace.cmdlet, parameters)
    return trace


def _cmdlet_input(body: Any) -> tuple[str, Any]:
    given = body.get("CmdletInput") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        return "", None
    return str(given.get("CmdletName", "")), given.get("Parameters")


def _graph(request: Request) -> Trace:
    claims = unverified(request.headers)
    trace = Trace(claims.get("tid"), claims.get("appid"))
    trace.paged = "$skiptoken" in request.query
    batch = request.path.endswith("/$batch")
    trace.write = request.method != "GET" and _GRAPH_READS.search(request.path) is None
    if batch:
        parts = (request.json_object() or {}).get("requests") or []
        trace.write = any(isinstance(part, dict) and part.get("method", "GET").upper() != "GET" for part in parts)
        trace.parameters = {"parts": len(parts)}
    elif request.body:
        small = len(request.body) <= _LOGGED_BODY_LIMIT
        trace.parameters = redacted(request.json_object()) if small else {"bytes": len(request.body)}
    return trace


def redacted(value: Any, hidden: bool = False) -> Any:
    """``value`` without what may be secret: anything under a name like secret, password or value."""
    if isinstance(value, dict):
        return {name: redacted(item, hidden or bool(_SECRET_WORD.search(name))) for name, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, hidden) for item in value]
    return "***" if hidden and isinstance(value, str) else value
