# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of both sides are equal exactly where the values are equivalent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import recipient_types, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import digest, plan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import Digester
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.once

WRITABLE = [item for item in CATALOGUE.values() if item.directory_writable]
TWENTY_FOUR = [CATALOGUE[name] for name in WRITEBACK]
MAIL = CATALOGUE["mail"]

# Few letters, so that equal values are met, with every character that is special to somebody.
LETTERS = st.sampled_from("aAßẞéÉİıSs:@ 0\x1f\x1e\x1b\x00\n")
TEXT = st.text(LETTERS, max_size=6)
ADDRESSES = st.one_of(
    st.builds(
        "{}{}".format, st.sampled_from(["SMTP:", "smtp:", "Smtp:", "X500:", "x500:", "sip:", "SS:", "ß:", ""]), TEXT
    ),
    TEXT,
)
TIMES = st.sampled_from(["20260803101500.0Z", "20260803101500Z", "20260803101500.5Z", "20260803101501.0Z", "later"])


def texts(attribute: Attribute) -> st.SearchStrategy[str]:
    if attribute.cast == "addresses":
        return ADDRESSES
    if attribute.cast == "boolean":
        return st.sampled_from(["TRUE", "FALSE"])
    if attribute.cast in {"integer", "type_details", "display_type"}:
        return st.sampled_from(["0", "1", "+1", "01", "-0", *map(str, recipient_types.DISPLAY_TYPES), "2147483648"])
    return TIMES if attribute.cast == "time" else TEXT


def sides(attribute: Attribute) -> st.SearchStrategy[Values]:
    size = 4 if attribute.multi else 2
    return st.lists(texts(attribute), max_size=size).map(tuple)


@st.composite
def two_values(draw: st.DrawFn) -> tuple[Attribute, Values, Values]:
    attribute = draw(st.sampled_from(WRITABLE))
    one = draw(sides(attribute))
    other = draw(st.one_of(sides(attribute), st.permutations(one).map(tuple), st.just(one)))
    return attribute, one, other


@settings(max_examples=800, deadline=None)
@given(two_values())
@example((CATALOGUE["proxyAddresses"], ("SMTP:a\x1eb",), ("SMTP:a", "b")))
@example((CATALOGUE["mail"], (), ("",)))
@example((CATALOGUE["msExchHideFromAddressLists"], (), ("FALSE",)))
@example((CATALOGUE["msExchRecipientDisplayType"], ("-2147483642",), ("-1073741818",)))
@example((CATALOGUE["msExchExtensionCustomAttribute1"], ("a", "b"), ("b", "a", "a")))
def test_canonical_texts_are_equal_exactly_for_equivalent_values(case: tuple[Attribute, Values, Values]) -> None:
    attribute, one, other = case
    same = digest.canonical(attribute, one) == digest.canonical(attribute, other)
    assert same == plan.equivalent(attribute, one, other)


def row_of(digester: Digester, properties: dict[str, Any]) -> tuple[Any, ...]:
    return digest.picker(digester.properties)(properties)


CLOUD_TEXT = st.one_of(TEXT, st.none())
CLOUD_LIST = st.one_of(st.lists(TEXT, max_size=3), st.none(), TEXT)
KINDS = st.sampled_from(["UserMailbox", "SharedMailbox", "RoomMailbox", "TeamMailbox", ""])


@st.composite
def both_sides(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, tuple[bytes, ...]]]:
    """A mailbox as Exchange answers it, and an object as AD does: the same, or changed in places."""
    style = draw(st.sampled_from(recipient_types.STYLES))
    names = draw(st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=3))
    chosen = [*TWENTY_FOUR, *(CATALOGUE[name] for name in names if CATALOGUE[name] in WRITABLE)]
    filled = draw(st.sets(st.sampled_from(range(len(chosen))), max_size=4))
    properties: dict[str, Any] = {"RecipientTypeDetails": draw(KINDS)}
    for number, item in enumerate(chosen):
        name = item.exchange_property
        if name is None or item.cast in digest.TYPE_CASTS:
            continue
        if item.cast == "boolean":
            properties[name] = draw(st.sampled_from([True, False, None, "True"]))
        elif item.cast == "addresses":
            properties[name] = draw(st.one_of(st.lists(ADDRESSES, max_size=4), st.none()))
        elif item.cast == "integer":
            properties[name] = draw(st.sampled_from([None, 0, 5, "5", ""]))
        elif item.cast == "time":
            properties[name] = draw(
                st.sampled_from([None, "2026-08-03T10:15:00Z", "2026-08-03T12:15:00+02:00", "later"])
            )
        elif number in filled:
            properties[name] = draw(CLOUD_LIST if item.multi else CLOUD_TEXT)
        else:
            properties[name] = [] if item.multi else ""
    held: dict[str, tuple[bytes, ...]] = {}
    for item in chosen:
        try:
            wanted = cloud_values(item, properties, style)
            raw = tuple(value.encode() for value in wanted)
        except (HybridError, UnicodeEncodeError):
            raw = ()
        if draw(st.integers(0, 60)) == 0:
            raw = tuple(value.encode() for value in draw(sides(item)))
        if item.cast == "addresses":
            raw = tuple(draw(st.permutations(raw)))
        if raw:
            held[item.ldap_name] = raw
    return style, properties, held


