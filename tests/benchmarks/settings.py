# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the benchmarks keep things, and on which addresses their servers listen."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
PYTHON = ROOT / ".venv" / "bin" / "python"
COLLECTIONS = Path(os.environ.get("HYBRID_BENCH_COLLECTIONS", ROOT / "build"))
"""The collections path whose hybrid.exchange is measured; another one measures another version of it."""

NETWORK = os.environ.get("HYBRID_BENCH_NET", "127.94")
"""The first half of a loopback network that nobody else uses; the lab takes its lower part."""

DIRECTORY_ADDRESS = f"{NETWORK}.200.12"
LINK_ADDRESS = f"{NETWORK}.200.13"
CLOUD_ADDRESS = f"{NETWORK}.200.11"
LDAPS_PORT = 636
CATALOG_PORT = 3269
CLOUD_PORT = 8443

TENANT_ID = "00000000-0000-4000-8000-00000000be0c"
CLIENT_ID = "00000000-0000-4000-8000-00000000c11e"
CLIENT_SECRET = "worth-nothing"
DIRECTORY_PASSWORD = "worth-nothing"


class BenchError(Exception):
    """A measurement could not be made, or its result is wrong; the text says which and why."""
