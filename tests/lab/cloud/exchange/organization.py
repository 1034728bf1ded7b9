# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization's configuration, and what the cmdlets of its named objects share."""

from __future__ import annotations

from tests.lab.clock import iso
from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.identity import SERVER, public
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.store import Document

CLOUD_DEFAULT = "ExchangeAttributesCloudManagedByDefault"
SERVER_DEFAULT = "ExchangeAttributesServerManagedByDefault"
# How the tenant's default shows in Get-OrganizationConfig.
DEFAULT_PROPERTY = "BlockExchangeProvisioningFromOnPremEnabled"
SET_ORGANIZATION_PARAMETERS = (CLOUD_DEFAULT, SERVER_DEFAULT, "Confirm", "WhatIf")


def organization(call: Call) -> Document:
    """The one organization document of the tenant."""
    found = call.services.store.list(call.tenant_id, "organization")
    if not found:
        raise errors.not_found(call.tenant["initial_domain"], SERVER)
    return found[0]


def get_organization_config(call: Call) -> Result:
    """Get-OrganizationConfig."""
    doc = organization(call)
    [seen] = call.services.stale.seen(call.tenant_id, "organization", [doc])
    return Result([public(seen)])


def set_organization_config(call: Call) -> Result:
    """Set-OrganizationConfig, as far as the default source of authority goes."""
    to_cloud, to_server = call.bound.get(CLOUD_DEFAULT) is True, call.bound.get(SERVER_DEFAULT) is True
    if to_cloud and to_server:
        raise errors.parameter_sets()
    with call.services.store.transaction():
        before = organization(call)
        if not (to_cloud or to_server) or before.get(DEFAULT_PROPERTY) is to_cloud:
            name = call.tenant["initial_domain"]
            return Result(warnings=[unchanged_warning(name)])
        if not call.what_if:
            after = {**before, DEFAULT_PROPERTY: to_cloud, **changed_now(call)}
            call.services.write(call.tenant_id, "organization", before["id"], before, after)
    return Result()


def unchanged_warning(identity: str) -> str:
    """What Exchange Online says when a Set- cmdlet changed nothing."""
    return f"The command completed successfully but no settings of '{identity}' have been modified."


def changed_now(call: Call) -> Document:
    """The properties that tell when an object was last changed."""
    now = iso(call.services.clock.now())
    return {"WhenChanged": now, "WhenChangedUTC": now}
