# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that never sleeps and a wire that answers from a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.exchange_online import ExchangeOnline
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.graph import Graph
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.statistics import Statistics

TENANT = "11111111-2222-4333-8444-555555555555"
EXCHANGE = "https://outlook.example"
GRAPH = "https://graph.example"


@dataclass
class FakeClock:
    """Time passes only by sleeping."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def now(self) -> datetime:
        return datetime(2026, 8, 27, 9, 0, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)


@dataclass
class Sent:
    """One request that went over the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Any
    token: str | None


Reply = tuple[int, Any] | tuple[int, Any, Mapping[str, str]] | Exception
Handler = Callable[[Sent], Reply]


class Wire:
    """Stands in for Transport: answers with the script, or asks a handler."""

    def __init__(self, *script: Reply, handler: Handler | None = None) -> None:
        self.script = list(script)
        self.handler = handler
        self.sent: list[Sent] = []

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        token: str | None = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        sent = Sent(method, url, dict(headers), json.loads(body) if body else None, token)
        self.sent.append(sent)
        reply = self.handler(sent) if self.handler else self.script.pop(0)
        if isinstance(reply, Exception):
            raise reply
        status, content = reply[0], reply[1]
        extra = reply[2] if len(reply) > 2 else {}
        if isinstance(content, (bytes, str)):
            raw = content.encode() if isinstance(content, str) else content
        else:
            raw = b"" if content is None else json.dumps(content).encode()
        return Answer(method, url, status, {name.lower(): value for name, value in extra.items()}, raw)


class Tokens:
    """Counts what it gives out."""

    def __init__(self) -> None:
        self.given: list[tuple[str, bool]] = []

    def token(self, resource: str, fresh: bool = False) -> str:
        self.given.append((resource, fresh))
        return f"{resource}-{len(self.given)}"


def http(wire: Wire, retry_timeout: float = 300, clock: FakeClock | None = None) -> Http:
    return Http(wire, Tokens(), clock or FakeClock(), retry_timeout, Statistics())  # type: ignore[arg-type]


def exchange(wire: Wire, retry_timeout: float = 300, clock: FakeClock | None = None) -> ExchangeOnline:
    return ExchangeOnline(http(wire, retry_timeout, clock), EXCHANGE, lambda: TENANT)


def graph(wire: Wire, retry_timeout: float = 300, clock: FakeClock | None = None) -> Graph:
    return Graph(http(wire, retry_timeout, clock), GRAPH)


def graph_error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "r-1"}}}


def exchange_error(text: str) -> dict[str, Any]:
    return {
        "error": {"code": "BadRequest", "message": "Error", "details": [{"code": "x", "target": None, "message": text}]}
    }
