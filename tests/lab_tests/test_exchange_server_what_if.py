# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With -WhatIf nothing changes: not in the directory, not on a machine, not in what the organisation keeps besides."""

from __future__ import annotations

from typing import Any

from tests.lab import hybrid_facts
from tests.lab.exchange_server import endpoint
from tests.lab.exchange_server.exchange import ID, KIND
from tests.lab.forest.access import open_directory
from tests.lab.forest.reset_reading import committed
from tests.lab_tests.exchange_support import ExchangeLab, exchange, exchange_certified, run

__all__ = ["exchange", "exchange_certified"]

GUID, ROUTING = hybrid_facts.hybrid_guid("contoso"), "contoso.mail.onmicrosoft.com"
THUMBPRINT = hybrid_facts.federation_certificate("contoso")
ARBITRATION = "SystemMailbox{e0dc1c29-89c3-4034-b678-e6c29d823ed9}"
SEND, IOC, RELATION = f"Outbound to Office 365 - {GUID}", f"HybridIOC - {GUID}", f"On-premises to O365 - {GUID}"
RECEIVE, RULE, OVERRIDE = r"EX01\Default Frontend EX01", "Legal disclaimer", "Disable AMSI body scan"
TRUST, POLICY, SPACE = "Microsoft Federation Gateway", "Default Sharing Policy", "subsidiary.contoso.lab"
# Every changing cmdlet that the endpoint carries out, with parameters that would change something.
CHANGES: dict[str, dict[str, Any]] = {
    "Add-AvailabilityAddressSpace": {"ForestName": "a.example", "AccessMethod": "OrgWideFB"},
    "Add-FederatedDomain": {"DomainName": "a.example"},
    "Add-RoleGroupMember": {"Identity": "Help Desk", "Member": "svc-exchange-viewer"},
    "Disable-Mailbox": {"Identity": ARBITRATION, "Arbitration": True},
    "Disable-RemoteMailbox": {"Identity": "{remote}"},
    "Disable-TransportRule": {"Identity": RULE},
    "Enable-ExchangeCertificate": {"Thumbprint": THUMBPRINT, "Services": "IIS"},
    "Enable-Mailbox": {"Identity": "svc-reader", "Arbitration": True},
    "Enable-TransportRule": {"Identity": RULE},
    "Import-ExchangeCertificate": {},
    "New-AuthServer": {"Name": "x", "AuthMetadataUrl": "https://a.example/m", "Type": "AzureAD"},
    "New-ExchangeCertificate": {"SubjectName": "CN=x"},
    "New-FederationTrust": {"Name": "x", "ApplicationUri": "a.example", "Thumbprint": THUMBPRINT},
    "New-HybridConfiguration": {},
    "New-IntraOrganizationConnector": {"Name": "x", "TargetAddressDomains": ["a"], "DiscoveryEndpoint": "https://a"},
    "New-MoveRequest": {"Identity": "{mailbox}", "TargetDatabase": "DB02"},
    "New-OrganizationRelationship": {"Name": "x", "DomainNames": ["a.example"]},
    "New-PartnerApplication": {"Name": "x", "ApplicationIdentifier": "x"},
    "New-ReceiveConnector": {"Name": "x", "Bindings": ["0.0.0.0:26"], "RemoteIPRanges": ["10.0.0.0/8"]},
    "New-RemoteDomain": {"Name": "x", "DomainName": "a.example"},
    "New-SendConnector": {"Name": "x", "AddressSpaces": ["a.example"]},
    "New-SettingOverride": {"Name": "x", "Component": "C", "Section": "S", "Parameters": ["a=b"], "Reason": "r"},
    "New-SharingPolicy": {"Name": "x", "Domains": ["a.example:CalendarSharingFreeBusySimple"]},
    "New-TransportRule": {"Name": "x"},
    "Remove-AuthServer": {"Identity": "ADFS"},
    "Remove-AvailabilityAddressSpace": {"Identity": SPACE},
    "Remove-DatabaseAvailabilityGroup": {"Identity": "DAG01"},
    "Remove-DatabaseAvailabilityGroupServer": {"Identity": "DAG01", "MailboxServer": "EX01"},
    "Remove-EdgeSubscription": {"Identity": "EDGE01"},
    "Remove-ExchangeCertificate": {"Thumbprint": THUMBPRINT},
    "Remove-FederatedDomain": {"DomainName": "contoso.lab"},
    "Remove-FederationTrust": {"Identity": TRUST},
    "Remove-HybridConfiguration": {},
    "Remove-IntraOrganizationConnector": {"Identity": IOC},
    "Remove-Mailbox": {"Identity": ARBITRATION, "Arbitration": True},
    "Remove-MailboxDatabase": {"Identity": "DB01"},
    "Remove-MailboxDatabaseCopy": {"Identity": r"DB01\EX02"},
    "Remove-MigrationBatch": {"Identity": "Wave 12", "Force": True},
    "Remove-MoveRequest": {"Identity": "{move}"},
    "Remove-OfflineAddressBook": {"Identity": "Default Offline Address Book"},
    "Remove-OrganizationRelationship": {"Identity": RELATION},
    "Remove-PartnerApplication": {"Identity": "Exchange Online"},
    "Remove-ReceiveConnector": {"Identity": RECEIVE},
    "Remove-RemoteDomain": {"Identity": f"Hybrid Domain - {ROUTING}"},
    "Remove-RemoteMailbox": {"Identity": "{remote}"},
    "Remove-SendConnector": {"Identity": SEND},
    "Remove-SettingOverride": {"Identity": OVERRIDE},
    "Remove-SharingPolicy": {"Identity": POLICY},
    "Remove-TransportRule": {"Identity": RULE},
    "Set-AuthConfig": {"CertificateThumbprint": THUMBPRINT},
    "Set-AuthServer": {"Identity": "ADFS", "Enabled": False},
    "Set-ClientAccessService": {"Identity": "EX01", "AutoDiscoverServiceInternalUri": None},
    "Set-FederatedOrganizationIdentifier": {"Enabled": False},
    "Set-FederationTrust": {"Identity": TRUST, "ApplicationUri": "x"},
    "Set-HybridConfiguration": {"OnPremisesSmartHost": "x.example"},
    "Set-IntraOrganizationConnector": {"Identity": IOC, "Enabled": False},
    "Set-OrganizationConfig": {"PublicFoldersEnabled": "Remote"},
    "Set-OrganizationRelationship": {"Identity": RELATION, "Enabled": False},
    "Set-PartnerApplication": {"Identity": "Exchange Online", "Enabled": False},
    "Set-ReceiveConnector": {"Identity": RECEIVE, "TlsDomainCapabilities": None},
    "Set-RemoteDomain": {"Identity": "Northwind Traders", "TargetDeliveryDomain": True},
    "Set-SendConnector": {"Identity": SEND, "Enabled": False},
    "Set-ServerComponentState": {
        "Identity": "EX01",
        "Component": "HubTransport",
        "State": "Draining",
        "Requester": "Maintenance",
    },
    "Set-SettingOverride": {"Identity": OVERRIDE, "Reason": "x"},
    "Set-TransportService": {"Identity": "EX01", "MessageTrackingLogMaxAge": "1.00:00:00"},
    "Stop-MigrationBatch": {"Identity": "Wave 12"},
}
SESSION = {"Set-ADServerSettings"}


