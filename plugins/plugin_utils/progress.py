# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""FOR INTERNAL USE OF THIS COLLECTION ONLY: live progress around a module.

A module has no way to show anything before it ends. So the action plugin gives it a file to write its progress to, one
JSON line at most every second, and shows the last line every few seconds. Where module and controller share no file
system, nothing is shown and nothing else changes.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hybrid.exchange.plugins.module_utils._run.durations import in_words

INTERVAL = 5.0
"""Seconds between two lines."""

display = Display()


def describe(name: str, line: Mapping[str, Any], started: Mapping[str, Any]) -> str:
    """One line for the user: ``contoso: move to cloud 1200/20000, 85/s, 3m41s left``.

    ``started`` is the first line of the same phase: the rate counts from there.
    """
    done, total = int(line.get("done") or 0), line.get("total")
    text = f"{name}: {line.get('phase') or 'working'}"
    if not done and not total:
        return text
    text += f" {done}/{total}" if total else f" {done}"
    seconds = float(line.get("time") or 0) - float(started.get("time") or 0)
    advanced = done - int(started.get("done") or 0)
    if seconds <= 0 or advanced <= 0:
        return text
    rate = advanced / seconds
    text += f", {rate:.0f}/s" if rate >= 1 else f", {rate * 60:.0f}/min"
    if total and total > done:
        text += f", {in_words((total - done) / rate)} left"
    return text


class Tail:
    """Reads what a module adds to its progress file, and remembers where the phase began."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._last: Mapping[str, Any] = {}
        self._started: Mapping[str, Any] = {}

    def latest(self) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """The last line and the first one of its phase; None where nothing new came."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return None
        complete = data.rfind(b"\n") + 1
        if not complete:
            return None
        self._offset += complete
        for raw in data[:complete].splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue  # a courtesy only: a damaged line is no reason to fail
            if isinstance(line, dict):
                if line.get("phase") != self._last.get("phase") or not self._started:
                    self._started = line
                self._last = line
        return self._last, self._started


def follow(
    path: Path, name: str, stop: threading.Event, show: Callable[[str], Any], interval: float = INTERVAL
) -> None:
    """Show the progress in a file until told to stop, one line every ``interval`` seconds at most."""
    tail = Tail(path)
    while not stop.wait(interval):
        news = tail.latest()
        if news is not None:
            show(describe(name, *news))


class ProgressActionBase(ActionBase):
    """Runs the module of the same name and shows its progress meanwhile."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module; its result is the task's result."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        name = str(task_vars.get("inventory_hostname") or self._task.action)
        arguments = dict(self._task.args)
        if arguments.get("progress_file"):
            return result | self._execute_module(module_args=arguments, task_vars=task_vars)
        with tempfile.TemporaryDirectory(prefix="hybrid-exchange-") as directory:
            path = Path(directory) / "progress.jsonl"
            stop = threading.Event()
            thread = threading.Thread(
                target=follow, args=(path, name, stop, display.display), daemon=True, name="progress"
            )
            thread.start()
            began = time.monotonic()
            try:
                answer = self._execute_module(module_args=arguments | {"progress_file": str(path)}, task_vars=task_vars)
            finally:
                stop.set()
                thread.join(timeout=INTERVAL)
            display.vv(f"{name}: {self._task.action} took {in_words(time.monotonic() - began)}")
        return result | answer
