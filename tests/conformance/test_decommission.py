# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid set-up and the Exchange servers of the lab: taken away, put back, killed half way, and every other day."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import readiness_file
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import PASSED

from tests.conformance import stage
from tests.conformance.conftest import defaults_of
from tests.conformance.modules import Result, run
from tests.lab.client import Lab

ROOT = Path(__file__).resolve().parents[2]
ALSO = [
    {"kind": "federation_trust", "identity": "Microsoft Federation Gateway"},
    {"kind": "send_connector", "identity": "Internet"},
    {"kind": "send_connector", "identity": "To Northwind Traders"},
    {"kind": "transport_rule", "identity": "Centralized mail transport for legal hold"},
]


def command(*arguments: str) -> None:
    """The lab's own command line, as its users have it."""
    subprocess.run([sys.executable, "-m", "tests.lab", *arguments], cwd=ROOT, check=True, capture_output=True)


class Removal:
    """The modules that take away, in one tenant whose gates are passed."""

    def __init__(self, lab: Lab, artifacts: Path, tenant: str) -> None:
        self.lab, self.tenant, self._artifacts = lab, tenant, artifacts
        self._defaults = defaults_of(lab, artifacts, tenant)
        self._servers = {server["name"]: server for server in lab.config["tenants"][tenant]["exchange"]}
        command("exchange", tenant, "--ready")

    def hybrid(self, side: str, check: bool = False, **given: Any) -> Result:
        phase = given.get("phase") or ("clean_up" if side == "on_premises" else "cloud_clean_up")
        stated = {"soak_minutes": 0, "mail_quiet_hours": 0, "also": ALSO, **given}
        if side == "on_premises" and self.tenant == "fabrikam":
            account = self.lab.config["tenants"][self.tenant]["hybrid"]
            stated |= {"hybrid_agent_user": account["admin_user"], "hybrid_agent_password": account["admin_password"]}
            stated |= self._windows("EX01")
        if side == "on_premises":
            stated |= self._defaults["exchange_server"]
        return self._run("hybrid_configuration", phase, {"side": side, **stated}, check)

    def uninstall(self, server: str, check: bool = False, **given: Any) -> Result:
        stated = {"server": server, "confirm": f"uninstall {server}", "poll_interval": 1, "wait_timeout": 20}
        there = self._windows(server) | {"exchange_server_host": self._servers[server]["host"]}
        return self._run(
            "exchange_server", "uninstall", {**self._defaults["exchange_server"], **stated, **there, **given}, check
        )

    def _windows(self, server: str) -> dict[str, Any]:
        found = self._servers[server]
        names = {"host": "host", "port": "windows_port", "user": "user", "password": "password"}
        windows = {f"windows_{name}": found[key] for name, key in names.items()}
        return {**windows, "windows_ca_path": self.lab.config["ca"]}

    def _run(self, module: str, phase: str, given: dict[str, Any], check: bool) -> Result:
        defaults = {
            name: value for group in ("tenant", "directory", "run") for name, value in self._defaults[group].items()
        }
        saved = self._readiness(phase)
        ready = {} if check else {"readiness": saved.path, "readiness_sha256": saved.sha256}
        result = run(module, {**defaults, **ready, **given}, check=check)
        for group in self._defaults.values():
            for name, value in group.items():
                assert "password" not in name or value not in result.output
        return result

    def _readiness(self, phase: str) -> readiness_file.Saved:
        """A gate that was passed, for the organization as it is now."""
        defaults = {name: value for group in ("directory", "run") for name, value in self._defaults[group].items()}
        now = run("exchange_topology_info", defaults).data
        verdict = readiness_file.GateVerdict(
            "all", PASSED, "", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=4000)
        )
        made = readiness_file.Readiness(
            tenant_id=self._defaults["tenant"]["tenant_id"],
            forest=now["forest"],
            organization=(now["organization"] or {}).get("name"),
            fingerprint=now["fingerprint"],
            phase=phase,
            exit="source_of_authority",
            evaluated_at=verdict.evaluated_at,
            required=(verdict.gate,),
            servers=tuple(server["name"] for server in now["servers"]),
            gates={verdict.gate: verdict},
        )
        return readiness_file.write(self._artifacts / f"readiness-{phase}.json", made)

    def writes(self) -> list[str]:
        """What was sent that may change anything, since the log was cleared."""
        services = ("exchange_server", "windows", "exchange", "graph")
        return [str(entry) for entry in self.lab.log(writes=True) if entry["service"] in services]


