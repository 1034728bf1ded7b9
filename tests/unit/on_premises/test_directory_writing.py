# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many changes at once: each has one result, whatever the server, the connection or the caller do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import writing
from directory_wire import CHANGE, SETTINGS, Request, Servers, Unsent, answer, directory, entry, lost
from hypothesis import given
from hypothesis import strategies as st

OK = (0, [], None)
BUSY = (51, [], None)


def asked(count: int, pulled: list[int] | None = None) -> Iterator[tuple[int, str, Sequence[Any]]]:
    for number in range(count):
        if pulled is not None:
            pulled.append(number)
        yield number, f"CN={number}", CHANGE


def outcomes(results: Any) -> dict[int, str]:
    """Each key with what became of it; a key must come once."""
    found: dict[int, str] = {}
    for key, error in results:
        assert key not in found
        found[key] = "ok" if error is None else str(error.facts.get("applied") or error.facts["code"])
    return found


def written(servers: Servers) -> list[str]:
    requests = [request for wire in servers.wires for request in wire.asked]
    return [str(request.fields["entry"]) for request in requests if request.kind == "modifyRequest"]


def test_all_are_written_each_once() -> None:
    found, servers = directory([OK] * 50)
    assert outcomes(found.modify_many(asked(50))) == dict.fromkeys(range(50), "ok")
    assert written(servers) == [f"CN={number}" for number in range(50)]


def test_several_requests_are_under_way_and_no_more_are_taken_than_sent() -> None:
    pulled: list[int] = []
    found, servers = directory([OK] * 50)
    results = found.modify_many(asked(50, pulled))
    assert pulled == []
    next(results)
    # The place of the one that was answered is filled before its result is given: the server must not wait.
    assert len(pulled) == len(servers.wires[0].sent) == writing.IN_FLIGHT + 1
    next(results)
    assert len(pulled) == len(servers.wires[0].sent) == writing.IN_FLIGHT + 2


def test_answers_in_another_order() -> None:
    held: list[bytes] = []

    def handle(request: Request) -> bytes:
        held.append(answer(request, 0))
        if len(held) < 4:
            return b""
        together = b"".join(reversed(held))
        held.clear()
        return together

    found, _servers = directory(handle)
    keys = [key for key, error in found.modify_many(asked(8)) if error is None]
    assert keys == [0, 1, 2, 3, 4, 5, 6, 7]
    assert sorted(keys) == list(range(8))


def test_refusals_are_results() -> None:
    found, _servers = directory([OK, (16, [], None), OK, (32, [], None)])
    assert outcomes(found.modify_many(asked(4))) == {0: "ok", 1: "conflict", 2: "ok", 3: "gone"}


def test_an_explanation_is_read_while_others_are_under_way() -> None:
    def handle(request: Request) -> bytes:
        if request.kind == "searchRequest":
            return answer(request, 0, [entry("CN=1", adminCount=[b"1"])])
        return answer(request, 50 if request.fields["entry"] == "CN=1" else 0)

    found, servers = directory(handle)
    results = dict(found.modify_many(asked(5)))
    assert [key for key, error in results.items() if error] == [1]
    assert isinstance(results[1], errors.PermissionDenied)
    assert results[1].facts["code"] == "protected_object"
    assert sorted(written(servers)) == [f"CN={number}" for number in range(5)]
    assert len(servers.wires) == 1


def test_a_busy_server_is_asked_again_for_that_request_alone() -> None:
    found, servers = directory([OK, BUSY, OK, BUSY, OK])
    assert outcomes(found.modify_many(asked(3))) == {0: "ok", 2: "ok", 1: "ok"}
    assert servers.slept == [0.5, 1.0]
    assert written(servers) == ["CN=0", "CN=1", "CN=2", "CN=1", "CN=1"]


def test_a_broken_connection_makes_what_is_under_way_unknown_and_the_rest_goes_on() -> None:
    found, servers = directory([OK, OK, *([lost()] * 20)], [OK] * 20)
    found_outcomes = outcomes(found.modify_many(asked(20)))
    unknown = {key for key, what in found_outcomes.items() if what == "unknown"}
    assert {0, 1} & unknown == set()
    assert 0 < len(unknown) <= writing.IN_FLIGHT
    assert set(found_outcomes) == set(range(20))
    assert servers.hosts == ["dc1", "dc1"]
    assert len(written(servers)) == 20, "nothing is sent twice"


def test_a_connection_that_breaks_while_sending() -> None:
    found, servers = directory([OK, Unsent(BrokenPipeError("cut"))], [OK] * 5)
    results = outcomes(found.modify_many(asked(4)))
    assert set(results) == {0, 1, 2, 3}
    assert results[1] == "unknown"
    assert results[2] == results[3] == "ok"
    assert servers.hosts == ["dc1", "dc1"]


