# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Changes of mappings for people: one line each, and Ansible's before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import DEFAULTS, Change

SHOWN = (
    ("flowType", "flow type"),
    ("flowBehavior", "flow behavior"),
    ("defaultValue", "default"),
    ("matchingPriority", "matching priority"),
)


def describe(mapping: Mapping[str, Any]) -> str:
    """One mapping: its source, and what differs from the service's defaults."""
    extras = [
        f"{label} {mapping[name]}" for name, label in SHOWN if (mapping.get(name) or DEFAULTS[name]) != DEFAULTS[name]
    ]
    return ", ".join([source.describe(mapping.get("source")), *extras])


def lines(changes: Iterable[Change]) -> list[str]:
    """One line for each change: + added, - removed, ~ changed."""
    return [_line(change) for change in changes]


def before_and_after(changes: Iterable[Change]) -> tuple[dict[str, str], dict[str, str]]:
    """The changed mappings, by target, on both sides; a side without the mapping leaves it out."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for change in changes:
        name = f"{change.target} ({change.object_name})" if change.object_name else change.target
        if change.before is not None:
            text = describe(change.before)
            before[name] = f"{before[name]} | {text}" if name in before else text
        if change.after is not None:
            after[name] = describe(change.after)
    return dict(sorted(before.items())), dict(sorted(after.items()))


def _line(change: Change) -> str:
    name = f"{change.target} ({change.object_name})" if change.object_name else change.target
    if change.before is None:
        return f"+ {name}: {describe(change.after or {})}"
    if change.after is None:
        return f"- {name}: {describe(change.before)}"
    return f"~ {name}: {describe(change.before)} -> {describe(change.after)}"
