#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put back into Active Directory what journals recorded."""

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_restore
short_description: Put back into Active Directory what the journals of writing runs recorded
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Every run of M(hybrid.exchange.directory_writeback) keeps a journal of what each object held before it was written.
    This module puts exactly that back, byte by byte, for a whole run, a whole wave, or single objects.
  - Several journals are undone newest first, so that every attribute ends with the values from before the oldest.
  - Values that somebody else changed since are not overwritten unless O(on_changed) says so. Values that already are
    as they should be are left alone, whoever set them.
  - Objects are found by their C(objectGUID), so it does not matter if they were renamed or moved within the domain.
    Deleted ones are reported.
  - A restore is a writing run like any other. It has a journal of its own and can itself be restored, it can be run
    again after it was killed, and it does not run beside another one with the same O(journal_dir).
  - The tenant is only asked whether a running Cloud Sync job writes these attributes, because then its next cycles
    would bring the values of the cloud back. Without O(tenant_id) nobody looks, and there is a warning.
  - Restoring the directory does not change who the source of authority is. Mailboxes that stay cloud-managed are
    written again by the next run of M(hybrid.exchange.directory_writeback).
extends_documentation_fragment:
  - hybrid.exchange.attributes
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.run
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  tenant_id:
    description:
      - The tenant, as its id (a GUID) or one of its verified domains.
      - If not given, the environment variable E(HYBRID_EXCHANGE_TENANT_ID) is used. Without either, nobody looks
        whether a Cloud Sync job runs.
    type: str
    required: false
  client_id:
    description:
      - The id of the app registration to sign in as. Needed with O(tenant_id).
      - If not given, the environment variable E(HYBRID_EXCHANGE_CLIENT_ID) is used.
    type: str
    required: false
  journals:
    description: The journals to undo, as RV(hybrid.exchange.directory_writeback#module:journal) names them.
    type: list
    elements: path
  wave:
    description: Undo all journals in O(journal_dir) of runs that named this wave.
    type: str
  journal_dir:
    description:
      - The directory of the journals. The journal of this run is written there as well.
      - O(artifact_dir) if not given.
    type: path
  objects:
    description:
      - Restore only these objects, by distinguished name, C(objectGUID), user principal name or the object id of the
        mailbox, as the journals have them.
    type: list
    elements: str
  on_changed:
    description:
      - What to do with values that somebody else changed since they were written.
      - V(fail) restores nothing and names the first of them, V(skip) leaves them alone and restores the others,
        V(overwrite) puts the recorded values back all the same.
    type: str
    default: fail
    choices: [fail, skip, overwrite]
  on_owned:
    description:
      - What to do with attributes that a running Cloud Sync job writes in this domain.
      - V(fail) names them and restores nothing, V(skip) restores the others.
    type: str
    default: fail
    choices: [fail, skip]
  max_changes:
    description: Restore nothing at all if more objects than this would change.
    type: int
    default: 5000
  max_change_percent:
    description:
      - Restore nothing at all if more than this percentage of the recorded objects would change. Up to 10 objects may
        change whatever the percentage, unless it is V(0).
    type: float
    default: 100
  max_clears:
    description:
      - Restore nothing at all if more attributes than this would lose all their values, counted object by object.
      - By default there is no limit, because an attribute that was empty before a run is empty after its restore.
    type: int
  max_failures:
    description:
      - Stop if more objects than this could not be restored. What was restored stays, the rest is not attempted.
    type: int
    default: 100
seealso:
  - module: hybrid.exchange.directory_writeback
"""

EXAMPLES = r"""
- name: Put a whole wave back, and leave alone what others have changed since
  hybrid.exchange.directory_restore:
    wave: pilot
    on_changed: skip

# With the result of the task that wrote:
#
# - name: Put one mailbox back as it was before a run
#   hybrid.exchange.directory_restore:
#     journals:
#       - "{{ written.journal.path }}"
#     objects:
#       - board@contoso.com
"""

RETURN = r"""
counts:
  description:
    - How many objects the journals recorded (C(total)), how many of them were to change (C(planned)), and what became
      of them (C(restored), C(failed), C(unknown) where the server went away before the object could be read back, and
      C(not_attempted) after the run had to stop). Nothing is C(restored) in check mode.
    - Of the others, how many were C(unchanged) or C(not_found) (deleted since). C(changed_since) counts objects with
      values that somebody else changed since.
  returned: always
  type: dict
  sample: {"total": 120, "planned": 3, "restored": 3, "unchanged": 117}
changes:
  description: How many attributes change or would change in which way, counted object by object, and by attribute.
  returned: always
  type: dict
  sample: {"add": 0, "replace": 3, "remove": 0, "clear": 1, "by_attribute": {"mail": {"replace": 3}}}
journals:
  description: The journals that were undone, or would be, oldest first.
  returned: always
  type: list
  elements: str
domain:
  description: The domain that the objects are in.
  returned: always
  type: str
  sample: contoso.com
directory_host:
  description: The domain controller that was read and written.
  returned: always
  type: str
  sample: dc1.contoso.com:636
owned_attributes:
  description: The attributes left to the Cloud Sync job, with O(on_owned=skip).
  returned: always
  type: list
  elements: str
changed_since:
  description: Of the first O(report_limit) objects that have some, the attributes that somebody else changed since.
  returned: always
  type: list
  elements: dict
refusals:
  description: How many objects the directory refused to change, by kind of reason.
  returned: always
  type: dict
  sample: {"protected_object": 3}
resumed:
  description:
    - Earlier runs of this domain that were cut off. For each its journal, and how many of its last writes turned out to
      be C(written), C(not_written), or C(changed_since) by somebody else, or are C(unknown) because another domain
      controller answers now. In check mode only how many there are to find out about (C(not_settled)).
  returned: always
  type: list
  elements: dict
failures:
  description:
    - The first O(report_limit) objects that could not be restored, with the reason. Where there is one, the task fails,
      after all others are done.
  returned: always
  type: list
  elements: dict
journal:
  description: The journal of this run, which can be restored as well.
  returned: when something was written
  type: dict
  contains:
    path:
      description: Where the file is.
      type: str
    run:
      description: The name of the run.
      type: str
    intents:
      description: How many writes it announces.
      type: int
    finished:
      description: Whether it was ended in good order. If not, the next run settles it.
      type: bool
artifact:
  description: The artifact with one line per recorded object, its outcome, and the old and new values.
  returned: always
  type: dict
  contains:
    path:
      description: Where the file is.
      type: str
    sha256:
      description: Its SHA-256.
      type: str
    lines:
      description: How many lines it has.
      type: int
service:
  description: How often the service throttled this run, and how long it waited for that.
  returned: always
  type: dict
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RUN,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import PERCENT_FLOOR, KindLimits, Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.restore import Options, restore
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run

SPEC = TENANT.merge(
    DIRECTORY,
    RUN,
    ArgumentSpec(
        options={
            "tenant_id": {**TENANT.options["tenant_id"], "required": False},
            "client_id": {**TENANT.options["client_id"], "required": False},
            "journals": {"type": "list", "elements": "path"},
            "wave": {"type": "str"},
            "journal_dir": {"type": "path"},
            "objects": {"type": "list", "elements": "str"},
            "on_changed": {"type": "str", "default": "fail", "choices": ["fail", "skip", "overwrite"]},
            "on_owned": {"type": "str", "default": "fail", "choices": ["fail", "skip"]},
            "max_changes": {"type": "int", "default": 5000},
            "max_change_percent": {"type": "float", "default": 100},
            "max_clears": {"type": "int"},
            "max_failures": {"type": "int", "default": 100},
        },
        mutually_exclusive=[("journals", "wave")],
        required_one_of=[("journals", "wave")],
        required_by={"tenant_id": ("client_id",)},
    ),
)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the use case."""
    params = context.params
    options = Options(
        journals=params["journals"],
        wave=params["wave"],
        journal_dir=params["journal_dir"] or params["artifact_dir"],
        objects=params["objects"],
        on_changed=params["on_changed"],
        on_owned=params["on_owned"],
        limits=Limits(params["max_changes"], params["max_change_percent"], PERCENT_FLOOR),
        kind_limits=KindLimits(max_clears=params["max_clears"]),
        max_failures=params["max_failures"],
    )
    ownership = context.synchronization if params["tenant_id"] else None
    report = restore(options, context.directory, ownership, Run.of(context))
    for warning in report.warnings:
        context.warn(warning)
    return Outcome(report.changed, report.result, report.diff)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
