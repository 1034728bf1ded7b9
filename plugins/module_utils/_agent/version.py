# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Versions of the agent: four numbers."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

Version = tuple[int, int, int, int]


def parse(text: str | None) -> Version | None:
    """A version such as 1.1.1107.0; None where there is none, or something else."""
    parts = str(text or "").strip().split(".")
    if not 2 <= len(parts) <= 4 or not all(part.isdecimal() for part in parts):
        return None
    first, second, third, fourth = [*map(int, parts), 0, 0][:4]
    return first, second, third, fourth


def required(option: str, text: str) -> Version:
    """The version that an option states; InputError where it is none."""
    version = parse(text)
    if version is None:
        raise InputError(f"{option} must be a version such as 1.1.1107.0, not {text!r}.")
    return version
