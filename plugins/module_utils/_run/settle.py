# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Writes to a host whose answer may be lost: they are answered by reading the state, and never sent again."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Unavailable


def settle(write: Callable[[], object], reached: Callable[[], bool]) -> None:
    """Write, and where nobody knows whether it was carried out, go on only if the state says so."""
    try:
        write()
    except Unavailable as error:
        if not error.facts.get("uncertain") or not reached():
            raise
