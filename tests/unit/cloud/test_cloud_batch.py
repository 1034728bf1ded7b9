# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many batches at once: the pace, against a service that refuses what is too much, and how it ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import batch, pace, retry
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.clock import SystemClock
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.connect import connect
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.exchange_online import ExchangeOnline
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.pace import Pace
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.statistics import Statistics
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import ConnectionLost
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    HybridError,
    InputError,
    ProtocolError,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from cloud_fakes import EXCHANGE, TENANT, Tokens

pytestmark = pytest.mark.once

CMDLET_S = 0.01
RETRY_AFTER_S = 0.3
TOO_MANY = b"You have reached the maximum number of concurrent requests per tenant. Please wait."


class Service:
    """A service that takes its time and so many requests at once, and keeps account of who came too early."""

    def __init__(self, limit: int = 1000, *, says: bool = False, cmdlet_s: float = CMDLET_S) -> None:
        self.limit, self.says, self.cmdlet_s = limit, says, cmdlet_s
        self.inside = self.most = self.early = self.refused = self.requests = 0
        self.closed_until = self.refused_at = 0.0
        self.seen: list[str] = []
        self.replies: list[Answer | Exception] = []
        self.tokens: list[str | None] = []
        self.bad_tokens: set[str] = set()
        self.lock = threading.Lock()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, token: str | None, *_more: Any
    ) -> Answer:
        with self.lock:
            now = time.monotonic()
            self.requests += 1
            self.tokens.append(token)
            if token in self.bad_tokens:
                return Answer(method, url, 401, {}, b"")
            if self.replies:
                reply = self.replies.pop(0)
                if isinstance(reply, Exception):
                    raise reply
                return reply
            if now < self.closed_until or self.inside >= self.limit:
                self.early += now < self.closed_until and now > self.refused_at + 0.05
                self.refused += 1
                self.refused_at, self.closed_until = now, now + RETRY_AFTER_S
                return Answer(method, url, 429, {"retry-after": str(RETRY_AFTER_S)}, TOO_MANY)
            self.inside += 1
            self.most = max(self.most, self.inside)
            told = {"rate-limit-remaining": str(self.limit - self.inside)} if self.says else {}
        parts = json.loads(body)["requests"]
        time.sleep(self.cmdlet_s * len(parts))
        with self.lock:
            self.inside -= 1
            self.seen += [part["body"]["CmdletInput"]["Parameters"]["Identity"] for part in parts]
        answers = [{"id": part["id"], "status": 200, "body": {"value": []}} for part in parts]
        return Answer(method, url, 200, told, json.dumps({"responses": answers}).encode())


def client(service: Service, concurrency: int = 32, retry_timeout: float = 30, tokens: Any = None) -> ExchangeOnline:
    http = Http(service, tokens or Steady(), SystemClock(), retry_timeout, Statistics())  # type: ignore[arg-type]
    return ExchangeOnline(http, EXCHANGE, lambda: TENANT, concurrency)


class Steady:
    """One token until it is refused, then another one."""

    def __init__(self) -> None:
        self.renewed = 0

    def token(self, resource: str, fresh: bool = False) -> str:
        if fresh:
            self.renewed += 1
            time.sleep(0.02)
        return f"token-{self.renewed}"


def cmdlets(count: int) -> Iterator[Cmdlet]:
    return (Cmdlet("Set-Mailbox", {"Identity": f"m{number}"}) for number in range(count))


