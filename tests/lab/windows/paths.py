# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths and wildcards as PowerShell reads them, and the things of a host's document that lie there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from tests.lab.windows.places import HKLM

Document = dict[str, Any]
REGISTRY, FILES, SHARE = "registry", "files", "share"
_PREFIXES = (
    ("microsoft.powershell.core\\registry::", ""),
    ("registry::", ""),
    ("microsoft.powershell.core\\filesystem::", ""),
    ("filesystem::", ""),
)
_ROOTS = (("hklm:", HKLM), ("hkcu:", "HKEY_CURRENT_USER"), ("hklm", HKLM))
_WILD = re.compile(r"[*?\[]")


def located(path: str) -> tuple[str, str]:
    """Where a path leads: registry, files or share; and the path in one spelling, without a drive of PowerShell's."""
    lower, whole = path.lower(), path
    for prefix, _nothing in _PREFIXES:
        if lower.startswith(prefix):
            whole = path[len(prefix) :]
            break
    whole = whole.replace("/", "\\")
    if whole.startswith("\\\\"):
        return SHARE, whole.rstrip("\\")
    if whole.lower().startswith("hkey_"):
        return REGISTRY, whole.rstrip("\\")
    for drive, root in _ROOTS:
        if whole.lower() == drive or whole.lower().startswith(drive + "\\"):
            return REGISTRY, (root + whole[len(drive) :]).rstrip("\\")
    return FILES, whole.rstrip("\\")


def has_wildcard(path: str) -> bool:
    """Whether a path is a pattern."""
    return _WILD.search(path) is not None


@lru_cache(maxsize=512)
def pattern(text: str, within_a_name: bool = False) -> re.Pattern[str]:
    """A wildcard pattern; ``within_a_name``: ``*`` stops at a backslash, as in paths."""
    star, one = (r"[^\\]*", r"[^\\]") if within_a_name else (".*", ".")
    made, position = "", 0
    while position < len(text):
        char = text[position]
        close = text.find("]", position + 1) if char == "[" else -1
        if char == "*":
            made += star
        elif char == "?":
            made += one
        elif close > 0:
            made += "[" + text[position + 1 : close].replace("\\", "\\\\") + "]"
            position = close
        else:
            made += re.escape(char)
        position += 1
    return re.compile(made, re.IGNORECASE | re.DOTALL)


def matches(value: str, wanted: str) -> bool:
    """Whether a name fits a wildcard pattern."""
    return pattern(wanted).fullmatch(value) is not None


def key_of(things: Document, path: str) -> str | None:
    """The real spelling of a path among a host's files or keys, whatever its case."""
    if path in things:
        return path
    wanted = path.lower()
    return next((one for one in things if one.lower() == wanted), None)


def keys_matching(things: Document, path: str) -> list[str]:
    """The paths that fit a path with wildcards."""
    wanted = pattern(path, within_a_name=True)
    return sorted(one for one in things if wanted.fullmatch(one))


def children(things: Document, path: str, recurse: bool = False) -> list[str]:
    """What lies directly below a path, or anywhere below."""
    below = path.lower() + "\\"
    found = [one for one in things if one.lower().startswith(below)]
    return sorted(found if recurse else [one for one in found if "\\" not in one[len(below) :]], key=str.lower)


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("\\")[2]


def parent_of(path: str) -> str:
    """All but the last part of a path."""
    return path.rpartition("\\")[0]


def shown(path: str) -> str:
    """A file's path as PowerShell shows it: a drive's root ends with a backslash."""
    return path + "\\" if path.endswith(":") else path


def with_parents(things: Document, path: str, made: Any) -> None:
    """Add a key or folder and those above it that are missing; ``made()`` gives each one's document."""
    parts = path.split("\\")
    for depth in range(1, len(parts) + 1):
        step = "\\".join(parts[:depth])
        if key_of(things, step) is None:
            things[step] = made()


def remove_below(things: Document, path: str) -> None:
    """Remove a path and everything below it."""
    for one in [*children(things, path, recurse=True), key_of(things, path)]:
        if one is not None:
            things.pop(one, None)
