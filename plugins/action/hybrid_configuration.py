# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Live progress around the module hybrid.exchange.hybrid_configuration."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.plugin_utils.progress import ProgressActionBase


class ActionModule(ProgressActionBase):
    """Runs the module of this name and shows its progress."""
