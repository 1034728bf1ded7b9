# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The phases of a decommission, the two ways out, and the words that a gate is judged with."""

from __future__ import annotations

CLEAN_UP, UNINSTALL, CLOUD_CLEAN_UP = "clean_up", "uninstall", "cloud_clean_up"
PHASES = (CLEAN_UP, UNINSTALL, CLOUD_CLEAN_UP)
"""Before the hybrid clean-up on premises, before Setup removes a server, before the clean-up in the cloud."""

SOURCE_OF_AUTHORITY, MANAGEMENT_TOOLS = "source_of_authority", "management_tools"
EXITS = (SOURCE_OF_AUTHORITY, MANAGEMENT_TOOLS)
"""With the source of authority in the cloud the last server is uninstalled. With the management tools Active Directory
stays the authority, and the last server is shut down and never uninstalled. Microsoft's two ways; not to be mixed."""

PASSED, FAILED, CANNOT_TELL = "passed", "failed", "cannot_tell"
VERDICTS = (PASSED, FAILED, CANNOT_TELL)
