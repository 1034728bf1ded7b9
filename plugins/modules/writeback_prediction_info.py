#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Predict what a cycle of a writeback job will leave in Active Directory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: writeback_prediction_info
short_description: Predict what a cycle of the writeback job will leave in Active Directory
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the selected mailboxes from Exchange Online and their user objects from Active Directory, both in bulk, and
    says for each what a cycle of the Cloud Sync job makes of it, attribute by attribute. It writes nothing.
  - Run it before the job starts, or before its mappings change. Values that only Active Directory has and that the
    cycle takes away are listed (RV(lost)), and RV(safe) is true only where there are none, or where each is given up by
    name in O(give_up).
  - The mappings that count are those of the job as it is now, with the rules of O(mappings) or O(rules_file) over them,
    as M(hybrid.exchange.writeback_mapping) would lay them. Where there is no job yet, the rules lie over the standard
    mappings, each attribute from itself.
  - Expressions are evaluated here. What only the service knows, such as the moment of the cycle, is not guessed but
    told as C(undetermined), and stands against RV(safe) where Active Directory holds a value.
  - Where Microsoft documents nothing, the reading is taken that loses more.
notes:
  - An attribute that a mapping fails for, because the expression has no value for the mailbox or Active Directory would
    refuse it, keeps what it has. The service reports an error for such a mailbox; here it is in RV(problems).
  - A value in another notation with the same meaning is no change, for example a switch that Active Directory has no
    value for and that is off in the cloud.
  - The objects of mailboxes that a scoping filter of the job leaves out are C(unchanged). A filter may read what
    Exchange Online tells of a mailbox. Clauses about anything else count as fulfilled, and a warning names them.
extends_documentation_fragment:
  - hybrid.exchange.attributes
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.run
  - hybrid.exchange.selection
  - hybrid.exchange.writeback_job
  - hybrid.exchange.rules
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: It changes nothing.
  idempotent:
    support: full
