# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts of the engines: addresses, names, raw values, types, scope and mapping rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.engines import addresses
from tests.lab.engines.directory import Entry
from tests.lab.engines.expression_syntax import Context, ExpressionError
from tests.lab.engines.ldap_values import dn_key, generalized_time, guid, is_below, sid
from tests.lab.engines.limits import SWITCHED, Limits, in_force
from tests.lab.engines.mapping import changes, mappings, user_rule
from tests.lab.engines.readings import Readings, readings
from tests.lab.engines.recipient_types import directory_values, recipient_kind, remote_type_text
from tests.lab.engines.schema import TEMPLATE_ID, default_schema
from tests.lab.engines.scope import Scope, ScopeError
from tests.lab.scenario import SWITCHES

VERIFIED = ["contoso.lab", "contoso.onmicrosoft.com", "contoso.mail.onmicrosoft.com"]


def test_a_recipient_gets_the_service_s_addresses_and_loses_unverified_domains() -> None:
    given = ["SMTP:a@contoso.lab", "smtp:a@old.example", "X500:/o=x", "smtp:A@contoso.lab"]
    assert addresses.in_cloud(given, "a", None, "contoso.onmicrosoft.com", VERIFIED) == [
        "SMTP:a@contoso.lab",
        "X500:/o=x",
        "smtp:a@contoso.onmicrosoft.com",
        "smtp:a@contoso.mail.onmicrosoft.com",
    ]


@pytest.mark.parametrize(
    ("mail", "primary"),
    [
        ("m@contoso.lab", "m@contoso.lab"),
        ("m@old.example", "a@contoso.onmicrosoft.com"),
        (None, "a@contoso.onmicrosoft.com"),
    ],
)
def test_a_recipient_without_a_primary_gets_one(mail: str | None, primary: str) -> None:
    values = addresses.in_cloud(["SMTP:a@old.example"], "a", mail, "contoso.onmicrosoft.com", VERIFIED)
    assert addresses.primary(values) == primary
    assert sum(addresses.kind(value) == "SMTP" for value in values) == 1


def test_a_merge_keeps_what_only_the_directory_has_and_one_primary() -> None:
    merged = addresses.merged(["SMTP:new@x", "smtp:a@x"], ["SMTP:old@x", "smtp:A@x", "X500:/o=1"])
    assert merged == ["SMTP:new@x", "smtp:a@x", "smtp:old@x", "X500:/o=1"]


def test_service_addresses_are_dropped_unless_the_directory_has_them() -> None:
    cloud = ["SMTP:a@x", "smtp:a@c.onmicrosoft.com", "smtp:a@c.mail.onmicrosoft.com"]
    kept = addresses.without_new_service_addresses(cloud, ["smtp:A@c.mail.onmicrosoft.com"])
    assert kept == ["SMTP:a@x", "smtp:a@c.mail.onmicrosoft.com"]


def test_names_are_compared_unescaped() -> None:
    assert dn_key("CN=Doe\\, Jane,OU=R\\2BD,DC=x") == dn_key("cn=doe\\2c jane , ou=R\\+D, dc=X")
    assert is_below("CN=a,OU=People,DC=x", "ou=people,dc=x")
    assert not is_below("CN=a,OU=Other People,DC=x", "OU=People,DC=x")
    assert not is_below("CN=a,DC=x", "")


def test_raw_values_are_read() -> None:
    assert sid(bytes.fromhex("010500000000000515000000" + "01000000" * 3 + "f4010000")) == "S-1-5-21-1-1-1-500"
    assert guid(bytes(range(16))) == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert generalized_time(b"20260803150405.0Z") == generalized_time(b"260803150405Z") == "2026-08-03T15:04:05Z"


@pytest.mark.parametrize(
    ("details", "remote", "expected"),
    [
        (2147483648, 0, "mailbox"),
        (4, 97, "mailbox"),
        (1, None, "mailUser"),
        (128, None, "mailUser"),
        (None, None, None),
    ],
)
def test_what_a_user_is_in_the_cloud(details: int | None, remote: int | None, expected: str | None) -> None:
    assert recipient_kind(details, remote, True) == expected


def test_the_type_s_numbers_stay_while_the_type_stays() -> None:
    kept = {"details": 2147483648, "display": -1073741818}
    assert directory_values("UserMailbox", kept, "local") == (2147483648, -1073741818)
    assert directory_values("SharedMailbox", kept, "remote") == (34359738368, -2147483642)
    assert directory_values("SharedMailbox", kept, "local") == (4, 0)
    assert directory_values("RoomMailbox", None, "remote") == (8589934592, -2147481850)
    assert remote_type_text(100) == "Migrated, SharedMailbox"
    assert remote_type_text(None) == "None"


