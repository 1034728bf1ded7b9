# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module under every fault: it converges, or fails in plain words and converges when it is run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conformance import observe, stage
from tests.conformance.modules import run
from tests.lab.client import Lab

WAVE = {"filter": "RecipientTypeDetails -eq 'SharedMailbox' -and IsDirSynced -eq 'True'"}
EDITED = {"filter": "CustomAttribute7 -like 'edited*'"}
EVERYBODY = {"all_mailboxes": True}

# One task for each module that reads and, where it can, writes on each of its far ends.
TASKS: Mapping[str, Mapping[str, Any]] = {
    "mailbox_info": EVERYBODY,
    "mailbox_authority": {**WAVE, "authority": "cloud"},
    "organization_authority": {"default_authority": "on_premises"},
    "writeback_job": {"domain": stage.DOMAIN, "state": "started", "delete_threshold": 400},
    "writeback_job_info": {"domain": stage.DOMAIN},
    "writeback_mapping": {
        "domain": stage.DOMAIN,
        "mappings": [{"target": "extensionAttribute9", "constant": "from Git"}],
    },
    "writeback_cycle": {"domain": stage.DOMAIN, "state": "provisioned", "on_demand_requests": 100, **EDITED},
    "directory_writeback": {**EVERYBODY, "attributes": ["msExchHideFromAddressLists"]},
    "roundtrip_info": EVERYBODY,
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
}
WRITES: Mapping[str, tuple[str, ...]] = {
    "mailbox_authority": ("exchange",),
    "writeback_job": ("graph",),
    "writeback_mapping": ("graph",),
    "writeback_cycle": ("graph",),
}
SEVERAL_PAGES = {"mailbox_info", "directory_writeback", "roundtrip_info"}
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
    ("unavailable", {"status": 504}),
    ("not_json", {}),
    ("slow", {"seconds": 1}),
    ("cut", {}),
)
ON_LDAP: tuple[tuple[str, Mapping[str, Any]], ...] = (("cut", {}), ("slow", {"seconds": 1}), ("dc_restart", {}))


def cases() -> list[tuple[str, Fault]]:
    """Every module with every fault that its far ends can have."""
    found: list[tuple[str, Fault]] = []
    for module, targets in READS.items():
        for target in targets:
            kinds = ON_LDAP if target == "ldap" else ON_ANY
            found += [(module, Fault(kind, target, parameters)) for kind, parameters in kinds]
            if target in ("graph", "exchange"):
                found += [(module, Fault("token_expired", target)), (module, Fault("no_content", target))]
        if module in SEVERAL_PAGES:
            found.append((module, Fault("expired_next_link", "exchange")))
        for target in WRITES.get(module, ()):
            found.append((module, Fault("error_although_applied", target)))
            found.append((module, Fault("stale_reads", target, {"seconds": 2})))
        found += [(module, Fault("throttle_in_batch", target)) for target in IN_BATCH.get(module, ())]
    return found


def end_state(lab: Lab, module: str) -> tuple[Any, ...]:
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


@pytest.fixture(scope="session")
def undisturbed() -> dict[str, tuple[Any, ...]]:
    """The end state of each module's task without a fault, once it is known."""
    return {}


def perform(module: str, lab: Lab, defaults: stage.Defaults) -> Any:
    return run(module, stage.arguments(module, TASKS[module], defaults))


@pytest.mark.parametrize(("module", "fault"), cases(), ids=str)
def test_a_module_survives_a_fault(
    module: str, fault: Fault, fresh: Lab, defaults: stage.Defaults, undisturbed: dict[str, tuple[Any, ...]]
) -> None:
    if module not in undisturbed:
        stage.prepare(module, TASKS[module], fresh, defaults)
        stage.must(perform(module, fresh, defaults))
        undisturbed[module] = end_state(fresh, module)
        fresh.reset()
    stage.prepare(module, TASKS[module], fresh, defaults)
    if fault.kind == "expired_next_link":
        fresh.scenario(top_page_size=100)  # several pages, even of the lab's few hundred mailboxes
    fresh.scenario(on_demand_calls=100)  # the pace of provisioning on demand is another test's business
    fresh.add_fault(fault.kind, fault.target, **fault.parameters)

    struck = perform(module, fresh, defaults)
    assert fresh.faults() == [], "the fault never fired, so this shows nothing"
    if struck.failed:
        assert len(struck.data["msg"]) > 20
        assert "Traceback" not in struck.output
        assert not any(secret in struck.output for secret in secrets(fresh))

    fresh.clear_faults()
    stage.wait_for_directory(fresh)
    again = perform(module, fresh, defaults)
    assert not again.failed, again.data["msg"]
    assert end_state(fresh, module) == undisturbed[module]
    assert fresh.state()["violations"] == []
    last = perform(module, fresh, defaults)
    assert not last.failed, last.data["msg"]
    assert not last.changed


def secrets(lab: Lab) -> list[str]:
    """What must stand in no output."""
    tenant = lab.config["tenants"][stage.TENANT]
    return [tenant["application"]["client_secret"], tenant["directory"]["password"]]
