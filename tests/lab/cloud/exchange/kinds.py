# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization's named objects: their kinds, and what the service shows of a property that nobody set.

Names and defaults of properties are those of the parameters on the New- and Set- pages. What is not on a page, and
therefore an assumption, stands in one place, :data:`ASSUMED`: tests and readers find it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.lab.clock import iso
from tests.lab.cloud.context import Services, new_guid
from tests.lab.store import Document

_UNITS = "CN=ConfigurationUnits,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"
LONGEST_NAME = 64

# What Microsoft's pages do not say of the objects that Get- cmdlets give, and how it is here.
ASSUMED: dict[str, str] = {
    "every object": "Identity is the name; Guid, DistinguishedName, ExchangeVersion, IsValid and the four When...",
    "InboundConnector.SenderDomains": "a plain domain is shown as smtp:<domain>;1",
    "MigrationEndpoint": "EndpointType, UseAutoDiscover and IsRemote tell the parameter set; limits are text",
    "MigrationBatch": "the counts, the times and the endpoints' names, as MigrationBatch objects carry them",
    "MoveRequest": "the parameters of Get-MoveRequest as properties, Direction and MailboxIdentity",
    "TransportRule": "State, Mode, Priority, Description, and each condition and action under its parameter's name",
    "MailboxPlan": "Name, DisplayName, IsDefault, MailboxPlanRelease",
    "OnPremisesOrganization": "links to a removed object are empty afterwards",
}


@dataclass(frozen=True)
class Kind:
    """A kind of named objects: noun of its cmdlets, kind of its documents, where the service keeps it, defaults."""

    noun: str
    kind: str
    container: str
    defaults: Document = field(default_factory=dict)
    also_found_by: tuple[str, ...] = ()  # properties that -Identity takes besides Name, Guid and DistinguishedName


def _kind(noun: str, container: str, *also: str, **defaults: Any) -> Kind:
    return Kind(noun, noun[0].lower() + noun[1:], container, defaults, also)


