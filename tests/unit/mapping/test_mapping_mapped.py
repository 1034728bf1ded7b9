# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mapping computed: the value it gives, the reasons it gives none, and what a cycle leaves in AD."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import flow, mapped, rule, source, source_values
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    Undetermined,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Mailbox
from hypothesis import given
from hypothesis import strategies as st


def graph(target: str, expression: str = "[a]", **more: Any) -> dict[str, Any]:
    return {"targetAttributeName": target, "source": source.from_expression(expression), **more}


def made(target: str, expression: str = "[a]", proxy_addresses: str = "overwrite", **more: Any) -> mapped.Mapped:
    return mapped.from_graph(graph(target, expression, **more), proxy_addresses=proxy_addresses)


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        ("extensionAttribute1", "x", ("x",)),
        ("extensionAttribute1", "", ()),
        ("extensionAttribute1", None, ()),
        ("extensionAttribute1", 12, ("12",)),
        ("extensionAttribute1", True, ("True",)),
        ("extensionAttribute1", ("x",), ("x",)),
        ("msExchExtensionCustomAttribute1", ("x", "", "y", "x"), ("x", "y")),
        ("msExchExtensionCustomAttribute1", "x", ("x",)),
        ("msExchHideFromAddressLists", True, ("TRUE",)),
        ("msExchHideFromAddressLists", "false", ("FALSE",)),
        ("msExchRecipientDisplayType", -2147483642, ("-2147483642",)),
        ("msExchRecipientDisplayType", " 6 ", ("6",)),
        ("msExchLitigationHoldDate", datetime(2026, 8, 3, 10, 15, tzinfo=UTC), ("20260803101500.0Z",)),
        ("msExchLitigationHoldDate", "8/3/2026 10:15:00 AM", ("20260803101500.0Z",)),
        ("msExchLitigationHoldDate", "20260803101500.0Z", ("20260803101500.0Z",)),
    ],
)
def test_a_value_is_what_ad_would_hold(target: str, value: Any, expected: tuple[str, ...]) -> None:
    assert made(target).desired({"a": value}) == expected


@pytest.mark.parametrize(
    ("target", "value", "words"),
    [
        ("extensionAttribute1", ("x", "y"), "takes one value, and the mapping gives 2"),
        ("extensionAttribute1", "x" * 1025, "at most 1024 characters"),
        ("msExchHideFromAddressLists", "maybe", "neither TRUE nor FALSE"),
        ("msExchRecipientDisplayType", "x", "not a whole number"),
        ("msExchRecipientDisplayType", 1 << 31, "does not fit into 32 bits"),
        ("msExchLitigationHoldDate", "soon", "not a time"),
        ("msExchLitigationHoldDate", "2026-02-30", "not a time"),
    ],
)
def test_what_ad_cannot_hold_is_a_problem_and_no_crash(target: str, value: Any, words: str) -> None:
    problem = made(target).desired({"a": value})
    assert isinstance(problem, mapped.Problem)
    assert not problem.undetermined
    assert problem.reason.startswith(target)
    assert words in problem.reason


def test_errors_and_unknowns_of_the_expression_are_told_apart() -> None:
    error = made("mail", "Item([a], 2)").desired({"a": "x"})
    unknown = made("mail", 'Append([a], "x")').desired({})
    assert isinstance(error, mapped.Problem)
    assert isinstance(unknown, mapped.Problem)
    assert (error.undetermined, unknown.undetermined) == (False, True)


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("[a]", {}, ("d",)),
        ("Trim([a])", {"a": " "}, ("d",)),
        ("[a]", {"a": "x"}, ("x",)),
        ("IgnoreFlowIfNullOrEmpty([a])", {}, NOT_FLOWED),
    ],
)
def test_the_default_stands_in_for_no_value(expression: str, values: dict[str, Any], expected: Any) -> None:
    assert made("mail", expression, defaultValue="d").desired(values) == expected


def test_a_constant_is_a_constant_however_it_looks() -> None:
    constant = {"targetAttributeName": "mail", "source": source.from_constant("Trim([a])")}
    assert mapped.from_graph(constant).desired({}) == ("Trim([a])",)


def test_the_mapping_type_none_only_fills_what_is_empty() -> None:
    none = mapped.from_graph({"targetAttributeName": "mail", "source": None, "defaultValue": "d"})
    assert none.desired({"mail": "x"}) == ("d",)
    assert none.after((), ("d",)) == ("d",)
    assert none.after(("x",), ("d",)) == ("x",)
    assert mapped.from_graph({"targetAttributeName": "mail", "source": None}).desired({}) is NOT_FLOWED


