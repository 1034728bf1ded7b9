# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For any two states: the planned change turns the one into the other, and a second plan is empty."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK, attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange, Step
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import collisions_values, plan, restore_plan
from hypothesis import given
from hypothesis import strategies as st
from writeback_fakes import FakeDirectory

GUID = b"g" * 16
WRITABLE = sorted(name for name, row in CATALOGUE.items() if row.directory_writable)

# Few distinct letters, so that equal values, twins in case and promotions come up all the time.
text = st.text(alphabet="aAbBß ", min_size=1, max_size=3).map(str.strip).filter(bool)
address = st.builds(
    "{}{}@{}".format,
    st.sampled_from(["SMTP:", "smtp:", "SIP:", "sip:", "X500:", "x500:"]),
    st.sampled_from(["a", "A", "b", "c"]),
    st.sampled_from(["x", "X", "y"]),
)


def _without_twins(values: list[str]) -> Values:
    """What AD can hold: no two values that differ in case only."""
    return tuple({value.lower(): value for value in values}.values())


def _one_primary(values: Values) -> Values:
    found, seen = [], False
    for value in values:
        if value.startswith("SMTP:") and seen:
            value = value.lower()
        seen = seen or value.startswith("SMTP:")
        found.append(value)
    return _without_twins(found if seen else ["SMTP:z@z", *found])


directory_addresses = st.lists(address, max_size=5).map(_without_twins)
cloud_addresses = st.lists(address, max_size=5).map(lambda found: _one_primary(_without_twins(found)))


def state(name: str) -> st.SearchStrategy[Values]:
    """Any state of an attribute that AD can hold."""
    row = attribute(name)
    if row.cast == "addresses":
        return cloud_addresses
    value = {
        "boolean": st.sampled_from(["TRUE", "FALSE"]),
        "integer": st.integers(-(2**31), 2**31 - 1).map(str),
        "type_details": st.sampled_from(["1", "4", "2147483648", "34359738368"]),
        "display_type": st.sampled_from(["0", "7", "-2147483642", "-1073741818"]),
        "time": st.sampled_from(["20260803101500.0Z", "20270101000000.0Z"]),
    }.get(str(row.cast), text)
    if row.multi:
        return st.lists(value, max_size=4).map(_without_twins)
    return st.lists(value, max_size=1).map(tuple)


@st.composite
def two_states(draw: st.DrawFn) -> tuple[str, Values, Values]:
    name = draw(st.sampled_from([*WRITABLE, "proxyAddresses", "proxyAddresses"]))
    current = draw(directory_addresses if name == "proxyAddresses" else state(name))
    return name, current, draw(state(name))


def applied(name: str, current: Values, change: plan.AttributeChange) -> Values:
    """The state after sending the change to a directory with AD's rules."""
    directory = FakeDirectory()
    entry = directory.add("user", GUID)
    if current:
        entry.values[name] = tuple(value.encode() for value in current)
    directory.modify(entry.dn, plan.value_change(change, entry.values.get(name, ())).steps())
    return tuple(value.decode() for value in directory.objects[GUID].values.get(name, ()))


@given(two_states())
def test_the_change_turns_one_state_into_the_other(states: tuple[str, Values, Values]) -> None:
    name, current, desired = states
    row = attribute(name)
    change = plan.change_attribute(row, current, desired, merge=False)
    reached = applied(name, current, change)
    assert plan.equivalent(row, reached, desired)
    assert plan.equivalent(row, reached, change.after)
    assert sorted(reached) == sorted(change.after)
    assert not plan.change_attribute(row, reached, desired, merge=False)


@given(two_states())
def test_a_change_is_empty_exactly_when_the_states_mean_the_same(states: tuple[str, Values, Values]) -> None:
    name, current, desired = states
    row = attribute(name)
    change = plan.change_attribute(row, current, desired, merge=False)
    assert bool(change) != plan.equivalent(row, current, desired)


@given(directory_addresses, cloud_addresses)
def test_merging_loses_no_address_of_either_side(current: Values, desired: Values) -> None:
    row = attribute("proxyAddresses")
    change = plan.change_attribute(row, current, desired, merge=True)
    reached = applied("proxyAddresses", current, change)
    names = {addresses.parse(value).key[:2] for value in reached}
    assert names == {addresses.parse(value).key[:2] for value in current + desired}
    assert addresses.primary(reached) is not None
    assert addresses.primary(reached).casefold() == addresses.primary(desired).casefold()
    assert not addresses.problems(reached)
    assert {addresses.parse(value).key for value in desired} <= {addresses.parse(value).key for value in reached}
    assert not plan.change_attribute(row, reached, desired, merge=True)
    cloud = {addresses.parse(value).key[:2] for value in desired}
    assert {addresses.parse(value).key[:2] for value in change.kept} == {
        addresses.parse(value).key[:2] for value in current if addresses.parse(value).key[:2] not in cloud
    }


@given(two_states())
def test_only_what_differs_is_sent(states: tuple[str, Values, Values]) -> None:
    """The smallest change: nothing is removed that comes back unchanged."""
    name, current, desired = states
    change = plan.change_attribute(attribute(name), current, desired, merge=False)
    assert not set(change.remove) & set(change.add)
    assert set(change.remove) <= set(current)