def _user(**more: Any) -> dict[str, Any]:
    return {"id": "u1", "onPremisesSyncEnabled": True, "onPremisesDistinguishedName": "CN=A,OU=People,DC=x", **more}


def _clause(operator: str, name: str, *values: str) -> dict[str, Any]:
    return {"operatorName": operator, "sourceOperandName": name, "targetOperand": {"values": list(values)}}


@pytest.mark.parametrize(
    ("clause", "passes"),
    [
        (_clause("EQUALS", "department", "Sales"), True),
        (_clause("EQUALS", "Department", "sales"), False),
        (_clause("NOT EQUALS", "department", "Sales"), False),
        (_clause("IS NULL", "city"), True),
        (_clause("IS NOT NULL", "city"), False),
        (_clause("REGEX MATCH", "department", "^Sa"), True),
        (_clause("NOT REGEX MATCH", "department", "^Sa"), False),
        (_clause("INCLUDES", "department", "ale"), True),
        (_clause("INCLUDES", "department", "ALE"), False),
        (_clause("ENDS_WITH", "department", "les"), True),
        (_clause("&", "department", "Marketing, Sales"), True),
        (_clause("!&", "department", "Marketing, Sales"), False),
        (_clause("NOT EQUALS", "city", "Oslo"), False),
        (_clause("NOT REGEX MATCH", "city", "^O"), False),
        (_clause("IS FALSE", "city"), False),
        (_clause("GREATER_THAN", "department", "4"), False),
        (_clause("REGEX MATCH", "addresses", "^smtp:"), True),
        (_clause("INCLUDES", "addresses", "a@x"), False),
        (_clause("IS TRUE", "accountEnabled"), True),
        (_clause("IS FALSE", "accountEnabled"), False),
        (_clause("GREATER_THAN", "level", "4"), True),
        (_clause("GREATER_THAN_OR_EQUALS", "level", "6"), False),
    ],
)
def test_scoping_filters(clause: dict[str, Any], passes: bool) -> None:
    source: dict[str, Any] = {"department": "Sales", "city": None, "accountEnabled": True, "level": "5"}
    source["addresses"] = ["smtp:a@x", "smtp:b@x"]
    scope = Scope({}, {"scope": {"groups": [{"name": "g", "clauses": [clause]}]}}, [])
    assert scope.filtered(_user(), source).in_scope is passes


@pytest.mark.parametrize(
    "clause",
    [
        _clause("LIKE", "department", "x"),
        _clause("EQUALS", "nothing", "x"),
        _clause("REGEX MATCH", "department", "("),
        _clause("ISMEMBEROF", "department", "x"),
        _clause("GREATER_THAN", "department", "four"),
    ],
)
def test_a_filter_that_cannot_be_evaluated_stops_the_run(clause: dict[str, Any]) -> None:
    scope = Scope({}, {"scope": {"groups": [{"clauses": [clause]}]}}, [])
    with pytest.raises(ScopeError):
        scope.filtered(_user(), {"department": "Sales"})


def test_clauses_are_anded_and_groups_ored() -> None:
    a, b = _clause("EQUALS", "department", "Sales"), _clause("EQUALS", "department", "IT")
    source = {"department": "Sales"}
    assert Scope({}, {"scope": {"groups": [{"clauses": [a]}, {"clauses": [b]}]}}, []).filtered(_user(), source).in_scope
    assert not Scope({}, {"scope": {"groups": [{"clauses": [a, b]}]}}, []).filtered(_user(), source).in_scope


@pytest.mark.parametrize(
    ("kind", "deprovisioned"), [("groups", True), ("categoryFilterGroups", True), ("inputFilterGroups", False)]
)
def test_every_kind_of_filter_keeps_out_but_the_input_filter_does_not_deprovision(
    kind: str, deprovisioned: bool
) -> None:
    scope = Scope({}, {"scope": {kind: [{"clauses": [_clause("EQUALS", "department", "IT")]}]}}, [])
    verdict = scope.filtered(_user(), {"department": "Sales"})
    assert (verdict.in_scope, verdict.deprovisioned) == (False, deprovisioned)
    assert scope.filtered(_user(), {"department": "IT"}).in_scope


