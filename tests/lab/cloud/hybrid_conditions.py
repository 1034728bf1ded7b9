# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be set about the hybrid set-up in the cloud. Without imports of the cloud: the command line reads it."""

from __future__ import annotations

BATCH_STATES = ("none", "Created", "Syncing", "Synced", "Stopped", "Completed", "CompletedWithErrors", "Failed")
MOVE_STATES = ("none", "InProgress", "Synced", "Suspended", "Completed", "CompletedWithWarning", "Failed")
# What can be set by name: its values (the first is that of the beginning) and what it is.
CONDITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "batch": (BATCH_STATES, "a migration batch over the wizard's endpoint, in this state"),
    "move": (MOVE_STATES, "a move request of one mailbox from the on-premises servers, in this state"),
    "oauth_key": (("uploaded", "renewed", "removed"), "the servers' certificate on the first-party principal: as it "
                  "was, a second one beside it (the wizard ran again), or gone"),
    "rule": (("enabled", "disabled", "none"), "the mail flow rule that routes to the wizard's connector"),
}  # fmt: skip
