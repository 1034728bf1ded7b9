#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.writeback_mapping: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: writeback_mapping
short_description: Keep the mappings of a writeback job as stated
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Lays mapping rules over the mappings of the Cloud Sync job of an AD domain. What the rules name becomes as they say.
    Everything else stays, scope and custom mappings too.
  - So it can add the mapping for C(mail), which jobs made before 3 August 2026 lack, without what restoring the default
    mappings in the portal costs.
  - The whole schema is read again right before it is written. If somebody changed it meanwhile, nothing is written.
    The schema before the change is kept as an artifact.
  - A rule for an attribute that stays mastered in AD, or that is the service's own, is refused. Rules whose owner is
    the directory are left to M(hybrid.exchange.directory_writeback).
  - The service begins its cycles anew after a change of mappings.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.writeback_job
  - hybrid.exchange.rules
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  purge:
    description:
      - Whether mappings without a rule become as the service's default has them. One that the default does not have is
        removed, and so is one of an attribute whose rule has the O(mappings[].owner) V(directory). Implies
        O(add_missing).
      - Only mappings of attributes that rules may name are concerned. The service's own, and those that join users and
        AD objects, stay as they are.
      - The default is the schema of the job's template. Where the service does not show it, mappings of the attributes
        that it writes back stay as they are, and a warning says so.
    type: bool
    default: false
  add_missing:
    description:
      - Whether mappings that the service's default has, and the job lacks, are added. A job that was made before
        3 August 2026 lacks the one for C(mail).
    type: bool
    default: false
seealso:
  - module: hybrid.exchange.writeback_prediction_info
  - module: hybrid.exchange.writeback_job
  - module: hybrid.exchange.writeback_cycle
  - name: Expressions
    description: Microsoft's reference for expressions of attribute mappings.
    link: https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data
"""

EXAMPLES = r"""
- name: Add the mapping for mail to a job that was made before it existed
  hybrid.exchange.writeback_mapping:
    domain: contoso.lab
    mappings:
      - target: mail
        source: Mail

- name: Bring a job up to the service's default of today, and keep what was added to it
  hybrid.exchange.writeback_mapping:
    domain: contoso.lab
    mappings: []
    add_missing: true

- name: Look at what a change of rules would do
  hybrid.exchange.writeback_mapping:
    domain: contoso.lab
    mappings:
      - target: mail
        source: Mail
      - target: extensionAttribute15
        expression: ToLower([extensionAttribute15])
        flow_behavior: FlowWhenChanged
  check_mode: true
  diff: true
"""

RETURN = r"""
changes:
  description: One line for each mapping that was changed, or would be. C(+) is added, C(-) removed, C(~) changed.
  returned: success
  type: list
  elements: str
  sample: ["+ mail: [Mail]"]
job_id:
  description: The job.
  returned: success
  type: str
artifact:
  description: The job's schema before the change.
  returned: when something was changed
  type: dict
  sample: {path: /srv/artifacts/writeback-schema-before-20260803T101500.000000Z.jsonl, sha256: 9f86d081..., lines: 1}
counts:
  description: Numbers of mappings that were added, changed and removed.
  returned: success
  type: dict
  sample: {rules: 1, added: 1, changed: 0, removed: 0}
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.map import apply_rules, counts, shown
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    JOB,
    RULES,
    RUN,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(
    options={
        "purge": {"type": "bool", "default": False},
        "add_missing": {"type": "bool", "default": False},
    },
    required_one_of=[("mappings", "rules_file")],
).merge(TENANT, JOB, RULES, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Lay the rules over the job's mappings."""
    options = context.params
    rules = rules_file.from_params(options) or ()
    mapped = apply_rules(
        context.synchronization,
        options["domain"],
        Templates(options["application_template_id"], options["job_template_id"]),
        rules,
        options["purge"],
        options["add_missing"],
        context.check_mode,
        context.artifacts,
        context.warn,
    )
    result = {
        "changes": mapped.lines(),
        "job_id": mapped.job.id,
        "counts": {"rules": len(rules), **counts(mapped)},
        **({"artifact": mapped.artifact} if mapped.artifact else {}),
    }
    return Outcome(mapped.changed, result, shown(mapped, options["domain"]))


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
