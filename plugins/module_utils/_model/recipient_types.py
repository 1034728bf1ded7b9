# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Recipient types: Exchange Online's names, and the numbers that AD holds for them.

What AD gets when the type of a cloud mailbox changes is not documented: Exchange Server itself gives a mailbox that
lives in the cloud the remote type (RemoteSharedMailbox), one preview guide expects the plain one (SharedMailbox). So
it is a setting, ``style``: ``remote`` or ``local``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

STYLES = ("remote", "local")

TYPE_DETAILS: Mapping[str, int] = MappingProxyType(
    {
        "UserMailbox": 1,
        "LinkedMailbox": 2,
        "SharedMailbox": 4,
        "LegacyMailbox": 8,
        "RoomMailbox": 16,
        "EquipmentMailbox": 32,
        "MailContact": 64,
        "MailUser": 128,
        "MailUniversalDistributionGroup": 256,
        "MailNonUniversalGroup": 512,
        "MailUniversalSecurityGroup": 1024,
        "DynamicDistributionGroup": 2048,
        "ArbitrationMailbox": 8388608,
        "DiscoveryMailbox": 536870912,
        "RemoteUserMailbox": 2147483648,
        "RemoteRoomMailbox": 8589934592,
        "RemoteEquipmentMailbox": 17179869184,
        "RemoteSharedMailbox": 34359738368,
        "PublicFolderMailbox": 68719476736,
    }
)
"""msExchRecipientTypeDetails by name."""

TYPE_NAMES: Mapping[int, str] = MappingProxyType({number: name for name, number in TYPE_DETAILS.items()})

DISPLAY_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0: "mailbox user",
        1: "distribution group",
        6: "remote mail user",
        7: "conference room",
        8: "equipment",
        10: "arbitration mailbox",
        1073741824: "mailbox user that can stand in permissions",
        1073741833: "security distribution group",
        -2147483642: "synchronized mailbox user",
        -2147481850: "synchronized conference room",
        -2147481594: "synchronized equipment",
        -2147482106: "synchronized remote mail user",
        -1073741818: "synchronized mailbox user that can stand in permissions",
    }
)
"""msExchRecipientDisplayType and what it says."""

# Cloud name -> (type details, display type), by style.
_REMOTE = {
    "UserMailbox": (2147483648, -2147483642),
    "SharedMailbox": (34359738368, -2147483642),
    "RoomMailbox": (8589934592, -2147481850),
    "EquipmentMailbox": (17179869184, -2147481594),
}
_LOCAL = {
    "UserMailbox": (1, 1073741824),
    "SharedMailbox": (4, 0),
    "RoomMailbox": (16, 7),
    "EquipmentMailbox": (32, 8),
}
_STYLES: Mapping[str, Mapping[str, tuple[int, int]]] = MappingProxyType({"remote": _REMOTE, "local": _LOCAL})

# Display types that differ only in whether the mailbox can stand in permissions (access control lists).
_SAME_DISPLAY = ({-2147483642, -1073741818}, {0, 1073741824})


def directory_type(recipient_type_details: str, style: str = "remote") -> tuple[int, int]:
    """(msExchRecipientTypeDetails, msExchRecipientDisplayType) of a cloud mailbox of that type.

    InputError for a type that Cloud Sync does not write back (only user, shared, room and equipment mailboxes are).
    """
    table = _STYLES.get(style)
    if table is None:
        raise InputError(f"type_values must be one of {', '.join(STYLES)}, not {style!r}.")
    found = table.get(recipient_type_details)
    if found is None:
        raise InputError(
            f"A mailbox of type {recipient_type_details} has no counterpart in Active Directory; only "
            f"{', '.join(table)} have.",
            recipient_type_details=recipient_type_details,
        )
    return found


def cloud_type(type_details: int) -> str | None:
    """Exchange Online's name for AD's number, whichever style it was written in; None for other numbers."""
    for table in _STYLES.values():
        for name, (number, _display) in table.items():
            if number == type_details:
                return name
    return None


def type_name(type_details: int) -> str:
    """The name of a number, or the number itself where it has none."""
    return TYPE_NAMES.get(type_details, str(type_details))


def same_type(one: int, other: int) -> bool:
    """Whether two AD numbers mean the same cloud type (SharedMailbox and RemoteSharedMailbox do)."""
    return one == other or (cloud_type(one) is not None and cloud_type(one) == cloud_type(other))


def same_display_type(one: int, other: int) -> bool:
    """Whether two display types mean the same but for permissions, which AD's own value may say and the cloud not."""
    return one == other or any({one, other} <= group for group in _SAME_DISPLAY)
