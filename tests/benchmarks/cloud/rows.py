# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person as the cloud shows it: a row of Get-Mailbox, and a user of Graph."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.people import DOMAIN, Person, distinguished_name, domain_of

MADE = "2026-09-01T00:00:00+00:00"
"""When every mailbox was changed last, unless it was changed by a benchmark."""


def mailbox(person: Person, select: Sequence[str], changed: str = MADE, cloud_managed: bool = True) -> dict[str, Any]:
    """The selected properties of a mailbox. A property that nobody here fills is null, as in the service."""
    properties: dict[str, Any] = {
        "ExternalDirectoryObjectId": person.object_id,
        "UserPrincipalName": person.user_principal_name,
        "DisplayName": person.name,
        "PrimarySmtpAddress": person.user_principal_name,
        "WindowsEmailAddress": person.user_principal_name,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": person.mailbox_type,
        "IsDirSynced": True,
        "IsExchangeCloudManaged": cloud_managed,
        "WhenChanged": changed,
        "WhenChangedUTC": changed,
        "EmailAddresses": person.addresses,
        "Alias": person.account,
        "Name": person.object_id,
        "Identity": person.object_id,
        "Guid": str(uuid.UUID(bytes=person.object_guid)),
        "ExchangeGuid": str(uuid.UUID(bytes=person.object_guid)),
        "DistinguishedName": f"CN={person.object_id},OU=bench,DC=EURPR01,DC=PROD,DC=OUTLOOK,DC=COM",
        "HiddenFromAddressListsEnabled": False,
    }
    for index, value in enumerate(person.custom, 1):
        properties[f"CustomAttribute{index}"] = value
    for index, values in enumerate(person.extension, 1):
        properties[f"ExtensionCustomAttribute{index}"] = values
    return {name: properties.get(name) for name in select} if select else properties


def user(person: Person, select: Sequence[str], parent: str = "") -> dict[str, Any]:
    """The selected properties of the Entra user behind a mailbox, whose directory object is below ``parent``."""
    properties: Mapping[str, Any] = {
        "id": person.object_id,
        "userPrincipalName": person.user_principal_name,
        "displayName": person.name,
        "mail": person.user_principal_name,
        "onPremisesImmutableId": base64.b64encode(person.anchor).decode("ascii"),
        "onPremisesDistinguishedName": distinguished_name(person, parent),
        "onPremisesDomainName": domain_of(parent) if parent else DOMAIN,
        "onPremisesSyncEnabled": True,
    }
    return {name: properties.get(name) for name in select} if select else dict(properties)
