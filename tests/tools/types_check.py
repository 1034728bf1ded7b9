# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mypy --strict over the collection's own code, in the place where Ansible would import it from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs mypy on the collection's packages, the lab and the benchmarks, each under the name it is imported by."""
    mypy = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    collection = "ansible_collections.hybrid.exchange.plugins"
    first = subprocess.run(
        [*mypy, "-p", f"{collection}.module_utils", "-p", f"{collection}.modules"], cwd=ROOT / "build", check=False
    ).returncode
    second = subprocess.run([*mypy, "-p", "tests.lab", "-p", "tests.benchmarks"], cwd=ROOT, check=False).returncode
    return first or second


if __name__ == "__main__":
    sys.exit(main())
