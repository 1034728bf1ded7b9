#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.mailbox_authority: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mailbox_authority
short_description: Move the source of authority of mailboxes to the cloud, or back
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Sets C(IsExchangeCloudManaged) of the selected mailboxes, so that their Exchange attributes are edited in Exchange
    Online instead of Active Directory, or the other way round.
  - A snapshot with the plan and the attributes of every selected mailbox is on disk before the first write.
  - What counts is what reading back shows. An error of the service for a change that was carried out all the same is no
    failure, and a success answer for one that was not is one.
  - Exactly one of O(identities), O(identities_file), O(group), O(filter), O(organizational_unit) and O(all_mailboxes)
    says which mailboxes.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.run
  - hybrid.exchange.selection
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  authority:
    description:
      - Where the attributes are edited from now on.
      - With V(on_premises), the next synchronization overwrites the values in Exchange Online with those in Active
        Directory. It is no merge. Values that were changed in the cloud only are lost, unless they are written to
        Active Directory before, for example by M(hybrid.exchange.directory_writeback). Prove it by
        M(hybrid.exchange.roundtrip_info), and let O(compare_with) look after what neither of them can write or compare.
    type: str
    required: true
    choices: [cloud, on_premises]
  quiet_hours:
    description:
      - Leave out mailboxes whose object in Active Directory was changed within this many hours, because the change may
        still be under way. Microsoft asks for one synchronization cycle plus 24 hours. V(0) leaves the check out.
      - Needs O(directory_hosts). It is about O(authority=cloud) only. It goes by C(whenChanged) of the domain
        controller, so that any change of the object counts, and an object that does not exist proves nothing.
    type: float
    default: 0
  on_ineligible:
    description:
      - What to do about selected objects that cannot be moved, such as cloud-only mailboxes, members of O(group) and
        users of O(organizational_unit) without a mailbox in Exchange Online, and mailboxes that are not quiet for
        O(quiet_hours).
      - V(fail) changes nothing at all, V(skip) moves the rest. Either names them with the reason.
    type: str
    default: fail
    choices: [fail, skip]
  compare_with:
    description:
      - Snapshots that this module wrote when it moved the mailboxes to the cloud (artifacts named C(authority-cloud-)),
        or directories that hold them. Of several snapshots of a mailbox, the newest of a move counts.
      - With O(authority=on_premises), each mailbox that is to change is compared with its snapshot in what the
        synchronization carries from Active Directory and this collection cannot write there (C(ForwardingAddress),
        C(GrantSendOnBehalfTo), senders that are accepted and rejected, moderators, holds, audit settings, resource
        properties). A mailbox that was edited there refuses the run, by name, with the old and the new value, before
        anything is changed. What this collection can write is not looked at here.
      - The order of lists, case, empty forms, and different ways to name one recipient make no difference. Audited
        actions that the service keeps at its own default are not compared.
      - Where it is empty, nothing is compared. It is about O(authority=on_premises) only.
    type: list
    elements: path
    default: []
  give_up:
    description:
      - Properties of Exchange Online, or attributes of Active Directory, whose edits in the cloud may be lost, or were
        brought to Active Directory by hand, for all selected mailboxes. The artifact RV(losses_artifact) keeps them.
      - It is about O(compare_with) only.
    type: list
    elements: str
    default: []
  on_unknown:
    description:
      - What to do about mailboxes that are in none of the snapshots of O(compare_with).
      - V(fail) changes nothing at all, V(accept) gives them back without a comparison.
    type: str
    default: fail
    choices: [fail, accept]
  max_changes:
    description: Change nothing at all if more than this many mailboxes would change.
    type: int
    default: 5000
  max_failures:
    description:
      - Stop if the service answers with an error for more mailboxes than this. What was moved stays, the rest is not
        attempted, and everything is reported. Several batches are under way at once, so a few more may fail.
    type: int
    default: 100
  max_change_percent:
    description: Change nothing at all if more than this share of the selected mailboxes would change.
    type: float
    default: 100
seealso:
  - module: hybrid.exchange.mailbox_info
  - module: hybrid.exchange.roundtrip_info
  - module: hybrid.exchange.directory_writeback
"""

EXAMPLES = r"""
- name: Move the members of a group who were left alone for 24 hours
  hybrid.exchange.mailbox_authority:
    group: Exchange pilots
    authority: cloud
    quiet_hours: 24
    on_ineligible: skip

- name: Move a wave that is kept in a file, all of it or nothing
  hybrid.exchange.mailbox_authority:
    identities_file: waves/pilot.csv
    authority: cloud

- name: Move one site but for the board, at most 1000 mailboxes at once
  hybrid.exchange.mailbox_authority:
    organizational_unit: OU=Zürich,OU=People,DC=contoso,DC=com
    exclude:
      - board@contoso.com
    authority: cloud
    on_ineligible: skip
    max_changes: 1000

- name: Hand a wave back to Active Directory
  hybrid.exchange.mailbox_authority:
    identities_file: waves/pilot.csv
    authority: on_premises

- name: Hand a wave back, unless something would be lost that was edited in the cloud, but for the audit settings
  hybrid.exchange.mailbox_authority:
    identities_file: waves/pilot.csv
    authority: on_premises
    compare_with:
      - artifacts
    give_up:
      - AuditOwner
"""

RETURN = r"""
authority:
  description: The authority that was asked for.
  returned: when a plan was made
  type: str
  sample: cloud
