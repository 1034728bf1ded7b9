# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Moments as Windows, CIM and Active Directory write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_GENERALIZED = re.compile(r"\d{14}(\.\d+)?Z")


def moment(text: str | None) -> datetime | None:
    """A moment with a time zone; None where the text is none. Without a zone it is read as UTC."""
    if not text:
        return None
    if _GENERALIZED.fullmatch(text):
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(found: datetime | None) -> str | None:
    """A moment as RFC 3339, in UTC and to the second."""
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found else None
