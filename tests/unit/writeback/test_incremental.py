# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""roundtrip_info with a state file: reading what changed, and when to read everything again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._run import state
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import incremental, prove_verdict
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import Options, prove_round_trip
from writeback_fakes import World, run_in

ALL = Selection("all", None)


class Tenant(World):
    """A tenant that is looked at again and again, with one state."""

    path: Path
    state_file: Path
    warnings: list[str]

    def look(self, *, selection: Selection = ALL, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        for calls in (self.mailboxes.asked_for, self.mailboxes.asked_by_id, self.mailboxes.asked_since):
            calls.clear()
        self.directory.searches.clear()
        path = options.pop("state_file", str(self.state_file))
        repeat = Repeat(path, options.pop("full_pass_interval", 24.0))
        run = run_in(self.path, check_mode=check_mode)
        report = prove_round_trip(
            Options(selection=selection, repeat=repeat, **{"tenant": "contoso.com", **options}), self, run
        )
        self.warnings = report.warnings
        return report.result

    def wait(self, **span: float) -> None:
        """Let the last run be as long ago."""
        known = state.load(self.state_file)
        past = timedelta(**span)
        state.save(
            self.state_file,
            replace(known, full_pass=known.full_pass - past, changed_before=known.changed_before - past),
        )


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    made = Tenant()
    made.path, made.state_file, made.warnings = tmp_path / "artifacts", tmp_path / "state" / "roundtrip.json", []
    for name in ("anna", "ben", "carl"):
        made.user(name)
    return made


def test_the_first_pass_is_full_and_leaves_a_small_private_state(tenant: Tenant) -> None:
    result = tenant.look()
    assert (result["pass"], result["reason"]) == ("full", f"there is no state of an earlier run in {tenant.state_file}")
    assert tenant.state_file.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tenant.state_file.parent.iterdir()] == ["roundtrip.json"]
    known = state.load(tenant.state_file)
    assert (known.expected, known.pending, known.highest_usn) == (3, {}, 1000)


def test_without_a_state_file_the_directory_is_not_asked_where_it_stands(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant.directory, "replica", lambda: pytest.fail("asked"))
    result = tenant.look(state_file=None)
    assert (result["pass"], result["reason"]) == ("full", "no state_file is given")


def test_nothing_changed_means_nothing_is_read_and_all_is_still_proven(tenant: Tenant) -> None:
    tenant.look()
    result = tenant.look()
    assert result["pass"] == "incremental"
    assert result["reason"].startswith("the last full pass was at ")
    assert (result["proven"], result["percent"], result["counts"]["total"]) == (True, 100.0, 0)
    assert tenant.mailboxes.asked_for == []
    assert tenant.directory.searches == ["(&(objectCategory=person)(objectClass=user)(uSNChanged>=1001))"]


def test_a_mailbox_that_changed_is_compared_with_its_object(tenant: Tenant) -> None:
    tenant.look()
    tenant.change_mailbox("ben", CustomAttribute1="new")
    result = tenant.look()
    assert (result["pass"], result["proven"], result["percent"]) == ("incremental", False, 66.66)
    assert result["counts"] | {"total": 1, "differs": 1} == result["counts"]
    assert [item["object"] for item in result["differing"]] == ["ben@contoso.lab"]


def test_an_object_that_changed_is_compared_with_its_mailbox(tenant: Tenant) -> None:
    guid = tenant.user("dora")
    tenant.look()
    tenant.change_object(guid, extensionAttribute1=(b"drift",))
    result = tenant.look()
    assert [item["object"] for item in result["differing"]] == ["dora@contoso.lab"]
    assert len(tenant.mailboxes.asked_by_id[0]) == 1


def test_what_was_not_proven_is_looked_at_until_it_is(tenant: Tenant) -> None:
    guid = tenant.user("dora", {"CustomAttribute1": "new"})
    assert tenant.look()["proven"] is False
    result = tenant.look()
    assert (result["pass"], result["proven"], result["counts"]["differs"]) == ("incremental", False, 1)
    # Not even marked as changed: it is pending, so it is read.
    tenant.directory.objects[guid].values["extensionAttribute1"] = (b"new",)
    result = tenant.look()
    assert (result["proven"], result["counts"]["equal"], result["percent"]) == (True, 1, 100.0)
    assert tenant.look()["counts"]["total"] == 0


def test_a_mailbox_that_is_gone_is_no_longer_pending(tenant: Tenant) -> None:
    tenant.user("dora", {"CustomAttribute1": "new"})
    tenant.look()
    tenant.mailboxes.mailboxes.pop()
    assert tenant.look()["proven"] is True


def test_a_mailbox_whose_objects_are_elsewhere_keeps_the_proof_open(tenant: Tenant) -> None:
    tenant.user("far", domain="emea.contoso.lab", in_directory=False)
    assert tenant.look()["proven"] is False
    result = tenant.look()
    assert (result["pass"], result["proven"], result["percent"]) == ("incremental", False, 75.0)
    with pytest.raises(errors.PartialFailure, match="in another domain or outside directory_base_dn"):
        tenant.look(fail_on_difference=True)


