# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the clean-up on premises knows of the organization, kept for the clean-up in the cloud on another day.

When the last server is gone, nobody on premises can tell any more which records in the cloud are of this organization.
The file is in the artifact directory, for its owner only. Where it is missing, options say the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "hybrid-organization.json"


@dataclass(frozen=True)
class Memory:
    """Ids of the organization in small letters, and thumbprints of its certificates for OAuth."""

    guids: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()


def recall(directory: str, tenant_id: str, forest: str) -> Memory:
    """What is known of this tenant and forest; nothing where there is no such file, or it is of others."""
    try:
        found = json.loads((Path(directory) / NAME).read_bytes())
        if (found["tenant_id"], found["forest"]) != (tenant_id.casefold(), forest.casefold()):
            return Memory()
        return Memory(frozenset(map(str, found["guids"])), frozenset(map(str, found["certificates"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Memory()


def remember(directory: str, tenant_id: str, forest: str, guids: Iterable[str], certificates: Iterable[str]) -> None:
    """Keep it, added to what is there. A directory that cannot be written to was told of before, by the export."""
    before = recall(directory, tenant_id, forest)
    content = {
        "tenant_id": tenant_id.casefold(),
        "forest": forest.casefold(),
        "guids": sorted(before.guids | set(guids)),
        "certificates": sorted(before.certificates | set(certificates)),
    }
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{NAME}.")  # for its owner only
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(Path(directory) / NAME)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
