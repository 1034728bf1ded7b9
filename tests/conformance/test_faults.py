# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module under every fault: it converges, or fails in plain words and converges when it is run again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import observe, stage
from tests.conformance.modules import run
from tests.lab.client import Lab

WAVE = {"filter": "RecipientTypeDetails -eq 'SharedMailbox' -and IsDirSynced -eq 'True'"}
EDITED = {"filter": "CustomAttribute7 -like 'edited*'"}
# Enough for every kind of request. Only an answer of several pages takes everybody.
SOME = {"filter": "RecipientTypeDetails -eq 'SharedMailbox' -or CustomAttribute7 -like 'edited*'"}
EVERYBODY = {"all_mailboxes": True}
EXPIRED = "expired_next_link"

RULES = [
    {"target": "msExchHideFromAddressLists", "owner": "directory"},
    {
        "target": "extensionAttribute6",
        "owner": "directory",
        "expression": "ToUpper([extensionAttribute7])",
        "scope": {"filter": '[extensionAttribute7] <> ""'},
    },
]

# One task for each module that reads and, where it can, writes on each of its far ends.
TASKS: Mapping[str, Mapping[str, Any]] = {
    "mailbox_info": SOME,
    "mailbox_authority": {**WAVE, "authority": "cloud"},
    "organization_authority": {"default_authority": "on_premises"},
    "writeback_job": {"domain": stage.DOMAIN, "state": "started", "first_start": "accepted", "delete_threshold": 400},
    "writeback_job_info": {"domain": stage.DOMAIN},
    "writeback_mapping": {
        "domain": stage.DOMAIN,
        "mappings": [{"target": "extensionAttribute9", "constant": "from Git"}],
    },
    "writeback_cycle": {"domain": stage.DOMAIN, "state": "provisioned", "on_demand_requests": 100, **EDITED},
    "directory_writeback": {**SOME, "mappings": RULES},
    "roundtrip_info": {**SOME, "mappings": RULES, "applications": [{"name": "Fax", "attributes": ["mail"]}]},
    "writeback_prediction_info": {**SOME, "domain": stage.DOMAIN, "cloud_managed": "assumed"},
    "directory_restore": {"wave": "pilot"},
    "sync_agent": {"domain": stage.DOMAIN},
    "sync_agent_info": {"domain": stage.DOMAIN},
}

READS: Mapping[str, tuple[str, ...]] = {
    "mailbox_info": ("login", "exchange"),
    "mailbox_authority": ("login", "exchange"),
    "organization_authority": ("login", "exchange"),
    "writeback_job": ("login", "graph"),
    "writeback_job_info": ("login", "graph"),
    "writeback_mapping": ("login", "graph"),
    "writeback_cycle": ("login", "graph", "exchange"),
    "directory_writeback": ("login", "graph", "exchange", "ldap"),
    "roundtrip_info": ("login", "graph", "exchange", "ldap"),
    "writeback_prediction_info": ("login", "graph", "exchange", "ldap"),
    "directory_restore": ("login", "graph", "ldap"),
    # Signing in is the same for all modules, and a task with servers is long; so it is not repeated for these.
    "sync_agent": ("graph", "ldap", "windows"),
    "sync_agent_info": ("windows",),
}
WRITES: Mapping[str, tuple[str, ...]] = {
    "mailbox_authority": ("exchange",),
    "writeback_job": ("graph",),
    "writeback_mapping": ("graph",),
    "writeback_cycle": ("graph",),
}
IN_BATCH = {"mailbox_authority": ("exchange",)}


@dataclass(frozen=True)
class Fault:
    """One fault as the lab takes it."""

    kind: str
    target: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        detail = "-".join(f"{name}={value}" for name, value in self.parameters.items())
        return "-".join(part for part in (self.kind, self.target, detail) if part)


ON_ANY: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("throttle", {"retry_after": 1}),
    ("throttle", {}),
    ("unavailable", {"status": 503}),
    ("not_json", {}),
    ("slow", {"seconds": 1}),
    ("cut", {}),
)
ON_LDAP: tuple[tuple[str, Mapping[str, Any]], ...] = (("cut", {}), ("slow", {"seconds": 0.2}), ("dc_restart", {}))
ON_WINDOWS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("cut", {}),
    ("slow", {"seconds": 1}),
    ("throttle", {}),
    ("unavailable", {}),
    ("unauthorized", {}),
    ("winrm_restart", {}),
)


