#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.organization_authority: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: organization_authority
short_description: Set the tenant's default source of authority for new users
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Sets whether the Exchange attributes of users that are synchronized for the first time are managed in the cloud.
    Mailboxes that exist keep their authority, which is what M(hybrid.exchange.mailbox_authority) is for.
  - With the cloud as default, newly synchronized recipients no longer become mail users, so that mailboxes cannot be
    onboarded or migrated any more, and only Microsoft Support can repair what came in meanwhile. Therefore it is
    refused, with the evidence, while there are synchronized mailboxes that are not cloud-managed, synchronized mail
    users, migration batches or move requests that are not completed. What cannot be read counts as evidence.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details: The guards are checked in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  default_authority:
    description:
      - The default. V(on_premises) stops new damage, but repairs nothing.
    type: str
    required: true
    choices: [cloud, on_premises]
  confirm_tenant:
    description:
      - Must repeat O(tenant_id) for O(default_authority=cloud), as a word for this very tenant.
    type: str
  accepted_mail_users:
    description:
      - Synchronized mail users that stay mail users for good and are no evidence, by user principal name, primary SMTP
        address or object id.
    type: list
    elements: str
    default: []
seealso:
  - module: hybrid.exchange.mailbox_authority
"""

EXAMPLES = r"""
- name: Keep Active Directory as the default
  hybrid.exchange.organization_authority:
    default_authority: on_premises

- name: Make the cloud the default, once everything is migrated
  hybrid.exchange.organization_authority:
    default_authority: cloud
    confirm_tenant: contoso.com
    tenant_id: contoso.com
  when: migration_is_over | default(false)
"""

RETURN = r"""
default_authority:
  description: The default that was asked for.
  returned: when the state could be read
  type: str
  sample: cloud
state:
  description:
    - What Exchange Online says, as C(property), C(before) and C(after).
    - The property C(BlockExchangeProvisioningFromOnPremEnabled) of C(Get-OrganizationConfig) is true while the default
      is the cloud.
  returned: when the state could be read
  type: dict
  sample: {property: BlockExchangeProvisioningFromOnPremEnabled, before: false, after: true}
counts:
  description: Whether the default changed, and how many objects of each kind speak against the cloud as default.
  returned: when the state could be read
  type: dict
  sample: {changed: 1, unmanaged_mailboxes: 0, mail_users: 0, migration_batches: 0, move_requests: 0}
evidence:
  description: The first objects of each kind that speak against it.
  returned: when it was refused for them
  type: dict
  sample: {unmanaged_mailboxes: [anna@contoso.com], migration_batches: ["Wave 7: Syncing"]}
failures:
  description: Always empty, because there is only one object.
  returned: success
  type: list
  elements: dict
service:
  description: What the run cost at the service.
  returned: always
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

import time

from ansible_collections.hybrid.exchange.plugins.module_utils._authority.organization import (
    Default,
    Ends,
    set_default,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import RUN, TENANT, ArgumentSpec
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(
    options={
        "default_authority": {"type": "str", "required": True, "choices": ["cloud", "on_premises"]},
        "confirm_tenant": {"type": "str"},
        "accepted_mail_users": {"type": "list", "elements": "str", "default": []},
    }
).merge(TENANT, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the use case."""
    request = Default(
        tenant_id=context.params["tenant_id"],
        authority=context.params["default_authority"],
        confirm_tenant=context.params["confirm_tenant"],
        accepted_mail_users=frozenset(name.casefold() for name in context.params["accepted_mail_users"]),
        report_limit=context.report_limit,
    )
    ends = Ends(context.exchange, context.mailboxes, context.progress, time.sleep)
    outcome = set_default(request, ends, check_mode=context.check_mode)
    return Outcome(outcome.changed, outcome.result, outcome.diff)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
