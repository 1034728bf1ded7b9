# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who can be moved: the whole truth table."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.eligibility import (
    REASONS,
    TRANSFERABLE_TYPES,
    ineligible_reason,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.plan import Planning, Target
from authority_fakes import mailbox

TYPES = ("UserMailbox", "MailUser", "MailContact", "MailUniversalDistributionGroup", "")
DETAILS = (
    "UserMailbox",
    "SharedMailbox",
    "RoomMailbox",
    "EquipmentMailbox",
    "DiscoveryMailbox",
    "SchedulingMailbox",
    "GroupMailbox",
    "",
)


def expected(recipient_type, details, dir_synced):
    if recipient_type != "UserMailbox":
        return {"MailUser": "on_premises_mailbox", "": "no_mailbox"}.get(recipient_type, "not_a_user")
    if not dir_synced:
        return "cloud_only"
    return None if details in TRANSFERABLE_TYPES else "unsupported_type"


@pytest.mark.parametrize(
    ("recipient_type", "details", "dir_synced", "cloud_managed", "authority"),
    list(itertools.product(TYPES, DETAILS, (True, False), (True, False), ("cloud", "on_premises"))),
)
def test_truth_table(recipient_type, details, dir_synced, cloud_managed, authority):
    item = mailbox(
        "anna",
        recipient_type=recipient_type,
        recipient_type_details=details,
        dir_synced=dir_synced,
        cloud_managed=cloud_managed,
    )
    reason = expected(recipient_type, details, dir_synced)
    assert ineligible_reason(item) == reason
    planning = Planning(authority, 20)
    planning.add(item)
    plan = planning.plan()
    right_already = cloud_managed == (authority == "cloud")
    assert [left.reason for left in plan.ineligible] == ([reason] if reason else [])
    assert plan.unchanged == int(reason is None and right_already)
    assert plan.change == ((Target(item.id, "anna@contoso.com"),) if reason is None and not right_already else ())
    assert plan.total == 1
    if reason:
        assert REASONS[reason] in plan.ineligible[0].as_result()["message"]
