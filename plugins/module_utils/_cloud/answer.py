# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One answer of an HTTP service."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# Names under which the services say which request an answer belongs to; support asks for this value.
REQUEST_ID_HEADERS = ("request-id", "x-ms-request-id", "client-request-id")
TEXT_LIMIT = 300


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, or None where it is empty or is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """The start of the body without markup, for messages."""
        plain = re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>", " ", self.body.decode("utf-8", "replace"))
        return " ".join(plain.split())[:TEXT_LIMIT]

    @property
    def request_id(self) -> str | None:
        """The service's id of this request, where it gave one."""
        for name in REQUEST_ID_HEADERS:
            if self.headers.get(name):
                return self.headers[name]
        return None

    @property
    def date(self) -> datetime | None:
        """The service's clock when it answered, to the second, or None without a usable Date header."""
        return parse_http_date(self.headers.get("date", ""))


def parse_http_date(text: str) -> datetime | None:
    """An HTTP date as an aware datetime, or None."""
    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
