# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""directory_writeback from selection to report, against a tenant and a directory in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import apply
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back
from writeback_fakes import BASE, Entry, World, run_in

ALL = Selection("all", None)


@pytest.fixture
def world() -> World:
    return World()


def write(world: World, path: Path, *, check_mode: bool = False, diff_mode: bool = True, **options: Any) -> Report:
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    run = run_in(path, check_mode=check_mode, diff_mode=diff_mode)
    return write_back(Options(selection=ALL, journal_dir=str(path), **options), ends, run)


def lines(artifact: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(artifact.path).read_text(encoding="utf-8").splitlines()]


def test_only_differences_are_written_and_the_second_run_writes_nothing(world: World, tmp_path: Path) -> None:
    world.user("same")
    new = {"EmailAddresses": ["SMTP:new@contoso.lab"], "WindowsEmailAddress": "new@contoso.lab"}
    guid = world.user("moved", {"CustomAttribute1": "new", **new})
    report = write(world, tmp_path, proxy_addresses="exact")
    assert report.changed
    assert report.result["counts"]["total"] == 2
    assert report.result["counts"]["planned"] == report.result["counts"]["written"] == 1
    assert report.result["counts"]["unchanged"] == 1
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)
    assert world.directory.text(guid, "proxyAddresses") == ("SMTP:new@contoso.lab",)
    assert len(world.directory.modifications) == 1
    again = write(world, tmp_path, proxy_addresses="exact")
    assert not again.changed
    assert len(world.directory.modifications) == 1
    assert "journal" not in again.result


def test_check_mode_announces_the_same_change_and_sends_no_write(world: World, tmp_path: Path) -> None:
    world.user("moved", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    checked = write(world, tmp_path, check_mode=True)
    assert checked.changed
    assert checked.result["counts"]["planned"] == 1
    assert checked.result["counts"]["written"] == 0
    assert world.directory.modifications == []
    assert "journal" not in checked.result
    done = write(world, tmp_path)
    assert done.diff == checked.diff
    assert done.diff[0]["before"] == {"extensionAttribute1": ["old"]}
    assert done.diff[0]["after"] == {"extensionAttribute1": ["new"]}


def test_the_before_image_is_on_disk_before_the_first_write(world: World, tmp_path: Path) -> None:
    world.user("moved", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    seen: list[dict[str, Any]] = []

    def look(entry: Entry) -> None:
        for file in tmp_path.glob("directory-journal-*.jsonl"):
            seen.extend(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())

    world.directory.before_modify = look
    report = write(world, tmp_path)
    assert seen[1]["changes"] == {"extensionAttribute1": {"before": ["old"], "after": ["new"]}}
    assert seen[1]["distinguished_name"] == f"CN=moved,OU=People,{BASE}"
    whole = journal.read(report.result["journal"]["path"])
    assert whole.header.operation == "writeback"
    assert (dict(whole.outcomes), whole.end["counts"]) == ({1: "written"}, {"written": 1})


def test_addresses_that_only_ad_has_are_kept_and_told(world: World, tmp_path: Path) -> None:
    addresses = ["SMTP:user@contoso.lab", "smtp:printer@contoso.lab"]
    guid = world.user("user", {"CustomAttribute1": "new"}, {"proxyAddresses": addresses})
    report = write(world, tmp_path)
    assert world.directory.text(guid, "proxyAddresses") == tuple(sorted(addresses))
    assert report.result["directory_only_addresses"] == [
        {"object": "user@contoso.lab", "addresses": ["smtp:printer@contoso.lab"]}
    ]
    assert report.result["counts"]["directory_only_addresses"] == 1


def test_mailboxes_that_are_not_the_clouds_are_left_alone(world: World, tmp_path: Path) -> None:
    world.user("cloud", {"CustomAttribute1": "new"}, synced=False)
    world.user("onprem", {"CustomAttribute1": "new"}, managed=False)
    report = write(world, tmp_path)
    assert not report.changed
    assert world.directory.modifications == []
    assert report.result["counts"]["cloud_only"] == 1
    assert report.result["counts"]["not_cloud_managed"] == 1
    assert any("1 of 2 mailboxes are not cloud-managed" in warning for warning in report.warnings)


def test_the_consistency_guid_counts_before_the_object_guid(world: World, tmp_path: Path) -> None:
    """The object whose objectGUID fits belongs to somebody else when it has another mS-DS-ConsistencyGuid."""
    anchor = b"A" * 16
    world.user("user", {"CustomAttribute1": "new"}, anchor=anchor, in_directory=False)
    wrong = world.directory.add("wrong", anchor, consistency_guid=b"B" * 16, extensionAttribute1="keep")
    right = world.directory.add("right", b"C" * 16, consistency_guid=anchor)
    write(world, tmp_path, attributes=["extensionAttribute1"])
    assert right.values["extensionAttribute1"] == (b"new",)
    assert wrong.values["extensionAttribute1"] == (b"keep",)


def test_two_objects_with_one_anchor_are_told_and_not_written(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"})
    world.user("other", {"CustomAttribute1": "new"})
    world.directory.add("copy", b"D" * 16, consistency_guid=guid)
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path, attributes=["extensionAttribute1"])
    facts = failed.value.facts
    assert facts["changed"] is True
    assert facts["counts"]["ambiguous_anchor"] == 1
    assert facts["counts"]["written"] == 1
    assert "CN=copy" in facts["failures"][0]["error"]
    assert [dn for dn, _steps in world.directory.modifications] == [f"CN=other,OU=People,{BASE}"]


def test_a_missing_object_fails_the_run_after_the_others_are_written(world: World, tmp_path: Path) -> None:
    world.user("gone", in_directory=False)
    guid = world.user("here", {"CustomAttribute1": "new"})
    with pytest.raises(errors.PartialFailure, match=r"gone@contoso.lab.*source anchor") as failed:
        write(world, tmp_path)
    assert failed.value.facts["counts"]["not_found"] == 1
    assert failed.value.facts["failures"][0]["kind"] == "not_found"
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)


def test_check_mode_has_the_same_verdict_on_a_missing_object(world: World, tmp_path: Path) -> None:
    world.user("gone", in_directory=False)
    world.user("here", {"CustomAttribute1": "new"})
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path, check_mode=True)
    assert "1 objects would be written" in failed.value.message
    assert failed.value.facts["changed"] is False
    assert failed.value.facts["diff"]
    assert world.directory.modifications == []


