# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Times as Graph and playbooks write them (RFC 3339)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

FORM = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def read(text: Any) -> datetime | None:
    """A time of Graph's, to the microsecond; None for none, and for the year 1, which Graph uses for never."""
    match = FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    day, time, fraction, zone = match.groups()
    digits = (fraction or ".0")[1:7].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{digits}{'+00:00' if zone in 'Zz' else zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1900 else None


def required(text: str, option: str) -> datetime:
    """A time from an option; InputError where it is not RFC 3339 with a time zone."""
    moment = read(text)
    if moment is None:
        raise InputError(f"{option} must be a time such as 2026-08-27T09:30:00Z, with a time zone, not {text!r}.")
    return moment


def seconds(duration: Any) -> float | None:
    """The seconds of a duration of Graph's such as PT20M; None where it is none."""
    match = DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if match is None:
        return None
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


def write(moment: datetime) -> str:
    """A time for results."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
