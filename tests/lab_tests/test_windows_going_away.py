# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that goes away answers nobody any more, however the threads of the lab happen to run."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest
from pypsrp.powershell import RunspacePool

from tests.lab.windows import server
from tests.lab.windows.handler import Machine
from tests.lab.windows.places import PORT
from tests.lab_tests.test_windows_agent import GONE, install
from tests.lab_tests.waiting import eventually
from tests.lab_tests.windows_support import WindowsLab, certified, run, windows

__all__ = ["certified", "windows"]

SLOWLY = 0.3  # seconds between a host's going away and the end of its connections, as on a busy machine


@pytest.fixture
def slow_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are cut late."""
    cut = Machine.cut

    def slowly(machine: Machine) -> None:
        time.sleep(SLOWLY)  # as on a busy machine
        cut(machine)

    monkeypatch.setattr(Machine, "cut", slowly)


@pytest.mark.usefixtures("slow_cut")
def test_a_request_while_the_host_goes_away_is_not_answered(windows: WindowsLab) -> None:
    windows.set(installer="1641")
    windows.services.scenario.set({"windows_restart_s": 600})
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(Exception, match=GONE):
            install(pool)  # its output is asked for while connections are being cut


@pytest.mark.usefixtures("slow_cut")
def test_a_session_that_is_new_after_the_restart_of_winrm_stays(windows: WindowsLab) -> None:
    fault = {"kind": "winrm_restart", "target": "windows", "match": {"cmdlet": "Get-Date"}}
    assert windows.cloud.control("POST", "/faults", fault).status == 200
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(Exception, match=f"{GONE}|was not found on the server"):
            run(pool, "Get-Date")
    with windows.pool() as pool:
        time.sleep(2 * SLOWLY)  # past the late cut of the host's connections: this one is newer and stays
        assert run(pool, "Get-Date").one


def test_a_connection_in_its_handshake_goes_too(windows: WindowsLab) -> None:
    """The server thinks about the handshake when the host goes away: the connection was not among those cut."""
    windows.services.scenario.set({"windows_restart_s": 600})
    host = windows.host()
    context = ssl.create_default_context(cafile=str(windows.settings.ca))
    taken, served = threading.Event(), server.Listeners._serve

    def noted(listeners: server.Listeners, *of_it: object) -> None:
        taken.set()
        served(listeners, *of_it)  # type: ignore[arg-type]  # passed on as it came

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server.Listeners, "_serve", noted)
        plain = socket.create_connection((host.address, PORT), timeout=10)
        assert taken.wait(10)
        assert eventually(lambda: not windows.estate.away(host))
        time.sleep(SLOWLY)  # the server waits for the client's greeting by then
        assert windows.cloud.control("POST", "/windows/contoso/sync2/restart").status == 200
        with (
            plain,
            pytest.raises(OSError, match=GONE),
            context.wrap_socket(plain, server_hostname=host.fqdn) as secured,
        ):
            secured.sendall(b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            answer = secured.recv(100)
            raise ConnectionError("closed" if answer == b"" else f"answered {answer!r}")
