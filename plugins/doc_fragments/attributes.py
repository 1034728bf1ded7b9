# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of what modules promise."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, sends no write then, and announces what it would change.
  diff_mode:
    description: Shows in diff mode what it changes or would change.
  idempotent:
    description: Changes nothing and sends no write when run again under the same circumstances.
"""
