# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The settings of a configuration, which the service keeps as secrets: written all together, never read back.

So that a second run knows that they are as wanted, a digest of what was written is kept as a tag of the
configuration's service principal, where everybody with access to the job can see it too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

# The service documents one address; how it wants several is not documented.
RECIPIENT_SEPARATOR = ";"
TAG_PREFIX = "hybrid.exchange.settings.sha256:"
DELETE_THRESHOLD = 500


@dataclass(frozen=True)
class Settings:
    """What the options state; None is not stated."""

    domain: str
    recipients: tuple[str, ...] | None = None
    enabled: bool | None = None
    delete_threshold: int | None = None

    @property
    def stated(self) -> bool:
        """Whether an option states more than the domain."""
        return not (self.recipients is None and self.enabled is None and self.delete_threshold is None)

    def secrets(self) -> dict[str, str]:
        """The whole set to write; what is not stated gets the service's default."""
        recipients = self.recipients or ()
        threshold = DELETE_THRESHOLD if self.delete_threshold is None else self.delete_threshold
        notification = {
            "Enabled": bool(recipients) if self.enabled is None else self.enabled,
            "Recipients": RECIPIENT_SEPARATOR.join(recipients),
            "DeleteThresholdEnabled": threshold > 0,
            "DeleteThresholdValue": threshold or DELETE_THRESHOLD,
        }
        return {
            "Domain": json.dumps({"domain": self.domain}),
            "SyncNotificationSettings": json.dumps(notification),
        }

    def tag(self) -> str:
        """What marks a configuration that has exactly these settings."""
        return TAG_PREFIX + hashlib.sha256(json.dumps(self.secrets(), sort_keys=True).encode()).hexdigest()[:32]


def marked(tags: Sequence[str]) -> str | None:
    """The mark of the settings that were written last, if this collection wrote them."""
    return next((tag for tag in tags if tag.startswith(TAG_PREFIX)), None)


def with_mark(tags: Sequence[str], mark: str) -> list[str]:
    """The tags with another mark; all others stay."""
    return [*(tag for tag in tags if not tag.startswith(TAG_PREFIX)), mark]
