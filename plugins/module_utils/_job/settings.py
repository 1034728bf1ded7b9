# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The settings of a configuration, which the service keeps as secrets and takes only all together.

What the service tells of them is kept, and what is stated is laid over it. Microsoft's pages differ on whether it tells
the values: where it gives none, a digest of what was written last is kept as a tag of the configuration's service
principal, so that a second run knows that the settings are as wanted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

# The service documents one address; how it wants several is not documented.
RECIPIENT_SEPARATOR = ";"
TAG_PREFIX = "hybrid.exchange.settings.sha256:"
DELETE_THRESHOLD = 500
DOMAIN = "Domain"
NOTIFICATION = "SyncNotificationSettings"

Secrets: TypeAlias = "Mapping[str, str | None]"
"""The settings that the service shows; None for a value that it keeps to itself."""


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

    def secrets(self, current: Secrets | None = None) -> dict[str, str]:
        """The whole set to write: what is there and readable, and what is stated laid over it.

        What is neither stated nor readable gets the service's default.
        """
        shown = current or {}
        others = {key: str(value) for key, value in shown.items() if key not in (DOMAIN, NOTIFICATION) and _told(value)}
        domain = {**_object(shown.get(DOMAIN)), "domain": self.domain}
        notification = self._notification(_object(shown.get(NOTIFICATION)))
        return {**others, DOMAIN: json.dumps(domain), NOTIFICATION: json.dumps(notification)}

    def differ(self, current: Secrets) -> bool:
        """Whether the readable settings are not as stated; only where readable() says so."""
        wanted = _object(self.secrets(current)[NOTIFICATION])
        return wanted != _object(current.get(NOTIFICATION))

    def tag(self) -> str:
        """What marks a configuration that has exactly these settings."""
        return TAG_PREFIX + hashlib.sha256(json.dumps(self.secrets(), sort_keys=True).encode()).hexdigest()[:32]

    def _notification(self, current: Mapping[str, Any]) -> dict[str, Any]:
        recipients = self.recipients or ()
        made: dict[str, Any] = {
            "Enabled": bool(recipients),
            "Recipients": RECIPIENT_SEPARATOR.join(recipients),
            "DeleteThresholdEnabled": True,
            "DeleteThresholdValue": DELETE_THRESHOLD,
            **current,
        }
        if self.recipients is not None:
            made["Recipients"] = RECIPIENT_SEPARATOR.join(recipients)
            made["Enabled"] = bool(recipients)
        if self.enabled is not None:
            made["Enabled"] = self.enabled
        if self.delete_threshold is not None:
            made["DeleteThresholdEnabled"] = self.delete_threshold > 0
            made["DeleteThresholdValue"] = self.delete_threshold or DELETE_THRESHOLD
        return made


def readable(current: Secrets | None) -> bool:
    """Whether the service tells the settings that the options state."""
    return bool(_object((current or {}).get(NOTIFICATION)))


def kept_secret(current: Secrets | None) -> list[str]:
    """Other settings that would be lost by writing, as the service does not tell their values."""
    return sorted(
        key for key, value in (current or {}).items() if key not in (DOMAIN, NOTIFICATION) and not _told(value)
    )


def shown(secrets: Secrets) -> dict[str, str | None]:
    """The settings for a diff: those that the options state; others may be secrets in earnest."""
    return {key: secrets[key] for key in (DOMAIN, NOTIFICATION) if key in secrets}


def marked(tags: Sequence[str]) -> str | None:
    """The mark of the settings that were written last, if this collection wrote them."""
    return next((tag for tag in tags if tag.startswith(TAG_PREFIX)), None)


def with_mark(tags: Sequence[str], mark: str) -> list[str]:
    """The tags with another mark; all others stay."""
    return [*(tag for tag in tags if not tag.startswith(TAG_PREFIX)), mark]


def _told(value: str | None) -> bool:
    """Whether a value is one, and neither withheld nor masked."""
    return bool(value and value.strip() and set(value.strip()) != {"*"})


def _object(value: str | None) -> dict[str, Any]:
    if not _told(value):
        return {}
    try:
        found = json.loads(str(value))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