def test_a_missing_object_that_appears_is_found(tenant: Tenant) -> None:
    guid = tenant.user("dora", in_directory=False)
    assert tenant.look()["counts"]["missing"] == 1
    assert tenant.look()["counts"]["missing"] == 1
    tenant.user("dora")
    tenant.mailboxes.mailboxes.pop()
    tenant.change_object(guid)
    assert tenant.look()["proven"] is True


def test_a_second_object_with_the_anchor_is_found_beside_the_first(tenant: Tenant) -> None:
    guid = tenant.user("dora")
    tenant.look()
    tenant.directory.add("copy", b"D" * 16, consistency_guid=guid)
    tenant.change_object(b"D" * 16)
    assert tenant.look()["counts"]["ambiguous_anchor"] == 1
    # And stays found although neither changes any more, and only one of them can be found by objectGUID.
    assert tenant.look()["counts"]["ambiguous_anchor"] == 1
    del tenant.directory.objects[b"D" * 16]
    assert tenant.look()["proven"] is True


def test_mailboxes_that_share_an_anchor_stay_ambiguous(tenant: Tenant) -> None:
    guid = tenant.user("dora")
    tenant.user("eric", anchor=guid, in_directory=False)
    assert tenant.look()["counts"]["ambiguous_anchor"] == 2
    assert tenant.look()["counts"]["ambiguous_anchor"] == 2


def test_the_object_of_a_moved_forest_is_found_by_its_name(tenant: Tenant) -> None:
    """Its anchor is not its objectGUID, and mS-DS-ConsistencyGuid has no index."""
    anchor = b"A" * 16
    tenant.user("dora", anchor=anchor, in_directory=False)
    tenant.directory.add(
        "dora",
        b"G" * 16,
        consistency_guid=anchor,
        mail="dora@contoso.lab",
        proxyAddresses="SMTP:dora@contoso.lab",
        msExchRecipientTypeDetails="2147483648",
        msExchRecipientDisplayType="-2147483642",
    )
    tenant.look()
    tenant.change_mailbox("dora", CustomAttribute1="new")
    assert tenant.look()["counts"]["differs"] == 1
    assert not any("ConsistencyGuid" in text for text in tenant.directory.searches)
    tenant.change_mailbox("dora")
    tenant.directory.objects[b"G" * 16].dn = f"CN=married,{tenant.directory.base_dn}"
    tenant.look(full_pass_interval=0)
    tenant.change_mailbox("dora", CustomAttribute1="")
    result = tenant.look()
    assert result["pass"] == "incremental"
    assert result["counts"]["missing"] == 1, "pending, not found by name, and not searched for: not proven"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"attributes": ["mail"]}, "this run has another value of attributes than the last one"),
        (
            {"proxy_addresses": "exact", "type_values": "local"},
            "this run has another value of proxy_addresses and of type_values than the last one",
        ),
        ({"include_not_written_back": True}, "another value of attributes and of include_not_written_back"),
        ({"tenant": "fabrikam.com"}, "this run has another value of tenant_id than the last one"),
        (
            {"source_anchor_attribute": "employeeID"},
            "this run has another value of source_anchor_attribute than the last one",
        ),
        (
            {"selection": Selection("all", None, frozenset({"x"}))},
            "this run has another value of exclude than the last one",
        ),
        ({"selection": Selection("group", "pilots")}, "only all_mailboxes can be read incrementally"),
        ({"full_pass_interval": 0}, "the last full pass was 0.0 hours ago"),
    ],
)
def test_a_run_about_something_else_is_full(tenant: Tenant, options: dict[str, Any], reason: str) -> None:
    tenant.look()
    result = tenant.look(**options)
    assert result["pass"] == "full"
    assert reason in result["reason"]


def test_another_domain_controller_means_a_full_pass(tenant: Tenant) -> None:
    tenant.look()
    tenant.directory.invocation_id, tenant.directory.host = b"J" * 16, "dc2.contoso.lab:636"
    result = tenant.look()
    assert result["pass"] == "full"
    assert "the last run read dc1.contoso.lab:636, this one reads dc2.contoso.lab:636" in result["reason"]
    assert tenant.look()["pass"] == "incremental"


def test_a_domain_controller_that_was_set_back_means_a_full_pass(tenant: Tenant) -> None:
    tenant.look()
    tenant.directory.highest_usn = 10
    assert tenant.look()["reason"] == "dc1.contoso.lab:636 was set back to an earlier state"


