# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role groups, which are groups of the directory, and the roles that they have."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import calls, errors, rights
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.cmdlets.recipients import canonical
from tests.lab.exchange_server.directory import BASE, Found
from tests.lab.forest.entries import canonical_dn
from tests.lab.windows import paths
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.values import Obj

_MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management"


def _group(work: Work, identity: str) -> Found:
    for found in rights.groups(work.organization):
        if identity.lower() in (found.name.lower(), found.dn.lower(), found.guid):
            return found
    raise errors.not_found(identity, work.organization.controller)


def _members(work: Work, group: Found) -> list[Found]:
    found = (work.organization.directory.search(dn, scope=BASE) for dn in group.texts("member"))
    return [one for hits in found for one in hits]


def get_role_group(call: Call) -> None:
    """Get-RoleGroup."""
    work = calls.work(call)
    wanted = calls.identities(call)
    for found in [_group(work, one) for one in wanted] if wanted else rights.groups(work.organization):
        own = {
            **calls.common(work.organization, found),
            "Roles": list(rights.ROLES.get(found.name, ())),
            "Members": [canonical(work.organization, dn) for dn in found.texts("member")],
            "ManagedBy": ["Organization Management"],
            "Description": "",
            "IsReadOnly": False,
        }
        call.write(Obj((f"{_MANAGEMENT}.RoleGroup", "System.Object"), own, found.name, key=found.dn))


def get_role_group_member(call: Call) -> None:
    """Get-RoleGroupMember."""
    work = calls.work(call)
    for identity in calls.identities(call):
        for found in calls.limited(call, _members(work, _group(work, identity))):
            kind = "Group" if "group" in found.classes else "User"
            own: dict[str, Any] = {
                **calls.common(work.organization, found),
                "Identity": canonical(work.organization, found.dn),
                "DisplayName": found.text("displayName") or found.name,
                "SamAccountName": found.text("sAMAccountName") or "",
                "RecipientType": kind,
                "RecipientTypeDetails": kind,
                "PrimarySmtpAddress": found.text("mail") or "",
            }
            call.write(Obj((f"{_MANAGEMENT}.ReducedRecipient", "System.Object"), own, own["Identity"], key=found.dn))


def add_role_group_member(call: Call) -> None:
    """Add-RoleGroupMember."""
    work = calls.work(call)
    group = _group(work, str(call.get("Identity")))
    wanted = str(call.get("Member")).rpartition("\\")[2]
    condition = f"(&(|(objectClass=user)(objectClass=group))(|(sAMAccountName={wanted})(userPrincipalName={wanted})))"
    hits = work.organization.directory.search(work.organization.forest.base_dn, condition)
    if not hits:
        raise errors.not_found(call.get("Member"), work.organization.controller)
    members = group.texts("member")
    if canonical_dn(hits[0].dn) in (canonical_dn(one) for one in members):
        text = f'The recipient "{hits[0].name}" is already a member of the group "{group.name}".'
        raise errors.failure(text, "MemberAlreadyExistsException", target=hits[0].name)
    if not call.what_if:
        values = [one.encode() for one in (*members, hits[0].dn)]
        work.organization.directory.modify(group.dn, {"member": values})


def get_management_role(call: Call) -> None:
    """Get-ManagementRole."""
    work = calls.work(call)
    wanted = calls.identities(call)
    for name in sorted({one for roles in rights.ROLES.values() for one in roles}):
        if wanted and not any(paths.matches(name, one) for one in wanted):
            continue
        own = {
            "Name": name,
            "Identity": name,
            "RoleType": name.replace(" ", "").replace("-", ""),
            "IsRootRole": True,
            "Description": "",
            "OriginatingServer": work.organization.controller,
        }
        types = ("Microsoft.Exchange.Data.Directory.SystemConfiguration.ExchangeRole", "System.Object")
        call.write(Obj(types, own, name))


def get_management_role_assignment(call: Call) -> None:
    """Get-ManagementRoleAssignment: what groups have, and with -RoleAssignee or -GetEffectiveUsers who has it."""
    work = calls.work(call)
    assignee = str(call.get("RoleAssignee") or "").rpartition("\\")[2].lower()
    role = str(call.get("Role") or "").lower()
    for group in rights.groups(work.organization):
        members = _members(work, group)
        names = {one.name.lower() for one in members} | {(one.text("sAMAccountName") or "").lower() for one in members}
        names |= {(one.text("userPrincipalName") or "").lower() for one in members}
        if assignee and assignee not in names | {group.name.lower()}:
            continue
        for one in rights.ROLES.get(group.name, ()):
            if role and one.lower() != role:
                continue
            users = [each.name for each in members] if call.get("GetEffectiveUsers") else ["All Group Members"]
            for user in users:
                own: dict[str, Any] = {
                    "Name": f"{one}-{group.name}",
                    "Identity": f"{one}-{group.name}",
                    "Role": one,
                    "RoleAssignee": group.name,
                    "RoleAssigneeName": group.name,
                    "RoleAssigneeType": "RoleGroup",
                    "AssignmentMethod": "RoleGroup" if assignee else "Direct",
                    "EffectiveUserName": user,
                    "Enabled": True,
                    "IsValid": True,
                }
                call.write(
                    Obj((f"{_MANAGEMENT}.ExchangeRoleAssignmentPresentation", "System.Object"), own, own["Name"])
                )


CMDLETS: dict[str, Implementation] = {
    "Get-RoleGroup": get_role_group,
    "Get-RoleGroupMember": get_role_group_member,
    "Add-RoleGroupMember": add_role_group_member,
    "Get-ManagementRole": get_management_role,
    "Get-ManagementRoleAssignment": get_management_role_assignment,
}
