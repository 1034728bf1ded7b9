#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write cloud values of mailboxes into Active Directory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_writeback
short_description: Write what cloud-managed mailboxes hold into Active Directory
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the selected mailboxes from Exchange Online and writes their attributes into their user objects in Active
    Directory, over LDAP. A whole wave or tenant is one task.
  - What an attribute gets is what Exchange Online has, or what a rule of O(mappings) or O(rules_file) makes of it, for
    the mailboxes in its scope. Only rules whose owner is the directory are carried out, the others are the job's
    (RV(left_to_job)).
  - It is for the attributes that a Cloud Sync writeback job does not carry, such as C(msExchHideFromAddressLists), and
    for organizations that cannot run a provisioning agent. An attribute has one writer, so attributes that a running
    job writes are refused.
  - Only mailboxes with C(IsExchangeCloudManaged) are written. As long as Active Directory is the source of authority
    of a mailbox, its values there are the right ones.
  - A mailbox and its object belong together by their source anchor, never by name.
  - Each change names the values that go and the values that come. If somebody else changed the object in between, the
    domain controller refuses it as a whole, and nothing is lost.
    An object that moved like this is read again on both sides and planned again, at most three times.
  - Before a change is sent, the old and new values are on disk in the journal of the run. After it, every object is
    read back from the domain controller that took it; what it holds then decides the outcome, which the journal gets
    too. M(hybrid.exchange.directory_restore) puts back what a journal recorded.
  - A run that was killed at any point is simply run again. What became of its last writes is found out first
    (RV(resumed)), and what it had still to do is planned anew.
  - An address that another object of the forest holds is not given to a second one. An address that moves between two
    of the selected mailboxes is taken away from the one before the other gets it.
  - Only one run at a time writes to a domain with the same O(journal_dir). A second one is refused at once.
  - A plan can be kept in a file (O(plan_file)), reviewed, approved by its SHA-256, and applied later exactly as it is
    (O(apply_plan)).
  - Who joined or left a group that the scope of a rule names is seen by runs that read everything.
  - With O(state_file) a run reads and writes only what changed since the last one, so that it can run every few minutes
    in a tenant of any size.
  - As long as Active Directory is the source of authority, Microsoft supports edits of these attributes by the
    cmdlets of Exchange Server only. For mailboxes whose authority is in the cloud it says neither.
