# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the two large collections, rendered and compressed once and then sent as they are.

A service that renders while it is asked would be measured together with its caller. So a page is kept in a file, one
per number; ``prepare`` makes all pages of a collection before a measurement, on every processor.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import people
from tests.benchmarks.cloud import rows

MAILBOXES = "mailboxes"
USERS = "users"
_LEVEL = 1
_GZIP = 31  # zlib's way to say: with gzip's header


@dataclass(frozen=True)
class Collection:
    """What a client reads page by page: which kind, which properties, how many rows a page, the link without the
    page's number, and where the directory objects are (see rows.user)."""

    kind: str
    select: tuple[str, ...]
    size: int
    count: int
    link: str
    parent: str = ""

    @property
    def pages(self) -> int:
        """How many pages it has; an empty one has one."""
        return max(1, -(-self.count // self.size))

    def folder(self, root: Path) -> Path:
        """Where its pages are kept."""
        text = json.dumps([asdict(self), people.GENERATION], sort_keys=True)
        return root / hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Changed:
    """What a benchmark did to a mailbox: another variant of its values, when, and who masters it."""

    variant: int = 0
    when: str = rows.MADE
    cloud_managed: bool = True


UNCHANGED = Changed()


def kept(collection: Collection, number: int, root: Path) -> bytes:
    """One page as it was made, compressed; it is made now where it was not."""
    file = collection.folder(root) / f"{number:06d}.gz"
    try:
        return file.read_bytes()
    except FileNotFoundError:
        content = compress(rendered(collection, number, {}))
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.draft")
        draft.write_bytes(content)
        draft.rename(file)
        return content


def rendered(collection: Collection, number: int, changes: Mapping[int, Changed]) -> bytes:
    """One page as JSON."""
    first = number * collection.size
    found = [
        row(collection.kind, index, collection.select, changes.get(index, UNCHANGED), collection.parent)
        for index in range(first, min(first + collection.size, collection.count))
    ]
    body: dict[str, Any] = {"@odata.context": f"#{collection.kind}", "value": found}
    if number + 1 < collection.pages:
        body["@odata.nextLink"] = f"{collection.link}{number + 1}"
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def row(kind: str, number: int, select: Sequence[str], changed: Changed, parent: str = "") -> dict[str, Any]:
    """One row of a collection."""
    person = people.person(number, changed.variant)
    if kind == USERS:
        return rows.user(person, select, parent)
    return rows.mailbox(person, select, changed.when, changed.cloud_managed)


def compress(content: bytes) -> bytes:
    """As gzip, quickly."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(content) + packer.flush()


def decompress(content: bytes) -> bytes:
    """The content of gzip."""
    return zlib.decompress(content, _GZIP)


def prepare(collections: Sequence[Collection], root: Path) -> None:
    """Make all pages of these collections."""
    wanted = [
        (collection, number, root)
        for collection in collections
        for number in range(collection.pages)
        if not (collection.folder(root) / f"{number:06d}.gz").exists()
    ]
    if not wanted:
        return
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for _unused in pool.map(_make, wanted, chunksize=4):
            pass


def _make(page: tuple[Collection, int, Path]) -> None:
    kept(*page)
