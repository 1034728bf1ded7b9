# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""When to ask again: pure decisions, no waiting."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer, parse_http_date

RETRY_STATUSES = frozenset({408, 429, 502, 503, 504})
# Exchange Online sends this as plain text, at times with a status other than 429.
CONCURRENCY_TEXT = b"You have reached the maximum number of concurrent requests"
FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
# A service counts its Retry-After from its own clock; this is added so that we never come early.
MARGIN = 0.1
# A limit that says it is filled again later than this says something else.
LONGEST_RESET = 3600.0


def is_throttle(answer: Answer) -> bool:
    """Whether the service refused the request because of load, without having worked on it."""
    return answer.status == 429 or answer.body.lstrip(b'" ').startswith(CONCURRENCY_TEXT)


def is_transient(answer: Answer) -> bool:
    """Whether the same request may succeed later."""
    return answer.status in RETRY_STATUSES or is_throttle(answer)


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds asked for by a Retry-After value (seconds or an HTTP date), or None where there is none."""
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        moment = parse_http_date(text)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def delay(attempt: int, asked: float | None) -> float:
    """Seconds to wait before attempt + 1: what was asked for, else doubling from 1 to 60 seconds with some jitter."""
    if asked is not None:
        return asked + MARGIN
    base: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1))
    return base * random.uniform(0.8, 1.2)


def remaining(headers: Mapping[str, str]) -> int | None:
    """How many requests the service says that it would take besides (``Rate-Limit-Remaining``), None if it does not."""
    text = headers.get("rate-limit-remaining", "").strip()
    return int(text) if text.isdecimal() else None


def reset_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a used-up ``Rate-Limit-Remaining`` is filled again, where the service says when.

    No source says in which form ``Rate-Limit-Reset`` comes: a time in ISO or HTTP form, or seconds, are understood.
    """
    text = headers.get("rate-limit-reset", "").strip()
    if not text or remaining(headers) != 0:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = _moment(text)
        seconds = (moment - now).total_seconds() if moment else 0.0
    else:
        seconds = seconds - now.timestamp() if seconds > LONGEST_RESET else seconds
    return seconds if 0 < seconds <= LONGEST_RESET else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return parse_http_date(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