@pytest.fixture
def fresh_forests(fresh: Lab) -> Iterator[Lab]:
    yield fresh
    fresh.reset()


def test_the_hybrid_set_up_is_taken_away_and_put_back(fresh_forests: Lab, tmp_path: Path) -> None:
    removal = Removal(fresh_forests, tmp_path, "contoso")
    fresh_forests.clear_log()
    announced = removal.hybrid("on_premises", check=True)
    assert removal.writes() == []
    done = stage.must(removal.hybrid("on_premises"))
    assert [step["line"] for step in done.data["steps"]] == [step["line"] for step in announced.data["steps"]]
    assert len(done.data["steps"]) > 15
    fresh_forests.clear_log()
    assert not stage.must(removal.hybrid("on_premises")).changed
    assert removal.writes() == []
    export = {"export": done.data["export"]["path"], "export_sha256": done.data["export"]["sha256"]}
    back = stage.must(removal.hybrid("on_premises", state="present", **export))
    federation = {"federated_domain", "federated_organization", "federation_trust", "federation_certificate"}
    assert {item["kind"] for item in back.data["lost"]} == federation
    assert len(back.data["restored"]) + len(back.data["lost"]) + 1 == len(done.data["steps"])
    again = stage.must(removal.hybrid("on_premises", state="present", **export))
    assert not again.changed
    once_more = removal.hybrid("on_premises", check=True)
    gone = {step["line"] for step in announced.data["steps"] if step["kind"] not in federation}
    assert gone == {step["line"] for step in once_more.data["steps"]}


def test_a_modern_hybrid_goes_to_the_last_object(fresh_forests: Lab, tmp_path: Path) -> None:
    removal = Removal(fresh_forests, tmp_path, "fabrikam")
    early = removal.hybrid("cloud")
    assert early.failed
    assert "comes after the last server" in early.data["msg"] or "whether one is this organization" in early.data["msg"]
    steps = {step["step"] for step in stage.must(removal.hybrid("on_premises")).data["steps"]}
    assert {"remove_setting_override", "remove_hybrid_agent", "remove_federation_trust"} <= steps
    keys = stage.must(removal.hybrid("cloud", phase="clean_up"))
    assert [step["step"] for step in keys.data["steps"]][1:] == [
        "remove_service_principal_keys",
        "remove_hybrid_application",
    ]
    last_first = removal.uninstall("EX02")
    assert last_first.failed
    assert "which is not the last one" in last_first.data["msg"]
    assert not stage.must(removal.uninstall("EX01")).data["last_server"]
    assert stage.must(removal.uninstall("EX02")).data["last_server"]
    assert not stage.must(removal.uninstall("EX02")).changed
    cloud = stage.must(removal.hybrid("cloud"))
    assert {"inbound_connector", "outbound_connector"} <= {item["kind"] for item in cloud.data["left"]}
    fresh_forests.clear_log()
    assert not stage.must(removal.hybrid("cloud")).changed
    assert removal.writes() == []


@pytest.mark.parametrize(
    ("setting", "given", "words"),
    [
        ("setup=fails", {}, "exit code 1"),
        ("setup=dies", {}, "stopped from outside"),
        ("setup=hangs", {"setup_quiet_timeout": 4, "setup_hangs": "stop"}, "wrote nothing into its log"),
        ("setup=lingers", {"wait_timeout": 3}, "MSExchangeTransport"),
    ],
)
def test_setup_that_does_not_end_well_is_told_and_gone_on_with(
    fresh_forests: Lab, tmp_path: Path, setting: str, given: dict[str, Any], words: str
) -> None:
    removal = Removal(fresh_forests, tmp_path, "contoso")
    command("windows", "ex01@contoso", "--set", setting)
    failed = removal.uninstall("EX01", **given)
    assert failed.failed
    assert words in failed.data["msg"]
    assert failed.changed
    accept = {"lingering_services": "accept"} if setting == "setup=lingers" else {}
    stage.must(removal.uninstall("EX01", **accept))
    assert not stage.must(removal.uninstall("EX01", **accept)).changed
