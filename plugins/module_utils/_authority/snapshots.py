# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The snapshots of moves to the cloud, read back: what a mailbox held when its authority was moved."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

NAME = "authority-cloud"
"""The name of the artifacts that hold them."""

_STAMP = re.compile(r"-(\d{8}T\d{6}\.\d{6}Z)(?:-\d+)?\.jsonl$")
_STAMP_FORMAT = "%Y%m%dT%H%M%S.%fZ"
# A line of a mailbox that was to be moved begins like this; all others need not be parsed.
_BEGINNING = b'{"action":"change",'


def files(paths: Iterable[str]) -> list[Path]:
    """The snapshot files that are named, and those in the directories that are named, the newest first.

    The time is the one in the name that artifacts have, else the file's own. InputError for a path that is not there.
    """
    found: dict[Path, str] = {}
    for text in paths:
        path = Path(text).expanduser()
        try:
            inside = sorted(path.glob(f"{NAME}-[0-9]*.jsonl")) if path.is_dir() else [path]
            for file in inside:
                found[file] = _stamp(file)
        except OSError as error:
            raise InputError(
                f"compare_with names {path}, which cannot be read: {error.strerror}. Nothing was changed.",
                path=str(path),
            ) from error
    return sorted(found, key=lambda file: (found[file], file.name), reverse=True)


def baselines(
    newest_first: Iterable[Path], wanted: Container[str], count: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id and Exchange properties of the wanted mailboxes at their last move to the cloud; those not found are left out.

    Lines of mailboxes that were cloud-managed already say nothing about a move. ``count`` is the number of ids wanted:
    reading ends when all are found. InputError names file and line of what is no snapshot.
    """
    seen: set[str] = set()
    for file in newest_first:
        if len(seen) >= count:
            return
        for line in _changes(file):
            key = str(line["id"]).lower()
            if key in wanted and key not in seen and not line.get("cloud_managed"):
                seen.add(key)
                yield key, line["properties"]


def _changes(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open("rb") as lines:
            for number, raw in enumerate(lines, 1):
                if not raw.startswith(b'{"action":'):
                    raise _not_a_snapshot(file, number)
                if raw.startswith(_BEGINNING):
                    yield _parsed(file, number, raw)
    except OSError as error:
        raise InputError(
            f"The snapshot {file} cannot be read: {error.strerror}. Nothing was changed.", path=str(file)
        ) from error


def _parsed(file: Path, number: int, raw: bytes) -> dict[str, Any]:
    try:
        line = json.loads(raw)
    except ValueError as error:
        raise _not_a_snapshot(file, number) from error
    if not isinstance(line, dict) or "id" not in line or not isinstance(line.get("properties"), dict):
        raise _not_a_snapshot(file, number)
    return line


def _not_a_snapshot(file: Path, number: int) -> InputError:
    return InputError(
        f"{file}:{number}: this is no line of a snapshot that mailbox_authority wrote with authority: cloud. Give its "
        "artifact as it was written. Nothing was changed.",
        path=str(file),
        line=number,
    )


def _stamp(file: Path) -> str:
    if match := _STAMP.search(file.name):
        return match.group(1)
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime(_STAMP_FORMAT)
