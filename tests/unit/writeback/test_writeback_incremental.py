# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""directory_writeback with a state file: writing what changed since the last run, and nothing forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._run import state
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back
from writeback_fakes import Entry, World, run_in

NAMES = ("anna", "ben", "carl")


class Tenant(World):
    """A tenant that is written again and again, with one state."""

    path: Path

    @property
    def state_file(self) -> Path:
        return self.path / "state.json"

    def write(self, *, check_mode: bool = False, **options: Any) -> Report:
        self.mailboxes.asked_for.clear()
        self.directory.modifications.clear()
        given = {"repeat": Repeat(str(self.state_file)), "journal_dir": str(self.path), **options}
        ends = FarEnds(self.mailboxes, self.ownership, self.directory)
        return write_back(
            Options(selection=Selection("all", None), **given), ends, run_in(self.path, check_mode=check_mode)
        )

    def pending(self) -> Any:
        return state.load(self.state_file).pending


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    made = Tenant()
    made.path = tmp_path
    for name in NAMES:
        made.user(name, {"CustomAttribute1": "old"})
    return made


def test_the_first_run_writes_everything_and_the_next_only_what_changed(tenant: Tenant) -> None:
    first = tenant.write()
    assert (first.result["pass"], first.result["counts"]["written"]) == ("full", 3)
    assert first.result["reason"] == f"there is no state of an earlier run in {tenant.state_file}"
    tenant.write()  # looks once more at what the first one wrote
    tenant.change_mailbox("ben", CustomAttribute1="new")
    second = tenant.write()
    assert second.result["pass"] == "incremental"
    assert second.result["counts"] | {"planned": 1, "written": 1} == second.result["counts"]
    assert [dn for dn, _changes in tenant.directory.modifications] == ["CN=ben,OU=People,DC=contoso,DC=lab"]
    assert None not in tenant.mailboxes.asked_for, "nobody read the whole tenant"
    assert tenant.pending() == {}


def test_nothing_changed_means_nothing_is_written(tenant: Tenant) -> None:
    tenant.write()
    assert not tenant.write().changed
    assert tenant.directory.modifications == []


def test_what_somebody_else_changed_in_the_directory_is_set_right(tenant: Tenant) -> None:
    guid = tenant.user("dora", {"CustomAttribute1": "right"})
    tenant.write()
    tenant.change_object(guid, extensionAttribute1=(b"drift",))
    done = tenant.write()
    assert (done.result["pass"], done.result["counts"]["written"]) == ("incremental", 1)
    assert tenant.directory.text(guid, "extensionAttribute1") == ("right",)


def test_what_could_not_be_written_is_tried_again_though_it_does_not_change(tenant: Tenant) -> None:
    guid = tenant.user("dora", {"CustomAttribute1": "right"})

    def refuse(entry: Entry) -> None:
        if entry.dn.startswith("CN=dora"):
            raise errors.PermissionDenied("no", code="protected_object")

    tenant.directory.before_modify = refuse
    with pytest.raises(errors.PartialFailure):
        tenant.write()
    assert list(tenant.pending().values()) == ["failed"]
    with pytest.raises(errors.PartialFailure):
        tenant.write()
    tenant.directory.before_modify = lambda entry: None
    done = tenant.write()
    assert (done.result["pass"], done.result["counts"]["written"]) == ("incremental", 1)
    assert tenant.directory.text(guid, "extensionAttribute1") == ("right",)
    assert tenant.pending() == {}


def test_a_mailbox_without_an_object_is_looked_for_until_there_is_one(tenant: Tenant) -> None:
    guid = tenant.user("dora", {"CustomAttribute1": "right"}, in_directory=False)
    with pytest.raises(errors.PartialFailure):
        tenant.write()
    assert list(tenant.pending().values()) == ["not_found"]
    tenant.directory.highest_usn += 1
    tenant.directory.add(
        "dora",
        guid,
        proxyAddresses=["SMTP:dora@contoso.lab"],
        mail="dora@contoso.lab",
        uSNChanged=str(tenant.directory.highest_usn),
    )
    assert tenant.write().result["counts"]["written"] == 1
    assert tenant.pending() == {}


@pytest.mark.parametrize("mode", ["check", "plan"])
def test_a_run_that_does_not_write_leaves_no_state(tenant: Tenant, mode: str) -> None:
    report = tenant.write(check_mode=True) if mode == "check" else tenant.write(plan_file=str(tenant.path / "plan"))
    assert report.result["counts"]["planned"] == 3
    assert not tenant.state_file.exists()


def test_a_run_that_its_limits_stop_leaves_the_last_state(tenant: Tenant) -> None:
    tenant.write()
    before = tenant.state_file.read_bytes()
    tenant.change_mailbox("anna", CustomAttribute1="new")
    with pytest.raises(errors.Refused):
        tenant.write(limits=Limits(0, 100, 0))
    assert tenant.state_file.read_bytes() == before
    assert tenant.write().result["counts"]["written"] == 1


def test_the_percentage_is_of_the_whole_tenant(tenant: Tenant) -> None:
    tenant.write()
    tenant.change_mailbox("anna", CustomAttribute1="new")
    done = tenant.write(limits=Limits(5000, 34, 0))
    assert (done.result["pass"], done.result["counts"]["written"]) == ("incremental", 1)


def test_other_attributes_mean_a_full_pass(tenant: Tenant) -> None:
    tenant.write(attributes=["mail"])
    done = tenant.write()
    assert (done.result["pass"], done.result["reason"]) == (
        "full",
        "this run has another value of attributes than the last one",
    )
    assert done.result["counts"]["written"] == 3


def test_a_state_of_the_other_module_is_not_taken(tenant: Tenant) -> None:
    tenant.write()
    known = tenant.state_file.read_text(encoding="utf-8")
    tenant.state_file.write_text(known.replace('"directory_writeback"', '"roundtrip_info"'), encoding="utf-8")
    assert tenant.write().result["pass"] == "full"


def test_without_a_state_file_no_state_is_asked_for(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant.directory, "replica", lambda: pytest.fail("asked"))
    done = tenant.write(repeat=Repeat())
    assert (done.result["pass"], done.result["reason"]) == ("full", "no state_file is given")
