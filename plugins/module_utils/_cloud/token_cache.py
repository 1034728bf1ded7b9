# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Tokens kept in a file between tasks, so that thousands of tasks do not ask the sign-in service thousands of times."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

# Another layout of the file gets another number; a file with another number counts as empty.
VERSION = 1


def key(*parts: str) -> str:
    """The name of a token in the file: by all that decides what the service would give, and readable to nobody."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class TokenFile:
    """Access tokens by :func:`key`, in a file that only its owner can read (0600).

    Saving keeps what other processes saved meanwhile, leaves out what has expired, and replaces the file in one step.
    A file that is damaged counts as empty: it only costs new tokens. Moments are seconds since 1970.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def get(self, name: str) -> tuple[str, float] | None:
        """The token of that name, and when it expires."""
        return self._read().get(name)

    def put(self, name: str, token: str, expires_at: float, now: float) -> None:
        """Keep a token until it expires."""
        kept = {other: entry for other, entry in self._read().items() if entry[1] > now}
        self._write({**kept, name: (token, expires_at)})

    def _write(self, tokens: Mapping[str, tuple[str, float]]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"version": VERSION, "tokens": tokens}, file)
                Path(temporary).replace(self._path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise InputError(f"token_cache {self._path} cannot be written: {error.strerror}.") from error

    def _read(self) -> dict[str, tuple[str, float]]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            return {}
        except OSError as error:
            raise InputError(f"token_cache {self._path} cannot be read: {error.strerror}.") from error
        tokens = stored.get("tokens") if isinstance(stored, dict) and stored.get("version") == VERSION else None
        if not isinstance(tokens, dict):
            return {}
        return {name: entry for name, value in tokens.items() if (entry := _entry(value))}


def _entry(value: Any) -> tuple[str, float] | None:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int | float):
        return value[0], float(value[1])
    return None