def test_every_changing_cmdlet_is_here() -> None:
    assert set(CHANGES) | SESSION == {one for one in endpoint.CMDLETS if not one.startswith(("Get-", "Export-"))}


def test_with_what_if_nothing_changes(exchange: ExchangeLab) -> None:
    exchange.change(edge="subscribed", moves="running", batches="running")
    connection = open_directory("contoso", "administrator", exchange.forests.run_dir)
    store, tenant = exchange.cloud.store, exchange.estate.tenant_id("contoso")

    def state() -> tuple[Any, ...]:
        machines = [exchange.estate.get(exchange.host(name)) for name in ("EX01", "EX02")]
        return committed(connection), machines, store.get(tenant, KIND, ID)

    with exchange.pool() as pool:
        names = {
            "{mailbox}": str(run(pool, "Get-Mailbox", Database="DB01").output[0]),
            "{remote}": str(run(pool, "Get-RemoteMailbox", ResultSize=1).output[0]),
            "{move}": str(run(pool, "Get-MoveRequest").one),
        }
        before = state()
        for cmdlet, given in CHANGES.items():
            filled = {key: names.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
            run(pool, cmdlet, **filled, WhatIf=True)
            assert state() == before, cmdlet
    connection.unbind()
    assert not [one for one in exchange.log() if one["write"]]
