# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The order of the whole removal: one row for each step, and the orders in which sources name the steps.

Sources disagree, so the order is data. The default is the order in which the Exchange team's announcement of May 2026
names the items of its page; that the order of naming is the order of steps is inferred. A step says why it comes where
it comes, which page says so, and whether it can be taken back with cmdlets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

CLEAN_UP, UNINSTALL, CLOUD_CLEAN_UP = "clean_up", "uninstall", "cloud_clean_up"
PHASES = (CLEAN_UP, UNINSTALL, CLOUD_CLEAN_UP)
ON_PREMISES, CLOUD, SERVER = "on_premises", "cloud", "server"

# Pages, in the words that a reader can look them up by.
TEAM = "Exchange team, announcement of the public preview, May 2026: what the page on the last server covers"
SCENARIO_TWO = "Microsoft, Decommission on-premises Exchange servers in a hybrid deployment, scenario two (2021)"
WIZARD_ERRORS = "Microsoft support, errors of the Hybrid Configuration wizard (HCW8021)"
CMDLETS = "Microsoft, cmdlet reference of Exchange"
HYBRID_SCRIPT = "Microsoft, ConfigureExchangeHybridApplication.ps1 (CSS-Exchange)"
DECOM_MODULE = "third party, PowerShell module DecomExch"
REMOVAL_GUIDE = "Exchange team, private preview guide on removing the last server (January 2026)"
UNATTENDED = "Microsoft, Use unattended mode in Exchange Setup"


@dataclass(frozen=True)
class Step:
    """One step. ``verb`` is remove, disable or change; ``reversible``: cmdlets can put it back from the export."""

    id: str
    phase: str
    side: str
    kind: str
    verb: str
    what: str
    cmdlets: tuple[str, ...]
    reason: str
    source: str
    reversible: bool


