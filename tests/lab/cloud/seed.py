# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state a tenant begins with; everything synchronized comes from the first run of Connect Sync."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.lab.clock import Clock, iso
from tests.lab.cloud import app_roles, hybrid_principals, hybrid_seed
from tests.lab.cloud.exchange.endpoint import APP_ROLE, EXCHANGE_ADMINISTRATOR
from tests.lab.cloud.exchange.organization import DEFAULT_PROPERTY
from tests.lab.cloud.hybrid_principals import principal_of
from tests.lab.store import Document, Store

_NAMESPACE = uuid.UUID("5c1f5a0e-8a53-4e2c-9d2c-77ab00000002")
FAR_FUTURE = 4_102_444_800.0  # 2100-01-01
_LEGACY = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients"
LONG_AGO = 1_577_836_800.0  # 2020-01-01

READ_PERMISSIONS = (
    "Application.Read.All",
    "AuditLog.Read.All",
    "Group.Read.All",
    "OrgContact.Read.All",
    "Organization.Read.All",
    "Synchronization.Read.All",
    "User.Read.All",
)
WRITE_PERMISSIONS = (
    "Application.ReadWrite.All",
    "Contacts-OnPremisesSyncBehavior.ReadWrite.All",
    "Group-OnPremisesSyncBehavior.ReadWrite.All",
    "OnPremisesPublishingProfiles.ReadWrite.All",
    "Organization.ReadWrite.All",
    "Synchronization.ReadWrite.All",
    "User-OnPremisesSyncBehavior.ReadWrite.All",
)

# Mailboxes that exist in the cloud only: alias, display name, RecipientTypeDetails.
CLOUD_ONLY = (
    ("cloud.admin", "Cloud Admin", "UserMailbox"),
    ("zoe.cloud", "Zoë Cloud", "UserMailbox"),
    ("info", "Info", "SharedMailbox"),
    ("press", "Press Office", "SharedMailbox"),
    ("room.sky", "Sky Room", "RoomMailbox"),
    ("beamer1", "Beamer 1", "EquipmentMailbox"),
)


def fixed_guid(*parts: str) -> str:
    """The same GUID for the same words, in every run."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


SEEDED_AT = "seeded_at"  # lab time, seconds since 1970


def seed(store: Store, clock: Clock, lab: dict[str, Any]) -> None:
    """Put what tenants begin with into an empty store; ``lab`` is the hand-over file lab.json."""
    with store.transaction():
        store.set_meta(SEEDED_AT, clock.timestamp())
        for name, settings in lab["tenants"].items():
            tenant = {
                "name": name,
                "id": settings["tenant_id"],
                "domain": settings["domain"],
                "initial_domain": settings["initial_domain"],
                "verified_domains": verified_domains(settings),
            }
            store.put_tenant(tenant)
            _organization(store, clock, tenant)
            _applications(store, tenant, settings)
            _mailboxes(store, clock, tenant)
            for agent in agents(tenant):
                store.put(tenant["id"], "agent", agent["id"], agent)
            _agent_group(store, tenant)
            hybrid_seed.seed(store, clock, tenant)
            hybrid_principals.seed(store, tenant)


def verified_domains(settings: dict[str, Any]) -> list[str]:
    """The tenant's domains: its own, its initial one, and that of mail routing."""
    initial = settings["initial_domain"]
    return [settings["domain"], initial, initial.replace(".onmicrosoft.com", ".mail.onmicrosoft.com")]


def _organization(store: Store, clock: Clock, tenant: Document) -> None:
    now = iso(clock.now())
    doc = {
        "id": tenant["id"],
        "displayName": tenant["name"].capitalize(),
        "onPremisesSyncEnabled": True,
        "onPremisesLastSyncDateTime": None,
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": domain == tenant["domain"],
                "isInitial": domain == tenant["initial_domain"],
                "name": domain,
                "type": "Managed",
            }
            for domain in tenant["verified_domains"]
        ],
        "Name": tenant["initial_domain"],
        "Identity": tenant["initial_domain"],
        "DisplayName": tenant["name"].capitalize(),
        "Guid": fixed_guid("organization", tenant["id"]),
        "IsDehydrated": False,
        DEFAULT_PROPERTY: False,
        "WhenCreatedUTC": now,
        "WhenChangedUTC": now,
    }
    store.put(tenant["id"], "organization", tenant["id"], doc)
    for domain in tenant["verified_domains"]:
        accepted = {
            "id": domain,
            "Identity": domain,
            "Name": domain,
            "DomainName": domain,
            "DomainType": "Authoritative",
            "Default": domain == tenant["domain"],
            "InitialDomain": domain == tenant["initial_domain"],
            "IsCoexistenceDomain": ".mail." in domain,
            "Guid": fixed_guid("domain", domain),
        }
        store.put(tenant["id"], "acceptedDomain", domain, accepted)


def _applications(store: Store, tenant: Document, settings: dict[str, Any]) -> None:
    full = {"exchange": [APP_ROLE], "graph": [*READ_PERMISSIONS, *WRITE_PERMISSIONS]}
    limited: dict[str, list[str]] = {"exchange": [], "graph": list(READ_PERMISSIONS)}
    for key, roles, wids, expires in (
        ("application", full, [EXCHANGE_ADMINISTRATOR], FAR_FUTURE),
        ("limited_application", limited, [], FAR_FUTURE),
        ("expired_application", full, [EXCHANGE_ADMINISTRATOR], LONG_AGO),
    ):
        if key in settings:
            _application(store, tenant, key, settings[key], roles, wids, expires)
    graph = app_roles.RESOURCES["graph"]
    principal = principal_of(app_roles.resource_id(tenant["id"], "graph"), graph.app_id, graph.name)
    store.put(tenant["id"], "servicePrincipal", principal["id"], principal)


