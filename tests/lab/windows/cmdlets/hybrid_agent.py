# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid agent's own module, once it was imported by its path."""

from __future__ import annotations

from tests.lab.exchange_server import hybrid_agent
from tests.lab.settings import tenant as find_tenant
from tests.lab.windows import cloud_users
from tests.lab.windows.binder import Credential
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import custom

ROLES = (cloud_users.GLOBAL_ROLE, cloud_users.HYBRID_ROLE)


def _sign_in(call: Call, credential: Credential) -> None:
    """Sign in to the tenant; an error with the service's code where that fails."""
    tenant = find_tenant(call.host.tenant)
    known = {"name": tenant.name, "initial_domain": tenant.initial_domain}
    try:
        user = cloud_users.sign_in(known, credential.user, credential.password, "AzureCloud", "AzureCloud")
    except cloud_users.SignInFailed as error:
        raise CmdletError(str(error), "SignInFailed", "AuthenticationError", terminating=True) from error
    if not set(user.roles) & set(ROLES):
        raise CmdletError(
            f"{credential.user} has none of the roles {' or '.join(ROLES)}.",
            "Forbidden",
            "PermissionDenied",
            terminating=True,
        )


def get_hybrid_application(call: Call) -> None:
    """Get-HybridApplication: what the agent of this machine registered."""
    with call.state() as document:
        for one in (document.get("hybridAgent") or {}).get("applications", []):
            call.write(
                custom({"AppId": one["appId"], "ExternalUrl": one["externalUrl"], "TargetUri": one["internalUrl"]})
            )


def remove_hybrid_application(call: Call) -> None:
    """Remove-HybridApplication -AppId -Credential."""
    wanted = str(call.get("AppId")).lower()
    _sign_in(call, call.get("Credential"))
    with call.state() as document:
        agent = document.get("hybridAgent") or {"applications": []}
        left = [one for one in agent["applications"] if one["appId"].lower() != wanted]
        if len(left) == len(agent["applications"]):
            raise CmdletError(f"The application {wanted} was not found.", "NotFound", "ObjectNotFound", target=wanted)
        agent["applications"] = left


def get_hybrid_agent(call: Call) -> None:
    """Get-HybridAgent: the agent of this machine."""
    if call.get("Credential") is not None:
        _sign_in(call, call.get("Credential"))
    with call.state() as document:
        service = document["services"].get(hybrid_agent.SERVICE)
        if service is not None:
            status = "active" if service["Status"] == "Running" else "inactive"
            shown = {"Id": document["hybridAgent"]["id"], "MachineName": call.host.fqdn, "Status": status}
            call.write(custom({**shown, "Version": hybrid_agent.VERSION}))


CMDLETS: dict[str, Implementation] = {
    "Get-HybridApplication": get_hybrid_application,
    "Remove-HybridApplication": remove_hybrid_application,
    "Get-HybridAgent": get_hybrid_agent,
}
