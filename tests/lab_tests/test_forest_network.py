# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay and bytes that are no LDAP, in front of a small echo server that stands for a domain controller."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab.network import Relays
from tests.lab.relay_parts import Acts, Route, Traffic
from tests.lab.settings import TENANTS
from tests.lab_tests.waiting import TIMEOUT, eventually

TENANT = TENANTS[0]
LOCALHOST = "127.0.0.1"


@dataclass(frozen=True)
class FaultDouble:
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class FaultsDouble:
    """Hands out what is armed for an event, once; notes what it was asked."""

    ready: dict[str, FaultDouble] = field(default_factory=dict)
    asked: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)

    @property
    def armed(self) -> bool:
        return True

    def take(self, target: str, tenant: str | None, **facts: Any) -> FaultDouble | None:
        self.asked.append((target, tenant, facts))
        return self.ready.pop(facts["event"], None)


@pytest.fixture
def echo() -> Iterator[int]:
    listener = socket.create_server((LOCALHOST, 0))

    def serve(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            while data := peer.recv(65536):
                peer.sendall(data)

    def accept() -> None:
        while True:
            try:
                peer, _unused = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(TIMEOUT)


@dataclass
class Setup:
    relays: Relays
    faults: FaultsDouble
    port: int
    restarted: list[tuple[str, float]]

    def connect(self) -> socket.socket:
        return socket.create_connection((LOCALHOST, self.port), timeout=TIMEOUT)

    def traffic(self) -> Traffic:
        return self.relays.counts()[TENANT.name]


@pytest.fixture
def setup(echo: int) -> Iterator[Setup]:
    faults, restarted = FaultsDouble(), []
    acts = Acts(
        restart=lambda tenant, seconds: restarted.append((tenant.name, seconds)),
        other_writer=lambda _tenant, _dn, _parameters: None,
    )
    relays = Relays(faults, acts)
    port = relays.listen(Route(TENANT, 0, (LOCALHOST, echo)), LOCALHOST)
    yield Setup(relays, faults, port, restarted)
    relays.stop()


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


def test_bytes_pass_and_are_counted(setup: Setup) -> None:
    with setup.connect() as client:
        client.sendall(b"x" * 100_000)
        assert receive(client, 100_000) == b"x" * 100_000
        assert eventually(lambda: setup.traffic().open == 1)
    assert eventually(lambda: setup.traffic() == Traffic(1, 0, 100_000, 100_000))
    assert setup.faults.asked[0] == ("ldap", TENANT.tenant_id, {"event": "connect", "port": 0})
    assert setup.faults.asked[1][2]["event"] == "request"


def test_much_data_in_both_directions_does_not_block(setup: Setup) -> None:
    with setup.connect() as client:
        sender = threading.Thread(target=client.sendall, args=(b"y" * 8_000_000,), daemon=True)
        sender.start()
        assert len(receive(client, 8_000_000)) == 8_000_000
        sender.join(TIMEOUT)


def test_an_unavailable_directory_resets_the_connection_once(setup: Setup) -> None:
    setup.faults.ready["connect"] = FaultDouble("unavailable")
    with contextlib.suppress(ConnectionResetError, BrokenPipeError), setup.connect() as client:
        client.sendall(b"x")
        assert client.recv(1) == b""
    with setup.connect() as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"


def test_a_cut_lets_half_of_the_next_answer_through(setup: Setup) -> None:
    with setup.connect() as client:
        client.sendall(b"first")
        assert receive(client, 5) == b"first"
        setup.faults.ready["request"] = FaultDouble("cut")
        client.sendall(b"0123456789")
        received = b""
        with pytest.raises(ConnectionResetError):
            while piece := client.recv(100):
                received += piece
        assert received in (b"", b"01234")  # a reset may overtake what was sent before it
    assert eventually(lambda: (setup.traffic().to_directory, setup.traffic().from_directory) == (15, 10))


def test_a_cut_after_a_number_of_bytes(setup: Setup) -> None:
    setup.faults.ready["connect"] = FaultDouble("cut", {"after_bytes": 7})
    with setup.connect() as client:
        client.sendall(b"12345")
        assert receive(client, 5) == b"12345"
        client.sendall(b"67890")
        with pytest.raises(ConnectionResetError):
            while client.recv(100):
                pass
    assert eventually(lambda: setup.traffic().from_directory == 7)


def test_slow_waits_for_each_piece(setup: Setup) -> None:
    setup.faults.ready["connect"] = FaultDouble("slow", {"seconds": 0.15})
    with setup.connect() as client:
        began = time.monotonic()
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert time.monotonic() - began >= 0.3  # once on the way there, once on the way back


@pytest.mark.parametrize("event", ["connect", "request"])
def test_a_restart_of_the_domain_controller(setup: Setup, event: str) -> None:
    setup.faults.ready[event] = FaultDouble("dc_restart", {"seconds": 3})
    with contextlib.suppress(ConnectionResetError, BrokenPipeError), setup.connect() as client:
        client.sendall(b"x")
        assert client.recv(1) == b""
    assert eventually(lambda: setup.restarted == [("contoso", 3.0)])


def test_a_directory_that_is_down(setup: Setup) -> None:
    with socket.create_server((LOCALHOST, 0)) as gone:
        closed_port = gone.getsockname()[1]
    port = setup.relays.listen(Route(TENANT, 0, (LOCALHOST, closed_port)), LOCALHOST)
    with contextlib.suppress(OSError), socket.create_connection((LOCALHOST, port), timeout=TIMEOUT) as client:
        assert client.recv(1) == b""
    assert eventually(lambda: setup.traffic().open == 0)


def test_stop_ends_listeners_and_connections(setup: Setup) -> None:
    with setup.connect() as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        setup.relays.stop()
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        setup.connect()


def test_a_taken_address_is_an_error(setup: Setup) -> None:
    with pytest.raises(OSError, match="in use"):
        setup.relays.listen(Route(TENANT, setup.port, (LOCALHOST, 1)), LOCALHOST)
