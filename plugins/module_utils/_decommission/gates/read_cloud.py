# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Readings from Exchange Online and Graph."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound, ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import CORE_PROPERTIES, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

STATE_PROPERTY = "BlockExchangeProvisioningFromOnPremEnabled"
"""The property of Get-OrganizationConfig that is true while new users are cloud-managed by default."""

EXCHANGE_APPLICATION = "00000002-0000-0ff1-ce00-000000000000"
"""The application id of Exchange Online itself, the same in every tenant."""

_NO_GUID = "00000000-0000-0000-0000-000000000000"
_RECIPIENT = ("DisplayName", "PrimarySmtpAddress", "RecipientTypeDetails", "IsDirSynced", "ExternalDirectoryObjectId")
# Where the hybrid agent publishes on-premises servers. [inf: a suffix of its own in each cloud]
AGENT_HOSTS = ("msappproxy.net", "msappproxy.us", "msappproxy.cn")

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Mailboxes:
    """How many mailboxes there are, how many of them are synchronized, those that are not cloud-managed, and a sample.

    The sample are user principal names of cloud-managed ones: always the same while the mailboxes are.
    """

    total: int
    synced: int
    unmanaged: tuple[Mapping[str, Any], ...]
    sample: tuple[str, ...]


@dataclass(frozen=True)
class GraphRights:
    """The id of Exchange Online's service principal, how many credentials it has, and what the application may do.

    ``roles`` are the ids of application permissions that are granted to the application, of all resources.
    """

    principal: str
    key_credentials: int | None
    roles: frozenset[str]


def organization(facts: Facts) -> Mapping[str, Any]:
    """The tenant's configuration of Exchange."""
    rows = _rows(facts, Cmdlet("Get-OrganizationConfig", {}, ("Name", STATE_PROPERTY, "PublicFoldersEnabled")))
    if len(rows) != 1:
        raise ProtocolError(f"Exchange Online gave {len(rows)} configurations of the organization instead of one.")
    return rows[0]


def mailboxes(facts: Facts) -> Mailboxes:
    """Every mailbox of the tenant, looked at once."""
    total = synced = 0
    unmanaged: Rows = []
    # The smallest digests: a sample that does not depend on the order in which the service tells.
    kept: list[tuple[int, str]] = []
    for mailbox in facts.ends.mailboxes().read(Selection("all", None, allow_empty=True), CORE_PROPERTIES):
        total += 1
        facts.ends.progress.advance()
        if not mailbox.dir_synced:
            continue
        synced += 1
        if not mailbox.cloud_managed:
            unmanaged.append(_unmanaged(mailbox))
            continue
        rank = -int.from_bytes(hashlib.sha256(mailbox.id.encode()).digest()[:8], "big")
        if len(kept) < facts.wanted.sample_size:
            heapq.heappush(kept, (rank, mailbox.user_principal_name))
        elif kept and rank > kept[0][0]:
            heapq.heapreplace(kept, (rank, mailbox.user_principal_name))
    return Mailboxes(total, synced, tuple(unmanaged), tuple(sorted(name for _rank, name in kept)))


def _unmanaged(mailbox: Mailbox) -> dict[str, Any]:
    return {"object": mailbox.user_principal_name, "id": mailbox.id, "type": mailbox.recipient_type_details}


def groups(facts: Facts) -> Rows:
    """Mail-enabled groups that are still mastered in Active Directory."""
    return _synced(_rows(facts, Cmdlet("Get-DistributionGroup", {"ResultSize": "Unlimited"}, _RECIPIENT)))


def contacts(facts: Facts) -> Rows:
    """Mail contacts that are still mastered in Active Directory."""
    return _synced(_rows(facts, Cmdlet("Get-MailContact", {"ResultSize": "Unlimited"}, _RECIPIENT)))


def mail_users(facts: Facts) -> Rows:
    """Synchronized users with an address and without a mailbox here; ``on_premises`` where they have one there."""
    wanted = {"ResultSize": "Unlimited", "Filter": "IsDirSynced -eq 'True'"}
    select = (*_RECIPIENT, "UserPrincipalName", "ExchangeGuid")
    rows = [row for row in _rows(facts, Cmdlet("Get-MailUser", wanted, select)) if _true(row.get("IsDirSynced", True))]
    return [
        {
            "object": str(
                row.get("UserPrincipalName") or row.get("PrimarySmtpAddress") or row.get("DisplayName") or ""
            ),
            "id": str(row.get("ExternalDirectoryObjectId") or ""),
            # msExchMailboxGuid of AD arrives as ExchangeGuid: it tells a mailbox on premises from a mail user.
            "on_premises": str(row.get("ExchangeGuid") or _NO_GUID) != _NO_GUID,
        }
        for row in rows
    ]


def moves(facts: Facts) -> Mapping[str, Rows]:
    """Migration batches and move requests of the cloud."""
    return {
        "batches": _rows(facts, Cmdlet("Get-MigrationBatch", {}, ("Identity", "Status"))),
        "moves": _rows(
            facts, Cmdlet("Get-MoveRequest", {"ResultSize": "Unlimited"}, ("DisplayName", "Identity", "Status"))
        ),
    }


