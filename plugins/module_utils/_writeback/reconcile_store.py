# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Where a reconciliation keeps what it read: digests and keys in columns, whole values in a file without a name.

At 600,000 mailboxes the columns take some 50 bytes a mailbox; objects and dictionaries would take 3,000. The whole
values are needed for the mailboxes that differ, and going back to the services for them would cost more than all
the rest. The file has no name from the start, so that it is gone with the run, whatever ends it.
"""

from __future__ import annotations

import marshal
import os
import tempfile
from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

_FORMAT = 2  # of marshal: without back references, which cost time and mean nothing here


class Records:
    """Whole values, by number. Written by one process, then read by another or the same one."""

    def __init__(self, directory: str | Path | None) -> None:
        self._directory = str(directory) if directory is not None else None
        try:
            if self._directory is not None:
                Path(self._directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 - close() closes it
        except OSError as error:
            raise self._unwritable(error) from error
        self._offsets: Sequence[int] = array("Q", (0,))

    def write(self, records: Sequence[bytes]) -> None:
        """Add records; their numbers go on from those before."""
        try:
            data = memoryview(b"".join(records))
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def index(self, sizes: array[int]) -> None:
        """Say how long the records are, which the process that wrote them knows."""
        self._offsets = array("Q", accumulate(sizes, initial=0))

    def read(self, number: int) -> Any:
        """One record."""
        start, end = self._offsets[number], self._offsets[number + 1]
        return marshal.loads(os.pread(self._file.fileno(), end - start, start))

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def _unwritable(self, error: OSError) -> InputError:
        place = self._directory or tempfile.gettempdir()
        return InputError(
            f"What the two sides hold cannot be kept in {place} while it is compared: {error.strerror}. It takes some "
            "2 KB for each mailbox. Make room, or give another artifact_dir.",
            artifact_dir=place,
        )


def pack(record: Any) -> bytes:
    """A record as bytes. It holds tuples, lists, texts, bytes, numbers and None."""
    return marshal.dumps(record, _FORMAT)


class Keys:
    """Byte keys in order, without an object for each; most have 16 bytes, but an anchor may have any length."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.sizes = array("H")

    def extend(self, keys: Sequence[bytes]) -> None:
        """Add keys; InputError for one that is no key."""
        try:
            self.sizes.extend(map(len, keys))
        except OverflowError as error:
            raise InputError(
                "A value of the source anchor attribute has more than 65,535 bytes, so it is no anchor. Name the right "
                "attribute in source_anchor_attribute."
            ) from error
        self.data += b"".join(keys)

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Any:
        data, start = bytes(self.data), 0
        for size in self.sizes:
            yield data[start : start + size]
            start += size


def id_key(object_id: str) -> bytes:
    """A short key for an object id; anything that is no GUID in its usual form is its own key."""
    if len(object_id) == 36:
        try:
            return bytes.fromhex(object_id.replace("-", ""))
        except ValueError:
            pass
    return object_id.lower().encode("utf-8", "surrogatepass")
