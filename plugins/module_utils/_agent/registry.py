# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Reading a Windows host: what is not there is no error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet


def rows(host: Host, *pipeline: Cmdlet, partial: bool = False) -> list[dict[str, Any]]:
    """The objects of a pipeline; none where what it asks for does not exist. partial: some may be unreadable."""
    try:
        found = host.run(*pipeline, partial=partial)
    except NotFound as error:
        if is_missing_command(error):
            raise
        return []
    return [row for row in found if isinstance(row, dict)]


def row(host: Host, *pipeline: Cmdlet) -> dict[str, Any]:
    """The first object of a pipeline, or nothing."""
    return next(iter(rows(host, *pipeline)), {})


def values(host: Host, key: str) -> Mapping[str, Any]:
    """The values of a registry key, by their names; nothing where there is no such key."""
    return row(host, Cmdlet("Get-ItemProperty", {"LiteralPath": [key]}))


def exists(host: Host, path: str) -> bool:
    """Whether a file, a folder or a registry key is there."""
    return host.run(Cmdlet("Test-Path", {"LiteralPath": [path]})) == [True]


def is_missing_command(error: NotFound) -> bool:
    """Whether the host does not have the cmdlet at all."""
    return "CommandNotFound" in str(error.facts.get("error_id") or "")


def number(value: Any) -> int | None:
    """A value of the registry or of CIM as a number; None where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