def outbound_connectors(facts: Facts) -> Rows:
    """Connectors that take mail out of Exchange Online."""
    select = ("Name", "Enabled", "ConnectorType", "RecipientDomains", "SmartHosts", "RouteAllMessagesViaOnPremises")
    return _rows(facts, Cmdlet("Get-OutboundConnector", {}, select))


def inbound_connectors(facts: Facts) -> Rows:
    """Connectors that bring mail into Exchange Online."""
    select = ("Name", "Enabled", "ConnectorType", "SenderDomains", "SenderIPAddresses", "TlsSenderCertificateName")
    return _rows(facts, Cmdlet("Get-InboundConnector", {}, select))


def accepted_domains(facts: Facts) -> Rows:
    """The domains that Exchange Online takes mail for."""
    return _rows(facts, Cmdlet("Get-AcceptedDomain", {}, ("DomainName", "DomainType", "Default")))


def hybrid_agent(facts: Facts) -> Rows:
    """What shows in the cloud that a hybrid agent publishes on-premises servers."""
    relationships = _rows(facts, Cmdlet("Get-OrganizationRelationship", {}, ("Name", "TargetSharingEpr")))
    endpoints = _rows(facts, Cmdlet("Get-MigrationEndpoint", {}, ("Identity", "RemoteServer")))
    found = [
        {"object": str(row.get(name) or ""), "kind": kind, "address": str(row.get(address) or "")}
        for rows, kind, name, address in (
            (relationships, "organization_relationship", "Name", "TargetSharingEpr"),
            (endpoints, "migration_endpoint", "Identity", "RemoteServer"),
        )
        for row in rows
    ]
    return [item for item in found if any(host in item["address"].lower() for host in AGENT_HOSTS)]


def expected_mx(facts: Facts, domains: Iterable[str]) -> dict[str, str]:
    """The MX record that Exchange Online expects of each of these domains, where it tells."""
    found = {}
    for domain in domains:
        asked = Cmdlet("Get-DnssecStatusForVerifiedDomain", {"DomainName": domain}, ("ExpectedMxRecord",))
        try:
            rows = _rows(facts, asked)
        except HybridError:
            continue  # the suffix decides then
        for row in rows:
            record = row.get("ExpectedMxRecord")
            text = str(record.get("Record") or "") if isinstance(record, Mapping) else str(record or "")
            host = text.split()[-1].rstrip(".").lower() if text.strip() else ""
            if "." in host and not host.startswith("microsoft.exchange."):  # the name of its class, not its content
                found[domain] = host
    return found


def graph_rights(facts: Facts) -> GraphRights:
    """Exchange Online's own service principal, read as the clean-up in the cloud would read it, and what is granted."""
    graph = facts.ends.graph()
    needs = "the application permission Application.Read.All (Application.ReadWrite.All to change it later)"

    def principal(application: str, whose: str, properties: str) -> Mapping[str, Any]:
        query = {"$filter": f"appId eq '{application}'", "$select": properties}
        for row in graph.pages("/servicePrincipals", query, needs=needs):
            return row
        raise NotFound(f"Graph shows no service principal of {whose} ({application}).")

    exchange = principal(EXCHANGE_APPLICATION, "Exchange Online", "id,appId,keyCredentials")
    own = principal(facts.wanted.client_id, "the application that signs in", "id,appId")
    granted = graph.pages(f"/servicePrincipals/{own['id']}/appRoleAssignments", needs=needs)
    keys = exchange.get("keyCredentials")
    return GraphRights(
        principal=str(exchange.get("id")),
        key_credentials=len(keys) if isinstance(keys, list) else None,
        roles=frozenset(str(row.get("appRoleId")).lower() for row in granted),
    )


def job(facts: Facts) -> Mapping[str, Any]:
    """The writeback job of the domain."""
    return facts.ends.job()


def round_trip(facts: Facts) -> Mapping[str, Any]:
    """The mailboxes that the task selects, else a sample, compared on both sides."""
    if facts.ends.selected:
        return facts.ends.round_trip(None)
    sample = facts.value("mailboxes").sample
    return facts.ends.round_trip(sample) if sample else {"proven": None, "counts": {"total": 0}}


def _rows(facts: Facts, cmdlet: Cmdlet) -> Rows:
    return list(facts.ends.exchange_online().invoke(cmdlet))


def _synced(rows: Rows) -> Rows:
    return [
        {
            "object": str(row.get("PrimarySmtpAddress") or row.get("DisplayName") or ""),
            "id": str(row.get("ExternalDirectoryObjectId") or ""),
            "type": str(row.get("RecipientTypeDetails") or ""),
        }
        for row in rows
        if _true(row.get("IsDirSynced"))
    ]


def _true(value: Any) -> bool:
    return value is True or str(value).casefold() == "true"