_ROWS = (
    Step(
        "clear_service_connection_point",
        CLEAN_UP,
        ON_PREMISES,
        "service_connection_point",
        "change",
        "the Autodiscover address of each server in AD",
        ("Set-ClientAccessService",),
        "Clients inside the domain ask AD for Autodiscover first; while it names a server, they go there.",
        SCENARIO_TWO,
        True,
    ),
    Step(
        "remove_hybrid_configuration",
        CLEAN_UP,
        ON_PREMISES,
        "hybrid_configuration",
        "remove",
        "the hybrid configuration object",
        ("Remove-HybridConfiguration",),
        "Only this object goes; what it describes stays and works. While it is there, the hybrid objects can be made "
        "again behind your back.",
        f"{TEAM}; {SCENARIO_TWO}; {WIZARD_ERRORS}",
        True,
    ),
    Step(
        "disable_intra_organization_connector",
        CLEAN_UP,
        ON_PREMISES,
        "intra_organization_connector",
        "disable",
        "the wizard's intra-organization connector",
        ("Set-IntraOrganizationConnector",),
        "Off first and gone later: whoever still needs it is noticed while it can be turned on again.",
        f"{TEAM}; {DECOM_MODULE}",
        True,
    ),
    Step(
        "disable_cloud_intra_organization_connector",
        CLEAN_UP,
        CLOUD,
        "intra_organization_connector",
        "disable",
        "the wizard's intra-organization connector in Exchange Online",
        ("Set-IntraOrganizationConnector",),
        "Exchange Online would go on asking the servers for free/busy. Off on both sides, as both pages have it.",
        f"{SCENARIO_TWO}; {REMOVAL_GUIDE}",
        True,
    ),
    Step(
        "remove_intra_organization_connector",
        CLEAN_UP,
        ON_PREMISES,
        "intra_organization_connector",
        "remove",
        "the wizard's intra-organization connector",
        ("Remove-IntraOrganizationConnector",),
        "It was off for the stated time and nobody missed it.",
        f"{TEAM}; {DECOM_MODULE}",
        True,
    ),
    Step(
        "remove_send_connector",
        CLEAN_UP,
        ON_PREMISES,
        "send_connector",
        "remove",
        "the wizard's send connector to Exchange Online",
        ("Remove-SendConnector",),
        "Nothing is sent through the servers any more; a send connector with a server as its source blocks Setup.",
        TEAM,
        True,
    ),
    Step(
        "change_receive_connector",
        CLEAN_UP,
        ON_PREMISES,
        "receive_connector",
        "change",
        "the trust of receive connectors in Exchange Online (TlsDomainCapabilities)",
        ("Set-ReceiveConnector",),
        "After it, mail from Exchange Online counts as mail from anywhere; so only when none comes any more.",
        f"{TEAM}; {DECOM_MODULE}",
        True,
    ),
    Step(
        "remove_remote_domain",
        CLEAN_UP,
        ON_PREMISES,
        "remote_domain",
        "remove",
        "the wizard's remote domain",
        ("Remove-RemoteDomain",),
        "It only shapes mail that goes through the send connector, which is gone.",
        DECOM_MODULE,
        True,
    ),
    Step(
        "remove_organization_relationship",
        CLEAN_UP,
        ON_PREMISES,
        "organization_relationship",
        "remove",
        "the wizard's organization relationship",
        ("Remove-OrganizationRelationship",),
        "It stands on the federation trust, so it goes before the trust.",
        TEAM,
        True,
    ),
    Step(
        "remove_federated_domain",
        CLEAN_UP,
        ON_PREMISES,
        "federated_domain",
        "remove",
        "the federated domains",
        ("Remove-FederatedDomain",),
        "The trust cannot go while domains are registered with it; the account namespace is the last of them.",
        f"{TEAM}; {CMDLETS}",
        False,
    ),
    Step(
        "disable_federated_organization",
        CLEAN_UP,
        ON_PREMISES,
        "federated_organization",
        "disable",
        "the federated organization identifier",
        ("Set-FederatedOrganizationIdentifier",),
        "Off before the trust that it points at is removed.",
        DECOM_MODULE,
        True,
    ),
    Step(
        "remove_federation_trust",
        CLEAN_UP,
        ON_PREMISES,
        "federation_trust",
        "remove",
        "the federation trust",
        ("Remove-FederationTrust",),
        "No relationship and no domain needs it any more.",
        TEAM,
        False,
    ),
    Step(
        "remove_federation_certificate",
        CLEAN_UP,
        ON_PREMISES,
        "federation_certificate",
        "remove",
        "the certificate of the federation trust on each server",
        ("Remove-ExchangeCertificate",),
        "Exchange does not let go of it while the trust names it.",
        TEAM,
        False,
    ),
    Step(
        "disable_auth_server",
        CLEAN_UP,
        ON_PREMISES,
        "auth_server",
        "disable",
        "the auth servers of Exchange Online",
        ("Set-AuthServer",),
        "OAuth between the sides is over once the connectors are gone.",
        f"{TEAM}; {DECOM_MODULE}",
        True,
    ),
    Step(
        "disable_partner_application",
        CLEAN_UP,
        ON_PREMISES,
        "partner_application",
        "disable",
        "the partner application Exchange Online",
        ("Set-PartnerApplication",),
        "It lets Exchange Online act for users here; nobody is here any more.",
        f"{TEAM}; {DECOM_MODULE}",
        True,
    ),
    Step(
        "remove_service_principal_keys",
        CLEAN_UP,
        CLOUD,
        "service_principal_keys",
        "change",
        "the keys of this organization on Exchange Online's own service principal",
        ("PATCH /servicePrincipals/{id} keyCredentials",),
        "With them the servers' certificate signs in to the tenant. Nothing else of that service principal is touched.",
        f"{TEAM}; {HYBRID_SCRIPT}",
        False,
    ),
    Step(
        "remove_setting_override",
        CLEAN_UP,
        ON_PREMISES,
        "setting_override",
        "remove",
        "the setting override that turns the dedicated hybrid application on",
        ("Remove-SettingOverride",),
        "Before the application itself, so that no server asks for tokens of an application that is gone.",
        HYBRID_SCRIPT,
        True,
    ),
    Step(
        "remove_hybrid_application",
        CLEAN_UP,
        CLOUD,
        "hybrid_application",
        "remove",
        "the dedicated hybrid application",
        ("DELETE /applications/{id}",),
        "Entra keeps it among the deleted items for 30 days, so it can be restored.",
        HYBRID_SCRIPT,
        True,
    ),
    Step(
        "remove_hybrid_agent",
        CLEAN_UP,
        ON_PREMISES,
        "hybrid_agent",
        "remove",
        "the hybrid agent: its registration, then the program",
        ("Remove-HybridApplication", "Start-Process"),
        "Named last. Free/busy and moves of a modern hybrid went through it, and both are over.",
        TEAM,
        False,
    ),
    Step(
        "disable_system_mailboxes",
        UNINSTALL,
        SERVER,
        "system_mailbox",
        "disable",
        "Exchange's own mailboxes",
        ("Disable-Mailbox",),
        "Setup refuses while a database holds a mailbox. Those of the organization go with the last server only. "
        "Removing them instead would delete their accounts in AD as well.",
        f"{CMDLETS}; {REMOVAL_GUIDE}",
        False,
    ),
    Step(
        "repoint_send_connectors",
        UNINSTALL,
        SERVER,
        "send_connector",
        "change",
        "send connectors that have the server as a source",
        ("Set-SendConnector",),
        "Setup refuses while the server is the source of a connector; the remaining servers take over.",
        "Microsoft, readiness checks of Exchange Setup",
        True,
    ),
    Step(
        "remove_database_copies",
        UNINSTALL,
        SERVER,
        "database_copy",
        "remove",
        "database copies on the server",
        ("Remove-MailboxDatabaseCopy",),
        "A server leaves its availability group only without copies.",
        CMDLETS,
        False,
    ),
    Step(
        "leave_availability_group",
        UNINSTALL,
        SERVER,
        "availability_group",
        "remove",
        "the server's membership of its availability group",
        ("Remove-DatabaseAvailabilityGroupServer",),
        "Setup refuses a member of an availability group.",
        CMDLETS,
        False,
    ),
    Step(
        "remove_databases",
        UNINSTALL,
        SERVER,
        "database",
        "remove",
        "databases of the server, which are empty",
        ("Remove-MailboxDatabase",),
        "Setup refuses while the server has a database that another server does not take over.",
        CMDLETS,
        False,
    ),
    Step(
        "run_setup",
        UNINSTALL,
        SERVER,
        "server",
        "remove",
        "Exchange Server itself, by Setup",
        ("Start-Process",),
        "Only Setup takes Exchange out of AD and off the server as a whole.",
        f"{TEAM}; {UNATTENDED}",
        False,
    ),
    Step(
        "remove_migration_batch",
        CLOUD_CLEAN_UP,
        CLOUD,
        "migration_batch",
        "remove",
        "migration batches of the hybrid endpoints, which have ended",
        ("Remove-MigrationBatch",),
        "An endpoint that a batch uses cannot be removed.",
        CMDLETS,
        False,
    ),
    Step(
        "remove_migration_endpoint",
        CLOUD_CLEAN_UP,
        CLOUD,
        "migration_endpoint",
        "remove",
        "the hybrid migration endpoints",
        ("Remove-MigrationEndpoint",),
        "They point at servers that are gone.",
        CMDLETS,
        False,
    ),
    Step(
        "remove_transport_rule",
        CLOUD_CLEAN_UP,
        CLOUD,
        "transport_rule",
        "remove",
        "transport rules that you named because they point at what is gone",
        ("Remove-TransportRule",),
        "Before the connectors that they route through.",
        CMDLETS,
        True,
    ),
    Step(
        "remove_on_premises_organization",
        CLOUD_CLEAN_UP,
        CLOUD,
        "on_premises_organization",
        "remove",
        "Exchange Online's record of the on-premises organization",
        ("Remove-OnPremisesOrganization",),
        "It refers to both connectors and to the relationship, so it goes before them.",
        CMDLETS,
        True,
    ),
    Step(
        "remove_inbound_connector",
        CLOUD_CLEAN_UP,
        CLOUD,
        "inbound_connector",
        "remove",
        "the wizard's inbound connector",
        ("Remove-InboundConnector",),
        "No server sends to Exchange Online any more.",
        f"{SCENARIO_TWO}; {CMDLETS}",
        True,
    ),
    Step(
        "remove_outbound_connector",
        CLOUD_CLEAN_UP,
        CLOUD,
        "outbound_connector",
        "remove",
        "the wizard's outbound connector",
        ("Remove-OutboundConnector",),
        "No server receives from Exchange Online any more.",
        f"{SCENARIO_TWO}; {CMDLETS}",
        True,
    ),
    Step(
        "remove_cloud_organization_relationship",
        CLOUD_CLEAN_UP,
        CLOUD,
        "organization_relationship",
        "remove",
        "the wizard's organization relationship in Exchange Online",
        ("Remove-OrganizationRelationship",),
        "The organization that it is about is gone.",
        f"{SCENARIO_TWO}; {CMDLETS}",
        True,
    ),
    Step(
        "remove_cloud_intra_organization_connector",
        CLOUD_CLEAN_UP,
        CLOUD,
        "intra_organization_connector",
        "remove",
        "the wizard's intra-organization connector in Exchange Online",
        ("Remove-IntraOrganizationConnector",),
        "It has been off since the hybrid clean-up.",
        CMDLETS,
        True,
    ),
    Step(
        "remove_cloud_remote_domain",
        CLOUD_CLEAN_UP,
        CLOUD,
        "remote_domain",
        "remove",
        "the wizard's remote domain in Exchange Online",
        ("Remove-RemoteDomain",),
        "Optional in all sources. The accepted domain and the addresses in it stay.",
        SCENARIO_TWO,
        True,
    ),
)

