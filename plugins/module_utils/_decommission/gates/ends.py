# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The far ends of the gates, each made when it is first asked for, and the names that evidence calls them by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import (
    Clock,
    Directory,
    Door,
    ExchangeOnline,
    ExchangeServer,
    GraphReader,
    Host,
    Progress,
    Resolver,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

EXCHANGE_ONLINE, GRAPH, EXCHANGE_SERVER = "exchange_online", "graph", "exchange_server"
DIRECTORY, DNS_INTERNAL, DNS_EXTERNAL = "directory", "dns_internal", "dns_external"
WINDOWS, OPERATOR, BOTH = "windows", "operator", "exchange_online and directory"


class MailboxReader(Protocol):
    """Reads mailboxes."""

    def read(self, selection: Selection, properties: Sequence[str]) -> Iterator[Mailbox]: ...


@dataclass(frozen=True)
class Ends:
    """Making one raises InputError where the options do not name it.

    ``job`` says what is known of the writeback job of the domain, as writeback_job_info returns it; ``round_trip``
    compares these mailboxes (None: what the task selects) on both sides, as roundtrip_info returns it. Both are use
    cases of their own, and get handed in. ``selected`` tells whether the task selects mailboxes.
    """

    exchange_online: Callable[[], ExchangeOnline]
    graph: Callable[[], GraphReader]
    mailboxes: Callable[[], MailboxReader]
    exchange_server: Callable[[], ExchangeServer]
    directory: Callable[[], Directory]
    dns_internal: Callable[[], Resolver]
    dns_external: Callable[[], Resolver]
    windows: Callable[[], Host]
    door: Door
    job: Callable[[], Mapping[str, Any]]
    round_trip: Callable[[Sequence[str] | None], Mapping[str, Any]]
    selected: bool
    clock: Clock
    progress: Progress