extends_documentation_fragment:
  - hybrid.exchange.attributes
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.run
  - hybrid.exchange.selection
  - hybrid.exchange.rules
  - hybrid.exchange.incremental
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  attributes:
    description:
      - The attributes to write, by their names in Active Directory.
      - By default those that a Cloud Sync writeback job writes, C(proxyAddresses), C(mail), C(extensionAttribute1) to
        C(extensionAttribute15), C(msExchExtensionCustomAttribute1) to C(msExchExtensionCustomAttribute5),
        C(msExchRecipientTypeDetails) and C(msExchRecipientDisplayType).
      - With O(mappings) or O(rules_file) by default those whose rule has the owner V(directory). Where both are given,
        the rules say how, and this option says which; one that a rule gives to Cloud Sync is an error.
    type: list
    elements: str
  on_owned:
    description:
      - What to do with attributes that a running Cloud Sync job writes in this domain.
      - V(fail) names them and writes nothing, V(skip) writes the others, if there are any.
    type: str
    default: fail
    choices: [fail, skip]
  type_values:
    description:
      - The notation of C(msExchRecipientTypeDetails) and C(msExchRecipientDisplayType). V(remote) is what Exchange
        Server gives to a mailbox that is in the cloud (C(RemoteSharedMailbox)), V(local) the plain type
        (C(SharedMailbox)).
      - Microsoft does not document which one its own writeback uses.
    type: str
    default: remote
    choices: [remote, local]
  proxy_addresses:
    description:
      - What to do with addresses in C(proxyAddresses) that the mailbox does not have in the cloud.
      - V(merge) keeps and reports them. A primary address among them becomes a secondary one, as there can be one only.
      - V(exact) removes them.
    type: str
    default: merge
    choices: [merge, exact]
  source_anchor_attribute:
    description:
      - The attribute that holds the source anchor, where Connect was set up with another one.
      - By default C(mS-DS-ConsistencyGuid), and C(objectGUID) for objects that have none.
    type: str
  max_changes:
    description: Write nothing at all if more objects than this would change.
    type: int
    default: 5000
  max_change_percent:
    description:
      - Write nothing at all if more than this percentage of the selected mailboxes would change, whether this run reads
        all of them or, with O(state_file), only those that changed.
      - Up to 10 objects may change whatever the percentage, because in a small wave every percentage is large. V(0)
        means none.
      - The default is no limit. The first run for a wave changes every object of it, as a rule.
    type: float
    default: 100
  max_adds:
    description:
      - Write nothing at all if more attributes than this would get values without losing any. Attributes are counted
        object by object; the same holds for the next three options.
      - By default there is no limit, because nothing is lost.
    type: int
  max_replaces:
    description:
      - Write nothing at all if more attributes than this would get values in exchange for others.
      - By default there is no limit but O(max_changes).
    type: int
  max_removes:
    description: Write nothing at all if more attributes than this would lose some of their values and get none.
    type: int
    default: 1000
  max_clears:
    description:
      - Write nothing at all if more attributes than this would lose all their values.
      - The default is low. Many empty values at once are mostly a value that never reached the cloud, or an answer of
        the cloud that was not whole, and applications that read Active Directory notice them at once.
    type: int
    default: 100
  max_failures:
    description:
      - Stop if more objects than this could not be written. What was written stays, the rest is not attempted, and
        everything is reported.
    type: int
    default: 100
  journal_dir:
    description:
      - The directory of the journals, which are files in the JSON Lines format, readable for their owner only. It also
        holds the lock that keeps a second run out, so all runs that write to a domain should have the same.
      - O(artifact_dir) if not given.
    type: path
  wave:
    description: The name of the wave, for the journal, so that the whole wave can be restored by it.
    type: str
  plan_file:
    description:
      - Write the plan to this file, and nothing to the directory. This works in check mode, too.
      - The file is in the JSON Lines format, in a fixed order and without times, so that the same plan is the same
        file. It holds personal data and is readable for its owner only.
      - The task has then changed something if the file did not hold this plan already.
    type: path
  apply_plan:
    description:
      - Apply exactly the plan in this file, instead of selecting mailboxes.
      - Each mailbox and its object are read. What moved since the plan was made, on either side, is refused object by
        object. Limits, ownership and collisions are checked again. What is applied already is left alone.
      - A plan that was made for another tenant, domain or notation, or for other attributes, is refused. So give the
        same options as to the task that made it, but for the selection.
    type: path
  apply_plan_sha256:
    description: The SHA-256 of the plan in O(apply_plan), as RV(plan) gives it to whoever approves the plan.
    type: str
seealso:
  - module: hybrid.exchange.directory_restore
  - module: hybrid.exchange.roundtrip_info
  - module: hybrid.exchange.writeback_job
"""

EXAMPLES = r"""
- name: Write back what Cloud Sync does not carry
  hybrid.exchange.directory_writeback:
    group: Exchange pilots
    attributes:
      - msExchHideFromAddressLists

- name: Write back everything that no running job writes, unless it concerns more than 1000 mailboxes
  hybrid.exchange.directory_writeback:
    organizational_unit: OU=Zürich,OU=People,DC=contoso,DC=com
    on_owned: skip
    max_changes: 1000
  register: written

- name: Make the addresses of shared mailboxes exactly those of the cloud
  hybrid.exchange.directory_writeback:
    filter: "RecipientTypeDetails -eq 'SharedMailbox' -and IsDirSynced -eq 'True'"
    attributes:
      - proxyAddresses
      - mail
    proxy_addresses: exact
    on_owned: skip