STEPS: Mapping[str, Step] = MappingProxyType({row.id: row for row in _ROWS})

EXCHANGE_TEAM, CONFIGURATION_LAST = "exchange_team", "hybrid_configuration_last"
_FEDERATION = (
    "remove_federated_domain",
    "disable_federated_organization",
    "remove_federation_trust",
    "remove_federation_certificate",
)
_UNINSTALL = tuple(row.id for row in _ROWS if row.phase == UNINSTALL)
_CLOUD = tuple(row.id for row in _ROWS if row.phase == CLOUD_CLEAN_UP)
ORDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        EXCHANGE_TEAM: tuple(STEPS),
        # The order of the third-party module and of the private preview guide: everything is turned off before
        # anything is removed, and the hybrid configuration object comes last.
        CONFIGURATION_LAST: (
            "disable_intra_organization_connector",
            "disable_cloud_intra_organization_connector",
            "remove_organization_relationship",
            "remove_send_connector",
            "remove_remote_domain",
            "change_receive_connector",
            *_FEDERATION,
            "disable_auth_server",
            "disable_partner_application",
            "remove_service_principal_keys",
            "remove_setting_override",
            "remove_hybrid_application",
            "remove_hybrid_agent",
            "clear_service_connection_point",
            "remove_intra_organization_connector",
            "remove_hybrid_configuration",
            *_UNINSTALL,
            *_CLOUD,
        ),
    }
)
DEFAULT = EXCHANGE_TEAM