def test_objects_of_another_domain_are_counted_and_no_failure(world: World, tmp_path: Path) -> None:
    world.user("far", domain="emea.contoso.lab", in_directory=False)
    report = write(world, tmp_path)
    assert report.result["counts"]["elsewhere"] == 1
    assert report.warnings


def test_a_value_too_long_for_the_schema_stops_its_object_only(world: World, tmp_path: Path) -> None:
    long = world.user("long", {"CustomAttribute1": "x" * 1025, "CustomAttribute2": "fine"})
    other = world.user("other", {"CustomAttribute1": "x" * 1024})
    with pytest.raises(errors.PartialFailure, match="at most 1024 characters") as failed:
        write(world, tmp_path)
    assert failed.value.facts["counts"]["out_of_range"] == 1
    assert world.directory.text(long, "extensionAttribute2") == ()
    assert world.directory.text(other, "extensionAttribute1") == ("x" * 1024,)


def test_a_property_that_exchange_did_not_return_never_clears_a_value(world: World, tmp_path: Path) -> None:
    guid = world.user("user", directory={"extensionAttribute1": "keep"})
    del world.mailboxes.mailboxes[0].properties["CustomAttribute1"]  # type: ignore[attr-defined]
    with pytest.raises(errors.PartialFailure, match="did not return its property CustomAttribute1"):
        write(world, tmp_path)
    assert world.directory.text(guid, "extensionAttribute1") == ("keep",)


def test_an_answer_without_addresses_never_clears_them(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"EmailAddresses": []})
    with pytest.raises(errors.PartialFailure, match="no primary address"):
        write(world, tmp_path, proxy_addresses="exact")
    assert world.directory.text(guid, "proxyAddresses") == ("SMTP:user@contoso.lab",)


def test_an_address_of_another_object_is_refused(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"EmailAddresses": ["SMTP:user@contoso.lab", "smtp:info@contoso.lab"]})
    world.directory.add("Info", b"I" * 16, proxyAddresses=["SMTP:INFO@contoso.lab"])
    with pytest.raises(errors.PartialFailure, match=r"info@contoso.lab belongs to CN=Info"):
        write(world, tmp_path)
    assert world.directory.text(guid, "proxyAddresses") == ("SMTP:user@contoso.lab",)


