# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that the benchmarks' clients use; anything else is refused, so that no answer is wrong in silence."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.benchmarks.cloud import rows
from tests.benchmarks.cloud.pages import Changed
from tests.benchmarks.people import number_of

_WHEN = re.compile(r"WhenChanged(?:UTC)?\s+-(?:ge|gt)\s+'([^']+)'", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:ExternalDirectoryObjectId|UserPrincipalName|PrimarySmtpAddress)\s+-eq\s+'([^']+)'", re.IGNORECASE
)
_SYNCED = re.compile(r"IsDirSynced\s+-eq\s+('true'|\$true)", re.IGNORECASE)
_GLUE = re.compile(r"[()\s]|-and|-or", re.IGNORECASE)
_GRAPH_PROPERTY = re.compile(r"\b(id|onPremisesImmutableId|userPrincipalName|mail)\s+(?:eq|in)\b")
_GRAPH_TEXT = re.compile(r"'([^']*)'")


class FilterRefused(Exception):
    """The service does not take this filter."""


def mailboxes(text: str, changes: Mapping[int, Changed]) -> list[int] | None:
    """The numbers of the mailboxes that a filter of Exchange Online selects; None for all of them."""
    times, names = _WHEN.findall(text), _NAMED.findall(text)
    rest = _GLUE.sub("", _SYNCED.sub("", _NAMED.sub("", _WHEN.sub("", text))))
    if rest or (times and names):
        raise FilterRefused(f"The filter {text!r} cannot be used here.")
    if names:
        return sorted({number for name in names if (number := number_of(name)) is not None})
    if not times:
        return None
    since = max(_moment(value) for value in times)
    if since <= _moment(rows.MADE):
        return None
    return sorted(number for number, changed in changes.items() if _moment(changed.when) >= since)


def users(text: str) -> list[int]:
    """The numbers of the users that a filter of Graph names."""
    found = _GRAPH_PROPERTY.findall(text)
    if not found:
        raise FilterRefused(f"The filter {text!r} cannot be used here.")
    anchors = "onPremisesImmutableId" in found
    numbers = (_number_of_anchor(value) if anchors else number_of(value) for value in _GRAPH_TEXT.findall(text))
    return sorted({number for number in numbers if number is not None})


def _number_of_anchor(text: str) -> int | None:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return int.from_bytes(content[12:]) if len(content) == 16 else None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FilterRefused(f"{text!r} is no time.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
