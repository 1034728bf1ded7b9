# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The text forms that Active Directory gives to names of domains and to times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError

_DOMAIN_PART = re.compile(r"(?:^|,)\s*dc\s*=\s*([^,]+)", re.IGNORECASE)


def domain_of(dn: str) -> str:
    """The DNS name, in small letters, that the DC parts of a distinguished name spell."""
    return ".".join(part.strip() for part in _DOMAIN_PART.findall(dn)).lower()


def parse_time(text: str) -> datetime:
    """A generalized time of AD, such as 20260803101500.0Z, always UTC; ProtocolError for anything else."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise ProtocolError(f"{text!r} is not a time as Active Directory writes it.") from error
