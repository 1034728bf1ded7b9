# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Requests to the cloud with tokens, patience and plain errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import http_errors, retry
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.clock import Clock
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.statistics import Statistics
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import ConnectionLost, Transport
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, Unavailable


class Tokens(Protocol):
    """Where access tokens come from; resource is "graph" or "exchange"."""

    def token(self, resource: str, fresh: bool = False) -> str: ...


class Http:
    """Sends requests of one tenant: renews a refused token once, and waits as the services ask.

    retry_timeout is the time in seconds, counted from the first attempt, that one request may take with all its
    repetitions; a wait that would go beyond it is not begun.
    """

    def __init__(
        self, transport: Transport, tokens: Tokens, clock: Clock, retry_timeout: float, statistics: Statistics
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self.clock = clock
        self.retry_timeout = retry_timeout
        self.statistics = statistics
        self._dates: dict[str, datetime] = {}

    def request(
        self,
        method: str,
        url: str,
        resource: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        payload: Any = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        needs: str = "",
        transient: Callable[[Answer], bool] = retry.is_transient,
        failed: Callable[[Answer, str], HybridError] = http_errors.from_answer,
        raw: bool = False,
    ) -> Answer:
        """Send until there is an answer that is final, and return it if it is a success.

        repeatable=False: not sent again once it may have been carried out (a lost connection, 5xx); the error then
        has the fact "uncertain", and the caller reads back. needs: the permission to name if access is denied.
        raw: return any final answer, whatever its status.
        """
        sent = dict(headers or {})
        body = None
        if payload is not None:
            body = json.dumps(payload, ensure_ascii=False).encode()
            sent.setdefault("Content-Type", "application/json; charset=utf-8")
        started = self.clock.monotonic()
        attempt, fresh = 0, False
        while True:
            attempt += 1
            token = self._tokens.token(resource, fresh) if resource else None
            self.statistics.requests += 1
            lost: ConnectionLost | None = None
            answer: Answer | None = None
            try:
                answer = self._transport.send(method, url, sent, body, token, form, params)
            except ConnectionLost as error:
                lost = error
            if answer is not None:
                self._note_date(url, answer)
                if answer.status == 401 and resource and not fresh:
                    fresh = True
                    continue
                if not transient(answer):
                    if answer.status < 300 or raw:
                        return answer
                    raise failed(answer, needs)
                if retry.is_throttle(answer):
                    self.statistics.throttled_requests += 1
            throttled = answer is not None and retry.is_throttle(answer)
            if not repeatable and not throttled:
                raise _uncertain(method, url, answer, lost)
            asked = (
                retry.retry_after(answer.headers.get("retry-after"), answer.date or self.clock.now())
                if answer
                else None
            )
            wait = retry.delay(attempt, asked)
            spent = self.clock.monotonic() - started
            if spent + wait > self.retry_timeout:
                raise _exhausted(method, url, answer, lost, attempt, spent, wait) from lost
            self.wait(wait)

    def wait(self, seconds: float) -> None:
        """Wait before a repetition, and count it."""
        self.statistics.retried_requests += 1
        self.statistics.waited_seconds += seconds
        self.clock.sleep(seconds)

    def last_date(self, url: str) -> datetime | None:
        """The clock of the host of this URL when it last answered."""
        return self._dates.get(urlsplit(url).netloc)

    def _note_date(self, url: str, answer: Answer) -> None:
        if answer.date is not None:
            self._dates[urlsplit(url).netloc] = answer.date


def _uncertain(method: str, url: str, answer: Answer | None, lost: ConnectionLost | None) -> Unavailable:
    what = lost.message if lost else f"{urlsplit(url).netloc} answered {answer.status if answer else ''}."
    return Unavailable(
        f"{what} It is not known whether the service carried out {method} {urlsplit(url).path}; it was not sent again.",
        uncertain=True,
        http_status=answer.status if answer else None,
        request_id=answer.request_id if answer else None,
    )


def _exhausted(
    method: str, url: str, answer: Answer | None, lost: ConnectionLost | None, attempts: int, spent: float, wait: float
) -> Unavailable:
    host = urlsplit(url).netloc
    if lost is not None or answer is None:
        reason = lost.message if lost else f"{host} did not answer."
    elif retry.is_throttle(answer):
        reason = f"{host} throttles this application and asks to wait {wait:.0f} seconds."
    else:
        reason = f"{host} answered {answer.status}: {answer.text or 'no text'}."
    return Unavailable(
        f"{reason} Given up {method} {urlsplit(url).path} after {attempts} attempts in {spent:.0f} seconds. "
        "Run again later, or raise retry_timeout.",
        http_status=answer.status if answer else None,
        request_id=answer.request_id if answer else None,
        attempts=attempts,
        uncertain=True,
    )
