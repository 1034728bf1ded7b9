# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job needs before it can run: the domain among its secrets, and an agent that is active."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.engines.limits import Limits
from tests.lab.store import Store

Document = dict[str, Any]


class JobFault(Exception):
    """Why a job cannot run at all. ``reason`` is the quarantine reason it leads to."""

    def __init__(self, code: str, message: str, reason: str = "EncounteredQuarantineException") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason


def secrets_of(store: Store, tenant_id: str, service_principal_id: str | None) -> dict[str, str]:
    """The secrets of a service principal by key; empty when none were put."""
    document = store.get(tenant_id, "secret", service_principal_id or "") or {}
    for name in ("value", "secrets"):
        if isinstance(document.get(name), list):
            return {pair["key"]: pair.get("value") or "" for pair in document[name]}
    return {key: value for key, value in document.items() if isinstance(value, str)}


def job_domain(secrets: dict[str, str]) -> str | None:
    """The AD domain that the secret ``Domain`` names (a JSON string), or None when it is not readable."""
    try:
        value = json.loads(secrets.get("Domain") or "")
    except ValueError:
        return None
    domain = value.get("domain") if isinstance(value, dict) else None
    return domain if isinstance(domain, str) and domain else None


# State of the service's account in Entra ID -> error code and text. The codes are those of Cloud Sync's list of errors.
_ACCOUNT_FAULTS = {
    "missing": (
        "AzureActiveDirectoryInvalidCredential",
        "The account that the service synchronizes with does not exist in the tenant (CredentialsInvalid, AADSTS50034);"
        " repair it with Repair-AADCloudSyncToolsAccount, then restart the job.",
    ),
    "expired": (
        "AzureActiveDirectoryExpiredCredentials",
        "The password of the account that the service synchronizes with has expired (CredentialsExpired, AADSTS50055);"
        " repair it with Repair-AADCloudSyncToolsAccount, then restart the job.",
    ),
}


def require_ready(store: Store, tenant: Document, secrets: dict[str, str], sync_account: str = "valid") -> str:
    """The job's domain; JobFault when the secret is missing or names another domain, or no agent is active.

    ``sync_account`` is the scenario's switch: the state of the service's own account in the tenant.
    """
    if sync_account in _ACCOUNT_FAULTS:
        raise JobFault(*_ACCOUNT_FAULTS[sync_account])
    domain = job_domain(secrets)
    if domain is None:
        raise JobFault(
            "HybridIdentityServiceInvalidResource",
            "The secret Domain is missing or is not a JSON object with a domain; put it again and restart the job.",
        )
    if domain.lower() != tenant["domain"].lower():
        raise JobFault(
            "HybridIdentityServiceNoAgentsAssigned",
            f"No agent is registered for the domain {domain}; correct the secret Domain and restart the job.",
        )
    # An agent that was installed in the lab serves the domains that were added to it; the seed's serves its tenant's.
    agents = [
        one for one in store.list(tenant["id"], "agent") if domain.lower() in one.get("_domains", [domain.lower()])
    ]
    if not agents:
        raise JobFault(
            "HybridIdentityServiceNoAgentsAssigned",
            f"No agent is registered for the domain {domain}; install one and restart the job.",
        )
    if not any(agent.get("status") == "active" for agent in agents):
        raise JobFault(
            "HybridIdentityServiceNoActiveAgents",
            f"None of the {len(agents)} agents of the domain {domain} is active; start the agent's service.",
        )
    return domain


def skips_out_of_scope_deletes(secrets: dict[str, str]) -> bool:
    """Whether the secret SkipOutOfScopeDeletions keeps the accounts of users who leave the scope."""
    return secrets.get("SkipOutOfScopeDeletions", "").strip().lower() == "true"


def delete_threshold(secrets: dict[str, str], limits: Limits) -> int | None:
    """How many deletes stop a run (one fewer passes); None when the protection is switched off."""
    try:
        settings = json.loads(secrets.get("SyncNotificationSettings") or "{}")
    except ValueError:
        settings = {}
    if not isinstance(settings, dict) or settings.get("DeleteThresholdEnabled", True) is False:
        return None if isinstance(settings, dict) else limits.delete_threshold
    return int(settings.get("DeleteThresholdValue", limits.delete_threshold))
