# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Entries of the provisioning log (Graph's provisioningObjectSummary): whom they are about and what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def key(entry: Mapping[str, Any]) -> str:
    """The Entra object id of the mailbox, in lower case; empty where the entry has none."""
    identity = _identity(entry, "sourceIdentity")
    identifier = str(identity.get("id") or _details(identity).get("id") or "")
    return identifier.removeprefix("User_").lower()


def user_principal_name(entry: Mapping[str, Any]) -> str:
    """The user principal name, where the entry has one."""
    return str(_details(_identity(entry, "sourceIdentity")).get("userPrincipalName") or "")


def name(entry: Mapping[str, Any]) -> str:
    """What people call the mailbox."""
    return str(_identity(entry, "sourceIdentity").get("displayName") or "") or key(entry)


def target_name(entry: Mapping[str, Any]) -> str:
    """What people call the object in AD; the mailbox where the entry does not name it."""
    return str(_identity(entry, "targetIdentity").get("displayName") or "") or name(entry)


def status(entry: Mapping[str, Any]) -> str:
    """The outcome: success, failure, skipped or warning."""
    return str((entry.get("provisioningStatusInfo") or {}).get("status") or "").lower()


def error(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What went wrong: errorCode, reason, recommendedAction."""
    found = (entry.get("provisioningStatusInfo") or {}).get("errorInformation")
    return found if isinstance(found, Mapping) else {}


def _identity(entry: Mapping[str, Any], which: str) -> Mapping[str, Any]:
    found = entry.get(which)
    return found if isinstance(found, Mapping) else {}


def _details(identity: Mapping[str, Any]) -> Mapping[str, Any]:
    found = identity.get("details")
    return found if isinstance(found, Mapping) else {}
