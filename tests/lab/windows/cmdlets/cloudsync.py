# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's own module: sign in, service account, domains, permissions.

Microsoft publishes the cmdlets' names and parameters, not their errors; texts and identifiers of errors here are the
lab's, apart from the login service's codes.
"""

from __future__ import annotations

from typing import Any

from tests.lab.clock import iso
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.settings import fixed_guid
from tests.lab.windows import paths, places, state
from tests.lab.windows.binder import Credential
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cloud_users import GLOBAL_ROLE, HYBRID_ROLE, SignInFailed, sign_in
from tests.lab.windows.cmdlets.directory import effective
from tests.lab.windows.errors import CmdletError, binding
from tests.lab.windows.values import Obj

Document = dict[str, Any]


def _failure(call: Call, message: str, error_id: str, category: str = "InvalidOperation") -> CmdletError:
    return CmdletError(message, error_id, category, "System.InvalidOperationException", terminating=True)


def _credential(call: Call, name: str) -> Credential:
    given = call.get(name)
    if not isinstance(given, Credential):
        raise binding(
            f"Cannot process command because of one or more missing mandatory parameters: {name}.",
            "MissingMandatoryParameter",
        )
    return given


def _tenant(call: Call) -> Document:
    wanted = call.estate.tenant_id(call.host.tenant)
    return next(one for one in call.estate.store.tenants() if one["id"] == wanted)


def connect(call: Call) -> None:
    """Connect-AADCloudSyncAzureAD -Credential: without a credential it would open a window that nobody sees."""
    credential = _credential(call, "Credential")
    tenant = _tenant(call)
    with call.state() as document:
        installation = document["installation"]
        if any(paths.matches("login.microsoftonline.com", one) for one in document["blocked"]):
            raise _failure(call, "Unable to connect to the remote server", "ConnectFailed", "ConnectionError")
    try:
        account = sign_in(
            tenant,
            credential.user,
            credential.password,
            installation["environment"],
            str(call.estate.scenario["tenant_cloud"]),
        )
    except SignInFailed as error:
        raise CmdletError(
            str(error),
            "AuthenticationFailed",
            "AuthenticationError",
            "Microsoft.Identity.Client.MsalServiceException",
            credential.user,
            terminating=True,
        ) from error
    if account.guest or not {HYBRID_ROLE, GLOBAL_ROLE} & set(account.roles):
        why = "is a guest" if account.guest else f"has neither the role {HYBRID_ROLE} nor {GLOBAL_ROLE}"
        raise CmdletError(
            f"The account {credential.user} cannot register agents: it {why}.",
            "NotAuthorized",
            "PermissionDenied",
            "System.UnauthorizedAccessException",
            credential.user,
            terminating=True,
        )
    call.session.cloud_tenant = tenant["id"]
    if call.estate.scenario["agent_registers"] == "at_connect":
        with call.state() as document:
            _register(call, document)


def _connected(call: Call) -> None:
    if call.session.cloud_tenant is None:
        raise _failure(
            call, "You are not connected. Run Connect-AADCloudSyncAzureAD first.", "NotConnected", "ConnectionError"
        )


def _register(call: Call, document: Document) -> Document:
    """The agent's document, registered with the tenant."""
    agent: Document = document["agent"] or {
        "id": None,
        "domains": [],
        "loadedDomains": [],
        "loaded": False,
        "startedAt": 0.0,
    }
    if not agent["id"]:
        number = int(document.get("registrations", 0)) + 1
        document["registrations"] = number
        agent["id"] = fixed_guid("windows agent", call.host.tenant, call.host.name, str(number))
    document["agent"] = agent
    paths.with_parents(document["files"], places.TRACE_FOLDER, lambda: state.folder(iso(call.estate.now())))
    return agent


def _domain_administrator(call: Call, credential: Credential, domain: str) -> None:
    """Raise unless a credential is the domain administrator's."""
    forest = call.host.forest
    accounts = [
        places.domain_administrator(forest),
        places.setup_account(forest),
        places.refused_account(forest),
        *(
            places.SignIn(forest.netbios, one.name, one.password, f"{one.name}@{forest.domain}")
            for one in forest.accounts
        ),
    ]
    given = credential.user.lower()
    found = next((one for one in accounts if given in (one.name.lower(), one.upn.lower())), None)
    if found is None or found.password != credential.password:
        raise CmdletError(
            "The user name or password is incorrect.",
            "LogonFailure",
            "AuthenticationError",
            "System.DirectoryServices.AccountManagement.PrincipalOperationException",
            credential.user,
            terminating=True,
        )
    if found.user.lower() != "administrator":
        raise CmdletError(
            f"Access is denied: {credential.user} is no Domain Admin or Enterprise Admin of {domain}.",
            "AccessDenied",
            "PermissionDenied",
            "System.UnauthorizedAccessException",
            credential.user,
            terminating=True,
        )


