#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that Active Directory holds what the cloud holds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: roundtrip_info
short_description: Prove that Active Directory holds what the mailboxes hold in the cloud, or say where not
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the selected mailboxes from Exchange Online and their user objects from Active Directory, both in bulk, and
    compares them attribute by attribute, each by its own rules. It writes nothing.
  - Run it before a Cloud Sync writeback job starts, too. RV(at_risk) then tells how many objects hold values that
    only Active Directory has, which the job's first cycle may overwrite.
  - Cloud Sync cycles look only at objects that changed in the cloud, so a change made in Active Directory afterwards
    stays unseen. This module sees it.
  - With rules (O(mappings) or O(rules_file)) an attribute is proven against what its rule makes of the mailbox, whoever
    writes it; outside the scope of a rule, and where its flow type writes nothing, what Active Directory has is right.
  - What cannot be compared is not proven.
  - Both sides are read once and at the same time, in processes of their own where the system allows it. What waits to
    be compared lies in files without a name in O(artifact_dir), some 2 KB for each selected mailbox.
  - With O(state_file) a run reads only what changed since the last one.
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
    support: N/A
    details: It changes nothing.
  idempotent:
    support: full
options:
  attributes:
    description:
      - The attributes to compare, by their names in Active Directory.
      - By default those that a Cloud Sync writeback job writes, and those of the rules in O(mappings) or O(rules_file).
    type: list
    elements: str
  include_not_written_back:
    description:
      - Compare the attributes, too, that can be edited in the cloud once a mailbox is cloud-managed, but that nobody
        keeps in step, neither the job nor a rule. A rollback would overwrite them with what Active Directory holds.
      - They are reported as C(not_written_back) and in RV(not_kept), and do not count for RV(proven).
    type: bool
    default: false
  applications:
    description:
      - The applications that read Active Directory. RV(applications) then tells for each who keeps what it reads in
        step, and what goes its own way. This compares what O(include_not_written_back) compares.
    type: list
    elements: dict
    suboptions:
      name:
        description: What the application is called.
        type: str
        required: true
      attributes:
        description:
          - The attributes that it reads, by their names in Active Directory. Those that are no Exchange attributes may
            be among them; Active Directory is their master.
        type: list
        elements: str
        required: true
  type_values:
    description:
      - The notation of C(msExchRecipientTypeDetails) and C(msExchRecipientDisplayType) that is expected. V(remote) is
        what Exchange Server gives to a mailbox that is in the cloud, V(local) the plain type.
    type: str
    default: remote
    choices: [remote, local]
  proxy_addresses:
    description:
      - Whether addresses that only Active Directory has make a difference. With V(merge) they do not, but are reported;
        with V(exact) they do.
    type: str
    default: merge
    choices: [merge, exact]
  source_anchor_attribute:
    description:
      - The attribute that holds the source anchor, where Connect was set up with another one.
      - By default C(mS-DS-ConsistencyGuid), and C(objectGUID) for objects that have none.
    type: str
  fail_on_difference:
    description: Fail unless RV(proven).
    type: bool
    default: false
seealso:
  - module: hybrid.exchange.directory_writeback
  - module: hybrid.exchange.writeback_cycle
"""

EXAMPLES = r"""
- name: Prove the round trip of a wave
  hybrid.exchange.roundtrip_info:
    group: Exchange pilots
  register: roundtrip

- name: Say what is proven
  ansible.builtin.debug:
    msg: "{{ roundtrip.counts.equal }} mailboxes are equal, {{ roundtrip.counts.differs }} differ"

- name: What would the first cycle of a new job overwrite, and what would a rollback lose?
  hybrid.exchange.roundtrip_info:
    all_mailboxes: true
    proxy_addresses: exact
    include_not_written_back: true

- name: Prove it for one site in two attributes
  hybrid.exchange.roundtrip_info:
    organizational_unit: OU=Zürich,OU=People,DC=contoso,DC=com
    attributes:
      - proxyAddresses
      - mail

- name: Look at what changed since the last run, every hour, and at everything once a day
  hybrid.exchange.roundtrip_info:
    all_mailboxes: true
    state_file: state/roundtrip.json
    full_pass_interval: 24

- name: Prove a job with rules of its own, and say what the address book of the telephones misses
  hybrid.exchange.roundtrip_info:
    group: Exchange pilots
    mappings:
      - target: mail
        source: Mail
      - target: msExchHideFromAddressLists
        owner: directory
    applications:
      - name: Telephone book
        attributes: [displayName, mail, msExchHideFromAddressLists, deliverAndRedirect]

- name: Stop here if a proof is required and there is none
  hybrid.exchange.roundtrip_info:
    identities_file: waves/pilot.csv
    fail_on_difference: "{{ proof_required | default(false) }}"
"""

RETURN = r"""
proven:
  description:
    - Whether every selected mailbox that is synchronized from Active Directory was compared and is equal in all
      attributes that are written back.
    - After an incremental RV(pass), whether that holds of those looked at, and no other was left open since the last
      full one.
  returned: always
  type: bool
