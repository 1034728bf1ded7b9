# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid set-up in Graph: keys of the first-party principal, the dedicated application, the bin, who may.

And what the lab's own applications may do: Graph lists the permissions that their tokens state.
"""

from __future__ import annotations

import base64
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.lab import hybrid_facts as facts
from tests.lab.cloud.app_roles import RESOURCES
from tests.lab.cloud.graph.endpoint import ROUTES
from tests.lab.cloud.hybrid_principals import LOOK_ALIKE
from tests.lab.cloud.wire import Reply
from tests.lab_tests.cloud_support import CloudLab, application_certificate, lab

__all__ = ["lab"]

FILTER = f"/v1.0/servicePrincipals?$filter=appId eq '{facts.EXCHANGE_ONLINE}'"


def graph(
    lab: CloudLab, method: str, path: str, body: Any = None, tenant: str = "contoso", application: str = "application"
) -> Reply:
    token = lab.token("graph", application, tenant)
    return lab.send("graph", method, path, body, authorization=f"Bearer {token}")


def first_party(lab: CloudLab, tenant: str = "contoso") -> dict[str, Any]:
    [found] = graph(lab, "GET", FILTER, tenant=tenant).content["value"]
    return dict(found)


def patch(lab: CloudLab, body: Any, **who: str) -> Reply:
    return graph(lab, "PATCH", f"/v1.0/servicePrincipals/{first_party(lab)['id']}", body, **who)


# -- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", ["contoso", "fabrikam"])
def test_the_first_party_principal_has_the_servers_key_and_somebody_elses(lab: CloudLab, tenant: str) -> None:
    keys = first_party(lab, tenant)["keyCredentials"]
    assert [one["customKeyIdentifier"] for one in keys] == [
        facts.auth_certificate(tenant),
        facts.foreign_certificate(tenant),
    ]
    assert {one["key"] for one in keys} == {None}
    assert len({one["keyId"] for one in keys}) == 2


def test_a_patch_with_the_rest_of_the_array_removes_one_key(lab: CloudLab) -> None:
    before = first_party(lab)
    own, foreign = before["keyCredentials"]
    assert patch(lab, {"keyCredentials": [foreign]}).status == 204
    after = first_party(lab)
    assert after["keyCredentials"] == [foreign]
    assert {**after, "keyCredentials": None} == {**before, "keyCredentials": None}
    # What is gone cannot come back by its id.
    assert patch(lab, {"keyCredentials": [own, foreign]}).status == 400
    assert patch(lab, {"keyCredentials": []}).status == 204
    assert first_party(lab)["keyCredentials"] == []


def test_a_kept_key_is_what_it_was_whatever_is_said_of_it(lab: CloudLab) -> None:
    own, foreign = first_party(lab)["keyCredentials"]
    assert patch(lab, {"keyCredentials": [{"keyId": foreign["keyId"]}, {**own, "displayName": "mine"}]}).status == 204
    assert first_party(lab)["keyCredentials"] == [foreign, own]


def test_graph_may_refuse_keys_without_their_value(lab: CloudLab) -> None:
    _own, foreign = first_party(lab)["keyCredentials"]
    lab.services.scenario.set({"key_without_value": "refused"})
    assert patch(lab, {"keyCredentials": [foreign]}).status == 400
    assert patch(lab, {"keyCredentials": []}).status == 204


def test_a_new_key_needs_its_certificate(lab: CloudLab) -> None:
    certificate = x509.load_pem_x509_certificate(application_certificate(lab.folder, "new").read_bytes())
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
    own, foreign = first_party(lab)["keyCredentials"]
    made = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der}
    assert patch(lab, {"keyCredentials": [own, foreign, made]}).status == 204
    added = first_party(lab)["keyCredentials"][2]
    assert (added["key"], added["displayName"], len(added["customKeyIdentifier"])) == (None, "CN=new", 40)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "AsymmetricX509Cert", "usage": "Verify"},
        {"type": "AsymmetricX509Cert", "usage": "Verify", "key": "bm8="},
        {"key": "bm8="},
        {"keyId": "nothing"},
        {"nothing": 1},
    ],
)
def test_keys_that_are_refused_change_nothing(lab: CloudLab, entry: dict[str, Any]) -> None:
    before = first_party(lab)
    assert patch(lab, {"keyCredentials": [*before["keyCredentials"], entry]}).status == 400
    assert patch(lab, {"keyCredentials": [before["keyCredentials"][0]] * 2}).status == 400
    assert first_party(lab) == before


def test_stale_reads_show_the_keys_from_before(lab: CloudLab) -> None:
    before = first_party(lab)
    lab.services.scenario.set({"stale_reads_s": 30})
    assert patch(lab, {"keyCredentials": []}).status == 204
    assert first_party(lab) == before
    lab.services.clock.advance(31)
    assert first_party(lab)["keyCredentials"] == []


# -- what nobody may do --------------------------------------------------------------------------------------------


def test_who_may_not(lab: CloudLab) -> None:
    refused = patch(lab, {"keyCredentials": []}, application="limited_application")
    assert (refused.status, refused.content["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert len(first_party(lab)["keyCredentials"]) == 2


def test_who_only_owns_applications_may_not(lab: CloudLab) -> None:
    lab.permit_only("Application.ReadWrite.OwnedBy")
    assert patch(lab, {"keyCredentials": []}).status == 403


def test_a_clean_patch_is_no_violation_and_others_are(lab: CloudLab) -> None:
    _own, foreign = first_party(lab)["keyCredentials"]
    patch(lab, {"keyCredentials": [foreign]})
    assert lab.control("GET", "/state").content["violations"] == []
    assert patch(lab, {"keyCredentials": [foreign], "accountEnabled": False}).status == 204
    assert graph(lab, "DELETE", f"/v1.0/servicePrincipals/{first_party(lab)['id']}").status == 204
    told = [one["violation"] for one in lab.control("GET", "/state").content["violations"]]
    assert [("accountEnabled" in told[0]), ("deleted" in told[1]), len(told)] == [True, True, 2]
    assert [one["write"] for one in lab.store.requests(writes=True)] == [True, True, True]


def test_its_app_role_assignments_are_read_and_stay(lab: CloudLab) -> None:
    path = f"/v1.0/servicePrincipals/{first_party(lab)['id']}/appRoleAssignments"
    rows = graph(lab, "GET", path).content["value"]
    assert len(rows) == 2
    assert graph(lab, "DELETE", f"{path}/{rows[0]['id']}").status == 403
    patch(lab, {"keyCredentials": []})
    assert graph(lab, "GET", path).content["value"] == rows


# -- the dedicated application -------------------------------------------------------------------------------------

NAME, CLIENT_ID = facts.dedicated_application("fabrikam")


def by_name(lab: CloudLab, name: str, tenant: str = "fabrikam") -> list[dict[str, Any]]:
    path = f"/v1.0/applications?$filter=displayName eq '{name}'"
    found: list[dict[str, Any]] = graph(lab, "GET", path, tenant=tenant).content["value"]
    return found


def test_only_the_modern_tenant_has_a_dedicated_application(lab: CloudLab) -> None:
    [found] = by_name(lab, NAME)
    assert (found["appId"], found["keyCredentials"][0]["customKeyIdentifier"]) == (
        CLIENT_ID,
        facts.auth_certificate("fabrikam"),
    )
    assert by_name(lab, facts.dedicated_application("contoso")[0], "contoso") == []
    assert len(by_name(lab, LOOK_ALIKE)) == len(by_name(lab, LOOK_ALIKE, "contoso")) == 1
    principal = f"/v1.0/servicePrincipals(appId='{CLIENT_ID}')"
    found = graph(lab, "GET", principal, tenant="fabrikam").content
    rights = graph(lab, "GET", f"/v1.0/servicePrincipals/{found['id']}/appRoleAssignments", tenant="fabrikam")
    assert [one["appRoleId"] for one in rights.content["value"]] == [facts.FULL_ACCESS_ROLE]


def test_a_deleted_application_takes_its_principal_along_and_comes_back_with_it(lab: CloudLab) -> None:
    [found] = by_name(lab, NAME)
    principal = f"/v1.0/servicePrincipals(appId='{CLIENT_ID}')"
    before = graph(lab, "GET", principal, tenant="fabrikam").content
    assert graph(lab, "DELETE", f"/v1.0/applications/{found['id']}", tenant="fabrikam").status == 204
    assert by_name(lab, NAME) == []
    assert graph(lab, "GET", principal, tenant="fabrikam").status == 404
    bin_ = "/v1.0/directory/deletedItems"
    [item] = graph(lab, "GET", f"{bin_}/microsoft.graph.application", tenant="fabrikam").content["value"]
    assert (item["id"], item["appId"]) == (found["id"], CLIENT_ID)
    assert item["deletedDateTime"]
    [gone] = graph(lab, "GET", f"{bin_}/microsoft.graph.servicePrincipal", tenant="fabrikam").content["value"]
    assert gone["id"] == before["id"]
    assert graph(lab, "GET", f"{bin_}/{found['id']}").status == 404  # another tenant's
    assert graph(lab, "POST", f"{bin_}/{found['id']}/restore", {}, "fabrikam").status == 200
    assert by_name(lab, NAME) == [found]
    assert graph(lab, "GET", principal, tenant="fabrikam").content == before
    assert graph(lab, "GET", f"{bin_}/microsoft.graph.application", tenant="fabrikam").content["value"] == []


def test_the_bin_forgets(lab: CloudLab) -> None:
    bin_ = "/v1.0/directory/deletedItems"
    [found] = by_name(lab, NAME)
    graph(lab, "DELETE", f"/v1.0/applications/{found['id']}", tenant="fabrikam")
    principal = graph(lab, "GET", f"{bin_}/microsoft.graph.servicePrincipal", tenant="fabrikam").content["value"][0]
    assert graph(lab, "DELETE", f"{bin_}/{principal['id']}", tenant="fabrikam").status == 204
    assert graph(lab, "GET", f"{bin_}/{principal['id']}", tenant="fabrikam").status == 404
    lab.services.clock.advance(30 * 86_400 + 1)
    assert graph(lab, "GET", f"{bin_}/{found['id']}", tenant="fabrikam").status == 404
    assert graph(lab, "GET", f"{bin_}/microsoft.graph.group", tenant="fabrikam").status == 400


def test_who_may_not_delete(lab: CloudLab) -> None:
    [found] = by_name(lab, NAME)
    path = f"/v1.0/applications/{found['id']}"
    assert graph(lab, "DELETE", path, tenant="fabrikam", application="limited_application").status == 403
    assert by_name(lab, NAME) == [found]


# -- what applications may do --------------------------------------------------------------------------------------

# Some of Microsoft's published ids, written down once more: those of the lab are to be the same.
PUBLISHED = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Exchange.ManageAsApp": "dc50a0fb-09a3-484d-be87-e023b12c6440",
    "Synchronization.ReadWrite.All": "9b50c33d-700f-43b1-b2eb-87e89b703581",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}


def assignments(lab: CloudLab, of: str = "application", tenant: str = "contoso") -> list[dict[str, Any]]:
    path = f"/v1.0/servicePrincipals/{lab.principal(of, tenant)['id']}/appRoleAssignments"
    found: list[dict[str, Any]] = graph(lab, "GET", path, tenant=tenant).content["value"]
    return found


def stated(lab: CloudLab, service: str, application: str = "application", tenant: str = "contoso") -> list[str]:
    token = lab.token(service, application, tenant)
    return list(jwt.decode(token, options={"verify_signature": False})["roles"])


def revoke(lab: CloudLab, role_id: str) -> None:
    lab.permit("AppRoleAssignment.ReadWrite.All")  # which the lab's application does not have
    [row] = [one for one in assignments(lab) if one["appRoleId"] == role_id]
    path = f"/v1.0/servicePrincipals/{row['principalId']}/appRoleAssignments/{row['id']}"
    assert graph(lab, "DELETE", path).status == 204


@pytest.mark.parametrize("tenant", ["contoso", "fabrikam"])
@pytest.mark.parametrize("application", ["application", "limited_application"])
def test_an_applications_assignments_are_the_roles_of_its_tokens(lab: CloudLab, application: str, tenant: str) -> None:
    rows = assignments(lab, application, tenant)
    for service, resource in RESOURCES.items():
        at = f"/v1.0/servicePrincipals(appId='{resource.app_id}')"
        principal = graph(lab, "GET", at, tenant=tenant).content
        own = [one for one in rows if one["resourceId"] == principal["id"]]
        assert {one["resourceDisplayName"] for one in own} <= {principal["displayName"]}
        roles = stated(lab, service, application, tenant)
        assert sorted(one["appRoleId"] for one in own) == sorted(resource.roles[role] for role in roles)
        assert {resource.roles[role] for role in roles if role in PUBLISHED} == {
            PUBLISHED[role] for role in roles if role in PUBLISHED
        }
    assert {(one["principalDisplayName"], one["principalType"]) for one in rows} == {(application, "ServicePrincipal")}
    assert len({one["id"] for one in rows}) == len(rows) == {"application": 15, "limited_application": 7}[application]


def test_an_expired_secret_takes_no_permission_away(lab: CloudLab) -> None:
    roles = {one["appRoleId"] for one in assignments(lab, "expired_application")}
    assert roles == {one["appRoleId"] for one in assignments(lab)}
    assert set(PUBLISHED.values()) < roles


def test_what_is_taken_away_is_missing_from_the_next_token(lab: CloudLab) -> None:
    users, before = "/v1.0/users?$top=1", lab.token("graph")
    revoke(lab, PUBLISHED["User.Read.All"])
    assert "User.Read.All" not in stated(lab, "graph")
    assert graph(lab, "GET", users).status == 403
    # What was issued before is good until it expires.
    assert lab.send("graph", "GET", users, authorization=f"Bearer {before}").status == 200
    assert lab.exo("Get-OrganizationConfig").status == 200
    revoke(lab, PUBLISHED["Exchange.ManageAsApp"])
    assert stated(lab, "exchange") == []
    assert lab.exo("Get-OrganizationConfig").status == 403
    assert "User.Read.All" in stated(lab, "graph", "limited_application")
    assert lab.control("GET", "/state").content["violations"] == []


def test_a_reset_gives_back_what_was_taken_away(lab: CloudLab) -> None:
    full, rows = stated(lab, "graph"), assignments(lab)
    revoke(lab, PUBLISHED["User.Read.All"])
    lab.control("POST", "/checkpoint")
    at_checkpoint = stated(lab, "graph")
    revoke(lab, PUBLISHED["Synchronization.ReadWrite.All"])
    lab.control("POST", "/reset?to=checkpoint")
    assert stated(lab, "graph") == at_checkpoint != full
    lab.control("POST", "/reset")
    assert (stated(lab, "graph"), assignments(lab)) == (full, rows)


def test_every_permission_that_graph_asks_for_can_be_granted() -> None:
    assert {one for route in ROUTES for one in route.permissions} <= set(RESOURCES["graph"].roles)


# -- recipients that AD masters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "collection", "cmdlet"),
    [("contact", "contacts", "Get-MailContact"), ("group", "groups", "Get-DistributionGroup")],
)
def test_a_moved_source_of_authority_shows_in_exchange_online(
    lab: CloudLab, kind: str, collection: str, cmdlet: str
) -> None:
    object_id, tenant_id = "30000000-0000-4000-8000-000000000003", lab.config["tenants"]["contoso"]["tenant_id"]
    common = {"id": object_id, "displayName": "Northwind", "onPremisesSyncEnabled": True, "isCloudManaged": False}
    own = {
        "contact": {"Identity": "Northwind", "Name": "Northwind", "IsDirSynced": True},
        "group": {"mailEnabled": True, "securityEnabled": False, "mail": "n@contoso.lab"},
    }[kind]
    lab.store.put(tenant_id, kind, object_id, {**common, **own})

    def synced() -> bool:
        [found] = lab.exo(cmdlet).content["value"]
        return bool(found["IsDirSynced"])

    assert synced()
    path = f"/v1.0/{collection}/{object_id}/onPremisesSyncBehavior"
    assert graph(lab, "PATCH", path, {"isCloudManaged": True}).status == 204
    assert not synced()


def test_a_mail_user_whose_user_moved_is_no_synchronized_one(lab: CloudLab) -> None:
    user_id, tenant_id = lab.mailbox_id("ada"), lab.config["tenants"]["contoso"]["tenant_id"]
    row = {"ExternalDirectoryObjectId": user_id, "Identity": "ada", "Name": "ada", "IsDirSynced": True}
    lab.store.delete(tenant_id, "mailbox", user_id)
    lab.store.put(tenant_id, "mailUser", user_id, row)
    path = f"/v1.0/users/{user_id}/onPremisesSyncBehavior"
    assert graph(lab, "PATCH", path, {"isCloudManaged": True}).status == 204
    assert lab.exo("Get-MailUser", Identity="ada").content["value"][0]["IsDirSynced"] is False
