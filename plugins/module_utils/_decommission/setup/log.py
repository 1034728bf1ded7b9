# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Exchange Setup's log: what is new in it, how far Setup is, what it says went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host

# A line is "[11/22/2026 10:15:00.0000] [1] text"; an error has [ERROR] before its text, a warning [WARNING].
_LINE = re.compile(r"^\[[^\]]*\]\s*(?:\[\d+\]\s*)?(.*)$")
_STEP = re.compile(r"(?:Executing|Beginning processing|Processing|Installing|Uninstalling|Removing)\b.*", re.IGNORECASE)
LINES = 200


class LogTail:
    """The end of the log, read again and again. A log that does not exist yet is empty."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path
        self._seen: list[str] = []
        self._new: list[str] = []

    def skip(self) -> None:
        """Leave out what is there now: it is of an earlier Setup."""
        self._seen = self._read()

    def news(self) -> list[str]:
        """The lines since the last look."""
        now = self._read()
        new = _after(self._seen, now)
        self._seen = now
        self._new += new
        return new

    def everything(self) -> list[str]:
        """All lines since the log was followed."""
        self.news()
        return list(self._new)

    def _read(self) -> list[str]:
        tail = Cmdlet("Get-Content", {"LiteralPath": [self._path], "Tail": LINES})
        if not windows_host.exists(self._host, self._path):
            return []
        return [line for row in self._host.run(tail) if (line := _text(row))]


def progress(lines: Sequence[str]) -> str:
    """How far Setup is, by the last line that tells; empty where none does."""
    for line in reversed(lines):
        match = _LINE.match(line)
        words = (match[1] if match else line).strip()
        if words and not words.startswith(("[ERROR]", "[WARNING]")):
            step = _STEP.search(words)
            return (step[0] if step else words)[:120]
    return ""


def errors(lines: Sequence[str]) -> tuple[str, ...]:
    """What the log says went wrong, each text once."""
    found = []
    for line in lines:
        _before, mark, words = line.partition("[ERROR]")
        if mark and words.strip():
            found.append(words.strip())
    return tuple(dict.fromkeys(found))


def _after(seen: Sequence[str], now: Sequence[str]) -> list[str]:
    """The lines that came after those seen; both are ends of the same growing log."""
    if not seen:
        return list(now)
    for start in range(len(now) + 1):
        overlap = now[: len(now) - start]
        if not overlap or list(seen[-len(overlap) :]) == list(overlap):
            return list(now[len(now) - start :])
    return list(now)


def _text(row: object) -> str:
    """A line: a text, or an object whose value is the text, with what PowerShell noted of it."""
    if isinstance(row, dict):
        row = row.get("value") or row.get("Value") or ""
    return str(row).rstrip()
