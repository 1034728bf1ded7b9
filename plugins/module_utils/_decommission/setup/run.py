# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Running Setup to its end: in one session, while a second one follows its log, until it ends, fails or hangs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import log as setup_log
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.log import LogTail
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.read import running
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host

# What Setup says where its account may not go on to a domain controller from the session that it was started in.
_NO_SECOND_HOP = "logged on to an Active Directory domain"


@dataclass
class Started:
    """A Setup that another thread waits for: its exit code once it has ended, or the error that came of it."""

    code: int | None = None
    error: HybridError | None = None
    thread: threading.Thread | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Ran:
    """How Setup ended; ``code`` is None where nobody could read it."""

    code: int | None
    reboot_required: bool = False


def run_setup(ends: Ends, wanted: Wanted, path: str, going_on: Sequence[int]) -> Ran:
    """Start Setup and follow it, or follow one that runs already (going_on: its processes).

    Conflict where it failed, with the errors of its log; Timeout where it took too long or its log fell silent.
    """
    watch = ends.watch()
    try:
        tail = setup_log.LogTail(watch, wanted.setup_log)
        tail.skip()
        code = _follow_running(ends, wanted, watch, tail) if going_on else _run(ends, wanted, watch, tail, path)
        found = tail.everything()
    finally:
        watch.close()
    if code in (None, setup_product.SUCCESS, setup_product.RESTART_NEEDED):
        return Ran(code, code == setup_product.RESTART_NEEDED)
    raise _failed(ends.host.host, wanted, code, found)


def _run(ends: Ends, wanted: Wanted, watch: Host, tail: LogTail, path: str) -> int | None:
    started = _start(ends.host, wanted, path)
    began = heard = ends.clock.monotonic()
    while _wait(started, wanted):
        now = ends.clock.monotonic()
        if _tell(ends, wanted, tail):
            heard = now
        if now - began > wanted.setup_timeout or now - heard > wanted.setup_quiet_timeout:
            raise _hangs(ends, wanted, watch, silent=now - began <= wanted.setup_timeout)
    error = started.error
    if error is None:
        return started.code
    if isinstance(error, Unavailable) and error.facts.get("uncertain"):
        # The session was lost. Setup may go on, or may have gone with it; the processes tell.
        return _follow_running(ends, wanted, watch, tail)
    if isinstance(error, Timeout):
        raise _hangs(ends, wanted, watch, silent=False)
    raise error


def _start(host: Host, wanted: Wanted, path: str) -> Started:
    """Run Setup in a thread of its own: the pipeline answers only when Setup has ended, and then with its exit code."""
    started = Started()
    start = Cmdlet(
        "Start-Process",
        {
            "FilePath": path,
            "ArgumentList": list(wanted.setup_arguments),
            "Wait": True,
            "PassThru": True,
            **({"Credential": wanted.setup_credential} if wanted.setup_credential else {}),
        },
    )
    last = Cmdlet("Select-Object", {"Last": 1, "Property": ["Id", "ExitCode"]})

    def run() -> None:
        try:
            rows: list[Any] = host.run(start, last, timeout=wanted.setup_timeout)
        except HybridError as error:
            started.error = error
            return
        codes = (windows_host.number(row.get("ExitCode")) for row in rows if isinstance(row, dict))
        started.code = next((code for code in codes if code is not None), None)

    started.thread = threading.Thread(target=run, daemon=True)
    started.thread.start()
    return started


def _wait(started: Started, wanted: Wanted) -> bool:
    """Wait a while for the end; whether Setup still runs."""
    if started.thread is None:
        return False
    started.thread.join(wanted.poll_interval)
    return started.thread.is_alive()


def _follow_running(ends: Ends, wanted: Wanted, watch: Host, tail: LogTail) -> int | None:
    """Follow a Setup whose end nobody will tell: until its processes are gone."""
    began = heard = ends.clock.monotonic()
    while running(watch):
        now = ends.clock.monotonic()
        if _tell(ends, wanted, tail):
            heard = now
        if now - began > wanted.setup_timeout or now - heard > wanted.setup_quiet_timeout:
            raise _hangs(ends, wanted, watch, silent=now - began <= wanted.setup_timeout)
        ends.clock.sleep(wanted.poll_interval)
    return None


def _tell(ends: Ends, wanted: Wanted, tail: LogTail) -> bool:
    """Show how far Setup is; whether its log has something new. A log that cannot be read just now is no news."""
    try:
        lines = tail.news()
    except HybridError:
        return False
    step = setup_log.progress(lines)
    if step:
        ends.progress.start(f"{wanted.server}: Setup: {step}")
    return bool(lines)


def _hangs(ends: Ends, wanted: Wanted, watch: Host, silent: bool) -> Timeout:
    limit = wanted.setup_quiet_timeout if silent else wanted.setup_timeout
    what = f"wrote nothing into its log for {limit:g} seconds" if silent else f"did not end within {limit:g} seconds"
    left = _stop(watch) if wanted.setup_hangs == "stop" else "It was left running (setup_hangs)."
    return Timeout(
        f"Setup on {wanted.server} {what}. {left} Look into {wanted.setup_log}; run again to go on.",
        host=ends.host.host,
        last_state="running",
        log=wanted.setup_log,
    )


def _stop(watch: Host) -> str:
    """Stop Setup's processes by their ids."""
    try:
        ids = list(running(watch))
        if not ids:
            return "It was gone by then."
        watch.run(Cmdlet("Stop-Process", {"Id": ids, "Force": True}))
        left = [number for number in running(watch) if number in ids]
    except HybridError as error:
        return f"Its processes could not be stopped: {error.message}"
    shown = ", ".join(map(str, left or ids))
    return f"Its processes {shown} could not be stopped." if left else f"Its processes {shown} were stopped."


def _failed(host: str, wanted: Wanted, code: int | None, lines: Sequence[str]) -> Conflict:
    errors = setup_log.errors(lines)
    told = setup_product.EXIT_CODES.get(code or 0, "this code is not known here")
    says = f" It says: {' '.join(errors[-3:])}" if errors else ""
    if any(_NO_SECOND_HOP in error for error in errors) and wanted.setup_credential is None:
        says += " The session cannot go on from the server to a domain controller: give setup_user and setup_password."
    return Conflict(
        f"Setup failed on {wanted.server} with exit code {code}: {told}.{says} Its log is {wanted.setup_log} on that "
        "server. Mend what it names, and run again: Setup goes on from where it stopped.",
        host=host,
        exit_code=code,
        log=wanted.setup_log,
        log_errors=list(errors),
    )
