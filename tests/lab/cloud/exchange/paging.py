# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of rows: the client posts the same body again to ``@odata.nextLink``."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.lab.cloud.context import Services
from tests.lab.cloud.exchange import errors
from tests.lab.cloud.shapes import exchange_error
from tests.lab.cloud.wire import Refused, Reply, Request

DEFAULT_RESULT_SIZE = 1000
_PREFERRED = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)
_KEY_META = "page_key"

DEFAULT_SIZE_WARNING = (
    "By default, only the first 1000 items are returned. Use the ResultSize parameter to specify the number of items "
    'returned. To return all items, specify "-ResultSize Unlimited". Be aware that, depending on the actual number of '
    "items, returning all items can take a long time and consume a large amount of memory. Also, we don't recommend "
    "storing the results in a variable. Instead, pipe the results to another task or script to perform batch changes."
)
MORE_RESULTS_WARNING = (
    "There are more results available than are currently displayed. To view them, increase the value for the "
    "ResultSize parameter."
)


@dataclass(frozen=True)
class Position:
    """Where a page begins: after the row with key ``after``, ``sent`` rows having gone before."""

    after: str = ""
    sent: int = 0


def expired_link() -> Reply:
    """The answer to a next link whose time has run out."""
    return exchange_error(400, "BadRequest", "The paging cookie in the next link has expired. Please start again.")


def page_size(services: Services, request: Request) -> int:
    """Rows of a page: what the client prefers, never more than the switch ``top_page_size``."""
    matched = _PREFERRED.search(request.headers.get("prefer", ""))
    wanted = int(matched[1]) if matched else 0
    return min(wanted or int(services.scenario["default_page_size"]), int(services.scenario["top_page_size"]))


def position(services: Services, request: Request, tenant_id: str) -> Position:
    """Where this request's page begins; refuses a link that is broken, expired, or came with another body."""
    token = request.query.get("$skiptoken")
    if token is None:
        return Position()
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        signature, payload = raw[:16], raw[16:]
        good = hmac.compare_digest(signature, _signature(services, payload))
        told = json.loads(payload) if good else None
    except (ValueError, binascii.Error, UnicodeEncodeError):
        told = None
    if told is None:
        raise errors.malformed("The paging cookie in the next link is not valid.")
    if told["tenant"] != tenant_id or told["body"] != _digest(request):
        raise errors.malformed("The request body is not the one the next link belongs to.")
    if services.clock.timestamp() - told["issued"] > float(services.scenario["next_link_lifetime_s"]):
        raise Refused(expired_link())
    return Position(told["after"], told["sent"])


def result_limit(services: Services, bound: dict[str, Any]) -> int:
    """How many rows may be given in all, by -ResultSize."""
    top = int(services.scenario["mailbox_limit"])
    given = bound.get("ResultSize")
    if given is None:
        return DEFAULT_RESULT_SIZE
    if isinstance(given, str) and given.lower() == "unlimited":
        return top
    if isinstance(given, int) or given.isdigit():
        return min(int(given), top)
    raise errors.bad_value("ResultSize", "Unlimited", given)


def page(
    services: Services,
    request: Request,
    tenant_id: str,
    bound: dict[str, Any],
    keyed_rows: Iterable[tuple[str, dict[str, Any]]],
    began: Position,
) -> tuple[list[dict[str, Any]], str | None, list[str]]:
    """One page out of ``keyed_rows`` (which start after ``began``): rows, next link or None, warnings."""
    limit = result_limit(services, bound)
    size = min(page_size(services, request), limit - began.sent)
    rows: list[dict[str, Any]] = []
    last = began.after
    for key, row in keyed_rows:
        if len(rows) < size:
            rows.append(row)
            last = key
            continue
        sent = began.sent + len(rows)
        if sent >= limit:
            return rows, None, [MORE_RESULTS_WARNING if "ResultSize" in bound else DEFAULT_SIZE_WARNING]
        return rows, _link(services, request, tenant_id, Position(last, sent)), []
    return rows, None, []


def _link(services: Services, request: Request, tenant_id: str, ends: Position) -> str:
    told = {
        "after": ends.after,
        "sent": ends.sent,
        "tenant": tenant_id,
        "body": _digest(request),
        "issued": services.clock.timestamp(),
    }
    payload = json.dumps(told, separators=(",", ":")).encode()
    token = base64.urlsafe_b64encode(_signature(services, payload) + payload).rstrip(b"=").decode()
    kept = [f"{name}={quote(value, safe=',')}" for name, value in request.query.items() if name != "$skiptoken"]
    return f"{request.base}{request.path}?{'&'.join([*kept, f'$skiptoken={token}'])}"


def _digest(request: Request) -> str:
    return hashlib.sha256(request.canonical_body()).hexdigest()


def _signature(services: Services, payload: bytes) -> bytes:
    key = services.store.meta(_KEY_META)
    if key is None:
        key = secrets.token_hex(32)
        services.store.set_meta(_KEY_META, key)
    return hmac.new(key.encode(), payload, hashlib.sha256).digest()[:16]
