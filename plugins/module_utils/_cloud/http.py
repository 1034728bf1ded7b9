# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Requests to the cloud with tokens, patience and plain errors."""

from __future__ import annotations

import json
import threading
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

# Less than this is no time: clocks and floats are not finer.
_NOTHING = 0.001


class Tokens(Protocol):
    """Where access tokens come from; resource is "graph" or "exchange"."""

    def token(self, resource: str, fresh: bool = False) -> str: ...


class Http:
    """Sends requests of one tenant: renews a refused token once, and waits as the services ask.

    Threads may share it. A Retry-After is for the whole application: until it is over, nothing is sent to that host.

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
        self._held: dict[str, float] = {}
        self._token_lock = threading.Lock()
        self._held_lock = threading.Lock()

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
        sent, body = _encoded(headers, payload)
        started = self.clock.monotonic()
        attempt = 0
        answer: Answer | None = None
        lost: ConnectionLost | None = None
        while True:
            self._wait_while_held(method, url, started, attempt, answer, lost)
            attempt += 1
            lost, answer = None, None
            try:
                answer = self._once(method, url, resource, sent, body, form, params)
            except ConnectionLost as error:
                lost = error
            if answer is not None and not transient(answer):
                if answer.status < 300 or raw:
                    return answer
                raise failed(answer, needs)
            throttled = answer is not None and retry.is_throttle(answer)
            self.statistics.count(throttled=int(throttled))
            if not repeatable and not throttled:
                raise _uncertain(method, url, answer, lost)
            wait = retry.delay(attempt, self.asked(answer) if answer else None)
            spent = self.clock.monotonic() - started
            if spent + wait > self.retry_timeout:
                raise _exhausted(method, url, answer, lost, attempt, spent, wait) from lost
            self.statistics.count(retried=1)
            self.wait(wait)

    def send(
        self, method: str, url: str, resource: str, *, headers: Mapping[str, str], payload: Any
    ) -> Answer | ConnectionLost | None:
        """Send once, for callers that repeat by themselves; a lost connection is returned, not raised.

        None where nothing was sent, because the host asked in the meantime to be left alone.
        """
        if self.held(url) > 0:
            return None
        sent, body = _encoded(headers, payload)
        try:
            return self._once(method, url, resource, sent, body, None, None)
        except ConnectionLost as error:
            return error

    def asked(self, answer: Answer) -> float | None:
        """Seconds that an answer asks to wait, None where it does not."""
        now = answer.date or self.clock.now()
        after = retry.retry_after(answer.headers.get("retry-after"), now)
        return retry.reset_after(answer.headers, now) if after is None and retry.is_throttle(answer) else after

    def hold(self, url: str, seconds: float) -> None:
        """Send nothing to the host of this URL for so long, as it asked."""
        host = urlsplit(url).netloc
        until = self.clock.monotonic() + seconds + retry.MARGIN
        with self._held_lock:
            self._held[host] = max(until, self._held.get(host, 0.0))

    def held(self, url: str) -> float:
        """Seconds until something may be sent to the host of this URL; 0 for now."""
        left = self._held.get(urlsplit(url).netloc, 0.0) - self.clock.monotonic()
        return left if left > _NOTHING else 0.0

    def _once(
        self,
        method: str,
        url: str,
        resource: str | None,
        headers: Mapping[str, str],
        body: bytes | None,
        form: Mapping[str, Any] | None,
        params: Mapping[str, Any] | None,
    ) -> Answer:
        """One answer; a token that is refused is renewed once."""
        refused: str | None = None
        while True:
            token = self._token(resource, refused) if resource else None
            self.statistics.count(requests=1)
            answer = self._transport.send(method, url, headers, body, token, form, params)
            if answer.date is not None:
                self._dates[urlsplit(url).netloc] = answer.date
            if answer.status != 401 or resource is None or refused is not None:
                break
            refused = token
        seconds = self.asked(answer) if answer.status >= 300 else None
        if seconds:
            self.hold(url, seconds)
        return answer

    def _token(self, resource: str, refused: str | None) -> str:
        """A token that was not refused; where several threads want a new one, the first gets it for all."""
        with self._token_lock:
            token = self._tokens.token(resource)
            return self._tokens.token(resource, fresh=True) if token == refused else token

    def _wait_while_held(
        self, method: str, url: str, started: float, attempt: int, answer: Answer | None, lost: ConnectionLost | None
    ) -> None:
        while left := self.held(url):
            spent = self.clock.monotonic() - started
            if spent + left > self.retry_timeout:
                raise _exhausted(method, url, answer, lost, attempt, spent, left)
            self.wait(left)

    def sign_in(self, resource: str) -> None:
        """Have a token for a resource, before there are several who would each ask for one."""
        self._tokens.token(resource)

    def wait(self, seconds: float) -> None:
        """Wait, and count it."""
        self.statistics.count(waited=seconds)
        self.clock.sleep(seconds)

    def last_date(self, url: str) -> datetime | None:
        """The clock of the host of this URL when it last answered."""
        return self._dates.get(urlsplit(url).netloc)


def _encoded(headers: Mapping[str, str] | None, payload: Any) -> tuple[dict[str, str], bytes | None]:
    sent = dict(headers or {})
    if payload is None:
        return sent, None
    sent.setdefault("Content-Type", "application/json; charset=utf-8")
    return sent, json.dumps(payload, ensure_ascii=False).encode()


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
    if lost is not None:
        reason = lost.message
    elif answer is None:
        reason = f"{host} asked this application to send nothing for another {wait:.0f} seconds."
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
