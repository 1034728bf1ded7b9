# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account may do with Exchange, by the groups that it is a member of in the directory."""

from __future__ import annotations

from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest.organization import MANAGEMENT, VIEW_ONLY, security_groups_unit
from tests.lab.forest.system_mailboxes import users_container

FULL, VIEW, NOTHING = "full", "view", "nothing"
ENTERPRISE = "Enterprise Admins"
IN_CHAIN = "1.2.840.113556.1.4.1941"  # matching rule: through nested groups
ROLES: dict[str, tuple[str, ...]] = {
    MANAGEMENT: (
        "Active Directory Permissions",
        "Exchange Servers",
        "Exchange Server Certificates",
        "Federated Sharing",
        "Mail Recipients",
        "Mail Recipient Creation",
        "Message Tracking",
        "Move Mailboxes",
        "Organization Client Access",
        "Organization Configuration",
        "Organization Transport Settings",
        "Receive Connectors",
        "Remote and Accepted Domains",
        "Role Management",
        "Send Connectors",
        "Transport Queues",
        "Transport Rules",
        "View-Only Configuration",
        "View-Only Recipients",
    ),
    "Recipient Management": ("Mail Recipients", "Mail Recipient Creation", "Message Tracking", "Move Mailboxes"),
    "Server Management": ("Exchange Servers", "Exchange Server Certificates", "Receive Connectors", "Transport Queues"),
    "Help Desk": ("View-Only Recipients",),
    VIEW_ONLY: ("Monitoring", "View-Only Configuration", "View-Only Recipients", "Message Tracking"),
}


def groups(organization: Organization) -> list[Found]:
    """The security groups of Exchange, by name."""
    return organization.below(security_groups_unit(organization.forest), "group")


def is_member(organization: Organization, account: str, group_dn: str) -> bool:
    """Whether an account is a member of a group, directly or through others."""
    condition = f"(&(sAMAccountName={account})(memberOf:{IN_CHAIN}:={group_dn}))"
    return bool(organization.directory.search(organization.forest.base_dn, condition, names=("cn",)))


def of(organization: Organization, account: str) -> str:
    """What an account may: everything, look, or nothing. The domain's administrator set Exchange up."""
    if account.lower() == "administrator":
        return FULL
    unit = security_groups_unit(organization.forest)
    for name, right in ((MANAGEMENT, FULL), (VIEW_ONLY, VIEW)):
        if is_member(organization, account, f"CN={name},{unit}"):
            return right
    return NOTHING


def may_uninstall(organization: Organization, account: str, last: bool) -> bool:
    """Whether an account may take a server away; the last one touches the whole forest."""
    if account.lower() == "administrator":
        return True
    enterprise = is_member(organization, account, f"CN={ENTERPRISE},{users_container(organization.forest)}")
    return of(organization, account) == FULL and (enterprise or not last)
