# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a task returns of a run: counts, and the first of many. The rest is in the artifact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member


def first(items: Iterable[Any], limit: int) -> list[Any]:
    """The first ``limit`` items."""
    found: list[Any] = []
    for item in items:
        if len(found) >= limit:
            break
        found.append(item)
    return found


def failure(name: str, object_id: str, error: HybridError) -> dict[str, Any]:
    """One failed object, for the result and the artifact."""
    return {"object": name, "id": object_id, "error": error.message, "kind": type(error).__name__, **_facts(error)}


def _facts(error: HybridError) -> Mapping[str, Any]:
    return {name: error.facts[name] for name in ("http_status", "request_id") if name in error.facts}


def listing(names: Iterable[str], limit: int = 5) -> str:
    """Names for a message: the first few, and how many more."""
    known = list(names)
    shown = ", ".join(known[:limit])
    more = len(known) - limit
    return f"{shown} and {more} more" if more > 0 else shown


def left_out_warnings(members: Sequence[Member]) -> list[str]:
    """At most one warning, for the selected users that have no mailbox."""
    if not members:
        return []
    return [
        f"{len(members)} of the selected users have no mailbox in Exchange Online and were left out: "
        f"{listing((member.name for member in members), 3)}."
    ]


def without_mailbox_line(member: Member) -> dict[str, Any]:
    """A selected user without a mailbox, for artifacts."""
    return {"object": member.name, "id": member.id, "reason": "the user has no mailbox in Exchange Online"}


def limited_diff(
    changes: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]], limit: int
) -> list[dict[str, Any]]:
    """Diff entries, one per object (name, before, after), and a last one that says how many are left out."""
    entries: list[dict[str, Any]] = []
    left_out = 0
    for name, before, after in changes:
        if len(entries) < limit:
            header = {"before_header": name, "after_header": name}
            entries.append({**header, "before": dict(before), "after": dict(after)})
        else:
            left_out += 1
    if left_out:
        entries.append({"prepared": f"... and {left_out} more objects; the artifact holds them all.\n"})
    return entries
