# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Tokens kept in a file between tasks, so that thousands of tasks do not ask the sign-in service thousands of times."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError


class TokenFile:
    """A token cache of MSAL in a file that only its owner can read (0600).

    Saving merges with what other processes saved meanwhile, and replaces the file in one step. A file that is damaged
    counts as empty: it only costs new tokens.
    """

    def __init__(self, path: str, cache: Any) -> None:
        self._path = Path(path)
        self._cache = cache

    def load(self) -> None:
        """Read the file into the cache, if there is one."""
        stored = self._read()
        if stored:
            self._cache.deserialize(json.dumps(stored))

    def save(self) -> None:
        """Write the cache, if it changed since it was read."""
        if not self._cache.has_state_changed:
            return
        merged = self._read()
        for section, entries in json.loads(self._cache.serialize()).items():
            merged[section] = {**merged.get(section, {}), **entries}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(merged, file)
                Path(temporary).replace(self._path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise InputError(f"token_cache {self._path} cannot be written: {error.strerror}.") from error
        self._cache.has_state_changed = False

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            return {}
        except OSError as error:
            raise InputError(f"token_cache {self._path} cannot be read: {error.strerror}.") from error
        if not isinstance(stored, dict) or not all(isinstance(entries, dict) for entries in stored.values()):
            return {}
        return stored
