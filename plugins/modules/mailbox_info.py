#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.mailbox_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mailbox_info
short_description: Tell which mailboxes there are, who is their authority, and which can be moved
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the selected mailboxes of a tenant from Exchange Online, exports them with their attributes into an artifact,
    and counts them by type, by source of authority, and by whether their authority can be moved.
  - Users that O(group) or O(organizational_unit) selects and that have no mailbox in Exchange Online are counted among
    those whose authority cannot be moved.
  - Exactly one of O(identities), O(identities_file), O(group), O(filter), O(organizational_unit) and O(all_mailboxes)
    says which mailboxes.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.run
  - hybrid.exchange.selection
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
  limit:
    description: How many mailboxes RV(mailboxes) lists at most. The artifact holds them all.
    type: int
    default: 20
seealso:
  - module: hybrid.exchange.mailbox_authority
  - module: hybrid.exchange.roundtrip_info
"""

EXAMPLES = r"""
- name: Look at the whole tenant
  hybrid.exchange.mailbox_info:
    all_mailboxes: true
  register: tenant

- name: Say what is left to do
  ansible.builtin.debug:
    msg: "{{ tenant.counts.eligible - tenant.counts.cloud_managed }} mailboxes are still managed on premises"

- name: See whether everybody in the first wave can be moved
  hybrid.exchange.mailbox_info:
    group: Exchange pilots

- name: Look at one site
  hybrid.exchange.mailbox_info:
    organizational_unit: OU=Zürich,OU=People,DC=contoso,DC=com
    limit: 5

- name: Export the synchronized shared mailboxes
  hybrid.exchange.mailbox_info:
    filter: "RecipientTypeDetails -eq 'SharedMailbox' -and IsDirSynced -eq 'True'"
    artifact_dir: "{{ playbook_dir }}/artifacts"
"""

RETURN = r"""
counts:
  description: Numbers of mailboxes.
  returned: success
  type: dict
  contains:
    total:
      description: All selected mailboxes, and the selected users without one.
      type: int
      returned: success
    dir_synced:
      description: Those synchronized from Active Directory.
      type: int
      returned: success
    cloud_managed:
      description: Those whose source of authority is the cloud.
      type: int
      returned: success
    eligible:
      description: Those whose authority can be moved, whichever it is now.
      type: int
      returned: success
    by_type:
      description: By C(RecipientTypeDetails).
      type: dict
      returned: success
    ineligible:
      description:
        - Those whose authority cannot be moved, by reason. Users without a mailbox in Exchange Online are
          C(on_premises_mailbox), C(mail_user) or C(no_mailbox).
      type: dict
      returned: success
  sample:
    total: 1200
    dir_synced: 1180
    cloud_managed: 200
    eligible: 1180
    by_type: {SharedMailbox: 100, UserMailbox: 1100}
    ineligible: {cloud_only: 20}
mailboxes:
  description: The first O(limit) mailboxes, without the users that have none.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 2b3c4d5e-0000-4000-8000-000000000001
      user_principal_name: anna@contoso.com
      display_name: Anna
      primary_smtp_address: anna@contoso.com
      recipient_type_details: UserMailbox
      dir_synced: true
      authority: on_premises
      when_changed: "2026-08-03T10:15:00Z"
      eligible: true
      reason: null
artifact:
  description:
    - All mailboxes with their attributes by AD name, one JSON object a line, and a line for each user without one.
  returned: success
  type: dict
  sample: {path: /srv/artifacts/mailboxes-20260803T101500.000000Z.jsonl, sha256: 9f86d081..., lines: 1200}
failures:
  description: Always empty, because what cannot be read is an error.
  returned: success
  type: list
  elements: dict
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 3, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._authority.inspect import Inspection, inspect
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.recipients import ExchangeRecipients
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    RUN,
    SELECTION,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(options={"limit": {"type": "int", "default": 20}}).merge(TENANT, RUN, SELECTION)


def use_case(context: ModuleContext) -> Outcome:
    """Read and report."""
    result = inspect(
        Inspection(context.selection, context.params["limit"]),
        mailboxes=context.mailboxes,
        recipients=ExchangeRecipients(context.exchange),
        artifacts=context.artifacts,
        progress=context.progress,
    )
    return Outcome(changed=False, result=result)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