- name: Write a wave under its name, so that it can be restored by it, and clear only a few values
  hybrid.exchange.directory_writeback:
    group: Exchange pilots
    on_owned: skip
    wave: pilot
    max_clears: 50

- name: Keep hidden mailboxes hidden, and name the site of those below one organizational unit, by rules
  hybrid.exchange.directory_writeback:
    group: Exchange pilots
    mappings:
      - target: msExchHideFromAddressLists
        owner: directory
      - target: extensionAttribute15
        owner: directory
        expression: Append("site ", [extensionAttribute7])
        flow_type: AttributeAddOnly
        scope:
          organizational_units: ["OU=Zürich,OU=People,DC=contoso,DC=com"]
          filter: '[extensionAttribute7] <> ""'

- name: Write every quarter of an hour what changed, and once a day look at everything
  hybrid.exchange.directory_writeback:
    all_mailboxes: true
    on_owned: skip
    state_file: state/writeback.json
    full_pass_interval: 24

# In two steps, with someone who approves the plan in between:
#
# - name: Write the plan to a file, and nothing to the directory
#   hybrid.exchange.directory_writeback:
#     group: Exchange pilots
#     on_owned: skip
#     plan_file: plans/pilot.jsonl
#   register: planned
#
# - name: Apply exactly this plan
#   hybrid.exchange.directory_writeback:
#     apply_plan: plans/pilot.jsonl
#     apply_plan_sha256: "{{ planned.plan.sha256 }}"
#     on_owned: skip
#     wave: pilot
"""

RETURN = r"""
counts:
  description:
    - How many mailboxes were selected (C(total)), how many objects were to change (C(planned)), and what became of them
      (C(written), C(failed), C(unknown) where the server went away before the object could be read back, and
      C(not_attempted) after the server stayed away). Nothing is C(written) in check mode.
    - Of the others, how many were C(unchanged), C(cloud_only) (not synchronized), C(not_cloud_managed) or C(elsewhere)
      (in another domain or outside O(directory_base_dn)).
    - Of those that make the task fail, how many were C(not_found), C(ambiguous_anchor) (two objects with one source
      anchor, or two mailboxes), C(out_of_range) (a value too long for the schema), C(address_taken) (another object of
      the forest holds an address), C(case_twins) (values that differ in case only), C(two_primaries), C(no_primary),
      C(mail_not_primary) (C(mail) would not be the primary address), C(moved) (since the plan in O(apply_plan) was
      made) or C(refused).
    - C(without_mailbox) counts the users that O(group) or O(organizational_unit) selects and that have no mailbox in
      Exchange Online. They are not part of C(total), and a warning names the first of them.
    - C(directory_only_addresses) counts addresses that only Active Directory has and that were kept.
  returned: always
  type: dict
  sample: {"total": 120, "planned": 3, "written": 3, "unchanged": 117}
pass:
  description:
    - Whether everything was read (V(full)) or, with O(state_file), what changed (V(incremental)). RV(counts) then tells
      of the mailboxes that changed or were not settled.
  returned: when mailboxes are selected
  type: str
  sample: incremental
reason:
  description: Why everything was read, or since when changes are told.
  returned: when mailboxes are selected
  type: str
  sample: the last full pass was 25.1 hours ago
left_to_job:
  description: The attributes whose rules are the job's, and not carried out here.
  returned: always
  type: list
  elements: str
  sample: [mail]
attributes:
  description: The attributes that this run is about.
  returned: always
  type: list
  elements: str
owned_attributes:
  description: The attributes left to the Cloud Sync job, with O(on_owned=skip).
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
directory_only_addresses:
  description: Of the first O(report_limit) mailboxes that have some, the addresses that only Active Directory has.
  returned: always
  type: list
  elements: dict