def test_an_address_that_moves_within_the_run_is_no_conflict(world: World, tmp_path: Path) -> None:
    both = ["SMTP:from@contoso.lab", "smtp:info@contoso.lab"]
    source = world.user("from", directory={"proxyAddresses": both})
    target = world.user("to", {"EmailAddresses": ["SMTP:to@contoso.lab", "smtp:info@contoso.lab"]})
    write(world, tmp_path, proxy_addresses="exact")
    assert world.directory.text(source, "proxyAddresses") == ("SMTP:from@contoso.lab",)
    assert world.directory.text(target, "proxyAddresses") == ("SMTP:to@contoso.lab", "smtp:info@contoso.lab")


def test_an_address_stays_with_a_holder_whose_own_plan_is_refused(world: World, tmp_path: Path) -> None:
    """a gives info up and takes sales, which a stranger holds: so a is refused, keeps info, and b cannot have it."""
    a = world.user(
        "a",
        {"EmailAddresses": ["SMTP:a@contoso.lab", "smtp:sales@contoso.lab"]},
        {"proxyAddresses": ["SMTP:a@contoso.lab", "smtp:info@contoso.lab"]},
    )
    b = world.user("b", {"EmailAddresses": ["SMTP:b@contoso.lab", "smtp:info@contoso.lab"]})
    world.directory.add("Sales", b"S" * 16, proxyAddresses=["SMTP:sales@contoso.lab"])
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path, proxy_addresses="exact")
    assert failed.value.facts["counts"]["address_taken"] == 2
    assert world.directory.text(a, "proxyAddresses") == ("SMTP:a@contoso.lab", "smtp:info@contoso.lab")
    assert world.directory.text(b, "proxyAddresses") == ("SMTP:b@contoso.lab",)


def test_an_address_that_two_mailboxes_claim_goes_to_none(world: World, tmp_path: Path) -> None:
    for name in ("a", "b"):
        world.user(name, {"EmailAddresses": [f"SMTP:{name}@contoso.lab", "smtp:info@contoso.lab"]})
    with pytest.raises(errors.PartialFailure, match="2 of the selected mailboxes") as failed:
        write(world, tmp_path)
    assert failed.value.facts["counts"]["address_taken"] == 2
    assert world.directory.modifications == []


def test_promoting_an_own_address_asks_nobody(world: World, tmp_path: Path) -> None:
    both = ["smtp:user@contoso.lab", "SMTP:other@contoso.lab"]
    cloud = {"EmailAddresses": both, "WindowsEmailAddress": "other@contoso.lab"}
    world.user("user", cloud, {"proxyAddresses": ["SMTP:user@contoso.lab", "smtp:other@contoso.lab"]})
    write(world, tmp_path)
    assert len(world.directory.modifications) == 1
    assert not any("proxyAddresses=" in text for text in world.directory.searches)


@pytest.mark.parametrize("base", ["ou=people,dc=contoso,dc=lab", "OU=People, DC=contoso , DC=lab"])
def test_where_a_run_searches_is_compared_as_a_name(world: World, tmp_path: Path, base: str) -> None:
    world.user("gone", in_directory=False)
    world.directory.base_dn = base
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path)
    assert failed.value.facts["counts"]["not_found"] == 1
    world.directory.base_dn = "OU=Sales,DC=contoso,DC=lab"
    assert write(world, tmp_path).result["counts"]["elsewhere"] == 1


def test_what_a_running_job_owns_is_refused_by_name_before_anything_is_read(world: World, tmp_path: Path) -> None:
    world.ownership.targets = frozenset({"MAIL", "proxyAddresses"})
    with pytest.raises(errors.Refused, match=r"proxyAddresses, mail in contoso.lab"):
        write(world, tmp_path)
    assert world.ownership.domains == ["contoso.lab"]
    assert world.mailboxes.asked_for == []


def test_what_a_running_job_owns_is_skipped_on_request(world: World, tmp_path: Path) -> None:
    world.ownership.targets = frozenset({"mail"})
    guid = world.user("user", {"WindowsEmailAddress": "new@contoso.lab", "CustomAttribute1": "new"})
    report = write(world, tmp_path, on_owned="skip")
    assert world.directory.text(guid, "mail") == ("user@contoso.lab",)
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)
    assert report.result["owned_attributes"] == ["mail"]
    assert "mail" not in report.result["attributes"]


def test_skipping_everything_writes_nothing(world: World, tmp_path: Path) -> None:
    world.ownership.targets = frozenset({"mail"})
    world.user("user", {"WindowsEmailAddress": "new@contoso.lab"})
    report = write(world, tmp_path, on_owned="skip", attributes=["mail"])
    assert not report.changed
    assert world.directory.modifications == []


