# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job in trouble: seen, explained, and brought out of it, on the lab's own quarantines, deletions and escrows."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import stage
from tests.conformance.modules import Result, run
from tests.lab.client import Lab

DOMAIN = {"domain": stage.DOMAIN}
ESTATE = Path(__file__).parents[1] / "demo" / "estate" / "estate.yml"

Repair = Callable[..., tuple[int, str]]
"""Runs the playbook with arguments; the answer is its exit code, and its output on one line."""


class Job:
    """The tenant's job through the collection's modules."""

    def __init__(self, lab: Lab, defaults: stage.Defaults) -> None:
        self._lab, self._defaults = lab, defaults

    def run(self, module: str, **given: Any) -> Result:
        return run(module, stage.arguments(module, {**DOMAIN, **given}, self._defaults))

    def seen(self) -> dict[str, Any]:
        (job,) = stage.must(self.run("writeback_job_info")).data["jobs"]
        return dict(job)

    def restart(self, **given: Any) -> Result:
        self._lab.set_rate(300)  # the cycle is due in seconds then
        try:
            return self.run("writeback_cycle", state="restarted", timeout=600, **given)
        finally:
            self._lab.set_rate(1)


@pytest.fixture
def job(fresh: Lab, defaults: stage.Defaults) -> Job:
    return Job(fresh, defaults)


