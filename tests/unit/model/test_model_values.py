# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Canonical values from and to each side."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import attribute
from hypothesis import given
from hypothesis import strategies as st

GUID = "11223344-5566-7788-99aa-bbccddeeff00"


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("extensionAttribute1", "", ()),
        ("extensionAttribute1", None, ()),
        ("extensionAttribute1", "a b", ("a b",)),
        ("extensionAttribute1", " ", (" ",)),
        ("msExchExtensionCustomAttribute1", [], ()),
        ("msExchExtensionCustomAttribute1", ["b", "", "a"], ("b", "a")),
        ("msExchExtensionCustomAttribute1", "a", ("a",)),
        ("msExchHideFromAddressLists", True, ("TRUE",)),
        ("msExchHideFromAddressLists", False, ("FALSE",)),
        ("msExchHideFromAddressLists", "False", ("FALSE",)),
        ("msExchResourceCapacity", 0, ("0",)),
        ("msExchVersion", 88218628259840, ("88218628259840",)),
        ("msExchMailboxGuid", GUID, (uuid.UUID(GUID).bytes_le.hex(),)),
        ("msExchArchiveGUID", "00000000-0000-0000-0000-000000000000", ()),
        ("msExchLitigationHoldDate", "2026-08-03T10:15:00.1234567Z", ("20260803101500.0Z",)),
        ("msExchLitigationHoldDate", "2026-08-03T12:15:00+02:00", ("20260803101500.0Z",)),
        ("msExchLitigationHoldDate", "2026-08-03T10:15:00", ("20260803101500.0Z",)),
    ],
)
def test_from_exchange(name, raw, expected):
    assert values.from_exchange(attribute(name), raw) == expected


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("extensionAttribute1", [], ()),
        ("extensionAttribute1", ["ö".encode()], ("ö",)),
        ("msExchHideFromAddressLists", [b"TRUE"], ("TRUE",)),
        ("msExchRecipientTypeDetails", [b"2147483648"], ("2147483648",)),
        ("msExchMailboxGuid", [bytes(range(16))], (bytes(range(16)).hex(),)),
        (
            "msExchMasterAccountSid",
            [bytes.fromhex("010500000000000515000000010000000200000003000000f4010000")],
            ("S-1-5-21-1-2-3-500",),
        ),
    ],
)
def test_from_directory(name, raw, expected):
    assert values.from_directory(attribute(name), raw) == expected


def test_bytes_that_are_no_text_are_an_error():
    with pytest.raises(ProtocolError, match=r"extensionAttribute1.*ff"):
        values.from_directory(attribute("extensionAttribute1"), [b"\xff"])
    with pytest.raises(ProtocolError, match="security identifier"):
        values.from_directory(attribute("msExchMasterAccountSid"), [b"\x01\x05"])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("extensionAttribute1", "", "empty text"),
        ("msExchResourceCapacity", "many", "whole number"),
        ("msExchResourceCapacity", str(1 << 31), "32 bits"),
        ("msExchVersion", str(1 << 63), "64 bits"),
        ("msExchHideFromAddressLists", "true", "neither TRUE nor FALSE"),
        ("msExchLitigationHoldDate", "tomorrow", "not a time"),
        ("msExchMailboxGuid", "xyz", "hexadecimal"),
        ("msExchMasterAccountSid", "S-1-5", "never written"),
    ],
)
def test_to_directory_refuses(name, value, message):
    with pytest.raises(InputError, match=message):
        values.to_directory(attribute(name), (value,))


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_integers_survive_the_round_trip(number):
    row = attribute("msExchResourceCapacity")
    assert values.from_directory(row, values.to_directory(row, (str(number),))) == (str(number),)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_texts_survive_the_round_trip(texts):
    row = attribute("msExchExtensionCustomAttribute1")
    assert values.from_directory(row, values.to_directory(row, tuple(texts))) == tuple(texts)


@given(st.binary(min_size=1))
def test_octets_survive_the_round_trip(data):
    row = attribute("msExchSafeSendersHash")
    assert values.to_directory(row, values.from_directory(row, [data])) == [data]


@pytest.mark.parametrize(
    ("name", "one", "other", "expected"),
    [
        ("extensionAttribute1", ("a",), ("A",), False),
        ("extensionAttribute1", (), ("a",), False),
        ("msExchExtensionCustomAttribute1", ("a", "b"), ("b", "a"), True),
        ("msExchExtensionCustomAttribute1", ("a", "a"), ("a",), True),
        ("msExchExtensionCustomAttribute1", ("a",), ("a", "b"), False),
        ("msExchResourceCapacity", ("07",), ("7",), True),
        ("altRecipient", ("CN=A, DC=x",), ("cn=a,dc=X",), True),
        ("msExchLitigationHoldDate", ("20260803101500.0Z",), ("20260803101500.123Z",), True),
        ("legacyExchangeDN", ("/o=A",), ("/O=a",), True),
        ("proxyAddresses", ("SMTP:a@x", "smtp:b@x"), ("smtp:B@X", "SMTP:A@x"), True),
        ("proxyAddresses", ("SMTP:a@x",), ("smtp:a@x",), False),
    ],
)
def test_equal(name, one, other, expected):
    row = attribute(name)
    assert values.equal(row, one, other) is expected
    assert values.equal(row, other, one) is expected


def test_difference_follows_the_attribute():
    row = attribute("proxyAddresses")
    assert values.difference(row, ("SMTP:a@x", "x500:/o=1"), ("SMTP:A@X",)) == ("x500:/o=1",)
    row = attribute("msExchExtensionCustomAttribute1")
    assert values.difference(row, ("a", "b"), ("b",)) == ("a",)


@pytest.mark.parametrize(
    ("name", "given_values", "problem"),
    [
        ("extensionAttribute1", ("x" * 1024,), None),
        ("extensionAttribute1", ("x" * 1025,), "at most 1024 characters"),
        ("extensionAttribute11", ("x" * 2048,), None),
        ("extensionAttribute11", ("x" * 2049,), "at most 2048"),
        ("extensionAttribute1", ("a", "b"), "one value, not 2"),
        ("extensionAttribute1", (), None),
        ("msExchMailboxGuid", ("00" * 16,), None),
        ("msExchMailboxGuid", ("00" * 15,), "at least 16 bytes"),
    ],
)
def test_check_range(name, given_values, problem):
    found = values.check_range(attribute(name), given_values)
    assert (found is None) if problem is None else (found is not None and problem in found)
