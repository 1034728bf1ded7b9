# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness that the next steps demand, and the bundle of evidence."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import evaluation, readiness_file
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence import bundle
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import of_phase
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import (
    Deviation,
    GateVerdict,
    Readiness,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused, Unavailable
from gate_fakes import EMPTY_PRINTER, NOW, ROOT, FakePrinter, World, box, entry, wanted

HOUR = timedelta(hours=1)


def verdict(gate: str, **changes: Any) -> GateVerdict:
    given = {"verdict": "passed", "detail": "It is so.", "evaluated_at": NOW, "expires_at": NOW + 24 * HOUR, **changes}
    return GateVerdict(gate, **given)


def readiness(**changes: Any) -> Readiness:
    gates = {name: verdict(name) for name in ("one", "two")}
    given: dict[str, Any] = {
        "tenant_id": "contoso.com",
        "forest": "contoso.lab",
        "organization": "Contoso",
        "fingerprint": "f" * 64,
        "phase": "clean_up",
        "exit": "source_of_authority",
        "evaluated_at": NOW,
        "required": ("one", "two"),
        "servers": ("EX01", "EX02"),
        "gates": gates,
        **changes,
    }
    return Readiness(**given)


def require(tmp_path: Path, found: Readiness, **changes: Any) -> Readiness:
    saved = readiness_file.write(tmp_path / "readiness.json", found)
    given = {"phase": "clean_up", "now": NOW + HOUR, "fingerprint": "f" * 64, "tenant_id": "CONTOSO.com", **changes}
    return readiness_file.require(saved.path, saved.sha256, **given)


def test_a_readiness_is_what_was_written_and_its_hash_is_that_of_the_file(tmp_path: Path) -> None:
    accepted = Deviation("two", "gateway", "anna", NOW + 24 * HOUR)
    found = readiness(gates={"one": verdict("one"), "two": verdict("two", verdict="failed", accepted=accepted)})
    assert require(tmp_path, found, servers=["ex01"]) == found
    file = tmp_path / "readiness.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(file.read_bytes()).hexdigest() == readiness_file.write(file, found).sha256
    assert not [path for path in tmp_path.iterdir() if path != file]


@pytest.mark.parametrize(
    ("found", "asked", "words"),
    [
        (readiness(required=("one", "two", "three")), {}, "three (missing"),
        (
            readiness(gates={"one": verdict("one"), "two": verdict("two", verdict="failed")}),
            {},
            "two (failed: It is so)",
        ),
        (
            readiness(gates={"one": verdict("one"), "two": verdict("two", verdict="cannot_tell")}),
            {},
            "two (cannot tell",
        ),
        (readiness(), {"now": NOW + 25 * HOUR}, "one (expired at 2026-11-23T12:00:00Z)"),
        (readiness(), {"now": NOW - HOUR}, "still to come"),
        (readiness(), {"phase": "uninstall"}, "of the phase clean_up"),
        (readiness(), {"fingerprint": "other"}, "another Exchange organisation"),
        (readiness(), {"tenant_id": "fabrikam.com"}, "another tenant"),
        (readiness(), {"servers": ["EX01", "EX03"]}, "were not there then: EX03"),
        (readiness(phase="uninstall", exit="management_tools"), {"phase": "uninstall"}, "never uninstalled"),
    ],
)
def test_whatever_stands_in_the_way_is_named(
    found: Readiness, asked: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as raised:
        require(tmp_path, found, **asked)
    assert words in raised.value.message
    assert raised.value.facts["blocking"]


def test_everything_that_blocks_is_named_at_once(tmp_path: Path) -> None:
    found = readiness(gates={"one": verdict("one", verdict="failed")})
    with pytest.raises(Refused, match=re.compile("two .*one|one .*two")):
        require(tmp_path, found)


def test_a_deviation_counts_until_it_ends(tmp_path: Path) -> None:
    accepted = Deviation("one", "gateway", "anna", NOW + 2 * HOUR)
    found = readiness(gates={"one": verdict("one", verdict="failed", accepted=accepted), "two": verdict("two")})
    assert require(tmp_path, found)
    with pytest.raises(Refused, match="accepted only until"):
        require(tmp_path, found, now=NOW + 3 * HOUR)
    expired = replace(found, gates={**found.gates, "one": replace(found.gates["one"], expires_at=NOW + HOUR)})
    with pytest.raises(Refused, match="expired"):
        require(tmp_path, expired)


def test_another_file_is_not_taken(tmp_path: Path) -> None:
    saved = readiness_file.write(tmp_path / "readiness.json", readiness())
    arguments: dict[str, Any] = {"phase": "clean_up", "now": NOW, "fingerprint": "f" * 64}
    Path(saved.path).write_bytes(readiness_file.encode(readiness(servers=())))
    with pytest.raises(Refused, match="not the readiness that was approved"):
        readiness_file.require(saved.path, saved.sha256, **arguments)
    with pytest.raises(Refused, match="make it with"):
        readiness_file.require(None, None, **arguments)
    with pytest.raises(InputError, match="cannot be read"):
        readiness_file.require(tmp_path / "none.json", saved.sha256, **arguments)
    other = tmp_path / "other.json"
    other.write_bytes(b"[1]")
    with pytest.raises(InputError, match="is not a readiness"):
        readiness_file.require(other, hashlib.sha256(b"[1]").hexdigest(), **arguments)


def evaluated(
    tmp_path: Path, world: World | None = None, printer: FakePrinter = EMPTY_PRINTER, pdf: str = "auto", **options: Any
) -> Any:
    how = evaluation.How("anna on bastion <script>", printer, pdf)
    return evaluation.ready(wanted(tmp_path, **{"phase": "clean_up", **options}), (world or World()).ends(), how)


def test_an_organisation_that_is_ready_gets_a_file_that_lets_it_go_on(tmp_path: Path) -> None:
    result = evaluated(tmp_path)
    assert result["ready"], result["failures"]
    assert result["counts"]["blocking"] == 0
    saved = result["readiness"]
    found = readiness_file.require(
        saved["path"],
        saved["sha256"],
        phase="clean_up",
        now=NOW,
        fingerprint=result["fingerprint"],
        tenant_id="contoso.com",
        servers=["EX01", "EX02"],
    )
    assert set(found.required) == {gate.id for gate in of_phase("clean_up", "source_of_authority")}
    json.dumps(result)


def test_a_bundle_holds_everything_and_can_be_checked_with_two_tools(tmp_path: Path) -> None:
    world = World(boxes=[box("anna@contoso.lab"), box("bert@contoso.lab", managed=False)])
    result = evaluated(tmp_path, world)
    assert not result["ready"]
    base = Path(result["bundle"]["path"])
    names = {str(path.relative_to(base)) for path in base.rglob("*") if path.is_file()}
    assert {
        "manifest.json",
        "SHA256SUMS",
        "gates.json",
        "topology.jsonl",
        "deviations.json",
        "readiness.json",
        "checklist.html",
    } <= names
    assert "objects/mailboxes_cloud_managed.jsonl" in names
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in base.rglob("*") if path.is_file())
    assert base.name == "20261122T120000Z-contoso.com"
    manifest = json.loads((base / "manifest.json").read_text())
    assert {item["path"] for item in manifest["files"]} == names - {"manifest.json", "SHA256SUMS"}
    assert (base / "readiness.json").read_bytes() == Path(result["readiness"]["path"]).read_bytes()
    line = json.loads((base / "objects/mailboxes_cloud_managed.jsonl").read_text())
    assert line == {
        "gate": "mailboxes_cloud_managed",
        "object": "bert@contoso.lab",
        "id": "bert@contoso.lab",
        "type": "UserMailbox",
    }
    checked = bundle.verify(base)
    assert checked["intact"], checked["problems"]
    assert checked["manifest_sha256"] == result["bundle"]["manifest_sha256"]
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=base, check=False).returncode == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda base: (base / "gates.json").write_text("{}"), "gates.json was altered"),
        (lambda base: (base / "topology.jsonl").unlink(), "topology.jsonl cannot be read"),
        (lambda base: (base / "more.txt").write_text("x"), "more.txt is not in the manifest"),
        (lambda base: (base / "SHA256SUMS").write_text(""), "differ about"),
        (lambda base: (base / "SHA256SUMS").unlink(), "SHA256SUMS cannot be read"),
    ],
)
def test_whatever_is_changed_shows(change: Any, words: str, tmp_path: Path) -> None:
    base = Path(evaluated(tmp_path)["bundle"]["path"])
    change(base)
    checked = bundle.verify(base)
    assert not checked["intact"]
    assert any(words in problem for problem in checked["problems"]), checked["problems"]