@pytest.fixture
def repair(fresh: Lab, tmp_path: Path) -> Repair:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ESTATE.parents[1] / "ansible.cfg"),
        "HYBRID_EXCHANGE_ARTIFACT_DIR": str(tmp_path),
        "HYBRID_DEMO_DIR": str(tmp_path),
    }

    def play(*arguments: str) -> tuple[int, str]:
        fresh.set_rate(60)  # faster, and the job would try again by itself before a slow machine has looked at it
        command = ["ansible-playbook", "-i", str(ESTATE), "--limit", stage.TENANT, "hybrid.exchange.repair", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
        fresh.set_rate(1)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return play


def changes(words: str) -> int:
    """How many tasks changed something, by the recap of a play."""
    (count,) = re.findall(rf"{stage.TENANT} +: ok=\d+ +changed=(\d+)", words)
    return int(count)


@pytest.mark.parametrize("count", [2, 3])
def test_too_many_deletes_pass_only_by_their_exact_number(fresh: Lab, job: Job, count: int) -> None:
    fresh.set_managed(stage.TENANT, True, first=20)
    fresh.make_job(stage.TENANT, start=True)
    fresh.cycle(stage.TENANT)
    fresh.bring_about_deletes(stage.TENANT, count)
    seen = job.seen()
    assert seen["deletions"]["pending"] == count
    assert len(seen["deletions"]["objects"]) == count
    assert any(f"It would delete {count} objects" in problem for problem in seen["problems"])
    fresh.clear_log()
    for wrong in ({}, {"allow_deletes": count + 1}):
        refused = job.restart(reset=["force_deletes"], **wrong)
        assert refused.failed
        assert f"delete {count} objects" in refused.data["msg"]
    assert job.restart(reset=["full"]).failed
    assert not [entry for entry in fresh.log(writes=True) if entry["path"].endswith("/restart")]
    stage.must(job.restart(reset=["force_deletes"], allow_deletes=count))
    after = job.seen()
    assert after["quarantine"] is None
    assert after["deletions"] is None


def test_an_inactive_agent_is_named_and_the_job_goes_on_once_it_is_back(fresh: Lab, job: Job) -> None:
    fresh.make_job(stage.TENANT, start=True)
    fresh.cycle(stage.TENANT)
    fresh.agents(stage.TENANT, "inactive")
    fresh.cycle(stage.TENANT)
    seen = job.seen()
    assert seen["quarantine"]["reset"] == ["quarantine_state"]
    assert any("No provisioning agent is active" in problem for problem in seen["problems"])
    fresh.agents(stage.TENANT, "active")
    stage.must(job.restart(reset=seen["quarantine"]["reset"]))
    assert job.seen()["quarantine"] is None


def test_an_escrow_names_its_mailbox_and_what_to_do(fresh: Lab, job: Job) -> None:
    fresh.set_managed(stage.TENANT, True, names=[stage.PROTECTED[0]])
    fresh.make_job(stage.TENANT, start=True)
    fresh.cycle(stage.TENANT)
    seen = job.seen()
    assert seen["escrows"]["count"] == 1
    assert seen["escrows"]["mailboxes"] == [stage.PROTECTED[0]]
    (failure,) = seen["failures"]
    assert "AdminSDHolder" in failure["what_to_do"]
    fresh.set_managed(stage.TENANT, False, names=[stage.PROTECTED[0]])
    stage.must(job.restart())
    assert job.seen()["escrows"]["count"] == 0


@pytest.mark.parametrize("readable", ["keys", "values", "masked"])
def test_settings_are_merged_where_they_can_be_read_and_written_whole_where_not(
    fresh: Lab, job: Job, readable: str
) -> None:
    fresh.scenario(secrets_readable=readable)
    stage.must(job.run("writeback_job", notification_recipients=["a@contoso.lab"], delete_threshold=7))
    again = stage.must(job.run("writeback_job", delete_threshold=7, notification_recipients=["a@contoso.lab"]))
    assert not again.changed
    changed = stage.must(job.run("writeback_job", delete_threshold=9))
    assert changed.changed
    (diff,) = changed.data["diff"]
    assert (diff["before"]["settings"] == "unknown") == (readable != "values")
    assert ("a@contoso.lab" in str(diff["after"]["settings"])) == (readable == "values"), "what is not stated is kept"


def test_the_playbook_deletes_nothing_until_it_is_told_how_many(fresh: Lab, job: Job, repair: Repair) -> None:
    fresh.set_managed(stage.TENANT, True, first=20)
    fresh.make_job(stage.TENANT, start=True)
    fresh.cycle(stage.TENANT)
    fresh.bring_about_deletes(stage.TENANT, 2)
    fresh.clear_log()
    code, words = repair()
    assert code != 0
    assert "wants to delete 2 objects in AD" in words
    assert not fresh.log(writes=True)
    code, words = repair("-e", "repair_allow_deletes=2")
    assert changes(words) == 1, words
    assert job.seen()["quarantine"] is None
    assert code != 0
    assert "runs, but 2 mailbox(es) still fail" in words, "two of the twenty can be written by nobody"


def test_the_playbook_brings_a_job_out_of_its_quarantine_and_then_has_nothing_to_do(
    fresh: Lab, job: Job, repair: Repair
) -> None:
    fresh.make_job(stage.TENANT, start=True)
    fresh.cycle(stage.TENANT)
    fresh.agents(stage.TENANT, "inactive")
    fresh.cycle(stage.TENANT)
    fresh.agents(stage.TENANT, "active")
    code, words = repair()
    assert "is in quarantine because" in words
    assert (code, changes(words)) == (0, 1), words
    assert job.seen()["quarantine"] is None
    code, words = repair()
    assert (code, changes(words)) == (0, 0), words
    assert "Nothing is wrong with the job." in words


def test_the_playbook_fails_while_a_mailbox_still_fails(fresh: Lab, job: Job, repair: Repair) -> None:
    fresh.set_managed(stage.TENANT, True, names=[stage.PROTECTED[0]])
    fresh.make_job(stage.TENANT, start=True)
    fresh.cycle(stage.TENANT)
    code, words = repair()
    assert code != 0
    assert "AdminSDHolder" in words
    assert stage.PROTECTED[0] in words
    fresh.set_managed(stage.TENANT, False, names=[stage.PROTECTED[0]])
    code, words = repair()  # where the job's own next cycle was sooner, there is nothing left to do
    assert code == 0, words
    assert job.seen()["escrows"]["count"] == 0
