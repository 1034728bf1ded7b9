# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The journal of a writing run: what each object held before it is written, on disk first, and what became of it.

A journal is a JSON Lines file for its owner only (0600), one per run. Its first line says of what it is, an *intent*
comes before each write and an *outcome* after it, and an *end* is the last line of a run that ended in good order. Each
line begins with a digest of itself and all lines before it, so a line that was changed, lost or moved is found. A
last line that is not whole is what a killed run leaves: nothing was sent for it, so it does not count.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._run import lock
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.journal_read import (
    CHANGED_SINCE,
    KIND,
    NOT_WRITTEN,
    NOTHING_DONE,
    OVERWRITTEN,
    PREFIX,
    RESTORE,
    SCHEMA_VERSION,
    UNCHANGED,
    UNKNOWN,
    WRITEBACK,
    WRITTEN,
    Header,
    JournalContents,
    Scan,
    digest,
    intent,
    journals,
    read,
    unfinished,
)

__all__ = [
    "CHANGED_SINCE",
    "NOTHING_DONE",
    "NOT_WRITTEN",
    "OVERWRITTEN",
    "RESTORE",
    "UNCHANGED",
    "UNKNOWN",
    "WRITEBACK",
    "WRITTEN",
    "Header",
    "Journal",
    "JournalContents",
    "JournalError",
    "Scan",
    "intent",
    "journals",
    "read",
    "remove_partial",
    "unfinished",
]


class JournalError(InputError):
    """The journal cannot be written. What is not in it is not sent to the directory."""


class Journal:
    """An open journal. A write that fails is taken back as far as possible, and closes it for good."""

    def __init__(self, path: Path, header: Header, handle: int, check: str, size: int, number: int = 0) -> None:
        self.path = path
        self.header = header
        self.intents = 0
        self.finished = False
        self._handle = handle
        self._check = check
        self._size = size
        self._number = number
        self._failed: JournalError | None = None

    @classmethod
    def create(cls, directory: str | Path, header: Header) -> Journal:
        """A new journal, its header on disk. The file appears under its name only with the header in it."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = Path(directory).absolute() / f"{_stem(header.domain)}{stamp}-{header.run[:8]}.jsonl"
        partial = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _cannot(path, error) from error
        journal = cls(path, header, handle, "", 0)
        try:
            fields = asdict(header)
            journal._append([{"record": "header", "kind": KIND, "schema_version": SCHEMA_VERSION, **fields}], sync=True)
            partial.rename(path)
            _sync_directory(path.parent)
        except OSError as error:
            journal.abandon()
            raise _cannot(path, error) from error
        finally:
            partial.unlink(missing_ok=True)
        return journal

    @classmethod
    def reopen(cls, contents: Scan) -> Journal:
        """The journal of a run that did not end, to be settled; a torn last line is cut off."""
        try:
            handle = os.open(contents.path, os.O_RDWR | os.O_CLOEXEC)
            os.ftruncate(handle, contents.size)
            os.lseek(handle, contents.size, os.SEEK_SET)
        except OSError as error:
            raise _cannot(contents.path, error) from error
        return cls(contents.path, contents.header, handle, contents.check, contents.size, contents.number)

    def intend(self, changes: Sequence[ObjectChange]) -> list[int]:
        """Put the changes on disk, before any of them is sent; returns their numbers."""
        numbers = list(range(self._number + 1, self._number + 1 + len(changes)))
        self._append(
            [
                {"record": "intent", "number": number, **change.as_record()}
                for number, change in zip(numbers, changes, strict=True)
            ],
            sync=True,
        )
        self._number += len(changes)
        self.intents += len(changes)
        return numbers

    def outcome(self, outcomes: Iterable[tuple[int, str, str]]) -> None:
        """Note what became of intents: number, outcome, and why where it is not what was meant.

        The next intents bring them to disk. One that gets lost is found out by reading the object.
        """
        self._append(
            [
                {"record": "outcome", "number": number, "outcome": outcome, **({"reason": reason} if reason else {})}
                for number, outcome, reason in outcomes
            ],
            sync=False,
        )

    def close(self, summary: Mapping[str, Any]) -> None:
        """End the journal in good order. Without it, it counts as that of a run that was cut off."""
        try:
            self._append([{"record": "end", "finished": lock.now(), **summary}], sync=True)
            self.finished = True
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the file and leave the journal as it is."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def as_result(self) -> dict[str, Any]:
        """For a task's result."""
        return {
            "path": str(self.path),
            "run": self.header.run,
            "intents": self.intents,
            "finished": self.finished,
        }

    def _append(self, records: Sequence[Mapping[str, Any]], *, sync: bool) -> None:
        if self._failed is not None:
            raise self._failed
        check, lines = self._check, []
        for record in records:
            body = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str).encode()
            check = digest(check, body)
            lines.append(b'{"check":"%s",%s\n' % (check.encode(), body[1:]))
        data = b"".join(lines)
        try:
            _write(self._handle, data)
            if sync:
                os.fsync(self._handle)
        except OSError as error:
            self._failed = _cannot(self.path, error)
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self._size)
            raise self._failed from error
        self._check = check
        self._size += len(data)


def remove_partial(directory: str | Path, domain: str) -> None:
    """Remove what runs left that were killed before their journal had its header: nothing was sent for it."""
    for path in Path(directory).glob(f".{_stem(domain)}*.partial"):
        path.unlink(missing_ok=True)


def _stem(domain: str) -> str:
    """How the names of a domain's journals begin."""
    return f"{PREFIX}{re.sub(r'[^A-Za-z0-9._-]', '_', domain)}-"


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)  # the name itself must survive a crash too
    finally:
        os.close(handle)


def _cannot(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"The journal {path} cannot be written: {error.strerror}. What is not in the journal is not sent to the "
        "directory. Make room or give another journal_dir, and run again.",
        journal_path=str(path),
    )