def names(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


@pytest.fixture(autouse=True)
def finer_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ten to thirty times faster than life; and no thread is left behind by any test."""
    monkeypatch.setattr(retry, "MARGIN", 0.01)
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(pace, "FIRST_PAUSE", 0.5)
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("request-")] == []


@pytest.mark.parametrize(("limit", "says"), [(4, False), (4, True), (9, True), (2, False), (1, False)])
def test_the_limit_is_found_and_used_and_nobody_comes_too_early(limit: int, says: bool) -> None:
    service = Service(limit, says=says)
    count = 250 * limit
    done = [cmdlet.parameters["Identity"] for cmdlet, outcome in client(service).batch(cmdlets(count)) if outcome == []]
    assert done == names(count)
    assert sorted(service.seen) == sorted(names(count)), "each cmdlet once"
    assert service.early == 0
    assert service.most == limit  # how much of the permitted rate that makes is the benchmark's to measure


def test_a_service_that_says_what_it_takes_never_has_to_refuse() -> None:
    # In the order sent, as one thread sends it.
    told = Pace(32, 10)
    for _round in range(30):
        tickets = []
        while told.room():
            tickets.append(told.sent(10))
        assert len(tickets) <= 7
        for inside, ticket in enumerate(tickets, 1):
            told.answered(ticket, 0.0, remaining=7 - inside)
    assert told.window == 70


def test_a_burst_of_refusals_shows_the_limit_at_once() -> None:
    found = Pace(32, 10)
    found.window = 80
    tickets = [found.sent(10) for _number in range(8)]
    for ticket in tickets[5:]:
        found.refused(ticket, 0.0)
    assert found.window == 50
    assert found.room() == 0


def test_what_was_held_back_was_never_at_the_service() -> None:
    found = Pace(32, 10)
    found.window = 80
    tickets = [found.sent(10) for _number in range(8)]
    found.refused(tickets[5], 0.0)
    for ticket in tickets[6:]:
        found.held_back(ticket)
    assert found.window == 50


def test_more_is_asked_for_ever_less_often_while_it_is_refused() -> None:
    found = Pace(32, 10)
    found.window = 80
    now, asked = 0.0, []
    while len(asked) < 5:
        tickets = []
        while found.room():
            tickets.append(found.sent(10))
        now += 0.1
        for ticket in tickets[4:]:
            found.refused(ticket, now)
        if len(tickets) > 4:
            asked.append(now)
        for ticket in tickets[:4]:
            found.answered(ticket, now)
    steps = [later - earlier for earlier, later in pairwise(asked[1:])]
    assert found.window == 40
    assert all(later > 1.5 * earlier for earlier, later in pairwise(steps)), asked


def test_single_cmdlets_that_are_refused_make_it_count_cmdlets() -> None:
    found = Pace(32, 10)
    first, second = found.sent(10), found.sent(10)
    found.refused(second, 0.0, parts=3)
    assert found.window == 17
    found.answered(first, 0.0)
    assert found.room() == 10
    found.sent(10)
    assert found.room() == 7


@pytest.mark.parametrize("most", [1, 3])
def test_the_upper_bound_is_never_exceeded(most: int) -> None:
    service = Service()
    assert len(list(client(service, most).batch(cmdlets(100)))) == 100
    assert service.most == most


def test_only_a_window_of_the_cmdlets_is_drawn_ahead() -> None:
    drawn = 0

    def counted() -> Iterator[Cmdlet]:
        nonlocal drawn
        for cmdlet in cmdlets(5000):
            drawn += 1
            yield cmdlet

    running = client(Service(), 2).batch(counted())
    next(running)
    assert drawn <= batch.SIZE * batch.AHEAD * 2 + 1
    running.close()


def test_a_first_group_that_is_slow_does_not_lose_the_order() -> None:
    service = Service()
    service.replies = [ConnectionLost("cut"), Answer("POST", "", 503, {}, b"busy")]
    done = [(cmdlet.parameters["Identity"], outcome) for cmdlet, outcome in client(service).batch(cmdlets(95))]
    assert done == [(name, []) for name in names(95)]


def test_a_refused_token_is_renewed_once_for_all_threads() -> None:
    service, tokens = Service(), Steady()
    service.bad_tokens = {"token-0"}
    assert len(list(client(service, tokens=tokens).batch(cmdlets(200)))) == 200
    assert tokens.renewed == 1
    assert 1 <= service.tokens.count("token-0") <= 32


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Answer("POST", "", 200, {}, b"<html>hello</html>"), ProtocolError),
        (AuthenticationError("the secret is wrong"), AuthenticationError),
    ],
)
def test_what_stops_all_comes_after_the_outcomes_before_it_and_what_is_under_way(
    reply: Answer | Exception, kind: type[HybridError]
) -> None:
    service = Service(cmdlet_s=0.005)
    running = client(service, 3).batch(cmdlets(1000))
    done = [next(running) for _number in range(10)]
    service.replies = [reply]
    with pytest.raises(kind):
        done.extend(running)
    assert [cmdlet.parameters["Identity"] for cmdlet, _outcome in done] == names(len(done))
    assert 10 <= len(done) < 1000
    assert service.inside == 0, "nothing was left under way"
    assert {cmdlet.parameters["Identity"] for cmdlet, _outcome in done} <= set(service.seen)


def test_a_group_that_is_given_up_stops_all_after_those_before_it() -> None:
    service = Service(limit=0)
    with pytest.raises(Unavailable, match="Given up after"):
        list(client(service, retry_timeout=1).batch(cmdlets(100)))
    assert service.early == 0


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    service = Service()
    service.replies = [Answer("POST", "", 429, {"retry-after": "600"}, b"")]
    exchange = client(service, retry_timeout=5)
    began = time.monotonic()
    for _twice in range(2):
        with pytest.raises(Unavailable):
            list(exchange.batch(cmdlets(5)))
    with pytest.raises(Unavailable, match="send nothing for another"):
        list(exchange.invoke(Cmdlet("Get-Mailbox")))
    assert time.monotonic() - began < 3
    assert service.requests == 1, "nobody sends before the time that the service asked for is over"


def test_a_run_that_is_broken_off_sends_no_more() -> None:
    service = Service()
    running = client(service, 4).batch(cmdlets(1000))
    next(running)
    with pytest.raises(KeyboardInterrupt):
        running.throw(KeyboardInterrupt)
    sent = service.requests
    time.sleep(0.3)
    assert service.requests == sent
    assert service.inside == 0


def test_statistics_from_many_threads_add_up() -> None:
    statistics = Statistics()
    threads = [
        threading.Thread(target=lambda: [statistics.count(requests=1) for _number in range(2000)])
        for _thread in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics.requests == 16000


def test_limits_that_the_service_states() -> None:
    now = SystemClock().now()
    assert retry.remaining({"rate-limit-remaining": "12"}) == 12
    assert retry.remaining({"rate-limit-remaining": "many"}) is None
    for text in ("20", str(now.timestamp() + 20), (now.replace(microsecond=0)).isoformat()):
        found = retry.reset_after({"rate-limit-remaining": "0", "rate-limit-reset": text}, now)
        assert found is None or 0 < found <= 20.5
    assert retry.reset_after({"rate-limit-remaining": "0", "rate-limit-reset": "20"}, now) == 20
    assert retry.reset_after({"rate-limit-remaining": "3", "rate-limit-reset": "20"}, now) is None
    assert retry.reset_after({"rate-limit-remaining": "0", "rate-limit-reset": "yesterday"}, now) is None


def test_tokens_of_the_old_kind_are_asked_once_a_request() -> None:
    tokens = Tokens()
    assert len(list(client(Service(), tokens=tokens).batch(cmdlets(30)))) == 30
    assert len(tokens.given) == 3


def test_the_upper_bound_is_an_option_of_the_tenant() -> None:
    params = {"tenant_id": TENANT, "client_id": "app", "client_secret": "secret"}
    assert connect(params).exchange._concurrency == pace.CONCURRENCY
    assert connect({**params, "exchange_concurrency": 3}).exchange._concurrency == 3
    with pytest.raises(InputError, match="exchange_concurrency must be at least 1"):
        connect({**params, "exchange_concurrency": 0})
