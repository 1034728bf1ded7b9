# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the hybrid set-up in the cloud share: the names of the story, and short ways to read."""

from __future__ import annotations

from typing import Any

from tests.lab import hybrid_facts as facts
from tests.lab_tests.cloud_support import CloudLab

GUID = facts.hybrid_guid("contoso")
INBOUND, OUTBOUND = f"Inbound from {GUID}", f"Outbound to {GUID}"
RELATIONSHIP = f"O365 to On-premises - {GUID}"
ENDPOINT = "Hybrid Migration Endpoint - mail.contoso.lab"
# Every kind of object that a clean-up of the cloud is about: name of the wizard's, name of what only looks like it.
STORY = {
    "InboundConnector": (INBOUND, "From mail gateway"),
    "OutboundConnector": (OUTBOUND, "To Northwind (TLS)"),
    "OrganizationRelationship": (RELATIONSHIP, "Northwind Traders"),
    "IntraOrganizationConnector": (f"HybridIOC - {facts.cloud_connector_guid('contoso')}", "Merger with Adatum"),
    "MigrationEndpoint": (ENDPOINT, "Archive import (IMAP)"),
    "OnPremisesOrganization": (GUID, None),
    "RemoteDomain": ("Hybrid Domain - contoso.lab", "Northwind"),
    "TransportRule": ("Centralized mail transport for legal hold", "Disclaimer"),
}


def rows(lab: CloudLab, cmdlet: str, tenant: str = "contoso", **parameters: Any) -> list[dict[str, Any]]:
    reply = lab.exo(cmdlet, tenant=tenant, **parameters)
    assert reply.status == 200, reply.content
    found: list[dict[str, Any]] = reply.content["value"]
    return found


def row(lab: CloudLab, noun: str, name: str) -> dict[str, Any]:
    [found] = rows(lab, f"Get-{noun}", Identity=name)
    return found


def names(lab: CloudLab, noun: str) -> list[str]:
    return [one["Name"] for one in rows(lab, f"Get-{noun}")]
