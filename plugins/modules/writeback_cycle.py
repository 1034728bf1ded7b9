#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.writeback_cycle: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: writeback_cycle
short_description: Wait for a cycle of a writeback job, begin again, or provision mailboxes now
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Makes sure that changes in the cloud have reached AD through the Cloud Sync job of a domain.
  - A completed cycle is no proof. Prove the result with M(hybrid.exchange.roundtrip_info).
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.run
  - hybrid.exchange.selection
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details:
      - With O(state=waited) it waits in check mode too, since waiting changes nothing.
      - With O(state=provisioned) it says how many mailboxes would be requested; what the service would write cannot be
        known before.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=waited) never changes anything. O(state=provisioned) changes nothing where AD is
        as the cloud is already.
      - O(state=restarted) restarts each time it is run.
options:
  domain:
    description: The DNS name of the AD domain that the job writes to.
    type: str
    required: true
  state:
    description:
      - V(waited) waits until a cycle that began at O(since) or later is complete.
      - V(restarted) lets the job begin again, forgetting what O(reset) says, and waits for that cycle.
      - V(provisioned) provisions the selected mailboxes on demand, one request each, at the pace that the service
        allows. Choose it for mailboxes that were moved to the cloud just now, since incremental cycles may not know
        them yet. It is not offered in V(china_21vianet).
    type: str
    default: waited
    choices: [waited, restarted, provisioned]
  since:
    description:
      - With O(state=waited), the moment after which the cycle must have begun, as in V(2026-08-27T09:30:00Z).
        Give the moment of the last change that has to arrive.
      - The service's time when the task starts, if not given.
    type: str
  reset:
    description:
      - With O(state=restarted), what the job forgets. V(full) is everything, which makes it look at all mailboxes
        again. V(force_deletes) lets deletions pass that the delete threshold stopped.
      - If not given, the job restarts as it does in the portal.
    type: list
    elements: str
    choices: [full, watermark, escrows, quarantine_state, force_deletes]
    default: []
  timeout:
    description:
      - Seconds to wait for a cycle, or that provisioning on demand may take. Cycles come about every 20 minutes.
      - More mailboxes than can be provisioned in this time are refused before the first request.
    type: int
    default: 1800
  poll_interval:
    description: Seconds between two looks at the job.
    type: int
    default: 5
  on_demand_requests:
    description: How many requests the service allows in O(on_demand_seconds).
    type: int
    default: 5
  on_demand_seconds:
    description: The time in seconds in which the service allows O(on_demand_requests).
    type: int
    default: 10
  application_template_id:
    description:
      - The id of Microsoft's application template that writeback configurations are made from.
      - Change it only if Microsoft does.
    type: str
    default: 3b99513e-0cee-4291-aea8-84356239fb82
  job_template_id:
    description:
      - The id of Microsoft's template for the job in such a configuration.
      - Change it only if Microsoft does.
    type: str
    default: Entra2ADExchangeOnlineAttributeWriteback
seealso:
  - module: hybrid.exchange.writeback_job
  - module: hybrid.exchange.roundtrip_info
"""

EXAMPLES = r"""
- name: Wait for the next complete cycle
  hybrid.exchange.writeback_cycle:
    domain: contoso.lab

- name: Provision the members of a wave now
  hybrid.exchange.writeback_cycle:
    domain: contoso.lab
    state: provisioned
    filter: "CustomAttribute15 -eq 'wave 1'"
    allow_empty: true

- name: Look at all mailboxes again after a change of mappings
  hybrid.exchange.writeback_cycle:
    domain: contoso.lab
    state: restarted
    reset: [full]
"""

RETURN = r"""
job:
  description: The job as the service shows it at the end.
  returned: success
  type: dict
execution:
  description: The cycle that was waited for, with its state, times and counts.
  returned: with O(state=waited) and O(state=restarted), but not for a restart in check mode
  type: dict
  sample: {id: 00000000-0000-4000-8000-000000000004, state: Succeeded, time_began: "2026-08-27T09:31:00Z"}
since:
  description: The moment after which the cycle had to begin.
  returned: with O(state=waited) and O(state=restarted), but not for a restart in check mode
  type: str
  sample: "2026-08-27T09:30:00.000Z"
last_state:
  description: The state of the job in words when the wait failed.
  returned: failure of a wait
  type: str
counts:
  description:
    - The numbers of the cycle, or of mailboxes by what became of them. C(without_mailbox) counts selected users that
      have no mailbox in Exchange Online.
  returned: success
  type: dict
  sample: {selected: 40, without_mailbox: 0, exported: 38, unchanged: 2, not_in_scope: 0, skipped: 0, failed: 0}
artifact:
  description: What became of each mailbox, one JSON object a line.
  returned: with O(state=provisioned), but not in check mode
  type: dict
  sample: {path: /srv/artifacts/provisioned-20260803T101500.000000Z.jsonl, sha256: 9f86d081..., lines: 40}
failures:
  description: The first mailboxes that could not be provisioned.
  returned: with O(state=provisioned)
  type: list
  elements: dict
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._job import cycle, on_demand, run_cycle
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.templates import (
    APPLICATION_TEMPLATE,
    JOB_TEMPLATE,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    OPTIONAL_SELECTION,
    RUN,
    SELECTION_KINDS,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(
    options={
        "domain": {"type": "str", "required": True},
        "state": {"type": "str", "default": "waited", "choices": ["waited", "restarted", "provisioned"]},
        "since": {"type": "str"},
        "reset": {"type": "list", "elements": "str", "choices": list(cycle.RESETS), "default": []},
        "timeout": {"type": "int", "default": 1800},
        "poll_interval": {"type": "int", "default": 5},
        "on_demand_requests": {"type": "int", "default": 5},
        "on_demand_seconds": {"type": "int", "default": 10},
        "application_template_id": {"type": "str", "default": APPLICATION_TEMPLATE},
        "job_template_id": {"type": "str", "default": JOB_TEMPLATE},
    },
    required_if=[("state", "provisioned", SELECTION_KINDS, True)],
).merge(TENANT, RUN, OPTIONAL_SELECTION)


def use_case(context: ModuleContext) -> Outcome:
    """Wait, restart or provision."""
    options = context.params
    wanted = run_cycle.Wanted(
        domain=options["domain"],
        state=options["state"],
        since=options["since"],
        reset=tuple(options["reset"]),
        timeout=options["timeout"],
        poll_interval=options["poll_interval"],
        pace=on_demand.Pace(options["on_demand_requests"], options["on_demand_seconds"], options["timeout"]),
        selection=context.selection if options["state"] == "provisioned" else None,
        templates=Templates(options["application_template_id"], options["job_template_id"]),
        on_demand_offered=context.cloud.cloud.provision_on_demand,
        report_limit=context.report_limit,
    )
    ends = run_cycle.Ends(
        context.synchronization,
        context.mailboxes,
        context.cloud.clock,
        context.artifacts,
        context.progress,
        context.warn,
    )
    result = run_cycle.run_cycle(ends, wanted, context.check_mode)
    return Outcome(bool(result.pop("changed")), result)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
