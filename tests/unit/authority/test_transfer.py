# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving the authority of mailboxes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._authority import transfer as use_case
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.carry_out import READ_BACK_DELAYS
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.transfer import Ends, Transfer, transfer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    InputError,
    PartialFailure,
    PermissionDenied,
    Refused,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from authority_fakes import FakeMailboxes, FakeWriter, Progress, mailbox

ALL = Selection("all", None)
NOW = datetime(2026, 8, 3, 12, tzinfo=UTC)


class Recipients:
    """Knows the reasons it was given, and keeps who asked for which."""

    def __init__(self, reasons, asked):
        self.reasons = reasons
        self.asked = asked

    def __call__(self, identities):
        self.asked.append(list(identities))
        return {name: self.reasons[name] for name in identities if name in self.reasons}

    of_users = __call__


class World:
    def __init__(self, *mailboxes, reasons=None, changed=None):
        self.mailboxes = FakeMailboxes(*mailboxes)
        self.log = []
        self.writers = []
        self.slept = []
        self.asked = []
        self.progress = Progress()
        self.reasons = reasons or {}
        self.ends = Ends(
            mailboxes=self.mailboxes,
            recipients=Recipients(self.reasons, self.asked),
            artifacts=self.artifacts,
            progress=self.progress,
            sleep=self.slept.append,
            change_times=None if changed is None else lambda items: (NOW, changed),
            clock=lambda: 0.0,
        )

    def artifacts(self, name):
        writer = FakeWriter(name, self.log, lambda: len(self.mailboxes.written))
        self.writers.append(writer)
        return writer

    def run(self, authority="cloud", selection=ALL, *, check_mode=False, **options):
        options = {"limits": Limits(5000, 100), "mailbox_limit": 600000} | options
        return transfer(Transfer(selection, authority, **options), self.ends, check_mode=check_mode)


def three():
    return World(mailbox("anna"), mailbox("bert", cloud_managed=True), mailbox("carl"))


def test_apply_changes_only_what_is_not_right_and_the_second_run_writes_nothing():
    world = three()
    outcome = world.run()
    assert outcome.changed
    assert [key for key, _parameters in world.mailboxes.written] == ["id-anna", "id-carl"]
    assert {tuple(parameters.items()) for _key, parameters in world.mailboxes.written} == {
        (("IsExchangeCloudManaged", True),)
    }
    assert outcome.result["counts"] == {
        "total": 3,
        "changed": 2,
        "unchanged": 1,
        "ineligible": 0,
        "ineligible_by_reason": {},
        "failed": 0,
        "applied_despite_error": 0,
    }
    again = world.run()
    assert not again.changed
    assert again.diff == []
    assert len(world.mailboxes.written) == 2


def test_check_mode_writes_nothing_and_announces_what_apply_does():
    world = three()
    checked = world.run(check_mode=True)
    assert world.mailboxes.written == []
    applied = world.run()
    assert checked.changed == applied.changed
    assert checked.diff == applied.diff
    assert checked.result["counts"] == applied.result["counts"]
    assert checked.diff[0] == {
        "before_header": "anna@contoso.com",
        "after_header": "anna@contoso.com",
        "before": {"authority": "on_premises"},
        "after": {"authority": "cloud"},
    }


def test_the_snapshot_is_finished_before_the_first_write_and_holds_everything():
    world = World(mailbox("anna"), mailbox("bert", cloud_managed=True), mailbox("cloud", dir_synced=False))
    world.run(on_ineligible="skip")
    snapshot = world.writers[0]
    assert snapshot.writes_before == 0
    assert [(line["action"], line["id"]) for line in snapshot.lines] == [
        ("change", "id-anna"),
        ("unchanged", "id-bert"),
        ("ineligible", "id-cloud"),
    ]
    assert snapshot.lines[0]["properties"]["EmailAddresses"] == ["SMTP:anna@contoso.com"]
    assert snapshot.lines[0]["cloud_managed"] is False
    _selection, properties = world.mailboxes.reads[0]
    assert {"EmailAddresses", "CustomAttribute15", "ExtensionCustomAttribute5", "ForwardingAddress"} <= set(properties)
    assert [line["outcome"] for line in world.writers[1].lines] == ["changed"]


def test_back_to_on_premises():
    world = three()
    outcome = world.run("on_premises")
    assert world.mailboxes.written == [("id-bert", {"IsExchangeCloudManaged": False})]
    assert outcome.diff[0]["after"] == {"authority": "on_premises"}
    assert world.mailboxes.counted == 0, "the tenant's limit is about the cloud only"


