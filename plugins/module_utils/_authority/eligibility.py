# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Which mailboxes can have their source of authority moved.

Only directory-synchronized users with a mailbox in Exchange Online: user, shared, room and equipment mailboxes. Cloud-
only mailboxes do not need it, on-premises mailboxes are out of its scope, groups and contacts have a switch of their
own (the object's source of authority).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox

TRANSFERABLE_TYPES = frozenset({"UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox"})

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "cloud_only": "is not synchronized from Active Directory, so its attributes are edited in the cloud anyway",
        "on_premises_mailbox": "has its mailbox on premises (is a mail user in the cloud); migrate the mailbox first",
        "mail_user": "is a mail user without a mailbox of its own",
        "no_mailbox": "has no mailbox in Exchange Online",
        "not_a_user": "is no user but another kind of recipient; groups and contacts have a switch of their own",
        "unsupported_type": "is of a mailbox type whose authority cannot be moved",
        "changed_recently": "was changed in Active Directory within the quiet time, so a change may still be under way",
        "no_directory_object": "has no object in Active Directory that could prove its quiet time",
    }
)
"""Every reason why a mailbox is left out, in words that follow its name."""


def ineligible_reason(mailbox: Mailbox) -> str | None:
    """The key of REASONS why a mailbox cannot be moved, None where it can."""
    if mailbox.recipient_type == "MailUser":
        return "on_premises_mailbox"
    if mailbox.recipient_type not in {"UserMailbox", ""}:
        return "not_a_user"
    if mailbox.recipient_type == "":
        return "no_mailbox"
    if not mailbox.dir_synced:
        return "cloud_only"
    if mailbox.recipient_type_details not in TRANSFERABLE_TYPES:
        return "unsupported_type"
    return None


def authority_of(cloud_managed: bool) -> str:
    """The name of the authority that the flag stands for."""
    return "cloud" if cloud_managed else "on_premises"
