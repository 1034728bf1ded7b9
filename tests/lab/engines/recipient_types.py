# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipient types: the numbers AD keeps and the names Exchange Online shows."""

from __future__ import annotations

USER, SHARED, ROOM, EQUIPMENT = "UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox"
MAIL_USER_DETAILS = 128

# msExchRecipientTypeDetails of a mailbox in the cloud, seen from AD.
REMOTE_DETAILS = {USER: 2147483648, SHARED: 34359738368, ROOM: 8589934592, EQUIPMENT: 17179869184}
# msExchRecipientTypeDetails of a mailbox on premises.
LOCAL_DETAILS = {USER: 1, SHARED: 4, ROOM: 16, EQUIPMENT: 32}
LINKED_DETAILS = 2

# msExchRecipientDisplayType. A remote shared mailbox shows as a remote user mailbox does.
REMOTE_DISPLAY = {USER: -2147483642, SHARED: -2147483642, ROOM: -2147481850, EQUIPMENT: -2147481594}
LOCAL_DISPLAY = {USER: -2147483642, SHARED: 0, ROOM: 7, EQUIPMENT: 8}

# Arbitration, discovery, public folder and the like: Connect's rule "In from AD - User Join" leaves objects with one
# of these bits out.
SYSTEM_DETAILS_MASK = 0x21C07000

PROVISIONED_REMOTELY = 1 | 4  # msExchRemoteRecipientType: ProvisionMailbox, Migrated

_REMOTE_FLAGS = (
    (1, "ProvisionMailbox"),
    (2, "ProvisionArchive"),
    (4, "Migrated"),
    (8, "DeprovisionMailbox"),
    (16, "DeprovisionArchive"),
)
_REMOTE_KINDS = {32: "RoomMailbox", 64: "EquipmentMailbox", 96: "SharedMailbox"}
_NAMES = {
    **{number: name for name, number in REMOTE_DETAILS.items()},
    **{number: name for name, number in LOCAL_DETAILS.items()},
    LINKED_DETAILS: USER,
}


def type_name(details: int | None) -> str:
    """The cloud's RecipientTypeDetails for AD's number; a user mailbox where AD says nothing."""
    return _NAMES.get(details or 0, USER)


def recipient_kind(details: int | None, remote_type: int | None, has_addresses: bool) -> str | None:
    """What a synchronized user is in Exchange Online: ``mailbox``, ``mailUser`` or None (no recipient)."""
    if details in REMOTE_DETAILS.values() or (remote_type or 0) & PROVISIONED_REMOTELY:
        return "mailbox"
    if details in _NAMES:
        return "mailUser"
    return "mailUser" if details == MAIL_USER_DETAILS and has_addresses else None


def directory_values(type_details: str, kept: dict[str, int] | None, type_values: str) -> tuple[int, int]:
    """(msExchRecipientTypeDetails, msExchRecipientDisplayType) that writeback gives a mailbox of ``type_details``.

    ``kept`` are the values last read from AD: they stay while the type is the same, so that a display type that
    carries more than the type (an access-control bit) is not flattened. ``type_values`` is the scenario's switch.
    """
    if kept and kept.get("details") is not None and type_name(kept["details"]) == type_details:
        details, display = kept["details"], kept.get("display")
        return details, REMOTE_DISPLAY[type_details] if display is None else display
    if type_values == "local" and type_details != USER:
        return LOCAL_DETAILS[type_details], LOCAL_DISPLAY[type_details]
    known = type_details if type_details in REMOTE_DETAILS else USER
    return REMOTE_DETAILS[known], REMOTE_DISPLAY[known]


def remote_type_text(value: int | None) -> str:
    """msExchRemoteRecipientType as Exchange prints it, for example ``Migrated, SharedMailbox``."""
    number = value or 0
    names = [name for bit, name in _REMOTE_FLAGS if number & bit]
    kind = _REMOTE_KINDS.get(number & 96)
    return ", ".join([*names, *([kind] if kind else [])]) or "None"