@pytest.mark.parametrize(
    ("limits", "option"), [(Limits(1, 100), "max_changes"), (Limits(5000, 50), "max_change_percent")]
)
def test_a_breach_of_limits_stops_before_anything_is_written(limits, option):
    for check_mode in (True, False):
        world = three()
        with pytest.raises(Refused) as caught:
            world.run(limits=limits, check_mode=check_mode)
        assert caught.value.facts["limit"] == option
        assert "would change 2 of 3 mailboxes" in caught.value.message
        assert world.mailboxes.written == []
        assert world.log == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_ineligible_mailboxes_fail_the_run_with_their_reasons(check_mode):
    world = World(mailbox("anna"), mailbox("cloud", dir_synced=False))
    with pytest.raises(Refused) as caught:
        world.run(check_mode=check_mode)
    assert "cloud@contoso.com is not synchronized" in caught.value.message
    assert caught.value.facts["ineligible"][0]["reason"] == "cloud_only"
    assert caught.value.facts["counts"]["changed"] == 0
    assert world.mailboxes.written == []


def test_ineligible_mailboxes_can_be_skipped():
    world = World(mailbox("anna"), mailbox("cloud", dir_synced=False))
    outcome = world.run(on_ineligible="skip")
    assert [key for key, _parameters in world.mailboxes.written] == ["id-anna"]
    assert outcome.result["counts"]["ineligible_by_reason"] == {"cloud_only": 1}


def test_identities_without_a_mailbox_are_explained():
    names = ("anna@contoso.com", "onprem@contoso.com")
    selection = Selection("identities", names)
    reasons = {"onprem@contoso.com": "on_premises_mailbox"}
    world = World(mailbox("anna"), reasons=reasons)
    with pytest.raises(Refused, match="has its mailbox on premises"):
        world.run(selection=selection)
    world = World(mailbox("anna"), reasons=reasons)
    outcome = world.run(selection=selection, on_ineligible="skip")
    assert outcome.result["counts"]["ineligible_by_reason"] == {"on_premises_mailbox": 1}
    assert [key for key, _parameters in world.mailboxes.written] == ["id-anna"]


def test_an_identity_that_does_not_exist_stays_an_error_even_with_skip():
    world = World(mailbox("anna"), reasons={"onprem@contoso.com": "on_premises_mailbox"})
    selection = Selection("identities", ("anna@contoso.com", "onprem@contoso.com", "typo@contoso.com"))
    with pytest.raises(InputError) as caught:
        world.run(selection=selection, on_ineligible="skip")
    assert caught.value.facts["not_found"] == ["onprem@contoso.com", "typo@contoso.com"]
    assert world.mailboxes.written == []


def test_only_identities_without_a_mailbox():
    world = World(reasons={"x@contoso.com": "no_mailbox"})
    outcome = world.run(selection=Selection("identities", ("x@contoso.com",)), on_ineligible="skip")
    assert not outcome.changed
    assert outcome.result["counts"]["ineligible"] == 1


@pytest.mark.parametrize(
    ("existing", "limit", "refused"),
    [(1, 3, False), (1, 2, True), (2, 3, True), (0, 2, False), (0, 1, True), (5, 0, False)],
)
def test_the_tenant_never_exceeds_its_limit(existing, limit, refused):
    others = [mailbox(f"old{n}", cloud_managed=True) for n in range(existing)]
    world = World(mailbox("anna"), mailbox("carl"), *others)
    selection = Selection("identities", ("anna@contoso.com", "carl@contoso.com"))
    if refused:
        with pytest.raises(Refused, match="would exceed"):
            world.run(selection=selection, mailbox_limit=limit)
        assert world.mailboxes.written == []
    else:
        world.run(selection=selection, mailbox_limit=limit)
        assert len(world.mailboxes.written) == 2
    assert world.mailboxes.counted == (1 if limit else 0)


def test_the_tenant_is_not_counted_twice_when_all_were_read_or_nothing_changes():
    world = three()
    with pytest.raises(Refused, match="would exceed"):
        world.run(mailbox_limit=2)
    world.run(mailbox_limit=3)
    world.run(mailbox_limit=3)
    assert world.mailboxes.counted == 0


