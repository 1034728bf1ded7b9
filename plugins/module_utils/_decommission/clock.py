# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The clock that gates are judged and expire by: the service's own, so that no clock of a controller counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Clock, ExchangeOnline
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet


def now(exchange: ExchangeOnline | None, clock: Clock) -> datetime:
    """Exchange Online's time; the controller's where the service does not answer.

    The service is asked for something small where it has not been asked for anything yet.
    """
    if exchange is None:
        return clock.now()
    if exchange.service_time() is None:
        try:
            for _row in exchange.invoke(Cmdlet("Get-OrganizationConfig", {}, ("Name",))):
                break
        except HybridError:
            return exchange.service_time() or clock.now()
    return exchange.service_time() or clock.now()


def ticking(exchange: ExchangeOnline | None, clock: Clock) -> Callable[[], datetime]:
    """A clock for a whole run. A service that does not answer is not asked for its time again and again."""
    asked: list[bool] = []

    def tell() -> datetime:
        if exchange is None:
            return clock.now()
        if not asked:
            asked.append(True)
            return now(exchange, clock)
        return exchange.service_time() or clock.now()

    return tell