def test_promoting_an_address_deletes_the_old_form_before_adding_the_new_one() -> None:
    current = ("SMTP:old@x", "smtp:new@x")
    change = plan.change_attribute(attribute("proxyAddresses"), current, ("smtp:old@x", "SMTP:new@x"), merge=False)
    steps = plan.value_change(change, tuple(value.encode() for value in current)).steps()
    assert [step.op for step in steps] == ["delete", "add"]
    assert set(steps[0].values) == {b"SMTP:old@x", b"smtp:new@x"}
    assert set(steps[1].values) == {b"smtp:old@x", b"SMTP:new@x"}


def test_the_case_of_an_address_is_not_worth_a_write() -> None:
    change = plan.change_attribute(attribute("proxyAddresses"), ("SMTP:A@X",), ("SMTP:a@x",), merge=False)
    assert not change


def test_clearing_names_the_value_that_goes() -> None:
    """Deleting the attribute as a whole would also delete what somebody else wrote in between."""
    change = plan.change_attribute(attribute("extensionAttribute1"), ("old",), (), merge=False)
    assert plan.value_change(change, (b"old",)).steps() == (Step("delete", "extensionAttribute1", (b"old",)),)


def test_a_switch_without_a_value_is_off() -> None:
    row = attribute("msExchHideFromAddressLists")
    assert not plan.change_attribute(row, (), ("FALSE",), merge=False)
    assert plan.change_attribute(row, (), ("TRUE",), merge=False)
    assert plan.change_attribute(row, ("TRUE",), (), merge=False)


def test_a_display_type_that_can_stand_in_permissions_stays() -> None:
    row = attribute("msExchRecipientDisplayType")
    assert not plan.change_attribute(row, ("-1073741818",), ("-2147483642",), merge=False)
    assert plan.change_attribute(row, ("-1073741818",), ("-2147481850",), merge=False)


@pytest.mark.parametrize(
    ("name", "desired", "words"),
    [
        ("proxyAddresses", (), "no primary address"),
        ("proxyAddresses", ("smtp:a@x",), "no primary address"),
        ("proxyAddresses", ("SMTP:a@x", "SMTP:b@x"), "2 primary addresses"),
        ("proxyAddresses", ("SMTP:a@x", "smtp:A@x"), "differ in case only"),
        ("proxyAddresses", ("X500:/o=x",), "no primary address"),
        ("msExchExtensionCustomAttribute1", ("Red", "red"), "differ in case only"),
    ],
)
def test_what_ad_cannot_hold_is_told(name: str, desired: Values, words: str) -> None:
    assert words in str(collisions_values.problem(attribute(name), desired))


@pytest.mark.parametrize(
    ("name", "desired"),
    [
        ("proxyAddresses", ("SMTP:a@x", "smtp:b@x", "X500:/o=x", "SIP:a@x")),
        ("msExchExtensionCustomAttribute1", ("Red", "Green")),
        ("extensionAttribute1", ()),
    ],
)
def test_what_ad_can_hold_is_no_problem(name: str, desired: Values) -> None:
    assert collisions_values.problem(attribute(name), desired) is None


def test_a_value_that_the_syntax_cannot_hold_is_an_error() -> None:
    change = plan.change_attribute(attribute("msExchRecipientDisplayType"), (), ("many",), merge=False)
    with pytest.raises(InputError, match="whole number"):
        plan.value_change(change, ())


def test_all_written_back_attributes_can_be_written() -> None:
    assert set(WRITEBACK) <= set(WRITABLE)


@st.composite
def object_states(draw: st.DrawFn) -> tuple[dict[str, Values], dict[str, Values]]:
    """What AD holds of some attributes, and what the cloud wants of them."""
    names = draw(st.lists(st.sampled_from(WRITABLE), min_size=1, max_size=4, unique=True))
    held = {name: draw(directory_addresses if name == "proxyAddresses" else state(name)) for name in names}
    return held, {name: draw(state(name)) for name in names}


@given(object_states(), st.booleans())
def test_writing_journaling_and_restoring_gives_the_object_back_byte_by_byte(
    states: tuple[dict[str, Values], dict[str, Values]], merge: bool
) -> None:
    held, desired = states
    directory = FakeDirectory()
    entry = directory.add("user", GUID)
    entry.values.update({name: tuple(value.encode() for value in values) for name, values in held.items() if values})
    before = {name: sorted(values) for name, values in entry.values.items()}
    changes = [plan.change_attribute(attribute(name), held[name], desired[name], merge=merge) for name in held]
    made = tuple(
        plan.value_change(change, entry.values.get(change.attribute.ldap_name, ())) for change in changes if change
    )
    change = ObjectChange("id", "user@x", entry.dn, GUID, None, made)
    assert change.untouched(entry.values)
    directory.modify(entry.dn, change.steps())
    now = directory.objects[GUID].values
    assert change.reached(now)
    for name in held:
        reached = tuple(value.decode() for value in now.get(name, ()))
        assert not plan.change_attribute(attribute(name), reached, desired[name], merge=merge)
    journaled = ObjectChange.from_record(json.loads(json.dumps(change.as_record())))
    recorded = restore_plan.Recorded(journaled, {item.attribute: [item] for item in journaled.changes})
    undone = restore_plan.undo(recorded, entry.dn, now, "fail")
    assert undone.changed_since == ()
    directory.modify(entry.dn, undone.change.steps())
    assert {name: sorted(values) for name, values in directory.objects[GUID].values.items()} == before
