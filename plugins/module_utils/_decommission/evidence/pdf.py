# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The checklist as PDF, where Chromium is there to print it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
AUTO, NEVER, REQUIRED = "auto", "never", "required"


class Printer(Protocol):
    """Finds and runs programs of the machine."""

    def find(self, names: Sequence[str]) -> str | None:
        """The first of these programs that is there."""

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        """Exit code, output and errors."""


def make(page: Path, target: Path, printer: Printer, policy: str) -> tuple[Path | None, str]:
    """Print a page; where it is, or why it is not there. InputError where it is required."""
    if policy == NEVER:
        return None, "pdf is never"
    program = printer.find(PROGRAMS)
    why = f"none of {', '.join(PROGRAMS)} is there" if program is None else _print(program, page, target, printer)
    if not why:
        target.chmod(0o600)
        return target, ""
    if policy == REQUIRED:
        raise InputError(f"The checklist cannot be printed as PDF, and pdf is required: {why}.", file=str(target))
    return None, why


def _print(program: str, page: Path, target: Path, printer: Printer) -> str:
    """Print with a profile of its own that is thrown away; the words of a failure, nothing where it worked."""
    with tempfile.TemporaryDirectory(prefix="hybrid-exchange-") as profile:
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--disable-extensions",
            "--no-first-run",
            f"--user-data-dir={profile}",
            # The sandbox of Chromium cannot be had as root. The page is our own, and holds no script and no link.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            page.absolute().as_uri(),
        ]
        code, _output, errors = printer.run(command)
    if code == 0 and target.exists() and target.stat().st_size:
        return ""
    last = errors.strip().splitlines()[-1] if errors.strip() else "it says nothing"
    target.unlink(missing_ok=True)
    return f"{program} ended with {code}: {last[:300]}"
