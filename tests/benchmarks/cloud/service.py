# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in, Exchange Online and Graph, as far as the benchmarks' clients go, for one tenant of made-up people."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.benchmarks.cloud import filters, pages
from tests.benchmarks.cloud.pages import UNCHANGED, Changed, Collection
from tests.benchmarks.cloud.throttle import CONCURRENCY_TEXT, Refused, Throttle
from tests.benchmarks.cloud.wire import Request, Response
from tests.benchmarks.people import number_of

_PAGE_SIZE = re.compile(r"odata\.maxpagesize=(\d+)")
_MOST_MAILBOXES, _MOST_USERS = 1000, 999
_USUAL = 100


class Service:
    """One tenant. ``base`` is the address that links begin with, ``parent`` where the directory objects are."""

    def __init__(self, base: str, count: int, parent: str, store: Path, throttle: Throttle) -> None:
        self._base, self._count, self._parent = base, count, parent
        self._store, self._throttle = store, throttle
        self._changes: dict[int, Changed] = {}
        self._collections: dict[Collection, None] = {}
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        address = urlsplit(request.target)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        path = unquote(address.path)
        if path.startswith("/bench/"):
            return self._control(path.removeprefix("/bench/"), request)
        if path.endswith("/openid-configuration"):
            return _json(self._openid(path))
        if path.endswith("/oauth2/v2.0/token"):
            return _json({"token_type": "Bearer", "expires_in": 3599, "access_token": uuid.uuid4().hex})
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _json({"error": {"code": "InvalidAuthenticationToken", "message": "no token"}}, 401)
        if path.startswith("/adminapi/"):
            return self._exchange(path, query, request)
        if path.startswith("/v1.0/"):
            return self._graph(path.removeprefix("/v1.0"), query, request)
        return _json({"error": {"code": "NotFound", "message": f"There is no {path} here."}}, 404)

    def _exchange(self, path: str, query: Mapping[str, str], request: Request) -> Response:
        try:
            with self._throttle.request() as headers:
                body = json.loads(request.body)
                if path.endswith("/$batch"):
                    response = self._batch(body["requests"])
                else:
                    response = self._cmdlet(body, query, request.headers)
                return Response(response.content, response.status, headers, response.content_type, response.packed)
        except Refused as refused:
            headers = {"Retry-After": str(refused.retry_after), "Rate-Limit-Remaining": "0"}
            return Response(CONCURRENCY_TEXT.encode(), 429, headers, "text/plain")

    def _batch(self, requests: list[dict[str, Any]]) -> Response:
        """The parts one after the other: a batch is one request, so it has one place at the service."""
        answers = []
        for part in requests:
            query = {name: values[-1] for name, values in parse_qs(urlsplit(part["url"]).query).items()}
            headers = {name.lower(): value for name, value in part.get("headers", {}).items()}
            response = self._cmdlet(part["body"], query, {**headers, "accept-encoding": "identity"})
            body = json.loads(response.content) if response.content else None
            answers.append({"id": part["id"], "status": response.status, "headers": {}, "body": body})
        return _json({"responses": answers})

    def _cmdlet(self, body: Mapping[str, Any], query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        name, parameters = body["CmdletInput"]["CmdletName"], body["CmdletInput"].get("Parameters", {})
        select = tuple(filter(None, query.get("$select", "").split(",")))
        self._throttle.cmdlet(writes=name.startswith("Set-"))
        if name == "Get-Mailbox":
            if "Identity" in parameters:
                return self._one(parameters["Identity"], select)
            return self._many(parameters, select, query, headers)
        if name == "Set-Mailbox":
            return self._set(parameters)
        return _refusal(f"The term '{name}' is not recognized as a name of a cmdlet.", "CommandNotFoundException", 400)

    def _one(self, identity: str, select: tuple[str, ...]) -> Response:
        number = number_of(identity)
        if number is None or number >= self._count:
            return _refusal(f"{identity} couldn't be found.", "ManagementObjectNotFoundException", 404)
        return _json({"value": [pages.row(pages.MAILBOXES, number, select, self._changed(number))]})

    def _many(
        self,
        parameters: Mapping[str, Any],
        select: tuple[str, ...],
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Response:
        asked = _PAGE_SIZE.search(headers.get("prefer", ""))
        size = min(int(asked.group(1)) if asked else _USUAL, _MOST_MAILBOXES)
        try:
            chosen = filters.mailboxes(str(parameters.get("Filter", "")), self._changes)
        except filters.FilterRefused as refused:
            return _refusal(str(refused), "ParsingException", 400)
        if chosen is not None:
            found = [pages.row(pages.MAILBOXES, number, select, self._changed(number)) for number in chosen]
            return _json({"value": found})
        link = f"{self._base}/adminapi/beta/tenant/InvokeCommand?$select={','.join(select)}&$skiptoken="
        return self._page(Collection(pages.MAILBOXES, select, size, self._count, link), query, headers)

    def _set(self, parameters: Mapping[str, Any]) -> Response:
        number = number_of(str(parameters.get("Identity", "")))
        if number is None or number >= self._count:
            return _refusal("The mailbox couldn't be found.", "ManagementObjectNotFoundException", 404)
        with self._lock:
            before = self._changes.get(number, UNCHANGED)
            managed = bool(parameters.get("IsExchangeCloudManaged", before.cloud_managed))
            self._changes[number] = Changed(before.variant, before.when, managed)
        return _json({"value": []})

    def _graph(self, path: str, query: Mapping[str, str], request: Request) -> Response:
        if path == "/users":
            return self._users(query, request.headers)
        if path == "/$batch":
            return self._graph_batch(json.loads(request.body)["requests"])
        if path in ("/servicePrincipals", "/organization"):
            return _json({"value": []})
        return _json({"error": {"code": "Request_ResourceNotFound", "message": f"no {path}"}}, 404)

    def _users(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        select = tuple(filter(None, query.get("$select", "").split(",")))
        if "$filter" in query:
            try:
                numbers = filters.users(query["$filter"])
            except filters.FilterRefused as refused:
                return _json({"error": {"code": "Request_UnsupportedQuery", "message": str(refused)}}, 400)
            found = [pages.row(pages.USERS, number, select, UNCHANGED, self._parent) for number in numbers]
            return _json({"value": found})
        size = min(int(query.get("$top", _USUAL)), _MOST_USERS)
        link = f"{self._base}/v1.0/users?$select={','.join(select)}&$top={size}&$skiptoken="
        return self._page(Collection(pages.USERS, select, size, self._count, link, self._parent), query, headers)

    def _graph_batch(self, requests: list[dict[str, Any]]) -> Response:
        answers = []
        for part in requests:
            address = urlsplit(part["url"])
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            inner = Request(part["method"], part["url"], {"accept-encoding": "identity"}, b"")
            response = self._graph(unquote(address.path), query, inner)
            answers.append({"id": part["id"], "status": response.status, "body": json.loads(response.content)})
        return _json({"responses": answers})

    def _page(self, collection: Collection, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        self._collections[collection] = None
        number = int(query.get("$skiptoken", "0"))
        packs = "gzip" in headers.get("accept-encoding", "")
        first = number * collection.size
        if collection.kind == pages.MAILBOXES and any(
            index in self._changes for index in range(first, first + collection.size)
        ):
            content = pages.rendered(collection, number, self._changes)
            return Response(pages.compress(content) if packs else content, packed=packs)
        content = pages.kept(collection, number, self._store)
        return Response(content if packs else pages.decompress(content), packed=packs)

    def _changed(self, number: int) -> Changed:
        return self._changes.get(number, UNCHANGED)

    def _control(self, what: str, request: Request) -> Response:
        """How the benchmark itself looks at the service and changes it behind its callers' back."""
        if what == "changes":
            body = json.loads(request.body)
            numbers = range(self._count) if body["numbers"] == "all" else body["numbers"]
            values = {name: body[name] for name in ("variant", "when", "cloud_managed") if name in body}
            with self._lock:
                if body.get("reset"):
                    self._changes.clear()
                self._changes.update(dict.fromkeys(numbers, Changed(**values)))
        elif what == "forget":
            self._collections.clear()
            self._throttle.counts = type(self._throttle.counts)()
        return _json(
            {
                "counts": asdict(self._throttle.counts),
                "collections": [asdict(collection) for collection in self._collections],
                "cloud_managed": sum(changed.cloud_managed for changed in self._changes.values()),
            }
        )

    def _openid(self, path: str) -> dict[str, Any]:
        tenant = path.split("/")[1]
        root = f"{self._base}/{tenant}"
        return {
            "issuer": f"{root}/v2.0",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        }


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), status)


def _refusal(text: str, exception: str, status: int) -> Response:
    message = f"|Microsoft.Exchange.Configuration.Tasks.{exception}|{text}"
    return _json({"error": {"code": "BadRequest", "message": text, "details": [{"message": message}]}}, status)