@pytest.mark.parametrize(
    ("hours_ago", "quiet_hours", "reason"),
    [
        (25, 24, None),
        (24, 24, None),
        (23.9, 24, "changed_recently"),
        (-1, 24, "changed_recently"),
        (None, 24, "no_directory_object"),
        (0, 0, None),
    ],
)
def test_quiet_hours(hours_ago, quiet_hours, reason):
    changed = {} if hours_ago is None else {"id-anna": NOW - timedelta(hours=hours_ago)}
    world = World(mailbox("anna"), changed=changed)
    outcome = world.run(quiet_hours=quiet_hours, on_ineligible="skip")
    assert outcome.result["counts"]["ineligible_by_reason"] == ({reason: 1} if reason else {})
    assert bool(world.mailboxes.written) is (reason is None)


def test_quiet_hours_need_a_directory_and_are_about_the_cloud_only():
    with pytest.raises(InputError, match="directory_hosts"):
        World(mailbox("anna")).run(quiet_hours=1)
    world = World(mailbox("anna", cloud_managed=True))
    assert world.run("on_premises", quiet_hours=24).changed


def test_an_error_although_applied_is_a_success():
    world = three()
    world.mailboxes.errors["id-anna"] = (Unavailable("timed out"), True)
    outcome = world.run()
    assert outcome.changed
    assert outcome.result["counts"]["changed"] == 2
    assert outcome.result["counts"]["applied_despite_error"] == 1
    assert outcome.result["counts"]["failed"] == 0
    assert [line["outcome"] for line in world.writers[1].lines] == ["applied_despite_error", "changed"]


def test_partial_failure_reports_both_sides():
    world = three()
    world.mailboxes.errors["id-carl"] = (PermissionDenied("no role", request_id="r7"), False)
    with pytest.raises(PartialFailure) as caught:
        world.run()
    facts = caught.value.facts
    assert facts["changed"] is True
    assert facts["counts"]["changed"] == 1
    assert facts["counts"]["failed"] == 1
    assert facts["failures"] == [
        {
            "object": "carl@contoso.com",
            "id": "id-carl",
            "error": "no role",
            "kind": "PermissionDenied",
            "request_id": "r7",
        }
    ]
    assert facts["artifact"] == {"path": "authority-cloud"}
    assert world.slept == [], "a refusal is definite: there is nothing to wait for"
    assert "carl@contoso.com" in caught.value.message
    world.mailboxes.errors.clear()
    assert world.run().result["counts"]["changed"] == 1, "the next run does the rest"


def test_failures_are_limited_but_the_artifact_has_them_all():
    world = World(*(mailbox(f"m{n}") for n in range(5)))
    world.mailboxes.errors = {f"id-m{n}": (PermissionDenied("no"), False) for n in range(5)}
    with pytest.raises(PartialFailure) as caught:
        world.run(report_limit=2)
    assert len(caught.value.facts["failures"]) == 2
    assert caught.value.facts["changed"] is False
    assert sum(line["outcome"] == "failed" for line in world.writers[1].lines) == 5


def test_stale_reads_are_waited_for():
    world = three()
    world.mailboxes.stale_reads = 2
    assert world.run().result["counts"]["changed"] == 2
    assert world.slept == list(READ_BACK_DELAYS[:2])


def test_a_success_answer_that_changed_nothing_is_a_failure():
    world = three()
    world.mailboxes.ignored = {"id-anna"}
    with pytest.raises(PartialFailure, match="still shows IsExchangeCloudManaged False"):
        world.run()
    assert world.slept == list(READ_BACK_DELAYS)


def test_a_lost_connection_midway_is_read_back():
    world = World(*(mailbox(f"m{n}") for n in range(4)))
    world.mailboxes.stop_after = (2, Unavailable("connection lost"))
    with pytest.raises(PartialFailure) as caught:
        world.run()
    assert caught.value.facts["counts"]["changed"] == 2
    assert caught.value.facts["counts"]["failed"] == 2
    assert caught.value.facts["changed"] is True
    assert caught.value.facts["failures"][0]["error"] == "connection lost"


def test_a_failed_read_back_says_that_something_may_have_changed():
    world = three()
    world.mailboxes.fail_read_after_write = Unavailable("down", request_id="r1")
    with pytest.raises(PartialFailure) as caught:
        world.run()
    assert caught.value.facts["changed"] is True
    assert caught.value.facts["request_id"] == "r1"
    assert caught.value.facts["artifact"] == {"path": "authority-cloud"}
    assert "Run it again" in caught.value.message


def test_diff_is_limited():
    world = World(*(mailbox(f"m{n}") for n in range(5)))
    assert len(world.run(check_mode=True, report_limit=2).diff) == 3


