# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Exchange Online: cmdlets over its REST interface, the one that the official PowerShell module uses.

Microsoft does not document this interface. What it may change is data here: the version in the path, the anchor, the
size of a page.
"""

from __future__ import annotations

import json
import uuid
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import batch, exchange_errors
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.pace import CONCURRENCY
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    NotFound,
    ProtocolError,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

API_VERSION = "beta"
PAGE_SIZE = 1000
READ_RESTARTS = 3
ANCHOR = "APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}"
ROW_IDS = ("Guid", "ExternalDirectoryObjectId", "ExchangeGuid", "Identity")


class ExchangeOnline:
    """Runs cmdlets in one tenant. tenant gives its GUID when it is first needed.

    concurrency: batches under way at once that are never exceeded; how many there are is found out.
    """

    def __init__(self, http: Http, base_url: str, tenant: Callable[[], str], concurrency: int = CONCURRENCY) -> None:
        self._http = http
        self._concurrency = max(1, concurrency)
        self._base_url = base_url
        self._tenant = tenant
        self._connection_id = str(uuid.uuid4())
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the service warned of, each text once."""
        return tuple(self._warnings)

    def sign_in(self) -> None:
        """Have a token for this service."""
        self._http.sign_in("exchange")

    def service_time(self) -> datetime | None:
        """Exchange Online's own clock when it last answered, to the second."""
        return self._http.last_date(self._base_url)

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
        """Run one cmdlet and yield its rows, page by page.

        A page link that expired restarts the read from its start; rows that were given already are left out. Raises
        HybridError; one that follows a lost connection says nothing about whether the cmdlet was carried out.
        """
        given = array("q")  # the hashes of what was given: the ids themselves would take 100 MB for 600,000 rows
        restarts = 0
        while True:
            try:
                yield from self._rows(cmdlet, given, frozenset(given) if restarts else frozenset())
                return
            except _LinkExpired as expired:
                restarts += 1
                if restarts > READ_RESTARTS:
                    raise Unavailable(
                        f"Reading with {cmdlet.name} was interrupted {restarts} times because the service's page links "
                        f"expired. Read less at once, for example with filter. Last answer: {expired.error.message}",
                        **expired.error.facts,
                    ) from expired

    def batch(self, cmdlets: Iterable[Cmdlet]) -> Iterator[batch.Outcome]:
        """Run many cmdlets in groups of 10, and yield each with its rows or its error, in the order given.

        Several groups are under way at once, as many as the service takes, so cmdlets take effect in any order. A part
        that was throttled is sent again, part by part. An error is what the service said; it may have carried out the
        change all the same, which only reading back tells. Raises Unavailable when a whole group got no answer within
        retry_timeout.
        """
        return batch.run(self._http, self, cmdlets, self._concurrency)

    def _rows(self, cmdlet: Cmdlet, given: array[int], seen: frozenset[int]) -> Iterator[dict[str, Any]]:
        url = self._url(cmdlet)
        following = False
        visited: set[str] = set()
        while True:
            try:
                answer = self._http.request(
                    "POST",
                    url,
                    "exchange",
                    headers=self._headers(cmdlet),
                    payload=_payload(cmdlet),
                    transient=exchange_errors.is_transient,
                    failed=exchange_errors.from_answer,
                )
            except HybridError as error:
                if (following and isinstance(error, (Conflict, NotFound))) or _is_link_error(error):
                    raise _LinkExpired(error) from error
                raise _about(error, cmdlet) from error
            body = answer.json() if answer.body.strip() else {}
            rows, link = self._page(body, cmdlet, answer)
            if following or link:
                rows = _unseen(rows, given, seen)
            yield from rows
            if not link:
                return
            if link in visited:
                raise ProtocolError(f"Exchange Online sent the same page link twice for {cmdlet.name}.")
            visited.add(link)
            url, following = link, True

    def _page(self, body: Any, cmdlet: Cmdlet, answer: Answer | None) -> tuple[list[dict[str, Any]], str | None]:
        if answer is not None and answer.status == 204:
            return [], None
        if isinstance(body, Mapping):
            self._warnings.update(dict.fromkeys(map(str, body.get("@adminapi.warnings") or ())))
        rows = body.get("value", []) if isinstance(body, Mapping) else None
        if isinstance(rows, Mapping):
            rows = [rows]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            start = answer.text if answer is not None else str(body)[:200]
            raise ProtocolError(
                f"Exchange Online answered {cmdlet.name} with something that is not a list of objects: {start}",
                http_status=answer.status if answer is not None else None,
                request_id=answer.request_id if answer is not None else None,
            )
        link = body.get("@odata.nextLink")
        if link is not None and urlsplit(str(link))[:2] != urlsplit(self._base_url)[:2]:
            raise ProtocolError(
                f"Exchange Online sent a page link to another host: {link}. The token is not sent there."
            )
        return rows, link

    def batch_url(self) -> str:
        """Where batches go."""
        return f"{self._root()}/$batch"

    def batch_request(self, cmdlets: Mapping[int, Cmdlet]) -> tuple[Mapping[str, str], Any]:
        """Headers and content of a batch of these cmdlets by their part ids."""
        parts = [
            {
                "id": str(index),
                "method": "POST",
                "url": self._url(cmdlet),
                "headers": {**self._headers(cmdlet), "Content-Type": "application/json"},
                "body": _payload(cmdlet),
            }
            for index, cmdlet in cmdlets.items()
        ]
        headers = {**self._headers(None), "Prefer": f"odata.maxpagesize={PAGE_SIZE},odata.continue-on-error"}
        return headers, {"requests": parts}

    def batch_parts(self, answer: Answer) -> Iterator[tuple[int, Answer]]:
        """The parts of an answer by their ids; ProtocolError where it is no batch."""
        body = answer.json()
        responses = body.get("responses") if isinstance(body, Mapping) else None
        if not isinstance(responses, list):
            raise ProtocolError(
                f"Exchange Online answered a batch with something that is not a batch: {answer.text or 'nothing'}",
                http_status=answer.status,
                request_id=answer.request_id,
            )
        for response in responses:
            index = _index(response)
            if index is not None:
                yield index, _part_answer(answer, response)

    def part_outcome(self, cmdlet: Cmdlet, part: Answer) -> list[dict[str, Any]] | HybridError:
        """What a final answer of one part comes to."""
        body = part.json() if part.body.strip() else {}
        if part.status >= 300 or (isinstance(body, Mapping) and body.get("error")):
            return self.about(exchange_errors.from_answer(part), cmdlet)
        try:
            rows, link = self._page(body, cmdlet, part)
            # A part with more than one page is read again on its own: links of a batch cannot be followed in it.
            return list(self.invoke(cmdlet)) if link else rows
        except HybridError as error:
            return error

    def about(self, error: HybridError, cmdlet: Cmdlet) -> HybridError:
        """The error with the cmdlet and the object that it belongs to."""
        return _about(error, cmdlet)

    def _root(self) -> str:
        return f"{self._base_url}/adminapi/{API_VERSION}/{self._tenant()}"

    def _url(self, cmdlet: Cmdlet) -> str:
        query = "?" + urlencode({"$select": ",".join(cmdlet.select)}, safe="$,") if cmdlet.select else ""
        return f"{self._root()}/InvokeCommand{query}"

    def _headers(self, cmdlet: Cmdlet | None) -> dict[str, str]:
        headers = {
            "Accept": "application/json; odata.metadata=minimal",
            "Accept-Encoding": "gzip",
            "Prefer": f"odata.maxpagesize={PAGE_SIZE}",
            "X-AnchorMailbox": ANCHOR.format(tenant=self._tenant()),
            "parameter-based-routing": "true",
            "connection-id": self._connection_id,
            "client-request-id": str(uuid.uuid4()),
        }
        if cmdlet is not None:
            headers["X-CmdletName"] = cmdlet.name
        return headers