_ALL = (
    _kind("AcceptedDomain", "Transport Settings", "DomainName"),
    _kind(
        "InboundConnector",
        "Transport Settings",
        AssociatedAcceptedDomains=[],
        ClientHostNames=[],
        CloudServicesMailEnabled=False,
        Comment="",
        ConnectorSource="Default",
        ConnectorType="Partner",
        EFSkipIPs=[],
        EFSkipLastIP=False,
        EFSkipMailGateway=[],
        EFTestMode=False,
        EFUsers=[],
        Enabled=True,
        RequireTls=True,
        RestrictDomainsToCertificate=False,
        RestrictDomainsToIPAddresses=False,
        ScanAndDropRecipients=[],
        SenderIPAddresses=[],
        TlsSenderCertificateName=None,
        TreatMessagesAsInternal=False,
        TrustedOrganizations=[],
    ),
    _kind(
        "OutboundConnector",
        "Transport Settings",
        AllAcceptedDomains=False,
        CloudServicesMailEnabled=False,
        Comment="",
        ConnectorSource="Default",
        ConnectorType="Partner",
        Enabled=True,
        IsTransportRuleScoped=False,
        IsValidated=False,
        LastValidationTimestamp=None,
        LinkForModifiedConnector="00000000-0000-0000-0000-000000000000",
        MtaStsMode="Opportunistic",
        RecipientDomains=[],
        RouteAllMessagesViaOnPremises=False,
        SenderRewritingEnabled=False,
        SmartHosts=[],
        SmtpDaneMode="Opportunistic",
        TestMode=False,
        TlsDomain=None,
        TlsSettings=None,
        UseMXRecord=True,
        ValidationRecipients=[],
    ),
    _kind(
        "OrganizationRelationship",
        "Federation",
        ArchiveAccessEnabled=False,
        DeliveryReportEnabled=False,
        Enabled=True,
        FreeBusyAccessEnabled=False,
        FreeBusyAccessLevel="None",
        FreeBusyAccessScope=None,
        MailTipsAccessEnabled=False,
        MailTipsAccessLevel="None",
        MailTipsAccessScope=None,
        MailboxMoveCapability="None",
        MailboxMoveEnabled=False,
        MailboxMovePublishedScopes=[],
        OAuthApplicationId=None,
        OrganizationContact=None,
        PhotosEnabled=False,
        TargetApplicationUri=None,
        TargetAutodiscoverEpr=None,
        TargetOwaURL=None,
        TargetSharingEpr=None,
    ),
    _kind("IntraOrganizationConnector", "Intra Organization Connectors", Enabled=True, TargetSharingEpr=None),
    _kind(
        "MigrationEndpoint",
        "Migration",
        RemoteServer=None,
        Username=None,
        Authentication="Basic",
        MaxConcurrentMigrations="20",
        MaxConcurrentIncrementalSyncs="10",
        ActiveMigrationCount=0,
        ActiveIncrementalSyncCount=0,
        UseAutoDiscover=False,
        IsRemote=True,
    ),
    _kind(
        "MigrationBatch",
        "Migration",
        "BatchGuid",
        MigrationType="ExchangeRemoteMove",
        BatchDirection="Onboarding",
        SourceEndpoint=None,
        TargetEndpoint=None,
        TargetDeliveryDomain=None,
        CompleteAfter=None,
        StartDateTime=None,
        FinalizedDateTime=None,
        NotificationEmails=[],
        **dict.fromkeys(
            ("TotalCount", "ActiveCount", "PendingCount", "SyncedCount", "FinalizedCount", "FailedCount",
             "StoppedCount"), 0,
        ),
    ),
    _kind(
        "MoveRequest",
        "MoveRequests",
        "Alias",
        "MailboxIdentity",
        "ExchangeGuid",
        BatchName="",
        Direction="Pull",
        Flags="CrossOrg, Pull",
        RemoteHostName=None,
        Suspend=False,
        SuspendWhenReadyToComplete=False,
    ),
    _kind(
        "OnPremisesOrganization",
        "OnPremisesOrganizations",
        Comment="",
        InboundConnector=None,
        OutboundConnector=None,
        OrganizationName=None,
        OrganizationRelationship=None,
    ),
    _kind(
        "RemoteDomain",
        "Internet Message Formats",
        "DomainName",
        AllowedOOFType="External",
        AutoForwardEnabled=True,
        AutoReplyEnabled=True,
        ByteEncoderTypeFor7BitCharsets="Undefined",
        CharacterSet=None,
        ContentType="MimeHtmlText",
        DeliveryReportEnabled=True,
        DisplaySenderName=True,
        IsInternal=False,
        LineWrapSize="Unlimited",
        MeetingForwardNotificationEnabled=True,
        NDRDiagnosticInfoEnabled=True,
        NDREnabled=True,
        NonMimeCharacterSet=None,
        PreferredInternetCodePageForShiftJis="Undefined",
        RequiredCharsetCoverage=None,
        TNEFEnabled=None,
        TargetDeliveryDomain=False,
        TrustedMailInboundEnabled=False,
        TrustedMailOutboundEnabled=False,
        UseSimpleDisplayName=False,
    ),
    _kind(
        "TransportRule",
        "TransportVersioned,CN=Rules",
        Comments=None,
        DlpPolicy=None,
        Mode="Enforce",
        RuleErrorAction="Ignore",
        SenderAddressLocation="Header",
        State="Enabled",
        RouteMessageOutboundConnector=None,
    ),
    _kind("MailboxPlan", "Mailbox Plans", "DisplayName", "Alias", IsDefault=False, MailboxPlanRelease="CurrentRelease"),
)  # fmt: skip
KINDS: dict[str, Kind] = {one.noun: one for one in _ALL}
BY_DOCUMENT: dict[str, Kind] = {one.kind: one for one in _ALL}


def made(
    services_now: Callable[[], str], tenant: Document, kind: Kind, name: str, properties: Document, guid: str = ""
) -> Document:
    """A new object: what is common to all, the kind's defaults, ``properties``."""
    guid, now = guid or new_guid(), services_now()
    place = f"CN={kind.container},CN=Configuration,CN={tenant['initial_domain']},{_UNITS}"
    return {
        "id": guid,
        "Identity": name,
        "Name": name,
        "Guid": guid,
        "DistinguishedName": f"CN={name},{place}",
        "ExchangeVersion": "0.1 (8.0.535.0)",
        "IsValid": True,
        **kind.defaults,
        **properties,
        "WhenCreated": now,
        "WhenCreatedUTC": now,
        "WhenChanged": now,
        "WhenChangedUTC": now,
    }


def now_of(services: Services) -> Callable[[], str]:
    """The lab's clock as the objects' time stamps."""
    return lambda: iso(services.clock.now())


def is_named(kind: Kind, doc: Document, identity: str) -> bool:
    """Whether ``-Identity`` means this object."""
    names = ("id", "Identity", "Name", "Guid", "DistinguishedName", *kind.also_found_by)
    return identity.strip().lower() in [str(doc[name]).lower() for name in names if doc.get(name)]


def sender_domain(text: str) -> str:
    """A domain as connectors show it: ``smtp:*;1``."""
    bare = text.strip()
    kind, colon, rest = bare.partition(":")
    if not colon:
        kind, rest = "smtp", bare
    domain, _semicolon, cost = rest.partition(";")
    return f"{kind.lower()}:{domain};{cost or 1}"
