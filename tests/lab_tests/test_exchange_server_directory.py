# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint and the directory agree, in both directions, for every kind of object."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import ldap3
import pytest

from tests.lab import hybrid_facts
from tests.lab.forest.access import open_directory
from tests.lab_tests.exchange_support import ExchangeLab, exchange, exchange_certified, pipeline, properties, run

__all__ = ["exchange", "exchange_certified"]

GUID = hybrid_facts.hybrid_guid("contoso")
# Noun, class, an object of the seed, its property, attribute and what both say.
KINDS: list[tuple[str, str, str, str, str, Any]] = [
    ("SendConnector", "msExchRoutingSMTPConnector", f"Outbound to Office 365 - {GUID}", "AddressSpaces", "routingList",
     ["SMTP:contoso.mail.onmicrosoft.com;1"]),
    ("SendConnector", "msExchRoutingSMTPConnector", "To Northwind Traders", "TlsDomain", "msExchSmtpSendTlsDomain",
     "*.northwind.example"),
    ("ReceiveConnector", "msExchSmtpReceiveConnector", "Default Frontend EX01", "TlsDomainCapabilities",
     "msExchSmtpReceiveTlsDomainCapabilities", ["mail.protection.outlook.com:AcceptCloudServicesMail"]),
    ("AcceptedDomain", "msExchAcceptedDomain", "contoso.lab", "DomainName", "msExchAcceptedDomainName", "contoso.lab"),
    ("RemoteDomain", "msExchDomainContentConfig", "Hybrid Domain - contoso.mail.onmicrosoft.com", "DomainName",
     "domainName", "contoso.mail.onmicrosoft.com"),
    ("HybridConfiguration", "msExchCoexistenceRelationship", "Hybrid Configuration", "Domains",
     "msExchCoexistenceDomains", ["contoso.lab"]),
    ("IntraOrganizationConnector", "msExchIntraOrganizationConnector", f"HybridIOC - {GUID}", "TargetAddressDomains",
     "msExchFedDomainNames", ["contoso.mail.onmicrosoft.com"]),
    ("OrganizationRelationship", "msExchFedSharingRelationship", f"On-premises to O365 - {GUID}",
     "TargetApplicationUri", "msExchFedTargetApplicationURI", "outlook.com"),
    ("FederationTrust", "msExchFedTrust", "Microsoft Federation Gateway", "OrgPrivCertificate",
     "msExchFedOrgPrivCertificate", hybrid_facts.federation_certificate("contoso")),
    ("AuthServer", "msExchAuthAuthServer", f"ACS - {GUID}", "IssuerIdentifier", "msExchAuthIssuerName",
     "00000001-0000-0000-c000-000000000000"),
    ("PartnerApplication", "msExchAuthPartnerApplication", "Exchange Online", "ApplicationIdentifier",
     "msExchAuthApplicationIdentifier", hybrid_facts.EXCHANGE_ONLINE),
    ("SharingPolicy", "msExchSharingPolicy", "Default Sharing Policy", "Domains", "msExchSharingPolicyDomains",
     ["*:CalendarSharingFreeBusySimple"]),
]  # fmt: skip
# What can be made again: noun, parameters of New-, name, parameters of Set- and what Get- then says.
MADE: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("SendConnector", {"Name": "New one", "AddressSpaces": ["a.example"], "SmartHosts": ["mx.a.example"],
                       "Fqdn": "mail.contoso.lab", "MaxMessageSize": "10 MB", "RequireTLS": True}, "New one",
     {"TlsDomain": "b.example", "SourceTransportServers": ["EX02"], "ForceHELO": True, "Comment": "why"}),
    ("ReceiveConnector", {"Name": "New one", "Bindings": ["0.0.0.0:2526"], "RemoteIPRanges": ["10.9.0.0/16"],
                          "Custom": True}, "New one", {"MaxMessageSize": "20 MB", "RequireTLS": True}),
    ("RemoteDomain", {"Name": "New one", "DomainName": "a.example"}, "New one",
     {"TargetDeliveryDomain": True, "AutoForwardEnabled": False}),
    ("IntraOrganizationConnector", {"Name": "New one", "TargetAddressDomains": ["a.example"],
                                    "DiscoveryEndpoint": "https://a.example/d"}, "New one", {"Enabled": False}),
    ("OrganizationRelationship", {"Name": "New one", "DomainNames": ["a.example"], "FreeBusyAccessEnabled": True,
                                  "FreeBusyAccessLevel": "AvailabilityOnly"}, "New one",
     {"MailTipsAccessEnabled": True, "TargetOwaURL": "https://a.example/owa"}),
    ("AuthServer", {"Name": "New one", "AuthMetadataUrl": "https://a.example/m", "Type": "AzureAD"}, "New one",
     {"Enabled": False, "DomainName": ["a.example"]}),
    ("PartnerApplication", {"Name": "New one", "ApplicationIdentifier": "0f", "Realm": "r"}, "New one",
     {"Enabled": False, "AcceptSecurityIdentifierInformation": True}),
    ("SettingOverride", {"Name": "New one", "Component": "Global", "Section": "S", "Parameters": ["Enabled=true"],
                         "Reason": "because"}, "New one", {"Reason": "another"}),
    ("SharingPolicy", {"Name": "New one", "Domains": ["a.example:CalendarSharingFreeBusyDetail"]}, "New one", {}),
    ("TransportRule", {"Name": "New one", "SubjectContainsWords": ["x"]}, "New one", {}),
]  # fmt: skip


