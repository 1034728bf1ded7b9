# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Readings from Exchange Server's management endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Conflict, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

Rows = list[dict[str, Any]]

_MAILBOX = ("Name", "PrimarySmtpAddress", "RecipientTypeDetails", "Database", "ServerName", "Identity")
_ALL = {"ResultSize": "Unlimited"}

# The kinds of system mailboxes, each asked for by a switch of its own.
SYSTEM_SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "arbitration": {**_ALL, "Arbitration": True},
    "audit_log": {**_ALL, "AuditLog": True},
    "aux_audit_log": {**_ALL, "AuxAuditLog": True},
    "monitoring": {**_ALL, "Monitoring": True},
    "migration": {**_ALL, "Migration": True},
}
DISCOVERY = "DiscoveryMailbox"


def mailboxes(facts: Facts) -> Rows:
    """Every mailbox on premises but the system's own; discovery mailboxes are among them."""
    return _rows(facts, Cmdlet("Get-Mailbox", _ALL, _MAILBOX))


def archives(facts: Facts) -> Rows:
    """Mailboxes that have their archive on premises."""
    wanted = Cmdlet("Get-Mailbox", {**_ALL, "Archive": True}, (*_MAILBOX, "ArchiveDatabase", "ArchiveName"))
    return _rows(facts, wanted)


def system_mailboxes(facts: Facts) -> Rows:
    """The system's own mailboxes, each with its kind; one that is of two kinds is there once."""
    found: dict[str, dict[str, Any]] = {}
    for kind, switches in SYSTEM_SWITCHES.items():
        for row in _rows(facts, Cmdlet("Get-Mailbox", switches, _MAILBOX)):
            found.setdefault(str(row.get("Identity") or row.get("Name")), {**row, "Kind": kind})
    return list(found.values())


def public_folders(facts: Facts) -> Mapping[str, Any]:
    """How public folders are set up on premises, their mailboxes, and the folders below the root."""
    config = _rows(facts, Cmdlet("Get-OrganizationConfig", {}, ("Name", "PublicFoldersEnabled")))
    boxes = _rows(facts, Cmdlet("Get-Mailbox", {**_ALL, "PublicFolder": True}, _MAILBOX))
    try:
        folders = _rows(
            facts, Cmdlet("Get-PublicFolder", {"Recurse": True, **_ALL}, ("Name", "Identity", "ParentPath"))
        )
    except (NotFound, Conflict):
        # Without a public folder mailbox the cmdlet fails, as there is nothing that could hold folders.
        if boxes:
            raise
        folders = []
    return {
        "enabled": str(config[0].get("PublicFoldersEnabled") or "") if config else "",
        "mailboxes": boxes,
        "folders": [row for row in folders if str(row.get("Name") or "") != "IPM_SUBTREE" and row.get("ParentPath")],
    }


def moves(facts: Facts) -> Mapping[str, Rows]:
    """Migration batches and move requests on premises, those of public folders too."""
    select = ("DisplayName", "Name", "Identity", "Status")
    return {
        "batches": _rows(facts, Cmdlet("Get-MigrationBatch", {}, ("Identity", "Status"))),
        "moves": [
            *_rows(facts, Cmdlet("Get-MoveRequest", _ALL, select)),
            *_rows(facts, Cmdlet("Get-PublicFolderMoveRequest", _ALL, select)),
        ],
    }


def servers(facts: Facts) -> Rows:
    """The servers, as Exchange itself lists them."""
    return _rows(facts, Cmdlet("Get-ExchangeServer", {}, ("Name", "Fqdn", "ServerRole", "AdminDisplayVersion")))


def edge_subscriptions(facts: Facts) -> Rows:
    """Subscriptions of Edge Transport servers."""
    return _rows(facts, Cmdlet("Get-EdgeSubscription", {}, ("Name", "Identity", "Site")))


def queues(facts: Facts) -> Rows:
    """The queues of every server that transports mail."""
    select = ("Identity", "DeliveryType", "Status", "MessageCount", "NextHopDomain", "LastError")
    found: Rows = []
    for name in _names(facts):
        wanted = Cmdlet("Get-Queue", {"Server": name, **_ALL}, select)
        found += [{**row, "Server": name} for row in _rows(facts, wanted)]
    return found


def certificates(facts: Facts) -> Mapping[str, Any]:
    """The certificates of every server, and which of them the hybrid set-up goes by."""
    select = ("Thumbprint", "Subject", "Issuer", "NotAfter", "Services", "Status", "IsSelfSigned")
    found: Rows = []
    for name in _names(facts):
        rows = _rows(facts, Cmdlet("Get-ExchangeCertificate", {"Server": name}, select))
        found += [{**row, "Server": name} for row in rows]
    auth = _rows(facts, Cmdlet("Get-AuthConfig", {}, ("CurrentCertificateThumbprint",)))
    trusts = _rows(facts, Cmdlet("Get-FederationTrust", {}, ("Name", "OrgCertificate", "OrgPrivCertificate")))
    return {"certificates": found, "auth": auth, "trusts": trusts}


def receive_connectors(facts: Facts) -> Rows:
    """The receive connectors of all servers."""
    select = (
        "Identity",
        "Name",
        "Server",
        "Enabled",
        "Bindings",
        "RemoteIPRanges",
        "PermissionGroups",
        "AuthMechanism",
    )
    return _rows(facts, Cmdlet("Get-ReceiveConnector", {}, select))


def send_connectors(facts: Facts) -> Rows:
    """The send connectors."""
    select = (
        *("Name", "Identity", "Enabled", "AddressSpaces", "SmartHosts", "SourceTransportServers"),
        *("TlsDomain", "TlsCertificateName", "CloudServicesMailEnabled", "Fqdn", "SourceIPAddress"),
    )
    return _rows(facts, Cmdlet("Get-SendConnector", {}, select))


def organization_management(facts: Facts) -> Rows:
    """The members of the role group that may remove servers."""
    wanted = {"Identity": ORGANIZATION_MANAGEMENT, **_ALL}
    return _rows(facts, Cmdlet("Get-RoleGroupMember", wanted, ("Name", "DistinguishedName", "SamAccountName", "Guid")))


ORGANIZATION_MANAGEMENT = "Organization Management"


def _names(facts: Facts) -> list[str]:
    topology: Topology = facts.value("topology")
    return [thing.name for thing in topology.mailbox_servers]


def _rows(facts: Facts, cmdlet: Cmdlet) -> Rows:
    return list(facts.ends.exchange_server().invoke(cmdlet))