def cloud_values(item: Attribute, properties: dict[str, Any], style: str) -> Values:
    if item.cast in digest.TYPE_CASTS:
        return digest.type_value(item, properties["RecipientTypeDetails"], style)
    return values.from_exchange(item, properties.get(item.exchange_property or ""))


@settings(max_examples=300, deadline=None)
@given(both_sides(), st.booleans())
def test_digests_of_the_raw_answers_are_equal_exactly_for_equivalent_values(
    case: tuple[str, dict[str, Any], dict[str, tuple[bytes, ...]]], everything: bool
) -> None:
    style, properties, held = case
    attributes = [
        item
        for item in (WRITABLE if everything else TWENTY_FOUR)
        if item.cast in digest.TYPE_CASTS or item.exchange_property in properties
    ]
    digester = Digester(attributes, style)
    same = digester.cloud(row_of(digester, properties)) == digester.directory(
        [held.get(name) for name in digester.names]
    )
    try:
        equivalent = all(
            plan.equivalent(
                item,
                cloud_values(item, properties, style),
                values.from_directory(item, held.get(item.ldap_name, ())),
            )
            for item in attributes
        )
    except HybridError:
        equivalent = False
    assert same == equivalent


def plain(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = {f"CustomAttribute{number}": "" for number in range(1, 16)}
    found |= {f"ExtensionCustomAttribute{number}": [] for number in range(1, 6)}
    found |= {"RecipientTypeDetails": "UserMailbox", "WindowsEmailAddress": "a@x", "EmailAddresses": ["SMTP:a@x"]}
    return found | changed


def directory(**changed: tuple[bytes, ...]) -> dict[str, tuple[bytes, ...]]:
    found = {
        "mail": (b"a@x",),
        "proxyAddresses": (b"SMTP:a@x",),
        "msExchRecipientTypeDetails": (b"2147483648",),
        "msExchRecipientDisplayType": (b"-2147483642",),
    }
    return found | changed


@pytest.mark.parametrize(
    ("cloud", "ad", "same"),
    [
        ({}, {}, True),
        ({"CustomAttribute1": None}, {}, True),
        ({"CustomAttribute1": "ü"}, {"extensionAttribute1": ("ü".encode(),)}, True),
        ({"CustomAttribute1": "ü"}, {"extensionAttribute1": ("Ü".encode(),)}, False),
        ({"CustomAttribute1": "a\x1fb"}, {"extensionAttribute1": (b"a",), "extensionAttribute2": (b"b",)}, False),
        ({"CustomAttribute1": "a"}, {"extensionAttribute2": (b"a",)}, False),
        ({"CustomAttribute1": "\x1b3"}, {"extensionAttribute1": (b"",)}, False),
        ({}, {"extensionAttribute1": (b"",)}, False),
        ({}, {"msExchExtensionCustomAttribute1": (b"", b"")}, False),
        ({}, {"proxyAddresses": (b"SMTP:a@x", b"")}, False),
        ({"CustomAttribute1": "a"}, {"extensionAttribute1": (b"a", b"a")}, False),
        ({"EmailAddresses": ["smtp:b@x", "SMTP:A@X"]}, {"proxyAddresses": (b"SMTP:a@x", b"smtp:B@x")}, True),
        ({"EmailAddresses": ["smtp:a@x"]}, {}, False),
        ({}, {"proxyAddresses": (b"SMTP:a@x", b"SMTP:a@x\x1e")}, False),
        ({"ExtensionCustomAttribute1": ["b", "a"]}, {"msExchExtensionCustomAttribute1": (b"a", b"b")}, True),
        ({"ExtensionCustomAttribute1": ["a\x1eb"]}, {"msExchExtensionCustomAttribute1": (b"a", b"b")}, False),
        ({}, {"msExchRecipientDisplayType": (b"-1073741818",)}, True),
        ({}, {"msExchRecipientDisplayType": (b"-2147481850",)}, False),
        ({"RecipientTypeDetails": "TeamMailbox"}, {}, False),
        ({}, {"extensionAttribute1": (b"\xff",)}, False),
        ({"CustomAttribute1": "\ud800"}, {"extensionAttribute1": (b"\xed\xa0\x80",)}, False),
    ],
)
def test_digests(cloud: dict[str, Any], ad: dict[str, tuple[bytes, ...]], same: bool) -> None:
    digester = Digester(TWENTY_FOUR, "remote")
    held = directory(**ad)
    one = digester.cloud(row_of(digester, plain(**cloud)))
    assert (one == digester.directory([held.get(name) for name in digester.names])) is same


def test_what_cannot_be_read_is_equal_to_nothing() -> None:
    digester = Digester(TWENTY_FOUR, "remote")
    cloud = digester.cloud(row_of(digester, plain(RecipientTypeDetails="TeamMailbox")))
    held = directory(proxyAddresses=(b"\xff",))
    assert cloud == digest.NO_CLOUD_DIGEST
    assert digester.directory([held.get(name) for name in digester.names]) == digest.NO_DIRECTORY_DIGEST
    assert digest.NO_CLOUD_DIGEST != digest.NO_DIRECTORY_DIGEST


def test_a_property_that_is_not_there_is_not_picked() -> None:
    digester = Digester([MAIL], "remote")
    with pytest.raises(KeyError):
        row_of(digester, {"RecipientTypeDetails": "UserMailbox"})
