# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The kinds of objects of a hybrid set-up in the cloud, as data.

Names of the wizard's objects: Microsoft, pages on the Hybrid Configuration wizard and on decommissioning; third-party
module DecomExch. A name that a source does not give is inferred, and then only one of several signs.
"""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import NOT_DEFAULT, Kind, named
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import GUID
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.rules import Rule, Sign
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import CLOUD

ROWS = (
    Kind(
        "intra_organization_connector",
        CLOUD,
        "intra-organization connector",
        "Get-IntraOrganizationConnector",
        rules=(
            named(rf"HybridIOC - {GUID}", "named HybridIOC - <id>"),
            named("ExchangeHybridOnlineToOnPremises", "named ExchangeHybridOnlineToOnPremises"),
        ),
        make="New-IntraOrganizationConnector",
        alter="Set-IntraOrganizationConnector",
    ),
    Kind(
        "service_principal_keys",
        CLOUD,
        "key of Exchange Online's service principal",
        lost="Graph did not tell the certificate of this key. The OAuth part of the Hybrid Configuration wizard "
        "uploads it again.",
    ),
    Kind(
        "hybrid_application",
        CLOUD,
        "dedicated hybrid application",
        lost="Entra keeps a deleted application for 30 days; after that it is made again by Microsoft's script "
        "ConfigureExchangeHybridApplication.ps1.",
    ),
    Kind(
        "migration_batch",
        CLOUD,
        "migration batch",
        "Get-MigrationBatch",
        lost="A migration batch is a list of users of that time and is not made again.",
    ),
    Kind(
        "migration_endpoint",
        CLOUD,
        "migration endpoint",
        "Get-MigrationEndpoint",
        rules=(
            Rule(
                "named Hybrid Migration Endpoint, for remote moves",
                (
                    Sign("Identity", "matches", "Hybrid Migration Endpoint - .+"),
                    Sign("EndpointType", "equals", "ExchangeRemoteMove"),
                ),
            ),
            Rule(
                "for remote moves through the hybrid agent",
                (
                    Sign("EndpointType", "equals", "ExchangeRemoteMove"),
                    Sign("RemoteServer", "matches", rf"{GUID}\.resource\..+"),
                ),
            ),
        ),
        lost="An endpoint takes the credentials of an account of the servers, which are exported nowhere: "
        "New-MigrationEndpoint -ExchangeRemoteMove -RemoteServer -Credentials.",
    ),
    Kind(
        "on_premises_organization",
        CLOUD,
        "on-premises organization",
        "Get-OnPremisesOrganization",
        rules=(Rule("with this organization's id", (Sign("Name", "own", "on_premises_organization"),)),),
        make="New-OnPremisesOrganization",
        alter="Set-OnPremisesOrganization",
    ),
    Kind(
        "inbound_connector",
        CLOUD,
        "inbound connector",
        "Get-InboundConnector",
        rules=(
            named(rf"Inbound from {GUID}", "named Inbound from <id>", Sign("ConnectorType", "equals", "OnPremises")),
            Rule("named by the record of this organization", (Sign("Name", "own", "inbound_connector"),)),
        ),
        make="New-InboundConnector",
        alter="Set-InboundConnector",
    ),
    Kind(
        "outbound_connector",
        CLOUD,
        "outbound connector",
        "Get-OutboundConnector",
        rules=(
            named(
                rf"Outbound (?:to|from) {GUID}", "named Outbound to <id>", Sign("ConnectorType", "equals", "OnPremises")
            ),
            Rule("named by the record of this organization", (Sign("Name", "own", "outbound_connector"),)),
        ),
        make="New-OutboundConnector",
        alter="Set-OutboundConnector",
    ),
    Kind(
        "organization_relationship",
        CLOUD,
        "organization relationship",
        "Get-OrganizationRelationship",
        rules=(
            named(rf"O365 to On-premises - {GUID}", "named O365 to On-premises - <id>"),
            Rule("named by the record of this organization", (Sign("Name", "own", "organization_relationship"),)),
        ),
        make="New-OrganizationRelationship",
        alter="Set-OrganizationRelationship",
    ),
    Kind(
        "remote_domain",
        CLOUD,
        "remote domain",
        "Get-RemoteDomain",
        rules=(named("Hybrid Domain - .+", "named Hybrid Domain - <domain>"),),
        similar=NOT_DEFAULT,
        make="New-RemoteDomain",
        alter="Set-RemoteDomain",
    ),
    Kind(
        "transport_rule",
        CLOUD,
        "transport rule",
        "Get-TransportRule",
        make="New-TransportRule",
        lost="Only conditions, exceptions and actions that New-TransportRule has a parameter of the same name for.",
    ),
)
