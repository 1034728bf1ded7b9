# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients and scenarios leave behind on the Windows hosts must not keep later clients out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool

from tests.lab.windows import winrm
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import HostAddress
from tests.lab_tests.test_windows_agent import GONE, setup
from tests.lab_tests.windows_support import WindowsLab, certified, run, windows

__all__ = ["certified", "windows"]


def leave(windows: WindowsLab, idle_timeout: int | None = None) -> None:
    """Open a session and go, as a client does whose connection was cut."""
    with windows.wsman() as connection:
        RunspacePool(connection, idle_timeout=idle_timeout).open()


def test_sessions_left_behind_end_when_their_client_said(windows: WindowsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winrm, "SHELLS_PER_USER", 3)
    monkeypatch.setattr(winrm, "LEAST_IDLE_SECONDS", 0.5)
    for _one in range(3):
        leave(windows, idle_timeout=1)
    with windows.wsman() as connection, pytest.raises(Exception, match="maximum number of 3 concurrent shells"):
        RunspacePool(connection).open()
    time.sleep(1.1)  # the idle time-out that the clients asked for is over
    with windows.pool() as pool:
        assert run(pool, "Get-Date").one


def test_sessions_left_behind_without_a_word_stay_until_the_host_is_renewed(
    windows: WindowsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm, "SHELLS_PER_USER", 3)
    for _one in range(3):
        leave(windows)
    with windows.wsman() as connection, pytest.raises(Exception, match="maximum number of 3 concurrent shells"):
        RunspacePool(connection).open()
    assert [one["status"] for one in windows.log() if one.get("path") == "Create"] == ["w:QuotaLimit"]
    assert windows.cloud.control("POST", "/windows/contoso/sync2/renew").status == 200
    with windows.pool() as pool:
        assert run(pool, "Get-Date").one


@pytest.mark.parametrize("back", ["checkpoint", "start"])
def test_a_host_is_not_away_for_days_because_the_clock_was_put_back(windows: WindowsLab, back: str) -> None:
    windows.cloud.control("POST", "/clock", {"advance_seconds": 3 * 86_400})
    for name in ("sync1", "sync2", "sync3"):
        assert windows.cloud.control("POST", f"/windows/contoso/{name}/restart").status == 200
    windows.cloud.control("POST", "/checkpoint")
    with windows.wsman() as connection, pytest.raises(Exception, match=GONE):
        RunspacePool(connection).open()
    assert windows.cloud.control("POST", f"/reset?to={back}").status == 200
    for name in ("sync1", "sync2", "sync3"):
        with windows.pool(name) as pool:
            assert run(pool, "Get-Date").one
    assert windows.estate.get(windows.host())["awayUntil"] == 0.0


def test_a_host_comes_back_when_the_restart_is_made_shorter(windows: WindowsLab) -> None:
    windows.services.scenario.set({"windows_restart_s": 86_400})
    windows.cloud.control("POST", "/windows/contoso/sync2/restart")
    assert windows.estate.away(windows.host())
    windows.services.scenario.reset()
    with windows.pool() as pool:
        assert run(pool, "Get-Date").one


def test_those_who_wait_for_what_never_ends_leave_the_lab_in_peace(
    windows: WindowsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    change = Estate.change

    @contextmanager
    def counted(estate: Estate, host: HostAddress) -> Iterator[dict[str, Any]]:
        asked.append(time.monotonic())
        with change(estate, host) as document:
            yield document

    windows.set(installer="hangs")
    with windows.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Start-Process").add_parameter("FilePath", setup())
        shell.add_parameter("ArgumentList", "/quiet").add_parameter("Wait", True)
        shell.begin_invoke()
    monkeypatch.setattr(Estate, "change", counted)
    time.sleep(2.5)  # a window in which polls are counted
    assert 2 <= len(asked) <= 20  # 50 and more before


def test_a_defect_before_the_handshake_is_logged_and_ends_one_connection(
    windows: WindowsLab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(estate: Estate, host: HostAddress) -> bool:
        raise LookupError("no such tenant")

    with monkeypatch.context() as patched:
        patched.setattr(Estate, "away", broken)
        with windows.wsman() as connection, pytest.raises(Exception, match=GONE):
            RunspacePool(connection).open()
    assert "a connection to sync2.contoso.lab ended" in caplog.text
    assert "no such tenant" in caplog.text
    with windows.pool() as pool:
        assert run(pool, "Get-Date").one