def test_progress_counts_phases():
    world = three()
    world.run()
    assert world.progress.phases == [["read", 3, None], ["move to cloud", 2, 2], ["read back", 2, 2]]


def test_the_snapshot_asks_for_every_property_of_the_catalogue():
    assert len(use_case.SNAPSHOT_PROPERTIES) == len(set(use_case.SNAPSHOT_PROPERTIES))
    assert "IsExchangeCloudManaged" in use_case.SNAPSHOT_PROPERTIES


def members_world():
    world = World(mailbox("anna"), reasons={"id-old": "on_premises_mailbox", "id-new": "no_mailbox"})
    world.mailboxes.without_mailbox = (Member("id-old", "old@contoso.com"), Member("id-new", "new@contoso.com"))
    return world


def test_selected_users_without_a_mailbox_make_it_fail_by_name():
    world = members_world()
    with pytest.raises(Refused) as caught:
        world.run(selection=Selection("group", "Wave 1"))
    assert "2 of 3 selected objects cannot be moved" in caught.value.message
    assert "old@contoso.com has its mailbox on premises" in caught.value.message
    assert "new@contoso.com has no mailbox in Exchange Online" in caught.value.message
    assert world.mailboxes.written == []


def test_selected_users_without_a_mailbox_can_be_skipped_and_are_counted():
    world = members_world()
    outcome = world.run(selection=Selection("group", "Wave 1"), on_ineligible="skip")
    assert [key for key, _parameters in world.mailboxes.written] == ["id-anna"]
    assert outcome.result["counts"]["ineligible_by_reason"] == {"no_mailbox": 1, "on_premises_mailbox": 1}
    assert [item["id"] for item in outcome.result["ineligible"]] == ["id-old", "id-new"]
    assert world.asked == [["id-old", "id-new"]]


def test_more_failures_than_allowed_end_it_and_the_rest_is_not_tried():
    world = World(*(mailbox(f"m{n}") for n in range(9)))
    world.mailboxes.errors = {f"id-m{n}": (PermissionDenied("no role"), False) for n in (1, 2, 3, 5)}
    with pytest.raises(PartialFailure, match="5 of them were not tried, because more failed than") as caught:
        world.run(max_failures=2)
    assert [key for key, _parameters in world.mailboxes.written] == ["id-m0", "id-m1", "id-m2", "id-m3"]
    counts = caught.value.facts["counts"]
    assert (counts["changed"], counts["failed"], counts["not_tried"]) == (1, 8, 5)
    assert [line["outcome"] for line in world.writers[1].lines] == ["changed", *["failed"] * 3, *["not_tried"] * 5]
    assert "max_failures" in world.writers[1].lines[-1]["error"]
    assert set(world.mailboxes.reads[-1][0].value) == {"id-m0", "id-m1", "id-m2", "id-m3"}, "only what was sent"
    with pytest.raises(InputError, match="max_failures must not be negative"):
        world.run(max_failures=-1)


def test_as_many_failures_as_allowed_do_not_end_it():
    world = World(*(mailbox(f"m{n}") for n in range(5)))
    world.mailboxes.errors = {f"id-m{n}": (PermissionDenied("no role"), False) for n in (0, 1)}
    with pytest.raises(PartialFailure) as caught:
        world.run(max_failures=2)
    assert caught.value.facts["counts"]["changed"] == 3
    assert "not_tried" not in caught.value.facts["counts"]


def test_a_run_that_is_killed_has_its_snapshot_and_the_next_does_the_rest(tmp_path):
    world = World(*(mailbox(f"m{n}") for n in range(6)))
    ends = replace(world.ends, artifacts=lambda name: ArtifactWriter(tmp_path, name))
    world.mailboxes.stop_after = (2, KeyboardInterrupt())
    request = Transfer(ALL, "cloud", Limits(5000, 100), 0)
    with pytest.raises(KeyboardInterrupt):
        transfer(request, ends, check_mode=False)
    (snapshot,) = tmp_path.iterdir()
    assert len(snapshot.read_text().splitlines()) == 6
    assert snapshot.stat().st_mode & 0o777 == 0o600
    world.mailboxes.stop_after = None
    world.mailboxes.written.clear()
    assert transfer(request, ends, check_mode=False).result["counts"]["changed"] == 4
    assert [key for key, _parameters in world.mailboxes.written] == [f"id-m{n}" for n in range(2, 6)]
    assert all(item.cloud_managed for item in world.mailboxes.state.values())


