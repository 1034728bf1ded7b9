#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.writeback_job_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: writeback_job_info
short_description: Tell how the Cloud Sync jobs are that write Exchange attributes back to AD
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the writeback jobs of a tenant with their state, their last cycles, scope, mappings and newest failures, and
    says in plain words what is wrong with them and what to do.
  - A tenant without a job is no error; RV(jobs) is empty then.
notes:
  - An application needs C(Synchronization.Read.All), C(Application.Read.All), C(AuditLog.Read.All) for the failures,
    and C(Organization.Read.All) for the service's clock. The agents are read through a beta interface that may not be
    open to applications; RV(agents_unreadable) says why they could not be read.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.writeback_job
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details: Reads only, so it does the same in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  domain:
    description: The DNS name of the AD domain whose job is meant. All jobs if not given.
    type: str
    required: false
  late_after_intervals:
    description:
      - After how many intervals without a complete cycle a job counts as late. The interval is the job's own, 20
        minutes as a rule.
    type: float
    default: 3
seealso:
  - module: hybrid.exchange.writeback_job
  - module: hybrid.exchange.writeback_mapping
"""

EXAMPLES = r"""
- name: Look at the jobs of the tenant
  hybrid.exchange.writeback_job_info:
  register: writeback

- name: Stop if one of them has a problem
  ansible.builtin.assert:
    that: item.problems | length == 0
    fail_msg: "{{ item.domain }}: {{ item.problems | join(' ') }}"
  loop: "{{ writeback.jobs }}"
  loop_control:
    label: "{{ item.domain }}"

- name: Say which mailboxes fail, why, and what to do
  ansible.builtin.debug:
    msg: "{{ item.user_principal_name }}: {{ item.error }} {{ item.what_to_do }}"
  loop: "{{ writeback.jobs | map(attribute='failures') | flatten }}"
  loop_control:
    label: "{{ item.object }}"
"""

RETURN = r"""
jobs:
  description: The jobs. RV(jobs[].failures) lists the newest failure of each of the first O(report_limit) mailboxes.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The AD domain.
      type: str
      returned: success
    exists:
      description: Whether the configuration has a job.
      type: bool
      returned: success
    running:
      description: Whether the service runs its cycles.
      type: bool
      returned: success
    status:
      description: The service's word for the state, for example V(Active) or V(Quarantine).
      type: str
      returned: success
    last_execution:
      description: The last cycle with its state, times and counts; none before the first one.
      type: dict
      returned: success
    late:
      description:
        - Whether no cycle was complete for longer than O(late_after_intervals) allow; none where that cannot be said. A
          job that does not run or is in quarantine is not late.
      type: bool
      returned: success
    seconds_since_last_cycle:
      description: Seconds since the last cycle ended, by the service's clock; none before the first one.
      type: int
      returned: success
    quarantine:
      description: Why the job is in quarantine and what to do; none if it is not.
      type: dict
      returned: success
      contains:
        reason:
          description: The service's word for the reason.
          type: str
          returned: success
        explanation:
          description: The reason in plain words.
          type: str
          returned: success
        advice:
          description: What to do.
          type: str
          returned: success
        reset:
          description:
            - The O(hybrid.exchange.writeback_cycle#module:reset) that is right once the cause is gone. An empty list
              means a restart without it; none means that somebody has to decide first.
          type: list
          elements: str
          returned: success
        since:
          description: When it was imposed or confirmed last.
          type: str
          returned: success
        first_since:
          description: When it was imposed first.
          type: str
          returned: success
        times:
          description: How often it was imposed in this series.
          type: int
          returned: success
        next_attempt:
          description: When the service tries again by itself.
          type: str
          returned: success
        disabled_after:
          description: When the service disables the job if it stays in quarantine.
          type: str
          returned: success
    deletions:
      description: The deletions that the delete threshold stopped; none if it stopped none.
      type: dict
      returned: success
      contains:
        pending:
          description: How many they are; none where that is not known for sure.
          type: int
          returned: success
        threshold:
          description: The delete threshold, where the service tells it.
          type: int
          returned: success
        objects:
          description: The first O(report_limit) objects that would be deleted, where the provisioning log names them.
          type: list
          elements: str
          returned: success
        unknown_because:
          description: Why the number is not known.
          type: str
          returned: success
    escrows:
      description: Mailboxes that failed and are kept by the service to be tried again.
      type: dict
      returned: success
      contains:
        count:
          description: How many they were in the last cycle.
          type: int
          returned: success
        pruned:
          description: Whether the service dropped failures of the first cycle.
          type: bool
          returned: success
        mailboxes:
          description: The first O(report_limit) of them, as far as the provisioning log names them.
          type: list
          elements: str
          returned: success
        not_named:
          description: How many the provisioning log does not name.
          type: int
          returned: success
    scope:
      description: The organizational units and groups in scope; empty lists mean everybody.
      type: dict
      returned: success
    mapped_attributes:
      description: The AD attributes that the job writes.
      type: list
      elements: str
      returned: success
    missing_mappings:
      description: The attributes of the writeback set that the job does not write.
      type: list
      elements: str
      returned: success
    problems:
      description: What is wrong, in plain words, with advice.
      type: list
      elements: str
      returned: success
    failures:
      description:
        - The newest failure of each mailbox whose last try failed, by the provisioning log, newest first.
      type: list
      elements: dict
      returned: success
      contains:
        object:
          description: The mailbox as the log names it.
          type: str
          returned: success
        id:
          description: The object id of its Entra user.
          type: str
          returned: success
        user_principal_name:
          description: Its user principal name, where the log has it.
          type: str
          returned: success
        time:
          description: When it failed.
          type: str
          returned: success
        code:
          description: The service's error code.
          type: str
          returned: success
        error:
          description: What went wrong, in the service's words.
          type: str
          returned: success
        advice:
          description: What the service recommends.
          type: str
          returned: success
        what_to_do:
          description: What to do, in plain words; what the service recommends where the code is not known.
          type: str
          returned: success
agents:
  description: The provisioning agents. Their versions can be read on their servers only.
  returned: success
  type: list
  elements: dict
  sample: [{machine_name: sync1.contoso.lab, status: active, id: 00000000-0000-4000-8000-000000000003}]
agents_unreadable:
  description: Why the agents could not be read; none if they were.
  returned: success
  type: str
counts:
  description: Numbers of jobs and of their problems.
  returned: success
  type: dict
  sample:
    jobs: 1
    configurations_without_job: 0
    running: 1
    quarantined: 0
    late: 0
    escrowed: 0
    problems: 0
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._job.inspect import Question, inspect
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import JOB, RUN, TENANT, ArgumentSpec
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = JOB.merge(
    ArgumentSpec(
        options={
            "domain": {"type": "str"},
            "late_after_intervals": {"type": "float", "default": 3},
        },
    ),
    TENANT,
    RUN,
)


def use_case(context: ModuleContext) -> Outcome:
    """Read and report."""
    options = context.params
    templates = Templates(options["application_template_id"], options["job_template_id"])
    question = Question(options["domain"], templates, context.report_limit, options["late_after_intervals"])
    return Outcome(changed=False, result=inspect(context.synchronization, question))


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
