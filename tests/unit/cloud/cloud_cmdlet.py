# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cmdlet for tests that only need one."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

GET = Cmdlet("Get-Mailbox", {"ResultSize": "Unlimited"})
