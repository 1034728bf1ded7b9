# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisation's own settings, those of the session, and sites."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import calls, codec, errors
from tests.lab.exchange_server.cmdlets.servers import write
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.values import Obj

_CONFIGURATION = "Microsoft.Exchange.Data.Directory.SystemConfiguration"
_ORGANIZATION: dict[str, Any] = {
    "PublicFoldersEnabled": "Local",
    "RemotePublicFolderMailboxes": [],
    "DefaultPublicFolderMailbox": None,
    "IsMixedMode": False,
    "MapiHttpEnabled": True,
    "OAuth2ClientProfileEnabled": True,
    "MailTipsAllTipsEnabled": True,
    "EwsEnabled": None,
    "HybridConfigurationStatus": "Enabled",
    "Industry": "NotSpecified",
}


def get_organization_config(call: Call) -> None:
    """Get-OrganizationConfig."""
    work = calls.work(call)
    found = work.organization.found()
    if found is None:
        raise errors.not_found("the organization", work.organization.controller)
    values = {**_ORGANIZATION, **codec.read_rest(found)}
    values |= {"ObjectVersion": found.number("objectVersion"), "OrganizationId": found.guid, "IsDehydrated": False}
    write(call, work, found, f"{_CONFIGURATION}.ADOrganizationConfig", values)


def set_organization_config(call: Call) -> None:
    """Set-OrganizationConfig."""
    work = calls.work(call)
    found = work.organization.found()
    if found is None:
        raise errors.not_found("the organization", work.organization.controller)
    given = {name: one for name, one in call.bound.values.items() if name.lower() not in calls.CONTROL}
    rest = codec.read_rest(found)
    rest |= {name: codec.merged(one, rest.get(name, _ORGANIZATION.get(name))) for name, one in given.items()}
    if not call.what_if:
        work.organization.directory.modify(found.dn, {codec.XML: codec.write_rest(rest)})


def get_ad_server_settings(call: Call) -> None:
    """Get-ADServerSettings: the session's."""
    work = calls.work(call)
    controller = work.organization.controller
    own = {
        "DefaultGlobalCatalog": controller,
        "DefaultConfigurationDomainController": controller,
        "DefaultPreferredDomainControllers": [controller],
        "RecipientViewRoot": None if call.session.memory.get("forest") else work.organization.forest.domain,
        "ViewEntireForest": bool(call.session.memory.get("forest")),
        "Identity": None,
        "IsValid": True,
        "ObjectState": "New",
    }
    call.write(Obj(("Microsoft.Exchange.Data.Directory.Management.RunspaceServerSettings", "System.Object"), own))


def set_ad_server_settings(call: Call) -> None:
    """Set-ADServerSettings: for this runspace."""
    whole = call.get("ViewEntireForest")
    if whole is not None and not call.what_if:
        call.session.memory["forest"] = bool(whole)


def get_ad_site(call: Call) -> None:
    """Get-ADSite."""
    work = calls.work(call)
    sites = work.organization.directory.search(f"CN=Sites,{work.organization.configuration}", "(objectClass=site)")
    wanted = [one.lower() for one in calls.identities(call)]
    for found in sites:
        if not wanted or found.name.lower() in wanted:
            write(call, work, found, f"{_CONFIGURATION}.ADSite", {"HubSiteEnabled": False, "PartnerId": -1})


CMDLETS: dict[str, Implementation] = {
    "Get-OrganizationConfig": get_organization_config,
    "Set-OrganizationConfig": set_organization_config,
    "Get-ADServerSettings": get_ad_server_settings,
    "Set-ADServerSettings": set_ad_server_settings,
    "Get-ADSite": get_ad_site,
}
