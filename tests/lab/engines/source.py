# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user as the writeback job sees it: the attributes of the job's source directory, from Entra and Exchange Online."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.lab.engines.recipient_types import directory_values

Document = dict[str, Any]

_UNIMPORTANT = {"onPremisesLastSyncDateTime", "onPremisesProvisioningErrors", "signInActivity"}


def source_object(mailbox: Document, user: Document, type_values: str) -> dict[str, Any]:
    """Every source attribute with its value; None where the user has none. ``type_values``: the scenario's switch."""
    details, display = directory_values(
        mailbox.get("RecipientTypeDetails") or "UserMailbox", mailbox.get("_directoryTypes"), type_values
    )
    return {
        "objectId": user["id"],
        "userPrincipalName": user.get("userPrincipalName"),
        "displayName": user.get("displayName"),
        "givenName": user.get("givenName"),
        "surname": user.get("surname"),
        "mailNickname": mailbox.get("Alias") or None,
        "jobTitle": user.get("jobTitle"),
        "department": user.get("department"),
        "companyName": user.get("companyName"),
        "physicalDeliveryOfficeName": user.get("officeLocation"),
        "city": user.get("city"),
        "state": user.get("state"),
        "country": user.get("country"),
        "postalCode": user.get("postalCode"),
        "streetAddress": user.get("streetAddress"),
        "mobile": user.get("mobilePhone"),
        "accountEnabled": user.get("accountEnabled"),
        "dirSyncEnabled": user.get("onPremisesSyncEnabled"),
        "showInAddressList": not mailbox.get("HiddenFromAddressListsEnabled"),
        "onPremisesImmutableId": user.get("onPremisesImmutableId"),
        "onPremisesDistinguishedName": user.get("onPremisesDistinguishedName"),
        "onPremisesSamAccountName": user.get("onPremisesSamAccountName"),
        "onPremisesSecurityIdentifier": user.get("onPremisesSecurityIdentifier"),
        "onPremisesDomainName": user.get("onPremisesDomainName"),
        **{f"extensionAttribute{n}": mailbox.get(f"CustomAttribute{n}") or None for n in range(1, 16)},
        **{
            f"msExchExtensionCustomAttribute{n}": list(mailbox.get(f"ExtensionCustomAttribute{n}") or []) or None
            for n in range(1, 6)
        },
        "msExchRecipientTypeDetails": details,
        "msExchRecipientDisplayType": display,
        "proxyAddresses": list(mailbox.get("EmailAddresses") or []) or None,
        "Mail": mailbox.get("WindowsEmailAddress") or None,
    }


def change_mark(mailbox: Document, user: Document) -> str:
    """A short mark that differs when anything of the mailbox or user changed in the cloud."""
    shown = {name: value for name, value in mailbox.items() if not name.startswith("_")}
    person = {name: value for name, value in user.items() if name not in _UNIMPORTANT and not name.startswith("_")}
    text = json.dumps([shown, person], sort_keys=True, default=str)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
