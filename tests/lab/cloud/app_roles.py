# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application may do: its service principal's appRoleAssignments, and the roles its tokens state by them.

An assignment is the only place where a granted permission is kept, as in Entra ID: Graph lists it, the login service
reads it for every token, and once it is deleted the next token lacks the role. Tokens that were issued before keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.lab import hybrid_facts as facts
from tests.lab.cloud.tokens import EXCHANGE_APP_ID, GRAPH_APP_ID
from tests.lab.settings import fixed_guid
from tests.lab.store import Document, Documents, Store

ASSIGNMENT = "appRoleAssignment"


@dataclass(frozen=True)
class Resource:
    """A service that applications get tokens for: its application, and its app roles' published ids by their names."""

    app_id: str
    name: str
    roles: Mapping[str, str]


# Ids of Graph: Microsoft Graph permissions reference. They are the same in every tenant.
_GRAPH_ROLES = {
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338",
    "Contacts-OnPremisesSyncBehavior.ReadWrite.All": "c8948c23-e66b-42db-83fd-770b71ab78d2",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Group-OnPremisesSyncBehavior.ReadWrite.All": "2d9bd318-b883-40be-9df7-63ec4fcdc424",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "OnPremisesPublishingProfiles.ReadWrite.All": "0b57845e-aa49-4e6f-8109-ce654fffa618",
    "OrgContact.Read.All": "e1a88a34-94c4-4418-be12-c87b00e26bea",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Organization.ReadWrite.All": "292d869f-3427-49a8-9dab-8c70152b74e9",
    "ProvisioningLog.Read.All": "091937d3-3e38-47a1-8649-b2f99d3035f1",
    "Synchronization.Read.All": "5ba43d2f-fa88-4db2-bd1c-a67c5f0fb1ce",
    "Synchronization.ReadWrite.All": "9b50c33d-700f-43b1-b2eb-87e89b703581",
    "User-OnPremisesSyncBehavior.ReadWrite.All": "a94a502d-0281-4d15-8cd2-682ac9362c4c",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}
_EXCHANGE_ROLES = {
    "Exchange.ManageAsApp": "dc50a0fb-09a3-484d-be87-e023b12c6440",
    "full_access_as_app": facts.FULL_ACCESS_ROLE,
}
RESOURCES = {
    "graph": Resource(GRAPH_APP_ID, "Microsoft Graph", _GRAPH_ROLES),
    "exchange": Resource(EXCHANGE_APP_ID, "Office 365 Exchange Online", _EXCHANGE_ROLES),
}


def resource_id(tenant_id: str, service: str) -> str:
    """Object id of a resource's service principal in a tenant."""
    return fixed_guid("principal", tenant_id, RESOURCES[service].app_id)


def assignment(tenant_id: str, principal: Document, service: str, role: str) -> Document:
    """The assignment of a service principal to a resource's role."""
    resource = RESOURCES[service]
    return {
        "id": fixed_guid("assignment", tenant_id, principal["id"], resource.app_id, role),
        "appRoleId": resource.roles[role],
        "createdDateTime": "2024-01-01T00:00:00Z",
        "deletedDateTime": None,
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.name,
        "resourceId": resource_id(tenant_id, service),
    }


def grant(store: Store, tenant_id: str, principal: Document, service: str, role: str) -> None:
    """Let a service principal have a role of a resource."""
    made = assignment(tenant_id, principal, service, role)
    store.put(tenant_id, ASSIGNMENT, made["id"], made)


def assignments(store: Store, tenant_id: str, principal_id: str) -> Documents:
    """What a service principal was granted, at all resources."""
    return [one for one in store.list(tenant_id, ASSIGNMENT) if one["principalId"] == principal_id]


def granted(store: Store, tenant_id: str, principal_id: str, service: str) -> list[str]:
    """The names of a service principal's roles at one resource: what its tokens for it state."""
    names = {role_id: name for name, role_id in RESOURCES[service].roles.items()}
    at = resource_id(tenant_id, service)
    return sorted(
        names[one["appRoleId"]] for one in assignments(store, tenant_id, principal_id) if one["resourceId"] == at
    )
