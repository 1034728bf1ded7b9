# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of the engines against Graph's own types: nothing a client could not find in the metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.engines import EngineRefusal
from tests.lab.engines.attributes import EXCHANGE_ROWS
from tests.lab.engines.schema import TEMPLATE_ID, default_schema
from tests.lab_tests.engine_directory import TENANT, Lab

TYPES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "reference" / "graph-types.json").read_text("utf-8"))[
    "v1.0"
]["types"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.close()


def problems(value: Any, type_name: str, path: str) -> Iterator[str]:
    """Where ``value`` is not of a type of the metadata."""
    if type_name.startswith("Collection("):
        for number, item in enumerate(value):
            yield from problems(item, type_name[11:-1], f"{path}[{number}]")
        return
    kind = TYPES.get(type_name)
    if kind is None or value is None:
        return
    if kind["kind"] == "enum":
        given = [part.strip() for part in value.split(",")] if kind["flags"] else [value]
        yield from (f"{path}: {one!r} is no {type_name}" for one in given if one not in kind["members"])
        return
    known: dict[str, Any] = {}
    base: str | None = type_name
    while base in TYPES:
        known |= TYPES[base]["properties"]
        base = TYPES[base].get("base")
    for name, item in value.items():
        if name.startswith("_"):
            continue
        if name in known:
            yield from problems(item, known[name]["type"], f"{path}.{name}")
            if item is None and known[name].get("nullable") is False:
                yield f"{path}.{name} is null"
        elif not kind.get("open") and name != "id":
            yield f"{path}.{name} is no property of {type_name}"


@pytest.mark.parametrize(("switch", "count"), [("ga", 24), ("preview", 23)])
def test_the_default_schema_maps_the_writeback_set(switch: str, count: int) -> None:
    schema = default_schema(TENANT, TEMPLATE_ID, switch, "overwrite")
    assert list(problems(schema, "synchronizationSchema", "schema")) == []
    (rule,) = schema["synchronizationRules"]
    (mapping,) = rule["objectMappings"]
    targets = [one["targetAttributeName"] for one in mapping["attributeMappings"]]
    assert len(targets) == len(set(targets)) == count
    expected = {row.ad_name for row in EXCHANGE_ROWS if row.written_back} | ({"mail"} if switch == "ga" else set())
    assert set(targets) == expected
    assert (mapping["sourceObjectName"], mapping["targetObjectName"]) == ("User", "user")


def test_mapped_attributes_are_defined_on_both_sides() -> None:
    schema = default_schema(TENANT, TEMPLATE_ID, "ga", "merge")
    names = [{one["name"] for one in side["objects"][0]["attributes"]} for side in schema["directories"]]
    for one in schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]:
        assert one["source"]["name"] in names[0]
        assert one["targetAttributeName"] in names[1]
        assert one["flowType"] == ("MultiValueAddOnly" if one["targetAttributeName"] == "proxyAddresses" else "Always")


def test_schemas_are_the_same_in_every_run() -> None:
    assert default_schema(TENANT, TEMPLATE_ID, "ga", "overwrite") == default_schema(
        TENANT, TEMPLATE_ID, "ga", "overwrite"
    )


def test_other_templates_are_refused(lab: Lab) -> None:
    with pytest.raises(EngineRefusal) as refused:
        lab.engines.job_created(TENANT, {"templateId": "AD2AADProvisioning"})
    assert (refused.value.status, refused.value.code) == (400, "BadRequest")
    lab.store.put(TENANT, "servicePrincipal", "other", {"id": "other", "applicationTemplateId": "1a4721b3"})
    with pytest.raises(EngineRefusal, match="1a4721b3"):
        lab.engines.job_created(TENANT, {"templateId": TEMPLATE_ID, "_servicePrincipal": "other"})


def test_jobs_and_log_entries_are_of_graph_s_types(lab: Lab) -> None:
    ok, denied = lab.directory.mailbox("Anna"), lab.directory.mailbox("Bert")
    lab.directory.denied[denied] = 50
    lab.sync()
    for name in ("Anna", "Bert"):
        lab.edit(name, IsExchangeCloudManaged=True, CustomAttribute1="new")
    job_id = lab.job(start=False)
    assert list(problems(lab.document(job_id), "synchronizationJob", "job")) == []
    lab.engines.start(TENANT, job_id)
    lab.cycle(job_id)
    job = lab.document(job_id)
    assert list(problems(job, "synchronizationJob", "job")) == []
    assert lab.directory.values(ok, "extensionAttribute1") == ["new"]
    events = lab.events()
    assert {event["provisioningStatusInfo"]["status"] for event in events} == {"success", "failure"}
    for event in events:
        assert list(problems(event, "provisioningObjectSummary", "event")) == []
    lab.put_domain("elsewhere.lab")
    lab.cycle(job_id)
    assert lab.document(job_id)["status"]["code"] == "Quarantine"
    assert list(problems(lab.document(job_id), "synchronizationJob", "job")) == []


def test_users_have_only_properties_of_graph_or_private_ones(lab: Lab) -> None:
    lab.directory.mailbox("Anna")
    lab.sync()
    # The metadata at hand lists part of the user's properties; these are the others that synchronization fills.
    others = {"givenName", "surname", "jobTitle", "department", "companyName", "officeLocation", "city", "state"}
    others |= {"country", "postalCode", "streetAddress", "mobilePhone", "isCloudManaged"}
    user = {name: value for name, value in lab.user("Anna").items() if name not in others}
    assert list(problems(user, "user", "user")) == []
