# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Range retrieval ([MS-ADTS] 3.1.1.3.1.3.3): AD hands out at most 1,500 values of an attribute at once.

Then it answers ``proxyAddresses;range=0-1499`` instead of ``proxyAddresses``, and the rest has to be asked for as
``proxyAddresses;range=1500-*``, until the answer ends with a star.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"(?P<name>[^;]+);range=(?P<low>\d+)-(?P<high>\d+|\*)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A part of an attribute's values; ``next_low`` is where to go on, None for the last part."""

    name: str
    next_low: int | None


def parse(description: str) -> Part | None:
    """The part that an attribute description stands for, or None where it is not a range."""
    match = _RANGE.fullmatch(description)
    if match is None:
        return None
    return Part(match["name"], None if match["high"] == "*" else int(match["high"]) + 1)


def ask(name: str, low: int) -> str:
    """The attribute description that asks for the values from ``low`` on."""
    return f"{name};range={low}-*"
