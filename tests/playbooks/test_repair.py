# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""repair.yml: sees, explains, decides nothing by itself, resets the right thing, and looks again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.playbooks.conftest import Estate

WELL: dict[str, Any] = {
    "domain": "contoso.example",
    "exists": True,
    "running": True,
    "quarantine": None,
    "deletions": None,
    "escrows": {"count": 0, "mailboxes": []},
    "failures": [],
    "problems": [],
}
DELETES = {
    "quarantine": {"reason": "TooManyDeletes", "explanation": "too many", "advice": "Decide.", "reset": None},
    "deletions": {"pending": 4, "threshold": 3, "objects": ["CN=Ann", "CN=Ben"], "unknown_because": None},
    "problems": ["It would delete 4 objects."],
}


@pytest.fixture
def ill(estate: Estate) -> Estate:
    """An estate where a restart mends the job of contoso, unless the state says that it stays as it is."""
    estate.set_state("contoso", restart_mends=True)
    return estate


def repair(estate: Estate, job: dict[str, Any] | None, *arguments: str, **state: Any) -> tuple[int, str, list[Any]]:
    """Exit code, output in one line, and what each call of writeback_cycle was given."""
    estate.set_state("contoso", job=None if job is None else WELL | job, **state)
    run = estate.play("repair", "--limit", "contoso", *arguments)
    cycles = [call["args"] for call in estate.calls() if call["module"] == "writeback_cycle"]
    return run.code, " ".join(run.output.split()), cycles


def quarantine(reset: list[str] | None) -> dict[str, Any]:
    words = {"reason": "X", "explanation": "it has a cold", "advice": "Let it rest.", "reset": reset}
    return {"quarantine": words, "problems": ["It has a cold."]}


def test_a_job_that_is_well_is_left_alone(ill: Estate) -> None:
    code, output, cycles = repair(ill, {})
    assert code == 0, output
    assert "Nothing is wrong with the job." in output
    assert cycles == []


def test_a_quarantine_is_explained_and_lifted_with_its_own_reset_and_then_all_is_well(ill: Estate) -> None:
    code, output, (cycle,) = repair(ill, quarantine(["watermark", "quarantine_state"]))
    assert code == 0, output
    assert "It has a cold." in output
    assert (cycle["state"], cycle["reset"]) == ("restarted", ["watermark", "quarantine_state"])
    assert "allow_deletes" not in cycle
    assert "runs, and no mailbox is failing" in output
    run = ill.play("repair", "--limit", "contoso")
    assert run.changed["contoso"] == 0


def test_failing_mailboxes_are_named_and_tried_again(ill: Estate) -> None:
    failure = {"object": "ann", "error": "no right", "what_to_do": "Give it the right."}
    code, output, (cycle,) = repair(ill, {"escrows": {"count": 1, "mailboxes": ["ann"]}, "failures": [failure]})
    assert code == 0, output
    assert "ann | no right | Give it the right." in output
    assert cycle["reset"] == []


def test_deletions_are_refused_until_somebody_decides(ill: Estate) -> None:
    both = ("-e", "repair_allow_deletes=4", "-e", "repair_reject_deletes=true")
    for arguments in ((), both, ("--check",)):
        code, output, cycles = repair(ill, DELETES, *arguments)
        assert code != 0
        assert "wants to delete 4 objects in AD (CN=Ann, CN=Ben)" in output
        assert cycles == []


def test_deletions_are_allowed_by_their_number(ill: Estate) -> None:
    code, output, (cycle,) = repair(ill, DELETES, "-e", "repair_allow_deletes=4")
    assert code == 0, output
    assert (cycle["reset"], int(cycle["allow_deletes"])) == (["force_deletes"], 4)


def test_deletions_are_rejected_by_a_restart_without_reset(ill: Estate) -> None:
    code, output, (cycle,) = repair(ill, DELETES, "-e", "repair_reject_deletes=true")
    assert code == 0, output
    assert cycle["reset"] == []
    assert "allow_deletes" not in cycle


def test_what_somebody_imposed_is_lifted_only_when_told(ill: Estate) -> None:
    code, output, cycles = repair(ill, quarantine(None))
    assert code != 0
    assert "it has a cold. Let it rest. Nothing was changed" in output
    assert cycles == []
    told = json.dumps({"repair_reset": ["quarantine_state"]})
    code, output, (cycle,) = repair(ill, quarantine(None), "-e", told)
    assert code == 0, output
    assert cycle["reset"] == ["quarantine_state"]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (quarantine([]), "is in quarantine still. It has a cold."),
        ({"escrows": {"count": 2, "mailboxes": ["ann", "ben"]}}, "2 mailbox(es) still fail: ann, ben."),
    ],
)
def test_a_job_that_is_not_mended_is_a_failure(ill: Estate, job: dict[str, Any], words: str) -> None:
    code, output, cycles = repair(ill, job, stays=True)
    assert code != 0
    assert words in output
    assert len(cycles) == 1


def test_without_a_job_there_is_nothing_to_repair(ill: Estate) -> None:
    code, output, cycles = repair(ill, None)
    assert code != 0
    assert "0 jobs write to contoso.example" in output
    assert cycles == []