def test_a_server_that_stays_away_ends_it_after_all_results() -> None:
    times = iter([0.0, 0.0, 9.0])
    pulled: list[int] = []
    found, servers = directory(
        [OK, *([lost()] * 20)], errors.Unavailable("dc1 is down."), clock=lambda: next(times, 9.0)
    )
    results = found.modify_many(asked(40, pulled))
    given_results: dict[int, Any] = {}
    with pytest.raises(errors.Unavailable, match="did not come back"):
        given_results.update((key, error) for key, error in results)
    assert sorted(given_results) == pulled, "what was taken has a result"
    assert len(pulled) < 40
    assert given_results[0] is None
    assert all(error.facts["applied"] == "unknown" for key, error in given_results.items() if key)
    assert servers.hosts == ["dc1", "dc1"]


def test_what_a_busy_server_put_off_is_not_applied_when_no_more_can_be_sent() -> None:
    def source() -> Iterator[tuple[int, str, Sequence[Any]]]:
        yield from asked(1)
        raise OSError("no space left on device")

    found, _servers = directory([BUSY])
    results = found.modify_many(source())
    key, error = next(results)
    assert key == 0
    assert error is not None
    assert error.facts["code"] == "busy"
    assert "applied" not in error.facts
    with pytest.raises(OSError, match="no space left"):
        next(results)


def test_an_iterable_that_fails_does_not_hide_the_results_under_way() -> None:
    def source() -> Iterator[tuple[int, str, Sequence[Any]]]:
        yield from asked(5)
        raise OSError("no space left on device")

    found, _servers = directory([OK] * 5)
    results = found.modify_many(source())
    assert [next(results)[0] for _time in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(OSError, match="no space left"):
        next(results)


def test_nothing_to_change_connects_to_nothing_but_the_server() -> None:
    found, servers = directory([])
    assert list(found.modify_many([])) == []
    assert written(servers) == []


@pytest.mark.parametrize("connections", [1, 3])
def test_as_many_connections_as_allowed_and_needed(connections: int) -> None:
    settings = replace(SETTINGS, connections=connections)
    found, servers = directory(*[lambda request: answer(request, 0)] * connections, settings=settings)
    assert outcomes(found.modify_many(asked(200))) == dict.fromkeys(range(200), "ok")
    assert len(servers.wires) == connections
    assert sorted(written(servers), key=lambda name: int(name[3:])) == [f"CN={number}" for number in range(200)]
    assert [wire.closed for wire in servers.wires] == [False, *[True] * (connections - 1)]
    found.close()
    assert servers.wires[0].closed


def test_few_changes_take_one_connection() -> None:
    found, servers = directory([OK] * 3, settings=replace(SETTINGS, connections=8))
    assert len(outcomes(found.modify_many(asked(3)))) == 3
    assert len(servers.wires) == 1


def test_a_server_that_takes_no_more_connections() -> None:
    settings = replace(SETTINGS, connections=4)
    found, servers = directory([OK] * 100, errors.Unavailable("too many"), settings=settings)
    assert len(outcomes(found.modify_many(asked(100)))) == 100
    assert servers.hosts == ["dc1", "dc1"]


def test_one_of_several_connections_breaks() -> None:
    settings = replace(SETTINGS, connections=2)

    def fine(request: Request) -> bytes:
        return answer(request, 0)

    def breaks(request: Request) -> Any:
        return answer(request, 0) if servers.wires[1].asked[:3].count(request) else lost()

    found, servers = directory(fine, breaks, fine, settings=settings)
    results = outcomes(found.modify_many(asked(100)))
    assert set(results) == set(range(100))
    assert set(results.values()) == {"ok", "unknown"}
    assert list(results.values()).count("unknown") <= writing.IN_FLIGHT
    assert len(written(servers)) == 100


@given(
    st.lists(st.sampled_from(["ok", "busy", "conflict", "lost", "held"]), max_size=60),
    st.integers(1, 3),
    st.integers(1, 40),
)
def test_every_key_once_and_nothing_written_twice(plan: list[str], connections: int, count: int) -> None:
    """Any mixture of answers, delays and breaks: each key has one result, which is true of what the server did."""
    steps = iter(plan)
    applied: dict[str, int] = {}

    def server() -> Any:
        held: list[bytes] = []

        def handle(request: Request) -> Any:
            step = next(steps, "ok")
            name = str(request.fields["entry"])
            if step == "lost":
                held.clear()
                return lost()
            if step in ("ok", "held"):
                applied[name] = applied.get(name, 0) + 1
            code = {"busy": 51, "conflict": 16}.get(step, 0)
            held.append(answer(request, code))
            if step == "held":
                return b""
            together = b"".join(reversed(held))
            held.clear()
            return together

        return handle

    found, _servers = directory(
        *[server() for _time in range(300)], settings=replace(SETTINGS, connections=connections)
    )
    results = outcomes(found.modify_many(asked(count)))
    assert set(results) == set(range(count))
    assert all(times == 1 for times in applied.values())
    for key, what in results.items():
        assert what == "unknown" or (applied.get(f"CN={key}", 0) == 1) == (what == "ok")