def _all(exchange: ExchangeLab, noun: str) -> dict[str, dict[str, Any]]:
    with exchange.pool() as pool:
        answer = run(pool, f"Get-{noun}")
    assert not answer.errors
    return {properties(one)["Name"]: properties(one) for one in answer.output}


@pytest.mark.parametrize(("noun", "cls", "name", "prop", "attribute", "value"), KINDS)
def test_what_the_directory_holds_is_what_a_cmdlet_shows(
    exchange: ExchangeLab, noun: str, cls: str, name: str, prop: str, attribute: str, value: Any
) -> None:
    shown, held = _all(exchange, noun), exchange.of_class(cls)
    assert set(shown) == set(held)
    values = [one.decode() for one in held[name][attribute]]
    assert shown[name][prop] == value == (values if isinstance(value, list) else values[0])
    assert shown[name]["DistinguishedName"] in exchange.ldap("cn")


def test_what_is_changed_over_ldap_shows_in_the_session(exchange: ExchangeLab) -> None:
    held = exchange.of_class("msExchRoutingSMTPConnector")["Internet"]["distinguishedName"][0].decode()
    connection = open_directory("contoso", "administrator", exchange.forests.run_dir)
    assert connection.modify(held, {"msExchSmtpSendEnabled": [(ldap3.MODIFY_REPLACE, ["FALSE"])]})
    assert _all(exchange, "SendConnector")["Internet"]["Enabled"] is False
    assert connection.delete(held)
    connection.unbind()
    assert "Internet" not in _all(exchange, "SendConnector")


@pytest.mark.parametrize(("noun", "new", "name", "changed"), MADE, ids=[row[0] for row in MADE])
def test_objects_are_made_changed_and_removed_in_the_directory(
    exchange: ExchangeLab, noun: str, new: dict[str, Any], name: str, changed: dict[str, Any]
) -> None:
    skipped = ("Custom", "Name", "MaxMessageSize", "AddressSpaces", "Component", "Section")
    with exchange.pool() as pool:
        made = run(pool, f"New-{noun}", **new, Confirm=False)
        assert not made.errors, str(made.errors[0])
        identity = properties(made.one)["Identity"]
        dn = properties(made.one)["DistinguishedName"]
        shown = properties(run(pool, f"Get-{noun}", Identity=identity).one)
        assert {key: shown[key] for key in new if key not in skipped} == {
            key: value for key, value in new.items() if key not in skipped
        }
        assert dn in exchange.ldap("cn")
        if changed:
            assert not run(pool, f"Set-{noun}", Identity=identity, **changed, Confirm=False).errors
            shown = properties(run(pool, f"Get-{noun}", Identity=identity).one)
            assert {key: shown[key] for key in changed} == changed
        again = run(pool, f"New-{noun}", **new, Confirm=False)
        assert "already exists" in str(again.errors[0])
        assert not run(pool, f"Remove-{noun}", Identity=identity, Confirm=False).errors
        assert dn not in exchange.ldap("cn")


