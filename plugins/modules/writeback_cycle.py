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
notes:
  - Which O(reset) do I need?
  - "After a change of mappings or scope: V(full). Where nothing is wrong with the job and it shall only look at all
    mailboxes again: V(watermark), which leaves known failures and a quarantine as they are."
  - "Mailboxes failed, and the cause is corrected: no O(reset), as in the portal. The failures are forgotten and all
    mailboxes are tried again. V(escrows) alone would forget the failed mailboxes without trying them again before they
    change."
  - "In quarantine because agent or account failed, and they work again: V(quarantine_state). The job goes on where it
    was, and tries known failures again."
  - "In quarantine because of too many failures, and the cause is corrected: no O(reset)."
  - "In quarantine because of too many deletions that are B(not) meant, after what caused them was undone: no O(reset).
    They are meant: V(force_deletes) and nothing else, with O(allow_deletes)."
  - "In quarantine because reading was interrupted: V(watermark) and V(quarantine_state)."
  - M(hybrid.exchange.writeback_job_info) tells the reset for the quarantine that a job is in, and the playbook
    C(hybrid.exchange.repair) sees, explains and resolves it.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.writeback_job
  - hybrid.exchange.run
  - hybrid.exchange.selection
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details:
      - With O(state=waited) it waits in check mode too, since waiting changes nothing.
      - With O(state=provisioned) it says which way it would take, how long that would last, and how many mailboxes
        would be requested; what the service would write cannot be known before.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=waited) never changes anything. O(state=provisioned) changes nothing where AD is
        as the cloud is already, unless a restart does it.
      - O(state=restarted) and O(method=restart) restart each time they are run.