percent:
  description:
    - How many percent of them are. Rounded down, so that 100 means all.
    - After an incremental RV(pass), of all those of the last full one.
  returned: always
  type: float
counts:
  description:
    - How many mailboxes were selected (C(total)), and how many are C(equal), C(differs), C(missing) (no object in
      Active Directory), C(ambiguous_anchor), C(unreadable), C(elsewhere) (in another domain or outside
      O(directory_base_dn)) and C(cloud_only) (not synchronized, so nothing to prove).
    - C(not_cloud_managed) and C(at_risk) are counted across those.
    - C(without_mailbox) counts the users that O(group) or O(organizational_unit) selects and that have no mailbox in
      Exchange Online. They are not part of C(total), and a warning names the first of them.
    - An incremental RV(pass) counts only the mailboxes that it looked at. The same goes for RV(attributes),
      RV(at_risk), RV(differing) and RV(artifact).
  returned: always
  type: dict
  sample: {"total": 120, "equal": 118, "differs": 2}
attributes:
  description:
    - Per attribute, how many mailboxes are C(equal), C(differs), C(not_written_back), C(unreadable) or C(at_risk).
  returned: always
  type: dict
  sample: {"mail": {"equal": 119, "differs": 1}}
rules:
  description:
    - The attributes that the rules give to the job (C(cloud_sync)) and to the directory writer (C(directory)).
    - Those of the job whose rule gives anything but the value that the attribute has in the cloud
      (C(transformed_by_job)).
  returned: always
  type: dict
  sample: {"cloud_sync": ["mail"], "directory": ["msExchHideFromAddressLists"], "transformed_by_job": []}
not_kept:
  description:
    - The attributes that can be edited in the cloud and that nobody keeps in step, and in how many mailboxes the two
      sides differ. That is null for an attribute whose two sides cannot be compared.
    - A rule whose owner is the directory keeps an attribute in step.
  returned: with O(include_not_written_back) or O(applications)
  type: list
  elements: dict
  sample: [{"attribute": "msExchHideFromAddressLists", "mailboxes_that_differ": 3}]
applications:
  description: What is true of each application.
  returned: with O(include_not_written_back) or O(applications)
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    kept_by:
      description:
        - Who keeps each attribute that it reads in step, V(cloud_sync), V(directory) or V(nobody). V(active_directory)
          stands for what stays mastered there.
      type: dict
    not_kept:
      description: Those of them that nobody keeps.
      type: list
      elements: str
    differs:
      description: Per attribute that was compared, in how many mailboxes the two sides differ.
      type: dict
    mailboxes_that_differ:
      description: In how many mailboxes anything differs that it reads.
      type: int
at_risk:
  description: How many objects hold values that only Active Directory has.
  returned: always
  type: int
differing:
  description: The first O(report_limit) mailboxes that are not proven, with the names of the attributes that differ.
  returned: always
  type: list
  elements: dict
  sample: [{"object": "user@contoso.com", "status": "differs", "attributes": ["mail"]}]
pass:
  description: Whether everything was read (V(full)) or what changed (V(incremental)).
  returned: always
  type: str
  sample: incremental
reason:
  description: Why everything was read, or since when changes are told.
  returned: always
  type: str
  sample: the last full pass was 25.1 hours ago
domain:
  description: The domain that was compared.
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
    - The artifact with one line per selected mailbox, first those that are not simply equal, with both values of every
      attribute that is not equal, and C(directory_only_values). Users without a mailbox have the status
      C(without_mailbox).
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

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    INCREMENTAL,
    RULES,
    RUN,
    SELECTION,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.kept import applications
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import Options, prove_round_trip
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run

SPEC = ArgumentSpec(
    options={
        "attributes": {"type": "list", "elements": "str"},
        "include_not_written_back": {"type": "bool", "default": False},
        "applications": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "attributes": {"type": "list", "elements": "str", "required": True},
            },
        },
        "type_values": {"type": "str", "default": "remote", "choices": ["remote", "local"]},
        "proxy_addresses": {"type": "str", "default": "merge", "choices": ["merge", "exact"]},
        "source_anchor_attribute": {"type": "str"},
        "fail_on_difference": {"type": "bool", "default": False},
    }
).merge(TENANT, DIRECTORY, RUN, SELECTION, RULES, INCREMENTAL)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the use case."""
    params = context.params
    options = Options(
        selection=context.selection,
        attributes=params["attributes"],
        rules=rules_file.from_params(params),
        applications=applications(params["applications"] or ()),
        include_not_written_back=params["include_not_written_back"],
        type_values=params["type_values"],
        proxy_addresses=params["proxy_addresses"],
        source_anchor_attribute=params["source_anchor_attribute"],
        fail_on_difference=params["fail_on_difference"],
        tenant=params["tenant_id"],
        repeat=Repeat(params["state_file"], params["full_pass_interval"]),
    )
    report = prove_round_trip(options, context, Run.of(context))
    for warning in report.warnings:
        context.warn(warning)
    return Outcome(report.changed, report.result)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
