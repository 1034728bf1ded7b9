# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits, progress and reports."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run import report
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress


@pytest.mark.parametrize(
    ("limits", "planned", "total", "breach"),
    [
        (Limits(10, 100), 10, 10, None),
        (Limits(10, 100), 11, 1000, "max_changes"),
        (Limits(0, 100), 0, 10, None),
        (Limits(0, 100), 1, 10, "max_changes"),
        (Limits(1000, 10), 10, 100, None),
        (Limits(1000, 10), 11, 100, "max_change_percent"),
        (Limits(1000, 0), 1, 100, "max_change_percent"),
        (Limits(1000, 0), 0, 0, None),
        (Limits(1000, 33.3), 1, 3, "max_change_percent"),
        (Limits(1000, 33.4), 1, 3, None),
    ],
)
def test_limits(limits, planned, total, breach):
    if breach is None:
        limits.check(planned, total)
        return
    with pytest.raises(Refused) as caught:
        limits.check(planned, total, "mailboxes")
    assert caught.value.facts == {"planned": planned, "total": total, "limit": breach}
    assert f"would change {planned} of {total} mailboxes" in caught.value.message


@pytest.mark.parametrize("arguments", [(-1, 100), (1, -1), (1, 100.5)])
def test_limits_that_make_no_sense(arguments):
    with pytest.raises(InputError):
        Limits(*arguments)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_progress_writes_at_most_once_a_second_and_always_the_last(tmp_path):
    clock, path = Clock(), tmp_path / "progress"
    progress = Progress(path, clock=clock)
    progress.start("read", 100)
    for _number in range(99):
        clock.now += 1 / 16
        progress.advance()
    progress.advance()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["done"] for line in lines] == [0, 16, 32, 48, 64, 80, 96, 100]
    assert {(line["phase"], line["total"]) for line in lines} == {("read", 100)}


def test_progress_without_or_with_a_bad_file_is_silent(tmp_path):
    Progress(None).start("x")
    progress = Progress(tmp_path / "none" / "progress")
    progress.start("x", 1)
    progress.advance()
    assert list(tmp_path.iterdir()) == []


def test_report_helpers():
    assert report.first(iter(range(10)), 3) == [0, 1, 2]
    assert report.listing(["a", "b", "c"], 2) == "a, b and 1 more"
    assert report.listing(["a", "b"], 2) == "a, b"
    error = Conflict("moved", request_id="r1", secret_of_others="x")
    assert report.failure("a@x", "1", error) == {
        "object": "a@x",
        "id": "1",
        "error": "moved",
        "kind": "Conflict",
        "request_id": "r1",
    }


def test_limited_diff_says_what_it_leaves_out():
    changes = [(f"m{n}", {"a": 0}, {"a": n}) for n in range(5)]
    entries = report.limited_diff(changes, 2)
    assert [entry.get("before_header") for entry in entries] == ["m0", "m1", None]
    assert "3 more objects" in entries[2]["prepared"]
    assert len(report.limited_diff(changes, 5)) == 5
