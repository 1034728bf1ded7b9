# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Put the far ends of one tenant together from a module's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import sign_in
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.login_client import LoginClient
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth.strategy import Identity
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.clock import Clock, SystemClock
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.exchange_online import ExchangeOnline
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.graph import Graph
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.mailboxes import Mailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.pace import CONCURRENCY
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.statistics import Statistics
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.synchronization import Synchronization
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.token import TokenSource
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.token_cache import TokenFile
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import Transport
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import clouds


@dataclass(frozen=True)
class CloudEnds:
    """The far ends of one tenant in the cloud. Nothing is sent until one of them is used."""

    exchange: ExchangeOnline
    graph: Graph
    mailboxes: Mailboxes
    synchronization: Synchronization
    cloud: clouds.Cloud
    clock: Clock
    counters: Statistics = field(repr=False)

    def statistics(self) -> dict[str, Any]:
        """What the run cost at the services so far."""
        return self.counters.as_dict()


def connect(params: Mapping[str, Any], clock: Clock | None = None) -> CloudEnds:
    """The far ends for the options of the tenant fragment. InputError or MissingLibrary where they cannot be made."""
    clock = clock or SystemClock()
    cloud = clouds.cloud(
        params.get("cloud") or "worldwide",
        login_url=params.get("login_url"),
        graph_url=params.get("graph_url"),
        exchange_url=params.get("exchange_url"),
    )
    counters = Statistics()
    transport = Transport(params.get("ca_path"), float(params.get("request_timeout") or 60))
    retry_timeout = float(300 if params.get("retry_timeout") is None else params["retry_timeout"])
    login = LoginClient(Http(transport, _NoTokens(), clock, retry_timeout, counters))
    identity = Identity(
        tenant_id=_required(params, "tenant_id"),
        client_id=_required(params, "client_id"),
        login_url=cloud.login_url,
        login_overridden=cloud.login_url != clouds.CLOUDS[cloud.name].login_url,
    )
    authentication = params.get("authentication") or ("certificate" if params.get("client_certificate") else "secret")
    tokens = TokenSource(
        identity,
        lambda: sign_in.strategy(authentication, params, identity, login, clock),
        {"graph": cloud.graph_url, "exchange": cloud.exchange_url},
        clock,
        _token_file(params, authentication),
        sign_in.credential(authentication, params),
        login.last_error,
    )
    http = Http(transport, tokens, clock, retry_timeout, counters)
    graph = Graph(http, cloud.graph_url)
    concurrency = CONCURRENCY if params.get("exchange_concurrency") is None else int(params["exchange_concurrency"])
    if concurrency < 1:
        raise InputError(f"exchange_concurrency must be at least 1, it is {concurrency}.")
    exchange = ExchangeOnline(http, cloud.exchange_url, tokens.tenant_guid, concurrency)
    return CloudEnds(exchange, graph, Mailboxes(exchange, graph), Synchronization(graph), cloud, clock, counters)


def _token_file(params: Mapping[str, Any], authentication: str) -> TokenFile | None:
    """A ready token is in no need of being kept, and a managed identity keeps its own on its machine."""
    path = params.get("token_cache")
    return TokenFile(str(path)) if path and authentication not in ("token", "managed_identity") else None


def _required(params: Mapping[str, Any], name: str) -> str:
    value = str(params.get(name) or "").strip()
    if not value:
        raise InputError(f"{name} is not given.")
    return value


class _NoTokens:
    """The sign-in service itself is asked without a token."""

    def token(self, resource: str, fresh: bool = False) -> str:
        raise InputError(f"A request to the sign-in service must not carry a token for {resource}.")
