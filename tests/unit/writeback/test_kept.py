# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that nobody keeps in step, and the applications that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import from_option
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import kept
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import Options, prove_round_trip
from writeback_fakes import World, run_in

HIDE = "msExchHideFromAddressLists"
PHONES = {"name": "phones", "attributes": ["displayName", "MAIL", HIDE, "altRecipient", "mailNickname"]}
DOORS = {"name": "doors", "attributes": ["extensionAttribute1"]}


def prove(world: World, path: Path, *rules: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = Options(
        selection=Selection("all", None),
        rules=from_option(rules) if rules else None,
        applications=kept.applications(options.pop("applications", ())),
        **options,
    )
    return prove_round_trip(given, world, run_in(path)).result


@pytest.fixture
def world() -> World:
    found = World()
    found.user("same")
    found.user("hidden", {"HiddenFromAddressListsEnabled": True})
    found.user("both", {"HiddenFromAddressListsEnabled": True, "CustomAttribute1": "x"})
    return found


def test_nothing_is_said_of_it_unless_asked(world: World, tmp_path: Path) -> None:
    result = prove(world, tmp_path)
    assert "not_kept" not in result
    assert "applications" not in result


def test_what_nobody_keeps_in_step(world: World, tmp_path: Path) -> None:
    result = prove(world, tmp_path, include_not_written_back=True)
    found = {row["attribute"]: row["mailboxes_that_differ"] for row in result["not_kept"]}
    assert found[HIDE] == 2
    assert found["altRecipient"] is None, "its two sides cannot be compared"
    assert not set(found) & {*WRITEBACK, "mailNickname", "deliverAndRedirect", "legacyExchangeDN"}
    assert set(found) == {name for name, row in CATALOGUE.items() if row.cloud_editable in {"yes", "expected"}} - set(
        WRITEBACK
    )
    assert result["applications"] == []


@pytest.mark.parametrize("owner", ["directory", "cloud_sync"])
def test_a_rule_keeps_an_attribute_in_step(world: World, tmp_path: Path, owner: str) -> None:
    rule = {"target": HIDE, "owner": owner, **({"source": HIDE} if owner == "cloud_sync" else {})}
    result = prove(world, tmp_path, rule, include_not_written_back=True)
    assert HIDE not in {row["attribute"] for row in result["not_kept"]}
    assert result["proven"] is False
    assert result["attributes"][HIDE]["differs"] == 2
    (phones,) = prove(world, tmp_path, rule, applications=[PHONES])["applications"]
    assert phones["kept_by"][HIDE] == owner


def test_what_applications_miss(world: World, tmp_path: Path) -> None:
    result = prove(world, tmp_path, applications=[PHONES, DOORS])
    phones, doors = result["applications"]
    assert phones["kept_by"] == {
        "mail": "cloud_sync",
        HIDE: "nobody",
        "altRecipient": "nobody",
        "mailNickname": "nobody",
        "displayName": "active_directory",
    }
    assert phones["not_kept"] == [HIDE, "altRecipient", "mailNickname"]
    assert phones["differs"] == {"mail": 0, HIDE: 2, "mailNickname": 0}
    assert phones["mailboxes_that_differ"] == 2
    assert (doors["not_kept"], doors["differs"], doors["mailboxes_that_differ"]) == ([], {"extensionAttribute1": 1}, 1)
    assert "mailNickname" in {row["attribute"] for row in result["not_kept"]}
    assert result["attributes"][HIDE]["not_written_back"] == 2
    assert result["counts"]["differs"] == 1, "what nobody keeps does not count for the proof"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"name": "", "attributes": ["mail"]}], r"applications\[0\]: an application needs a name"),
        ([{"name": "a", "attributes": []}], "and the attributes that it reads"),
        ([DOORS, {"name": "Doors", "attributes": ["mail"]}], r"applications\[1\]: an application Doors came before"),
        ([{"name": "a", "attributes": ["extensionAtribute1"]}], "Is extensionAttribute1 meant"),
    ],
)
def test_a_wrong_application_is_told(items: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        kept.applications(items)
