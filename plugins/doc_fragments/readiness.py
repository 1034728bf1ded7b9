# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that name passed gates (module_utils/_module/clean_up_arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  readiness:
    description:
      - The verdicts of the gates, a file that M(hybrid.exchange.decommission_readiness_info) wrote. Each gate of the
        phase must be passed, or accepted as a deviation, must not have expired, and be of this tenant and organisation.
      - Without it nothing is changed, but that M(hybrid.exchange.exchange_server) goes on with a Setup that it had
        begun behind such a file. Check mode tells what is missing.
    type: path
  readiness_sha256:
    description: The SHA-256 of O(readiness), as its task returned it.
    type: str
"""