def test_an_export_makes_a_connector_again_as_it_was(exchange: ExchangeLab) -> None:
    name = f"Outbound to Office 365 - {GUID}"
    with exchange.pool() as pool:
        before = properties(run(pool, "Get-SendConnector", Identity=name).one)
        run(pool, "Remove-SendConnector", Identity=name, Confirm=False)
        wanted = ("Name", "AddressSpaces", "TlsDomain", "TlsCertificateName", "CloudServicesMailEnabled", "RequireTLS",
                  "Fqdn", "SourceTransportServers", "Enabled", "Port", "MaxMessageSize", "FrontendProxyEnabled",
                  "ConnectionInactivityTimeOut", "DNSRoutingEnabled")  # fmt: skip
        answer = run(pool, "New-SendConnector", **{key: before[key] for key in wanted}, Confirm=False)
        assert not answer.errors, str(answer.errors[0])
        after = properties(run(pool, "Get-SendConnector", Identity=name).one)
    own = ("Guid", "WhenChanged", "WhenCreated", "WhenChangedUTC", "WhenCreatedUTC")
    assert {key: value for key, value in after.items() if key not in own} == {
        key: value for key, value in before.items() if key not in own
    }


def test_the_only_ones_of_their_kind_are_made_again(exchange: ExchangeLab) -> None:
    space = {"AccessMethod": "OrgWideFB", "UseServiceAccount": True}
    thumbprint = hybrid_facts.federation_certificate("contoso")
    with exchange.pool() as pool:
        before = properties(run(pool, "Get-HybridConfiguration").one)
        run(pool, "Remove-HybridConfiguration", Confirm=False)
        wanted = ("Domains", "OnPremisesSmartHost", "SendingTransportServers", "ReceivingTransportServers", "Features",
                  "TlsCertificateName", "ServiceInstance")  # fmt: skip
        made = run(pool, "New-HybridConfiguration", **{key: before[key] for key in wanted}, Confirm=False)
        assert not made.errors, str(made.errors[0])
        after = properties(run(pool, "Get-HybridConfiguration").one)
        assert {key: after[key] for key in wanted} == {key: before[key] for key in wanted}
        assert run(pool, "New-HybridConfiguration", Confirm=False).errors
        name = "subsidiary.contoso.lab"
        run(pool, "Remove-AvailabilityAddressSpace", Identity=name, Confirm=False)
        made = run(pool, "Add-AvailabilityAddressSpace", ForestName=name, **space, Confirm=False)
        assert not made.errors, str(made.errors[0])
        shown = properties(run(pool, "Get-AvailabilityAddressSpace", Identity=name).one)
        assert {key: shown[key] for key in space} == space
        trust = {"Name": "Second", "ApplicationUri": "a.example", "Confirm": False}
        assert "wasn't found" in str(run(pool, "New-FederationTrust", **trust, Thumbprint="00").errors[0])
        made = run(pool, "New-FederationTrust", **trust, Thumbprint=thumbprint)
        assert not made.errors, str(made.errors[0])
        assert properties(made.one)["OrgPrivCertificate"] == thumbprint


def test_lists_are_added_to_and_taken_from_by_a_hash_table(exchange: ExchangeLab) -> None:
    identity = "EX01\\Default Frontend EX01"
    mark = "mail.protection.outlook.com:AcceptCloudServicesMail"
    with exchange.pool() as pool:
        for step, left in (({"Add": "x.example:AcceptOorgProtocol"}, [mark, "x.example:AcceptOorgProtocol"]),
                           ({"Remove": [mark]}, ["x.example:AcceptOorgProtocol"]), (None, [])):  # fmt: skip
            answer = run(pool, "Set-ReceiveConnector", Identity=identity, TlsDomainCapabilities=step, Confirm=False)
            assert not answer.errors, str(answer.errors[0])
            assert properties(run(pool, "Get-ReceiveConnector", Identity=identity).one)["TlsDomainCapabilities"] == left
        other = properties(run(pool, "Get-ReceiveConnector", Identity="EX02\\Default Frontend EX02").one)
        assert other["TlsDomainCapabilities"] == [mark]
        assert len(run(pool, "Get-ReceiveConnector", Server="EX02").output) == 6


