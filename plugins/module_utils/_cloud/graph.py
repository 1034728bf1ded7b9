# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Microsoft Graph: requests and pages."""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
    ProtocolError,
    Unavailable,
)

READ_RESTARTS = 3
PAGE_SIZE = 999
COUNTERS = ("requests", "throttled_requests", "retried_requests", "waited_seconds")


class Graph:
    """Requests to one tenant. Paths begin with "/" and leave out the version."""

    def __init__(self, http: Http, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, version: str = "v1.0", needs: str = ""
    ) -> dict[str, Any]:
        """One object. NotFound where there is none."""
        return self._object(self._send("GET", self._url(path, query, version), needs=needs))

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, version: str = "v1.0", needs: str = ""
    ) -> Iterator[dict[str, Any]]:
        """All items of a collection, page by page. A page link that expired restarts the read, without repeats."""
        given = array("q")  # the hashes of the ids: a set of the ids themselves would take 100 MB for 600,000 users
        restarts = 0
        while True:
            seen = frozenset(given) if restarts else frozenset()
            url: str | None = self._url(path, query, version)
            visited: set[str] = set()
            try:
                while url:
                    url = yield from self._page(url, seen, given, visited, needs)
                return
            except _LinkExpired as expired:
                restarts += 1
                if restarts > READ_RESTARTS:
                    raise Unavailable(
                        f"Reading {path} was interrupted {restarts} times because the page links expired. "
                        f"Last answer: {expired.error.message}",
                        **expired.error.facts,
                    ) from expired

    def post(
        self,
        path: str,
        payload: Any = None,
        *,
        version: str = "v1.0",
        needs: str = "",
        repeatable: bool = True,
    ) -> dict[str, Any]:
        """Send an action or a new object; repeatable=False where doing it twice would make two."""
        answer = self._send("POST", self._url(path, None, version), payload, needs=needs, repeatable=repeatable)
        return self._object(answer) if answer.body.strip() else {}

    def patch(self, path: str, payload: Any, *, version: str = "v1.0", needs: str = "") -> None:
        """Change an object."""
        self._send("PATCH", self._url(path, None, version), payload, needs=needs)

    def put(self, path: str, payload: Any, *, version: str = "v1.0", needs: str = "") -> None:
        """Replace an object."""
        self._send("PUT", self._url(path, None, version), payload, needs=needs)

    def delete(self, path: str, *, version: str = "v1.0", needs: str = "") -> bool:
        """Delete an object; False if it was gone already."""
        try:
            self._send("DELETE", self._url(path, None, version), needs=needs)
        except NotFound:
            return False
        return True

    def sign_in(self) -> None:
        """Have a token for this service."""
        self._http.sign_in("graph")

    def usage(self) -> Mapping[str, Any]:
        """What was spent at the services so far: requests, throttled ones, repetitions, seconds of waiting."""
        return {name: getattr(self._http.statistics, name) for name in COUNTERS}

    def add_usage(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Add what another process spent between two readings of its ``usage``."""
        spent = {name: after[name] - before[name] for name in COUNTERS}
        self._http.statistics.count(
            requests=spent["requests"],
            throttled=spent["throttled_requests"],
            retried=spent["retried_requests"],
            waited=spent["waited_seconds"],
        )

    def service_time(self) -> datetime | None:
        """Graph's own clock when it last answered, to the second."""
        return self._http.last_date(self._base_url)

    def _page(
        self, url: str, seen: frozenset[int], given: array[int], visited: set[str], needs: str
    ) -> Generator[dict[str, Any], None, str | None]:
        """Yield the items of one page, less those seen before a restart; returns the link to the next."""
        following = bool(visited) or "$skiptoken" in url
        try:
            answer = self._send("GET", url, needs=needs)
        except (Conflict, NotFound) as error:
            if following:
                raise _LinkExpired(error) from error
            raise
        body = self._object(answer)
        items = body.get("value")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ProtocolError(
                f"Graph answered {urlsplit(url).path} without a list of items.", request_id=answer.request_id
            )
        for item in items:
            key = hash(str(item.get("id") or ""))
            if key in seen and item.get("id"):
                continue
            given.append(key)
            yield item
        link = body.get("@odata.nextLink")
        if link is None:
            return None
        if urlsplit(str(link))[:2] != urlsplit(self._base_url)[:2]:
            raise ProtocolError(f"Graph sent a page link to another host: {link}. The token is not sent there.")
        if link in visited:
            raise ProtocolError(f"Graph sent the same page link twice for {urlsplit(url).path}.")
        visited.add(str(link))
        return str(link)

    def _send(self, method: str, url: str, payload: Any = None, *, needs: str, repeatable: bool = True) -> Answer:
        headers = {"Accept": "application/json", "client-request-id": str(uuid.uuid4())}
        return self._http.request(
            method, url, "graph", headers=headers, payload=payload, needs=needs, repeatable=repeatable
        )

    def _object(self, answer: Answer) -> dict[str, Any]:
        body = answer.json()
        if not isinstance(body, dict):
            raise ProtocolError(
                f"Graph answered {answer.method} {urlsplit(answer.url).path} with something that is not a JSON object: "
                f"{answer.text or 'nothing'}",
                http_status=answer.status,
                request_id=answer.request_id,
            )
        return body

    def _url(self, path: str, query: Mapping[str, str] | None, version: str) -> str:
        tail = "?" + urlencode(query, safe="$,()'/", quote_via=quote) if query else ""
        return f"{self._base_url}/{version}{path}{tail}"


class _LinkExpired(Exception):
    def __init__(self, error: HybridError) -> None:
        super().__init__(error.message)
        self.error = error


def literal(text: str) -> str:
    """A text as a string in an OData filter."""
    return "'" + text.replace("'", "''") + "'"


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")
