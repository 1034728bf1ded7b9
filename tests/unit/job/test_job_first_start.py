# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_job: a job that has never run is started only by a good prediction, or where the user says so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.fingerprint import fingerprint
from ansible_collections.hybrid.exchange.plugins.module_utils._run.prediction import Prediction
from job_fakes import TENANT, FakeService, default_schema

OUT = "OU=People,DC=contoso,DC=lab"
START = {"domain": "contoso.lab", "state": "started", "first_start": "predicted"}


@pytest.fixture
def good(service: FakeService) -> Prediction:
    return Prediction(
        tenant=TENANT.upper(),
        domain="Contoso.LAB",
        made_at=service.clock.now().isoformat(),
        mappings=fingerprint(default_schema()),
        organizational_units=(),
        groups=(),
        selection="all mailboxes",
        mailboxes=3,
        at_risk=0,
        safe=True,
    )


def file(tmp_path: Path, found: Prediction) -> str:
    path = tmp_path / "prediction.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in ({"object": "a"}, {"object": "b"}, found.line())))
    return str(path)


def test_nobody_predicted_it(call: Any, service: FakeService) -> None:
    for check in (True, False):
        failed = call("writeback_job", check=check, **START)
        assert failed["failed"]
        assert "has never run, and it was not started: nobody predicted" in failed["msg"]
        assert "first_start: accepted" in failed["msg"]
    assert service.writes() == []


@pytest.mark.parametrize("state", ["present", "paused"])
def test_what_starts_nothing_needs_no_prediction(call: Any, state: str) -> None:
    assert call("writeback_job", **{**START, "state": state})["changed"] is True


@pytest.mark.parametrize("exists", [True, False])
def test_a_good_prediction_permits_it(
    call: Any, service: FakeService, tmp_path: Path, good: Prediction, exists: bool
) -> None:
    if exists:
        service.ready(running=False)
    started = call("writeback_job", **START, prediction=file(tmp_path, good))
    assert started["steps"][-1] == "start"
    assert started["job"]["running"]


def test_a_job_that_has_run_needs_none(call: Any, service: FakeService) -> None:
    service.ready()
    call("writeback_job", domain="contoso.lab", state="paused")
    job = next(iter(service.jobs["sp-1"].values()))
    job["status"]["lastSuccessfulExecution"] = {"timeBegan": "2026-08-03T10:00:00Z", "state": "Succeeded"}
    assert call("writeback_job", **START)["steps"] == ["start"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tenant": "other"}, "tenant other, not of this job"),
        ({"domain": "fabrikam.lab"}, "is of fabrikam.lab"),
        ({"safe": False, "at_risk": 7}, "7 mailboxes would lose values"),
        ({"mappings": "0" * 64}, "not those that were predicted"),
        ({"organizational_units": (OUT,)}, "organizational_units) is wider"),
        ({"groups": ("pilots",)}, "groups) is wider"),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_prediction_of_something_else_or_of_a_loss_does_not(
    call: Any,
    service: FakeService,
    tmp_path: Path,
    good: Prediction,
    change: dict[str, Any],
    words: str,
    exists: bool,
) -> None:
    if exists:
        service.ready(running=False)
    failed = call("writeback_job", **START, prediction=file(tmp_path, replace(good, **change)))
    assert words in failed["msg"]
    assert "POST start" not in service.writes()
    # What the mappings of a new job are is known only once it is there; all else is known before.
    if "mappings" not in change or exists:
        assert service.writes() == []


@pytest.mark.parametrize(("hours", "limit", "refused"), [(25, 24, True), (23, 24, False), (25, 48, False)])
def test_a_prediction_grows_old(
    call: Any, service: FakeService, tmp_path: Path, good: Prediction, hours: int, limit: int, refused: bool
) -> None:
    service.ready(running=False)
    old = replace(good, made_at=(service.clock.now() - timedelta(hours=hours)).isoformat())
    result = call("writeback_job", **START, prediction=file(tmp_path, old), prediction_max_age=limit)
    assert bool(result.get("failed")) is refused
    if refused:
        assert "25 hours old" in result["msg"]


@pytest.mark.parametrize(("wanted", "refused"), [([OUT.upper()], False), ([OUT, "OU=X"], True), ([], True)])
def test_a_scope_may_be_narrower_than_predicted(
    call: Any, service: FakeService, tmp_path: Path, good: Prediction, wanted: list[str], refused: bool
) -> None:
    service.ready(running=False)
    narrow = replace(good, organizational_units=(OUT,))
    result = call("writeback_job", **START, prediction=file(tmp_path, narrow), organizational_units=wanted)
    assert bool(result.get("failed")) is refused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json\n",
        '{"object": "a"}\n',
        '{"prediction": {"tenant": "x"}}\n',
        '{"prediction": 1}\n',
        "[]\n",
    ],
)
def test_a_file_that_is_no_prediction(call: Any, service: FakeService, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    assert "is no artifact of a prediction" in call("writeback_job", **START, prediction=str(path))["msg"]
    assert "cannot be read" in call("writeback_job", **START, prediction=str(tmp_path / "none"))["msg"]
    assert service.requests == []


def test_a_fingerprint_is_of_what_is_written_and_not_of_how() -> None:
    schema = default_schema()
    same, other = json.loads(json.dumps(schema)), json.loads(json.dumps(schema))
    mappings = same["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    mappings.reverse()
    for mapping in mappings:
        mapping["targetAttributeName"] = mapping["targetAttributeName"].swapcase()
        mapping["defaultValue"] = ""
    other["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][-1]["flowType"] = "ObjectAddOnly"
    assert fingerprint(same) == fingerprint(schema) != fingerprint(other)
