# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What this collection knows of one Exchange attribute: one row of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Values = tuple[str, ...]
"""The canonical value of any attribute.

``()`` means no value. Strings are in AD's text form: integers decimal, booleans ``TRUE`` or ``FALSE``, octets in
lower-case hexadecimal, distinguished names and times as AD prints them, SIDs as ``S-1-...``.
"""


class Syntax(Enum):
    """AD attribute syntaxes, as far as Exchange attributes use them ([MS-ADTS] 3.1.1.2.2.2)."""

    UNICODE = "2.5.5.12"
    INT32 = "2.5.5.9"
    INT64 = "2.5.5.16"
    BOOLEAN = "2.5.5.8"
    OCTETS = "2.5.5.10"
    DN = "2.5.5.1"
    OR_NAME = "2.5.5.7"
    TIME = "2.5.5.11"
    TELETEX = "2.5.5.4"
    SID = "2.5.5.17"


CLOUD_EDITABLE = {
    "yes": "a source says that Exchange Online accepts edits once the mailbox is cloud-managed",
    "expected": "an Exchange attribute, so editable once cloud-managed, but no source confirms it",
    "automatic": "follows another attribute",
    "exchange": "not synchronized from AD, so Exchange Online owns it anyway",
    "identity": "identity attribute, stays mastered in AD",
    "service": "set by the service",
    "on_premises": "an on-premises or provisioning value",
    "unknown": "no source says",
}
"""The values of Attribute.cloud_editable and what they mean."""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its names on each side, its form, who may own it, and whether Cloud Sync writes it back.

    ``exchange_property`` is a property of ``Get-Mailbox`` in Exchange Online. ``range_lower`` and ``range_upper``
    are characters for text and bytes for octets. ``cast`` names the way a cloud value becomes an AD value
    (``text``, ``boolean``, ``integer``, ``time``, ``addresses``, ``type_details``, ``display_type``), or is None
    where the two sides do not hold the same value in two notations (flags against enumerations, DNs against names).
    """

    ldap_name: str
    exchange_property: str | None
    graph_property: str | None
    oid: str
    syntax: Syntax
    multi: bool
    synced: bool
    cloud_editable: str
    written_back: bool
    written_back_since: str | None = None
    range_lower: int | None = None
    range_upper: int | None = None
    note: str = ""
    cast: str | None = None

    @property
    def directory_writable(self) -> bool:
        """Whether this collection can turn the cloud value into the AD value, and may.

        Identity, service and on-premises values are never copied from the cloud: clearing or changing them in AD
        breaks the link between the user and the cloud mailbox.
        """
        return self.cast is not None and self.cloud_editable in {"yes", "expected", "automatic", "exchange", "unknown"}