def test_federation_is_taken_apart_in_its_order_only(exchange: ExchangeLab) -> None:
    trust, certificate = "Microsoft Federation Gateway", hybrid_facts.federation_certificate("contoso")
    with exchange.pool() as pool:
        refused = run(pool, "Remove-FederationTrust", Identity=trust, Confirm=False)
        assert "it's used by the federated organization identifier" in str(refused.errors[0])
        refused = run(pool, "Remove-ExchangeCertificate", Thumbprint=certificate, Confirm=False)
        assert "used by the federation trust" in str(refused.errors[0])
        refused = run(pool, "Remove-FederatedDomain", DomainName="FYDIBOHF25SPDLT.contoso.lab", Confirm=False)
        assert "account namespace" in str(refused.errors[0])
        for domain in ("contoso.lab", "FYDIBOHF25SPDLT.contoso.lab"):
            assert not run(pool, "Remove-FederatedDomain", DomainName=domain, Confirm=False).errors
        identifier = properties(run(pool, "Get-FederatedOrganizationIdentifier").one)
        assert (identifier["Domains"], identifier["Enabled"], identifier["DelegationTrustLink"]) == ([], False, None)
        assert not run(pool, "Remove-FederationTrust", Identity=trust, Confirm=False).errors
        assert not run(pool, "Remove-ExchangeCertificate", Thumbprint=certificate, Confirm=False).errors
        left = [properties(one)["Thumbprint"] for one in run(pool, "Get-ExchangeCertificate").output]
        other = [properties(one)["Thumbprint"] for one in run(pool, "Get-ExchangeCertificate", Server="EX02").output]
    assert certificate not in left
    assert certificate in other
    assert not exchange.of_class("msExchFedTrust")


def test_a_gateway_out_of_reach_needs_force(exchange: ExchangeLab) -> None:
    exchange.change(gateway="unreachable")
    with exchange.pool() as pool:
        assert run(pool, "Remove-FederatedDomain", DomainName="contoso.lab", Confirm=False).errors
        assert not run(pool, "Remove-FederatedDomain", DomainName="contoso.lab", Force=True, Confirm=False).errors


