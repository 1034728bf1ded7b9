# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on the writeback job's own LDAP (target ``job``): what stands between its agent and the directory."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.lab.cloud.faults import FaultTable
from tests.lab.engines.directory import DirectoryRefusal
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.ldap_refusals import refusal

_DEFAULT_SLOW_S = 5.0
_AWAY = (51, 52)  # busy, unavailable: the run ends and is tried again


def obstacle(faults: Callable[[], FaultTable]) -> Callable[[str, str, str, str], None]:
    """What the engines ask before each operation of a job, with tenant, operation, DN and userPrincipalName."""

    def meet(tenant_id: str, operation: str, dn: str, user: str) -> None:
        fault = faults().take("job", tenant_id, operation=operation, dn=dn, path=dn, user=user)
        if fault is None:
            return
        if fault.kind == "slow":
            time.sleep(fault.number("seconds", _DEFAULT_SLOW_S))
            return
        if fault.kind == "unavailable":
            raise DirectoryUnavailable("the domain controller does not answer the agent")
        found = refusal(fault.parameters)
        if found.code in _AWAY:
            raise DirectoryUnavailable(f"the domain controller answers {found.name}: {found.text.strip(chr(0))}")
        raise DirectoryRefusal(found.code, found.name, found.text.strip("\n\x00"))

    return meet