def test_containers_and_groups() -> None:
    groups = [
        {"id": "g1", "_members": ["g2"], "_distinguishedName": "CN=All,DC=x"},
        {"id": "g2", "_members": ["u1"], "_distinguishedName": "CN=Sales,DC=x"},
    ]
    for rule, expected in (
        ({"containerFilter": {"includedContainers": ["ou=people,dc=x"]}}, True),
        ({"containerFilter": {"includedContainers": ["OU=Rooms,DC=x"]}}, False),
        ({"groupFilter": {"includedGroups": ["g1"]}}, True),
        ({"groupFilter": {"includedGroups": ["cn=all, dc=x"]}}, True),
        ({"groupFilter": {"includedGroups": ["g3"]}}, False),
    ):
        assert Scope(rule, {}, groups).filtered(_user(), {}).in_scope is expected, rule


@pytest.mark.parametrize(
    ("user", "mailbox", "in_scope"),
    [
        (_user(), {"IsExchangeCloudManaged": True}, True),
        (_user(), {"IsExchangeCloudManaged": False}, False),
        (_user(), None, False),
        (_user(onPremisesSyncEnabled=None), {"IsExchangeCloudManaged": True}, False),
        (_user(isCloudManaged=True), {"IsExchangeCloudManaged": True}, False),
    ],
)
def test_who_is_in_scope(user: dict[str, Any], mailbox: dict[str, Any] | None, in_scope: bool) -> None:
    verdict = Scope({}, {}, []).verdict(user, mailbox, dict)
    assert verdict.in_scope is in_scope
    assert bool(verdict.reason) is not in_scope


def _changes(
    mapping: dict[str, Any],
    values: dict[str, list[bytes]],
    source: dict[str, Any],
    reading: Readings | None = None,
    **definition: Any,
) -> Any:
    schema = default_schema("t", TEMPLATE_ID, "ga", "overwrite")
    rule, objects = user_rule(schema)
    full = {"flowType": "Always", "matchingPriority": 0, "source": {"type": "Attribute", "name": "s"}, **mapping}
    objects["attributeMappings"] = [full]
    for attribute in schema["directories"][1]["objects"][0]["attributes"]:
        if attribute["name"] == full["targetAttributeName"]:
            attribute.update(definition)
    entry = Entry("CN=a", {name.lower(): found for name, found in values.items()})
    found = changes(mappings(schema, rule, objects), Context(source), entry, reading or Readings())
    return [(change.attribute, change.new) for change in found]


@pytest.mark.parametrize(
    ("flow", "old", "expected"),
    [
        ("Always", [b"old"], [("description", ("new",))]),
        ("Always", [b"new"], []),
        ("AttributeAddOnly", [b"old"], []),
        ("AttributeAddOnly", [], [("description", ("new",))]),
        ("ValueAddOnly", [b"old"], [("description", ("new",))]),
        ("MultiValueAddOnly", [b"old"], [("description", ("new",))]),
        ("ObjectAddOnly", [], []),
        ("ObjectAddOnly", [b"old"], []),
    ],
)
def test_flow_types_of_single_values(flow: str, old: list[bytes], expected: Any) -> None:
    mapping = {"targetAttributeName": "description", "flowType": flow}
    assert _changes(mapping, {"description": old}, {"s": "new"}) == expected


@pytest.mark.parametrize(
    ("flow", "readings", "source", "expected"),
    [
        ("ValueAddOnly", Readings(value_add_only="keeps"), "new", []),
        ("MultiValueAddOnly", Readings(value_add_only="keeps"), "new", []),
        ("AttributeAddOnly", Readings(attribute_add_only="overwrites"), "new", [("description", ("new",))]),
        # Whatever is read into them: what only adds clears nothing.
        ("AttributeAddOnly", Readings(attribute_add_only="overwrites"), None, []),
        ("ValueAddOnly", Readings(), None, []),
        ("Always", Readings(null_source="keeps"), None, []),
        ("Always", Readings(null_source="keeps"), "new", [("description", ("new",))]),
    ],
)
def test_the_other_readings_of_flow_types(flow: str, readings: Readings, source: str | None, expected: Any) -> None:
    mapping = {"targetAttributeName": "description", "flowType": flow}
    assert _changes(mapping, {"description": [b"old"]}, {"s": source}, readings) == expected


@pytest.mark.parametrize("flow", ["MultiValueAddOnly", "ValueAddOnly"])
def test_what_only_adds_values_never_removes_any(flow: str) -> None:
    mapping = {"targetAttributeName": "msExchArchiveName", "flowType": flow}
    found = _changes(mapping, {"msExchArchiveName": [b"a", b"b"]}, {"s": ["B", "c"]})
    assert found == [("msExchArchiveName", ("a", "b", "c"))]
    addresses_only = {"targetAttributeName": "proxyAddresses", "flowType": flow}
    old = {"proxyAddresses": [b"SMTP:old@x", b"X500:/o=1"]}
    assert _changes(addresses_only, old, {"s": ["SMTP:new@x"]}) == [
        ("proxyAddresses", ("SMTP:new@x", "smtp:old@x", "X500:/o=1"))
    ]