def add_gmsa(call: Call) -> None:
    """Add-AADCloudSyncGMSA: makes provAgentgMSA$ with all permissions, or takes a given account and grants none."""
    _connected(call)
    given, tenant = call.get("CustomGMSAName"), call.host.tenant
    with call.estate.forest(tenant) as forest:
        if given:
            name = next((one for one in forest["gmsas"] if one.lower() == str(given).rpartition("\\")[2].lower()), None)
            if name is None:
                raise _failure(
                    call,
                    f"The account {given} does not exist in {call.host.forest.domain}, or is no group "
                    "managed service account.",
                    "GmsaNotFound",
                    "ObjectNotFound",
                )
            if call.host.name not in forest["gmsas"][name]["hosts"]:
                raise _failure(
                    call,
                    f"This computer may not retrieve the password of {name}.",
                    "GmsaNotAllowed",
                    "PermissionDenied",
                )
        else:
            _domain_administrator(call, _credential(call, "Credential"), call.host.forest.domain)
            name = places.CREATED_GMSA
            _create_gmsa(call, forest, name)
        with call.state() as document:
            if not document["computer"]["PartOfDomain"]:
                raise _failure(call, "The computer is not a member of a domain.", "NotDomainJoined")
            document["services"][places.AGENT_SERVICE]["StartName"] = f"{call.host.forest.netbios}\\{name}"


def _create_gmsa(call: Call, forest: Document, name: str) -> None:
    if not effective(forest, call.estate.clock.timestamp()):
        raise _failure(
            call,
            "Key does not exist: the forest has no KDS root key that is effective.",
            "KdsKeyMissing",
            "ObjectNotFound",
        )
    if call.estate.directory is not None:
        try:
            call.estate.directory.make_gmsa(call.host.tenant, name)
        except DirectoryUnavailable as error:
            text = f"The domain controller of {call.host.forest.domain} could not be contacted."
            raise _failure(call, text, "ServerDown", "ConnectionError") from error
    known = forest["gmsas"].setdefault(name, {"granted": [], "created": iso(call.estate.now()), "hosts": []})
    known["granted"] = sorted(set(known["granted"]) | set(state.PERMISSIONS))
    if call.host.name not in known["hosts"]:
        known["hosts"].append(call.host.name)


def add_domain(call: Call) -> None:
    """Add-AADCloudSyncADDomain -DomainName -Credential [-PreferredDomainControllers]."""
    _connected(call)
    name = str(call.get("DomainName"))
    if name.lower() != call.host.forest.domain:
        raise _failure(call, f"The domain {name} could not be contacted.", "DomainNotFound", "ObjectNotFound")
    _domain_administrator(call, _credential(call, "Credential"), name)
    with call.state() as document:
        agent = _register(call, document)
        controllers = [str(one) for one in call.many("PreferredDomainControllers")]
        others = [one for one in agent["domains"] if one["name"].lower() != name.lower()]
        agent["domains"] = [*others, {"name": name, "controllers": controllers}]


def get_domains(call: Call) -> None:
    """Get-AADCloudSyncADDomains: named by third parties only; what it gives is a guess."""
    with call.state() as document:
        for one in (document["agent"] or {}).get("domains", []):
            own = {"DomainName": one["name"], "PreferredDomainControllers": one["controllers"]}
            call.write(Obj(("Microsoft.CloudSync.ADDomain", "System.Object"), own))


def _account_of(document: Document) -> str:
    """Name of the account that the agent runs as."""
    start = document["services"].get(places.AGENT_SERVICE, {}).get("StartName", "")
    return str(start).rpartition("\\")[2]


def set_permissions(call: Call) -> None:
    """Set-AADCloudSyncPermissions: for the account that the agent of this host runs as."""
    if not call.get("EACredential") and not (call.get("TargetDomain") and call.get("TargetDomainCredential")):
        raise binding("Parameter set cannot be resolved using the specified named parameters.", "AmbiguousParameterSet")
    name = "EACredential" if call.get("EACredential") else "TargetDomainCredential"
    domain = str(call.get("TargetDomain") or call.host.forest.domain)
    if domain.lower() != call.host.forest.domain:
        raise _failure(call, f"The domain {domain} could not be contacted.", "DomainNotFound", "ObjectNotFound")
    _domain_administrator(call, _credential(call, name), domain)
    with call.state() as document:
        account = _account_of(document)
    with call.estate.forest(call.host.tenant) as forest:
        real = next((one for one in forest["gmsas"] if one.lower() == account.lower()), None)
        if real is None:
            raise _failure(
                call, "The agent does not run as a group managed service account.", "NoGmsa", "ObjectNotFound"
            )
        wanted = str(call.get("PermissionType"))
        granted = set(state.PERMISSIONS) if wanted == "All" else {wanted}
        forest["gmsas"][real]["granted"] = sorted(set(forest["gmsas"][real]["granted"]) | granted)


def set_restricted_permissions(call: Call) -> None:
    """Set-AADCloudSyncRestrictedPermissions: hardens the account's own object; nothing else depends on it here."""
    _domain_administrator(call, _credential(call, "Credential"), call.host.forest.domain)
    with call.state() as document:
        account = _account_of(document)
    with call.estate.forest(call.host.tenant) as forest:
        for name, kept in forest["gmsas"].items():
            if name.lower() == account.lower():
                kept["restricted"] = True


CMDLETS: dict[str, Implementation] = {
    "Connect-AADCloudSyncAzureAD": connect,
    "Add-AADCloudSyncGMSA": add_gmsa,
    "Add-AADCloudSyncADDomain": add_domain,
    "Get-AADCloudSyncADDomains": get_domains,
    "Set-AADCloudSyncPermissions": set_permissions,
    "Set-AADCloudSyncRestrictedPermissions": set_restricted_permissions,
}
