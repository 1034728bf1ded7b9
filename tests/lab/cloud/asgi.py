# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ASGI face of the lab's cloud: one application, four addresses, told apart by the address a request came to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from tests.lab.cloud.context import Services
from tests.lab.cloud.traffic import Outcome, process
from tests.lab.cloud.wire import Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# More than any client of a test opens at once, so that the tenant's own limit is what refuses.
THREADS = 64


class Application:
    """Answers HTTP for all services; requests run in threads, for the store and the directories block."""

    def __init__(self, services: Services) -> None:
        """Serve ``services`` at the addresses of their URLs."""
        self._services = services
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._by_address = {
            (urlsplit(url).hostname, urlsplit(url).port or 443): name for name, url in services.urls.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        body = await _read(receive)
        server = tuple(scope.get("server") or ("", 0))
        service = self._by_address.get((server[0], server[1]))
        if service is None:
            await _send_plain(send, 421, b"This address belongs to no service of the lab.")
            return
        request = Request(
            service=service,
            method=scope["method"],
            path=scope["path"],
            query_string=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            base=self._services.urls[service],
        )
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._pool, process, self._services, request)
        await _send_outcome(send, outcome)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                self._pool.shutdown(wait=True, cancel_futures=True)
                return


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send_outcome(send: Send, outcome: Outcome) -> None:
    body = outcome.reply.body()
    headers = {**outcome.reply.headers, "Content-Length": str(len(body))}
    if body:
        headers["Content-Type"] = outcome.reply.content_type
    if outcome.reply.status == 204:
        del headers["Content-Length"]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": outcome.reply.status, "headers": encoded})
    if outcome.cut:
        # Ending here, with less than Content-Length announces, makes the server drop the connection.
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        return
    await send({"type": "http.response.body", "body": body})


async def _send_plain(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