def cases() -> list[tuple[str, Fault]]:
    """Every module with every fault that its far ends can have."""
    found: list[tuple[str, Fault]] = []
    for module, targets in READS.items():
        for target in targets:
            kinds = {"ldap": ON_LDAP, "windows": ON_WINDOWS}.get(target, ON_ANY)
            found += [(module, Fault(kind, target, parameters)) for kind, parameters in kinds]
            if target in ("graph", "exchange"):
                found.append((module, Fault("unavailable", target, {"status": 504})))
                found += [(module, Fault("token_expired", target)), (module, Fault("no_content", target))]
        if SOME.items() <= TASKS[module].items():
            found.append((module, Fault(EXPIRED, "exchange")))
        for target in WRITES.get(module, ()):
            found.append((module, Fault("error_although_applied", target)))
            found.append((module, Fault("stale_reads", target, {"seconds": 2})))
        found += [(module, Fault("throttle_in_batch", target)) for target in IN_BATCH.get(module, ())]
    return found


def task(module: str, fault: Fault) -> dict[str, Any]:
    """What the module's task states under a fault."""
    given = dict(TASKS[module])
    if fault.kind != EXPIRED:
        return given
    return {name: value for name, value in given.items() if name not in SOME} | EVERYBODY


def end_state(lab: Lab) -> tuple[Any, ...]:
    """Both sides as independent readers see them, and what the jobs are set to do."""
    tenant = lab.config["tenants"][stage.TENANT]["tenant_id"]
    jobs = [
        (job["schedule"]["state"], _mappings(job), sorted(job.get("_known") or ()))
        for job in lab.objects(tenant, "job")
    ]
    return (*observe.settled(lab.config, stage.TENANT), jobs, len(lab.objects(tenant, "servicePrincipal")))


def _mappings(job: Mapping[str, Any]) -> list[Any]:
    rules = (job.get("_schema") or {}).get("synchronizationRules", [])
    return [
        (mapping["targetAttributeName"], mapping["source"])
        for rule in rules
        for mapped in rule["objectMappings"]
        for mapping in mapped["attributeMappings"]
    ]


@dataclass
class Stage:
    """The lab prepared for one module, kept as a checkpoint for all of its faults, with the artifacts of the
    preparation, and what the module's task comes to without any fault."""

    kept: Path
    module: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    undisturbed: tuple[Any, ...] = ()

    def set(self, module: str, given: Mapping[str, Any], lab: Lab, defaults: stage.Defaults) -> None:
        """Have the lab as the module's task finds it."""
        artifacts = Path(defaults["run"]["artifact_dir"])
        if module != self.module:
            lab.reset()
            stage.prepare(module, given, lab, defaults)
            lab.checkpoint()
            _replace(self.kept, artifacts)
        if (module, given) != (self.module, self.given):
            self._begin(lab, artifacts)
            stage.must(perform(module, given, defaults))
            self.undisturbed = end_state(lab)
            self.module, self.given = module, given
        elif module in stage.INFO_MODULES:
            return  # it never wrote, which each of its tests proves
        self._begin(lab, artifacts)

    def _begin(self, lab: Lab, artifacts: Path) -> None:
        lab.reset(to="checkpoint")
        _replace(artifacts, self.kept)


def _replace(target: Path, source: Path) -> None:
    """Have one folder as the other is; where that one is not there, neither."""
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target)


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """One stage for the whole session: the tests of one module follow one another."""
    return Stage(tmp_path_factory.mktemp("stage") / "artifacts")


def perform(module: str, given: Mapping[str, Any], defaults: stage.Defaults) -> Any:
    return run(module, stage.arguments(module, given, defaults))


@pytest.mark.parametrize(("module", "fault"), cases(), ids=str)
def test_a_module_survives_a_fault(
    module: str, fault: Fault, lab: Lab, defaults: stage.Defaults, staged: Stage
) -> None:
    given = task(module, fault)
    staged.set(module, given, lab, defaults)
    lab.clear_log()
    written = lab.traffic(stage.TENANT)["operations"].get("modify", 0)
    lab.scenario(
        top_page_size=100 if fault.kind == EXPIRED else 1000,  # several pages, even of a few hundred rows
        on_demand_calls=100,  # the pace of provisioning on demand is another test's business
    )
    lab.add_fault(fault.kind, fault.target, **fault.parameters)
    try:
        struck = perform(module, given, defaults)
        assert lab.faults() == [], "the fault never fired, so this shows nothing"
    finally:
        lab.clear_faults()
    if struck.failed:
        assert len(struck.data["msg"]) > 20
        assert "Traceback" not in struck.output
        assert not any(secret in struck.output for secret in secrets(lab))
    stage.wait_for_directory(lab)
    again = perform(module, given, defaults)
    assert not again.failed, again.data["msg"]
    assert lab.state()["violations"] == []
    if module in stage.INFO_MODULES:
        assert not again.changed
        assert lab.log(writes=True) == []
        assert lab.traffic(stage.TENANT)["operations"].get("modify", 0) == written
        return
    assert end_state(lab) == staged.undisturbed
    last = perform(module, given, defaults)
    assert not last.failed, last.data["msg"]
    assert not last.changed


def secrets(lab: Lab) -> list[str]:
    """What must stand in no output."""
    tenant = lab.config["tenants"][stage.TENANT]
    return [tenant["application"]["client_secret"], tenant["directory"]["password"]]
