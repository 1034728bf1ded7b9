#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.writeback_job: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: writeback_job
short_description: Make, start, pause or remove the Cloud Sync job that writes Exchange attributes back to AD
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Keeps the Microsoft Entra Cloud Sync job of one AD domain as stated, the job that writes Exchange attributes of
    cloud-managed mailboxes back to Active Directory.
  - The job is found by its application template and by the domain that it shows. Only a configuration that shows no
    domain yet, such as one whose making was interrupted, is known by its name. If several write to the domain, that is
    an error, and nothing is changed.
  - A provisioning agent has to be installed in the domain before the job can work.
notes:
  - The service takes all settings of a job at once. So this module reads them, lays O(notification_recipients),
    O(notifications_enabled) and O(delete_threshold) over them, as far as they are stated, and writes them all, if that
    changes anything. Settings that the options do not name are kept.
  - Microsoft's pages differ on whether the service tells the settings. Where it does not, the module writes them when
    it makes a job, and when the options state something else than it wrote last; it warns, and what is not stated gets
    its default. So state all three options or none there. It knows what it wrote by a digest, a tag of the
    configuration's service principal that begins with C(hybrid.exchange.settings). Where writing would remove a setting
    that it cannot read and does not know, it refuses.
  - An application needs C(Synchronization.ReadWrite.All), C(Application.ReadWrite.All) (or
    C(Application.ReadWrite.OwnedBy)), and C(Organization.Read.All) to make a job.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.writeback_job
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
  state:
    description:
      - V(present) makes the job where it is missing, and leaves it running or not as it is. A new job does not run.
      - V(started) and V(paused) do the same, and then start or pause it. A new job counts as paused.
      - V(absent) removes the job and its configuration, which is a service principal and its application. What the job
        wrote stays in AD.
    type: str
    default: present
    choices: [present, absent, started, paused]
  organizational_units:
    description:
      - Distinguished names of the organizational units in scope. An empty list means all.
      - If not given, this part of the scope is left as it is.
      - The scope of a job that may delete objects is not changed once the job has run, as users who leave the scope
        could be disabled or deleted in AD.
      - Restart the job after a change of scope, with M(hybrid.exchange.writeback_cycle).
    type: list
    elements: str
  groups:
    description:
      - The groups in scope, written as the job's schema holds them. An empty list means all.
      - If not given, this part of the scope is left as it is.
    type: list
    elements: str
  notification_recipients:
    description: Mail addresses that the service tells about quarantine and stopped deletions.
    type: list
    elements: str
  notifications_enabled:
    description:
      - Whether the service sends these mails. If not given, it does as soon as O(notification_recipients) has any.
    type: bool
  delete_threshold:
    description:
      - The service stops before it deletes this many objects or more in one cycle. V(0) turns that off.
      - If not given, it stays as it is, and is V(500) for a new job.
    type: int
  first_start:
    description:
      - What permits O(state=started) to start a job that has never run. Its first cycle makes the objects in AD what
        the cloud and the mappings say, so values that only AD has are lost.
      - V(predicted) takes O(prediction), in which nothing may be lost that was not given up by name.
      - V(accepted) starts the job, whatever it will write.
    type: str
    default: predicted
    choices: [predicted, accepted]
  prediction:
    description:
      - The path of the artifact of M(hybrid.exchange.writeback_prediction_info), for O(first_start=predicted).
      - The start is refused where it is of another job, where it is not safe, where it is older than
        O(prediction_max_age), where the scope of the job is wider, or where its mappings are others than predicted.
      - It does not count for a job that has run.
    type: path
  prediction_max_age:
    description: Hours that O(prediction) may be old.
    type: float
    default: 24
  wait:
    description: Whether to wait until the service shows the wanted state.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for that, and for a new configuration to be known to all of the service.
    type: int
    default: 300
seealso:
  - module: hybrid.exchange.writeback_job_info
  - module: hybrid.exchange.writeback_mapping
  - module: hybrid.exchange.writeback_prediction_info
  - module: hybrid.exchange.writeback_cycle
"""

EXAMPLES = r"""
- name: Make the job, not yet running, so that its mappings can be looked at first
  hybrid.exchange.writeback_job:
    domain: contoso.lab
    notification_recipients: [exchange-team@contoso.com]
    delete_threshold: 100

