# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Artifacts: JSON Lines files that hold what is too much for a task's result, and the before-images of writes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError


@dataclass(frozen=True)
class Artifact:
    """A finished artifact: where it is, its SHA-256 in hexadecimal, and its number of lines."""

    path: str
    sha256: str
    lines: int

    def as_result(self) -> dict[str, Any]:
        """For a task's result."""
        return {"path": self.path, "sha256": self.sha256, "lines": self.lines}


class ArtifactWriter:
    """Write JSON Lines so that the file either is there whole and on disk, or is not there at all.

    The file is for its owner only (0600), is written to a temporary name in the same directory, and gets its name
    after fsync. Leaving the context because of an error removes it. The name is ``<name>-<UTC time>.jsonl``; a number
    is added where such a file exists.
    """

    def __init__(self, directory: str | Path, name: str) -> None:
        self._directory = Path(directory)
        self._name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
        self._digest = hashlib.sha256()
        self._lines = 0
        self._temporary: Path | None = None
        self._file: BinaryIO | None = None
        self._artifact: Artifact | None = None

    def __enter__(self) -> ArtifactWriter:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._temporary = self._directory / f".{self._name}-{stamp}.{os.getpid()}.partial"
            handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(handle, "wb")
        except OSError as error:
            raise InputError(
                f"Cannot write an artifact into {self._directory}: {error.strerror}. Give another artifact_dir.",
                artifact_dir=str(self._directory),
            ) from error
        self._final = self._directory / f"{self._name}-{stamp}.jsonl"
        return self

    def write(self, line: Mapping[str, Any]) -> None:
        """Add one line; its keys keep their order."""
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
        self.write_lines(data, 1)

    def write_lines(self, data: bytes, count: int) -> None:
        """Add ``count`` lines that are encoded already, each with its line end: for very many, a thousand at a time."""
        if self._file is None:
            raise ValueError("an artifact is written inside its context only")
        self._file.write(data)
        self._digest.update(data)
        self._lines += count

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is None or self._temporary is None:
            return
        if kind is not None:
            self._file.close()
            self._temporary.unlink(missing_ok=True)
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._artifact = Artifact(str(self._place(self._temporary)), self._digest.hexdigest(), self._lines)
            directory = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(directory)  # the name itself must survive a crash too
            finally:
                os.close(directory)
        except OSError as failure:
            raise InputError(
                f"Cannot write an artifact into {self._directory}: {failure.strerror}. Nothing was changed for it.",
                artifact_dir=str(self._directory),
            ) from failure
        finally:
            self._temporary.unlink(missing_ok=True)

    def _place(self, temporary: Path) -> Path:
        """Give the file its name, and another one where the name is taken."""
        number = 0
        target = self._final
        while target.exists():
            number += 1
            target = self._final.with_name(f"{self._final.stem}-{number}.jsonl")
        temporary.rename(target)
        return target.absolute()

    @property
    def artifact(self) -> Artifact:
        """The finished artifact; only after the context was left without an error."""
        if self._artifact is None:
            raise ValueError("the artifact is not finished")
        return self._artifact