@pytest.mark.parametrize("limits", [Limits(1, 100), Limits(100, 50), Limits(100, 0, 10)])
def test_limits_stop_the_run_before_its_first_write(world: World, tmp_path: Path, limits: Limits) -> None:
    for name in ("a", "b"):
        world.user(name, {"CustomAttribute1": "new"})
    world.user("same")
    with pytest.raises(errors.Refused, match="would change 2 of 3 mailboxes"):
        write(world, tmp_path, limits=limits)
    assert world.directory.modifications == []
    assert not list(tmp_path.glob("*.jsonl"))


def test_the_type_is_written_in_the_chosen_notation(world: World, tmp_path: Path) -> None:
    guid = world.user("room", kind="RoomMailbox")
    write(world, tmp_path)
    assert world.directory.text(guid, "msExchRecipientTypeDetails") == ("8589934592",)
    assert world.directory.text(guid, "msExchRecipientDisplayType") == ("-2147481850",)
    write(world, tmp_path, type_values="local")
    assert world.directory.text(guid, "msExchRecipientTypeDetails") == ("16",)
    assert world.directory.text(guid, "msExchRecipientDisplayType") == ("7",)


def test_a_type_without_a_counterpart_is_refused(world: World, tmp_path: Path) -> None:
    world.user("odd", kind="GroupMailbox")
    with pytest.raises(errors.PartialFailure, match="GroupMailbox has no counterpart"):
        write(world, tmp_path)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["displayName"], "displayName"), (["legacyExchangeDN"], "cannot be taken from the cloud"), ([], "empty list")],
)
def test_attributes_that_cannot_be_written_are_refused(
    world: World, tmp_path: Path, names: list[str], words: str
) -> None:
    with pytest.raises(errors.InputError, match=words):
        write(world, tmp_path, attributes=names)


def test_an_object_that_moved_is_read_and_planned_again(world: World, tmp_path: Path) -> None:
    """The mailbox too: who changed the object may have had a newer value of it."""
    guid = world.user("user", {"CustomAttribute1": "cloud"}, {"extensionAttribute1": "old"})

    def edit(entry: Entry) -> None:
        entry.values["extensionAttribute1"] = (b"somebody else's",)
        world.mailboxes.mailboxes[0].properties["CustomAttribute1"] = "newer"  # type: ignore[index]
        world.directory.before_modify = lambda entry: None

    world.directory.before_modify = edit
    report = write(world, tmp_path)
    assert world.directory.text(guid, "extensionAttribute1") == ("newer",)
    assert lines(report.result["artifact"])[0]["before"] == {"extensionAttribute1": ["somebody else's"]}
    whole = journal.read(report.result["journal"]["path"])
    assert [change.changes[0].before for change in whole.intents.values()] == [(b"old",), (b"somebody else's",)]
    assert list(whole.outcomes.values()) == ["not_written", "written"]


def test_a_value_that_somebody_else_set_to_the_wanted_one_is_unchanged(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "cloud"}, {"extensionAttribute1": "old"})

    def edit(entry: Entry) -> None:
        entry.values["extensionAttribute1"] = (b"cloud",)

    world.directory.before_modify = edit
    report = write(world, tmp_path)
    assert not report.changed
    assert (report.result["counts"]["unchanged"], report.result["counts"]["written"]) == (1, 0)
    assert list(journal.read(report.result["journal"]["path"]).outcomes.values()) == ["unchanged"]


def test_an_object_that_moves_again_and_again_is_left_to_whoever_moves_it(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "cloud"}, {"extensionAttribute1": "old"})
    edits = iter(range(100))

    def edit(entry: Entry) -> None:
        entry.values["extensionAttribute1"] = (b"somebody else's %d" % next(edits),)

    world.directory.before_modify = edit
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path)
    assert failed.value.facts["changed"] is False
    assert failed.value.facts["failures"][0]["kind"] == "Conflict"
    assert "tried 3 times" in failed.value.facts["failures"][0]["error"]
    assert world.directory.text(guid, "extensionAttribute1") == ("somebody else's 2",)


