# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping rules against jobs that others made: what they keep, and whether a prediction comes true."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import observe, stage
from tests.conformance.conftest import defaults_of
from tests.conformance.modules import Result, run
from tests.lab.client import Lab

UNIT = "OU=Zürich,OU=People,OU=Contoso AG,DC=contoso,DC=lab"


def mappings(schema: Any) -> Iterator[tuple[list[Any], Any]]:
    """Each mapping of a schema, with the list that it stands in."""
    for rule in schema["synchronizationRules"]:
        for objects in rule["objectMappings"]:
            for mapping in objects["attributeMappings"]:
                yield objects["attributeMappings"], mapping


def test_a_job_of_the_preview_is_repaired_and_keeps_what_was_added_to_it(fresh: Lab, defaults: stage.Defaults) -> None:
    fresh.make_job(
        stage.TENANT,
        preview=True,
        custom=True,
        duplicates=["extensionAttribute9"],
        organizational_units=[UNIT],
        groups=["Writeback Ring 0"],
        filters=["department IS NOT NULL"],
    )
    before = fresh.job(stage.TENANT, schema=True)["schema"]
    wanted = stage.arguments(
        "writeback_mapping", {"domain": stage.DOMAIN, "mappings": [], "add_missing": True}, defaults
    )
    announced = run("writeback_mapping", wanted, check=True)
    repaired = stage.must(run("writeback_mapping", wanted))
    assert announced.data["changes"] == repaired.data["changes"] == ["+ mail: [Mail]"]
    after = fresh.job(stage.TENANT, schema=True)["schema"]
    without = copy.deepcopy(after)
    for siblings, mapping in list(mappings(without)):
        if mapping["targetAttributeName"] == "mail":
            siblings.remove(mapping)
    assert without == before, "only the mapping of mail came in addition"
    assert {"containerFilter", "groupFilter"} <= after["synchronizationRules"][0].keys()
    assert not run("writeback_mapping", wanted).changed


def test_a_schema_that_its_template_does_not_show_is_told(fresh: Lab, defaults: stage.Defaults) -> None:
    fresh.make_job(stage.TENANT, preview=True, custom=True)
    fresh.scenario(template_schema="hidden")
    before = fresh.job(stage.TENANT, schema=True)["schema"]
    wanted = {"domain": stage.DOMAIN, "mappings": [{"target": "mail", "source": "Mail"}], "purge": True}
    done = stage.must(run("writeback_mapping", stage.arguments("writeback_mapping", wanted, defaults)))
    assert any("default mappings cannot be read" in str(warning) for warning in done.data["warnings"])
    assert "+ mail: [Mail]" in done.data["changes"]
    kept = [mapping for _siblings, mapping in mappings(fresh.job(stage.TENANT, schema=True)["schema"])]
    standard = [item for _siblings, item in mappings(before) if item["targetAttributeName"] in observe.WRITTEN_BACK]
    assert all(mapping in kept for mapping in standard), "any of them may be the service's own"


def forecast(result: Result) -> dict[str, Any]:
    """What a prediction says of each mailbox, by its id."""
    lines = map(json.loads, Path(result.data["artifact"]["path"]).read_text(encoding="utf-8").splitlines())
    return {line["id"]: line for line in lines if "id" in line}


CASES = [
    ("contoso", False, "overwrite"),
    ("contoso", True, "merge"),
    ("fabrikam", True, "overwrite"),
    ("fabrikam", False, "merge"),
]


@pytest.mark.parametrize(("tenant", "custom", "addresses"), CASES)
def test_a_prediction_is_what_the_cycle_then_writes(
    fresh: Lab, tmp_path: Path, tenant: str, custom: bool, addresses: str
) -> None:
    """For every mailbox of the estate, against the lab's own engine, which shares no code with the collection."""
    defaults = defaults_of(fresh, tmp_path, tenant)
    domain = {"domain": fresh.config["tenants"][tenant]["domain"]}

    def step(module: str, **given: Any) -> Result:
        return stage.must(run(module, stage.arguments(module, {**domain, **given}, defaults)))

    fresh.scenario(proxy_addresses=addresses)
    fresh.make_job(tenant, custom=custom)
    fresh.set_managed(tenant, True, all=True)
    if tenant == stage.TENANT:
        stage.edit_some(fresh)
    predicted = step("writeback_prediction_info", all_mailboxes=True, proxy_addresses=addresses)
    told = forecast(predicted)
    schema = fresh.job(tenant, schema=True)["schema"]
    targets = {mapping["targetAttributeName"] for _siblings, mapping in mappings(schema)}
    held = fresh.directory(tenant, *targets)
    fresh.steer_job(tenant, "start")
    fresh.cycle(tenant)
    now = fresh.directory(tenant, *targets)
    (job,) = step("writeback_job_info", report_limit=500).data["jobs"]
    assert 0 < job["escrows"]["count"] == len(job["escrows"]["mailboxes"]) < 10
    refused = {name.lower() for name in job["escrows"]["mailboxes"]}
    compared = 0
    wrong = []
    for line in told.values():
        if line["outcome"] not in ("changed", "unchanged") or line["object"].lower() in refused:
            continue
        who = line["distinguished_name"]
        changes = line.get("attributes", {})
        open_ones = {*line.get("undetermined", ()), *line.get("problems", ())}
        for name in targets - open_ones - predicted.data["not_predicted"].keys():
            before, after = (sorted(value.decode() for value in side[who].get(name, ())) for side in (held, now))
            expected = sorted(changes[name]["after"]) if name in changes else before
            compared += 1
            if after != expected:
                wrong.append((who, name, before, expected, after))
    assert wrong[:5] == []
    assert predicted.data["counts"]["changed"] > 3
    assert compared > 200 * (len(targets) - 6), "most attributes of most mailboxes can be told"
