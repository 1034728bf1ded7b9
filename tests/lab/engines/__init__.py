# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's sync engines: Connect Sync (AD to cloud) and the Cloud Sync writeback job (cloud to AD)."""

from __future__ import annotations

from tests.lab.engines.engines import Engines
from tests.lab.engines.refusal import EngineRefusal

__all__ = ["EngineRefusal", "Engines"]
