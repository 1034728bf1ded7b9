# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: say what mailboxes there are, who is their authority, and which can be moved.

Select, read, report: nothing is ever written to a far end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority import eligibility
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import (
    Artifacts,
    MailboxReader,
    Progress,
    Recipients,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import CORE_PROPERTIES, Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._model.values import from_exchange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

_EXPORTED = {
    name: attribute
    for name, attribute in CATALOGUE.items()
    if attribute.exchange_property and attribute.cloud_editable != "on_premises"
}

PROPERTIES: tuple[str, ...] = tuple(
    dict.fromkeys([*CORE_PROPERTIES, *(str(attribute.exchange_property) for attribute in _EXPORTED.values())])
)
"""The Exchange properties that are asked for."""


@dataclass(frozen=True)
class Inspection:
    """What was asked: which mailboxes, and how many of them the result lists."""

    selection: Selection
    limit: int


def inspect(
    request: Inspection, *, mailboxes: MailboxReader, recipients: Recipients, artifacts: Artifacts, progress: Progress
) -> dict[str, Any]:
    """Read the mailboxes, export them all into an artifact, and return counts and the first of them.

    Selected users without a mailbox are counted and exported with the reason, but not among the mailboxes returned.
    """
    counts: Counter[str] = Counter()
    by_type: Counter[str] = Counter()
    ineligible: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    progress.start("read")
    with artifacts("mailboxes") as writer:
        for mailbox in mailboxes.read(request.selection, PROPERTIES):
            reason = eligibility.ineligible_reason(mailbox)
            counts.update(
                total=1,
                dir_synced=mailbox.dir_synced,
                cloud_managed=mailbox.cloud_managed,
                eligible=reason is None,
            )
            by_type[mailbox.recipient_type_details or "unknown"] += 1
            if reason is not None:
                ineligible[reason] += 1
            summary = summarize(mailbox, reason)
            if len(shown) < request.limit:
                shown.append(summary)
            writer.write({**summary, "attributes": attributes_of(mailbox)})
            progress.advance()
        for member, reason in _without_mailbox(mailboxes.left_out, recipients):
            counts["total"] += 1
            ineligible[reason] += 1
            line = {"id": member.id, "user_principal_name": member.user_principal_name}
            writer.write({**line, "eligible": False, "reason": reason})
    numbers = {name: counts[name] for name in ("total", "dir_synced", "cloud_managed", "eligible")}
    return {
        "counts": {**numbers, "by_type": dict(sorted(by_type.items())), "ineligible": dict(sorted(ineligible.items()))},
        "mailboxes": shown,
        "artifact": writer.artifact,
    }


def _without_mailbox(members: Sequence[Member], recipients: Recipients) -> Iterator[tuple[Member, str]]:
    reasons = recipients.of_users([member.id for member in members]) if members else {}
    return ((member, reasons[member.id]) for member in members)


def summarize(mailbox: Mailbox, reason: str | None) -> dict[str, Any]:
    """One mailbox in a result."""
    return {
        "id": mailbox.id,
        "user_principal_name": mailbox.user_principal_name,
        "display_name": mailbox.display_name,
        "primary_smtp_address": mailbox.primary_smtp_address,
        "recipient_type_details": mailbox.recipient_type_details,
        "dir_synced": mailbox.dir_synced,
        "authority": eligibility.authority_of(mailbox.cloud_managed),
        "when_changed": mailbox.when_changed,
        "eligible": reason is None,
        "reason": reason,
    }


def attributes_of(mailbox: Mailbox) -> dict[str, Sequence[str]]:
    """The mailbox's values by AD name; attributes without a value are left out."""
    found = {
        name: from_exchange(attribute, mailbox.properties.get(str(attribute.exchange_property)))
        for name, attribute in _EXPORTED.items()
    }
    return {name: list(values) for name, values in found.items() if values}