class _LinkExpired(Exception):
    """A page link is no longer good."""

    def __init__(self, error: HybridError) -> None:
        super().__init__(error.message)
        self.error = error


def _payload(cmdlet: Cmdlet) -> dict[str, Any]:
    return {"CmdletInput": {"CmdletName": cmdlet.name, "Parameters": dict(cmdlet.parameters)}}


def _is_link_error(error: HybridError) -> bool:
    return "pagination request" in error.message and "xpired" in error.message


def _unseen(rows: list[dict[str, Any]], given: array[int], seen: frozenset[int]) -> list[dict[str, Any]]:
    """Leave out the rows that were given before a restart, and remember the others."""
    kept = []
    for row in rows:
        key = hash(row_id(row))
        if key not in seen:
            given.append(key)
            kept.append(row)
    return kept


def row_id(row: Mapping[str, Any]) -> str:
    """What tells a row of a cmdlet from all others: its id, or all of it."""
    for name in ROW_IDS:
        if row.get(name):
            return f"{name}={row[name]}"
    return json.dumps(row, sort_keys=True, default=str)


def _index(response: Any) -> int | None:
    try:
        return int(response["id"])
    except (KeyError, TypeError, ValueError):
        return None


def _part_answer(whole: Answer, response: Mapping[str, Any]) -> Answer:
    body = response.get("body")
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {str(name).lower(): str(value) for name, value in (response.get("headers") or {}).items()}
    if whole.request_id:
        headers.setdefault("request-id", whole.request_id)
    try:
        status = int(response.get("status") or 0)
    except (TypeError, ValueError):
        status = 0
    return Answer(whole.method, whole.url, status or 502, headers, content)


def _about(error: HybridError, cmdlet: Cmdlet) -> HybridError:
    """Say which cmdlet, for which object, an error belongs to."""
    about = cmdlet.parameters.get("Identity")
    if error.facts.get("cmdlet"):
        return error
    facts = {**error.facts, "cmdlet": cmdlet.name}
    if about is not None:
        facts["object"] = str(about)
    return type(error)(f"{cmdlet.name}{f' {about}' if about is not None else ''}: {error.message}", **facts)
