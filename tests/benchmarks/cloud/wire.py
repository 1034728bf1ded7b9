# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 with keep-alive over TLS, one thread per connection: little beside the bytes that are sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from tests.benchmarks.certificates import Certificates

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """One answer; ``packed`` content is gzip already."""

    content: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    packed: bool = False


def serve(address: tuple[str, int], certificates: Certificates, handle: Callable[[Request], Response]) -> None:
    """Answer until the process ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with socket.create_server(address, backlog=128) as listener:
        while True:
            plain, _peer = listener.accept()
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_connection, args=(plain, context, handle), daemon=True).start()


def _connection(plain: socket.socket, context: ssl.SSLContext, handle: Callable[[Request], Response]) -> None:
    with contextlib.suppress(OSError), contextlib.closing(plain):
        stream = context.wrap_socket(plain, server_side=True)
        with contextlib.closing(stream):
            held = b""
            while True:
                request, held = _read(stream, held)
                if request is None:
                    return
                response = handle(request)
                stream.sendall(_head(response) + response.content)


def _read(stream: ssl.SSLSocket, held: bytes) -> tuple[Request | None, bytes]:
    """The next request, and what came after it; None where the client is gone."""
    while (end := held.find(b"\r\n\r\n")) < 0:
        more = stream.recv(_CHUNK)
        if not more:
            return None, b""
        held += more
    first, *lines = held[:end].decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", "0"))
    body = bytearray(held[end + 4 :])
    while len(body) < size:
        more = stream.recv(_CHUNK)
        if not more:
            return None, b""
        body += more
    return Request(method, target, headers, bytes(body[:size])), bytes(body[size:])


def _head(response: Response) -> bytes:
    status = HTTPStatus(response.status)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.content)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    if response.packed:
        lines.append("Content-Encoding: gzip")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