def _application(
    store: Store,
    tenant: Document,
    name: str,
    settings: dict[str, Any],
    roles: dict[str, list[str]],
    wids: list[str],
    expires: float,
) -> None:
    app_id = settings["client_id"]
    principal = principal_of(fixed_guid("principal", tenant["id"], app_id), app_id, name)
    certificates, keys = _certificates(settings.get("certificate"))
    application = {
        "id": fixed_guid("application", tenant["id"], app_id),
        "appId": app_id,
        "displayName": name,
        "applicationTemplateId": None,
        "keyCredentials": keys,
        "_servicePrincipal": principal["id"],
        "_wids": wids,
        "_secrets": [{"sha256": hashlib.sha256(settings["client_secret"].encode()).hexdigest(), "expires": expires}],
        "_certificates": certificates,
    }
    store.put(tenant["id"], "application", application["id"], application)
    store.put(tenant["id"], "servicePrincipal", principal["id"], principal)
    for service, names in roles.items():
        for role in names:
            app_roles.grant(store, tenant["id"], principal, service, role)


def _certificates(path: str | None) -> tuple[list[str], list[Document]]:
    """PEM texts of the certificates in a file (its key is left alone), and their Graph keyCredentials."""
    if path is None:
        return [], []
    pems, keys = [], []
    for certificate in x509.load_pem_x509_certificates(Path(path).read_bytes()):
        pems.append(certificate.public_bytes(serialization.Encoding.PEM).decode())
        keys.append(
            {
                "customKeyIdentifier": certificate.fingerprint(hashes.SHA1()).hex().upper(),
                "displayName": certificate.subject.rfc4514_string(),
                "endDateTime": iso(certificate.not_valid_after_utc),
                "key": None,
                "keyId": fixed_guid("key", certificate.fingerprint(hashes.SHA256()).hex()),
                "startDateTime": iso(certificate.not_valid_before_utc),
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
            }
        )
    return pems, keys


def _mailboxes(store: Store, clock: Clock, tenant: Document) -> None:
    for alias, display_name, details in CLOUD_ONLY:
        user, mailbox = cloud_only(tenant, alias, display_name, details, iso(clock.now()))
        store.put(tenant["id"], "user", user["id"], user)
        store.put(tenant["id"], "mailbox", user["id"], mailbox)


def cloud_only(tenant: Document, alias: str, display_name: str, details: str, now: str) -> tuple[Document, Document]:
    """User and mailbox of someone who exists in the cloud only."""
    user_id = fixed_guid("user", tenant["id"], alias)
    address = f"{alias}@{tenant['initial_domain']}"
    addresses = [f"SMTP:{address}"]
    user = {
        "id": user_id,
        "userPrincipalName": address,
        "displayName": display_name,
        "givenName": None,
        "surname": None,
        "accountEnabled": details == "UserMailbox",
        "mail": address,
        "mailNickname": alias,
        "proxyAddresses": addresses,
        "onPremisesSyncEnabled": None,
        "onPremisesImmutableId": None,
        "onPremisesExtensionAttributes": {f"extensionAttribute{n}": None for n in range(1, 16)},
        "isCloudManaged": False,
    }
    hosted = f"OU={tenant['initial_domain']},OU=Microsoft Exchange Hosted Organizations"
    mailbox = {
        "Identity": alias,
        "Name": alias,
        "Alias": alias,
        "DisplayName": display_name,
        "DistinguishedName": f"CN={alias},{hosted},DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM",
        "Guid": fixed_guid("recipient", user_id),
        "ExternalDirectoryObjectId": user_id,
        "UserPrincipalName": address,
        "PrimarySmtpAddress": address,
        "WindowsEmailAddress": address,
        "EmailAddresses": addresses,
        **{f"CustomAttribute{n}": "" for n in range(1, 16)},
        **{f"ExtensionCustomAttribute{n}": [] for n in range(1, 6)},
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": details,
        "ResourceType": {"RoomMailbox": "Room", "EquipmentMailbox": "Equipment"}.get(details),
        "HiddenFromAddressListsEnabled": False,
        "IsDirSynced": False,
        "IsExchangeCloudManaged": False,
        "ExchangeGuid": fixed_guid("mailbox", user_id),
        "ArchiveGuid": "00000000-0000-0000-0000-000000000000",
        "LegacyExchangeDN": f"{_LEGACY}/cn={alias}",
        "ForwardingAddress": None,
        "ForwardingSmtpAddress": None,
        "DeliverToMailboxAndForward": False,
        "LitigationHoldEnabled": False,
        "ModerationEnabled": False,
        "ModeratedBy": [],
        "OrganizationalUnit": f"eurpr01a001.prod.outlook.com/{tenant['initial_domain']}",
        "WhenCreated": now,
        "WhenCreatedUTC": now,
        "WhenChanged": now,
        "WhenChangedUTC": now,
        "_sequence": 0,
    }
    return user, mailbox


def agents(tenant: Document) -> list[Document]:
    """The provisioning agents of a tenant."""
    return [
        {
            "id": fixed_guid("agent", tenant["id"]),
            "machineName": f"sync1.{tenant['domain']}",
            "externalIp": "203.0.113.10",
            "status": "active",
            "supportedPublishingTypes": ["provisioning"],
        }
    ]


def _agent_group(store: Store, tenant: Document) -> None:
    group: Document = {
        "id": fixed_guid("agentGroup", tenant["id"]),
        "displayName": "Default group for provisioning",
        "isDefault": True,
        "publishingType": "provisioning",
    }
    store.put(tenant["id"], "agentGroup", group["id"], group)