def test_a_refused_run_leaves_no_snapshot(tmp_path):
    world = World(mailbox("anna"), mailbox("bert"))
    ends = replace(world.ends, artifacts=lambda name: ArtifactWriter(tmp_path, name))
    with pytest.raises(Refused):
        transfer(Transfer(ALL, "cloud", Limits(1, 100), 0), ends, check_mode=False)
    assert list(tmp_path.iterdir()) == []


def test_a_mailbox_that_is_not_quiet_is_in_the_snapshot_and_named_as_left_out():
    world = World(mailbox("anna"), mailbox("bert"), changed={"id-anna": NOW, "id-bert": NOW - timedelta(hours=30)})
    world.run(quiet_hours=24, on_ineligible="skip")
    assert [(line["action"], line["id"]) for line in world.writers[0].lines] == [
        ("change", "id-anna"),
        ("change", "id-bert"),
        ("ineligible", "id-anna"),
    ]


def kinds(world):
    return [selection.kind for selection, _properties in world.mailboxes.reads]


class Clock:
    """Time passes as the far end says."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("count", "read_seconds", "change_seconds", "selection", "expected"),
    [
        (401, 100.0, 0.3, ALL, ["all", "all"]),  # 120 s one by one against 100 s
        (401, 130.0, 0.3, ALL, ["all", "ids"]),  # 120 s against 130 s
        (20, 1.0, 0.3, ALL, ["all", "all"]),
        (2, 1.0, 0.3, ALL, ["all", "ids"]),
        (400, 1.0, 0.3, Selection("group", "Wave"), ["group", "ids"]),  # so few were asked for one by one
        (500, 1.0, 0.3, Selection("group", "Wave"), ["group", "all"]),
        (500, 1.0, 0.3, Selection("filter", "Office -eq 'x'"), ["filter", "filter"]),
    ],
)
def test_reading_back_takes_the_cheaper_way_by_what_the_run_itself_took(
    count, read_seconds, change_seconds, selection, expected
):
    world = World(*(mailbox(f"m{n}") for n in range(count)))
    clock = Clock()
    real_read, real_set = world.mailboxes.read, world.mailboxes.set

    def read(*arguments):
        clock.now += read_seconds
        return real_read(*arguments)

    def change(changes):
        for outcome in real_set(changes):
            clock.now += change_seconds
            yield outcome

    world.mailboxes.read, world.mailboxes.set = read, change
    world.ends = replace(world.ends, clock=clock)
    outcome = world.run(selection=selection, mailbox_limit=0)
    assert outcome.result["counts"]["changed"] == count
    assert kinds(world) == expected


def test_what_a_read_of_many_did_not_show_is_asked_for_by_itself():
    world = World(*(mailbox(f"m{n}") for n in range(402)))
    real_read, clock = world.mailboxes.read, Clock()

    def read(selection, properties):
        clock.now += 0 if world.mailboxes.written else 1
        hidden = "id-m7" if world.mailboxes.written else ""
        return (item for item in real_read(selection, properties) if item.id != hidden)

    def change(changes, real=world.mailboxes.set):
        for outcome in real(changes):
            clock.now += 1
            yield outcome

    world.mailboxes.read, world.mailboxes.set = read, change
    world.ends = replace(world.ends, clock=clock)
    assert world.run(mailbox_limit=0).result["counts"]["changed"] == 402
    assert kinds(world) == ["all", "all", "ids"]
    assert world.mailboxes.reads[-1][0].value == ("id-m7",)


def test_only_little_of_each_mailbox_is_kept(tmp_path):
    """600,000 mailboxes with all their properties would be gigabytes."""
    count, size = 3000, 20_000

    class Many(FakeMailboxes):
        def read(self, selection, properties):
            for number in range(count):
                name = f"m{number}"
                yield mailbox(name, cloud_managed=bool(self.written), properties={"CustomAttribute1": "x" * size})

        def by_ids(self, ids, properties):
            return ({"ExternalDirectoryObjectId": key, "IsExchangeCloudManaged": True} for key in ids)

        def set(self, changes):
            for item, _parameters in changes:
                self.written = [(item.id, {})]
                yield item, None

    world = World()
    ends = replace(world.ends, mailboxes=Many(), artifacts=lambda name: ArtifactWriter(tmp_path, name))
    tracemalloc.start()
    outcome = transfer(Transfer(ALL, "cloud", Limits(5000, 100), 0), ends, check_mode=False)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.result["counts"]["changed"] == count
    assert peak < count * 1000 + 2_000_000, f"{peak / count:.0f} bytes for each mailbox"
