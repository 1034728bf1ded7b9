# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect Sync: what AD gives the cloud, and what it no longer gives once the cloud has authority."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.engines import EngineRefusal
from tests.lab_tests.engine_directory import BASE, TENANT, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.close()


def test_a_remote_mailbox_becomes_user_and_mailbox(lab: Lab) -> None:
    dn = lab.directory.mailbox(
        "Anna",
        extensionAttribute3="x",
        msExchHideFromAddressLists="TRUE",
        msExchRecipientTypeDetails=34359738368,
        msExchRemoteRecipientType=100,
        msExchELCMailboxFlags=8,
    )
    counts = lab.sync(initial=True)
    assert (counts["added"], counts["recipients_added"]) == (1, 1)
    user, mailbox = lab.user("Anna"), lab.mailbox("Anna")
    assert user["onPremisesDistinguishedName"] == dn
    assert user["onPremisesSyncEnabled"] is True
    assert mailbox["ExternalDirectoryObjectId"] == user["id"]
    assert (mailbox["RecipientTypeDetails"], mailbox["RemoteRecipientType"]) == (
        "SharedMailbox",
        "Migrated, SharedMailbox",
    )
    assert mailbox["CustomAttribute3"] == "x"
    assert mailbox["CustomAttribute4"] == ""
    assert mailbox["HiddenFromAddressListsEnabled"] is True
    assert mailbox["LitigationHoldEnabled"] is True
    assert mailbox["IsExchangeCloudManaged"] is False
    assert user["proxyAddresses"] == mailbox["EmailAddresses"]
    assert user["mail"] == "anna@contoso.lab"
    assert user["onPremisesExtensionAttributes"]["extensionAttribute3"] == "x"


def test_the_anchor_is_consistency_guid_else_object_guid_and_ids_are_stable(lab: Lab, tmp_path: Path) -> None:
    raw = uuid.uuid4().bytes_le
    lab.directory.mailbox("Anna", mS__DS__ConsistencyGuid=raw)
    dn = lab.directory.mailbox("Bert")
    lab.sync()
    assert lab.user("Anna")["onPremisesImmutableId"] == base64.b64encode(raw).decode()
    guid = uuid.uuid5(uuid.NAMESPACE_DNS, dn).bytes_le
    assert lab.user("Bert")["onPremisesImmutableId"] == base64.b64encode(guid).decode()
    (tmp_path / "again").mkdir()
    again = Lab(tmp_path / "again")
    again.directory.mailbox("Anna", mS__DS__ConsistencyGuid=raw)
    again.sync()
    assert again.user("Anna")["id"] == lab.user("Anna")["id"]
    again.close()


def test_kinds_of_users(lab: Lab) -> None:
    lab.directory.mailbox("Onprem", msExchRecipientTypeDetails=1, msExchRemoteRecipientType=[])
    lab.directory.add("Plain", sAMAccountName="plain", userPrincipalName="plain@old.example", displayName="Plain")
    lab.directory.mailbox("System", msExchRecipientTypeDetails=8388608)
    lab.directory.add("krbtgt", sAMAccountName="krbtgt", isCriticalSystemObject="TRUE")
    lab.directory.add("PC", kind="computer", sAMAccountName="pc$")
    lab.sync()
    assert {user["displayName"] for user in lab.store.list(TENANT, "user")} == {"Onprem", "Plain"}
    assert lab.user("Plain")["userPrincipalName"] == "plain@contoso.onmicrosoft.com"
    assert [one["RecipientTypeDetails"] for one in lab.store.list(TENANT, "mailUser")] == ["MailUser"]
    assert lab.store.list(TENANT, "mailbox") == []


def test_groups_and_references_follow_names(lab: Lab) -> None:
    a, b = lab.directory.mailbox("Anna"), lab.directory.mailbox("Bert")
    inner = lab.directory.add("Inner", kind="group", sAMAccountName="inner", member=[a], groupType=-2147483646)
    lab.directory.add("Outer", kind="group", sAMAccountName="outer", member=[inner, b, f"CN=gone,{BASE}"])
    lab.directory.change(b, altRecipient=a, publicDelegates=[a, f"CN=gone,{BASE}"])
    lab.sync()
    groups = {group["displayName"]: group for group in lab.store.list(TENANT, "group")}
    assert groups["Inner"]["_members"] == [lab.user("Anna")["id"]]
    assert sorted(groups["Outer"]["_members"]) == sorted([groups["Inner"]["id"], lab.user("Bert")["id"]])
    assert groups["Inner"]["securityEnabled"] is True
    assert lab.mailbox("Bert")["ForwardingAddress"] == "Anna"
    assert lab.mailbox("Bert")["GrantSendOnBehalfTo"] == ["Anna"]