counts:
  description: Numbers of mailboxes. In check mode they are those of the plan.
  returned: when a plan was made
  type: dict
  contains:
    total:
      description: All objects looked at.
      type: int
      returned: success
    changed:
      description: Those that were moved, or would be.
      type: int
      returned: success
    unchanged:
      description: Those that were right already.
      type: int
      returned: success
    ineligible:
      description: Those left out.
      type: int
      returned: success
    ineligible_by_reason:
      description: Those left out, by reason.
      type: dict
      returned: success
    failed:
      description: Those that should have been moved and were not.
      type: int
      returned: success
    not_tried:
      description: Those of the failed ones that nothing was sent for, because the run stopped early.
      type: int
      returned: when the run stopped early
    applied_despite_error:
      description: Those moved although the service answered with an error.
      type: int
      returned: success
    compared:
      description: Those compared with their snapshot.
      type: int
      returned: with O(compare_with) and O(authority=on_premises)
    not_compared:
      description: Those to be changed that are in no snapshot.
      type: int
      returned: with O(compare_with) and O(authority=on_premises)
    given_up:
      description: Those of which only something is lost that O(give_up) names.
      type: int
      returned: with O(compare_with) and O(authority=on_premises)
  sample:
    total: 200
    changed: 150
    unchanged: 48
    ineligible: 2
    ineligible_by_reason: {no_mailbox: 2}
    failed: 0
    applied_despite_error: 1
ineligible:
  description: The first objects left out, with the reason.
  returned: when a plan was made
  type: list
  elements: dict
  sample:
    - object: board@contoso.com
      id: 2b3c4d5e-0000-4000-8000-000000000002
      reason: no_mailbox
      message: board@contoso.com has no mailbox in Exchange Online.
losses:
  description: What the next synchronization overwrites, of the first mailboxes, with the value at the move and now.
  returned: with O(compare_with) and O(authority=on_premises)
  type: list
  elements: dict
  sample:
    - object: anna@contoso.com
      id: 2b3c4d5e-0000-4000-8000-000000000002
      property: ForwardingAddress
      attribute: altRecipient
      before: []
      now: [bert]
      given_up: false
losses_artifact:
  description: The same of all mailboxes, and the mailboxes that are in no snapshot, one JSON object a line.
  returned: when there are any
  type: dict
  sample: {path: /srv/artifacts/authority-on_premises-losses-20260803T101459.000000Z.jsonl, sha256: 2c26b..., lines: 1}
artifact:
  description: The plan and the snapshot of every selected mailbox, one JSON object a line.
  returned: when the guards were passed
  type: dict
  sample: {path: /srv/artifacts/authority-cloud-20260803T101500.000000Z.jsonl, sha256: 9f86d081..., lines: 200}
outcomes:
  description: What became of each mailbox that was to change, one JSON object a line.
  returned: when something was sent
  type: dict
  sample: {path: /srv/artifacts/authority-cloud-outcomes-20260803T101501.000000Z.jsonl, sha256: 60303ae2..., lines: 150}
failures:
  description: The first mailboxes that could not be moved, with the error.
  returned: always
  type: list
  elements: dict
  sample: []
service:
  description: What the run cost at the service.
  returned: always
  type: dict
  sample: {requests: 40, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

import time

from ansible_collections.hybrid.exchange.plugins.module_utils._authority.change_times import DirectoryChangeTimes
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.give_back import Comparison
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.recipients import ExchangeRecipients
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.transfer import Ends, Transfer, transfer
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RUN,
    SELECTION,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits

SPEC = ArgumentSpec(
    options={
        "authority": {"type": "str", "required": True, "choices": ["cloud", "on_premises"]},
        "quiet_hours": {"type": "float", "default": 0},
        "on_ineligible": {"type": "str", "default": "fail", "choices": ["fail", "skip"]},
        "compare_with": {"type": "list", "elements": "path", "default": []},
        "give_up": {"type": "list", "elements": "str", "default": []},
        "on_unknown": {"type": "str", "default": "fail", "choices": ["fail", "accept"]},
        "max_changes": {"type": "int", "default": 5000},
        "max_failures": {"type": "int", "default": 100},
        "max_change_percent": {"type": "float", "default": 100},
    }
).merge(TENANT, DIRECTORY, RUN, SELECTION)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the transfer."""
    params = context.params
    paths, give_up = tuple(params["compare_with"]), tuple(params["give_up"])
    request = Transfer(
        selection=context.selection,
        authority=params["authority"],
        limits=Limits(params["max_changes"], params["max_change_percent"]),
        mailbox_limit=params["mailbox_limit"],
        max_failures=params["max_failures"],
        quiet_hours=params["quiet_hours"],
        on_ineligible=params["on_ineligible"],
        report_limit=context.report_limit,
        comparison=Comparison(paths, give_up, params["on_unknown"], context.report_limit) if paths else None,
    )
    quiet = params["quiet_hours"] > 0 and params["authority"] == "cloud"
    ends = Ends(
        mailboxes=context.mailboxes,
        recipients=ExchangeRecipients(context.exchange),
        artifacts=context.artifacts,
        progress=context.progress,
        sleep=time.sleep,
        change_times=DirectoryChangeTimes(context.directory, context.mailboxes.users) if quiet else None,
    )
    outcome = transfer(request, ends, check_mode=context.check_mode)
    return Outcome(outcome.changed, outcome.result, outcome.diff)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
