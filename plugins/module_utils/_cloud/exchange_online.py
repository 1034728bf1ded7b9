# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Exchange Online: cmdlets over its REST interface, the one that the official PowerShell module uses.

Microsoft does not document this interface. What it may change is data here: the version in the path, the anchor, the
size of a page and of a batch.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import exchange_errors, retry
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http
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
BATCH_SIZE = 10
READ_RESTARTS = 3
ANCHOR = "APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}"
ROW_IDS = ("Guid", "ExternalDirectoryObjectId", "ExchangeGuid", "Identity")

Outcome: TypeAlias = "tuple[Cmdlet, list[dict[str, Any]] | HybridError]"


class ExchangeOnline:
    """Runs cmdlets in one tenant. tenant gives its GUID when it is first needed."""

    def __init__(self, http: Http, base_url: str, tenant: Callable[[], str]) -> None:
        self._http = http
        self._base_url = base_url
        self._tenant = tenant
        self._connection_id = str(uuid.uuid4())
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the service warned of, each text once."""
        return tuple(self._warnings)

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
        """Run one cmdlet and yield its rows, page by page.

        A page link that expired restarts the read from its start; rows that were given already are left out. Raises
        HybridError; one that follows a lost connection says nothing about whether the cmdlet was carried out.
        """
        seen: set[str] = set()
        restarts = 0
        while True:
            try:
                yield from self._rows(cmdlet, seen, skip=restarts > 0)
                return
            except _LinkExpired as expired:
                restarts += 1
                if restarts > READ_RESTARTS:
                    raise Unavailable(
                        f"Reading with {cmdlet.name} was interrupted {restarts} times because the service's page links "
                        f"expired. Read less at once, for example with filter. Last answer: {expired.error.message}",
                        **expired.error.facts,
                    ) from expired

    def batch(self, cmdlets: Iterable[Cmdlet]) -> Iterator[Outcome]:
        """Run many cmdlets in groups of 10, and yield each with its rows or its error, in the order given.

        A part that was throttled is sent again, part by part. An error is what the service said; it may have carried
        out the change all the same, which only reading back tells. Raises Unavailable when a whole group got no
        answer within retry_timeout.
        """
        remaining = iter(cmdlets)
        while group := list(islice(remaining, BATCH_SIZE)):
            yield from self._group(group)

    def _rows(self, cmdlet: Cmdlet, seen: set[str], skip: bool) -> Iterator[dict[str, Any]]:
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
                rows = _unseen(rows, seen, skip)
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

    def _group(self, group: list[Cmdlet]) -> Iterator[Outcome]:
        """Send one group until each part has a final answer or the time is used up."""
        clock = self._http.clock
        started = clock.monotonic()
        outcomes: dict[int, list[dict[str, Any]] | HybridError] = {}
        waiting: dict[int, HybridError | None] = dict.fromkeys(range(len(group)))
        attempt = 0
        while waiting:
            attempt += 1
            asked = self._send_group(group, waiting, outcomes)
            if not waiting:
                break
            wait = retry.delay(attempt, asked)
            if clock.monotonic() - started + wait > self._http.retry_timeout:
                break
            self._http.wait(wait)
        answered = bool(outcomes)
        for index, cmdlet in enumerate(group):
            if index in outcomes:
                yield cmdlet, outcomes[index]
            else:
                yield cmdlet, _about(_given_up(waiting[index], attempt), cmdlet)
        if not answered:
            raise _about(_given_up(waiting[0], attempt), group[0])

    def _send_group(
        self,
        group: list[Cmdlet],
        waiting: dict[int, HybridError | None],
        outcomes: dict[int, list[dict[str, Any]] | HybridError],
    ) -> float | None:
        """Send the waiting parts once, move those with a final answer to outcomes; answers the seconds asked for."""
        parts = [
            {
                "id": str(index),
                "method": "POST",
                "url": self._url(group[index]),
                "headers": {**self._headers(group[index]), "Content-Type": "application/json"},
                "body": _payload(group[index]),
            }
            for index in waiting
        ]
        answer = self._http.request(
            "POST",
            f"{self._root()}/$batch",
            "exchange",
            headers={**self._headers(None), "Prefer": f"odata.maxpagesize={PAGE_SIZE},odata.continue-on-error"},
            payload={"requests": parts},
            transient=exchange_errors.is_transient,
            failed=exchange_errors.from_answer,
        )
        body = answer.json()
        responses = body.get("responses") if isinstance(body, Mapping) else None
        if not isinstance(responses, list):
            raise ProtocolError(
                f"Exchange Online answered a batch with something that is not a batch: {answer.text or 'nothing'}",
                http_status=answer.status,
                request_id=answer.request_id,
            )
        asked: float | None = None
        for response in responses:
            index = _index(response, waiting)
            if index is None:
                continue
            part = _part_answer(answer, response)
            if exchange_errors.is_transient(part):
                if retry.is_throttle(part):
                    self._http.statistics.throttled_requests += 1
                waiting[index] = exchange_errors.from_answer(part)
                after = retry.retry_after(part.headers.get("retry-after"), answer.date or self._http.clock.now())
                asked = max(asked or 0.0, after) if after is not None else asked
                continue
            outcomes[index] = self._part_outcome(group[index], part)
            del waiting[index]
        return asked

    def _part_outcome(self, cmdlet: Cmdlet, part: Answer) -> list[dict[str, Any]] | HybridError:
        body = part.json() if part.body.strip() else {}
        if part.status >= 300 or (isinstance(body, Mapping) and body.get("error")):
            return _about(exchange_errors.from_answer(part), cmdlet)
        try:
            rows, link = self._page(body, cmdlet, part)
            # A part with more than one page is read again on its own: links of a batch cannot be followed in it.
            return list(self.invoke(cmdlet)) if link else rows
        except HybridError as error:
            return error

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


def _unseen(rows: list[dict[str, Any]], seen: set[str], skip: bool) -> list[dict[str, Any]]:
    """Remember the rows; with skip, leave out those that were remembered before."""
    kept = []
    for row in rows:
        key = row_id(row)
        if not (skip and key in seen):
            kept.append(row)
        seen.add(key)
    return kept


def row_id(row: Mapping[str, Any]) -> str:
    """What tells a row of a cmdlet from all others: its id, or all of it."""
    for name in ROW_IDS:
        if row.get(name):
            return f"{name}={row[name]}"
    return json.dumps(row, sort_keys=True, default=str)


def _index(response: Any, waiting: Mapping[int, Any]) -> int | None:
    try:
        index = int(response["id"])
    except (KeyError, TypeError, ValueError):
        return None
    return index if index in waiting else None


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


def _given_up(last: HybridError | None, attempts: int) -> Unavailable:
    said = last.message if last is not None else "The service left this part of the batch out of its answer."
    facts = dict(last.facts) if last is not None else {}
    return Unavailable(
        f"{said} Given up after {attempts} attempts. Run again later, or raise retry_timeout.", **facts, uncertain=True
    )


def _about(error: HybridError, cmdlet: Cmdlet) -> HybridError:
    """Say which cmdlet, for which object, an error belongs to."""
    about = cmdlet.parameters.get("Identity")
    if error.facts.get("cmdlet"):
        return error
    facts = {**error.facts, "cmdlet": cmdlet.name}
    if about is not None:
        facts["object"] = str(about)
    return type(error)(f"{cmdlet.name}{f' {about}' if about is not None else ''}: {error.message}", **facts)