def test_contacts_need_an_address(lab: Lab) -> None:
    lab.directory.add("Partner", kind="contact", mail="p@partner.example", targetAddress="SMTP:p@partner.example")
    lab.directory.add("Nobody", kind="contact")
    lab.sync()
    (contact,) = lab.store.list(TENANT, "contact")
    assert (contact["Name"], contact["ExternalEmailAddress"]) == ("Partner", "SMTP:p@partner.example")


def test_a_delta_consumes_only_what_changed(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.directory.mailbox("Bert")
    lab.sync()
    before = lab.mailbox("Bert")
    lab.directory.change(dn, extensionAttribute1="new", displayName="Anna B")
    lab.seconds += 60
    counts = lab.sync()
    assert (counts["updated"], counts["unchanged"], counts["initial"]) == (1, 0, False)
    assert lab.mailbox("Anna B")["CustomAttribute1"] == "new"
    assert lab.mailbox("Anna B")["WhenChangedUTC"] > before["WhenChangedUTC"]
    assert lab.mailbox("Bert") == before


def test_without_a_change_nothing_is_written(lab: Lab) -> None:
    lab.directory.mailbox("Anna")
    lab.sync()
    before = (lab.user("Anna"), lab.mailbox("Anna"))
    lab.seconds += 60
    assert lab.sync(initial=True)["unchanged"] == 1
    assert (lab.user("Anna"), lab.mailbox("Anna")) == before


def test_a_cloud_managed_mailbox_keeps_its_values_but_not_its_name(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna", extensionAttribute1="ad")
    lab.sync()
    lab.edit("Anna", IsExchangeCloudManaged=True, CustomAttribute1="cloud")
    lab.directory.change(dn, extensionAttribute1="ad2", displayName="Anna C", mailNickname="other")
    lab.sync()
    mailbox = lab.mailbox("Anna C")
    assert (mailbox["CustomAttribute1"], mailbox["Alias"], mailbox["DisplayName"]) == ("cloud", "anna", "Anna C")
    assert lab.user("Anna C")["onPremisesExtensionAttributes"]["extensionAttribute1"] == "cloud"


@pytest.mark.parametrize("seen_by_a_run", [True, False])
def test_a_roll_back_overwrites_with_ad_s_values_though_ad_did_not_change(lab: Lab, seen_by_a_run: bool) -> None:
    lab.directory.mailbox("Anna", extensionAttribute1="ad")
    lab.sync()
    lab.edit("Anna", IsExchangeCloudManaged=True, CustomAttribute1="cloud", HiddenFromAddressListsEnabled=True)
    if seen_by_a_run:
        lab.sync()
        assert lab.mailbox("Anna")["CustomAttribute1"] == "cloud"
    lab.edit("Anna", IsExchangeCloudManaged=False)
    lab.sync()
    mailbox = lab.mailbox("Anna")
    assert (mailbox["CustomAttribute1"], mailbox["HiddenFromAddressListsEnabled"]) == ("ad", False)
    assert lab.sync()["unchanged"] == 0


def test_a_type_changed_without_authority_stays_until_ad_changes(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    lab.edit("Anna", RecipientTypeDetails="SharedMailbox")
    lab.sync()
    assert lab.mailbox("Anna")["RecipientTypeDetails"] == "SharedMailbox"
    lab.directory.change(dn, extensionAttribute1="x")
    lab.sync()
    assert lab.mailbox("Anna")["RecipientTypeDetails"] == "UserMailbox"


@pytest.mark.parametrize(("switch", "expected"), [("no", []), ("yes", ["a", "b"])])
def test_extension_custom_attributes_flow_only_if_the_scenario_says_so(
    lab: Lab, switch: str, expected: list[str]
) -> None:
    lab.scenario.set({"extension_custom_attributes_flow": switch})
    lab.directory.mailbox("Anna", msExchExtensionCustomAttribute1=["a", "b"])
    lab.sync()
    assert lab.mailbox("Anna")["ExtensionCustomAttribute1"] == expected


def test_the_second_object_with_an_anchor_is_not_exported(lab: Lab) -> None:
    raw = uuid.uuid4().bytes_le
    lab.directory.mailbox("Zoe", mS__DS__ConsistencyGuid=raw)
    lab.sync()
    second = lab.directory.mailbox("Anna", mS__DS__ConsistencyGuid=raw)
    assert lab.sync()["errors"] == 1
    assert [user["displayName"] for user in lab.store.list(TENANT, "user")] == ["Zoe"]
    (error,) = lab.user("Zoe")["onPremisesProvisioningErrors"]
    assert error["propertyCausingError"] == "ImmutableId"
    assert second in error["value"]
    lab.directory.remove(second)
    lab.sync()
    assert lab.user("Zoe")["onPremisesProvisioningErrors"] == []


def test_an_address_belongs_to_one_object(lab: Lab) -> None:
    lab.directory.mailbox("Anna", proxyAddresses=["SMTP:anna@contoso.lab", "smtp:team@contoso.lab"])
    lab.sync()
    lab.directory.mailbox("Bert", proxyAddresses=["SMTP:bert@contoso.lab", "smtp:TEAM@contoso.lab"])
    assert lab.sync()["errors"] == 1
    (error,) = lab.user("Bert")["onPremisesProvisioningErrors"]
    assert (error["propertyCausingError"], error["value"]) == ("ProxyAddresses", "smtp:TEAM@contoso.lab")
    assert "smtp:TEAM@contoso.lab" not in lab.mailbox("Bert")["EmailAddresses"]
    assert "smtp:team@contoso.lab" in lab.mailbox("Anna")["EmailAddresses"]


def test_two_people_of_one_name_get_different_identities(lab: Lab) -> None:
    lab.directory.mailbox("Anna")
    lab.directory.mailbox(
        "Anna",
        container=f"OU=Two,{BASE}",
        sAMAccountName="a2",
        userPrincipalName="a2@contoso.lab",
        mailNickname="a2",
        proxyAddresses=["SMTP:a2@contoso.lab"],
    )
    lab.sync()
    names = [one["Identity"] for one in lab.store.list(TENANT, "mailbox")]
    assert len(set(names)) == 2


def test_what_ad_deletes_goes_from_the_cloud(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.directory.mailbox("Bert")
    lab.sync()
    lab.store.put(
        TENANT, "user", "cloud-only", {"id": "cloud-only", "displayName": "Cloud", "onPremisesSyncEnabled": None}
    )
    lab.directory.remove(dn)
    assert lab.sync()["deleted"] == 1
    assert {one["displayName"] for one in lab.store.list(TENANT, "user")} == {"Bert", "Cloud"}
    assert len(lab.store.list(TENANT, "mailbox")) == 1


def test_an_empty_directory_deletes_nothing(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    lab.directory.remove(dn)
    with pytest.raises(EngineRefusal, match="nothing was changed"):
        lab.sync()
    assert lab.user("Anna")


def test_a_directory_that_is_down_changes_nothing(lab: Lab) -> None:
    lab.directory.mailbox("Anna")
    lab.sync()
    lab.directory.down = True
    with pytest.raises(EngineRefusal) as refused:
        lab.sync()
    assert (refused.value.status, refused.value.code) == (503, "DirectoryUnavailable")
    assert lab.user("Anna")


def test_full_object_authority_takes_the_user_from_connect(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna")
    lab.sync()
    user = {**lab.user("Anna"), "isCloudManaged": True, "onPremisesSyncEnabled": None}
    lab.store.put(TENANT, "user", user["id"], user)
    lab.directory.change(dn, title="Boss")
    lab.sync()
    assert lab.user("Anna")["jobTitle"] is None
    lab.store.put(TENANT, "user", user["id"], {**user, "isCloudManaged": False})
    lab.sync()
    assert (lab.user("Anna")["jobTitle"], lab.user("Anna")["onPremisesSyncEnabled"]) == ("Boss", True)


def test_with_the_tenant_default_on_new_recipients_are_bare_users(lab: Lab) -> None:
    lab.directory.mailbox("Anna")
    lab.sync()
    lab.store.put(TENANT, "organization", "o", {"id": "o", "BlockExchangeProvisioningFromOnPremEnabled": True})
    lab.directory.mailbox("Bert")
    lab.sync()
    assert lab.mailbox("Bert") == {}
    assert lab.mailbox("Anna")


def test_a_migrated_mailbox_takes_the_mail_user_s_place(lab: Lab) -> None:
    dn = lab.directory.mailbox("Anna", msExchRecipientTypeDetails=1, msExchRemoteRecipientType=[])
    lab.sync()
    assert len(lab.store.list(TENANT, "mailUser")) == 1
    lab.directory.change(dn, msExchRecipientTypeDetails=2147483648, msExchRemoteRecipientType=4)
    lab.sync()
    assert lab.store.list(TENANT, "mailUser") == []
    assert lab.mailbox("Anna")["RecipientTypeDetails"] == "UserMailbox"