def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    base = Path(evaluated(tmp_path)["bundle"]["path"])
    (tmp_path / "secret").write_text("x")
    manifest = json.loads((base / "manifest.json").read_text())
    manifest["files"].append({"path": "../../secret", "sha256": "x", "bytes": 1})
    (base / "manifest.json").write_text(json.dumps(manifest))
    assert any("does not lie in the bundle" in problem for problem in bundle.verify(base)["problems"])


def test_what_is_no_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no bundle"):
        bundle.verify(tmp_path)
    (tmp_path / "manifest.json").write_text('{"kind": "other", "files": []}')
    with pytest.raises(InputError, match="is no manifest"):
        bundle.verify(tmp_path)


def test_two_runs_in_one_second_have_a_bundle_each(tmp_path: Path) -> None:
    one, two = evaluated(tmp_path)["bundle"]["path"], evaluated(tmp_path)["bundle"]["path"]
    assert one != two
    assert (Path(one) / "readiness.json").read_bytes() == (Path(two) / "readiness.json").read_bytes()


class Page(HTMLParser):
    """The text of a page, its tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def test_the_checklist_holds_everything_and_nothing_that_runs(tmp_path: Path) -> None:
    world = World(boxes=[box("<img src=x onerror=alert(1)>", managed=False)])
    world.external.records[("contoso.lab", "MX")] = ["10 gateway.example"]
    accepted = Deviation("mx_external", "The gateway of <b>Example</b> & Sons", "anna", NOW + 24 * HOUR)
    result = evaluated(tmp_path, world, deviations={"mx_external": accepted})
    text = Path(result["bundle"]["checklist"]).read_text()
    page = Page()
    page.feed(text)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form", "a"}
    assert not [name for name, _value in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert "<img src=x" not in text
    assert "url(" not in text
    for words in (
        *("Not ready", "Contoso", "contoso.lab", "anna on bastion <script>", "The gateway of <b>Example</b> & Sons"),
        *("mailboxes_cloud_managed", "Approved by", "exchange_online", "2026-11-22T12:00:00Z", "EX01, EX02"),
        *(gate["asserts"] for gate in result["gates"]),
        *(gate["source"] for gate in result["gates"]),
    ):
        assert words in page.text, words


@pytest.mark.parametrize("pdf", ["auto", "required"])
def test_the_checklist_is_printed_where_chromium_is(pdf: str, tmp_path: Path) -> None:
    def run(command: Sequence[str]) -> tuple[int, str, str]:
        target = next(item.partition("=")[2] for item in command if item.startswith("--print-to-pdf="))
        Path(target).write_bytes(b"%PDF-1.4")
        assert command[-1].startswith("file:///")
        return 0, "", ""

    result = evaluated(tmp_path, printer=FakePrinter("/usr/bin/chromium", run), pdf=pdf)
    file = Path(result["bundle"]["pdf"])
    assert file.stat().st_mode & 0o777 == 0o600
    assert bundle.verify(file.parent)["intact"]
    assert any(
        item["path"] == "checklist.pdf" for item in json.loads((file.parent / "manifest.json").read_text())["files"]
    )


def test_without_chromium_there_is_no_pdf_and_that_is_said(tmp_path: Path) -> None:
    assert "chromium" in evaluated(tmp_path)["bundle"]["pdf_missing"]
    assert evaluated(tmp_path, pdf="never")["bundle"]["pdf"] is None
    broken = FakePrinter("/usr/bin/chromium", lambda _command: (1, "", "cannot open display"))
    assert "cannot open display" in evaluated(tmp_path, printer=broken)["bundle"]["pdf_missing"]
    with pytest.raises(InputError, match="pdf is required"):
        evaluated(tmp_path, printer=broken, pdf="required")


def test_mixing_the_two_ways_is_refused_with_all_that_was_found(tmp_path: Path) -> None:
    world = World()
    world.directory.entries.append(entry(f"CN=Recipient Management EMT,CN=Users,{ROOT}", "group"))
    with pytest.raises(Refused, match="Mixing the two") as raised:
        evaluated(tmp_path, world)
    assert len(raised.value.facts["gates"]) > 20
    assert bundle.verify(raised.value.facts["bundle"]["path"])["intact"]
    with pytest.raises(Refused, match="cloud-managed already"):
        evaluated(tmp_path, exit="management_tools")


def test_an_organisation_that_cannot_be_read_is_never_ready(tmp_path: Path) -> None:
    world = World()
    world.broken["directory"] = Unavailable("no domain controller answers")
    result = evaluated(tmp_path, world)
    assert not result["ready"]
    assert result["fingerprint"] == ""
    assert not (Path(result["bundle"]["path"]) / "topology.jsonl").exists()


def test_the_service_clock_counts_and_a_service_that_is_away_is_asked_once(tmp_path: Path) -> None:
    world = World()
    world.online.time = NOW + 5 * HOUR
    assert evaluated(tmp_path, world)["evaluated_at"] == "2026-11-22T17:00:00Z"
    world = World()
    world.online.time = None
    world.online.answers = {"Get-OrganizationConfig": Unavailable("away")}
    assert evaluated(tmp_path, world)["evaluated_at"] == "2026-11-22T12:00:00Z"
    assert sum(item.name == "Get-OrganizationConfig" for item in world.online.sent) == 2


def test_deviations_that_ended_or_will_soon_are_told_and_none_of_another_phase(tmp_path: Path) -> None:
    given = {
        "trial_shutdown": Deviation("trial_shutdown", "x", "y"),
        "mx_external": Deviation("mx_external", "x", "y", NOW - HOUR),
        "mx_internal": Deviation("mx_internal", "x", "y", NOW + HOUR),
        "spf_external": Deviation("spf_external", "x", "y", NOW + 900 * HOUR),
    }
    asked = wanted(tmp_path, phase="clean_up", deviations=given)
    told = evaluation.warnings(evaluated(tmp_path, deviations=given), asked, NOW)
    assert len(told) == 2
    assert "mx_external was accepted until 2026-11-22T11:00:00Z only" in told[0]
    assert "mx_internal is accepted until 2026-11-22T13:00:00Z" in told[1]