def steps(order: str, phase: str | None = None, side: str | None = None) -> tuple[Step, ...]:
    """The steps of a named order, of one phase and side where these are given; InputError for an unknown order."""
    named = ORDERS.get(order)
    if named is None:
        raise InputError(f"There is no order named {order!r}; there are {', '.join(ORDERS)}.")
    rows = (STEPS[name] for name in named)
    return tuple(row for row in rows if phase in (None, row.phase) and side in (None, row.side))


def kinds(phase: str | None = None, side: str | None = None) -> tuple[str, ...]:
    """The kinds of objects that the steps of a phase and side are about, each once."""
    return tuple(dict.fromkeys(row.kind for row in steps(DEFAULT, phase, side)))


def first_skipped(rows: Sequence[Step], open_steps: Iterable[str], chosen: Iterable[str]) -> tuple[Step, Step] | None:
    """The first step that is chosen although an earlier one is open and not chosen: (the chosen one, the earlier one).

    open_steps: those that still have something to do; chosen: those that shall be done now. None where nothing is
    skipped.
    """
    still, now = set(open_steps), set(chosen)
    waiting: Step | None = None
    for row in rows:
        if row.id not in still:
            continue
        if row.id not in now:
            waiting = waiting or row
        elif waiting is not None:
            return row, waiting
    return None
