# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-Mailbox: authority, addresses, types, values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.cloud.exchange import addresses, properties
from tests.lab.cloud.exchange.binder import Edit
from tests.lab.cloud.wire import Refused
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, error_text, exception, lab

__all__ = ["lab"]


def edit(**parts: Any) -> dict[str, Any]:
    return {"@odata.type": "#Exchange.GenericHashTable", **parts}


def test_the_flag_goes_on_and_off_and_stands_alone(lab: CloudLab) -> None:
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is False
    lab.manage("ada")
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is True
    assert lab.mailbox("ada")["_sequence"] == 1
    again = lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=True)
    assert "no settings of 'ada' have been modified" in again.content["@adminapi.warnings"][0]
    assert lab.mailbox("ada")["_sequence"] == 1
    refused = lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=True, CustomAttribute1="x")
    assert "Parameter set cannot be resolved" in error_text(refused)
    assert lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=False, WhatIf=True).status == 200
    assert lab.mailbox("ada")["IsExchangeCloudManaged"] is True
    assert lab.exo("Set-Mailbox", Identity="ada", IsExchangeCloudManaged=False, Confirm=False).status == 200
    assert lab.mailbox("ada")["_handedBack"] is True
    lab.manage("ada")
    assert "_handedBack" not in lab.mailbox("ada")


def test_the_flag_is_for_synchronized_mailboxes_only(lab: CloudLab) -> None:
    refused = lab.exo("Set-Mailbox", Identity="info", IsExchangeCloudManaged=True)
    assert refused.status == 400
    assert "isn't synchronized" in error_text(refused)


def test_before_the_flag_edits_are_refused_but_the_type_and_the_clouds_own(lab: CloudLab) -> None:
    before = lab.mailbox("ada")
    for name, value in (("CustomAttribute1", "x"), ("EmailAddresses", ["SMTP:a@contoso.lab"]), ("Alias", "new"),
                        ("HiddenFromAddressListsEnabled", True), ("DisplayName", "New")):  # fmt: skip
        refused = lab.exo("Set-Mailbox", Identity="ada", **{name: value})
        assert "out of the current user's write scope" in error_text(refused)
        assert name in error_text(refused)
    assert lab.mailbox("ada") == before
    assert lab.exo("Set-Mailbox", Identity="ada", Type="shared").status == 200
    assert lab.mailbox("ada")["RecipientTypeDetails"] == "SharedMailbox"
    assert lab.exo("Set-Mailbox", Identity="ada", ProhibitSendQuota="49.5GB").status == 200
    assert lab.mailbox("ada")["ProhibitSendQuota"] == "49.5 GB (53,150,220,288 bytes)"
    lab.services.scenario.set({"unmanaged_edit": "accepted"})
    assert lab.exo("Set-Mailbox", Identity="ada", CustomAttribute1="x").status == 200
    assert lab.exo("Set-Mailbox", Identity="ada", DisplayName="New").status == 400


def test_with_the_flag_exchange_attributes_are_open_and_identity_stays_shut(lab: CloudLab) -> None:
    lab.manage("ada")
    lab.services.clock.advance(60)
    values = {"CustomAttribute1": "eins", "CustomAttribute15": "", "ExtensionCustomAttribute1": ["a", "b"],
              "HiddenFromAddressListsEnabled": True, "Alias": "ada.l", "ModerationEnabled": True,
              "LitigationHoldDate": "2026-01-01T00:00:00Z", "ResourceCapacity": 4, "RetentionComment": "c"}  # fmt: skip
    before = lab.mailbox("ada")
    assert lab.exo("Set-Mailbox", Identity="ada", **values).status == 200
    after = lab.mailbox("ada")
    assert {name: after[name] for name in values} == values
    assert after["WhenChangedUTC"] > before["WhenChangedUTC"]
    assert lab.exo("Set-Mailbox", Identity="ada.l", DisplayName="New").status == 400
    assert lab.exo("Set-Mailbox", Identity="info", DisplayName="New", Name="i2").status == 200  # cloud-only