def test_a_default_is_for_new_objects_alone_where_the_switch_says_so() -> None:
    mapping = {"targetAttributeName": "description", "defaultValue": "d"}
    reading = Readings(default_value="at_creation")
    assert _changes(mapping, {"description": [b"old"]}, {"s": None}, reading) == [("description", ())]
    assert _changes(mapping, {}, {"s": None}, reading) == []


def test_readings_are_the_defaults_of_the_switches() -> None:
    assert readings({name: switch.default for name, switch in SWITCHES.items()}) == Readings()


def test_limits_are_the_defaults_of_the_switches_and_switches_win() -> None:
    limits = Limits()
    assert {name: getattr(limits, name) for name in SWITCHED} == {name: SWITCHES[name].default for name in SWITCHED}
    assert in_force(limits, {"escrow_minimum": 2, "type_values": "local"}) == Limits(escrow_minimum=2)


def test_a_source_may_be_given_by_its_expression_alone() -> None:
    for source in ({"type": "Attribute", "expression": "[s]"}, {"type": "Constant", "expression": '"x"'}):
        assert _changes({"targetAttributeName": "info", "source": source}, {}, {"s": "x"}) == [("info", ("x",))]
    with pytest.raises(ExpressionError, match="neither"):
        _changes({"targetAttributeName": "info", "source": {"type": "Constant"}}, {}, {})


def test_an_empty_source_clears_takes_the_default_or_is_left() -> None:
    mapping: dict[str, Any] = {"targetAttributeName": "description"}
    old = {"description": [b"old"]}
    assert _changes(mapping, old, {"s": None}) == [("description", ())]
    assert _changes({**mapping, "defaultValue": "d"}, old, {"s": ""}) == [("description", ("d",))]
    assert _changes(mapping, old, {"s": None}, flowNullValues=False) == []
    ignoring = {"source": {"type": "Function", "expression": "IgnoreFlowIfNullOrEmpty([s])"}}
    assert _changes({**mapping, **ignoring}, old, {"s": None}) == []


def test_case_alone_counts_only_where_the_schema_says_so() -> None:
    mapping = {"targetAttributeName": "description"}
    assert _changes(mapping, {"description": [b"NEW"]}, {"s": "new"}) == [("description", ("new",))]
    assert _changes(mapping, {"description": [b"NEW"]}, {"s": "new"}, caseExact=False) == []


def test_booleans_numbers_and_constants_are_written_as_the_directory_takes_them() -> None:
    hide = {"targetAttributeName": "msExchHideFromAddressLists"}
    assert _changes(hide, {}, {"s": True}) == [("msExchHideFromAddressLists", ("TRUE",))]
    constant = {**hide, "source": {"type": "Constant", "name": "false"}}
    assert _changes(constant, {}, {}) == [("msExchHideFromAddressLists", ("FALSE",))]
    number = {"targetAttributeName": "msExchRemoteRecipientType"}
    assert _changes(number, {}, {"s": 100}) == [("msExchRemoteRecipientType", ("100",))]


def test_a_function_may_be_given_by_its_parameters() -> None:
    parameters = [
        {"key": "source", "value": {"type": "Attribute", "name": "s"}},
        {"key": "suffix", "value": {"type": "Constant", "name": "!"}},
    ]
    source = {"type": "Function", "name": "Append", "parameters": parameters}
    assert _changes({"targetAttributeName": "info", "source": source}, {}, {"s": "x"}) == [("info", ("x!",))]


@pytest.mark.parametrize(
    ("target", "source"),
    [("sAMAccountName", "x"), ("description", ["a", "b"]), ("mS-DS-ConsistencyGuid", "no base64!")],
)
def test_values_that_the_target_cannot_take_fail_for_the_object(target: str, source: Any) -> None:
    with pytest.raises(ExpressionError, match=target):
        _changes({"targetAttributeName": target}, {}, {"s": source})


def test_of_two_mappings_of_one_target_the_last_wins() -> None:
    schema = default_schema("t", TEMPLATE_ID, "ga", "overwrite")
    rule, objects = user_rule(schema)
    objects["attributeMappings"] += [
        {"targetAttributeName": "MAIL", "source": {"type": "Constant", "name": "x@y"}, "flowType": "Always"}
    ]
    found = [one for one in mappings(schema, rule, objects) if one.target.lower() == "mail"]
    assert [one.source["name"] for one in found] == ["x@y"]