failures:
  description:
    - The first O(report_limit) mailboxes that could not be written back, with the reason. Where there is one, the task
      fails, after all others are done.
  returned: always
  type: list
  elements: dict
changes:
  description:
    - How many attributes change or would change in which way (C(add), C(replace), C(remove), C(clear), see
      O(max_adds)), counted object by object, and the same C(by_attribute).
  returned: always
  type: dict
  sample: {"add": 2, "replace": 1, "remove": 0, "clear": 0, "by_attribute": {"mail": {"replace": 1}}}
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
journal:
  description: The journal of this run.
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
plan:
  description: The plan that was saved.
  returned: when O(plan_file) is given
  type: dict
  contains:
    path:
      description: Where the file is.
      type: str
    sha256:
      description: Its SHA-256, to be approved.
      type: str
    objects:
      description: How many objects it changes.
      type: int
artifact:
  description: The artifact with one line per selected mailbox, its outcome, and the old and new values.
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

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    INCREMENTAL,
    OPTIONAL_SELECTION,
    RULES,
    RUN,
    SELECTION_KINDS,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import PERCENT_FLOOR, KindLimits, Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back

SPEC = ArgumentSpec(
    options={
        "attributes": {"type": "list", "elements": "str"},
        "on_owned": {"type": "str", "default": "fail", "choices": ["fail", "skip"]},
        "type_values": {"type": "str", "default": "remote", "choices": ["remote", "local"]},
        "proxy_addresses": {"type": "str", "default": "merge", "choices": ["merge", "exact"]},
        "source_anchor_attribute": {"type": "str"},
        "max_changes": {"type": "int", "default": 5000},
        "max_change_percent": {"type": "float", "default": 100},
        "max_adds": {"type": "int"},
        "max_replaces": {"type": "int"},
        "max_removes": {"type": "int", "default": 1000},
        "max_clears": {"type": "int", "default": 100},
        "max_failures": {"type": "int", "default": 100},
        "journal_dir": {"type": "path"},
        "wave": {"type": "str"},
        "plan_file": {"type": "path"},
        "apply_plan": {"type": "path"},
        "apply_plan_sha256": {"type": "str"},
    },
    mutually_exclusive=[("apply_plan", "plan_file"), ("apply_plan", "state_file"), ("apply_plan", *SELECTION_KINDS)],
    required_together=[("apply_plan", "apply_plan_sha256")],
    required_one_of=[("apply_plan", *SELECTION_KINDS)],
).merge(TENANT, DIRECTORY, RUN, OPTIONAL_SELECTION, RULES, INCREMENTAL)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the use case."""
    params = context.params
    if params["apply_plan"] and params["exclude"]:
        raise InputError("exclude is for a selection, and apply_plan says itself which objects are written.")
    options = Options(
        selection=None if params["apply_plan"] else context.selection,
        attributes=params["attributes"],
        rules=rules_file.from_params(params),
        on_owned=params["on_owned"],
        type_values=params["type_values"],
        proxy_addresses=params["proxy_addresses"],
        source_anchor_attribute=params["source_anchor_attribute"],
        limits=Limits(params["max_changes"], params["max_change_percent"], PERCENT_FLOOR),
        kind_limits=KindLimits(params["max_adds"], params["max_replaces"], params["max_removes"], params["max_clears"]),
        max_failures=params["max_failures"],
        journal_dir=params["journal_dir"] or params["artifact_dir"],
        wave=params["wave"] or "",
        tenant=params["tenant_id"],
        plan_file=params["plan_file"],
        apply_plan=params["apply_plan"],
        apply_plan_sha256=params["apply_plan_sha256"] or "",
        repeat=Repeat(params["state_file"], params["full_pass_interval"]),
    )
    report = write_back(
        options, FarEnds(context.mailboxes, context.synchronization, context.directory), Run.of(context)
    )
    for warning in report.warnings:
        context.warn(warning)
    return Outcome(report.changed, report.result, report.diff)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
