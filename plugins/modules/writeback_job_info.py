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
  - An application needs C(Synchronization.Read.All), C(Application.Read.All), and C(AuditLog.Read.All) for the
    failures. The agents are read through a beta interface that may not be open to applications; RV(agents_unreadable)
    says why they could not be read.
extends_documentation_fragment:
  - hybrid.exchange.tenant
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
    quarantine:
      description: Why the job is in quarantine and what to do; none if it is not.
      type: dict
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
      description: The newest failures of the provisioning log, one per mailbox.
      type: list
      elements: dict
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
  sample: {jobs: 1, configurations_without_job: 0, running: 1, quarantined: 0, problems: 0}
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._job.inspect import Question, inspect
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.templates import (
    APPLICATION_TEMPLATE,
    JOB_TEMPLATE,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import RUN, TENANT, ArgumentSpec
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(
    options={
        "domain": {"type": "str"},
        "application_template_id": {"type": "str", "default": APPLICATION_TEMPLATE},
        "job_template_id": {"type": "str", "default": JOB_TEMPLATE},
    },
).merge(TENANT, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Read and report."""
    options = context.params
    templates = Templates(options["application_template_id"], options["job_template_id"])
    question = Question(options["domain"], templates, context.report_limit)
    return Outcome(changed=False, result=inspect(context.synchronization, question))


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
