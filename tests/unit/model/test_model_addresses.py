# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What proxyAddresses mean."""

from __future__ import annotations

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses
from ansible_collections.hybrid.exchange.plugins.module_utils._model.addresses import Address
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(["a@x", "A@x", "b@x", "c@y", "C@Y", "/o=1"])
PREFIXES = st.sampled_from(["SMTP", "smtp", "X500", "x500", "SIP", "sip"])
ADDRESSES = st.lists(st.builds("{}:{}".format, PREFIXES, NAMES), max_size=6)


def distinct(values):
    """What AD accepts: no two values that are equal without regard to case."""
    return tuple({value.casefold(): value for value in values}.values())


def carry_out(current, change):
    """AD's modify: deletes first, adds after; values compare without regard to case."""
    state = list(current)
    for value in change.delete:
        assert value in state, "a delete must name the exact old value"
        state.remove(value)
    for value in change.add:
        assert value.casefold() not in {old.casefold() for old in state}, "AD would refuse the add as a duplicate"
        state.append(value)
    return tuple(state)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SMTP:a@x", Address("SMTP", "a@x", True)),
        ("smtp:a@x", Address("SMTP", "a@x", False)),
        ("Smtp:a@x", Address("SMTP", "a@x", False)),
        ("X500:/o=a/cn=b:c", Address("X500", "/o=a/cn=b:c", True)),
        ("a@x", Address("", "a@x", False)),
        ("a@x:1", Address("", "a@x:1", False)),
        (":a", Address("", ":a", False)),
    ],
)
def test_parse(value, expected):
    assert addresses.parse(value) == expected


def test_primary():
    assert addresses.primary(["smtp:b@x", "SMTP:a@x", "SIP:s@x"]) == "a@x"
    assert addresses.primary(["smtp:b@x"]) is None
    assert addresses.primary(["SIP:s@x"], "SIP") == "s@x"


@pytest.mark.parametrize(
    ("values", "mail", "expected"),
    [
        (["SMTP:a@x", "smtp:b@x"], "A@X", []),
        ([], None, []),
        (["X500:/o=1"], None, []),
        (["SMTP:a@x", "SMTP:b@x"], None, ["2 primary addresses"]),
        (["smtp:a@x"], None, ["no primary address"]),
        (["SMTP:a@x", "smtp:A@x"], None, ["differ in case only"]),
        (["SMTP:a@x"], "b@x", ["mail is b@x, but the primary address is a@x"]),
        (["SMTP:a@x", "b@x"], None, ["b@x has no address type"]),
    ],
)
def test_problems(values, mail, expected):
    found = addresses.problems(values, mail)
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert part in problem


def test_promotion_deletes_before_it_adds():
    change = addresses.minimal_change(["SMTP:a@x", "smtp:b@x"], ["smtp:a@x", "SMTP:b@x"], merge=True)
    assert change.delete == ("SMTP:a@x", "smtp:b@x")
    assert change.add == ("smtp:a@x", "SMTP:b@x")
    assert change.kept == ()


def test_the_case_of_an_address_is_no_change():
    assert not addresses.minimal_change(["SMTP:Anna@x"], ["SMTP:anna@x"], merge=False)


def test_merge_keeps_what_only_the_directory_has_and_exact_deletes_it():
    current, desired = ["SMTP:a@x", "X500:/o=old"], ["SMTP:a@x", "smtp:new@x"]
    merged = addresses.minimal_change(current, desired, merge=True)
    assert (merged.delete, merged.add, merged.kept) == ((), ("smtp:new@x",), ("X500:/o=old",))
    exact = addresses.minimal_change(current, desired, merge=False)
    assert (exact.delete, exact.add, exact.kept) == (("X500:/o=old",), ("smtp:new@x",), ())


def test_merge_demotes_a_primary_that_only_the_directory_has():
    change = addresses.minimal_change(["SMTP:old@x"], ["SMTP:new@x"], merge=True)
    assert change.delete == ("SMTP:old@x",)
    assert change.add == ("SMTP:new@x", "smtp:old@x")
    assert change.kept == ("smtp:old@x",)


def test_only_smtp_addresses_are_demoted():
    change = addresses.minimal_change(["X500:/o=old"], ["X500:/o=new"], merge=True)
    assert (change.delete, change.add, change.kept) == ((), ("X500:/o=new",), ("X500:/o=old",))


@given(ADDRESSES, ADDRESSES)
def test_exact_makes_both_sides_equal_and_is_then_done(current, desired):
    current, desired = distinct(current), distinct(desired)
    after = carry_out(current, addresses.minimal_change(current, desired, merge=False))
    assert addresses.equal(after, desired)
    assert not addresses.minimal_change(after, desired, merge=False)


@given(ADDRESSES, ADDRESSES)
def test_merge_has_all_of_the_cloud_loses_no_address_and_is_then_done(current, desired):
    current, desired = distinct(current), distinct(desired)
    after = carry_out(current, addresses.minimal_change(current, desired, merge=True))
    assert addresses.difference(desired, after) == ()
    names = {addresses.parse(value).key[:2] for value in after}
    assert {addresses.parse(value).key[:2] for value in current} <= names
    assert not addresses.minimal_change(after, desired, merge=True)
