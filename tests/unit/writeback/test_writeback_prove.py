# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""roundtrip_info: what counts as proven, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import Options, prove_round_trip
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import (
    FarEnds,
    write_back,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import Options as WriteOptions
from writeback_fakes import World, run_in

ALL = Selection("all", None)


@pytest.fixture
def world() -> World:
    return World()


def prove(world: World, path: Path, **options: Any) -> dict[str, Any]:
    report = prove_round_trip(Options(selection=ALL, **options), world, run_in(path))
    assert not report.changed
    assert world.directory.modifications == []
    return report.result


def lines(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(result["artifact"].path).read_text(encoding="utf-8").splitlines()]


def test_equal_sides_are_proven(world: World, tmp_path: Path) -> None:
    world.user("a")
    world.user("b", managed=False)
    result = prove(world, tmp_path)
    assert result["proven"] is True
    assert result["percent"] == 100.0
    assert result["counts"] | {"total": 2, "equal": 2, "differs": 0, "not_cloud_managed": 1} == result["counts"]
    assert result["differing"] == []
    assert result["attributes"]["mail"] == {"equal": 2}


def test_a_difference_is_told_with_both_values(world: World, tmp_path: Path) -> None:
    world.user("same")
    world.user("other", {"CustomAttribute1": "cloud"}, {"extensionAttribute1": "directory"})
    result = prove(world, tmp_path)
    assert result["proven"] is False
    assert result["percent"] == 50.0
    assert result["differing"][0] | {"attributes": ["extensionAttribute1"]} == result["differing"][0]
    assert result["attributes"]["extensionAttribute1"] == {"equal": 1, "differs": 1, "at_risk": 1}
    assert result["attributes"]["proxyAddresses"] == {"equal": 2}
    line = next(line for line in lines(result) if line["object"] == "other@contoso.lab")
    found = line["attributes"]["extensionAttribute1"]
    assert (found["status"], found["cloud"], found["directory"]) == ("differs", ["cloud"], ["directory"])
    assert line["directory_only_values"] == {"extensionAttribute1": ["directory"]}


def test_one_of_many_that_differs_never_rounds_up_to_all(world: World, tmp_path: Path) -> None:
    for number in range(20001):
        world.user(f"user{number}", {"CustomAttribute1": "x"} if number == 0 else None)
    result = prove(world, tmp_path, attributes=["extensionAttribute1"])
    assert result["proven"] is False
    assert result["percent"] == 99.99


@pytest.mark.parametrize(("mode", "proven"), [("merge", True), ("exact", False)])
def test_addresses_that_only_ad_has(world: World, tmp_path: Path, mode: str, proven: bool) -> None:
    world.user("user", directory={"proxyAddresses": ["SMTP:user@contoso.lab", "smtp:printer@contoso.lab"]})
    result = prove(world, tmp_path, proxy_addresses=mode)
    assert result["proven"] is proven
    assert result["at_risk"] == result["counts"]["at_risk"] == 1
    assert lines(result)[0]["directory_only_values"] == {"proxyAddresses": ["smtp:printer@contoso.lab"]}


def test_a_wrong_primary_address_differs_even_when_merging_but_is_not_at_risk(world: World, tmp_path: Path) -> None:
    cloud = ["SMTP:user@contoso.lab", "smtp:old@contoso.lab"]
    world.user("user", {"EmailAddresses": cloud}, {"proxyAddresses": ["smtp:user@contoso.lab", "SMTP:old@contoso.lab"]})
    result = prove(world, tmp_path)
    assert result["counts"]["differs"] == 1
    assert result["at_risk"] == 0


def test_what_directory_writeback_wrote_is_proven(world: World, tmp_path: Path) -> None:
    world.user(
        "user",
        {
            "CustomAttribute1": "x",
            "EmailAddresses": ["SMTP:new@contoso.lab"],
            "WindowsEmailAddress": "new@contoso.lab",
            "ExtensionCustomAttribute1": ["a", "b"],
        },
        {"proxyAddresses": ["SMTP:old@contoso.lab", "smtp:new@contoso.lab"]},
    )
    assert prove(world, tmp_path)["proven"] is False
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    write_back(WriteOptions(ALL, journal_dir=str(tmp_path)), ends, run_in(tmp_path))
    world.directory.modifications.clear()
    assert prove(world, tmp_path)["proven"] is True


def test_attributes_that_nobody_writes_back_are_told_and_do_not_count(world: World, tmp_path: Path) -> None:
    world.user("user", {"HiddenFromAddressListsEnabled": True})
    result = prove(world, tmp_path, include_not_written_back=True)
    assert result["proven"] is True
    assert result["attributes"]["msExchHideFromAddressLists"] == {"not_written_back": 1}
    assert lines(result)[0]["attributes"]["msExchHideFromAddressLists"]["status"] == "not_written_back"
    asked = prove(world, tmp_path, attributes=["msExchHideFromAddressLists"])
    assert asked["proven"] is False, "an attribute asked for by name counts"


def test_a_missing_object_is_not_proven(world: World, tmp_path: Path) -> None:
    world.user("gone", in_directory=False)
    result = prove(world, tmp_path)
    assert result["proven"] is False
    assert result["counts"]["missing"] == 1
    assert "source anchor" in result["differing"][0]["reason"]


def test_objects_elsewhere_are_not_proven(world: World, tmp_path: Path) -> None:
    """A wrong directory_base_dn must not pass a gate."""
    world.user("far", domain="emea.contoso.lab", in_directory=False)
    result = prove(world, tmp_path)
    assert result["proven"] is False
    assert result["counts"]["elsewhere"] == 1


def test_an_ambiguous_anchor_is_not_proven(world: World, tmp_path: Path) -> None:
    guid = world.user("user")
    world.directory.add("copy", b"D" * 16, consistency_guid=guid)
    result = prove(world, tmp_path)
    assert result["proven"] is False
    assert result["counts"]["ambiguous_anchor"] == 1


def test_a_property_that_exchange_did_not_return_is_not_proven(world: World, tmp_path: Path) -> None:
    world.user("user")
    del world.mailboxes.mailboxes[0].properties["CustomAttribute1"]  # type: ignore[attr-defined]
    result = prove(world, tmp_path)
    assert result["proven"] is False
    assert result["counts"]["unreadable"] == 1


def test_an_unknown_value_that_nobody_writes_back_does_not_count(world: World, tmp_path: Path) -> None:
    world.user("user")
    result = prove(world, tmp_path, include_not_written_back=True)
    assert result["proven"] is True
    assert result["attributes"]["msExchArchiveName"] == {"unreadable": 1}


def test_cloud_only_mailboxes_have_nothing_to_prove(world: World, tmp_path: Path) -> None:
    world.user("cloud", synced=False)
    assert prove(world, tmp_path)["proven"] is False, "nothing was compared at all"
    world.user("synced")
    result = prove(world, tmp_path)
    assert result["proven"] is True
    assert result["counts"]["cloud_only"] == 1


def test_an_empty_selection_that_is_allowed_is_proven(world: World, tmp_path: Path) -> None:
    result = prove(world, tmp_path)
    assert result["proven"] is True
    assert result["percent"] == 100.0


def test_failing_on_a_difference_says_how_much_is_proven(world: World, tmp_path: Path) -> None:
    world.user("same")
    world.user("other", {"CustomAttribute1": "cloud"})
    world.user("gone", in_directory=False)
    with pytest.raises(errors.PartialFailure, match=r"1 of 3 mailboxes: 1 differ, 1 have no object") as failed:
        prove(world, tmp_path, fail_on_difference=True)
    assert failed.value.facts["proven"] is False
    assert len(failed.value.facts["differing"]) == 2


def test_failing_on_a_difference_does_not_fail_what_is_proven(world: World, tmp_path: Path) -> None:
    world.user("same")
    assert prove(world, tmp_path, fail_on_difference=True)["proven"] is True
