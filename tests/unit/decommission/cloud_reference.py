# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Exchange Online has a cmdlet with its parameters, by Microsoft's reference; the fakes ask for each one."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/exchange-cmdlets.json").read_text())["cmdlets"]


def check(cmdlet: Cmdlet) -> None:
    """AssertionError or KeyError where it has not."""
    reference = REFERENCE[cmdlet.name]
    assert "cloud" in reference["applies"], cmdlet
    for name in cmdlet.parameters:
        assert "cloud" in reference["parameters"][name].get("applies", reference["applies"]), (cmdlet.name, name)