ALL = flow.FLOW_TYPES
AFTER = [
    # target, current, desired -> by flow type
    ("mail", ("a",), ("b",), {"Always": ("b",), "MultiValueAddOnly": ("b",), "ValueAddOnly": ("b",)}),
    ("mail", ("a",), (), {"Always": (), "MultiValueAddOnly": ()}),
    ("mail", (), ("b",), dict.fromkeys(ALL, ("b",)) | {"ObjectAddOnly": ()}),
    ("msExchExtensionCustomAttribute1", ("a", "b"), ("B", "c"),
     {"Always": ("B", "c"), "MultiValueAddOnly": ("a", "b", "c"), "ValueAddOnly": ("a", "b", "c")}),
    ("msExchExtensionCustomAttribute1", ("a", "b"), ("b", "a"), {}),
    ("msExchExtensionCustomAttribute1", ("a",), (), {"Always": ()}),
    ("proxyAddresses", ("SMTP:a@x", "X500:/o=1"), ("smtp:a@x", "SMTP:b@x"),
     {"Always": ("smtp:a@x", "SMTP:b@x"), "MultiValueAddOnly": ("SMTP:a@x", "X500:/o=1", "SMTP:b@x"),
      "ValueAddOnly": ("SMTP:a@x", "X500:/o=1", "SMTP:b@x")}),
    ("proxyAddresses", ("SMTP:A@x",), ("SMTP:a@x",), {}),
]  # fmt: skip


@pytest.mark.parametrize("flow_type", ALL)
@pytest.mark.parametrize(("target", "current", "desired", "expected"), AFTER)
def test_what_a_cycle_leaves_depends_on_the_flow_type(
    target: str,
    current: tuple[str, ...],
    desired: tuple[str, ...],
    expected: dict[str, tuple[str, ...]],
    flow_type: str,
) -> None:
    mapping = made(target, flowType=flow_type)
    assert mapping.after(current, desired) == expected.get(flow_type, current)
    assert mapping.after(current, desired, object_exists=False) == desired
    assert mapping.after(current, NOT_FLOWED) == current


def test_every_flow_type_of_graph_is_known_and_explained() -> None:
    assert set(ALL) == set(rule.FLOW_TYPES)
    assert all(item.documented for item in ALL.values())
    with pytest.raises(InputError, match="'Sometimes' is unknown"):
        made("mail", flowType="Sometimes")


def test_merging_addresses_is_a_choice() -> None:
    current, desired = ("SMTP:old@x", "X500:/o=1"), ("SMTP:new@x", "smtp:old@x")
    assert made("proxyAddresses").after(current, desired) == desired
    merged = made("proxyAddresses", proxy_addresses="merge").after(current, desired)
    assert set(merged) == {"SMTP:new@x", "smtp:old@x", "X500:/o=1"}
    with pytest.raises(InputError, match="overwrite, merge"):
        made("proxyAddresses", proxy_addresses="mix")


ADDRESSES = st.lists(
    st.sampled_from(["SMTP:a@x", "smtp:a@x", "SMTP:b@x", "smtp:b@x", "X500:/o=1", "sip:a@x"]), max_size=4, unique=True
).map(tuple)


@given(ADDRESSES, ADDRESSES, st.sampled_from(sorted(ALL)), st.sampled_from(flow.PROXY_ADDRESSES))
def test_a_second_cycle_changes_nothing(
    current: tuple[str, ...], desired: tuple[str, ...], flow_type: str, proxy_addresses: str
) -> None:
    mapping = made("proxyAddresses", proxy_addresses=proxy_addresses, flowType=flow_type)
    once = mapping.after(current, desired)
    assert set(mapping.after(once, desired)) == set(once)


@given(
    ADDRESSES, ADDRESSES, st.sampled_from(["MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly", "ObjectAddOnly"])
)
def test_only_always_loses_addresses(current: tuple[str, ...], desired: tuple[str, ...], flow_type: str) -> None:
    assert set(current) <= set(made("proxyAddresses", flowType=flow_type).after(current, desired))


def schema(*mappings: dict[str, Any]) -> dict[str, Any]:
    attributes = [{"name": "Mail", "caseExact": False}, {"name": "extensionAttribute1", "caseExact": True}]
    return {
        "directories": [{"name": "AD", "objects": [{"name": "user", "attributes": attributes}]}],
        "synchronizationRules": [
            {
                "targetDirectoryName": "AD",
                "objectMappings": [
                    {"sourceObjectName": "User", "enabled": True, "attributeMappings": list(mappings)},
                    {"sourceObjectName": "User", "enabled": False, "attributeMappings": [graph("proxyAddresses")]},
                ],
            }
        ],
    }


def test_a_schema_gives_its_mappings_and_says_what_it_cannot() -> None:
    broken = {"targetAttributeName": "extensionAttribute2", "source": {"type": "Function", "expression": "Trim("}}
    found, left_out = mapped.from_schema(schema(graph("mail"), graph("extensionAttribute1"), graph("cn"), broken))
    assert [item.target.ldap_name for item in found] == ["mail", "extensionAttribute1"]
    assert set(left_out) == {"cn", "extensionAttribute2"}
    assert "wrong at character" in left_out["extensionAttribute2"]
    mail, extension = found
    assert (mail.after(("A@x",), ("a@x",)), extension.after(("A",), ("a",))) == (("A@x",), ("a",))


