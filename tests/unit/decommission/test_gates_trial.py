# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shut-down on trial: looks that are kept, and what they prove."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import evaluation
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import trial
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import GATES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.trial import Observation, longest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import identify
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Refused, Unavailable
from gate_fakes import NOW, FakeDirectory, World, wanted

MARK = identify(FakeDirectory()).fingerprint
OFF = {"EX01": {"443": False, "25": False}, "EX02": {"443": False, "25": False}}
ON = {"EX01": {"443": False, "25": False}, "EX02": {"443": True, "25": False}}


def look(hours_ago: float, doors: Any = OFF, **more: str) -> Observation:
    return Observation(NOW - timedelta(hours=hours_ago), MARK, doors, **more)


def keep(tmp_path: Path, *looks: Observation) -> Path:
    path = trial.path_of(tmp_path, "contoso.com")
    for item in looks:
        trial.append(path, item)
    return path


def judged(tmp_path: Path, world: World | None = None, **options: Any) -> Any:
    return evaluate([GATES["trial_shutdown"]], (world or World()).facts(artifact_dir=tmp_path, **options))[0]


@pytest.mark.parametrize(
    ("looks", "verdict", "words"),
    [
        ([], "failed", "No look"),
        ([look(30), look(2)], "passed", "28.0 hours, 2 looks"),
        ([look(20), look(2)], "failed", "18.0 hours"),
        ([look(30), look(10, ON), look(2)], "failed", "0.0 hours"),
        ([look(90), look(60), look(10, ON)], "passed", "30.0 hours"),
        ([look(30), look(10, job="in quarantine"), look(2)], "failed", "0.0 hours"),
        ([look(30), look(10, round_trip="differs"), look(2)], "failed", "0.0 hours"),
        ([look(30 + 24 * 40), look(24 * 40)], "failed", "40.0 days ago"),
    ],
)
def test_what_proves_a_trial(looks: list[Observation], verdict: str, words: str, tmp_path: Path) -> None:
    keep(tmp_path, *looks)
    found = judged(tmp_path)
    assert found.verdict == verdict
    assert words in found.detail


def test_looks_may_be_too_far_apart(tmp_path: Path) -> None:
    keep(tmp_path, look(30), look(2))
    assert judged(tmp_path, trial_max_gap_hours=6).verdict == "failed"
    assert len(longest([look(9), look(8), look(2), look(1), look(0)], 3)) == 3


def test_looks_at_another_organisation_do_not_count(tmp_path: Path) -> None:
    keep(tmp_path, *(Observation(item.at, "other", OFF) for item in (look(30), look(2))))
    assert judged(tmp_path).verdict == "failed"


def test_a_file_that_was_altered_proves_nothing(tmp_path: Path) -> None:
    path = keep(tmp_path, look(30), look(20, ON), look(2))
    assert path.stat().st_mode & 0o777 == 0o600
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    found = judged(tmp_path)
    assert (found.verdict, "altered" in found.detail) == ("failed", True)
    path.write_text(path.read_text().replace("false", "true"))
    assert judged(tmp_path).verdict == "failed"


def test_a_server_that_never_took_a_connection_from_here_proves_nothing(tmp_path: Path) -> None:
    keep(tmp_path, look(30), look(2))
    world = World(doors={"ex01.contoso.lab": False, "ex02.contoso.lab": True})
    found = judged(tmp_path, world)
    assert found.verdict == "cannot_tell"
    assert "EX01 never took" in found.detail
    everything = {"EX01": {"443": True}, "EX02": {"443": True}}
    keep(tmp_path / "seen", look(31, everything), look(30), look(2))
    assert judged(tmp_path / "seen", world).verdict == "passed"


def test_a_server_that_came_later_was_not_tried_and_one_that_is_gone_does_not_matter(tmp_path: Path) -> None:
    only_one = {"EX01": OFF["EX01"]}
    keep(tmp_path, look(30, only_one), look(2, only_one))
    found = judged(tmp_path)
    assert (found.verdict, "EX02 was not looked at" in found.detail) == ("failed", True)
    both = tmp_path / "both"
    keep(both, look(30), look(2))
    world = World()
    world.directory.entries = [item for item in world.directory.entries if not item.dn.startswith("CN=EX01,CN=Servers")]
    assert judged(both, world).verdict == "passed"


def test_a_look_is_kept_and_says_what_is_not_well(tmp_path: Path) -> None:
    world = World(doors={"ex01.contoso.lab": False, "ex02.contoso.lab": False})
    asked = wanted(tmp_path)
    found = evaluation.look(asked, world.ends(), write=True)["trial"]
    assert (found["well"], found["observations"], found["hours"]) == (True, 1, 0.0)
    world.job = Unavailable("Graph is away")
    world.round_trip = {"proven": False, "counts": {"total": 2, "missing": 2}}
    world.doors["ex02.contoso.lab"] = True
    found = evaluation.look(asked, world.ends(), write=True)["trial"]
    assert not found["well"]
    assert found["up"] == ["EX02"]
    for words in ("EX02 took connections", "Graph is away", "missing: 2"):
        assert words in found["why"]


def test_check_mode_keeps_no_look(tmp_path: Path) -> None:
    found = evaluation.look(wanted(tmp_path), World().ends(), write=False)
    assert found["trial"]["observations"] == 0
    assert not list(tmp_path.rglob("*.jsonl"))


def test_the_servers_are_tried_where_the_options_say(tmp_path: Path) -> None:
    world = World(doors={"127.0.0.41": False, "ex02.contoso.lab": False})
    found = evaluation.look(wanted(tmp_path, hosts={"ex01": "127.0.0.41"}), world.ends(), write=False)
    assert found["trial"]["servers_off"]


def test_without_a_server_there_is_nothing_to_shut_down(tmp_path: Path) -> None:
    world = World()
    world.directory.without("msExchExchangeServer")
    with pytest.raises(Refused, match="no Exchange Server"):
        evaluation.look(wanted(tmp_path), world.ends(), write=True)