def test_certificates_in_use_stay(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        for thumbprint, user in ((hybrid_facts.auth_certificate("contoso"), "Auth Configuration"),
                                 (hybrid_facts.smtp_certificate("contoso"), "send connector")):  # fmt: skip
            answer = run(pool, "Remove-ExchangeCertificate", Thumbprint=thumbprint, Confirm=False)
            assert user in str(answer.errors[0])
        current = properties(run(pool, "Get-AuthConfig").one)["CurrentCertificateThumbprint"]
    assert current == hybrid_facts.auth_certificate("contoso")


def test_an_exported_certificate_comes_back(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        own = next(properties(one) for one in run(pool, "Get-ExchangeCertificate").output
                   if properties(one)["Subject"] == "CN=EX01")  # fmt: skip
        data = properties(run(pool, "Export-ExchangeCertificate", Thumbprint=own["Thumbprint"], Confirm=False).one)
        assert not run(pool, "Remove-ExchangeCertificate", Thumbprint=own["Thumbprint"], Confirm=False).errors
        answer = run(pool, "Import-ExchangeCertificate", FileData=data["FileData"], Confirm=False)
        assert not answer.errors, str(answer.errors[0])
        assert (
            properties(run(pool, "Get-ExchangeCertificate", Thumbprint=own["Thumbprint"]).one)["Subject"] == "CN=EX01"
        )


def test_mailboxes_of_each_kind_show_with_their_switch_only(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        names = {
            switch: {properties(one)["RecipientTypeDetails"] for one in run(pool, "Get-Mailbox", **given).output}
            for switch, given in (
                ("", {}),
                ("Arbitration", {"Arbitration": True}),
                ("AuditLog", {"AuditLog": True}),
                ("Monitoring", {"Monitoring": True}),
                ("PublicFolder", {"PublicFolder": True}),
                ("Archive", {"Archive": True}),
            )
        }
        held = run(pool, "Get-Mailbox", Database="DB01").output
    assert names == {
        "": {"UserMailbox", "DiscoveryMailbox"},
        "Arbitration": {"ArbitrationMailbox"},
        "AuditLog": {"AuditLogMailbox"},
        "Monitoring": {"MonitoringMailbox"},
        "PublicFolder": set(),
        "Archive": set(),
    }
    assert len(held) == 2


def test_disabling_strips_the_user_and_removing_takes_it_away(exchange: ExchangeLab) -> None:
    arbitration = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
    with exchange.pool() as pool:
        refused = run(pool, "Disable-Mailbox", Identity=arbitration, Confirm=False)
        assert "couldn't be found" in str(refused.errors[0])
        refused = run(pool, "Disable-Mailbox", Identity=arbitration, Arbitration=True, Confirm=False)
        assert "offline address book" in str(refused.errors[0])
        names = [properties(one)["Identity"] for one in run(pool, "Get-Mailbox", Arbitration=True).output]
        for name in names[:-1]:
            answer = run(pool, "Disable-Mailbox", Identity=name, Arbitration=True, Confirm=False,
                         DisableArbitrationMailboxWithOABsAllowed=True)  # fmt: skip
            assert not answer.errors, str(answer.errors[0])
        last = {"Identity": names[-1], "Arbitration": True, "Confirm": False}
        refused = run(pool, "Disable-Mailbox", **last)
        assert "last arbitration mailbox" in str(refused.errors[0])
        assert not run(pool, "Disable-Mailbox", **last, DisableLastArbitrationMailboxAllowed=True).errors
        pipeline(pool, ("Get-Mailbox", {"AuditLog": True}), ("Remove-Mailbox", {"Confirm": False}))
    users = exchange.ldap()
    stripped = users[f"CN={arbitration},CN=Users,DC=contoso,DC=lab"]
    assert not [name for name in stripped if name.lower().startswith("msexch") or name in ("mail", "homeMDB")]
    assert "sAMAccountName" in stripped
    assert "CN=SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9},CN=Users,DC=contoso,DC=lab" not in users


def test_a_mailbox_moves_between_databases(exchange: ExchangeLab) -> None:
    with exchange.pool() as pool:
        name = properties(run(pool, "Get-Mailbox", Database="DB01").output[0])["Identity"]
        answer = run(pool, "New-MoveRequest", Identity=name, TargetDatabase="DB02", Confirm=False)
        assert not answer.errors, str(answer.errors[0])
        assert properties(run(pool, "Get-MoveRequest").one)["Status"] == "Completed"
        assert properties(run(pool, "Get-Mailbox", Identity=name).one)["ServerName"] == "ex02"
        assert not run(pool, "Remove-MoveRequest", Identity=name, Confirm=False).errors
        assert not run(pool, "Get-MoveRequest").output


def test_databases_copies_and_group_leave_in_their_order_only(exchange: ExchangeLab) -> None:
    exchange.change(mailboxes="moved")
    with exchange.pool() as pool:

        def refused(cmdlet: str, **given: Any) -> str:
            answer = run(pool, cmdlet, **given, Confirm=False)
            return str(answer.errors[0]) if answer.errors else ""

        group = {"Identity": "DAG01", "MailboxServer": "EX01"}
        assert "more than one copy" in refused("Remove-MailboxDatabase", Identity="DB01")
        assert "is the active one" in refused("Remove-MailboxDatabaseCopy", Identity="DB01\\EX01")
        assert "replicated database" in refused("Remove-DatabaseAvailabilityGroupServer", **group)
        assert "has members" in refused("Remove-DatabaseAvailabilityGroup", Identity="DAG01")
        assert "one or more mailboxes" in refused("Remove-MailboxDatabase", Identity="DB02")
        assert not refused("Remove-MailboxDatabaseCopy", Identity="DB01\\EX02")
        assert not refused("Remove-MailboxDatabase", Identity="DB01")
        assert not refused("Remove-DatabaseAvailabilityGroupServer", **group)
        assert not refused("Remove-DatabaseAvailabilityGroupServer", Identity="DAG01", MailboxServer="EX02")
        assert not refused("Remove-DatabaseAvailabilityGroup", Identity="DAG01")
    assert set(exchange.of_class("msExchPrivateMDB")) == {"DB02"}
    assert not exchange.of_class("msExchMDBAvailabilityGroup")


def test_the_tracking_log_goes_by_the_clock(exchange: ExchangeLab) -> None:
    def relayed(days: float = 14) -> set[str]:
        now = exchange.estate.now()
        with exchange.pool() as pool:
            given = {"EventId": "RECEIVE", "Source": "SMTP", "ResultSize": "Unlimited"}
            window = {"Start": (now - timedelta(days)).isoformat(), "End": now.isoformat()}
            answer = run(pool, "Get-MessageTrackingLog", **given, **window)
        assert all(properties(one)["EventId"] == "RECEIVE" for one in answer.output)
        return {properties(one)["ClientIp"] for one in answer.output}

    before = relayed()
    assert {"10.20.30.41", "10.20.40.80", "203.0.113.77"} < before
    exchange.change(relay="stopped")
    assert relayed() == before
    exchange.control("POST", "/clock", {"advance_seconds": 13 * 86_400})
    assert "10.20.40.80" in relayed()
    exchange.control("POST", "/clock", {"advance_seconds": 2 * 86_400})
    assert not {one for one in relayed() if one.startswith(("10.", "203."))}
    assert relayed()
