# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_mapping: the whole way, and what can happen on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from job_fakes import FakeService, Request, error, once

MAIL = [{"target": "mail", "source": "Mail"}]


def put(service: FakeService) -> list[Request]:
    return [request for request in service.requests if request.method == "PUT"]


def test_checked_applied_and_again(call: Any, service: FakeService) -> None:
    job = service.ready()
    checked = call("writeback_mapping", check=True, domain="contoso.lab", mappings=MAIL)
    assert service.writes() == []
    assert checked["changes"] == ["+ mail: [Mail]"]
    before = service.schemas[job["id"]]
    applied = call("writeback_mapping", domain="contoso.lab", mappings=MAIL)
    assert (applied["changed"], applied["changes"], applied["diff"]) == (True, checked["changes"], checked["diff"])
    assert applied["counts"] == {"rules": 1, "added": 1, "changed": 0, "removed": 0}
    assert json.loads(Path(applied["artifact"]["path"]).read_text())["schema"] == before
    assert len(put(service)) == 1
    assert "@odata.context" not in put(service)[0].json
    again = call("writeback_mapping", domain="contoso.lab", mappings=MAIL)
    assert again["changed"] is False
    assert len(put(service)) == 1


def test_a_rules_file_is_used(call: Any, service: FakeService, tmp_path: Path) -> None:
    service.ready()
    path = tmp_path / "rules.yml"
    path.write_text("- target: mail\n  source: Mail\n")
    assert call("writeback_mapping", domain="contoso.lab", rules_file=str(path))["changes"] == ["+ mail: [Mail]"]
    path.write_text("- target: mail\n  surce: Mail\n")
    result = call("writeback_mapping", domain="contoso.lab", rules_file=str(path))
    assert f"{path}:2:3:" in result["msg"]


def test_a_schema_that_moved_meanwhile_is_not_overwritten(call: Any, service: FakeService) -> None:
    job = service.ready()
    reads: list[int] = []

    def fault(request: Request) -> Any:
        if request.path.endswith("/schema") and request.method == "GET":
            reads.append(1)
            if len(reads) == 2:
                service.schemas[job["id"]]["version"] = "2"
        return None

    service.faults.append(fault)
    result = call("writeback_mapping", domain="contoso.lab", mappings=MAIL)
    assert "Somebody changed the mappings" in result["msg"]
    assert result["changed"] is False
    assert put(service) == []


def test_an_error_although_applied_is_a_success(call: Any, service: FakeService) -> None:
    service.ready()
    service.faults.append(once(500, error("InternalError", "x"), "/schema", "PUT", apply=service))
    result = call("writeback_mapping", domain="contoso.lab", mappings=MAIL)
    assert not result.get("failed"), result
    assert result["changed"] is True


def test_an_error_that_was_one_is_an_error(call: Any, service: FakeService) -> None:
    service.ready()
    service.faults.append(once(400, error("BadSchema", "no such attribute"), "/schema", "PUT"))
    result = call("writeback_mapping", domain="contoso.lab", mappings=MAIL)
    assert "no such attribute" in result["msg"]
    assert result["changed"] is False


def test_a_success_that_was_none_is_an_error(call: Any, service: FakeService) -> None:
    service.ready()
    service.faults.append(once(204, None, "/schema", "PUT"))
    result = call("writeback_mapping", domain="contoso.lab", mappings=MAIL)
    assert "shows others when read back: + mail: [Mail]" in result["msg"]


@pytest.mark.parametrize(("domain", "words"), [("other.lab", "There are jobs for contoso.lab"), ("x", "")])
def test_a_domain_without_a_job_is_an_error(call: Any, service: FakeService, domain: str, words: str) -> None:
    service.ready()
    result = call("writeback_mapping", domain=domain, mappings=MAIL)
    assert f"No writeback job writes to the domain {domain}" in result["msg"]
    assert words in result["msg"]


def test_options_exclude_each_other(call: Any, service: FakeService) -> None:
    assert call("writeback_mapping", domain="contoso.lab")["failed"]
    assert call("writeback_mapping", domain="contoso.lab", mappings=[{"target": "mail"}])["failed"]
    assert call("writeback_mapping", domain="contoso.lab", mappings=MAIL, rules_file="/x")["failed"]
    assert service.requests == []


def test_what_the_job_lacks_of_the_default_is_added(call: Any, service: FakeService) -> None:
    service.ready()
    first = call("writeback_mapping", domain="contoso.lab", mappings=[], add_missing=True)
    assert (first["changed"], first["changes"]) == (True, ["+ mail: [mail]"])
    again = call("writeback_mapping", domain="contoso.lab", mappings=[], add_missing=True)
    assert again["changed"] is False
    assert len(put(service)) == 1


def test_purge_brings_back_the_default(call: Any, service: FakeService) -> None:
    service.ready()
    constant = [{"target": "extensionAttribute1", "constant": "x"}]
    call("writeback_mapping", domain="contoso.lab", mappings=constant)
    purged = call("writeback_mapping", domain="contoso.lab", mappings=MAIL, purge=True)
    assert purged["changes"] == ['~ extensionAttribute1: constant "x" -> [extensionAttribute1]', "+ mail: [mail]"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_default_that_is_not_shown_is_told_and_nothing_is_taken_for_it(
    call: Any, service: FakeService, status: int
) -> None:
    service.ready()
    service.faults.append(
        lambda request: (status, error("Authorization_RequestDenied", "no")) if "/templates/" in request.path else None
    )
    result = call("writeback_mapping", domain="contoso.lab", mappings=MAIL, purge=True)
    assert result["changes"] == ["+ mail: [Mail]"]
    assert any("default mappings cannot be read" in str(warning) for warning in result["warnings"])
