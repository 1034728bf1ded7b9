# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scoping filters of a job: who is left out for sure."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOTHING_KNOWN,
    Undetermined,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.job_filter import condition, untold

VALUES = {
    "extensionAttribute1": "Sales",
    "extensionAttribute2": "12",
    "extensionAttribute3": None,
    "proxyAddresses": ("SMTP:a@x", "smtp:b@y"),
    "msExchHideFromAddressLists": True,
}


def read(name: str) -> Any:
    if name not in VALUES:
        raise Undetermined("nobody knows")
    return VALUES[name]


def clause(text: str) -> dict[str, Any]:
    """One clause, as "attribute | operator | value | value"."""
    name, operator, *values = (part.strip() for part in text.split("|"))
    return {"sourceOperandName": name, "operatorName": operator, "targetOperand": {"values": values}}


def passes(**sets: list[list[str]]) -> bool:
    scope = {
        name: [{"name": "g", "clauses": [clause(text) for text in group]} for group in groups]
        for name, groups in sets.items()
    }
    found = condition(scope)
    return found is None or found.holds(read, NOTHING_KNOWN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extensionAttribute1 | EQUALS | Sales", True),
        ("extensionAttribute1 | EQUALS | sales", False),
        ("extensionAttribute1 | EQUALS | Marketing | Sales", True),
        ("extensionAttribute1 | NOT EQUALS | Sales", False),
        ("extensionAttribute1 | NOT_EQUALS | Marketing", True),
        ("extensionAttribute1 | INCLUDES | ale", True),
        ("extensionAttribute1 | INCLUDES | ALE", False),
        ("extensionAttribute1 | REGEX MATCH | ^S.*s$", True),
        ("extensionAttribute1 | REGEX MATCH | ^s", False),
        ("extensionAttribute1 | NOT REGEX MATCH | ^S", False),
        ("extensionAttribute1 | NOT REGEX MATCH | ^s", True),
        ("extensionAttribute2 | GREATER_THAN | 11", True),
        ("extensionAttribute2 | Greater_Than | 12", False),
        ("extensionAttribute2 | GREATER_THAN_OR_EQUALS | 12", True),
        ("extensionAttribute1 | GREATER_THAN | 1", False),
        ("extensionAttribute3 | IS NULL", True),
        ("extensionAttribute3 | IS NOT NULL", False),
        ("extensionAttribute1 | IS NULL", False),
        ("extensionAttribute1 | IS NOT NULL", True),
        ("extensionAttribute3 | EQUALS | Sales", False),
        ("extensionAttribute3 | REGEX MATCH | .*", False),
        ("msExchHideFromAddressLists | IS TRUE", True),
        ("msExchHideFromAddressLists | IS FALSE", False),
        ("proxyAddresses | INCLUDES | @", True),
        ("proxyAddresses | INCLUDES | @x", False),
        # Nobody knows these, and whoever is not left out for sure is in scope.
        ("extensionAttribute3 | NOT EQUALS | Sales", True),
        ("extensionAttribute3 | NOT REGEX MATCH | .", True),
        ("extensionAttribute1 | REGEX MATCH | (", True),
        ("extensionAttribute1 | ISMEMBEROF | x", True),
        ("department | EQUALS | Sales", True),
    ],
)
def test_a_clause(text: str, expected: bool) -> None:
    assert passes(groups=[[text]]) is expected


YES, NO = "extensionAttribute1 | EQUALS | Sales", "extensionAttribute1 | EQUALS | x"
AUTHORITY = "IsExchangeCloudManaged | EQUALS | True"


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ({}, True),
        ({"groups": []}, True),
        ({"groups": [[YES, NO]]}, False),
        ({"groups": [[YES, YES]]}, True),
        ({"groups": [[NO], [YES]]}, True),
        ({"groups": [[NO], [NO]]}, False),
        ({"groups": [[NO], []]}, True),
        ({"groups": [[YES]], "inputFilterGroups": [[NO]]}, False),
        ({"groups": [[YES]], "inputFilterGroups": [[YES]], "categoryFilterGroups": [[NO]]}, False),
        ({"groups": [[AUTHORITY]]}, True),
        ({"groups": [[AUTHORITY, NO]]}, False),
    ],
)
def test_groups_and_sets(sets: dict[str, list[list[str]]], expected: bool) -> None:
    assert passes(**sets) is expected


def test_what_is_read_and_what_cannot_be_told() -> None:
    texts = [
        "extensionAttribute1 | EQUALS | x",
        "department | EQUALS | x",
        "proxyAddresses | ISMEMBEROF | x",
        AUTHORITY,
    ]
    scope = {"groups": [{"clauses": [clause(text) for text in texts]}]}
    found = condition(scope)
    assert found is not None
    assert found.sources == {"extensionAttribute1", "proxyAddresses"}
    assert untold(scope) == ["department EQUALS", "proxyAddresses ISMEMBEROF"]
    assert condition(None) is None
    assert untold(None) == []