def test_a_rule_is_computed_as_a_new_mapping() -> None:
    (given_rule,) = rule.from_option(
        [{"target": "mail", "expression": 'Append(Redact([a]), "x")', "flow_type": "value_add_only", "default": "d"}]
    )
    computed = mapped.from_rule(given_rule)
    assert computed.desired({"a": "y"}) == ("yx",)
    assert (computed.flow_type, computed.default, computed.redacted) == ("ValueAddOnly", ("d",), True)
    assert computed.sources == {"a"}
    (of_directory,) = rule.from_option([{"target": "mail", "owner": "directory"}])
    with pytest.raises(InputError, match="belongs to the directory writer"):
        mapped.from_rule(of_directory)


def test_the_reason_of_a_redacted_mapping_does_not_show_the_value() -> None:
    for expression in ("CDate(Redact([a]))", "Append(Redact([a]), [b])"):
        problem = made("mail", expression).desired({"a": "secret"})
        assert isinstance(problem, mapped.Problem)
        assert "secret" not in problem.reason


def test_what_a_mapping_needs_beside_the_mailbox_is_told() -> None:
    assert made("mail", "Trim([a])").needs == frozenset()
    assert made("mail", 'Join("@", [a], DefaultDomain())').needs == {"the tenant's default domain"}


def test_a_default_that_ad_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="default of the mapping"):
        made("msExchHideFromAddressLists", defaultValue="maybe")


def mailbox(**properties: Any) -> Mailbox:
    row = {"ExternalDirectoryObjectId": "1", "UserPrincipalName": "joe@contoso.com", "DisplayName": "Joe"}
    return Mailbox.from_exchange({**row, "RecipientTypeDetails": "UserMailbox", **properties})


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("Mail", {"WindowsEmailAddress": "joe@x"}, "joe@x"),
        ("extensionATTRIBUTE3", {"CustomAttribute3": ""}, None),
        ("CustomAttribute3", {"CustomAttribute3": "x"}, "x"),
        ("proxyAddresses", {"EmailAddresses": ["SMTP:a@x"]}, ("SMTP:a@x",)),
        ("ProxyAddresses", {"EmailAddresses": []}, None),
        ("mailNickname", {"Alias": "joe"}, "joe"),
        ("msExchHideFromAddressLists", {"HiddenFromAddressListsEnabled": True}, True),
        ("msExchRecipientTypeDetails", {}, 2147483648),
        ("msExchLitigationHoldDate", {"LitigationHoldDate": "2026-08-03T10:15:00Z"},
         datetime(2026, 8, 3, 10, 15, tzinfo=UTC)),
        ("userPrincipalName", {}, "joe@contoso.com"),
    ],
)  # fmt: skip
def test_a_mailbox_gives_the_values_of_the_source_side(name: str, properties: dict[str, Any], expected: Any) -> None:
    assert source_values.reader(mailbox(**properties))(name) == expected


@pytest.mark.parametrize(
    ("name", "properties", "words"),
    [
        ("department", {}, "no attribute of the mailbox"),
        ("CustomAttribute3", {}, "not asked for CustomAttribute3"),
        ("altRecipient", {"ForwardingAddress": "Joe"}, "not known here"),
        ("msExchRecipientTypeDetails", {"RecipientTypeDetails": "NoSuchMailbox"}, "msExch|type|NoSuchMailbox"),
    ],
)
def test_what_the_mailbox_does_not_tell_is_undetermined(name: str, properties: dict[str, Any], words: str) -> None:
    with pytest.raises(Undetermined, match=words):
        source_values.reader(mailbox(**properties))(name)


def test_every_attribute_written_back_has_a_source() -> None:
    for name in catalogue.WRITEBACK:
        row = source_values.lookup(name.upper())
        assert row is not None
        assert row.ldap_name == name
    assert source_values.lookup("WindowsEmailAddress") == source_values.lookup("mail")
    assert source_values.lookup("department") is None
    assert source_values.properties(["Mail", "department", "extensionAttribute1"]) == {
        "WindowsEmailAddress",
        "CustomAttribute1",
    }


def test_the_default_mapping_carries_a_mailbox_over_unchanged() -> None:
    addresses = ["SMTP:joe@x", "smtp:j@x"]
    read = source_values.reader(mailbox(EmailAddresses=addresses, CustomAttribute1="one", WindowsEmailAddress="joe@x"))
    for target, expected in (
        ("proxyAddresses", tuple(addresses)),
        ("extensionAttribute1", ("one",)),
        ("mail", ("joe@x",)),
    ):
        assert made(target, f"[{target}]").desired(read) == expected
    unread = made("extensionAttribute2", "[extensionAttribute2]").desired(read)
    assert isinstance(unread, mapped.Problem)
    assert unread.undetermined
