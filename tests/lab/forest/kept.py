# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forests that were built once and are copied from then on: a copy takes a tenth of the time.

For whoever starts several labs, as the checks do. They are kept where ``HYBRID_LAB_FORESTS`` says, by the files that
they were built from, so that a change of the lab never meets a forest of another version.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

FOLDER_VARIABLE = "HYBRID_LAB_FORESTS"


def build_or_copy(name: str, directory: Path, build: Callable[[], None]) -> None:
    """Have a forest's files in a directory that is not there yet: copied where they are kept, else built (and kept).

    Whoever comes while another builds the same forest waits for it.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        build()
        return
    kept = Path(folder) / _version() / name
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_dir():
            build()
            unfinished = kept.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(directory, unfinished, symlinks=True)
            unfinished.rename(kept)
            return
    shutil.copytree(kept, directory, symlinks=True)


def _version() -> str:
    """A word for all files of the lab that a forest is made from."""
    here = Path(__file__).resolve().parent
    files = [*sorted(here.glob("*.py")), here.parent / "settings.py", here.parent / "hybrid_facts.py"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
