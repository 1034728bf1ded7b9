# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange organisation of a forest: what Setup, the Hybrid Configuration Wizard and two servers leave in AD."""

from __future__ import annotations

from tests.lab.forest.entries import Entry, attributes, child, entry_guid
from tests.lab.forest.organization_hybrid import hybrid
from tests.lab.forest.organization_mail_flow import mail_flow
from tests.lab.forest.organization_parts import maker, places_of
from tests.lab.forest.organization_servers import servers
from tests.lab.forest.recipients import VERSION_2013
from tests.lab.forest.schema import ORGANIZATION_VERSION, SYSTEM_OBJECTS_VERSION
from tests.lab.forest.system_mailboxes import health_mailboxes, system_mailboxes, system_objects
from tests.lab.settings import Forest

UNIVERSAL_SECURITY = -2147483640
MANAGEMENT, VIEW_ONLY = "Organization Management", "View-Only Organization Management"
SECURITY_GROUPS = (
    MANAGEMENT,
    "Recipient Management",
    "Exchange Servers",
    "Exchange Trusted Subsystem",
    "Exchange Windows Permissions",
    "ExchangeLegacyInterop",
    "Managed Availability Servers",
    "Delegated Setup",
    "Discovery Management",
    "Help Desk",
    "Hygiene Management",
    "Compliance Management",
    "Public Folder Management",
    "Records Management",
    "Server Management",
    "UM Management",
    VIEW_ONLY,
    "Security Administrator",
    "Security Reader",
)
MEMBERS = {MANAGEMENT: "exchange_admin", VIEW_ONLY: "exchange_viewer"}  # roles of accounts


def security_groups_unit(forest: Forest) -> str:
    """The unit of Exchange's security groups."""
    return child(forest.base_dn, "Microsoft Exchange Security Groups", "OU")


def organization(forest: Forest, service_unit: str) -> tuple[Entry, ...]:
    """Every object, parents and what others refer to first. ``service_unit`` holds the accounts of the groups."""
    places, entry = places_of(forest), maker(forest)
    return (
        entry(places.root.split(",", 1)[1], "msExchContainer"),
        entry(
            places.root,
            "msExchOrganizationContainer",
            attributes(
                objectVersion=ORGANIZATION_VERSION, msExchProductID="15.02.1544.004", msExchVersion=VERSION_2013
            ),
        ),
        entry(places.admin_group.split(",", 1)[1], "msExchAdminGroupContainer"),
        entry(places.admin_group, "msExchAdminGroup"),
        *servers(forest, entry),
        *system_mailboxes(forest),
        *mail_flow(forest, entry),
        *hybrid(forest, entry),
        *_domain_partition(forest, service_unit),
        *health_mailboxes(forest),
    )


def _domain_partition(forest: Forest, service_unit: str) -> list[Entry]:
    unit, container = security_groups_unit(forest), system_objects(forest)

    def guid(dn: str) -> str:
        return entry_guid(forest.name, "organization", dn)

    def members(name: str) -> list[str]:
        return [child(service_unit, forest.account(MEMBERS[name]).name)] if name in MEMBERS else []

    return [
        Entry(
            container,
            ("top", "msExchSystemObjectsContainer"),
            guid(container),
            attributes(objectVersion=SYSTEM_OBJECTS_VERSION, showInAdvancedViewOnly=True),
        ),
        Entry(unit, ("top", "organizationalUnit"), guid(unit)),
        *(
            Entry(
                child(unit, name),
                ("top", "group"),
                guid(child(unit, name)),
                attributes(sAMAccountName=name, groupType=UNIVERSAL_SECURITY, member=members(name)),
            )
            for name in SECURITY_GROUPS
        ),
    ]