options:
  purge:
    description:
      - Whether mappings without a rule will become as the service's default has them, as with
        O(hybrid.exchange.writeback_mapping#module:purge).
    type: bool
    default: false
  add_missing:
    description:
      - Whether mappings that the job lacks will be added, as with
        O(hybrid.exchange.writeback_mapping#module:add_missing).
    type: bool
    default: false
  cloud_managed:
    description:
      - V(as_is) predicts for the mailboxes that are cloud-managed now; the job leaves the others alone. V(assumed)
        predicts as if all selected mailboxes had been moved.
    type: str
    default: as_is
    choices: [as_is, assumed]
  proxy_addresses:
    description:
      - What the service does with addresses in C(proxyAddresses) that only Active Directory has. Microsoft documents
        neither. V(overwrite) takes them away, V(merge) leaves them.
    type: str
    default: overwrite
    choices: [overwrite, merge]
  type_values:
    description:
      - The notation in which the service writes C(msExchRecipientTypeDetails) and C(msExchRecipientDisplayType).
        V(remote) is what Exchange Server gives to a mailbox that is in the cloud, V(local) the plain type.
    type: str
    default: remote
    choices: [remote, local]
  source_anchor_attribute:
    description:
      - The attribute that holds the source anchor, where Connect was set up with another one.
      - By default C(mS-DS-ConsistencyGuid), and C(objectGUID) for objects that have none.
    type: str
  give_up:
    description:
      - What may be lost, by name. V(user@contoso.com) gives up all of a mailbox. With a colon and an attribute behind
        it (C(user@contoso.com:proxyAddresses)) it gives up that one. V(attribute proxyAddresses) gives up an attribute
        of every mailbox. An object id can stand for the name.
    type: list
    elements: str
    default: []
  give_up_unused:
    description:
      - What to do where an entry of O(give_up) names nothing that is at risk. V(fail) finds slips, and values that are
        safe by now. V(ignore) is for a list that serves several selections.
    type: str
    default: fail
    choices: [fail, ignore]
  fail_on_loss:
    description: Fail unless RV(safe).
    type: bool
    default: false
seealso:
  - module: hybrid.exchange.writeback_mapping
  - module: hybrid.exchange.writeback_job
  - module: hybrid.exchange.roundtrip_info
"""

EXAMPLES = r"""
- name: What will the first cycle of the job write?
  hybrid.exchange.writeback_prediction_info:
    domain: contoso.com
    all_mailboxes: true
  register: prediction

- name: Say what is at risk
  ansible.builtin.debug:
    msg: "{{ prediction.counts.loses }} mailboxes lose values; {{ prediction.artifact.path }} says which"

- name: What would it write if the pilots were moved, with rules that the job does not have yet?
  hybrid.exchange.writeback_prediction_info:
    domain: contoso.com
    group: Exchange pilots
    cloud_managed: assumed
    mappings:
      - target: mail
        source: Mail
      - target: extensionAttribute15
        expression: IgnoreFlowIfNullOrEmpty([extensionAttribute15])

- name: What if the service keeps the addresses that only Active Directory has?
  hybrid.exchange.writeback_prediction_info:
    domain: contoso.com
    organizational_unit: OU=Zürich,OU=People,DC=contoso,DC=com
    cloud_managed: assumed
    proxy_addresses: merge

- name: What else is lost once everybody is moved, if one attribute may go?
  hybrid.exchange.writeback_prediction_info:
    domain: contoso.com
    all_mailboxes: true
    cloud_managed: assumed
    give_up:
      - attribute msExchExtensionCustomAttribute5

- name: Stop here if the next cycle loses anything
  hybrid.exchange.writeback_prediction_info:
    domain: contoso.com
    all_mailboxes: true
    fail_on_loss: true
"""

RETURN = r"""
safe:
  description:
    - Whether no value is lost, or may be, that is not given up. That is true, too, where no selected mailbox is
      cloud-managed and O(cloud_managed) is V(as_is), because the job then changes nothing.
  returned: always
  type: bool
counts:
  description:
    - How many mailboxes were selected (C(total)), and for how many the cycle leaves the object C(changed) or
      C(unchanged).
    - Of the others, how many are C(not_cloud_managed), C(not_in_scope) of the job, C(cloud_only) (not synchronized),
      C(not_found) (no object in Active Directory), C(ambiguous_anchor), C(elsewhere) (in another domain or outside
      O(directory_base_dn)) and C(unreadable). A mailbox whose object holds already what the mappings give is
      C(unchanged), in scope or not.
    - Across those, how many lose values that are not given up (C(loses)), lose some that are (C(given_up)), have an
      attribute whose value cannot be told (C(undetermined)), have one that the service will report an error for
      (C(problems)), and stand against RV(safe) (C(at_risk)).
    - C(without_mailbox) counts the users that O(group) or O(organizational_unit) selects and that have no mailbox in
      Exchange Online. They are not part of C(total), and a warning names the first of them.
  returned: always
  type: dict
  sample: {"total": 120, "changed": 3, "unchanged": 117, "loses": 1, "at_risk": 1}
attributes:
  description:
    - Per attribute that the job maps, in how many mailboxes it is C(changed), C(loses) values, is C(given_up),
      C(undetermined) or has C(problems).
  returned: always
  type: dict
  sample: {"proxyAddresses": {"changed": 3, "loses": 1}}
lost:
  description: The first O(report_limit) mailboxes that lose values which are not given up, with the values.
  returned: always
  type: list
  elements: dict
  sample: [{"object": "user@contoso.com", "attributes": {"proxyAddresses": ["smtp:printer@contoso.com"]}}]
undetermined:
  description:
    - The first O(report_limit) mailboxes where a value of Active Directory may be lost and nobody can tell, with the
      reasons. C((all)) stands for the whole mailbox.
  returned: always
  type: list
  elements: dict
problems:
  description: The first O(report_limit) mailboxes that the service will report an error for, with the reasons.
  returned: always
  type: list
  elements: dict
not_predicted:
  description: The attributes that the job maps and that are no part of the prediction, with the reason.
  returned: always
  type: dict
  sample: {"adminDescription": "the service manages this mapping itself"}
schema:
  description: Whether the mappings are those of the job (V(live)), or V(standard) because there is no job yet.
  returned: always
  type: str
  sample: live
mapping_changes:
  description: How the rules change the mappings, in the words of M(hybrid.exchange.writeback_mapping).
  returned: always
  type: list
  elements: str
  sample: ["+ mail: [Mail]"]
domain:
  description: The domain that was read.
  returned: always
  type: str
  sample: contoso.com
directory_host:
  description: The domain controller that was read.
  returned: always
  type: str
  sample: dc1.contoso.com:636
artifact:
  description:
    - The artifact with one line per selected mailbox, first those whose two sides are not simply equal. It holds the
      values before and after of every attribute that changes (C(attributes)), and C(lost), C(given_up),
      C(undetermined) and C(problems).
    - Its last line (C(prediction)) says of which job it is and whether it is safe, for
      O(hybrid.exchange.writeback_job#module:prediction).
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

from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._job.map import planned
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    JOB,
    RULES,
    RUN,
    SELECTION,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict import Options, predict
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run

SPEC = ArgumentSpec(
    options={
        "purge": {"type": "bool", "default": False},
        "add_missing": {"type": "bool", "default": False},
        "cloud_managed": {"type": "str", "default": "as_is", "choices": ["as_is", "assumed"]},
        "proxy_addresses": {"type": "str", "default": "overwrite", "choices": ["overwrite", "merge"]},
        "type_values": {"type": "str", "default": "remote", "choices": ["remote", "local"]},
        "source_anchor_attribute": {"type": "str"},
        "give_up": {"type": "list", "elements": "str", "default": []},
        "give_up_unused": {"type": "str", "default": "fail", "choices": ["fail", "ignore"]},
        "fail_on_loss": {"type": "bool", "default": False},
    }
).merge(TENANT, DIRECTORY, RUN, SELECTION, JOB, RULES)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the use case."""
    params = context.params
    templates = Templates(params["application_template_id"], params["job_template_id"])
    mappings, live = planned(
        context.synchronization,
        params["domain"],
        templates,
        rules_file.from_params(params) or (),
        params["purge"],
        params["add_missing"],
        context.warn,
    )
    options = Options(
        selection=context.selection,
        domain=params["domain"],
        mappings=mappings,
        tenant=params["tenant_id"],
        live=live,
        cloud_managed=params["cloud_managed"],
        proxy_addresses=params["proxy_addresses"],
        type_values=params["type_values"],
        source_anchor_attribute=params["source_anchor_attribute"],
        give_up=params["give_up"],
        give_up_unused=params["give_up_unused"],
        fail_on_loss=params["fail_on_loss"],
        organization=context.synchronization.organization,
    )
    report = predict(options, context, Run.of(context))
    for warning in report.warnings:
        context.warn(warning)
    return Outcome(report.changed, report.result)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