def test_a_full_pass_comes_at_its_interval_which_incremental_ones_do_not_put_off(tenant: Tenant) -> None:
    tenant.look()
    tenant.wait(hours=23)
    assert tenant.look()["pass"] == "incremental"
    tenant.wait(hours=1.5)
    result = tenant.look()
    assert (result["pass"], result["reason"]) == ("full", "the last full pass was 24.5 hours ago")
    tenant.wait(hours=-2)
    assert tenant.look()["reason"] == "the last full pass is in the future by this machine's clock"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"version": 2}', b"\xff\xfe", b'{"version": 1, "compared": [], "pending": 5}'],
)
def test_a_damaged_state_means_a_full_pass(tenant: Tenant, content: bytes) -> None:
    tenant.look()
    tenant.state_file.write_bytes(content)
    result = tenant.look()
    assert result["pass"] == "full"
    assert str(tenant.state_file) in result["reason"]
    assert tenant.look()["pass"] == "incremental"


def test_every_part_of_a_state_is_needed(tenant: Tenant) -> None:
    tenant.look()
    whole = json.loads(tenant.state_file.read_text(encoding="utf-8"))
    for name in whole:
        tenant.state_file.write_text(json.dumps({key: whole[key] for key in whole if key != name}), encoding="utf-8")
        with pytest.raises(state.Unusable):
            state.load(tenant.state_file)


def test_a_state_that_cannot_be_written_costs_a_warning_only(tenant: Tenant) -> None:
    result = tenant.look(state_file="/proc/none/state.json")
    assert result["proven"] is True
    assert tenant.warnings == [
        "state_file /proc/none/state.json cannot be written: No such file or directory. The next run will read "
        "everything."
    ]


def test_check_mode_leaves_the_state_alone(tenant: Tenant) -> None:
    tenant.look(check_mode=True)
    assert not tenant.state_file.exists()


def test_a_failed_proof_leaves_a_state_too(tenant: Tenant) -> None:
    tenant.user("dora", {"CustomAttribute1": "new"})
    with pytest.raises(errors.PartialFailure):
        tenant.look(fail_on_difference=True)
    assert tenant.look()["pass"] == "incremental"


@pytest.mark.parametrize("side", ["mailboxes", "objects"])
def test_too_many_changes_mean_a_full_pass(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    guids = [tenant.user(f"user{number}") for number in range(3)]
    tenant.look()
    monkeypatch.setattr(incremental, "CHANGES_AT_MOST", 2)
    for number, guid in enumerate(guids):
        if side == "mailboxes":
            tenant.change_mailbox(f"user{number}", CustomAttribute1="new")
        else:
            tenant.change_object(guid, extensionAttribute1=(b"new",))
    result = tenant.look()
    assert (result["pass"], result["counts"]["differs"], result["counts"]["total"]) == ("full", 3, 6)
    assert "more than 2 " in result["reason"]
    known = state.load(tenant.state_file)
    assert len(known.pending or ()) == 3
    assert datetime.now(UTC) - known.full_pass < timedelta(minutes=1), "this was the last full pass"


def test_too_many_open_mailboxes_mean_a_full_pass(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "PENDING_AT_MOST", 1)
    monkeypatch.setattr(prove_verdict, "PENDING_AT_MOST", 1)
    for number in range(5):
        tenant.user(f"user{number}", {"CustomAttribute1": "new"})
    tenant.look()
    assert "so many mailboxes were not settled" in tenant.look()["reason"]


def test_the_mark_is_the_start_of_the_run_by_the_clock_of_the_service(tenant: Tenant) -> None:
    tenant.mailboxes.time = datetime.now(UTC) + timedelta(hours=3)
    tenant.look()
    known = state.load(tenant.state_file)
    expected = datetime.now(UTC) + timedelta(hours=3) - incremental.OVERLAP
    assert abs(known.changed_before - expected) < timedelta(minutes=1)
    tenant.look()
    assert tenant.mailboxes.asked_since == [known.changed_before]


def test_a_change_made_while_a_pass_reads_is_seen_by_the_next(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    guid = tenant.user("dora")
    read = tenant.mailboxes.rows

    def rows(*arguments: Any) -> Any:
        yield from read(*arguments)
        tenant.directory.highest_usn += 1

    monkeypatch.setattr(tenant.mailboxes, "rows", rows)
    tenant.look()
    tenant.directory.objects[guid].values |= {"uSNChanged": (b"1001",), "extensionAttribute1": (b"drift",)}
    assert tenant.look()["counts"]["differs"] == 1


def test_excluded_mailboxes_stay_excluded(tenant: Tenant) -> None:
    selection = Selection("all", None, frozenset({"ben@contoso.lab"}))
    tenant.look(selection=selection)
    tenant.change_mailbox("ben", CustomAttribute1="new")
    assert tenant.look(selection=selection)["counts"]["total"] == 0


def test_a_negative_interval_is_refused(tenant: Tenant) -> None:
    with pytest.raises(errors.InputError, match="full_pass_interval must not be negative, it is -1"):
        tenant.look(full_pass_interval=-1.0)