@pytest.mark.parametrize(
    ("name", "value"),
    [("CustomAttribute1", "x" * 1025), ("ExtensionCustomAttribute1", ["x"] * 1301), ("Alias", "a b"),
     ("ProhibitSendQuota", "much"), ("ModeratedBy", ["nobody"]), ("ForwardingAddress", "nobody"),
     ("WindowsEmailAddress", "not an address")],
)  # fmt: skip
def test_values_that_break_a_rule(lab: CloudLab, name: str, value: Any) -> None:
    lab.manage("ada")
    before = lab.mailbox("ada")
    assert lab.exo("Set-Mailbox", Identity="ada", CustomAttribute2="also", **{name: value}).status == 400
    assert lab.mailbox("ada") == before  # all or nothing


def test_references_are_resolved_and_lists_are_edited(lab: CloudLab) -> None:
    lab.manage("ada")
    settings = {"ModeratedBy": ["BOB@contoso.lab", "eve"], "ForwardingAddress": "info",
                "ForwardingSmtpAddress": "Someone@else.example", "DeliverToMailboxAndForward": True}  # fmt: skip
    assert lab.exo("Set-Mailbox", Identity="ada", **settings).status == 200
    row = lab.mailbox("ada")
    assert (row["ModeratedBy"], row["ForwardingAddress"]) == (["bob", "eve"], "info")
    assert row["ForwardingSmtpAddress"] == "smtp:someone@else.example"
    assert lab.exo("Set-Mailbox", Identity="ada", ForwardingAddress=None, ForwardingSmtpAddress="").status == 200
    assert lab.mailbox("ada")["ForwardingAddress"] is None
    lists = {"ExtensionCustomAttribute2": ["a", "b"]}
    assert lab.exo("Set-Mailbox", Identity="ada", **lists).status == 200
    changed = lab.exo("Set-Mailbox", Identity="ada", ExtensionCustomAttribute2=edit(Add=["c", "A"], Remove="b"))
    assert changed.status == 200
    assert lab.mailbox("ada")["ExtensionCustomAttribute2"] == ["a", "c"]


@pytest.mark.parametrize(
    ("kind", "details", "resource"),
    [("Shared", "SharedMailbox", None), ("Room", "RoomMailbox", "Room"), ("Equipment", "EquipmentMailbox", "Equipment"),
     ("Regular", "UserMailbox", None)],
)  # fmt: skip
def test_types(lab: CloudLab, kind: str, details: str, resource: str | None) -> None:
    assert lab.exo("Set-Mailbox", Identity="ada", Type=kind).status == 200
    assert (lab.mailbox("ada")["RecipientTypeDetails"], lab.mailbox("ada")["ResourceType"]) == (details, resource)


def test_addresses_move_the_primary_everywhere(lab: CloudLab) -> None:
    lab.manage("ada")
    assert lab.exo("Set-Mailbox", Identity="ada", WindowsEmailAddress="first@contoso.lab").status == 200
    row = lab.mailbox("ada")
    assert row["EmailAddresses"] == [
        "SMTP:first@contoso.lab",
        "smtp:ada@contoso.lab",
        "smtp:ada@contoso.onmicrosoft.com",
    ]
    assert row["PrimarySmtpAddress"] == row["WindowsEmailAddress"] == "first@contoso.lab"
    whole = ["smtp:first@contoso.lab", "SMTP:ada@contoso.lab", "X500:/o=x", "sip:ada@elsewhere.example"]
    assert lab.exo("Set-Mailbox", Identity="ada", EmailAddresses=whole).status == 200
    assert lab.mailbox("ada")["EmailAddresses"] == whole
    assert lab.mailbox("ada")["WindowsEmailAddress"] == "ada@contoso.lab"
    assert lab.mailbox("ada")["UserPrincipalName"] == "ada@contoso.lab"
    changed = lab.exo("Set-Mailbox", Identity="ada", EmailAddresses=edit(Add=["n@contoso.lab"], Remove=["X500:/o=x"]))
    assert changed.status == 200
    assert lab.mailbox("ada")["EmailAddresses"] == [*whole[:2], whole[3], "smtp:n@contoso.lab"]


