# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The kinds of objects of a hybrid set-up: how they are read, which belong to it, how they are made again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import kinds_cloud, kinds_on_premises
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import Kind

KINDS: Mapping[tuple[str, str], Kind] = MappingProxyType(
    {(row.side, row.name): row for row in (*kinds_on_premises.ROWS, *kinds_cloud.ROWS)}
)


def kind(side: str, name: str) -> Kind:
    """The kind of that name on that side."""
    return KINDS[side, name]