def test_an_error_although_applied_is_a_success(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new"})

    def fail(entry: Entry) -> None:
        raise errors.Unavailable("cut", applied="unknown")

    world.directory.after_modify = fail
    report = write(world, tmp_path)
    assert report.changed
    assert report.result["counts"]["written"] == 1
    assert len(world.directory.modifications) == 1


def test_a_write_that_a_cut_connection_swallowed_is_sent_again(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"})
    cuts = iter([True])

    def cut(entry: Entry) -> None:
        if next(cuts, False):
            raise errors.Unavailable("cut", applied="unknown")

    world.directory.before_modify = cut
    report = write(world, tmp_path)
    assert report.result["counts"]["written"] == 1
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)


def test_a_success_that_was_not_kept_is_a_failure(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new"})

    def undo(entry: Entry) -> None:
        entry.values["extensionAttribute1"] = (b"undone",)

    world.directory.after_modify = undo
    with pytest.raises(errors.PartialFailure, match="something else writes to this object"):
        write(world, tmp_path)


def test_one_bad_object_does_not_stop_the_others(world: World, tmp_path: Path) -> None:
    world.user("admin", {"CustomAttribute1": "new"})
    guid = world.user("user", {"CustomAttribute1": "new"})

    def protect(entry: Entry) -> None:
        if entry.dn.startswith("CN=admin"):
            raise errors.PermissionDenied("AdminSDHolder", object=entry.dn)

    world.directory.before_modify = protect
    with pytest.raises(errors.PartialFailure, match="AdminSDHolder") as failed:
        write(world, tmp_path)
    assert failed.value.facts["changed"] is True
    assert failed.value.facts["counts"] | {"written": 1, "failed": 1} == failed.value.facts["counts"]
    assert world.directory.text(guid, "extensionAttribute1") == ("new",)
    outcomes = {line["object"]: line["outcome"] for line in lines(failed.value.facts["artifact"])}
    assert outcomes == {"admin@contoso.lab": "failed", "user@contoso.lab": "written"}
    world.directory.before_modify = lambda entry: None
    assert write(world, tmp_path).result["counts"]["written"] == 1


def test_a_server_that_stays_away_ends_the_run_and_the_next_one_converges(world: World, tmp_path: Path) -> None:
    for number in range(5):
        world.user(f"user{number}", {"CustomAttribute1": "new"})

    def die(entry: Entry) -> None:
        if len(world.directory.modifications) == 2:
            raise errors.Unavailable("the domain controller is gone")

    world.directory.before_modify = die
    with pytest.raises(errors.PartialFailure, match="the domain controller is gone") as failed:
        write(world, tmp_path)
    counts = failed.value.facts["counts"]
    assert (counts["written"], counts["not_attempted"], counts["failed"]) == (2, 3, 0)
    assert failed.value.facts["changed"] is True
    world.directory.before_modify = lambda entry: None
    report = write(world, tmp_path)
    assert (report.result["counts"]["unchanged"], report.result["counts"]["written"]) == (2, 3)


def test_writes_that_cannot_be_read_back_are_unknown(world: World, tmp_path: Path) -> None:
    world.user("user", {"CustomAttribute1": "new"})

    def gone(text: str) -> None:
        if world.directory.modifications:
            raise errors.Unavailable("the domain controller is gone")

    world.directory.before_search = gone
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path)
    assert failed.value.facts["counts"]["unknown"] == 1
    assert failed.value.facts["changed"] is True


def test_when_nothing_of_a_chunk_can_be_written_the_rest_is_not_tried(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "CHUNK", 2)
    for number in range(5):
        world.user(f"user{number}", {"CustomAttribute1": "new"})
    tries: list[str] = []

    def deny(entry: Entry) -> None:
        tries.append(entry.dn)
        raise errors.PermissionDenied("no permission", object=entry.dn)

    world.directory.before_modify = deny
    with pytest.raises(errors.PartialFailure) as failed:
        write(world, tmp_path)
    assert len(tries) == 2
    assert failed.value.facts["counts"]["not_attempted"] == 3


def test_several_chunks_are_all_written(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "CHUNK", 2)
    guids = [world.user(f"user{number}", {"CustomAttribute1": "new"}) for number in range(5)]
    assert write(world, tmp_path).result["counts"]["written"] == 5
    assert {world.directory.text(guid, "extensionAttribute1") for guid in guids} == {("new",)}


def test_another_anchor_attribute_is_the_only_one_that_counts(world: World, tmp_path: Path) -> None:
    guid = world.user("user", {"CustomAttribute1": "new"}, anchor=b"employee", in_directory=False)
    entry = world.directory.add("user", guid, msExchMasterAccountSid=b"employee")
    write(world, tmp_path, attributes=["extensionAttribute1"], source_anchor_attribute="msExchMasterAccountSid")
    assert entry.values["extensionAttribute1"] == (b"new",)


def test_a_cloud_only_selection_never_asks_for_all_users(world: World, tmp_path: Path) -> None:
    world.user("cloud", synced=False)
    write(world, tmp_path)
    assert world.mailboxes.asked_for == []
