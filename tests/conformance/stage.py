# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's task finds when it runs: the state before it, and the arguments that a play would give it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conformance import observe
from tests.conformance.modules import Result, run
from tests.lab.client import Lab, LabError

TENANT = "contoso"
DOMAIN = "contoso.lab"

DIRECTORY_MODULES = {
    "decommission_readiness_info",
    "directory_restore",
    "directory_writeback",
    "exchange_topology_info",
    "mailbox_authority",
    "roundtrip_info",
    "sync_agent",
    "writeback_prediction_info",
}
WINDOWS_MODULES = {"sync_agent", "sync_agent_info"}
EXCHANGE_MODULES = {"decommission_readiness_info"}
# Modules that know nothing of the cloud.
ON_PREMISES_MODULES = {"exchange_topology_info"}
INFO_MODULES = {
    "decommission_readiness_info",
    "exchange_topology_info",
    "mailbox_info",
    "roundtrip_info",
    "sync_agent_info",
    "writeback_job_info",
    "writeback_prediction_info",
}

# In the documentation stand the names that readers know; the lab has its own. The order matters.
NAMES = {
    "OU=Zürich,OU=People,DC=contoso,DC=com": "OU=Zürich,OU=People,OU=Contoso AG,DC=contoso,DC=lab",
    "Exchange pilots": "Writeback Ring 0",
    "waves/pilot.csv": str(Path(__file__).with_name("pilot.csv")),
    "board@contoso.com": "asa.lefevre@contoso.lab",
    "contoso.com": DOMAIN,
}

# Users of the lab to whom nobody without an administrator's rights can write: two share a source anchor (Connect Sync
# exports the first), and three are protected as AdminSDHolder does it.
CONFLICT = "anton.garcia@contoso.lab"
PROTECTED = ("asa.keller@contoso.lab", "lukasz.meier@contoso.lab", "sean.fernandez-lopez@contoso.lab")
UNWRITABLE = [CONFLICT, *PROTECTED]

Arguments = dict[str, Any]
Defaults = Mapping[str, Mapping[str, Any]]


def arguments(module: str, given: Mapping[str, Any], defaults: Defaults) -> Arguments:
    """The arguments of a task with the play's module_defaults below them, in the lab's names."""
    merged: Arguments = {"exclude": UNWRITABLE} if module == "directory_writeback" else {}
    groups = ["run", *([] if module in ON_PREMISES_MODULES else ["tenant"])]
    groups += ["directory"] if module in DIRECTORY_MODULES else []
    groups += ["windows"] if module in WINDOWS_MODULES else []
    groups += ["exchange_server", "name_servers"] if module in EXCHANGE_MODULES else []
    groups += ["agent"] if module == "sync_agent" else []
    for group in groups:
        merged.update(defaults[group])
    left_out = {
        "artifact_dir",
        *(["installer"] if module == "sync_agent" else []),
    }  # the lab has an installer of its own
    own = {name: _lab_name(value) for name, value in given.items() if name not in left_out}
    return {**merged, **own}


def _lab_name(value: Any) -> Any:
    if isinstance(value, list):
        return [_lab_name(item) for item in value]
    if isinstance(value, dict):
        return {name: _lab_name(item) for name, item in value.items()}
    if isinstance(value, str):
        for known, here in NAMES.items():
            value = value.replace(known, here)
    return value


def wait_for_directory(lab: Lab, seconds: float = 600) -> None:
    """Wait until the domain controller answers again; a restart takes it a while."""
    ends = time.monotonic() + seconds
    while True:
        try:
            lab.highest_committed_usn(TENANT)
        except LabError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.5)
        else:
            return


def must(result: Result) -> Result:
    """The result of a step of the stage itself, which has to succeed."""
    if result.failed:
        raise RuntimeError(f"The stage could not be set: {result.data.get('msg')}")
    return result


def prepare(module: str, given: Mapping[str, Any], lab: Lab, defaults: Defaults) -> None:
    """Bring the fresh lab to where this task of this module makes sense."""

    def step(name: str, **given: Any) -> None:
        must(run(name, arguments(name, given, defaults)))

    if module in {"writeback_job_info", "writeback_mapping", "writeback_cycle"}:
        step("writeback_job", domain=DOMAIN, state="started", first_start="accepted")
        lab.cycle(TENANT)  # the initial cycle, so that it does not fall into the test at a moment of its own
    if given.get("default_authority") == "cloud":
        tenant = lab.config["tenants"][TENANT]["tenant_id"]
        for user in lab.objects(tenant, "mailUser"):
            lab.delete_object(tenant, "mailUser", user["ExternalDirectoryObjectId"])
        step("mailbox_authority", all_mailboxes=True, authority="cloud", on_ineligible="skip")
    if module in {"writeback_cycle", "directory_writeback", "directory_restore"}:
        step("mailbox_authority", all_mailboxes=True, authority="cloud", on_ineligible="skip")
        edit_some(lab)
    if module == "sync_agent" and given.get("state") == "absent":
        step("sync_agent", domain=DOMAIN)
    if given.get("verify_bundle"):
        made = run(module, arguments(module, {"phase": "clean_up", "domain": DOMAIN}, defaults))
        shutil.copytree(must(made).data["bundle"]["path"], _lab_name(given["verify_bundle"]))
    if module == "directory_restore":
        step("directory_writeback", wave="pilot", identities=edited(lab), exclude=[])


def edited(lab: Lab) -> list[str]:
    """The mailboxes that were edited on the stage."""
    rows = observe.mailboxes(lab.config, TENANT).values()
    return sorted(row["UserPrincipalName"] for row in rows if str(row["CustomAttribute7"]).startswith("edited"))


def edit_some(lab: Lab) -> None:
    """Edits in the cloud that the directory does not have yet."""
    rows = observe.mailboxes(lab.config, TENANT).values()
    managed = sorted(
        (row for row in rows if row["IsDirSynced"] and row["RecipientTypeDetails"] == "UserMailbox"),
        key=lambda row: row["UserPrincipalName"],
    )
    for number, row in enumerate(managed[10:14]):
        observe.invoke(
            lab.config,
            TENANT,
            "Set-Mailbox",
            Identity=row["ExternalDirectoryObjectId"],
            CustomAttribute7=f"edited {number}",
            HiddenFromAddressListsEnabled=True,
        )
