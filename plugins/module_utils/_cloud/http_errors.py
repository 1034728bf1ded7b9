# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a refusing answer of Microsoft Graph or of the sign-in service means, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    Conflict,
    HybridError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Unavailable,
)

CLASSES: Mapping[int, type[HybridError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    405: ProtocolError,
    409: Conflict,
    410: Conflict,
    412: Conflict,
    400: Conflict,
    422: Conflict,
}


def from_answer(answer: Answer, needs: str = "") -> HybridError:
    """The error for an answer with a status of 300 or more; needs names the permission the request requires."""
    code, message, request_id = details(answer)
    host, path = urlsplit(answer.url).netloc, urlsplit(answer.url).path
    said = f"{code}: {message}" if code and message else message or code or answer.text or "no text"
    facts: dict[str, Any] = {
        "http_status": answer.status,
        "request_id": request_id,
        "code": code,
        "request": f"{answer.method} {path}",
    }
    if answer.status < 400:
        return ProtocolError(
            f"{host} answered {answer.method} {path} with a redirect to {answer.headers.get('location', 'nowhere')}, "
            "which is not followed. Check the host names (cloud, graph_url, exchange_url).",
            **facts,
        )
    kind = CLASSES.get(answer.status) or (Unavailable if answer.status >= 500 else ProtocolError)
    return kind(
        f"{host} answered {answer.status} to {answer.method} {path}: {said}{advice(answer.status, needs)}", **facts
    )


def advice(status: int, needs: str) -> str:
    """What to do about a status, as the end of a message."""
    if status == 403:
        wanted = f" It needs {needs}." if needs else ""
        return f" The application may not do this.{wanted} Grant it, with admin consent, and run again."
    if status == 401:
        return " A fresh token was refused too: check tenant_id, cloud and the application's credentials."
    return ""


def details(answer: Answer) -> tuple[str | None, str | None, str | None]:
    """Code, message and request id of an answer in Graph's error shape; request id falls back to the headers."""
    body = answer.json()
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        description = body.get("error_description")
        return error, description if isinstance(description, str) else None, answer.request_id
    if not isinstance(error, Mapping):
        return None, None, answer.request_id
    inner = error.get("innerError") or error.get("innererror") or {}
    request_id = inner.get("request-id") if isinstance(inner, Mapping) else None
    return _text(error.get("code")), _text(error.get("message")), answer.request_id or request_id


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
