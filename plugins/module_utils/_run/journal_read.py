# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The form of journals, and how they are read (see journal.py, which writes them)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._run import lock
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.version import VERSION

SCHEMA_VERSION = 1
KIND = "hybrid.exchange.directory-journal"
PREFIX = "directory-journal-"
WRITEBACK = "writeback"
RESTORE = "restore"

WRITTEN = "written"
OVERWRITTEN = "overwritten"
UNCHANGED = "unchanged"
NOT_WRITTEN = "not_written"
CHANGED_SINCE = "changed_since"
UNKNOWN = "unknown"
NOTHING_DONE = frozenset({UNCHANGED, NOT_WRITTEN})
"""Outcomes of intents that changed nothing: there is nothing to undo for them."""

_DIGEST = 32  # hexadecimal digits; half a SHA-256 is plenty against accidents, and this is not against forgers
_HEAD = re.compile(rb'\{"check":"([0-9a-f]{%d})",' % _DIGEST)
_TAIL = 1 << 16  # bytes; the last line of a finished journal is short


@dataclass(frozen=True)
class Header:
    """What a journal is about; ``options`` are those of the run that decide about values."""

    operation: str
    domain: str
    directory_host: str
    base_dn: str
    forest: str = ""
    tenant: str = ""
    wave: str = ""
    plan_sha256: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: str = field(default_factory=lock.now)
    who: Mapping[str, Any] = field(default_factory=lock.who)
    collection_version: str = VERSION


@dataclass(frozen=True)
class JournalContents:
    """A whole journal: intents and outcomes by number; ``end`` is None where the run did not end in good order."""

    path: Path
    header: Header
    intents: Mapping[int, ObjectChange]
    outcomes: Mapping[int, str]
    end: Mapping[str, Any] | None


def digest(check: str, body: bytes) -> str:
    return hashlib.sha256(check.encode() + body).hexdigest()[:_DIGEST]


class Scan:
    """Reads a journal line by line, checking every one, in little memory. Iterate it once.

    InputError for a damaged line, with its number. After the end, ``size`` and ``check`` say where to go on.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.size = 0
        self.check = ""
        self.number = 0
        self._records = self._read()
        self.header = _header(self.path, next(self._records, {}))

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        return enumerate(self._records, start=2)

    def _read(self) -> Iterator[dict[str, Any]]:
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if not line.endswith(b"\n"):
                        return
                    yield self._checked(number, line)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}.", file=str(self.path)) from error

    def _checked(self, number: int, line: bytes) -> dict[str, Any]:
        head = _HEAD.match(line)
        body = b"{" + line[head.end() : -1] if head else b""
        if head is None or digest(self.check, body).encode() != head[1]:
            raise damaged(self.path, number, "this line, or one before it, is not as it was written")
        self.check = head[1].decode()
        self.size += len(line)
        record: dict[str, Any] = json.loads(body)
        if record.get("record") == "intent":
            self.number = max(self.number, int(record["number"]))
        return record


def damaged(path: Path, line: int, why: str) -> InputError:
    """The error for a journal that cannot be relied on."""
    return InputError(
        f"{path}:{line}: {why}. A damaged journal is not used. Keep it, look at the objects that it names, and move it "
        "out of journal_dir.",
        file=str(path),
        line=line,
    )


def _header(path: Path, record: Mapping[str, Any]) -> Header:
    if record.get("record") != "header" or record.get("kind") != KIND:
        raise InputError(f"{path}: this is not a journal of hybrid.exchange.", file=str(path))
    if record.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{path}: this journal has the form {record.get('schema_version')}, this version of the collection reads "
            f"{SCHEMA_VERSION}. Use the version {record.get('collection_version')} that wrote it.",
            file=str(path),
        )
    names = Header.__dataclass_fields__
    return Header(**{name: value for name, value in record.items() if name in names})


def intent(path: Path, line: int, record: Mapping[str, Any]) -> ObjectChange:
    """The change that an intent record holds; InputError where it holds none."""
    try:
        return ObjectChange.from_record(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, line, f"this intent makes no sense ({error})") from error


def read(path: str | Path) -> JournalContents:
    """A whole journal; InputError where it is none or is damaged, other than by a last line that is not whole."""
    scan = Scan(path)
    intents: dict[int, ObjectChange] = {}
    outcomes: dict[int, str] = {}
    end: Mapping[str, Any] | None = None
    for line, record in scan:
        if record["record"] == "intent":
            intents[int(record["number"])] = intent(scan.path, line, record)
        elif record["record"] == "outcome":
            outcomes[int(record["number"])] = str(record["outcome"])
        elif record["record"] == "end":
            end = record
    return JournalContents(scan.path, scan.header, intents, outcomes, end)


def journals(directory: str | Path, domain: str) -> list[Path]:
    """The journals of a domain in a directory, oldest first."""
    try:
        found = sorted(Path(directory).glob(f"{PREFIX}*.jsonl"))
    except OSError as error:
        raise InputError(f"{directory}: cannot be read: {error.strerror}.", journal_dir=str(directory)) from error
    headed = [(Scan(path).header, path) for path in found]
    mine = [(header.started, path.name, path) for header, path in headed if _same_name(header.domain, domain)]
    return [path for _started, _name, path in sorted(mine)]


def unfinished(directory: str | Path, domain: str, tenant: str | None = None) -> list[Path]:
    """The journals of a domain (of any tenant for None) whose runs did not end in good order, oldest first."""
    return [
        path
        for path in journals(directory, domain)
        if not _ended(path) and (tenant is None or _same_name(Scan(path).header.tenant, tenant))
    ]


def _ended(path: Path) -> bool:
    """Whether the last line is an end; whether the lines before it are whole is not looked at."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if not tail.endswith(b"\n"):
        return False
    last = tail[:-1].rpartition(b"\n")[2]
    return re.match(_HEAD.pattern + rb'"record":"end"', last) is not None


def _same_name(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
