# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recipient types, source anchors, clouds, cmdlets and mailboxes."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import (
    clouds,
    recipient_types,
    source_anchor,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import hash_table
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "remote", "local"),
    [
        ("UserMailbox", (2147483648, -2147483642), (1, 1073741824)),
        ("SharedMailbox", (34359738368, -2147483642), (4, 0)),
        ("RoomMailbox", (8589934592, -2147481850), (16, 7)),
        ("EquipmentMailbox", (17179869184, -2147481594), (32, 8)),
    ],
)
def test_directory_type(name, remote, local):
    assert recipient_types.directory_type(name) == remote
    assert recipient_types.directory_type(name, "local") == local
    assert recipient_types.cloud_type(remote[0]) == recipient_types.cloud_type(local[0]) == name
    assert recipient_types.same_type(remote[0], local[0])


def test_unknown_types_and_styles_are_errors():
    with pytest.raises(InputError, match="DiscoveryMailbox"):
        recipient_types.directory_type("DiscoveryMailbox")
    with pytest.raises(InputError, match="remote, local"):
        recipient_types.directory_type("UserMailbox", "other")
    assert recipient_types.cloud_type(128) is None
    assert not recipient_types.same_type(128, 256)


def test_names_of_numbers():
    assert recipient_types.type_name(17179869184) == "RemoteEquipmentMailbox"
    assert recipient_types.type_name(17173869184) == "17173869184"  # a typo that circulates
    assert recipient_types.same_display_type(-2147483642, -1073741818)
    assert not recipient_types.same_display_type(-2147483642, -2147481850)


@given(st.binary(min_size=16, max_size=16))
def test_source_anchors_survive(anchor):
    assert source_anchor.from_base64(source_anchor.to_base64(anchor)) == anchor
    assert source_anchor.from_guid(source_anchor.to_guid(anchor)) == anchor


def test_source_anchor_is_little_endian_and_escaped_byte_by_byte():
    anchor = source_anchor.from_guid("11223344-5566-7788-99aa-bbccddeeff00")
    assert anchor.hex() == "44332211665588779" + "9aabbccddeeff00"
    assert source_anchor.filter_escape(anchor[:3]) == r"\44\33\22"
    assert source_anchor.filter_escape(b"*(\x00") == r"\2a\28\00"


@pytest.mark.parametrize("text", ["not base64!", "AAAA"])
def test_bad_source_anchors(text):
    with pytest.raises(InputError, match="source anchor"):
        source_anchor.from_base64(text)


def test_an_anchor_of_another_attribute_may_have_any_length():
    assert source_anchor.from_base64("AAAA", length=None) == b"\0\0\0"


@pytest.mark.parametrize(
    ("name", "login", "graph", "exchange", "on_demand"),
    [
        ("worldwide", "login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com", True),
        ("gcc_high", "login.microsoftonline.us", "graph.microsoft.us", "outlook.office365.us", True),
        ("dod", "login.microsoftonline.us", "dod-graph.microsoft.us", "outlook-dod.office365.us", True),
        (
            "china_21vianet",
            "login.partner.microsoftonline.cn",
            "microsoftgraph.chinacloudapi.cn",
            "partner.outlook.cn",
            False,
        ),
    ],
)
def test_clouds(name, login, graph, exchange, on_demand):
    cloud = clouds.cloud(name)
    assert (cloud.login_url, cloud.graph_url, cloud.exchange_url, cloud.provision_on_demand) == (
        f"https://{login}",
        f"https://{graph}",
        f"https://{exchange}",
        on_demand,
    )


def test_hosts_of_young_clouds_must_be_given():
    with pytest.raises(InputError, match="exchange_url is missing"):
        clouds.cloud("bleu", login_url="https://login.test", graph_url="https://graph.test")
    given = clouds.cloud(
        "delos", login_url="https://l.test/", graph_url="https://g.test", exchange_url="https://e.test:8443/"
    )
    assert (given.login_url, given.exchange_url) == ("https://l.test", "https://e.test:8443")


def test_hosts_must_be_https():
    with pytest.raises(InputError, match="graph_url must be a URL that begins with https"):
        clouds.cloud("worldwide", graph_url="http://graph.test")
    with pytest.raises(InputError, match="no cloud named 'mars'"):
        clouds.cloud("mars")


def test_hash_table_leaves_out_what_is_empty():
    assert hash_table(add=["smtp:a@x"]) == {"@odata.type": "#Exchange.GenericHashTable", "Add": ["smtp:a@x"]}
    assert hash_table(remove=["b"]) == {"@odata.type": "#Exchange.GenericHashTable", "Remove": ["b"]}


ROW = {
    "ExternalDirectoryObjectId": "2B3C4D5E-0000-4000-8000-000000000001",
    "UserPrincipalName": "anna@contoso.com",
    "RecipientType": "UserMailbox",
    "RecipientTypeDetails": "SharedMailbox",
    "IsDirSynced": True,
    "IsExchangeCloudManaged": "True",
    "CustomAttribute1": "",
    "CustomAttribute2": "x",
    "EmailAddresses": ["SMTP:anna@contoso.com"],
}


def test_mailbox_from_exchange():
    mailbox = Mailbox.from_exchange(ROW)
    assert mailbox.id == "2b3c4d5e-0000-4000-8000-000000000001"
    assert (mailbox.dir_synced, mailbox.cloud_managed) == (True, True)
    assert mailbox.values(attribute("extensionAttribute1")) == ()
    assert mailbox.values(attribute("extensionAttribute2")) == ("x",)
    assert mailbox.values(attribute("extensionAttribute3")) == ()
    assert mailbox.values(attribute("proxyAddresses")) == ("SMTP:anna@contoso.com",)
    assert mailbox.values(attribute("msExchRecipientTypeDetails")) == ("34359738368",)
    assert mailbox.values(attribute("msExchRecipientTypeDetails"), "local") == ("4",)
    assert mailbox.values(attribute("msExchRecipientDisplayType")) == ("-2147483642",)
    assert mailbox.values(attribute("targetAddress")) == ()


def test_mailbox_without_flags_is_not_cloud_managed():
    row = {name: value for name, value in ROW.items() if name not in {"IsDirSynced", "IsExchangeCloudManaged"}}
    mailbox = Mailbox.from_exchange(row)
    assert (mailbox.dir_synced, mailbox.cloud_managed) == (False, False)


def test_mailbox_without_an_object_id_is_an_error():
    with pytest.raises(ProtocolError, match=r"anna@contoso\.com without ExternalDirectoryObjectId"):
        Mailbox.from_exchange({"UserPrincipalName": "anna@contoso.com"})


def test_directory_user_from_graph():
    anchor = uuid.uuid4().bytes_le
    row = {
        "id": "AB",
        "onPremisesImmutableId": source_anchor.to_base64(anchor),
        "onPremisesDistinguishedName": "CN=a",
        "onPremisesDomainName": "corp.test",
        "onPremisesSyncEnabled": True,
    }
    assert DirectoryUser.from_graph(row) == DirectoryUser("ab", anchor, "CN=a", "corp.test", True)
    cloud_only = row | {"onPremisesSyncEnabled": None, "onPremisesImmutableId": "any text"}
    assert DirectoryUser.from_graph(cloud_only).source_anchor is None
