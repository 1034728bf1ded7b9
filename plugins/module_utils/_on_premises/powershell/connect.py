# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The Windows host and the Exchange Server of a task's options.

Apart from the directory's, because a task that needs one of them should not pay for the other's libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import pool, settings
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.exchange_server import (
    ExchangeServer,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.session import Session


def connect_windows(params: Mapping[str, Any]) -> Session:
    """The Windows host that the windows_* options name; it is connected to when it is first used."""
    pool.require()
    return Session(settings.from_params(params))


def connect_exchange_server(params: Mapping[str, Any]) -> ExchangeServer:
    """The Exchange Server that the exchange_server_* options name; it is connected to when it is first used."""
    pool.require()
    return ExchangeServer(settings.from_params(params, settings.EXCHANGE_SERVER))