options:
  state:
    description:
      - V(waited) waits until a cycle that began at O(since) or later is complete.
      - V(restarted) lets the job begin again, forgetting what O(reset) says, and waits for a cycle that began after
        that, unless O(wait) is false.
      - V(provisioned) brings the selected mailboxes to AD now, by O(method). Choose it for mailboxes that were moved to
        the cloud just now, since incremental cycles may not know them yet.
    type: str
    default: waited
    choices: [waited, restarted, provisioned]
  method:
    description:
      - How O(state=provisioned) does it. All three tell both estimates in RV(estimate).
      - V(on_demand) provisions each selected mailbox by a request of its own, at the pace that the service allows, and
        no other. It is not offered in V(china_21vianet), where it is an error.
      - V(restart) restarts the job with O(reset), V(full) if not given, and waits for the cycle that begins then. That
        cycle takes all mailboxes of the job. What it did with each of the selected ones is told from the provisioning
        log; one that the log does not name counts as C(covered), which is no proof.
      - V(soonest) takes the way that is estimated to end sooner, and V(restart) where the cloud does not offer
        provisioning on demand. In a draw, and for a job that does not run, it takes V(on_demand).
    type: str
    default: on_demand
    choices: [on_demand, restart, soonest]
  since:
    description:
      - With O(state=waited), the moment after which the cycle must have begun, as in V(2026-08-27T09:30:00Z).
        Give the moment of the last change that has to arrive.
      - The service's time when the task starts, if not given.
    type: str
  reset:
    description:
      - What the job forgets when it is restarted, by O(state=restarted) or O(method=restart).
      - If not given, O(state=restarted) restarts as the portal does. That is like V(watermark), V(escrows) and
        V(quarantine_state) together, and right in most cases.
      - V(watermark) forgets how far it read, so it looks at all mailboxes again instead of the changed ones. Known
        failures and a quarantine stay.
      - V(escrows) forgets the mailboxes that failed (Microsoft calls them escrows), so the count towards a quarantine
        begins anew, and they are not tried again by themselves. A quarantine stays.
      - V(quarantine_state) lifts a quarantine for now. Known failures stay and are tried again; the quarantine comes
        back where the cause has not gone.
      - V(full) is all of that, and by Microsoft's words all there is. As it may let deletions pass, it is refused for a
        job that the delete threshold stopped.
      - V(force_deletes) lets the deletions pass that the delete threshold stopped. The service wants it alone. It needs
        O(allow_deletes). Failures and the place in the source stay.
    type: list
    elements: str
    choices: [full, watermark, escrows, quarantine_state, force_deletes]
    default: []
  allow_deletes:
    description:
      - The number of deletions that you allow with O(reset=force_deletes). It must equal the number that the job wants
        to make, which the provisioning log or the job tells;
        RV(hybrid.exchange.writeback_job_info#module:jobs[].deletions) shows it.
      - Where the number is not known for sure, it is refused. Deletions can be allowed in the portal then.
    type: int
  wait:
    description: Whether O(state=restarted) waits for the cycle. Otherwise it ends as soon as the job is restarted.
    type: bool
    default: true
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

- name: Provision a wave the way that ends sooner
  hybrid.exchange.writeback_cycle:
    domain: contoso.lab
    state: provisioned
    method: soonest
    filter: "CustomAttribute15 -eq 'wave 2'"
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
  returned: where a cycle was waited for
  type: dict
  sample: {id: 00000000-0000-4000-8000-000000000004, state: Succeeded, time_began: "2026-08-27T09:31:00Z"}
since:
  description: The moment after which the cycle had to begin.
  returned: with O(state=waited), and where the job was restarted
  type: str
  sample: "2026-08-27T09:30:00.000Z"
last_state:
  description: The state of the job in words when the wait failed.
  returned: failure of a wait
  type: str
estimate:
  description: How long both ways take, which one is taken, and why.
  returned: with O(state=provisioned)
  type: dict
  contains:
    on_demand_seconds:
      description: Seconds for provisioning on demand; none where the cloud does not offer it.
      type: float
      returned: success
    restart_seconds:
      description: Seconds for a restart and its cycle; none for a job that does not run.
      type: float
      returned: success
    chosen:
      description: The way taken, V(on_demand) or V(restart).
      type: str
      returned: success
    reason:
      description: Why, in words.
      type: str
      returned: success
    assumptions:
      description: What the estimates take for granted, because it is not known.
      type: list
      elements: str
      returned: success
counts:
  description:
    - The numbers of the cycle, or of mailboxes by what became of them. C(without_mailbox) counts selected users that
      have no mailbox in Exchange Online. C(covered) counts those that a cycle after the restart has looked at without
      the provisioning log naming them.
  returned: success
  type: dict
  sample: {selected: 40, without_mailbox: 0, exported: 38, unchanged: 2, not_in_scope: 0, skipped: 0, failed: 0}
artifact:
  description: What became of each mailbox, one JSON object a line.
  returned: with O(state=provisioned), but not in check mode or where nothing was to do
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

from ansible_collections.hybrid.exchange.plugins.module_utils._job import cycle, estimate, on_demand, run_cycle
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    JOB,
    OPTIONAL_SELECTION,
    RUN,
    SELECTION_KINDS,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(
    options={
        "state": {"type": "str", "default": "waited", "choices": ["waited", "restarted", "provisioned"]},
        "since": {"type": "str"},
        "reset": {"type": "list", "elements": "str", "choices": list(cycle.RESETS), "default": []},
        "allow_deletes": {"type": "int"},
        "wait": {"type": "bool", "default": True},
        "method": {"type": "str", "default": estimate.ON_DEMAND, "choices": list(estimate.METHODS)},
        "timeout": {"type": "int", "default": 1800},
        "poll_interval": {"type": "int", "default": 5},
        "on_demand_requests": {"type": "int", "default": 5},
        "on_demand_seconds": {"type": "int", "default": 10},
    },
    required_if=[("state", "provisioned", SELECTION_KINDS, True)],
).merge(TENANT, JOB, RUN, OPTIONAL_SELECTION)


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
        method=options["method"],
        wait=options["wait"],
        allow_deletes=options["allow_deletes"],
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
