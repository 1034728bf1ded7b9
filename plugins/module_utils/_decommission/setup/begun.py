# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Whether an earlier run, which the gates allowed, began to uninstall a server.

A Setup that began has to go on: half a server is worse than none. The gates cannot be judged again by then, because
Exchange does not answer any more; so the export, which a run writes behind the gates and before its first change,
says that they were passed.
"""

from __future__ import annotations

import json
from pathlib import Path

KIND = "hybrid.exchange.server_export"


def name_of(server: str) -> str:
    """The name of the export of a server, before the time."""
    return f"exchange-server-{server}"


def allowed_before(directory: str | Path, tenant_id: str, server: str, forest: str) -> bool:
    """Whether the artifact directory has the export of a run on this server of this tenant and forest."""
    wanted = (KIND, *(text.casefold() for text in (tenant_id, server, forest)))
    return any(_of(path) == wanted for path in Path(directory).glob(f"{name_of('*')}.jsonl"))


def _of(export: Path) -> tuple[str, ...]:
    """What an export is of; nothing where it cannot be read."""
    try:
        with export.open("rb") as file:
            header = json.loads(file.readline())
        return (str(header["kind"]), *(str(header[name]).casefold() for name in ("tenant_id", "server", "forest")))
    except (OSError, ValueError, KeyError, TypeError):
        return ()