# - name: Predict what its first cycle will write; this fails where values that only AD has would be lost
#   hybrid.exchange.writeback_prediction_info:
#     domain: contoso.lab
#     all_mailboxes: true
#     fail_on_loss: true
#   register: predicted
#
# - name: Start it
#   hybrid.exchange.writeback_job:
#     domain: contoso.lab
#     state: started
#     prediction: "{{ predicted.artifact.path }}"

- name: Start it in a rehearsal, whatever it will write
  hybrid.exchange.writeback_job:
    domain: contoso.lab
    state: started
    first_start: accepted

- name: Pause it for a maintenance of the domain controllers
  hybrid.exchange.writeback_job:
    domain: contoso.lab
    state: paused
"""

RETURN = r"""
steps:
  description: What was done, or would be, in this order.
  returned: success
  type: list
  elements: str
  sample: [create_configuration, create_job, write_settings, start]
steps_done:
  description: What was done before the run failed.
  returned: failure after the first step
  type: list
  elements: str
job:
  description: The job as the service shows it; none if there is none.
  returned: success
  type: dict
  sample:
    domain: contoso.lab
    display_name: contoso.lab
    service_principal_id: 5a6b7c8d-0000-4000-8000-000000000001
    job_id: Entra2ADExchangeOnlineAttributeWriteback.0123456789abcdef.1f2e3d4c-0000-4000-8000-000000000002
    exists: true
    running: true
    status: Active
    schedule_state: Active
    interval: PT20M
restart_needed:
  description: Whether the scope was changed, so that the job should be restarted with V(full).
  returned: success
  type: bool
artifact:
  description: The job's schema before a change of scope.
  returned: when the scope was changed
  type: dict
  sample: {path: /srv/artifacts/writeback-schema-before-20260803T101500.000000Z.jsonl, sha256: 9f86d081..., lines: 1}
counts:
  description: The number of steps.
  returned: success
  type: dict
  sample: {steps: 4}
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._job.ensure import ensure
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ensure_plan import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._job.ensure_steps import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._job.first_start import FirstStart
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates, describe
from ansible_collections.hybrid.exchange.plugins.module_utils._job.scope import Scope
from ansible_collections.hybrid.exchange.plugins.module_utils._job.settings import Settings
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import JOB, RUN, TENANT, ArgumentSpec
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._run import prediction

SPEC = ArgumentSpec(
    options={
        "state": {"type": "str", "default": "present", "choices": ["present", "absent", "started", "paused"]},
        "organizational_units": {"type": "list", "elements": "str"},
        "groups": {"type": "list", "elements": "str"},
        "notification_recipients": {"type": "list", "elements": "str"},
        "notifications_enabled": {"type": "bool"},
        "delete_threshold": {"type": "int"},
        "first_start": {"type": "str", "default": "predicted", "choices": ["predicted", "accepted"]},
        "prediction": {"type": "path"},
        "prediction_max_age": {"type": "float", "default": 24},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
    },
).merge(TENANT, JOB, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Bring the job into the wanted state."""
    options = context.params
    wanted = Wanted(
        state=options["state"],
        settings=Settings(
            options["domain"],
            _tuple(options["notification_recipients"]),
            options["notifications_enabled"],
            options["delete_threshold"],
        ),
        scope=Scope(_tuple(options["organizational_units"]), _tuple(options["groups"])),
        templates=Templates(options["application_template_id"], options["job_template_id"]),
        first_start=FirstStart(
            options["first_start"],
            prediction.read(options["prediction"]) if options["prediction"] else None,
            options["prediction_max_age"],
            options["tenant_id"],
            context.cloud.clock.now(),
        ),
        wait=options["wait"],
        wait_timeout=options["wait_timeout"],
    )

    ends = Ends(context.synchronization, context.cloud.clock, context.artifacts, context.warn)
    plan, job, artifact = ensure(ends, wanted, context.check_mode)
    result = {
        "steps": plan.steps,
        "job": describe(job) if job else None,
        "restart_needed": "set_scope" in plan.steps and "create_job" not in plan.steps,
        "counts": {"steps": len(plan.steps)},
        **({"artifact": artifact} if artifact else {}),
    }
    header = {"before_header": wanted.domain, "after_header": wanted.domain}
    diff = [{**header, "before": dict(plan.before), "after": dict(plan.after)}] if plan.steps else []
    return Outcome(bool(plan.steps), result, diff)


def _tuple(items: list[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(items)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
