# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A host that restarts, because it was told to or because an installer did it."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import host_facts
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Clock, Host
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    Conflict,
    PermissionDenied,
    ProtocolError,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

PAUSE = 5.0
# What a host answers while it goes down or comes up: nothing, a refusal, or half of its services.
_NOT_YET = (AuthenticationError, Conflict, PermissionDenied, ProtocolError, Timeout, Unavailable)


def restart(host: Host, clock: Clock, timeout: float) -> None:
    """Restart the host and wait until it is back."""
    before = host_facts.machine(host).boot_time
    try:
        host.run(Cmdlet("Restart-Computer", {"Force": True}))
    except Unavailable as error:
        if not error.facts.get("uncertain"):
            raise
    wait_until_back(host, clock, before, timeout)


def wait_until_back(host: Host, clock: Clock, before: str | None, timeout: float) -> None:
    """Wait until the host has started again since ``before``, its last start until now.

    A host that does not tell when it started counts as back once it was away and answers again.
    """
    began = clock.monotonic()
    away = False
    while True:
        try:
            now = host_facts.machine(host).boot_time
        except _NOT_YET:
            host.close()
            away = True
        else:
            if (before is not None and now is not None and now != before) or (away and before is None):
                return
        if clock.monotonic() - began + PAUSE > timeout:
            raise Timeout(
                f"{host.host} restarts, but was not back after {timeout:g} seconds. Look at its console, and run "
                "again when it is up, or raise restart_timeout.",
                host=host.host,
                last_state="away" if away else "not restarted yet",
            )
        clock.sleep(PAUSE)
