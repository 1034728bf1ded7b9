# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented example, as its reader would run it: in check mode, for real, and once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import stage
from tests.conformance.modules import MODULES, Example, examples, run
from tests.lab.client import Lab

EXAMPLES = [example for module in MODULES for example in examples(module)]

# Tasks that act each time by their nature; everything else changes nothing when run again.
ACTIONS = {("writeback_cycle", "restarted")}


def writes(lab: Lab) -> list[str]:
    """What was written to the cloud since the log was cleared, a line each."""
    return [f"{entry['method']} {entry['path']} {entry.get('cmdlet') or ''}" for entry in lab.log(writes=True)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.module}: {example.name}")
def test_an_example_announces_what_it_does_does_it_and_is_then_done(
    example: Example, fresh: Lab, defaults: stage.Defaults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the relative paths of examples lead
    stage.prepare(example.module, example.arguments, fresh, defaults)
    given = stage.arguments(example.module, example.arguments, defaults)
    if example.module == "writeback_cycle":
        fresh.set_rate(300)  # the next cycle of 20 minutes is due in 4 seconds

    fresh.clear_log()
    usn = fresh.highest_committed_usn(stage.TENANT)
    announced = run(example.module, given, check=True)
    assert not announced.failed, announced.data["msg"]
    assert writes(fresh) == []
    # A sign-in to Exchange Server is itself a change in AD, of the account's last sign-in.
    assert fresh.highest_committed_usn(stage.TENANT) == usn or example.module in stage.EXCHANGE_MODULES

    done = run(example.module, given)
    assert not done.failed, done.data["msg"]
    assert done.changed == announced.changed
    assert done.data.get("diff") == announced.data.get("diff")
    if example.module in stage.INFO_MODULES:
        assert not done.changed

    fresh.clear_log()
    usn = fresh.highest_committed_usn(stage.TENANT)
    again = run(example.module, given)
    assert not again.failed, again.data["msg"]
    if (example.module, example.arguments.get("state")) not in ACTIONS:
        assert not again.changed
        assert again.data.get("diff", []) == []
        assert writes(fresh) == []
    assert fresh.state()["violations"] == []


def test_every_module_has_examples_that_run() -> None:
    assert {example.module for example in EXAMPLES} == set(MODULES)