def test_an_address_belongs_to_one_recipient_and_an_accepted_domain(lab: CloudLab) -> None:
    lab.manage("ada", "bob")
    for taken in ("bob@contoso.lab", "SMTP:BOB@contoso.onmicrosoft.com", "info@contoso.onmicrosoft.com"):
        refused = lab.exo("Set-Mailbox", Identity="ada", EmailAddresses=edit(Add=[taken]))
        assert exception(refused) == "ProxyAddressExistsException"
        assert "already being used" in error_text(refused)
    group = {"id": "99999999-0000-4000-8000-000000000001", "displayName": "All", "mailEnabled": True,
             "proxyAddresses": ["SMTP:all@contoso.lab"]}  # fmt: skip
    lab.store.put(CONTOSO, "group", group["id"], group)
    refused = lab.exo("Set-Mailbox", Identity="ada", WindowsEmailAddress="ALL@contoso.lab")
    assert exception(refused) == "ProxyAddressExistsException"
    refused = lab.exo("Set-Mailbox", Identity="ada", EmailAddresses=edit(Add=["a@elsewhere.example"]))
    assert exception(refused) == "NotAcceptedDomainException"
    # An address that only looks like one in use is free.
    assert lab.exo("Set-Mailbox", Identity="ada", EmailAddresses=edit(Add=["ob@contoso.lab"])).status == 200
    assert lab.mailbox("bob")["EmailAddresses"][0] == "SMTP:bob@contoso.lab"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["a@x.y", "b@x.y"], ["SMTP:a@x.y", "smtp:b@x.y"]),
        (["smtp:b@x.y", "SMTP:a@x.y"], ["smtp:b@x.y", "SMTP:a@x.y"]),
        (["SMTP:a@x.y", "x500:/o=1", "SIP:a@x.y"], ["SMTP:a@x.y", "x500:/o=1", "SIP:a@x.y"]),
    ],
)
def test_whole_lists(given: list[str], kept: list[str]) -> None:
    assert addresses.whole(given) == kept


@pytest.mark.parametrize(
    "given",
    [[], ["smtp:a@x.y"], ["SMTP:a@x.y", "SMTP:b@x.y"], ["SMTP:a@x.y", "smtp:A@x.y"], ["SMTP:a b@x.y"], ["SMTP:a@x"],
     ["X500:/o=1", "a@x.y"], ["SMTP:a@x.y", "smtp:" + "b" * 1123 + "@x.y"]],
)  # fmt: skip
def test_whole_lists_that_cannot_be(given: list[str]) -> None:
    with pytest.raises(Refused):
        addresses.whole(given)


def test_edits_of_lists() -> None:
    current = ["SMTP:a@x.y", "smtp:b@x.y"]
    assert addresses.edited(current, Edit(("smtp:B@x.y",), ("c@x.y",))) == current
    assert addresses.edited(current, Edit(("SMTP:b@x.y",), ())) == ["SMTP:b@x.y", "smtp:a@x.y"]
    assert addresses.edited(current, Edit(("SMTP:c@x.y",), ("a@x.y",))) == ["SMTP:c@x.y", "smtp:b@x.y"]
    with pytest.raises(Refused):
        addresses.edited(current, Edit((), ("SMTP:a@x.y",)))


@pytest.mark.parametrize(
    ("given", "text"),
    [("unlimited", "Unlimited"), ("1024", "1 KB (1,024 bytes)"), ("2 TB", "2 TB (2,199,023,255,552 bytes)"),
     ("49.5 GB (53,150,220,288 bytes)", "49.5 GB (53,150,220,288 bytes)"), (0, "0 B (0 bytes)"), ("x", None)],
)  # fmt: skip
def test_sizes(given: str | int, text: str | None) -> None:
    assert properties.size_text(given) == text
